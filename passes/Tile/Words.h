//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TILE_WORDS_H
#define SESAME_TILE_WORDS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::sesame {

/// The type that a pass's option `weight-type` names: f32, bf16, f16 or int8 (i8). Reports another name as an
/// error of `pass` and returns null.
Type parseWeightType(ModuleOp module, StringRef pass, StringRef name);

/// The rows of `matrix` [M, K] in words of `element`: [M, W], made by parallel tasks of a few rows.
Value packRowsIntoWords(OpBuilder &b, Location loc, Value matrix, Type element);

/// As `packRowsIntoWords` of the rows of `input` [R, S, K] with the outer axes exchanged: [S * R, W].
Value packTransposedRowsIntoWords(OpBuilder &b, Location loc, Value input, Type element);

} // namespace mlir::sesame

#endif // SESAME_TILE_WORDS_H
