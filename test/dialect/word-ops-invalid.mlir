// RUN: sesame-opt %s --split-input-file --verify-diagnostics

sesame.weight @panels_c1_layout : tensor<2x10x32xi32> {
  %0 = sesame.checkpoint_tensor ["w"] : tensor<37x19xf32>
  // expected-error @+1 {{expects layout nk or kn and static shapes}}
  %1 = sesame.pack_word_panels %0 of bf16 layout = panels : tensor<37x19xf32> -> tensor<2x10x32xi32>
  sesame.yield %1 : tensor<2x10x32xi32>
}

// -----

// Without the two words behind the codes.
sesame.weight @panels_c2_words : tensor<2x5x32xi32> {
  %0 = sesame.checkpoint_tensor ["w"] : tensor<37x19xf32>
  // expected-error @+1 {{expects panels [ceil(N / R), 7, R] for N = 37 and K = 19, got 'tensor<2x5x32xi32>'}}
  %1 = sesame.pack_word_panels %0 of i8 layout = nk : tensor<37x19xf32> -> tensor<2x5x32xi32>
  sesame.yield %1 : tensor<2x5x32xi32>
}

// -----

sesame.weight @panels_c3_element : tensor<2x10x32xi32> {
  %0 = sesame.checkpoint_tensor ["w"] : tensor<37x19xf32>
  // expected-error @+1 {{expects words of bf16, i8, ui8 or ui4, got 'f16'}}
  %1 = sesame.pack_word_panels %0 of f16 layout = nk : tensor<37x19xf32> -> tensor<2x10x32xi32>
  sesame.yield %1 : tensor<2x10x32xi32>
}

// -----

sesame.weight @panels_c3_depth : tensor<1x16387x32xi32> {
  %0 = sesame.checkpoint_tensor ["w"] : tensor<3x65540xf32>
  // expected-error @+1 {{expects K of at most 65536 with words of i8, got 65540}}
  %1 = sesame.pack_word_panels %0 of i8 layout = nk : tensor<3x65540xf32> -> tensor<1x16387x32xi32>
  sesame.yield %1 : tensor<1x16387x32xi32>
}

// -----

func.func @linear_c1_rank(%x: tensor<?x19xf32>, %w: tensor<2x7x32xi32>) -> tensor<37xf32> {
  // expected-error @+1 {{expects result to have the rank of input, 2, got 1}}
  %0 = sesame.word_linear %x, %w of i8 : tensor<?x19xf32>, tensor<2x7x32xi32> -> tensor<37xf32>
  return %0 : tensor<37xf32>
}

// -----

func.func @linear_c2_columns(%x: tensor<?x19xf32>, %w: tensor<2x7x32xi32>) -> tensor<?x65xf32> {
  // expected-error @+1 {{expects panels [ceil(N / R), 7, R] for N = 65 and K = 19}}
  %0 = sesame.word_linear %x, %w of i8 : tensor<?x19xf32>, tensor<2x7x32xi32> -> tensor<?x65xf32>
  return %0 : tensor<?x65xf32>
}

// -----

func.func @linear_c3_rows(%x: tensor<3x19xf32>, %w: tensor<2x7x32xi32>, %o: tensor<4x37xf32>) -> tensor<3x37xf32> {
  // expected-error @+1 {{of other to be 3, got 4}}
  %0 = sesame.word_linear %x, %w of i8 combine = add other(%o : tensor<4x37xf32>) : tensor<3x19xf32>, tensor<2x7x32xi32> -> tensor<3x37xf32>
  return %0 : tensor<3x37xf32>
}

// -----

func.func @linear_c4_type(%x: tensor<?x19xf16>, %w: tensor<2x7x32xi32>) -> tensor<?x37xf16> {
  // expected-error @+1 {{expects input to be of f32, got 'f16'}}
  %0 = sesame.word_linear %x, %w of i8 : tensor<?x19xf16>, tensor<2x7x32xi32> -> tensor<?x37xf16>
  return %0 : tensor<?x37xf16>
}

// -----

func.func @linear_c6_other(%x: tensor<?x19xf32>, %w: tensor<2x7x32xi32>) -> tensor<?x37xf32> {
  // expected-error @+1 {{expects other exactly if combine is add or multiply}}
  %0 = sesame.word_linear %x, %w of i8 combine = add : tensor<?x19xf32>, tensor<2x7x32xi32> -> tensor<?x37xf32>
  return %0 : tensor<?x37xf32>
}

// -----

func.func @rows_c4_words(%x: memref<?x19xf32>, %q: memref<?x5xi32>) {
  // expected-error @+1 {{expects 7 words a row of out for K = 19, got 5}}
  sesame.pack_words_tile of i8 input(%x : memref<?x19xf32>) out(%q : memref<?x5xi32>)
  return
}

// -----

func.func @rows_c6_types(%x: memref<?x19xf32>, %q: memref<?x7xf32>) {
  // expected-error @+1 {{expects out to be of i32, got 'f32'}}
  sesame.pack_words_tile of i8 input(%x : memref<?x19xf32>) out(%q : memref<?x7xf32>)
  return
}

// -----

func.func @tile_c4_depth(%q: memref<?x7xi32>, %p: memref<8x32xi32>, %o: memref<?x?xf32>) {
  // expected-error @+1 {{expects axis 1 (W) of lhs to be 8, got 7}}
  sesame.word_matmul_tile of i8 lhs(%q : memref<?x7xi32>) panel(%p : memref<8x32xi32>) out(%o : memref<?x?xf32>)
  return
}

// -----

func.func @tile_c5_columns(%q: memref<?x7xi32>, %p: memref<7x32xi32>, %o: memref<?x33xf32>) {
  // expected-error @+1 {{expects at most 32 columns of out, the panel's R, got 33}}
  sesame.word_matmul_tile of i8 lhs(%q : memref<?x7xi32>) panel(%p : memref<7x32xi32>) out(%o : memref<?x33xf32>)
  return
}

// -----

func.func @tile_c6_words(%q: memref<?x2xi32>, %p: memref<2x32xi32>, %o: memref<?x?xf32>) {
  // expected-error @+1 {{expects at least 3 words a row, got 2}}
  sesame.word_matmul_tile of i8 lhs(%q : memref<?x2xi32>) panel(%p : memref<2x32xi32>) out(%o : memref<?x?xf32>)
  return
}

// -----

// Two steps of 64 would be needed.
sesame.weight @panels_c2_steps : tensor<2x9x32xi32> {
  %0 = sesame.checkpoint_tensor ["w"] : tensor<37x70xf32>
  // expected-error @+1 {{expects panels [ceil(N / R), 18, R] for N = 37 and K = 70, got 'tensor<2x9x32xi32>'}}
  %1 = sesame.pack_word_panels %0 of ui4 layout = nk : tensor<37x70xf32> -> tensor<2x9x32xi32>
  sesame.yield %1 : tensor<2x9x32xi32>
}

// -----

func.func @linear_c2_steps(%x: tensor<?x70xf32>, %w: tensor<2x17x32xi32>) -> tensor<?x37xf32> {
  // expected-error @+1 {{expects panels [ceil(N / R), 34, R] for N = 37 and K = 70}}
  %0 = sesame.word_linear %x, %w of ui8 : tensor<?x70xf32>, tensor<2x17x32xi32> -> tensor<?x37xf32>
  return %0 : tensor<?x37xf32>
}

// -----

func.func @rows_c4_steps(%x: memref<?x70xf32>, %q: memref<?x20xi32>) {
  // expected-error @+1 {{expects 40 words a row of out for K = 70, got 20}}
  sesame.pack_words_tile of ui8 input(%x : memref<?x70xf32>) out(%q : memref<?x20xi32>)
  return
}

// -----

func.func @tile_c4_steps(%q: memref<?x40xi32>, %p: memref<9x32xi32>, %o: memref<?x?xf32>) {
  // expected-error @+1 {{expects whole steps of 9 words of panel and 20 of lhs, as many of both, got 9 and 40}}
  sesame.word_matmul_tile of ui4 lhs(%q : memref<?x40xi32>) panel(%p : memref<9x32xi32>) out(%o : memref<?x?xf32>)
  return
}

// -----

func.func @tile_c7_words_of_int8(%q: memref<?x7xi32>, %p: memref<7x32xi32>, %o: memref<?x?xi32>) {
  // expected-error @+1 {{expects an out of words of bf16 that are replaced, got 'i8'}}
  sesame.word_matmul_tile of i8 lhs(%q : memref<?x7xi32>) panel(%p : memref<7x32xi32>) out(%o : memref<?x?xi32>)
  return
}

// -----

func.func @tile_c4_bias_of_words(%q: memref<?x7xi32>, %p: memref<7x32xi32>, %b: memref<16xf32>, %o: memref<?x16xi32>) {
  // expected-error @+1 {{expects axis 0 (N) of bias to be 32, got 16}}
  sesame.word_matmul_tile of bf16 lhs(%q : memref<?x7xi32>) panel(%p : memref<7x32xi32>) bias(%b : memref<16xf32>) out(%o : memref<?x16xi32>)
  return
}
