// RUN: sesame-opt %s --sesame-pack-weights="weight-type=int8 bf16-words" --canonicalize --cse --split-input-file | FileCheck %s
// RUN: sesame-opt %s --sesame-pack-weights="weight-type=int8 bf16-words" --sesame-tile-attention=bf16 --sesame-tile-cache-append --canonicalize --cse --split-input-file \
// RUN:   | FileCheck %s --check-prefix=TILE
// RUN: sesame-opt %s --sesame-pack-weights=weight-type=int8 --canonicalize --cse --split-input-file | FileCheck %s --check-prefix=WIDE

// A cache that attention alone reads holds what attention would round its keys to.
// WIDE-NOT:      bf16
// CHECK-LABEL: func.func @decode
// CHECK-SAME:    %[[CACHE:[a-z0-9]+]]: tensor<5x?x3x?x12xbf16> {{[{][^}]*}}sesame.state}
// CHECK-SAME:    -> (tensor<?x3x?x12xf32>, tensor<5x?x3x?x12xbf16> {{[{][^}]*}}sesame.state})
// CHECK:         scf.for {{.*}} iter_args(%{{.*}}, %[[C:.*]] = %[[CACHE]]) -> (tensor<?x3x?x12xf32>, tensor<5x?x3x?x12xbf16>)
// CHECK:           %[[K:.*]] = linalg.generic
// CHECK:             arith.truncf %{{.*}} : f32 to bf16
// CHECK:           %[[NEW:.*]] = sesame.cache_append %[[K]] into %[[C]]
// CHECK:           %[[READ:.*]] = tensor.extract_slice %[[NEW]]
// CHECK:           %[[SAME:.*]] = linalg.generic {{.*}} ins(%[[READ]] : tensor<?x3x?x12xbf16>)
// CHECK:             arith.extf %{{.*}} : bf16 to f32
// CHECK:           sesame.attention %{{.*}}, %[[SAME]], %[[SAME]]

// The tiles round what they append, and read the cache as it is.
// TILE-LABEL: func.func @decode
// TILE:           scf.forall
// TILE-DAG:         %[[T:.*]] = tensor.extract_slice %{{.*}} : tensor<?x3x?x12xf32> to tensor<?x12xf32>
// TILE-DAG:         %[[TO:.*]] = tensor.extract_slice %{{.*}} : tensor<5x?x3x?x12xbf16> to tensor<?x12xbf16>
// TILE:             %[[R:.*]] = linalg.generic {{.*}} ins(%[[T]] : tensor<?x12xf32>) outs(%[[TO]] : tensor<?x12xbf16>)
// TILE:             tensor.parallel_insert_slice %[[R]]
// TILE-NOT:       arith.extf
// TILE:           sesame.attention_tile query(%{{.*}} : tensor<?x12xf32>) key(%[[KEYS:.*]] : tensor<?x12xbf16>) value(%[[KEYS]] : tensor<?x12xbf16>)
func.func @decode(%x: tensor<?x3x?x12xf32>, %past: index, %total: index,
                  %cache: tensor<5x?x3x?x12xf32> {sesame.name = "cache", sesame.state})
    -> (tensor<?x3x?x12xf32>, tensor<5x?x3x?x12xf32> {sesame.name = "cache", sesame.state}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %b = tensor.dim %x, %c0 : tensor<?x3x?x12xf32>
  %0:2 = scf.for %l = %c0 to %c5 step %c1 iter_args(%y = %x, %c = %cache) -> (tensor<?x3x?x12xf32>, tensor<5x?x3x?x12xf32>) {
    %new = sesame.cache_append %y into %c[%l] at %past : tensor<?x3x?x12xf32> into tensor<5x?x3x?x12xf32>
    %k = tensor.extract_slice %new[%l, 0, 0, 0, 0] [1, %b, 3, %total, 12] [1, 1, 1, 1, 1] : tensor<5x?x3x?x12xf32> to tensor<?x3x?x12xf32>
    %o = sesame.attention %y, %k, %k causal scale = 0.25 : tensor<?x3x?x12xf32>, tensor<?x3x?x12xf32>, tensor<?x3x?x12xf32> -> tensor<?x3x?x12xf32>
    scf.yield %o, %new : tensor<?x3x?x12xf32>, tensor<5x?x3x?x12xf32>
  }
  return %0#0, %0#1 : tensor<?x3x?x12xf32>, tensor<5x?x3x?x12xf32>
}

// -----

// What is read otherwise, here by the queries, stays as it is.
// CHECK-LABEL: func.func @other_reader
// CHECK-NOT:     bf16
// TILE-LABEL:  func.func @other_reader
// TILE-SAME:     tensor<5x2x3x8x12xf32>
func.func @other_reader(%k: tensor<2x3x1x12xf32>, %past: index,
                        %cache: tensor<5x2x3x8x12xf32> {sesame.name = "cache", sesame.state})
    -> (tensor<2x3x8x12xf32>, tensor<5x2x3x8x12xf32> {sesame.name = "cache", sesame.state}) {
  %c0 = arith.constant 0 : index
  %new = sesame.cache_append %k into %cache[%c0] at %past : tensor<2x3x1x12xf32> into tensor<5x2x3x8x12xf32>
  %all = tensor.extract_slice %new[0, 0, 0, 0, 0] [1, 2, 3, 8, 12] [1, 1, 1, 1, 1] : tensor<5x2x3x8x12xf32> to tensor<2x3x8x12xf32>
  %o = sesame.attention %all, %all, %all scale = 0.25 : tensor<2x3x8x12xf32>, tensor<2x3x8x12xf32>, tensor<2x3x8x12xf32> -> tensor<2x3x8x12xf32>
  return %o, %new : tensor<2x3x8x12xf32>, tensor<5x2x3x8x12xf32>
}
