// RUN: sesame-opt %s --allow-unregistered-dialect --sesame-carry-in-place | FileCheck %s

// CHECK-LABEL: func.func @new_value
// CHECK:         scf.for {{.*}} iter_args(%[[CARRIED:.*]] = %{{.*}})
// CHECK:           %[[NEW:.*]] = "test.op"(%[[CARRIED]])
// CHECK:           %[[KEPT:.*]] = bufferization.materialize_in_destination %[[NEW]] in %[[CARRIED]]
// CHECK:           scf.yield %[[KEPT]]
func.func @new_value(%x: tensor<?xf32>, %n: index) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%h = %x) -> tensor<?xf32> {
    %y = "test.op"(%h) : (tensor<?xf32>) -> tensor<?xf32>
    scf.yield %y : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}

// What only updates the carried value needs nothing; neither does a number.
// CHECK-LABEL: func.func @updates
// CHECK-NOT:     materialize_in_destination
func.func @updates(%cache: tensor<4x?xf32>, %row: tensor<1x?xf32>, %d: index, %x: f32) -> tensor<4x?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r:2 = scf.for %i = %c0 to %c4 step %c1 iter_args(%c = %cache, %s = %x) -> (tensor<4x?xf32>, f32) {
    %inner = scf.for %j = %c0 to %d step %c1 iter_args(%ci = %c) -> tensor<4x?xf32> {
      %one = tensor.insert %s into %ci[%i, %j] : tensor<4x?xf32>
      scf.yield %one : tensor<4x?xf32>
    }
    %all = tensor.insert_slice %row into %inner[%i, 0] [1, %d] [1, 1] : tensor<1x?xf32> into tensor<4x?xf32>
    %t = arith.addf %s, %s : f32
    scf.yield %all, %t : tensor<4x?xf32>, f32
  }
  return %r#0 : tensor<4x?xf32>
}
