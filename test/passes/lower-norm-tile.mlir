// RUN: sesame-opt %s --sesame-lower-norm-tile --split-input-file --verify-diagnostics | FileCheck %s

// 100 = 64 (four partial sums at once) + 2 vectors + 4 lanes.
// CHECK-LABEL: func.func @layer
// CHECK-SAME:    %[[X:[a-z0-9]+]]: memref<?x100xf32>
// CHECK:         scf.for %[[M:.*]] =
// CHECK:           %[[S:.*]]:4 = scf.for %{{.*}} = %c0 to %c64 step %c64
// CHECK-COUNT-4:     arith.addf
// CHECK:           vector.load %[[X]][%[[M]], %c64]
// CHECK:           vector.load %[[X]][%[[M]], %c80]
// CHECK:           vector.constant_mask [4]
// CHECK:           vector.maskedload %[[X]][%[[M]], %c96]
// The deviation of a lane past the end is not counted.
// CHECK:           %[[D:.*]] = arith.subf
// CHECK:           arith.mulf
// CHECK:           %[[T:.*]] = arith.select %{{.*}}, %{{.*}}, %cst
// CHECK:           arith.mulf %[[T]], %[[T]]
// CHECK:           math.sqrt
// CHECK:           vector.maskedstore
func.func @layer(%x: memref<?x100xf32>, %w: memref<100xf32>, %b: memref<100xf32>, %o: memref<?x100xf32>) {
  sesame.norm_tile layer input(%x : memref<?x100xf32>) weight(%w : memref<100xf32>) bias(%b : memref<100xf32>) epsilon = 1.0e-5
    out(%o : memref<?x100xf32>)
  return
}

// -----

// No mean, and no masks where the width is a whole number of vectors.
// CHECK-LABEL: func.func @rms
// CHECK-NOT:     arith.subf
// CHECK-NOT:     mask
// CHECK:         math.sqrt
// CHECK:         arith.addf %{{.*}}, %cst
// CHECK-NOT:     mask
// CHECK:         return
func.func @rms(%x: memref<?x64xf32>, %w: memref<64xf32>, %o: memref<?x64xf32>) {
  sesame.norm_tile rms input(%x : memref<?x64xf32>) weight(%w : memref<64xf32>) epsilon = 1.0e-6 offset = 1.0 out(%o : memref<?x64xf32>)
  return
}

// -----

func.func @not_f32(%x: memref<?x64xf16>, %o: memref<?x64xf16>) {
  // expected-error @+1 {{expects memrefs of f32 with unit stride along the last axis, got 'memref<?x64xf16>'}}
  sesame.norm_tile rms input(%x : memref<?x64xf16>) epsilon = 1.0e-6 out(%o : memref<?x64xf16>)
  return
}
