// RUN: sesame-opt %s --sesame-lower-word-tiles="vnni bf16" --split-input-file --verify-diagnostics | FileCheck %s
// RUN: sesame-opt %s --sesame-lower-word-tiles --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=PLAIN
// RUN: sesame-opt %s --sesame-lower-word-tiles="avx2" --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=PAIRS
// RUN: not sesame-opt %s --sesame-lower-word-tiles="avx2 vector-lanes=8" --split-input-file 2>/dev/null | FileCheck %s --check-prefix=AVX2

// A step of the loop multiplies one word a row with two vectors of words; zero point and scales come after it.
// CHECK-LABEL: func.func @int8
// CHECK:         %[[SUMS:.*]]:4 = scf.for %[[K:.*]] = %c0 to %c12 step %c1 iter_args
// CHECK:           %[[B0:.*]] = vector.load %{{.*}}[%[[K]], %c0] : memref<14x32xi32>, vector<16xi32>
// CHECK:           %[[B1:.*]] = vector.load %{{.*}}[%[[K]], %c16] : memref<14x32xi32>, vector<16xi32>
// CHECK:           %[[A:.*]] = memref.load %{{.*}} : memref<2x14xi32>
// CHECK:           vector.broadcast %[[A]] : i32 to vector<16xi32>
// CHECK:           vector.bitcast %{{.*}} : vector<16xi32> to vector<64xi8>
// CHECK-COUNT-4:   llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK:           scf.yield
// CHECK:         vector.load %{{.*}}[%c12, %c0]
// CHECK:         vector.load %{{.*}}[%c13, %c0]
// CHECK:         arith.muli
// CHECK:         arith.subi
// CHECK:         arith.sitofp
// CHECK:         arith.mulf
// CHECK:         vector.store
// The even and the odd bytes as numbers of 16 bits, two products at a time.
// PAIRS-LABEL: func.func @int8
// PAIRS:         %[[Y:.*]] = vector.bitcast %{{.*}} : vector<16xi32> to vector<32xi16>
// PAIRS:         arith.shli %[[Y]]
// PAIRS:         arith.shrsi
// PAIRS:         arith.shrsi %[[Y]]
// PAIRS-COUNT-8: llvm.call_intrinsic "llvm.x86.avx512.pmaddw.d.512"
// AVX2-LABEL:  func.func @int8
// AVX2:          llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"({{.*}}) : (vector<16xi16>, vector<16xi16>) -> vector<8xi32>
// PLAIN-LABEL: func.func @int8
// PLAIN-NOT:     call_intrinsic
// PLAIN:         arith.shrsi
// PLAIN:         arith.muli
func.func @int8(%a: memref<2x14xi32>, %p: memref<14x32xi32>, %c: memref<2x32xf32>) {
  sesame.word_matmul_tile of i8 lhs(%a : memref<2x14xi32>) panel(%p : memref<14x32xi32>) out(%c : memref<2x32xf32>)
  return
}

// -----

// Two columns a word.
// CHECK-LABEL: func.func @words
// CHECK:         arith.truncf %{{.*}} : vector<16xf32> to vector<16xbf16>
// CHECK:         vector.shuffle
// CHECK:         vector.bitcast %{{.*}} : vector<32xbf16> to vector<16xi32>
// CHECK:         vector.store %{{.*}} : memref<1x16xi32>, vector<16xi32>
// CHECK-NOT:     vector.store
// CHECK:         return
// PLAIN-LABEL: func.func @words
// PLAIN:         arith.trunci %{{.*}} : vector<16xi32> to vector<16xi16>
// PLAIN:         vector.bitcast %{{.*}} : vector<32xi16> to vector<16xi32>
func.func @words(%a: memref<1x14xi32>, %p: memref<14x32xi32>, %c: memref<1x16xi32>) {
  sesame.word_matmul_tile of bf16 lhs(%a : memref<1x14xi32>) panel(%p : memref<14x32xi32>) out(%c : memref<1x16xi32>)
  return
}

// -----

// CHECK-LABEL: func.func @bf16
// CHECK:         scf.for %{{.*}} = %c0 to %c14 step %c1
// CHECK-COUNT-2:   llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
// CHECK:         vector.store
// PLAIN-LABEL: func.func @bf16
// PLAIN-NOT:     call_intrinsic
// PLAIN:         vector.fma
func.func @bf16(%a: memref<1x14xi32>, %p: memref<14x32xi32>, %c: memref<1x32xf32>) {
  sesame.word_matmul_tile of bf16 lhs(%a : memref<1x14xi32>) panel(%p : memref<14x32xi32>) out(%c : memref<1x32xf32>)
  return
}

// -----

// 83 elements: a loop over four vectors, one more, and three elements under a mask, of which one word is stored; then zero point and scale.
// CHECK-LABEL: func.func @rows_of_int8
// CHECK:         scf.for %{{.*}} = %c0 to %[[M:.*]] step %c1
// CHECK:           scf.for %{{.*}} = %c0 to %c64 step %c64
// CHECK:           vector.maskedload
// CHECK:           math.roundeven
// CHECK:           scf.for %{{.*}} = %c0 to %c80 step %c16
// CHECK:             math.roundeven
// CHECK:             arith.trunci %{{.*}} : vector<16xi32> to vector<16xi8>
// CHECK:             vector.store %{{.*}} : memref<?x23xi32>, vector<4xi32>
// CHECK:           vector.maskedload
// CHECK:           memref.store %{{.*}}[%{{.*}}, %c20]
// CHECK:           memref.store %{{.*}}[%{{.*}}, %c21]
// CHECK:           memref.store %{{.*}}[%{{.*}}, %c22]
// CHECK-NOT:       memref.store
func.func @rows_of_int8(%x: memref<?x83xf32>, %q: memref<?x23xi32>) {
  sesame.pack_words_tile of i8 input(%x : memref<?x83xf32>) out(%q : memref<?x23xi32>)
  return
}

// -----

// CHECK-LABEL: func.func @rows_of_bf16
// CHECK:         arith.truncf %{{.*}} : vector<16xf32> to vector<16xbf16>
// CHECK:         vector.store %{{.*}} : memref<?x24xi32>, vector<8xi32>
// PLAIN-LABEL: func.func @rows_of_bf16
// PLAIN-NOT:     arith.truncf
// PLAIN:         arith.trunci %{{.*}} : vector<16xi32> to vector<16xi16>
func.func @rows_of_bf16(%x: memref<?x48xf32>, %q: memref<?x24xi32>) {
  sesame.pack_words_tile of bf16 input(%x : memref<?x48xf32>) out(%q : memref<?x24xi32>)
  return
}

// -----

func.func @narrow_panel(%a: memref<?x14xi32>, %p: memref<14x12xi32>, %c: memref<?x12xf32>) {
  // expected-error @+1 {{expects a panel whose width is a multiple of 16, got 'memref<14x12xi32>'}}
  sesame.word_matmul_tile of i8 lhs(%a : memref<?x14xi32>) panel(%p : memref<14x12xi32>) out(%c : memref<?x12xf32>)
  return
}

// -----

// Four groups. In each the sums start from the row's word, take the lower and the upper halves of four words a column, and become floats that are added to the
// products times the scales.
// CHECK-LABEL: func.func @int4_groups
// CHECK:         %[[SUMS:.*]]:2 = scf.for %[[G:.*]] = %c0 to %c4 step %c1 iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>) {
// CHECK:           arith.divui %[[G]], %c2
// CHECK:           memref.load %{{.*}} : memref<1x40xi32>
// CHECK:           vector.load %{{.*}} : memref<18x32xi32>, vector<16xi32>
// CHECK:           arith.shrui
// CHECK:           arith.andi
// CHECK-COUNT-16:  llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT:       llvm.call_intrinsic
// CHECK:           arith.sitofp
// CHECK-COUNT-2:   vector.fma
// CHECK:           scf.yield
// CHECK:         vector.store %[[SUMS]]#0
// PLAIN-LABEL: func.func @int4_groups
// PLAIN-NOT:     call_intrinsic
// PLAIN:         arith.muli
func.func @int4_groups(%a: memref<1x40xi32>, %p: memref<18x32xi32>, %c: memref<1x32xf32>) {
  sesame.word_matmul_tile of ui4 lhs(%a : memref<1x40xi32>) panel(%p : memref<18x32xi32>) out(%c : memref<1x32xf32>)
  return
}

// -----

// CHECK-LABEL: func.func @int8_groups
// CHECK:         scf.for %{{.*}} = %c0 to %c4 step %c1
// CHECK-NOT:       arith.shrui
// CHECK-COUNT-16:  llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT:       llvm.call_intrinsic
// CHECK:           vector.fma
func.func @int8_groups(%a: memref<1x40xi32>, %p: memref<34x32xi32>, %c: memref<1x32xf32>) {
  sesame.word_matmul_tile of ui8 lhs(%a : memref<1x40xi32>) panel(%p : memref<34x32xi32>) out(%c : memref<1x32xf32>)
  return
}

// -----

// 83 elements: a loop over one whole step, then one vector and three elements under a mask; the second group of that step is empty.
// CHECK-LABEL: func.func @rows_in_groups
// CHECK:         scf.for %{{.*}} = %c0 to %[[M:.*]] step %c1
// CHECK:           scf.for %{{.*}} = %c0 to %c1 step %c1
// CHECK:             math.absf
// CHECK:             vector.store %{{.*}} : memref<?x40xi32>, vector<4xi32>
// CHECK:             vector.reduction <add>
// CHECK:             memref.store
// CHECK:           vector.maskedload
// CHECK-NOT:       vector.maskedload
func.func @rows_in_groups(%x: memref<?x83xf32>, %q: memref<?x40xi32>) {
  sesame.pack_words_tile of ui4 input(%x : memref<?x83xf32>) out(%q : memref<?x40xi32>)
  return
}
