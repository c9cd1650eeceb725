// RUN: sesame-opt %s --sesame-fuse-linear-residual --remarks-filter="sesame.*" --remark-format=emitRemark 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t

// CHECK-LABEL: func.func @sum_becomes_residual
// CHECK-SAME:    %[[X:.*]]: tensor<?x?x52xf32>, %[[W:.*]]: tensor<36x52xf32>, %[[B:.*]]: tensor<36xf32>, %[[H:.*]]: tensor<?x?x36xf32>
// CHECK-NEXT:    %[[Y:.*]] = sesame.linear %[[X]], %[[W]] bias(%[[B]] : tensor<36xf32>) residual(%[[H]] : tensor<?x?x36xf32>)
// CHECK-NEXT:    return %[[Y]]
func.func @sum_becomes_residual(%x: tensor<?x?x52xf32>, %w: tensor<36x52xf32>, %b: tensor<36xf32>, %h: tensor<?x?x36xf32>) -> tensor<?x?x36xf32> {
  %y = sesame.linear %x, %w bias(%b : tensor<36xf32>) : tensor<?x?x52xf32>, tensor<36x52xf32> -> tensor<?x?x36xf32>
  %z = arith.addf %h, %y : tensor<?x?x36xf32>
  return %z : tensor<?x?x36xf32>
}

// The residual is computed after the linear, which moves behind it; its activation comes before the sum and stays.
// CHECK-LABEL: func.func @linear_moves_to_the_sum
// CHECK:         %[[N:.*]] = sesame.layer_norm
// CHECK-NEXT:    sesame.linear {{.*}} residual(%[[N]] : tensor<?x36xf32>) layout = kn activation = relu
func.func @linear_moves_to_the_sum(%x: tensor<?x52xf32>, %w: tensor<52x36xf32>, %h: tensor<?x36xf32>) -> tensor<?x36xf32> {
  %y = sesame.linear %x, %w layout = kn activation = relu : tensor<?x52xf32>, tensor<52x36xf32> -> tensor<?x36xf32>
  %n = sesame.layer_norm %h epsilon = 1.0e-5 : tensor<?x36xf32>
  %z = arith.addf %y, %n : tensor<?x36xf32>
  return %z : tensor<?x36xf32>
}

// Two linears: the second takes the first one's result.
// CHECK-LABEL: func.func @sum_of_two_linears
// CHECK:         %[[A:.*]] = sesame.linear %{{.*}}, %[[V:.*]] : tensor<?x52xf32>
// CHECK-NEXT:    sesame.linear {{.*}} residual(%[[A]] : tensor<?x36xf32>)
func.func @sum_of_two_linears(%x: tensor<?x52xf32>, %v: tensor<36x52xf32>, %w: tensor<36x52xf32>) -> tensor<?x36xf32> {
  %a = sesame.linear %x, %v : tensor<?x52xf32>, tensor<36x52xf32> -> tensor<?x36xf32>
  %b = sesame.linear %x, %w : tensor<?x52xf32>, tensor<36x52xf32> -> tensor<?x36xf32>
  %z = arith.addf %a, %b : tensor<?x36xf32>
  return %z : tensor<?x36xf32>
}

// REMARK: the linear has another user
// CHECK-LABEL: func.func @doubled_linear_stays
// CHECK:         arith.addf
func.func @doubled_linear_stays(%x: tensor<?x52xf32>, %w: tensor<36x52xf32>) -> tensor<?x36xf32> {
  %y = sesame.linear %x, %w : tensor<?x52xf32>, tensor<36x52xf32> -> tensor<?x36xf32>
  %z = arith.addf %y, %y : tensor<?x36xf32>
  return %z : tensor<?x36xf32>
}

// REMARK: the linear has a residual already
// CHECK-LABEL: func.func @second_residual_stays
// CHECK:         sesame.linear {{.*}} residual
// CHECK-NEXT:    arith.addf
func.func @second_residual_stays(%x: tensor<?x52xf32>, %w: tensor<36x52xf32>, %h: tensor<?x36xf32>, %g: tensor<?x36xf32>) -> tensor<?x36xf32> {
  %y = sesame.linear %x, %w residual(%h : tensor<?x36xf32>) : tensor<?x52xf32>, tensor<36x52xf32> -> tensor<?x36xf32>
  %z = arith.addf %y, %g : tensor<?x36xf32>
  return %z : tensor<?x36xf32>
}

// REMARK: the linear lies in another block
// CHECK-LABEL: func.func @linear_is_not_moved_into_a_loop
// CHECK:         sesame.linear
// CHECK:         scf.for
// CHECK-NEXT:      arith.addf
func.func @linear_is_not_moved_into_a_loop(%x: tensor<?x52xf32>, %w: tensor<36x52xf32>, %h: tensor<?x36xf32>, %n: index) -> tensor<?x36xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %y = sesame.linear %x, %w : tensor<?x52xf32>, tensor<36x52xf32> -> tensor<?x36xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %h) -> tensor<?x36xf32> {
    %z = arith.addf %a, %y : tensor<?x36xf32>
    scf.yield %z : tensor<?x36xf32>
  }
  return %r : tensor<?x36xf32>
}
