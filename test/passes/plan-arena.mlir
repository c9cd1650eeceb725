// RUN: sesame-opt %s --allow-unregistered-dialect --sesame-plan-arena --canonicalize --cse | FileCheck %s

// Three buffers in a chain: the first and the last are never alive together and share their place; sizes are rounded up to 64 bytes.
// CHECK-LABEL: func.func @chain
// CHECK-SAME:    %[[ARENA:[a-z0-9]+]]: memref<?xi8> {sesame.arena}, %[[B:[a-z0-9]+]]: index {sesame.symbol = "B"}
// CHECK-DAG:     %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG:     %[[C12:.*]] = arith.constant 12 : index
// CHECK-DAG:     %[[MASK:.*]] = arith.constant -64 : index
// CHECK:         %[[BYTES:.*]] = arith.muli %[[B]], %[[C12]]
// CHECK:         %[[SUM:.*]] = arith.addi %[[BYTES]]
// CHECK:         %[[SIZE:.*]] = arith.andi %[[SUM]], %[[MASK]]
// CHECK:         %[[LOW:.*]] = memref.view %[[ARENA]][%[[C0]]][%[[B]]] : memref<?xi8> to memref<?x3xf32>
// CHECK:         %[[HIGH:.*]] = memref.view %[[ARENA]][%[[SIZE]]][%[[B]]] : memref<?xi8> to memref<?x3xf32>
// CHECK:         "test.first"(%[[LOW]])
// CHECK:         "test.second"(%[[LOW]], %[[HIGH]])
// CHECK:         "test.third"(%[[HIGH]], %[[LOW]])
// CHECK-NOT:     memref.dealloc
// CHECK-LABEL: func.func @chain__workspace
// CHECK-SAME:    %[[B:[a-z0-9]+]]: index {sesame.symbol = "B"}
// CHECK:         %[[SIZE:.*]] = arith.andi
// CHECK:         %[[TOTAL:.*]] = arith.addi %[[SIZE]], %[[SIZE]]
// CHECK:         return %[[TOTAL]]
func.func @chain(%x: memref<?x3xf32> {sesame.dims = ["B", "3"]}, %b: index {sesame.symbol = "B"}) {
  %c0 = arith.constant 0 : index
  %d = memref.dim %x, %c0 : memref<?x3xf32>
  %0 = memref.alloc(%d) : memref<?x3xf32>
  %1 = memref.alloc(%d) : memref<?x3xf32>
  %2 = memref.alloc(%d) : memref<?x3xf32>
  "test.first"(%0) : (memref<?x3xf32>) -> ()
  "test.second"(%0, %1) : (memref<?x3xf32>, memref<?x3xf32>) -> ()
  "test.third"(%1, %2) : (memref<?x3xf32>, memref<?x3xf32>) -> ()
  memref.dealloc %0 : memref<?x3xf32>
  return
}

// A buffer that a loop uses is alive through all its iterations, whatever the order inside; one made in the loop only within an
// iteration, so the two made in it share a place. A use through a subview counts.
// CHECK-LABEL: func.func @loop
// CHECK-DAG:     %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG:     %[[C1024:.*]] = arith.constant 1024 : index
// CHECK:         memref.view %{{.*}}[%[[C0]]][] : memref<?xi8> to memref<256xf32>
// CHECK:         memref.view %{{.*}}[%[[C1024]]][] : memref<?xi8> to memref<16xf32>
// CHECK:         scf.for
// CHECK:           memref.view %{{.*}}[%[[C1088:.*]]][] : memref<?xi8> to memref<16xf32>
// CHECK-LABEL: func.func @loop__workspace
// CHECK:         %[[TOTAL:.*]] = arith.constant 1152 : index
// CHECK:         return %[[TOTAL]]
func.func @loop(%n: index {sesame.symbol = "N"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %outer = memref.alloc() : memref<256xf32>
  %part = memref.subview %outer[8] [4] [1] : memref<256xf32> to memref<4xf32, strided<[1], offset: 8>>
  %before = memref.alloc() : memref<16xf32>
  scf.for %i = %c0 to %n step %c1 {
    %a = memref.alloc() : memref<16xf32>
    "test.read"(%part) : (memref<4xf32, strided<[1], offset: 8>>) -> ()
    "test.use"(%a) : (memref<16xf32>) -> ()
    %b = memref.alloc() : memref<16xf32>
    "test.use"(%b, %before) : (memref<16xf32>, memref<16xf32>) -> ()
  }
  return
}

// The second half of the large buffer's life is over when the small ones begin: both small ones lie in its bytes.
// CHECK-LABEL: func.func @two_in_the_place_of_one__workspace
// CHECK:         %[[TOTAL:.*]] = arith.constant 512 : index
// CHECK:         return %[[TOTAL]]
func.func @two_in_the_place_of_one() {
  %large = memref.alloc() : memref<128xf32>
  %a = memref.alloc() : memref<64xf32>
  %b = memref.alloc() : memref<64xf32>
  "test.use"(%large) : (memref<128xf32>) -> ()
  "test.use"(%a, %b) : (memref<64xf32>, memref<64xf32>) -> ()
  return
}

// Small buffers of parallel bodies go to the stack.
// CHECK-LABEL: func.func @scratch
// CHECK-NOT:     sesame.arena
// CHECK:         scf.forall
// CHECK:           memref.alloca() {alignment = 64 : i64} : memref<8x16xf32>
func.func @scratch(%n: index {sesame.symbol = "N"}) {
  scf.forall (%i) in (%n) {
    %a = memref.alloc() : memref<8x16xf32>
    "test.use"(%a) : (memref<8x16xf32>) -> ()
  }
  return
}
