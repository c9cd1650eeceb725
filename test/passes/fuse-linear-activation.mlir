// RUN: sesame-opt %s --sesame-fuse-linear-activation --remarks-filter="sesame.*" --remark-format=emitRemark 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t

// CHECK-LABEL: func.func @gelu_is_folded
// CHECK-SAME:    %[[X:.*]]: tensor<?x?x36xf32>, %[[W:.*]]: tensor<52x36xf32>, %[[B:.*]]: tensor<52xf32>
// CHECK-NEXT:    %[[Y:.*]] = sesame.linear %[[X]], %[[W]] bias(%[[B]] : tensor<52xf32>) activation = gelu
// CHECK-NEXT:    return %[[Y]]
func.func @gelu_is_folded(%x: tensor<?x?x36xf32>, %w: tensor<52x36xf32>, %b: tensor<52xf32>) -> tensor<?x?x52xf32> {
  %y = sesame.linear %x, %w bias(%b : tensor<52xf32>) : tensor<?x?x36xf32>, tensor<52x36xf32> -> tensor<?x?x52xf32>
  %z = sesame.activation gelu %y : tensor<?x?x52xf32>
  return %z : tensor<?x?x52xf32>
}

// REMARK: the linear has another user
// CHECK-LABEL: func.func @second_user_keeps_the_activation
// CHECK:         sesame.linear
// CHECK-NOT:     activation =
// CHECK:         sesame.activation relu
func.func @second_user_keeps_the_activation(%x: tensor<?x36xf32>, %w: tensor<52x36xf32>) -> (tensor<?x52xf32>, tensor<?x52xf32>) {
  %y = sesame.linear %x, %w : tensor<?x36xf32>, tensor<52x36xf32> -> tensor<?x52xf32>
  %z = sesame.activation relu %y : tensor<?x52xf32>
  return %y, %z : tensor<?x52xf32>, tensor<?x52xf32>
}

// REMARK: the linear has an activation already
// CHECK-LABEL: func.func @second_activation_stays
// CHECK:         sesame.linear {{.*}} activation = tanh
// CHECK-NEXT:    sesame.activation silu
func.func @second_activation_stays(%x: tensor<?x36xf32>, %w: tensor<52x36xf32>) -> tensor<?x52xf32> {
  %y = sesame.linear %x, %w activation = tanh : tensor<?x36xf32>, tensor<52x36xf32> -> tensor<?x52xf32>
  %z = sesame.activation silu %y : tensor<?x52xf32>
  return %z : tensor<?x52xf32>
}

// REMARK: the linear adds a residual before the activation
// CHECK-LABEL: func.func @residual_keeps_the_activation
// CHECK:         sesame.linear {{.*}} residual
// CHECK-NEXT:    sesame.activation relu
func.func @residual_keeps_the_activation(%x: tensor<?x36xf32>, %w: tensor<52x36xf32>, %r: tensor<?x52xf32>) -> tensor<?x52xf32> {
  %y = sesame.linear %x, %w residual(%r : tensor<?x52xf32>) : tensor<?x36xf32>, tensor<52x36xf32> -> tensor<?x52xf32>
  %z = sesame.activation relu %y : tensor<?x52xf32>
  return %z : tensor<?x52xf32>
}

// CHECK-LABEL: func.func @other_source_is_left_alone
// CHECK-NEXT:    sesame.activation relu
func.func @other_source_is_left_alone(%x: tensor<?x36xf32>) -> tensor<?x36xf32> {
  %z = sesame.activation relu %x : tensor<?x36xf32>
  return %z : tensor<?x36xf32>
}
