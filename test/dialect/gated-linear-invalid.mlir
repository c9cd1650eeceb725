// RUN: sesame-opt %s --split-input-file --verify-diagnostics

func.func @c1_result_of_another_rank(%x: tensor<2x3x5xf32>, %w: tensor<7x5xf32>) {
  // expected-error @+1 {{'sesame.gated_linear' op expects result to have the rank of input, 3, got 2}}
  %y = sesame.gated_linear %x, %w, %w : tensor<2x3x5xf32>, tensor<7x5xf32> -> tensor<6x7xf32>
  return
}

// -----

func.func @c2_sums_over_different_extents(%x: tensor<3x5xf32>, %w: tensor<7x6xf32>) {
  // expected-error @+1 {{expects axis 1 (K) of gate_weight to be 5, got 6}}
  %y = sesame.gated_linear %x, %w, %w : tensor<3x5xf32>, tensor<7x6xf32> -> tensor<3x7xf32>
  return
}

// -----

func.func @c2_other_biases(%x: tensor<3x5xf32>, %w: tensor<7x5xf32>, %b: tensor<7xf32>, %c: tensor<6xf32>) {
  // expected-error @+1 {{expects axis 0 (N) of up_bias to be 7, got 6}}
  %y = sesame.gated_linear %x, %w, %w bias(%b, %c : tensor<7xf32>, tensor<6xf32>) : tensor<3x5xf32>, tensor<7x5xf32> -> tensor<3x7xf32>
  return
}

// -----

func.func @c3_rows_differ(%x: tensor<3x5xf32>, %w: tensor<7x5xf32>) {
  // expected-error @+1 {{expects axis 0 of result to be 3, got 2}}
  %y = sesame.gated_linear %x, %w, %w : tensor<3x5xf32>, tensor<7x5xf32> -> tensor<2x7xf32>
  return
}

// -----

func.func @c4_bias_of_another_type(%x: tensor<3x5xf16>, %w: tensor<7x5xf16>, %b: tensor<7xf16>, %c: tensor<7xf32>) {
  // expected-error @+1 {{expects up_bias to have the element type of input, 'f16', got 'f32'}}
  %y = sesame.gated_linear %x, %w, %w bias(%b, %c : tensor<7xf16>, tensor<7xf32>) : tensor<3x5xf16>, tensor<7x5xf16> -> tensor<3x7xf16>
  return
}

// -----

func.func @c5_one_bias_alone(%x: tensor<3x5xf32>, %w: tensor<7x5xf32>, %b: tensor<7xf32>) {
  // expected-error @+1 {{expects either both biases or none}}
  %y = "sesame.gated_linear"(%x, %w, %w, %b) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}>
    : (tensor<3x5xf32>, tensor<7x5xf32>, tensor<7x5xf32>, tensor<7xf32>) -> tensor<3x7xf32>
  return
}
