// RUN: sesame-opt %s --sesame-lower-to-linalg | FileCheck %s
// RUN: sesame-opt %s --pass-pipeline='builtin.module(func.func(sesame-lower-to-linalg))' | FileCheck %s
// RUN: sesame-opt %s --sesame-lower-to-linalg --one-shot-bufferize='bufferize-function-boundaries dialect-filter=bufferization,func,linalg,scf,tensor,arith' | FileCheck %s --check-prefix=BUFFERS

// What the numeric tests cannot see: the form of the result.

// CHECK-LABEL: func.func @product_in_f32_then_epilogue
// CHECK-NOT:     sesame.
// CHECK:         linalg.fill ins(%{{.*}} : f32)
// CHECK:         %[[SUM:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]
// CHECK:         linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]} ins(%[[SUM]], %{{.*}} : tensor<?x7xf32>, tensor<7xf16>)
// CHECK:         arith.truncf
func.func @product_in_f32_then_epilogue(%x: tensor<?x5xf16>, %w: tensor<7x5xf16>, %b: tensor<7xf16>) -> tensor<?x7xf16> {
  %y = sesame.linear %x, %w bias(%b : tensor<7xf16>) activation = relu : tensor<?x5xf16>, tensor<7x5xf16> -> tensor<?x7xf16>
  return %y : tensor<?x7xf16>
}

// CHECK-LABEL: func.func @steps_are_a_loop
// CHECK-COUNT-1: scf.for
// CHECK-NOT:     scf.for
// The states are written in place: nothing is copied from one step to the next.
// BUFFERS-LABEL: func.func @steps_are_a_loop
// BUFFERS:         scf.for
// BUFFERS-NOT:     memref.copy %{{.*}} : memref<?x5xf32> to memref<?x5xf32>
// BUFFERS:         return
func.func @steps_are_a_loop(%x: tensor<?x?x3xf32>, %w: tensor<1x20x3xf32>, %u: tensor<1x20x5xf32>) -> tensor<?x?x5xf32> {
  %y, %h, %c = sesame.lstm %x, %w, %u direction = forward
    : tensor<?x?x3xf32>, tensor<1x20x3xf32>, tensor<1x20x5xf32> -> tensor<?x?x5xf32>, tensor<1x?x5xf32>, tensor<1x?x5xf32>
  return %y : tensor<?x?x5xf32>
}

// CHECK-LABEL: func.func @append_is_a_slice
// CHECK:         tensor.insert_slice %{{.*}} into %{{.*}}[%[[L:.*]], 0, 0, %[[P:.*]], 0] [1, %{{.*}}, 2, 1, 4] [1, 1, 1, 1, 1]
// BUFFERS-LABEL: func.func @append_is_a_slice
// BUFFERS-NOT:     memref.alloc
// BUFFERS:         return
func.func @append_is_a_slice(%c: tensor<3x?x2x?x4xf32> {bufferization.writable = true}, %l: index, %k: tensor<?x2x1x4xf32>, %p: index) -> tensor<3x?x2x?x4xf32> {
  %0 = sesame.cache_append %k into %c[%l] at %p : tensor<?x2x1x4xf32> into tensor<3x?x2x?x4xf32>
  return %0 : tensor<3x?x2x?x4xf32>
}

// Weights and kernel ops are left alone.
// CHECK-LABEL: sesame.weight @w
// CHECK:         sesame.pack_panels
sesame.weight @w : tensor<2x5x4xf32> {
  %0 = sesame.checkpoint_tensor ["w"] : tensor<7x5xf32>
  %1 = sesame.pack_panels %0 layout = nk : tensor<7x5xf32> -> tensor<2x5x4xf32>
  sesame.yield %1 : tensor<2x5x4xf32>
}
