// RUN: sesame-opt %s --sesame-lower-copy --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @contiguous_stays
// CHECK-NEXT:    memref.copy
// CHECK-NEXT:    return
func.func @contiguous_stays(%a: memref<?x8xf32>, %b: memref<?x8xf32>) {
  memref.copy %a, %b : memref<?x8xf32> to memref<?x8xf32>
  return
}

// The two last axes are one block on both sides.
// CHECK-LABEL: func.func @blocks
// CHECK-SAME:    %[[A:[a-z0-9]+]]: {{.*}}, %[[B:[a-z0-9]+]]: memref
// CHECK:         %[[N:.*]] = memref.dim %[[A]]
// CHECK:         scf.for %[[I:.*]] = %{{.*}} to %[[N]]
// CHECK:           %[[FROM:.*]] = memref.subview %[[A]][%[[I]], 0, 0] [1, 4, 8] [1, 1, 1]
// CHECK:           %[[TO:.*]] = memref.subview %[[B]][%[[I]], 0, 0] [1, 4, 8] [1, 1, 1]
// CHECK:           memref.copy %[[FROM]], %[[TO]] : memref<4x8xf32, strided<[8, 1], offset: ?>> to memref<4x8xf32, strided<[8, 1], offset: ?>>
func.func @blocks(%a: memref<?x4x8xf32, strided<[?, 8, 1], offset: ?>>, %b: memref<?x4x8xf32, strided<[?, 8, 1]>>) {
  memref.copy %a, %b : memref<?x4x8xf32, strided<[?, 8, 1], offset: ?>> to memref<?x4x8xf32, strided<[?, 8, 1]>>
  return
}

// CHECK-LABEL: func.func @elements
// CHECK:         scf.for %[[I:.*]] =
// CHECK:           scf.for %[[J:.*]] =
// CHECK:             %[[X:.*]] = memref.load %{{.*}}[%[[I]], %[[J]]]
// CHECK:             memref.store %[[X]], %{{.*}}[%[[I]], %[[J]]]
// CHECK-NOT:     memref.copy
func.func @elements(%a: memref<4x?xf32, strided<[1, ?]>>, %b: memref<4x?xf32, strided<[?, 1]>>) {
  memref.copy %a, %b : memref<4x?xf32, strided<[1, ?]>> to memref<4x?xf32, strided<[?, 1]>>
  return
}
