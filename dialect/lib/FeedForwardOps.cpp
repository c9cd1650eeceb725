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

LogicalResult LinearOp::verify() { return success(); }
void LinearOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {}
LogicalResult LinearOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) { return failure(); }
LogicalResult GatedLinearOp::verify() { return success(); }
LogicalResult GatedLinearOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) { return failure(); }
LogicalResult LayerNormOp::verify() { return success(); }
LogicalResult LayerNormOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) { return failure(); }
LogicalResult RMSNormOp::verify() { return success(); }
LogicalResult RMSNormOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) { return failure(); }
OpFoldResult ActivationOp::fold(FoldAdaptor adaptor) { return getKind() == Activation::identity ? getInput() : OpFoldResult(); }
LogicalResult ActivationOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) { return failure(); }
LogicalResult EmbeddingOp::verify() { return success(); }
LogicalResult EmbeddingOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) { return failure(); }
