// RUN: sesame-opt %s --allow-unregistered-dialect --sesame-plan-arena=max-scratch-bytes=1024 --split-input-file --verify-diagnostics

func.func @size_from_data(%x: memref<4xindex>) {
  %c0 = arith.constant 0 : index
  %n = memref.load %x[%c0] : memref<4xindex>
  // expected-error @+1 {{the size of a temporary buffer does not depend on the entry's symbols alone}}
  %a = memref.alloc(%n) : memref<?xf32>
  "test.use"(%a) : (memref<?xf32>) -> ()
  return
}

// -----

func.func @outlives_its_iteration(%n: index {sesame.symbol = "N"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %first = memref.alloc() : memref<4xf32>
  %last = scf.for %i = %c0 to %n step %c1 iter_args(%m = %first) -> memref<4xf32> {
    // expected-error @+1 {{a temporary buffer outlives the loop iteration in which it is made}}
    %a = memref.alloc() : memref<4xf32>
    "test.use"(%m, %a) : (memref<4xf32>, memref<4xf32>) -> ()
    scf.yield %a : memref<4xf32>
  }
  "test.use"(%last) : (memref<4xf32>) -> ()
  return
}

// -----

func.func @large_scratch(%n: index {sesame.symbol = "N"}) {
  scf.forall (%i) in (%n) {
    // expected-error @+1 {{a parallel body needs a temporary buffer of 1028 bytes, expected at most 1024}}
    %a = memref.alloc() : memref<257xf32>
    "test.use"(%a) : (memref<257xf32>) -> ()
  }
  return
}

// -----

func.func @dynamic_scratch(%n: index {sesame.symbol = "N"}) {
  scf.forall (%i) in (%n) {
    // expected-error @+1 {{a parallel body needs a temporary buffer of unknown size}}
    %a = memref.alloc(%n) : memref<?xf32>
    "test.use"(%a) : (memref<?xf32>) -> ()
  }
  return
}
