// RUN: sesame-opt %s --split-input-file --verify-diagnostics

func.func @c1_heads_not_a_multiple(%q: tensor<2x8x5x4xf32>, %k: tensor<2x3x7x4xf32>) {
  // expected-error @+1 {{'sesame.attention' op expects query heads to be a multiple of key heads, got 8 and 3}}
  %o = sesame.attention %q, %k, %k scale = 0.5 : tensor<2x8x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x4xf32> -> tensor<2x8x5x4xf32>
  return
}

// -----

func.func @c2_head_sizes_differ(%q: tensor<2x6x5x4xf32>, %k: tensor<2x2x7x3xf32>) {
  // expected-error @+1 {{expects axis 3 (D) of key to be 4, got 3}}
  %o = sesame.attention %q, %k, %k scale = 0.5 : tensor<2x6x5x4xf32>, tensor<2x2x7x3xf32>, tensor<2x2x7x3xf32> -> tensor<2x6x5x3xf32>
  return
}

// -----

func.func @c2_batches_differ(%q: tensor<2x6x5x4xf32>, %k: tensor<1x2x7x4xf32>) {
  // expected-error @+1 {{expects axis 0 (B) of key to be 2, got 1}}
  %o = sesame.attention %q, %k, %k scale = 0.5 : tensor<2x6x5x4xf32>, tensor<1x2x7x4xf32>, tensor<1x2x7x4xf32> -> tensor<2x6x5x4xf32>
  return
}

// -----

func.func @c2_value_is_shorter(%q: tensor<2x6x5x4xf32>, %k: tensor<2x2x7x4xf32>, %v: tensor<2x2x6x3xf32>) {
  // expected-error @+1 {{expects axis 2 (T) of value to be 7, got 6}}
  %o = sesame.attention %q, %k, %v scale = 0.5 : tensor<2x6x5x4xf32>, tensor<2x2x7x4xf32>, tensor<2x2x6x3xf32> -> tensor<2x6x5x3xf32>
  return
}

// -----

func.func @c2_result_has_the_size_of_the_keys(%q: tensor<2x6x5x4xf32>, %k: tensor<2x2x7x4xf32>, %v: tensor<2x2x7x3xf32>) {
  // expected-error @+1 {{expects axis 3 (E) of result to be 3, got 4}}
  %o = sesame.attention %q, %k, %v scale = 0.5 : tensor<2x6x5x4xf32>, tensor<2x2x7x4xf32>, tensor<2x2x7x3xf32> -> tensor<2x6x5x4xf32>
  return
}

// -----

func.func @c2_mask_of_other_rows(%q: tensor<3x6x5x4xf32>, %k: tensor<3x2x7x4xf32>, %m: tensor<2x7xi64>) {
  // expected-error @+1 {{expects axis 0 (B) of mask to be 3 or 1, got 2}}
  %o = sesame.attention %q, %k, %k mask(%m : tensor<2x7xi64>) scale = 0.5 : tensor<3x6x5x4xf32>, tensor<3x2x7x4xf32>, tensor<3x2x7x4xf32> -> tensor<3x6x5x4xf32>
  return
}

// -----

func.func @c2_mask_of_one_query(%q: tensor<3x6x5x4xf32>, %k: tensor<3x2x7x4xf32>, %m: tensor<3x1x7xi64>) {
  // expected-error @+1 {{expects axis 1 (S) of mask to be 5, got 1}}
  %o = sesame.attention %q, %k, %k mask(%m : tensor<3x1x7xi64>) scale = 0.5 : tensor<3x6x5x4xf32>, tensor<3x2x7x4xf32>, tensor<3x2x7x4xf32> -> tensor<3x6x5x4xf32>
  return
}

// -----

func.func @c2_bias_of_key_heads(%q: tensor<3x6x5x4xf32>, %k: tensor<3x2x7x4xf32>, %b: tensor<1x2x5x7xf32>) {
  // expected-error @+1 {{expects axis 1 (H) of bias to be 6 or 1, got 2}}
  %o = sesame.attention %q, %k, %k bias(%b : tensor<1x2x5x7xf32>) scale = 0.5 : tensor<3x6x5x4xf32>, tensor<3x2x7x4xf32>, tensor<3x2x7x4xf32> -> tensor<3x6x5x4xf32>
  return
}

// -----

func.func @c3_keys_of_another_type(%q: tensor<2x6x5x4xf32>, %k: tensor<2x2x7x4xf16>) {
  // expected-error @+1 {{failed to verify that all of {query, key, value, result} have same element type}}
  %o = sesame.attention %q, %k, %k scale = 0.5 : tensor<2x6x5x4xf32>, tensor<2x2x7x4xf16>, tensor<2x2x7x4xf16> -> tensor<2x6x5x4xf32>
  return
}

// -----

func.func @c3_bias_of_another_type(%q: tensor<3x6x5x4xf16>, %k: tensor<3x2x7x4xf16>, %b: tensor<1x6x5x7xf32>) {
  // expected-error @+1 {{expects bias to have the element type of query, 'f16', got 'f32'}}
  %o = sesame.attention %q, %k, %k bias(%b : tensor<1x6x5x7xf32>) scale = 0.5 : tensor<3x6x5x4xf16>, tensor<3x2x7x4xf16>, tensor<3x2x7x4xf16> -> tensor<3x6x5x4xf16>
  return
}

// -----

func.func @c3_mask_of_floats(%q: tensor<3x6x5x4xf16>, %k: tensor<3x2x7x4xf16>, %m: tensor<3x7xf32>) {
  // expected-error @+1 {{operand #3 must be 2D/3D tensor of signless integer values, but got 'tensor<3x7xf32>'}}
  %o = sesame.attention %q, %k, %k mask(%m : tensor<3x7xf32>) scale = 0.5 : tensor<3x6x5x4xf16>, tensor<3x2x7x4xf16>, tensor<3x2x7x4xf16> -> tensor<3x6x5x4xf16>
  return
}

// -----

func.func @c4_window_is_not_positive(%q: tensor<2x6x5x4xf32>, %k: tensor<2x2x7x4xf32>) {
  // expected-error @+1 {{expects a positive window, got -2}}
  %o = sesame.attention %q, %k, %k causal window = -2 scale = 0.5 : tensor<2x6x5x4xf32>, tensor<2x2x7x4xf32>, tensor<2x2x7x4xf32> -> tensor<2x6x5x4xf32>
  return
}

// -----

func.func @c4_window_without_causal(%q: tensor<2x6x5x4xf32>, %k: tensor<2x2x7x4xf32>) {
  // expected-error @+1 {{expects 'causal' beside a window}}
  %o = sesame.attention %q, %k, %k window = 3 scale = 0.5 : tensor<2x6x5x4xf32>, tensor<2x2x7x4xf32>, tensor<2x2x7x4xf32> -> tensor<2x6x5x4xf32>
  return
}

// -----

func.func @c5_softcap_is_not_positive(%q: tensor<2x6x5x4xf32>, %k: tensor<2x2x7x4xf32>) {
  // expected-error @+1 {{expects a positive softcap, got 0}}
  %o = sesame.attention %q, %k, %k scale = 0.5 softcap = 0.0 : tensor<2x6x5x4xf32>, tensor<2x2x7x4xf32>, tensor<2x2x7x4xf32> -> tensor<2x6x5x4xf32>
  return
}
