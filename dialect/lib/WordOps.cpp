//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Dialect/WordOps.h"

#include "KernelUtils.h"

using namespace mlir;
using namespace mlir::sesame;
using namespace mlir::sesame::detail;

SESAME_KERNEL_EFFECTS(PackWordsTileOp)
SESAME_KERNEL_EFFECTS(WordMatmulTileOp)

namespace {

LogicalResult verifyElement(Operation *op, Type element) {
  if (WordFormat::isKnown(element))
    return success();
  return op->emitOpError("expects words of bf16, i8, ui8 or ui4, got ") << element;
}

LogicalResult verifyElementType(Operation *op, StringRef name, Value value, bool isInteger) {
  if (!value)
    return success();
  Type element = getElementTypeOrSelf(value);
  if (isInteger ? element.isInteger(32) : element.isF32())
    return success();
  return op->emitOpError("expects ") << name << " to be of " << (isInteger ? "i32" : "f32") << ", got "
                                     << element;
}

/// Checks that `panels` are those of a matrix of `k` rows and `n` columns.
LogicalResult verifyPanels(Operation *op, Type element, RankedTensorType panels, int64_t k, int64_t n) {
  WordFormat format(element);
  if (format.isInt8 && k > maxInt8Depth)
    return op->emitOpError("expects K of at most ") << maxInt8Depth << " with words of i8, got " << k;
  int64_t words = format.columnWords(k), r = panels.getDimSize(2);
  if (!panels.hasStaticShape() || r < 1 || panels.getDimSize(1) != words ||
      panels.getDimSize(0) != llvm::divideCeilSigned(n, r))
    return op->emitOpError("expects panels [ceil(N / R), ")
           << words << ", R] for N = " << n << " and K = " << k << ", got " << panels;
  return success();
}

} // namespace

LogicalResult PackWordPanelsOp::verify() {
  RankedTensorType source = getSource().getType();
  if (failed(verifyElement(*this, getElement())))
    return failure();
  if (getLayout() == WeightLayout::panels || !source.hasStaticShape())
    return emitOpError("expects layout nk or kn and static shapes");
  bool isNk = getLayout() == WeightLayout::nk;
  return verifyPanels(*this, getElement(), getResult().getType(), source.getDimSize(isNk ? 1 : 0),
                      source.getDimSize(isNk ? 0 : 1));
}

LogicalResult WordLinearOp::verify() {
  auto input = cast<RankedTensorType>(getInput().getType()),
       result = cast<RankedTensorType>(getResult().getType());
  if (input.getRank() < 1)
    return emitOpError("expects input to have rank 1 or more, got 0");
  if (failed(verifyElement(*this, getElement())))
    return failure();
  SmallVector<std::string> names;
  for (int64_t axis = 0; axis + 1 < input.getRank(); ++axis)
    names.push_back("." + std::to_string(axis));
  auto axes = [&](StringRef last) {
    SmallVector<StringRef> all(names.begin(), names.end());
    all.push_back(last);
    return all;
  };
  for (auto [name, value] : {std::pair<StringRef, Value>{"result", getResult()}, {"other", getOther()}})
    if (value && cast<ShapedType>(value.getType()).getRank() != input.getRank())
      return emitOpError("expects ") << name << " to have the rank of input, " << input.getRank() << ", got "
                                     << cast<ShapedType>(value.getType()).getRank();
  ExtentVerifier extents(*this);
  if (failed(extents.match("input", getInput(), axes("K"))) ||
      failed(extents.match("bias", getBias(), {"N"})) ||
      failed(extents.match("other", getOther(), axes("N"))) ||
      failed(extents.match("result", getResult(), axes("N"))))
    return failure();
  int64_t k = input.getShape().back(), n = result.getShape().back();
  if (ShapedType::isDynamic(k) || ShapedType::isDynamic(n))
    return emitOpError("expects static K and N, got ") << input << " and " << result;
  if (failed(verifyPanels(*this, getElement(), getPanels().getType(), k, n)))
    return failure();
  const std::pair<StringRef, Value> floats[] = {
      {"input", getInput()}, {"bias", getBias()}, {"other", getOther()}, {"result", getResult()}};
  for (auto [name, value] : floats)
    if (failed(verifyElementType(*this, name, value, /*isInteger=*/false)))
      return failure();
  if (static_cast<bool>(getOther()) != (getCombine() != Combine::replace))
    return emitOpError("expects other exactly if combine is add or multiply");
  return success();
}

LogicalResult WordLinearOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> extents;
  auto type = cast<RankedTensorType>(getResult().getType());
  for (int64_t axis = 0; axis + 1 < type.getRank(); ++axis)
    extents.push_back(reifyExtent(builder, getLoc(), getResult(), axis, getInput(), axis));
  extents.push_back(builder.getIndexAttr(type.getShape().back()));
  shapes.push_back(extents);
  return success();
}

LogicalResult PackWordsTileOp::verify() {
  ExtentVerifier extents(*this);
  if (failed(verifyElement(*this, getElement())) || failed(verifyKernel(*this, getOut(), getResults())) ||
      failed(extents.match("input", getInput(), {"M", "K"})) || failed(verifyStatic(*this, extents, "K")) ||
      failed(extents.match("out", getOut(), {"M", "W"})) || failed(verifyStatic(*this, extents, "W")) ||
      failed(verifyElementType(*this, "input", getInput(), /*isInteger=*/false)) ||
      failed(verifyElementType(*this, "out", getOut(), /*isInteger=*/true)))
    return failure();
  int64_t words = WordFormat(getElement()).rowWords(extents.get("K"));
  if (extents.get("W") != words)
    return emitOpError("expects ") << words << " words a row of out for K = " << extents.get("K") << ", got "
                                   << extents.get("W");
  return success();
}

LogicalResult WordMatmulTileOp::verify() {
  ExtentVerifier extents(*this);
  WordFormat format(getElement());
  if (failed(verifyElement(*this, getElement())) || failed(verifyKernel(*this, getOut(), getResults())) ||
      failed(extents.match("panel", getPanel(), {"W", "R"})) || failed(verifyStatic(*this, extents, "W")) ||
      failed(verifyStatic(*this, extents, "R")) ||
      failed(extents.match("lhs", getLhs(), {"M", format.isGrouped ? "L" : "W"})) ||
      failed(extents.match("out", getOut(), {"M", "C"})) || failed(extents.match("bias", getBias(), {"N"})))
    return failure();
  const bool isOutOfWords = cast<ShapedType>(getOut().getType()).getElementType().isInteger(32);
  if (isOutOfWords && (!getElement().isBF16() || getCombine() != Combine::replace))
    return emitOpError("expects an out of words of bf16 that are replaced, got ") << getElement();
  const int64_t perColumn = isOutOfWords ? 2 : 1;
  int64_t columns = extents.get("C"), biases = extents.get("N");
  if (!ShapedType::isDynamic(columns))
    columns *= perColumn;
  if (!ShapedType::isDynamic(columns) && !ShapedType::isDynamic(biases) && columns != biases)
    return emitOpError("expects axis 0 (N) of bias to be ") << columns << ", got " << biases;
  const std::pair<StringRef, Value> words[] = {{"lhs", getLhs()}, {"panel", getPanel()}};
  for (auto [name, value] : words)
    if (failed(verifyElementType(*this, name, value, /*isInteger=*/true)))
      return failure();
  const std::pair<StringRef, Value> floats[] = {{"bias", getBias()},
                                                {"out", isOutOfWords ? Value() : getOut()}};
  for (auto [name, value] : floats)
    if (failed(verifyElementType(*this, name, value, /*isInteger=*/false)))
      return failure();
  int64_t least = format.columnWords(1), length = extents.get("W");
  if (length < least)
    return emitOpError("expects at least ") << least << " words a row, got " << length;
  if (format.isGrouped) {
    int64_t steps = length / least;
    if (length % least != 0 || extents.get("L") != steps * WordFormat::rowStepWords)
      return emitOpError("expects whole steps of ")
             << least << " words of panel and " << WordFormat::rowStepWords
             << " of lhs, as many of both, got " << length << " and " << extents.get("L");
  }
  int64_t width = extents.get("R");
  if (!ShapedType::isDynamic(columns) && columns > width)
    return emitOpError("expects at most ") << width << " columns of out, the panel's R, got " << columns;
  return success();
}
