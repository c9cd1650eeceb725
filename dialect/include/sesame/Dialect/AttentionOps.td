//===- AttentionOps.td - Attention, rotary positions, key/value cache ----*- tablegen -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_ATTENTION_OPS_TD
#define SESAME_ATTENTION_OPS_TD

include "sesame/Dialect/SesameBase.td"

def Sesame_AttentionOp : Sesame_TensorOp<"attention", [
    AttrSizedOperandSegments, AllElementTypesMatch<["query", "key", "value", "result"]>]> {
  let summary = "Scaled dot-product attention, with grouped key/value heads";
  let description = [{
    `result = softmax(query * transpose(key) * scale + bias) * value`, the softmax over T. Query head `h`
    reads key/value head `h / (H / G)`. With `causal`, query `s` sees keys `t <= s + (T - S)`; with `window = W` in addition
    only keys `t > s + (T - S) - W`. With `softcap = c` the scaled scores become `c * tanh(scores / c)` before the bias.
    `mask` marks with non-zero the keys that may be seen; `bias` is added to the scores.

    Shapes, row-major: query [B, H, S, D], key [B, G, T, D], value [B, G, T, E], mask [B or 1, T] or [B or 1, S, T],
    bias [B or 1, H or 1, S or 1, T], result [B, H, S, E].

    Constraints: (C1) H is a multiple of G. (C2) Extents agree as written. (C3) All element types are equal; mask is of
    integers. (C4) `window` is positive and needs `causal`. (C5) `softcap` is positive.
    Numerics: f16 and bf16 are summed in f32. A query that may see no key yields 0, not NaN; an empty T yields 0.

    Source: Vaswani et al. 2017, eq. 1; grouped heads: Ainslie et al. 2023; window: Beltagy et al. 2020, Jiang et al. 2023; softcap:
    Gemma 2. Compare torch `scaled_dot_product_attention`, whose causal mask is aligned to the first key instead.

    ```mlir
    func.func @decode(%q: tensor<1x8x1x64xf32>, %kv: tensor<1x2x9x64xf32>, %m: tensor<1x9xi64>) -> tensor<1x8x1x64xf32> {
      %o = sesame.attention %q, %kv, %kv mask(%m : tensor<1x9xi64>) causal scale = 0.125
         : tensor<1x8x1x64xf32>, tensor<1x2x9x64xf32>, tensor<1x2x9x64xf32> -> tensor<1x8x1x64xf32>
      return %o : tensor<1x8x1x64xf32>
    }
    ```
  }];
  let arguments = (ins Sesame_TensorOfRank<[4]>:$query, Sesame_TensorOfRank<[4]>:$key,
                       Sesame_TensorOfRank<[4]>:$value, Optional<Sesame_IntTensorOfRank<[2, 3]>>:$mask,
                       Optional<Sesame_TensorOfRank<[4]>>:$bias,
                       UnitAttr:$causal, OptionalAttr<I64Attr>:$window, F32Attr:$scale, OptionalAttr<F32Attr>:$softcap);
  let results = (outs Sesame_TensorOfRank<[4]>:$result);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`mask` `(` $mask^ `:` type($mask) `)`)? (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`causal` $causal^)? (`window` `=` $window^)? `scale` `=` $scale (`softcap` `=` $softcap^)? attr-dict
    `:` type($query) `,` type($key) `,` type($value) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Sesame_RotaryOp : Sesame_TensorOp<"rotary", [AllTypesMatch<["input", "result"]>]> {
  let summary = "Rotary position embedding";
  let description = [{
    Rotates pairs of the first R = 2 * extent(frequencies) of the D features of every head by the angle
    `positions[b, s] * frequencies[i]`: `(x, y) -> (x cos a - y sin a, x sin a + y cos a) * scale`. Pair i is (i, i + R/2), or with
    `interleaved` (2i, 2i + 1). Features from R on pass through.

    Shapes: input [B, H, S, D], positions [B or 1, S], frequencies [R/2], result as input.

    Constraints: (C1) R <= D. (C2) Extents agree as written. (C3) frequencies are f32.
    Numerics: angles, sine, cosine and the rotation are computed in f32. `scale` leaves the features from R on alone.

    Source: Su et al. 2021 (RoFormer), eq. 34; interleaved pairs: GPT-J; halves: GPT-NeoX, Llama.

    ```mlir
    func.func @rotate(%q: tensor<2x4x7x12xf32>, %p: tensor<1x7xi64>, %f: tensor<6xf32>) -> tensor<2x4x7x12xf32> {
      %r = sesame.rotary %q, %p, %f : tensor<2x4x7x12xf32>, tensor<1x7xi64>, tensor<6xf32>
      return %r : tensor<2x4x7x12xf32>
    }
    ```
  }];
  let arguments = (ins Sesame_TensorOfRank<[4]>:$input, Sesame_IntTensorOfRank<[2]>:$positions,
                       TensorRankOf<[F32], [1]>:$frequencies, UnitAttr:$interleaved,
                       DefaultValuedAttr<F32Attr, "1.0f">:$scale);
  let results = (outs Sesame_TensorOfRank<[4]>:$result);
  let assemblyFormat = [{
    $input `,` $positions `,` $frequencies (`interleaved` $interleaved^)? (`scale` `=` $scale^)? attr-dict
    `:` type($input) `,` type($positions) `,` type($frequencies)
  }];
  let hasVerifier = 1;
}

def Sesame_CacheAppendOp : Sesame_Op<"cache_append", [Pure, DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>, AllTypesMatch<["cache", "result"]>,
    AllElementTypesMatch<["cache", "source"]>]> {
  let summary = "Writes new keys or values into a layer's part of the cache";
  let description = [{
    The result is `cache` with `result[layer, b, g, position + s, d] = source[b, g, s, d]`. After bufferization the write is in place.

    Shapes: cache [L, B, G, C, D], source [B, G, S, D]. The caller keeps `layer < L` and `position + S <= C`: both are
    checked by the runtime against the declared limits before an entry runs.

    Constraints: (C1) Extents agree as written, S <= C. (C2) Element types are equal.

    ```mlir
    func.func @append(%cache: tensor<12x?x12x?x64xf32>, %layer: index, %k: tensor<?x12x?x64xf32>, %past: index) -> tensor<12x?x12x?x64xf32> {
      %0 = sesame.cache_append %k into %cache[%layer] at %past : tensor<?x12x?x64xf32> into tensor<12x?x12x?x64xf32>
      return %0 : tensor<12x?x12x?x64xf32>
    }
    ```
  }];
  let arguments = (ins Sesame_TensorOfRank<[4]>:$source, Sesame_TensorOfRank<[5]>:$cache, Index:$layer, Index:$position);
  let results = (outs Sesame_TensorOfRank<[5]>:$result);
  let assemblyFormat = [{
    $source `into` $cache `[` $layer `]` `at` $position attr-dict `:` type($source) `into` type($cache)
  }];
  let extraClassDeclaration = [{
    MutableOperandRange getDpsInitsMutable() { return getCacheMutable(); }
  }];
  let hasVerifier = 1;
}

#endif // SESAME_ATTENTION_OPS_TD
