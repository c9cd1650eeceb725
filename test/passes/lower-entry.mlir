// RUN: sesame-opt %s --allow-unregistered-dialect --sesame-lower-entry --canonicalize --cse | FileCheck %s

sesame.weight @w count = 3 offset = 128 stride = 192 : tensor<6x8xf32> {
  %0 = sesame.checkpoint_tensor ["h.", ".w"] : tensor<6x8xf32>
  sesame.yield %0 : tensor<6x8xf32>
}

// buffers: weights, arena, inputs and states in argument order, outputs; dims: B, then the state's C.
// CHECK-LABEL: func.func @sesame_entry_forward
// CHECK-SAME:    (%[[CONTEXT:.*]]: !llvm.ptr {sesame.context}, %[[BUFFERS:.*]]: !llvm.ptr, %[[DIMS:.*]]: !llvm.ptr)
// CHECK:         %[[B64:.*]] = llvm.load %[[DIMS]] : !llvm.ptr -> i64
// CHECK:         %[[B:.*]] = arith.index_cast %[[B64]] : i64 to index
// CHECK:         %[[CP:.*]] = llvm.getelementptr %[[DIMS]][1]
// CHECK:         %[[C64:.*]] = llvm.load %[[CP]]
// CHECK:         %[[C:.*]] = arith.index_cast %[[C64]] : i64 to index
// CHECK:         %[[XP:.*]] = llvm.getelementptr %[[BUFFERS]][2]
// CHECK:         %[[X0:.*]] = llvm.load %[[XP]]
// CHECK:         llvm.insertvalue %[[X0]]
// CHECK:         %[[SP:.*]] = llvm.getelementptr %[[BUFFERS]][3]
// CHECK:         %[[YP:.*]] = llvm.getelementptr %[[BUFFERS]][4]
// CHECK:         %[[AP:.*]] = llvm.getelementptr %[[BUFFERS]][1]
// CHECK:         %[[W0:.*]] = llvm.load %[[BUFFERS]] : !llvm.ptr -> !llvm.ptr
// CHECK-DAG:     %[[STEP:.*]] = llvm.mul
// CHECK-DAG:     %[[PLACE:.*]] = llvm.add
// CHECK:         %[[W:.*]] = llvm.getelementptr %[[W0]][%{{.*}}] : (!llvm.ptr, i64) -> !llvm.ptr, i8
// CHECK:         "test.use"(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %[[B]], %[[C]])
func.func @forward(%x: memref<?x8xf32> {sesame.dims = ["B", "8"]}, %s: memref<?xf32> {sesame.dims = ["C"], sesame.state},
                   %y: memref<4xf32> {sesame.output}, %arena: memref<?xi8> {sesame.arena},
                   %b: index {sesame.symbol = "B"}, %c: index {sesame.symbol = "C"}) {
  %w = sesame.get_weight @w[%b] : memref<6x8xf32>
  "test.use"(%x, %s, %y, %arena, %w, %b, %c) : (memref<?x8xf32>, memref<?xf32>, memref<4xf32>, memref<?xi8>, memref<6x8xf32>, index, index) -> ()
  return
}

// CHECK-LABEL: func.func @sesame_entry_forward_workspace
// CHECK-SAME:    (%[[DIMS:.*]]: !llvm.ptr) -> i64
// CHECK:         %[[CP:.*]] = llvm.getelementptr %[[DIMS]][1]
// CHECK:         llvm.load %[[CP]]
func.func @forward__workspace(%b: index {sesame.symbol = "B"}, %c: index {sesame.symbol = "C"}) -> index {
  return %c : index
}
