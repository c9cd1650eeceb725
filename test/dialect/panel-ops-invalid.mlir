// RUN: sesame-opt %s --split-input-file --verify-diagnostics

func.func @unpack_c1_panels(%p: tensor<3x36x32xf32>) -> tensor<97x36xf32> {
  // expected-error @+1 {{expects panels [ceil(N / R), K, R] of a matrix with N = 97 and K = 36, got 'tensor<3x36x32xf32>'}}
  %w = sesame.unpack_panels %p : tensor<3x36x32xf32> -> tensor<97x36xf32>
  return %w : tensor<97x36xf32>
}

// -----

func.func @unpack_c1_static(%p: tensor<?x36x32xf32>) -> tensor<97x36xf32> {
  // expected-error @+1 {{expects static shapes}}
  %w = sesame.unpack_panels %p : tensor<?x36x32xf32> -> tensor<97x36xf32>
  return %w : tensor<97x36xf32>
}

// -----

func.func @unpack_c2_type(%p: tensor<4x36x32xf32>) -> tensor<97x36xf16> {
  // expected-error @+1 {{expects panels of 'f16' or narrower floats, got 'f32'}}
  %w = sesame.unpack_panels %p : tensor<4x36x32xf32> -> tensor<97x36xf16>
  return %w : tensor<97x36xf16>
}

// -----

func.func @tile_c4_width(%i: memref<?xi64>, %t: memref<4x35x32xf32>, %o: memref<?x36xf32>) {
  // expected-error @+1 {{of table 0 to be 36, got 35}}
  sesame.panel_embedding_tile of [f32] indices(%i : memref<?xi64>) tables(%t : memref<4x35x32xf32>) out(%o : memref<?x36xf32>)
  return
}

// -----

func.func @tile_c6_indices(%i: memref<?xf32>, %t: memref<4x36x32xf32>, %o: memref<?x36xf32>) {
  // expected-error @+1 {{expects indices 0 to be of signless integers, got 'f32'}}
  sesame.panel_embedding_tile of [f32] indices(%i : memref<?xf32>) tables(%t : memref<4x36x32xf32>) out(%o : memref<?x36xf32>)
  return
}

// -----

func.func @tile_c7_tables(%i: memref<?xi64>, %t: memref<4x36x32xf32>, %o: memref<?x36xf32>) {
  // expected-error @+1 {{expects as many tables as indices and at least one, got 1 and 2}}
  sesame.panel_embedding_tile of [f32] indices(%i, %i : memref<?xi64>, memref<?xi64>) tables(%t : memref<4x36x32xf32>) out(%o : memref<?x36xf32>)
  return
}

// -----

func.func @tile_c8_static(%i: memref<?xi64>, %t: memref<?x36x32xf32>, %o: memref<?x36xf32>) {
  // expected-error @+1 {{expects panels of static shape as table 0}}
  sesame.panel_embedding_tile of [f32] indices(%i : memref<?xi64>) tables(%t : memref<?x36x32xf32>) out(%o : memref<?x36xf32>)
  return
}

// -----

func.func @unpack_c1_words(%p: tensor<4x10x32xi32>) -> tensor<97x36xf32> {
  // expected-error @+1 {{expects 9 words of 'ui4' for 36 numbers, got 'tensor<4x10x32xi32>'}}
  %w = sesame.unpack_panels %p of ui4 : tensor<4x10x32xi32> -> tensor<97x36xf32>
  return %w : tensor<97x36xf32>
}

// -----

func.func @unpack_c2_words(%p: tensor<4x11x32xi32>) -> tensor<97x36xf16> {
  // expected-error @+1 {{expects f32 of panels of i32, got 'f16'}}
  %w = sesame.unpack_panels %p of i8 : tensor<4x11x32xi32> -> tensor<97x36xf16>
  return %w : tensor<97x36xf16>
}

// -----

func.func @unpack_c3_missing(%p: tensor<4x11x32xi32>) -> tensor<97x36xf32> {
  // expected-error @+1 {{expects panels of i32 to hold words of bf16, i8, ui8 or ui4}}
  %w = sesame.unpack_panels %p : tensor<4x11x32xi32> -> tensor<97x36xf32>
  return %w : tensor<97x36xf32>
}

// -----

func.func @unpack_c3_floats(%p: tensor<4x36x32xf32>) -> tensor<97x36xf32> {
  // expected-error @+1 {{expects words in panels of i32 alone, got 'tensor<4x36x32xf32>'}}
  %w = sesame.unpack_panels %p of i8 : tensor<4x36x32xf32> -> tensor<97x36xf32>
  return %w : tensor<97x36xf32>
}

// -----

func.func @tile_words(%i: memref<?xi64>, %t: memref<4x18x32xi32>, %o: memref<?x36xf32>) {
  // expected-error @+1 {{expects 11 words of 'i8' for 36 numbers, got 'memref<4x18x32xi32>'}}
  sesame.panel_embedding_tile of [i8] indices(%i : memref<?xi64>) tables(%t : memref<4x18x32xi32>) out(%o : memref<?x36xf32>)
  return
}

// -----

func.func @tile_c9_elements(%i: memref<?xi64>, %t: memref<4x36x32xf32>, %o: memref<?x36xf32>) {
  // expected-error @+1 {{expects as many elements as tables, got 2 and 1}}
  sesame.panel_embedding_tile of [f32, f32] indices(%i : memref<?xi64>) tables(%t : memref<4x36x32xf32>) out(%o : memref<?x36xf32>)
  return
}

// -----

func.func @tile_c9_panels(%i: memref<?xi64>, %t: memref<4x36x32xbf16>, %o: memref<?x36xf32>) {
  // expected-error @+1 {{expects panels of 'bf16' to hold it, got 'f32'}}
  sesame.panel_embedding_tile of [f32] indices(%i : memref<?xi64>) tables(%t : memref<4x36x32xbf16>) out(%o : memref<?x36xf32>)
  return
}
