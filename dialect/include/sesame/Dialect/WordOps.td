//===- WordOps.td - Linear maps over words of narrow numbers ----*- tablegen -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The dot-product instructions of CPUs multiply *words* of 32 bits that hold neighbours along K: two bf16 (vdpbf16ps) or four int8 (vpdpbusd).
// Both factors of such a product are packed into words, the weight when the model is compiled, the rows of the input when it runs.
//
// Weights of ui4 and ui8 are *grouped*: every 32 numbers along K, of a column and of a row, have a scale of their own. Two groups are a *step* of 64; K is filled up to
// whole steps with numbers whose product is 0.

#ifndef SESAME_WORD_OPS_TD
#define SESAME_WORD_OPS_TD

include "sesame/Dialect/WordElement.td"

def Sesame_WordTensor : TensorRankOf<[I32], [3]>;

def Sesame_PackWordPanelsOp : Sesame_Op<"pack_word_panels", [Pure, HasParent<"WeightOp">]> {
  let summary = "Panels of a weight matrix in words";
  let description = [{
    With v numbers a word, `result[p, j, r]` holds the numbers of W[v j ... v j + v - 1, p * R + r], the first in the lowest bits, and 0 beyond K and N; W is read
    from `source` by `layout` (nk or kn).

    - bf16: v = 2, rounded to nearest even. There are ceil(K / 2) words a column.
    - i8: v = 4. Column n has the scale s = max_k |W[k, n]| / 127 and the codes round(W[k, n] / s), to nearest even, so W is s times the code.
      After its ceil(K / 4) words come the sum of its codes (i32) and the bits of s (f32). A column without a number beyond 1e-30 has scale 0; the scale of a
      column with an infinity or NaN is NaN.
    - ui8 and ui4: v = 4 and 8. Groups of 32 numbers along K have a scale s, of bf16, and codes c of 8 or 4 bits without a sign; W is s (c - z), z = 128 or 8. Two
      groups are a step. A step of a column is 64 / v words of codes and one word that holds the scale of the first group in its lower half, that of the
      second in its upper half. Of the eight codes in a word of ui4 the first four are the lower halves of its bytes, the others the upper halves. With m
      the number of largest magnitude in the group, s is -m / z rounded to bf16, to nearest even, and c = round(W / s) + z, to nearest even, within 0 ... 2 z - 1.
      A group without a number beyond 1e-30 has scale 0; the scale of one with an infinity or NaN is NaN.

    Shapes: source [N, K] or [K, N], result [ceil(N / R), W, R] with W = ceil(K / 2) of bf16, ceil(K / 4) + 2 of i8, 17 ceil(K / 64) of ui8, 9 ceil(K / 64) of ui4.

    Constraints: (C1) layout is nk or kn. (C2) Shapes are static and agree as written. (C3) The words hold bf16, i8, ui8 or ui4; with i8, K is at most 65536, so
    that sums of 32 bits hold every product. (C4) Used in recipes only.

    ```mlir
    sesame.weight @w : tensor<4x11x32xi32> {
      %0 = sesame.checkpoint_tensor ["w"] : tensor<97x36xf32>
      %1 = sesame.pack_word_panels %0 of i8 layout = nk : tensor<97x36xf32> -> tensor<4x11x32xi32>
      sesame.yield %1 : tensor<4x11x32xi32>
    }
    ```
  }];
  let arguments = (ins Sesame_TensorOfRank<[2]>:$source, Sesame_WordElement:$element, Sesame_WeightLayoutAttr:$layout);
  let results = (outs Sesame_WordTensor:$result);
  let assemblyFormat = "$source `of` $element `layout` `=` custom<Keyword>($layout) attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def Sesame_WordLinearOp : Sesame_TensorOp<"word_linear", [AttrSizedOperandSegments]> {
  let summary = "Matrix product with a weight in words, and what usually follows it";
  let description = [{
    `result = combine(activation(product + bias), other)`, over the last axis of `input`, where `combine` adds or multiplies, and with `replace` there is no `other`.

    - bf16: the input is rounded to bf16, to nearest even, and products are summed in f32.
    - i8: each row x of the input gets a scale and a zero point of its own. With l = max(0, max -x) and h = max(0, max x), the scale is
      s = max(l + h, 1e-30) / 255, the zero point z = round(l * (255 / max(l + h, 1e-30))), and the codes q = round(x * (255 / max(l + h, 1e-30)) + z), rounded
      once, within 0 ... 255. The product is `float(sum_k (q[k] - z) * code[k, n]) * (s * scale[n])`, its sum exact. A row with an infinity or NaN yields NaN.
    - ui8 and ui4: each group g of 32 numbers x of a row gets a scale t[g] = max |x| / 127 and codes q = round(x * (127 / max(max |x|, 1e-30))), to nearest even, within
      -127 ... 127. From 0 on, for each group in order, the product becomes `fma(float(sum_k q[k] (c[k, n] - z)), s[g, n] * t[g], product)`, the sum over the group
      exact. A row with an infinity or NaN yields NaN.

    Shapes: input [..., K], panels [ceil(N / R), W, R] as `sesame.pack_word_panels` makes them, bias [N], other [..., N], result [..., N].

    Constraints: (C1) Rank of input is at least 1 and equals the result's and other's. (C2) K and N are static and agree with the panels. (C3) Leading extents of
    input, other and result agree. (C4) Input, bias, other and result are of f32. (C5) The words hold bf16, i8, ui8 or ui4; with i8, K is at most 65536.
    (C6) There is an `other` unless `combine` is replace.

    ```mlir
    func.func @mlp(%x: tensor<?x?x768xf32>, %w: tensor<96x194x32xi32>, %b: tensor<3072xf32>) -> tensor<?x?x3072xf32> {
      %y = sesame.word_linear %x, %w of i8 bias(%b : tensor<3072xf32>) activation = gelu
         : tensor<?x?x768xf32>, tensor<96x194x32xi32> -> tensor<?x?x3072xf32>
      return %y : tensor<?x?x3072xf32>
    }
    ```
  }];
  let arguments = (ins Sesame_FloatTensor:$input, Sesame_WordTensor:$panels, Optional<Sesame_TensorOfRank<[1]>>:$bias,
                       Optional<Sesame_FloatTensor>:$other, Sesame_WordElement:$element,
                       DefaultValuedAttr<Sesame_ActivationAttr, "::mlir::sesame::Activation::identity">:$activation,
                       DefaultValuedAttr<Sesame_CombineAttr, "::mlir::sesame::Combine::replace">:$combine);
  let results = (outs Sesame_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $panels `of` $element (`bias` `(` $bias^ `:` type($bias) `)`)? (`activation` `=` custom<Keyword>($activation)^)?
    (`combine` `=` custom<Keyword>($combine)^)? (`other` `(` $other^ `:` type($other) `)`)? attr-dict `:` type($input) `,` type($panels) `->` type($result)
  }];
  let hasVerifier = 1;
}

/// As Sesame_KernelOp of KernelOps.td.
class Sesame_WordKernelOp<string mnemonic> : Sesame_Op<mnemonic, [DestinationStyleOpInterface, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let extraClassDeclaration = [{
    MutableOperandRange getDpsInitsMutable() { return getOutMutable(); }
  }];
}

def Sesame_PackWordsTileOp : Sesame_WordKernelOp<"pack_words_tile"> {
  let summary = "Rows packed into words";
  let description = [{
    `out[m, j]` holds the numbers of row m's elements v j ... v j + v - 1, the first in the lowest bits, as `sesame.word_linear` rounds them. With i8, after the
    ceil(K / 4) words of codes come the zero point (i32) and the bits of the scale (f32). Numbers beyond K are what 0 becomes.

    With ui8 and ui4, a step of 64 numbers is 20 words: 16 of four codes of i8 each, then for each of the two groups the sum of its codes times -z (i32; where the sum of
    its products starts), then the bits of the two scales (f32).

    Shapes: input [M, K], out [M, W] with W = ceil(K / 2) of bf16, ceil(K / 4) + 2 of i8, 20 ceil(K / 64) of ui8 and ui4.

    Constraints: (C1) to (C3) as `sesame.matmul_tile`. (C4) Extents agree as written. (C5) K is static. (C6) input is of f32 and out of i32; the words hold bf16, i8, ui8 or ui4.

    ```mlir
    func.func @tile(%x: tensor<?x36xf32>, %o: tensor<?x11xi32>) -> tensor<?x11xi32> {
      %r = sesame.pack_words_tile of i8 input(%x : tensor<?x36xf32>) out(%o : tensor<?x11xi32>) -> tensor<?x11xi32>
      return %r : tensor<?x11xi32>
    }
    ```
  }];
  let arguments = (ins Sesame_Buffer:$input, Sesame_Buffer:$out, Sesame_WordElement:$element);
  let assemblyFormat = "`of` $element `input` `(` $input `:` type($input) `)` `out` `(` $out `:` type($out) `)` attr-dict (`->` type($results)^)?";
  let hasVerifier = 1;
}

def Sesame_WordMatmulTileOp : Sesame_WordKernelOp<"word_matmul_tile"> {
  let summary = "Rows of words times one panel of words, with epilogue";
  let description = [{
    `out[m, n] = combine(activation(product + bias[n]), out[m, n])` for n < N, the product as in `sesame.word_linear`, of rows that `sesame.pack_words_tile` packed. The
    sum runs in increasing order for each element, whatever M is. An `out` of i32 takes the results as `sesame.pack_words_tile` of bf16 would pack them.

    Shapes: lhs [M, W], panel [W, R], bias [N], out [M, N] or, of words, [M, N / 2]; with ui8 and ui4 lhs [M, 20 S] and panel [17 S, R] or [9 S, R].

    Constraints: (C1) to (C3) as `sesame.matmul_tile`. (C4) Extents agree as written. (C5) W and R are static and N <= R; M and N may be dynamic.
    (C6) lhs and panel are of i32, bias and out of f32; the words hold bf16, i8, ui8 or ui4, with i8 W is at least 3. (C7) With bf16 and `replace`, out may be of
    i32.

    ```mlir
    func.func @tile(%a: tensor<?x194xi32>, %p: tensor<194x32xi32>, %b: tensor<?xf32>, %c: tensor<?x?xf32>) -> tensor<?x?xf32> {
      %r = sesame.word_matmul_tile of i8 lhs(%a : tensor<?x194xi32>) panel(%p : tensor<194x32xi32>) bias(%b : tensor<?xf32>)
        activation = gelu combine = replace out(%c : tensor<?x?xf32>) -> tensor<?x?xf32>
      return %r : tensor<?x?xf32>
    }
    ```
  }];
  let arguments = (ins Sesame_Buffer:$lhs, Sesame_Buffer:$panel, Optional<Sesame_Buffer>:$bias, Sesame_Buffer:$out, Sesame_WordElement:$element,
                       DefaultValuedAttr<Sesame_ActivationAttr, "::mlir::sesame::Activation::identity">:$activation,
                       DefaultValuedAttr<Sesame_CombineAttr, "::mlir::sesame::Combine::replace">:$combine);
  let assemblyFormat = [{
    `of` $element `lhs` `(` $lhs `:` type($lhs) `)` `panel` `(` $panel `:` type($panel) `)` (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`activation` `=` custom<Keyword>($activation)^)? (`combine` `=` custom<Keyword>($combine)^)? `out` `(` $out `:` type($out) `)` attr-dict (`->` type($results)^)?
  }];
  let hasVerifier = 1;
}

#endif // SESAME_WORD_OPS_TD
