// RUN: sesame-opt %s | sesame-opt | FileCheck %s
// RUN: sesame-opt %s --mlir-print-op-generic | sesame-opt | FileCheck %s

// CHECK-LABEL: func.func @bare
// CHECK: sesame.gru %{{.*}}, %{{.*}}, %{{.*}} direction = forward : tensor<?x?x3xf32>, tensor<1x15x3xf32>, tensor<1x15x5xf32> -> tensor<?x?x5xf32>, tensor<1x?x5xf32>
func.func @bare(%x: tensor<?x?x3xf32>, %w: tensor<1x15x3xf32>, %u: tensor<1x15x5xf32>) {
  %y, %h = sesame.gru %x, %w, %u direction = forward : tensor<?x?x3xf32>, tensor<1x15x3xf32>, tensor<1x15x5xf32> -> tensor<?x?x5xf32>, tensor<1x?x5xf32>
  return
}

// CHECK-LABEL: func.func @every_option
// CHECK: sesame.gru %{{.*}}, %{{.*}}, %{{.*}} input_bias(%{{.*}} : tensor<2x15xf16>) recurrent_bias(%{{.*}} : tensor<2x15xf16>) hidden(%{{.*}} : tensor<2x4x5xf16>) lengths(%{{.*}} : tensor<4xi32>) direction = bidirectional reset_before : tensor<4x7x3xf16>, tensor<2x15x3xf16>, tensor<2x15x5xf16> -> tensor<4x7x10xf16>, tensor<2x4x5xf16>
func.func @every_option(%x: tensor<4x7x3xf16>, %w: tensor<2x15x3xf16>, %u: tensor<2x15x5xf16>, %bi: tensor<2x15xf16>, %bh: tensor<2x15xf16>, %h0: tensor<2x4x5xf16>, %n: tensor<4xi32>) {
  %y, %h = sesame.gru %x, %w, %u input_bias(%bi : tensor<2x15xf16>) recurrent_bias(%bh : tensor<2x15xf16>) hidden(%h0 : tensor<2x4x5xf16>) lengths(%n : tensor<4xi32>)
    direction = bidirectional reset_before : tensor<4x7x3xf16>, tensor<2x15x3xf16>, tensor<2x15x5xf16> -> tensor<4x7x10xf16>, tensor<2x4x5xf16>
  return
}
