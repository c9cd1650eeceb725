// RUN: sesame-opt %s --split-input-file --verify-diagnostics

func.func @c1_weights_of_one_direction(%x: tensor<4x7x3xf32>, %w: tensor<1x15x3xf32>, %u: tensor<1x15x5xf32>) {
  // expected-error @+1 {{'sesame.gru' op expects axis 0 (Q) of recurrent_weight to be 2, got 1}}
  %y, %h = sesame.gru %x, %w, %u direction = bidirectional : tensor<4x7x3xf32>, tensor<1x15x3xf32>, tensor<1x15x5xf32> -> tensor<4x7x10xf32>, tensor<2x4x5xf32>
  return
}

// -----

func.func @c1_output_of_one_direction(%x: tensor<4x7x3xf32>, %w: tensor<2x15x3xf32>, %u: tensor<2x15x5xf32>) {
  // expected-error @+1 {{expects axis 2 (Q*H) of output to be 10, got 5}}
  %y, %h = sesame.gru %x, %w, %u direction = bidirectional : tensor<4x7x3xf32>, tensor<2x15x3xf32>, tensor<2x15x5xf32> -> tensor<4x7x5xf32>, tensor<2x4x5xf32>
  return
}

// -----

func.func @c1_inputs_of_another_width(%x: tensor<4x7x3xf32>, %w: tensor<1x15x4xf32>, %u: tensor<1x15x5xf32>) {
  // expected-error @+1 {{expects axis 2 (I) of input_weight to be 3, got 4}}
  %y, %h = sesame.gru %x, %w, %u direction = forward : tensor<4x7x3xf32>, tensor<1x15x4xf32>, tensor<1x15x5xf32> -> tensor<4x7x5xf32>, tensor<1x4x5xf32>
  return
}

// -----

func.func @c1_lengths_of_other_rows(%x: tensor<4x7x3xf32>, %w: tensor<1x15x3xf32>, %u: tensor<1x15x5xf32>, %n: tensor<3xi64>) {
  // expected-error @+1 {{expects axis 0 (B) of lengths to be 4, got 3}}
  %y, %h = sesame.gru %x, %w, %u lengths(%n : tensor<3xi64>) direction = forward : tensor<4x7x3xf32>, tensor<1x15x3xf32>, tensor<1x15x5xf32> -> tensor<4x7x5xf32>, tensor<1x4x5xf32>
  return
}

// -----

func.func @c1_bias_of_another_extent(%x: tensor<4x7x3xf32>, %w: tensor<1x15x3xf32>, %u: tensor<1x15x5xf32>, %b: tensor<1x16xf32>) {
  // expected-error @+1 {{expects axis 1 (3*H) of recurrent_bias to be 15, got 16}}
  %y, %h = sesame.gru %x, %w, %u recurrent_bias(%b : tensor<1x16xf32>) direction = forward : tensor<4x7x3xf32>, tensor<1x15x3xf32>, tensor<1x15x5xf32> -> tensor<4x7x5xf32>, tensor<1x4x5xf32>
  return
}

// -----

func.func @c1_initial_state_of_other_rows(%x: tensor<4x7x3xf32>, %w: tensor<1x15x3xf32>, %u: tensor<1x15x5xf32>, %s: tensor<1x7x5xf32>) {
  // expected-error @+1 {{expects axis 1 (B) of hidden to be 4, got 7}}
  %y, %h = sesame.gru %x, %w, %u hidden(%s : tensor<1x7x5xf32>) direction = forward : tensor<4x7x3xf32>, tensor<1x15x3xf32>, tensor<1x15x5xf32> -> tensor<4x7x5xf32>, tensor<1x4x5xf32>
  return
}

// -----

func.func @c1_other_steps(%x: tensor<4x7x3xf32>, %w: tensor<1x15x3xf32>, %u: tensor<1x15x5xf32>) {
  // expected-error @+1 {{expects axis 1 (T) of output to be 7, got 6}}
  %y, %h = sesame.gru %x, %w, %u direction = forward : tensor<4x7x3xf32>, tensor<1x15x3xf32>, tensor<1x15x5xf32> -> tensor<4x6x5xf32>, tensor<1x4x5xf32>
  return
}

// -----

func.func @c1_gates_not_a_multiple(%x: tensor<4x7x3xf32>, %w: tensor<1x16x3xf32>, %u: tensor<1x16x5xf32>) {
  // expected-error @+1 {{expects axis 1 (3*H) of recurrent_weight to be a multiple of 3, got 16}}
  %y, %h = sesame.gru %x, %w, %u direction = forward : tensor<4x7x3xf32>, tensor<1x16x3xf32>, tensor<1x16x5xf32> -> tensor<4x7x5xf32>, tensor<1x4x5xf32>
  return
}

// -----

func.func @c2_weight_of_another_type(%x: tensor<4x7x3xf32>, %w: tensor<1x15x3xf32>, %u: tensor<1x15x5xf16>) {
  // expected-error @+1 {{expects recurrent_weight to have the element type of input, 'f32', got 'f16'}}
  %y, %h = sesame.gru %x, %w, %u direction = forward : tensor<4x7x3xf32>, tensor<1x15x3xf32>, tensor<1x15x5xf16> -> tensor<4x7x5xf32>, tensor<1x4x5xf32>
  return
}
