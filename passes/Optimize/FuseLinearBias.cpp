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

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_FUSELINEARBIASPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

static constexpr StringLiteral passName = "sesame-fuse-linear-bias";

/// The vector [N] that `value` [..., N] repeats along all other axes; null if it is something else.
static Value getBroadcastRow(Value value) {
  auto broadcast = value.getDefiningOp<linalg::BroadcastOp>();
  if (!broadcast || cast<ShapedType>(broadcast.getInput().getType()).getRank() != 1)
    return nullptr;
  // The new axes are listed; what is left for the vector must be the last one.
  int64_t last = cast<ShapedType>(value.getType()).getRank() - 1;
  return llvm::is_contained(broadcast.getDimensions(), last) ? Value() : broadcast.getInput();
}

namespace {
struct FuseBias : OpRewritePattern<arith::AddFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::AddFOp add, PatternRewriter &rewriter) const override {
    auto linear = add.getLhs().getDefiningOp<LinearOp>();
    Value row = getBroadcastRow(add.getRhs());
    if (!linear || !row) {
      linear = add.getRhs().getDefiningOp<LinearOp>();
      row = getBroadcastRow(add.getLhs());
    }
    if (!linear || !row)
      return rewriter.notifyMatchFailure(add, "not the sum of a linear and a row that is repeated");
    if (!linear->hasOneUse())
      return refuse(rewriter, passName, add, "the linear has another user");
    if (linear.getBias() || linear.getResidual() || linear.getActivation() != Activation::identity)
      return refuse(rewriter, passName, add, "the linear has a bias, an activation or a residual already");
    if (linear->getBlock() != add->getBlock())
      return refuse(rewriter, passName, add,
                    "the linear lies in another block"); // moving it into a loop would repeat it
    // At the sum, where both the linear's operands and the row are defined.
    auto fused =
        LinearOp::create(rewriter, linear.getLoc(), add.getType(), linear.getInput(), linear.getWeight(), row,
                         /*residual=*/Value(), linear.getLayout(), Activation::identity);
    rewriter.replaceOp(add, fused);
    reportDone(passName, fused, "bias folded into its linear");
    return success();
  }
};

struct FuseLinearBiasPass : mlir::sesame::impl::FuseLinearBiasPassBase<FuseLinearBiasPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseBias>(&getContext());
    applyOnce(getOperation(), std::move(patterns));
  }
};
} // namespace
