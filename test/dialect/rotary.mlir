// RUN: sesame-opt %s | sesame-opt | FileCheck %s
// RUN: sesame-opt %s --mlir-print-op-generic | sesame-opt | FileCheck %s

// CHECK-LABEL: func.func @halves
// CHECK: sesame.rotary %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x3x?x7xf16>, tensor<1x?xi32>, tensor<3xf32>
func.func @halves(%x: tensor<?x3x?x7xf16>, %p: tensor<1x?xi32>, %f: tensor<3xf32>) -> tensor<?x3x?x7xf16> {
  %r = sesame.rotary %x, %p, %f : tensor<?x3x?x7xf16>, tensor<1x?xi32>, tensor<3xf32>
  return %r : tensor<?x3x?x7xf16>
}

// CHECK-LABEL: func.func @interleaved_and_scaled
// CHECK: sesame.rotary %{{.*}}, %{{.*}}, %{{.*}} interleaved scale = 5.000000e-01 : tensor<2x3x5x6xf32>, tensor<2x5xi64>, tensor<3xf32>
func.func @interleaved_and_scaled(%x: tensor<2x3x5x6xf32>, %p: tensor<2x5xi64>, %f: tensor<3xf32>) -> tensor<2x3x5x6xf32> {
  %r = sesame.rotary %x, %p, %f interleaved scale = 0.5 : tensor<2x3x5x6xf32>, tensor<2x5xi64>, tensor<3xf32>
  return %r : tensor<2x3x5x6xf32>
}
