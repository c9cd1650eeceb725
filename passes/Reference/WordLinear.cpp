//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "WordMath.h"

#include "sesame/Dialect/PanelOps.h"
#include "sesame/Dialect/WordOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sesame;

namespace {

/// What a code in a word in groups stands for, before the scale: c - z of number `index` of the word's group,
/// of which each word holds as many.
Value codeOf(ReferenceBuilder &b, Value word, Value index, const WordFormat &format) {
  auto integer = [&](int32_t value) -> Value { return arith::ConstantIntOp::create(b, value, 32); };
  Value number = arith::IndexCastOp::create(b, b.getI32Type(), index);
  Value place = arith::MulIOp::create(b, arith::RemSIOp::create(b, number, integer(4)), integer(8));
  if (format.bits == 4) {
    Value half = arith::RemSIOp::create(b, arith::DivSIOp::create(b, number, integer(4)), integer(2));
    place = arith::AddIOp::create(b, place, arith::MulIOp::create(b, half, integer(4)));
  }
  Value code = arith::ShRUIOp::create(b, word, place);
  code = arith::AndIOp::create(b, code, integer((1 << format.bits) - 1));
  return arith::SubIOp::create(b, code, integer(format.zeroCode()));
}

/// The scale of group `group` of a column, of which `word` holds two.
Value scaleOf(ReferenceBuilder &b, Value word, Value group) {
  auto integer = [&](int32_t value) -> Value { return arith::ConstantIntOp::create(b, value, 32); };
  Value number = arith::IndexCastOp::create(b, b.getI32Type(), group);
  Value lower = arith::SubIOp::create(b, integer(1), arith::RemSIOp::create(b, number, integer(2)));
  Value bits = arith::ShLIOp::create(b, word, arith::MulIOp::create(b, lower, integer(16)));
  bits = arith::AndIOp::create(b, bits, integer(static_cast<int32_t>(0xffff0000)));
  return arith::BitcastOp::create(b, b.getF32Type(), bits);
}

/// The number of depth `k` in `word`, of words of bf16 or i8: of i8 its code.
Value numberOf(ReferenceBuilder &b, Value word, Value k, const WordFormat &format) {
  auto integer = [&](int64_t value) -> Value { return arith::ConstantIntOp::create(b, value, 32); };
  // Shifted to the highest bits.
  Value number = arith::IndexCastOp::create(b, b.getI32Type(), k);
  Value inWord = arith::RemSIOp::create(b, number, integer(format.perWord()));
  Value places = arith::SubIOp::create(b, integer(format.perWord() - 1), inWord);
  Value top = arith::ShLIOp::create(b, word, arith::MulIOp::create(b, places, integer(format.bits)));
  if (format.isInt8)
    return arith::ShRSIOp::create(b, top, integer(32 - format.bits));
  Value digits = arith::AndIOp::create(b, top, integer(static_cast<int32_t>(0xffff0000)));
  return arith::BitcastOp::create(b, b.getF32Type(), digits);
}

/// The meaning of one word_linear, step by step.
class WordLinear {
public:
  WordLinear(WordLinearOp op, PatternRewriter &rewriter)
      : op(op), b(op.getLoc(), rewriter), words(b), format(op.getElement()), shape(b.resultExtents(op)),
        rows(shape.begin(), shape.end() - 1), last(static_cast<int64_t>(rows.size())),
        width(op.getPanels().getType().getDimSize(2)),
        codeWords(format.codeWords(cast<RankedTensorType>(op.getInput().getType()).getShape().back())) {}

  Value build() {
    Value product = format.isGrouped ? buildGroupedProduct()
                    : format.isInt8  ? buildInt8Product()
                                     : buildBf16Product();
    SmallVector<Operand> operands = {b.all(product)};
    if (op.getBias())
      operands.push_back(b.on(op.getBias(), {last}));
    if (op.getOther())
      operands.push_back(b.all(op.getOther()));
    return b.loops(b.empty(shape, b.getF32Type()), 0, operands, [&](ValueRange e) -> Value {
      Value y = e.front();
      e = e.drop_front();
      if (op.getBias()) {
        y = arith::AddFOp::create(b, y, e.front());
        e = e.drop_front();
      }
      y = buildActivation(b, op.getActivation(), y);
      switch (op.getCombine()) {
      case Combine::replace:
        return y;
      case Combine::add:
        return arith::AddFOp::create(b, y, e.front());
      case Combine::multiply:
        return arith::MulFOp::create(b, y, e.front());
      }
      llvm_unreachable("every combination is handled");
    });
  }

private:
  Value integer(int32_t value) { return words.integer(value); }
  Value real(double value) { return words.real(value); }
  Value atLeast(Value bound, Value x) { return words.atLeast(bound, x); }
  Value atMost(Value bound, Value x) { return words.atMost(bound, x); }
  Value fromBits(Value word) { return arith::BitcastOp::create(b, b.getF32Type(), word); }

  /// The input's element k of a row, where k is the loop behind those of the result.
  Operand inputAtDepth() {
    Operand input = b.all(op.getInput());
    input.axes.back() = b.getAffineDimExpr(last + 1);
    return input;
  }

  /// The panels' word of column n at `place`.
  Operand panelAt(AffineExpr place) {
    AffineExpr n = b.getAffineDimExpr(last);
    return {op.getPanels(), {n.floorDiv(width), place, n % width}};
  }
  Operand panelAtDepth() { return panelAt(b.getAffineDimExpr(last + 1).floorDiv(format.perWord())); }

  /// The number of depth k in a panel's word.
  Value numberAtDepth(Value word) { return numberOf(b, word, b.loop(last + 1), format); }

  Value buildBf16Product() {
    Value zero = b.fill(shape, b.getF32Type(), 0);
    return b.loops(zero, 1, {inputAtDepth(), panelAtDepth()}, [&](ValueRange e) -> Value {
      Value y = numberAtDepth(e[1]);
      return arith::AddFOp::create(b, e[2], arith::MulFOp::create(b, words.roundToBf16(e[0]), y));
    });
  }

  Value buildInt8Product() {
    WordMath::Rows quantized = words.quantizeRows(op.getInput());
    SmallVector<int64_t> leading = llvm::to_vector(llvm::seq<int64_t>(0, last));
    Operand left = b.all(quantized.codes);
    left.axes.back() = b.getAffineDimExpr(last + 1);
    Value none = linalg::FillOp::create(b, integer(0), b.empty(shape, b.getI32Type())).getResult(0);
    // The panels' words of codes alone, so that k has the extent of the input.
    Value sums = b.loops(none, 1, {left, panelAtDepth()}, [&](ValueRange e) -> Value {
      Value weight = numberAtDepth(e[1]);
      return arith::AddIOp::create(b, e[2], arith::MulIOp::create(b, e[0], weight));
    });
    Operand columnScale = panelAt(b.getAffineConstantExpr(codeWords + 1));
    return b.loops(b.empty(shape, b.getF32Type()), 0,
                   {b.all(sums), b.on(quantized.range, leading), b.on(quantized.nan, leading), columnScale},
                   [&](ValueRange e) -> Value {
                     Value scale = arith::MulFOp::create(b, words.rowScale(e[1], e[2]), fromBits(e[3]));
                     return arith::MulFOp::create(b, b.toFloat(e[0], b.getF32Type()), scale);
                   });
  }

  /// The input, filled up with zeros to whole steps, as [..., groups, 32].
  Value inputInGroups() {
    auto type = cast<RankedTensorType>(op.getInput().getType());
    int64_t missing = numGroups() * WordFormat::groupSize - type.getShape().back();
    Value input = op.getInput();
    if (missing > 0) {
      SmallVector<OpFoldResult> sizes = b.extents(input), padded = sizes,
                                offsets(sizes.size(), b.getIndexAttr(0)),
                                strides(sizes.size(), b.getIndexAttr(1));
      padded.back() = b.getIndexAttr(numGroups() * WordFormat::groupSize);
      input =
          tensor::InsertSliceOp::create(b, input, b.fill(padded, b.getF32Type(), 0), offsets, sizes, strides);
    }
    SmallVector<ReassociationIndices> axes;
    for (int64_t axis = 0; axis < last; ++axis)
      axes.push_back({axis});
    axes.push_back({last, last + 1});
    SmallVector<int64_t> split(type.getShape().drop_back());
    split.append({numGroups(), WordFormat::groupSize});
    SmallVector<OpFoldResult> extents = rows;
    extents.append({b.getIndexAttr(numGroups()), b.getIndexAttr(WordFormat::groupSize)});
    return tensor::ExpandShapeOp::create(b, type.clone(split), input, axes, extents);
  }
  int64_t numGroups() {
    return op.getPanels().getType().getDimSize(1) / format.stepWords() * WordFormat::stepSize /
           WordFormat::groupSize;
  }

  Value buildGroupedProduct() {
    SmallVector<OpFoldResult> groups = rows; // [..., groups]
    groups.push_back(b.getIndexAttr(numGroups()));
    Value input = inputInGroups();
    auto reduceGroups = [&](function_ref<Value(Value x, Value sum)> body) {
      return b.loops(b.fill(groups, b.getF32Type(), 0), 1, {b.all(input)},
                     [&](ValueRange e) { return body(e[0], e[1]); });
    };
    Value largest = reduceGroups(
        [&](Value x, Value sum) { return atLeast(sum, math::AbsFOp::create(b, x).getResult()); });
    Value nan = reduceGroups([&](Value x, Value sum) -> Value {
      return arith::AddFOp::create(b, sum, arith::MulFOp::create(b, x, real(0)));
    });
    SmallVector<int64_t> ofGroup = llvm::to_vector(llvm::seq<int64_t>(0, last + 1));
    Value codes = b.loops(b.empty(b.extents(input), b.getI32Type()), 0,
                          {b.all(input), b.on(largest, ofGroup)}, [&](ValueRange e) -> Value {
                            Value inverse = arith::DivFOp::create(b, real(127), atLeast(real(1e-30), e[1]));
                            Value code =
                                math::RoundEvenOp::create(b, arith::MulFOp::create(b, e[0], inverse));
                            code = atMost(real(127), atLeast(real(-127), code));
                            return arith::FPToSIOp::create(b, b.getI32Type(), code);
                          });
    // [..., N, groups], summed over i. Group g and number i of column n: the codes of a step come before its
    // scales.
    SmallVector<OpFoldResult> sumShape = shape;
    sumShape.push_back(b.getIndexAttr(numGroups()));
    AffineExpr g = b.getAffineDimExpr(last + 1), i = b.getAffineDimExpr(last + 2);
    AffineExpr step = g.floorDiv(2) * format.stepWords();
    int64_t groupWords = WordFormat::groupSize / format.perWord();
    Operand left = b.all(codes);
    left.axes[last] = g;
    left.axes[last + 1] = i;
    Value none = linalg::FillOp::create(b, integer(0), b.empty(sumShape, b.getI32Type())).getResult(0);
    Value sums = b.loops(none, 1, {left, panelAt(step + (g % 2) * groupWords + i.floorDiv(format.perWord()))},
                         [&](ValueRange e) -> Value {
                           Value code = codeOf(b, e[1], b.loop(last + 2), format);
                           return arith::AddIOp::create(b, e[2], arith::MulIOp::create(b, e[0], code));
                         });
    // [..., N], summed over g.
    AffineExpr group = b.getAffineDimExpr(last + 1);
    auto inGroup = [&](Value tensor) {
      Operand operand = b.all(tensor);
      operand.axes.back() = group;
      return operand;
    };
    Operand columnScales = panelAt(group.floorDiv(2) * format.stepWords() + (format.stepWords() - 1));
    return b.loops(b.fill(shape, b.getF32Type(), 0), 1,
                   {b.all(sums), inGroup(largest), inGroup(nan), columnScales}, [&](ValueRange e) -> Value {
                     Value scale = arith::DivFOp::create(b, e[1], real(127));
                     scale = arith::AddFOp::create(b, scale, e[2]);
                     scale = arith::MulFOp::create(b, scaleOf(b, e[3], b.loop(last + 1)), scale);
                     return math::FmaOp::create(b, b.toFloat(e[0], b.getF32Type()), scale, e[4]);
                   });
  }

  WordLinearOp op;
  ReferenceBuilder b;
  WordMath words;
  WordFormat format;
  SmallVector<OpFoldResult> shape, rows; // [..., N] and [...]
  int64_t last;                          // the axis of N
  int64_t width;                         // R
  int64_t codeWords;
};

struct LowerWordLinear : OpRewritePattern<WordLinearOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(WordLinearOp op, PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, WordLinear(op, rewriter).build());
    return success();
  }
};

struct LowerUnpackWords : OpRewritePattern<UnpackPanelsOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(UnpackPanelsOp op, PatternRewriter &rewriter) const override {
    if (!op.getElement())
      return failure(); // floats: FeedForward.cpp
    ReferenceBuilder b(op.getLoc(), rewriter);
    const WordFormat format(*op.getElement());
    AffineExpr n = b.getAffineDimExpr(0), k = b.getAffineDimExpr(1);
    int64_t width = op.getPanels().getType().getDimSize(2);
    auto at = [&](AffineExpr place) {
      return Operand{op.getPanels(), {n.floorDiv(width), place, n % width}};
    };
    Operand word = at(k.floorDiv(format.perWord())), scale = word;
    if (format.isGrouped) {
      AffineExpr step = k.floorDiv(WordFormat::stepSize) * format.stepWords();
      word = at(step + (k % WordFormat::stepSize).floorDiv(format.perWord()));
      scale = at(step + (format.stepWords() - 1));
    } else if (format.isInt8) {
      scale = at(b.getAffineConstantExpr(op.getPanels().getType().getDimSize(1) - 1));
    }
    auto widen = [&](ValueRange e) -> Value {
      if (format.isGrouped) {
        Value group = arith::DivUIOp::create(b, b.loop(1), b.index(WordFormat::groupSize));
        Value code = codeOf(b, e[0], b.loop(1), format);
        return arith::MulFOp::create(b, b.toFloat(code, b.getF32Type()), scaleOf(b, e[1], group));
      }
      Value number = numberOf(b, e[0], b.loop(1), format);
      if (!format.isInt8)
        return number;
      Value scale = arith::BitcastOp::create(b, b.getF32Type(), e[1]);
      return arith::MulFOp::create(b, b.toFloat(number, b.getF32Type()), scale);
    };
    Value matrix = b.empty(b.resultExtents(op), b.getF32Type());
    rewriter.replaceOp(op, b.loops(matrix, 0, {word, scale}, widen));
    return success();
  }
};

} // namespace

void mlir::sesame::populateWordReference(RewritePatternSet &patterns) {
  patterns.add<LowerWordLinear, LowerUnpackWords>(patterns.getContext());
}
