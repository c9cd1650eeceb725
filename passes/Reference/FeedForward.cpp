//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "sesame/Dialect/PanelOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::sesame;

namespace {

int64_t getRank(Value value) { return cast<RankedTensorType>(value.getType()).getRank(); }

/// input [..., K] times `weight`, summed in the compute type: [..., N], of shape `shape`.
Value buildProduct(ReferenceBuilder &b, Value input, Value weight, WeightLayout layout,
                   ArrayRef<OpFoldResult> shape) {
  Value zero = b.fill(shape, b.getComputeType(getElementTypeOrSelf(input)), 0);
  return b.matmul(zero, input, weight, [&](AffineExpr n, AffineExpr k) -> SmallVector<AffineExpr> {
    switch (layout) {
    case WeightLayout::nk:
      return {n, k};
    case WeightLayout::kn:
      return {k, n};
    case WeightLayout::panels: {
      int64_t width = cast<RankedTensorType>(weight.getType()).getDimSize(2);
      return {n.floorDiv(width), k, n % width};
    }
    }
    llvm_unreachable("every layout is handled");
  });
}

struct LowerLinear : OpRewritePattern<LinearOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LinearOp op, PatternRewriter &rewriter) const override {
    ReferenceBuilder b(op.getLoc(), rewriter);
    Type element = getElementTypeOrSelf(op.getResult());
    SmallVector<OpFoldResult> shape = b.resultExtents(op);
    Value product = buildProduct(b, op.getInput(), op.getWeight(), op.getLayout(), shape);

    SmallVector<Operand> operands = {b.all(product)};
    if (op.getBias())
      operands.push_back(b.on(op.getBias(), {getRank(op.getResult()) - 1}));
    if (op.getResidual())
      operands.push_back(b.all(op.getResidual()));
    rewriter.replaceOp(op, b.loops(b.empty(shape, element), 0, operands, [&](ValueRange e) {
      Value y = e.front();
      e = e.drop_front();
      if (op.getBias()) {
        y = arith::AddFOp::create(b, y, b.extendToCompute(e.front()));
        e = e.drop_front();
      }
      y = buildActivation(b, op.getActivation(), y);
      if (op.getResidual())
        y = arith::AddFOp::create(b, y, b.extendToCompute(e.front()));
      return b.convert(y, element);
    }));
    return success();
  }
};

struct LowerGatedLinear : OpRewritePattern<GatedLinearOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(GatedLinearOp op, PatternRewriter &rewriter) const override {
    ReferenceBuilder b(op.getLoc(), rewriter);
    Type element = getElementTypeOrSelf(op.getResult());
    SmallVector<OpFoldResult> shape = b.resultExtents(op);
    Value gateProduct = buildProduct(b, op.getInput(), op.getGateWeight(), op.getLayout(), shape);
    Value upProduct = buildProduct(b, op.getInput(), op.getUpWeight(), op.getLayout(), shape);

    SmallVector<Operand> operands = {b.all(gateProduct), b.all(upProduct)};
    int64_t columns = getRank(op.getResult()) - 1;
    if (op.getGateBias())
      operands.append({b.on(op.getGateBias(), {columns}), b.on(op.getUpBias(), {columns})});
    rewriter.replaceOp(op, b.loops(b.empty(shape, element), 0, operands, [&](ValueRange e) {
      Value gate = e[0], up = e[1];
      if (op.getGateBias()) {
        gate = arith::AddFOp::create(b, gate, b.extendToCompute(e[2]));
        up = arith::AddFOp::create(b, up, b.extendToCompute(e[3]));
      }
      gate = buildActivation(b, op.getActivation(), gate);
      return b.convert(arith::MulFOp::create(b, gate, up), element);
    }));
    return success();
  }
};

/// The mean over the last axis of `f(element)`, in the compute type; `operands` are read along all axes and
/// leading axes.
Value buildRowMean(ReferenceBuilder &b, Value input, ArrayRef<Operand> operands,
                   function_ref<Value(ValueRange)> f) {
  Type compute = b.getComputeType(getElementTypeOrSelf(input));
  int64_t last = getRank(input) - 1;
  SmallVector<OpFoldResult> rows = b.extents(input);
  rows.pop_back();
  Value sum = b.loops(b.fill(rows, compute, 0), 1, operands, [&](ValueRange e) -> Value {
    return arith::AddFOp::create(b, e.back(), f(e.drop_back()));
  });
  Value count = b.toFloat(b.dim(input, last), compute);
  return b.loops(b.empty(rows, compute), 0, {b.all(sum)},
                 [&](ValueRange e) -> Value { return arith::DivFOp::create(b, e[0], count); });
}

struct LowerLayerNorm : OpRewritePattern<LayerNormOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LayerNormOp op, PatternRewriter &rewriter) const override {
    ReferenceBuilder b(op.getLoc(), rewriter);
    Value input = op.getInput();
    int64_t last = getRank(input) - 1;
    Type element = getElementTypeOrSelf(input), compute = b.getComputeType(element);
    Value mean =
        buildRowMean(b, input, {b.all(input)}, [&](ValueRange e) { return b.convert(e[0], compute); });
    auto centre = [&](Value x, Value mean) -> Value {
      return arith::SubFOp::create(b, b.convert(x, compute), mean);
    };
    Value variance = buildRowMean(b, input, {b.all(input), b.all(mean)}, [&](ValueRange e) -> Value {
      Value difference = centre(e[0], e[1]);
      return arith::MulFOp::create(b, difference, difference);
    });

    SmallVector<Operand> operands = {b.all(input), b.all(mean), b.all(variance)};
    if (op.getWeight())
      operands.push_back(b.on(op.getWeight(), {last}));
    if (op.getBias())
      operands.push_back(b.on(op.getBias(), {last}));
    rewriter.replaceOp(op, b.loops(b.empty(b.resultExtents(op), element), 0, operands, [&](ValueRange e) {
      Value deviation =
          math::SqrtOp::create(b, arith::AddFOp::create(b, e[2], b.constant(compute, op.getEpsilon())));
      Value y = arith::DivFOp::create(b, centre(e[0], e[1]), deviation);
      e = e.drop_front(3);
      if (op.getWeight()) {
        y = arith::MulFOp::create(b, y, b.convert(e.front(), compute));
        e = e.drop_front();
      }
      if (op.getBias())
        y = arith::AddFOp::create(b, y, b.convert(e.front(), compute));
      return b.convert(y, element);
    }));
    return success();
  }
};

struct LowerRMSNorm : OpRewritePattern<RMSNormOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(RMSNormOp op, PatternRewriter &rewriter) const override {
    ReferenceBuilder b(op.getLoc(), rewriter);
    Value input = op.getInput();
    Type element = getElementTypeOrSelf(input), compute = b.getComputeType(element);
    Value mean = buildRowMean(b, input, {b.all(input)}, [&](ValueRange e) -> Value {
      Value x = b.convert(e[0], compute);
      return arith::MulFOp::create(b, x, x);
    });

    SmallVector<Operand> operands = {b.all(input), b.all(mean)};
    if (op.getWeight())
      operands.push_back(b.on(op.getWeight(), {getRank(input) - 1}));
    rewriter.replaceOp(op, b.loops(b.empty(b.resultExtents(op), element), 0, operands, [&](ValueRange e) {
      Value root =
          math::SqrtOp::create(b, arith::AddFOp::create(b, e[1], b.constant(compute, op.getEpsilon())));
      Value y = arith::DivFOp::create(b, b.convert(e[0], compute), root);
      if (op.getWeight()) {
        Value offset = b.constant(compute, op.getOffset());
        y = arith::MulFOp::create(b, y, arith::AddFOp::create(b, b.convert(e[2], compute), offset));
      }
      return b.convert(y, element);
    }));
    return success();
  }
};

struct LowerEmbedding : OpRewritePattern<EmbeddingOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(EmbeddingOp op, PatternRewriter &rewriter) const override {
    ReferenceBuilder b(op.getLoc(), rewriter);
    Type element = getElementTypeOrSelf(op.getResult());
    int64_t last = getRank(op.getResult()) - 1;
    Value result = b.empty(b.resultExtents(op), element);
    rewriter.replaceOp(op, b.loops(result, 0, {}, [&](ValueRange) {
      Value sum;
      for (auto [indices, table] : llvm::zip_equal(op.getIndices(), op.getTables())) {
        SmallVector<Value> place;
        for (int64_t axis = 0; axis < last; ++axis)
          place.push_back(b.broadcastIndex(indices, axis, b.loop(axis)));
        Value row = arith::IndexCastOp::create(b, b.getIndexType(), b.at(indices, place));
        Value x = b.extendToCompute(b.at(table, {row, b.loop(last)}));
        sum = sum ? arith::AddFOp::create(b, sum, x).getResult() : x;
      }
      return b.convert(sum, element);
    }));
    return success();
  }
};

struct LowerUnpackPanels : OpRewritePattern<UnpackPanelsOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(UnpackPanelsOp op, PatternRewriter &rewriter) const override {
    if (!isa<FloatType>(op.getPanels().getType().getElementType()))
      return failure(); // words: WordLinear.cpp
    ReferenceBuilder b(op.getLoc(), rewriter);
    AffineExpr n = b.getAffineDimExpr(0), k = b.getAffineDimExpr(1);
    int64_t width = op.getPanels().getType().getDimSize(2);
    Operand element = {op.getPanels(), {n.floorDiv(width), k, n % width}};
    Value matrix = b.empty(b.resultExtents(op), getElementTypeOrSelf(op.getResult()));
    Type type = getElementTypeOrSelf(op.getResult());
    rewriter.replaceOp(op,
                       b.loops(matrix, 0, {element}, [&](ValueRange e) { return b.convert(e[0], type); }));
    return success();
  }
};

} // namespace

void mlir::sesame::populateFeedForwardReference(RewritePatternSet &patterns) {
  patterns
      .add<LowerLinear, LowerGatedLinear, LowerLayerNorm, LowerRMSNorm, LowerEmbedding, LowerUnpackPanels>(
          patterns.getContext());
}
