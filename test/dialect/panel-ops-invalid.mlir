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
  // expected-error @+1 {{expects result to have the element type of panels, 'f32', got 'f16'}}
  %w = sesame.unpack_panels %p : tensor<4x36x32xf32> -> tensor<97x36xf16>
  return %w : tensor<97x36xf16>
}

// -----

func.func @tile_c4_width(%i: memref<?xi64>, %t: memref<4x35x32xf32>, %o: memref<?x36xf32>) {
  // expected-error @+1 {{of table 0 to be 36, got 35}}
  sesame.panel_embedding_tile indices(%i : memref<?xi64>) tables(%t : memref<4x35x32xf32>) out(%o : memref<?x36xf32>)
  return
}

// -----

func.func @tile_c6_indices(%i: memref<?xf32>, %t: memref<4x36x32xf32>, %o: memref<?x36xf32>) {
  // expected-error @+1 {{expects indices 0 to be of signless integers, got 'f32'}}
  sesame.panel_embedding_tile indices(%i : memref<?xf32>) tables(%t : memref<4x36x32xf32>) out(%o : memref<?x36xf32>)
  return
}

// -----

func.func @tile_c7_tables(%i: memref<?xi64>, %t: memref<4x36x32xf32>, %o: memref<?x36xf32>) {
  // expected-error @+1 {{expects as many tables as indices and at least one, got 1 and 2}}
  sesame.panel_embedding_tile indices(%i, %i : memref<?xi64>, memref<?xi64>) tables(%t : memref<4x36x32xf32>) out(%o : memref<?x36xf32>)
  return
}

// -----

func.func @tile_c8_static(%i: memref<?xi64>, %t: memref<?x36x32xf32>, %o: memref<?x36xf32>) {
  // expected-error @+1 {{expects panels of static shape as table 0}}
  sesame.panel_embedding_tile indices(%i : memref<?xi64>) tables(%t : memref<?x36x32xf32>) out(%o : memref<?x36xf32>)
  return
}

// -----

func.func @unpack_c1_words(%p: tensor<4x10x32xi32>) -> tensor<97x36xf32> {
  // expected-error @+1 {{expects 9 or 17 words in panels of i32 for every 64 of 36 numbers, got 'tensor<4x10x32xi32>'}}
  %w = sesame.unpack_panels %p : tensor<4x10x32xi32> -> tensor<97x36xf32>
  return %w : tensor<97x36xf32>
}

// -----

func.func @unpack_c2_groups(%p: tensor<4x9x32xi32>) -> tensor<97x36xf16> {
  // expected-error @+1 {{expects f32 of panels of i32, got 'f16'}}
  %w = sesame.unpack_panels %p : tensor<4x9x32xi32> -> tensor<97x36xf16>
  return %w : tensor<97x36xf16>
}

// -----

func.func @tile_groups(%i: memref<?xi64>, %t: memref<4x18x32xi32>, %o: memref<?x36xf32>) {
  // expected-error @+1 {{expects 9 or 17 words in panels of i32 for every 64 of 36 numbers, got 'memref<4x18x32xi32>'}}
  sesame.panel_embedding_tile indices(%i : memref<?xi64>) tables(%t : memref<4x18x32xi32>) out(%o : memref<?x36xf32>)
  return
}
