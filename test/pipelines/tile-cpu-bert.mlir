// RUN: sesame-opt %s --sesame-tile-cpu | FileCheck %s --check-prefix=TILE
// RUN: sesame-opt %s --sesame-tile-cpu --sesame-bufferize | FileCheck %s --check-prefix=BUFFER
// RUN: sesame-numeric-test %s

// A post-norm encoder (BERT) of three layers as the importer and sesame-optimize leave it: token, position and segment embeddings in one sum, merged
// query-key-value product in torch's layout, whose recipe concatenates three tensors.
// TILE:      func.func @forward
// TILE-NOT:  linalg.
// TILE-NOT:  sesame.{{linear|attention |layer_norm|embedding }}
// TILE:      scf.for {{.*}} -> (tensor<?x36xf32>)
// TILE-NOT:  linalg.

// Products, residuals and normalisations of all layers go on in one buffer: the only copy is that of the result to the caller.
// BUFFER-LABEL: func.func @forward
// BUFFER-NOT:     memref.alloc
// BUFFER-NOT:     memref.copy
// BUFFER:         scf.for {{.*}} {
// BUFFER-NOT:     memref.copy
// BUFFER:         memref.copy {{.*}} : memref<?x36xf32> to memref<?x36xf32>
// BUFFER-NOT:     memref.copy
// BUFFER-NOT:     memref.alloc

sesame.weight @word : tensor<97x36xf32> {
  %0 = sesame.checkpoint_tensor ["bert.embeddings.word_embeddings.weight"] : tensor<97x36xf32>
  sesame.yield %0 : tensor<97x36xf32>
}
sesame.weight @position : tensor<40x36xf32> {
  %0 = sesame.checkpoint_tensor ["bert.embeddings.position_embeddings.weight"] : tensor<40x36xf32>
  sesame.yield %0 : tensor<40x36xf32>
}
sesame.weight @segment : tensor<2x36xf32> {
  %0 = sesame.checkpoint_tensor ["bert.embeddings.token_type_embeddings.weight"] : tensor<2x36xf32>
  sesame.yield %0 : tensor<2x36xf32>
}
sesame.weight @embeddings.norm.weight : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["bert.embeddings.LayerNorm.weight"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
sesame.weight @embeddings.norm.bias : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["bert.embeddings.LayerNorm.bias"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
sesame.weight @qkv.weight count = 3 : tensor<108x36xf32> {
  %0 = sesame.checkpoint_tensor ["bert.encoder.layer.", ".attention.self.query.weight"] : tensor<36x36xf32>
  %1 = sesame.checkpoint_tensor ["bert.encoder.layer.", ".attention.self.key.weight"] : tensor<36x36xf32>
  %2 = sesame.checkpoint_tensor ["bert.encoder.layer.", ".attention.self.value.weight"] : tensor<36x36xf32>
  %3 = tensor.concat dim(0) %0, %1, %2 : (tensor<36x36xf32>, tensor<36x36xf32>, tensor<36x36xf32>) -> tensor<108x36xf32>
  sesame.yield %3 : tensor<108x36xf32>
}
sesame.weight @qkv.bias count = 3 : tensor<108xf32> {
  %0 = sesame.checkpoint_tensor ["bert.encoder.layer.", ".attention.self.bias"] : tensor<108xf32>
  sesame.yield %0 : tensor<108xf32>
}
sesame.weight @out.weight count = 3 : tensor<36x36xf32> {
  %0 = sesame.checkpoint_tensor ["bert.encoder.layer.", ".attention.output.dense.weight"] : tensor<36x36xf32>
  sesame.yield %0 : tensor<36x36xf32>
}
sesame.weight @out.bias count = 3 : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["bert.encoder.layer.", ".attention.output.dense.bias"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
sesame.weight @norm_1.weight count = 3 : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["bert.encoder.layer.", ".attention.output.LayerNorm.weight"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
sesame.weight @norm_1.bias count = 3 : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["bert.encoder.layer.", ".attention.output.LayerNorm.bias"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
sesame.weight @up.weight count = 3 : tensor<144x36xf32> {
  %0 = sesame.checkpoint_tensor ["bert.encoder.layer.", ".intermediate.dense.weight"] : tensor<144x36xf32>
  sesame.yield %0 : tensor<144x36xf32>
}
sesame.weight @up.bias count = 3 : tensor<144xf32> {
  %0 = sesame.checkpoint_tensor ["bert.encoder.layer.", ".intermediate.dense.bias"] : tensor<144xf32>
  sesame.yield %0 : tensor<144xf32>
}
sesame.weight @down.weight count = 3 : tensor<36x144xf32> {
  %0 = sesame.checkpoint_tensor ["bert.encoder.layer.", ".output.dense.weight"] : tensor<36x144xf32>
  sesame.yield %0 : tensor<36x144xf32>
}
sesame.weight @down.bias count = 3 : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["bert.encoder.layer.", ".output.dense.bias"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
sesame.weight @norm_2.weight count = 3 : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["bert.encoder.layer.", ".output.LayerNorm.weight"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
sesame.weight @norm_2.bias count = 3 : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["bert.encoder.layer.", ".output.LayerNorm.bias"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}

func.func private @layer(%l: index, %x: tensor<?x?x36xf32>, %mask: tensor<?x?xi64>) -> tensor<?x?x36xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %x, %c0 : tensor<?x?x36xf32>
  %s = tensor.dim %x, %c1 : tensor<?x?x36xf32>
  %wa = sesame.get_weight @qkv.weight[%l] : tensor<108x36xf32>
  %ba = sesame.get_weight @qkv.bias[%l] : tensor<108xf32>
  %qkv = sesame.linear %x, %wa bias(%ba : tensor<108xf32>) : tensor<?x?x36xf32>, tensor<108x36xf32> -> tensor<?x?x108xf32>
  %q0 = tensor.extract_slice %qkv[0, 0, 0] [%b, %s, 36] [1, 1, 1] : tensor<?x?x108xf32> to tensor<?x?x36xf32>
  %q1 = tensor.expand_shape %q0 [[0], [1], [2, 3]] output_shape [%b, %s, 3, 12] : tensor<?x?x36xf32> into tensor<?x?x3x12xf32>
  %q2 = tensor.empty(%b, %s) : tensor<?x3x?x12xf32>
  %q = linalg.transpose ins(%q1 : tensor<?x?x3x12xf32>) outs(%q2 : tensor<?x3x?x12xf32>) permutation = [0, 2, 1, 3]
  %k0 = tensor.extract_slice %qkv[0, 0, 36] [%b, %s, 36] [1, 1, 1] : tensor<?x?x108xf32> to tensor<?x?x36xf32>
  %k1 = tensor.expand_shape %k0 [[0], [1], [2, 3]] output_shape [%b, %s, 3, 12] : tensor<?x?x36xf32> into tensor<?x?x3x12xf32>
  %k2 = tensor.empty(%b, %s) : tensor<?x3x?x12xf32>
  %k = linalg.transpose ins(%k1 : tensor<?x?x3x12xf32>) outs(%k2 : tensor<?x3x?x12xf32>) permutation = [0, 2, 1, 3]
  %v0 = tensor.extract_slice %qkv[0, 0, 72] [%b, %s, 36] [1, 1, 1] : tensor<?x?x108xf32> to tensor<?x?x36xf32>
  %v1 = tensor.expand_shape %v0 [[0], [1], [2, 3]] output_shape [%b, %s, 3, 12] : tensor<?x?x36xf32> into tensor<?x?x3x12xf32>
  %v2 = tensor.empty(%b, %s) : tensor<?x3x?x12xf32>
  %v = linalg.transpose ins(%v1 : tensor<?x?x3x12xf32>) outs(%v2 : tensor<?x3x?x12xf32>) permutation = [0, 2, 1, 3]
  %o = sesame.attention %q, %k, %v mask(%mask : tensor<?x?xi64>) scale = 0.2886751 : tensor<?x3x?x12xf32>, tensor<?x3x?x12xf32>, tensor<?x3x?x12xf32> -> tensor<?x3x?x12xf32>
  %o0 = tensor.empty(%b, %s) : tensor<?x?x3x12xf32>
  %o1 = linalg.transpose ins(%o : tensor<?x3x?x12xf32>) outs(%o0 : tensor<?x?x3x12xf32>) permutation = [0, 2, 1, 3]
  %o2 = tensor.collapse_shape %o1 [[0], [1], [2, 3]] : tensor<?x?x3x12xf32> into tensor<?x?x36xf32>
  %wo = sesame.get_weight @out.weight[%l] : tensor<36x36xf32>
  %bo = sesame.get_weight @out.bias[%l] : tensor<36xf32>
  %x1 = sesame.linear %o2, %wo bias(%bo : tensor<36xf32>) residual(%x : tensor<?x?x36xf32>) : tensor<?x?x36xf32>, tensor<36x36xf32> -> tensor<?x?x36xf32>
  %w1 = sesame.get_weight @norm_1.weight[%l] : tensor<36xf32>
  %b1 = sesame.get_weight @norm_1.bias[%l] : tensor<36xf32>
  %n1 = sesame.layer_norm %x1 weight(%w1 : tensor<36xf32>) bias(%b1 : tensor<36xf32>) epsilon = 1.0e-12 : tensor<?x?x36xf32>
  %wu = sesame.get_weight @up.weight[%l] : tensor<144x36xf32>
  %bu = sesame.get_weight @up.bias[%l] : tensor<144xf32>
  %m = sesame.linear %n1, %wu bias(%bu : tensor<144xf32>) activation = gelu : tensor<?x?x36xf32>, tensor<144x36xf32> -> tensor<?x?x144xf32>
  %wd = sesame.get_weight @down.weight[%l] : tensor<36x144xf32>
  %bd = sesame.get_weight @down.bias[%l] : tensor<36xf32>
  %x2 = sesame.linear %m, %wd bias(%bd : tensor<36xf32>) residual(%n1 : tensor<?x?x36xf32>) : tensor<?x?x144xf32>, tensor<36x144xf32> -> tensor<?x?x36xf32>
  %w2 = sesame.get_weight @norm_2.weight[%l] : tensor<36xf32>
  %b2 = sesame.get_weight @norm_2.bias[%l] : tensor<36xf32>
  %n2 = sesame.layer_norm %x2 weight(%w2 : tensor<36xf32>) bias(%b2 : tensor<36xf32>) epsilon = 1.0e-12 : tensor<?x?x36xf32>
  return %n2 : tensor<?x?x36xf32>
}

func.func @forward(%ids: tensor<?x?xi64> {sesame.name = "input_ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 97>},
                   %mask: tensor<?x?xi64> {sesame.name = "attention_mask", sesame.dims = ["B", "S"], sesame.default = "ones"},
                   %types: tensor<?x?xi64> {sesame.name = "token_type_ids", sesame.dims = ["B", "S"], sesame.default = "zeros", sesame.range = array<i64: 0, 2>},
                   %positions: tensor<1x?xi64> {sesame.name = "position_ids", sesame.dims = ["1", "S"], sesame.default = "arange", sesame.range = array<i64: 0, 40>})
    -> (tensor<?x?x36xf32> {sesame.name = "last_hidden_state", sesame.dims = ["B", "S", "36"]}) attributes {sesame.limits = {S = 40 : i64}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %we = sesame.get_weight @word : tensor<97x36xf32>
  %pe = sesame.get_weight @position : tensor<40x36xf32>
  %te = sesame.get_weight @segment : tensor<2x36xf32>
  %e = sesame.embedding %ids, %positions, %types in %we, %pe, %te
     : tensor<?x?xi64>, tensor<1x?xi64>, tensor<?x?xi64> in tensor<97x36xf32>, tensor<40x36xf32>, tensor<2x36xf32> -> tensor<?x?x36xf32>
  %wn = sesame.get_weight @embeddings.norm.weight : tensor<36xf32>
  %bn = sesame.get_weight @embeddings.norm.bias : tensor<36xf32>
  %x0 = sesame.layer_norm %e weight(%wn : tensor<36xf32>) bias(%bn : tensor<36xf32>) epsilon = 1.0e-12 : tensor<?x?x36xf32>
  %h = scf.for %l = %c0 to %c3 step %c1 iter_args(%x = %x0) -> (tensor<?x?x36xf32>) {
    %y = func.call @layer(%l, %x, %mask) : (index, tensor<?x?x36xf32>, tensor<?x?xi64>) -> tensor<?x?x36xf32>
    scf.yield %y : tensor<?x?x36xf32>
  }
  return %h : tensor<?x?x36xf32>
}
