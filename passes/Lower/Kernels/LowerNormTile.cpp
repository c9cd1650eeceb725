//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_LOWERNORMTILEPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;
using namespace mlir::sesame::kernels;

namespace {

/// Independent partial sums, enough to hide the latency of an addition (4 cycles, one or two a cycle).
constexpr int64_t kPartialSums = 4;

/// Builds one norm_tile: rows one by one, each in two or three passes over data that then lies in the L1
/// cache.
class NormTile {
public:
  NormTile(NormTileOp op, int64_t lanes)
      : op(op), b(op, lanes), width(cast<MemRefType>(op.getOut().getType()).getDimSize(1)) {}

  void build() {
    b.loop(b.index(0), b.extent(op.getOut(), 0), 1, [&](Value row) { buildRow(row); });
  }

private:
  void buildRow(Value row) {
    Value mean;
    if (op.getKind() == NormKind::layer)
      mean = b.splat(meanOf(row, [](Value x, Value mask) { return x; }));
    // The square comes from the deviation itself, not from mean(x^2) - mean^2, which cancels.
    Value variance = meanOf(row, [&](Value x, Value mask) -> Value {
      if (mean) {
        x = b.fsub(x, mean);
        if (mask) // lanes past the end were read as zero, but their deviation is not
          x = arith::SelectOp::create(b, mask, x, b.splat(0.0f));
      }
      return b.fmul(x, x);
    });
    Value deviation = math::SqrtOp::create(b, b.fadd(variance, b.f32(op.getEpsilon().convertToFloat())));
    Value inverse = b.splat(b.fdiv(b.f32(1.0f), deviation));
    forEachVector([&](Value column, Value mask) {
      Value x = b.load(op.getInput(), {row, column}, mask);
      if (mean)
        x = b.fsub(x, mean);
      x = b.fmul(x, inverse);
      if (op.getWeight()) {
        Value weight = b.load(op.getWeight(), {column}, mask);
        if (!op.getOffset().isZero())
          weight = b.fadd(weight, b.splat(op.getOffset().convertToFloat()));
        x = b.fmul(x, weight);
      }
      if (op.getBias())
        x = b.fadd(x, b.load(op.getBias(), {column}, mask));
      b.store(x, op.getOut(), {row, column}, mask);
    });
  }

  /// Calls `body` for the whole vectors of a row, in a loop, and for the rest under its mask.
  void forEachVector(llvm::function_ref<void(Value column, Value mask)> body) {
    int64_t whole = width / b.lanes() * b.lanes();
    b.loop(b.index(0), b.index(whole), b.lanes(), [&](Value column) { body(column, Value()); });
    if (whole < width)
      body(b.index(whole), b.firstLanes(width - whole));
  }

  /// The mean over a row of `term(x)`. Element c goes to lane c % lanes of partial sum c / lanes %
  /// kPartialSums; partial sums and then lanes are added as a tree.
  Value meanOf(Value row, llvm::function_ref<Value(Value x, Value mask)> term) {
    auto addTerm = [&](Value sum, Value column, Value mask) {
      return b.fadd(sum, term(b.load(op.getInput(), {row, column}, mask), mask));
    };
    int64_t lanes = b.lanes(), stride = kPartialSums * lanes;
    SmallVector<Value> sums(kPartialSums, b.splat(0.0f));
    int64_t looped = width / stride * stride;
    if (looped)
      sums = b.loop(b.index(0), b.index(looped), stride, sums, [&](Value column, ValueRange carried) {
        SmallVector<Value> next;
        for (int64_t i = 0; i < kPartialSums; ++i)
          next.push_back(addTerm(carried[i], b.add(column, i * lanes), Value()));
        return next;
      });
    for (int64_t i = 0, column = looped; column < width; ++i, column += lanes)
      sums[i] = addTerm(sums[i], b.index(column), b.firstLanes(width - column));
    for (int64_t half = kPartialSums / 2; half > 0; half /= 2)
      for (int64_t i = 0; i < half; ++i)
        sums[i] = b.fadd(sums[i], sums[i + half]);
    return b.fdiv(b.sumLanes(sums[0]), b.f32(static_cast<float>(width)));
  }

  NormTileOp op;
  KernelBuilder b;
  int64_t width; // C
};

struct LowerNormTile : sesame::impl::LowerNormTilePassBase<LowerNormTile> {
  using Base::Base;

  LogicalResult check(NormTileOp op) {
    for (Value operand : op->getOperands())
      if (!isUnitStrideF32(operand.getType()))
        return op.emitOpError("expects memrefs of f32 with unit stride along the last axis, got ")
               << operand.getType();
    auto out = cast<MemRefType>(op.getOut().getType());
    if (out.isDynamicDim(1) || out.getDimSize(1) == 0)
      return op.emitOpError("expects rows of static, positive width, got ") << out;
    return success();
  }

  void runOnOperation() override {
    SmallVector<NormTileOp> ops;
    getOperation().walk([&](NormTileOp op) { ops.push_back(op); });
    for (NormTileOp op : ops) {
      if (failed(check(op)))
        return signalPassFailure();
      NormTile(op, vectorLanes).build();
      op.erase();
    }
  }
};

} // namespace
