//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Arithmetic on f32 scalars and vectors of one type, and the elementary functions written with it.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_LIB_LOWER_KERNELS_FLOATBUILDER_H
#define SESAME_LIB_LOWER_KERNELS_FLOATBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::sesame::kernels {

/// Errors of the functions are those of the description of `sesame-expand-math`, measured over every f32 bit
/// pattern. Functions made of others leave a math operation for those, which `sesame-expand-math` takes in
/// turn.
class FloatBuilder {
public:
  /// `type`: f32, or a vector of f32 of any shape. `useScalef`: a vector of 16 may use AVX-512's vscalefps.
  FloatBuilder(OpBuilder &builder, Location loc, Type type, bool useScalef = false);

  Value constant(float value);
  Value add(Value x, Value y) { return arith::AddFOp::create(b, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, x, y); }
  Value neg(Value x) { return arith::NegFOp::create(b, x); }
  Value fma(Value x, Value y, Value z) { return math::FmaOp::create(b, x, y, z); }
  Value abs(Value x) { return math::AbsFOp::create(b, x); }
  Value copySign(Value magnitude, Value sign) { return math::CopySignOp::create(b, magnitude, sign); }
  Value less(Value x, Value y) { return compare(arith::CmpFPredicate::OLT, x, y); }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) {
    return arith::CmpFOp::create(b, predicate, x, y);
  }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, condition, x, y); }
  /// max(bound, x) and min(bound, x), NaN if x is: one instruction each on x86, which arith.maximumf is not.
  Value max(Value bound, Value x) { return select(compare(arith::CmpFPredicate::OGT, bound, x), bound, x); }
  Value min(Value bound, Value x) { return select(compare(arith::CmpFPredicate::OLT, bound, x), bound, x); }
  /// coefficients[0] + x (coefficients[1] + x (...)), one fma a step.
  Value polynomial(Value x, ArrayRef<float> coefficients);

  Value exp(Value x);
  Value expm1(Value x);
  Value exp2(Value x);
  /// exp2 for x <= 0, -infinity among them; 0 below -126.
  Value exp2NonPositive(Value x);
  Value log(Value x) { return logarithm(x, Base::e); }
  Value log2(Value x) { return logarithm(x, Base::two); }
  Value log10(Value x) { return logarithm(x, Base::ten); }
  Value log1p(Value x);
  Value tanh(Value x);
  Value erf(Value x);
  Value erfc(Value x);
  Value sin(Value x) { return sineOrCosine(x, /*cosine=*/false); }
  Value cos(Value x) { return sineOrCosine(x, /*cosine=*/true); }
  Value tan(Value x) { return div(sin(x), cos(x)); }
  Value rsqrt(Value x) { return div(constant(1.0f), math::SqrtOp::create(b, x)); }
  /// x / (1 + exp(-y)). exp overflows to infinity for y < -88.7, where the quotient is 0.
  Value timesSigmoid(Value x, Value y);
  /// x Phi(x), Phi the normal distribution function. Vectors of 16, which only AVX-512 has, take Phi from a
  /// table as long as all their elements are above -6.5.
  Value gelu(Value x);
  /// x / (1 + exp(-2 y)), y = sqrt(2 / pi) (x + 0.044715 x^3).
  Value geluTanh(Value x);
  /// x tanh(log(1 + exp x)).
  Value mish(Value x);

private:
  enum class Base { e, two, ten };
  /// x = n ln 2 + r or n + r, n an integer, both as float and as the last bits of an integer.
  struct Reduced {
    Value n, nInt, r;
  };

  Type intType();
  Value intConstant(int32_t value);
  Value toBits(Value x) { return arith::BitcastOp::create(b, intType(), x); }
  Value fromBits(Value bits) { return arith::BitcastOp::create(b, type, bits); }
  /// The integer next to x * factor (ties to even), for |x * factor| < 2^22.
  Reduced roundProduct(Value x, float factor);
  Reduced reduceByLn2(Value x);
  /// 2^nInt for -126 <= nInt <= 127.
  Value powerOfTwo(Value nInt);
  /// p 2^n, rounded once also where the result is denormal.
  Value scale(Value p, const Reduced &by);
  Value exp2Reduced(Value x);
  Value logarithm(Value x, Base base);
  /// log(1 + f) + e ln 2 in the given base, for sqrt(1/2) <= 1 + f <= sqrt 2.
  Value logarithmOfParts(Value f, Value e, Base base);
  /// Splits positive normal x = m 2^e with sqrt(1/2) <= m < sqrt 2.
  std::pair<Value, Value> splitExponent(Value x);
  /// Whether the values are vectors of 16.
  bool isAvx512Vector() const;
  /// 1 / x for 1 <= x <= 2^126, an estimate of 14 bits and one step of Newton's.
  Value reciprocalByEstimate(Value x);
  /// x Phi(x), for any x.
  Value geluByExp(Value x);
  /// Phi(-a) for a = min(|x|, 6.5), from 32 polynomials of which each lane picks one. `a` is that minimum.
  Value normalTailByTable(Value a);
  /// erfc(a / sqrt 2) / 2 * exp(a^2 / 2), for 0 <= a <= 14.5.
  Value scaledNormalTail(Value a);
  /// exp(factor x^2), with the rounding error of the square put back; exp would amplify it by the size of the
  /// square.
  Value expOfSquare(Value x, float factor);
  Value sineOrCosine(Value x, bool cosine);

  ImplicitLocOpBuilder b;
  Type type;
  bool useScalef;
};

} // namespace mlir::sesame::kernels

#endif // SESAME_LIB_LOWER_KERNELS_FLOATBUILDER_H
