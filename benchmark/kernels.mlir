// The kernels that kernels.cpp measures. CMake replaces WIDTH by the width of a panel, two vectors.

#rows = strided<[?, 1], offset: ?>

func.func @matmul_768(%lhs: memref<?x768xf32, #rows>, %panel: memref<768xWIDTHxf32>, %bias: memref<?xf32>, %out: memref<?x?xf32, #rows>)
    attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x768xf32, #rows>) panel(%panel : memref<768xWIDTHxf32>) bias(%bias : memref<?xf32>)
    out(%out : memref<?x?xf32, #rows>)
  return
}

func.func @matmul_768_gelu(%lhs: memref<?x768xf32, #rows>, %panel: memref<768xWIDTHxf32>, %bias: memref<?xf32>, %out: memref<?x?xf32, #rows>)
    attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x768xf32, #rows>) panel(%panel : memref<768xWIDTHxf32>) bias(%bias : memref<?xf32>)
    activation = gelu out(%out : memref<?x?xf32, #rows>)
  return
}

func.func @matmul_768_gelu_tanh(%lhs: memref<?x768xf32, #rows>, %panel: memref<768xWIDTHxf32>, %bias: memref<?xf32>, %out: memref<?x?xf32, #rows>)
    attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x768xf32, #rows>) panel(%panel : memref<768xWIDTHxf32>) bias(%bias : memref<?xf32>)
    activation = gelu_tanh out(%out : memref<?x?xf32, #rows>)
  return
}

func.func @matmul_3072_residual(%lhs: memref<?x3072xf32, #rows>, %panel: memref<3072xWIDTHxf32>, %bias: memref<?xf32>, %out: memref<?x?xf32, #rows>)
    attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x3072xf32, #rows>) panel(%panel : memref<3072xWIDTHxf32>) bias(%bias : memref<?xf32>)
    combine = add out(%out : memref<?x?xf32, #rows>)
  return
}

func.func @pack_bf16_768(%x: memref<?x768xf32, #rows>, %o: memref<?x384xi32, #rows>) attributes {llvm.emit_c_interface} {
  sesame.pack_words_tile of bf16 input(%x : memref<?x768xf32, #rows>) out(%o : memref<?x384xi32, #rows>)
  return
}

func.func @pack_bf16_3072(%x: memref<?x3072xf32, #rows>, %o: memref<?x1536xi32, #rows>) attributes {llvm.emit_c_interface} {
  sesame.pack_words_tile of bf16 input(%x : memref<?x3072xf32, #rows>) out(%o : memref<?x1536xi32, #rows>)
  return
}

func.func @matmul_bf16_768(%lhs: memref<?x384xi32, #rows>, %panel: memref<384xWIDTHxi32>, %bias: memref<?xf32>, %out: memref<?x?xf32, #rows>)
    attributes {llvm.emit_c_interface} {
  sesame.word_matmul_tile of bf16 lhs(%lhs : memref<?x384xi32, #rows>) panel(%panel : memref<384xWIDTHxi32>) bias(%bias : memref<?xf32>)
    out(%out : memref<?x?xf32, #rows>)
  return
}

func.func @matmul_bf16_768_gelu(%lhs: memref<?x384xi32, #rows>, %panel: memref<384xWIDTHxi32>, %bias: memref<?xf32>, %out: memref<?x?xf32, #rows>)
    attributes {llvm.emit_c_interface} {
  sesame.word_matmul_tile of bf16 lhs(%lhs : memref<?x384xi32, #rows>) panel(%panel : memref<384xWIDTHxi32>) bias(%bias : memref<?xf32>)
    activation = gelu out(%out : memref<?x?xf32, #rows>)
  return
}

func.func @matmul_bf16_768_gelu_tanh(%lhs: memref<?x384xi32, #rows>, %panel: memref<384xWIDTHxi32>, %bias: memref<?xf32>, %out: memref<?x?xf32, #rows>)
    attributes {llvm.emit_c_interface} {
  sesame.word_matmul_tile of bf16 lhs(%lhs : memref<?x384xi32, #rows>) panel(%panel : memref<384xWIDTHxi32>) bias(%bias : memref<?xf32>)
    activation = gelu_tanh out(%out : memref<?x?xf32, #rows>)
  return
}

func.func @matmul_bf16_3072_residual(%lhs: memref<?x1536xi32, #rows>, %panel: memref<1536xWIDTHxi32>, %bias: memref<?xf32>, %out: memref<?x?xf32, #rows>)
    attributes {llvm.emit_c_interface} {
  sesame.word_matmul_tile of bf16 lhs(%lhs : memref<?x1536xi32, #rows>) panel(%panel : memref<1536xWIDTHxi32>) bias(%bias : memref<?xf32>)
    combine = add out(%out : memref<?x?xf32, #rows>)
  return
}

func.func @pack_int8_768(%x: memref<?x768xf32, #rows>, %o: memref<?x194xi32, #rows>) attributes {llvm.emit_c_interface} {
  sesame.pack_words_tile of i8 input(%x : memref<?x768xf32, #rows>) out(%o : memref<?x194xi32, #rows>)
  return
}

func.func @pack_int8_3072(%x: memref<?x3072xf32, #rows>, %o: memref<?x770xi32, #rows>) attributes {llvm.emit_c_interface} {
  sesame.pack_words_tile of i8 input(%x : memref<?x3072xf32, #rows>) out(%o : memref<?x770xi32, #rows>)
  return
}

func.func @matmul_int8_768(%lhs: memref<?x194xi32, #rows>, %panel: memref<194xWIDTHxi32>, %bias: memref<?xf32>, %out: memref<?x?xf32, #rows>)
    attributes {llvm.emit_c_interface} {
  sesame.word_matmul_tile of i8 lhs(%lhs : memref<?x194xi32, #rows>) panel(%panel : memref<194xWIDTHxi32>) bias(%bias : memref<?xf32>)
    out(%out : memref<?x?xf32, #rows>)
  return
}

func.func @matmul_int8_768_gelu(%lhs: memref<?x194xi32, #rows>, %panel: memref<194xWIDTHxi32>, %bias: memref<?xf32>, %out: memref<?x?xf32, #rows>)
    attributes {llvm.emit_c_interface} {
  sesame.word_matmul_tile of i8 lhs(%lhs : memref<?x194xi32, #rows>) panel(%panel : memref<194xWIDTHxi32>) bias(%bias : memref<?xf32>)
    activation = gelu out(%out : memref<?x?xf32, #rows>)
  return
}

func.func @matmul_int8_768_gelu_tanh(%lhs: memref<?x194xi32, #rows>, %panel: memref<194xWIDTHxi32>, %bias: memref<?xf32>, %out: memref<?x?xf32, #rows>)
    attributes {llvm.emit_c_interface} {
  sesame.word_matmul_tile of i8 lhs(%lhs : memref<?x194xi32, #rows>) panel(%panel : memref<194xWIDTHxi32>) bias(%bias : memref<?xf32>)
    activation = gelu_tanh out(%out : memref<?x?xf32, #rows>)
  return
}

func.func @matmul_int8_3072_residual(%lhs: memref<?x770xi32, #rows>, %panel: memref<770xWIDTHxi32>, %bias: memref<?xf32>, %out: memref<?x?xf32, #rows>)
    attributes {llvm.emit_c_interface} {
  sesame.word_matmul_tile of i8 lhs(%lhs : memref<?x770xi32, #rows>) panel(%panel : memref<770xWIDTHxi32>) bias(%bias : memref<?xf32>)
    combine = add out(%out : memref<?x?xf32, #rows>)
  return
}

// The result in words, as the next linear map reads it.
func.func @matmul_bf16_768_gelu_words(%lhs: memref<?x384xi32, #rows>, %panel: memref<384xWIDTHxi32>, %bias: memref<?xf32>, %out: memref<?x?xi32, #rows>)
    attributes {llvm.emit_c_interface} {
  sesame.word_matmul_tile of bf16 lhs(%lhs : memref<?x384xi32, #rows>) panel(%panel : memref<384xWIDTHxi32>) bias(%bias : memref<?xf32>)
    activation = gelu out(%out : memref<?x?xi32, #rows>)
  return
}

func.func @attention_64(%q: memref<?x64xf32, #rows>, %k: memref<?x64xf32, #rows>, %v: memref<?x64xf32, #rows>, %first: index,
    %o: memref<?x64xf32, #rows>) attributes {llvm.emit_c_interface} {
  sesame.attention_tile query(%q : memref<?x64xf32, #rows>) key(%k : memref<?x64xf32, #rows>) value(%v : memref<?x64xf32, #rows>)
    first(%first) scale = 0.125 out(%o : memref<?x64xf32, #rows>)
  return
}

func.func @attention_64_causal(%q: memref<?x64xf32, #rows>, %k: memref<?x64xf32, #rows>, %v: memref<?x64xf32, #rows>, %first: index,
    %o: memref<?x64xf32, #rows>) attributes {llvm.emit_c_interface} {
  sesame.attention_tile query(%q : memref<?x64xf32, #rows>) key(%k : memref<?x64xf32, #rows>) value(%v : memref<?x64xf32, #rows>)
    first(%first) causal scale = 0.125 out(%o : memref<?x64xf32, #rows>)
  return
}

func.func @layer_norm_768(%x: memref<?x768xf32, #rows>, %w: memref<768xf32>, %b: memref<768xf32>, %o: memref<?x768xf32, #rows>)
    attributes {llvm.emit_c_interface} {
  sesame.norm_tile layer input(%x : memref<?x768xf32, #rows>) weight(%w : memref<768xf32>) bias(%b : memref<768xf32>) epsilon = 1.0e-5
    out(%o : memref<?x768xf32, #rows>)
  return
}
