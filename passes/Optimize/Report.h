//===- Report.h - What an optimisation did, and why not elsewhere -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Remarks of category "sesame.optimize", shown by `sesame compile --explain` and by
// `sesame-opt --remarks-filter=sesame.* --remark-format=emitRemark`.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_OPTIMIZE_REPORT_H
#define SESAME_OPTIMIZE_REPORT_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/RegionUtils.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::sesame {

inline remark::RemarkOpts reportAs(StringRef pass, Operation *op) {
  auto function = op->getParentOfType<func::FuncOp>();
  return remark::RemarkOpts::name(pass)
      .category("sesame.optimize")
      .function(function ? function.getName() : "");
}

/// `pass` rewrote what now is `op`.
inline void reportDone(StringRef pass, Operation *op, StringRef what) {
  remark::passed(op->getLoc(), reportAs(pass, op)) << what;
}

/// `op` is nearly what `pass` rewrites, but for `reason`. Fails, as a pattern does that does not match.
inline LogicalResult refuse(RewriterBase &rewriter, StringRef pass, Operation *op, StringRef reason) {
  remark::missed(op->getLoc(), reportAs(pass, op)) << reason;
  return rewriter.notifyMatchFailure(op, reason);
}

/// Offers every operation under `op` to `patterns` once, in order, and erases what is dead then. (The greedy
/// driver offers them until nothing changes, and would report a refusal each time.)
inline void applyOnce(Operation *op, RewritePatternSet &&patterns) {
  walkAndApplyPatterns(op, std::move(patterns));
  IRRewriter rewriter(op->getContext());
  (void)runRegionDCE(rewriter, op->getRegions());
}

} // namespace mlir::sesame

#endif // SESAME_OPTIMIZE_REPORT_H
