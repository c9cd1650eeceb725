//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// What the matrix-product tiles of every element type share: blocks of rows, the epilogue, the edges.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_LIB_LOWER_KERNELS_MATMULTILE_H
#define SESAME_LIB_LOWER_KERNELS_MATMULTILE_H

#include "KernelBuilder.h"
#include "RegisterTile.h"

#include "sesame/Dialect/SesameDialect.h"

namespace mlir::sesame::kernels {

/// Builds the code of `out = combine(activation(lhs * panel + bias), out)` for one panel in place of an op,
/// all operands memrefs.
class MatmulTile {
public:
  struct Operands {
    Value lhs, panel, bias, out; // [M, .], [., R], [N] or null, [M, N]
    Activation activation;
    Combine combine;
  };

  /// `rows`: of a block, 0 to choose.
  MatmulTile(Operation *root, const Operands &op, int64_t lanes, int64_t rows);
  virtual ~MatmulTile() = default;

  void build();

protected:
  /// The f32 products of `rows` rows from `firstRow` on with the whole panel: row by row, `vectors` vectors
  /// each. With `prefetches`, each step along K calls `prefetchNextPanel`.
  virtual SmallVector<Value> buildProducts(Value firstRow, int64_t rows, bool prefetches) = 0;

  /// The words that `out` takes of two vectors of a row, if it is of words.
  virtual Value toWords(Value low, Value high) { llvm_unreachable("only words are stored as words"); }

  /// Whether `buildProducts` can.
  virtual bool canPrefetch() const { return true; }

  /// Asks for a piece of the panel that lies behind this one in memory, which the next task multiplies. All
  /// steps of all tall blocks together ask for the whole of it, so that it is in the L2 cache when it is
  /// needed.
  void prefetchNextPanel(Value firstRow, Value k);

  Operands op;
  KernelBuilder b;
  int64_t vectors; // of a row of the panel

private:
  void buildSwitch(Value firstRow, Value height, ArrayRef<int64_t> heights, bool mayPrefetch,
                   Value hasSeveral);
  void buildBlock(Value firstRow, int64_t rows, bool prefetches);
  /// Asks for the lines of `out` that the rows are stored in, so that the stores do not wait for them.
  void prefetchOut(Value firstRow, int64_t rows);
  void buildStagedEpilogue(Value firstRow, Value height);
  void forFullAndPartial(llvm::function_ref<void(ArrayRef<Value> masks)> body);
  SmallVector<Value> loadBias(ArrayRef<Value> masks);
  void buildEpilogue(Value row, ArrayRef<Value> sums, ArrayRef<Value> bias, ArrayRef<Value> masks);
  void storeWords(Value row, ArrayRef<Value> values, bool isPartial);

  int64_t tileRows;
  Value staged;       // [tileRows, R] sums before a costly activation, on the stack
  Value columns;      // N
  bool storesWords;   // out holds two columns a word
  Value isFull;       // N == R
  Value prefetchStep; // elements of the next panel that a step asks for
};

} // namespace mlir::sesame::kernels

#endif // SESAME_LIB_LOWER_KERNELS_MATMULTILE_H
