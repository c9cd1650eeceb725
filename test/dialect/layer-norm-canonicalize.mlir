// RUN: sesame-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @neutral_operands_are_dropped
// CHECK: sesame.layer_norm %{{.*}} epsilon
func.func @neutral_operands_are_dropped(%x: tensor<3x7xf32>) -> tensor<3x7xf32> {
  %w = arith.constant dense<1.0> : tensor<7xf32>
  %b = arith.constant dense<0.0> : tensor<7xf32>
  %y = sesame.layer_norm %x weight(%w : tensor<7xf32>) bias(%b : tensor<7xf32>) epsilon = 0.125 : tensor<3x7xf32>
  return %y : tensor<3x7xf32>
}

// CHECK-LABEL: func.func @zero_weight_and_bias_of_ones_stay
// CHECK: weight(%{{.*}}) bias(%{{.*}}) epsilon
func.func @zero_weight_and_bias_of_ones_stay(%x: tensor<3x7xf32>) -> tensor<3x7xf32> {
  %w = arith.constant dense<0.0> : tensor<7xf32>
  %b = arith.constant dense<1.0> : tensor<7xf32>
  %y = sesame.layer_norm %x weight(%w : tensor<7xf32>) bias(%b : tensor<7xf32>) epsilon = 0.125 : tensor<3x7xf32>
  return %y : tensor<3x7xf32>
}
