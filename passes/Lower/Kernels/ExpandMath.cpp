//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FloatBuilder.h"

#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_EXPANDMATHPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame::kernels;

namespace {

/// Replaces one unary math operation on f32 by a member function of FloatBuilder.
template <typename OpTy> struct ExpandUnary : OpRewritePattern<OpTy> {
  using Function = Value (FloatBuilder::*)(Value);

  ExpandUnary(MLIRContext *context, Function function, bool useScalef)
      : OpRewritePattern<OpTy>(context), function(function), useScalef(useScalef) {}

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    Type type = op.getType();
    if (!getElementTypeOrSelf(type).isF32() || isa<TensorType>(type))
      return rewriter.notifyMatchFailure(op, "expects f32 or a vector of it");
    FloatBuilder b(rewriter, op.getLoc(), type, useScalef);
    rewriter.replaceOp(op, (b.*function)(op.getOperand()));
    return success();
  }

  Function function;
  bool useScalef;
};

struct ExpandMathPass : sesame::impl::ExpandMathPassBase<ExpandMathPass> {
  using Base::Base;

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    bool useScalef = vectorLanes >= 16;
    patterns.add<ExpandUnary<math::ExpOp>>(context, &FloatBuilder::exp, useScalef);
    patterns.add<ExpandUnary<math::Exp2Op>>(context, &FloatBuilder::exp2, useScalef);
    patterns.add<ExpandUnary<math::ExpM1Op>>(context, &FloatBuilder::expm1, useScalef);
    patterns.add<ExpandUnary<math::LogOp>>(context, &FloatBuilder::log, useScalef);
    patterns.add<ExpandUnary<math::Log2Op>>(context, &FloatBuilder::log2, useScalef);
    patterns.add<ExpandUnary<math::Log10Op>>(context, &FloatBuilder::log10, useScalef);
    patterns.add<ExpandUnary<math::Log1pOp>>(context, &FloatBuilder::log1p, useScalef);
    patterns.add<ExpandUnary<math::TanhOp>>(context, &FloatBuilder::tanh, useScalef);
    patterns.add<ExpandUnary<math::ErfOp>>(context, &FloatBuilder::erf, useScalef);
    patterns.add<ExpandUnary<math::ErfcOp>>(context, &FloatBuilder::erfc, useScalef);
    patterns.add<ExpandUnary<math::SinOp>>(context, &FloatBuilder::sin, useScalef);
    patterns.add<ExpandUnary<math::CosOp>>(context, &FloatBuilder::cos, useScalef);
    patterns.add<ExpandUnary<math::TanOp>>(context, &FloatBuilder::tan, useScalef);
    patterns.add<ExpandUnary<math::RsqrtOp>>(context, &FloatBuilder::rsqrt, useScalef);
    // f16 and bf16 are computed in f32.
    populateMathF32ExpansionPatterns(patterns, [](StringRef name) {
      return llvm::is_contained({"math.exp", "math.exp2", "math.expm1", "math.log", "math.log2", "math.log10",
                                 "math.log1p", "math.tanh", "math.erf", "math.sin", "math.cos", "math.tan",
                                 "math.rsqrt"},
                                name);
    });
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
