//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WordMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::sesame;

Value WordMath::integer(int32_t value) { return arith::ConstantIntOp::create(b, value, 32); }

Value WordMath::atLeast(Value bound, Value x) { return arith::MaxNumFOp::create(b, bound, x); }
Value WordMath::atMost(Value bound, Value x) { return arith::MinNumFOp::create(b, bound, x); }

Value WordMath::roundToBf16(Value x) {
  // By way of its bits: not every target has an instruction for it.
  Value bits = arith::BitcastOp::create(b, b.getI32Type(), x);
  Value odd = arith::AndIOp::create(b, arith::ShRUIOp::create(b, bits, integer(16)), integer(1));
  Value half = arith::AddIOp::create(b, odd, integer(0x7fff));
  Value upper = arith::AndIOp::create(b, arith::AddIOp::create(b, bits, half),
                                      integer(static_cast<int32_t>(0xffff0000)));
  Value rounded = arith::BitcastOp::create(b, b.getF32Type(), upper);
  Value isNan = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, x, x);
  return arith::SelectOp::create(b, isNan, x, rounded);
}

Value WordMath::reduceRows(Value input, function_ref<Value(Value x, Value sum)> body) {
  SmallVector<OpFoldResult> rows = b.extents(input);
  rows.pop_back();
  return b.loops(b.fill(rows, b.getF32Type(), 0), 1, {b.all(input)},
                 [&](ValueRange e) { return body(e[0], e[1]); });
}

WordMath::Rows WordMath::quantizeRows(Value input) {
  SmallVector<OpFoldResult> rows = b.extents(input);
  rows.pop_back();
  Value low =
      reduceRows(input, [&](Value x, Value sum) { return atLeast(sum, arith::NegFOp::create(b, x)); });
  Value high = reduceRows(input, [&](Value x, Value sum) { return atLeast(sum, x); });
  Value nan = reduceRows(input, [&](Value x, Value sum) {
    return arith::AddFOp::create(b, sum, arith::MulFOp::create(b, x, real(0)));
  });
  Value range =
      b.loops(b.empty(rows, b.getF32Type()), 0, {b.all(low), b.all(high)}, [&](ValueRange e) -> Value {
        return atLeast(real(1e-30), arith::AddFOp::create(b, e[0], e[1]));
      });
  auto invert = [&](Value range) -> Value { return arith::DivFOp::create(b, real(255), range); };
  auto toCode = [&](Value x) {
    Value rounded = math::RoundEvenOp::create(b, x);
    return atMost(real(255), atLeast(real(0), rounded));
  };
  Value zeros =
      b.loops(b.empty(rows, b.getF32Type()), 0, {b.all(low), b.all(range)},
              [&](ValueRange e) -> Value { return toCode(arith::MulFOp::create(b, e[0], invert(e[1]))); });
  SmallVector<int64_t> leading = llvm::to_vector(llvm::seq<int64_t>(0, rows.size()));
  Value codes =
      b.loops(b.empty(b.extents(input), b.getI32Type()), 0,
              {b.all(input), b.on(range, leading), b.on(zeros, leading)}, [&](ValueRange e) -> Value {
                Value code = toCode(math::FmaOp::create(b, e[0], invert(e[1]), e[2]));
                return arith::FPToSIOp::create(b, b.getI32Type(), arith::SubFOp::create(b, code, e[2]));
              });
  return {codes, range, nan};
}

Value WordMath::rowScale(Value range, Value nan) {
  return arith::AddFOp::create(b, arith::DivFOp::create(b, range, real(255)), nan);
}

WordMath::Columns WordMath::quantizeColumns(Value weight, int64_t direction) {
  AffineExpr column = b.getAffineDimExpr(0), k = b.getAffineDimExpr(1);
  Operand element = {weight, {b.getAffineConstantExpr(direction), column, k}};
  SmallVector<OpFoldResult> columns = {b.extent(weight, 1)},
                            matrix = {b.extent(weight, 1), b.extent(weight, 2)};
  auto reduce = [&](function_ref<Value(Value, Value)> body) {
    return b.loops(b.fill(columns, b.getF32Type(), 0), 1, {element},
                   [&](ValueRange e) { return body(e[0], e[1]); });
  };
  Value largest = reduce([&](Value x, Value sum) { return atLeast(sum, math::AbsFOp::create(b, x)); });
  Value nan = reduce([&](Value x, Value sum) {
    return arith::AddFOp::create(b, sum, arith::MulFOp::create(b, x, real(0)));
  });
  auto ifNotZero = [&](Value largest, Value value) -> Value {
    Value some = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, largest, real(1e-30));
    return arith::SelectOp::create(b, some, value, real(0));
  };
  Value codes = b.loops(b.empty(matrix, b.getI32Type()), 0, {element, b.on(largest, {0}), b.on(nan, {0})},
                        [&](ValueRange e) -> Value {
                          Value inverse = ifNotZero(e[1], arith::DivFOp::create(b, real(127), e[1]));
                          Value code = math::RoundEvenOp::create(b, arith::MulFOp::create(b, e[0], inverse));
                          Value isNan = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, e[2], e[2]);
                          return arith::FPToSIOp::create(b, b.getI32Type(),
                                                         arith::SelectOp::create(b, isNan, real(0), code));
                        });
  Value scales =
      b.loops(b.empty(columns, b.getF32Type()), 0, {b.all(largest), b.all(nan)}, [&](ValueRange e) -> Value {
        Value scale = ifNotZero(e[0], arith::DivFOp::create(b, e[0], real(127)));
        return arith::AddFOp::create(b, scale, e[1]);
      });
  return {codes, scales};
}

Value WordMath::multiply(Value value, Value weight, int64_t direction, Type element) {
  AffineExpr row = b.getAffineDimExpr(0), column = b.getAffineDimExpr(1), k = b.getAffineDimExpr(2);
  SmallVector<OpFoldResult> shape = {b.extent(value, 0), b.extent(weight, 1)};
  if (element.isBF16()) {
    Operand right = {weight, {b.getAffineConstantExpr(direction), column, k}};
    return b.loops(b.fill(shape, b.getF32Type(), 0), 1, {{value, {row, k}}, right},
                   [&](ValueRange e) -> Value {
                     Value product = arith::MulFOp::create(b, roundToBf16(e[0]), roundToBf16(e[1]));
                     return arith::AddFOp::create(b, e[2], product);
                   });
  }
  Rows rows = quantizeRows(value);
  Columns columns = quantizeColumns(weight, direction);
  Value none = linalg::FillOp::create(b, integer(0), b.empty(shape, b.getI32Type())).getResult(0);
  Value sums =
      b.loops(none, 1, {{rows.codes, {row, k}}, {columns.codes, {column, k}}}, [&](ValueRange e) -> Value {
        return arith::AddIOp::create(b, e[2], arith::MulIOp::create(b, e[0], e[1]));
      });
  return b.loops(b.empty(shape, b.getF32Type()), 0,
                 {b.all(sums), b.on(rows.range, {0}), b.on(rows.nan, {0}), b.on(columns.scales, {1})},
                 [&](ValueRange e) -> Value {
                   Value scale = arith::MulFOp::create(b, rowScale(e[1], e[2]), e[3]);
                   return arith::MulFOp::create(b, b.toFloat(e[0], b.getF32Type()), scale);
                 });
}
