//===- LowerExpandShape.cpp - Expanded shapes as reinterpret casts --------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_LOWEREXPANDSHAPEPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;

/// The strides of the result: within a group the innermost axis keeps the source's stride, each axis further out steps over what lies
/// inside it.
static SmallVector<OpFoldResult> expandStrides(OpBuilder &builder, memref::ExpandShapeOp expand,
                                               memref::ExtractStridedMetadataOp source) {
  SmallVector<OpFoldResult> sizes = expand.getMixedOutputShape(), sourceStrides = source.getConstifiedMixedStrides();
  // A scalar has no axes to take strides from: those of the result, each of extent 1, are 1.
  SmallVector<OpFoldResult> strides(sizes.size(), builder.getIndexAttr(1));
  AffineExpr outer, inner;
  bindSymbols(builder.getContext(), outer, inner);
  for (auto [axis, group] : llvm::enumerate(expand.getReassociationIndices())) {
    OpFoldResult stride = sourceStrides[axis];
    for (int64_t i = static_cast<int64_t>(group.size()) - 1; i >= 0; --i) {
      strides[group[i]] = stride;
      if (i > 0)
        stride = affine::makeComposedFoldedAffineApply(builder, expand.getLoc(), outer * inner, {stride, sizes[group[i]]});
    }
  }
  return strides;
}

namespace {
struct LowerExpandShapePass : sesame::impl::LowerExpandShapePassBase<LowerExpandShapePass> {
  void runOnOperation() override {
    SmallVector<memref::ExpandShapeOp> ops;
    getOperation().walk([&](memref::ExpandShapeOp expand) { ops.push_back(expand); });
    for (memref::ExpandShapeOp expand : ops) {
      OpBuilder builder(expand);
      auto source = memref::ExtractStridedMetadataOp::create(builder, expand.getLoc(), expand.getSrc());
      SmallVector<OpFoldResult> strides = expandStrides(builder, expand, source);
      Value cast = memref::ReinterpretCastOp::create(builder, expand.getLoc(), expand.getResultType(), source.getBaseBuffer(),
                                                     source.getConstifiedMixedOffset(), expand.getMixedOutputShape(), strides);
      expand.replaceAllUsesWith(cast);
      expand.erase();
    }
  }
};
} // namespace
