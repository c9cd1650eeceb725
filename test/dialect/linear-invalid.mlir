// RUN: sesame-opt %s --split-input-file --verify-diagnostics

func.func @c1_input_without_axes(%x: tensor<f32>, %w: tensor<7x5xf32>) {
  // expected-error @+1 {{'sesame.linear' op expects input to have rank 1 or more, got 0}}
  %y = sesame.linear %x, %w : tensor<f32>, tensor<7x5xf32> -> tensor<7xf32>
  return
}

// -----

func.func @c1_result_of_another_rank(%x: tensor<2x3x5xf32>, %w: tensor<7x5xf32>) {
  // expected-error @+1 {{expects result to have the rank of input, 3, got 2}}
  %y = sesame.linear %x, %w : tensor<2x3x5xf32>, tensor<7x5xf32> -> tensor<6x7xf32>
  return
}

// -----

func.func @c1_residual_of_another_rank(%x: tensor<2x3x5xf32>, %w: tensor<7x5xf32>, %r: tensor<3x7xf32>) {
  // expected-error @+1 {{expects residual to have the rank of input, 3, got 2}}
  %y = sesame.linear %x, %w residual(%r : tensor<3x7xf32>) : tensor<2x3x5xf32>, tensor<7x5xf32> -> tensor<2x3x7xf32>
  return
}

// -----

func.func @c2_sums_over_different_extents(%x: tensor<3x5xf32>, %w: tensor<7x6xf32>) {
  // expected-error @+1 {{expects axis 1 (K) of weight to be 5, got 6}}
  %y = sesame.linear %x, %w : tensor<3x5xf32>, tensor<7x6xf32> -> tensor<3x7xf32>
  return
}

// -----

func.func @c2_transposed_weight(%x: tensor<3x5xf32>, %w: tensor<7x5xf32>) {
  // expected-error @+1 {{expects axis 0 (K) of weight to be 5, got 7}}
  %y = sesame.linear %x, %w layout = kn : tensor<3x5xf32>, tensor<7x5xf32> -> tensor<3x7xf32>
  return
}

// -----

func.func @c2_other_columns(%x: tensor<3x5xf32>, %w: tensor<7x5xf32>) {
  // expected-error @+1 {{expects axis 1 (N) of result to be 7, got 8}}
  %y = sesame.linear %x, %w : tensor<3x5xf32>, tensor<7x5xf32> -> tensor<3x8xf32>
  return
}

// -----

func.func @c2_other_biases(%x: tensor<3x5xf32>, %w: tensor<7x5xf32>, %b: tensor<5xf32>) {
  // expected-error @+1 {{expects axis 0 (N) of bias to be 7, got 5}}
  %y = sesame.linear %x, %w bias(%b : tensor<5xf32>) : tensor<3x5xf32>, tensor<7x5xf32> -> tensor<3x7xf32>
  return
}

// -----

func.func @c2_panels_of_rank_two(%x: tensor<3x5xf32>, %w: tensor<7x5xf32>) {
  // expected-error @+1 {{expects weight to have rank 3, got 2}}
  %y = sesame.linear %x, %w layout = panels : tensor<3x5xf32>, tensor<7x5xf32> -> tensor<3x7xf32>
  return
}

// -----

func.func @c2_too_many_panels(%x: tensor<3x5xf32>, %w: tensor<3x5x4xf32>) {
  // expected-error @+1 {{expects weight to have 2 panels of 4 columns for N = 7, got 3}}
  %y = sesame.linear %x, %w layout = panels : tensor<3x5xf32>, tensor<3x5x4xf32> -> tensor<3x7xf32>
  return
}

// -----

func.func @c2_panels_of_unknown_columns(%x: tensor<3x5xf32>, %w: tensor<3x5x4xf32>) {
  // expected-error @+1 {{expects a static N with layout panels, got '?'}}
  %y = sesame.linear %x, %w layout = panels : tensor<3x5xf32>, tensor<3x5x4xf32> -> tensor<3x?xf32>
  return
}

// -----

func.func @c2_panels_of_unknown_width(%x: tensor<3x5xf32>, %w: tensor<3x5x?xf32>) {
  // expected-error @+1 {{expects a static, positive R of weight with layout panels}}
  %y = sesame.linear %x, %w layout = panels : tensor<3x5xf32>, tensor<3x5x?xf32> -> tensor<3x7xf32>
  return
}

// -----

func.func @c3_rows_differ(%x: tensor<2x3x5xf32>, %w: tensor<7x5xf32>) {
  // expected-error @+1 {{expects axis 1 of result to be 3, got 4}}
  %y = sesame.linear %x, %w : tensor<2x3x5xf32>, tensor<7x5xf32> -> tensor<2x4x7xf32>
  return
}

// -----

func.func @c3_residual_of_other_rows(%x: tensor<2x3x5xf32>, %w: tensor<7x5xf32>, %r: tensor<1x3x7xf32>) {
  // expected-error @+1 {{expects axis 0 of residual to be 2, got 1}}
  %y = sesame.linear %x, %w residual(%r : tensor<1x3x7xf32>) : tensor<2x3x5xf32>, tensor<7x5xf32> -> tensor<2x3x7xf32>
  return
}

// -----

func.func @c4_result_of_another_type(%x: tensor<3x5xf16>, %w: tensor<7x5xf16>) {
  // expected-error @+1 {{expects result to have the element type of input, 'f16', got 'f32'}}
  %y = sesame.linear %x, %w : tensor<3x5xf16>, tensor<7x5xf16> -> tensor<3x7xf32>
  return
}

// -----

func.func @c4_bias_of_another_type(%x: tensor<3x5xf16>, %w: tensor<7x5xf16>, %b: tensor<7xf32>) {
  // expected-error @+1 {{expects bias to have the element type of input, 'f16', got 'f32'}}
  %y = sesame.linear %x, %w bias(%b : tensor<7xf32>) : tensor<3x5xf16>, tensor<7x5xf16> -> tensor<3x7xf16>
  return
}

// -----

func.func @c4_residual_of_another_type(%x: tensor<3x5xf16>, %w: tensor<7x5xf16>, %r: tensor<3x7xf32>) {
  // expected-error @+1 {{expects residual to have the element type of input, 'f16', got 'f32'}}
  %y = sesame.linear %x, %w residual(%r : tensor<3x7xf32>) : tensor<3x5xf16>, tensor<7x5xf16> -> tensor<3x7xf16>
  return
}
