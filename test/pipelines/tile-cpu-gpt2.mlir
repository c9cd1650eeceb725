// RUN: sesame-opt %s --sesame-tile-cpu | FileCheck %s --check-prefix=TILE
// RUN: sesame-opt %s --sesame-tile-cpu --sesame-bufferize | FileCheck %s --check-prefix=BUFFER
// RUN: sesame-numeric-test %s

// A GPT-2 of two layers, as the importer and sesame-optimize leave it: merged query-key-value product, one layer function, one loop over the
// layers, a prefill/decode entry with its cache.
// The weights are packed and placed; the embedding reads the tied table's panels. No op of the model is left, nor any transpose or linalg loop.
// TILE-NOT:  sesame.weight @wte offset
// TILE:      sesame.weight @wte.panels offset = 0 stride = {{[0-9]+}} : tensor<4x36x32xf32>
// TILE-NOT:  func.func private
// TILE:      func.func @decode
// TILE:      sesame.panel_embedding_tile
// TILE-NOT:  linalg.
// TILE-NOT:  sesame.{{linear|attention |layer_norm|embedding |cache_append}}
// TILE:      scf.for {{.*}} -> (tensor<?x36xf32>, tensor<2x?x3x?x12xf32>, tensor<2x?x3x?x12xf32>)
// TILE-NOT:  linalg.

// The hidden state and the caches stay in place: nothing is copied but the new keys and values, a head at a time, into their rows of the cache.
// BUFFER-LABEL: func.func @decode
// BUFFER-NOT:     memref.alloc
// BUFFER-NOT:     memref.copy
// BUFFER:         scf.for {{.*}} {
// BUFFER:           memref.copy {{.*}} : memref<?x12xf32, strided<[108, 1], offset: ?>> to memref<?x12xf32, strided<[12, 1], offset: ?>>
// BUFFER:           memref.copy {{.*}} : memref<?x12xf32, strided<[108, 1], offset: ?>> to memref<?x12xf32, strided<[12, 1], offset: ?>>
// BUFFER-NOT:     memref.copy
// BUFFER-NOT:     memref.alloc

sesame.weight @wte : tensor<97x36xf32> {
  %0 = sesame.checkpoint_tensor ["transformer.wte.weight"] : tensor<97x36xf32>
  sesame.yield %0 : tensor<97x36xf32>
}
sesame.weight @wpe : tensor<40x36xf32> {
  %0 = sesame.checkpoint_tensor ["transformer.wpe.weight"] : tensor<40x36xf32>
  sesame.yield %0 : tensor<40x36xf32>
}
sesame.weight @ln_1.weight count = 2 : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["transformer.h.", ".ln_1.weight"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
sesame.weight @ln_1.bias count = 2 : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["transformer.h.", ".ln_1.bias"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
sesame.weight @c_attn.weight count = 2 : tensor<36x108xf32> {
  %0 = sesame.checkpoint_tensor ["transformer.h.", ".attn.c_attn.weight"] : tensor<36x108xf32>
  sesame.yield %0 : tensor<36x108xf32>
}
sesame.weight @c_attn.bias count = 2 : tensor<108xf32> {
  %0 = sesame.checkpoint_tensor ["transformer.h.", ".attn.c_attn.bias"] : tensor<108xf32>
  sesame.yield %0 : tensor<108xf32>
}
sesame.weight @attn.c_proj.weight count = 2 : tensor<36x36xf32> {
  %0 = sesame.checkpoint_tensor ["transformer.h.", ".attn.c_proj.weight"] : tensor<36x36xf32>
  sesame.yield %0 : tensor<36x36xf32>
}
sesame.weight @attn.c_proj.bias count = 2 : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["transformer.h.", ".attn.c_proj.bias"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
sesame.weight @ln_2.weight count = 2 : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["transformer.h.", ".ln_2.weight"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
sesame.weight @ln_2.bias count = 2 : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["transformer.h.", ".ln_2.bias"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
sesame.weight @c_fc.weight count = 2 : tensor<36x144xf32> {
  %0 = sesame.checkpoint_tensor ["transformer.h.", ".mlp.c_fc.weight"] : tensor<36x144xf32>
  sesame.yield %0 : tensor<36x144xf32>
}
sesame.weight @c_fc.bias count = 2 : tensor<144xf32> {
  %0 = sesame.checkpoint_tensor ["transformer.h.", ".mlp.c_fc.bias"] : tensor<144xf32>
  sesame.yield %0 : tensor<144xf32>
}
sesame.weight @mlp.c_proj.weight count = 2 : tensor<144x36xf32> {
  %0 = sesame.checkpoint_tensor ["transformer.h.", ".mlp.c_proj.weight"] : tensor<144x36xf32>
  sesame.yield %0 : tensor<144x36xf32>
}
sesame.weight @mlp.c_proj.bias count = 2 : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["transformer.h.", ".mlp.c_proj.bias"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
sesame.weight @ln_f.weight : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["transformer.ln_f.weight"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
sesame.weight @ln_f.bias : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["transformer.ln_f.bias"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}

// One layer over a cache: H = 3 heads of D = 12.
func.func private @block(%l: index, %x: tensor<?x?x36xf32>, %mask: tensor<?x?xi64>, %past: index,
                         %kc: tensor<2x?x3x?x12xf32>, %vc: tensor<2x?x3x?x12xf32>)
    -> (tensor<?x?x36xf32>, tensor<2x?x3x?x12xf32>, tensor<2x?x3x?x12xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %x, %c0 : tensor<?x?x36xf32>
  %s = tensor.dim %x, %c1 : tensor<?x?x36xf32>
  %t = arith.addi %past, %s : index
  %w1 = sesame.get_weight @ln_1.weight[%l] : tensor<36xf32>
  %b1 = sesame.get_weight @ln_1.bias[%l] : tensor<36xf32>
  %n1 = sesame.layer_norm %x weight(%w1 : tensor<36xf32>) bias(%b1 : tensor<36xf32>) epsilon = 1.0e-5 : tensor<?x?x36xf32>
  %wa = sesame.get_weight @c_attn.weight[%l] : tensor<36x108xf32>
  %ba = sesame.get_weight @c_attn.bias[%l] : tensor<108xf32>
  %qkv = sesame.linear %n1, %wa bias(%ba : tensor<108xf32>) layout = kn : tensor<?x?x36xf32>, tensor<36x108xf32> -> tensor<?x?x108xf32>
  %q0 = tensor.extract_slice %qkv[0, 0, 0] [%b, %s, 36] [1, 1, 1] : tensor<?x?x108xf32> to tensor<?x?x36xf32>
  %k0 = tensor.extract_slice %qkv[0, 0, 36] [%b, %s, 36] [1, 1, 1] : tensor<?x?x108xf32> to tensor<?x?x36xf32>
  %v0 = tensor.extract_slice %qkv[0, 0, 72] [%b, %s, 36] [1, 1, 1] : tensor<?x?x108xf32> to tensor<?x?x36xf32>
  %q1 = tensor.expand_shape %q0 [[0], [1], [2, 3]] output_shape [%b, %s, 3, 12] : tensor<?x?x36xf32> into tensor<?x?x3x12xf32>
  %k1 = tensor.expand_shape %k0 [[0], [1], [2, 3]] output_shape [%b, %s, 3, 12] : tensor<?x?x36xf32> into tensor<?x?x3x12xf32>
  %v1 = tensor.expand_shape %v0 [[0], [1], [2, 3]] output_shape [%b, %s, 3, 12] : tensor<?x?x36xf32> into tensor<?x?x3x12xf32>
  %e = tensor.empty(%b, %s) : tensor<?x3x?x12xf32>
  %q = linalg.transpose ins(%q1 : tensor<?x?x3x12xf32>) outs(%e : tensor<?x3x?x12xf32>) permutation = [0, 2, 1, 3]
  %k = linalg.transpose ins(%k1 : tensor<?x?x3x12xf32>) outs(%e : tensor<?x3x?x12xf32>) permutation = [0, 2, 1, 3]
  %v = linalg.transpose ins(%v1 : tensor<?x?x3x12xf32>) outs(%e : tensor<?x3x?x12xf32>) permutation = [0, 2, 1, 3]
  %kc1 = sesame.cache_append %k into %kc[%l] at %past : tensor<?x3x?x12xf32> into tensor<2x?x3x?x12xf32>
  %vc1 = sesame.cache_append %v into %vc[%l] at %past : tensor<?x3x?x12xf32> into tensor<2x?x3x?x12xf32>
  %ka = tensor.extract_slice %kc1[%l, 0, 0, 0, 0] [1, %b, 3, %t, 12] [1, 1, 1, 1, 1] : tensor<2x?x3x?x12xf32> to tensor<?x3x?x12xf32>
  %va = tensor.extract_slice %vc1[%l, 0, 0, 0, 0] [1, %b, 3, %t, 12] [1, 1, 1, 1, 1] : tensor<2x?x3x?x12xf32> to tensor<?x3x?x12xf32>
  %o = sesame.attention %q, %ka, %va mask(%mask : tensor<?x?xi64>) causal scale = 0.2886751
     : tensor<?x3x?x12xf32>, tensor<?x3x?x12xf32>, tensor<?x3x?x12xf32> -> tensor<?x3x?x12xf32>
  %f = tensor.empty(%b, %s) : tensor<?x?x3x12xf32>
  %o1 = linalg.transpose ins(%o : tensor<?x3x?x12xf32>) outs(%f : tensor<?x?x3x12xf32>) permutation = [0, 2, 1, 3]
  %o2 = tensor.collapse_shape %o1 [[0], [1], [2, 3]] : tensor<?x?x3x12xf32> into tensor<?x?x36xf32>
  %wp = sesame.get_weight @attn.c_proj.weight[%l] : tensor<36x36xf32>
  %bp = sesame.get_weight @attn.c_proj.bias[%l] : tensor<36xf32>
  %x1 = sesame.linear %o2, %wp bias(%bp : tensor<36xf32>) residual(%x : tensor<?x?x36xf32>) layout = kn
     : tensor<?x?x36xf32>, tensor<36x36xf32> -> tensor<?x?x36xf32>
  %w2 = sesame.get_weight @ln_2.weight[%l] : tensor<36xf32>
  %b2 = sesame.get_weight @ln_2.bias[%l] : tensor<36xf32>
  %n2 = sesame.layer_norm %x1 weight(%w2 : tensor<36xf32>) bias(%b2 : tensor<36xf32>) epsilon = 1.0e-5 : tensor<?x?x36xf32>
  %wf = sesame.get_weight @c_fc.weight[%l] : tensor<36x144xf32>
  %bf = sesame.get_weight @c_fc.bias[%l] : tensor<144xf32>
  %m = sesame.linear %n2, %wf bias(%bf : tensor<144xf32>) layout = kn activation = gelu_tanh
     : tensor<?x?x36xf32>, tensor<36x144xf32> -> tensor<?x?x144xf32>
  %wm = sesame.get_weight @mlp.c_proj.weight[%l] : tensor<144x36xf32>
  %bm = sesame.get_weight @mlp.c_proj.bias[%l] : tensor<36xf32>
  %x2 = sesame.linear %m, %wm bias(%bm : tensor<36xf32>) residual(%x1 : tensor<?x?x36xf32>) layout = kn
     : tensor<?x?x144xf32>, tensor<144x36xf32> -> tensor<?x?x36xf32>
  return %x2, %kc1, %vc1 : tensor<?x?x36xf32>, tensor<2x?x3x?x12xf32>, tensor<2x?x3x?x12xf32>
}

func.func @decode(%ids: tensor<?x?xi64> {sesame.name = "input_ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 97>},
                  %mask: tensor<?x?xi64> {sesame.name = "attention_mask", sesame.dims = ["B", "T"], sesame.default = "ones"},
                  %positions: tensor<?x?xi64> {sesame.name = "position_ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 40>},
                  %kc: tensor<2x?x3x?x12xf32> {sesame.name = "key_cache", sesame.dims = ["2", "B", "3", "C", "12"], sesame.state},
                  %vc: tensor<2x?x3x?x12xf32> {sesame.name = "value_cache", sesame.dims = ["2", "B", "3", "C", "12"], sesame.state})
    -> (tensor<?x97xf32> {sesame.name = "logits", sesame.dims = ["B", "97"]},
        tensor<2x?x3x?x12xf32> {sesame.name = "key_cache", sesame.dims = ["2", "B", "3", "C", "12"], sesame.state},
        tensor<2x?x3x?x12xf32> {sesame.name = "value_cache", sesame.dims = ["2", "B", "3", "C", "12"], sesame.state})
    attributes {sesame.limits = {S = "T", T = "C", C = 40}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %wte = sesame.get_weight @wte : tensor<97x36xf32>
  %wpe = sesame.get_weight @wpe : tensor<40x36xf32>
  %x0 = sesame.embedding %ids, %positions in %wte, %wpe
      : tensor<?x?xi64>, tensor<?x?xi64> in tensor<97x36xf32>, tensor<40x36xf32> -> tensor<?x?x36xf32>
  %b = tensor.dim %ids, %c0 : tensor<?x?xi64>
  %s = tensor.dim %ids, %c1 : tensor<?x?xi64>
  %t = tensor.dim %mask, %c1 : tensor<?x?xi64>
  %past = arith.subi %t, %s : index
  %h:3 = scf.for %l = %c0 to %c2 step %c1 iter_args(%x = %x0, %ki = %kc, %vi = %vc)
      -> (tensor<?x?x36xf32>, tensor<2x?x3x?x12xf32>, tensor<2x?x3x?x12xf32>) {
    %y:3 = func.call @block(%l, %x, %mask, %past, %ki, %vi)
         : (index, tensor<?x?x36xf32>, tensor<?x?xi64>, index, tensor<2x?x3x?x12xf32>, tensor<2x?x3x?x12xf32>)
        -> (tensor<?x?x36xf32>, tensor<2x?x3x?x12xf32>, tensor<2x?x3x?x12xf32>)
    scf.yield %y#0, %y#1, %y#2 : tensor<?x?x36xf32>, tensor<2x?x3x?x12xf32>, tensor<2x?x3x?x12xf32>
  }
  // Only the last position's logits are wanted.
  %last = arith.subi %s, %c1 : index
  %z = tensor.extract_slice %h#0[0, %last, 0] [%b, 1, 36] [1, 1, 1] : tensor<?x?x36xf32> to tensor<?x36xf32>
  %wn = sesame.get_weight @ln_f.weight : tensor<36xf32>
  %bn = sesame.get_weight @ln_f.bias : tensor<36xf32>
  %n = sesame.layer_norm %z weight(%wn : tensor<36xf32>) bias(%bn : tensor<36xf32>) epsilon = 1.0e-5 : tensor<?x36xf32>
  %logits = sesame.linear %n, %wte : tensor<?x36xf32>, tensor<97x36xf32> -> tensor<?x97xf32>
  return %logits, %h#1, %h#2 : tensor<?x97xf32>, tensor<2x?x3x?x12xf32>, tensor<2x?x3x?x12xf32>
}
