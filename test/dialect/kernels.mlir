// RUN: sesame-opt %s | sesame-opt | FileCheck %s
// RUN: sesame-opt %s --mlir-print-op-generic | sesame-opt | FileCheck %s

// CHECK-LABEL: func.func @matmul_on_tensors
// CHECK: sesame.matmul_tile lhs(%{{.*}} : tensor<?x5xf32>) panel(%{{.*}} : tensor<5x4xf32>) bias(%{{.*}} : tensor<?xf32>) activation = gelu combine = add out(%{{.*}} : tensor<?x?xf32>) -> tensor<?x?xf32>
func.func @matmul_on_tensors(%a: tensor<?x5xf32>, %p: tensor<5x4xf32>, %b: tensor<?xf32>, %c: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %r = sesame.matmul_tile lhs(%a : tensor<?x5xf32>) panel(%p : tensor<5x4xf32>) bias(%b : tensor<?xf32>) activation = gelu combine = add out(%c : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @matmul_on_memrefs
// CHECK: sesame.matmul_tile lhs(%{{.*}} : memref<3x5xf32, strided<[?, 1], offset: ?>>) panel(%{{.*}} : memref<5x4xbf16>) out(%{{.*}} : memref<3x2xf32, strided<[9, 1]>>)
func.func @matmul_on_memrefs(%a: memref<3x5xf32, strided<[?, 1], offset: ?>>, %p: memref<5x4xbf16>, %c: memref<3x2xf32, strided<[9, 1]>>) {
  sesame.matmul_tile lhs(%a : memref<3x5xf32, strided<[?, 1], offset: ?>>) panel(%p : memref<5x4xbf16>) out(%c : memref<3x2xf32, strided<[9, 1]>>)
  return
}

// CHECK-LABEL: func.func @attention_on_memrefs
// CHECK: sesame.attention_tile query(%{{.*}} : memref<?x4xf32>) key(%{{.*}} : memref<?x4xf32>) value(%{{.*}} : memref<?x7xf32>) mask(%{{.*}} : memref<?x?xi8>) bias(%{{.*}} : memref<1x?xf32>) first(%{{.*}}) causal window = 3 scale = 5.000000e-01 softcap = 2.000000e+00 bf16 out(%{{.*}} : memref<?x7xf32>)
func.func @attention_on_memrefs(%q: memref<?x4xf32>, %k: memref<?x4xf32>, %v: memref<?x7xf32>, %m: memref<?x?xi8>, %b: memref<1x?xf32>, %f: index, %o: memref<?x7xf32>) {
  sesame.attention_tile query(%q : memref<?x4xf32>) key(%k : memref<?x4xf32>) value(%v : memref<?x7xf32>) mask(%m : memref<?x?xi8>) bias(%b : memref<1x?xf32>)
    first(%f) causal window = 3 scale = 0.5 softcap = 2.0 bf16 out(%o : memref<?x7xf32>)
  return
}

// CHECK-LABEL: func.func @attention_of_heads
// CHECK: sesame.attention_tile heads query(%{{.*}} : memref<3x4xf32>) key(
func.func @attention_of_heads(%q: memref<3x4xf32>, %k: memref<?x4xf32>, %m: memref<?xi8>, %f: index) {
  sesame.attention_tile heads query(%q : memref<3x4xf32>) key(%k : memref<?x4xf32>) value(%k : memref<?x4xf32>) mask(%m : memref<?xi8>)
    first(%f) causal scale = 0.5 out(%q : memref<3x4xf32>)
  return
}

// CHECK-LABEL: func.func @norms
// CHECK: sesame.norm_tile layer input(%{{.*}} : memref<?x7xf16>) weight(%{{.*}} : memref<7xf32>) bias(%{{.*}} : memref<7xf32>) epsilon = 1.250000e-01 out(%{{.*}} : memref<?x7xf16>)
// CHECK: sesame.norm_tile rms input(%{{.*}} : memref<?x7xf16>) epsilon = 1.250000e-01 offset = 1.000000e+00 out(%{{.*}} : memref<?x7xf16>)
func.func @norms(%x: memref<?x7xf16>, %w: memref<7xf32>, %b: memref<7xf32>, %o: memref<?x7xf16>) {
  sesame.norm_tile layer input(%x : memref<?x7xf16>) weight(%w : memref<7xf32>) bias(%b : memref<7xf32>) epsilon = 0.125 out(%o : memref<?x7xf16>)
  sesame.norm_tile rms input(%x : memref<?x7xf16>) epsilon = 0.125 offset = 1.0 out(%o : memref<?x7xf16>)
  return
}

// CHECK-LABEL: func.func @embedding_on_memrefs
// CHECK: sesame.embedding_tile indices(%{{.*}}, %{{.*}} : memref<?xi64>, memref<?xi32>) tables(%{{.*}}, %{{.*}} : memref<11x5xf32>, memref<6x5xf32>) out(%{{.*}} : memref<?x5xf32>)
func.func @embedding_on_memrefs(%i: memref<?xi64>, %j: memref<?xi32>, %t: memref<11x5xf32>, %u: memref<6x5xf32>, %o: memref<?x5xf32>) {
  sesame.embedding_tile indices(%i, %j : memref<?xi64>, memref<?xi32>) tables(%t, %u : memref<11x5xf32>, memref<6x5xf32>) out(%o : memref<?x5xf32>)
  return
}
