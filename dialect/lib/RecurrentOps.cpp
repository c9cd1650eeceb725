//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Dialect/SesameDialect.h"

using namespace mlir;
using namespace mlir::sesame;

LogicalResult RNNOp::verify() { return success(); }
LogicalResult RNNOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) { return failure(); }
LogicalResult LSTMOp::verify() { return success(); }
LogicalResult LSTMOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) { return failure(); }
LogicalResult GRUOp::verify() { return success(); }
LogicalResult GRUOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) { return failure(); }
