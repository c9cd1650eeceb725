//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RegisterTile.h"

using namespace mlir;
using namespace mlir::sesame::kernels;

SmallVector<Value> mlir::sesame::kernels::emitRegisterTile(KernelBuilder &b, Value depth,
                                                           const RegisterTile &tile, ValueRange initial) {
  return b.loop(b.index(0), depth, tile.depthStep, initial, [&](Value k, ValueRange carried) {
    if (tile.beside)
      tile.beside(k);
    SmallVector<Value> right;
    for (int64_t v = 0; v < tile.vectors; ++v)
      right.push_back(tile.right(v, k));
    SmallVector<Value> next;
    for (int64_t row = 0; row < tile.rows; ++row) {
      Value left = tile.left(row, k);
      for (int64_t v = 0; v < tile.vectors; ++v)
        next.push_back(tile.multiplyAdd(left, right[v], carried[row * tile.vectors + v]));
    }
    return next;
  });
}

int64_t mlir::sesame::kernels::chooseTileRows(int64_t lanes, int64_t vectors) {
  // In registers: the accumulators, one right factor for each vector, and the broadcast left one.
  int64_t registers = lanes >= 16 ? 32 : 16;
  int64_t most = lanes >= 16 ? 8 : 6;
  return std::max<int64_t>(1, std::min(most, (registers - 1 - vectors) / vectors));
}
