// RUN: sesame-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @zero_biases_and_states_are_dropped
// CHECK: sesame.lstm %{{.*}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}} direction = forward :
func.func @zero_biases_and_states_are_dropped(%x: tensor<4x7x3xf32>, %w: tensor<1x20x3xf32>, %u: tensor<1x20x5xf32>) -> tensor<4x7x5xf32> {
  %bi = arith.constant dense<0.0> : tensor<1x20xf32>
  %bh = arith.constant dense<0.0> : tensor<1x20xf32>
  %h0 = arith.constant dense<0.0> : tensor<1x4x5xf32>
  %c0 = arith.constant dense<0.0> : tensor<1x4x5xf32>
  %y, %h, %c = sesame.lstm %x, %w, %u input_bias(%bi : tensor<1x20xf32>) recurrent_bias(%bh : tensor<1x20xf32>) hidden(%h0 : tensor<1x4x5xf32>) cell(%c0 : tensor<1x4x5xf32>) direction = forward : tensor<4x7x3xf32>, tensor<1x20x3xf32>, tensor<1x20x5xf32> -> tensor<4x7x5xf32>, tensor<1x4x5xf32>, tensor<1x4x5xf32>
  return %y : tensor<4x7x5xf32>
}

// CHECK-LABEL: func.func @others_stay
// CHECK: input_bias(%{{.*}}) recurrent_bias(%{{.*}}) hidden(%{{.*}}) cell(%{{.*}}) direction
func.func @others_stay(%x: tensor<4x7x3xf32>, %w: tensor<1x20x3xf32>, %u: tensor<1x20x5xf32>, %bi: tensor<1x20xf32>, %bh: tensor<1x20xf32>, %h0: tensor<1x4x5xf32>, %c0: tensor<1x4x5xf32>) -> tensor<4x7x5xf32> {
  %y, %h, %c = sesame.lstm %x, %w, %u input_bias(%bi : tensor<1x20xf32>) recurrent_bias(%bh : tensor<1x20xf32>) hidden(%h0 : tensor<1x4x5xf32>) cell(%c0 : tensor<1x4x5xf32>) direction = forward : tensor<4x7x3xf32>, tensor<1x20x3xf32>, tensor<1x20x5xf32> -> tensor<4x7x5xf32>, tensor<1x4x5xf32>, tensor<1x4x5xf32>
  return %y : tensor<4x7x5xf32>
}
