// RUN: sesame-opt %s --allow-unregistered-dialect --sesame-bufferize-entries | FileCheck %s

// Results get destinations behind the inputs, symbols come last, in order of first appearance over inputs, then states.
// CHECK-LABEL: func.func @results_and_symbols
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x?x8xf32> {bufferization.writable = false, sesame.dims = ["B", "S", "8"], sesame.name = "x"}
// CHECK-SAME:    %[[CACHE:[a-z0-9]+]]: tensor<?x?x8xf32> {bufferization.writable = true, sesame.dims = ["B", "C", "8"], sesame.name = "cache", sesame.state}
// CHECK-SAME:    %[[M:[a-z0-9]+]]: tensor<?x?xi64> {bufferization.writable = false, sesame.dims = ["B", "T"], sesame.name = "m"}
// CHECK-SAME:    %[[Y:[a-z0-9]+]]: tensor<?x?x8xf32> {bufferization.writable = true, sesame.dims = ["B", "S", "8"], sesame.name = "y", sesame.output}
// CHECK-SAME:    %[[B:[a-z0-9]+]]: index {sesame.symbol = "B"}, %[[S:[a-z0-9]+]]: index {sesame.symbol = "S"}
// CHECK-SAME:    %[[T:[a-z0-9]+]]: index {sesame.symbol = "T"}, %[[C:[a-z0-9]+]]: index {sesame.symbol = "C"}
// CHECK-SAME:    sesame.destination = 3 : i64
// CHECK-SAME:    sesame.destination = 1 : i64
func.func @results_and_symbols(%x: tensor<?x?x8xf32> {sesame.name = "x", sesame.dims = ["B", "S", "8"]},
                               %cache: tensor<?x?x8xf32> {sesame.name = "cache", sesame.dims = ["B", "C", "8"], sesame.state},
                               %m: tensor<?x?xi64> {sesame.name = "m", sesame.dims = ["B", "T"]})
    -> (tensor<?x?x8xf32> {sesame.name = "y", sesame.dims = ["B", "S", "8"]},
        tensor<?x?x8xf32> {sesame.name = "cache", sesame.dims = ["B", "C", "8"], sesame.state}) {
  // Extents of arguments are the symbols.
  // CHECK: "test.extents"(%[[S]], %[[T]], %[[C]])
  %c1 = arith.constant 1 : index
  %s = tensor.dim %x, %c1 : tensor<?x?x8xf32>
  %t = tensor.dim %m, %c1 : tensor<?x?xi64>
  %c = tensor.dim %cache, %c1 : tensor<?x?x8xf32>
  "test.extents"(%s, %t, %c) : (index, index, index) -> ()
  // CHECK: %[[R:.*]] = "test.op"
  // CHECK: %[[W:.*]] = bufferization.materialize_in_destination %[[R]] in %[[Y]]
  // CHECK: return %[[W]], %[[CACHE]]
  %y = "test.op"(%x) : (tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  return %y, %cache : tensor<?x?x8xf32>, tensor<?x?x8xf32>
}

// Dynamic extents without names get symbols of their own, as the manifest calls them.
// CHECK-LABEL: func.func @unnamed_extents
// CHECK-SAME:    sesame.dims = ["arg0_0", "3"]
// CHECK-SAME:    sesame.dims = ["arg1_0", "arg1_1"]
// CHECK-SAME:    index {sesame.symbol = "arg0_0"}, %{{.*}}: index {sesame.symbol = "arg1_0"}, %{{.*}}: index {sesame.symbol = "arg1_1"}
func.func @unnamed_extents(%x: tensor<?x3xf32>, %y: tensor<?x?xf32>) -> tensor<4xf32> {
  %0 = "test.op"(%x, %y) : (tensor<?x3xf32>, tensor<?x?xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func.func private @private_functions_stay
// CHECK-SAME:    (%{{.*}}: tensor<?xf32>) -> tensor<?xf32>
func.func private @private_functions_stay(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// A result with a split axis is written in the shape it was computed in, so that its producer finds the caller's buffer.
// CHECK-LABEL: func.func @split_result
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x4xf32> {{{[^}]*}}}, %[[Y:[a-z0-9]+]]: tensor<?x2x2xf32>
// CHECK:         %[[FLAT:.*]] = tensor.collapse_shape %[[Y]] {{\[}}[0], [1, 2]]
// CHECK:         %[[R:.*]] = "test.op"
// CHECK:         %[[W:.*]] = bufferization.materialize_in_destination %[[R]] in %[[FLAT]]
// CHECK:         %[[S:.*]] = tensor.expand_shape %[[W]] {{\[}}[0], [1, 2]]
// CHECK:         return %[[S]]
func.func @split_result(%x: tensor<?x4xf32> {sesame.dims = ["B", "4"]}) -> (tensor<?x2x2xf32> {sesame.dims = ["B", "2", "2"]}) {
  %c0 = arith.constant 0 : index
  %b = tensor.dim %x, %c0 : tensor<?x4xf32>
  %0 = "test.op"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = tensor.expand_shape %0 [[0], [1, 2]] output_shape [%b, 2, 2] : tensor<?x4xf32> into tensor<?x2x2xf32>
  return %1 : tensor<?x2x2xf32>
}

// A loop that makes a result element by element has memory of its own: one-shot bufferization would find a conflict with the destination.
// CHECK-LABEL: func.func @result_of_loop
// CHECK-SAME:    %[[Y:[a-z0-9]+]]: tensor<3xf32> {bufferization.writable = true
// CHECK:         %[[OWN:.*]] = bufferization.alloc_tensor() : tensor<3xf32>
// CHECK:         %[[R:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[OWN]])
// CHECK:         bufferization.materialize_in_destination %[[R]] in %[[Y]]
func.func @result_of_loop(%x: tensor<3xf32> {sesame.dims = ["3"]}) -> (tensor<3xf32> {sesame.dims = ["3"]}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %empty = tensor.empty() : tensor<3xf32>
  %0 = scf.for %i = %c0 to %c3 step %c1 iter_args(%carried = %empty) -> (tensor<3xf32>) {
    %element = tensor.extract %x[%i] : tensor<3xf32>
    %next = tensor.insert %element into %carried[%i] : tensor<3xf32>
    scf.yield %next : tensor<3xf32>
  }
  return %0 : tensor<3xf32>
}
