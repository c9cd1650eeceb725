//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The inner loop of every matrix product: a block of the result held in registers while the sum runs.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_LIB_LOWER_KERNELS_REGISTERTILE_H
#define SESAME_LIB_LOWER_KERNELS_REGISTERTILE_H

#include "KernelBuilder.h"

namespace mlir::sesame::kernels {

/// One result block `acc[i, v] += sum_k left(i, k) * right(v, k)` of `rows` x `vectors` 1-D vectors. The
/// element type enters by what `left`, `right` and `multiplyAdd` make and by `depthStep`, the number of
/// products one `multiplyAdd` sums: 1 for f32, 2 for bf16 pairs (vdpbf16ps), 4 for int8 (vpdpbusd).
struct RegisterTile {
  int64_t rows;
  int64_t vectors;
  /// Factor of row `row` at depth `k`, the same in every lane.
  llvm::function_ref<Value(int64_t row, Value k)> left;
  /// Factor of column vector `vector` at depth `k`.
  llvm::function_ref<Value(int64_t vector, Value k)> right;
  /// acc + left * right.
  llvm::function_ref<Value(Value left, Value right, Value acc)> multiplyAdd;
  int64_t depthStep = 1;
  /// What else a step does, if anything.
  llvm::function_ref<void(Value k)> beside = nullptr;
};

/// Emits the loop over k in [0, depth), in increasing order for each element whatever the shape of the block,
/// and returns the accumulators, row by row. `initial` holds rows * vectors values.
SmallVector<Value> emitRegisterTile(KernelBuilder &b, Value depth, const RegisterTile &tile,
                                    ValueRange initial);

/// How many rows of a block with `vectors` vectors a row keep the multiply-adds busy without spilling: 8 of 2
/// with 32 registers, 6 of 2 with 16. More rows than 8 lose when the left matrix has a row stride that is a
/// multiple of 4096 bytes, because all rows then compete for one 8-way set of the L1 cache (Zen 4, measured
/// 2026-11).
int64_t chooseTileRows(int64_t lanes, int64_t vectors);

} // namespace mlir::sesame::kernels

#endif // SESAME_LIB_LOWER_KERNELS_REGISTERTILE_H
