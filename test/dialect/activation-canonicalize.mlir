// RUN: sesame-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @identity_is_folded
// CHECK-NEXT: return %arg0
func.func @identity_is_folded(%x: tensor<?x7xf32>) -> tensor<?x7xf32> {
  %y = sesame.activation identity %x : tensor<?x7xf32>
  return %y : tensor<?x7xf32>
}

// CHECK-LABEL: func.func @second_relu_is_folded
// CHECK-COUNT-1: sesame.activation relu
// CHECK-NEXT: return
func.func @second_relu_is_folded(%x: tensor<?x7xf32>) -> tensor<?x7xf32> {
  %y = sesame.activation relu %x : tensor<?x7xf32>
  %z = sesame.activation relu %y : tensor<?x7xf32>
  return %z : tensor<?x7xf32>
}

// CHECK-LABEL: func.func @second_tanh_stays
// CHECK-COUNT-2: sesame.activation tanh
func.func @second_tanh_stays(%x: tensor<?x7xf32>) -> tensor<?x7xf32> {
  %y = sesame.activation tanh %x : tensor<?x7xf32>
  %z = sesame.activation tanh %y : tensor<?x7xf32>
  return %z : tensor<?x7xf32>
}
