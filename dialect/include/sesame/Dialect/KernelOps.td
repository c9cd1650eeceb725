//===- KernelOps.td - Destination-style tiles that the tile passes make ----*- tablegen -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_KERNEL_OPS_TD
#define SESAME_KERNEL_OPS_TD

include "sesame/Dialect/SesameBase.td"

/// One tile of work for one core: operands are tensor slices before bufferization and strided memrefs (unit stride along the last axis)
/// after it. `results` is empty on memrefs and has the type of the destination on tensors.
class Sesame_KernelOp<string mnemonic, list<Trait> traits = []>
    : Sesame_Op<mnemonic, !listconcat([DestinationStyleOpInterface, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>], traits)> {
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let extraClassDeclaration = [{
    MutableOperandRange getDpsInitsMutable() { return getOutMutable(); }
  }];
}

def Sesame_MatmulTileOp : Sesame_KernelOp<"matmul_tile"> {
  let summary = "Rows times one register-tile panel, with epilogue";
  let description = [{
    `out[m, n] = combine(activation(sum_k lhs[m, k] * panel[k, n] + bias[n]), out[m, n])` for n < N, where `combine` replaces, adds or
    multiplies. The sum over k runs in increasing order for each element, whatever M is, so a row's bits do not depend on its neighbours.

    Shapes: lhs [M, K], panel [K, R], bias [N], out [M, N].

    Constraints: (C1) to (C3) of every kernel: (C1) All operands are tensors, or all are memrefs; (C2) memrefs have unit stride along
    the last axis; (C3) on tensors there is one result, of out's type, on memrefs none. (C4) Extents agree as written. (C5) R is
    static and N <= R; M, N and K may be dynamic. (C6) Operands are of floats; lhs, bias and out have one element type.

    ```mlir
    func.func @tile(%a: tensor<?x768xf32>, %p: tensor<768x32xf32>, %b: tensor<?xf32>, %c: tensor<?x?xf32>) -> tensor<?x?xf32> {
      %r = sesame.matmul_tile lhs(%a : tensor<?x768xf32>) panel(%p : tensor<768x32xf32>) bias(%b : tensor<?xf32>)
        activation = gelu combine = replace out(%c : tensor<?x?xf32>) -> tensor<?x?xf32>
      return %r : tensor<?x?xf32>
    }
    ```
  }];
  let arguments = (ins Sesame_Buffer:$lhs, Sesame_Buffer:$panel, Optional<Sesame_Buffer>:$bias, Sesame_Buffer:$out,
                       DefaultValuedAttr<Sesame_ActivationAttr, "::mlir::sesame::Activation::identity">:$activation,
                       DefaultValuedAttr<Sesame_CombineAttr, "::mlir::sesame::Combine::replace">:$combine);
  let assemblyFormat = [{
    `lhs` `(` $lhs `:` type($lhs) `)` `panel` `(` $panel `:` type($panel) `)` (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`activation` `=` custom<Keyword>($activation)^)? (`combine` `=` custom<Keyword>($combine)^)? `out` `(` $out `:` type($out) `)` attr-dict (`->` type($results)^)?
  }];
  let hasVerifier = 1;
}

def Sesame_AttentionTileOp : Sesame_KernelOp<"attention_tile", [AttrSizedOperandSegments]> {
  let summary = "Attention of some query rows of one head, by online softmax";
  let description = [{
    `sesame.attention` for one batch row and one query head: rows `query` [S, D] against all keys. Query row s stands at position
    `first + s`: with `causal` it sees keys t <= first + s, with `window` in addition t > first + s - window. Keys whose
    `mask` is 0 are not seen. Scores live in a tile only: running max, running sum and accumulator are kept per row, keys are visited in blocks in
    increasing order. With `bf16` the factors of both products (scaled queries, keys, weights before their division by the sum, values) are rounded to bf16,
    to nearest even; all sums are of f32.

    With `heads` the S rows are one query each of as many heads that share keys and values (Ainslie et al. 2023), all at position `first`.

    Shapes: query [S, D], key [T, D], value [T, E], mask [T] or [S, T] of integers, bias [S or 1, T], out [S, E].

    Constraints: (C1) to (C3) as `sesame.matmul_tile`. (C4) Extents agree as written. (C5) D and E are static. (C6) mask is of integers, all
    others have one float element type; but with `bf16` key and value may be of bf16. (C7) `window` is positive and needs `causal`. (C8) `softcap` is positive. (C9) With `heads` S is static and
    a mask is [T].

    Source: Milakov, Gimelshein 2018 (online softmax); Dao et al. 2022 (tiles).

    ```mlir
    func.func @tile(%q: tensor<?x64xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>, %m: tensor<?xi64>, %o: tensor<?x64xf32>, %s: index) -> tensor<?x64xf32> {
      %r = sesame.attention_tile query(%q : tensor<?x64xf32>) key(%k : tensor<?x64xf32>) value(%v : tensor<?x64xf32>)
        mask(%m : tensor<?xi64>) first(%s) causal scale = 0.125 out(%o : tensor<?x64xf32>) -> tensor<?x64xf32>
      return %r : tensor<?x64xf32>
    }
    ```
  }];
  let arguments = (ins Sesame_Buffer:$query, Sesame_Buffer:$key, Sesame_Buffer:$value, Optional<Sesame_Buffer>:$mask,
                       Optional<Sesame_Buffer>:$bias, Index:$first, Sesame_Buffer:$out,
                       UnitAttr:$causal, OptionalAttr<I64Attr>:$window, F32Attr:$scale, OptionalAttr<F32Attr>:$softcap, UnitAttr:$bf16, UnitAttr:$heads);
  let assemblyFormat = [{
    (`heads` $heads^)? `query` `(` $query `:` type($query) `)` `key` `(` $key `:` type($key) `)` `value` `(` $value `:` type($value) `)`
    (`mask` `(` $mask^ `:` type($mask) `)`)? (`bias` `(` $bias^ `:` type($bias) `)`)? `first` `(` $first `)`
    (`causal` $causal^)? (`window` `=` $window^)? `scale` `=` $scale (`softcap` `=` $softcap^)?
    (`bf16` $bf16^)? `out` `(` $out `:` type($out) `)` attr-dict (`->` type($results)^)?
  }];
  let hasVerifier = 1;
}

def Sesame_NormTileOp : Sesame_KernelOp<"norm_tile", [AttrSizedOperandSegments]> {
  let summary = "Normalises rows";
  let description = [{
    `sesame.layer_norm` or `sesame.rms_norm` (by `kind`) of the rows of `input`. Each row is summed in one fixed order.

    Shapes: input [M, C], weight and bias [C], out [M, C].

    Constraints: (C1) to (C3) as `sesame.matmul_tile`. (C4) Extents agree as written. (C5) C is static. (C6) Operands are of floats; input and out
    have one element type. (C7) epsilon is not negative. (C8) `offset` needs rms, a bias needs layer.

    ```mlir
    func.func @tile(%x: tensor<?x36xf32>, %w: tensor<36xf32>, %o: tensor<?x36xf32>) -> tensor<?x36xf32> {
      %r = sesame.norm_tile rms input(%x : tensor<?x36xf32>) weight(%w : tensor<36xf32>) epsilon = 1.0e-6
        out(%o : tensor<?x36xf32>) -> tensor<?x36xf32>
      return %r : tensor<?x36xf32>
    }
    ```
  }];
  let arguments = (ins Sesame_NormKindAttr:$kind, Sesame_Buffer:$input, Optional<Sesame_Buffer>:$weight, Optional<Sesame_Buffer>:$bias,
                       Sesame_Buffer:$out, F32Attr:$epsilon, DefaultValuedAttr<F32Attr, "0.0f">:$offset);
  let assemblyFormat = [{
    custom<Keyword>($kind) `input` `(` $input `:` type($input) `)` (`weight` `(` $weight^ `:` type($weight) `)`)? (`bias` `(` $bias^ `:` type($bias) `)`)?
    `epsilon` `=` $epsilon (`offset` `=` $offset^)? `out` `(` $out `:` type($out) `)` attr-dict (`->` type($results)^)?
  }];
  let hasVerifier = 1;
}

def Sesame_EmbeddingTileOp : Sesame_KernelOp<"embedding_tile", [AttrSizedOperandSegments]> {
  let summary = "Sums rows picked from tables";
  let description = [{
    `out[m, c] = sum_i tables[i][indices[i][m], c]`, the sum in operand order.

    Shapes: indices[i] [M] of integers, tables[i] [Vi, C], out [M, C].

    Constraints: (C1) to (C3) as `sesame.matmul_tile`. (C4) Extents agree as written. (C5) C is static. (C6) Indices are integers; tables and out have
    one float element type. (C7) There are as many tables as indices, and at least one.

    ```mlir
    func.func @tile(%i: tensor<?xi64>, %t: tensor<97x36xf32>, %o: tensor<?x36xf32>) -> tensor<?x36xf32> {
      %r = sesame.embedding_tile indices(%i : tensor<?xi64>) tables(%t : tensor<97x36xf32>) out(%o : tensor<?x36xf32>) -> tensor<?x36xf32>
      return %r : tensor<?x36xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<Sesame_Buffer>:$indices, Variadic<Sesame_Buffer>:$tables, Sesame_Buffer:$out);
  let assemblyFormat = [{
    `indices` `(` $indices `:` type($indices) `)` `tables` `(` $tables `:` type($tables) `)` `out` `(` $out `:` type($out) `)` attr-dict
    (`->` type($results)^)?
  }];
  let hasVerifier = 1;
}

#endif // SESAME_KERNEL_OPS_TD
