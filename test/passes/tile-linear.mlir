// RUN: sesame-opt %s --sesame-tile-linear --canonicalize --cse | FileCheck %s
// RUN: sesame-opt %s --sesame-tile-linear=row-block-bytes=9216 --canonicalize --cse | FileCheck %s --check-prefix=SMALL

// 128 rows are the most, and 9216 bytes hold 64 rows of 36 floats. Blocks have nearly the same number of rows,
// eights of them.
// CHECK-DAG: #[[$BLOCKS:.*]] = affine_map<()[s0] -> (s0 ceildiv 128)>
// CHECK-DAG: #[[$PARTS:.*]] = affine_map<()[s0] -> ((s0 ceildiv 128) * 8)>
// CHECK-DAG: #[[$EIGHTS:.*]] = affine_map<()[s0] -> (s0 * 8)>
// CHECK-DAG: #[[$ROWS:.*]] = affine_map<(d0)[s0, s1] -> (-d0 + s1, s0 * 8)>
// CHECK-DAG: #[[$R0:.*]] = affine_map<(d0) -> (d0 * 72)>
// CHECK-DAG: #[[$RN:.*]] = affine_map<(d0) -> (d0 * -72 + 130, 72)>
// CHECK-DAG: #[[$COLUMN:.*]] = affine_map<(d0) -> (d0 * 32)>
// CHECK-DAG: #[[$COLUMNS:.*]] = affine_map<(d0) -> (d0 * -32 + 108, 32)>
// SMALL-DAG: affine_map<()[s0] -> (s0 ceildiv 64)>

// CHECK-LABEL: func.func @rows_and_panels_with_a_tail
// CHECK-SAME:    %[[X:.*]]: tensor<?x?x36xf32>, %[[W:.*]]: tensor<4x36x32xf32>, %[[B:.*]]: tensor<108xf32>
// CHECK:         %[[A:.*]] = tensor.collapse_shape %[[X]] {{\[\[}}0, 1], [2]]
// CHECK:         %[[M:.*]] = tensor.dim %[[A]], %c0
// CHECK:         %[[E:.*]] = tensor.empty(%[[M]]) : tensor<?x108xf32>
// CHECK:         %[[NB:.*]] = affine.apply #[[$BLOCKS]]()[%[[M]]]
// CHECK:         %[[PARTS:.*]] = affine.apply #[[$PARTS]]()[%[[M]]]
// CHECK:         %[[SOME:.*]] = arith.maxui %[[PARTS]], %c1
// CHECK:         %[[SHARE:.*]] = arith.ceildivui %[[M]], %[[SOME]]
// CHECK:         %[[BLOCK:.*]] = affine.apply #[[$EIGHTS]]()[%[[SHARE]]]
// CHECK:         %[[Y:.*]] = scf.forall (%[[I:.*]], %[[P:.*]]) in (%[[NB]], 4) shared_outs(%[[O:.*]] = %[[E]])
// CHECK-DAG:       %[[R0:.*]] = arith.muli %[[I]], %[[BLOCK]]
// CHECK-DAG:       %[[RN:.*]] = affine.min #[[$ROWS]](%[[R0]])[%[[SHARE]], %[[M]]]
// CHECK-DAG:       %[[C0:.*]] = affine.apply #[[$COLUMN]](%[[P]])
// CHECK-DAG:       %[[CN:.*]] = affine.min #[[$COLUMNS]](%[[P]])
// CHECK-DAG:       %[[LHS:.*]] = tensor.extract_slice %[[A]][%[[R0]], 0] [%[[RN]], 36] [1, 1]
// CHECK-DAG:       %[[OUT:.*]] = tensor.extract_slice %[[O]][%[[R0]], %[[C0]]] [%[[RN]], %[[CN]]] [1, 1]
// CHECK-DAG:       %[[PANEL:.*]] = tensor.extract_slice %[[W]][%[[P]], 0, 0] [1, 36, 32] [1, 1, 1] : tensor<4x36x32xf32> to tensor<36x32xf32>
// CHECK-DAG:       %[[BIAS:.*]] = tensor.extract_slice %[[B]][%[[C0]]] [%[[CN]]] [1]
// CHECK:           %[[T:.*]] = sesame.matmul_tile lhs(%[[LHS]] : {{.*}}) panel(%[[PANEL]] : {{.*}}) bias(%[[BIAS]] : {{.*}}) activation = gelu out(%[[OUT]]
// CHECK:           scf.forall.in_parallel
// CHECK:             tensor.parallel_insert_slice %[[T]] into %[[O]][%[[R0]], %[[C0]]] [%[[RN]], %[[CN]]] [1, 1]
// CHECK:         tensor.expand_shape %[[Y]] {{\[\[}}0, 1], [2]]
func.func @rows_and_panels_with_a_tail(%x: tensor<?x?x36xf32>, %w: tensor<4x36x32xf32>, %b: tensor<108xf32>) -> tensor<?x?x108xf32> {
  %y = sesame.linear %x, %w bias(%b : tensor<108xf32>) layout = panels activation = gelu
     : tensor<?x?x36xf32>, tensor<4x36x32xf32> -> tensor<?x?x108xf32>
  return %y : tensor<?x?x108xf32>
}

// The residual is where the tiles start from, and they add to it.
// CHECK-LABEL: func.func @residual_is_the_shared_output
// CHECK:         %[[R:.*]] = sesame.rms_norm
// CHECK-NOT:     tensor.empty
// CHECK:         scf.forall {{.*}} shared_outs(%{{.*}} = %[[R]])
// CHECK-NOT:       affine.min #[[$COLUMNS]]
// CHECK:           sesame.matmul_tile {{.*}} combine = add out(%{{.*}} : tensor<?x32xf32>)
func.func @residual_is_the_shared_output(%x: tensor<?x36xf32>, %w: tensor<2x36x32xf32>, %h: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %r = sesame.rms_norm %h epsilon = 1.0e-6 : tensor<?x64xf32>
  %y = sesame.linear %x, %w residual(%r : tensor<?x64xf32>) layout = panels : tensor<?x36xf32>, tensor<2x36x32xf32> -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// The caller's tensor is not written to.
// CHECK-LABEL: func.func @input_as_residual_is_copied
// CHECK-SAME:    %[[X:.*]]: tensor<?x36xf32>, %{{.*}}: tensor<2x36x32xf32>, %[[R:.*]]: tensor<?x64xf32>
// CHECK:         %[[M:.*]] = tensor.dim %[[X]], %c0
// CHECK:         %[[E:.*]] = tensor.empty(%[[M]])
// CHECK:         %[[C:.*]] = linalg.copy ins(%[[R]] : {{.*}}) outs(%[[E]]
// CHECK:         scf.forall {{.*}} shared_outs(%{{.*}} = %[[C]])
func.func @input_as_residual_is_copied(%x: tensor<?x36xf32>, %w: tensor<2x36x32xf32>, %r: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %y = sesame.linear %x, %w residual(%r : tensor<?x64xf32>) layout = panels : tensor<?x36xf32>, tensor<2x36x32xf32> -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// Two blocks of 72 and 58 rows, not of 128 and 2.
// CHECK-LABEL: func.func @known_rows
// CHECK:         scf.forall (%[[I:.*]], %{{.*}}) in (2, 2)
// CHECK:           affine.apply #[[$R0]](%[[I]])
// CHECK:           affine.min #[[$RN]](%[[I]])
func.func @known_rows(%x: tensor<130x36xf32>, %w: tensor<2x36x32xf32>) -> tensor<130x64xf32> {
  %y = sesame.linear %x, %w layout = panels : tensor<130x36xf32>, tensor<2x36x32xf32> -> tensor<130x64xf32>
  return %y : tensor<130x64xf32>
}

// CHECK-LABEL: func.func @one_row
// CHECK:         scf.forall (%{{.*}}) in (2)
// CHECK:           sesame.matmul_tile lhs(%{{.*}} : tensor<1x36xf32>) {{.*}} out(%{{.*}} : tensor<1x32xf32>)
func.func @one_row(%x: tensor<36xf32>, %w: tensor<2x36x32xf32>) -> tensor<64xf32> {
  %y = sesame.linear %x, %w layout = panels : tensor<36xf32>, tensor<2x36x32xf32> -> tensor<64xf32>
  return %y : tensor<64xf32>
}

// The up product first, then the gate, which multiplies what it finds.
// CHECK-LABEL: func.func @gated
// CHECK-SAME:    %{{.*}}: tensor<?x36xf32>, %[[G:.*]]: tensor<2x36x32xf32>, %[[U:.*]]: tensor<2x36x32xf32>, %[[GB:.*]]: tensor<44xf32>, %[[UB:.*]]: tensor<44xf32>
// CHECK-DAG:       %[[UP:.*]] = tensor.extract_slice %[[U]][
// CHECK-DAG:       %[[UBIAS:.*]] = tensor.extract_slice %[[UB]][
// CHECK:           %[[T:.*]] = sesame.matmul_tile lhs(%[[A:.*]] : tensor<?x36xf32>) panel(%[[UP]] : {{.*}}) bias(%[[UBIAS]] : tensor<?xf32>) out(
// CHECK-DAG:       %[[GP:.*]] = tensor.extract_slice %[[G]][
// CHECK-DAG:       %[[GBIAS:.*]] = tensor.extract_slice %[[GB]][
// CHECK:           sesame.matmul_tile lhs(%[[A]] : tensor<?x36xf32>) panel(%[[GP]] : {{.*}}) bias(%[[GBIAS]] : tensor<?xf32>) activation = silu combine = multiply out(%[[T]]
func.func @gated(%x: tensor<?x36xf32>, %g: tensor<2x36x32xf32>, %u: tensor<2x36x32xf32>, %gb: tensor<44xf32>, %ub: tensor<44xf32>) -> tensor<?x44xf32> {
  %y = sesame.gated_linear %x, %g, %u bias(%gb, %ub : tensor<44xf32>, tensor<44xf32>) layout = panels activation = silu
     : tensor<?x36xf32>, tensor<2x36x32xf32> -> tensor<?x44xf32>
  return %y : tensor<?x44xf32>
}

// CHECK-LABEL: func.func @unpacked_is_left
// CHECK:         sesame.linear
func.func @unpacked_is_left(%x: tensor<?x36xf32>, %w: tensor<97x36xf32>) -> tensor<?x97xf32> {
  %y = sesame.linear %x, %w : tensor<?x36xf32>, tensor<97x36xf32> -> tensor<?x97xf32>
  return %y : tensor<?x97xf32>
}
