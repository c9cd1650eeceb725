// RUN: sesame-opt %s --sesame-lower-embedding-tile --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @token_and_position
// CHECK-SAME:    %[[I:[a-z0-9]+]]: memref<?xi64>, %[[J:[a-z0-9]+]]: memref<?xi32>, %[[T:[a-z0-9]+]]: memref<97x36xf32>, %[[U:[a-z0-9]+]]: memref<40x36xf32>, %[[O:[a-z0-9]+]]: memref<?x36xf32>
// CHECK:         scf.for %[[M:.*]] =
// CHECK:           memref.load %[[I]][%[[M]]]
// CHECK:           %[[P:.*]] = arith.index_cast
// CHECK:           memref.load %[[J]][%[[M]]]
// CHECK:           %[[Q:.*]] = arith.index_cast
// CHECK:           scf.for %[[C:.*]] = %c0 to %c32 step %c16
// CHECK:             %[[A:.*]] = vector.load %[[T]][%[[P]], %[[C]]]
// CHECK:             %[[B:.*]] = vector.load %[[U]][%[[Q]], %[[C]]]
// CHECK:             %[[S:.*]] = arith.addf %[[A]], %[[B]]
// CHECK:             vector.store %[[S]], %[[O]][%[[M]], %[[C]]]
// CHECK:           vector.constant_mask [4]
// CHECK:           vector.maskedstore %[[O]][%[[M]], %c32]
func.func @token_and_position(%i: memref<?xi64>, %j: memref<?xi32>, %t: memref<97x36xf32>, %u: memref<40x36xf32>, %o: memref<?x36xf32>) {
  sesame.embedding_tile indices(%i, %j : memref<?xi64>, memref<?xi32>) tables(%t, %u : memref<97x36xf32>, memref<40x36xf32>)
    out(%o : memref<?x36xf32>)
  return
}

// -----

func.func @not_f32(%i: memref<?xi64>, %t: memref<97x36xf16>, %o: memref<?x36xf16>) {
  // expected-error @+1 {{expects memrefs of f32 with unit stride along the last axis, got 'memref<97x36xf16>'}}
  sesame.embedding_tile indices(%i : memref<?xi64>) tables(%t : memref<97x36xf16>) out(%o : memref<?x36xf16>)
  return
}

// -----

// Row v of panels: elements 32 apart, from column v mod 32 of panel v / 32 on.
// CHECK-LABEL: func.func @table_in_panels
// CHECK-SAME:    %[[I:[a-z0-9]+]]: memref<?xi64>, %[[J:[a-z0-9]+]]: memref<?xi32>, %[[T:[a-z0-9]+]]: memref<4x36x32xf32>, %[[U:[a-z0-9]+]]: memref<40x36xf32>
// CHECK:           %[[V:.*]] = arith.index_cast
// CHECK:           scf.for %[[C:.*]] = %c0 to %c32 step %c16
// CHECK:             %[[P:.*]] = arith.divui %[[V]], %c32
// CHECK:             %[[R:.*]] = arith.remui %[[V]], %c32
// CHECK:             %[[AT:.*]] = arith.constant dense<[0, 32, 64, {{.*}}, 480]> : vector<16xi32>
// CHECK:             vector.gather %[[T]][%[[P]], %[[C]], %[[R]]] [%[[AT]]]
// CHECK:             vector.load %[[U]]
func.func @table_in_panels(%i: memref<?xi64>, %j: memref<?xi32>, %t: memref<4x36x32xf32>, %u: memref<40x36xf32>, %o: memref<?x36xf32>) {
  sesame.panel_embedding_tile of [f32, f32] indices(%i, %j : memref<?xi64>, memref<?xi32>) tables(%t, %u : memref<4x36x32xf32>, memref<40x36xf32>)
    out(%o : memref<?x36xf32>)
  return
}

// -----

// Words in groups: gathered, shifted by the lanes' places, less 8, times the scale of the column's group.
// CHECK-LABEL: func.func @table_in_groups
// CHECK:         vector.gather %{{.*}} : memref<4x9x32xi32>, vector<16xi32>, vector<16xi1>, vector<16xi32> into vector<16xi32>
// CHECK:         arith.shrui
// CHECK:         arith.andi
// CHECK:         arith.subi
// CHECK:         arith.sitofp
// CHECK:         memref.load %{{.*}} : memref<4x9x32xi32>
// CHECK:         arith.mulf
// CHECK:         vector.store
func.func @table_in_groups(%i: memref<?xi64>, %t: memref<4x9x32xi32>, %o: memref<?x36xf32>) {
  sesame.panel_embedding_tile of [ui4] indices(%i : memref<?xi64>) tables(%t : memref<4x9x32xi32>) out(%o : memref<?x36xf32>)
  return
}

// -----

// Words of bf16, two columns each: shifted so that the lane's number is in the upper half.
// CHECK-LABEL: func.func @table_of_bf16
// CHECK:         %[[PLACES:.*]] = arith.constant dense<[0, 0, 1, 1, 2, 2, {{.*}}, 7, 7]> : vector<16xi32>
// CHECK:         %[[SHIFTS:.*]] = arith.constant dense<[16, 0, 16, 0, {{.*}}]> : vector<16xi32>
// CHECK:         %[[WORDS:.*]] = vector.gather %{{.*}} [%[[PLACES]]], %{{.*}} : memref<97x18x1xi32>
// CHECK:         %[[TOP:.*]] = arith.shli %[[WORDS]], %[[SHIFTS]]
// CHECK:         %[[DIGITS:.*]] = arith.andi %[[TOP]], %{{.*}}
// CHECK:         arith.bitcast %[[DIGITS]] : vector<16xi32> to vector<16xf32>
func.func @table_of_bf16(%i: memref<?xi64>, %t: memref<97x18x1xi32>, %o: memref<?x36xf32>) {
  sesame.panel_embedding_tile of [bf16] indices(%i : memref<?xi64>) tables(%t : memref<97x18x1xi32>) out(%o : memref<?x36xf32>)
  return
}

// -----

// Codes of i8 with a sign, times the scale of the row, which is its last word.
// CHECK-LABEL: func.func @table_of_int8
// CHECK:         vector.gather
// CHECK:         arith.shli
// CHECK:         arith.shrsi
// CHECK:         memref.load %{{.*}}[%{{.*}}, %c10, %{{.*}}] : memref<4x11x32xi32>
// CHECK:         arith.sitofp
// CHECK:         arith.mulf
func.func @table_of_int8(%i: memref<?xi64>, %t: memref<4x11x32xi32>, %o: memref<?x36xf32>) {
  sesame.panel_embedding_tile of [i8] indices(%i : memref<?xi64>) tables(%t : memref<4x11x32xi32>) out(%o : memref<?x36xf32>)
  return
}

// -----

// CHECK-LABEL: func.func @table_of_f16
// CHECK:         %[[N:.*]] = vector.gather %{{.*}} : memref<97x36x1xf16>, {{.*}} into vector<16xf16>
// CHECK:         arith.extf %[[N]] : vector<16xf16> to vector<16xf32>
func.func @table_of_f16(%i: memref<?xi64>, %t: memref<97x36x1xf16>, %o: memref<?x36xf32>) {
  sesame.panel_embedding_tile of [f16] indices(%i : memref<?xi64>) tables(%t : memref<97x36x1xf16>) out(%o : memref<?x36xf32>)
  return
}
