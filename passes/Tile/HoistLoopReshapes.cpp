//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_HOISTLOOPRESHAPESPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;

namespace {
/// `value` given another shape of the same elements by the inverse of `expand`.
Value collapseLike(OpBuilder &b, tensor::ExpandShapeOp expand, Value value) {
  return tensor::CollapseShapeOp::create(b, expand.getLoc(), expand.getSrcType(), value,
                                         expand.getReassociationIndices());
}

/// `value` expanded as `expand` does, to `extents`.
Value expandLike(OpBuilder &b, tensor::ExpandShapeOp expand, Value value, ArrayRef<OpFoldResult> extents) {
  return tensor::ExpandShapeOp::create(b, expand.getLoc(), expand.getResultType(), value,
                                       expand.getReassociationIndices(), extents);
}

class HoistLoopReshapesPass : public sesame::impl::HoistLoopReshapesPassBase<HoistLoopReshapesPass> {
  void runOnOperation() override {
    SmallVector<scf::ForOp> loops;
    getOperation()->walk([&](scf::ForOp loop) { loops.push_back(loop); }); // inner loops first
    IRRewriter rewriter(&getContext());
    for (scf::ForOp loop : loops)
      hoist(rewriter, loop);
  }

  static void hoist(IRRewriter &rewriter, scf::ForOp loop) {
    // For each carried value the expand_shape that ends an iteration, or null.
    Operation *yield = loop.getBody()->getTerminator();
    SmallVector<tensor::ExpandShapeOp> expands;
    for (auto [init, yielded] : llvm::zip_equal(loop.getInitArgs(), yield->getOperands())) {
      auto expand = yielded.getDefiningOp<tensor::ExpandShapeOp>();
      expands.push_back(expand && expand->getParentRegion() == &loop.getRegion() ? expand : nullptr);
    }
    if (llvm::none_of(expands, [](tensor::ExpandShapeOp op) { return static_cast<bool>(op); }))
      return;

    Location loc = loop.getLoc();
    rewriter.setInsertionPoint(loop);
    SmallVector<Value> inits(loop.getInitArgs());
    SmallVector<SmallVector<OpFoldResult>> extents(inits.size());
    for (auto [i, expand] : llvm::enumerate(expands)) {
      if (!expand)
        continue;
      // One buffer holds the tensor through all iterations, so its extents are the initial ones.
      extents[i] = tensor::getMixedSizes(rewriter, loc, inits[i]);
      inits[i] = collapseLike(rewriter, expand, inits[i]);
    }
    auto flat =
        scf::ForOp::create(rewriter, loc, loop.getLowerBound(), loop.getUpperBound(), loop.getStep(), inits);
    flat->setAttrs(loop->getAttrs());

    rewriter.setInsertionPointToStart(flat.getBody());
    SmallVector<Value> arguments = {flat.getInductionVar()};
    for (auto [i, expand] : llvm::enumerate(expands)) {
      Value carried = flat.getRegionIterArgs()[i];
      arguments.push_back(expand ? expandLike(rewriter, expand, carried, extents[i]) : carried);
    }
    rewriter.mergeBlocks(loop.getBody(), flat.getBody(), arguments);
    rewriter.modifyOpInPlace(yield, [&] {
      for (auto [i, expand] : llvm::enumerate(expands))
        if (expand)
          yield->setOperand(i, expand.getSrc());
    });

    rewriter.setInsertionPointAfter(flat);
    SmallVector<Value> results(flat.getResults());
    for (auto [i, expand] : llvm::enumerate(expands))
      if (expand)
        results[i] = expandLike(rewriter, expand, results[i], extents[i]);
    rewriter.replaceOp(loop, results);
  }
};
} // namespace
