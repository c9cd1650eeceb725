// RUN: sesame-opt %s --sesame-outline-parallel --split-input-file | FileCheck %s

// Kernels that agree but for strides are calls of one function. The strides that agree, of the query, stay static.
// CHECK-LABEL: func.func private @attention_tile(
// CHECK-SAME:    %[[QUERY:.*]]: memref<8x16xf32, strided<[48, 1], offset: ?>>, %[[KEY:.*]]: memref<?x16xf32, strided<[?, 1], offset: ?>>, %[[VALUE:.*]]: memref<?x16xf32, strided<[?, 1], offset: ?>>, %[[FIRST:.*]]: index, %[[OUT:.*]]: memref<8x16xf32>)
// CHECK-NEXT:    sesame.attention_tile query(%[[QUERY]] : {{.*}}) key(%[[KEY]] : {{.*}}) value(%[[VALUE]] : {{.*}}) first(%[[FIRST]]) causal {{.*}} out(%[[OUT]] : memref<8x16xf32>)
// CHECK-NEXT:    return
// CHECK-LABEL: func.func private @parallel_entry_0(
// CHECK:         scf.for
// CHECK:           %[[CAST:.*]] = memref.cast %{{.*}} : memref<?x16xf32, strided<[48, 1], offset: ?>> to memref<?x16xf32, strided<[?, 1], offset: ?>>
// CHECK:           func.call @attention_tile(%{{.*}}, %[[CAST]], %{{.*}}) :
// CHECK-LABEL: func.func private @parallel_entry_1(
// CHECK:           memref.cast %{{.*}} : memref<?x16xf32, strided<[16, 1], offset: ?>> to
// CHECK:           func.call @attention_tile(
// One that is not causal has no sister.
// CHECK-LABEL: func.func private @parallel_entry_2(
// CHECK-NOT:     call
// CHECK:         sesame.attention_tile
// CHECK-SAME:      strided<[48, 1], offset: ?>
// CHECK-LABEL: func.func @entry
func.func @entry(%context: !llvm.ptr {sesame.context}, %query: memref<8x16xf32, strided<[48, 1], offset: ?>>, %new: memref<?x16xf32, strided<[48, 1], offset: ?>>,
                 %cache: memref<?x16xf32, strided<[16, 1], offset: ?>>, %out: memref<8x16xf32>, %n: index) {
  scf.forall (%i) in (%n) {
    sesame.attention_tile query(%query : memref<8x16xf32, strided<[48, 1], offset: ?>>) key(%new : memref<?x16xf32, strided<[48, 1], offset: ?>>)
      value(%new : memref<?x16xf32, strided<[48, 1], offset: ?>>) first(%i) causal scale = 0.25 out(%out : memref<8x16xf32>)
  }
  scf.forall (%i) in (%n) {
    sesame.attention_tile query(%query : memref<8x16xf32, strided<[48, 1], offset: ?>>) key(%cache : memref<?x16xf32, strided<[16, 1], offset: ?>>)
      value(%cache : memref<?x16xf32, strided<[16, 1], offset: ?>>) first(%i) causal scale = 0.25 out(%out : memref<8x16xf32>)
  }
  scf.forall (%i) in (%n) {
    sesame.attention_tile query(%query : memref<8x16xf32, strided<[48, 1], offset: ?>>) key(%new : memref<?x16xf32, strided<[48, 1], offset: ?>>)
      value(%new : memref<?x16xf32, strided<[48, 1], offset: ?>>) first(%i) scale = 0.25 out(%out : memref<8x16xf32>)
  }
  return
}

// -----

// Other shapes are other kernels: the register tiles are made for them.
// CHECK-NOT: @matmul_tile
// CHECK-LABEL: func.func @shapes
func.func @shapes(%context: !llvm.ptr {sesame.context}, %a: memref<4x8xf32>, %b: memref<4x6xf32>, %p: memref<8x32xf32>, %q: memref<6x32xf32>, %out: memref<4x32xf32>, %n: index) {
  scf.forall (%i) in (%n) {
    sesame.matmul_tile lhs(%a : memref<4x8xf32>) panel(%p : memref<8x32xf32>) out(%out : memref<4x32xf32>)
  }
  scf.forall (%i) in (%n) {
    sesame.matmul_tile lhs(%b : memref<4x6xf32>) panel(%q : memref<6x32xf32>) out(%out : memref<4x32xf32>)
  }
  return
}
