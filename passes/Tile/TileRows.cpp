//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Embedding.h"
#include "Slices.h"

#include "sesame/Dialect/PanelOps.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/TypeUtilities.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_TILEROWSPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

/// Whether `indices` has one element along `axis` where the result may have more.
static bool isBroadcast(Value indices, int64_t axis, RankedTensorType result) {
  return cast<RankedTensorType>(indices.getType()).getDimSize(axis) == 1 && result.getDimSize(axis) != 1;
}

bool mlir::sesame::canTileEmbedding(EmbeddingOp op) {
  auto result = cast<RankedTensorType>(op.getResult().getType());
  int64_t numAxes = result.getRank() - 1; // of the indices
  // Rows are cut along the last index axis, so every table must be indexed along it; C is the kernel's.
  if (numAxes < 1 || result.isDynamicDim(numAxes))
    return false;
  auto isAlong = [&](int64_t axis) {
    return [&result, axis](Value indices) { return !isBroadcast(indices, axis, result); };
  };
  if (!llvm::all_of(op.getIndices(), isAlong(numAxes - 1)))
    return false;
  // A dynamic extent is some operand's.
  for (int64_t axis = 0; axis < numAxes; ++axis)
    if (result.isDynamicDim(axis) && llvm::none_of(op.getIndices(), isAlong(axis)))
      return false;
  return true;
}

namespace {
class TileRowsPass : public sesame::impl::TileRowsPassBase<TileRowsPass> {
public:
  using TileRowsPassBase::TileRowsPassBase;

private:
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isa<LayerNormOp, RMSNormOp, EmbeddingOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      OpBuilder b(op);
      if (auto norm = dyn_cast<LayerNormOp>(op))
        tileNorm(b, op, NormKind::layer, norm.getInput(), norm.getWeight(), norm.getBias(), norm.getEpsilon(),
                 APFloat(0.0f));
      else if (auto norm = dyn_cast<RMSNormOp>(op))
        tileNorm(b, op, NormKind::rms, norm.getInput(), norm.getWeight(), /*bias=*/nullptr, norm.getEpsilon(),
                 norm.getOffset());
      else
        tileEmbedding(b, cast<EmbeddingOp>(op));
    }
  }

  /// Whether a normalisation may write over its input: an operation made it for the normalisation alone.
  static bool isDead(Value input) {
    while (true) {
      auto readers = llvm::make_filter_range(input.getUsers(),
                                             [](Operation *user) { return !isa<tensor::DimOp>(user); });
      if (!llvm::hasSingleElement(readers))
        return false;
      Operation *producer = input.getDefiningOp();
      if (!isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(producer))
        return isa_and_nonnull<DestinationStyleOpInterface, scf::ForOp>(producer);
      input = producer->getOperand(0);
    }
  }

  void tileNorm(OpBuilder &b, Operation *op, NormKind kind, Value input, Value weight, Value bias,
                APFloat epsilon, APFloat offset) {
    Location loc = op->getLoc();
    auto type = cast<RankedTensorType>(input.getType());
    if (type.isDynamicDim(type.getRank() - 1))
      return;
    bool inPlace = isDead(input);
    Value matrix = collapseToRows(b, loc, input); // [M, C]
    SmallVector<OpFoldResult> extents = tensor::getMixedSizes(b, loc, matrix);
    Value out = inPlace ? matrix : Value(tensor::EmptyOp::create(b, loc, extents, type.getElementType()));
    Blocks rows = {extents[0], rowsPerTask};
    auto loop =
        scf::ForallOp::create(b, loc, {rows.count(b, loc)}, ValueRange{out}, /*mapping=*/std::nullopt);
    b.setInsertionPoint(loop.getTerminator());
    Value block = loop.getInductionVar(0), shared = loop.getRegionOutArgs()[0];
    Slice slice;
    slice.add(rows.offset(b, loc, block), rows.size(b, loc, block));
    slice.add(b.getIndexAttr(0), extents[1]);
    Value outTile = extractTile(b, loc, shared, slice, {0, 1});
    Value inputTile = inPlace ? outTile : extractTile(b, loc, matrix, slice, {0, 1});
    auto tile = NormTileOp::create(b, loc, outTile.getType(), kind, inputTile, weight, bias, outTile, epsilon,
                                   offset);
    insertTile(b, loc, loop, tile.getResults()[0], shared, slice);
    b.setInsertionPointAfter(loop);
    op->getResult(0).replaceAllUsesWith(expandFromRows(b, loc, loop.getResult(0), input));
    op->erase();
  }

  void tileEmbedding(OpBuilder &b, EmbeddingOp op) {
    Location loc = op.getLoc();
    auto resultType = cast<RankedTensorType>(op.getResult().getType());
    int64_t numAxes = resultType.getRank() - 1; // of the indices
    if (!canTileEmbedding(op))
      return;

    SmallVector<OpFoldResult> extents = getIndexExtents(b, loc, op);
    extents.push_back(b.getIndexAttr(resultType.getDimSize(numAxes)));
    Value out = tensor::EmptyOp::create(b, loc, extents, resultType.getElementType());
    Blocks rows = {extents[numAxes - 1], rowsPerTask};
    SmallVector<OpFoldResult> counts(extents.begin(), extents.begin() + numAxes - 1);
    counts.push_back(rows.count(b, loc));
    auto loop = scf::ForallOp::create(b, loc, counts, ValueRange{out}, /*mapping=*/std::nullopt);
    b.setInsertionPoint(loop.getTerminator());
    Value block = loop.getInductionVars().back(), shared = loop.getRegionOutArgs()[0];
    OpFoldResult first = rows.offset(b, loc, block), numRows = rows.size(b, loc, block);

    SmallVector<Value> indexTiles;
    for (Value indices : op.getIndices()) {
      Slice slice;
      for (int64_t axis = 0; axis < numAxes - 1; ++axis) {
        bool broadcast = isBroadcast(indices, axis, resultType);
        slice.add(broadcast ? OpFoldResult(b.getIndexAttr(0)) : OpFoldResult(loop.getInductionVar(axis)),
                  b.getIndexAttr(1));
      }
      slice.add(first, numRows);
      indexTiles.push_back(extractTile(b, loc, indices, slice, {numAxes - 1}));
    }
    Slice slice;
    for (int64_t axis = 0; axis < numAxes - 1; ++axis)
      slice.add(loop.getInductionVar(axis), b.getIndexAttr(1));
    slice.add(first, numRows);
    slice.add(b.getIndexAttr(0), extents[numAxes]);
    Value outTile = extractTile(b, loc, shared, slice, {numAxes - 1, numAxes});
    // Tables in panels are read where they lie.
    SmallVector<Value> tables;
    SmallVector<Type> elements; // what they hold
    for (Value table : op.getTables()) {
      auto unpack = table.getDefiningOp<UnpackPanelsOp>();
      tables.push_back(unpack ? unpack.getPanels() : table);
      Type element = getElementTypeOrSelf(tables.back());
      elements.push_back(unpack ? unpack.getElement().value_or(element) : element);
    }
    bool hasPanels = tables != SmallVector<Value>(op.getTables());
    Value tile =
        hasPanels
            ? PanelEmbeddingTileOp::create(b, loc, outTile.getType(), indexTiles, tables, outTile,
                                           b.getTypeArrayAttr(elements))
                  .getResults()[0]
            : EmbeddingTileOp::create(b, loc, outTile.getType(), indexTiles, tables, outTile).getResults()[0];
    insertTile(b, loc, loop, tile, shared, slice);
    op.getResult().replaceAllUsesWith(loop.getResult(0));
    op.erase();
  }

  /// The result's extents along the index axes, each from an operand that is not broadcast along it.
  static SmallVector<OpFoldResult> getIndexExtents(OpBuilder &b, Location loc, EmbeddingOp op) {
    auto resultType = cast<RankedTensorType>(op.getResult().getType());
    SmallVector<OpFoldResult> extents;
    for (int64_t axis = 0; axis < resultType.getRank() - 1; ++axis) {
      if (!resultType.isDynamicDim(axis)) {
        extents.push_back(b.getIndexAttr(resultType.getDimSize(axis)));
        continue;
      }
      auto whole = llvm::find_if(op.getIndices(), [&](Value i) { return !isBroadcast(i, axis, resultType); });
      extents.push_back(tensor::getMixedSize(b, loc, *whole, axis));
    }
    return extents;
  }
};
} // namespace
