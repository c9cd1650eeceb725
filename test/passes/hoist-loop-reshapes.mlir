// RUN: sesame-opt %s --sesame-hoist-loop-reshapes --canonicalize | FileCheck %s

// The loop carries rows; the second, scalar value is carried as before.
// CHECK-LABEL: func.func @rows_are_carried
// CHECK-SAME:    %[[X:.*]]: tensor<?x?x8xf32>
// CHECK-DAG:     %[[B:.*]] = tensor.dim %[[X]], %c0
// CHECK-DAG:     %[[S:.*]] = tensor.dim %[[X]], %c1
// CHECK:         %[[R:.*]] = tensor.collapse_shape %[[X]] {{\[\[}}0, 1], [2]]
// CHECK:         %[[H:.*]]:2 = scf.for {{.*}} iter_args(%[[C:.*]] = %[[R]], %[[N:.*]] = %c0) -> (tensor<?x8xf32>, index)
// CHECK-NOT:       collapse_shape
// CHECK:           %[[Y:.*]] = sesame.rms_norm %[[C]]
// CHECK:           scf.yield %[[Y]], %{{.*}} : tensor<?x8xf32>, index
// CHECK:         tensor.expand_shape %[[H]]#0 {{\[\[}}0, 1], [2]] output_shape [%[[B]], %[[S]], 8]
func.func @rows_are_carried(%x: tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %h:2 = scf.for %l = %c0 to %c3 step %c1 iter_args(%a = %x, %n = %c0) -> (tensor<?x?x8xf32>, index) {
    %b = tensor.dim %a, %c0 : tensor<?x?x8xf32>
    %s = tensor.dim %a, %c1 : tensor<?x?x8xf32>
    %r = tensor.collapse_shape %a [[0, 1], [2]] : tensor<?x?x8xf32> into tensor<?x8xf32>
    %y = sesame.rms_norm %r epsilon = 1.0e-6 : tensor<?x8xf32>
    %z = tensor.expand_shape %y [[0, 1], [2]] output_shape [%b, %s, 8] : tensor<?x8xf32> into tensor<?x?x8xf32>
    %m = arith.addi %n, %b : index
    scf.yield %z, %m : tensor<?x?x8xf32>, index
  }
  return %h#0, %h#1 : tensor<?x?x8xf32>, index
}

// A reshape of something from outside the loop is not the loop's to move.
// CHECK-LABEL: func.func @reshape_outside_is_left
// CHECK:         scf.for {{.*}} -> (tensor<?x?x8xf32>)
func.func @reshape_outside_is_left(%x: tensor<?x?x8xf32>, %r: tensor<?x8xf32>, %b: index, %s: index, %n: index) -> tensor<?x?x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %z = tensor.expand_shape %r [[0, 1], [2]] output_shape [%b, %s, 8] : tensor<?x8xf32> into tensor<?x?x8xf32>
  %h = scf.for %l = %c0 to %n step %c1 iter_args(%a = %x) -> (tensor<?x?x8xf32>) {
    scf.yield %z : tensor<?x?x8xf32>
  }
  return %h : tensor<?x?x8xf32>
}
