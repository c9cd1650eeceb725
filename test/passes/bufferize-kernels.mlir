// RUN: sesame-opt %s --split-input-file --verify-diagnostics --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --cse --canonicalize | FileCheck %s

// A tile that replaces takes an empty buffer; one that adds starts from its output's own buffer.
// CHECK-LABEL: func.func @matmul
// CHECK-SAME:    %[[A:.*]]: memref<?x36xf32>, %[[P:.*]]: memref<36x32xf32>, %[[O:.*]]: memref<?x32xf32>
// CHECK-NOT:     memref.alloc
// CHECK-NOT:     memref.copy
// CHECK:         sesame.matmul_tile lhs(%[[A]] : {{.*}}) panel(%[[P]] : {{.*}}) activation = relu out(%[[O]] : memref<?x32xf32>){{$}}
// CHECK:         sesame.matmul_tile lhs(%[[A]] : {{.*}}) panel(%[[P]] : {{.*}}) combine = add out(%[[O]] : memref<?x32xf32>){{$}}
// CHECK:         return
func.func @matmul(%a: tensor<?x36xf32>, %p: tensor<36x32xf32>, %o: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %0 = sesame.matmul_tile lhs(%a : tensor<?x36xf32>) panel(%p : tensor<36x32xf32>) activation = relu out(%o : tensor<?x32xf32>) -> tensor<?x32xf32>
  %1 = sesame.matmul_tile lhs(%a : tensor<?x36xf32>) panel(%p : tensor<36x32xf32>) combine = add out(%0 : tensor<?x32xf32>) -> tensor<?x32xf32>
  return %1 : tensor<?x32xf32>
}

// -----

// An output that is read later and that the tile adds to is copied, one that is replaced is not.
// CHECK-LABEL: func.func @replace_needs_no_copy
// CHECK:         memref.alloc
// CHECK-NOT:     memref.copy
// CHECK:         return
func.func @replace_needs_no_copy(%a: tensor<?x36xf32>, %p: tensor<36x32xf32>, %o: tensor<?x32xf32>) -> (tensor<?x32xf32>, tensor<?x32xf32>) {
  %0 = sesame.matmul_tile lhs(%a : tensor<?x36xf32>) panel(%p : tensor<36x32xf32>) out(%o : tensor<?x32xf32>) -> tensor<?x32xf32>
  return %0, %o : tensor<?x32xf32>, tensor<?x32xf32>
}

// -----

// CHECK-LABEL: func.func @add_to_a_live_tensor_copies
// CHECK-SAME:    %{{.*}}: memref<36x32xf32>, %[[O:.*]]: memref<?x32xf32>
// CHECK:         %[[C:.*]] = memref.alloc
// CHECK:         memref.copy %[[O]], %[[C]]
// CHECK:         sesame.matmul_tile {{.*}} combine = add out(%[[C]]
func.func @add_to_a_live_tensor_copies(%a: tensor<?x36xf32>, %p: tensor<36x32xf32>, %o: tensor<?x32xf32>) -> (tensor<?x32xf32>, tensor<?x32xf32>) {
  %0 = sesame.matmul_tile lhs(%a : tensor<?x36xf32>) panel(%p : tensor<36x32xf32>) combine = add out(%o : tensor<?x32xf32>) -> tensor<?x32xf32>
  return %0, %o : tensor<?x32xf32>, tensor<?x32xf32>
}

// -----

// A normalisation may write over its input.
// CHECK-LABEL: func.func @norm_in_place
// CHECK-SAME:    %[[X:.*]]: memref<?x36xf32>
// CHECK-NOT:     memref.alloc
// CHECK:         sesame.norm_tile rms input(%[[X]] : {{.*}} out(%[[X]]
func.func @norm_in_place(%x: tensor<?x36xf32>) -> tensor<?x36xf32> {
  %0 = sesame.norm_tile rms input(%x : tensor<?x36xf32>) epsilon = 1.0e-6 out(%x : tensor<?x36xf32>) -> tensor<?x36xf32>
  return %0 : tensor<?x36xf32>
}

// -----

// A matrix product may not: it still needs all of its left side.
// CHECK-LABEL: func.func @matmul_is_not_in_place
// CHECK:         memref.alloc
func.func @matmul_is_not_in_place(%x: tensor<?x32xf32>, %p: tensor<32x32xf32>) -> tensor<?x32xf32> {
  %0 = sesame.matmul_tile lhs(%x : tensor<?x32xf32>) panel(%p : tensor<32x32xf32>) out(%x : tensor<?x32xf32>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}

// -----

// CHECK-LABEL: func.func @append
// CHECK-SAME:    %[[CACHE:.*]]: memref<5x?x3x?x12xf32>, %[[K:.*]]: memref<?x3x?x12xf32>, %[[L:.*]]: index, %[[P:.*]]: index
// CHECK-NOT:     memref.alloc
// CHECK:         %[[V:.*]] = memref.subview %[[CACHE]][%[[L]], 0, 0, %[[P]], 0] [1, %{{.*}}, 3, %{{.*}}, 12]
// CHECK:         memref.copy %[[K]], %[[V]]
func.func @append(%cache: tensor<5x?x3x?x12xf32>, %k: tensor<?x3x?x12xf32>, %l: index, %p: index) -> tensor<5x?x3x?x12xf32> {
  %0 = sesame.cache_append %k into %cache[%l] at %p : tensor<?x3x?x12xf32> into tensor<5x?x3x?x12xf32>
  return %0 : tensor<5x?x3x?x12xf32>
}

// -----

// The old cache is read after it was written: there is no second cache to make.
func.func @cache_is_never_copied(%cache: tensor<5x?x3x?x12xf32>, %k: tensor<?x3x?x12xf32>, %l: index, %p: index) -> (tensor<5x?x3x?x12xf32>, f32) {
  %c0 = arith.constant 0 : index
  // expected-error @below {{not bufferizable under the given constraints: cannot avoid RaW conflict}}
  %0 = sesame.cache_append %k into %cache[%l] at %p : tensor<?x3x?x12xf32> into tensor<5x?x3x?x12xf32>
  %1 = tensor.extract %cache[%c0, %c0, %c0, %c0, %c0] : tensor<5x?x3x?x12xf32>
  return %0, %1 : tensor<5x?x3x?x12xf32>, f32
}
