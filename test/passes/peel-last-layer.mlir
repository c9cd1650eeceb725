// RUN: sesame-opt %s --sesame-peel-last-layer | FileCheck %s
// RUN: sesame-opt %s --sesame-peel-last-layer --sesame-last-token-logits --canonicalize --cse | FileCheck %s --check-prefix=LAST

sesame.weight @up count = 5 : tensor<16x36xf32> {
  %0 = sesame.checkpoint_tensor ["up.", ""] : tensor<16x36xf32>
  sesame.yield %0 : tensor<16x36xf32>
}
sesame.weight @heads count = 5 : tensor<36x36xf32> {
  %0 = sesame.checkpoint_tensor ["heads.", ""] : tensor<36x36xf32>
  sesame.yield %0 : tensor<36x36xf32>
}

// A layer with attention over the cache, a residual sum, and a second value that all positions make.
func.func private @block(%l: index, %h: tensor<?x?x36xf32>, %cache: tensor<5x?x3x?x12xf32>, %past: index) -> (tensor<?x?x36xf32>, tensor<5x?x3x?x12xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %h, %c0 : tensor<?x?x36xf32>
  %s = tensor.dim %h, %c1 : tensor<?x?x36xf32>
  %w = sesame.get_weight @heads[%l] : tensor<36x36xf32>
  %x = sesame.linear %h, %w : tensor<?x?x36xf32>, tensor<36x36xf32> -> tensor<?x?x36xf32>
  %x1 = tensor.expand_shape %x [[0], [1], [2, 3]] output_shape [%b, %s, 3, 12] : tensor<?x?x36xf32> into tensor<?x?x3x12xf32>
  %e = tensor.empty(%b, %s) : tensor<?x3x?x12xf32>
  %q = linalg.transpose ins(%x1 : tensor<?x?x3x12xf32>) outs(%e : tensor<?x3x?x12xf32>) permutation = [0, 2, 1, 3]
  %new = sesame.cache_append %q into %cache[%l] at %past : tensor<?x3x?x12xf32> into tensor<5x?x3x?x12xf32>
  %t = arith.addi %past, %s : index
  %k = tensor.extract_slice %new[%l, 0, 0, 0, 0] [1, %b, 3, %t, 12] [1, 1, 1, 1, 1] : tensor<5x?x3x?x12xf32> to tensor<?x3x?x12xf32>
  %a = sesame.attention %q, %k, %k causal window = 7 scale = 0.25 : tensor<?x3x?x12xf32>, tensor<?x3x?x12xf32>, tensor<?x3x?x12xf32> -> tensor<?x3x?x12xf32>
  %e1 = tensor.empty(%b, %s) : tensor<?x?x3x12xf32>
  %a1 = linalg.transpose ins(%a : tensor<?x3x?x12xf32>) outs(%e1 : tensor<?x?x3x12xf32>) permutation = [0, 2, 1, 3]
  %a2 = tensor.collapse_shape %a1 [[0], [1], [2, 3]] : tensor<?x?x3x12xf32> into tensor<?x?x36xf32>
  %r = arith.addf %a2, %h : tensor<?x?x36xf32>
  %n = sesame.layer_norm %r epsilon = 1.0e-5 : tensor<?x?x36xf32>
  %u = sesame.get_weight @up[%l] : tensor<16x36xf32>
  %m = sesame.linear %n, %u activation = gelu : tensor<?x?x36xf32>, tensor<16x36xf32> -> tensor<?x?x16xf32>
  %y = sesame.linear %m, %u residual(%r : tensor<?x?x36xf32>) layout = kn : tensor<?x?x16xf32>, tensor<16x36xf32> -> tensor<?x?x36xf32>
  return %y, %new : tensor<?x?x36xf32>, tensor<5x?x3x?x12xf32>
}

// CHECK-LABEL: func.func @decode
// CHECK:         %[[LOOP:.*]]:2 = scf.for %{{.*}} = %c0 to %c4 step %c1
// CHECK:           func.call @block
// CHECK:         sesame.get_weight @heads[%c4]
// CHECK:         sesame.linear %[[LOOP]]#0
// CHECK:         %[[NEW:.*]] = sesame.cache_append %{{.*}} into %[[LOOP]]#1[%c4]
// CHECK:         %[[Y:.*]] = sesame.linear %{{.*}} residual
// CHECK:         tensor.extract_slice %[[Y]]
// CHECK:         return %{{.*}}, %[[NEW]]

// Keys of all positions, the rest of the last layer of one.
// LAST-LABEL: func.func @decode
// LAST:         %[[LOOP:.*]]:2 = scf.for
// LAST:         %[[X:.*]] = sesame.linear %[[LOOP]]#0
// LAST:         sesame.cache_append
// LAST:         %[[LAST:.*]] = arith.subi
// LAST-NOT:     tensor<?x?x36xf32>, {{.*}} -> tensor<?x?x
// LAST:         tensor.extract_slice %{{.*}}, %[[LAST]], {{.*}} to tensor<?x{{.*}}1x{{.*}}xf32>
// LAST:         sesame.attention {{.*}} window = 7 {{.*}} -> tensor<?x3x1x12xf32>
// LAST:         %[[R:.*]] = arith.addf {{.*}} : tensor<?x36xf32>
// LAST:         sesame.layer_norm %[[R]] {{.*}} : tensor<?x36xf32>
// LAST:         sesame.linear {{.*}} activation = gelu : tensor<?x36xf32>
// LAST:         %[[Y:.*]] = sesame.linear {{.*}} residual(%[[R]] : tensor<?x36xf32>) {{.*}} -> tensor<?x36xf32>
// LAST-NEXT:    return %[[Y]]
func.func @decode(%h: tensor<?x?x36xf32>, %cache: tensor<5x?x3x?x12xf32>, %past: index) -> (tensor<?x36xf32>, tensor<5x?x3x?x12xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %r:2 = scf.for %l = %c0 to %c5 step %c1 iter_args(%x = %h, %c = %cache) -> (tensor<?x?x36xf32>, tensor<5x?x3x?x12xf32>) {
    %y:2 = func.call @block(%l, %x, %c, %past) : (index, tensor<?x?x36xf32>, tensor<5x?x3x?x12xf32>, index) -> (tensor<?x?x36xf32>, tensor<5x?x3x?x12xf32>)
    scf.yield %y#0, %y#1 : tensor<?x?x36xf32>, tensor<5x?x3x?x12xf32>
  }
  %b = tensor.dim %r#0, %c0 : tensor<?x?x36xf32>
  %s = tensor.dim %r#0, %c1 : tensor<?x?x36xf32>
  %last = arith.subi %s, %c1 : index
  %z = tensor.extract_slice %r#0[0, %last, 0] [%b, 1, 36] [1, 1, 1] : tensor<?x?x36xf32> to tensor<?x36xf32>
  return %z, %r#1 : tensor<?x36xf32>, tensor<5x?x3x?x12xf32>
}

// All positions are read, too.
// CHECK-LABEL: func.func @second_reader
// CHECK:         scf.for %{{.*}} = %c0 to %c5
// CHECK-NOT:     sesame.linear
func.func @second_reader(%h: tensor<?x?x36xf32>, %cache: tensor<5x?x3x?x12xf32>, %past: index) -> (tensor<?x36xf32>, tensor<?x?x36xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %r:2 = scf.for %l = %c0 to %c5 step %c1 iter_args(%x = %h, %c = %cache) -> (tensor<?x?x36xf32>, tensor<5x?x3x?x12xf32>) {
    %y:2 = func.call @block(%l, %x, %c, %past) : (index, tensor<?x?x36xf32>, tensor<5x?x3x?x12xf32>, index) -> (tensor<?x?x36xf32>, tensor<5x?x3x?x12xf32>)
    scf.yield %y#0, %y#1 : tensor<?x?x36xf32>, tensor<5x?x3x?x12xf32>
  }
  %b = tensor.dim %r#0, %c0 : tensor<?x?x36xf32>
  %z = tensor.extract_slice %r#0[0, 0, 0] [%b, 1, 36] [1, 1, 1] : tensor<?x?x36xf32> to tensor<?x36xf32>
  return %z, %r#0 : tensor<?x36xf32>, tensor<?x?x36xf32>
}

// With an unknown number of layers there is no last one to name.
// CHECK-LABEL: func.func @unknown_count
// CHECK:         scf.for
// CHECK:         func.call @block
// CHECK-NOT:     sesame.linear
func.func @unknown_count(%h: tensor<?x?x36xf32>, %cache: tensor<5x?x3x?x12xf32>, %past: index, %n: index) -> tensor<?x36xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:2 = scf.for %l = %c0 to %n step %c1 iter_args(%x = %h, %c = %cache) -> (tensor<?x?x36xf32>, tensor<5x?x3x?x12xf32>) {
    %y:2 = func.call @block(%l, %x, %c, %past) : (index, tensor<?x?x36xf32>, tensor<5x?x3x?x12xf32>, index) -> (tensor<?x?x36xf32>, tensor<5x?x3x?x12xf32>)
    scf.yield %y#0, %y#1 : tensor<?x?x36xf32>, tensor<5x?x3x?x12xf32>
  }
  %b = tensor.dim %r#0, %c0 : tensor<?x?x36xf32>
  %z = tensor.extract_slice %r#0[0, 0, 0] [%b, 1, 36] [1, 1, 1] : tensor<?x?x36xf32> to tensor<?x36xf32>
  return %z : tensor<?x36xf32>
}
