//===- PanelOps.td - Reading a matrix that lies in panels ----*- tablegen -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A table that embeds tokens and also makes their logits is stored once, in the panels that the product wants. A table that only embeds is stored in panels of one row if
// weights are narrow, so that it is narrow too.

#ifndef SESAME_PANEL_OPS_TD
#define SESAME_PANEL_OPS_TD

include "sesame/Dialect/WordElement.td"

def Sesame_UnpackPanelsOp : Sesame_TensorOp<"unpack_panels"> {
  let summary = "The matrix that lies in panels";
  let description = [{
    `result[n, k] = panels[n / R, k, n mod R]`: the inverse of `sesame.pack_panels` of layout nk. `sesame.embedding` reads its rows through it without making the matrix.

    Panels of floats may be narrower than the result, which then is widened. Panels of i32 hold words of `element`, as `sesame.pack_word_panels` makes them, and the result
    is what they stand for: the number of bf16, s c of i8, s (c - z) of ui4 and ui8.

    Shapes: panels [ceil(N / R), K, R], or of words [ceil(N / R), W, R] with W as of `sesame.pack_word_panels`, result [N, K].

    Constraints: (C1) Shapes are static and agree as written. (C2) The panels are of floats no wider than the result's, or of i32 and the result of f32.
    (C3) There is an `element` if and only if the panels are of i32.

    ```mlir
    func.func @matrix(%p: tensor<4x36x32xf32>) -> tensor<97x36xf32> {
      %w = sesame.unpack_panels %p : tensor<4x36x32xf32> -> tensor<97x36xf32>
      return %w : tensor<97x36xf32>
    }
    ```
  }];
  let arguments = (ins TensorRankOf<[AnyFloat, I32], [3]>:$panels, OptionalAttr<Sesame_WordElement>:$element);
  let results = (outs Sesame_TensorOfRank<[2]>:$result);
  let assemblyFormat = "$panels (`of` $element^)? attr-dict `:` type($panels) `->` type($result)";
  let hasVerifier = 1;
}

def Sesame_PanelEmbeddingTileOp : Sesame_Op<"panel_embedding_tile", [DestinationStyleOpInterface, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Sums rows picked from tables, some of them in panels";
  let description = [{
    `sesame.embedding_tile` where a table [Vi, C] may also be given as panels [ceil(Vi / R), C, R], row v of which is `panels[v / R, :, v mod R]`, or
    as panels of i32 that hold words (`sesame.unpack_panels`). `elements[i]` is what table i holds: the panels' or words' element, or the table's.

    Shapes: indices[i] [M] of integers, tables[i] [Vi, C] or [Pi, C, Ri] or of words [Pi, Wi, Ri], out [M, C].

    Constraints: as `sesame.embedding_tile`, but tables in panels may be of floats narrower than out; (C8) the extents of panels are static. (C9) There are as many elements as
    tables; out is of f32 beside words.

    ```mlir
    func.func @tile(%i: tensor<?xi64>, %t: tensor<4x36x32xf32>, %o: tensor<?x36xf32>) -> tensor<?x36xf32> {
      %r = sesame.panel_embedding_tile of [f32] indices(%i : tensor<?xi64>) tables(%t : tensor<4x36x32xf32>) out(%o : tensor<?x36xf32>) -> tensor<?x36xf32>
      return %r : tensor<?x36xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<Sesame_Buffer>:$indices, Variadic<Sesame_Buffer>:$tables, Sesame_Buffer:$out, TypeArrayAttr:$elements);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `of` $elements `indices` `(` $indices `:` type($indices) `)` `tables` `(` $tables `:` type($tables) `)` `out` `(` $out `:` type($out) `)` attr-dict
    (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    MutableOperandRange getDpsInitsMutable() { return getOutMutable(); }
  }];
  let hasVerifier = 1;
}

#endif // SESAME_PANEL_OPS_TD
