// RUN: sesame-opt %s --sesame-tile-recurrent=weight-type=int8 --canonicalize --cse | FileCheck %s
// RUN: sesame-opt %s --sesame-tile-recurrent="weight-type=bf16 bf16-words" --canonicalize --cse | FileCheck %s --check-prefix=BF16
// RUN: sesame-opt %s --sesame-tile-recurrent=weight-type=bf16 --canonicalize --cse | FileCheck %s --check-prefix=WIDENED
// RUN: sesame-opt %s --sesame-tile-recurrent="weight-type=int8 panel-width=16" --canonicalize --cse | FileCheck %s --check-prefix=NARROW
// RUN: not sesame-opt %s --sesame-tile-recurrent=weight-type=i8 2>&1 | FileCheck %s --check-prefix=TYPE
// TYPE: sesame-tile-recurrent: weight-type must be f32, bf16, f16 or int8, got 'i8'

// Panels of words, a block of units of all gates in each, with the sums and scales of their columns.
// CHECK-LABEL:   sesame.weight @u.gates : tensor<2x7x64xi32>
// CHECK-COUNT-4:   sesame.pack_word_panels %{{.*}} of i8 layout = nk : tensor<20x20xf32> -> tensor<2x7x16xi32>
// CHECK:           tensor.concat dim(2)
// BF16-LABEL:    sesame.weight @u.gates : tensor<2x10x64xi32>
// BF16-COUNT-4:    sesame.pack_word_panels %{{.*}} of bf16
// Without instructions for bf16 it is only stored so.
// WIDENED-LABEL: sesame.weight @u.gates : tensor<2x20x64xbf16>
// WIDENED:         arith.truncf %{{.*}} : tensor<1x80x20xf32> to tensor<1x80x20xbf16>
// WIDENED-COUNT-4: sesame.pack_panels %{{.*}} : tensor<20x20xbf16> -> tensor<2x20x16xbf16>
// With few registers a panel is of one gate.
// NARROW-LABEL:  sesame.weight @u.gates : tensor<8x7x16xi32>
// NARROW:          tensor.concat dim(0)
sesame.weight @w : tensor<1x80x6xf32> {
  %0 = sesame.checkpoint_tensor ["w"] : tensor<1x80x6xf32>
  sesame.yield %0 : tensor<1x80x6xf32>
}
sesame.weight @u : tensor<1x80x20xf32> {
  %0 = sesame.checkpoint_tensor ["u"] : tensor<1x80x20xf32>
  sesame.yield %0 : tensor<1x80x20xf32>
}

// The input's part lies step by step. The rows of the hidden state are packed once a step.
// CHECK-LABEL:  func.func @lstm
// CHECK-SAME:     %[[X:[^ ]*]]: tensor<?x?x6xf32>
// CHECK:          %[[BY_STEP:.*]] = linalg.transpose ins(%[[X]] : tensor<?x?x6xf32>) {{.*}} permutation = [1, 0, 2]
// CHECK:          sesame.linear %[[BY_STEP]]
// CHECK:          %[[FIRST:.*]] = scf.forall
// CHECK:            sesame.pack_words_tile of i8 input(%{{.*}} : tensor<?x20xf32>) out(%{{.*}} : tensor<?x7xi32>)
// CHECK:          scf.for %{{.*}} iter_args(%{{.*}}, %[[WORDS:.*]] = %[[FIRST]], %[[H:.*]] = %{{.*}}, %{{.*}}) -> (tensor<?x?x20xf32>, tensor<?x7xi32>, tensor<1x?x20xf32>, tensor<1x?x20xf32>)
// CHECK:            %[[NEXT:.*]]:3 = scf.forall
// CHECK:              %[[LHS:.*]] = tensor.extract_slice %[[WORDS]]
// CHECK:              sesame.word_matmul_tile of i8 lhs(%[[LHS]] : tensor<?x7xi32>) panel(%{{.*}} : tensor<7x64xi32>)
// CHECK-NOT:          matmul_tile
// CHECK:            scf.forall
// CHECK:              %[[ROWS:.*]] = tensor.extract_slice %[[NEXT]]#1
// CHECK:              sesame.pack_words_tile of i8 input(%[[ROWS]] : tensor<?x20xf32>) out(%{{.*}} : tensor<?x7xi32>)
// CHECK-NOT:          matmul_tile
// CHECK-NOT:      sesame.lstm
// BF16-LABEL:   func.func @lstm
// BF16:           sesame.pack_words_tile of bf16
// BF16:           sesame.word_matmul_tile of bf16
// WIDENED-LABEL: func.func @lstm
// WIDENED-NOT:    linalg.transpose
// WIDENED:        sesame.matmul_tile lhs(%{{.*}} : tensor<?x20xf32>) panel(%{{.*}} : tensor<20x64xbf16>)
// NARROW-LABEL: func.func @lstm
// NARROW-COUNT-4: sesame.word_matmul_tile of i8 lhs(%{{.*}} : tensor<?x7xi32>) panel(%{{.*}} : tensor<7x16xi32>)
func.func @lstm(%x: tensor<?x?x6xf32>) -> tensor<?x?x20xf32> {
  %w = sesame.get_weight @w : tensor<1x80x6xf32>
  %u = sesame.get_weight @u : tensor<1x80x20xf32>
  %y, %h, %c = sesame.lstm %x, %w, %u direction = forward : tensor<?x?x6xf32>, tensor<1x80x6xf32>, tensor<1x80x20xf32> -> tensor<?x?x20xf32>, tensor<1x?x20xf32>, tensor<1x?x20xf32>
  return %y : tensor<?x?x20xf32>
}

// A projection's factor is packed too. The op's attribute goes before the option.
// CHECK-LABEL: func.func @projected
// CHECK:         sesame.pack_words_tile of bf16 input(%{{.*}} : tensor<?x8xf32>) out(%{{.*}} : tensor<?x4xi32>)
// CHECK:         sesame.word_matmul_tile of bf16
// CHECK:         sesame.pack_words_tile of bf16 input(%{{.*}} : tensor<?x20xf32>) out(%{{.*}} : tensor<?x10xi32>)
// CHECK:         sesame.word_matmul_tile of bf16
sesame.weight @projected.u : tensor<1x80x8xf32> {
  %0 = sesame.checkpoint_tensor ["v"] : tensor<1x80x8xf32>
  sesame.yield %0 : tensor<1x80x8xf32>
}
sesame.weight @projected.p : tensor<1x8x20xf32> {
  %0 = sesame.checkpoint_tensor ["p"] : tensor<1x8x20xf32>
  sesame.yield %0 : tensor<1x8x20xf32>
}
func.func @projected(%x: tensor<?x?x6xf32>) -> tensor<?x?x8xf32> {
  %w = sesame.get_weight @w : tensor<1x80x6xf32>
  %u = sesame.get_weight @projected.u : tensor<1x80x8xf32>
  %p = sesame.get_weight @projected.p : tensor<1x8x20xf32>
  %y, %h, %c = sesame.lstm %x, %w, %u projection(%p : tensor<1x8x20xf32>) direction = forward {sesame.words = bf16} : tensor<?x?x6xf32>, tensor<1x80x6xf32>, tensor<1x80x8xf32> -> tensor<?x?x8xf32>, tensor<1x?x8xf32>, tensor<1x?x20xf32>
  return %y : tensor<?x?x8xf32>
}
