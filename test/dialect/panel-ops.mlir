// RUN: sesame-opt %s | sesame-opt | FileCheck %s
// RUN: sesame-opt --mlir-print-op-generic %s | sesame-opt | FileCheck %s

// CHECK-LABEL: func.func @matrix
// CHECK:         sesame.unpack_panels %{{.*}} : tensor<4x36x32xbf16> -> tensor<97x36xbf16>
func.func @matrix(%p: tensor<4x36x32xbf16>) -> tensor<97x36xbf16> {
  %w = sesame.unpack_panels %p : tensor<4x36x32xbf16> -> tensor<97x36xbf16>
  return %w : tensor<97x36xbf16>
}

// CHECK-LABEL: func.func @tile
// CHECK:         sesame.panel_embedding_tile of [f32, f32] indices(%{{.*}}, %{{.*}} : memref<?xi64>, memref<?xi32>) tables(%{{.*}}, %{{.*}} : memref<4x36x32xf32>, memref<40x36xf32>) out(%{{.*}} : memref<?x36xf32>)
func.func @tile(%i: memref<?xi64>, %j: memref<?xi32>, %t: memref<4x36x32xf32>, %u: memref<40x36xf32>, %o: memref<?x36xf32>) {
  sesame.panel_embedding_tile of [f32, f32] indices(%i, %j : memref<?xi64>, memref<?xi32>) tables(%t, %u : memref<4x36x32xf32>, memref<40x36xf32>)
    out(%o : memref<?x36xf32>)
  return
}

// Floats are widened.
// CHECK-LABEL: func.func @narrow
// CHECK:         sesame.unpack_panels %{{.*}} : tensor<97x36x1xf16> -> tensor<97x36xf32>
func.func @narrow(%p: tensor<97x36x1xf16>) -> tensor<97x36xf32> {
  %w = sesame.unpack_panels %p : tensor<97x36x1xf16> -> tensor<97x36xf32>
  return %w : tensor<97x36xf32>
}

// Words in groups: 9 of ui4 and 17 of ui8 for every 64 numbers.
// CHECK-LABEL: func.func @groups
// CHECK:         sesame.unpack_panels %{{.*}} of ui4 : tensor<4x18x32xi32> -> tensor<97x70xf32>
// CHECK:         sesame.unpack_panels %{{.*}} of ui8 : tensor<4x34x32xi32> -> tensor<97x70xf32>
func.func @groups(%p: tensor<4x18x32xi32>, %q: tensor<4x34x32xi32>) -> (tensor<97x70xf32>, tensor<97x70xf32>) {
  %v = sesame.unpack_panels %p of ui4 : tensor<4x18x32xi32> -> tensor<97x70xf32>
  %w = sesame.unpack_panels %q of ui8 : tensor<4x34x32xi32> -> tensor<97x70xf32>
  return %v, %w : tensor<97x70xf32>, tensor<97x70xf32>
}

// CHECK-LABEL: func.func @grouped_tile
// CHECK:         sesame.panel_embedding_tile of [ui4] indices(%{{.*}} : memref<?xi64>) tables(%{{.*}} : memref<4x18x32xi32>) out(%{{.*}} : memref<?x70xf32>)
func.func @grouped_tile(%i: memref<?xi64>, %t: memref<4x18x32xi32>, %o: memref<?x70xf32>) {
  sesame.panel_embedding_tile of [ui4] indices(%i : memref<?xi64>) tables(%t : memref<4x18x32xi32>) out(%o : memref<?x70xf32>)
  return
}
