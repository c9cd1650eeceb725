//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Slices.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sesame;

static OpFoldResult fold(OpBuilder &b, Location loc, AffineExpr expr, ArrayRef<OpFoldResult> operands) {
  return affine::makeComposedFoldedAffineApply(b, loc, expr, operands);
}

OpFoldResult Blocks::count(OpBuilder &b, Location loc) const {
  return fold(b, loc, b.getAffineSymbolExpr(0).ceilDiv(block), {extent});
}

OpFoldResult Blocks::offset(OpBuilder &b, Location loc, Value index) const {
  std::optional<int64_t> known = getConstantIntValue(extent);
  if (known && *known <= block)
    return b.getIndexAttr(0);
  return fold(b, loc, b.getAffineDimExpr(0) * block, {index});
}

OpFoldResult Blocks::size(OpBuilder &b, Location loc, Value index) const {
  if (std::optional<int64_t> known = getConstantIntValue(extent)) {
    if (*known <= block)
      return extent;
    if (*known % block == 0)
      return b.getIndexAttr(block);
  }
  AffineExpr i = b.getAffineDimExpr(0), all = b.getAffineSymbolExpr(0);
  AffineMap map = AffineMap::get(1, 1, {b.getAffineConstantExpr(block), all - i * block}, b.getContext());
  return affine::makeComposedFoldedAffineMin(b, loc, map, {index, extent});
}

EvenBlocks::EvenBlocks(OpBuilder &b, Location loc, OpFoldResult extent, int64_t most, int64_t multiple)
    : extent(extent), numBlocks(Blocks{extent, most}.count(b, loc)) {
  if (std::optional<int64_t> known = getConstantIntValue(extent)) {
    int64_t count = std::max<int64_t>(1, llvm::divideCeilSigned(*known, most));
    block = b.getIndexAttr(multiple * llvm::divideCeilSigned(*known, count * multiple));
    return;
  }
  Value parts = cast<Value>(fold(b, loc, b.getAffineSymbolExpr(0) * multiple, {numBlocks}));
  // No blocks at all is no division by zero.
  parts = arith::MaxUIOp::create(b, loc, parts, arith::ConstantIndexOp::create(b, loc, 1));
  Value share = arith::CeilDivUIOp::create(b, loc, cast<Value>(extent), parts);
  block = fold(b, loc, b.getAffineSymbolExpr(0) * multiple, {share});
}

OpFoldResult EvenBlocks::offset(OpBuilder &b, Location loc, Value index) const {
  if (std::optional<int64_t> known = getConstantIntValue(block))
    return Blocks{extent, *known}.offset(b, loc, index);
  return arith::MulIOp::create(b, loc, index, cast<Value>(block)).getResult();
}

OpFoldResult EvenBlocks::size(OpBuilder &b, Location loc, Value index) const {
  if (std::optional<int64_t> known = getConstantIntValue(block))
    return Blocks{extent, *known}.size(b, loc, index);
  Value start = cast<Value>(offset(b, loc, index));
  AffineExpr all = b.getAffineSymbolExpr(0), first = b.getAffineDimExpr(0), size = b.getAffineSymbolExpr(1);
  AffineMap map = AffineMap::get(1, 2, {size, all - first}, b.getContext());
  return affine::makeComposedFoldedAffineMin(b, loc, map, {start, extent, block});
}

Value mlir::sesame::extractTile(OpBuilder &b, Location loc, Value tensor, const Slice &slice,
                                ArrayRef<int64_t> kept) {
  SmallVector<int64_t> shape;
  for (int64_t axis : kept)
    shape.push_back(getConstantIntValue(slice.sizes[axis]).value_or(ShapedType::kDynamic));
  SmallVector<OpFoldResult> strides(slice.sizes.size(), b.getIndexAttr(1));
  auto type = RankedTensorType::get(shape, cast<RankedTensorType>(tensor.getType()).getElementType());
  return tensor::ExtractSliceOp::create(b, loc, type, tensor, slice.offsets, slice.sizes, strides);
}

/// `slice` of the transpose's result as a slice of its input, `kept` with it.
static LogicalResult lookThrough(linalg::TransposeOp op, Slice &slice, SmallVectorImpl<int64_t> &kept) {
  // result axis i is input axis permutation[i].
  ArrayRef<int64_t> permutation = op.getPermutation();
  SmallVector<int64_t> moved;
  for (int64_t axis : kept)
    moved.push_back(permutation[axis]);
  if (!llvm::is_sorted(moved))
    return failure();
  Slice input;
  input.offsets.resize(permutation.size());
  input.sizes.resize(permutation.size());
  for (auto [axis, source] : llvm::enumerate(permutation)) {
    input.offsets[source] = slice.offsets[axis];
    input.sizes[source] = slice.sizes[axis];
  }
  slice = input;
  kept.assign(moved);
  return success();
}

/// `slice` of the reshape's result as a slice of its source. Of the axes made from one source axis, in order,
/// some may have size 1, at most one may have any size, and those after it must be whole: only then are the
/// elements neighbours in the source.
static LogicalResult lookThrough(OpBuilder &b, Location loc, tensor::ExpandShapeOp op, Slice &slice,
                                 SmallVectorImpl<int64_t> &kept) {
  SmallVector<OpFoldResult> extents = op.getMixedOutputShape();
  Slice input;
  SmallVector<int64_t> keptInput;
  for (auto [source, group] : llvm::enumerate(op.getReassociationIndices())) {
    OpFoldResult offset = b.getIndexAttr(0), size = b.getIndexAttr(1);
    int64_t numKept = 0;
    bool whole = false; // an axis of more than one element was passed: those after it must be whole
    for (int64_t axis : group) {
      if (llvm::is_contained(kept, axis))
        ++numKept;
      bool one = isConstantIntValue(slice.sizes[axis], 1);
      if (whole && !isEqualConstantIntOrValue(slice.sizes[axis], extents[axis]))
        return failure();
      whole |= !one;
      AffineExpr outer = b.getAffineSymbolExpr(0), extent = b.getAffineSymbolExpr(1),
                 inner = b.getAffineSymbolExpr(2);
      offset = fold(b, loc, outer * extent + inner, {offset, extents[axis], slice.offsets[axis]});
      size = fold(b, loc, outer * extent, {size, slice.sizes[axis]});
    }
    if (numKept > 1)
      return failure();
    if (numKept == 1)
      keptInput.push_back(source);
    input.add(offset, size);
  }
  slice = input;
  kept.assign(keptInput);
  return success();
}

/// `slice` of the slice `op` as a slice of its source.
static LogicalResult lookThrough(OpBuilder &b, Location loc, tensor::ExtractSliceOp op, Slice &slice,
                                 SmallVectorImpl<int64_t> &kept) {
  if (!op.hasUnitStride())
    return failure();
  llvm::SmallBitVector dropped = op.getDroppedDims();
  Slice input;
  SmallVector<int64_t> keptInput;
  int64_t axis = 0;
  for (auto [source, offset] : llvm::enumerate(op.getMixedOffsets())) {
    if (dropped[source]) {
      input.add(offset, b.getIndexAttr(1));
      continue;
    }
    input.add(
        fold(b, loc, b.getAffineSymbolExpr(0) + b.getAffineSymbolExpr(1), {offset, slice.offsets[axis]}),
        slice.sizes[axis]);
    if (llvm::is_contained(kept, axis))
      keptInput.push_back(source);
    ++axis;
  }
  slice = input;
  kept.assign(keptInput);
  return success();
}

Value mlir::sesame::extractTileThroughViews(OpBuilder &b, Location loc, Value tensor, const Slice &slice,
                                            ArrayRef<int64_t> kept) {
  Slice part = slice;
  SmallVector<int64_t> axes(kept);
  while (Operation *view = tensor.getDefiningOp()) {
    if (auto transpose = dyn_cast<linalg::TransposeOp>(view)) {
      if (failed(lookThrough(transpose, part, axes)))
        break;
      tensor = transpose.getInput();
    } else if (auto expand = dyn_cast<tensor::ExpandShapeOp>(view)) {
      if (failed(lookThrough(b, loc, expand, part, axes)))
        break;
      tensor = expand.getSrc();
    } else if (auto extract = dyn_cast<tensor::ExtractSliceOp>(view)) {
      if (failed(lookThrough(b, loc, extract, part, axes)))
        break;
      tensor = extract.getSource();
    } else {
      break;
    }
  }
  return extractTile(b, loc, tensor, part, axes);
}

void mlir::sesame::insertTile(OpBuilder &b, Location loc, scf::ForallOp loop, Value tile, Value dest,
                              const Slice &slice) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(loop.getTerminator().getBody());
  SmallVector<OpFoldResult> strides(slice.sizes.size(), b.getIndexAttr(1));
  tensor::ParallelInsertSliceOp::create(b, loc, tile, dest, slice.offsets, slice.sizes, strides);
}

Value mlir::sesame::collapseToRows(OpBuilder &b, Location loc, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  int64_t rank = type.getRank();
  if (rank == 2)
    return tensor;
  if (rank == 1) {
    SmallVector<OpFoldResult> shape = {b.getIndexAttr(1), tensor::getMixedSize(b, loc, tensor, 0)};
    auto rows = RankedTensorType::get({1, type.getDimSize(0)}, type.getElementType());
    return tensor::ExpandShapeOp::create(b, loc, rows, tensor, ArrayRef<ReassociationIndices>{{0, 1}}, shape);
  }
  SmallVector<ReassociationIndices> groups(2);
  for (int64_t axis = 0; axis < rank - 1; ++axis)
    groups[0].push_back(axis);
  groups[1].push_back(rank - 1);
  return tensor::CollapseShapeOp::create(b, loc, tensor, groups);
}

Value mlir::sesame::expandFromRows(OpBuilder &b, Location loc, Value rows, Value like) {
  auto type = cast<RankedTensorType>(rows.getType());
  auto likeType = cast<RankedTensorType>(like.getType());
  int64_t rank = likeType.getRank();
  if (rank == 2)
    return rows;
  if (rank == 1)
    return tensor::CollapseShapeOp::create(b, loc, rows, ArrayRef<ReassociationIndices>{{0, 1}});
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(b, loc, like);
  SmallVector<int64_t> shape(likeType.getShape());
  extents.back() = tensor::getMixedSize(b, loc, rows, 1);
  shape.back() = type.getDimSize(1);
  SmallVector<ReassociationIndices> groups(2);
  for (int64_t axis = 0; axis < rank - 1; ++axis)
    groups[0].push_back(axis);
  groups[1].push_back(rank - 1);
  auto result = RankedTensorType::get(shape, type.getElementType());
  return tensor::ExpandShapeOp::create(b, loc, result, rows, groups, extents);
}
