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
#include "mlir/IR/TypeUtilities.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_LOWEREMBEDDINGTILEPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;
using namespace mlir::sesame::kernels;

namespace {

/// Vectors of constants as wide as the builder's.
struct WordConstants {
  KernelBuilder &b;
  VectorType type = b.vectorType().clone(b.getI32Type());

  Value of(ArrayRef<int32_t> values) {
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, values));
  }
  /// `value(lane)` of each lane.
  Value lanes(llvm::function_ref<int64_t(int64_t)> value) {
    SmallVector<int32_t> values;
    for (int64_t lane = 0; lane < b.lanes(); ++lane)
      values.push_back(static_cast<int32_t>(value(lane)));
    return of(values);
  }
  Value splat(int32_t value) { return of(ArrayRef<int32_t>(value)); }
  Value allLanes() { return vector::ConstantMaskOp::create(b, b.maskType(), ArrayRef<int64_t>{b.lanes()}); }
};

/// Where row `pick` of a table in panels [P, W, R] lies.
struct PanelRow {
  PanelRow(KernelBuilder &b, Value table, Value pick)
      : table(table), stride(cast<MemRefType>(table.getType()).getDimSize(2)),
        panel(arith::DivUIOp::create(b, pick, b.index(stride))),
        inPanel(arith::RemUIOp::create(b, pick, b.index(stride))) {}

  Value table;
  int64_t stride; // R: how far apart its elements are
  Value panel, inPanel;
};

/// Columns `column` and on, all of one group, of a row of words in groups.
Value loadGroups(KernelBuilder &b, const PanelRow &row, Value column, Value mask, const WordFormat &format) {
  WordConstants words{b};
  Value stepSize = b.index(WordFormat::stepSize);
  Value step = arith::DivUIOp::create(b, column, stepSize),
        inStep = arith::RemUIOp::create(b, column, stepSize);
  Value firstWord = b.mul(step, format.stepWords());
  Value places = words.lanes([&](int64_t lane) { return lane / format.perWord() * row.stride; });
  Value shifts =
      words.lanes([&](int64_t lane) { return 8 * (lane % 4) + (format.bits == 4 ? lane / 4 % 2 * 4 : 0); });
  Value word = b.add(firstWord, arith::DivUIOp::create(b, inStep, b.index(format.perWord())));
  Value codes = vector::GatherOp::create(b, words.type, row.table, ValueRange{row.panel, word, row.inPanel},
                                         places, mask, words.splat(0));
  codes =
      arith::AndIOp::create(b, arith::ShRUIOp::create(b, codes, shifts), words.splat((1 << format.bits) - 1));
  Value numbers = arith::SIToFPOp::create(b, b.vectorType(),
                                          arith::SubIOp::create(b, codes, words.splat(format.zeroCode())));

  Value scales = b.loadScalar(row.table, {row.panel, b.add(firstWord, format.stepWords() - 1), row.inPanel});
  Value isFirst = b.compare(arith::CmpIPredicate::ult, inStep, b.index(WordFormat::groupSize));
  auto scalar = [&](int64_t value) -> Value { return arith::ConstantIntOp::create(b, value, 32); };
  Value upper = arith::AndIOp::create(b, scales, scalar(static_cast<int32_t>(0xffff0000)));
  Value bits = arith::SelectOp::create(b, isFirst, arith::ShLIOp::create(b, scales, scalar(16)), upper);
  return b.fmul(numbers, b.splat(Value(arith::BitcastOp::create(b, b.getF32Type(), bits))));
}

/// Columns `column` and on, the first of a word, of a row of words of bf16 or i8.
Value loadWords(KernelBuilder &b, const PanelRow &row, Value column, Value mask, const WordFormat &format) {
  WordConstants words{b};
  Value places = words.lanes([&](int64_t lane) { return lane / format.perWord() * row.stride; });
  Value toTop = words.lanes(
      [&](int64_t lane) { return (format.perWord() - 1 - lane % format.perWord()) * format.bits; });
  Value word = arith::DivUIOp::create(b, column, b.index(format.perWord()));
  Value packed = vector::GatherOp::create(b, words.type, row.table, ValueRange{row.panel, word, row.inPanel},
                                          places, mask, words.splat(0));
  Value top = arith::ShLIOp::create(b, packed, toTop);
  if (!format.isInt8) {
    Value digits = arith::AndIOp::create(b, top, words.splat(static_cast<int32_t>(0xffff0000)));
    return arith::BitcastOp::create(b, b.vectorType(), digits);
  }
  int64_t last = cast<MemRefType>(row.table.getType()).getDimSize(1) - 1;
  Value codes = arith::ShRSIOp::create(b, top, words.splat(32 - format.bits));
  Value scale = b.loadScalar(row.table, {row.panel, b.index(last), row.inPanel});
  return b.fmul(Value(arith::SIToFPOp::create(b, b.vectorType(), codes)),
                b.splat(Value(arith::BitcastOp::create(b, b.getF32Type(), scale))));
}

/// Columns `column` and on of row `pick` of a table [V, C], or of one in panels [P, W, R] of `element`, where
/// the elements of a row lie R apart.
Value loadTable(KernelBuilder &b, Value table, Type element, Value pick, Value column, Value mask) {
  auto type = cast<MemRefType>(table.getType());
  if (type.getRank() == 2)
    return b.load(table, {pick, column}, mask);
  PanelRow row(b, table, pick);
  WordConstants words{b};
  if (!mask)
    mask = words.allLanes();
  if (type.getElementType().isInteger(32)) {
    WordFormat format(element);
    return format.isGrouped ? loadGroups(b, row, column, mask, format)
                            : loadWords(b, row, column, mask, format);
  }
  Value places = words.lanes([&](int64_t lane) { return lane * row.stride; });
  auto vectorType = b.vectorType().clone(type.getElementType());
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(vectorType));
  Value numbers = vector::GatherOp::create(b, vectorType, table, ValueRange{row.panel, column, row.inPanel},
                                           places, mask, zero);
  return element.isF32() ? numbers : Value(arith::ExtFOp::create(b, b.vectorType(), numbers));
}

/// What table `i` of a tile holds.
Type elementOf(EmbeddingTileOp op, size_t i) { return getElementTypeOrSelf(op.getTables()[i]); }
Type elementOf(PanelEmbeddingTileOp op, size_t i) { return cast<TypeAttr>(op.getElements()[i]).getValue(); }

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
      for (auto [i, pick] : llvm::enumerate(picks)) {
        Value part = loadTable(b, op.getTables()[i], elementOf(op, i), pick, column, mask);
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
    for (auto [i, table] : llvm::enumerate(op.getTables())) {
      auto type = dyn_cast<MemRefType>(table.getType());
      if (!type || type.getRank() == 2) {
        floats.push_back(table);
      } else if (type.getElementType().isInteger(32)) {
        if (vectorLanes < 8 || WordFormat::groupSize % vectorLanes != 0)
          return op.emitOpError("expects vectors of 8, 16 or 32 lanes with tables of words, got ")
                 << int64_t(vectorLanes);
      } else if (!isUnitStride(type)) {
        return op.emitOpError("expects memrefs of unit stride along the last axis, got ") << type;
      }
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
