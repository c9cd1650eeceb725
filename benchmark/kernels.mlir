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

func.func @matmul_3072_residual(%lhs: memref<?x3072xf32, #rows>, %panel: memref<3072xWIDTHxf32>, %bias: memref<?xf32>, %out: memref<?x?xf32, #rows>)
    attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x3072xf32, #rows>) panel(%panel : memref<3072xWIDTHxf32>) bias(%bias : memref<?xf32>)
    combine = add out(%out : memref<?x?xf32, #rows>)
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
