// RUN: sesame-opt %s --sesame-decompose-rotary --cse --canonicalize | FileCheck %s

// CHECK-DAG: #[[$SWAPPED:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2, d1, d3)>
// CHECK-DAG: #[[$TABLE:.*]] = affine_map<(d0, d1, d2, d3) -> (0, d2, d3)>

// Queries and keys share the tables; the exchange of heads and positions is a part of the rotation; four features pass through.
// CHECK-LABEL: func.func @queries_and_keys
// CHECK-SAME:    %[[Q:.*]]: tensor<?x?x4x20xf32>, %[[K:.*]]: tensor<?x2x?x20xf32>, %[[P:.*]]: tensor<1x?xi64>, %[[F:.*]]: tensor<8xf32>
// CHECK-COUNT-1: math.cos
// CHECK-COUNT-1: math.sin
// CHECK-DAG:     %[[X:.*]] = tensor.extract_slice %[[Q]][0, 0, 0, 0] [%{{.*}}, %{{.*}}, 4, 8]
// CHECK-DAG:     %[[Y:.*]] = tensor.extract_slice %[[Q]][0, 0, 0, 8] [%{{.*}}, %{{.*}}, 4, 8]
// CHECK:         %[[FIRST:.*]] = linalg.generic {indexing_maps = [#[[$SWAPPED]], #[[$SWAPPED]], #[[$TABLE]], #[[$TABLE]], {{.*}} ins(%[[X]], %[[Y]], %[[C:.*]], %[[S:.*]] :
// CHECK:           arith.subf
// CHECK:         %[[SECOND:.*]] = linalg.generic {{.*}} ins(%[[Y]], %[[X]], %[[C]], %[[S]] :
// CHECK:           arith.addf
// CHECK:         tensor.insert_slice %[[FIRST]] into %{{.*}}[0, 0, 0, 0] [%{{.*}}, 4, %{{.*}}, 8]
// CHECK:         tensor.insert_slice %[[SECOND]] into %{{.*}}[0, 0, 0, 8] [%{{.*}}, 4, %{{.*}}, 8]
// CHECK:         tensor.insert_slice %{{.*}} into %{{.*}}[0, 0, 0, 16] [%{{.*}}, 4, %{{.*}}, 4]
// CHECK-NOT:     math.
func.func @queries_and_keys(%q: tensor<?x?x4x20xf32>, %k: tensor<?x2x?x20xf32>, %p: tensor<1x?xi64>, %f: tensor<8xf32>) -> (tensor<?x4x?x20xf32>, tensor<?x2x?x20xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %q, %c0 : tensor<?x?x4x20xf32>
  %s = tensor.dim %q, %c1 : tensor<?x?x4x20xf32>
  %e = tensor.empty(%b, %s) : tensor<?x4x?x20xf32>
  %t = linalg.transpose ins(%q : tensor<?x?x4x20xf32>) outs(%e : tensor<?x4x?x20xf32>) permutation = [0, 2, 1, 3]
  %qr = sesame.rotary %t, %p, %f : tensor<?x4x?x20xf32>, tensor<1x?xi64>, tensor<8xf32>
  %kr = sesame.rotary %k, %p, %f : tensor<?x2x?x20xf32>, tensor<1x?xi64>, tensor<8xf32>
  return %qr, %kr : tensor<?x4x?x20xf32>, tensor<?x2x?x20xf32>
}

// CHECK-LABEL: func.func @interleaved_is_left
// CHECK:         sesame.rotary
func.func @interleaved_is_left(%q: tensor<2x4x7x12xf32>, %p: tensor<1x7xi64>, %f: tensor<6xf32>) -> tensor<2x4x7x12xf32> {
  %r = sesame.rotary %q, %p, %f interleaved : tensor<2x4x7x12xf32>, tensor<1x7xi64>, tensor<6xf32>
  return %r : tensor<2x4x7x12xf32>
}
