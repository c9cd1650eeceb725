//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace mlir::sesame;

namespace {

/// softmax(query * transpose(key) * scale + bias) * value, with all scores [B, H, S, T] in memory.
struct LowerAttention : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  /// Whether key t may be seen by query s of batch row i: causality, window and mask. Null if all keys may be
  /// seen.
  static Value buildIsVisible(ReferenceBuilder &b, AttentionOp op, Value i, Value s, Value t) {
    Value visible;
    auto require = [&](Value condition) {
      visible = visible ? arith::AndIOp::create(b, visible, condition).getResult() : condition;
    };
    if (op.getCausal()) {
      // Query s stands at position s + (T - S), the last query at the last key. The sum may be negative:
      // compare signed.
      Value shift = arith::SubIOp::create(b, b.dim(op.getKey(), 2), b.dim(op.getQuery(), 2));
      Value position = arith::AddIOp::create(b, s, shift);
      require(arith::CmpIOp::create(b, arith::CmpIPredicate::sle, t, position));
      if (op.getWindow()) {
        Value first = arith::SubIOp::create(b, position, b.index(*op.getWindow()));
        require(arith::CmpIOp::create(b, arith::CmpIPredicate::sgt, t, first));
      }
    }
    if (Value mask = op.getMask()) {
      SmallVector<Value> indices = {b.broadcastIndex(mask, 0, i)};
      if (cast<RankedTensorType>(mask.getType()).getRank() == 3)
        indices.push_back(s);
      indices.push_back(t);
      Value element = b.at(mask, indices);
      Value zero = arith::ConstantOp::create(b, b.getZeroAttr(element.getType()));
      require(arith::CmpIOp::create(b, arith::CmpIPredicate::ne, element, zero));
    }
    return visible;
  }

  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    ReferenceBuilder b(op.getLoc(), rewriter);
    Value query = op.getQuery(), key = op.getKey(), value = op.getValue(), bias = op.getBias();
    Type element = getElementTypeOrSelf(query), compute = b.getComputeType(element);
    const double infinity = std::numeric_limits<double>::infinity();
    Value minusInfinity = b.constant(compute, -infinity);

    // Query heads for each key/value head, H / G. (Without heads, no element ever asks.)
    Value keyHeads = arith::MaxUIOp::create(b, b.dim(key, 1), b.index(1));
    Value group = arith::DivUIOp::create(b, b.dim(query, 1), keyHeads);
    auto keyHead = [&](Value head) { return arith::DivUIOp::create(b, head, group); };

    // [B, H, S, T], then loop 4 over D.
    SmallVector<OpFoldResult> shape = {b.extent(query, 0), b.extent(query, 1), b.extent(query, 2),
                                       b.extent(key, 2)};
    Value products =
        b.loops(b.fill(shape, compute, 0), 1, {b.on(query, {0, 1, 2, 4})}, [&](ValueRange e) -> Value {
          Value k = b.at(key, {b.loop(0), keyHead(b.loop(1)), b.loop(3), b.loop(4)});
          Value product = arith::MulFOp::create(b, b.convert(e[0], compute), b.convert(k, compute));
          return arith::AddFOp::create(b, e[1], product);
        });

    // -inf marks a key that may not be seen.
    Value scores = b.loops(b.empty(shape, compute), 0, {b.all(products)}, [&](ValueRange e) {
      Value score = arith::MulFOp::create(b, e[0], b.constant(compute, op.getScale()));
      if (op.getSoftcap()) {
        Value cap = b.constant(compute, *op.getSoftcap());
        score = arith::MulFOp::create(b, cap, math::TanhOp::create(b, arith::DivFOp::create(b, score, cap)));
      }
      if (bias) {
        SmallVector<Value> indices;
        for (int64_t axis = 0; axis < 3; ++axis)
          indices.push_back(b.broadcastIndex(bias, axis, b.loop(axis)));
        indices.push_back(b.loop(3));
        score = arith::AddFOp::create(b, score, b.convert(b.at(bias, indices), compute));
      }
      if (Value visible = buildIsVisible(b, op, b.loop(0), b.loop(2), b.loop(3)))
        score = arith::SelectOp::create(b, visible, score, minusInfinity);
      return score;
    });

    ArrayRef<OpFoldResult> rows = ArrayRef(shape).drop_back(); // [B, H, S]
    Value largest = b.loops(b.fill(rows, compute, -infinity), 1, {b.all(scores)},
                            [&](ValueRange e) -> Value { return arith::MaximumFOp::create(b, e[0], e[1]); });
    // exp(score - largest), and 0 for a key that is not seen: also where none is and the difference would be
    // NaN.
    Value exps =
        b.loops(b.empty(shape, compute), 0, {b.all(scores), b.all(largest)}, [&](ValueRange e) -> Value {
          Value exp = math::ExpOp::create(b, arith::SubFOp::create(b, e[0], e[1]));
          Value hidden = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, e[0], minusInfinity);
          return arith::SelectOp::create(b, hidden, b.constant(compute, 0), exp);
        });
    Value sums = b.loops(b.fill(rows, compute, 0), 1, {b.all(exps)},
                         [&](ValueRange e) -> Value { return arith::AddFOp::create(b, e[0], e[1]); });
    Value weights =
        b.loops(b.empty(shape, compute), 0, {b.all(exps), b.all(sums)}, [&](ValueRange e) -> Value {
          Value none = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, e[1], b.constant(compute, 0));
          return arith::SelectOp::create(b, none, e[1], arith::DivFOp::create(b, e[0], e[1]));
        });

    // [B, H, S, E], then loop 4 over T.
    SmallVector<OpFoldResult> resultShape = b.resultExtents(op);
    Value sum = b.loops(
        b.fill(resultShape, compute, 0), 1, {b.on(weights, {0, 1, 2, 4})}, [&](ValueRange e) -> Value {
          Value v = b.at(value, {b.loop(0), keyHead(b.loop(1)), b.loop(4), b.loop(3)});
          return arith::AddFOp::create(b, e[1], arith::MulFOp::create(b, e[0], b.convert(v, compute)));
        });
    Value result = sum;
    if (compute != element)
      result = b.loops(b.empty(resultShape, element), 0, {b.all(sum)},
                       [&](ValueRange e) { return b.convert(e[0], element); });
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct LowerRotary : OpRewritePattern<RotaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(RotaryOp op, PatternRewriter &rewriter) const override {
    ReferenceBuilder b(op.getLoc(), rewriter);
    Value input = op.getInput(), positions = op.getPositions(), frequencies = op.getFrequencies();
    Type element = getElementTypeOrSelf(input), compute = b.getComputeType(element), f32 = b.getF32Type();
    Value half = b.dim(frequencies, 0), rotated = arith::AddIOp::create(b, half, half); // R/2 and R

    Value result = b.empty(b.resultExtents(op), element);
    rewriter.replaceOp(op, b.loops(result, 0, {b.all(input)}, [&](ValueRange e) -> Value {
      Value batch = b.loop(0), head = b.loop(1), position = b.loop(2), feature = b.loop(3);
      Value inRange = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, feature, rotated);
      auto rotate = [&](OpBuilder &nested, Location loc) {
        ReferenceBuilder b(loc, nested);
        // `isFirst`: this feature is the x of its pair (x, y); the other one stands at `partner`.
        Value isFirst, pair, partner;
        if (op.getInterleaved()) {
          Value parity = arith::RemUIOp::create(b, feature, b.index(2));
          isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, parity, b.index(0));
          pair = arith::DivUIOp::create(b, feature, b.index(2));
          partner = arith::SelectOp::create(b, isFirst, arith::AddIOp::create(b, feature, b.index(1)),
                                            arith::SubIOp::create(b, feature, b.index(1)));
        } else {
          isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, feature, half);
          Value above = arith::SubIOp::create(b, feature, half);
          pair = arith::SelectOp::create(b, isFirst, feature, above);
          partner = arith::SelectOp::create(b, isFirst, arith::AddIOp::create(b, feature, half), above);
        }
        Value at = b.at(positions, {b.broadcastIndex(positions, 0, batch), position});
        Value angle = arith::MulFOp::create(b, b.toFloat(at, f32), b.at(frequencies, pair));
        Value cosine = b.convert(math::CosOp::create(b, angle), compute);
        Value sine = b.convert(math::SinOp::create(b, angle), compute);
        Value own = arith::MulFOp::create(b, b.convert(e[0], compute), cosine);
        Value other = b.convert(b.at(input, {batch, head, position, partner}), compute);
        other = arith::MulFOp::create(b, other, sine);
        // x cos a - y sin a for the first of a pair, y cos a + x sin a for the second.
        Value turned = arith::SelectOp::create(b, isFirst, arith::SubFOp::create(b, own, other),
                                               arith::AddFOp::create(b, own, other));
        turned = arith::MulFOp::create(b, turned, b.constant(compute, op.getScale()));
        scf::YieldOp::create(b, b.convert(turned, element));
      };
      auto passThrough = [&](OpBuilder &nested, Location loc) { scf::YieldOp::create(nested, loc, e[0]); };
      return scf::IfOp::create(b, inRange, rotate, passThrough).getResult(0);
    }));
    return success();
  }
};

struct LowerCacheAppend : OpRewritePattern<CacheAppendOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(CacheAppendOp op, PatternRewriter &rewriter) const override {
    ReferenceBuilder b(op.getLoc(), rewriter);
    OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
    SmallVector<OpFoldResult> offsets = {op.getLayer(), zero, zero, op.getPosition(), zero};
    SmallVector<OpFoldResult> sizes = b.extents(op.getSource()), strides(5, one);
    sizes.insert(sizes.begin(), one);
    rewriter.replaceOpWithNewOp<tensor::InsertSliceOp>(op, op.getSource(), op.getCache(), offsets, sizes,
                                                       strides);
    return success();
  }
};

} // namespace

void mlir::sesame::populateAttentionReference(RewritePatternSet &patterns) {
  patterns.add<LowerAttention, LowerRotary, LowerCacheAppend>(patterns.getContext());
}
