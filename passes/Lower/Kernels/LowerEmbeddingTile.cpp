//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_LOWEREMBEDDINGTILEPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;
using namespace mlir::sesame::kernels;

namespace {

/// Builds one embedding_tile: for each row the indices once, then the sum of the picked rows vector by
/// vector.
void buildEmbeddingTile(EmbeddingTileOp op, int64_t lanes) {
  KernelBuilder b(op, lanes);
  int64_t width = cast<MemRefType>(op.getOut().getType()).getDimSize(1);
  b.loop(b.index(0), b.extent(op.getOut(), 0), 1, [&](Value row) {
    SmallVector<Value> picks;
    for (Value indices : op.getIndices())
      picks.push_back(arith::IndexCastOp::create(b, b.getIndexType(), b.loadScalar(indices, {row})));
    auto sumAt = [&](Value column, Value mask) {
      Value sum;
      for (auto [table, pick] : llvm::zip(op.getTables(), picks)) {
        Value part = b.load(table, {pick, column}, mask);
        sum = sum ? b.fadd(sum, part) : part;
      }
      b.store(sum, op.getOut(), {row, column}, mask);
    };
    int64_t whole = width / lanes * lanes;
    b.loop(b.index(0), b.index(whole), lanes, [&](Value column) { sumAt(column, Value()); });
    if (whole < width)
      sumAt(b.index(whole), b.firstLanes(width - whole));
  });
}

struct LowerEmbeddingTile : sesame::impl::LowerEmbeddingTilePassBase<LowerEmbeddingTile> {
  using Base::Base;

  LogicalResult check(EmbeddingTileOp op) {
    if (op.getTables().empty() || op.getTables().size() != op.getIndices().size())
      return op.emitOpError("expects as many tables as indices, at least one, got ")
             << op.getTables().size() << " and " << op.getIndices().size();
    for (Value indices : op.getIndices())
      if (!isa<MemRefType>(indices.getType()))
        return op.emitOpError("expects memrefs, got ") << indices.getType();
    SmallVector<Value> floats = llvm::to_vector(op.getTables());
    floats.push_back(op.getOut());
    for (Value operand : floats)
      if (!isUnitStrideF32(operand.getType()))
        return op.emitOpError("expects memrefs of f32 with unit stride along the last axis, got ")
               << operand.getType();
    auto out = cast<MemRefType>(op.getOut().getType());
    if (out.isDynamicDim(1))
      return op.emitOpError("expects rows of static width, got ") << out;
    return success();
  }

  void runOnOperation() override {
    SmallVector<EmbeddingTileOp> ops;
    getOperation().walk([&](EmbeddingTileOp op) { ops.push_back(op); });
    for (EmbeddingTileOp op : ops) {
      if (failed(check(op)))
        return signalPassFailure();
      buildEmbeddingTile(op, vectorLanes);
      op.erase();
    }
  }
};

} // namespace
