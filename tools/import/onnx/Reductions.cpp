//===- Reductions.cpp - Sums over axes, softmax, norms --------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Translator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;

namespace sesame::onnx {

namespace ops = mlir::sesame;

/// What a reduction starts from.
static TypedAttr neutralElement(OpBuilder &builder, Translator::Reduction reduction, Type type) {
  using Reduction = Translator::Reduction;
  bool isOne = reduction == Reduction::product;
  if (isa<FloatType>(type)) {
    float infinity = std::numeric_limits<float>::infinity();
    return builder.getF32FloatAttr(reduction == Reduction::largest    ? -infinity
                                   : reduction == Reduction::smallest ? infinity
                                                                      : (isOne ? 1.0f : 0.0f));
  }
  unsigned width = type.getIntOrFloatBitWidth();
  APInt value = reduction == Reduction::largest    ? APInt::getSignedMinValue(width)
                : reduction == Reduction::smallest ? APInt::getSignedMaxValue(width)
                                                   : APInt(width, isOne ? 1 : 0);
  return builder.getIntegerAttr(type, value);
}

Term *Translator::reduce(Reduction reduction, Term *x, ArrayRef<int64_t> axes, bool keep) {
  Dims kept, dropped;
  SmallVector<AffineExpr> exprs;
  SmallVector<utils::IteratorType> iterators;
  for (int64_t axis = 0; axis < x->rank(); ++axis) {
    bool isReduced = llvm::is_contained(axes, axis);
    iterators.push_back(isReduced ? utils::IteratorType::reduction : utils::IteratorType::parallel);
    kept.push_back(isReduced ? Extent(1) : x->dims[axis]);
    if (!isReduced) {
      dropped.push_back(x->dims[axis]);
      exprs.push_back(builder.getAffineDimExpr(axis));
    }
  }
  Value input = materialize(x);
  Value start =
      arith::ConstantOp::create(builder, loc, neutralElement(builder, reduction, elementType(x->kind)));
  Value init = linalg::FillOp::create(builder, loc, start, empty(x->kind, dropped)).getResult(0);
  SmallVector<AffineMap> maps = {builder.getMultiDimIdentityMap(x->rank()),
                                 AffineMap::get(x->rank(), 0, exprs, builder.getContext())};
  auto body = [&](OpBuilder &inner, Location l, ValueRange values) {
    Scalars s{inner, l};
    Value a = values[1], b = values[0];
    linalg::YieldOp::create(inner, l,
                            reduction == Reduction::sum       ? s.add(a, b)
                            : reduction == Reduction::largest ? s.maximum(a, b)
                            : reduction == Reduction::product ? s.multiply(a, b)
                                                              : s.minimum(a, b));
  };
  Term *result =
      tensor(x->kind, dropped,
             linalg::GenericOp::create(builder, loc, init.getType(), input, init, maps, iterators, body)
                 .getResult(0));
  return keep ? reshape(result, kept) : result;
}

namespace {

/// An elementwise function of one tensor.
Term *map(Translator &t, Term *x, std::function<Value(Scalars, Value)> function) {
  return t.expression(x->kind, x->dims, {x}, [&t, x, function](Scalars s, ValueRange indices) {
    return function(s, t.at(x, s, indices));
  });
}

void reduceNode(Call &call) {
  Translator &t = call.translator;
  StringRef name = call.node.opType;
  Term *x = call.input(0);
  if (x->kind == Kind::boolean)
    call.fail("expected a tensor of numbers");
  std::optional<std::vector<int64_t>> given = call.axes("axes", 1);
  SmallVector<int64_t> axes;
  for (int64_t axis : given.value_or(std::vector<int64_t>()))
    axes.push_back(call.axis(axis, x->rank()));
  if (axes.empty()) {
    if (call.integer("noop_with_empty_axes", 0))
      return call.result(x);
    axes = llvm::to_vector(llvm::seq<int64_t>(0, x->rank()));
  }
  bool keep = call.integer("keepdims", 1) != 0;
  using Reduction = Translator::Reduction;
  // Products of extents are shape arithmetic.
  if (name == "ReduceProd" && x->integers && x->rank() == 1)
    return call.result(t.integersOf(x->kind, keep ? Dims{1} : Dims{}, {t.product(*x->integers)}));
  if (!x->isFloat() && (name == "ReduceMean" || name == "ReduceL2"))
    call.fail("expected a tensor of floats");
  if (name == "ReduceMax" || name == "ReduceMin")
    return call.result(
        t.reduce(name == "ReduceMax" ? Reduction::largest : Reduction::smallest, x, axes, keep));
  if (name == "ReduceProd")
    return call.result(t.reduce(Reduction::product, x, axes, keep));
  if (name == "ReduceSumSquare" || name == "ReduceL2")
    x = map(t, x, [](Scalars s, Value value) { return s.multiply(value, value); });
  Term *sum = t.reduce(Reduction::sum, x, axes, keep);
  if (name == "ReduceL2")
    sum = map(t, sum,
              [](Scalars s, Value value) -> Value { return math::SqrtOp::create(s.builder, s.loc, value); });
  if (name == "ReduceMean") {
    Extent count = 1;
    for (int64_t axis : axes)
      count = count * x->dims[axis];
    sum = map(t, sum, [&t, count](Scalars s, Value value) {
      return s.divide(value, s.toF32(t.index(s.builder, count)));
    });
  }
  call.result(sum);
}

/// Softmax and LogSoftmax.
void softmax(Call &call) {
  Translator &t = call.translator;
  Term *x = call.input(0);
  if (!x->isFloat())
    call.fail("expected a tensor of floats");
  int64_t axis = call.axis(call.integer("axis", -1), x->rank());
  t.materialize(x);
  Term *largest = t.reduce(Translator::Reduction::largest, x, axis, /*keep=*/true);
  Term *shifted = t.expression(x->kind, x->dims, {x, largest}, [&t, x, largest](Scalars s, ValueRange at) {
    return s.subtract(t.at(x, s, at), t.atBroadcast(largest, s, at));
  });
  Term *powers = map(t, shifted, [](Scalars s, Value value) -> Value {
    return math::ExpOp::create(s.builder, s.loc, value);
  });
  t.materialize(powers);
  Term *sum = t.reduce(Translator::Reduction::sum, powers, axis, /*keep=*/true);
  bool isLog = call.node.opType == "LogSoftmax";
  Term *upper = isLog ? shifted : powers;
  call.result(t.expression(x->kind, x->dims, {upper, sum}, [&t, upper, sum, isLog](Scalars s, ValueRange at) {
    Value value = t.at(upper, s, at), total = t.atBroadcast(sum, s, at);
    return isLog ? s.subtract(value, math::LogOp::create(s.builder, s.loc, total)) : s.divide(value, total);
  }));
}

void layerNormalization(Call &call) {
  Translator &t = call.translator;
  Term *x = call.input(0), *weight = call.input(1), *bias = call.optional(2);
  bool isRms = call.node.opType == "RMSNormalization";
  int64_t axis = call.axis(call.integer("axis", -1), x->rank());
  Extent width = t.product(ArrayRef<Extent>(x->dims).drop_front(axis));
  if (!width.constant())
    call.fail("expected the normalized axes to have known extents");
  Dims joined(x->dims.begin(), x->dims.begin() + axis);
  joined.push_back(width);
  Value input = t.materialize(t.reshape(x, joined));
  auto vector = [&](Term *term) {
    return term ? t.materialize(
                      t.reshape(t.broadcast(term, Dims(x->dims.begin() + axis, x->dims.end())), {width}))
                : Value();
  };
  Value scale = vector(weight), offset = vector(bias);
  FloatAttr epsilon = t.builder.getF32FloatAttr(static_cast<float>(call.number("epsilon", 1e-5)));
  Value result;
  if (isRms)
    result = ops::RMSNormOp::create(t.builder, t.loc, input.getType(), input, scale, epsilon,
                                    t.builder.getF32FloatAttr(0));
  else
    result = ops::LayerNormOp::create(t.builder, t.loc, input.getType(), input, scale, offset, epsilon);
  call.result(t.reshape(t.tensor(Kind::f32, joined, result), x->dims));
}

/// Sums of all elements up to each place of an axis.
void cumulativeSum(Call &call) {
  Translator &t = call.translator;
  Term *x = call.input(0);
  int64_t axis = call.axis(call.constant(1), x->rank());
  bool isExclusive = call.integer("exclusive", 0) != 0, isReversed = call.integer("reverse", 0) != 0;
  std::optional<Bounds> bounds = t.boundsOf(x);
  // Loops over the result's axes and one more, the summed elements'.
  OpBuilder &builder = t.builder;
  int64_t rank = x->rank();
  SmallVector<AffineExpr> source;
  for (int64_t i = 0; i < rank; ++i)
    source.push_back(builder.getAffineDimExpr(i == axis ? rank : i));
  SmallVector<AffineMap> maps = {AffineMap::get(rank + 1, 0, source, builder.getContext()),
                                 builder.getMultiDimIdentityMap(rank + 1).dropResult(rank)};
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  Value input = t.materialize(x);
  Value zero = arith::ConstantOp::create(builder, t.loc, builder.getZeroAttr(t.elementType(x->kind)));
  Value init = linalg::FillOp::create(builder, t.loc, zero, t.empty(x->kind, x->dims)).getResult(0);
  Term *result =
      t.tensor(x->kind, x->dims,
               linalg::GenericOp::create(builder, t.loc, init.getType(), input, init, maps, iterators,
                                         [&](OpBuilder &inner, Location l, ValueRange values) {
                                           Scalars s{inner, l};
                                           Value place = s.index(axis), other = s.index(rank);
                                           if (isReversed)
                                             std::swap(place, other);
                                           Value last = isExclusive ? place : s.add(place, s.constant(1));
                                           Value sum = s.add(values[1], values[0]);
                                           linalg::YieldOp::create(
                                               inner, l, s.select(s.less(other, last), sum, values[1]));
                                         })
                   .getResult(0));
  if (bounds && bounds->low.lowerBound().value_or(-1) >= 0)
    result->bounds = Bounds{0, (bounds->high - 1) * x->dims[axis] + 1};
  call.result(result);
}

/// The place of the largest or smallest element of an axis, the first if there are several.
void argMax(Call &call) {
  Translator &t = call.translator;
  Term *x = call.input(0);
  if (call.integer("select_last_index", 0))
    call.fail("select_last_index is not supported");
  int64_t axis = call.axis(call.integer("axis", 0), x->rank());
  t.materialize(x);
  using Reduction = Translator::Reduction;
  Term *best = t.reduce(call.node.opType == "ArgMax" ? Reduction::largest : Reduction::smallest, x, axis,
                        /*keep=*/true);
  Extent extent = x->dims[axis];
  Term *places =
      t.expression(Kind::i64, x->dims, {x, best}, [&t, x, best, axis, extent](Scalars s, ValueRange at) {
        Value isBest = s.equal(t.at(x, s, at), t.atBroadcast(best, s, at));
        return s.toI64(s.select(isBest, at[axis], s.subtract(t.index(s.builder, extent), s.constant(1))));
      });
  Term *result = t.reduce(Reduction::smallest, places, axis, call.integer("keepdims", 1) != 0);
  result->bounds = Bounds{0, extent};
  call.result(result);
}

} // namespace

void addReductions(Handlers &handlers) {
  for (const char *name :
       {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSumSquare", "ReduceL2"})
    handlers[name] = reduceNode;
  for (const char *name : {"Softmax", "LogSoftmax"})
    handlers[name] = softmax;
  for (const char *name : {"LayerNormalization", "RMSNormalization"})
    handlers[name] = layerNormalization;
  for (const char *name : {"ArgMax", "ArgMin"})
    handlers[name] = argMax;
  handlers["CumSum"] = cumulativeSum;
}

} // namespace sesame::onnx
