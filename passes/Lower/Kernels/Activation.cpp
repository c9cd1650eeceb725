//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Passes/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace mlir::sesame;

namespace {

/// Elementwise arithmetic on values of one type.
class ActivationBuilder {
public:
  ActivationBuilder(OpBuilder &builder, Location loc, Type type) : b(loc, builder), type(type) {}

  Value constant(float value) {
    TypedAttr attr = b.getF32FloatAttr(value);
    if (auto shaped = dyn_cast<ShapedType>(type))
      attr = DenseElementsAttr::get(shaped, APFloat(value));
    return arith::ConstantOp::create(b, attr);
  }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, x, y); }
  Value neg(Value x) { return arith::NegFOp::create(b, x); }
  Value fma(Value x, Value y, Value z) { return math::FmaOp::create(b, x, y, z); }
  Value abs(Value x) { return math::AbsFOp::create(b, x); }
  Value exp(Value x) { return math::ExpOp::create(b, x); }

  /// max(bound, x) and min(bound, x), NaN if x is: one instruction each on x86.
  Value max(Value bound, Value x) { return pick(arith::CmpFPredicate::OGT, bound, x); }
  Value min(Value bound, Value x) { return pick(arith::CmpFPredicate::OLT, bound, x); }
  Value pick(arith::CmpFPredicate predicate, Value bound, Value x) {
    return arith::SelectOp::create(b, arith::CmpFOp::create(b, predicate, bound, x), bound, x);
  }

  /// x / (1 + exp(-y)). exp overflows to infinity for y < -88.7, where the quotient is 0, or -0.
  Value timesSigmoid(Value x, Value y) { return div(x, add(constant(1.0f), exp(neg(y)))); }

  Value gelu(Value x);
  Value mish(Value x);

private:
  ImplicitLocOpBuilder b;
  Type type;
};

/// gelu(x) = max(x, 0) - |x| Q(|x|), where Q(a) = erfc(a / sqrt 2) / 2 is the normal distribution's upper
/// tail. It has no cancellation, unlike 1 + erf(x / sqrt 2) for negative x.
///
/// Q(a) = exp(-a^2 / 2) u P(q) with u = 1 / (a + 4) and q = (a - 4) / (a + 4) = 1 - 8 u, which maps [0, inf)
/// to [-1, 1): the transformation of Shepherd, Laframboise 1981 (Math. Comp. 36). P is a minimax polynomial
/// for 0 <= a <= 14.5, where Q leaves the range of f32; its relative error is 8.7e-9.
Value ActivationBuilder::gelu(Value x) {
  constexpr float kTail[] = {7.552851439e-01f, -6.078965664e-01f, 3.871369064e-01f,  -1.865234375e-01f,
                             6.040383130e-02f, -7.525271736e-03f, -3.512555966e-03f, 1.569923013e-03f,
                             1.793566917e-04f, -1.319702860e-04f};
  // Past 14.5 the tail is below the smallest denormal; the bound keeps infinity out of the arithmetic.
  Value magnitude = abs(x);
  Value a = min(constant(14.5f), magnitude);
  Value u = div(constant(1.0f), add(a, constant(4.0f)));
  Value q = fma(u, constant(-8.0f), constant(1.0f));
  Value p = constant(kTail[9]);
  for (int i = 8; i >= 0; --i)
    p = fma(p, q, constant(kTail[i]));
  // exp(-a^2 / 2) with the rounding error of the square put back: exp would amplify it by a^2 / 2.
  Value half = mul(a, constant(-0.5f));
  Value square = mul(half, a);
  Value rest = fma(half, a, neg(square));
  Value e = exp(square);
  e = fma(e, rest, e);
  Value tail = mul(mul(p, u), e);
  return fma(neg(a), tail, max(constant(0.0f), x));
}

/// x tanh(log(1 + e^x)) = x n / (n + 2) with n = e^x (e^x + 2). For x > 20 the quotient is 1 in f32.
Value ActivationBuilder::mish(Value x) {
  Value e = exp(min(constant(20.0f), x));
  Value n = mul(e, add(e, constant(2.0f)));
  return mul(x, div(n, add(n, constant(2.0f))));
}

} // namespace

Value mlir::sesame::emitActivation(OpBuilder &builder, Location loc, Activation activation, Value x) {
  ActivationBuilder b(builder, loc, x.getType());
  switch (activation) {
  case Activation::identity:
    return x;
  case Activation::relu:
    return b.max(b.constant(0.0f), x);
  case Activation::gelu:
    return b.gelu(x);
  case Activation::gelu_tanh: {
    // 0.5 (1 + tanh y) = sigmoid(2 y), with y = sqrt(2 / pi) (x + 0.044715 x^3).
    Value cubic =
        b.fma(b.mul(x, x), b.constant(2.0f * 0.7978845608f * 0.044715f), b.constant(2.0f * 0.7978845608f));
    return b.timesSigmoid(x, b.mul(x, cubic));
  }
  case Activation::gelu_quick:
    return b.timesSigmoid(x, b.mul(x, b.constant(1.702f)));
  case Activation::silu:
    return b.timesSigmoid(x, x);
  case Activation::tanh:
    return math::TanhOp::create(builder, loc, x);
  case Activation::sigmoid:
    return b.timesSigmoid(b.constant(1.0f), x);
  case Activation::relu_squared: {
    Value positive = b.max(b.constant(0.0f), x);
    return b.mul(positive, positive);
  }
  case Activation::softplus: {
    // log(1 + e^x) = max(x, 0) + log(1 + e^-|x|): no overflow, and no cancellation for x < 0.
    Value small = math::Log1pOp::create(builder, loc, b.exp(b.neg(b.abs(x))));
    return b.add(b.max(b.constant(0.0f), x), small);
  }
  case Activation::mish:
    return b.mish(x);
  case Activation::leaky_relu: {
    // x >= 0 ? x : 0.01 x is the larger of the two.
    return b.max(b.mul(x, b.constant(0.01f)), x);
  }
  }
  llvm_unreachable("every activation has a case");
}
