//===- RelativeAttention.h - Attention by content and distance --*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What Transformer-XL and XLNet share: scores by content and by distance, each with a bias of its own, and
// the hidden states of all layers as memories. Dai et al. 2019, section 3.3.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_RELATIVEATTENTION_H
#define SESAME_IMPORT_RELATIVEATTENTION_H

#include "TensorOps.h"

namespace sesame::importer {

/// Sinusoids [P, C] of `count` distances that grow by one from `first` on, cut off at +-`clamp` unless it is
/// 0.
mlir::Value distanceSinusoids(ModelBuilder &b, mlir::Value first, mlir::OpFoldResult count, int64_t width,
                              int64_t clamp);

/// heads [B, H, S, D] plus one vector a head [H, D].
mlir::Value addHeadBias(ModelBuilder &b, mlir::Value heads, mlir::Value bias);

/// Names an extent of results of the open entry that no input has: the sum of the symbols `terms` and `plus`,
/// at most `atMost`.
void deriveSymbol(ModelBuilder &b, llvm::StringRef symbol, llvm::ArrayRef<llvm::StringRef> terms,
                  int64_t plus, std::optional<int64_t> atMost = {});

/// The hidden states that every layer reads, gathered over the loop over layers.
class LayerInputs {
public:
  /// Room [L, B, 1, S, C] for states like h [B, S, C]: a value that the layers carry.
  static mlir::Value empty(ModelBuilder &b, int64_t layers, mlir::Value h);
  /// `all` with h in the place of `layer`.
  static mlir::Value write(ModelBuilder &b, mlir::Value all, mlir::Value h, mlir::Value layer);
  /// Those of one layer as [S, B, C].
  static mlir::Value of(ModelBuilder &b, mlir::Value all, int64_t layer);
};

} // namespace sesame::importer

#endif // SESAME_IMPORT_RELATIVEATTENTION_H
