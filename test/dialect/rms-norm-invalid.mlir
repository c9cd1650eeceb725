// RUN: sesame-opt %s --split-input-file --verify-diagnostics

func.func @c1_weight_of_another_extent(%x: tensor<3x7xf32>, %w: tensor<3xf32>) {
  // expected-error @+1 {{'sesame.rms_norm' op expects axis 0 (C) of weight to be 7, got 3}}
  %y = sesame.rms_norm %x weight(%w : tensor<3xf32>) epsilon = 0.125 : tensor<3x7xf32>
  return
}

// -----

func.func @c2_negative_epsilon(%x: tensor<3x7xf32>) {
  // expected-error @+1 {{expects an epsilon that is not negative, got}}
  %y = sesame.rms_norm %x epsilon = -0.125 : tensor<3x7xf32>
  return
}
