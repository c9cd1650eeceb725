// RUN: sesame-opt %s | sesame-opt | FileCheck %s
// RUN: sesame-opt %s --mlir-print-op-generic | sesame-opt | FileCheck %s

// CHECK-LABEL: func.func @bare
// CHECK: sesame.lstm %{{.*}}, %{{.*}}, %{{.*}} direction = forward : tensor<?x?x3xf32>, tensor<1x20x3xf32>, tensor<1x20x5xf32> -> tensor<?x?x5xf32>, tensor<1x?x5xf32>, tensor<1x?x5xf32>
func.func @bare(%x: tensor<?x?x3xf32>, %w: tensor<1x20x3xf32>, %u: tensor<1x20x5xf32>) {
  %y, %h, %c = sesame.lstm %x, %w, %u direction = forward : tensor<?x?x3xf32>, tensor<1x20x3xf32>, tensor<1x20x5xf32> -> tensor<?x?x5xf32>, tensor<1x?x5xf32>, tensor<1x?x5xf32>
  return
}

// CHECK-LABEL: func.func @every_option
// CHECK: sesame.lstm %{{.*}}, %{{.*}}, %{{.*}} input_bias(%{{.*}} : tensor<2x20xf16>) recurrent_bias(%{{.*}} : tensor<2x20xf16>) projection(%{{.*}} : tensor<2x2x5xf16>) hidden(%{{.*}} : tensor<2x4x2xf16>) cell(%{{.*}} : tensor<2x4x5xf16>) lengths(%{{.*}} : tensor<4xi32>) direction = bidirectional cell_clip = 5.000000e-01 projection_clip = 2.500000e-01 : tensor<4x7x3xf16>, tensor<2x20x3xf16>, tensor<2x20x2xf16> -> tensor<4x7x4xf16>, tensor<2x4x2xf16>, tensor<2x4x5xf16>
func.func @every_option(%x: tensor<4x7x3xf16>, %w: tensor<2x20x3xf16>, %u: tensor<2x20x2xf16>, %bi: tensor<2x20xf16>, %bh: tensor<2x20xf16>, %p: tensor<2x2x5xf16>, %h0: tensor<2x4x2xf16>, %c0: tensor<2x4x5xf16>, %n: tensor<4xi32>) {
  %y, %h, %c = sesame.lstm %x, %w, %u input_bias(%bi : tensor<2x20xf16>) recurrent_bias(%bh : tensor<2x20xf16>) projection(%p : tensor<2x2x5xf16>) hidden(%h0 : tensor<2x4x2xf16>) cell(%c0 : tensor<2x4x5xf16>) lengths(%n : tensor<4xi32>)
    direction = bidirectional cell_clip = 5.000000e-01 projection_clip = 2.500000e-01 : tensor<4x7x3xf16>, tensor<2x20x3xf16>, tensor<2x20x2xf16> -> tensor<4x7x4xf16>, tensor<2x4x2xf16>, tensor<2x4x5xf16>
  return
}
