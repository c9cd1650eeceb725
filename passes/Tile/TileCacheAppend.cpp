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

namespace mlir::sesame {
#define GEN_PASS_DEF_TILECACHEAPPENDPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

/// Positions of one task. The new keys of a position lie side by side for all groups, the positions apart: a
/// few of them for one group after the other stay in few pages, and what was fetched for one group serves the
/// next.
static constexpr int64_t positionsPerTask = 16;

namespace {
class TileCacheAppendPass : public sesame::impl::TileCacheAppendPassBase<TileCacheAppendPass> {
  void runOnOperation() override {
    SmallVector<CacheAppendOp> ops;
    getOperation()->walk([&](CacheAppendOp op) { ops.push_back(op); });
    for (CacheAppendOp op : ops)
      tile(op);
  }

  static void tile(CacheAppendOp op) {
    OpBuilder b(op);
    Location loc = op.getLoc();
    OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
    SmallVector<OpFoldResult> extents = tensor::getMixedSizes(b, loc, op.getSource()); // [B, G, S, D]
    Blocks positions = {extents[2], positionsPerTask};
    auto loop = scf::ForallOp::create(b, loc, {extents[0], positions.count(b, loc), extents[1]},
                                      ValueRange{op.getCache()}, /*mapping=*/std::nullopt);
    b.setInsertionPoint(loop.getTerminator());
    OpFoldResult row = loop.getInductionVar(0), group = loop.getInductionVar(2);
    Value block = loop.getInductionVar(1);
    OpFoldResult first = positions.offset(b, loc, block), count = positions.size(b, loc, block);
    OpFoldResult place = affine::makeComposedFoldedAffineApply(
        b, loc, b.getAffineSymbolExpr(0) + b.getAffineSymbolExpr(1), {op.getPosition(), first});
    Value source = roundedFrom(op.getSource()), shared = loop.getRegionOutArgs()[0];
    Value tile = extractTileThroughViews(b, loc, source ? source : op.getSource(),
                                         {{row, group, first, zero}, {one, one, count, extents[3]}}, {2, 3});
    Slice slice = {{op.getLayer(), row, group, place, zero}, {one, one, one, count, extents[3]}};
    if (source)
      tile = roundInto(b, loc, tile, extractTile(b, loc, shared, slice, {3, 4}));
    insertTile(b, loc, loop, tile, shared, slice);
    op.getResult().replaceAllUsesWith(loop.getResult(0));
    op.erase();
  }
};
} // namespace
