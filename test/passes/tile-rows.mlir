// RUN: sesame-opt %s --sesame-tile-rows --canonicalize --cse | FileCheck %s

// CHECK-DAG: #[[$BLOCKS:.*]] = affine_map<()[s0] -> (s0 ceildiv 16)>
// CHECK-DAG: #[[$ROWS:.*]] = affine_map<(d0)[s0] -> (d0 * -16 + s0, 16)>

// The input is an argument, which others may read: the rows go to a new tensor.
// CHECK-LABEL: func.func @input_with_other_readers
// CHECK-SAME:    %[[X:.*]]: tensor<?x?x36xf32>, %[[W:.*]]: tensor<36xf32>, %[[B:.*]]: tensor<36xf32>
// CHECK:         %[[A:.*]] = tensor.collapse_shape %[[X]]
// CHECK:         %[[E:.*]] = tensor.empty
// CHECK:         scf.forall (%[[I:.*]]) in (%{{.*}}) shared_outs(%[[O:.*]] = %[[E]])
// CHECK-DAG:       %[[OUT:.*]] = tensor.extract_slice %[[O]][
// CHECK-DAG:       %[[IN:.*]] = tensor.extract_slice %[[A]][
// CHECK:           sesame.norm_tile layer input(%[[IN]] : {{.*}}) weight(%[[W]] : {{.*}}) bias(%[[B]] : {{.*}}) epsilon = {{.*}} out(%[[OUT]]
func.func @input_with_other_readers(%x: tensor<?x?x36xf32>, %w: tensor<36xf32>, %b: tensor<36xf32>) -> tensor<?x?x36xf32> {
  %y = sesame.layer_norm %x weight(%w : tensor<36xf32>) bias(%b : tensor<36xf32>) epsilon = 1.0e-5 : tensor<?x?x36xf32>
  return %y : tensor<?x?x36xf32>
}

// The first normalisation made its result for the second one alone, which overwrites it.
// CHECK-LABEL: func.func @only_reader_writes_in_place
// CHECK:         %[[Y:.*]] = scf.forall
// CHECK:         scf.forall {{.*}} shared_outs(%[[O:.*]] = %[[Y]])
// CHECK:           %[[T:.*]] = tensor.extract_slice %[[O]][
// CHECK:           sesame.norm_tile rms input(%[[T]] : {{.*}}) epsilon = {{.*}} offset = 1.{{.*}} out(%[[T]]
func.func @only_reader_writes_in_place(%x: tensor<?x36xf32>) -> tensor<?x36xf32> {
  %y = sesame.rms_norm %x epsilon = 1.0e-6 : tensor<?x36xf32>
  %z = sesame.rms_norm %y epsilon = 1.0e-6 offset = 1.0 : tensor<?x36xf32>
  return %z : tensor<?x36xf32>
}

// CHECK-LABEL: func.func @second_reader_keeps_the_input
// CHECK:         %[[Y:.*]] = scf.forall
// CHECK:         scf.forall {{.*}} shared_outs(%[[O:.*]] = %{{[0-9]+}})
// CHECK:           %[[OUT:.*]] = tensor.extract_slice %[[O]][
// CHECK:           %[[IN:.*]] = tensor.extract_slice %[[Y]][
// CHECK:           sesame.norm_tile rms input(%[[IN]] : {{.*}} out(%[[OUT]]
// CHECK:         return %[[Y]]
func.func @second_reader_keeps_the_input(%x: tensor<?x36xf32>) -> (tensor<?x36xf32>, tensor<?x36xf32>) {
  %y = sesame.rms_norm %x epsilon = 1.0e-6 : tensor<?x36xf32>
  %z = sesame.rms_norm %y epsilon = 1.0e-6 : tensor<?x36xf32>
  return %y, %z : tensor<?x36xf32>, tensor<?x36xf32>
}

// Positions are the same for every batch row: they are read at row 0.
// CHECK-LABEL: func.func @broadcast_positions
// CHECK-SAME:    %[[IDS:.*]]: tensor<?x?xi64>, %[[POS:.*]]: tensor<1x?xi64>
// CHECK:         %[[S:.*]] = tensor.dim %[[IDS]], %c1
// CHECK:         %[[NB:.*]] = affine.apply #[[$BLOCKS]]()[%[[S]]]
// CHECK:         scf.forall (%[[I:.*]], %[[J:.*]]) in (%{{.*}}, %[[NB]]) shared_outs(%[[O:.*]] =
// CHECK:           %[[N:.*]] = affine.min #[[$ROWS]](%[[J]])[%[[S]]]
// CHECK-DAG:       %[[A:.*]] = tensor.extract_slice %[[IDS]][%[[I]], %[[R:.*]]] [1, %[[N]]] [1, 1]
// CHECK-DAG:       %[[B:.*]] = tensor.extract_slice %[[POS]][0, %[[R]]] [1, %[[N]]] [1, 1]
// CHECK-DAG:       %[[OUT:.*]] = tensor.extract_slice %[[O]][%[[I]], %[[R]], 0] [1, %[[N]], 36] [1, 1, 1]
// CHECK:           sesame.embedding_tile indices(%[[A]], %[[B]] : {{.*}}) tables({{.*}}) out(%[[OUT]]
func.func @broadcast_positions(%ids: tensor<?x?xi64>, %pos: tensor<1x?xi64>, %wte: tensor<97x36xf32>, %wpe: tensor<40x36xf32>) -> tensor<?x?x36xf32> {
  %e = sesame.embedding %ids, %pos in %wte, %wpe : tensor<?x?xi64>, tensor<1x?xi64> in tensor<97x36xf32>, tensor<40x36xf32> -> tensor<?x?x36xf32>
  return %e : tensor<?x?x36xf32>
}

// CHECK-LABEL: func.func @broadcast_along_the_rows_is_left
// CHECK:         sesame.embedding
func.func @broadcast_along_the_rows_is_left(%ids: tensor<?x?xi64>, %kind: tensor<?x1xi64>, %a: tensor<97x36xf32>, %b: tensor<2x36xf32>) -> tensor<?x?x36xf32> {
  %e = sesame.embedding %ids, %kind in %a, %b : tensor<?x?xi64>, tensor<?x1xi64> in tensor<97x36xf32>, tensor<2x36xf32> -> tensor<?x?x36xf32>
  return %e : tensor<?x?x36xf32>
}

// A table in panels is read where it lies.
// CHECK-LABEL: func.func @table_in_panels
// CHECK-SAME:    %[[IDS:.*]]: tensor<?x?xi64>, %[[POS:.*]]: tensor<1x?xi64>, %[[P:.*]]: tensor<4x36x32xf32>, %[[WPE:.*]]: tensor<40x36xf32>
// CHECK:         sesame.panel_embedding_tile of [f32, f32] indices(%{{.*}}, %{{.*}} : {{.*}}) tables(%[[P]], %[[WPE]] : tensor<4x36x32xf32>, tensor<40x36xf32>) out
func.func @table_in_panels(%ids: tensor<?x?xi64>, %pos: tensor<1x?xi64>, %p: tensor<4x36x32xf32>, %wpe: tensor<40x36xf32>) -> tensor<?x?x36xf32> {
  %wte = sesame.unpack_panels %p : tensor<4x36x32xf32> -> tensor<97x36xf32>
  %e = sesame.embedding %ids, %pos in %wte, %wpe : tensor<?x?xi64>, tensor<1x?xi64> in tensor<97x36xf32>, tensor<40x36xf32> -> tensor<?x?x36xf32>
  return %e : tensor<?x?x36xf32>
}

// CHECK-LABEL: func.func @table_in_words
// CHECK:         sesame.panel_embedding_tile of [i8] indices(%{{.*}} : {{.*}}) tables(%{{.*}} : tensor<97x11x1xi32>) out
func.func @table_in_words(%ids: tensor<?xi64>, %p: tensor<97x11x1xi32>) -> tensor<?x36xf32> {
  %w = sesame.unpack_panels %p of i8 : tensor<97x11x1xi32> -> tensor<97x36xf32>
  %e = sesame.embedding %ids in %w : tensor<?xi64> in tensor<97x36xf32> -> tensor<?x36xf32>
  return %e : tensor<?x36xf32>
}
