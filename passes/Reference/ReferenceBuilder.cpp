//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReferenceBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"

using namespace mlir;
using namespace mlir::sesame;

Value ReferenceBuilder::index(int64_t value) { return arith::ConstantIndexOp::create(*this, value); }

Value ReferenceBuilder::constant(Type type, double value) {
  TypedAttr attribute = getFloatAttr(getElementTypeOrSelf(type), value);
  if (auto shaped = dyn_cast<ShapedType>(type))
    attribute = DenseElementsAttr::get(shaped, attribute);
  return arith::ConstantOp::create(*this, attribute);
}

Value ReferenceBuilder::convert(Value value, Type type) {
  unsigned from = getElementTypeOrSelf(value).getIntOrFloatBitWidth();
  unsigned to = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  if (from == to)
    return value;
  if (from < to)
    return arith::ExtFOp::create(*this, type, value);
  return arith::TruncFOp::create(*this, type, value);
}

Value ReferenceBuilder::toFloat(Value value, Type type) {
  if (value.getType().isIndex())
    value = arith::IndexCastOp::create(*this, getI64Type(), value);
  return arith::SIToFPOp::create(*this, type, value);
}

Value ReferenceBuilder::dim(Value tensor, int64_t axis) { return createOrFold<tensor::DimOp>(tensor, axis); }

OpFoldResult ReferenceBuilder::extent(Value tensor, int64_t axis) {
  return tensor::getMixedSize(*this, getLoc(), tensor, axis);
}

SmallVector<OpFoldResult> ReferenceBuilder::extents(Value tensor) {
  return tensor::getMixedSizes(*this, getLoc(), tensor);
}

SmallVector<OpFoldResult> ReferenceBuilder::resultExtents(Operation *op, unsigned number) {
  ReifiedRankedShapedTypeDims shapes;
  // No op of this dialect fails to give its result shapes.
  (void)cast<ReifyRankedShapedTypeOpInterface>(op).reifyResultShapes(*this, shapes);
  return shapes[number];
}

Value ReferenceBuilder::empty(ArrayRef<OpFoldResult> extents, Type element) {
  return tensor::EmptyOp::create(*this, extents, element);
}

Value ReferenceBuilder::fill(ArrayRef<OpFoldResult> extents, Type element, double value) {
  return linalg::FillOp::create(*this, constant(element, value), empty(extents, element)).getResult(0);
}

Value ReferenceBuilder::at(Value tensor, ValueRange indices) {
  return tensor::ExtractOp::create(*this, tensor, indices);
}

Value ReferenceBuilder::broadcastIndex(Value tensor, int64_t axis, Value index) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.getDimSize(axis) == 1)
    return this->index(0);
  if (!type.isDynamicDim(axis))
    return index;
  Value isOne = arith::CmpIOp::create(*this, arith::CmpIPredicate::eq, dim(tensor, axis), this->index(1));
  return arith::SelectOp::create(*this, isOne, this->index(0), index);
}

Operand ReferenceBuilder::all(Value tensor) {
  return on(tensor,
            llvm::to_vector(llvm::seq<int64_t>(0, cast<RankedTensorType>(tensor.getType()).getRank())));
}

Operand ReferenceBuilder::on(Value tensor, ArrayRef<int64_t> loops) {
  return {tensor, llvm::map_to_vector(loops, [&](int64_t loop) { return getAffineDimExpr(loop); })};
}

Value ReferenceBuilder::loops(Value init, int64_t numReductions, ArrayRef<Operand> operands,
                              function_ref<Value(ValueRange)> body) {
  int64_t rank = cast<RankedTensorType>(init.getType()).getRank();
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (const Operand &operand : operands) {
    inputs.push_back(operand.tensor);
    maps.push_back(AffineMap::get(rank + numReductions, 0, operand.axes, getContext()));
  }
  maps.push_back(AffineMap::get(rank + numReductions, 0, all(init).axes, getContext()));
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators.append(numReductions, utils::IteratorType::reduction);
  // The nested builder is this builder, so `body` builds inside the region.
  auto buildBody = [&](OpBuilder &nested, Location loc, ValueRange elements) {
    linalg::YieldOp::create(nested, loc, body(elements));
  };
  return linalg::GenericOp::create(*this, init.getType(), inputs, init, maps, iterators, buildBody)
      .getResult(0);
}

Value ReferenceBuilder::loop(int64_t number) { return linalg::IndexOp::create(*this, number); }

Value ReferenceBuilder::matmul(Value init, Value x, Value weight,
                               function_ref<SmallVector<AffineExpr>(AffineExpr, AffineExpr)> weightAxes) {
  int64_t leading = cast<RankedTensorType>(x.getType()).getRank() - 1;
  AffineExpr n = getAffineDimExpr(leading), k = getAffineDimExpr(leading + 1);
  Operand input = all(x);
  input.axes.back() = k;
  Type compute = getElementTypeOrSelf(init);
  return loops(init, /*numReductions=*/1, {input, {weight, weightAxes(n, k)}}, [&](ValueRange e) -> Value {
    Value product = arith::MulFOp::create(*this, convert(e[0], compute), convert(e[1], compute));
    return arith::AddFOp::create(*this, e[2], product);
  });
}
