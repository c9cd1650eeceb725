// RUN: sesame-opt %s | sesame-opt | FileCheck %s
// RUN: sesame-opt %s --mlir-print-op-generic | sesame-opt | FileCheck %s

// CHECK-LABEL: func.func @three_tables
// CHECK: sesame.embedding %{{.*}}, %{{.*}}, %{{.*}} in %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x?xi64>, tensor<1x?xi32>, tensor<?x1xi64> in tensor<11x5xf32>, tensor<6x5xf32>, tensor<2x5xf32> -> tensor<?x?x5xf32>
func.func @three_tables(%i: tensor<?x?xi64>, %j: tensor<1x?xi32>, %k: tensor<?x1xi64>, %t: tensor<11x5xf32>, %u: tensor<6x5xf32>, %v: tensor<2x5xf32>) -> tensor<?x?x5xf32> {
  %y = sesame.embedding %i, %j, %k in %t, %u, %v
    : tensor<?x?xi64>, tensor<1x?xi32>, tensor<?x1xi64> in tensor<11x5xf32>, tensor<6x5xf32>, tensor<2x5xf32> -> tensor<?x?x5xf32>
  return %y : tensor<?x?x5xf32>
}

// CHECK-LABEL: func.func @one_row
// CHECK: sesame.embedding %{{.*}} in %{{.*}} : tensor<i64> in tensor<11x5xf16> -> tensor<5xf16>
func.func @one_row(%i: tensor<i64>, %t: tensor<11x5xf16>) -> tensor<5xf16> {
  %y = sesame.embedding %i in %t : tensor<i64> in tensor<11x5xf16> -> tensor<5xf16>
  return %y : tensor<5xf16>
}
