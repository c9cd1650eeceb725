// RUN: sesame-opt %s | sesame-opt | FileCheck %s
// RUN: sesame-opt %s --mlir-print-op-generic | sesame-opt | FileCheck %s

// CHECK-LABEL: func.func @bare
// CHECK: sesame.linear %{{.*}}, %{{.*}} : tensor<?x?x5xf32>, tensor<7x5xbf16> -> tensor<?x?x7xf32>
func.func @bare(%x: tensor<?x?x5xf32>, %w: tensor<7x5xbf16>) -> tensor<?x?x7xf32> {
  %y = sesame.linear %x, %w : tensor<?x?x5xf32>, tensor<7x5xbf16> -> tensor<?x?x7xf32>
  return %y : tensor<?x?x7xf32>
}

// CHECK-LABEL: func.func @every_option
// CHECK: sesame.linear %{{.*}}, %{{.*}} bias(%{{.*}} : tensor<7xf32>) residual(%{{.*}} : tensor<3x7xf32>) layout = kn activation = gelu_tanh : tensor<3x5xf32>, tensor<5x7xf32> -> tensor<3x7xf32>
func.func @every_option(%x: tensor<3x5xf32>, %w: tensor<5x7xf32>, %b: tensor<7xf32>, %r: tensor<3x7xf32>) -> tensor<3x7xf32> {
  %y = sesame.linear %x, %w bias(%b : tensor<7xf32>) residual(%r : tensor<3x7xf32>) layout = kn activation = gelu_tanh
    : tensor<3x5xf32>, tensor<5x7xf32> -> tensor<3x7xf32>
  return %y : tensor<3x7xf32>
}

// CHECK-LABEL: func.func @panels_of_a_vector
// CHECK: layout = panels : tensor<5xf32>, tensor<2x5x4xf32> -> tensor<7xf32>
func.func @panels_of_a_vector(%x: tensor<5xf32>, %w: tensor<2x5x4xf32>) -> tensor<7xf32> {
  %y = sesame.linear %x, %w layout = panels : tensor<5xf32>, tensor<2x5x4xf32> -> tensor<7xf32>
  return %y : tensor<7xf32>
}
