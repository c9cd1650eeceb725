// RUN: sesame-opt %s --sesame-pack-weights | FileCheck %s
// RUN: sesame-opt %s --sesame-pack-weights=panel-width=16 | FileCheck %s --check-prefix=WIDTH16
// RUN: not sesame-opt %s --sesame-pack-weights=panel-width=0 2>&1 | FileCheck %s --check-prefix=WIDTH0
// RUN: sesame-opt %s --sesame-pack-weights=weight-type=bf16 | FileCheck %s --check-prefix=BF16
// RUN: sesame-opt %s --sesame-pack-weights=groups=int4 | FileCheck %s --check-prefix=INT4
// RUN: not sesame-opt %s --sesame-pack-weights=weight-type=i8 2>&1 | FileCheck %s --check-prefix=TYPE

// TYPE: weight-type must be f32, bf16, f16 or int8, got 'i8'
// BF16-NOT:  sesame.weight @tied :
// BF16:      sesame.weight @tied.panels : tensor<4x36x32xbf16> {
// BF16:        %[[T:.*]] = sesame.checkpoint_tensor ["wte"] : tensor<97x36xf32>
// BF16:        %[[N:.*]] = arith.truncf %[[T]] : tensor<97x36xf32> to tensor<97x36xbf16>
// BF16:        sesame.pack_panels %[[N]]
// A type of the same width is kept.
// BF16:      sesame.weight @stacked.panels count = 3 : tensor<4x36x32xf16> {
// WIDTH0: panel-width must be positive, got 0
// WIDTH16: sesame.weight @tied.panels : tensor<7x36x16xf32>

// The table is read by an embedding too, which takes its rows from the panels, whatever their type.
// CHECK-NOT:  sesame.weight @tied :
// CHECK:      sesame.weight @tied.panels : tensor<4x36x32xf32> {
// CHECK:        %[[T:.*]] = sesame.checkpoint_tensor ["wte"] : tensor<97x36xf32>
// CHECK:        %[[P:.*]] = sesame.pack_panels %[[T]] layout = nk : tensor<97x36xf32> -> tensor<4x36x32xf32>
// CHECK:        sesame.yield %[[P]] : tensor<4x36x32xf32>
sesame.weight @tied : tensor<97x36xf32> {
  %0 = sesame.checkpoint_tensor ["wte"] : tensor<97x36xf32>
  sesame.yield %0 : tensor<97x36xf32>
}
// Nobody reads the matrix any more, and the stack of layers stays a stack.
// CHECK-NOT:  sesame.weight @stacked count
// CHECK:      sesame.weight @stacked.panels count = 3 : tensor<4x36x32xf16> {
// CHECK:        sesame.pack_panels %{{.*}} layout = kn : tensor<36x108xf16> -> tensor<4x36x32xf16>
sesame.weight @stacked count = 3 : tensor<36x108xf16> {
  %0 = sesame.checkpoint_tensor ["h.", ".w"] : tensor<36x108xf16>
  sesame.yield %0 : tensor<36x108xf16>
}
// CHECK-NOT:  @unread
sesame.weight @unread : tensor<5xf32> {
  %0 = sesame.checkpoint_tensor ["unread"] : tensor<5xf32>
  sesame.yield %0 : tensor<5xf32>
}
// CHECK:      sesame.weight @gate.panels : tensor<2x36x32xf32>
// CHECK:      sesame.weight @up.panels : tensor<2x36x32xf32>
sesame.weight @gate : tensor<44x36xf32> {
  %0 = sesame.checkpoint_tensor ["gate"] : tensor<44x36xf32>
  sesame.yield %0 : tensor<44x36xf32>
}
sesame.weight @up : tensor<44x36xf32> {
  %0 = sesame.checkpoint_tensor ["up"] : tensor<44x36xf32>
  sesame.yield %0 : tensor<44x36xf32>
}

// Two linears share one packed weight; N = 97 is not a multiple of the panel width.
// CHECK-LABEL: func.func @two_users_and_an_embedding
// CHECK:         %[[A:.*]] = sesame.get_weight @tied.panels : tensor<4x36x32xf32>
// CHECK:         sesame.linear %{{.*}}, %[[A]] layout = panels
// CHECK:         sesame.linear %{{.*}}, %{{.*}} layout = panels
// CHECK:         sesame.embedding %{{.*}} in %{{.*}} : tensor<?xi64> in tensor<97x36xf32>
// CHECK-NOT:     @tied.panels_
// BF16-LABEL:  func.func @two_users_and_an_embedding
// BF16:          %[[T:.*]] = sesame.unpack_panels %{{.*}} : tensor<4x36x32xbf16> -> tensor<97x36xf32>
// BF16:          sesame.embedding %{{.*}} in %[[T]]
// INT4-LABEL:  func.func @two_users_and_an_embedding
// INT4:          %[[T:.*]] = sesame.unpack_panels %{{.*}} of ui4 : tensor<4x9x32xi32> -> tensor<97x36xf32>
// INT4:          sesame.word_linear %{{.*}} of ui4
// INT4:          sesame.embedding %{{.*}} in %[[T]]
func.func @two_users_and_an_embedding(%x: tensor<?x36xf32>, %i: tensor<?xi64>) -> (tensor<?x97xf32>, tensor<?x97xf32>, tensor<?x36xf32>) {
  %w = sesame.get_weight @tied : tensor<97x36xf32>
  %y = sesame.linear %x, %w : tensor<?x36xf32>, tensor<97x36xf32> -> tensor<?x97xf32>
  %z = sesame.linear %x, %w activation = relu : tensor<?x36xf32>, tensor<97x36xf32> -> tensor<?x97xf32>
  %e = sesame.embedding %i in %w : tensor<?xi64> in tensor<97x36xf32> -> tensor<?x36xf32>
  return %y, %z, %e : tensor<?x97xf32>, tensor<?x97xf32>, tensor<?x36xf32>
}

// CHECK-LABEL: func.func @layer_index_is_kept
// CHECK-SAME:    %[[L:.*]]: index
// CHECK:         sesame.get_weight @stacked.panels[%[[L]]] : tensor<4x36x32xf16>
func.func @layer_index_is_kept(%l: index, %x: tensor<?x36xf16>) -> tensor<?x108xf16> {
  %w = sesame.get_weight @stacked[%l] : tensor<36x108xf16>
  %y = sesame.linear %x, %w layout = kn : tensor<?x36xf16>, tensor<36x108xf16> -> tensor<?x108xf16>
  return %y : tensor<?x108xf16>
}

// CHECK-LABEL: func.func @gated
// CHECK:         %[[G:.*]] = sesame.get_weight @gate.panels
// CHECK:         %[[U:.*]] = sesame.get_weight @up.panels
// CHECK:         sesame.gated_linear %{{.*}}, %[[G]], %[[U]] layout = panels activation = silu
func.func @gated(%x: tensor<?x36xf32>) -> tensor<?x44xf32> {
  %g = sesame.get_weight @gate : tensor<44x36xf32>
  %u = sesame.get_weight @up : tensor<44x36xf32>
  %y = sesame.gated_linear %x, %g, %u activation = silu : tensor<?x36xf32>, tensor<44x36xf32> -> tensor<?x44xf32>
  return %y : tensor<?x44xf32>
}

// CHECK-LABEL: func.func @computed_weight_is_left
// CHECK:         sesame.linear %{{.*}}, %{{.*}} : tensor<?x36xf32>, tensor<97x36xf32>
func.func @computed_weight_is_left(%x: tensor<?x36xf32>, %w: tensor<97x36xf32>) -> tensor<?x97xf32> {
  %y = sesame.linear %x, %w : tensor<?x36xf32>, tensor<97x36xf32> -> tensor<?x97xf32>
  return %y : tensor<?x97xf32>
}

sesame.weight @summed : tensor<97x36xf32> {
  %0 = sesame.checkpoint_tensor ["summed"] : tensor<97x36xf32>
  sesame.yield %0 : tensor<97x36xf32>
}

// What no tile is made of reads the plain table: the reference lowering would make the whole matrix.
// CHECK-LABEL: func.func @embedding_without_tiles
// CHECK:         %[[W:.*]] = sesame.get_weight @summed : tensor<97x36xf32>
// CHECK:         sesame.embedding %{{.*}} in %[[W]]
func.func @embedding_without_tiles(%i: tensor<i64>, %x: tensor<?x36xf32>) -> (tensor<36xf32>, tensor<?x97xf32>) {
  %w = sesame.get_weight @summed : tensor<97x36xf32>
  %e = sesame.embedding %i in %w : tensor<i64> in tensor<97x36xf32> -> tensor<36xf32>
  %y = sesame.linear %x, %w : tensor<?x36xf32>, tensor<97x36xf32> -> tensor<?x97xf32>
  return %e, %y : tensor<36xf32>, tensor<?x97xf32>
}
