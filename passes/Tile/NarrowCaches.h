//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_LIB_TILE_NARROWCACHES_H
#define SESAME_LIB_TILE_NARROWCACHES_H

#include "mlir/IR/BuiltinOps.h"

namespace mlir::sesame {

/// Keeps the key and value caches of all entries in bf16 where attention alone reads them, which rounds keys
/// and values to bf16 anyway. What is appended is rounded, what attention reads is widened, by operations
/// that `roundedFrom` and `widenedFrom` see through.
void narrowCaches(ModuleOp module);

/// The f32 tensor that `value`, of bf16, is the rounding of, element by element; null if it is not.
Value roundedFrom(Value value);
/// The bf16 tensor that holds the same numbers as `value`, of f32; null if there is none.
Value widenedFrom(Value value);

/// `source` as bf16 into `out`, a tensor of its shape.
Value roundInto(OpBuilder &b, Location loc, Value source, Value out);

} // namespace mlir::sesame

#endif // SESAME_LIB_TILE_NARROWCACHES_H
