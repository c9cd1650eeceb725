// RUN: sesame-opt %s | sesame-opt | FileCheck %s
// RUN: sesame-opt %s --mlir-print-op-generic | sesame-opt | FileCheck %s

// CHECK-LABEL: func.func @append
// CHECK: sesame.cache_append %{{.*}} into %{{.*}}[%{{.*}}] at %{{.*}} : tensor<?x2x3x4xf16> into tensor<5x?x2x7x4xf16>
func.func @append(%s: tensor<?x2x3x4xf16>, %c: tensor<5x?x2x7x4xf16>, %l: index, %p: index) -> tensor<5x?x2x7x4xf16> {
  %r = sesame.cache_append %s into %c[%l] at %p : tensor<?x2x3x4xf16> into tensor<5x?x2x7x4xf16>
  return %r : tensor<5x?x2x7x4xf16>
}
