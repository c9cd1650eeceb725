//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MatmulTile.h"

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_LOWERMATMULTILEPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;
using namespace mlir::sesame::kernels;

namespace {

/// The tile of f32, and of weights of 16 bits that are widened as they are loaded.
class FloatMatmulTile : public MatmulTile {
public:
  using MatmulTile::MatmulTile;

private:
  SmallVector<Value> buildProducts(Value firstRow, int64_t rows, bool prefetches) override {
    auto left = [&](int64_t row, Value k) {
      return b.splat(b.loadScalar(op.lhs, {b.add(firstRow, row), k}));
    };
    auto right = [&](int64_t v, Value k) { return b.load(op.panel, {k, b.index(v * b.lanes())}); };
    auto multiplyAdd = [&](Value x, Value y, Value acc) { return b.fma(x, y, acc); };
    auto prefetch = [&](Value k) {
      if (prefetches)
        prefetchNextPanel(firstRow, k);
    };
    RegisterTile tile{rows, vectors, left, right, multiplyAdd, /*depthStep=*/1, prefetch};
    SmallVector<Value> zeros(rows * vectors, b.splat(0.0f));
    return emitRegisterTile(b, b.extent(op.panel, 0), tile, zeros);
  }
};

struct LowerMatmulTile : sesame::impl::LowerMatmulTilePassBase<LowerMatmulTile> {
  using Base::Base;

  LogicalResult check(MatmulTileOp op) {
    for (Value operand : op->getOperands())
      if (operand != op.getPanel() && !isUnitStrideF32(operand.getType()))
        return op.emitOpError("expects memrefs of f32 with unit stride along the last axis, got ")
               << operand.getType();
    auto panel = cast<MemRefType>(op.getPanel().getType());
    Type element = panel.getElementType();
    if (!isUnitStride(panel) || !(element.isF32() || element.isBF16() || element.isF16()))
      return op.emitOpError("expects a panel of f32, bf16 or f16 with unit stride along the last axis, got ")
             << panel;
    if (panel.isDynamicDim(1) || panel.getDimSize(1) % vectorLanes != 0)
      return op.emitOpError("expects a panel whose width is a multiple of ")
             << int64_t(vectorLanes) << ", got " << panel;
    return success();
  }

  void runOnOperation() override {
    SmallVector<MatmulTileOp> ops;
    getOperation().walk([&](MatmulTileOp op) { ops.push_back(op); });
    for (MatmulTileOp op : ops) {
      if (failed(check(op)))
        return signalPassFailure();
      FloatMatmulTile(
          op, {op.getLhs(), op.getPanel(), op.getBias(), op.getOut(), op.getActivation(), op.getCombine()},
          vectorLanes, rows)
          .build();
      op.erase();
    }
  }
};

} // namespace
