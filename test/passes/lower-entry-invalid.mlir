// RUN: sesame-opt %s --sesame-lower-entry --split-input-file --verify-diagnostics --allow-unregistered-dialect

// expected-error @+1 {{an entry has no workspace function; run sesame-plan-arena first}}
func.func @no_plan() {
  return
}

// -----

// expected-error @+1 {{an entry still returns values; run sesame-drop-entry-results first}}
func.func @results(%x: memref<4xf32>) -> memref<4xf32> {
  return %x : memref<4xf32>
}
func.func @results__workspace() -> index {
  %c0 = arith.constant 0 : index
  return %c0 : index
}

// -----

// expected-note @+1 {{sesame-plan-weights gives it an 'offset'}}
sesame.weight @w : tensor<6xf32> {
  %0 = sesame.checkpoint_tensor ["w"] : tensor<6xf32>
  sesame.yield %0 : tensor<6xf32>
}
func.func @no_place() {
  // expected-error @+1 {{weight 'w' has no place yet}}
  %w = sesame.get_weight @w : memref<6xf32>
  "test.use"(%w) : (memref<6xf32>) -> ()
  return
}
func.func @no_place__workspace() -> index {
  %c0 = arith.constant 0 : index
  return %c0 : index
}

// -----

// expected-error @+1 {{argument 0: 'sesame.dims' does not tell every dynamic extent of 'memref<?xf32>'}}
func.func @unknown_extent(%x: memref<?xf32>) {
  "test.use"(%x) : (memref<?xf32>) -> ()
  return
}
func.func @unknown_extent__workspace() -> index {
  %c0 = arith.constant 0 : index
  return %c0 : index
}
