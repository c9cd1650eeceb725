// RUN: sesame-opt %s --sesame-tile-attention --resolve-shaped-type-result-dims --canonicalize --cse | FileCheck %s
// RUN: sesame-opt %s --sesame-tile-attention=bf16 | FileCheck %s --check-prefix=BF16
// BF16: sesame.attention_tile {{.*}} softcap = {{.*}} bf16 out(

// CHECK-DAG: #[[$BLOCKS:.*]] = affine_map<()[s0] -> (s0 ceildiv 64)>
// CHECK-DAG: #[[$ROW:.*]] = affine_map<(d0) -> (d0 * 64)>
// CHECK-DAG: #[[$ROWS:.*]] = affine_map<(d0)[s0] -> (d0 * -64 + s0, 64)>
// CHECK-DAG: #[[$FIRST:.*]] = affine_map<(d0)[s0, s1] -> (d0 * 64 - s0 + s1)>
// CHECK-DAG: #[[$HEAD:.*]] = affine_map<(d0) -> (d0 * 3)>
// CHECK-DAG: #[[$GROUP:.*]] = affine_map<(d0) -> (d0 floordiv 3)>

// Six query heads share two key heads, and the values are narrower than the keys. The mask's only row serves every batch row.
// CHECK-LABEL: func.func @grouped_heads
// CHECK-SAME:    %[[Q:.*]]: tensor<?x6x?x20xf32>, %[[K:.*]]: tensor<?x2x?x20xf32>, %[[V:.*]]: tensor<?x2x?x12xf32>, %[[MASK:.*]]: tensor<1x?xi64>
// CHECK-DAG:     %[[B:.*]] = tensor.dim %[[Q]], %c0
// CHECK-DAG:     %[[S:.*]] = tensor.dim %[[Q]], %c2
// CHECK-DAG:     %[[T:.*]] = tensor.dim %[[K]], %c2
// CHECK:         %[[STEP:.*]] = arith.cmpi eq, %[[S]], %c1
// CHECK:         scf.if %[[STEP]]
// A step: three heads read their keys once.
// CHECK:           scf.forall (%[[I:.*]], %[[J:.*]]) in (%[[B]], 2) shared_outs(%[[O:.*]] = %[[E:.*]]) -> (tensor<?x6x?x12xf32>)
// CHECK-DAG:         %[[H:.*]] = affine.apply #[[$HEAD]](%[[J]])
// CHECK-DAG:         %[[QT:.*]] = tensor.extract_slice %[[Q]][%[[I]], %[[H]], 0, 0] [1, 3, 1, 20] [1, 1, 1, 1] : tensor<?x6x?x20xf32> to tensor<3x20xf32>
// CHECK-DAG:         %[[KT:.*]] = tensor.extract_slice %[[K]][%[[I]], %[[J]], 0, 0] [1, 1, %[[T]], 20]
// CHECK-DAG:         %[[OT:.*]] = tensor.extract_slice %[[O]][%[[I]], %[[H]], 0, 0] [1, 3, 1, 12] [1, 1, 1, 1] : tensor<?x6x?x12xf32> to tensor<3x12xf32>
// CHECK:             sesame.attention_tile heads query(%[[QT]] : {{.*}}) key(%[[KT]] : {{.*}}) value({{.*}}) mask({{.*}}) first({{.*}}) causal window = 5 {{.*}} out(%[[OT]]
// CHECK:         } else {
// CHECK:         %[[NB:.*]] = affine.apply #[[$BLOCKS]]()[%[[S]]]
// CHECK:         scf.forall (%[[I:.*]], %[[H:.*]], %[[J:.*]]) in (%[[B]], 6, %[[NB]]) shared_outs(%[[O:.*]] = %[[E]]) -> (tensor<?x6x?x12xf32>)
// CHECK-DAG:       %[[R:.*]] = affine.apply #[[$ROW]](%[[J]])
// CHECK-DAG:       %[[N:.*]] = affine.min #[[$ROWS]](%[[J]])[%[[S]]]
// CHECK-DAG:       %[[G:.*]] = affine.apply #[[$GROUP]](%[[H]])
// CHECK-DAG:       %[[F:.*]] = affine.apply #[[$FIRST]](%[[J]])[%[[S]], %[[T]]]
// CHECK-DAG:       %[[QT:.*]] = tensor.extract_slice %[[Q]][%[[I]], %[[H]], %[[R]], 0] [1, 1, %[[N]], 20]
// CHECK-DAG:       %[[KT:.*]] = tensor.extract_slice %[[K]][%[[I]], %[[G]], 0, 0] [1, 1, %[[T]], 20]
// CHECK-DAG:       %[[VT:.*]] = tensor.extract_slice %[[V]][%[[I]], %[[G]], 0, 0] [1, 1, %[[T]], 12]
// CHECK-DAG:       %[[MT:.*]] = tensor.extract_slice %[[MASK]][0, 0] [1, %[[T]]] [1, 1] : tensor<1x?xi64> to tensor<?xi64>
// CHECK-DAG:       %[[OT:.*]] = tensor.extract_slice %[[O]][%[[I]], %[[H]], %[[R]], 0] [1, 1, %[[N]], 12]
// CHECK:           sesame.attention_tile query(%[[QT]] : {{.*}}) key(%[[KT]] : {{.*}}) value(%[[VT]] : {{.*}}) mask(%[[MT]] : {{.*}}) first(%[[F]]) causal window = 5 scale = {{.*}} softcap = {{.*}} out(%[[OT]]
func.func @grouped_heads(%q: tensor<?x6x?x20xf32>, %k: tensor<?x2x?x20xf32>, %v: tensor<?x2x?x12xf32>, %m: tensor<1x?xi64>) -> tensor<?x6x?x12xf32> {
  %o = sesame.attention %q, %k, %v mask(%m : tensor<1x?xi64>) causal window = 5 scale = 0.25 softcap = 30.0
     : tensor<?x6x?x20xf32>, tensor<?x2x?x20xf32>, tensor<?x2x?x12xf32> -> tensor<?x6x?x12xf32>
  return %o : tensor<?x6x?x12xf32>
}

// A mask per query, and a bias that is the same for all batch rows and queries.
// CHECK-LABEL: func.func @mask_per_query_and_bias
// CHECK-SAME:    %[[MASK:[^ ]*]]: tensor<2x70x13xi1>, %[[BIAS:[^ ]*]]: tensor<1x3x1x13xf32>
// CHECK:         scf.forall (%[[I:.*]], %[[H:.*]], %[[J:.*]]) in (2, 3, 2)
// CHECK-DAG:       %[[MT:.*]] = tensor.extract_slice %[[MASK]][%[[I]], %[[R:.*]], 0] [1, %[[N:.*]], 13] [1, 1, 1] : tensor<2x70x13xi1> to tensor<?x13xi1>
// CHECK-DAG:       %[[BT:.*]] = tensor.extract_slice %[[BIAS]][0, %[[H]], 0, 0] [1, 1, 1, 13] [1, 1, 1, 1] : tensor<1x3x1x13xf32> to tensor<1x13xf32>
// CHECK:           sesame.attention_tile {{.*}} mask(%[[MT]] : {{.*}}) bias(%[[BT]] : {{.*}}) first
func.func @mask_per_query_and_bias(%q: tensor<2x3x70x8xf32>, %k: tensor<2x3x13x8xf32>, %m: tensor<2x70x13xi1>, %b: tensor<1x3x1x13xf32>) -> tensor<2x3x70x8xf32> {
  %o = sesame.attention %q, %k, %k mask(%m : tensor<2x70x13xi1>) bias(%b : tensor<1x3x1x13xf32>) scale = 1.0
     : tensor<2x3x70x8xf32>, tensor<2x3x13x8xf32>, tensor<2x3x13x8xf32> -> tensor<2x3x70x8xf32>
  return %o : tensor<2x3x70x8xf32>
}

// Query heads straight from the merged product, keys straight from a layer of the cache, the result in the reader's order: no transpose is left.
// CHECK-LABEL: func.func @views_are_looked_through
// CHECK-SAME:    %[[QKV:.*]]: tensor<?x?x108xf32>, %[[CACHE:.*]]: tensor<2x?x3x?x12xf32>, %[[L:.*]]: index, %[[T:.*]]: index
// CHECK-NOT:     linalg.transpose
// CHECK:         scf.forall (%[[I:.*]], %[[H:.*]], %[[J:.*]]) in (%{{.*}}, 3, %{{.*}}) shared_outs(%[[O:.*]] = %{{.*}}) -> (tensor<?x?x3x12xf32>)
// CHECK-DAG:       %[[COL:.*]] = affine.apply #{{.*}}()[%[[H]]]
// CHECK-DAG:       tensor.extract_slice %[[QKV]][%[[I]], %[[R:.*]], %[[COL]]] [1, %[[N:.*]], 12] [1, 1, 1] : tensor<?x?x108xf32> to tensor<?x12xf32>
// CHECK-DAG:       tensor.extract_slice %[[CACHE]][%[[L]], %[[I]], %[[H]], 0, 0] [1, 1, 1, %[[T]], 12]
// CHECK-DAG:       tensor.extract_slice %[[O]][%[[I]], %[[R]], %[[H]], 0] [1, %[[N]], 1, 12] [1, 1, 1, 1] : tensor<?x?x3x12xf32> to tensor<?x12xf32>
// CHECK:           tensor.parallel_insert_slice %{{.*}} into %[[O]][%[[I]], %[[R]], %[[H]], 0] [1, %[[N]], 1, 12]
// CHECK-NOT:     linalg.transpose
func.func @views_are_looked_through(%qkv: tensor<?x?x108xf32>, %cache: tensor<2x?x3x?x12xf32>, %l: index, %t: index) -> tensor<?x?x36xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %qkv, %c0 : tensor<?x?x108xf32>
  %s = tensor.dim %qkv, %c1 : tensor<?x?x108xf32>
  %q0 = tensor.extract_slice %qkv[0, 0, 36] [%b, %s, 36] [1, 1, 1] : tensor<?x?x108xf32> to tensor<?x?x36xf32>
  %q1 = tensor.expand_shape %q0 [[0], [1], [2, 3]] output_shape [%b, %s, 3, 12] : tensor<?x?x36xf32> into tensor<?x?x3x12xf32>
  %e = tensor.empty(%b, %s) : tensor<?x3x?x12xf32>
  %q = linalg.transpose ins(%q1 : tensor<?x?x3x12xf32>) outs(%e : tensor<?x3x?x12xf32>) permutation = [0, 2, 1, 3]
  %k = tensor.extract_slice %cache[%l, 0, 0, 0, 0] [1, %b, 3, %t, 12] [1, 1, 1, 1, 1] : tensor<2x?x3x?x12xf32> to tensor<?x3x?x12xf32>
  %o = sesame.attention %q, %k, %k causal scale = 0.25 : tensor<?x3x?x12xf32>, tensor<?x3x?x12xf32>, tensor<?x3x?x12xf32> -> tensor<?x3x?x12xf32>
  %f = tensor.empty(%b, %s) : tensor<?x?x3x12xf32>
  %o1 = linalg.transpose ins(%o : tensor<?x3x?x12xf32>) outs(%f : tensor<?x?x3x12xf32>) permutation = [0, 2, 1, 3]
  %o2 = tensor.collapse_shape %o1 [[0], [1], [2, 3]] : tensor<?x?x3x12xf32> into tensor<?x?x36xf32>
  return %o2 : tensor<?x?x36xf32>
}

// Keys that lie as [D, T] are made first: a tile of them would be transposed.
// CHECK-LABEL: func.func @transposed_keys_are_made
// CHECK:         %[[K:.*]] = linalg.transpose
// CHECK:         scf.forall
// CHECK:           tensor.extract_slice %[[K]][
func.func @transposed_keys_are_made(%q: tensor<1x2x5x8xf32>, %kt: tensor<1x2x8x9xf32>) -> tensor<1x2x5x8xf32> {
  %e = tensor.empty() : tensor<1x2x9x8xf32>
  %k = linalg.transpose ins(%kt : tensor<1x2x8x9xf32>) outs(%e : tensor<1x2x9x8xf32>) permutation = [0, 1, 3, 2]
  %o = sesame.attention %q, %k, %k scale = 1.0 : tensor<1x2x5x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32> -> tensor<1x2x5x8xf32>
  return %o : tensor<1x2x5x8xf32>
}

// CHECK-LABEL: func.func @second_reader_keeps_the_order
// CHECK:         scf.forall {{.*}} -> (tensor<1x2x5x8xf32>)
// CHECK:         linalg.transpose
func.func @second_reader_keeps_the_order(%q: tensor<1x2x5x8xf32>, %k: tensor<1x2x9x8xf32>) -> (tensor<1x5x2x8xf32>, tensor<1x2x5x8xf32>) {
  %o = sesame.attention %q, %k, %k scale = 1.0 : tensor<1x2x5x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32> -> tensor<1x2x5x8xf32>
  %e = tensor.empty() : tensor<1x5x2x8xf32>
  %t = linalg.transpose ins(%o : tensor<1x2x5x8xf32>) outs(%e : tensor<1x5x2x8xf32>) permutation = [0, 2, 1, 3]
  return %t, %o : tensor<1x5x2x8xf32>, tensor<1x2x5x8xf32>
}

// A step alone. One task would be too few: the four heads of the only group take two; the bias is one row of each.
// CHECK-LABEL: func.func @heads_of_one_group
// CHECK-SAME:    %[[Q:.*]]: tensor<1x4x1x8xf32>, %[[K:.*]]: tensor<1x1x9x8xf32>, %[[BIAS:.*]]: tensor<1x4x1x9xf32>, %[[MASK:.*]]: tensor<1x1x9xi64>
// CHECK-NOT:     scf.if
// CHECK:         scf.forall (%[[J:.*]]) in (2)
// CHECK-DAG:       tensor.extract_slice %[[BIAS]][0, %[[H:.*]], 0, 0] [1, 2, 1, 9] [1, 1, 1, 1] : tensor<1x4x1x9xf32> to tensor<2x9xf32>
// CHECK-DAG:       tensor.extract_slice %[[MASK]][0, 0, 0] [1, 1, 9] [1, 1, 1] : tensor<1x1x9xi64> to tensor<9xi64>
// CHECK:           sesame.attention_tile heads
// CHECK-NOT:     scf.forall (
func.func @heads_of_one_group(%q: tensor<1x4x1x8xf32>, %k: tensor<1x1x9x8xf32>, %b: tensor<1x4x1x9xf32>, %m: tensor<1x1x9xi64>) -> tensor<1x4x1x8xf32> {
  %o = sesame.attention %q, %k, %k mask(%m : tensor<1x1x9xi64>) bias(%b : tensor<1x4x1x9xf32>) scale = 1.0
     : tensor<1x4x1x8xf32>, tensor<1x1x9x8xf32>, tensor<1x1x9x8xf32> -> tensor<1x4x1x8xf32>
  return %o : tensor<1x4x1x8xf32>
}
