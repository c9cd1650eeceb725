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
#define GEN_PASS_DEF_FUSEEMBEDDINGSUMPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

static constexpr StringLiteral passName = "sesame-fuse-embedding-sum";

namespace {
struct FuseSum : OpRewritePattern<arith::AddFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::AddFOp add, PatternRewriter &rewriter) const override {
    auto first = add.getLhs().getDefiningOp<EmbeddingOp>(),
         second = add.getRhs().getDefiningOp<EmbeddingOp>();
    if (!first || !second)
      return rewriter.notifyMatchFailure(add, "not the sum of two embeddings");
    if (!first->hasOneUse() || !second->hasOneUse())
      return refuse(rewriter, passName, add, "one of the embeddings has another user");
    // (a + b) + c is what one op computes, and c + (a + b) is the same number; (a + b) + (c + d) is not.
    if (second.getTables().size() > 1)
      std::swap(first, second);
    if (second.getTables().size() > 1)
      return refuse(rewriter, passName, add,
                    "both embeddings are sums already: another order would round differently");
    SmallVector<Value> indices = llvm::to_vector(first.getIndices()),
                       tables = llvm::to_vector(first.getTables());
    llvm::append_range(indices, second.getIndices());
    llvm::append_range(tables, second.getTables());
    auto fused = rewriter.replaceOpWithNewOp<EmbeddingOp>(add, add.getType(), indices, tables);
    reportDone(passName, fused, "sum of embeddings made one embedding");
    return success();
  }
};

struct FuseEmbeddingSumPass : mlir::sesame::impl::FuseEmbeddingSumPassBase<FuseEmbeddingSumPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseSum>(&getContext());
    applyOnce(getOperation(), std::move(patterns));
  }
};
} // namespace
