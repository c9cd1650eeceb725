//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NarrowCaches.h"
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

/// Builds the loops that compute one attention, into one destination.
class AttentionLoops {
public:
  AttentionLoops(AttentionOp op, int64_t queryBlock, bool bf16)
      : op(op), b(op), loc(op.getLoc()), key(asStored(op.getKey(), bf16)),
        value(asStored(op.getValue(), bf16)), queryBlock(queryBlock), bf16(bf16),
        numHeads(op.getQuery().getType().getDimSize(1)),
        headsPerGroup(numHeads / op.getKey().getType().getDimSize(1)),
        querySize(b.getIndexAttr(op.getQuery().getType().getDimSize(3))),
        valueSize(b.getIndexAttr(op.getValue().getType().getDimSize(3))), swap(getOnlySwap(op.getResult())) {
    batch = tensor::getMixedSize(b, loc, op.getQuery(), 0);
    numQueries = tensor::getMixedSize(b, loc, op.getQuery(), 2);
    numKeys = tensor::getMixedSize(b, loc, key, 2);
  }

  /// The transpose to [B, S, H, E] that the result includes, or null.
  linalg::TransposeOp getSwap() { return swap; }

  /// All of it. A step of one query takes `headsPerTask` heads at once, if that is more than 1.
  Value build(int64_t headsPerTask) {
    OpFoldResult heads = b.getIndexAttr(numHeads);
    Value empty = tensor::EmptyOp::create(b, loc,
                                          swap ? Extents{batch, numQueries, heads, valueSize}
                                               : Extents{batch, heads, numQueries, valueSize},
                                          op.getQuery().getType().getElementType());
    if (headsPerTask == 1)
      return buildForHead(empty);
    if (std::optional<int64_t> known = getConstantIntValue(numQueries))
      return *known == 1 ? buildForHeads(empty, headsPerTask) : buildForHead(empty);
    Value isStep = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, cast<Value>(numQueries),
                                         arith::ConstantIndexOp::create(b, loc, 1));
    auto choice = scf::IfOp::create(b, loc, empty.getType(), isStep, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(choice.thenBlock());
    scf::YieldOp::create(b, loc, buildForHeads(empty, headsPerTask));
    b.setInsertionPointToEnd(choice.elseBlock());
    scf::YieldOp::create(b, loc, buildForHead(empty));
    return choice.getResult(0);
  }

private:
  using Extents = SmallVector<OpFoldResult>;

  /// A task is a block of queries of one head.
  Value buildForHead(Value out);
  /// A task is the only query of `count` heads, whose keys and values are the same.
  Value buildForHeads(Value out, int64_t count);

  /// Keys or values as the cache holds them: the tile rounds them to what they were widened from.
  static Value asStored(Value tensor, bool bf16) {
    Value narrow = bf16 ? widenedFrom(tensor) : Value();
    return narrow ? narrow : tensor;
  }
  /// The keys, or values, that query head `head` of batch row `row` reads.
  Value extractOfGroup(Value tensor, Value row, OpFoldResult head, OpFoldResult size) {
    OpFoldResult group =
        affine::makeComposedFoldedAffineApply(b, loc, b.getAffineDimExpr(0).floorDiv(headsPerGroup), {head});
    return extractTileThroughViews(b, loc, tensor,
                                   {{row, group, zero(), zero()}, {one(), one(), numKeys, size}}, {2, 3});
  }
  /// first + T - S.
  Value positionOf(OpFoldResult first) {
    AffineExpr s = b.getAffineSymbolExpr(0), numS = b.getAffineSymbolExpr(1), numT = b.getAffineSymbolExpr(2);
    return getValueOrCreateConstantIndexOp(
        b, loc, affine::makeComposedFoldedAffineApply(b, loc, s + numT - numS, {first, numQueries, numKeys}));
  }
  /// Where an operand has extent 1 along an axis that may be longer, its only element serves all.
  static bool isShared(Value tensor, int64_t axis) {
    return cast<RankedTensorType>(tensor.getType()).getDimSize(axis) == 1;
  }
  OpFoldResult offsetIn(Value tensor, int64_t axis, OpFoldResult offset) {
    return isShared(tensor, axis) ? zero() : offset;
  }
  void buildTile(scf::ForallOp loop, const Slice &outSlice, ArrayRef<int64_t> outAxes, Value query, Value row,
                 OpFoldResult head, Value mask, Value bias, OpFoldResult first, bool heads);
  OpFoldResult zero() { return b.getIndexAttr(0); }
  OpFoldResult one() { return b.getIndexAttr(1); }

  AttentionOp op;
  OpBuilder b;
  Location loc;
  Value key, value;
  int64_t queryBlock;
  bool bf16;
  int64_t numHeads, headsPerGroup;
  OpFoldResult querySize, valueSize, batch, numQueries, numKeys;
  linalg::TransposeOp swap;
};

Value AttentionLoops::buildForHead(Value out) {
  OpBuilder::InsertionGuard guard(b);
  Blocks queries = {numQueries, queryBlock};
  auto loop = scf::ForallOp::create(b, loc, {batch, b.getIndexAttr(numHeads), queries.count(b, loc)},
                                    ValueRange{out}, /*mapping=*/std::nullopt);
  b.setInsertionPoint(loop.getTerminator());
  Value row = loop.getInductionVar(0), head = loop.getInductionVar(1);
  OpFoldResult first = queries.offset(b, loc, loop.getInductionVar(2));
  OpFoldResult size = queries.size(b, loc, loop.getInductionVar(2));
  Value query = extractTileThroughViews(
      b, loc, op.getQuery(), {{row, head, first, zero()}, {one(), one(), size, querySize}}, {2, 3});
  Value maskTile, biasTile;
  if (Value mask = op.getMask()) {
    bool perQuery = cast<RankedTensorType>(mask.getType()).getRank() == 3;
    Slice slice;
    slice.add(offsetIn(mask, 0, row), one());
    if (perQuery)
      slice.add(first, size);
    slice.add(zero(), numKeys);
    maskTile = extractTile(b, loc, mask, slice, perQuery ? ArrayRef<int64_t>{1, 2} : ArrayRef<int64_t>{1});
  }
  if (Value bias = op.getBias()) {
    bool shared = isShared(bias, 2); // by all queries
    Slice slice = {{offsetIn(bias, 0, row), offsetIn(bias, 1, head), shared ? zero() : first, zero()},
                   {one(), one(), shared ? one() : size, numKeys}};
    biasTile = extractTile(b, loc, bias, slice, {2, 3});
  }
  Slice outSlice = swap ? Slice{{row, first, head, zero()}, {one(), size, one(), valueSize}}
                        : Slice{{row, head, first, zero()}, {one(), one(), size, valueSize}};
  buildTile(loop, outSlice, {swap ? 1 : 2, 3}, query, row, head, maskTile, biasTile, first, /*heads=*/false);
  return loop.getResult(0);
}

Value AttentionLoops::buildForHeads(Value out, int64_t count) {
  OpBuilder::InsertionGuard guard(b);
  auto loop = scf::ForallOp::create(b, loc, {batch, b.getIndexAttr(numHeads / count)}, ValueRange{out},
                                    /*mapping=*/std::nullopt);
  b.setInsertionPoint(loop.getTerminator());
  Value row = loop.getInductionVar(0);
  OpFoldResult head = affine::makeComposedFoldedAffineApply(b, loc, b.getAffineDimExpr(0) * count,
                                                            {OpFoldResult(loop.getInductionVar(1))});
  OpFoldResult size = b.getIndexAttr(count);
  Value query = extractTileThroughViews(
      b, loc, op.getQuery(), {{row, head, zero(), zero()}, {one(), size, one(), querySize}}, {1, 3});
  Value maskTile, biasTile;
  if (Value mask = op.getMask()) {
    Slice slice;
    slice.add(offsetIn(mask, 0, row), one());
    if (cast<RankedTensorType>(mask.getType()).getRank() == 3)
      slice.add(zero(), one());
    slice.add(zero(), numKeys);
    maskTile = extractTile(b, loc, mask, slice, cast<RankedTensorType>(mask.getType()).getRank() - 1);
  }
  if (Value bias = op.getBias()) {
    Slice slice = {{offsetIn(bias, 0, row), offsetIn(bias, 1, head), zero(), zero()},
                   {one(), isShared(bias, 1) ? one() : size, one(), numKeys}};
    biasTile = extractTile(b, loc, bias, slice, {1, 3});
  }
  Slice outSlice = swap ? Slice{{row, zero(), head, zero()}, {one(), one(), size, valueSize}}
                        : Slice{{row, head, zero(), zero()}, {one(), size, one(), valueSize}};
  buildTile(loop, outSlice, {swap ? 2 : 1, 3}, query, row, head, maskTile, biasTile, zero(), /*heads=*/true);
  return loop.getResult(0);
}

void AttentionLoops::buildTile(scf::ForallOp loop, const Slice &outSlice, ArrayRef<int64_t> outAxes,
                               Value query, Value row, OpFoldResult head, Value mask, Value bias,
                               OpFoldResult first, bool heads) {
  Value keys = extractOfGroup(key, row, head, querySize);
  Value values = extractOfGroup(value, row, head, valueSize);
  Value shared = loop.getRegionOutArgs()[0];
  Value out = extractTile(b, loc, shared, outSlice, outAxes);
  auto tile =
      AttentionTileOp::create(b, loc, out.getType(), query, keys, values, mask, bias, positionOf(first), out,
                              op.getCausalAttr(), op.getWindowAttr(), op.getScaleAttr(), op.getSoftcapAttr(),
                              bf16 ? b.getUnitAttr() : UnitAttr(), heads ? b.getUnitAttr() : UnitAttr());
  insertTile(b, loc, loop, tile.getResults()[0], shared, outSlice);
}

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

  /// Query heads that one step reads keys and values for at once.
  int64_t chooseHeads(AttentionOp op) {
    int64_t heads = op.getQuery().getType().getDimSize(1),
            perGroup = heads / op.getKey().getType().getDimSize(1);
    for (int64_t count = std::min<int64_t>(perGroup, headsPerTask); count > 1; --count)
      if (perGroup % count == 0 && heads / count > 1)
        return count;
    return 1;
  }

  void tile(AttentionOp op) {
    auto queryType = op.getQuery().getType();
    // The kernel keeps a row of scores' accumulator in registers, and h / (H / G) is to be a shift or a
    // constant.
    if (queryType.isDynamicDim(1) || queryType.isDynamicDim(3) || op.getKey().getType().isDynamicDim(1) ||
        op.getValue().getType().isDynamicDim(3))
      return;
    AttentionLoops loops(op, queryBlock, bf16);
    Value result = loops.build(chooseHeads(op));
    linalg::TransposeOp swap = loops.getSwap();
    OpBuilder b(op);
    Value old = swap ? swap->getResult(0) : Value(op.getResult());
    if (result.getType() != old.getType())
      result = tensor::CastOp::create(b, op.getLoc(), old.getType(), result);
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
        dim.getIndexMutable().assign(
            arith::ConstantIndexOp::create(at, op.getLoc(), kSwapHeads[axis.value_or(0)]));
      }
      swap->erase();
    }
    op->erase();
  }
};
} // namespace
