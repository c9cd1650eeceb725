// Linear maps over words of ui4 and ui8, in groups of 32 along K, against the reference lowering, which multiplies the same numbers one by one; K that fills no
// vector, no group and no step of two groups, N that fills no panel.
// RUN: sesame-numeric-test %s
// RUN: sesame-numeric-test %s --target x86-64-v3
// RUN: not sesame-numeric-test %s --runs 2 --alter 1 2>&1 | FileCheck %s --check-prefix=REFERENCE
// RUN: not sesame-numeric-test %s --runs 2 --alter 2 2>&1 | FileCheck %s --check-prefix=THREADS
// RUN: not sesame-numeric-test %s --runs 2 --alter 3 2>&1 | FileCheck %s --check-prefix=BATCH
// REFERENCE: expected {{.*}}, got
// THREADS: has other bits with 3 threads than with 1
// BATCH: has other bits alone than in the batch

sesame.weight @w.int4_nk_add : tensor<2x9x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.int4_nk_add"] : tensor<37x19xf32>
  %1 = sesame.pack_word_panels %0 of ui4 layout = nk : tensor<37x19xf32> -> tensor<2x9x32xi32>
  sesame.yield %1 : tensor<2x9x32xi32>
}
sesame.weight @b.int4_nk_add : tensor<37xf32> {
  %0 = sesame.checkpoint_tensor ["b.int4_nk_add"] : tensor<37xf32>
  sesame.yield %0 : tensor<37xf32>
}
func.func @int4_nk_add(%x: tensor<?x?x19xf32> {sesame.name = "x", sesame.dims = ["B", "S", "19"]},
    %o: tensor<?x?x37xf32> {sesame.name = "o", sesame.dims = ["B", "S", "37"]})
    -> (tensor<?x?x37xf32> {sesame.name = "y", sesame.dims = ["B", "S", "37"]}) {
  %w = sesame.get_weight @w.int4_nk_add : tensor<2x9x32xi32>
  %b = sesame.get_weight @b.int4_nk_add : tensor<37xf32>
  %y = sesame.word_linear %x, %w of ui4 bias(%b : tensor<37xf32>) combine = add other(%o : tensor<?x?x37xf32>) : tensor<?x?x19xf32>, tensor<2x9x32xi32> -> tensor<?x?x37xf32>
  return %y : tensor<?x?x37xf32>
}

sesame.weight @w.int4_kn_relu : tensor<4x9x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.int4_kn_relu"] : tensor<36x97xf32>
  %1 = sesame.pack_word_panels %0 of ui4 layout = kn : tensor<36x97xf32> -> tensor<4x9x32xi32>
  sesame.yield %1 : tensor<4x9x32xi32>
}
func.func @int4_kn_relu(%x: tensor<?x?x36xf32> {sesame.name = "x", sesame.dims = ["B", "S", "36"]})
    -> (tensor<?x?x97xf32> {sesame.name = "y", sesame.dims = ["B", "S", "97"]}) {
  %w = sesame.get_weight @w.int4_kn_relu : tensor<4x9x32xi32>
  %y = sesame.word_linear %x, %w of ui4 activation = relu : tensor<?x?x36xf32>, tensor<4x9x32xi32> -> tensor<?x?x97xf32>
  return %y : tensor<?x?x97xf32>
}

sesame.weight @w.int4_gelu_multiply : tensor<2x27x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.int4_gelu_multiply"] : tensor<64x130xf32>
  %1 = sesame.pack_word_panels %0 of ui4 layout = nk : tensor<64x130xf32> -> tensor<2x27x32xi32>
  sesame.yield %1 : tensor<2x27x32xi32>
}
sesame.weight @b.int4_gelu_multiply : tensor<64xf32> {
  %0 = sesame.checkpoint_tensor ["b.int4_gelu_multiply"] : tensor<64xf32>
  sesame.yield %0 : tensor<64xf32>
}
func.func @int4_gelu_multiply(%x: tensor<?x?x130xf32> {sesame.name = "x", sesame.dims = ["B", "S", "130"]},
    %o: tensor<?x?x64xf32> {sesame.name = "o", sesame.dims = ["B", "S", "64"]})
    -> (tensor<?x?x64xf32> {sesame.name = "y", sesame.dims = ["B", "S", "64"]}) {
  %w = sesame.get_weight @w.int4_gelu_multiply : tensor<2x27x32xi32>
  %b = sesame.get_weight @b.int4_gelu_multiply : tensor<64xf32>
  %y = sesame.word_linear %x, %w of ui4 bias(%b : tensor<64xf32>) activation = gelu combine = multiply other(%o : tensor<?x?x64xf32>) : tensor<?x?x130xf32>, tensor<2x27x32xi32> -> tensor<?x?x64xf32>
  return %y : tensor<?x?x64xf32>
}

sesame.weight @w.int4_one_element : tensor<1x9x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.int4_one_element"] : tensor<3x1xf32>
  %1 = sesame.pack_word_panels %0 of ui4 layout = nk : tensor<3x1xf32> -> tensor<1x9x32xi32>
  sesame.yield %1 : tensor<1x9x32xi32>
}
func.func @int4_one_element(%x: tensor<?x?x1xf32> {sesame.name = "x", sesame.dims = ["B", "S", "1"]})
    -> (tensor<?x?x3xf32> {sesame.name = "y", sesame.dims = ["B", "S", "3"]}) {
  %w = sesame.get_weight @w.int4_one_element : tensor<1x9x32xi32>
  %y = sesame.word_linear %x, %w of ui4 : tensor<?x?x1xf32>, tensor<1x9x32xi32> -> tensor<?x?x3xf32>
  return %y : tensor<?x?x3xf32>
}

sesame.weight @w.int4_long : tensor<2x153x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.int4_long"] : tensor<1028x33xf32>
  %1 = sesame.pack_word_panels %0 of ui4 layout = kn : tensor<1028x33xf32> -> tensor<2x153x32xi32>
  sesame.yield %1 : tensor<2x153x32xi32>
}
sesame.weight @b.int4_long : tensor<33xf32> {
  %0 = sesame.checkpoint_tensor ["b.int4_long"] : tensor<33xf32>
  sesame.yield %0 : tensor<33xf32>
}
func.func @int4_long(%x: tensor<?x?x1028xf32> {sesame.name = "x", sesame.dims = ["B", "S", "1028"]})
    -> (tensor<?x?x33xf32> {sesame.name = "y", sesame.dims = ["B", "S", "33"]}) {
  %w = sesame.get_weight @w.int4_long : tensor<2x153x32xi32>
  %b = sesame.get_weight @b.int4_long : tensor<33xf32>
  %y = sesame.word_linear %x, %w of ui4 bias(%b : tensor<33xf32>) activation = tanh : tensor<?x?x1028xf32>, tensor<2x153x32xi32> -> tensor<?x?x33xf32>
  return %y : tensor<?x?x33xf32>
}

sesame.weight @w.int4_whole : tensor<3x27x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.int4_whole"] : tensor<96x192xf32>
  %1 = sesame.pack_word_panels %0 of ui4 layout = nk : tensor<96x192xf32> -> tensor<3x27x32xi32>
  sesame.yield %1 : tensor<3x27x32xi32>
}
func.func @int4_whole(%x: tensor<?x?x192xf32> {sesame.name = "x", sesame.dims = ["B", "S", "192"]})
    -> (tensor<?x?x96xf32> {sesame.name = "y", sesame.dims = ["B", "S", "96"]}) {
  %w = sesame.get_weight @w.int4_whole : tensor<3x27x32xi32>
  %y = sesame.word_linear %x, %w of ui4 : tensor<?x?x192xf32>, tensor<3x27x32xi32> -> tensor<?x?x96xf32>
  return %y : tensor<?x?x96xf32>
}

sesame.weight @w.int8_nk_add : tensor<2x34x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.int8_nk_add"] : tensor<37x83xf32>
  %1 = sesame.pack_word_panels %0 of ui8 layout = nk : tensor<37x83xf32> -> tensor<2x34x32xi32>
  sesame.yield %1 : tensor<2x34x32xi32>
}
sesame.weight @b.int8_nk_add : tensor<37xf32> {
  %0 = sesame.checkpoint_tensor ["b.int8_nk_add"] : tensor<37xf32>
  sesame.yield %0 : tensor<37xf32>
}
func.func @int8_nk_add(%x: tensor<?x?x83xf32> {sesame.name = "x", sesame.dims = ["B", "S", "83"]},
    %o: tensor<?x?x37xf32> {sesame.name = "o", sesame.dims = ["B", "S", "37"]})
    -> (tensor<?x?x37xf32> {sesame.name = "y", sesame.dims = ["B", "S", "37"]}) {
  %w = sesame.get_weight @w.int8_nk_add : tensor<2x34x32xi32>
  %b = sesame.get_weight @b.int8_nk_add : tensor<37xf32>
  %y = sesame.word_linear %x, %w of ui8 bias(%b : tensor<37xf32>) combine = add other(%o : tensor<?x?x37xf32>) : tensor<?x?x83xf32>, tensor<2x34x32xi32> -> tensor<?x?x37xf32>
  return %y : tensor<?x?x37xf32>
}

sesame.weight @w.int8_kn_relu : tensor<4x17x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.int8_kn_relu"] : tensor<64x97xf32>
  %1 = sesame.pack_word_panels %0 of ui8 layout = kn : tensor<64x97xf32> -> tensor<4x17x32xi32>
  sesame.yield %1 : tensor<4x17x32xi32>
}
func.func @int8_kn_relu(%x: tensor<?x?x64xf32> {sesame.name = "x", sesame.dims = ["B", "S", "64"]})
    -> (tensor<?x?x97xf32> {sesame.name = "y", sesame.dims = ["B", "S", "97"]}) {
  %w = sesame.get_weight @w.int8_kn_relu : tensor<4x17x32xi32>
  %y = sesame.word_linear %x, %w of ui8 activation = relu : tensor<?x?x64xf32>, tensor<4x17x32xi32> -> tensor<?x?x97xf32>
  return %y : tensor<?x?x97xf32>
}

sesame.weight @w.int8_one_element : tensor<1x17x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.int8_one_element"] : tensor<3x1xf32>
  %1 = sesame.pack_word_panels %0 of ui8 layout = nk : tensor<3x1xf32> -> tensor<1x17x32xi32>
  sesame.yield %1 : tensor<1x17x32xi32>
}
func.func @int8_one_element(%x: tensor<?x?x1xf32> {sesame.name = "x", sesame.dims = ["B", "S", "1"]})
    -> (tensor<?x?x3xf32> {sesame.name = "y", sesame.dims = ["B", "S", "3"]}) {
  %w = sesame.get_weight @w.int8_one_element : tensor<1x17x32xi32>
  %y = sesame.word_linear %x, %w of ui8 : tensor<?x?x1xf32>, tensor<1x17x32xi32> -> tensor<?x?x3xf32>
  return %y : tensor<?x?x3xf32>
}

sesame.weight @w.int8_long : tensor<2x272x32xi32> {
  %0 = sesame.checkpoint_tensor ["w.int8_long"] : tensor<997x33xf32>
  %1 = sesame.pack_word_panels %0 of ui8 layout = kn : tensor<997x33xf32> -> tensor<2x272x32xi32>
  sesame.yield %1 : tensor<2x272x32xi32>
}
sesame.weight @b.int8_long : tensor<33xf32> {
  %0 = sesame.checkpoint_tensor ["b.int8_long"] : tensor<33xf32>
  sesame.yield %0 : tensor<33xf32>
}
func.func @int8_long(%x: tensor<?x?x997xf32> {sesame.name = "x", sesame.dims = ["B", "S", "997"]})
    -> (tensor<?x?x33xf32> {sesame.name = "y", sesame.dims = ["B", "S", "33"]}) {
  %w = sesame.get_weight @w.int8_long : tensor<2x272x32xi32>
  %b = sesame.get_weight @b.int8_long : tensor<33xf32>
  %y = sesame.word_linear %x, %w of ui8 bias(%b : tensor<33xf32>) activation = gelu : tensor<?x?x997xf32>, tensor<2x272x32xi32> -> tensor<?x?x33xf32>
  return %y : tensor<?x?x33xf32>
}

// Rows of a table that lies in such panels.
sesame.weight @table.ui4 : tensor<4x27x32xi32> {
  %0 = sesame.checkpoint_tensor ["table.ui4"] : tensor<97x130xf32>
  %1 = sesame.pack_word_panels %0 of ui4 layout = nk : tensor<97x130xf32> -> tensor<4x27x32xi32>
  sesame.yield %1 : tensor<4x27x32xi32>
}
func.func @embedding_ui4(%ids: tensor<?x?xi64> {sesame.name = "ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 97>})
    -> (tensor<?x?x130xf32> {sesame.name = "y", sesame.dims = ["B", "S", "130"]}) {
  %p = sesame.get_weight @table.ui4 : tensor<4x27x32xi32>
  %t = sesame.unpack_panels %p of ui4 : tensor<4x27x32xi32> -> tensor<97x130xf32>
  %y = sesame.embedding %ids in %t : tensor<?x?xi64> in tensor<97x130xf32> -> tensor<?x?x130xf32>
  return %y : tensor<?x?x130xf32>
}

sesame.weight @table.ui8 : tensor<2x17x32xi32> {
  %0 = sesame.checkpoint_tensor ["table.ui8"] : tensor<33x37xf32>
  %1 = sesame.pack_word_panels %0 of ui8 layout = nk : tensor<33x37xf32> -> tensor<2x17x32xi32>
  sesame.yield %1 : tensor<2x17x32xi32>
}
func.func @embedding_ui8(%ids: tensor<?x?xi64> {sesame.name = "ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 33>})
    -> (tensor<?x?x37xf32> {sesame.name = "y", sesame.dims = ["B", "S", "37"]}) {
  %p = sesame.get_weight @table.ui8 : tensor<2x17x32xi32>
  %t = sesame.unpack_panels %p of ui8 : tensor<2x17x32xi32> -> tensor<33x37xf32>
  %y = sesame.embedding %ids in %t : tensor<?x?xi64> in tensor<33x37xf32> -> tensor<?x?x37xf32>
  return %y : tensor<?x?x37xf32>
}
