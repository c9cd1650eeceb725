// RUN: sesame-opt %s --allow-unregistered-dialect --sesame-drop-entry-results --split-input-file --verify-diagnostics | FileCheck %s

// A state that a loop carries unchanged as a buffer is still the state.
// CHECK-LABEL: func.func @returned_arguments
// CHECK-SAME:    %{{.*}}: index) {
// CHECK:         return{{$}}
func.func @returned_arguments(%y: memref<?xf32> {sesame.name = "y", sesame.output}, %s: memref<4xf32> {sesame.name = "s", sesame.state}, %n: index)
    -> (memref<?xf32> {sesame.destination = 0 : i64}, memref<4xf32> {sesame.destination = 1 : i64}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%c = %s) -> memref<4xf32> {
    "test.write"(%c) : (memref<4xf32>) -> ()
    scf.yield %c : memref<4xf32>
  }
  return %y, %r : memref<?xf32>, memref<4xf32>
}

// -----

// expected-error @+1 {{state 's' is not updated in place: it would have to be copied}}
func.func @copied_state(%s: memref<4xf32> {sesame.name = "s", sesame.state}) -> (memref<4xf32> {sesame.destination = 0 : i64}) {
  // expected-note @+1 {{this is what is returned instead}}
  %copy = memref.alloc() : memref<4xf32>
  memref.copy %s, %copy : memref<4xf32> to memref<4xf32>
  return %copy : memref<4xf32>
}
