// RUN: sesame-opt %s --split-input-file --sesame-merge-sibling-linears --remarks-filter="sesame.*" --remark-format=emitRemark 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t

// One of the siblings has no bias: it gets zeros. The recipe keeps the conversion of each part. Two functions that
// read the same siblings share the merged weights, and the single ones are gone.

// CHECK-NOT:   sesame.weight @q count
// CHECK:       sesame.weight @qb.merged count = 2 : tensor<48xf32> {
// CHECK:         %[[ZEROS:.*]] = arith.constant dense<0.000000e+00> : tensor<12xf32>
// CHECK:         tensor.concat dim(0) %{{.*}}, %[[ZEROS]]
// CHECK:       sesame.weight @q.merged count = 2 : tensor<48x36xf32> {
// CHECK-NEXT:    %[[Q:.*]] = sesame.checkpoint_tensor ["q.", ".w"] : tensor<36x36xf32>
// CHECK-NEXT:    %[[K16:.*]] = sesame.checkpoint_tensor ["k.", ".w"] : tensor<12x36xf16>
// CHECK-NEXT:    %[[K:.*]] = arith.extf %[[K16]]
// CHECK-NEXT:    %[[ALL:.*]] = tensor.concat dim(0) %[[Q]], %[[K]] : (tensor<36x36xf32>, tensor<12x36xf32>) -> tensor<48x36xf32>
// CHECK-NEXT:    sesame.yield %[[ALL]]
// CHECK-NOT:   sesame.weight
sesame.weight @q count = 2 : tensor<36x36xf32> {
  %0 = sesame.checkpoint_tensor ["q.", ".w"] : tensor<36x36xf32>
  sesame.yield %0 : tensor<36x36xf32>
}
sesame.weight @qb count = 2 : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["q.", ".b"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
sesame.weight @k count = 2 : tensor<12x36xf32> {
  %0 = sesame.checkpoint_tensor ["k.", ".w"] : tensor<12x36xf16>
  %1 = arith.extf %0 : tensor<12x36xf16> to tensor<12x36xf32>
  sesame.yield %1 : tensor<12x36xf32>
}

// CHECK-LABEL: func.func private @block(
// CHECK-SAME:    %[[L:.*]]: index, %[[X:.*]]: tensor<?x?x36xf32>
// CHECK-DAG:     %[[W:.*]] = sesame.get_weight @q.merged[%[[L]]] : tensor<48x36xf32>
// CHECK-DAG:     %[[B:.*]] = sesame.get_weight @qb.merged[%[[L]]] : tensor<48xf32>
// CHECK:         %[[Y:.*]] = sesame.linear %[[X]], %[[W]] bias(%[[B]] : tensor<48xf32>) : tensor<?x?x36xf32>, tensor<48x36xf32> -> tensor<?x?x48xf32>
// CHECK-NOT:     sesame.linear
// CHECK-DAG:     %[[YQ:.*]] = tensor.extract_slice %[[Y]][0, 0, 0] [%{{.*}}, %{{.*}}, 36] [1, 1, 1] : tensor<?x?x48xf32> to tensor<?x?x36xf32>
// CHECK-DAG:     %[[YK:.*]] = tensor.extract_slice %[[Y]][0, 0, 36] [%{{.*}}, %{{.*}}, 12] [1, 1, 1] : tensor<?x?x48xf32> to tensor<?x?x12xf32>
// CHECK:         return %[[YQ]], %[[YK]]
func.func private @block(%l: index, %x: tensor<?x?x36xf32>) -> (tensor<?x?x36xf32>, tensor<?x?x12xf32>) {
  %wq = sesame.get_weight @q[%l] : tensor<36x36xf32>
  %bq = sesame.get_weight @qb[%l] : tensor<36xf32>
  %q = sesame.linear %x, %wq bias(%bq : tensor<36xf32>) : tensor<?x?x36xf32>, tensor<36x36xf32> -> tensor<?x?x36xf32>
  %wk = sesame.get_weight @k[%l] : tensor<12x36xf32>
  %k = sesame.linear %x, %wk : tensor<?x?x36xf32>, tensor<12x36xf32> -> tensor<?x?x12xf32>
  return %q, %k : tensor<?x?x36xf32>, tensor<?x?x12xf32>
}
// CHECK-LABEL: func.func private @block_cached(
// CHECK:         sesame.get_weight @q.merged
// CHECK-NOT:     sesame.get_weight @k
func.func private @block_cached(%l: index, %x: tensor<?x36xf32>) -> (tensor<?x36xf32>, tensor<?x12xf32>) {
  %wq = sesame.get_weight @q[%l] : tensor<36x36xf32>
  %bq = sesame.get_weight @qb[%l] : tensor<36xf32>
  %q = sesame.linear %x, %wq bias(%bq : tensor<36xf32>) : tensor<?x36xf32>, tensor<36x36xf32> -> tensor<?x36xf32>
  %wk = sesame.get_weight @k[%l] : tensor<12x36xf32>
  %k = sesame.linear %x, %wk : tensor<?x36xf32>, tensor<12x36xf32> -> tensor<?x12xf32>
  return %q, %k : tensor<?x36xf32>, tensor<?x12xf32>
}

// -----

// Columns lie along the second axis of layout kn.
// CHECK:       sesame.weight @a.merged : tensor<36x40xf32>
// CHECK:         tensor.concat dim(1)
// CHECK-LABEL: func.func @kn
// CHECK:         sesame.linear {{.*}} layout = kn : tensor<?x36xf32>, tensor<36x40xf32> -> tensor<?x40xf32>
sesame.weight @a : tensor<36x28xf32> {
  %0 = sesame.checkpoint_tensor ["a"] : tensor<36x28xf32>
  sesame.yield %0 : tensor<36x28xf32>
}
sesame.weight @b : tensor<36x12xf32> {
  %0 = sesame.checkpoint_tensor ["b"] : tensor<36x12xf32>
  sesame.yield %0 : tensor<36x12xf32>
}
func.func @kn(%x: tensor<?x36xf32>) -> (tensor<?x28xf32>, tensor<?x12xf32>) {
  %wa = sesame.get_weight @a : tensor<36x28xf32>
  %wb = sesame.get_weight @b : tensor<36x12xf32>
  %a = sesame.linear %x, %wa layout = kn : tensor<?x36xf32>, tensor<36x28xf32> -> tensor<?x28xf32>
  %b = sesame.linear %x, %wb layout = kn : tensor<?x36xf32>, tensor<36x12xf32> -> tensor<?x12xf32>
  return %a, %b : tensor<?x28xf32>, tensor<?x12xf32>
}

// -----

// Every sibling differs from the others in one thing, or cannot be folded at all.
// REMARK-DAG: a sibling has a residual
// REMARK-DAG: a sibling's weight is computed at run time
// REMARK-DAG: a sibling's weight is read by something else than linears
// REMARK-DAG: a sibling's bias is no weight of its layer alone
// REMARK-DAG: the weight is packed already
// CHECK-LABEL: func.func @nothing_alike
// CHECK-NOT:     tensor.extract_slice
sesame.weight @w count = 2 : tensor<20x20xf32> {
  %0 = sesame.checkpoint_tensor ["w.", ""] : tensor<20x20xf32>
  sesame.yield %0 : tensor<20x20xf32>
}
sesame.weight @table : tensor<20x20xf32> {
  %0 = sesame.checkpoint_tensor ["table"] : tensor<20x20xf32>
  sesame.yield %0 : tensor<20x20xf32>
}
func.func @nothing_alike(%l: index, %m: index, %x: tensor<?x20xf32>, %v: tensor<20x20xf32>, %p: tensor<2x20x16xf32>, %bias: tensor<20xf32>, %ids: tensor<?xi64>)
    -> (tensor<?x20xf32>, tensor<?x20xf32>, tensor<?x20xf32>, tensor<?x20xf32>, tensor<?x20xf32>, tensor<?x20xf32>, tensor<?x20xf32>, tensor<?x20xf32>, tensor<?x20xf32>, tensor<?x20xf32>) {
  %wl = sesame.get_weight @w[%l] : tensor<20x20xf32>
  %wm = sesame.get_weight @w[%m] : tensor<20x20xf32>
  %t = sesame.get_weight @table : tensor<20x20xf32>
  %e = sesame.embedding %ids in %t : tensor<?xi64> in tensor<20x20xf32> -> tensor<?x20xf32>
  %0 = sesame.linear %x, %wl : tensor<?x20xf32>, tensor<20x20xf32> -> tensor<?x20xf32>
  %1 = sesame.linear %x, %wm : tensor<?x20xf32>, tensor<20x20xf32> -> tensor<?x20xf32>
  %2 = sesame.linear %x, %wl activation = relu : tensor<?x20xf32>, tensor<20x20xf32> -> tensor<?x20xf32>
  %3 = sesame.linear %x, %wl layout = kn : tensor<?x20xf32>, tensor<20x20xf32> -> tensor<?x20xf32>
  %4 = sesame.linear %x, %wl residual(%e : tensor<?x20xf32>) : tensor<?x20xf32>, tensor<20x20xf32> -> tensor<?x20xf32>
  %5 = sesame.linear %x, %v : tensor<?x20xf32>, tensor<20x20xf32> -> tensor<?x20xf32>
  %6 = sesame.linear %x, %t : tensor<?x20xf32>, tensor<20x20xf32> -> tensor<?x20xf32>
  %7 = sesame.linear %x, %wl bias(%bias : tensor<20xf32>) : tensor<?x20xf32>, tensor<20x20xf32> -> tensor<?x20xf32>
  %8 = sesame.linear %x, %p layout = panels : tensor<?x20xf32>, tensor<2x20x16xf32> -> tensor<?x20xf32>
  return %0, %1, %2, %3, %4, %5, %6, %7, %8, %e : tensor<?x20xf32>, tensor<?x20xf32>, tensor<?x20xf32>, tensor<?x20xf32>, tensor<?x20xf32>, tensor<?x20xf32>, tensor<?x20xf32>, tensor<?x20xf32>, tensor<?x20xf32>, tensor<?x20xf32>
}
