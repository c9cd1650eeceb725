// RUN: sesame-opt %s --sesame-tile-cpu | FileCheck %s --check-prefix=TILE
// RUN: sesame-opt %s --sesame-tile-cpu --sesame-bufferize | FileCheck %s --check-prefix=BUFFER
// RUN: sesame-numeric-test %s

// A decoder with rotary positions, grouped heads and a gated feed-forward network, of two layers, over a cache.
// The tables of cosines and sines are made once, before the layers, and not by scalars.
// TILE:      func.func @decode
// TILE-NOT:  linalg.
// TILE:      math.cos {{.*}} : vector<16xf32>
// TILE:      math.sin {{.*}} : vector<16xf32>
// TILE:      scf.for {{.*}} -> (tensor<?x36xf32>, tensor<2x?x2x?x8xf32>, tensor<2x?x2x?x8xf32>)
// TILE-NOT:  linalg.
// TILE-NOT:  math.
// TILE-NOT:  sesame.{{linear|gated_linear|attention |rms_norm|embedding |rotary|cache_append}}

// BUFFER-LABEL: func.func @decode
// BUFFER-NOT:     memref.copy
// BUFFER:         scf.for {{.*}} {
// BUFFER:           memref.copy {{.*}} : memref<?x8xf32, strided<[8, 1], offset: ?>> to memref<?x8xf32, strided<[8, 1], offset: ?>>
// BUFFER:           memref.copy {{.*}} : memref<?x8xf32, strided<[80, 1], offset: ?>> to memref<?x8xf32, strided<[8, 1], offset: ?>>
// BUFFER-NOT:     memref.copy
// BUFFER:         memref.copy {{.*}} : memref<?x36xf32> to memref<?x36xf32>
// BUFFER-NOT:     memref.copy
// BUFFER-NOT:     memref.alloc

sesame.weight @embed : tensor<97x36xf32> {
  %0 = sesame.checkpoint_tensor ["model.embed_tokens.weight"] : tensor<97x36xf32>
  sesame.yield %0 : tensor<97x36xf32>
}
sesame.weight @frequencies : tensor<4xf32> {
  %0 = sesame.checkpoint_tensor ["frequencies"] : tensor<4xf32>
  sesame.yield %0 : tensor<4xf32>
}
sesame.weight @norm_1 count = 2 : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["model.layers.", ".input_layernorm.weight"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
sesame.weight @qkv count = 2 : tensor<80x36xf32> {
  %0 = sesame.checkpoint_tensor ["model.layers.", ".self_attn.qkv.weight"] : tensor<80x36xf32>
  sesame.yield %0 : tensor<80x36xf32>
}
sesame.weight @out count = 2 : tensor<36x48xf32> {
  %0 = sesame.checkpoint_tensor ["model.layers.", ".self_attn.o_proj.weight"] : tensor<36x48xf32>
  sesame.yield %0 : tensor<36x48xf32>
}
sesame.weight @norm_2 count = 2 : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["model.layers.", ".post_attention_layernorm.weight"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
sesame.weight @gate count = 2 : tensor<44x36xf32> {
  %0 = sesame.checkpoint_tensor ["model.layers.", ".mlp.gate_proj.weight"] : tensor<44x36xf32>
  sesame.yield %0 : tensor<44x36xf32>
}
sesame.weight @up count = 2 : tensor<44x36xf32> {
  %0 = sesame.checkpoint_tensor ["model.layers.", ".mlp.up_proj.weight"] : tensor<44x36xf32>
  sesame.yield %0 : tensor<44x36xf32>
}
sesame.weight @down count = 2 : tensor<36x44xf32> {
  %0 = sesame.checkpoint_tensor ["model.layers.", ".mlp.down_proj.weight"] : tensor<36x44xf32>
  sesame.yield %0 : tensor<36x44xf32>
}

func.func private @layer(%l: index, %x: tensor<?x?x36xf32>, %mask: tensor<?x?xi64>, %positions: tensor<?x?xi64>, %frequencies: tensor<4xf32>, %past: index,
                         %kc: tensor<2x?x2x?x8xf32>, %vc: tensor<2x?x2x?x8xf32>) -> (tensor<?x?x36xf32>, tensor<2x?x2x?x8xf32>, tensor<2x?x2x?x8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %x, %c0 : tensor<?x?x36xf32>
  %s = tensor.dim %x, %c1 : tensor<?x?x36xf32>
  %t = arith.addi %past, %s : index
  %w1 = sesame.get_weight @norm_1[%l] : tensor<36xf32>
  %n1 = sesame.rms_norm %x weight(%w1 : tensor<36xf32>) epsilon = 1.0e-6 : tensor<?x?x36xf32>
  %wa = sesame.get_weight @qkv[%l] : tensor<80x36xf32>
  %qkv = sesame.linear %n1, %wa : tensor<?x?x36xf32>, tensor<80x36xf32> -> tensor<?x?x80xf32>
  %q0 = tensor.extract_slice %qkv[0, 0, 0] [%b, %s, 48] [1, 1, 1] : tensor<?x?x80xf32> to tensor<?x?x48xf32>
  %q1 = tensor.expand_shape %q0 [[0], [1], [2, 3]] output_shape [%b, %s, 6, 8] : tensor<?x?x48xf32> into tensor<?x?x6x8xf32>
  %q2 = tensor.empty(%b, %s) : tensor<?x6x?x8xf32>
  %q = linalg.transpose ins(%q1 : tensor<?x?x6x8xf32>) outs(%q2 : tensor<?x6x?x8xf32>) permutation = [0, 2, 1, 3]
  %k0 = tensor.extract_slice %qkv[0, 0, 48] [%b, %s, 16] [1, 1, 1] : tensor<?x?x80xf32> to tensor<?x?x16xf32>
  %k1 = tensor.expand_shape %k0 [[0], [1], [2, 3]] output_shape [%b, %s, 2, 8] : tensor<?x?x16xf32> into tensor<?x?x2x8xf32>
  %k2 = tensor.empty(%b, %s) : tensor<?x2x?x8xf32>
  %k = linalg.transpose ins(%k1 : tensor<?x?x2x8xf32>) outs(%k2 : tensor<?x2x?x8xf32>) permutation = [0, 2, 1, 3]
  %v0 = tensor.extract_slice %qkv[0, 0, 64] [%b, %s, 16] [1, 1, 1] : tensor<?x?x80xf32> to tensor<?x?x16xf32>
  %v1 = tensor.expand_shape %v0 [[0], [1], [2, 3]] output_shape [%b, %s, 2, 8] : tensor<?x?x16xf32> into tensor<?x?x2x8xf32>
  %v2 = tensor.empty(%b, %s) : tensor<?x2x?x8xf32>
  %v = linalg.transpose ins(%v1 : tensor<?x?x2x8xf32>) outs(%v2 : tensor<?x2x?x8xf32>) permutation = [0, 2, 1, 3]
  %qr = sesame.rotary %q, %positions, %frequencies : tensor<?x6x?x8xf32>, tensor<?x?xi64>, tensor<4xf32>
  %kr = sesame.rotary %k, %positions, %frequencies : tensor<?x2x?x8xf32>, tensor<?x?xi64>, tensor<4xf32>
  %kc1 = sesame.cache_append %kr into %kc[%l] at %past : tensor<?x2x?x8xf32> into tensor<2x?x2x?x8xf32>
  %vc1 = sesame.cache_append %v into %vc[%l] at %past : tensor<?x2x?x8xf32> into tensor<2x?x2x?x8xf32>
  %ka = tensor.extract_slice %kc1[%l, 0, 0, 0, 0] [1, %b, 2, %t, 8] [1, 1, 1, 1, 1] : tensor<2x?x2x?x8xf32> to tensor<?x2x?x8xf32>
  %va = tensor.extract_slice %vc1[%l, 0, 0, 0, 0] [1, %b, 2, %t, 8] [1, 1, 1, 1, 1] : tensor<2x?x2x?x8xf32> to tensor<?x2x?x8xf32>
  %o = sesame.attention %qr, %ka, %va mask(%mask : tensor<?x?xi64>) causal scale = 0.3535534 : tensor<?x6x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32> -> tensor<?x6x?x8xf32>
  %o0 = tensor.empty(%b, %s) : tensor<?x?x6x8xf32>
  %o1 = linalg.transpose ins(%o : tensor<?x6x?x8xf32>) outs(%o0 : tensor<?x?x6x8xf32>) permutation = [0, 2, 1, 3]
  %o2 = tensor.collapse_shape %o1 [[0], [1], [2, 3]] : tensor<?x?x6x8xf32> into tensor<?x?x48xf32>
  %wo = sesame.get_weight @out[%l] : tensor<36x48xf32>
  %x1 = sesame.linear %o2, %wo residual(%x : tensor<?x?x36xf32>) : tensor<?x?x48xf32>, tensor<36x48xf32> -> tensor<?x?x36xf32>
  %w2 = sesame.get_weight @norm_2[%l] : tensor<36xf32>
  %n2 = sesame.rms_norm %x1 weight(%w2 : tensor<36xf32>) epsilon = 1.0e-6 : tensor<?x?x36xf32>
  %wg = sesame.get_weight @gate[%l] : tensor<44x36xf32>
  %wu = sesame.get_weight @up[%l] : tensor<44x36xf32>
  %m = sesame.gated_linear %n2, %wg, %wu activation = silu : tensor<?x?x36xf32>, tensor<44x36xf32> -> tensor<?x?x44xf32>
  %wd = sesame.get_weight @down[%l] : tensor<36x44xf32>
  %x2 = sesame.linear %m, %wd residual(%x1 : tensor<?x?x36xf32>) : tensor<?x?x44xf32>, tensor<36x44xf32> -> tensor<?x?x36xf32>
  return %x2, %kc1, %vc1 : tensor<?x?x36xf32>, tensor<2x?x2x?x8xf32>, tensor<2x?x2x?x8xf32>
}

func.func @decode(%ids: tensor<?x?xi64> {sesame.name = "input_ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 97>},
                  %mask: tensor<?x?xi64> {sesame.name = "attention_mask", sesame.dims = ["B", "T"], sesame.default = "ones"},
                  %positions: tensor<?x?xi64> {sesame.name = "position_ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 40>},
                  %kc: tensor<2x?x2x?x8xf32> {sesame.name = "key_cache", sesame.dims = ["2", "B", "2", "C", "8"], sesame.state},
                  %vc: tensor<2x?x2x?x8xf32> {sesame.name = "value_cache", sesame.dims = ["2", "B", "2", "C", "8"], sesame.state})
    -> (tensor<?x?x36xf32> {sesame.name = "last_hidden_state", sesame.dims = ["B", "S", "36"]},
        tensor<2x?x2x?x8xf32> {sesame.name = "key_cache", sesame.dims = ["2", "B", "2", "C", "8"], sesame.state},
        tensor<2x?x2x?x8xf32> {sesame.name = "value_cache", sesame.dims = ["2", "B", "2", "C", "8"], sesame.state})
    attributes {sesame.limits = {S = "T", T = "C", C = 40}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %we = sesame.get_weight @embed : tensor<97x36xf32>
  %f = sesame.get_weight @frequencies : tensor<4xf32>
  %x0 = sesame.embedding %ids in %we : tensor<?x?xi64> in tensor<97x36xf32> -> tensor<?x?x36xf32>
  %s = tensor.dim %ids, %c1 : tensor<?x?xi64>
  %t = tensor.dim %mask, %c1 : tensor<?x?xi64>
  %past = arith.subi %t, %s : index
  %h:3 = scf.for %l = %c0 to %c2 step %c1 iter_args(%x = %x0, %ki = %kc, %vi = %vc) -> (tensor<?x?x36xf32>, tensor<2x?x2x?x8xf32>, tensor<2x?x2x?x8xf32>) {
    %y:3 = func.call @layer(%l, %x, %mask, %positions, %f, %past, %ki, %vi)
         : (index, tensor<?x?x36xf32>, tensor<?x?xi64>, tensor<?x?xi64>, tensor<4xf32>, index, tensor<2x?x2x?x8xf32>, tensor<2x?x2x?x8xf32>) -> (tensor<?x?x36xf32>, tensor<2x?x2x?x8xf32>, tensor<2x?x2x?x8xf32>)
    scf.yield %y#0, %y#1, %y#2 : tensor<?x?x36xf32>, tensor<2x?x2x?x8xf32>, tensor<2x?x2x?x8xf32>
  }
  return %h#0, %h#1, %h#2 : tensor<?x?x36xf32>, tensor<2x?x2x?x8xf32>, tensor<2x?x2x?x8xf32>
}
