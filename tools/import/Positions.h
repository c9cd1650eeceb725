//===- Positions.h - Which position a token has, and what it is worth -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_POSITIONS_H
#define SESAME_IMPORT_POSITIONS_H

#include "Builder.h"

namespace sesame::importer {

/// mask [B, T] -> [B, T]: how many tokens that are not masked come before each; 0 for those that are.
mlir::Value maskPositions(ModelBuilder &b, mlir::Value mask);
/// ids [B, S] -> [B, S]: `padId` plus the number of tokens so far that are not `padId`, and `padId` for those
/// that are. RoBERTa's positions.
mlir::Value positionsOfRealTokens(ModelBuilder &b, mlir::Value ids, int64_t padId);
/// The same of ids [B, S] that are the last of the T positions of `mask` [B, T]: all earlier ones count, be
/// they padding or not.
mlir::Value positionsOfRealTokens(ModelBuilder &b, mlir::Value ids, mlir::Value mask, int64_t padId);
/// Positions [1, S] of `ids` [B, S], the last of the T that `mask` [B, T] covers, plus `offset`.
mlir::Value positionsOf(ModelBuilder &b, mlir::Value ids, mlir::Value mask, int64_t offset = 0);
/// x [B, T] -> [B, S]: the last positions, those of `ids` [B, S].
mlir::Value lastColumns(ModelBuilder &b, mlir::Value x, mlir::Value ids);

struct SinusoidOptions {
  /// Whether angles are of f64, as where the reference is computed by numpy, or of f32.
  bool inF64 = false;
  /// Sines in the even columns and cosines in the odd ones, or sines first.
  bool isInterleaved = false;
};
/// positions [B or 1, S] -> [B or 1, S, C]: sines and cosines of the angles by the C / 2 rates 10000 ^ (-2i /
/// C). Vaswani et al. 2017.
mlir::Value sinusoids(ModelBuilder &b, mlir::Value positions, int64_t width, SinusoidOptions options = {});
/// positions [B, T] of keys -> [B, H, 1, T], what they add to the scores of each head: Press et al. 2021.
mlir::Value alibiBias(ModelBuilder &b, mlir::Value positions, int64_t heads);

} // namespace sesame::importer

#endif // SESAME_IMPORT_POSITIONS_H
