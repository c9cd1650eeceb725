// RUN: sesame-opt %s | sesame-opt | FileCheck %s
// RUN: sesame-opt %s --mlir-print-op-generic | sesame-opt | FileCheck %s

// CHECK-LABEL: func.func @affine
// CHECK: sesame.layer_norm %{{.*}} weight(%{{.*}} : tensor<7xf32>) bias(%{{.*}} : tensor<7xf32>) epsilon = 1.250000e-01 : tensor<?x3x7xf16>
func.func @affine(%x: tensor<?x3x7xf16>, %w: tensor<7xf32>, %b: tensor<7xf32>) -> tensor<?x3x7xf16> {
  %y = sesame.layer_norm %x weight(%w : tensor<7xf32>) bias(%b : tensor<7xf32>) epsilon = 0.125 : tensor<?x3x7xf16>
  return %y : tensor<?x3x7xf16>
}

// CHECK-LABEL: func.func @bias_alone
// CHECK: sesame.layer_norm %{{.*}} bias(%{{.*}} : tensor<?xf32>) epsilon = 0.000000e+00 : tensor<?xf32>
func.func @bias_alone(%x: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?xf32> {
  %y = sesame.layer_norm %x bias(%b : tensor<?xf32>) epsilon = 0.0 : tensor<?xf32>
  return %y : tensor<?xf32>
}
