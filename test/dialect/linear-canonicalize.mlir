// RUN: sesame-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @zeros_are_dropped
// CHECK: sesame.linear %{{.*}}, %{{.*}} activation = relu : tensor
func.func @zeros_are_dropped(%x: tensor<3x5xf32>, %w: tensor<7x5xf32>) -> tensor<3x7xf32> {
  %b = arith.constant dense<0.0> : tensor<7xf32>
  %r = arith.constant dense<0.0> : tensor<3x7xf32>
  %y = sesame.linear %x, %w bias(%b : tensor<7xf32>) residual(%r : tensor<3x7xf32>) activation = relu : tensor<3x5xf32>, tensor<7x5xf32> -> tensor<3x7xf32>
  return %y : tensor<3x7xf32>
}

// CHECK-LABEL: func.func @others_stay
// CHECK: bias(%{{.*}}) residual(%{{.*}}) : tensor
func.func @others_stay(%x: tensor<3x5xf32>, %w: tensor<2x5xf32>, %r: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %b = arith.constant dense<[0.0, 1.0]> : tensor<2xf32>
  %y = sesame.linear %x, %w bias(%b : tensor<2xf32>) residual(%r : tensor<3x2xf32>) : tensor<3x5xf32>, tensor<2x5xf32> -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}
