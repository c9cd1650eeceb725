//===- Gathers.cpp - Reading elements at computed places ------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Translator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace sesame::onnx {

namespace ops = mlir::sesame;

namespace {

/// How indices along an axis are read: as they are where they surely lie inside, else counted from the end
/// if negative, and moved inside if they are out of bounds (which ONNX leaves open).
struct SafeIndex {
  Extent extent;
  bool isInside;

  SafeIndex(Translator &t, const Term *indices, const Extent &extent) : extent(extent) {
    std::optional<Bounds> bounds = t.boundsOf(indices);
    isInside = bounds && bounds->low.lowerBound().value_or(-1) >= 0 && bounds->high.surelyAtMost(extent);
  }

  Value operator()(Translator &t, Scalars s, Value index) const {
    index = s.toIndex(index);
    if (isInside)
      return index;
    Value size = t.index(s.builder, extent), zero = s.constant(0);
    index = s.select(s.less(index, zero), s.add(index, size), index);
    return s.minimum(s.maximum(index, zero), s.subtract(size, s.constant(1)));
  }
};

/// Rows of a table, by indices that surely lie inside.
Term *embedding(Translator &t, Term *table, Term *indices) {
  Dims dims = indices->dims;
  dims.push_back(table->dims[1]);
  Value ids = t.materialize(indices), rows = t.materialize(table);
  return t.tensor(Kind::f32, dims,
                  ops::EmbeddingOp::create(t.builder, t.loc, t.typeOf(Kind::f32, dims), ids, rows));
}

/// The indices, moved inside where they may not be.
Term *clamped(Translator &t, Term *indices, const Extent &extent) {
  SafeIndex safe(t, indices, extent);
  if (safe.isInside)
    return indices;
  return t.expression(
      indices->kind, indices->dims, {indices}, [&t, indices, safe](Scalars s, ValueRange at) -> Value {
        Value index = safe(t, s, t.at(indices, s, at));
        return arith::IndexCastOp::create(s.builder, s.loc, t.elementType(indices->kind), index);
      });
}

void gather(Call &call) {
  Translator &t = call.translator;
  Term *x = call.input(0), *indices = call.input(1);
  if (indices->kind != Kind::i64 && indices->kind != Kind::i32)
    call.fail("expected integers as indices");
  int64_t axis = call.axis(call.integer("axis", 0), x->rank());
  const Extent extent = x->dims[axis];
  if (extent.lowerBound().value_or(0) < 1)
    call.fail("cannot gather from an empty axis");

  // Constant places: part of shape arithmetic, or one row that is cut out.
  if (indices->integers && indices->integers->size() == 1 && indices->rank() == 0) {
    Extent place = indices->integers->front();
    if (place.lowerBound().value_or(0) < 0)
      place = place + extent;
    if (place.lowerBound().value_or(-1) < 0 || !place.surelyLess(extent))
      if (!extent.constant() || !t.requireAtMost(place + 1, *extent.constant()))
        call.fail(message("index ", t.describe({indices->integers->front()}), " lies outside of ",
                          t.describe(x->dims)));
    Dims dims = x->dims;
    dims.erase(dims.begin() + axis);
    if (x->integers && x->rank() == 1 && place.constant())
      return call.result(t.integersOf(x->kind, dims, {(*x->integers)[*place.constant()]}));
    return call.result(t.reshape(t.slice(x, axis, place, 1), dims));
  }
  if (x->integers && x->rank() == 1 && indices->integers) {
    std::vector<Extent> elements;
    for (int64_t place : call.constants(1)) {
      place += place < 0 ? x->integers->size() : 0;
      if (place < 0 || place >= static_cast<int64_t>(x->integers->size()))
        call.fail(message("index ", place, " lies outside of ", t.describe(x->dims)));
      elements.push_back((*x->integers)[place]);
    }
    return call.result(t.integersOf(x->kind, indices->dims, std::move(elements)));
  }

  if (x->isFloat() && x->weight && x->rank() == 2 && axis == 0 && indices->rank() > 0) {
    bool isInside = extent.constant() && t.requireIndices(indices, *extent.constant());
    return call.result(embedding(t, x, isInside ? indices : clamped(t, indices, extent)));
  }
  Dims dims(x->dims.begin(), x->dims.begin() + axis);
  llvm::append_range(dims, indices->dims);
  dims.append(x->dims.begin() + axis + 1, x->dims.end());
  SafeIndex safe(t, indices, extent);
  Term *result =
      t.expression(x->kind, dims, {x, indices}, [&t, x, indices, axis, safe](Scalars s, ValueRange at) {
        SmallVector<Value> own(at.take_front(axis));
        own.push_back(safe(t, s, t.at(indices, s, at.slice(axis, indices->rank()))));
        llvm::append_range(own, at.drop_front(axis + indices->rank()));
        return t.at(x, s, own);
      });
  result->bounds = t.boundsOf(x);
  call.result(result);
}

void gatherElements(Call &call) {
  Translator &t = call.translator;
  Term *x = call.input(0), *indices = call.input(1);
  int64_t axis = call.axis(call.integer("axis", 0), x->rank());
  if (indices->rank() != x->rank() || (indices->kind != Kind::i64 && indices->kind != Kind::i32))
    call.fail("expected integers of the data's rank as indices");
  for (int64_t other = 0; other < x->rank(); ++other)
    if (other != axis && !indices->dims[other].surelyAtMost(x->dims[other]))
      call.fail(message("shape ", t.describe(indices->dims), " of the indices cannot be shown to fit ",
                        t.describe(x->dims)));
  SafeIndex safe(t, indices, x->dims[axis]);
  Term *result = t.expression(x->kind, indices->dims, {x, indices},
                              [&t, x, indices, axis, safe](Scalars s, ValueRange at) {
                                SmallVector<Value> own(at);
                                own[axis] = safe(t, s, t.at(indices, s, at));
                                return t.at(x, s, own);
                              });
  result->bounds = t.boundsOf(x);
  call.result(result);
}

void gatherNd(Call &call) {
  Translator &t = call.translator;
  Term *x = call.input(0), *indices = call.input(1);
  int64_t batch = call.integer("batch_dims", 0);
  if (indices->rank() < 1 || (indices->kind != Kind::i64 && indices->kind != Kind::i32))
    call.fail("expected a tensor of integers as indices");
  std::optional<int64_t> depth = indices->dims.back().constant();
  if (!depth || *depth < 1 || batch < 0 || batch >= indices->rank() || *depth > x->rank() - batch)
    call.fail(
        message("indices of shape ", t.describe(indices->dims), " do not fit data of ", t.describe(x->dims)));
  for (int64_t axis = 0; axis < batch; ++axis)
    if (indices->dims[axis] != x->dims[axis])
      call.fail("expected equal batch extents");
  Dims dims(indices->dims.begin(), indices->dims.end() - 1);
  dims.append(x->dims.begin() + batch + *depth, x->dims.end());
  SmallVector<SafeIndex> safe;
  for (int64_t i = 0; i < *depth; ++i)
    safe.emplace_back(t, indices, x->dims[batch + i]);
  int64_t rank = indices->rank() - 1;
  // The indices are read once for each axis, and cost as much.
  SmallVector<Term *> sources(*depth, indices);
  sources.push_back(x);
  Term *result = t.expression(x->kind, dims, sources,
                              [&t, x, indices, batch, rank, safe](Scalars s, ValueRange at) {
                                SmallVector<Value> own(at.take_front(batch)), place(at.take_front(rank));
                                place.push_back(Value());
                                for (auto [i, axis] : llvm::enumerate(safe)) {
                                  place.back() = s.constant(i);
                                  own.push_back(axis(t, s, t.at(indices, s, place)));
                                }
                                llvm::append_range(own, at.drop_front(rank));
                                return t.at(x, s, own);
                              });
  result->bounds = t.boundsOf(x);
  call.result(result);
}

/// The upper or lower triangle of matrices; the rest is 0.
void trilu(Call &call) {
  Translator &t = call.translator;
  Term *x = call.input(0);
  if (x->rank() < 2)
    call.fail("expected matrices");
  int64_t diagonal = call.optional(1) ? call.constant(1) : 0;
  bool isUpper = call.integer("upper", 1) != 0;
  call.result(t.expression(x->kind, x->dims, {x}, [&t, x, diagonal, isUpper](Scalars s, ValueRange at) {
    Value value = t.at(x, s, at);
    Value zero = arith::ConstantOp::create(s.builder, s.loc, s.builder.getZeroAttr(value.getType()));
    // Element (i, j) is on diagonal j - i.
    Value shifted = s.add(at[at.size() - 2], s.constant(diagonal)), column = at.back();
    Value isDropped = isUpper ? s.less(column, shifted) : s.less(shifted, column);
    return s.select(isDropped, zero, value);
  }));
}

} // namespace

void addGathers(Handlers &handlers) {
  handlers["Gather"] = gather;
  handlers["GatherElements"] = gatherElements;
  handlers["GatherND"] = gatherNd;
  handlers["Trilu"] = trilu;
}

} // namespace sesame::onnx
