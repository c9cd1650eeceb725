//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TILE_EMBEDDING_H
#define SESAME_TILE_EMBEDDING_H

#include "sesame/Dialect/SesameDialect.h"

namespace mlir::sesame {

/// Whether `sesame-tile-rows` makes tiles of `op`; otherwise the reference lowering gets it.
bool canTileEmbedding(EmbeddingOp op);

} // namespace mlir::sesame

#endif // SESAME_TILE_EMBEDDING_H
