// RUN: sesame-opt %s --split-input-file --verify-diagnostics

func.func @c1_weight_of_another_extent(%x: tensor<3x7xf32>, %w: tensor<3xf32>) {
  // expected-error @+1 {{'sesame.layer_norm' op expects axis 0 (C) of weight to be 7, got 3}}
  %y = sesame.layer_norm %x weight(%w : tensor<3xf32>) epsilon = 0.125 : tensor<3x7xf32>
  return
}

// -----

func.func @c1_bias_of_another_extent(%x: tensor<3x7xf32>, %b: tensor<8xf32>) {
  // expected-error @+1 {{expects axis 0 (C) of bias to be 7, got 8}}
  %y = sesame.layer_norm %x bias(%b : tensor<8xf32>) epsilon = 0.125 : tensor<3x7xf32>
  return
}

// -----

func.func @c1_no_axis_to_normalise(%x: tensor<f32>) {
  // expected-error @+1 {{expects input to have rank 1 or more, got 0}}
  %y = sesame.layer_norm %x epsilon = 0.125 : tensor<f32>
  return
}

// -----

func.func @c2_negative_epsilon(%x: tensor<3x7xf32>) {
  // expected-error @+1 {{expects an epsilon that is not negative, got -1.250000e-01}}
  %y = sesame.layer_norm %x epsilon = -0.125 : tensor<3x7xf32>
  return
}
