// Linear maps over words of int8 and bf16 against the reference lowering, which multiplies the same numbers one by one; K that fills no word and no
// vector, N that fills no panel.
// RUN: sesame-numeric-test %s
// RUN: sesame-numeric-test %s --target x86-64-v3
// RUN: not sesame-numeric-test %s --runs 2 --alter 1 2>&1 | FileCheck %s --check-prefix=REFERENCE
// RUN: not sesame-numeric-test %s --runs 2 --alter 2 2>&1 | FileCheck %s --check-prefix=THREADS
// RUN: not sesame-numeric-test %s --runs 2 --alter 3 2>&1 | FileCheck %s --check-prefix=BATCH
// REFERENCE: expected {{.*}}, got
// THREADS: has other bits with 3 threads than with 1
// BATCH: has other bits alone than in the batch

sesame.weight @w.int8_nk_add : tensor<2x7x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.int8_nk_add"] : tensor<37x19xf32>
  %1 = sesame.pack_word_panels %0 of i8 layout = nk : tensor<37x19xf32> -> tensor<2x7x32xi32>
  sesame.yield %1 : tensor<2x7x32xi32>
}
sesame.weight @b.int8_nk_add : tensor<37xf32> {
  %0 = sesame.checkpoint_tensor ["b.int8_nk_add"] : tensor<37xf32>
  sesame.yield %0 : tensor<37xf32>
}
func.func @int8_nk_add(%x: tensor<?x?x19xf32> {sesame.name = "x", sesame.dims = ["B", "S", "19"]},
    %o: tensor<?x?x37xf32> {sesame.name = "o", sesame.dims = ["B", "S", "37"]})
    -> (tensor<?x?x37xf32> {sesame.name = "y", sesame.dims = ["B", "S", "37"]}) {
  %w = sesame.get_weight @w.int8_nk_add : tensor<2x7x32xi32>
  %b = sesame.get_weight @b.int8_nk_add : tensor<37xf32>
  %y = sesame.word_linear %x, %w of i8 bias(%b : tensor<37xf32>) combine = add other(%o : tensor<?x?x37xf32>) : tensor<?x?x19xf32>, tensor<2x7x32xi32> -> tensor<?x?x37xf32>
  return %y : tensor<?x?x37xf32>
}

sesame.weight @w.int8_kn_relu : tensor<4x11x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.int8_kn_relu"] : tensor<36x97xf32>
  %1 = sesame.pack_word_panels %0 of i8 layout = kn : tensor<36x97xf32> -> tensor<4x11x32xi32>
  sesame.yield %1 : tensor<4x11x32xi32>
}
func.func @int8_kn_relu(%x: tensor<?x?x36xf32> {sesame.name = "x", sesame.dims = ["B", "S", "36"]})
    -> (tensor<?x?x97xf32> {sesame.name = "y", sesame.dims = ["B", "S", "97"]}) {
  %w = sesame.get_weight @w.int8_kn_relu : tensor<4x11x32xi32>
  %y = sesame.word_linear %x, %w of i8 activation = relu : tensor<?x?x36xf32>, tensor<4x11x32xi32> -> tensor<?x?x97xf32>
  return %y : tensor<?x?x97xf32>
}

sesame.weight @w.int8_gelu_multiply : tensor<2x35x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.int8_gelu_multiply"] : tensor<64x130xf32>
  %1 = sesame.pack_word_panels %0 of i8 layout = nk : tensor<64x130xf32> -> tensor<2x35x32xi32>
  sesame.yield %1 : tensor<2x35x32xi32>
}
sesame.weight @b.int8_gelu_multiply : tensor<64xf32> {
  %0 = sesame.checkpoint_tensor ["b.int8_gelu_multiply"] : tensor<64xf32>
  sesame.yield %0 : tensor<64xf32>
}
func.func @int8_gelu_multiply(%x: tensor<?x?x130xf32> {sesame.name = "x", sesame.dims = ["B", "S", "130"]},
    %o: tensor<?x?x64xf32> {sesame.name = "o", sesame.dims = ["B", "S", "64"]})
    -> (tensor<?x?x64xf32> {sesame.name = "y", sesame.dims = ["B", "S", "64"]}) {
  %w = sesame.get_weight @w.int8_gelu_multiply : tensor<2x35x32xi32>
  %b = sesame.get_weight @b.int8_gelu_multiply : tensor<64xf32>
  %y = sesame.word_linear %x, %w of i8 bias(%b : tensor<64xf32>) activation = gelu combine = multiply other(%o : tensor<?x?x64xf32>) : tensor<?x?x130xf32>, tensor<2x35x32xi32> -> tensor<?x?x64xf32>
  return %y : tensor<?x?x64xf32>
}

sesame.weight @w.int8_one_element : tensor<1x3x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.int8_one_element"] : tensor<3x1xf32>
  %1 = sesame.pack_word_panels %0 of i8 layout = nk : tensor<3x1xf32> -> tensor<1x3x32xi32>
  sesame.yield %1 : tensor<1x3x32xi32>
}
func.func @int8_one_element(%x: tensor<?x?x1xf32> {sesame.name = "x", sesame.dims = ["B", "S", "1"]})
    -> (tensor<?x?x3xf32> {sesame.name = "y", sesame.dims = ["B", "S", "3"]}) {
  %w = sesame.get_weight @w.int8_one_element : tensor<1x3x32xi32>
  %y = sesame.word_linear %x, %w of i8 : tensor<?x?x1xf32>, tensor<1x3x32xi32> -> tensor<?x?x3xf32>
  return %y : tensor<?x?x3xf32>
}

sesame.weight @w.int8_long : tensor<2x259x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.int8_long"] : tensor<1028x33xf32>
  %1 = sesame.pack_word_panels %0 of i8 layout = kn : tensor<1028x33xf32> -> tensor<2x259x32xi32>
  sesame.yield %1 : tensor<2x259x32xi32>
}
sesame.weight @b.int8_long : tensor<33xf32> {
  %0 = sesame.checkpoint_tensor ["b.int8_long"] : tensor<33xf32>
  sesame.yield %0 : tensor<33xf32>
}
func.func @int8_long(%x: tensor<?x?x1028xf32> {sesame.name = "x", sesame.dims = ["B", "S", "1028"]})
    -> (tensor<?x?x33xf32> {sesame.name = "y", sesame.dims = ["B", "S", "33"]}) {
  %w = sesame.get_weight @w.int8_long : tensor<2x259x32xi32>
  %b = sesame.get_weight @b.int8_long : tensor<33xf32>
  %y = sesame.word_linear %x, %w of i8 bias(%b : tensor<33xf32>) activation = tanh : tensor<?x?x1028xf32>, tensor<2x259x32xi32> -> tensor<?x?x33xf32>
  return %y : tensor<?x?x33xf32>
}

sesame.weight @w.bf16_nk_add : tensor<2x10x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.bf16_nk_add"] : tensor<37x19xf32>
  %1 = sesame.pack_word_panels %0 of bf16 layout = nk : tensor<37x19xf32> -> tensor<2x10x32xi32>
  sesame.yield %1 : tensor<2x10x32xi32>
}
sesame.weight @b.bf16_nk_add : tensor<37xf32> {
  %0 = sesame.checkpoint_tensor ["b.bf16_nk_add"] : tensor<37xf32>
  sesame.yield %0 : tensor<37xf32>
}
func.func @bf16_nk_add(%x: tensor<?x?x19xf32> {sesame.name = "x", sesame.dims = ["B", "S", "19"]},
    %o: tensor<?x?x37xf32> {sesame.name = "o", sesame.dims = ["B", "S", "37"]})
    -> (tensor<?x?x37xf32> {sesame.name = "y", sesame.dims = ["B", "S", "37"]}) {
  %w = sesame.get_weight @w.bf16_nk_add : tensor<2x10x32xi32>
  %b = sesame.get_weight @b.bf16_nk_add : tensor<37xf32>
  %y = sesame.word_linear %x, %w of bf16 bias(%b : tensor<37xf32>) combine = add other(%o : tensor<?x?x37xf32>) : tensor<?x?x19xf32>, tensor<2x10x32xi32> -> tensor<?x?x37xf32>
  return %y : tensor<?x?x37xf32>
}

sesame.weight @w.bf16_kn_gelu : tensor<3x24x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.bf16_kn_gelu"] : tensor<48x96xf32>
  %1 = sesame.pack_word_panels %0 of bf16 layout = kn : tensor<48x96xf32> -> tensor<3x24x32xi32>
  sesame.yield %1 : tensor<3x24x32xi32>
}
func.func @bf16_kn_gelu(%x: tensor<?x?x48xf32> {sesame.name = "x", sesame.dims = ["B", "S", "48"]})
    -> (tensor<?x?x96xf32> {sesame.name = "y", sesame.dims = ["B", "S", "96"]}) {
  %w = sesame.get_weight @w.bf16_kn_gelu : tensor<3x24x32xi32>
  %y = sesame.word_linear %x, %w of bf16 activation = gelu_tanh : tensor<?x?x48xf32>, tensor<3x24x32xi32> -> tensor<?x?x96xf32>
  return %y : tensor<?x?x96xf32>
}

sesame.weight @w.bf16_one_element : tensor<1x1x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.bf16_one_element"] : tensor<3x1xf32>
  %1 = sesame.pack_word_panels %0 of bf16 layout = nk : tensor<3x1xf32> -> tensor<1x1x32xi32>
  sesame.yield %1 : tensor<1x1x32xi32>
}
func.func @bf16_one_element(%x: tensor<?x?x1xf32> {sesame.name = "x", sesame.dims = ["B", "S", "1"]},
    %o: tensor<?x?x3xf32> {sesame.name = "o", sesame.dims = ["B", "S", "3"]})
    -> (tensor<?x?x3xf32> {sesame.name = "y", sesame.dims = ["B", "S", "3"]}) {
  %w = sesame.get_weight @w.bf16_one_element : tensor<1x1x32xi32>
  %y = sesame.word_linear %x, %w of bf16 combine = multiply other(%o : tensor<?x?x3xf32>) : tensor<?x?x1xf32>, tensor<1x1x32xi32> -> tensor<?x?x3xf32>
  return %y : tensor<?x?x3xf32>
}

// The first result exists in words alone.
sesame.weight @v.bf16_next : tensor<2x10x32xi32> {
  %0 = sesame.checkpoint_tensor ["v.bf16_next"] : tensor<44x19xf32>
  %1 = sesame.pack_word_panels %0 of bf16 layout = nk : tensor<44x19xf32> -> tensor<2x10x32xi32>
  sesame.yield %1 : tensor<2x10x32xi32>
}
sesame.weight @b.bf16_next : tensor<44xf32> {
  %0 = sesame.checkpoint_tensor ["b.bf16_next"] : tensor<44xf32>
  sesame.yield %0 : tensor<44xf32>
}
sesame.weight @w.bf16_next : tensor<2x22x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.bf16_next"] : tensor<37x44xf32>
  %1 = sesame.pack_word_panels %0 of bf16 layout = nk : tensor<37x44xf32> -> tensor<2x22x32xi32>
  sesame.yield %1 : tensor<2x22x32xi32>
}
func.func @bf16_next(%x: tensor<?x?x19xf32> {sesame.name = "x", sesame.dims = ["B", "S", "19"]})
    -> (tensor<?x?x37xf32> {sesame.name = "y", sesame.dims = ["B", "S", "37"]}) {
  %v = sesame.get_weight @v.bf16_next : tensor<2x10x32xi32>
  %b = sesame.get_weight @b.bf16_next : tensor<44xf32>
  %w = sesame.get_weight @w.bf16_next : tensor<2x22x32xi32>
  %0 = sesame.word_linear %x, %v of bf16 bias(%b : tensor<44xf32>) activation = gelu : tensor<?x?x19xf32>, tensor<2x10x32xi32> -> tensor<?x?x44xf32>
  %y = sesame.word_linear %0, %w of bf16 : tensor<?x?x44xf32>, tensor<2x22x32xi32> -> tensor<?x?x37xf32>
  return %y : tensor<?x?x37xf32>
}
