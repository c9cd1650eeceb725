//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpUtils.h"

using namespace mlir;
using namespace mlir::sesame;
using namespace mlir::sesame::detail;

//===----------------------------------------------------------------------===//
// AttentionOp
//===----------------------------------------------------------------------===//

LogicalResult AttentionOp::verify() {
  ExtentVerifier extents(*this);
  if (failed(extents.match("query", getQuery(), {"B", "H", "S", "D"})) ||
      failed(extents.match("key", getKey(), {"B", "G", "T", "D"})) ||
      failed(extents.match("value", getValue(), {"B", "G", "T", "E"})) ||
      failed(extents.match("bias", getBias(), {"B|1", "H|1", "S|1", "T"})) ||
      failed(extents.match("result", getResult(), {"B", "H", "S", "E"})))
    return failure();
  if (Value mask = getMask()) {
    bool perQuery = cast<ShapedType>(mask.getType()).getRank() == 3;
    if (failed(perQuery ? extents.match("mask", mask, {"B|1", "S", "T"})
                        : extents.match("mask", mask, {"B|1", "T"})))
      return failure();
  }
  int64_t queryHeads = extents.get("H"), keyHeads = extents.get("G");
  if (!ShapedType::isDynamic(queryHeads) && !ShapedType::isDynamic(keyHeads) &&
      (keyHeads == 0 ? queryHeads != 0 : queryHeads % keyHeads != 0))
    return emitOpError("expects query heads to be a multiple of key heads, got ")
           << queryHeads << " and " << keyHeads;
  if (failed(verifySameElementType(*this, "bias", getBias(), "query", getQuery())))
    return failure();
  return verifyVisibility(*this, getCausal(), getWindow(), getSoftcap());
}

LogicalResult AttentionOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> extents;
  for (int64_t axis = 0; axis < 3; ++axis)
    extents.push_back(reifyExtent(builder, getLoc(), getResult(), axis, getQuery(), axis));
  extents.push_back(reifyExtent(builder, getLoc(), getResult(), 3, getValue(), 3));
  shapes.push_back(std::move(extents));
  return success();
}

namespace {

/// A window at least as long as the key axis hides nothing that `causal` does not hide.
struct DropWideWindow : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    int64_t keys = op.getKey().getType().getDimSize(2);
    if (!op.getWindow() || ShapedType::isDynamic(keys) || static_cast<int64_t>(*op.getWindow()) < keys)
      return failure();
    rewriter.modifyOpInPlace(op, [&] { op.removeWindowAttr(); });
    return success();
  }
};

/// A single query stands at the last key, so all keys are in its past.
struct DropCausalOfOneQuery : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    if (!op.getCausal() || op.getWindow() || op.getQuery().getType().getDimSize(2) != 1)
      return failure();
    rewriter.modifyOpInPlace(op, [&] { op.setCausal(false); });
    return success();
  }
};

} // namespace

void AttentionOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropNeutralOperand<AttentionOp>>(context, &AttentionOp::getMaskMutable, isNonZeroIntegerSplat);
  patterns.add<DropNeutralOperand<AttentionOp>>(context, &AttentionOp::getBiasMutable, isZeroSplat);
  patterns.add<DropWideWindow, DropCausalOfOneQuery>(context);
}

//===----------------------------------------------------------------------===//
// RotaryOp
//===----------------------------------------------------------------------===//

LogicalResult RotaryOp::verify() {
  ExtentVerifier extents(*this);
  if (failed(extents.match("input", getInput(), {"B", "H", "S", "D"})) ||
      failed(extents.match("positions", getPositions(), {"B|1", "S"})) ||
      failed(extents.match("frequencies", getFrequencies(), {"R/2"})))
    return failure();
  int64_t pairs = extents.get("R/2"), features = extents.get("D");
  if (!ShapedType::isDynamic(pairs) && !ShapedType::isDynamic(features) && pairs > features / 2)
    return emitOpError("expects at most ")
           << features / 2 << " frequencies for " << features << " features, got " << pairs;
  return success();
}

LogicalResult RotaryOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifyLike(builder, getLoc(), getResult(), getInput()));
  return success();
}

//===----------------------------------------------------------------------===//
// CacheAppendOp
//===----------------------------------------------------------------------===//

LogicalResult CacheAppendOp::verify() {
  ExtentVerifier extents(*this);
  if (failed(extents.match("cache", getCache(), {"L", "B", "G", "C", "D"})) ||
      failed(extents.match("source", getSource(), {"B", "G", "S", "D"})))
    return failure();
  int64_t steps = extents.get("S"), capacity = extents.get("C");
  if (!ShapedType::isDynamic(steps) && !ShapedType::isDynamic(capacity) && steps > capacity)
    return emitOpError("expects source to have at most ")
           << capacity << " steps, the cache's C, got " << steps;
  return success();
}

LogicalResult CacheAppendOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifyLike(builder, getLoc(), getResult(), getCache()));
  return success();
}
