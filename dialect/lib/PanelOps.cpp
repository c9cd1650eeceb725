//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Dialect/PanelOps.h"
#include "sesame/Dialect/WordOps.h"

#include "KernelUtils.h"

using namespace mlir;
using namespace mlir::sesame;
using namespace mlir::sesame::detail;

SESAME_KERNEL_EFFECTS(PanelEmbeddingTileOp)

/// Checks that panels of i32 hold `k` numbers in groups, which make numbers of f32.
static LogicalResult verifyGroups(Operation *op, ShapedType panels, int64_t k, Value result) {
  if (!findGroupedFormat(op->getContext(), panels.getDimSize(1), k))
    return op->emitOpError("expects 9 or 17 words in panels of i32 for every 64 of ")
           << k << " numbers, got " << panels;
  if (!getElementTypeOrSelf(result).isF32())
    return op->emitOpError("expects f32 of panels of i32, got ") << getElementTypeOrSelf(result);
  return success();
}

LogicalResult UnpackPanelsOp::verify() {
  RankedTensorType panels = getPanels().getType(), result = getResult().getType();
  if (!panels.hasStaticShape() || !result.hasStaticShape())
    return emitOpError("expects static shapes, got ") << panels << " and " << result;
  int64_t r = panels.getDimSize(2);
  bool isGrouped = panels.getElementType().isInteger();
  if (r < 1 || panels.getDimSize(0) != llvm::divideCeilSigned(result.getDimSize(0), r) ||
      (!isGrouped && panels.getDimSize(1) != result.getDimSize(1)))
    return emitOpError("expects panels [ceil(N / R), K, R] of a matrix with N = ")
           << result.getDimSize(0) << " and K = " << result.getDimSize(1) << ", got " << panels;
  if (isGrouped)
    return verifyGroups(*this, panels, result.getDimSize(1), getResult());
  return verifySameElementType(*this, "result", getResult(), "panels", getPanels());
}

LogicalResult UnpackPanelsOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  RankedTensorType type = getResult().getType();
  shapes.push_back({builder.getIndexAttr(type.getDimSize(0)), builder.getIndexAttr(type.getDimSize(1))});
  return success();
}

LogicalResult PanelEmbeddingTileOp::verify() {
  if (getTables().empty() || getTables().size() != getIndices().size())
    return emitOpError("expects as many tables as indices and at least one, got ")
           << getTables().size() << " and " << getIndices().size();
  ExtentVerifier extents(*this);
  if (failed(verifyKernel(*this, getOut(), getResults())) ||
      failed(extents.match("out", getOut(), {"M", "C"})) || failed(verifyStatic(*this, extents, "C")))
    return failure();
  if (!isa<FloatType>(getElementTypeOrSelf(getOut())))
    return emitOpError("expects out to be of floats, got ") << getElementTypeOrSelf(getOut());
  for (auto [i, pair] : llvm::enumerate(llvm::zip_equal(getIndices(), getTables()))) {
    auto [indices, table] = pair;
    std::string number = std::to_string(i), rows = "V" + number, width = "R" + number, words = "W" + number;
    auto type = cast<ShapedType>(table.getType());
    bool isGrouped = type.getRank() == 3 && type.getElementType().isInteger(32);
    SmallVector<StringRef> axes = {rows, isGrouped ? StringRef(words) : "C"};
    if (type.getRank() == 3)
      axes.push_back(width);
    if (failed(extents.match("indices " + number, indices, {"M"})) ||
        failed(extents.match("table " + number, table, axes)) ||
        (!isGrouped && failed(verifySameElementType(*this, "table " + number, table, "out", getOut()))))
      return failure();
    if (type.getRank() == 3 && !type.hasStaticShape())
      return emitOpError("expects panels of static shape as table ") << number << ", got " << type;
    if (isGrouped && failed(verifyGroups(*this, type, extents.get("C"), getOut())))
      return failure();
    if (!getElementTypeOrSelf(indices).isSignlessInteger())
      return emitOpError("expects indices ")
             << number << " to be of signless integers, got " << getElementTypeOrSelf(indices);
  }
  return success();
}
