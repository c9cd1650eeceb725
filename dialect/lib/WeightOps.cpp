//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Dialect/SesameDialect.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/CheckedArithmetic.h"

using namespace mlir;
using namespace mlir::sesame;

LogicalResult WeightOp::verify() {
  int64_t count = getCount();
  if (count < 1)
    return emitOpError("expects a positive count, got ") << count;
  auto yield = dyn_cast<YieldOp>(getBody().front().back());
  if (!yield)
    return emitOpError("expects its recipe to end in 'sesame.yield', got '")
           << getBody().front().back().getName() << "'";
  if (yield.getValue().getType() != getType())
    return emitOpError("expects its recipe to yield ") << getType() << ", got " << yield.getValue().getType();
  if (getBody().getNumArguments() != 0)
    return emitOpError("expects a recipe without arguments, got ") << getBody().getNumArguments();
  // Sizes and offsets are 64-bit byte counts; an element counts as at most 16 bytes here.
  std::optional<int64_t> bytes = llvm::checkedMul<int64_t>(count, 16);
  for (int64_t extent : getTensorType().getShape())
    bytes = bytes ? llvm::checkedMul(*bytes, extent) : std::nullopt;
  if (!bytes)
    return emitOpError("expects a size that fits into 64 bits, got ") << count << " times " << getType();
  return success();
}

int64_t WeightOp::getSizeInBytes() {
  RankedTensorType type = getTensorType();
  return (type.getNumElements() * type.getElementTypeBitWidth() + 7) / 8;
}

LogicalResult CheckpointTensorOp::verify() {
  if (getParts().empty())
    return emitOpError("expects at least one part of a name");
  if (static_cast<int64_t>(getFirstIndex()) < 0)
    return emitOpError("expects a first index that is not negative, got ")
           << static_cast<int64_t>(getFirstIndex());
  return success();
}

std::string CheckpointTensorOp::getTensorName(int64_t index) {
  std::string name;
  for (auto [i, part] : llvm::enumerate(getParts().getAsValueRange<StringAttr>())) {
    if (i)
      name += std::to_string(index + static_cast<int64_t>(getFirstIndex()));
    name += part;
  }
  return name;
}

LogicalResult PackPanelsOp::verify() {
  RankedTensorType source = getSource().getType(), result = getResult().getType();
  if (getLayout() == WeightLayout::panels || !source.hasStaticShape() || !result.hasStaticShape())
    return emitOpError("expects layout nk or kn and static shapes");
  bool isNk = getLayout() == WeightLayout::nk;
  int64_t n = source.getDimSize(isNk ? 0 : 1), k = source.getDimSize(isNk ? 1 : 0);
  int64_t r = result.getDimSize(2);
  if (r < 1 || result.getDimSize(1) != k || result.getDimSize(0) != (n + r - 1) / r)
    return emitOpError("expects panels [ceil(N / R), K, R] of a matrix with N = ")
           << n << " and K = " << k << ", got " << result;
  if (source.getElementType() != result.getElementType())
    return emitOpError("expects result to have the element type of source, ")
           << source.getElementType() << ", got " << result.getElementType();
  return success();
}

LogicalResult GetWeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto weight = symbols.lookupNearestSymbolFrom<WeightOp>(*this, getWeightAttr());
  if (!weight)
    return emitOpError("expects '") << getWeight() << "' to name a sesame.weight";
  auto type = cast<ShapedType>(getResult().getType());
  if (weight.getTensorType().getShape() != type.getShape() ||
      weight.getTensorType().getElementType() != type.getElementType())
    return emitOpError("expects the type of '")
           << getWeight() << "', " << weight.getTensorType() << ", got " << type;
  if (weight.getCount() > 1 && !getIndex())
    return emitOpError("expects an index into the ")
           << weight.getCount() << " tensors of '" << getWeight() << "'";
  std::optional<int64_t> index = getIndex() ? getConstantIntValue(getIndex()) : std::nullopt;
  if (index && (*index < 0 || *index >= static_cast<int64_t>(weight.getCount())))
    return emitOpError("expects an index below ")
           << weight.getCount() << ", the count of '" << getWeight() << "', got " << *index;
  return success();
}
