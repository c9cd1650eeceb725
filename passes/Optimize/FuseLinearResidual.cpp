//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/Passes.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_FUSELINEARRESIDUALPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

static constexpr StringLiteral passName = "sesame-fuse-linear-residual";

namespace {
struct FuseResidual : OpRewritePattern<arith::AddFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::AddFOp add, PatternRewriter &rewriter) const override {
    auto left = add.getLhs().getDefiningOp<LinearOp>(), right = add.getRhs().getDefiningOp<LinearOp>();
    if (!left && !right)
      return rewriter.notifyMatchFailure(add, "neither operand is a linear");
    // Of two linears the right one, computed last in most programs, finds the other's result in the cache.
    for (auto [linear, residual] : {std::pair(right, add.getLhs()), std::pair(left, add.getRhs())}) {
      if (!linear || whyNot(linear, add))
        continue;
      // At the sum, where the residual is defined too.
      auto fused =
          LinearOp::create(rewriter, linear.getLoc(), add.getType(), linear.getInput(), linear.getWeight(),
                           linear.getBias(), residual, linear.getLayout(), linear.getActivation());
      rewriter.replaceOp(add, fused);
      reportDone(passName, fused, "residual folded into its linear");
      return success();
    }
    return refuse(rewriter, passName, add, whyNot(right ? right : left, add));
  }

  /// Null if `linear` can take the other operand of `add` as residual, else the reason.
  static const char *whyNot(LinearOp linear, arith::AddFOp add) {
    if (!linear->hasOneUse())
      return "the linear has another user";
    if (linear.getResidual())
      return "the linear has a residual already";
    if (linear->getBlock() != add->getBlock())
      return "the linear lies in another block"; // moving it into a loop would repeat it
    return nullptr;
  }
};

struct FuseLinearResidualPass : mlir::sesame::impl::FuseLinearResidualPassBase<FuseLinearResidualPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseResidual>(&getContext());
    applyOnce(getOperation(), std::move(patterns));
  }
};
} // namespace
