// RUN: sesame-opt %s | sesame-opt | FileCheck %s
// RUN: sesame-opt %s --mlir-print-op-generic | sesame-opt | FileCheck %s

// CHECK-LABEL: sesame.weight @h.w count = 3 offset = 128 stride = 512 : tensor<2x5x4xf32> {
// CHECK-NEXT: %[[W:.*]] = sesame.checkpoint_tensor ["h.", ".w"] from 1 : tensor<7x5xf16>
// CHECK-NEXT: %[[F:.*]] = arith.extf %[[W]]
// CHECK-NEXT: %[[P:.*]] = sesame.pack_panels %[[F]] layout = nk : tensor<7x5xf32> -> tensor<2x5x4xf32>
// CHECK-NEXT: sesame.yield %[[P]] : tensor<2x5x4xf32>
sesame.weight @h.w count = 3 offset = 128 stride = 512 : tensor<2x5x4xf32> {
  %0 = sesame.checkpoint_tensor ["h.", ".w"] from 1 : tensor<7x5xf16>
  %1 = arith.extf %0 : tensor<7x5xf16> to tensor<7x5xf32>
  %2 = sesame.pack_panels %1 layout = nk : tensor<7x5xf32> -> tensor<2x5x4xf32>
  sesame.yield %2 : tensor<2x5x4xf32>
}

// CHECK-LABEL: sesame.weight @b : tensor<7xf32> {
sesame.weight @b : tensor<7xf32> {
  %0 = sesame.checkpoint_tensor ["b"] : tensor<7xf32>
  sesame.yield %0 : tensor<7xf32>
}

// CHECK-LABEL: func.func @read
// CHECK: sesame.get_weight @b : tensor<7xf32>
// CHECK: sesame.get_weight @h.w[%{{.*}}] : tensor<2x5x4xf32>
// CHECK: sesame.get_weight @h.w[%{{.*}}] : memref<2x5x4xf32>
func.func @read(%layer: index) -> (tensor<7xf32>, tensor<2x5x4xf32>, memref<2x5x4xf32>) {
  %0 = sesame.get_weight @b : tensor<7xf32>
  %1 = sesame.get_weight @h.w[%layer] : tensor<2x5x4xf32>
  %2 = sesame.get_weight @h.w[%layer] : memref<2x5x4xf32>
  return %0, %1, %2 : tensor<7xf32>, tensor<2x5x4xf32>, memref<2x5x4xf32>
}
