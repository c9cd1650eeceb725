//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Positions.h"

#include "TensorOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

Value maskPositions(ModelBuilder &b, Value mask) {
  OpBuilder &builder = b.builder;
  Value rows = b.dim(mask, 0), columns = b.dim(mask, 1), zero = b.constant(0), one = b.constant(1);
  Value none = arith::ConstantOp::create(builder, b.loc, builder.getI64IntegerAttr(0));
  SmallVector<OpFoldResult> extents = {b.extent(mask, 0), b.extent(mask, 1)};
  Value init = tensor::EmptyOp::create(builder, b.loc, extents, builder.getI64Type());
  auto outer = scf::ForOp::create(
      builder, b.loc, zero, rows, one, init, [&](OpBuilder &o, Location l, Value row, ValueRange result) {
        auto inner = scf::ForOp::create(
            o, l, zero, columns, one, ValueRange{result[0], none},
            [&](OpBuilder &o, Location l, Value column, ValueRange state) {
              Value seen = tensor::ExtractOp::create(o, l, mask, ValueRange{row, column});
              Value isReal = arith::CmpIOp::create(o, l, arith::CmpIPredicate::ne, seen, none);
              Value next =
                  arith::AddIOp::create(o, l, state[1], arith::ExtUIOp::create(o, l, o.getI64Type(), isReal));
              Value position = arith::SelectOp::create(o, l, isReal, state[1], none);
              Value updated = tensor::InsertOp::create(o, l, position, state[0], ValueRange{row, column});
              scf::YieldOp::create(o, l, ValueRange{updated, next});
            });
        scf::YieldOp::create(o, l, inner.getResult(0));
      });
  return outer.getResult(0);
}

Value positionsOfRealTokens(ModelBuilder &b, Value ids, int64_t padId) {
  Type i64 = b.builder.getI64Type();
  Value isReal = mapOver(b, "bs->bs", ids, i64, [&](Scalars s, ValueRange id) {
    return s.select(s.equal(id[0], s.constantI64(padId)), s.constantI64(0), s.constantI64(1));
  });
  return mapOver(b, "bs,bs->bs", {isReal, maskPositions(b, isReal)}, i64, [&](Scalars s, ValueRange values) {
    return s.add(s.add(values[0], values[1]), s.constantI64(padId));
  });
}

Value positionsOfRealTokens(ModelBuilder &b, Value ids, Value mask, int64_t padId) {
  Value past = arith::SubIOp::create(b.builder, b.loc, b.dim(mask, 1), b.dim(ids, 1));
  Type i64 = b.builder.getI64Type();
  return mapOver(b, "bs->bs", positionsOfRealTokens(b, ids, padId), i64, [&](Scalars s, ValueRange at) {
    Value isPadding = s.equal(at[0], s.constantI64(padId));
    return s.select(isPadding, at[0], s.add(at[0], s.toI64(past)));
  });
}

Value positionsOf(ModelBuilder &b, Value ids, Value mask, int64_t offset) {
  Value first = arith::SubIOp::create(b.builder, b.loc, b.dim(mask, 1), b.dim(ids, 1));
  first = arith::AddIOp::create(b.builder, b.loc, first, b.constant(offset));
  return generate(b, {b.builder.getIndexAttr(1), b.extent(ids, 1)}, b.builder.getI64Type(),
                  [&](Scalars s, ValueRange at) { return s.toI64(s.add(at[1], first)); });
}

Value lastColumns(ModelBuilder &b, Value x, Value ids) {
  Value past = arith::SubIOp::create(b.builder, b.loc, b.dim(x, 1), b.dim(ids, 1));
  return b.slice(x, 1, past, b.extent(ids, 1));
}

Value sinusoids(ModelBuilder &b, Value positions, int64_t width, SinusoidOptions options) {
  FloatType angleType = options.inF64 ? FloatType(b.builder.getF64Type()) : FloatType(b.builder.getF32Type());
  b.builder.getContext()->loadDialect<math::MathDialect>();
  int64_t half = (width + 1) / 2;
  SmallVector<Attribute> rates;
  for (int64_t column = 0; column < width; ++column) {
    double exponent = 2.0 * double(options.isInterleaved ? column / 2 : column % half) / double(width);
    // In f32 by its own functions, as torch does it.
    double rate = options.inF64 ? std::pow(10000, -exponent) : 1.0F / std::pow(10000.0F, float(exponent));
    rates.push_back(b.builder.getFloatAttr(angleType, rate));
  }
  auto type = RankedTensorType::get({width}, angleType);
  Value table = arith::ConstantOp::create(b.builder, b.loc, DenseElementsAttr::get(type, rates));
  return mapOver(
      b, "bs,c->bsc", {positions, table}, b.builder.getF32Type(), [&](Scalars s, ValueRange values) {
        Value angle = s.multiply(arith::SIToFPOp::create(s.builder, s.loc, angleType, values[0]), values[1]);
        Value sine = math::SinOp::create(s.builder, s.loc, angle),
              cosine = math::CosOp::create(s.builder, s.loc, angle);
        Value column = s.index(2);
        Value isSine = options.isInterleaved ? s.equal(s.remainder(column, s.constant(2)), s.constant(0))
                                             : s.less(column, s.constant(half));
        Value value = s.select(isSine, sine, cosine);
        return options.inF64 ? Value(arith::TruncFOp::create(s.builder, s.loc, s.builder.getF32Type(), value))
                             : value;
      });
}

Value alibiBias(ModelBuilder &b, Value positions, int64_t heads) {
  // Powers of 2 ^ (-8 / n) for the n heads that are a power of two; the others lie between them.
  int64_t whole = int64_t(1) << llvm::Log2_64(static_cast<uint64_t>(heads));
  auto slope = [](double count, int64_t power) {
    return std::pow(static_cast<float>(std::exp2(-8.0 / count)), static_cast<float>(power));
  };
  std::vector<float> slopes;
  for (int64_t head = 0; head < heads; ++head)
    slopes.push_back(head < whole ? slope(double(whole), head + 1)
                                  : slope(2.0 * double(whole), 2 * (head - whole) + 1));
  Value table = arith::ConstantOp::create(
      b.builder, b.loc, DenseElementsAttr::get(b.tensorType({heads}), ArrayRef<float>(slopes)));
  SmallVector<OpFoldResult> extents = {b.extent(positions, 0), b.builder.getIndexAttr(heads),
                                       b.builder.getIndexAttr(1), b.extent(positions, 1)};
  return mapOver(b, "bt,h->bhst", {positions, table}, extents, b.builder.getF32Type(),
                 [](Scalars s, ValueRange values) { return s.multiply(s.toF32(values[0]), values[1]); });
}

} // namespace sesame::importer
