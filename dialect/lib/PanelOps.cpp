//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Dialect/PanelOps.h"

#include "KernelUtils.h"

using namespace mlir;
using namespace mlir::sesame;
using namespace mlir::sesame::detail;

SESAME_KERNEL_EFFECTS(PanelEmbeddingTileOp)

LogicalResult UnpackPanelsOp::verify() {
  RankedTensorType panels = getPanels().getType(), result = getResult().getType();
  if (!panels.hasStaticShape() || !result.hasStaticShape())
    return emitOpError("expects static shapes, got ") << panels << " and " << result;
  int64_t r = panels.getDimSize(2);
  if (r < 1 || panels.getDimSize(0) != llvm::divideCeilSigned(result.getDimSize(0), r) ||
      panels.getDimSize(1) != result.getDimSize(1))
    return emitOpError("expects panels [ceil(N / R), K, R] of a matrix with N = ")
           << result.getDimSize(0) << " and K = " << result.getDimSize(1) << ", got " << panels;
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
    std::string number = std::to_string(i), rows = "V" + number, width = "R" + number;
    auto type = cast<ShapedType>(table.getType());
    SmallVector<StringRef> axes = {rows, "C"};
    if (type.getRank() == 3)
      axes.push_back(width);
    if (failed(extents.match("indices " + number, indices, {"M"})) ||
        failed(extents.match("table " + number, table, axes)) ||
        failed(verifySameElementType(*this, "table " + number, table, "out", getOut())))
      return failure();
    if (type.getRank() == 3 && !type.hasStaticShape())
      return emitOpError("expects panels of static shape as table ") << number << ", got " << type;
    if (!getElementTypeOrSelf(indices).isSignlessInteger())
      return emitOpError("expects indices ")
             << number << " to be of signless integers, got " << getElementTypeOrSelf(indices);
  }
  return success();
}
