// RUN: sesame-opt %s --sesame-tile-recurrent=task-bytes=1 --canonicalize --cse | FileCheck %s
// RUN: sesame-opt %s --sesame-tile-recurrent --canonicalize --cse | FileCheck %s --check-prefix=LARGE

// One projection for all steps and directions; panels of the directions one after the other, with 16 units of all gates in each.
// CHECK-LABEL: sesame.weight @w.rows count = 2 : tensor<432x6xf32>
// CHECK:         tensor.collapse_shape %{{.*}} {{\[\[}}0, 1], [2]]
// CHECK-LABEL: sesame.weight @u.gates count = 2 : tensor<10x72x48xf32>
// CHECK:         %[[R:.*]] = tensor.extract_slice %{{.*}}[0, 0, 0] [1, 72, 72]
// CHECK:         sesame.pack_panels %[[R]] layout = nk : tensor<72x72xf32> -> tensor<5x72x16xf32>
// CHECK:         tensor.extract_slice %{{.*}}[0, 72, 0] [1, 72, 72]
// CHECK:         tensor.extract_slice %{{.*}}[0, 144, 0] [1, 72, 72]
// CHECK:         tensor.concat dim(2)
// CHECK:         tensor.extract_slice %{{.*}}[1, 0, 0] [1, 72, 72]
// CHECK:         tensor.extract_slice %{{.*}}[1, 72, 0] [1, 72, 72]
// CHECK:         tensor.extract_slice %{{.*}}[1, 144, 0] [1, 72, 72]
// CHECK:         tensor.concat dim(2)
// CHECK:         tensor.concat dim(0)
sesame.weight @w count = 2 : tensor<2x216x6xf32> {
  %0 = sesame.checkpoint_tensor ["h.", ".w"] : tensor<2x216x6xf32>
  sesame.yield %0 : tensor<2x216x6xf32>
}
sesame.weight @u count = 2 : tensor<2x216x72xf32> {
  %0 = sesame.checkpoint_tensor ["h.", ".u"] : tensor<2x216x72xf32>
  sesame.yield %0 : tensor<2x216x72xf32>
}

// A step is one parallel loop over directions, blocks of rows and panels of units, with one product for all gates.
// CHECK-LABEL: func.func @gru
// CHECK-SAME:    %[[X:.*]]: tensor<?x?x6xf32>, %[[N:.*]]: tensor<?xi64>, %[[L:.*]]: index
// CHECK:         %[[W:.*]] = sesame.get_weight @w.rows[%[[L]]]
// CHECK:         %[[G:.*]] = sesame.linear %[[X]], %[[W]] : tensor<?x?x6xf32>, tensor<432x6xf32> -> tensor<?x?x432xf32>
// CHECK:         %[[U:.*]] = sesame.get_weight @u.gates[%[[L]]]
// The state before the first step is the first of two halves.
// CHECK:         %[[H0:.*]] = tensor.insert_slice %{{.*}} into %{{.*}}[0, 0, 0] [2, %{{.*}}, 72] [1, 1, 1] : tensor<2x?x72xf32> into tensor<4x?x72xf32>
// CHECK:         %[[LAST:.*]]:2 = scf.for %[[T:.*]] = %c0 to %{{.*}} step %c1 iter_args(%[[Y:.*]] = %{{.*}}, %[[H:.*]] = %[[H0]]) -> (tensor<?x?x144xf32>, tensor<4x?x72xf32>)
// Each step reads one half and writes the other.
// CHECK:           %[[BUFFER:.*]] = bufferization.to_buffer %[[H]] read_only
// CHECK:           %[[PARITY:.*]] = arith.andi %[[T]], %c1
// CHECK:           %[[OLD:.*]] = arith.muli %[[PARITY]], %c2
// CHECK:           %[[HALF:.*]] = memref.subview %[[BUFFER]][%[[OLD]], 0, 0] [2,
// CHECK:           %[[BEFORE:.*]] = bufferization.to_tensor %[[HALF]] restrict
// CHECK:           %[[NEW:.*]] = arith.subi %c2, %[[OLD]]
// CHECK:           %[[STEP:.*]]:2 = scf.forall (%[[Q:.*]], %[[I:.*]], %[[J:.*]]) in (2, %{{.*}}, 5) shared_outs(%[[NEXT:.*]] = %[[H]], %[[Y1:.*]] = %[[Y]])
// CHECK:             %[[PLACE:.*]] = arith.addi %[[NEW]], %[[Q]]
// CHECK:             tensor.extract_slice %[[NEXT]][%[[PLACE]], %{{.*}}, %{{.*}}]
// CHECK:             %[[LHS:.*]] = tensor.extract_slice %[[BEFORE]][%[[Q]], %{{.*}}, 0] [1, %{{.*}}, 72]
// While the product runs, the input's parts of all gates are on their way.
// CHECK-COUNT-3:       memref.prefetch
// CHECK:             %[[P:.*]] = tensor.extract_slice %[[U]][%{{.*}}, 0, 0] [1, 72, 48]
// CHECK:             %[[S:.*]] = sesame.matmul_tile lhs(%[[LHS]] : tensor<?x72xf32>) panel(%[[P]] : tensor<72x48xf32>)
// CHECK-NOT:         sesame.matmul_tile
// The second direction begins at a row's last real step. The gates of all rows come first.
// CHECK:             %[[MADE:.*]]:2 = scf.for
// CHECK:               %[[LENGTH:.*]] = tensor.extract %[[N]]
// CHECK:               %[[ACTIVE:.*]] = arith.cmpi slt, %[[T]]
// CHECK:               %[[BACK:.*]] = arith.cmpi eq, %[[Q]], %c1
// CHECK:               %[[MIRRORED:.*]] = arith.andi %[[BACK]], %[[ACTIVE]]
// CHECK:               %[[POSITION:.*]] = arith.select %[[MIRRORED]], %{{.*}}, %[[T]]
// CHECK:               vector.transfer_read %[[S]][%{{.*}}, %c0]
// CHECK:               vector.transfer_read %[[S]][%{{.*}}, %c16]
// CHECK:               vector.transfer_read %[[S]][%{{.*}}, %c32]
// CHECK:               vector.transfer_read %[[G]][%{{.*}}, %[[POSITION]], %{{.*}}], %{{.*}}, %{{.*}} {in_bounds = [true]} : tensor<?x?x432xf32>, vector<16xf32>
// CHECK-NOT:           math.tanh
// A row that has ended keeps its state.
// CHECK:             %[[STATE:.*]] = scf.for
// CHECK:               %[[ACTIVE2:.*]] = arith.cmpi slt, %[[T]]
// CHECK:               vector.transfer_read %[[MADE]]#1
// CHECK:               math.tanh
// CHECK:               %[[KEPT:.*]] = arith.select %[[ACTIVE2]], %{{.*}}, %{{.*}} : vector<16xf32>
// CHECK:               vector.transfer_write %[[KEPT]]
// Its output is 0. With a few rows the task stores it.
// CHECK:             %[[FEW:.*]] = arith.cmpi ule, %{{.*}}, %c16
// CHECK:             %[[STORED:.*]] = arith.select %[[FEW]], %{{.*}}, %c0
// CHECK:             scf.for %{{.*}} = %c0 to %[[STORED]] step %c1
// CHECK:               %[[ACTIVE3:.*]] = arith.cmpi slt, %[[T]]
// CHECK:               %[[HIDDEN:.*]] = vector.transfer_read %[[STATE]]
// CHECK:               %[[OUT:.*]] = arith.select %[[ACTIVE3]], %[[HIDDEN]], %{{.*}} : vector<16xf32>
// CHECK:               vector.transfer_write %[[OUT]]
// CHECK:             tensor.parallel_insert_slice %{{.*}} into %[[NEXT]]
// CHECK:             tensor.parallel_insert_slice %{{.*}} into %[[Y1]]
// CHECK:           } {sesame.alternates}
// Many rows are stored as a whole, direction by direction.
// CHECK:           %[[FORWARD:.*]] = scf.forall (%{{.*}}) in (%{{.*}}) shared_outs(%{{.*}} = %[[STEP]]#1)
// CHECK:             %[[FROM:.*]] = tensor.extract_slice %[[STEP]]#0[%[[NEW]], %{{.*}}, 0] [1, %{{.*}}, 72]
// CHECK:             %[[MANY:.*]] = arith.select %{{.*}}, %c0, %{{.*}}
// CHECK:             scf.for %{{.*}} = %c0 to %[[MANY]] step %c1
// CHECK:               vector.transfer_read %[[FROM]]
// CHECK:           %[[BOTH:.*]] = scf.forall (%{{.*}}) in (%{{.*}}) shared_outs(%{{.*}} = %[[FORWARD]])
// CHECK:           scf.yield %[[BOTH]], %[[STEP]]#0
// CHECK:         tensor.extract_slice %[[LAST]]#1[%{{.*}}, 0, 0] [2, %{{.*}}, 72]
// CHECK-NOT:     sesame.gru

// Little work a step makes four tasks at most, each with a loop over its panels, in every other step from the last to the first.
// LARGE-LABEL: func.func @gru
// LARGE:         scf.for %[[T:.*]] = %c0 to
// LARGE:           %[[BIT:.*]] = arith.andi %[[T]], %c1
// LARGE:         scf.forall (%{{.*}}, %{{.*}}, %{{.*}}) in (2, %{{.*}}, 3) shared_outs
// LARGE:           scf.for %[[UP:.*]] = %c0 to %[[COUNT:.*]] step %c1
// LARGE:             %[[LAST:.*]] = arith.subi %[[COUNT]], %c1
// LARGE:             %[[DOWN:.*]] = arith.subi %[[LAST]], %[[UP]]
// LARGE:             %[[ODD:.*]] = arith.cmpi eq, %[[BIT]], %c1
// LARGE:             arith.select %[[ODD]], %[[DOWN]], %[[UP]]
// LARGE:             sesame.matmul_tile
func.func @gru(%x: tensor<?x?x6xf32>, %n: tensor<?xi64>, %l: index) -> (tensor<?x?x144xf32>, tensor<2x?x72xf32>) {
  %w = sesame.get_weight @w[%l] : tensor<2x216x6xf32>
  %u = sesame.get_weight @u[%l] : tensor<2x216x72xf32>
  %y, %h = sesame.gru %x, %w, %u lengths(%n : tensor<?xi64>) direction = bidirectional : tensor<?x?x6xf32>, tensor<2x216x6xf32>, tensor<2x216x72xf32> -> tensor<?x?x144xf32>, tensor<2x?x72xf32>
  return %y, %h : tensor<?x?x144xf32>, tensor<2x?x72xf32>
}

// An LSTM's projection needs all of its units: a second parallel loop.
// CHECK-LABEL: func.func @projected
// CHECK:         scf.forall
// CHECK:           sesame.matmul_tile lhs(%{{.*}} : tensor<?x8xf32>) panel(%{{.*}} : tensor<8x64xf32>)
// CHECK-NOT:       sesame.matmul_tile
// CHECK:         scf.forall
// CHECK:           sesame.matmul_tile lhs(%{{.*}} : tensor<?x40xf32>) panel(%{{.*}} : tensor<40x64xf32>)
// CHECK-NOT:     sesame.lstm
sesame.weight @projected.w : tensor<1x160x6xf32> {
  %0 = sesame.checkpoint_tensor ["w"] : tensor<1x160x6xf32>
  sesame.yield %0 : tensor<1x160x6xf32>
}
sesame.weight @projected.u : tensor<1x160x8xf32> {
  %0 = sesame.checkpoint_tensor ["u"] : tensor<1x160x8xf32>
  sesame.yield %0 : tensor<1x160x8xf32>
}
sesame.weight @projected.p : tensor<1x8x40xf32> {
  %0 = sesame.checkpoint_tensor ["p"] : tensor<1x8x40xf32>
  sesame.yield %0 : tensor<1x8x40xf32>
}
func.func @projected(%x: tensor<?x?x6xf32>) -> tensor<?x?x8xf32> {
  %w = sesame.get_weight @projected.w : tensor<1x160x6xf32>
  %u = sesame.get_weight @projected.u : tensor<1x160x8xf32>
  %p = sesame.get_weight @projected.p : tensor<1x8x40xf32>
  %y, %h, %c = sesame.lstm %x, %w, %u projection(%p : tensor<1x8x40xf32>) direction = forward : tensor<?x?x6xf32>, tensor<1x160x6xf32>, tensor<1x160x8xf32> -> tensor<?x?x8xf32>, tensor<1x?x8xf32>, tensor<1x?x40xf32>
  return %y : tensor<?x?x8xf32>
}

// Weights that are made at run time are not packed.
// CHECK-LABEL: func.func @computed
// CHECK:         sesame.rnn
func.func @computed(%x: tensor<?x?x6xf32>, %w: tensor<1x8x6xf32>, %u: tensor<1x8x8xf32>) -> tensor<?x?x8xf32> {
  %y, %h = sesame.rnn %x, %w, %u activation = tanh direction = forward : tensor<?x?x6xf32>, tensor<1x8x6xf32>, tensor<1x8x8xf32> -> tensor<?x?x8xf32>, tensor<1x?x8xf32>
  return %y : tensor<?x?x8xf32>
}
