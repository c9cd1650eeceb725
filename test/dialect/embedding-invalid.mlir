// RUN: sesame-opt %s --split-input-file --verify-diagnostics

func.func @c1_no_table() {
  // expected-error @+1 {{'sesame.embedding' op expects at least one table}}
  %y = "sesame.embedding"() : () -> tensor<3x5xf32>
  return
}

// -----

func.func @c2_indices_of_another_rank(%i: tensor<2x4xi64>, %t: tensor<11x5xf32>) {
  // expected-error @+1 {{expects indices 0 to have rank 1, got 2}}
  %y = sesame.embedding %i in %t : tensor<2x4xi64> in tensor<11x5xf32> -> tensor<4x5xf32>
  return
}

// -----

func.func @c2_extents_differ(%i: tensor<2x4xi64>, %j: tensor<2x3xi64>, %t: tensor<11x5xf32>) {
  // expected-error @+1 {{expects axis 1 of indices 1 to be 4 or 1, got 3}}
  %y = sesame.embedding %i, %j in %t, %t : tensor<2x4xi64>, tensor<2x3xi64> in tensor<11x5xf32>, tensor<11x5xf32> -> tensor<2x4x5xf32>
  return
}

// -----

func.func @c2_result_larger_than_all_indices(%i: tensor<1x4xi64>, %t: tensor<11x5xf32>) {
  // expected-error @+1 {{expects axis 0 of result to be 1 as in all indices, got 2}}
  %y = sesame.embedding %i in %t : tensor<1x4xi64> in tensor<11x5xf32> -> tensor<2x4x5xf32>
  return
}

// -----

func.func @c2_widths_differ(%i: tensor<4xi64>, %t: tensor<11x5xf32>, %u: tensor<11x6xf32>) {
  // expected-error @+1 {{expects axis 1 (C) of table 1 to be 5, got 6}}
  %y = sesame.embedding %i, %i in %t, %u : tensor<4xi64>, tensor<4xi64> in tensor<11x5xf32>, tensor<11x6xf32> -> tensor<4x5xf32>
  return
}

// -----

func.func @c3_table_of_another_type(%i: tensor<4xi64>, %t: tensor<11x5xf16>) {
  // expected-error @+1 {{expects table 0 to have the element type of result, 'f32', got 'f16'}}
  %y = sesame.embedding %i in %t : tensor<4xi64> in tensor<11x5xf16> -> tensor<4x5xf32>
  return
}
