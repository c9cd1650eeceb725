//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelUtils.h"

using namespace mlir;
using namespace mlir::sesame;
using namespace mlir::sesame::detail;

SESAME_KERNEL_EFFECTS(MatmulTileOp)
SESAME_KERNEL_EFFECTS(AttentionTileOp)
SESAME_KERNEL_EFFECTS(NormTileOp)
SESAME_KERNEL_EFFECTS(EmbeddingTileOp)

namespace {

LogicalResult verifyFloat(Operation *op, StringRef name, Value value) {
  if (value && !isa<FloatType>(getElementTypeOrSelf(value)))
    return op->emitOpError("expects ") << name << " to be of floats, got " << getElementTypeOrSelf(value);
  return success();
}

LogicalResult verifyInteger(Operation *op, StringRef name, Value value) {
  if (value && !getElementTypeOrSelf(value).isSignlessInteger())
    return op->emitOpError("expects ")
           << name << " to be of signless integers, got " << getElementTypeOrSelf(value);
  return success();
}

} // namespace

LogicalResult MatmulTileOp::verify() {
  ExtentVerifier extents(*this);
  if (failed(verifyKernel(*this, getOut(), getResults())) ||
      failed(extents.match("panel", getPanel(), {"K", "R"})) || failed(verifyStatic(*this, extents, "R")) ||
      failed(extents.match("lhs", getLhs(), {"M", "K"})) ||
      failed(extents.match("out", getOut(), {"M", "N"})) || failed(extents.match("bias", getBias(), {"N"})) ||
      failed(verifyFloat(*this, "panel", getPanel())) || failed(verifyFloat(*this, "lhs", getLhs())) ||
      failed(verifySameElementType(*this, "out", getOut(), "lhs", getLhs())) ||
      failed(verifySameElementType(*this, "bias", getBias(), "lhs", getLhs())))
    return failure();
  int64_t columns = extents.get("N"), width = extents.get("R");
  if (!ShapedType::isDynamic(columns) && columns > width)
    return emitOpError("expects at most ") << width << " columns of out, the panel's R, got " << columns;
  return success();
}

LogicalResult AttentionTileOp::verify() {
  ExtentVerifier extents(*this);
  if (failed(verifyKernel(*this, getOut(), getResults())) ||
      failed(extents.match("query", getQuery(), {"S", "D"})) ||
      failed(extents.match("key", getKey(), {"T", "D"})) ||
      failed(extents.match("value", getValue(), {"T", "E"})) ||
      failed(extents.match("out", getOut(), {"S", "E"})) ||
      failed(extents.match("bias", getBias(), {"S|1", "T"})) || failed(verifyStatic(*this, extents, "D")) ||
      failed(verifyStatic(*this, extents, "E")))
    return failure();
  if (Value mask = getMask()) {
    bool perQuery = cast<ShapedType>(mask.getType()).getRank() == 2;
    if (failed(perQuery ? extents.match("mask", mask, {"S", "T"}) : extents.match("mask", mask, {"T"})) ||
        failed(verifyInteger(*this, "mask", mask)))
      return failure();
  }
  if (getHeads() && failed(verifyStatic(*this, extents, "S")))
    return failure();
  if (Value mask = getMask(); getHeads() && mask && cast<ShapedType>(mask.getType()).getRank() != 1)
    return emitOpError("expects a mask of rank 1 for several heads, got ") << mask.getType();
  if (failed(verifyFloat(*this, "query", getQuery())))
    return failure();
  const std::pair<StringRef, Value> floats[] = {
      {"key", getKey()}, {"value", getValue()}, {"bias", getBias()}, {"out", getOut()}};
  for (auto [name, value] : floats) {
    bool mayBeNarrow = getBf16() && (name == "key" || name == "value");
    if (mayBeNarrow && cast<ShapedType>(value.getType()).getElementType().isBF16())
      continue;
    if (failed(verifySameElementType(*this, name, value, "query", getQuery())))
      return failure();
  }
  return verifyVisibility(*this, getCausal(), getWindow(), getSoftcap());
}

LogicalResult NormTileOp::verify() {
  ExtentVerifier extents(*this);
  if (failed(verifyKernel(*this, getOut(), getResults())) ||
      failed(extents.match("input", getInput(), {"M", "C"})) || failed(verifyStatic(*this, extents, "C")) ||
      failed(extents.match("weight", getWeight(), {"C"})) ||
      failed(extents.match("bias", getBias(), {"C"})) || failed(extents.match("out", getOut(), {"M", "C"})) ||
      failed(verifyFloat(*this, "input", getInput())) || failed(verifyFloat(*this, "weight", getWeight())) ||
      failed(verifyFloat(*this, "bias", getBias())) ||
      failed(verifySameElementType(*this, "out", getOut(), "input", getInput())))
    return failure();
  if (getEpsilon().isNaN() || (getEpsilon().isNegative() && !getEpsilon().isZero()))
    return emitOpError("expects an epsilon that is not negative, got ") << getEpsilon().convertToDouble();
  if (getKind() == NormKind::layer && !getOffset().isZero())
    return emitOpError("expects an offset with norm rms only");
  if (getKind() == NormKind::rms && getBias())
    return emitOpError("expects a bias with norm layer only");
  return success();
}

LogicalResult EmbeddingTileOp::verify() {
  if (getTables().empty() || getTables().size() != getIndices().size())
    return emitOpError("expects as many tables as indices and at least one, got ")
           << getTables().size() << " and " << getIndices().size();
  ExtentVerifier extents(*this);
  if (failed(verifyKernel(*this, getOut(), getResults())) ||
      failed(extents.match("out", getOut(), {"M", "C"})) || failed(verifyFloat(*this, "out", getOut())))
    return failure();
  for (auto [i, pair] : llvm::enumerate(llvm::zip_equal(getIndices(), getTables()))) {
    auto [indices, table] = pair;
    std::string number = std::to_string(i), rows = "V" + number;
    if (failed(extents.match("indices " + number, indices, {"M"})) ||
        failed(extents.match("table " + number, table, {rows, "C"})) ||
        failed(verifyInteger(*this, "indices " + number, indices)) ||
        failed(verifySameElementType(*this, "table " + number, table, "out", getOut())))
      return failure();
  }
  return verifyStatic(*this, extents, "C");
}
