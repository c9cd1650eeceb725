//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"
#include "RegisterTile.h"

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/Kernels.h"
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

/// True if the activation is a handful of instructions, so that it is better done on the accumulators at
/// once. The others run in a loop over the block's rows, one copy of their code for all block shapes.
bool isCheap(Activation activation) {
  switch (activation) {
  case Activation::identity:
  case Activation::relu:
  case Activation::relu_squared:
  case Activation::leaky_relu:
    return true;
  default:
    return false;
  }
}

/// Builds one matmul_tile.
class MatmulTile {
public:
  MatmulTile(MatmulTileOp op, int64_t lanes, int64_t rows)
      : op(op), b(op, lanes), vectors(cast<MemRefType>(op.getPanel().getType()).getDimSize(1) / lanes),
        tileRows(rows ? rows : chooseTileRows(lanes, vectors)) {}

  void build() {
    if (!isCheap(op.getActivation()))
      staged = b.scratch({tileRows, vectors * b.lanes()});
    int64_t staticRows = cast<MemRefType>(op.getOut().getType()).getDimSize(0);
    if (ShapedType::isDynamic(staticRows))
      staticRows = cast<MemRefType>(op.getLhs().getType()).getDimSize(0);
    // Which block heights can occur.
    SmallVector<int64_t> heights;
    for (int64_t height = 1; height <= tileRows; ++height)
      if (ShapedType::isDynamic(staticRows) || height == staticRows % tileRows ||
          (height == tileRows && staticRows >= tileRows))
        heights.push_back(height);
    Value numRows = ShapedType::isDynamic(staticRows) ? b.extent(op.getOut(), 0) : b.index(staticRows);
    columns = b.extent(op.getOut(), 1);
    isFull = b.compare(arith::CmpIPredicate::eq, columns, b.index(vectors * b.lanes()));

    b.loop(b.index(0), numRows, tileRows, [&](Value firstRow) {
      if (heights.size() == 1) {
        buildBlock(firstRow, heights.front());
        if (staged)
          buildStagedEpilogue(firstRow, b.index(heights.front()));
        return;
      }
      Value height = b.min(b.sub(numRows, firstRow), b.index(tileRows));
      buildSwitch(firstRow, height, heights);
      if (staged)
        buildStagedEpilogue(firstRow, height);
    });
  }

  /// One block for each height, the tallest as the default.
  void buildSwitch(Value firstRow, Value height, ArrayRef<int64_t> heights) {
    ArrayRef<int64_t> cases = heights.drop_back();
    auto choice = scf::IndexSwitchOp::create(b, TypeRange{}, height, cases, cases.size());
    auto fill = [&](Region &region, int64_t rows) {
      OpBuilder::InsertionGuard guard(b);
      b.createBlock(&region);
      buildBlock(firstRow, rows);
      scf::YieldOp::create(b);
    };
    fill(choice.getDefaultRegion(), heights.back());
    for (auto [region, rows] : llvm::zip(choice.getCaseRegions(), cases))
      fill(region, rows);
  }

  /// `rows` rows from `firstRow` on: the sum over k, and the epilogue or the way to `staged`.
  void buildBlock(Value firstRow, int64_t rows) {
    auto left = [&](int64_t row, Value k) {
      return b.splat(b.loadScalar(op.getLhs(), {b.add(firstRow, row), k}));
    };
    auto right = [&](int64_t v, Value k) { return b.load(op.getPanel(), {k, b.index(v * b.lanes())}); };
    auto multiplyAdd = [&](Value x, Value y, Value acc) { return b.fma(x, y, acc); };
    RegisterTile tile{rows, vectors, left, right, multiplyAdd};
    SmallVector<Value> zeros(rows * vectors, b.splat(0.0f));
    SmallVector<Value> sums = emitRegisterTile(b, b.extent(op.getPanel(), 0), tile, zeros);

    if (staged) {
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t v = 0; v < vectors; ++v)
          b.store(sums[row * vectors + v], staged, {b.index(row), b.index(v * b.lanes())});
      return;
    }
    forFullAndPartial([&](ArrayRef<Value> masks) {
      SmallVector<Value> bias = loadBias(masks);
      for (int64_t row = 0; row < rows; ++row)
        buildEpilogue(b.add(firstRow, row), ArrayRef(sums).slice(row * vectors, vectors), bias, masks);
    });
  }

  void buildStagedEpilogue(Value firstRow, Value height) {
    forFullAndPartial([&](ArrayRef<Value> masks) {
      SmallVector<Value> bias = loadBias(masks);
      b.loop(b.index(0), height, 1, [&](Value row) {
        SmallVector<Value> sums;
        for (int64_t v = 0; v < vectors; ++v)
          sums.push_back(b.load(staged, {row, b.index(v * b.lanes())}));
        buildEpilogue(b.add(firstRow, row), sums, bias, masks);
      });
    });
  }

  /// Calls `body` with no masks for a whole panel, and in another branch with the masks of the panel's
  /// `columns` columns.
  void forFullAndPartial(llvm::function_ref<void(ArrayRef<Value> masks)> body) {
    SmallVector<Value> masks(vectors);
    b.branch(
        isFull, [&] { body(masks); },
        [&] {
          for (int64_t v = 0; v < vectors; ++v)
            masks[v] = b.firstLanes(b.sub(columns, b.index(v * b.lanes())));
          body(masks);
        });
  }

  SmallVector<Value> loadBias(ArrayRef<Value> masks) {
    SmallVector<Value> bias;
    if (op.getBias())
      for (int64_t v = 0; v < vectors; ++v)
        bias.push_back(b.load(op.getBias(), {b.index(v * b.lanes())}, masks[v]));
    return bias;
  }

  /// Bias, activation, what the destination holds, store: for one row.
  void buildEpilogue(Value row, ArrayRef<Value> sums, ArrayRef<Value> bias, ArrayRef<Value> masks) {
    for (int64_t v = 0; v < vectors; ++v) {
      Value value = sums[v];
      if (!bias.empty())
        value = b.fadd(value, bias[v]);
      value = emitActivation(b, b.getLoc(), op.getActivation(), value);
      Value column = b.index(v * b.lanes());
      switch (op.getCombine()) {
      case Combine::replace:
        break;
      case Combine::add:
        value = b.fadd(b.load(op.getOut(), {row, column}, masks[v]), value);
        break;
      case Combine::multiply:
        value = b.fmul(b.load(op.getOut(), {row, column}, masks[v]), value);
        break;
      }
      b.store(value, op.getOut(), {row, column}, masks[v]);
    }
  }

  MatmulTileOp op;
  KernelBuilder b;
  int64_t vectors;
  int64_t tileRows;
  Value staged;  // [tileRows, R] sums before a costly activation, on the stack
  Value columns; // N
  Value isFull;  // N == R
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
    if (!panel.hasStaticShape() || panel.getDimSize(1) % vectorLanes != 0)
      return op.emitOpError("expects a panel of static shape whose width is a multiple of ")
             << int64_t(vectorLanes) << ", got " << panel;
    return success();
  }

  void runOnOperation() override {
    SmallVector<MatmulTileOp> ops;
    getOperation().walk([&](MatmulTileOp op) { ops.push_back(op); });
    for (MatmulTileOp op : ops) {
      if (failed(check(op)))
        return signalPassFailure();
      MatmulTile(op, vectorLanes, rows).build();
      op.erase();
    }
  }
};

} // namespace
