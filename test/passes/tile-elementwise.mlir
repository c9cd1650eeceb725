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

// What does not lie side by side is read element by element, 8 columns without a mask.
// CHECK-LABEL: func.func @transpose
// CHECK:         scf.forall (%[[I:.*]]) in (8)
// CHECK:           %[[V:.*]] = scf.for %[[J:.*]] = %c0 to %c32 step %c16
// CHECK-COUNT-16:    tensor.extract %{{.*}}[%{{.*}}, %[[I]]]
// CHECK:             vector.from_elements
// CHECK:             vector.transfer_write
// CHECK:           scf.for %[[K:.*]] = %c32 to %c40 step %c1 iter_args(%{{.*}} = %[[V]])
// CHECK:             tensor.extract %{{.*}}[%[[K]], %[[I]]]
// CHECK:             tensor.insert
func.func @transpose(%x: tensor<40x8xf32>) -> tensor<8x40xf32> {
  %e = tensor.empty() : tensor<8x40xf32>
  %0 = linalg.transpose ins(%x : tensor<40x8xf32>) outs(%e : tensor<8x40xf32>) permutation = [1, 0]
  return %0 : tensor<8x40xf32>
}

// Along the axis that is reduced: lanes first, then what is left.
// CHECK-LABEL: func.func @sum_of_rows
// CHECK:         scf.forall (%{{.*}}) in (3)
// CHECK:           scf.for %[[ROW:.*]] = %c0 to
// CHECK:             %[[LANES:.*]] = scf.for %[[K:.*]] = %c0 to %c32 step %c16 iter_args(%[[SUMS:.*]] = %{{.*}}) -> (vector<16xf32>)
// CHECK:               arith.addf {{.*}}%[[SUMS]]{{.*}} : vector<16xf32>
// CHECK:             %[[ALL:.*]] = vector.reduction <add>, %[[LANES]], %{{.*}} : vector<16xf32> into f32
// CHECK:             scf.for %{{.*}} = %c32 to %c37 step %c1 iter_args(%[[SUM:.*]] = %[[ALL]]) -> (f32)
// CHECK:               arith.addf {{.*}}%[[SUM]]{{.*}} : f32
func.func @sum_of_rows(%x: tensor<40x37xf32>, %e: tensor<40xf32>) -> tensor<40xf32> {
  %0 = linalg.reduce { arith.addf } ins(%x : tensor<40x37xf32>) outs(%e : tensor<40xf32>) dimensions = [1]
  return %0 : tensor<40xf32>
}

// Each element keeps its order where the columns are the vectors, and starts from what a fill would write.
// CHECK-LABEL: func.func @sum_of_columns
// CHECK-NOT:     linalg.fill
// CHECK:           scf.for %{{.*}} = %c0 to %c32 step %c16
// CHECK:             scf.for %[[R:.*]] = %c0 to %c40 step %c1 iter_args(%[[SUMS:.*]] = %{{.*}}) -> (vector<16xf32>)
// CHECK:               arith.addf {{.*}}%[[SUMS]]{{.*}} : vector<16xf32>
func.func @sum_of_columns(%x: tensor<40x32xf32>) -> tensor<32xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<32xf32>) -> tensor<32xf32>
  %0 = linalg.reduce { arith.addf } ins(%x : tensor<40x32xf32>) outs(%f : tensor<32xf32>) dimensions = [0]
  return %0 : tensor<32xf32>
}

// Places that are known from the first lane's: a shift is a vector, what ids choose is not. Integers too.
// CHECK-LABEL: func.func @by_place
// CHECK:           scf.for %[[K:.*]] = %c0 to %c48 step %c16
// CHECK:             %[[AT:.*]] = arith.addi %[[K]], %{{.*}} : index
// CHECK:             vector.transfer_read %{{.*}}[%{{.*}}, %[[AT]]], %{{.*}} : tensor<4x99xf32>, vector<16xf32>
// CHECK-COUNT-16:    tensor.extract %{{.*}}[%{{.*}}] : tensor<9xf32>
// CHECK:             vector.transfer_write %{{.*}} : vector<16xf32>
// CHECK:           arith.addi %{{.*}} : vector<16xi64>
func.func @by_place(%x: tensor<4x99xf32>, %t: tensor<9xf32>, %i: tensor<48xi64>) -> (tensor<48xf32>, tensor<48xi64>) {
  %one = arith.constant 1 : i64
  %c0 = arith.constant 0 : index
  %c5 = arith.constant 5 : index
  %e = tensor.empty() : tensor<48xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%i : tensor<48xi64>) outs(%e : tensor<48xf32>) {
  ^bb0(%id: i64, %o: f32):
    %j = linalg.index 0 : index
    %k = arith.addi %j, %c5 : index
    %v = tensor.extract %x[%c0, %k] : tensor<4x99xf32>
    %row = arith.index_cast %id : i64 to index
    %w = tensor.extract %t[%row] : tensor<9xf32>
    %s = arith.addf %v, %w : f32
    linalg.yield %s : f32
  } -> tensor<48xf32>
  %e1 = tensor.empty() : tensor<48xi64>
  %1 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%i : tensor<48xi64>) outs(%e1 : tensor<48xi64>) {
  ^bb0(%a: i64, %o: i64):
    %v = arith.addi %a, %one : i64
    linalg.yield %v : i64
  } -> tensor<48xi64>
  return %0, %1 : tensor<48xf32>, tensor<48xi64>
}

// Products over one axis are matmul tiles: the keys [p, h, d] of each head are packed, 100 of them into 4 panels.
// CHECK-LABEL: func.func @scores_by_distance
// CHECK:         %[[PANELS:.*]] = scf.forall (%[[H:.*]], %[[P:.*]]) in (12, 4) shared_outs(%{{.*}} = %{{.*}}) -> (tensor<12x4x64x32xf32>)
// CHECK:         scf.forall (%[[B:.*]], %[[G:.*]], %{{.*}}, %[[Q:.*]]) in (%{{.*}}, 12, %{{.*}}, 4)
// CHECK-DAG:       %[[PANEL:.*]] = tensor.extract_slice %[[PANELS]][%[[G]], %[[Q]], 0, 0] [1, 1, 64, 32]
// CHECK-DAG:       %[[ROWS:.*]] = tensor.extract_slice %arg0[%[[B]], %[[G]], %{{.*}}, 0] [1, 1, %{{.*}}, 64]
// CHECK:           sesame.matmul_tile lhs(%[[ROWS]] : tensor<?x64xf32>) panel(%[[PANEL]] : tensor<64x32xf32>) out(
// CHECK-NOT:     linalg
func.func @scores_by_distance(%q: tensor<?x12x?x64xf32>, %r: tensor<100x12x64xf32>, %b: index, %s: index) -> tensor<?x12x?x100xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%b, %s) : tensor<?x12x?x100xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x12x?x100xf32>) -> tensor<?x12x?x100xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(b, h, s, p, d) -> (b, h, s, d)>, affine_map<(b, h, s, p, d) -> (p, h, d)>,
                                        affine_map<(b, h, s, p, d) -> (b, h, s, p)>],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %r : tensor<?x12x?x64xf32>, tensor<100x12x64xf32>) outs(%f : tensor<?x12x?x100xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %n = arith.addf %o, %p : f32
    linalg.yield %n : f32
  } -> tensor<?x12x?x100xf32>
  return %0 : tensor<?x12x?x100xf32>
}
