//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"

#include "sesame/Dialect/PanelOps.h"
#include "sesame/Dialect/WordOps.h"
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

/// Columns `column` and on, all of one group, of row `pick` of a table of `width` columns in panels of words
/// in groups [P, W, R].
Value loadGroupedTable(KernelBuilder &b, Value table, Value pick, Value column, Value mask, int64_t width) {
  auto type = cast<MemRefType>(table.getType());
  const WordFormat format = *findGroupedFormat(b.getContext(), type.getDimSize(1), width);
  Value r = b.index(type.getDimSize(2));
  Value panel = arith::DivUIOp::create(b, pick, r), inPanel = arith::RemUIOp::create(b, pick, r);
  Value stepSize = b.index(WordFormat::stepSize);
  Value step = arith::DivUIOp::create(b, column, stepSize),
        inStep = arith::RemUIOp::create(b, column, stepSize);
  Value firstWord = b.mul(step, format.stepWords());
  SmallVector<int32_t> places, shifts;
  for (int64_t lane = 0; lane < b.lanes(); ++lane) {
    places.push_back(static_cast<int32_t>(lane / format.perWord() * type.getDimSize(2)));
    shifts.push_back(static_cast<int32_t>(8 * (lane % 4) + (format.bits == 4 ? lane / 4 % 2 * 4 : 0)));
  }
  auto words = b.vectorType().clone(b.getI32Type());
  auto constant = [&](ArrayRef<int32_t> values) -> Value {
    return arith::ConstantOp::create(b, DenseElementsAttr::get(words, values));
  };
  auto splat = [&](int32_t value) { return constant(ArrayRef<int32_t>(value)); };
  if (!mask)
    mask = vector::ConstantMaskOp::create(b, b.maskType(), ArrayRef<int64_t>{b.lanes()});
  Value word = b.add(firstWord, arith::DivUIOp::create(b, inStep, b.index(format.perWord())));
  Value codes = vector::GatherOp::create(b, words, table, ValueRange{panel, word, inPanel}, constant(places),
                                         mask, splat(0));
  codes = arith::AndIOp::create(b, arith::ShRUIOp::create(b, codes, constant(shifts)),
                                splat((1 << format.bits) - 1));
  Value numbers =
      arith::SIToFPOp::create(b, b.vectorType(), arith::SubIOp::create(b, codes, splat(format.zeroCode())));

  Value scales = b.loadScalar(table, {panel, b.add(firstWord, format.stepWords() - 1), inPanel});
  Value isFirst = b.compare(arith::CmpIPredicate::ult, inStep, b.index(WordFormat::groupSize));
  auto scalar = [&](int64_t value) -> Value { return arith::ConstantIntOp::create(b, value, 32); };
  Value upper = arith::AndIOp::create(b, scales, scalar(static_cast<int32_t>(0xffff0000)));
  Value bits = arith::SelectOp::create(b, isFirst, arith::ShLIOp::create(b, scales, scalar(16)), upper);
  return b.fmul(numbers, b.splat(Value(arith::BitcastOp::create(b, b.getF32Type(), bits))));
}

/// Columns `column` and on of row `pick` of a table [V, C], or of one in panels [P, C, R], where the columns
/// of a row lie R elements apart.
Value loadTable(KernelBuilder &b, Value table, Value pick, Value column, Value mask, int64_t columns) {
  auto type = cast<MemRefType>(table.getType());
  if (type.getElementType().isInteger(32))
    return loadGroupedTable(b, table, pick, column, mask, columns);
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
        Value part = loadTable(b, table, pick, column, mask, width);
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
    SmallVector<Value> floats;
    for (Value table : op.getTables()) {
      auto type = dyn_cast<MemRefType>(table.getType());
      bool isGrouped = type && type.getRank() == 3 && type.getElementType().isInteger(32);
      if (!isGrouped)
        floats.push_back(table);
      else if (vectorLanes < 8 || WordFormat::groupSize % vectorLanes != 0)
        return op.emitOpError("expects vectors of 8, 16 or 32 lanes with tables in groups, got ")
               << int64_t(vectorLanes);
    }
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
