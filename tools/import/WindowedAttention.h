//===- WindowedAttention.h - Attention in windows, and everywhere -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Longformer's: Beltagy et al. 2020, section 3. The window is a mask of dense attention here: what it leaves
// out is computed and dropped.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_WINDOWEDATTENTION_H
#define SESAME_IMPORT_WINDOWEDATTENTION_H

#include "Builder.h"

namespace sesame::importer {

/// `attention_window` for each layer; it may be one number for all.
std::vector<int64_t> attentionWindows(const Config &config, int64_t layers);
/// Half of each layer's window as a constant [L] of i64.
mlir::Value windowSides(ModelBuilder &b, llvm::ArrayRef<int64_t> windows);

/// The modules of a layer; those of tokens with global attention end in "_global".
struct WindowedProjections {
  NamePattern query, key, value;
};
/// h [B, S, C] -> [B, S, C], in a layer. Tokens see those at most `sides` (one for each layer) away and all
/// that `globals` [B, S] marks; the marked ones see all. `mask` is [B, S].
mlir::Value windowedAttention(ModelBuilder &b, mlir::Value h, mlir::Value mask,
                              const WindowedProjections &names, int64_t heads, mlir::Value globals,
                              mlir::Value sides);

} // namespace sesame::importer

#endif // SESAME_IMPORT_WINDOWEDATTENTION_H
