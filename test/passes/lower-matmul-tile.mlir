// RUN: sesame-opt %s --sesame-lower-matmul-tile --split-input-file --verify-diagnostics | FileCheck %s
// RUN: not sesame-opt %s --sesame-lower-matmul-tile=vector-lanes=8 --split-input-file 2>/dev/null | FileCheck %s --check-prefix=AVX2

// Full blocks of 8 rows, one kernel for each other height, and masks in a branch of their own after the sum. If there
// are several full blocks, they share in asking for the next panel.
// CHECK-LABEL: func.func @any_rows
// CHECK-SAME:    %[[A:[a-z0-9]+]]: memref<?x48xf32, {{.*}}>, %[[P:[a-z0-9]+]]: memref<48x32xf32>, %[[B:[a-z0-9]+]]: memref<?xf32>, %[[C:[a-z0-9]+]]: memref<?x?xf32, {{.*}}>)
// CHECK:         %[[FULL:.*]] = arith.cmpi eq, %{{.*}}, %c32
// CHECK:         scf.for %[[M:.*]] = %c0 to %{{.*}} step %c8
// CHECK:           scf.index_switch
// CHECK:           case 1 {
// CHECK:             %{{.*}}:2 = scf.for %[[K:.*]] = %c0 to %c48 step %c1 iter_args(%[[S0:.*]] = %cst, %[[S1:.*]] = %cst) -> (vector<16xf32>, vector<16xf32>)
// CHECK-DAG:           %[[P0:.*]] = vector.load %[[P]][%[[K]], %c0]
// CHECK-DAG:           %[[P1:.*]] = vector.load %[[P]][%[[K]], %c16]
// CHECK:               %[[X:.*]] = memref.load %[[A]][%[[M]], %[[K]]]
// CHECK:               %[[V:.*]] = vector.broadcast %[[X]]
// CHECK:               vector.fma %[[V]], %[[P0]], %[[S0]]
// CHECK:               vector.fma %[[V]], %[[P1]], %[[S1]]
// CHECK:             scf.if %[[FULL]] {
// CHECK-NOT:           masked
// CHECK:               vector.store %{{.*}}, %[[C]]
// CHECK:             } else {
// CHECK:               vector.create_mask
// CHECK:               vector.maskedload %[[B]]
// CHECK:               vector.maskedstore %[[C]]
// CHECK:           case 7 {
// CHECK:             %{{.*}}:14 = scf.for
// CHECK:           case 8 {
// CHECK:             %{{.*}}:16 = scf.for
// CHECK-NOT:           memref.prefetch
// CHECK:           default {
// CHECK-COUNT-16:    memref.prefetch %[[C]][{{.*}}], write, locality<3>
// CHECK:             %{{.*}}:16 = scf.for
// CHECK:               memref.prefetch %[[P]][%c48, %{{.*}}], read, locality<2>, data : memref<48x32xf32>
// CHECK-NOT:     sesame.matmul_tile
// AVX2-LABEL: func.func @any_rows
// AVX2:         scf.for %{{.*}} step %c2
// AVX2:           default {
// AVX2:             %{{.*}}:8 = scf.for {{.*}} vector<8xf32>
func.func @any_rows(%a: memref<?x48xf32, strided<[?, 1], offset: ?>>, %p: memref<48x32xf32>, %b: memref<?xf32>, %c: memref<?x?xf32, strided<[?, 1], offset: ?>>) {
  sesame.matmul_tile lhs(%a : memref<?x48xf32, strided<[?, 1], offset: ?>>) panel(%p : memref<48x32xf32>) bias(%b : memref<?xf32>)
    activation = relu combine = add out(%c : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

// -----

// Static extents leave one kernel and no masks: 20 rows are two blocks of 8 and one of 4.
// CHECK-LABEL: func.func @static_rows
// CHECK:         scf.index_switch
// CHECK:         case 4 {
// CHECK:           :8 = scf.for
// CHECK:         default {
// CHECK:           :16 = scf.for
// CHECK-NOT:     case
// CHECK-NOT:     mask
// CHECK:         return
func.func @static_rows(%a: memref<20x48xf32>, %p: memref<48x32xf32>, %c: memref<20x32xf32>) {
  sesame.matmul_tile lhs(%a : memref<20x48xf32>) panel(%p : memref<48x32xf32>) out(%c : memref<20x32xf32>)
  return
}

// -----

// A costly activation has one copy of its code, behind a stack buffer, for the blocks of all heights.
// CHECK-LABEL: func.func @costly_activation
// CHECK:         memref.alloca() {{.*}} : memref<8x32xf32>
// CHECK:         scf.index_switch
// CHECK-NOT:     math.exp
// CHECK:         default {
// CHECK-NOT:     math.exp
// CHECK:         scf.for
// CHECK-COUNT-2: math.exp
// CHECK-NOT:     math.exp
// CHECK:         return
func.func @costly_activation(%a: memref<?x48xf32>, %p: memref<48x32xf32>, %c: memref<?x32xf32>) {
  sesame.matmul_tile lhs(%a : memref<?x48xf32>) panel(%p : memref<48x32xf32>) activation = silu out(%c : memref<?x32xf32>)
  return
}

// -----

func.func @narrow_panel(%a: memref<?x48xf32>, %p: memref<48x12xf32>, %c: memref<?x12xf32>) {
  // expected-error @+1 {{expects a panel whose width is a multiple of 16, got 'memref<48x12xf32>'}}
  sesame.matmul_tile lhs(%a : memref<?x48xf32>) panel(%p : memref<48x12xf32>) out(%c : memref<?x12xf32>)
  return
}

// -----

// Weights of 16 bits are widened as they are loaded.
// CHECK-LABEL: func.func @narrow_panel
// CHECK:         %[[N0:.*]] = vector.load %{{.*}} : memref<48x32xbf16>, vector<16xbf16>
// CHECK:         %[[P0:.*]] = arith.extf %[[N0]] : vector<16xbf16> to vector<16xf32>
// CHECK:         vector.fma %{{.*}}, %[[P0]]
func.func @narrow_panel(%a: memref<1x48xf32>, %p: memref<48x32xbf16>, %c: memref<1x32xf32>) {
  sesame.matmul_tile lhs(%a : memref<1x48xf32>) panel(%p : memref<48x32xbf16>) out(%c : memref<1x32xf32>)
  return
}

// -----

// Vectors of 16 take GELU's tail from a table, and by way of the exponential where an element is too small for it.
// CHECK-LABEL: func.func @gelu
// CHECK-COUNT-7: llvm.call_intrinsic "llvm.x86.avx512.vpermi2var.ps.512"
// CHECK:         %[[ANY:.*]] = vector.reduction <or>, %{{.*}} : vector<16xi1> into i1
// CHECK:         scf.if %[[ANY]] -> (vector<16xf32>) {
// CHECK:           math.exp
// CHECK:         vector.store
func.func @gelu(%a: memref<8x48xf32>, %p: memref<48x32xf32>, %c: memref<8x32xf32>) {
  sesame.matmul_tile lhs(%a : memref<8x48xf32>) panel(%p : memref<48x32xf32>) activation = gelu out(%c : memref<8x32xf32>)
  return
}
