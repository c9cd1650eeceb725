//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"

#include "sesame/Dialect/PanelOps.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_LOWEREMBEDDINGTILEPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;
using namespace mlir::sesame::kernels;

namespace {

/// Columns `column` and on of row `pick` of a table [V, C], or of one in panels [P, C, R], where the columns
/// of a row lie R elements apart.
Value loadTable(KernelBuilder &b, Value table, Value pick, Value column, Value mask) {
  auto type = cast<MemRefType>(table.getType());
  if (type.getRank() == 2)
    return b.load(table, {pick, column}, mask);
  Value width = b.index(type.getDimSize(2));
  Value panel = arith::DivUIOp::create(b, pick, width), inPanel = arith::RemUIOp::create(b, pick, width);
  SmallVector<int32_t> places;
  for (int64_t lane = 0; lane < b.lanes(); ++lane)
    places.push_back(static_cast<int32_t>(lane * type.getDimSize(2)));
  auto placeType = b.vectorType().clone(b.getI32Type());
  Value apart = arith::ConstantOp::create(b, DenseElementsAttr::get(placeType, ArrayRef<int32_t>(places)));
  if (!mask)
    mask = vector::ConstantMaskOp::create(b, b.maskType(), ArrayRef<int64_t>{b.lanes()});
  return vector::GatherOp::create(b, b.vectorType(), table, ValueRange{panel, column, inPanel}, apart, mask,
                                  b.splat(0.0f));
}

/// Builds one embedding_tile or panel_embedding_tile: for each row the indices once, then the sum of the
/// picked rows vector by vector.
template <typename TileOp> void buildEmbeddingTile(TileOp op, int64_t lanes) {
  KernelBuilder b(op, lanes);
  int64_t width = cast<MemRefType>(op.getOut().getType()).getDimSize(1);
  b.loop(b.index(0), b.extent(op.getOut(), 0), 1, [&](Value row) {
    SmallVector<Value> picks;
    for (Value indices : op.getIndices())
      picks.push_back(arith::IndexCastOp::create(b, b.getIndexType(), b.loadScalar(indices, {row})));
    auto sumAt = [&](Value column, Value mask) {
      Value sum;
      for (auto [table, pick] : llvm::zip(op.getTables(), picks)) {
        Value part = loadTable(b, table, pick, column, mask);
        sum = sum ? b.fadd(sum, part) : part;
      }
      b.store(sum, op.getOut(), {row, column}, mask);
    };
    int64_t whole = width / lanes * lanes;
    b.loop(b.index(0), b.index(whole), lanes, [&](Value column) { sumAt(column, Value()); });
    if (whole < width)
      sumAt(b.index(whole), b.firstLanes(width - whole));
  });
}

struct LowerEmbeddingTile : sesame::impl::LowerEmbeddingTilePassBase<LowerEmbeddingTile> {
  using Base::Base;

  template <typename TileOp> LogicalResult check(TileOp op) {
    if (op.getTables().empty() || op.getTables().size() != op.getIndices().size())
      return op.emitOpError("expects as many tables as indices, at least one, got ")
             << op.getTables().size() << " and " << op.getIndices().size();
    for (Value indices : op.getIndices())
      if (!isa<MemRefType>(indices.getType()))
        return op.emitOpError("expects memrefs, got ") << indices.getType();
    SmallVector<Value> floats = llvm::to_vector(op.getTables());
    floats.push_back(op.getOut());
    for (Value operand : floats)
      if (!isUnitStrideF32(operand.getType()))
        return op.emitOpError("expects memrefs of f32 with unit stride along the last axis, got ")
               << operand.getType();
    auto out = cast<MemRefType>(op.getOut().getType());
    if (out.isDynamicDim(1))
      return op.emitOpError("expects rows of static width, got ") << out;
    return success();
  }

  void runOnOperation() override {
    if (failed(lowerAll<EmbeddingTileOp>()) || failed(lowerAll<PanelEmbeddingTileOp>()))
      signalPassFailure();
  }

  template <typename TileOp> LogicalResult lowerAll() {
    SmallVector<TileOp> ops;
    getOperation().walk([&](TileOp op) { ops.push_back(op); });
    for (TileOp op : ops) {
      if (failed(check(op)))
        return failure();
      buildEmbeddingTile(op, vectorLanes);
      op.erase();
    }
    return success();
  }
};

} // namespace
