//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpUtils.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sesame;

int64_t sesame::detail::ExtentVerifier::get(StringRef axis) const {
  auto it = extents.find(axis);
  return it == extents.end() ? ShapedType::kDynamic : it->second;
}

LogicalResult sesame::detail::ExtentVerifier::match(StringRef name, Value value, ArrayRef<StringRef> axes) {
  if (!value)
    return success();
  auto type = cast<ShapedType>(value.getType());
  if (type.getRank() != static_cast<int64_t>(axes.size()))
    return op->emitOpError("expects ")
           << name << " to have rank " << axes.size() << ", got " << type.getRank();
  for (auto [index, spelling] : llvm::enumerate(axes)) {
    int64_t extent = type.getDimSize(index);
    StringRef axis = spelling;
    bool mayBeOne = axis.consume_back("|1");
    if (ShapedType::isDynamic(extent) || (mayBeOne && extent == 1))
      continue;
    int64_t known = 1;
    SmallVector<StringRef> factors, unknown;
    axis.split(factors, '*');
    for (StringRef factor : factors) {
      int64_t number = 0;
      if (!factor.getAsInteger(10, number) || !ShapedType::isDynamic(number = get(factor)))
        known *= number;
      else
        unknown.push_back(factor);
    }
    bool fits = unknown.empty() ? extent == known : (known == 0 ? extent == 0 : extent % known == 0);
    if (fits) {
      if (unknown.size() == 1 && known != 0)
        bind(unknown.front(), extent / known);
      continue;
    }
    InFlightDiagnostic error = op->emitOpError("expects axis ") << index;
    if (!axis.starts_with("."))
      error << " (" << axis << ")";
    error << " of " << name << " to be " << (unknown.empty() ? "" : "a multiple of ") << known;
    if (mayBeOne)
      error << " or 1";
    return error << ", got " << extent;
  }
  return success();
}

LogicalResult sesame::detail::verifySameElementType(Operation *op, StringRef name, Value value,
                                                    StringRef referenceName, Value reference) {
  if (!value)
    return success();
  Type expected = getElementTypeOrSelf(reference), actual = getElementTypeOrSelf(value);
  if (actual != expected)
    return op->emitOpError("expects ") << name << " to have the element type of " << referenceName << ", "
                                       << expected << ", got " << actual;
  return success();
}

LogicalResult sesame::detail::verifyPositive(Operation *op, StringRef name, std::optional<APFloat> value) {
  if (value && (!value->isFinite() || value->isNegative() || value->isZero()))
    return op->emitOpError("expects a positive ") << name << ", got " << value->convertToDouble();
  return success();
}

LogicalResult sesame::detail::verifyVisibility(Operation *op, bool causal, std::optional<int64_t> window,
                                               std::optional<APFloat> softcap) {
  if (window && *window < 1)
    return op->emitOpError("expects a positive window, got ") << *window;
  if (window && !causal)
    return op->emitOpError("expects 'causal' beside a window");
  return verifyPositive(op, "softcap", softcap);
}

OpFoldResult sesame::detail::reifyExtent(OpBuilder &builder, Location loc, Value result, int64_t axis,
                                         Value source, int64_t sourceAxis) {
  auto type = cast<ShapedType>(result.getType());
  if (!type.isDynamicDim(axis))
    return builder.getIndexAttr(type.getDimSize(axis));
  return getValueOrCreateConstantIndexOp(builder, loc,
                                         tensor::getMixedSize(builder, loc, source, sourceAxis));
}

SmallVector<OpFoldResult> sesame::detail::reifyLike(OpBuilder &builder, Location loc, Value result,
                                                    Value source) {
  SmallVector<OpFoldResult> extents;
  for (int64_t axis = 0, rank = cast<ShapedType>(result.getType()).getRank(); axis < rank; ++axis)
    extents.push_back(reifyExtent(builder, loc, result, axis, source, axis));
  return extents;
}

bool sesame::detail::isZeroSplat(Value value) { return matchPattern(value, m_AnyZeroFloat()); }

bool sesame::detail::isOneSplat(Value value) { return matchPattern(value, m_OneFloat()); }

bool sesame::detail::isNonZeroIntegerSplat(Value value) {
  DenseIntElementsAttr constant;
  return matchPattern(value, m_Constant(&constant)) && constant.isSplat() &&
         !constant.getSplatValue<APInt>().isZero();
}
