//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Dialect/SesameDialect.h"

using namespace mlir;
using namespace mlir::sesame;

LogicalResult WeightOp::verify() {
  if (getCount() < 1)
    return emitOpError("expects a positive count, got ") << getCount();
  auto yield = dyn_cast<YieldOp>(getBody().front().back());
  if (!yield || yield.getValue().getType() != getType())
    return emitOpError("expects its recipe to yield ") << getType();
  return success();
}

int64_t WeightOp::getSizeInBytes() {
  RankedTensorType type = getTensorType();
  return (type.getNumElements() * type.getElementTypeBitWidth() + 7) / 8;
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
  return success();
}

LogicalResult GetWeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto weight = symbols.lookupNearestSymbolFrom<WeightOp>(*this, getWeightAttr());
  if (!weight)
    return emitOpError("expects '") << getWeight() << "' to name a sesame.weight";
  auto type = cast<ShapedType>(getResult().getType());
  if (weight.getTensorType().getShape() != type.getShape() ||
      weight.getTensorType().getElementType() != type.getElementType())
    return emitOpError("expects the type of '") << getWeight() << "', " << weight.getTensorType() << ", got " << type;
  if (weight.getCount() > 1 && !getIndex())
    return emitOpError("expects an index into the ") << weight.getCount() << " tensors of '" << getWeight() << "'";
  return success();
}
