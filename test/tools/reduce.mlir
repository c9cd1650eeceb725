// What a bug report needs: the smallest module that still holds the op in question.
// RUN: sesame-reduce %s --reduction-tree='traversal-mode=0 test=%S/inputs/has-layer-norm.sh' | FileCheck %s
// CHECK: @norm
// CHECK: sesame.layer_norm
// CHECK-NOT: @other
// CHECK-NOT: sesame.linear
func.func @other(%x: tensor<2x4xf32>, %w: tensor<3x4xf32>) -> tensor<2x3xf32> {
  %y = sesame.linear %x, %w : tensor<2x4xf32>, tensor<3x4xf32> -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}
func.func @norm(%x: tensor<2x4xf32>, %w: tensor<4xf32>) -> tensor<2x4xf32> {
  %a = sesame.activation gelu %x : tensor<2x4xf32>
  %y = sesame.layer_norm %a weight(%w : tensor<4xf32>) epsilon = 1.0e-5 : tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}
