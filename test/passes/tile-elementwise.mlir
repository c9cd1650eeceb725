// RUN: sesame-opt %s --sesame-tile-elementwise --canonicalize --cse | FileCheck %s
// RUN: sesame-opt %s --sesame-tile-elementwise=vector-lanes=8 | FileCheck %s --check-prefix=LANES8
// LANES8: vector<8xf32>
// LANES8-NOT: vector<16xf32>

// A product and a tanh become one pass over the rows; the scale is one number for each row, the gains are one row for all.
// CHECK-LABEL: func.func @chain_with_broadcasts
// CHECK-SAME:    %[[X:.*]]: tensor<?x?xf32>, %[[G:.*]]: tensor<?xf32>, %[[R:.*]]: tensor<?xf32>
// CHECK:         scf.forall (%[[I:.*]], %[[J:.*]]) in
// CHECK-DAG:       %[[A:.*]] = tensor.extract_slice %[[X]][%[[I]], %[[F:.*]]] [1, %[[N:.*]]] [1, 1] : tensor<?x?xf32> to tensor<?xf32>
// CHECK-DAG:       %[[B:.*]] = tensor.extract_slice %[[G]][%[[F]]] [%[[N]]] [1]
// CHECK-DAG:       %[[S:.*]] = tensor.extract %[[R]][%[[I]]]
// CHECK:           %[[V:.*]] = scf.for %[[K:.*]] = %c0 to %[[WHOLE:.*]] step %c16 iter_args(%[[D:.*]] = %{{.*}})
// CHECK-DAG:         %[[VA:.*]] = vector.transfer_read %[[A]][%[[K]]], %{{.*}} {in_bounds = [true]} : tensor<?xf32>, vector<16xf32>
// CHECK-DAG:         %[[VB:.*]] = vector.transfer_read %[[B]][%[[K]]]
// CHECK:             %[[M:.*]] = arith.mulf %[[VA]], %[[VB]] : vector<16xf32>
// CHECK:             %[[VS:.*]] = vector.broadcast %[[S]] : f32 to vector<16xf32>
// CHECK:             %[[M2:.*]] = arith.mulf %[[M]], %[[VS]] : vector<16xf32>
// CHECK:             %[[T:.*]] = math.tanh %[[M2]] : vector<16xf32>
// CHECK:             vector.transfer_write %[[T]], %[[D]][%[[K]]] {in_bounds = [true]}
// CHECK:           %[[MASK:.*]] = vector.create_mask %{{.*}} : vector<16xi1>
// CHECK:           vector.transfer_read %[[A]][%[[WHOLE]]], %{{.*}}, %[[MASK]] {in_bounds = [true]}
// CHECK:           vector.transfer_write %{{.*}}, %[[V]][%[[WHOLE]]], %[[MASK]] {in_bounds = [true]}
// CHECK-NOT:     linalg.generic
func.func @chain_with_broadcasts(%x: tensor<?x?xf32>, %g: tensor<?xf32>, %r: tensor<?xf32>) -> tensor<?x?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %n = tensor.dim %x, %c1 : tensor<?x?xf32>
  %e = tensor.empty(%m, %n) : tensor<?x?xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x, %g, %r : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>) outs(%e : tensor<?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %s: f32, %o: f32):
    %p = arith.mulf %a, %b : f32
    %q = arith.mulf %p, %s : f32
    linalg.yield %q : f32
  } -> tensor<?x?xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = math.tanh %a : f32
    linalg.yield %t : f32
  } -> tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}

// Rows of 32 need no mask, and one row needs no block; a constant and a comparison are vectors too.
// CHECK-LABEL: func.func @whole_vectors
// CHECK:         scf.forall (%{{.*}}) in (7)
// CHECK:           scf.for %{{.*}} = %c0 to %c32 step %c16
// CHECK:             arith.cmpf ogt, %{{.*}}, %{{.*}} : vector<16xf32>
// CHECK:             arith.select %{{.*}} : vector<16xi1>, vector<16xf32>
// CHECK-NOT:       vector.create_mask
func.func @whole_vectors(%x: tensor<7x32xf32>) -> tensor<7x32xf32> {
  %e = tensor.empty() : tensor<7x32xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<7x32xf32>) outs(%e : tensor<7x32xf32>) {
  ^bb0(%a: f32, %o: f32):
    %zero = arith.constant 0.0 : f32
    %c = arith.cmpf ogt, %a, %zero : f32
    %s = arith.select %c, %a, %zero : f32
    linalg.yield %s : f32
  } -> tensor<7x32xf32>
  return %0 : tensor<7x32xf32>
}

// An exchange of heads and positions copies whole heads.
// CHECK-LABEL: func.func @transpose_of_rows
// CHECK-SAME:    %[[X:.*]]: tensor<2x5x3x16xf32>
// CHECK:         scf.forall (%[[B:.*]], %[[H:.*]], %[[S:.*]]) in (2, 3, 5)
// CHECK:           %[[A:.*]] = tensor.extract_slice %[[X]][%[[B]], %[[S]], %[[H]], 0] [1, 1, 1, 16]
// CHECK:           tensor.parallel_insert_slice %[[A]]
func.func @transpose_of_rows(%x: tensor<2x5x3x16xf32>) -> tensor<2x3x5x16xf32> {
  %e = tensor.empty() : tensor<2x3x5x16xf32>
  %t = linalg.transpose ins(%x : tensor<2x5x3x16xf32>) outs(%e : tensor<2x3x5x16xf32>) permutation = [0, 2, 1, 3]
  return %t : tensor<2x3x5x16xf32>
}

// Rows that would be read across memory, reductions, gathers and masks stay linalg.
// CHECK-LABEL: func.func @left_alone
// CHECK-NOT:     scf.forall
// CHECK-COUNT-4: linalg.
func.func @left_alone(%x: tensor<4x8xf32>, %i: tensor<8xi64>) -> (tensor<8x4xf32>, tensor<4xf32>, tensor<8xf32>, tensor<8xi64>) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1 : i64
  %c0 = arith.constant 0 : index
  %e0 = tensor.empty() : tensor<8x4xf32>
  %0 = linalg.transpose ins(%x : tensor<4x8xf32>) outs(%e0 : tensor<8x4xf32>) permutation = [1, 0]
  %e1 = tensor.empty() : tensor<4xf32>
  %1 = linalg.reduce { arith.addf } ins(%x : tensor<4x8xf32>) outs(%e1 : tensor<4xf32>) dimensions = [1]
  %e2 = tensor.empty() : tensor<8xf32>
  %2 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%e2 : tensor<8xf32>) {
  ^bb0(%o: f32):
    %j = linalg.index 0 : index
    %v = tensor.extract %x[%c0, %j] : tensor<4x8xf32>
    linalg.yield %v : f32
  } -> tensor<8xf32>
  %e3 = tensor.empty() : tensor<8xi64>
  %3 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%i : tensor<8xi64>) outs(%e3 : tensor<8xi64>) {
  ^bb0(%a: i64, %o: i64):
    %v = arith.addi %a, %one : i64
    linalg.yield %v : i64
  } -> tensor<8xi64>
  return %0, %1, %2, %3 : tensor<8x4xf32>, tensor<4xf32>, tensor<8xf32>, tensor<8xi64>
}
