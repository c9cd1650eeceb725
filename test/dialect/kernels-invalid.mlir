// RUN: sesame-opt %s --split-input-file --verify-diagnostics

func.func @c1_tensors_beside_memrefs(%a: tensor<3x5xf32>, %p: tensor<5x4xf32>, %c: memref<3x4xf32>) {
  // expected-error @+1 {{'sesame.matmul_tile' op expects tensors only or memrefs only, got 'tensor<3x5xf32>' beside 'memref<3x4xf32>'}}
  sesame.matmul_tile lhs(%a : tensor<3x5xf32>) panel(%p : tensor<5x4xf32>) out(%c : memref<3x4xf32>)
  return
}

// -----

func.func @c2_columns_apart(%a: memref<3x5xf32, strided<[10, 2]>>, %p: memref<5x4xf32>, %c: memref<3x4xf32>) {
  // expected-error @+1 {{expects unit stride along the last axis, got 2 in}}
  sesame.matmul_tile lhs(%a : memref<3x5xf32, strided<[10, 2]>>) panel(%p : memref<5x4xf32>) out(%c : memref<3x4xf32>)
  return
}

// -----

func.func @c3_no_result_on_tensors(%a: tensor<3x5xf32>, %p: tensor<5x4xf32>, %c: tensor<3x4xf32>) {
  // expected-error @+1 {{expects one result on tensors, got 0}}
  sesame.matmul_tile lhs(%a : tensor<3x5xf32>) panel(%p : tensor<5x4xf32>) out(%c : tensor<3x4xf32>)
  return
}

// -----

func.func @c4_sums_over_different_extents(%a: memref<3x6xf32>, %p: memref<5x4xf32>, %c: memref<3x4xf32>) {
  // expected-error @+1 {{expects axis 1 (K) of lhs to be 5, got 6}}
  sesame.matmul_tile lhs(%a : memref<3x6xf32>) panel(%p : memref<5x4xf32>) out(%c : memref<3x4xf32>)
  return
}

// -----

func.func @c5_panel_of_unknown_width(%a: memref<3x5xf32>, %p: memref<5x?xf32>, %c: memref<3x4xf32>) {
  // expected-error @+1 {{expects a static R, got '?'}}
  sesame.matmul_tile lhs(%a : memref<3x5xf32>) panel(%p : memref<5x?xf32>) out(%c : memref<3x4xf32>)
  return
}

// -----

func.func @c5_more_columns_than_the_panel(%a: memref<3x5xf32>, %p: memref<5x4xf32>, %c: memref<3x6xf32>) {
  // expected-error @+1 {{expects at most 4 columns of out, the panel's R, got 6}}
  sesame.matmul_tile lhs(%a : memref<3x5xf32>) panel(%p : memref<5x4xf32>) out(%c : memref<3x6xf32>)
  return
}

// -----

func.func @c6_out_of_another_type(%a: memref<3x5xf16>, %p: memref<5x4xf16>, %c: memref<3x4xf32>) {
  // expected-error @+1 {{expects out to have the element type of lhs, 'f16', got 'f32'}}
  sesame.matmul_tile lhs(%a : memref<3x5xf16>) panel(%p : memref<5x4xf16>) out(%c : memref<3x4xf32>)
  return
}

// -----

func.func @attention_c4_keys_of_another_size(%q: memref<?x4xf32>, %k: memref<?x5xf32>, %f: index) {
  // expected-error @+1 {{'sesame.attention_tile' op expects axis 1 (D) of key to be 4, got 5}}
  sesame.attention_tile query(%q : memref<?x4xf32>) key(%k : memref<?x5xf32>) value(%k : memref<?x5xf32>) first(%f) scale = 0.5 out(%k : memref<?x5xf32>)
  return
}

// -----

func.func @attention_c5_unknown_size(%q: memref<?x?xf32>, %f: index) {
  // expected-error @+1 {{expects a static D, got '?'}}
  sesame.attention_tile query(%q : memref<?x?xf32>) key(%q : memref<?x?xf32>) value(%q : memref<?x?xf32>) first(%f) scale = 0.5 out(%q : memref<?x?xf32>)
  return
}

// -----

func.func @attention_c6_mask_of_floats(%q: memref<?x4xf32>, %m: memref<?xf32>, %f: index) {
  // expected-error @+1 {{expects mask to be of signless integers, got 'f32'}}
  sesame.attention_tile query(%q : memref<?x4xf32>) key(%q : memref<?x4xf32>) value(%q : memref<?x4xf32>) mask(%m : memref<?xf32>) first(%f) scale = 0.5 out(%q : memref<?x4xf32>)
  return
}

// -----

func.func @attention_c6_keys_of_another_type(%q: memref<?x4xf32>, %k: memref<?x4xf16>, %f: index) {
  // expected-error @+1 {{expects key to have the element type of query, 'f32', got 'f16'}}
  sesame.attention_tile query(%q : memref<?x4xf32>) key(%k : memref<?x4xf16>) value(%q : memref<?x4xf32>) first(%f) scale = 0.5 out(%q : memref<?x4xf32>)
  return
}

// -----

func.func @attention_c7_window_without_causal(%q: memref<?x4xf32>, %f: index) {
  // expected-error @+1 {{expects 'causal' beside a window}}
  sesame.attention_tile query(%q : memref<?x4xf32>) key(%q : memref<?x4xf32>) value(%q : memref<?x4xf32>) first(%f) window = 2 scale = 0.5 out(%q : memref<?x4xf32>)
  return
}

// -----

func.func @attention_c8_softcap_is_not_positive(%q: memref<?x4xf32>, %f: index) {
  // expected-error @+1 {{expects a positive softcap, got}}
  sesame.attention_tile query(%q : memref<?x4xf32>) key(%q : memref<?x4xf32>) value(%q : memref<?x4xf32>) first(%f) scale = 0.5 softcap = -1.0 out(%q : memref<?x4xf32>)
  return
}

// -----

func.func @attention_c9_unknown_number_of_heads(%q: memref<?x4xf32>, %f: index) {
  // expected-error @+1 {{expects a static S, got '?'}}
  sesame.attention_tile heads query(%q : memref<?x4xf32>) key(%q : memref<?x4xf32>) value(%q : memref<?x4xf32>) first(%f) scale = 0.5 out(%q : memref<?x4xf32>)
  return
}

// -----

func.func @attention_c9_mask_of_rows(%q: memref<3x4xf32>, %m: memref<3x3xi8>, %f: index) {
  // expected-error @+1 {{expects a mask of rank 1 for several heads, got 'memref<3x3xi8>'}}
  sesame.attention_tile heads query(%q : memref<3x4xf32>) key(%q : memref<3x4xf32>) value(%q : memref<3x4xf32>) mask(%m : memref<3x3xi8>) first(%f) scale = 0.5 out(%q : memref<3x4xf32>)
  return
}

// -----

func.func @norm_c4_weight_of_another_extent(%x: memref<?x7xf32>, %w: memref<6xf32>) {
  // expected-error @+1 {{'sesame.norm_tile' op expects axis 0 (C) of weight to be 7, got 6}}
  sesame.norm_tile rms input(%x : memref<?x7xf32>) weight(%w : memref<6xf32>) epsilon = 0.125 out(%x : memref<?x7xf32>)
  return
}

// -----

func.func @norm_c5_unknown_width(%x: memref<?x?xf32>) {
  // expected-error @+1 {{expects a static C, got '?'}}
  sesame.norm_tile rms input(%x : memref<?x?xf32>) epsilon = 0.125 out(%x : memref<?x?xf32>)
  return
}

// -----

func.func @norm_c6_integers(%x: memref<?x7xi32>) {
  // expected-error @+1 {{expects input to be of floats, got 'i32'}}
  sesame.norm_tile rms input(%x : memref<?x7xi32>) epsilon = 0.125 out(%x : memref<?x7xi32>)
  return
}

// -----

func.func @norm_c7_negative_epsilon(%x: memref<?x7xf32>) {
  // expected-error @+1 {{expects an epsilon that is not negative, got}}
  sesame.norm_tile rms input(%x : memref<?x7xf32>) epsilon = -0.125 out(%x : memref<?x7xf32>)
  return
}

// -----

func.func @norm_c8_offset_of_a_layer_norm(%x: memref<?x7xf32>) {
  // expected-error @+1 {{expects an offset with norm rms only}}
  sesame.norm_tile layer input(%x : memref<?x7xf32>) epsilon = 0.125 offset = 1.0 out(%x : memref<?x7xf32>)
  return
}

// -----

func.func @norm_c8_bias_of_an_rms_norm(%x: memref<?x7xf32>, %b: memref<7xf32>) {
  // expected-error @+1 {{expects a bias with norm layer only}}
  sesame.norm_tile rms input(%x : memref<?x7xf32>) bias(%b : memref<7xf32>) epsilon = 0.125 out(%x : memref<?x7xf32>)
  return
}

// -----

func.func @embedding_c4_other_rows(%i: memref<4xi64>, %t: memref<11x5xf32>, %o: memref<3x5xf32>) {
  // expected-error @+1 {{'sesame.embedding_tile' op expects axis 0 (M) of indices 0 to be 3, got 4}}
  sesame.embedding_tile indices(%i : memref<4xi64>) tables(%t : memref<11x5xf32>) out(%o : memref<3x5xf32>)
  return
}

// -----

func.func @embedding_c5_unknown_width(%i: memref<?xi64>, %t: memref<11x?xf32>, %o: memref<?x?xf32>) {
  // expected-error @+1 {{expects a static C, got '?'}}
  sesame.embedding_tile indices(%i : memref<?xi64>) tables(%t : memref<11x?xf32>) out(%o : memref<?x?xf32>)
  return
}

// -----

func.func @embedding_c6_indices_of_floats(%i: memref<?xf32>, %t: memref<11x5xf32>, %o: memref<?x5xf32>) {
  // expected-error @+1 {{expects indices 0 to be of signless integers, got 'f32'}}
  sesame.embedding_tile indices(%i : memref<?xf32>) tables(%t : memref<11x5xf32>) out(%o : memref<?x5xf32>)
  return
}

// -----

func.func @embedding_c7_table_without_indices(%i: memref<?xi64>, %t: memref<11x5xf32>, %o: memref<?x5xf32>) {
  // expected-error @+1 {{expects as many tables as indices and at least one, got 2 and 1}}
  sesame.embedding_tile indices(%i : memref<?xi64>) tables(%t, %t : memref<11x5xf32>, memref<11x5xf32>) out(%o : memref<?x5xf32>)
  return
}
