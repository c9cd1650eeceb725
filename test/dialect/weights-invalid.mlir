// RUN: sesame-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{'sesame.weight' op expects a positive count, got 0}}
sesame.weight @c1_count_is_not_positive count = 0 : tensor<7xf32> {
  %0 = sesame.checkpoint_tensor ["b"] : tensor<7xf32>
  sesame.yield %0 : tensor<7xf32>
}

// -----

// expected-error @+1 {{expects its recipe to yield 'tensor<7xf32>', got 'tensor<6xf32>'}}
sesame.weight @c2_recipe_of_another_type : tensor<7xf32> {
  %0 = sesame.checkpoint_tensor ["b"] : tensor<6xf32>
  sesame.yield %0 : tensor<6xf32>
}

// -----

// expected-error @+1 {{expects its recipe to end in 'sesame.yield', got 'sesame.checkpoint_tensor'}}
sesame.weight @c2_recipe_without_an_end : tensor<7xf32> {
  %0 = sesame.checkpoint_tensor ["b"] : tensor<7xf32>
}

// -----

// expected-error @+1 {{expects a recipe without arguments, got 1}}
sesame.weight @c2_recipe_with_an_argument : tensor<7xf32> {
^bb0(%b: tensor<7xf32>):
  sesame.yield %b : tensor<7xf32>
}

// -----

// expected-error @+1 {{attribute 'type' failed to satisfy constraint: type attribute of statically shaped tensor}}
sesame.weight @c3_dynamic_type : tensor<?xf32> {
  %0 = sesame.checkpoint_tensor ["b"] : tensor<7xf32>
  sesame.yield %0 : tensor<7xf32>
}

// -----

// expected-error @+1 {{expects a size that fits into 64 bits, got 3 times 'tensor<4611686018427387904x9xf32>'}}
sesame.weight @c4_too_large count = 3 : tensor<4611686018427387904x9xf32> {
  %0 = sesame.checkpoint_tensor ["b"] : tensor<4611686018427387904x9xf32>
  sesame.yield %0 : tensor<4611686018427387904x9xf32>
}

// -----

sesame.weight @checkpoint_tensor_c1_no_part : tensor<7xf32> {
  // expected-error @+1 {{'sesame.checkpoint_tensor' op expects at least one part of a name}}
  %0 = sesame.checkpoint_tensor [] : tensor<7xf32>
  sesame.yield %0 : tensor<7xf32>
}

// -----

sesame.weight @checkpoint_tensor_c2_negative_index : tensor<7xf32> {
  // expected-error @+1 {{expects a first index that is not negative, got -1}}
  %0 = sesame.checkpoint_tensor ["b", ""] from -1 : tensor<7xf32>
  sesame.yield %0 : tensor<7xf32>
}

// -----

func.func @checkpoint_tensor_c3_outside_a_recipe() {
  // expected-error @+1 {{expects parent op 'sesame.weight'}}
  %0 = sesame.checkpoint_tensor ["b"] : tensor<7xf32>
  return
}

// -----

sesame.weight @pack_panels_c1_of_panels : tensor<2x5x4xf32> {
  %0 = sesame.checkpoint_tensor ["b"] : tensor<7x5xf32>
  // expected-error @+1 {{'sesame.pack_panels' op expects layout nk or kn and static shapes}}
  %1 = sesame.pack_panels %0 layout = panels : tensor<7x5xf32> -> tensor<2x5x4xf32>
  sesame.yield %1 : tensor<2x5x4xf32>
}

// -----

sesame.weight @pack_panels_c2_too_few : tensor<1x5x4xf32> {
  %0 = sesame.checkpoint_tensor ["b"] : tensor<7x5xf32>
  // expected-error @+1 {{expects panels [ceil(N / R), K, R] of a matrix with N = 7 and K = 5, got 'tensor<1x5x4xf32>'}}
  %1 = sesame.pack_panels %0 layout = nk : tensor<7x5xf32> -> tensor<1x5x4xf32>
  sesame.yield %1 : tensor<1x5x4xf32>
}

// -----

sesame.weight @pack_panels_c3_of_another_type : tensor<2x5x4xf32> {
  %0 = sesame.checkpoint_tensor ["b"] : tensor<5x7xf16>
  // expected-error @+1 {{expects result to have the element type of source, 'f16', got 'f32'}}
  %1 = sesame.pack_panels %0 layout = kn : tensor<5x7xf16> -> tensor<2x5x4xf32>
  sesame.yield %1 : tensor<2x5x4xf32>
}

// -----

func.func @pack_panels_c4_outside_a_recipe(%w: tensor<7x5xf32>) {
  // expected-error @+1 {{expects parent op 'sesame.weight'}}
  %1 = sesame.pack_panels %w layout = nk : tensor<7x5xf32> -> tensor<2x5x4xf32>
  return
}

// -----

func.func @get_weight_c1_no_symbol() {
  // expected-error @+1 {{'sesame.get_weight' op expects 'w' to name a sesame.weight}}
  %0 = sesame.get_weight @w : tensor<7xf32>
  return
}

// -----

sesame.weight @w : tensor<7xf32> {
  %0 = sesame.checkpoint_tensor ["b"] : tensor<7xf32>
  sesame.yield %0 : tensor<7xf32>
}
func.func @get_weight_c1_of_another_type() {
  // expected-error @+1 {{expects the type of 'w', 'tensor<7xf32>', got 'tensor<8xf32>'}}
  %0 = sesame.get_weight @w : tensor<8xf32>
  return
}

// -----

sesame.weight @w count = 3 : tensor<7xf32> {
  %0 = sesame.checkpoint_tensor ["b", ""] : tensor<7xf32>
  sesame.yield %0 : tensor<7xf32>
}
func.func @get_weight_c2_without_an_index() {
  // expected-error @+1 {{expects an index into the 3 tensors of 'w'}}
  %0 = sesame.get_weight @w : tensor<7xf32>
  return
}

// -----

sesame.weight @w count = 3 : tensor<7xf32> {
  %0 = sesame.checkpoint_tensor ["b", ""] : tensor<7xf32>
  sesame.yield %0 : tensor<7xf32>
}
func.func @get_weight_c3_index_too_large() {
  %layer = arith.constant 3 : index
  // expected-error @+1 {{expects an index below 3, the count of 'w', got 3}}
  %0 = sesame.get_weight @w[%layer] : tensor<7xf32>
  return
}
