//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_LOWERCOPYPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;

/// How many of the last axes of `type` lie without gaps.
static int64_t countContiguousAxes(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  if (type.getLayout().isIdentity())
    return type.getRank();
  if (failed(type.getStridesAndOffset(strides, offset)))
    return 0;
  int64_t expected = 1, count = 0;
  for (int64_t axis = type.getRank() - 1; axis >= 0; --axis, ++count) {
    if (strides[axis] != expected && type.getDimSize(axis) != 1)
      return count;
    // Beyond a dynamic extent no stride is known to fit, and with one the copy would not become a memcpy but
    // a library call.
    if (type.isDynamicDim(axis))
      return count;
    expected *= type.getDimSize(axis);
  }
  return count;
}

static void lowerCopy(memref::CopyOp copy) {
  auto source = dyn_cast<MemRefType>(copy.getSource().getType());
  auto target = dyn_cast<MemRefType>(copy.getTarget().getType());
  if (!source || !target)
    return;
  int64_t rank = source.getRank();
  int64_t inner = std::min(countContiguousAxes(source), countContiguousAxes(target));
  if (source.getLayout().isIdentity() && target.getLayout().isIdentity())
    return;
  OpBuilder builder(copy);
  Location loc = copy.getLoc();
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0),
        one = arith::ConstantIndexOp::create(builder, loc, 1);
  int64_t outer = rank - inner;
  SmallVector<OpFoldResult> offsets(rank, builder.getIndexAttr(0)), strides(rank, builder.getIndexAttr(1)),
      sizes;
  SmallVector<Value> indices;
  for (int64_t axis = 0; axis < rank; ++axis) {
    OpFoldResult extent =
        source.isDynamicDim(axis)
            ? OpFoldResult(memref::DimOp::create(builder, loc, copy.getSource(), axis).getResult())
            : OpFoldResult(builder.getIndexAttr(source.getDimSize(axis)));
    sizes.push_back(axis < outer ? OpFoldResult(builder.getIndexAttr(1)) : extent);
    if (axis >= outer)
      continue;
    Value end = isa<Value>(extent)
                    ? cast<Value>(extent)
                    : arith::ConstantIndexOp::create(builder, loc, source.getDimSize(axis)).getResult();
    auto loop = scf::ForOp::create(builder, loc, zero, end, one);
    builder.setInsertionPointToStart(loop.getBody());
    indices.push_back(loop.getInductionVar());
    offsets[axis] = loop.getInductionVar();
  }
  if (inner == 0) {
    Value element = memref::LoadOp::create(builder, loc, copy.getSource(), indices);
    memref::StoreOp::create(builder, loc, element, copy.getTarget(), indices);
  } else {
    // [1, ..., 1, inner...] -> [inner...]: what is left is contiguous, and becomes a memcpy.
    ArrayRef<int64_t> innerShape = source.getShape().take_back(inner);
    auto block = [&](Value buffer, MemRefType type) -> Value {
      MemRefType reduced =
          memref::SubViewOp::inferRankReducedResultType(innerShape, type, offsets, sizes, strides);
      return memref::SubViewOp::create(builder, loc, reduced, buffer, offsets, sizes, strides);
    };
    memref::CopyOp::create(builder, loc, block(copy.getSource(), source), block(copy.getTarget(), target));
  }
  copy.erase();
}

namespace {
struct LowerCopyPass : sesame::impl::LowerCopyPassBase<LowerCopyPass> {
  void runOnOperation() override {
    SmallVector<memref::CopyOp> copies;
    getOperation().walk([&](memref::CopyOp copy) { copies.push_back(copy); });
    for (memref::CopyOp copy : copies)
      lowerCopy(copy);
  }
};
} // namespace
