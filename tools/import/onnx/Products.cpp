//===- Products.cpp - Matrix products and convolutions --------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Translator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace sesame::onnx {

namespace ops = mlir::sesame;

Term *Translator::linear(Term *x, Term *weight, Term *bias) {
  // A transposed weight is read as it is stored: [N, K].
  bool isTransposed = !weight->permutation.empty() && weight->permutation.front() == 1;
  Dims dims = x->dims;
  dims.back() = weight->dims[1];
  Value input = materialize(x);
  Term *stored = isTransposed ? transpose(weight, {1, 0}) : weight;
  stored->permutation.clear();
  Value matrix = materialize(stored), offset = bias ? materialize(bias) : Value();
  return tensor(Kind::f32, dims,
                ops::LinearOp::create(builder, loc, typeOf(Kind::f32, dims), input, matrix, offset, Value(),
                                      isTransposed ? ops::WeightLayout::nk : ops::WeightLayout::kn,
                                      ops::Activation::identity));
}

namespace {

bool isMatrixWeight(const Term *x) { return x->weight && x->rank() == 2; }

/// a [..., M, K] times b [..., K, N] with broadcasting of the leading axes.
Term *product(Call &call, Term *a, Term *b) {
  Translator &t = call.translator;
  if (!a->isFloat() || !b->isFloat())
    call.fail("expected tensors of floats");
  if (a->rank() == 0 || b->rank() == 0)
    call.fail("expected tensors of at least one axis");
  if (a->rank() == 1) {
    Dims dims = a->dims;
    dims.insert(dims.begin(), 1);
    Term *result = product(call, t.reshape(a, dims), b);
    dims = result->dims;
    dims.erase(dims.end() - (b->rank() == 1 ? 1 : 2));
    return t.reshape(result, dims);
  }
  if (b->rank() == 1) {
    Dims dims = b->dims;
    dims.push_back(1);
    Term *result = product(call, a, t.reshape(b, dims));
    dims = result->dims;
    dims.pop_back();
    return t.reshape(result, dims);
  }
  if (a->dims.back() != b->dims[b->rank() - 2])
    call.fail(message("shapes ", t.describe(a->dims), " and ", t.describe(b->dims), " cannot be multiplied"));
  if (isMatrixWeight(b))
    return t.linear(a, b, nullptr);

  Dims batch =
      t.broadcastDims(Dims(a->dims.begin(), a->dims.end() - 2), Dims(b->dims.begin(), b->dims.end() - 2));
  Dims dims = batch;
  dims.append({a->dims[a->rank() - 2], b->dims.back()});
  int64_t rank = dims.size(); // and one more axis, K
  OpBuilder &builder = t.builder;
  auto map = [&](Term *x, unsigned row, unsigned column) {
    SmallVector<AffineExpr> exprs;
    for (int64_t axis = 0; axis + 2 < x->rank(); ++axis)
      exprs.push_back(x->dims[axis].is(1) ? builder.getAffineConstantExpr(0)
                                          : builder.getAffineDimExpr(axis + rank - x->rank()));
    exprs.append({builder.getAffineDimExpr(row), builder.getAffineDimExpr(column)});
    return AffineMap::get(rank + 1, 0, exprs, builder.getContext());
  };
  SmallVector<AffineMap> maps = {map(a, rank - 2, rank), map(b, rank, rank - 1),
                                 builder.getMultiDimIdentityMap(rank + 1).dropResult(rank)};
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  Value left = t.materialize(a), right = t.materialize(b);
  Value zero = arith::ConstantOp::create(builder, t.loc, builder.getF32FloatAttr(0));
  Value init = linalg::FillOp::create(builder, t.loc, zero, t.empty(Kind::f32, dims)).getResult(0);
  return t.tensor(Kind::f32, dims,
                  linalg::GenericOp::create(
                      builder, t.loc, init.getType(), ValueRange{left, right}, init, maps, iterators,
                      [](OpBuilder &inner, Location l, ValueRange values) {
                        Scalars s{inner, l};
                        linalg::YieldOp::create(inner, l, s.add(values[2], s.multiply(values[0], values[1])));
                      })
                      .getResult(0));
}

void matMul(Call &call) { call.result(product(call, call.input(0), call.input(1))); }

void gemm(Call &call) {
  Translator &t = call.translator;
  Term *a = call.input(0), *b = call.input(1), *c = call.optional(2);
  if (a->rank() != 2 || b->rank() != 2)
    call.fail("expected two matrices");
  double alpha = call.number("alpha", 1), beta = call.number("beta", 1);
  if (call.integer("transA", 0))
    a = t.transpose(a, {1, 0});
  if (call.integer("transB", 0))
    b = t.transpose(b, {1, 0});
  if (isMatrixWeight(b) && alpha == 1 &&
      (!c || (c->weight && c->rank() == 1 && beta == 1 && c->dims[0] == b->dims[1]))) {
    if (a->dims[1] != b->dims[0])
      call.fail(
          message("shapes ", t.describe(a->dims), " and ", t.describe(b->dims), " cannot be multiplied"));
    return call.result(t.linear(a, b, c));
  }
  auto scale = [&](Term *x, double factor) {
    if (factor == 1)
      return x;
    return t.expression(x->kind, x->dims, {x}, [&t, x, factor](Scalars s, ValueRange indices) {
      return s.multiply(t.at(x, s, indices), s.constantF32(factor));
    });
  };
  Term *result = scale(product(call, a, b), alpha);
  if (c && beta != 0)
    result = t.add(result, scale(c, beta));
  call.result(result);
}

/// A convolution over N spatial axes as a product of patches [B, out..., C * kernel...] with the weight
/// [O, C * kernel...].
void conv(Call &call) {
  Translator &t = call.translator;
  Term *x = call.input(0), *weight = call.input(1), *bias = call.optional(2);
  int64_t spatial = x->rank() - 2;
  if (spatial < 1 || spatial > 3 || weight->rank() != x->rank() || !weight->weight ||
      !weight->permutation.empty())
    call.fail("expected data of 1 to 3 spatial axes and a constant weight of the same rank");
  if (call.integer("group", 1) != 1)
    call.fail("grouped convolutions are not supported");
  if (std::string pad = call.text("auto_pad", "NOTSET"); pad != "NOTSET" && pad != "VALID")
    call.fail(message("expected auto_pad 'NOTSET' or 'VALID', found ", inQuotes(pad)));
  if (bias && (!bias->weight || bias->rank() != 1 || bias->dims[0] != weight->dims[0]))
    call.fail("expected a constant vector as bias");
  if (x->dims[1] != weight->dims[1])
    call.fail(message("data of ", t.describe(x->dims), " and a weight of ", t.describe(weight->dims),
                      " do not fit"));
  auto attribute = [&](const char *name, size_t count, int64_t fallback, int64_t least) {
    std::vector<int64_t> values = call.integers(name).value_or(std::vector<int64_t>(count, fallback));
    if (values.size() != count ||
        llvm::any_of(values, [&](int64_t value) { return value < least || value > 65536; }))
      call.fail(message("expected ", count, " values of at least ", least, " as ", name));
    return values;
  };
  std::vector<int64_t> strides = attribute("strides", spatial, 1, 1),
                       dilations = attribute("dilations", spatial, 1, 1),
                       pads = attribute("pads", 2 * spatial, 0, 0);

  // Patches [B, out..., C, kernel...].
  Dims patchDims = {x->dims[0]}, kernel = {x->dims[1]};
  for (int64_t axis = 0; axis < spatial; ++axis) {
    const Extent &size = weight->dims[2 + axis];
    Extent span = (size - 1) * dilations[axis] + 1;
    Extent rest = x->dims[2 + axis] + (pads[axis] + pads[spatial + axis]) - span;
    if (rest.lowerBound().value_or(-1) < 0)
      call.fail("the kernel cannot be shown to fit into the data");
    patchDims.push_back(t.floorDivide(rest, strides[axis]) + 1);
    kernel.push_back(size);
  }
  Dims outDims = patchDims;
  patchDims.append(kernel);
  bool isPadded = llvm::any_of(pads, [](int64_t pad) { return pad != 0; });
  Term *patches = t.expression(Kind::f32, patchDims, {x}, [=, &t](Scalars s, ValueRange at) {
    SmallVector<Value> own = {at[0], at[1 + spatial]};
    Value isInside;
    for (int64_t axis = 0; axis < spatial; ++axis) {
      Value place = s.add(s.multiply(at[1 + axis], s.constant(strides[axis])),
                          s.multiply(at[2 + spatial + axis], s.constant(dilations[axis])));
      if (isPadded) {
        place = s.subtract(place, s.constant(pads[axis]));
        Value size = t.index(s.builder, x->dims[2 + axis]), zero = s.constant(0);
        Value moved = s.minimum(s.maximum(place, zero), s.subtract(size, s.constant(1)));
        Value holds = s.equal(place, moved);
        isInside = isInside ? Value(arith::AndIOp::create(s.builder, s.loc, isInside, holds)) : holds;
        place = moved;
      }
      own.push_back(place);
    }
    Value value = t.at(x, s, own);
    return isInside ? s.select(isInside, value, s.constantF32(0)) : value;
  });
  Value rows = t.materialize(patches);
  Dims rowDims = outDims;
  rowDims.push_back(t.product(kernel));
  Term *flat = t.reshape(t.tensor(Kind::f32, patchDims, rows), rowDims);

  // The weight's axes behind the first are joined in its recipe.
  int64_t columns = *weight->dims[0].constant(), depth = *t.product(kernel).constant();
  auto matrixType = RankedTensorType::get({columns, depth}, t.builder.getF32Type());
  Value matrix = t.weightBy(*weight->weight, ".matrix", matrixType, [&](Value stored) -> Value {
    SmallVector<ReassociationIndices> groups = {{0}, {}};
    for (int64_t axis = 1; axis < weight->rank(); ++axis)
      groups.back().push_back(axis);
    return tensor::CollapseShapeOp::create(t.builder, t.loc, matrixType, stored, groups);
  });
  Dims resultDims = outDims;
  resultDims.push_back(columns);
  Value input = t.materialize(flat), offset = bias ? t.materialize(bias) : Value();
  Term *result =
      t.tensor(Kind::f32, resultDims,
               ops::LinearOp::create(t.builder, t.loc, t.typeOf(Kind::f32, resultDims), input, matrix, offset,
                                     Value(), ops::WeightLayout::nk, ops::Activation::identity));
  SmallVector<int64_t> order = {0, 1 + spatial};
  for (int64_t axis = 0; axis < spatial; ++axis)
    order.push_back(1 + axis);
  call.result(t.transpose(result, order));
}

} // namespace

void addProducts(Handlers &handlers) {
  handlers["MatMul"] = matMul;
  handlers["Gemm"] = gemm;
  handlers["Conv"] = conv;
}

} // namespace sesame::onnx
