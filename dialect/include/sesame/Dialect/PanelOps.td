//===- PanelOps.td - Reading a matrix that lies in panels ----*- tablegen -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A table that embeds tokens and also makes their logits is stored once, in the panels that the product wants.

#ifndef SESAME_PANEL_OPS_TD
#define SESAME_PANEL_OPS_TD

include "sesame/Dialect/SesameBase.td"

def Sesame_UnpackPanelsOp : Sesame_TensorOp<"unpack_panels"> {
  let summary = "The matrix that lies in panels";
  let description = [{
    `result[n, k] = panels[n / R, k, n mod R]`: the inverse of `sesame.pack_panels` of layout nk. `sesame.embedding` reads its rows through it without making the matrix.

    Panels of i32 hold words in groups, as `sesame.pack_word_panels` of ui4 or ui8 makes them; which of the two, the number of words says. Then the result is s (c - z), of f32.

    Shapes: panels [ceil(N / R), K, R], or of i32 [ceil(N / R), 9 ceil(K / 64) or 17 ceil(K / 64), R], result [N, K].

    Constraints: (C1) Shapes are static and agree as written. (C2) Element types are equal, or i32 and f32.

    ```mlir
    func.func @matrix(%p: tensor<4x36x32xf32>) -> tensor<97x36xf32> {
      %w = sesame.unpack_panels %p : tensor<4x36x32xf32> -> tensor<97x36xf32>
      return %w : tensor<97x36xf32>
    }
    ```
  }];
  let arguments = (ins TensorRankOf<[AnyFloat, I32], [3]>:$panels);
  let results = (outs Sesame_TensorOfRank<[2]>:$result);
  let assemblyFormat = "$panels attr-dict `:` type($panels) `->` type($result)";
  let hasVerifier = 1;
}

def Sesame_PanelEmbeddingTileOp : Sesame_Op<"panel_embedding_tile", [DestinationStyleOpInterface, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Sums rows picked from tables, some of them in panels";
  let description = [{
    `sesame.embedding_tile` where a table [Vi, C] may also be given as panels [ceil(Vi / R), C, R], row v of which is `panels[v / R, :, v mod R]`, or
    as panels of i32 that hold words in groups (`sesame.unpack_panels`).

    Shapes: indices[i] [M] of integers, tables[i] [Vi, C] or [Pi, C, Ri] or of i32 [Pi, 9 ceil(C / 64) or 17 ceil(C / 64), Ri], out [M, C].

    Constraints: as `sesame.embedding_tile`; (C8) the extents of panels are static.

    ```mlir
    func.func @tile(%i: tensor<?xi64>, %t: tensor<4x36x32xf32>, %o: tensor<?x36xf32>) -> tensor<?x36xf32> {
      %r = sesame.panel_embedding_tile indices(%i : tensor<?xi64>) tables(%t : tensor<4x36x32xf32>) out(%o : tensor<?x36xf32>) -> tensor<?x36xf32>
      return %r : tensor<?x36xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<Sesame_Buffer>:$indices, Variadic<Sesame_Buffer>:$tables, Sesame_Buffer:$out);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `indices` `(` $indices `:` type($indices) `)` `tables` `(` $tables `:` type($tables) `)` `out` `(` $out `:` type($out) `)` attr-dict
    (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    MutableOperandRange getDpsInitsMutable() { return getOutMutable(); }
  }];
  let hasVerifier = 1;
}

#endif // SESAME_PANEL_OPS_TD
