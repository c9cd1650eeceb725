// RUN: sesame-opt %s --sesame-tile-linear --canonicalize --cse | FileCheck %s

// The rows are packed once for both linears, in a loop of their own.
// CHECK-LABEL: func.func @two_linears_over_one_input
// CHECK-SAME:    %[[X:.*]]: tensor<?x36xf32>, %[[V:.*]]: tensor<2x11x32xi32>, %[[W:.*]]: tensor<2x11x32xi32>
// CHECK:         %[[Q:.*]] = scf.forall (%{{.*}}) in (%{{.*}}) shared_outs(%{{.*}}) -> (tensor<?x11xi32>) {
// CHECK:           sesame.pack_words_tile of i8 input(%{{.*}} : tensor<?x36xf32>) out(%{{.*}} : tensor<?x11xi32>)
// CHECK:         %[[UP:.*]] = scf.forall
// CHECK:           tensor.extract_slice %[[Q]]
// CHECK:           tensor.extract_slice %[[V]]
// CHECK:           sesame.word_matmul_tile of i8 lhs(%{{.*}} : tensor<?x11xi32>) panel(%{{.*}} : tensor<11x32xi32>) out
// CHECK-NOT:     sesame.pack_words_tile
// CHECK:         scf.forall {{.*}} shared_outs(%{{.*}} = %[[UP]])
// CHECK:           tensor.extract_slice %[[Q]]
// CHECK:           sesame.word_matmul_tile {{.*}} activation = silu combine = multiply out
func.func @two_linears_over_one_input(%x: tensor<?x36xf32>, %v: tensor<2x11x32xi32>, %w: tensor<2x11x32xi32>) -> tensor<?x44xf32> {
  %up = sesame.word_linear %x, %v of i8 : tensor<?x36xf32>, tensor<2x11x32xi32> -> tensor<?x44xf32>
  %y = sesame.word_linear %x, %w of i8 activation = silu combine = multiply other(%up : tensor<?x44xf32>)
     : tensor<?x36xf32>, tensor<2x11x32xi32> -> tensor<?x44xf32>
  return %y : tensor<?x44xf32>
}

// CHECK-LABEL: func.func @rank_3_of_bf16
// CHECK:         tensor.collapse_shape
// CHECK:         sesame.pack_words_tile of bf16 input(%{{.*}} : tensor<?x36xf32>) out(%{{.*}} : tensor<?x18xi32>)
// CHECK:         sesame.word_matmul_tile of bf16 {{.*}} bias(%{{.*}})
// CHECK:         tensor.expand_shape
func.func @rank_3_of_bf16(%x: tensor<?x?x36xf32>, %w: tensor<2x18x32xi32>, %b: tensor<44xf32>) -> tensor<?x?x44xf32> {
  %y = sesame.word_linear %x, %w of bf16 bias(%b : tensor<44xf32>) : tensor<?x?x36xf32>, tensor<2x18x32xi32> -> tensor<?x?x44xf32>
  return %y : tensor<?x?x44xf32>
}

// Rows in another order are packed in it.
// CHECK-LABEL: func.func @exchanged
// CHECK-SAME:    %[[X:[^ ]*]]: tensor<?x?x36xf32>
// CHECK:         %[[PACKED:.*]] = scf.forall (%[[ROW:.*]], %{{.*}}) in {{.*}} -> (tensor<?x?x18xi32>) {
// CHECK:           tensor.extract_slice %[[X]][%[[ROW]], %[[FIRST:.*]], 0] [1, %[[COUNT:.*]], 36]
// CHECK:           sesame.pack_words_tile of bf16 input(%{{.*}} : tensor<?x36xf32>) out(%{{.*}} : tensor<?x18xi32>)
// CHECK:           tensor.parallel_insert_slice {{.*}}[%[[FIRST]], %[[ROW]], 0] [%[[COUNT]], 1, 18]
// CHECK:         tensor.collapse_shape %[[PACKED]]
func.func @exchanged(%x: tensor<?x?x36xf32>, %w: tensor<2x18x32xi32>) -> tensor<?x?x44xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = tensor.dim %x, %c0 : tensor<?x?x36xf32>
  %s = tensor.dim %x, %c1 : tensor<?x?x36xf32>
  %e = tensor.empty(%s, %r) : tensor<?x?x36xf32>
  %t = linalg.transpose ins(%x : tensor<?x?x36xf32>) outs(%e : tensor<?x?x36xf32>) permutation = [1, 0, 2]
  %y = sesame.word_linear %t, %w of bf16 : tensor<?x?x36xf32>, tensor<2x18x32xi32> -> tensor<?x?x44xf32>
  return %y : tensor<?x?x44xf32>
}

// A result that only linears of bf16 read is stored as the words that these would pack; the result of the second has another reader.
// CHECK-LABEL: func.func @words_for_the_next
// CHECK-SAME:    %[[X:[^ ]*]]: tensor<?x?x36xf32>
// CHECK:         sesame.pack_words_tile
// CHECK:         %[[UP:.*]] = scf.forall {{.*}} -> (tensor<?x22xi32>) {
// CHECK:           tensor.extract_slice {{.*}} : tensor<?x22xi32> to tensor<?x?xi32>
// CHECK:           sesame.word_matmul_tile of bf16 {{.*}} bias({{.*}}) activation = gelu out(%{{.*}} : tensor<?x?xi32>)
// CHECK-NOT:     sesame.pack_words_tile
// CHECK:         %[[DOWN:.*]] = scf.forall {{.*}} -> (tensor<?x36xf32>) {
// CHECK:           tensor.extract_slice %[[UP]]
// CHECK:         sesame.pack_words_tile
func.func @words_for_the_next(%x: tensor<?x?x36xf32>, %v: tensor<2x18x32xi32>, %b: tensor<44xf32>, %w: tensor<2x22x32xi32>)
    -> (tensor<?x?x36xf32>, tensor<?x?x44xf32>) {
  %up = sesame.word_linear %x, %v of bf16 bias(%b : tensor<44xf32>) activation = gelu : tensor<?x?x36xf32>, tensor<2x18x32xi32> -> tensor<?x?x44xf32>
  %down = sesame.word_linear %up, %w of bf16 : tensor<?x?x44xf32>, tensor<2x22x32xi32> -> tensor<?x?x36xf32>
  %y = sesame.word_linear %down, %v of bf16 : tensor<?x?x36xf32>, tensor<2x18x32xi32> -> tensor<?x?x44xf32>
  return %down, %y : tensor<?x?x36xf32>, tensor<?x?x44xf32>
}

// A row's step has 20 words, a column's of ui4 9.
// CHECK-LABEL: func.func @groups
// CHECK:         sesame.pack_words_tile of ui4 input(%{{.*}} : tensor<?x70xf32>) out(%{{.*}} : tensor<?x40xi32>)
// CHECK:         sesame.word_matmul_tile of ui4 lhs(%{{.*}} : tensor<?x40xi32>) panel(%{{.*}} : tensor<18x32xi32>)
func.func @groups(%x: tensor<?x70xf32>, %w: tensor<2x18x32xi32>) -> tensor<?x44xf32> {
  %y = sesame.word_linear %x, %w of ui4 : tensor<?x70xf32>, tensor<2x18x32xi32> -> tensor<?x44xf32>
  return %y : tensor<?x44xf32>
}
