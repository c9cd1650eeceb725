//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpUtils.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"

using namespace mlir;
using namespace mlir::sesame;
using namespace mlir::sesame::detail;

namespace {

/// The axes ".0", ".1", ..., and `last`, of a tensor of any rank.
class LeadingAxes {
public:
  LeadingAxes(int64_t leading) {
    for (int64_t axis = 0; axis < leading; ++axis)
      names.push_back("." + std::to_string(axis));
  }
  SmallVector<StringRef> with(StringRef last) const {
    SmallVector<StringRef> axes(names.begin(), names.end());
    axes.push_back(last);
    return axes;
  }

private:
  SmallVector<std::string> names;
};

int64_t getRank(Value value) { return cast<ShapedType>(value.getType()).getRank(); }

/// Checks one product input [..., K] times `weight` (C1, C2, C4 of sesame.linear), to be added to `bias` [N].
LogicalResult verifyProduct(Operation *op, ExtentVerifier &extents, WeightLayout layout, Value input,
                            StringRef weightName, Value weight, StringRef biasName, Value bias,
                            Value result) {
  if (getRank(input) < 1)
    return op->emitOpError("expects input to have rank 1 or more, got 0");
  if (getRank(result) != getRank(input))
    return op->emitOpError("expects result to have the rank of input, ")
           << getRank(input) << ", got " << getRank(result);
  LeadingAxes leading(getRank(input) - 1);
  if (failed(extents.match("input", input, leading.with("K"))))
    return failure();
  switch (layout) {
  case WeightLayout::nk:
    if (failed(extents.match(weightName, weight, {"N", "K"})))
      return failure();
    break;
  case WeightLayout::kn:
    if (failed(extents.match(weightName, weight, {"K", "N"})))
      return failure();
    break;
  case WeightLayout::panels:
    if (failed(extents.match(weightName, weight, {"panels", "K", "R"})))
      return failure();
    break;
  }
  if (failed(extents.match("result", result, leading.with("N"))) ||
      failed(extents.match(biasName, bias, {"N"})))
    return failure();
  if (layout == WeightLayout::panels) {
    int64_t columns = cast<ShapedType>(result.getType()).getShape().back();
    int64_t panels = extents.get("panels"), width = extents.get("R");
    if (ShapedType::isDynamic(columns))
      return op->emitOpError("expects a static N with layout panels, got '?'");
    if (ShapedType::isDynamic(width) || width < 1)
      return op->emitOpError("expects a static, positive R of ") << weightName << " with layout panels";
    if (!ShapedType::isDynamic(panels) && panels != llvm::divideCeilSigned(columns, width))
      return op->emitOpError("expects ")
             << weightName << " to have " << llvm::divideCeilSigned(columns, width) << " panels of " << width
             << " columns for N = " << columns << ", got " << panels;
  }
  if (failed(verifySameElementType(op, biasName, bias, "input", input)))
    return failure();
  return verifySameElementType(op, "result", result, "input", input);
}

/// The shape of input * weight: the leading extents of `input` and the columns of `weight`.
SmallVector<OpFoldResult> reifyProduct(OpBuilder &builder, Location loc, WeightLayout layout, Value input,
                                       Value weight, Value result) {
  SmallVector<OpFoldResult> extents;
  int64_t last = getRank(result) - 1;
  for (int64_t axis = 0; axis < last; ++axis)
    extents.push_back(reifyExtent(builder, loc, result, axis, input, axis));
  // With layout panels N is static, so the weight is not asked.
  extents.push_back(reifyExtent(builder, loc, result, last, weight, layout == WeightLayout::nk ? 0 : 1));
  return extents;
}

LogicalResult verifyEpsilon(Operation *op, const APFloat &epsilon) {
  if (epsilon.isNaN() || (epsilon.isNegative() && !epsilon.isZero()))
    return op->emitOpError("expects an epsilon that is not negative, got ") << epsilon.convertToDouble();
  return success();
}

/// Checks input [..., C] and the per-feature operands [C] of a normalisation.
LogicalResult verifyNorm(Operation *op, Value input, Value weight, Value bias, const APFloat &epsilon) {
  if (getRank(input) < 1)
    return op->emitOpError("expects input to have rank 1 or more, got 0");
  ExtentVerifier extents(op);
  if (failed(extents.match("input", input, LeadingAxes(getRank(input) - 1).with("C"))) ||
      failed(extents.match("weight", weight, {"C"})) || failed(extents.match("bias", bias, {"C"})))
    return failure();
  return verifyEpsilon(op, epsilon);
}

} // namespace

//===----------------------------------------------------------------------===//
// LinearOp
//===----------------------------------------------------------------------===//

LogicalResult LinearOp::verify() {
  ExtentVerifier extents(*this);
  if (failed(verifyProduct(*this, extents, getLayout(), getInput(), "weight", getWeight(), "bias", getBias(),
                           getResult())))
    return failure();
  Value residual = getResidual();
  if (!residual)
    return success();
  if (getRank(residual) != getRank(getInput()))
    return emitOpError("expects residual to have the rank of input, ")
           << getRank(getInput()) << ", got " << getRank(residual);
  if (failed(extents.match("residual", residual, LeadingAxes(getRank(residual) - 1).with("N"))))
    return failure();
  return verifySameElementType(*this, "residual", residual, "input", getInput());
}

LogicalResult LinearOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifyProduct(builder, getLoc(), getLayout(), getInput(), getWeight(), getResult()));
  return success();
}

void LinearOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropNeutralOperand<LinearOp>>(context, &LinearOp::getBiasMutable, isZeroSplat);
  patterns.add<DropNeutralOperand<LinearOp>>(context, &LinearOp::getResidualMutable, isZeroSplat);
}

//===----------------------------------------------------------------------===//
// GatedLinearOp
//===----------------------------------------------------------------------===//

LogicalResult GatedLinearOp::verify() {
  if (static_cast<bool>(getGateBias()) != static_cast<bool>(getUpBias()))
    return emitOpError("expects either both biases or none");
  ExtentVerifier extents(*this);
  if (failed(verifyProduct(*this, extents, getLayout(), getInput(), "gate_weight", getGateWeight(),
                           "gate_bias", getGateBias(), getResult())))
    return failure();
  return verifyProduct(*this, extents, getLayout(), getInput(), "up_weight", getUpWeight(), "up_bias",
                       getUpBias(), getResult());
}

LogicalResult GatedLinearOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifyProduct(builder, getLoc(), getLayout(), getInput(), getGateWeight(), getResult()));
  return success();
}

namespace {
/// Both biases are zero: neither is needed. One alone must stay (C5).
struct DropZeroBiases : OpRewritePattern<GatedLinearOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(GatedLinearOp op, PatternRewriter &rewriter) const override {
    if (!op.getGateBias() || !isZeroSplat(op.getGateBias()) || !isZeroSplat(op.getUpBias()))
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      op.getUpBiasMutable().clear();
      op.getGateBiasMutable().clear();
    });
    return success();
  }
};
} // namespace

void GatedLinearOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropZeroBiases>(context);
}

//===----------------------------------------------------------------------===//
// LayerNormOp, RMSNormOp
//===----------------------------------------------------------------------===//

LogicalResult LayerNormOp::verify() {
  return verifyNorm(*this, getInput(), getWeight(), getBias(), getEpsilon());
}

LogicalResult LayerNormOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifyLike(builder, getLoc(), getResult(), getInput()));
  return success();
}

void LayerNormOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropNeutralOperand<LayerNormOp>>(context, &LayerNormOp::getWeightMutable, isOneSplat);
  patterns.add<DropNeutralOperand<LayerNormOp>>(context, &LayerNormOp::getBiasMutable, isZeroSplat);
}

LogicalResult RMSNormOp::verify() {
  return verifyNorm(*this, getInput(), getWeight(), /*bias=*/Value(), getEpsilon());
}

LogicalResult RMSNormOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifyLike(builder, getLoc(), getResult(), getInput()));
  return success();
}

//===----------------------------------------------------------------------===//
// ActivationOp
//===----------------------------------------------------------------------===//

OpFoldResult ActivationOp::fold(FoldAdaptor adaptor) {
  if (getKind() == Activation::identity)
    return getInput();
  // relu(relu(x)) = relu(x)
  auto producer = getInput().getDefiningOp<ActivationOp>();
  if (getKind() == Activation::relu && producer && producer.getKind() == Activation::relu)
    return getInput();
  return {};
}

LogicalResult ActivationOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifyLike(builder, getLoc(), getResult(), getInput()));
  return success();
}

//===----------------------------------------------------------------------===//
// EmbeddingOp
//===----------------------------------------------------------------------===//

LogicalResult EmbeddingOp::verify() {
  if (getTables().empty())
    return emitOpError("expects at least one table");
  int64_t rank = getRank(getResult());
  if (rank < 1)
    return emitOpError("expects result to have rank 1 or more, got 0");
  LeadingAxes leading(rank - 1);
  ExtentVerifier extents(*this);
  if (failed(extents.match("result", getResult(), leading.with("C"))))
    return failure();
  SmallVector<StringRef> broadcast;
  SmallVector<std::string> names;
  for (int64_t axis = 0; axis + 1 < rank; ++axis)
    names.push_back("." + std::to_string(axis) + "|1");
  broadcast.append(names.begin(), names.end());
  for (auto [i, pair] : llvm::enumerate(llvm::zip_equal(getIndices(), getTables()))) {
    auto [indices, table] = pair;
    std::string name = std::to_string(i);
    if (failed(extents.match("indices " + name, indices, broadcast)) ||
        failed(extents.match("table " + name, table, {"V" + name, "C"})) ||
        failed(verifySameElementType(*this, "table " + name, table, "result", getResult())))
      return failure();
  }
  // An extent other than 1 in the result must come from somewhere.
  for (int64_t axis = 0; axis + 1 < rank; ++axis) {
    int64_t extent = cast<ShapedType>(getResult().getType()).getDimSize(axis);
    auto isOne = [&](Type type) { return cast<ShapedType>(type).getDimSize(axis) == 1; };
    if (extent != 1 && !ShapedType::isDynamic(extent) && llvm::all_of(getIndices().getTypes(), isOne))
      return emitOpError("expects axis ") << axis << " of result to be 1 as in all indices, got " << extent;
  }
  return success();
}

LogicalResult EmbeddingOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> extents;
  int64_t last = getRank(getResult()) - 1;
  for (int64_t axis = 0; axis < last; ++axis) {
    auto isOne = [&](Value indices) { return cast<ShapedType>(indices.getType()).getDimSize(axis) == 1; };
    Value extent;
    for (Value indices :
         llvm::make_filter_range(getIndices(), [&](Value indices) { return !isOne(indices); })) {
      OpFoldResult next = reifyExtent(builder, getLoc(), getResult(), axis, indices, axis);
      if (isa<Attribute>(next)) {
        extents.push_back(next);
        break;
      }
      Value nextValue = cast<Value>(next);
      if (!extent) {
        extent = nextValue;
        continue;
      }
      // Two dynamic extents: the one that is not 1 decides.
      Value one = arith::ConstantIndexOp::create(builder, getLoc(), 1);
      Value broadcasts = arith::CmpIOp::create(builder, getLoc(), arith::CmpIPredicate::eq, extent, one);
      extent = arith::SelectOp::create(builder, getLoc(), broadcasts, nextValue, extent);
    }
    if (static_cast<int64_t>(extents.size()) > axis)
      continue;
    extents.push_back(extent ? OpFoldResult(extent)
                             : reifyExtent(builder, getLoc(), getResult(), axis, getIndices().front(), axis));
  }
  extents.push_back(reifyExtent(builder, getLoc(), getResult(), last, getTables().front(), 1));
  shapes.push_back(std::move(extents));
  return success();
}
