//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TILE_SLICES_H
#define SESAME_TILE_SLICES_H

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"

namespace mlir::sesame {

/// A part of a tensor: one offset and one size for each axis, all strides 1.
struct Slice {
  SmallVector<OpFoldResult> offsets, sizes;

  /// Adds the axis from `offset` with `size` elements.
  void add(OpFoldResult offset, OpFoldResult size) {
    offsets.push_back(offset);
    sizes.push_back(size);
  }
};

/// The axis of `extent` elements cut into blocks of `block`: how many there are, and where a block lies.
struct Blocks {
  OpFoldResult extent;
  int64_t block;

  /// ceil(extent / block).
  OpFoldResult count(OpBuilder &b, Location loc) const;
  /// index * block.
  OpFoldResult offset(OpBuilder &b, Location loc, Value index) const;
  /// min(block, extent - index * block); a constant where every block has that size.
  OpFoldResult size(OpBuilder &b, Location loc, Value index) const;
};

/// The axis of `extent` elements cut into as few blocks of at most `most` as possible, all but the last of
/// one size, a multiple of `multiple` (which divides `most`), and that as small as possible: tasks of nearly
/// the same cost.
class EvenBlocks {
public:
  EvenBlocks(OpBuilder &b, Location loc, OpFoldResult extent, int64_t most, int64_t multiple);

  OpFoldResult count() const { return numBlocks; }
  OpFoldResult offset(OpBuilder &b, Location loc, Value index) const;
  OpFoldResult size(OpBuilder &b, Location loc, Value index) const;

private:
  OpFoldResult extent, numBlocks;
  OpFoldResult block; // elements of each but the last
};

/// Extracts `slice` of `tensor` and drops every axis that is not in `kept` (ascending).
Value extractTile(OpBuilder &b, Location loc, Value tensor, const Slice &slice, ArrayRef<int64_t> kept);

/// As `extractTile`, but takes the elements from the tensor that `tensor` is a view of where it is a
/// transpose, a reshape that splits axes, or a unit-stride slice of another one, so that the view need not be
/// made. `kept` axes keep their order; views that would exchange two of them are not looked through.
Value extractTileThroughViews(OpBuilder &b, Location loc, Value tensor, const Slice &slice,
                              ArrayRef<int64_t> kept);

/// Stores `tile` as `slice` of the shared output `dest`, in the terminator of `loop`.
void insertTile(OpBuilder &b, Location loc, scf::ForallOp loop, Value tile, Value dest, const Slice &slice);

/// Views `tensor` [..., C] as the matrix [M, C]. A tensor of rank 1 becomes one row.
Value collapseToRows(OpBuilder &b, Location loc, Value tensor);

/// Views the matrix `rows` [M, C] as [..., C] with the leading extents of `like` [..., K].
Value expandFromRows(OpBuilder &b, Location loc, Value rows, Value like);

} // namespace mlir::sesame

#endif // SESAME_TILE_SLICES_H
