//===- Rows.h - What is made row by row -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_OPTIMIZE_ROWS_H
#define SESAME_OPTIMIZE_ROWS_H

#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::sesame {

/// The operands of a row-wise `op` from which the rows of its result are made, one row of each for a row of
/// the result; empty if `op` is not row-wise.
SmallVector<OpOperand *> getRowOperands(Operation *op);

/// Whether `slice` takes whole rows and, along some other axis, only one position.
bool takesFewRows(tensor::ExtractSliceOp slice);

} // namespace mlir::sesame

#endif // SESAME_OPTIMIZE_ROWS_H
