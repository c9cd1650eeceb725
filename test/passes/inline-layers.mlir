// RUN: sesame-opt %s --sesame-inline-layers --split-input-file --verify-diagnostics | FileCheck %s

// A layer that calls a layer is inlined with it, the loop over layers stays, and both private functions go.

// CHECK-LABEL: func.func @entry
// CHECK:         scf.for %[[L:.*]] = {{.*}} iter_args(%[[X:.*]] = %{{.*}})
// CHECK:           %[[C:.*]] = sesame.activation gelu %[[X]]
// CHECK:           %[[W:.*]] = sesame.get_weight @w[%[[L]]]
// CHECK:           %[[Y:.*]] = sesame.rms_norm %[[C]] weight(%[[W]]
// CHECK:           scf.yield %[[Y]]
// CHECK-NOT:   call
// CHECK-NOT:   func.func private
sesame.weight @w count = 3 : tensor<8xf32> {
  %0 = sesame.checkpoint_tensor ["h.", ".w"] : tensor<8xf32>
  sesame.yield %0 : tensor<8xf32>
}
func.func private @inner(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = sesame.activation gelu %x : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
func.func private @layer(%l: index, %x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %a = call @inner(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %w = sesame.get_weight @w[%l] : tensor<8xf32>
  %y = sesame.rms_norm %a weight(%w : tensor<8xf32>) epsilon = 1.0e-6 : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
func.func @entry(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %h = scf.for %l = %c0 to %c3 step %c1 iter_args(%a = %x) -> (tensor<?x8xf32>) {
    %y = func.call @layer(%l, %a) : (index, tensor<?x8xf32>) -> tensor<?x8xf32>
    scf.yield %y : tensor<?x8xf32>
  }
  return %h : tensor<?x8xf32>
}

// -----

// Layers that call each other have no end.

// expected-error @below {{expects no call cycle among layer functions}}
func.func private @even(%x: tensor<8xf32>) -> tensor<8xf32> {
  %y = call @odd(%x) : (tensor<8xf32>) -> tensor<8xf32>
  return %y : tensor<8xf32>
}
func.func private @odd(%x: tensor<8xf32>) -> tensor<8xf32> {
  %y = call @even(%x) : (tensor<8xf32>) -> tensor<8xf32>
  return %y : tensor<8xf32>
}
func.func @cycle(%x: tensor<8xf32>) -> tensor<8xf32> {
  %y = call @even(%x) : (tensor<8xf32>) -> tensor<8xf32>
  return %y : tensor<8xf32>
}
