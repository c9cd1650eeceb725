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

/// Checks that panels hold rows of `k` numbers of `element`, which make numbers of `result`'s type.
static LogicalResult verifyPanels(Operation *op, ShapedType panels, Type element, int64_t k, Value result) {
  Type resultType = getElementTypeOrSelf(result), panelType = panels.getElementType();
  if (!panelType.isInteger(32)) {
    if (element != panelType)
      return op->emitOpError("expects panels of ") << panelType << " to hold it, got " << element;
    if (panelType != resultType && panelType.getIntOrFloatBitWidth() >= resultType.getIntOrFloatBitWidth())
      return op->emitOpError("expects panels of ") << resultType << " or narrower floats, got " << panelType;
    return success();
  }
  if (!element || !WordFormat::isKnown(element))
    return op->emitOpError("expects panels of i32 to hold words of bf16, i8, ui8 or ui4, got ") << element;
  if (int64_t words = WordFormat(element).columnWords(k); panels.getDimSize(1) != words)
    return op->emitOpError("expects ")
           << words << " words of " << element << " for " << k << " numbers, got " << panels;
  if (!resultType.isF32())
    return op->emitOpError("expects f32 of panels of i32, got ") << resultType;
  return success();
}

LogicalResult UnpackPanelsOp::verify() {
  RankedTensorType panels = getPanels().getType(), result = getResult().getType();
  if (!panels.hasStaticShape() || !result.hasStaticShape())
    return emitOpError("expects static shapes, got ") << panels << " and " << result;
  int64_t r = panels.getDimSize(2);
  bool isWords = panels.getElementType().isInteger();
  if (r < 1 || panels.getDimSize(0) != llvm::divideCeilSigned(result.getDimSize(0), r) ||
      (!isWords && panels.getDimSize(1) != result.getDimSize(1)))
    return emitOpError("expects panels [ceil(N / R), K, R] of a matrix with N = ")
           << result.getDimSize(0) << " and K = " << result.getDimSize(1) << ", got " << panels;
  if (!isWords && getElement())
    return emitOpError("expects words in panels of i32 alone, got ") << panels;
  return verifyPanels(*this, panels, isWords ? getElement().value_or(Type()) : panels.getElementType(),
                      result.getDimSize(1), getResult());
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
  if (getElements().size() != getTables().size())
    return emitOpError("expects as many elements as tables, got ")
           << getElements().size() << " and " << getTables().size();
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
    Type element = cast<TypeAttr>(getElements()[i]).getValue();
    bool isWords = type.getRank() == 3 && type.getElementType().isInteger(32);
    SmallVector<StringRef> axes = {rows, isWords ? StringRef(words) : "C"};
    if (type.getRank() == 3)
      axes.push_back(width);
    if (failed(extents.match("indices " + number, indices, {"M"})) ||
        failed(extents.match("table " + number, table, axes)) ||
        (type.getRank() == 2 &&
         failed(verifySameElementType(*this, "table " + number, table, "out", getOut()))))
      return failure();
    if (type.getRank() == 3 && !type.hasStaticShape())
      return emitOpError("expects panels of static shape as table ") << number << ", got " << type;
    if (type.getRank() == 3 && failed(verifyPanels(*this, type, element, extents.get("C"), getOut())))
      return failure();
    if (!getElementTypeOrSelf(indices).isSignlessInteger())
      return emitOpError("expects indices ")
             << number << " to be of signless integers, got " << getElementTypeOrSelf(indices);
  }
  return success();
}
