//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Slices.h"

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_TILEATTENTIONPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

/// The permutation that exchanges heads and positions, [B, H, S, D] and [B, S, H, D].
static constexpr int64_t kSwapHeads[] = {0, 2, 1, 3};

/// The transpose to [B, S, H, E] that alone reads `result`, or null.
static linalg::TransposeOp getOnlySwap(Value result) {
  linalg::TransposeOp swap;
  for (Operation *user : result.getUsers()) {
    if (isa<tensor::DimOp>(user))
      continue;
    auto transpose = dyn_cast<linalg::TransposeOp>(user);
    if (swap || !transpose || transpose.getInput() != result ||
        transpose.getPermutation() != ArrayRef(kSwapHeads))
      return nullptr;
    swap = transpose;
  }
  return swap;
}

namespace {
class TileAttentionPass : public sesame::impl::TileAttentionPassBase<TileAttentionPass> {
public:
  using TileAttentionPassBase::TileAttentionPassBase;

private:
  void runOnOperation() override {
    SmallVector<AttentionOp> ops;
    getOperation()->walk([&](AttentionOp op) { ops.push_back(op); });
    for (AttentionOp op : ops)
      tile(op);
  }

  void tile(AttentionOp op) {
    OpBuilder b(op);
    Location loc = op.getLoc();
    Value query = op.getQuery(), key = op.getKey(), value = op.getValue();
    auto queryType = cast<RankedTensorType>(query.getType());
    auto keyType = cast<RankedTensorType>(key.getType());
    auto valueType = cast<RankedTensorType>(value.getType());
    // The kernel keeps a row of scores' accumulator in registers, and h / (H / G) is to be a shift or a
    // constant.
    if (queryType.isDynamicDim(1) || queryType.isDynamicDim(3) || keyType.isDynamicDim(1) ||
        valueType.isDynamicDim(3))
      return;
    OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
    OpFoldResult batch = tensor::getMixedSize(b, loc, query, 0),
                 numQueries = tensor::getMixedSize(b, loc, query, 2);
    OpFoldResult numKeys = tensor::getMixedSize(b, loc, key, 2);
    int64_t numHeads = queryType.getDimSize(1), headsPerGroup = numHeads / keyType.getDimSize(1);
    OpFoldResult querySize = b.getIndexAttr(queryType.getDimSize(3)),
                 valueSize = b.getIndexAttr(valueType.getDimSize(3));

    // [B, S, H, E] if that is what the reader wants, else [B, H, S, E].
    linalg::TransposeOp swap = getOnlySwap(op.getResult());
    OpFoldResult heads = b.getIndexAttr(numHeads);
    SmallVector<OpFoldResult> extents = swap ? SmallVector<OpFoldResult>{batch, numQueries, heads, valueSize}
                                             : SmallVector<OpFoldResult>{batch, heads, numQueries, valueSize};
    Value empty = tensor::EmptyOp::create(b, loc, extents, queryType.getElementType());

    Blocks queries = {numQueries, queryBlock};
    auto loop = scf::ForallOp::create(b, loc, {batch, heads, queries.count(b, loc)}, ValueRange{empty},
                                      /*mapping=*/std::nullopt);
    b.setInsertionPoint(loop.getTerminator());
    OpFoldResult row = loop.getInductionVar(0), head = loop.getInductionVar(1);
    OpFoldResult first = queries.offset(b, loc, loop.getInductionVar(2));
    OpFoldResult size = queries.size(b, loc, loop.getInductionVar(2));
    OpFoldResult group =
        affine::makeComposedFoldedAffineApply(b, loc, b.getAffineDimExpr(0).floorDiv(headsPerGroup), {head});
    AffineExpr s = b.getAffineSymbolExpr(0), numS = b.getAffineSymbolExpr(1), numT = b.getAffineSymbolExpr(2);
    OpFoldResult position =
        affine::makeComposedFoldedAffineApply(b, loc, s + numT - numS, {first, numQueries, numKeys});

    Value queryTile = extractTileThroughViews(
        b, loc, query, {{row, head, first, zero}, {one, one, size, querySize}}, {2, 3});
    Value keyTile = extractTileThroughViews(
        b, loc, key, {{row, group, zero, zero}, {one, one, numKeys, querySize}}, {2, 3});
    Value valueTile = extractTileThroughViews(
        b, loc, value, {{row, group, zero, zero}, {one, one, numKeys, valueSize}}, {2, 3});
    // Where an operand has extent 1 along an axis that may be longer, its only element serves all.
    auto offsetIn = [&](Value tensor, int64_t axis, OpFoldResult offset) {
      return cast<RankedTensorType>(tensor.getType()).getDimSize(axis) == 1 ? zero : offset;
    };
    Value maskTile, biasTile;
    if (Value mask = op.getMask()) {
      bool perQuery = cast<RankedTensorType>(mask.getType()).getRank() == 3;
      Slice slice;
      slice.add(offsetIn(mask, 0, row), one);
      if (perQuery)
        slice.add(first, size);
      slice.add(zero, numKeys);
      maskTile = extractTile(b, loc, mask, slice, perQuery ? ArrayRef<int64_t>{1, 2} : ArrayRef<int64_t>{1});
    }
    if (Value bias = op.getBias()) {
      bool shared = cast<RankedTensorType>(bias.getType()).getDimSize(2) == 1; // by all queries
      Slice slice = {{offsetIn(bias, 0, row), offsetIn(bias, 1, head), shared ? zero : first, zero},
                     {one, one, shared ? one : size, numKeys}};
      biasTile = extractTile(b, loc, bias, slice, {2, 3});
    }

    Slice outSlice = swap ? Slice{{row, first, head, zero}, {one, size, one, valueSize}}
                          : Slice{{row, head, first, zero}, {one, one, size, valueSize}};
    Value shared = loop.getRegionOutArgs()[0];
    Value outTile = extractTile(b, loc, shared, outSlice, {swap ? 1 : 2, 3});
    auto tile = AttentionTileOp::create(b, loc, outTile.getType(), queryTile, keyTile, valueTile, maskTile,
                                        biasTile, getValueOrCreateConstantIndexOp(b, loc, position), outTile,
                                        op.getCausalAttr(), op.getWindowAttr(), op.getScaleAttr(),
                                        op.getSoftcapAttr(), bf16 ? b.getUnitAttr() : UnitAttr());
    insertTile(b, loc, loop, tile.getResults()[0], shared, outSlice);

    b.setInsertionPointAfter(loop);
    Value old = swap ? swap->getResult(0) : Value(op.getResult());
    Value result = loop.getResult(0);
    if (result.getType() != old.getType())
      result = tensor::CastOp::create(b, loc, old.getType(), result);
    old.replaceAllUsesWith(result);
    if (swap) {
      // What asked the attention for its extents asks the loop, with the axes exchanged.
      for (Operation *user : llvm::make_early_inc_range(op.getResult().getUsers())) {
        auto dim = dyn_cast<tensor::DimOp>(user);
        if (!dim)
          continue;
        OpBuilder at(dim);
        std::optional<int64_t> axis = dim.getConstantIndex();
        dim.getSourceMutable().assign(result);
        dim.getIndexMutable().assign(arith::ConstantIndexOp::create(at, loc, kSwapHeads[axis.value_or(0)]));
      }
      swap->erase();
    }
    op->erase();
  }
};
} // namespace
