//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Slices.h"

#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_TILEELEMENTWISEPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

/// Whether `map` reads along the loops' last axis contiguously, or not along it at all: its results are
/// different loops or 0, and the last loop can only be the last result.
static bool isContiguous(AffineMap map) {
  if (!map.isProjectedPermutation(/*allowZeroInResults=*/true))
    return false;
  for (unsigned i = 0; i + 1 < map.getNumResults(); ++i)
    if (map.getResult(i).isFunctionOfDim(map.getNumDims() - 1))
      return false;
  return true;
}

static bool readsLastLoop(AffineMap map) { return map.isFunctionOfDim(map.getNumDims() - 1); }

/// Whether vectors can stand for the scalars in the body: constants and operations on elements, nothing that
/// knows where it is.
static bool hasElementwiseBody(linalg::GenericOp op) {
  return llvm::all_of(op.getBody()->without_terminator(), [](Operation &inner) {
    return isa<arith::ConstantOp>(inner) || OpTrait::hasElementwiseMappableTraits(&inner);
  });
}

static bool canTile(linalg::GenericOp op) {
  if (!op.hasPureTensorSemantics() || op.getNumLoops() == 0 || op.getNumParallelLoops() != op.getNumLoops())
    return false;
  for (OpOperand &init : op.getDpsInitsMutable())
    if (!op.getMatchingIndexingMap(&init).isIdentity() || op.payloadUsesValueFromOperand(&init) ||
        !isa<FloatType>(getElementTypeOrSelf(init.get())))
      return false;
  for (OpOperand *input : op.getDpsInputOperands()) {
    // Vectors of i1 are packed in memory, tensors of i1 are not.
    if (!isa<RankedTensorType>(input->get().getType()) || getElementTypeOrSelf(input->get()).isInteger(1) ||
        !isContiguous(op.getMatchingIndexingMap(input)))
      return false;
  }
  return hasElementwiseBody(op);
}

namespace {
class TileElementwisePass : public sesame::impl::TileElementwisePassBase<TileElementwisePass> {
public:
  using TileElementwisePassBase::TileElementwisePassBase;

private:
  void runOnOperation() override {
    if (failed(fuse()))
      return signalPassFailure();
    SmallVector<linalg::GenericOp> ops;
    getOperation()->walk([&](linalg::GenericOp op) {
      if (!op->getParentOfType<scf::ForallOp>() && canTile(op))
        ops.push_back(op);
    });
    for (linalg::GenericOp op : ops)
      tile(op);
  }

  /// Makes one operation of elementwise chains, so that what lies between never goes to memory.
  LogicalResult fuse() {
    SmallVector<linalg::LinalgOp> named;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (!isa<linalg::GenericOp, linalg::FillOp>(op) && op.hasPureTensorSemantics() &&
          op.getNumParallelLoops() == op.getNumLoops() && op.getNumLoops() > 0)
        named.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : named) {
      rewriter.setInsertionPoint(op);
      (void)linalg::generalizeNamedOp(rewriter, op);
    }
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(
        patterns, [](OpOperand *operand) { return operand->get().hasOneUse(); });
    return applyPatternsGreedily(getOperation(), std::move(patterns));
  }

  void tile(linalg::GenericOp op) {
    OpBuilder b(op);
    Location loc = op.getLoc();
    int64_t last = op.getNumLoops() - 1;
    SmallVector<OpFoldResult> extents = tensor::getMixedSizes(b, loc, op.getDpsInits()[0]);
    Blocks blocks = {extents[last], elementsPerTask};
    SmallVector<OpFoldResult> counts(extents.begin(), extents.end() - 1);
    counts.push_back(blocks.count(b, loc));
    auto loop = scf::ForallOp::create(b, loc, counts, op.getDpsInits(), /*mapping=*/std::nullopt);
    b.setInsertionPoint(loop.getTerminator());
    OpFoldResult first = blocks.offset(b, loc, loop.getInductionVar(last));
    OpFoldResult size = blocks.size(b, loc, loop.getInductionVar(last));

    // Part of an operand that belongs to this task: elements along the last axis, or one for all of them.
    SmallVector<Value> inputs;
    for (OpOperand *input : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(input);
      Slice slice;
      for (AffineExpr result : map.getResults()) {
        auto dim = dyn_cast<AffineDimExpr>(result);
        if (dim && dim.getPosition() == last)
          slice.add(first, size);
        else
          slice.add(dim ? OpFoldResult(loop.getInductionVar(dim.getPosition())) : b.getIndexAttr(0),
                    b.getIndexAttr(1));
      }
      if (readsLastLoop(map))
        inputs.push_back(extractTile(b, loc, input->get(), slice, {map.getNumResults() - 1}));
      else
        inputs.push_back(tensor::ExtractOp::create(b, loc, input->get(),
                                                   getValueOrCreateConstantIndexOp(b, loc, slice.offsets)));
    }
    Slice slice;
    for (int64_t axis = 0; axis < last; ++axis)
      slice.add(loop.getInductionVar(axis), b.getIndexAttr(1));
    slice.add(first, size);
    SmallVector<Value> outputs;
    for (Value shared : loop.getRegionOutArgs())
      outputs.push_back(extractTile(b, loc, shared, slice, {last}));

    // Whole vectors, then what is left, under a mask.
    int64_t lanes = vectorLanes;
    OpFoldResult whole = affine::makeComposedFoldedAffineApply(
        b, loc, b.getAffineSymbolExpr(0).floorDiv(lanes) * lanes, {size});
    Value zero = arith::ConstantIndexOp::create(b, loc, 0),
          step = arith::ConstantIndexOp::create(b, loc, lanes);
    auto vectors = scf::ForOp::create(b, loc, zero, getValueOrCreateConstantIndexOp(b, loc, whole), step,
                                      outputs, [&](OpBuilder &b, Location loc, Value at, ValueRange outputs) {
                                        scf::YieldOp::create(
                                            b, loc, compute(b, op, inputs, outputs, at, /*mask=*/nullptr));
                                      });
    SmallVector<Value> results(vectors.getResults());
    if (!isEqualConstantIntOrValue(whole, size)) {
      Value rest = getValueOrCreateConstantIndexOp(
          b, loc, affine::makeComposedFoldedAffineApply(b, loc, b.getAffineSymbolExpr(0) % lanes, {size}));
      Value mask = vector::CreateMaskOp::create(b, loc, VectorType::get({lanes}, b.getI1Type()), rest);
      results = compute(b, op, inputs, results, getValueOrCreateConstantIndexOp(b, loc, whole), mask);
    }
    for (auto [result, shared] : llvm::zip_equal(results, loop.getRegionOutArgs()))
      insertTile(b, loc, loop, result, shared, slice);
    op->replaceAllUsesWith(loop);
    op->erase();
  }

  /// The body on one vector of elements from `at`, stored to `outputs`; those that `mask` leaves out are
  /// neither read nor written.
  SmallVector<Value> compute(OpBuilder &b, linalg::GenericOp op, ValueRange inputs, ValueRange outputs,
                             Value at, Value mask) {
    Location loc = op.getLoc();
    int64_t lanes = vectorLanes;
    auto vectorOf = [&](Type element) { return VectorType::get({lanes}, element); };
    ArrayAttr inBounds = b.getBoolArrayAttr({true});
    AffineMapAttr identity = AffineMapAttr::get(b.getMultiDimIdentityMap(1));
    IRMapping mapping;
    auto asVector = [&](Value value) -> Value {
      Value mapped = mapping.lookupOrDefault(value);
      if (isa<VectorType>(mapped.getType()))
        return mapped;
      return vector::BroadcastOp::create(b, loc, vectorOf(mapped.getType()), mapped);
    };
    for (auto [argument, input] : llvm::zip(op.getRegionInputArgs(), inputs)) {
      Type element = argument.getType();
      if (isa<RankedTensorType>(input.getType())) {
        Value padding = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
        mapping.map(argument, vector::TransferReadOp::create(b, loc, vectorOf(element), input, at, identity,
                                                             padding, mask, inBounds)
                                  .getResult());
      } else {
        mapping.map(argument, input);
      }
    }
    for (Operation &inner : op.getBody()->without_terminator()) {
      if (isa<arith::ConstantOp>(inner)) {
        b.clone(inner, mapping);
        continue;
      }
      SmallVector<Value> operands = llvm::map_to_vector(inner.getOperands(), asVector);
      SmallVector<Type> types =
          llvm::map_to_vector(inner.getResultTypes(), [&](Type t) -> Type { return vectorOf(t); });
      OperationState state(loc, inner.getName().getStringRef(), operands, types, inner.getAttrs());
      state.propertiesAttr = inner.getPropertiesAsAttribute();
      mapping.map(inner.getResults(), b.create(state)->getResults());
    }
    SmallVector<Value> results;
    for (auto [value, output] : llvm::zip_equal(op.getBody()->getTerminator()->getOperands(), outputs))
      results.push_back(vector::TransferWriteOp::create(b, loc, output.getType(), asVector(value), output, at,
                                                        identity, mask, inBounds)
                            .getResult());
    return results;
  }
};
} // namespace
