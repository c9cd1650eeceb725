// RUN: sesame-opt %s | sesame-opt | FileCheck %s
// RUN: sesame-opt %s --mlir-print-op-generic | sesame-opt | FileCheck %s

// CHECK-LABEL: func.func @bare
// CHECK: sesame.gated_linear %{{.*}}, %{{.*}}, %{{.*}} activation = silu : tensor<?x5xf32>, tensor<7x5xf32> -> tensor<?x7xf32>
func.func @bare(%x: tensor<?x5xf32>, %g: tensor<7x5xf32>, %u: tensor<7x5xf32>) -> tensor<?x7xf32> {
  %y = sesame.gated_linear %x, %g, %u activation = silu : tensor<?x5xf32>, tensor<7x5xf32> -> tensor<?x7xf32>
  return %y : tensor<?x7xf32>
}

// CHECK-LABEL: func.func @every_option
// CHECK: sesame.gated_linear %{{.*}}, %{{.*}}, %{{.*}} bias(%{{.*}}, %{{.*}} : tensor<7xf16>, tensor<7xf16>) layout = panels activation = gelu : tensor<2x3x5xf16>, tensor<2x5x4xf16> -> tensor<2x3x7xf16>
func.func @every_option(%x: tensor<2x3x5xf16>, %g: tensor<2x5x4xf16>, %u: tensor<2x5x4xf16>, %b: tensor<7xf16>, %c: tensor<7xf16>) -> tensor<2x3x7xf16> {
  %y = sesame.gated_linear %x, %g, %u bias(%b, %c : tensor<7xf16>, tensor<7xf16>) layout = panels activation = gelu
    : tensor<2x3x5xf16>, tensor<2x5x4xf16> -> tensor<2x3x7xf16>
  return %y : tensor<2x3x7xf16>
}
