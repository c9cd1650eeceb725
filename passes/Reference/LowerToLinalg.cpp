//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_LOWERTOLINALGPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

void mlir::sesame::populateReferencePatterns(RewritePatternSet &patterns) {
  populateActivationReference(patterns);
  populateAttentionReference(patterns);
  populateFeedForwardReference(patterns);
  populateRecurrentReference(patterns);
  populateWordReference(patterns);
}

namespace {
struct LowerToLinalgPass : sesame::impl::LowerToLinalgPassBase<LowerToLinalgPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateReferencePatterns(patterns);
    // What models are made of besides: arith and math ops on tensors, such as the sum of a residual connection.
    linalg::populateElementwiseToLinalgConversionPatterns(patterns);
    FrozenRewritePatternSet frozen(std::move(patterns));
    // Functions only: the recipes of weights are run by the weight program as they are.
    getOperation()->walk([&](FunctionOpInterface function) { walkAndApplyPatterns(function, frozen); });
  }
};
} // namespace
