// RUN: sesame-opt %s --split-input-file --verify-diagnostics

func.func @c1_more_frequencies_than_pairs(%x: tensor<2x3x5x7xf32>, %p: tensor<2x5xi64>, %f: tensor<4xf32>) {
  // expected-error @+1 {{'sesame.rotary' op expects at most 3 frequencies for 7 features, got 4}}
  %r = sesame.rotary %x, %p, %f : tensor<2x3x5x7xf32>, tensor<2x5xi64>, tensor<4xf32>
  return
}

// -----

func.func @c2_positions_of_other_steps(%x: tensor<2x3x5x7xf32>, %p: tensor<2x4xi64>, %f: tensor<2xf32>) {
  // expected-error @+1 {{expects axis 1 (S) of positions to be 5, got 4}}
  %r = sesame.rotary %x, %p, %f : tensor<2x3x5x7xf32>, tensor<2x4xi64>, tensor<2xf32>
  return
}

// -----

func.func @c2_positions_of_other_rows(%x: tensor<2x3x5x7xf32>, %p: tensor<3x5xi64>, %f: tensor<2xf32>) {
  // expected-error @+1 {{expects axis 0 (B) of positions to be 2 or 1, got 3}}
  %r = sesame.rotary %x, %p, %f : tensor<2x3x5x7xf32>, tensor<3x5xi64>, tensor<2xf32>
  return
}

// -----

func.func @c3_frequencies_in_half(%x: tensor<2x3x5x7xf16>, %p: tensor<2x5xi64>, %f: tensor<2xf16>) {
  // expected-error @+1 {{operand #2 must be 1D tensor of 32-bit float values, but got 'tensor<2xf16>'}}
  %r = sesame.rotary %x, %p, %f : tensor<2x3x5x7xf16>, tensor<2x5xi64>, tensor<2xf16>
  return
}
