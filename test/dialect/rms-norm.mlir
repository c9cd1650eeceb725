// RUN: sesame-opt %s | sesame-opt | FileCheck %s
// RUN: sesame-opt %s --mlir-print-op-generic | sesame-opt | FileCheck %s

// CHECK-LABEL: func.func @gemma
// CHECK: sesame.rms_norm %{{.*}} weight(%{{.*}} : tensor<7xf32>) epsilon = 1.250000e-01 offset = 1.000000e+00 : tensor<?x3x7xbf16>
func.func @gemma(%x: tensor<?x3x7xbf16>, %w: tensor<7xf32>) -> tensor<?x3x7xbf16> {
  %y = sesame.rms_norm %x weight(%w : tensor<7xf32>) epsilon = 0.125 offset = 1.0 : tensor<?x3x7xbf16>
  return %y : tensor<?x3x7xbf16>
}

// CHECK-LABEL: func.func @bare
// CHECK: sesame.rms_norm %{{.*}} epsilon = 1.250000e-01 : tensor<7xf32>
func.func @bare(%x: tensor<7xf32>) -> tensor<7xf32> {
  %y = sesame.rms_norm %x epsilon = 0.125 : tensor<7xf32>
  return %y : tensor<7xf32>
}
