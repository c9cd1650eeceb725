// RUN: sesame-opt %s --sesame-tile-cache-append --canonicalize --cse | FileCheck %s

// New keys go from the model's order straight to their place in the cache, some positions of all groups one after
// the other.
// CHECK-LABEL: func.func @append
// CHECK-SAME:    %[[CACHE:.*]]: tensor<5x?x3x?x12xf32>, %[[K:.*]]: tensor<?x?x36xf32>, %[[L:.*]]: index, %[[P:.*]]: index
// CHECK-DAG:     %[[B:.*]] = tensor.dim %[[K]], %c0
// CHECK-DAG:     %[[S:.*]] = tensor.dim %[[K]], %c1
// CHECK-NOT:     linalg.transpose
// CHECK:         scf.forall (%[[I:[a-z0-9]+]], %[[J:[a-z0-9]+]], %[[G:[a-z0-9]+]]) in (%{{.*}}, %{{.*}}, 3) shared_outs(%[[O:.*]] = %[[CACHE]])
// CHECK-DAG:       %[[SIZE:.*]] = affine.min #{{.*}}(%[[J]])[%[[S]]]
// CHECK-DAG:       %[[FIRST:.*]] = affine.apply #{{.*}}(%[[J]]){{$}}
// CHECK-DAG:       %[[PLACE:.*]] = affine.apply #{{.*}}(%[[J]])[%[[P]]]
// CHECK-DAG:       %[[COL:.*]] = affine.apply #{{.*}}()[%[[G]]]
// CHECK:           %[[T:.*]] = tensor.extract_slice %[[K]][%[[I]], %[[FIRST]], %[[COL]]] [1, %[[SIZE]], 12] [1, 1, 1]
// CHECK:           tensor.parallel_insert_slice %[[T]] into %[[O]][%[[L]], %[[I]], %[[G]], %[[PLACE]], 0] [1, 1, 1, %[[SIZE]], 12] [1, 1, 1, 1, 1]
func.func @append(%cache: tensor<5x?x3x?x12xf32>, %x: tensor<?x?x36xf32>, %l: index, %p: index) -> tensor<5x?x3x?x12xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %x, %c0 : tensor<?x?x36xf32>
  %s = tensor.dim %x, %c1 : tensor<?x?x36xf32>
  %x1 = tensor.expand_shape %x [[0], [1], [2, 3]] output_shape [%b, %s, 3, 12] : tensor<?x?x36xf32> into tensor<?x?x3x12xf32>
  %e = tensor.empty(%b, %s) : tensor<?x3x?x12xf32>
  %k = linalg.transpose ins(%x1 : tensor<?x?x3x12xf32>) outs(%e : tensor<?x3x?x12xf32>) permutation = [0, 2, 1, 3]
  %0 = sesame.cache_append %k into %cache[%l] at %p : tensor<?x3x?x12xf32> into tensor<5x?x3x?x12xf32>
  return %0 : tensor<5x?x3x?x12xf32>
}
