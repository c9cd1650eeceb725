// RUN: sesame-opt %s | sesame-opt | FileCheck %s
// RUN: sesame-opt %s --mlir-print-op-generic | sesame-opt | FileCheck %s

// CHECK-LABEL: func.func @every_kind
func.func @every_kind(%x: tensor<?x7xf32>) -> tensor<?x7xf32> {
  // CHECK: sesame.activation relu %{{.*}} : tensor<?x7xf32>
  %0 = sesame.activation relu %x : tensor<?x7xf32>
  return %0 : tensor<?x7xf32>
}
