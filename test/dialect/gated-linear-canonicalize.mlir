// RUN: sesame-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @zero_biases_are_dropped
// CHECK-NOT: bias
// CHECK: return
func.func @zero_biases_are_dropped(%x: tensor<3x5xf32>, %w: tensor<7x5xf32>) -> tensor<3x7xf32> {
  %b = arith.constant dense<0.0> : tensor<7xf32>
  %y = sesame.gated_linear %x, %w, %w bias(%b, %b : tensor<7xf32>, tensor<7xf32>) : tensor<3x5xf32>, tensor<7x5xf32> -> tensor<3x7xf32>
  return %y : tensor<3x7xf32>
}

// CHECK-LABEL: func.func @one_zero_bias_stays
// CHECK: bias(
func.func @one_zero_bias_stays(%x: tensor<3x5xf32>, %w: tensor<7x5xf32>, %c: tensor<7xf32>) -> tensor<3x7xf32> {
  %b = arith.constant dense<0.0> : tensor<7xf32>
  %y = sesame.gated_linear %x, %w, %w bias(%b, %c : tensor<7xf32>, tensor<7xf32>) : tensor<3x5xf32>, tensor<7x5xf32> -> tensor<3x7xf32>
  return %y : tensor<3x7xf32>
}
