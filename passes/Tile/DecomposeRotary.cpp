//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_DECOMPOSEROTARYPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

namespace {
/// Builds linalg operations over [B, H, S, R / 2], the first of the four loops being the batch.
class RotaryBuilder {
public:
  RotaryBuilder(RotaryOp op) : op(op), b(op), loc(op.getLoc()) {}

  Value build() {
    // The input before an exchange of heads and positions, if it comes from one, and the loops that index its
    // axes.
    Value input = op.getInput();
    SmallVector<int64_t> loops = {0, 1, 2, 3};
    auto swap = input.getDefiningOp<linalg::TransposeOp>();
    if (swap && swap.getPermutation().back() == 3) {
      // Axis `permutation[i]` of the source is axis i of the result.
      for (auto [axis, source] : llvm::enumerate(swap.getPermutation()))
        loops[source] = axis;
      input = swap.getInput();
    }
    auto type = cast<RankedTensorType>(op.getResult().getType());
    SmallVector<OpFoldResult> extents = tensor::getMixedSizes(b, loc, op.getInput());
    int64_t half = op.getFrequencies().getType().getDimSize(0), size = type.getDimSize(3);

    Value cosine = buildTable([&](Value angle) { return math::CosOp::create(b, loc, angle).getResult(); });
    Value sine = buildTable([&](Value angle) { return math::SinOp::create(b, loc, angle).getResult(); });
    Value x = slice(input, 0, half), y = slice(input, half, half);
    // x cos a - y sin a, and x sin a + y cos a.
    Value first = buildRotation(x, y, cosine, sine, loops, extents, half, /*subtract=*/true);
    Value second = buildRotation(y, x, cosine, sine, loops, extents, half, /*subtract=*/false);
    Value result = tensor::EmptyOp::create(b, loc, extents, type.getElementType());
    result = insert(first, result, 0, half);
    result = insert(second, result, half, half);
    if (2 * half < size)
      result = insert(slice(op.getInput(), 2 * half, size - 2 * half), result, 2 * half, size - 2 * half);
    return result;
  }

private:
  /// `function` of the angles, times the scale: [B or 1, S, R / 2] in f32. Neither the heads nor, in a layer,
  /// the layer matter.
  Value buildTable(function_ref<Value(Value)> function) {
    Value positions = op.getPositions(), frequencies = op.getFrequencies();
    Type f32 = b.getF32Type();
    SmallVector<OpFoldResult> extents = tensor::getMixedSizes(b, loc, positions);
    extents.push_back(tensor::getMixedSize(b, loc, frequencies, 0));
    Value empty = tensor::EmptyOp::create(b, loc, extents, f32);
    AffineExpr row, position, feature;
    bindDims(b.getContext(), row, position, feature);
    SmallVector<AffineMap> maps = {AffineMap::get(3, 0, {row, position}, b.getContext()),
                                   AffineMap::get(3, 0, {feature}, b.getContext()),
                                   b.getMultiDimIdentityMap(3)};
    SmallVector<utils::IteratorType> iterators(3, utils::IteratorType::parallel);
    return linalg::GenericOp::create(
               b, loc, empty.getType(), ValueRange{positions, frequencies}, empty, maps, iterators,
               [&](OpBuilder &nested, Location, ValueRange e) {
                 OpBuilder::InsertionGuard guard(b);
                 b.restoreInsertionPoint(nested.saveInsertionPoint());
                 Value at = arith::SIToFPOp::create(b, loc, f32, e[0]);
                 Value value = function(arith::MulFOp::create(b, loc, at, e[1]));
                 Value scale = arith::ConstantOp::create(b, loc, op.getScaleAttr());
                 linalg::YieldOp::create(b, loc, ValueRange{arith::MulFOp::create(b, loc, value, scale)});
               })
        .getResult(0);
  }

  /// own * cosine -+ other * sine over [B, H, S, R / 2]; `loops` index the axes of own and other.
  Value buildRotation(Value own, Value other, Value cosine, Value sine, ArrayRef<int64_t> loops,
                      ArrayRef<OpFoldResult> extents, int64_t half, bool subtract) {
    Type element = cast<RankedTensorType>(own.getType()).getElementType(), f32 = b.getF32Type();
    SmallVector<OpFoldResult> halves(extents);
    halves.back() = b.getIndexAttr(half);
    Value empty = tensor::EmptyOp::create(b, loc, halves, element);
    SmallVector<AffineExpr> axes =
        llvm::map_to_vector(loops, [&](int64_t loop) { return b.getAffineDimExpr(loop); });
    AffineMap data = AffineMap::get(4, 0, axes, b.getContext());
    bool shared =
        cast<RankedTensorType>(cosine.getType()).getDimSize(0) == 1 && !isConstantIntValue(extents[0], 1);
    AffineMap table = AffineMap::get(4, 0,
                                     {shared ? b.getAffineConstantExpr(0) : b.getAffineDimExpr(0),
                                      b.getAffineDimExpr(2), b.getAffineDimExpr(3)},
                                     b.getContext());
    SmallVector<AffineMap> maps = {data, data, table, table, b.getMultiDimIdentityMap(4)};
    SmallVector<utils::IteratorType> iterators(4, utils::IteratorType::parallel);
    return linalg::GenericOp::create(
               b, loc, empty.getType(), ValueRange{own, other, cosine, sine}, empty, maps, iterators,
               [&](OpBuilder &nested, Location loc, ValueRange e) {
                 auto widen = [&](Value v) -> Value {
                   return element == f32 ? v : arith::ExtFOp::create(nested, loc, f32, v).getResult();
                 };
                 Value left = arith::MulFOp::create(nested, loc, widen(e[0]), e[2]);
                 Value right = arith::MulFOp::create(nested, loc, widen(e[1]), e[3]);
                 Value sum = subtract ? arith::SubFOp::create(nested, loc, left, right).getResult()
                                      : arith::AddFOp::create(nested, loc, left, right).getResult();
                 if (element != f32)
                   sum = arith::TruncFOp::create(nested, loc, element, sum);
                 linalg::YieldOp::create(nested, loc, sum);
               })
        .getResult(0);
  }

  /// Features [from, from + size) of `tensor`, along the last of its four axes.
  Value slice(Value tensor, int64_t from, int64_t size) {
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, tensor), offsets(4, b.getIndexAttr(0)),
                              strides(4, b.getIndexAttr(1));
    offsets.back() = b.getIndexAttr(from);
    sizes.back() = b.getIndexAttr(size);
    return tensor::ExtractSliceOp::create(b, loc, tensor, offsets, sizes, strides);
  }

  Value insert(Value features, Value tensor, int64_t from, int64_t size) {
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, tensor), offsets(4, b.getIndexAttr(0)),
                              strides(4, b.getIndexAttr(1));
    offsets.back() = b.getIndexAttr(from);
    sizes.back() = b.getIndexAttr(size);
    return tensor::InsertSliceOp::create(b, loc, features, tensor, offsets, sizes, strides);
  }

  RotaryOp op;
  OpBuilder b;
  Location loc;
};

class DecomposeRotaryPass : public sesame::impl::DecomposeRotaryPassBase<DecomposeRotaryPass> {
  void runOnOperation() override {
    SmallVector<RotaryOp> ops;
    getOperation()->walk([&](RotaryOp op) {
      auto type = cast<RankedTensorType>(op.getInput().getType());
      bool isStatic = !type.isDynamicDim(3) && op.getFrequencies().getType().hasStaticShape();
      if (!op.getInterleaved() && isStatic && type.getElementTypeBitWidth() <= 32)
        ops.push_back(op);
    });
    for (RotaryOp op : ops) {
      op.getResult().replaceAllUsesWith(RotaryBuilder(op).build());
      op.erase();
    }
  }
};
} // namespace
