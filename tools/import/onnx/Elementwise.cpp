//===- Elementwise.cpp - Arithmetic, comparisons, casts, activations ------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Translator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;

namespace sesame::onnx {

namespace ops = mlir::sesame;

//===----------------------------------------------------------------------===//
// Two operands
//===----------------------------------------------------------------------===//

namespace {

using Fold = std::optional<Extent> (*)(Translator &, const Extent &, const Extent &);
using Apply = Value (*)(Scalars, Value, Value);

/// An operator of two operands: on scalars of the IR, on known integers, on known floats.
struct Binary {
  Apply apply;
  Fold fold = nullptr;
  float (*number)(float, float) = nullptr;
  bool isComparison = false;
};

Extent truth(bool value) { return value ? 1 : 0; }

/// -1, 0 or 1 for less, equal, greater, if that can be said.
std::optional<int> compare(const Extent &a, const Extent &b) {
  if (a == b)
    return 0;
  if (a.surelyLess(b))
    return -1;
  if (b.surelyLess(a))
    return 1;
  return std::nullopt;
}

template <typename Holds>
std::optional<Extent> foldComparison(const Extent &a, const Extent &b, Holds holds) {
  std::optional<int> order = compare(a, b);
  return order ? std::optional(truth(holds(*order))) : std::nullopt;
}

Value isEqual(Scalars s, Value a, Value b) { return s.equal(a, b); }
Value isLess(Scalars s, Value a, Value b) { return s.less(a, b); }

Value negated(Scalars s, Value a) {
  return arith::XOrIOp::create(s.builder, s.loc, a,
                               arith::ConstantOp::create(s.builder, s.loc, s.builder.getBoolAttr(true)));
}

/// a <= b, false where one is no number.
Value isAtMost(Scalars s, Value a, Value b) {
  if (isa<FloatType>(a.getType()))
    return arith::CmpFOp::create(s.builder, s.loc, arith::CmpFPredicate::OLE, a, b);
  return arith::CmpIOp::create(s.builder, s.loc, arith::CmpIPredicate::sle, a, b);
}

Value integerConstant(Scalars s, Type type, int64_t value) {
  return arith::ConstantOp::create(s.builder, s.loc, s.builder.getIntegerAttr(type, value));
}

/// Integer division must not trap: by 0 it gives what division by 1 does, and by -1 the negative.
Value divideSafely(Scalars s, Value a, Value b) {
  if (isa<FloatType>(a.getType()))
    return s.divide(a, b);
  Value zero = integerConstant(s, a.getType(), 0), one = integerConstant(s, a.getType(), 1),
        minusOne = integerConstant(s, a.getType(), -1);
  Value isMinusOne = s.equal(b, minusOne);
  Value divisor = s.select(s.equal(b, zero), one, s.select(isMinusOne, one, b));
  Value quotient = s.divide(a, divisor);
  return s.select(isMinusOne, s.subtract(zero, quotient), quotient);
}

/// The remainder with the sign of the divisor.
Value modulo(Scalars s, Value a, Value b) {
  if (isa<FloatType>(a.getType()))
    return arith::RemFOp::create(s.builder, s.loc, a, b);
  Value quotient = divideSafely(s, a, b);
  Value rest = s.subtract(a, s.multiply(quotient, b));
  Value zero = integerConstant(s, a.getType(), 0);
  Value differs = arith::XOrIOp::create(s.builder, s.loc, s.less(rest, zero), s.less(b, zero));
  Value isWhole = s.equal(rest, zero);
  return s.select(isWhole, rest, s.select(differs, s.add(rest, b), rest));
}

Value power(Scalars s, Value a, Value b) {
  if (!isa<FloatType>(a.getType()))
    return math::IPowIOp::create(s.builder, s.loc, a, b);
  if (auto constant = b.getDefiningOp<arith::ConstantOp>()) {
    double exponent = cast<FloatAttr>(constant.getValue()).getValueAsDouble();
    if (exponent == 2)
      return s.multiply(a, a);
    if (exponent == 3)
      return s.multiply(a, s.multiply(a, a));
    if (exponent == 0.5)
      return math::SqrtOp::create(s.builder, s.loc, a);
  }
  return math::PowFOp::create(s.builder, s.loc, a, b);
}

const std::map<std::string, Binary, std::less<>> binaries = {
    {"Add",
     {[](Scalars s, Value a, Value b) { return s.add(a, b); },
      [](Translator &, const Extent &a, const Extent &b) { return std::optional(a + b); },
      [](float a, float b) { return a + b; }}},
    {"Sub",
     {[](Scalars s, Value a, Value b) { return s.subtract(a, b); },
      [](Translator &, const Extent &a, const Extent &b) { return std::optional(a - b); },
      [](float a, float b) { return a - b; }}},
    {"Mul",
     {[](Scalars s, Value a, Value b) { return s.multiply(a, b); },
      [](Translator &, const Extent &a, const Extent &b) { return std::optional(a * b); },
      [](float a, float b) { return a * b; }}},
    {"Div",
     {divideSafely,
      [](Translator &t, const Extent &a, const Extent &b) -> std::optional<Extent> {
        if (auto exact = Extent::divide(a, b); exact && !b.is(0))
          return exact;
        auto divisor = b.constant();
        if (!divisor || *divisor < 1 || a.lowerBound().value_or(-1) < 0)
          return std::nullopt;
        return t.floorDivide(a, *divisor);
      },
      [](float a, float b) { return a / b; }}},
    {"Mod",
     {modulo,
      [](Translator &t, const Extent &a, const Extent &b) -> std::optional<Extent> {
        auto divisor = b.constant();
        if (!divisor || *divisor < 1 || a.lowerBound().value_or(-1) < 0)
          return std::nullopt;
        return a - t.floorDivide(a, *divisor) * b;
      }}},
    {"Pow",
     {power,
      [](Translator &, const Extent &a, const Extent &b) -> std::optional<Extent> {
        auto exponent = b.constant();
        if (!exponent || *exponent < 0 || *exponent > 8)
          return std::nullopt;
        Extent result = 1;
        for (int64_t i = 0; i < *exponent; ++i)
          result = result * a;
        return result;
      },
      [](float a, float b) { return std::pow(a, b); }}},
    {"Min",
     {[](Scalars s, Value a, Value b) { return s.minimum(a, b); },
      [](Translator &t, const Extent &a, const Extent &b) { return t.minimum(a, b); },
      [](float a, float b) { return std::min(a, b); }}},
    {"Max",
     {[](Scalars s, Value a, Value b) { return s.maximum(a, b); },
      [](Translator &t, const Extent &a, const Extent &b) { return t.maximum(a, b); },
      [](float a, float b) { return std::max(a, b); }}},
    {"And",
     {[](Scalars s, Value a, Value b) -> Value { return arith::AndIOp::create(s.builder, s.loc, a, b); },
      [](Translator &, const Extent &a, const Extent &b) { return std::optional(a * b); }}},
    {"Or",
     {[](Scalars s, Value a, Value b) -> Value { return arith::OrIOp::create(s.builder, s.loc, a, b); },
      [](Translator &, const Extent &a, const Extent &b) { return std::optional(a + b - a * b); }}},
    {"Xor",
     {[](Scalars s, Value a, Value b) -> Value { return arith::XOrIOp::create(s.builder, s.loc, a, b); },
      [](Translator &, const Extent &a, const Extent &b) { return std::optional(a + b - a * b * 2); }}},
    {"Equal",
     {isEqual,
      [](Translator &, const Extent &a, const Extent &b) {
        return foldComparison(a, b, [](int order) { return order == 0; });
      },
      nullptr, true}},
    {"Less",
     {isLess,
      [](Translator &, const Extent &a, const Extent &b) {
        return foldComparison(a, b, [](int order) { return order < 0; });
      },
      nullptr, true}},
    {"LessOrEqual",
     {isAtMost,
      [](Translator &, const Extent &a, const Extent &b) {
        return foldComparison(a, b, [](int order) { return order <= 0; });
      },
      nullptr, true}},
    {"Greater",
     {[](Scalars s, Value a, Value b) { return isLess(s, b, a); },
      [](Translator &, const Extent &a, const Extent &b) {
        return foldComparison(a, b, [](int order) { return order > 0; });
      },
      nullptr, true}},
    {"GreaterOrEqual",
     {[](Scalars s, Value a, Value b) { return isAtMost(s, b, a); },
      [](Translator &, const Extent &a, const Extent &b) {
        return foldComparison(a, b, [](int order) { return order >= 0; });
      },
      nullptr, true}},
};

/// The elements of a known integer tensor broadcast to `dims`.
std::vector<Extent> spread(const Term *term, const Dims &dims) {
  std::vector<int64_t> strides(dims.size(), 0);
  int64_t stride = 1;
  for (size_t i = 0; i < term->dims.size(); ++i) {
    int64_t extent = *term->dims[term->dims.size() - 1 - i].constant();
    strides[dims.size() - 1 - i] = extent == 1 ? 0 : stride;
    stride *= extent;
  }
  std::vector<int64_t> index(dims.size(), 0);
  std::vector<Extent> result;
  int64_t count = 1;
  for (const Extent &extent : dims)
    count *= *extent.constant();
  for (int64_t i = 0; i < count; ++i) {
    int64_t place = 0;
    for (size_t axis = 0; axis < dims.size(); ++axis)
      place += index[axis] * strides[axis];
    result.push_back((*term->integers)[place]);
    for (size_t axis = dims.size(); axis-- > 0;) {
      if (++index[axis] < *dims[axis].constant())
        break;
      index[axis] = 0;
    }
  }
  return result;
}

/// What a comparison of integers surely gives.
std::optional<bool> compareBounds(StringRef name, const Bounds &a, const Bounds &b) {
  if (name == "Greater")
    return compareBounds("Less", b, a);
  if (name == "GreaterOrEqual")
    return compareBounds("LessOrEqual", b, a);
  bool isStrict = name == "Less";
  if (!isStrict && name != "LessOrEqual")
    return std::nullopt;
  if (isStrict ? a.high.surelyAtMost(b.low) : a.high.surelyAtMost(b.low + 1))
    return true;
  if (isStrict ? b.high.surelyAtMost(a.low + 1) : b.high.surelyAtMost(a.low))
    return false;
  return std::nullopt;
}

std::optional<Bounds> combineBounds(StringRef name, const std::optional<Bounds> &a,
                                    const std::optional<Bounds> &b) {
  if (!a || !b)
    return std::nullopt;
  if (std::optional<bool> known = compareBounds(name, *a, *b))
    return Bounds{*known ? 1 : 0, *known ? 2 : 1};
  if (name == "Add")
    return Bounds{a->low + b->low, a->high + b->high - 1};
  if (name == "Sub")
    return Bounds{a->low - b->high + 1, a->high - b->low};
  if (name == "Mul" && a->low.lowerBound().value_or(-1) >= 0 && b->low.lowerBound().value_or(-1) >= 0)
    return Bounds{a->low * b->low, (a->high - 1) * (b->high - 1) + 1};
  return std::nullopt;
}

Term *applyBinary(Call &call, StringRef name, Term *a, Term *b) {
  Translator &t = call.translator;
  const Binary &op = binaries.at(name.str());
  if (a->kind != b->kind)
    call.fail("expected two tensors of one element type");
  bool isLogical = name == "And" || name == "Or" || name == "Xor";
  if (isLogical != (a->kind == Kind::boolean) && name != "Equal")
    call.fail("the element type does not fit the operator");
  Kind kind = op.isComparison ? Kind::boolean : a->kind;
  Dims dims = t.broadcastDims(a->dims, b->dims);
  if (a->number && b->number && op.number)
    return t.splat(dims, op.number(*a->number, *b->number));
  if (a->integers && b->integers && op.fold && t.product(dims).surelyAtMost(maxShapeElements)) {
    std::vector<Extent> left = spread(a, dims), right = spread(b, dims), result;
    for (size_t i = 0; i < left.size(); ++i)
      if (auto folded = op.fold(t, left[i], right[i]))
        result.push_back(*folded);
    if (result.size() == left.size())
      return t.integersOf(kind, dims, std::move(result));
  }
  if (name == "Add" && a->isFloat())
    return t.add(a, b);
  Term *result = t.expression(kind, dims, {a, b}, [&t, &op, a, b](Scalars s, ValueRange indices) {
    Value left = t.atBroadcast(a, s, indices);
    return op.apply(s, left, t.atBroadcast(b, s, indices));
  });
  result->bounds = combineBounds(name, t.boundsOf(a), t.boundsOf(b));
  return result;
}

void binary(Call &call) {
  if (call.inputs.size() != 2)
    call.fail(message("expected 2 inputs, found ", call.inputs.size()));
  if (call.node.opType == "Mod" && call.integer("fmod", 0) != 0 && !call.input(0)->isFloat())
    call.fail("fmod of integers is not supported");
  call.result(applyBinary(call, call.node.opType, call.input(0), call.input(1)));
}

/// Min, Max, Sum and Mean of one or more.
void variadic(Call &call) {
  StringRef name = call.node.opType;
  bool isSum = name == "Sum" || name == "Mean";
  Term *result = call.input(0);
  for (size_t i = 1; i < call.inputs.size(); ++i)
    result = applyBinary(call, isSum ? "Add" : name, result, call.input(i));
  if (name == "Mean")
    result = applyBinary(call, "Mul", result, call.translator.splat({}, 1.0f / call.inputs.size()));
  call.result(result);
}

//===----------------------------------------------------------------------===//
// One operand
//===----------------------------------------------------------------------===//

/// An elementwise function of floats: in the IR, and of a known number.
struct Unary {
  Value (*apply)(Scalars, Value);
  float (*number)(float) = nullptr;
};

template <typename Op> Value applyMath(Scalars s, Value x) { return Op::create(s.builder, s.loc, x); }

const std::map<std::string, Unary, std::less<>> unaries = {
    {"Sqrt", {applyMath<math::SqrtOp>, [](float x) { return std::sqrt(x); }}},
    {"Exp", {applyMath<math::ExpOp>, [](float x) { return std::exp(x); }}},
    {"Log", {applyMath<math::LogOp>, [](float x) { return std::log(x); }}},
    {"Erf", {applyMath<math::ErfOp>}},
    {"Sin", {applyMath<math::SinOp>, [](float x) { return std::sin(x); }}},
    {"Cos", {applyMath<math::CosOp>, [](float x) { return std::cos(x); }}},
    {"Floor", {applyMath<math::FloorOp>, [](float x) { return std::floor(x); }}},
    {"Ceil", {applyMath<math::CeilOp>, [](float x) { return std::ceil(x); }}},
    {"Round", {applyMath<math::RoundEvenOp>}},
    {"Reciprocal",
     {[](Scalars s, Value x) { return s.divide(s.constantF32(1), x); }, [](float x) { return 1 / x; }}},
};

void unary(Call &call) {
  Translator &t = call.translator;
  const Unary &op = unaries.at(call.node.opType);
  Term *x = call.input(0);
  if (!x->isFloat())
    call.fail("expected a tensor of floats");
  if (x->number && op.number)
    return call.result(t.splat(x->dims, op.number(*x->number)));
  call.result(t.expression(x->kind, x->dims, {x}, [&t, &op, x](Scalars s, ValueRange indices) {
    return op.apply(s, t.at(x, s, indices));
  }));
}

/// Neg, Abs and Sign, of integers too.
void sign(Call &call) {
  Translator &t = call.translator;
  StringRef name = call.node.opType;
  Term *x = call.input(0);
  if (x->kind == Kind::boolean)
    call.fail("expected a tensor of numbers");
  if (name == "Neg") {
    if (x->number)
      return call.result(t.splat(x->dims, -*x->number));
    if (x->integers) {
      std::vector<Extent> elements;
      for (const Extent &extent : *x->integers)
        elements.push_back(Extent(0) - extent);
      return call.result(t.integersOf(x->kind, x->dims, elements));
    }
  }
  call.result(t.expression(x->kind, x->dims, {x}, [&t, x, name](Scalars s, ValueRange indices) -> Value {
    Value value = t.at(x, s, indices);
    Value zero = x->isFloat() ? s.constantF32(0) : integerConstant(s, value.getType(), 0);
    Value negative =
        x->isFloat() ? Value(arith::NegFOp::create(s.builder, s.loc, value)) : s.subtract(zero, value);
    if (name == "Neg")
      return negative;
    if (name == "Abs")
      return x->isFloat() ? Value(math::AbsFOp::create(s.builder, s.loc, value))
                          : s.select(s.less(value, zero), negative, value);
    Value one = x->isFloat() ? s.constantF32(1) : integerConstant(s, value.getType(), 1);
    Value minusOne = x->isFloat() ? s.constantF32(-1) : integerConstant(s, value.getType(), -1);
    return s.select(s.less(value, zero), minusOne, s.select(s.less(zero, value), one, value));
  }));
}

void logicalNot(Call &call) {
  Translator &t = call.translator;
  Term *x = call.input(0);
  if (x->kind != Kind::boolean)
    call.fail("expected a tensor of booleans");
  if (x->integers) {
    std::vector<Extent> elements;
    for (const Extent &extent : *x->integers)
      elements.push_back(Extent(1) - extent);
    return call.result(t.integersOf(x->kind, x->dims, elements));
  }
  call.result(t.expression(x->kind, x->dims, {x}, [&t, x](Scalars s, ValueRange indices) {
    return negated(s, t.at(x, s, indices));
  }));
}

void isNan(Call &call) {
  Translator &t = call.translator;
  Term *x = call.input(0);
  if (!x->isFloat())
    call.fail("expected a tensor of floats");
  call.result(t.expression(Kind::boolean, x->dims, {x}, [&t, x](Scalars s, ValueRange indices) -> Value {
    Value value = t.at(x, s, indices);
    return arith::CmpFOp::create(s.builder, s.loc, arith::CmpFPredicate::UNO, value, value);
  }));
}

/// The functions that sesame.activation has.
void activation(Call &call) {
  StringRef name = call.node.opType;
  Term *x = call.input(0);
  if (!x->isFloat())
    call.fail("expected a tensor of floats");
  ops::Activation kind = ops::Activation::relu;
  if (name == "Tanh")
    kind = ops::Activation::tanh;
  else if (name == "Sigmoid")
    kind = ops::Activation::sigmoid;
  else if (name == "Softplus")
    kind = ops::Activation::softplus;
  else if (name == "Mish")
    kind = ops::Activation::mish;
  else if (name == "Gelu") {
    std::string form = call.text("approximate", "none");
    if (form != "none" && form != "tanh")
      call.fail(message("expected approximate 'none' or 'tanh', found ", inQuotes(form)));
    kind = form == "tanh" ? ops::Activation::gelu_tanh : ops::Activation::gelu;
  }
  call.result(call.translator.activation(kind, x));
}

/// LeakyRelu and Elu: another function below 0.
void negativeBranch(Call &call) {
  Translator &t = call.translator;
  Term *x = call.input(0);
  bool isElu = call.node.opType == "Elu";
  double alpha = call.number("alpha", isElu ? 1 : 0.01);
  if (!x->isFloat())
    call.fail("expected a tensor of floats");
  call.result(t.expression(x->kind, x->dims, {x}, [&t, x, alpha, isElu](Scalars s, ValueRange indices) {
    Value value = t.at(x, s, indices);
    Value below = isElu ? s.subtract(applyMath<math::ExpOp>(s, value), s.constantF32(1)) : value;
    return s.select(s.less(value, s.constantF32(0)), s.multiply(s.constantF32(alpha), below), value);
  }));
}

void clip(Call &call) {
  Term *x = call.input(0);
  if (Term *low = call.optional(1))
    x = applyBinary(call, "Max", x, low);
  if (Term *high = call.optional(2))
    x = applyBinary(call, "Min", x, high);
  call.result(x);
}

/// Identity, and Dropout as it is when a model runs.
void identity(Call &call) {
  if (call.node.opType == "Dropout")
    if (call.optional(2) && !call.extent(2).is(0))
      call.fail("training mode is not supported");
  call.result(call.input(0));
}

//===----------------------------------------------------------------------===//
// Casts and choices
//===----------------------------------------------------------------------===//

Value convert(Translator &t, Scalars s, Value value, Kind from, Kind to) {
  Type type = t.elementType(to);
  if (to == Kind::boolean) {
    Value zero = from == Kind::f32 ? s.constantF32(0) : integerConstant(s, value.getType(), 0);
    if (from == Kind::f32)
      return arith::CmpFOp::create(s.builder, s.loc, arith::CmpFPredicate::UNE, value, zero);
    return arith::CmpIOp::create(s.builder, s.loc, arith::CmpIPredicate::ne, value, zero);
  }
  if (to == Kind::f32)
    return from == Kind::boolean ? Value(arith::UIToFPOp::create(s.builder, s.loc, type, value))
                                 : Value(arith::SIToFPOp::create(s.builder, s.loc, type, value));
  if (from == Kind::f32)
    return arith::FPToSIOp::create(s.builder, s.loc, type, value);
  if (from == Kind::boolean)
    return arith::ExtUIOp::create(s.builder, s.loc, type, value);
  if (to == Kind::i64)
    return arith::ExtSIOp::create(s.builder, s.loc, type, value);
  return arith::TruncIOp::create(s.builder, s.loc, type, value);
}

Term *castTo(Translator &t, Term *x, Kind kind) {
  if (x->kind == kind)
    return x;
  if (x->integers && kind != Kind::f32) {
    std::vector<Extent> elements;
    for (const Extent &extent : *x->integers) {
      std::optional<Extent> known = extent;
      if (kind == Kind::boolean) {
        std::optional<int> order = compare(extent, 0);
        known = order ? std::optional(truth(*order != 0)) : std::nullopt;
      }
      if (known)
        elements.push_back(*known);
    }
    if (elements.size() == x->integers->size())
      return t.integersOf(kind, x->dims, elements);
  }
  if (x->integers && kind == Kind::f32 && x->integers->size() == 1 && x->integers->front().constant())
    return t.splat(x->dims, static_cast<float>(*x->integers->front().constant()));
  if (x->number && std::abs(*x->number) < 1e15f && t.product(x->dims).is(1)) {
    auto value = static_cast<int64_t>(*x->number);
    return t.integersOf(kind, x->dims, {kind == Kind::boolean ? truth(*x->number != 0) : Extent(value)});
  }
  Term *result = t.expression(kind, x->dims, {x}, [&t, x, kind](Scalars s, ValueRange indices) {
    return convert(t, s, t.at(x, s, indices), x->kind, kind);
  });
  if (!x->isFloat() && kind != Kind::boolean) {
    result->bounds = t.boundsOf(x);
    result->input = x->input;
  }
  return result;
}

void castNode(Call &call) {
  Kind kind;
  if (call.node.opType == "CastLike")
    kind = call.input(1)->kind;
  else
    switch (auto type = static_cast<ElementType>(call.integer("to", 0))) {
    case ElementType::f32:
    case ElementType::f16:
    case ElementType::bf16:
    case ElementType::f64:
      kind = Kind::f32;
      break;
    case ElementType::i64:
      kind = Kind::i64;
      break;
    case ElementType::i32:
      kind = Kind::i32;
      break;
    case ElementType::boolean:
      kind = Kind::boolean;
      break;
    default:
      call.fail(message("conversion to ", toString(type), " is not supported"));
    }
  call.result(castTo(call.translator, call.input(0), kind));
}

void where(Call &call) {
  Translator &t = call.translator;
  Term *condition = call.input(0), *yes = call.input(1), *no = call.input(2);
  if (condition->kind != Kind::boolean || yes->kind != no->kind)
    call.fail("expected a condition of booleans and two tensors of one element type");
  Dims dims = t.broadcastDims(condition->dims, t.broadcastDims(yes->dims, no->dims));
  if (condition->integers && !condition->integers->empty()) {
    const std::vector<Extent> &known = *condition->integers;
    if (llvm::all_equal(known) && known.front().constant())
      return call.result(t.broadcast(known.front().is(0) ? no : yes, dims));
    if (yes->integers && no->integers && t.product(dims).surelyAtMost(maxShapeElements)) {
      std::vector<Extent> conditions = spread(condition, dims), left = spread(yes, dims),
                          right = spread(no, dims), result;
      for (size_t i = 0; i < conditions.size(); ++i)
        if (conditions[i].constant())
          result.push_back(conditions[i].is(0) ? right[i] : left[i]);
      if (result.size() == conditions.size())
        return call.result(t.integersOf(yes->kind, dims, result));
    }
  }
  Term *result = t.expression(yes->kind, dims, {condition, yes, no},
                              [&t, condition, yes, no](Scalars s, ValueRange indices) {
                                Value chosen = t.atBroadcast(condition, s, indices);
                                Value left = t.atBroadcast(yes, s, indices);
                                return s.select(chosen, left, t.atBroadcast(no, s, indices));
                              });
  auto left = t.boundsOf(yes), right = t.boundsOf(no);
  if (left && right && left->low == right->low && left->high == right->high)
    result->bounds = left;
  call.result(result);
}

} // namespace

//===----------------------------------------------------------------------===//
// For other translations
//===----------------------------------------------------------------------===//

Term *Translator::activation(ops::Activation kind, Term *x) {
  Value value = materialize(x);
  return tensor(x->kind, x->dims, ops::ActivationOp::create(builder, loc, value.getType(), kind, value));
}

Term *Translator::add(Term *a, Term *b) {
  // A sum of tensors is one op, which the optimizer knows as a residual.
  auto isTensor = [](Term *x) { return !x->number && !x->integers && (x->ir || x->weight); };
  if (a->isFloat() && a->dims == b->dims && isTensor(a) && isTensor(b)) {
    Value left = materialize(a);
    return tensor(a->kind, a->dims, arith::AddFOp::create(builder, loc, left, materialize(b)));
  }
  return expression(a->kind, broadcastDims(a->dims, b->dims), {a, b},
                    [this, a, b](Scalars s, ValueRange indices) {
                      Value left = atBroadcast(a, s, indices);
                      return s.add(left, atBroadcast(b, s, indices));
                    });
}

void addElementwise(Handlers &handlers) {
  for (const auto &[name, op] : binaries)
    handlers[name] = binary;
  for (const auto &[name, op] : unaries)
    handlers[name] = unary;
  for (const char *name : {"Min", "Max", "Sum", "Mean"})
    handlers[name] = variadic;
  for (const char *name : {"Neg", "Abs", "Sign"})
    handlers[name] = sign;
  for (const char *name : {"Relu", "Tanh", "Sigmoid", "Softplus", "Mish", "Gelu"})
    handlers[name] = activation;
  for (const char *name : {"LeakyRelu", "Elu"})
    handlers[name] = negativeBranch;
  for (const char *name : {"Identity", "Dropout"})
    handlers[name] = identity;
  for (const char *name : {"Cast", "CastLike"})
    handlers[name] = castNode;
  handlers["Not"] = logicalNot;
  handlers["IsNaN"] = isNan;
  handlers["Clip"] = clip;
  handlers["Where"] = where;
}

} // namespace sesame::onnx
