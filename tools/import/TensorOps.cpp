//===- TensorOps.cpp - Indexed tensor expressions for model families ------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <map>

using namespace mlir;

namespace sesame::importer {

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

Value Scalars::constant(int64_t index) { return arith::ConstantIndexOp::create(builder, loc, index); }

Value Scalars::constantF32(double value) {
  return arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(static_cast<float>(value)));
}

Value Scalars::constantI64(int64_t value) {
  return arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(value));
}

Value Scalars::index(int64_t axis) { return linalg::IndexOp::create(builder, loc, axis); }

static bool isFloat(Value value) { return isa<FloatType>(value.getType()); }

/// a and b, two floats or two integers, through the operation of their kind.
template <typename FloatOp, typename IntegerOp> static Value combine(Scalars &s, Value a, Value b) {
  if (isFloat(a))
    return FloatOp::create(s.builder, s.loc, a, b);
  return IntegerOp::create(s.builder, s.loc, a, b);
}

Value Scalars::add(Value a, Value b) { return combine<arith::AddFOp, arith::AddIOp>(*this, a, b); }
Value Scalars::subtract(Value a, Value b) { return combine<arith::SubFOp, arith::SubIOp>(*this, a, b); }
Value Scalars::multiply(Value a, Value b) { return combine<arith::MulFOp, arith::MulIOp>(*this, a, b); }
Value Scalars::divide(Value a, Value b) { return combine<arith::DivFOp, arith::DivSIOp>(*this, a, b); }
Value Scalars::remainder(Value a, Value b) { return arith::RemSIOp::create(builder, loc, a, b); }
Value Scalars::minimum(Value a, Value b) { return combine<arith::MinimumFOp, arith::MinSIOp>(*this, a, b); }
Value Scalars::maximum(Value a, Value b) { return combine<arith::MaximumFOp, arith::MaxSIOp>(*this, a, b); }

Value Scalars::less(Value a, Value b) {
  return isFloat(a) ? Value(arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, a, b))
                    : Value(arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, a, b));
}

Value Scalars::equal(Value a, Value b) {
  return isFloat(a) ? Value(arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ, a, b))
                    : Value(arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, a, b));
}

Value Scalars::select(Value condition, Value a, Value b) {
  return arith::SelectOp::create(builder, loc, condition, a, b);
}

Value Scalars::toF32(Value value) {
  if (isFloat(value))
    return value;
  return arith::SIToFPOp::create(builder, loc, builder.getF32Type(), toI64(value));
}

Value Scalars::toI64(Value value) {
  if (!value.getType().isIndex())
    return value;
  return arith::IndexCastOp::create(builder, loc, builder.getI64Type(), value);
}

Value Scalars::toIndex(Value value) {
  if (value.getType().isIndex())
    return value;
  return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), value);
}

Value Scalars::at(Value tensor, ValueRange indices) {
  return tensor::ExtractOp::create(builder, loc, tensor, indices);
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

namespace {

/// "bsc,bs->bsc" taken apart: each axis has a number, first those of the result, then those reduced over.
struct Subscripts {
  SmallVector<AffineMap> maps; // of the inputs, then of the result
  SmallVector<OpFoldResult> resultExtents;
  size_t numAxes, resultRank;

  Subscripts(ModelBuilder &b, StringRef text, ValueRange inputs) {
    auto [left, result] = text.split("->");
    SmallVector<StringRef> operands;
    left.split(operands, ',');
    std::map<char, unsigned> axes;
    for (char axis : result)
      axes.emplace(axis, axes.size());
    for (StringRef operand : operands)
      for (char axis : operand)
        if (axis != '0')
          axes.emplace(axis, axes.size());
    numAxes = axes.size();
    resultRank = result.size();
    auto map = [&](StringRef letters) {
      SmallVector<AffineExpr> exprs;
      for (char axis : letters)
        exprs.push_back(axis == '0' ? b.builder.getAffineConstantExpr(0)
                                    : b.builder.getAffineDimExpr(axes.at(axis)));
      maps.push_back(AffineMap::get(numAxes, 0, exprs, b.builder.getContext()));
    };
    for (StringRef operand : operands)
      map(operand);
    map(result);
    for (char axis : result)
      for (auto [operand, input] : llvm::zip_equal(operands, inputs))
        if (size_t at = operand.find(axis); at != StringRef::npos) {
          resultExtents.push_back(b.extent(input, at));
          break;
        }
  }

  SmallVector<utils::IteratorType> iterators() const {
    SmallVector<utils::IteratorType> types(numAxes, utils::IteratorType::reduction);
    std::fill_n(types.begin(), resultRank, utils::IteratorType::parallel);
    return types;
  }
};

/// The generic that starts from `init`; the values that `body` is given end with that of `init`.
Value expression(ModelBuilder &b, const Subscripts &axes, ValueRange inputs, Value init,
                 function_ref<Value(Scalars, ValueRange)> body) {
  return linalg::GenericOp::create(b.builder, b.loc, init.getType(), inputs, init, axes.maps,
                                   axes.iterators(),
                                   [&](OpBuilder &inner, Location l, ValueRange values) {
                                     linalg::YieldOp::create(inner, l, body({inner, l}, values));
                                   })
      .getResult(0);
}

} // namespace

Value reduceOver(ModelBuilder &b, StringRef subscripts, ValueRange inputs, Value initial,
                 function_ref<Value(Scalars, ValueRange)> body) {
  Subscripts axes(b, subscripts, inputs);
  Value init = tensor::EmptyOp::create(b.builder, b.loc, axes.resultExtents, initial.getType());
  init = linalg::FillOp::create(b.builder, b.loc, initial, init).getResult(0);
  return expression(b, axes, inputs, init, body);
}

Value einsum(ModelBuilder &b, StringRef subscripts, Value left, Value right) {
  return reduceOver(b, subscripts, {left, right}, b.constantF32(0), [](Scalars s, ValueRange values) {
    return s.add(values[2], s.multiply(values[0], values[1]));
  });
}

Value mapOver(ModelBuilder &b, StringRef subscripts, ValueRange inputs, ArrayRef<OpFoldResult> extents,
              Type elementType, function_ref<Value(Scalars, ValueRange)> body) {
  Subscripts axes(b, subscripts, inputs);
  Value init = tensor::EmptyOp::create(b.builder, b.loc, extents, elementType);
  return expression(b, axes, inputs, init,
                    [&](Scalars s, ValueRange values) { return body(s, values.drop_back()); });
}

Value mapOver(ModelBuilder &b, StringRef subscripts, ValueRange inputs, Type elementType,
              function_ref<Value(Scalars, ValueRange)> body) {
  return mapOver(b, subscripts, inputs, Subscripts(b, subscripts, inputs).resultExtents, elementType, body);
}

Value generate(ModelBuilder &b, ArrayRef<OpFoldResult> extents, Type elementType,
               function_ref<Value(Scalars, ValueRange)> body) {
  int64_t rank = extents.size();
  Value init = tensor::EmptyOp::create(b.builder, b.loc, extents, elementType);
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  return linalg::GenericOp::create(b.builder, b.loc, init.getType(), ValueRange(), init,
                                   b.builder.getMultiDimIdentityMap(rank), parallel,
                                   [&](OpBuilder &inner, Location l, ValueRange) {
                                     SmallVector<Value> indices;
                                     for (int64_t axis = 0; axis < rank; ++axis)
                                       indices.push_back(linalg::IndexOp::create(inner, l, axis));
                                     linalg::YieldOp::create(inner, l, body({inner, l}, indices));
                                   })
      .getResult(0);
}

Value transpose(ModelBuilder &b, Value x, ArrayRef<int64_t> permutation) {
  SmallVector<OpFoldResult> extents;
  for (int64_t axis : permutation)
    extents.push_back(b.extent(x, axis));
  Type elementType = cast<RankedTensorType>(x.getType()).getElementType();
  Value init = tensor::EmptyOp::create(b.builder, b.loc, extents, elementType);
  return linalg::TransposeOp::create(b.builder, b.loc, x, init, permutation).getResult()[0];
}

Value concat(ModelBuilder &b, ValueRange parts, int64_t axis) {
  return tensor::ConcatOp::create(b.builder, b.loc, axis, parts);
}

Value addBias(ModelBuilder &b, Value x, Value bias) {
  return mapOver(b, "bsc,c->bsc", {x, bias}, b.builder.getF32Type(),
                 [](Scalars s, ValueRange values) { return s.add(values[0], values[1]); });
}

Value addRows(ModelBuilder &b, Value x, Value rows) {
  bool isMatrix = cast<RankedTensorType>(rows.getType()).getRank() == 2;
  return mapOver(b, isMatrix ? "bsc,sc->bsc" : "bsc,0sc->bsc", {x, rows}, b.builder.getF32Type(),
                 [](Scalars s, ValueRange values) { return s.add(values[0], values[1]); });
}

Value zeroMasked(ModelBuilder &b, Value x, Value mask) {
  // The mask comes first, so that extents are those of an input of the entry.
  return mapOver(b, "bs,bsc->bsc", {mask, x}, b.builder.getF32Type(),
                 [](Scalars s, ValueRange values) { return s.multiply(s.toF32(values[0]), values[1]); });
}

Value splitAxis(ModelBuilder &b, Value x, int64_t axis, int64_t first) {
  auto type = cast<RankedTensorType>(x.getType());
  SmallVector<OpFoldResult> extents;
  SmallVector<int64_t> shape;
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    int64_t at = extents.size();
    if (i == axis) {
      shape.append({first, type.getDimSize(i) / first});
      extents.append({b.builder.getIndexAttr(first), b.builder.getIndexAttr(shape.back())});
      groups.push_back({at, at + 1});
      continue;
    }
    shape.push_back(type.getDimSize(i));
    extents.push_back(b.extent(x, i));
    groups.push_back({at});
  }
  return tensor::ExpandShapeOp::create(b.builder, b.loc, type.clone(shape), x, groups, extents);
}

Value joinAxes(ModelBuilder &b, Value x, int64_t axis) {
  int64_t rank = cast<RankedTensorType>(x.getType()).getRank();
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0; i < rank; ++i)
    if (i == axis + 1)
      groups.back().push_back(i);
    else
      groups.push_back({i});
  return tensor::CollapseShapeOp::create(b.builder, b.loc, x, groups);
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// A value of static shape under another one.
static Value reshape(ModelBuilder &b, Value x, ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(x.getType());
  auto result = b.tensorType(shape);
  if (type == result)
    return x;
  auto groups = getReassociationIndicesForReshape(type, result);
  if (type.getRank() > result.getRank())
    return tensor::CollapseShapeOp::create(b.builder, b.loc, result, x, *groups);
  return tensor::ExpandShapeOp::create(b.builder, b.loc, result, x, *groups);
}

Value reshapedWeight(ModelBuilder &b, const NamePattern &name, ArrayRef<int64_t> stored,
                     ArrayRef<int64_t> shape) {
  return b.weightBy(name, b.tensorType(shape),
                    [&] { return reshape(b, b.storedTensor(name, stored), shape); });
}

SmallVector<Value> convolutionWeights(ModelBuilder &b, const NamePattern &name, ArrayRef<int64_t> stored,
                                      int64_t groups) {
  int64_t rows = stored.front() / groups, columns = ShapedType::getNumElements(stored.drop_front());
  SmallVector<Value> matrices;
  for (int64_t group = 0; group < groups; ++group) {
    std::string part = group == 0 ? name : name + ".group" + std::to_string(group);
    matrices.push_back(b.weightBy(part, b.tensorType({rows, columns}), [&] {
      Value matrix = reshape(b, b.storedTensor(name, stored), {stored.front(), columns});
      return b.slice(matrix, 0, b.builder.getIndexAttr(group * rows), b.builder.getIndexAttr(rows));
    }));
  }
  return matrices;
}

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

Value sequenceSummary(ModelBuilder &b, const std::string &name, Value h, int64_t labels,
                      const std::string &fallbackType) {
  const Config &c = b.config;
  std::string type = c.choice("summary_type", {"last", "first", "mean", "cls_index", "attn"}, fallbackType);
  if (type == "attn")
    c.fail("summary_type", "'attn' is not supported");
  Value picked;
  if (type == "first")
    picked = b.select(h, 1, b.builder.getIndexAttr(0));
  else if (type == "mean") {
    Value ones = generate(b, {b.extent(h, 1)}, b.builder.getF32Type(),
                          [](Scalars s, ValueRange) { return s.constantF32(1); });
    Value length = b.dim(h, 1);
    picked = mapOver(b, "bc->bc", einsum(b, "bsc,s->bc", h, ones), b.builder.getF32Type(),
                     [&](Scalars s, ValueRange values) { return s.divide(values[0], s.toF32(length)); });
  } else // without indices, cls_index reads the last position
    picked = b.selectLast(h, 1);
  if (c.flag("summary_use_proj", true)) {
    int64_t width = cast<RankedTensorType>(h.getType()).getDimSize(2);
    bool toLabels = c.flag("summary_proj_to_labels", true) && labels > 0;
    picked = b.linear(name + ".summary", picked, toLabels ? labels : width);
  }
  if (c.has("summary_activation"))
    picked = b.activation(c.activation("summary_activation"), picked);
  return picked;
}

void questionAnsweringOutputs(ModelBuilder &b, const std::string &name, Value h) {
  Value scores = b.linear(name, h, 2); // [B, S, 2]
  b.output("start_logits", b.select(scores, 2, b.builder.getIndexAttr(0)), {"B", "S"});
  b.output("end_logits", b.select(scores, 2, b.builder.getIndexAttr(1)), {"B", "S"});
}

} // namespace sesame::importer
