// RUN: sesame-opt %s --sesame-fuse-embedding-sum --remarks-filter="sesame.*" --remark-format=emitRemark 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t

// The table of several comes first, so the order of the sum stays.
// CHECK-LABEL: func.func @three_tables
// CHECK-SAME:    %[[I:.*]]: tensor<?x?xi64>, %[[J:.*]]: tensor<?x?xi64>, %[[K:.*]]: tensor<?x?xi64>, %[[U:.*]]: tensor<97x36xf32>, %[[V:.*]]: tensor<40x36xf32>, %[[W:.*]]: tensor<2x36xf32>
// CHECK-NEXT:    %[[H:.*]] = sesame.embedding %[[I]], %[[J]], %[[K]] in %[[U]], %[[V]], %[[W]]
// CHECK-NEXT:    return %[[H]]
func.func @three_tables(%i: tensor<?x?xi64>, %j: tensor<?x?xi64>, %k: tensor<?x?xi64>, %u: tensor<97x36xf32>, %v: tensor<40x36xf32>, %w: tensor<2x36xf32>) -> tensor<?x?x36xf32> {
  %a = sesame.embedding %i in %u : tensor<?x?xi64> in tensor<97x36xf32> -> tensor<?x?x36xf32>
  %b = sesame.embedding %j in %v : tensor<?x?xi64> in tensor<40x36xf32> -> tensor<?x?x36xf32>
  %c = sesame.embedding %k in %w : tensor<?x?xi64> in tensor<2x36xf32> -> tensor<?x?x36xf32>
  %d = arith.addf %a, %b : tensor<?x?x36xf32>
  %e = arith.addf %c, %d : tensor<?x?x36xf32>
  return %e : tensor<?x?x36xf32>
}

// REMARK: one of the embeddings has another user
// CHECK-LABEL: func.func @second_user_keeps_the_sum
// CHECK:         arith.addf
func.func @second_user_keeps_the_sum(%i: tensor<?xi64>, %j: tensor<?xi64>, %u: tensor<97x36xf32>) -> (tensor<?x36xf32>, tensor<?x36xf32>) {
  %a = sesame.embedding %i in %u : tensor<?xi64> in tensor<97x36xf32> -> tensor<?x36xf32>
  %b = sesame.embedding %j in %u : tensor<?xi64> in tensor<97x36xf32> -> tensor<?x36xf32>
  %d = arith.addf %a, %b : tensor<?x36xf32>
  return %d, %b : tensor<?x36xf32>, tensor<?x36xf32>
}

// REMARK: both embeddings are sums already: another order would round differently
// CHECK-LABEL: func.func @sums_of_sums_stay
// CHECK:         arith.addf
func.func @sums_of_sums_stay(%i: tensor<?xi64>, %j: tensor<?xi64>, %u: tensor<97x36xf32>, %v: tensor<40x36xf32>) -> tensor<?x36xf32> {
  %a = sesame.embedding %i, %j in %u, %v : tensor<?xi64>, tensor<?xi64> in tensor<97x36xf32>, tensor<40x36xf32> -> tensor<?x36xf32>
  %b = sesame.embedding %j, %i in %v, %u : tensor<?xi64>, tensor<?xi64> in tensor<40x36xf32>, tensor<97x36xf32> -> tensor<?x36xf32>
  %d = arith.addf %a, %b : tensor<?x36xf32>
  return %d : tensor<?x36xf32>
}
