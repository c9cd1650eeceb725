//===- ArenaPlan.h - Places of temporary buffers in one arena --------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_BUFFERIZE_ARENAPLAN_H
#define SESAME_BUFFERIZE_ARENAPLAN_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::sesame {

/// The arena's arithmetic as built at one place.
struct ArenaValues {
  /// Byte offset of each buffer, in the plan's order.
  SmallVector<Value> offsets;
  /// Bytes of the whole arena.
  Value totalBytes;
};

/// Gives every `memref.alloc` of a function a place in one arena, such that buffers that are alive together
/// do not overlap, whatever the values of the symbols.
///
/// The buffers get a fixed order, and each lies right after the highest end among those before it that are
/// alive together with it: `offset[i] = max over conflicting j < i of offset[j] + size[j]`. The order is by
/// the offsets of a greedy-by-size placement (Pisarchyk & Lee 2020, "Efficient memory management for deep
/// neural net inference", sec. 5.2) made for nominal symbol values; with those values the arena is then never
/// larger than that placement, and with other values it is still free of overlaps.
class ArenaPlan {
public:
  explicit ArenaPlan(func::FuncOp function) : function(function) {}

  /// Finds the allocations, their live ranges and the order. Emits an error for a buffer that outlives the
  /// loop iteration or the function in which it is made.
  LogicalResult collect();

  bool empty() const { return buffers.empty(); }

  /// Builds sizes, offsets and total before the builder's place. `symbols` maps the function's symbol
  /// arguments to the values there. Emits an error for a size that does not depend on symbols alone. The
  /// first call also fixes the order of the buffers, and needs symbols that are arguments.
  FailureOr<ArenaValues> build(OpBuilder &builder, IRMapping &symbols);

  /// Replaces each allocation by a view of `arena`.
  void replaceAllocations(Value arena, const ArenaValues &places);

private:
  struct Buffer {
    memref::AllocOp alloc;
    /// Positions in a pre-order numbering of the function's operations, both included.
    int64_t firstUse;
    int64_t lastUse;
  };
  static bool conflict(const Buffer &a, const Buffer &b) {
    return a.firstUse <= b.lastUse && b.firstUse <= a.lastUse;
  }
  void chooseOrder(ArrayRef<Value> sizes, ValueRange symbols);

  func::FuncOp function;
  SmallVector<Buffer> buffers;
  /// Indices into `buffers`, lowest nominal offset first.
  SmallVector<unsigned> order;
};

} // namespace mlir::sesame

#endif // SESAME_BUFFERIZE_ARENAPLAN_H
