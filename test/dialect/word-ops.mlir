// RUN: sesame-opt %s | sesame-opt | FileCheck %s
// RUN: sesame-opt --mlir-print-op-generic %s | sesame-opt | FileCheck %s

// CHECK-LABEL: sesame.weight @int8
// CHECK:         sesame.pack_word_panels %{{.*}} of i8 layout = nk : tensor<37x19xf16> -> tensor<2x7x32xi32>
sesame.weight @int8 : tensor<2x7x32xi32> {
  %0 = sesame.checkpoint_tensor ["w"] : tensor<37x19xf16>
  %1 = sesame.pack_word_panels %0 of i8 layout = nk : tensor<37x19xf16> -> tensor<2x7x32xi32>
  sesame.yield %1 : tensor<2x7x32xi32>
}

// CHECK-LABEL: sesame.weight @bf16
// CHECK:         sesame.pack_word_panels %{{.*}} of bf16 layout = kn : tensor<19x37xf32> -> tensor<2x10x32xi32>
sesame.weight @bf16 : tensor<2x10x32xi32> {
  %0 = sesame.checkpoint_tensor ["w"] : tensor<19x37xf32>
  %1 = sesame.pack_word_panels %0 of bf16 layout = kn : tensor<19x37xf32> -> tensor<2x10x32xi32>
  sesame.yield %1 : tensor<2x10x32xi32>
}

// CHECK-LABEL: func.func @linear
// CHECK:         sesame.word_linear %{{.*}}, %{{.*}} of i8 bias(%{{.*}} : tensor<37xf32>) activation = gelu combine = multiply other(%{{.*}} : tensor<?x37xf32>)
// CHECK:         sesame.word_linear %{{.*}}, %{{.*}} of bf16 : tensor<?x19xf32>, tensor<2x10x32xi32> -> tensor<?x37xf32>
func.func @linear(%x: tensor<?x19xf32>, %w: tensor<2x7x32xi32>, %v: tensor<2x10x32xi32>, %b: tensor<37xf32>, %o: tensor<?x37xf32>)
    -> (tensor<?x37xf32>, tensor<?x37xf32>) {
  %0 = sesame.word_linear %x, %w of i8 bias(%b : tensor<37xf32>) activation = gelu combine = multiply other(%o : tensor<?x37xf32>)
     : tensor<?x19xf32>, tensor<2x7x32xi32> -> tensor<?x37xf32>
  %1 = sesame.word_linear %x, %v of bf16 : tensor<?x19xf32>, tensor<2x10x32xi32> -> tensor<?x37xf32>
  return %0, %1 : tensor<?x37xf32>, tensor<?x37xf32>
}

// CHECK-LABEL: func.func @tiles
// CHECK:         sesame.pack_words_tile of i8 input(%{{.*}} : memref<?x19xf32>) out(%{{.*}} : memref<?x7xi32>)
// CHECK:         sesame.word_matmul_tile of i8 lhs(%{{.*}} : memref<?x7xi32>) panel(%{{.*}} : memref<7x32xi32>) bias(%{{.*}} : memref<?xf32>) activation = relu combine = add out(%{{.*}} : memref<?x?xf32>)
func.func @tiles(%x: memref<?x19xf32>, %q: memref<?x7xi32>, %p: memref<7x32xi32>, %b: memref<?xf32>, %o: memref<?x?xf32>) {
  sesame.pack_words_tile of i8 input(%x : memref<?x19xf32>) out(%q : memref<?x7xi32>)
  sesame.word_matmul_tile of i8 lhs(%q : memref<?x7xi32>) panel(%p : memref<7x32xi32>) bias(%b : memref<?xf32>) activation = relu combine = add
    out(%o : memref<?x?xf32>)
  return
}

// CHECK-LABEL: sesame.weight @groups
// CHECK:         sesame.pack_word_panels %{{.*}} of ui4 layout = nk : tensor<37x70xf32> -> tensor<2x18x32xi32>
sesame.weight @groups : tensor<2x18x32xi32> {
  %0 = sesame.checkpoint_tensor ["w"] : tensor<37x70xf32>
  %1 = sesame.pack_word_panels %0 of ui4 layout = nk : tensor<37x70xf32> -> tensor<2x18x32xi32>
  sesame.yield %1 : tensor<2x18x32xi32>
}

// CHECK-LABEL: func.func @grouped_linear
// CHECK:         sesame.word_linear %{{.*}}, %{{.*}} of ui4 : tensor<?x70xf32>, tensor<2x18x32xi32> -> tensor<?x37xf32>
// CHECK:         sesame.word_linear %{{.*}}, %{{.*}} of ui8 activation = relu : tensor<?x70xf32>, tensor<2x34x32xi32> -> tensor<?x37xf32>
func.func @grouped_linear(%x: tensor<?x70xf32>, %w: tensor<2x18x32xi32>, %v: tensor<2x34x32xi32>) -> (tensor<?x37xf32>, tensor<?x37xf32>) {
  %0 = sesame.word_linear %x, %w of ui4 : tensor<?x70xf32>, tensor<2x18x32xi32> -> tensor<?x37xf32>
  %1 = sesame.word_linear %x, %v of ui8 activation = relu : tensor<?x70xf32>, tensor<2x34x32xi32> -> tensor<?x37xf32>
  return %0, %1 : tensor<?x37xf32>, tensor<?x37xf32>
}

// CHECK-LABEL: func.func @grouped_tiles
// CHECK:         sesame.pack_words_tile of ui4 input(%{{.*}} : memref<?x70xf32>) out(%{{.*}} : memref<?x40xi32>)
// CHECK:         sesame.word_matmul_tile of ui4 lhs(%{{.*}} : memref<?x40xi32>) panel(%{{.*}} : memref<18x32xi32>) out(%{{.*}} : memref<?x?xf32>)
func.func @grouped_tiles(%x: memref<?x70xf32>, %q: memref<?x40xi32>, %p: memref<18x32xi32>, %o: memref<?x?xf32>) {
  sesame.pack_words_tile of ui4 input(%x : memref<?x70xf32>) out(%q : memref<?x40xi32>)
  sesame.word_matmul_tile of ui4 lhs(%q : memref<?x40xi32>) panel(%p : memref<18x32xi32>) out(%o : memref<?x?xf32>)
  return
}
