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

#include "mlir/IR/IRMapping.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_LASTTOKENLOGITSPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

static constexpr StringLiteral passName = "sesame-last-token-logits";

/// The operands of a row-wise `op` from which the rows of its result are made, one row of each for a row of
/// the result; empty if `op` is not row-wise.
static SmallVector<OpOperand *> getRowOperands(Operation *op) {
  SmallVector<OpOperand *> operands;
  if (isa<LinearOp, GatedLinearOp, LayerNormOp, RMSNormOp, ActivationOp>(op))
    operands.push_back(&op->getOpOperand(0)); // the input; the others are weights, but for a residual
  if (auto linear = dyn_cast<LinearOp>(op); linear && linear.getResidual())
    operands.push_back(&*linear.getResidualMutable().begin());
  if (isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp>(op) &&
      isa<RankedTensorType>(op->getResult(0).getType()))
    for (OpOperand &operand : op->getOpOperands())
      operands.push_back(&operand);
  return operands;
}

/// Whether `slice` takes whole rows and, along some other axis, only one position.
static bool takesFewRows(tensor::ExtractSliceOp slice) {
  RankedTensorType source = slice.getSourceType();
  int64_t last = source.getRank() - 1, columns = source.getDimSize(last);
  return !ShapedType::isDynamic(columns) && slice.getStaticSize(last) == columns &&
         !slice.getDroppedDims().test(last) && llvm::is_contained(slice.getStaticSizes().drop_back(), 1);
}

namespace {
class LastTokenLogitsPass : public mlir::sesame::impl::LastTokenLogitsPassBase<LastTokenLogitsPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation()->walk([&](tensor::ExtractSliceOp slice) { worklist.push_back(slice); });
    while (!worklist.empty())
      (void)moveBefore(rewriter, worklist.pop_back_val());
  }

  /// Turns rows(op(x)) into op(rows(x)); the new slices are tried next.
  LogicalResult moveBefore(RewriterBase &rewriter, tensor::ExtractSliceOp slice) {
    Operation *op = slice.getSource().getDefiningOp();
    SmallVector<OpOperand *> operands = op ? getRowOperands(op) : SmallVector<OpOperand *>();
    if (operands.empty())
      return rewriter.notifyMatchFailure(slice, "source is no row-wise operation");
    if (!takesFewRows(slice))
      return rewriter.notifyMatchFailure(slice, "cuts the last axis or takes many rows");
    if (!op->hasOneUse())
      return refuse(rewriter, passName, slice, "the sliced value has another user");
    if (op->getBlock() != slice->getBlock())
      return refuse(rewriter, passName, slice, "the sliced value lies in another block");
    auto columnsOf = [](OpOperand *operand) {
      return cast<RankedTensorType>(operand->get().getType()).getShape().back();
    };
    if (llvm::any_of(operands, [&](OpOperand *operand) { return ShapedType::isDynamic(columnsOf(operand)); }))
      return refuse(rewriter, passName, slice, "an operand has rows of dynamic width");

    // At the slice: what says where it lies may be defined after `op`.
    rewriter.setInsertionPoint(slice);
    IRMapping mapping;
    for (OpOperand *operand : operands) {
      SmallVector<OpFoldResult> sizes = slice.getMixedSizes();
      sizes.back() = rewriter.getIndexAttr(columnsOf(operand));
      SmallVector<int64_t> shape = llvm::to_vector(slice.getType().getShape());
      shape.back() = columnsOf(operand);
      auto rows = tensor::ExtractSliceOp::create(
          rewriter, slice.getLoc(), RankedTensorType::get(shape, slice.getType().getElementType()),
          operand->get(), slice.getMixedOffsets(), sizes, slice.getMixedStrides());
      mapping.map(operand->get(), rows.getResult());
      worklist.push_back(rows);
    }
    Operation *narrow = rewriter.clone(*op, mapping);
    narrow->getResult(0).setType(slice.getType());
    rewriter.replaceOp(slice, narrow);
    rewriter.eraseOp(op);
    reportDone(passName, narrow, "computed for the positions that are used");
    return success();
  }

  SmallVector<tensor::ExtractSliceOp> worklist;
};
} // namespace
