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
#define GEN_PASS_DEF_FUSELINEARACTIVATIONPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

static constexpr StringLiteral passName = "sesame-fuse-linear-activation";

namespace {
struct FuseActivation : OpRewritePattern<ActivationOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ActivationOp activation, PatternRewriter &rewriter) const override {
    auto linear = activation.getInput().getDefiningOp<LinearOp>();
    if (!linear)
      return rewriter.notifyMatchFailure(activation, "input is no linear");
    if (!linear->hasOneUse())
      return refuse(rewriter, passName, activation, "the linear has another user");
    if (linear.getActivation() != Activation::identity)
      return refuse(rewriter, passName, activation, "the linear has an activation already");
    if (linear.getResidual())
      return refuse(rewriter, passName, activation, "the linear adds a residual before the activation");
    rewriter.modifyOpInPlace(linear, [&] { linear.setActivation(activation.getKind()); });
    rewriter.replaceOp(activation, linear);
    reportDone(passName, linear, "activation folded into its linear");
    return success();
  }
};

struct FuseLinearActivationPass : mlir::sesame::impl::FuseLinearActivationPassBase<FuseLinearActivationPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseActivation>(&getContext());
    applyOnce(getOperation(), std::move(patterns));
  }
};
} // namespace
