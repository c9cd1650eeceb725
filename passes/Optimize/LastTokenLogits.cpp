//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"
#include "Rows.h"

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

#include "llvm/ADT/TypeSwitch.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_LASTTOKENLOGITSPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

static constexpr StringLiteral passName = "sesame-last-token-logits";

SmallVector<OpOperand *> mlir::sesame::getRowOperands(Operation *op) {
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

bool mlir::sesame::takesFewRows(tensor::ExtractSliceOp slice) {
  RankedTensorType source = slice.getSourceType();
  int64_t last = source.getRank() - 1, columns = source.getDimSize(last);
  return !ShapedType::isDynamic(columns) && slice.getStaticSize(last) == columns &&
         !slice.getDroppedDims().test(last) && llvm::is_contained(slice.getStaticSizes().drop_back(), 1);
}

/// Whether `slice` takes all of its source along `axis`.
static bool takesAll(tensor::ExtractSliceOp slice, int64_t axis) {
  OpFoldResult size = slice.getMixedSizes()[axis];
  if (!isConstantIntValue(slice.getMixedOffsets()[axis], 0))
    return false;
  if (std::optional<int64_t> known = getConstantIntValue(size))
    return *known == slice.getSourceType().getDimSize(axis);
  auto dim = cast<Value>(size).getDefiningOp<tensor::DimOp>();
  return dim && dim.getSource() == slice.getSource() && dim.getConstantIndex() == axis;
}

/// Whether `slice` takes the last position of its source along `axis`.
static bool takesLast(tensor::ExtractSliceOp slice, int64_t axis) {
  OpFoldResult offset = slice.getMixedOffsets()[axis];
  int64_t extent = slice.getSourceType().getDimSize(axis);
  if (std::optional<int64_t> known = getConstantIntValue(offset))
    return !ShapedType::isDynamic(extent) && *known == extent - 1;
  Value whole;
  auto value = cast<Value>(offset);
  if (!matchPattern(value, m_Op<arith::SubIOp>(matchers::m_Any(&whole), m_One())))
    return false;
  auto dim = whole.getDefiningOp<tensor::DimOp>();
  return dim && dim.getSource() == slice.getSource() && dim.getConstantIndex() == axis;
}

/// The slice of `source` at `offsets`, of all axes.
static tensor::ExtractSliceOp sliceAllAxes(OpBuilder &b, Location loc, Value source,
                                           ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(b, loc, source, offsets, sizes, strides);
}

/// Whether all axes of a reshape but the last group's are those of the larger shape.
static bool groupsLastAxesAlone(ArrayRef<ReassociationIndices> groups) {
  return llvm::all_of(groups.drop_back(),
                      [](const ReassociationIndices &group) { return group.size() == 1; });
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
    bool isRowWise = op && !getRowOperands(op).empty();
    if (!isRowWise && !isa_and_nonnull<tensor::CollapseShapeOp, tensor::ExpandShapeOp, linalg::TransposeOp,
                                       AttentionOp, RotaryOp>(op))
      return rewriter.notifyMatchFailure(slice, "source is no row-wise operation");
    if (!takesFewRows(slice) || !slice.hasUnitStride())
      return rewriter.notifyMatchFailure(slice, "cuts the last axis or takes many rows");
    SmallVector<tensor::ExtractSliceOp> slices;
    SmallVector<tensor::DimOp> dims;
    if (!collectUsers(slice, slices, dims))
      return refuse(rewriter, passName, slice, "the sliced value has another user");
    if (llvm::any_of(slices, [&](Operation *each) { return each->getBlock() != op->getBlock(); }))
      return refuse(rewriter, passName, slice, "the sliced value lies in another block");

    // At the first slice: what says where it lies may be defined after `op`.
    for (tensor::ExtractSliceOp each : slices)
      slice = each->isBeforeInBlock(slice) ? each : slice;
    rewriter.setInsertionPoint(slice);
    FailureOr<Value> narrow =
        llvm::TypeSwitch<Operation *, FailureOr<Value>>(op)
            .Case([&](tensor::CollapseShapeOp collapse) { return narrowCollapse(rewriter, slice, collapse); })
            .Case([&](tensor::ExpandShapeOp expand) { return narrowExpand(rewriter, slice, expand); })
            .Case([&](linalg::TransposeOp transpose) { return narrowTranspose(rewriter, slice, transpose); })
            .Case([&](AttentionOp attention) { return narrowAttention(rewriter, slice, attention); })
            .Case([&](RotaryOp rotary) { return narrowRotary(rewriter, slice, rotary); })
            .Default([&](Operation *rowWise) { return narrowRows(rewriter, slice, rowWise); });
    if (failed(narrow))
      return failure();
    for (tensor::DimOp dim : dims)
      askOperand(dim);
    for (tensor::ExtractSliceOp each : slices) {
      llvm::erase(worklist, each);
      rewriter.replaceOp(each, *narrow);
    }
    rewriter.eraseOp(op);
    if (isRowWise || isa<AttentionOp>(narrow->getDefiningOp()))
      reportDone(passName, narrow->getDefiningOp(), "computed for the positions that are used");
    return success();
  }

  /// Sorts what reads the source of `slice` into slices equal to it and questions about extents, other than
  /// that of the last axis. False if there is something else.
  static bool collectUsers(tensor::ExtractSliceOp slice, SmallVectorImpl<tensor::ExtractSliceOp> &slices,
                           SmallVectorImpl<tensor::DimOp> &dims) {
    for (Operation *user : slice.getSource().getUsers()) {
      if (auto dim = dyn_cast<tensor::DimOp>(user)) {
        std::optional<int64_t> axis = dim.getConstantIndex();
        if (!axis || *axis >= slice.getSourceType().getRank() - 1)
          return false;
        dims.push_back(dim);
        continue;
      }
      auto other = dyn_cast<tensor::ExtractSliceOp>(user);
      if (!other || other.getType() != slice.getType() || other->getOperands() != slice->getOperands() ||
          other->getAttrDictionary() != slice->getAttrDictionary())
        return false;
      slices.push_back(other);
    }
    return true;
  }

  /// What the result's extent is, is its operand's.
  static void askOperand(tensor::DimOp dim) {
    Operation *op = dim.getSource().getDefiningOp();
    int64_t axis = *dim.getConstantIndex();
    if (auto transpose = dyn_cast<linalg::TransposeOp>(op))
      axis = transpose.getPermutation()[axis];
    OpBuilder b(dim);
    dim.getIndexMutable().assign(arith::ConstantIndexOp::create(b, dim.getLoc(), axis));
    dim.getSourceMutable().assign(op->getOperand(0));
  }

  FailureOr<Value> narrowRows(RewriterBase &rewriter, tensor::ExtractSliceOp slice, Operation *op) {
    SmallVector<OpOperand *> operands = getRowOperands(op);
    auto columnsOf = [](OpOperand *operand) {
      return cast<RankedTensorType>(operand->get().getType()).getShape().back();
    };
    if (llvm::any_of(operands, [&](OpOperand *operand) { return ShapedType::isDynamic(columnsOf(operand)); }))
      return refuse(rewriter, passName, slice, "an operand has rows of dynamic width");
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
    return narrow->getResult(0);
  }

  /// The last axes of what is sliced are several of the source.
  FailureOr<Value> narrowCollapse(RewriterBase &rewriter, tensor::ExtractSliceOp slice,
                                  tensor::CollapseShapeOp op) {
    SmallVector<ReassociationIndices> groups = op.getReassociationIndices();
    RankedTensorType type = op.getSrcType();
    ArrayRef<int64_t> lastAxes = type.getShape().drop_front(groups.size() - 1);
    if (!groupsLastAxesAlone(groups) || ShapedType::isDynamicShape(lastAxes))
      return failure();
    SmallVector<OpFoldResult> offsets = slice.getMixedOffsets(), sizes = slice.getMixedSizes();
    offsets.pop_back(), sizes.pop_back();
    for (int64_t extent : lastAxes) {
      offsets.push_back(rewriter.getIndexAttr(0));
      sizes.push_back(rewriter.getIndexAttr(extent));
    }
    auto rows = sliceAllAxes(rewriter, slice.getLoc(), op.getSrc(), offsets, sizes);
    worklist.push_back(rows);
    // An axis that the slice drops goes with the one behind it.
    SmallVector<ReassociationIndices> kept(1);
    for (auto [axis, group] : llvm::enumerate(groups)) {
      kept.back().append(group.begin(), group.end());
      if (!slice.getDroppedDims().test(axis) && axis + 1 < groups.size())
        kept.emplace_back();
    }
    return tensor::CollapseShapeOp::create(rewriter, op.getLoc(), slice.getType(), rows, kept).getResult();
  }

  /// The last axes of what is sliced are one of the source.
  FailureOr<Value> narrowExpand(RewriterBase &rewriter, tensor::ExtractSliceOp slice,
                                tensor::ExpandShapeOp op) {
    SmallVector<ReassociationIndices> groups = op.getReassociationIndices();
    int64_t first = groups.size() - 1;
    for (int64_t axis = first; axis < op.getResultType().getRank(); ++axis)
      if (!takesAll(slice, axis))
        return failure();
    int64_t columns = op.getSrcType().getShape().back();
    if (!groupsLastAxesAlone(groups) || slice.getDroppedDims().any() || ShapedType::isDynamic(columns))
      return failure();
    SmallVector<OpFoldResult> offsets = slice.getMixedOffsets(), sizes = slice.getMixedSizes();
    offsets.truncate(first), sizes.truncate(first);
    offsets.push_back(rewriter.getIndexAttr(0));
    sizes.push_back(rewriter.getIndexAttr(columns));
    auto rows = sliceAllAxes(rewriter, slice.getLoc(), op.getSrc(), offsets, sizes);
    worklist.push_back(rows);
    return tensor::ExpandShapeOp::create(rewriter, op.getLoc(), slice.getType(), rows, groups,
                                         slice.getMixedSizes())
        .getResult();
  }

  FailureOr<Value> narrowTranspose(RewriterBase &rewriter, tensor::ExtractSliceOp slice,
                                   linalg::TransposeOp op) {
    ArrayRef<int64_t> permutation = op.getPermutation();
    int64_t rank = permutation.size();
    if (slice.getDroppedDims().any() || permutation.back() != rank - 1)
      return failure();
    SmallVector<OpFoldResult> offsets(rank), sizes(rank);
    for (auto [axis, source] : llvm::enumerate(permutation)) {
      offsets[source] = slice.getMixedOffsets()[axis];
      sizes[source] = slice.getMixedSizes()[axis];
    }
    auto rows = sliceAllAxes(rewriter, slice.getLoc(), op.getInput(), offsets, sizes);
    worklist.push_back(rows);
    Value empty = tensor::EmptyOp::create(rewriter, op.getLoc(), slice.getMixedSizes(),
                                          slice.getType().getElementType());
    return linalg::TransposeOp::create(rewriter, op.getLoc(), rows, empty, permutation)->getResult(0);
  }

  /// The slice [0, 0, s, 0] of queries of all rows and heads, with what belongs to them of mask and bias.
  FailureOr<Value> narrowAttention(RewriterBase &rewriter, tensor::ExtractSliceOp slice, AttentionOp op) {
    if (slice.getDroppedDims().any() || !takesAll(slice, 0) || !takesAll(slice, 1) ||
        slice.getStaticSize(2) != 1)
      return failure();
    if (op.getCausal() && !takesLast(slice, 2))
      return refuse(rewriter, passName, slice, "an earlier position than the last sees fewer keys");
    Location loc = slice.getLoc();
    auto rowOf = [&](Value tensor, int64_t axis) -> Value {
      if (cast<RankedTensorType>(tensor.getType()).getDimSize(axis) == 1)
        return tensor;
      SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, loc, tensor);
      SmallVector<OpFoldResult> offsets(sizes.size(), rewriter.getIndexAttr(0));
      offsets[axis] = slice.getMixedOffsets()[2];
      sizes[axis] = rewriter.getIndexAttr(1);
      return sliceAllAxes(rewriter, loc, tensor, offsets, sizes);
    };
    SmallVector<OpFoldResult> sizes = slice.getMixedSizes();
    sizes.back() = rewriter.getIndexAttr(cast<RankedTensorType>(op.getQuery().getType()).getDimSize(3));
    auto query = sliceAllAxes(rewriter, loc, op.getQuery(), slice.getMixedOffsets(), sizes);
    worklist.push_back(query);
    Value mask = op.getMask(), bias = op.getBias();
    if (mask && cast<RankedTensorType>(mask.getType()).getRank() == 3)
      mask = rowOf(mask, 1);
    if (bias)
      bias = rowOf(bias, 2);
    return AttentionOp::create(rewriter, op.getLoc(), slice.getType(), query, op.getKey(), op.getValue(),
                               mask, bias, op.getCausalAttr(), op.getWindowAttr(), op.getScaleAttr(),
                               op.getSoftcapAttr())
        .getResult();
  }

  FailureOr<Value> narrowRotary(RewriterBase &rewriter, tensor::ExtractSliceOp slice, RotaryOp op) {
    if (slice.getDroppedDims().any() || !takesAll(slice, 0) || slice.getStaticSize(2) != 1)
      return failure();
    Location loc = slice.getLoc();
    auto rows = sliceAllAxes(rewriter, loc, op.getInput(), slice.getMixedOffsets(), slice.getMixedSizes());
    worklist.push_back(rows);
    SmallVector<OpFoldResult> offsets = {rewriter.getIndexAttr(0), slice.getMixedOffsets()[2]};
    SmallVector<OpFoldResult> sizes = {tensor::getMixedSize(rewriter, loc, op.getPositions(), 0),
                                       rewriter.getIndexAttr(1)};
    Value positions = sliceAllAxes(rewriter, loc, op.getPositions(), offsets, sizes);
    return RotaryOp::create(rewriter, op.getLoc(), slice.getType(), rows, positions, op.getFrequencies(),
                            op.getInterleavedAttr(), op.getScaleAttr())
        .getResult();
  }

  SmallVector<tensor::ExtractSliceOp> worklist;
};
} // namespace
