//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Polynomials are minimax in relative error (Remez), of the stated degree on the reduced range; constants are
// rounded to f32.

#include "FloatBuilder.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::sesame::kernels;

FloatBuilder::FloatBuilder(OpBuilder &builder, Location loc, Type type, bool useScalef)
    : b(loc, builder), type(type), useScalef(useScalef) {
  auto vector = dyn_cast<VectorType>(type);
  if (!vector || vector.getRank() != 1 || vector.getDimSize(0) != 16 || vector.isScalable())
    this->useScalef = false;
}

Value FloatBuilder::constant(float value) {
  TypedAttr attr = b.getF32FloatAttr(value);
  if (auto shaped = dyn_cast<ShapedType>(type))
    attr = DenseElementsAttr::get(shaped, APFloat(value));
  return arith::ConstantOp::create(b, attr);
}

Type FloatBuilder::intType() {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.clone(b.getI32Type());
  return b.getI32Type();
}

Value FloatBuilder::intConstant(int32_t value) {
  TypedAttr attr = b.getI32IntegerAttr(value);
  if (auto shaped = dyn_cast<ShapedType>(intType()))
    attr = DenseElementsAttr::get(shaped, APInt(32, value, /*isSigned=*/true));
  return arith::ConstantOp::create(b, attr);
}

Value FloatBuilder::polynomial(Value x, ArrayRef<float> coefficients) {
  Value sum = constant(coefficients.back());
  for (float coefficient : llvm::reverse(coefficients.drop_back()))
    sum = fma(sum, x, constant(coefficient));
  return sum;
}

FloatBuilder::Reduced FloatBuilder::roundProduct(Value x, float factor) {
  // At 1.5 * 2^23 the last bit of a float is worth 1, so the addition rounds, and the integer stands in the
  // low bits: no conversion, which would be undefined for NaN.
  constexpr float kMagic = 12582912.0f;
  constexpr int32_t kMagicBits = 0x4b400000;
  Value shifted = fma(x, constant(factor), constant(kMagic));
  Reduced reduced;
  reduced.n = sub(shifted, constant(kMagic));
  reduced.nInt = arith::SubIOp::create(b, toBits(shifted), intConstant(kMagicBits));
  return reduced;
}

FloatBuilder::Reduced FloatBuilder::reduceByLn2(Value x) {
  // ln 2 in two parts (Cody, Waite 1980); the first has 15 zero bits at its end, so n * part is exact.
  Reduced reduced = roundProduct(x, 1.44269504f);
  reduced.r = fma(reduced.n, constant(-0.693145751953125f), x);
  reduced.r = fma(reduced.n, constant(-1.42860677e-6f), reduced.r);
  return reduced;
}

Value FloatBuilder::powerOfTwo(Value nInt) {
  Value biased = arith::AddIOp::create(b, nInt, intConstant(127));
  return fromBits(arith::ShLIOp::create(b, biased, intConstant(23)));
}

Value FloatBuilder::scale(Value p, const Reduced &by) {
  if (useScalef) {
    Value allLanes = arith::ConstantOp::create(b, b.getI16IntegerAttr(-1));
    Value currentRounding = arith::ConstantOp::create(b, b.getI32IntegerAttr(4));
    auto call = LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr("llvm.x86.avx512.mask.scalef.ps.512"),
                                              ValueRange{p, by.n, p, allLanes, currentRounding});
    return call->getResult(0);
  }
  // In two steps: 2^n itself may lie outside the normal range. The first product is exact.
  Value half = arith::ShRSIOp::create(b, by.nInt, intConstant(1));
  Value rest = arith::SubIOp::create(b, by.nInt, half);
  return mul(mul(p, powerOfTwo(half)), powerOfTwo(rest));
}

/// exp(r) for |r| <= ln 2 / 2, degree 6; relative error 2.7e-8.
static constexpr float kExp[] = {
    1.0f, 1.0f, 4.999999106e-01f, 1.666670889e-01f, 4.167632386e-02f, 8.353529498e-03f, 1.316946582e-03f};

Value FloatBuilder::exp(Value x) {
  // Beyond the bounds the result is 0 or infinity.
  x = max(constant(-104.0f), min(constant(89.0f), x));
  Reduced reduced = reduceByLn2(x);
  return scale(polynomial(reduced.r, kExp), reduced);
}

Value FloatBuilder::exp2Reduced(Value x) {
  // 2^r for |r| <= 1/2, degree 6; relative error 2.6e-9.
  static constexpr float kExp2[] = {1.0f,
                                    6.931472421e-01f,
                                    2.402265221e-01f,
                                    5.550310388e-02f,
                                    9.617692791e-03f,
                                    1.340664341e-03f,
                                    1.559467637e-04f};
  Reduced reduced = roundProduct(x, 1.0f);
  reduced.r = sub(x, reduced.n);
  return scale(polynomial(reduced.r, kExp2), reduced);
}

Value FloatBuilder::exp2(Value x) { return exp2Reduced(max(constant(-151.0f), min(constant(129.0f), x))); }

Value FloatBuilder::exp2NonPositive(Value x) {
  // The comparison stands in for the clamp. What would be denormal is 0, since the processor is slow at
  // denormals.
  return select(less(x, constant(-126.0f)), constant(0.0f), exp2Reduced(x));
}

Value FloatBuilder::expm1(Value x) {
  // e^x - 1 = 2^n (e^r - 1) + (2^n - 1), and half of it, since 2^128 is no float. (e^r - 1 - r) / r^2 has
  // degree 5; relative error of e^r - 1: 2.7e-10.
  static constexpr float kExpm1[] = {5.000000000e-01f, 1.666666716e-01f, 4.166632891e-02f,
                                     8.333220147e-03f, 1.394319814e-03f, 1.996216597e-04f};
  Value bounded = max(constant(-20.0f), min(constant(89.0f), x));
  Reduced reduced = reduceByLn2(bounded);
  Value square = mul(reduced.r, reduced.r);
  Value q = fma(square, polynomial(reduced.r, kExpm1), reduced.r);
  Value halfPower = powerOfTwo(arith::SubIOp::create(b, reduced.nInt, intConstant(1)));
  Value half = fma(halfPower, q, sub(halfPower, constant(0.5f)));
  Value result = add(half, half);
  // Keeps the sign of zero, and denormals as they are.
  return select(less(abs(x), constant(1e-8f)), x, result);
}

std::pair<Value, Value> FloatBuilder::splitExponent(Value x) {
  Value bits = toBits(x);
  constexpr int32_t kSqrtHalfBits = 0x3f3504f3;
  Value exponent =
      arith::ShRSIOp::create(b, arith::SubIOp::create(b, bits, intConstant(kSqrtHalfBits)), intConstant(23));
  Value mantissa = arith::SubIOp::create(b, bits, arith::ShLIOp::create(b, exponent, intConstant(23)));
  return {fromBits(mantissa), exponent};
}

Value FloatBuilder::logarithmOfParts(Value f, Value e, Base base) {
  // (log(1 + f) - f + f^2 / 2) / f^3, degree 8; relative error of log: 7.5e-10.
  static constexpr float kLog[] = {3.333331347e-01f,  -2.500000894e-01f, 2.000211924e-01f,
                                   -1.666799635e-01f, 1.421955228e-01f,  -1.240558848e-01f,
                                   1.188816428e-01f,  -1.167565435e-01f, 6.746638566e-02f};
  Value square = mul(f, f);
  // log(1 + f) - f
  Value tail = fma(mul(square, f), polynomial(f, kLog), mul(square, constant(-0.5f)));
  switch (base) {
  case Base::e:
    return fma(e, constant(0.693145751953125f), add(f, fma(e, constant(1.42860677e-6f), tail)));
  case Base::two: {
    // log2(e) = 1 + 0.44269504: the large part needs no product.
    Value low = fma(tail, constant(0.44269504f), mul(f, constant(0.44269504f)));
    return add(e, add(f, add(tail, low)));
  }
  case Base::ten:
    return fma(e, constant(0.301025390625f),
               fma(add(f, tail), constant(0.434294482f), mul(e, constant(4.60503907e-6f))));
  }
  llvm_unreachable("every base has a case");
}

Value FloatBuilder::logarithm(Value x, Base base) {
  constexpr float kSmallestNormal = std::numeric_limits<float>::min();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Value denormal = less(x, constant(kSmallestNormal));
  Value normal = select(denormal, mul(x, constant(8388608.0f)), x); // 2^23
  auto [m, exponent] = splitExponent(normal);
  Value e = arith::SIToFPOp::create(b, type, exponent);
  e = select(denormal, sub(e, constant(23.0f)), e);
  Value result = logarithmOfParts(sub(m, constant(1.0f)), e, base);
  // log(0) = -inf, log(inf) = inf, NaN for negative x and NaN.
  Value zero = constant(0.0f);
  result = select(compare(arith::CmpFPredicate::OEQ, x, zero), constant(-kInfinity), result);
  result = select(compare(arith::CmpFPredicate::OEQ, x, constant(kInfinity)), x, result);
  Value invalid = compare(arith::CmpFPredicate::ULT, x, zero);
  return select(invalid, constant(std::numeric_limits<float>::quiet_NaN()), result);
}

Value FloatBuilder::log1p(Value x) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Value u = add(x, constant(1.0f));
  auto [m, exponent] = splitExponent(u);
  // 1 + f = (1 + x) 2^-e with one rounding, so that small x loses nothing. From 2^24 on the 1 no longer
  // counts, and 2^-e may be no float.
  Value inverse = powerOfTwo(arith::SubIOp::create(b, intConstant(0), exponent));
  Value f = fma(x, inverse, sub(inverse, constant(1.0f)));
  f = select(less(x, constant(16777216.0f)), f, sub(m, constant(1.0f)));
  Value e = arith::SIToFPOp::create(b, type, exponent);
  Value result = logarithmOfParts(f, e, Base::e);
  result = select(compare(arith::CmpFPredicate::OEQ, u, constant(0.0f)), constant(-kInfinity), result);
  result = select(compare(arith::CmpFPredicate::OEQ, x, constant(kInfinity)), x, result);
  result = select(compare(arith::CmpFPredicate::ULT, x, constant(-1.0f)),
                  constant(std::numeric_limits<float>::quiet_NaN()), result);
  return select(less(abs(x), constant(1e-8f)), x, result);
}

Value FloatBuilder::tanh(Value x) {
  // (tanh x / x - 1) / x^2 in x^2, degree 3 there; relative error of tanh below 0.55: 3.7e-8. Above, 1 - 2 /
  // (e^2|x| + 1).
  static constexpr float kTanh[] = {-3.333294690e-01f, 1.332072467e-01f, -5.267181620e-02f, 1.643758267e-02f};
  Value magnitude = abs(x);
  Value square = mul(x, x);
  Value small = fma(mul(x, square), polynomial(square, kTanh), x);
  Value e = math::ExpOp::create(b, add(magnitude, magnitude));
  Value large = sub(constant(1.0f), div(constant(2.0f), add(e, constant(1.0f))));
  return select(less(magnitude, constant(0.55f)), small, copySign(large, x));
}

Value FloatBuilder::scaledNormalTail(Value a) {
  // u P(q) with u = 1 / (a + 4) and q = (a - 4) / (a + 4) = 1 - 8 u, which maps [0, inf) to [-1, 1): the
  // transformation of Shepherd, Laframboise 1981 (Math. Comp. 36). P has degree 9; relative error 8.7e-9.
  static constexpr float kTail[] = {7.552851439e-01f, -6.078965664e-01f, 3.871369064e-01f,  -1.865234375e-01f,
                                    6.040383130e-02f, -7.525271736e-03f, -3.512555966e-03f, 1.569923013e-03f,
                                    1.793566917e-04f, -1.319702860e-04f};
  Value u = div(constant(1.0f), add(a, constant(4.0f)));
  Value q = fma(u, constant(-8.0f), constant(1.0f));
  return mul(polynomial(q, kTail), u);
}

Value FloatBuilder::expOfSquare(Value x, float factor) {
  Value scaled = mul(x, constant(factor)); // exact: the factor is a power of two
  Value square = mul(scaled, x);
  Value rest = fma(scaled, x, neg(square));
  Value e = math::ExpOp::create(b, square);
  return fma(e, rest, e);
}

Value FloatBuilder::erf(Value x) {
  // erf x / x in x^2, degree 6 there; relative error below 1: 1.2e-9. Above, 1 - erfc |x|.
  static constexpr float kErf[] = {1.128379107e+00f, -3.761262596e-01f, 1.128358543e-01f, -2.685381100e-02f,
                                   5.188327748e-03f, -8.010193123e-04f, 7.853859279e-05f};
  Value magnitude = abs(x);
  Value small = mul(x, polynomial(mul(x, x), kErf));
  Value bounded = min(constant(10.0f), magnitude);
  Value tail = mul(scaledNormalTail(mul(bounded, constant(1.41421356f))), expOfSquare(bounded, -1.0f));
  Value large = fma(constant(-2.0f), tail, constant(1.0f));
  return select(less(magnitude, constant(1.0f)), small, copySign(large, x));
}

Value FloatBuilder::erfc(Value x) {
  // erfc |x| underflows at 10.06.
  Value bounded = min(constant(10.25f), abs(x));
  Value tail = mul(scaledNormalTail(mul(bounded, constant(1.41421356f))), expOfSquare(bounded, -1.0f));
  tail = add(tail, tail);
  return select(less(x, constant(0.0f)), sub(constant(2.0f), tail), tail);
}

Value FloatBuilder::geluByExp(Value x) {
  // x Phi(x) = max(x, 0) - |x| Q(|x|), Q = 1 - Phi the upper tail. It has no cancellation, unlike 1 + erf(x /
  // sqrt 2) for negative x. Past 14.5 the tail is below the smallest denormal; the bound keeps infinity out
  // of the arithmetic.
  Value a = min(constant(14.5f), abs(x));
  Value tail = mul(scaledNormalTail(a), expOfSquare(a, -0.5f));
  return fma(neg(a), tail, max(constant(0.0f), x));
}

namespace {
/// Q(a) = Phi(-a) for 0 <= a <= 6.5, by polynomials in d = a * scale - n, |d| <= 1/2, n = 0 ... 31. They
/// interpolate at Chebyshev's points; relative error 2.8e-7 at the far end, 4e-9 below 5.
struct NormalTailTable {
  static constexpr int numPieces = 32, numTerms = 7;
  static constexpr float bound = 6.5f, scale = (numPieces - 1) / bound;

  float terms[numTerms][numPieces];

  NormalTailTable() {
    for (int piece = 0; piece < numPieces; ++piece) {
      double points[numTerms], differences[numTerms];
      for (int i = 0; i < numTerms; ++i) {
        double point = 0.5 * std::cos((i + 0.5) * 3.14159265358979323846 / numTerms);
        points[i] = piece == 0 ? (point + 0.5) / 2 : point; // the first one begins at its middle
        differences[i] = 0.5 * std::erfc((piece + points[i]) / double(scale) * 0.70710678118654752440);
      }
      // Newton's form, then its product terms multiplied out, from the last one.
      for (int order = 1; order < numTerms; ++order)
        for (int i = numTerms - 1; i >= order; --i)
          differences[i] = (differences[i] - differences[i - 1]) / (points[i] - points[i - order]);
      double sum[numTerms] = {};
      for (int i = numTerms - 1; i >= 0; --i) {
        for (int power = numTerms - 1; power > 0; --power)
          sum[power] = sum[power - 1] - points[i] * sum[power];
        sum[0] = differences[i] - points[i] * sum[0];
      }
      for (int power = 0; power < numTerms; ++power)
        terms[power][piece] = static_cast<float>(sum[power]);
    }
  }
};
} // namespace

bool FloatBuilder::isAvx512Vector() const {
  auto vector = dyn_cast<VectorType>(type);
  return vector && vector.getShape() == ArrayRef<int64_t>{16} && !vector.isScalable();
}

Value FloatBuilder::normalTailByTable(Value a) {
  static const NormalTailTable table;
  constexpr float kMagic = 12582912.0f; // see roundProduct
  Value scale = constant(NormalTailTable::scale);
  Value shifted = fma(a, scale, constant(kMagic));
  Value d = fma(a, scale, neg(sub(shifted, constant(kMagic))));
  Value piece = toBits(shifted); // the lowest five bits
  auto pick = [&](const float (&terms)[NormalTailTable::numPieces]) -> Value {
    auto half = [&](int64_t first) -> Value {
      auto values = DenseElementsAttr::get(cast<ShapedType>(type), ArrayRef(terms).slice(first, 16));
      return arith::ConstantOp::create(b, values);
    };
    return LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr("llvm.x86.avx512.vpermi2var.ps.512"),
                                         ValueRange{half(0), piece, half(16)})
        ->getResult(0);
  };
  Value sum = pick(table.terms[NormalTailTable::numTerms - 1]);
  for (int power = NormalTailTable::numTerms - 2; power >= 0; --power)
    sum = fma(sum, d, pick(table.terms[power]));
  return sum;
}

Value FloatBuilder::gelu(Value x) {
  if (!isAvx512Vector())
    return geluByExp(x);
  // Past the bound the tail is too small to change a positive x. Numbers below it are rare in a model, and
  // each lane has the result that it would have alone.
  Value a = min(constant(NormalTailTable::bound), abs(x));
  Value result = fma(neg(a), normalTailByTable(a), max(constant(0.0f), x));
  Value isBelow = less(x, constant(-NormalTailTable::bound));
  Value any = vector::ReductionOp::create(b, vector::CombiningKind::OR, isBelow);
  auto branch = scf::IfOp::create(b, TypeRange{type}, any, /*addThenBlock=*/true, /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, select(isBelow, geluByExp(x), result));
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, result);
  return branch.getResult(0);
}

Value FloatBuilder::reciprocalByEstimate(Value x) {
  Value allLanes = arith::ConstantOp::create(b, b.getI16IntegerAttr(-1));
  Value estimate = LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr("llvm.x86.avx512.rcp14.ps.512"),
                                                 ValueRange{x, x, allLanes})
                       ->getResult(0);
  return fma(estimate, fma(neg(x), estimate, constant(1.0f)), estimate);
}

Value FloatBuilder::geluTanh(Value x) {
  // exp(-2 y) = 2^z, z = x (c + c3 x^2). At -9.9 the result is 3e-36, and 2^z still a float; from 9.9 on the
  // power does not change the sum.
  constexpr double kSlope = -2 * 0.79788456080286536 * 1.44269504088896341; // sqrt(2 / pi), 1 / ln 2
  Value atLeast = max(constant(-9.9f), x), bounded = min(constant(9.9f), atLeast);
  Value factor = fma(mul(bounded, bounded), constant(float(kSlope * 0.044715)), constant(float(kSlope)));
  // 2^r for |r| <= 1/2, degree 5; relative error 1.1e-7.
  static constexpr float kExp2[] = {
      1.0f, 6.931470037e-01f, 2.402224243e-01f, 5.550733581e-02f, 9.671512991e-03f, 1.326472731e-03f};
  Reduced reduced = roundProduct(mul(bounded, factor), 1.0f);
  // The product is not rounded here, which would cost digits of a large z.
  Value power = polynomial(fma(bounded, factor, neg(reduced.n)), kExp2);
  // The exponent is added to its bits.
  Value exponent = arith::ShLIOp::create(b, reduced.nInt, intConstant(23));
  Value e = fromBits(arith::AddIOp::create(b, toBits(power), exponent));
  Value sum = add(e, constant(1.0f));
  return isAvx512Vector() ? mul(atLeast, reciprocalByEstimate(sum)) : div(atLeast, sum);
}

Value FloatBuilder::mish(Value x) {
  // tanh(log(1 + e^x)) = n / (n + 2) with n = e^x (e^x + 2). For x > 20 the quotient is 1 in f32.
  Value e = math::ExpOp::create(b, min(constant(20.0f), x));
  Value n = mul(e, add(e, constant(2.0f)));
  return mul(x, div(n, add(n, constant(2.0f))));
}

Value FloatBuilder::timesSigmoid(Value x, Value y) {
  return div(x, add(constant(1.0f), math::ExpOp::create(b, neg(y))));
}

Value FloatBuilder::sineOrCosine(Value x, bool cosine) {
  // x = n pi/2 + r, pi/2 in three parts, each product exact but for the fma's one rounding (Cody, Waite
  // 1980).
  static constexpr float kSin[] = {-1.666665524e-01f, 8.332160302e-03f,
                                   -1.951521554e-04f}; // relative error 3.8e-9
  static constexpr float kCos[] = {4.166664556e-02f, -1.388731529e-03f, 2.443308222e-05f}; // 1.2e-10
  Reduced reduced = roundProduct(x, 0.636619772f);
  Value r = fma(reduced.n, constant(-1.57079637e+00f), x);
  r = fma(reduced.n, constant(4.37113883e-08f), r);
  r = fma(reduced.n, constant(1.71512489e-15f), r);
  Value square = mul(r, r);
  Value sine = fma(mul(square, r), polynomial(square, kSin), r);
  Value cosineOfR =
      fma(mul(square, square), polynomial(square, kCos), fma(square, constant(-0.5f), constant(1.0f)));
  // Quadrant n mod 4: odd ones exchange sine and cosine, the sign turns in two of four.
  Value quadrant = cosine ? Value(arith::AddIOp::create(b, reduced.nInt, intConstant(1))) : reduced.nInt;
  Value odd = arith::AndIOp::create(b, quadrant, intConstant(1));
  Value isOdd = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, odd, intConstant(0));
  Value magnitude = select(isOdd, cosineOfR, sine);
  Value sign = arith::ShLIOp::create(b, arith::AndIOp::create(b, quadrant, intConstant(2)), intConstant(30));
  return fromBits(arith::XOrIOp::create(b, toBits(magnitude), sign));
}
