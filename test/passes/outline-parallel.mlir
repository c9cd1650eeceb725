// RUN: sesame-opt %s --sesame-outline-parallel --canonicalize --cse --split-input-file --verify-diagnostics --allow-unregistered-dialect | FileCheck %s

// Two axes become one range; the first iteration's indices come from a division, the others' from counting. The body gets what it uses in a struct,
// copies constants, and is called directly for a range of at most one iteration. An inner loop is run in place. What a loop does not change is
// stored before it.
// CHECK-LABEL: func.func private @parallel_entry_0
// CHECK-SAME:    (%[[DATA:.*]]: !llvm.ptr {llvm.noalias, llvm.readonly}, %[[BEGIN:.*]]: i64, %[[END:.*]]: i64)
// CHECK-DAG:     %[[C5:.*]] = arith.constant 5 : index
// CHECK-DAG:     %[[PLACE:.*]] = llvm.getelementptr %[[DATA]][0, 0]
// CHECK-DAG:     %[[BUFFER:.*]] = llvm.load %[[PLACE]] : !llvm.ptr -> !llvm.struct
// CHECK-DAG:     %[[FIRST:.*]] = arith.index_cast %[[BEGIN]]
// CHECK-DAG:     %[[LAST:.*]] = arith.index_cast %[[END]]
// CHECK:         %[[J0:.*]] = arith.remui %[[FIRST]], %[[COUNT:.*]] : index
// CHECK:         %[[I0:.*]] = arith.divui %[[FIRST]], %[[COUNT]] : index
// CHECK:         scf.for %{{.*}} = %[[FIRST]] to %[[LAST]] step %{{.*}} iter_args(%[[I:.*]] = %[[I0]], %[[J:.*]] = %[[J0]])
// CHECK:           %[[SCALED:.*]] = arith.muli %[[J]], %{{.*}} : index
// CHECK:           scf.for %[[K:.*]] =
// CHECK:             "test.use"(%{{.*}}, %[[I]], %[[SCALED]], %[[K]], %[[C5]])
// CHECK:           %[[UP:.*]] = arith.addi %[[J]]
// CHECK:           %[[WRAPS:.*]] = arith.cmpi eq, %[[UP]], %[[COUNT]]
// CHECK:           %[[NEXT:.*]] = arith.select %[[WRAPS]], %{{.*}}, %[[UP]]
// CHECK:           %[[UP_I:.*]] = arith.addi %[[I]]
// CHECK:           %[[NEXT_I:.*]] = arith.select %[[WRAPS]], %[[UP_I]], %[[I]]
// CHECK:           scf.yield %[[NEXT_I]], %[[NEXT]]
// CHECK-LABEL: func.func @entry
// CHECK-SAME:    %[[CONTEXT:[a-z0-9]+]]: !llvm.ptr {sesame.context}
// CHECK:         %[[DATA:.*]] = llvm.alloca {{.*}} {alignment = 64 : i64}
// CHECK:         %[[PLACE:.*]] = llvm.getelementptr %[[DATA]][0, 0]
// CHECK:         llvm.store %{{.*}}, %[[PLACE]]
// CHECK:         scf.for
// CHECK-NOT:       llvm.store
// CHECK:           arith.cmpi sgt, %[[ITERATIONS:.*]], %[[ONE:.*]] : i64
// CHECK:           scf.if
// CHECK:             %[[PARALLEL_FOR:.*]] = llvm.load %[[CONTEXT]]
// CHECK:             %[[BODY:.*]] = builtin.unrealized_conversion_cast %{{.*}} : (!llvm.ptr, i64, i64) -> () to !llvm.ptr
// CHECK:             llvm.call %[[PARALLEL_FOR]](%[[CONTEXT]], %[[BODY]], %[[DATA]], %[[ITERATIONS]]) :
// CHECK:           } else {
// CHECK:             arith.cmpi sgt, %[[ITERATIONS]], %{{.*}} : i64
// CHECK:             scf.if
// CHECK:             func.call @parallel_entry_0(%[[DATA]], %{{.*}}, %[[ITERATIONS]])
func.func @entry(%context: !llvm.ptr {sesame.context}, %m: memref<?xf32>, %n: index, %step: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  scf.for %l = %c0 to %c5 step %c1 {
    scf.forall (%i, %j) = (0, 0) to (%n, %n) step (1, %step) {
      scf.forall (%k) in (%n) {
        "test.use"(%m, %i, %j, %k, %c5) : (memref<?xf32>, index, index, index, index) -> ()
      }
    }
  }
  return
}

// -----

// In every other iteration of the loop around it, a part's tasks run from the last to the first. The iteration's number is the first of what is handed over.
// CHECK-LABEL: func.func private @parallel_alternating_0
// CHECK-SAME:    (%[[DATA:.*]]: !llvm.ptr {llvm.noalias, llvm.readonly}, %[[BEGIN:.*]]: i64, %[[END:.*]]: i64)
// CHECK-DAG:     %[[T64:.*]] = llvm.load %{{.*}} : !llvm.ptr -> i64
// CHECK-DAG:     %[[ONE:.*]] = arith.constant 1 : index
// CHECK-DAG:     %[[BIT:.*]] = arith.andi %{{.*}}, %[[ONE]]
// CHECK-DAG:     %[[IS_ODD:.*]] = arith.cmpi eq, %[[BIT]], %[[ONE]]
// CHECK-DAG:     %[[FIRST:.*]] = arith.index_cast %[[BEGIN]]
// CHECK-DAG:     %[[LAST:.*]] = arith.index_cast %[[END]]
// CHECK:         scf.for %[[UP:.*]] = %[[FIRST]] to %[[LAST]] step %{{.*}} {
// CHECK:           %[[SUM:.*]] = arith.addi %[[FIRST]], %[[LAST]]
// CHECK:           %[[TOP:.*]] = arith.subi %[[SUM]]
// CHECK:           %[[DOWN:.*]] = arith.subi %[[TOP]], %[[UP]]
// CHECK:           %[[PLACE:.*]] = arith.select %[[IS_ODD]], %[[DOWN]], %[[UP]]
// CHECK:           %[[J:.*]] = arith.remui %[[PLACE]], %[[COUNT:.*]] : index
// CHECK:           %[[I:.*]] = arith.divui %[[PLACE]], %[[COUNT]] : index
// CHECK:           "test.use"(%[[I]], %[[J]])
// CHECK-LABEL: func.func @alternating
// CHECK:         %[[DATA:.*]] = llvm.alloca
// CHECK:         scf.for %[[T:.*]] =
// CHECK:           %[[T64:.*]] = builtin.unrealized_conversion_cast %[[T]] : index to i64
// CHECK:           llvm.store %[[T64]], %{{.*}} : i64
func.func @alternating(%context: !llvm.ptr {sesame.context}, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %n step %c1 {
    scf.forall (%i, %j) in (%n, %n) {
      "test.use"(%i, %j) : (index, index) -> ()
    } {sesame.alternates}
  }
  return
}

// -----

func.func @no_context(%n: index) {
  // expected-error @+1 {{a parallel loop needs a function with a 'sesame.context' argument}}
  scf.forall (%i) in (%n) {
    "test.use"(%i) : (index) -> ()
  }
  return
}

// -----

func.func @not_bufferized(%context: !llvm.ptr {sesame.context}, %t: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{a parallel loop still has tensor results; bufferize first}}
  %r = scf.forall (%i) in (4) shared_outs(%o = %t) -> tensor<4xf32> {
    %s = tensor.extract_slice %o[%i] [1] [1] : tensor<4xf32> to tensor<1xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %s into %o[%i] [1] [1] : tensor<1xf32> into tensor<4xf32>
    }
  }
  return %r : tensor<4xf32>
}

// -----

// A fused location's number is handed to the runtime's profile hook before and after the loop.
// CHECK-LABEL: func.func private @sesame_profile
// CHECK-SAME:    (%[[CONTEXT:.*]]: !llvm.ptr, %[[OP:.*]]: i64, %[[BEGIN:.*]]: i64)
// CHECK:         %[[FIELD:.*]] = llvm.getelementptr %[[CONTEXT]][1]
// CHECK:         %[[HOOK:.*]] = llvm.load %[[FIELD]]
// CHECK:         llvm.icmp "ne" %[[HOOK]]
// CHECK:         scf.if
// CHECK:           llvm.call %[[HOOK]](%[[CONTEXT]], %[[OP]], %[[BEGIN]])
// CHECK-LABEL: func.func @profiled
// CHECK-SAME:    %[[CONTEXT:[a-z0-9]+]]: !llvm.ptr {sesame.context}
// CHECK-DAG:     %[[END:.*]] = arith.constant 0 : i64
// CHECK-DAG:     %[[BEGIN:.*]] = arith.constant 1 : i64
// CHECK-DAG:     %[[OP:.*]] = arith.constant 7 : i64
// CHECK:         call @sesame_profile(%[[CONTEXT]], %[[OP]], %[[BEGIN]])
// CHECK:         llvm.call
// CHECK:         call @sesame_profile(%[[CONTEXT]], %[[OP]], %[[END]])
func.func @profiled(%context: !llvm.ptr {sesame.context}, %n: index) {
  scf.forall (%i) in (%n) {
    "test.use"(%i) : (index) -> ()
  } loc(fused<7 : i64>["linear"])
  return
}

// -----

// Equal bodies are one function, whichever function the loops are in; another constant makes another body.
// CHECK-LABEL: func.func private @parallel_first_0
// CHECK-LABEL: func.func @first
// CHECK:         call @parallel_first_0
// CHECK-NOT:   @parallel_second_0
// CHECK-LABEL: func.func private @parallel_second_1
// CHECK-LABEL: func.func @second
// CHECK:         call @parallel_first_0
// CHECK:         call @parallel_second_1
func.func @first(%context: !llvm.ptr {sesame.context}, %m: memref<?xf32>, %n: index) {
  %c5 = arith.constant 5 : index
  scf.forall (%i) in (%n) {
    "test.use"(%m, %i, %c5) : (memref<?xf32>, index, index) -> ()
  }
  return
}
func.func @second(%context: !llvm.ptr {sesame.context}, %n: index, %m: memref<?xf32>) {
  %c5 = arith.constant 5 : index
  %c6 = arith.constant 6 : index
  scf.forall (%i) in (%n) {
    "test.use"(%m, %i, %c5) : (memref<?xf32>, index, index) -> ()
  }
  scf.forall (%i) in (%n) {
    "test.use"(%m, %i, %c6) : (memref<?xf32>, index, index) -> ()
  }
  return
}

// -----

// A region of little work is run by the thread that reaches it. Its work is that of the first iteration, which has the most rows, as often as there are
// iterations: (rows + 3) * 4096 in each of the two tiles.
// CHECK-LABEL: func.func @little
// CHECK-DAG:     %[[LEAST:.*]] = arith.constant 196608 : index
// CHECK-DAG:     %[[ROWS:.*]] = affine.min
// CHECK-DAG:     %[[READ:.*]] = arith.addi %[[ROWS]], %{{.*}} : index
// CHECK-DAG:     %[[PANELS:.*]] = arith.constant 8192 : index
// CHECK-DAG:     %[[TASK:.*]] = arith.muli %[[READ]], %[[PANELS]] : index
// CHECK-DAG:     %[[ALL:.*]] = arith.muli %[[TASK]], %{{.*}} : index
// CHECK:         %[[IS_MUCH:.*]] = arith.cmpi sge, %[[ALL]], %[[LEAST]]
// CHECK:         %[[BOTH:.*]] = arith.andi %{{.*}}, %[[IS_MUCH]]
// CHECK:         scf.if %[[BOTH]]
// CHECK:           llvm.call
// CHECK:         } else {
// CHECK:           %[[IS_ANY:.*]] = arith.cmpi sgt
// CHECK:           scf.if %[[IS_ANY]]
// CHECK:             func.call @parallel_little_0
func.func @little(%context: !llvm.ptr {sesame.context}, %x: memref<?x128xf32>, %panels: memref<4x128x32xf32>, %y: memref<?x128xf32>, %n: index, %blocks: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  scf.forall (%i, %j) in (%blocks, 2) {
    %m = affine.apply affine_map<(d0) -> (d0 * 8)>(%i)
    %rows = affine.min affine_map<(d0)[s0] -> (s0 - d0, 8)>(%m)[%n]
    %lhs = memref.subview %x[%m, 0] [%rows, 128] [1, 1] : memref<?x128xf32> to memref<?x128xf32, strided<[128, 1], offset: ?>>
    scf.for %k = %c0 to %c2 step %c1 {
      %number = affine.apply affine_map<(d0, d1) -> (d0 * 2 + d1)>(%j, %k)
      %column = affine.apply affine_map<(d0) -> (d0 * 32)>(%number)
      %panel = memref.subview %panels[%number, 0, 0] [1, 128, 32] [1, 1, 1] : memref<4x128x32xf32> to memref<128x32xf32, strided<[32, 1], offset: ?>>
      %out = memref.subview %y[%m, %column] [%rows, 32] [1, 1] : memref<?x128xf32> to memref<?x32xf32, strided<[128, 1], offset: ?>>
      %cast = memref.cast %lhs : memref<?x128xf32, strided<[128, 1], offset: ?>> to memref<?x128xf32, strided<[?, 1], offset: ?>>
      sesame.matmul_tile lhs(%cast : memref<?x128xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<128x32xf32, strided<[32, 1], offset: ?>>)
        out(%out : memref<?x32xf32, strided<[128, 1], offset: ?>>)
    }
  }
  return
}

// -----

// Whatever else may take long makes a region parallel, as do tiles of a size that is known inside alone.
// CHECK-LABEL: func.func @unknown
// CHECK-NOT:     196608
// CHECK:         return
func.func @unknown(%context: !llvm.ptr {sesame.context}, %x: memref<?x128xf32>, %counts: memref<?xindex>, %panel: memref<128x32xf32>, %y: memref<?x32xf32>, %n: index) {
  scf.forall (%i) in (%n) {
    %rows = memref.load %counts[%i] : memref<?xindex>
    %lhs = memref.subview %x[%i, 0] [%rows, 128] [1, 1] : memref<?x128xf32> to memref<?x128xf32, strided<[128, 1], offset: ?>>
    %out = memref.subview %y[%i, 0] [%rows, 32] [1, 1] : memref<?x32xf32> to memref<?x32xf32, strided<[32, 1], offset: ?>>
    sesame.matmul_tile lhs(%lhs : memref<?x128xf32, strided<[128, 1], offset: ?>>) panel(%panel : memref<128x32xf32>)
      out(%out : memref<?x32xf32, strided<[32, 1], offset: ?>>)
  }
  scf.forall (%i) in (%n) {
    linalg.fill ins(%i : index) outs(%counts : memref<?xindex>)
  }
  return
}
