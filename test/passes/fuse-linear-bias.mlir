// RUN: sesame-opt %s --sesame-fuse-linear-bias --remarks-filter="sesame.*" --remark-format=emitRemark 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t

// CHECK-LABEL: func.func @row_becomes_bias
// CHECK-SAME:    %[[X:.*]]: tensor<?x?x36xf32>, %[[W:.*]]: tensor<52x36xf32>, %[[B:.*]]: tensor<52xf32>
// CHECK:         %[[Y:.*]] = sesame.linear %[[X]], %[[W]] bias(%[[B]] : tensor<52xf32>)
// CHECK-NOT:     arith.addf
// CHECK:         return %[[Y]]
func.func @row_becomes_bias(%x: tensor<?x?x36xf32>, %w: tensor<52x36xf32>, %b: tensor<52xf32>, %e: tensor<?x?x52xf32>) -> tensor<?x?x52xf32> {
  %y = sesame.linear %x, %w : tensor<?x?x36xf32>, tensor<52x36xf32> -> tensor<?x?x52xf32>
  %r = linalg.broadcast ins(%b : tensor<52xf32>) outs(%e : tensor<?x?x52xf32>) dimensions = [0, 1]
  %z = arith.addf %r, %y : tensor<?x?x52xf32>
  return %z : tensor<?x?x52xf32>
}

// A column [B] that is repeated along N is no bias.
// CHECK-LABEL: func.func @column_stays
// CHECK-NOT:     bias
// CHECK:         arith.addf
func.func @column_stays(%x: tensor<?x36xf32>, %w: tensor<52x36xf32>, %b: tensor<?xf32>, %e: tensor<?x52xf32>) -> tensor<?x52xf32> {
  %y = sesame.linear %x, %w : tensor<?x36xf32>, tensor<52x36xf32> -> tensor<?x52xf32>
  %r = linalg.broadcast ins(%b : tensor<?xf32>) outs(%e : tensor<?x52xf32>) dimensions = [1]
  %z = arith.addf %y, %r : tensor<?x52xf32>
  return %z : tensor<?x52xf32>
}

// REMARK: the linear has another user
// CHECK-LABEL: func.func @second_user_keeps_the_sum
// CHECK-NOT:     bias
// CHECK:         arith.addf
func.func @second_user_keeps_the_sum(%x: tensor<?x36xf32>, %w: tensor<52x36xf32>, %b: tensor<52xf32>, %e: tensor<?x52xf32>) -> (tensor<?x52xf32>, tensor<?x52xf32>) {
  %y = sesame.linear %x, %w : tensor<?x36xf32>, tensor<52x36xf32> -> tensor<?x52xf32>
  %r = linalg.broadcast ins(%b : tensor<52xf32>) outs(%e : tensor<?x52xf32>) dimensions = [0]
  %z = arith.addf %y, %r : tensor<?x52xf32>
  return %y, %z : tensor<?x52xf32>, tensor<?x52xf32>
}

// REMARK: the linear has a bias, an activation or a residual already
// CHECK-LABEL: func.func @activation_keeps_the_sum
// CHECK-NOT:     bias
// CHECK:         arith.addf
func.func @activation_keeps_the_sum(%x: tensor<?x36xf32>, %w: tensor<52x36xf32>, %b: tensor<52xf32>, %e: tensor<?x52xf32>) -> tensor<?x52xf32> {
  %y = sesame.linear %x, %w activation = relu : tensor<?x36xf32>, tensor<52x36xf32> -> tensor<?x52xf32>
  %r = linalg.broadcast ins(%b : tensor<52xf32>) outs(%e : tensor<?x52xf32>) dimensions = [0]
  %z = arith.addf %y, %r : tensor<?x52xf32>
  return %z : tensor<?x52xf32>
}

// REMARK: the linear lies in another block
// CHECK-LABEL: func.func @linear_is_not_moved_into_a_loop
// CHECK:         sesame.linear
// CHECK:         scf.for
// CHECK:           arith.addf
func.func @linear_is_not_moved_into_a_loop(%x: tensor<?x36xf32>, %w: tensor<52x36xf32>, %b: tensor<52xf32>, %e: tensor<?x52xf32>, %n: index) -> tensor<?x52xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %y = sesame.linear %x, %w : tensor<?x36xf32>, tensor<52x36xf32> -> tensor<?x52xf32>
  %f = scf.for %i = %c0 to %n step %c1 iter_args(%a = %e) -> tensor<?x52xf32> {
    %r = linalg.broadcast ins(%b : tensor<52xf32>) outs(%a : tensor<?x52xf32>) dimensions = [0]
    %z = arith.addf %y, %r : tensor<?x52xf32>
    scf.yield %z : tensor<?x52xf32>
  }
  return %f : tensor<?x52xf32>
}
