// RUN: sesame-opt %s --sesame-hoist-allocas --split-input-file --verify-diagnostics --allow-unregistered-dialect | FileCheck %s

// CHECK-LABEL: func.func @in_loops
// CHECK-NEXT:    %[[A:.*]] = memref.alloca() : memref<8xf32>
// CHECK-NEXT:    %[[B:.*]] = memref.alloca() : memref<4xf32>
// CHECK:         scf.for
// CHECK-NEXT:      "test.use"(%[[A]])
// CHECK-NEXT:      scf.for
// CHECK-NEXT:        "test.use"(%[[B]])
func.func @in_loops(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %a = memref.alloca() : memref<8xf32>
    "test.use"(%a) : (memref<8xf32>) -> ()
    scf.for %j = %c0 to %n step %c1 {
      %b = memref.alloca() : memref<4xf32>
      "test.use"(%b) : (memref<4xf32>) -> ()
    }
  }
  return
}

// -----

func.func @dynamic(%n: index) {
  // expected-error @+1 {{a stack buffer must have a static size}}
  %a = memref.alloca(%n) : memref<?xf32>
  "test.use"(%a) : (memref<?xf32>) -> ()
  return
}
