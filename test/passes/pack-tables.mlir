// RUN: sesame-opt %s --sesame-pack-weights | FileCheck %s --check-prefix=F32
// RUN: sesame-opt %s --sesame-pack-weights=weight-type=bf16 | FileCheck %s --check-prefixes=ALL,BF16
// RUN: sesame-opt %s --sesame-pack-weights="weight-type=bf16 bf16-words" | FileCheck %s --check-prefixes=ALL,BF16
// RUN: sesame-opt %s --sesame-pack-weights=weight-type=f16 | FileCheck %s --check-prefixes=ALL,F16
// RUN: sesame-opt %s --sesame-pack-weights=weight-type=int8 | FileCheck %s --check-prefixes=ALL,INT8
// RUN: sesame-opt %s --sesame-pack-weights=groups=int4 | FileCheck %s --check-prefixes=ALL,GROUPS
// RUN: sesame-opt %s --sesame-pack-weights=groups=int8 | FileCheck %s --check-prefixes=ALL,GROUPS

// A table of positions, which only an embedding reads, becomes narrow where the linears' weights do: a row is a panel.
// F32:         sesame.weight @positions : tensor<40x36xf32>
// BF16:        sesame.weight @positions.panels : tensor<40x18x1xi32>
// BF16:          sesame.pack_word_panels %{{.*}} of bf16 layout = nk : tensor<40x36xf32> -> tensor<40x18x1xi32>
// F16:         sesame.weight @positions.panels : tensor<40x36x1xf16>
// F16:           sesame.pack_panels %{{.*}} layout = nk : tensor<40x36xf16> -> tensor<40x36x1xf16>
// INT8:        sesame.weight @positions.panels : tensor<40x11x1xi32>
// GROUPS:      sesame.weight @positions.panels : tensor<40x17x1xi32>
// GROUPS:        sesame.pack_word_panels %{{.*}} of ui8 layout = nk
sesame.weight @positions : tensor<40x36xf32> {
  %0 = sesame.checkpoint_tensor ["wpe"] : tensor<40x36xf32>
  sesame.yield %0 : tensor<40x36xf32>
}

// Three words of codes, sum and scale, or a whole step, are not less than two numbers.
// INT8:        sesame.weight @thin : tensor<40x2xf32>
// GROUPS:      sesame.weight @thin : tensor<40x2xf32>
sesame.weight @thin : tensor<40x2xf32> {
  %0 = sesame.checkpoint_tensor ["thin"] : tensor<40x2xf32>
  sesame.yield %0 : tensor<40x2xf32>
}

// What is read otherwise too stays as it is.
// ALL:         sesame.weight @read : tensor<40x36xf32>
sesame.weight @read : tensor<40x36xf32> {
  %0 = sesame.checkpoint_tensor ["read"] : tensor<40x36xf32>
  sesame.yield %0 : tensor<40x36xf32>
}

// ALL-LABEL:   func.func @embeddings
// BF16:          sesame.unpack_panels %{{.*}} of bf16 : tensor<40x18x1xi32> -> tensor<40x36xf32>
// F16:           sesame.unpack_panels %{{.*}} : tensor<40x36x1xf16> -> tensor<40x36xf32>
// INT8:          sesame.unpack_panels %{{.*}} of i8 : tensor<40x11x1xi32> -> tensor<40x36xf32>
// GROUPS:        sesame.unpack_panels %{{.*}} of ui8 : tensor<40x17x1xi32> -> tensor<40x36xf32>
func.func @embeddings(%i: tensor<?xi64>) -> (tensor<?x36xf32>, tensor<?x2xf32>, tensor<?x36xf32>, tensor<40x36xf32>) {
  %p = sesame.get_weight @positions : tensor<40x36xf32>
  %t = sesame.get_weight @thin : tensor<40x2xf32>
  %r = sesame.get_weight @read : tensor<40x36xf32>
  %a = sesame.embedding %i in %p : tensor<?xi64> in tensor<40x36xf32> -> tensor<?x36xf32>
  %b = sesame.embedding %i in %t : tensor<?xi64> in tensor<40x2xf32> -> tensor<?x2xf32>
  %c = sesame.embedding %i in %r : tensor<?xi64> in tensor<40x36xf32> -> tensor<?x36xf32>
  return %a, %b, %c, %r : tensor<?x36xf32>, tensor<?x2xf32>, tensor<?x36xf32>, tensor<40x36xf32>
}
