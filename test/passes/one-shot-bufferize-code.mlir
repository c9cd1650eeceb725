// RUN: sesame-opt %s --sesame-one-shot-bufferize-code | FileCheck %s

// A recipe stays as it is, with the tensor.empty that its transpose needs.
// CHECK-LABEL: sesame.weight @w
// CHECK:         sesame.checkpoint_tensor ["w"] : tensor<36x4xf32>
// CHECK:         tensor.empty() : tensor<4x36xf32>
// CHECK:         linalg.transpose ins(%{{.*}} : tensor<36x4xf32>)
// CHECK:         sesame.yield %{{.*}} : tensor<4x36xf32>
sesame.weight @w : tensor<4x36xf32> {
  %0 = sesame.checkpoint_tensor ["w"] : tensor<36x4xf32>
  %1 = tensor.empty() : tensor<4x36xf32>
  %2 = linalg.transpose ins(%0 : tensor<36x4xf32>) outs(%1 : tensor<4x36xf32>) permutation = [1, 0]
  sesame.yield %2 : tensor<4x36xf32>
}

// Weights are read-only: what is written to one goes to a copy.
// CHECK-LABEL: func.func @f
// CHECK-SAME:    %{{.*}}: index, %[[X:.*]]: f32
// CHECK:         %[[W:.*]] = sesame.get_weight @w : memref<4x36xf32>
// CHECK:         %[[C:.*]] = memref.alloc
// CHECK:         memref.copy %[[W]], %[[C]]
// CHECK:         memref.store %[[X]], %[[C]]
// CHECK:         return %[[C]] : memref<4x36xf32>
func.func @f(%i: index, %x: f32) -> tensor<4x36xf32> {
  %w = sesame.get_weight @w : tensor<4x36xf32>
  %r = tensor.insert %x into %w[%i, %i] : tensor<4x36xf32>
  return %r : tensor<4x36xf32>
}
