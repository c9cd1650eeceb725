//===- Shapes.cpp - Shape arithmetic, and ops that move elements ----------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Translator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;

namespace sesame::onnx {

namespace {

Dims dimsOf(const std::vector<Extent> &elements) { return {elements.begin(), elements.end()}; }

/// A vector of known integers.
Term *vectorOf(Translator &t, std::vector<Extent> elements) {
  auto size = static_cast<int64_t>(elements.size());
  return t.integersOf(Kind::i64, {size}, std::move(elements));
}

void constant(Call &call) {
  Translator &t = call.translator;
  if (const Attribute *value = call.node.find("value"); value && value->kind == 4)
    return call.result(t.weight(value->tensor));
  if (const Attribute *value = call.node.find("value_int"))
    return call.result(t.scalar(value->integer));
  if (const Attribute *value = call.node.find("value_float"))
    return call.result(t.splat({}, value->number));
  if (const Attribute *value = call.node.find("value_ints"))
    return call.result(vectorOf(t, {value->integers.begin(), value->integers.end()}));
  call.fail("expected a tensor, an integer, a float or integers as its value");
}

void shape(Call &call) {
  Term *x = call.input(0);
  auto clamp = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + x->rank() : at, 0, x->rank()); };
  int64_t start = clamp(call.integer("start", 0)), end = clamp(call.integer("end", x->rank()));
  std::vector<Extent> elements;
  for (int64_t axis = start; axis < end; ++axis)
    elements.push_back(x->dims[axis]);
  call.result(vectorOf(call.translator, std::move(elements)));
}

void size(Call &call) {
  Translator &t = call.translator;
  call.result(t.integersOf(Kind::i64, {}, {t.product(call.input(0)->dims)}));
}

void constantOfShape(Call &call) {
  Translator &t = call.translator;
  Dims dims = dimsOf(call.extents(0));
  const Attribute *value = call.node.find("value");
  Term *element = value && value->kind == 4 ? t.weight(value->tensor) : t.splat({}, 0);
  if (element->number)
    return call.result(t.splat(dims, *element->number));
  if (!element->integers || element->integers->size() != 1)
    call.fail("expected one element as its value");
  Extent count = t.product(dims);
  if (count.constant() && *count.constant() <= maxShapeElements && *count.constant() >= 0)
    return call.result(t.integersOf(element->kind, dims,
                                    std::vector<Extent>(*count.constant(), element->integers->front())));
  Term *result = t.expression(element->kind, dims, {element},
                              [&t, element](Scalars s, ValueRange) { return t.at(element, s, {}); });
  result->bounds = t.boundsOf(element);
  call.result(result);
}

void range(Call &call) {
  Translator &t = call.translator;
  if (call.input(0)->isFloat())
    call.fail("ranges of floats are not supported");
  Kind kind = call.input(0)->kind;
  Extent start = call.extent(0), limit = call.extent(1);
  std::optional<int64_t> step = call.extent(2).constant();
  if (!step || *step == 0)
    call.fail("expected a constant step other than 0");
  Extent distance = *step > 0 ? limit - start : start - limit;
  int64_t stride = std::abs(*step);
  Extent count = t.floorDivide(distance + (stride - 1), stride);
  if (count.constant() && *count.constant() <= maxShapeElements) {
    std::vector<Extent> elements;
    for (int64_t i = 0; i < *count.constant(); ++i)
      elements.push_back(start + Extent(*step) * i);
    return call.result(t.integersOf(kind, {count}, std::move(elements)));
  }
  Term *result = t.expression(
      kind, {count}, {}, [&t, start, step = *step, kind](Scalars s, ValueRange indices) -> Value {
        Value value = indices[0];
        if (step != 1)
          value = s.multiply(value, s.constant(step));
        if (!start.is(0))
          value = s.add(value, t.index(s.builder, start));
        return arith::IndexCastOp::create(s.builder, s.loc, t.elementType(kind), value);
      });
  if (*step == 1)
    result->bounds = Bounds{start, limit};
  call.result(result);
}

void reshape(Call &call) {
  Translator &t = call.translator;
  Term *x = call.input(0);
  std::vector<Extent> wanted = call.extents(1);
  Dims dims;
  std::optional<size_t> open;
  for (auto [axis, extent] : llvm::enumerate(wanted)) {
    if (extent.is(-1)) {
      if (open)
        call.fail("expected at most one extent of -1");
      open = axis;
      dims.push_back(1);
    } else if (extent.is(0) && !call.integer("allowzero", 0)) {
      if (axis >= x->dims.size())
        call.fail(message("extent 0 of axis ", axis, " has no counterpart in ", t.describe(x->dims)));
      dims.push_back(x->dims[axis]);
    } else {
      if (extent.lowerBound().value_or(1) < 1)
        call.fail(message("an extent of ", extent.lowerBound().value_or(0), " is not supported"));
      dims.push_back(extent);
    }
  }
  if (open) {
    // Extents that both have are left out of the division: they may be sums.
    Dims left = x->dims, right = dims;
    for (const Extent &extent : dims)
      if (auto it = llvm::find(left, extent); it != left.end()) {
        left.erase(it);
        right.erase(llvm::find(right, extent));
      }
    std::optional<Extent> rest = Extent::divide(t.product(left), t.product(right));
    if (!rest)
      call.fail(message("expected a shape that divides ", t.describe(x->dims), ", found ",
                        t.describe(dimsOf(wanted))));
    dims[*open] = *rest;
  }
  call.result(t.reshape(x, dims));
}

void flatten(Call &call) {
  Translator &t = call.translator;
  Term *x = call.input(0);
  int64_t axis = call.integer("axis", 1);
  axis = axis == x->rank() ? axis : call.axis(axis, x->rank());
  ArrayRef<Extent> dims = x->dims;
  call.result(t.reshape(x, {t.product(dims.take_front(axis)), t.product(dims.drop_front(axis))}));
}

void squeeze(Call &call) {
  Translator &t = call.translator;
  Term *x = call.input(0);
  std::optional<std::vector<int64_t>> axes = call.axes("axes", 1);
  std::set<int64_t> dropped;
  if (axes)
    for (int64_t axis : *axes)
      dropped.insert(call.axis(axis, x->rank()));
  else
    for (int64_t axis = 0; axis < x->rank(); ++axis)
      if (x->dims[axis].is(1))
        dropped.insert(axis);
  Dims dims;
  for (auto [axis, extent] : llvm::enumerate(x->dims))
    if (!dropped.count(axis))
      dims.push_back(extent);
    else if (!extent.is(1))
      call.fail(message("expected an extent of 1 at axis ", axis, " of ", t.describe(x->dims)));
  call.result(t.reshape(x, dims));
}

void unsqueeze(Call &call) {
  Term *x = call.input(0);
  std::optional<std::vector<int64_t>> axes = call.axes("axes", 1);
  if (!axes)
    call.fail("expected axes, found none");
  int64_t rank = x->rank() + axes->size();
  std::set<int64_t> added;
  for (int64_t axis : *axes)
    if (!added.insert(call.axis(axis, rank)).second)
      call.fail("expected axes that differ");
  Dims dims;
  auto next = x->dims.begin();
  for (int64_t axis = 0; axis < rank; ++axis)
    dims.push_back(added.count(axis) ? Extent(1) : *next++);
  call.result(call.translator.reshape(x, dims));
}

void transpose(Call &call) {
  Term *x = call.input(0);
  std::vector<int64_t> permutation;
  if (auto given = call.integers("perm"))
    permutation = *given;
  else
    for (int64_t axis = x->rank(); axis-- > 0;)
      permutation.push_back(axis);
  std::set<int64_t> seen;
  for (int64_t axis : permutation)
    if (axis < 0 || axis >= x->rank() || !seen.insert(axis).second)
      permutation.clear();
  if (static_cast<int64_t>(permutation.size()) != x->rank())
    call.fail(message("expected an order of ", x->rank(), " axes as perm"));
  call.result(call.translator.transpose(x, permutation));
}

void concat(Call &call) {
  Translator &t = call.translator;
  SmallVector<Term *> parts;
  Kind kind = call.input(0)->kind;
  int64_t rank = call.input(0)->rank();
  if (!call.node.find("axis"))
    call.fail("expected attribute 'axis', found none");
  int64_t axis = call.axis(call.integer("axis", 0), rank);
  Extent total = 0;
  Dims dims = call.input(0)->dims;
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    Term *part = call.input(i);
    if (part->kind != kind || part->rank() != rank)
      call.fail("expected parts of one element type and rank");
    for (int64_t other = 0; other < rank; ++other)
      if (other != axis && part->dims[other] != dims[other])
        call.fail(message("shapes ", t.describe(part->dims), " and ", t.describe(dims),
                          " cannot be shown to be equal apart from axis ", axis));
    if (part->dims[axis].is(0))
      continue;
    total = total + part->dims[axis];
    parts.push_back(part);
  }
  if (parts.size() == 1)
    return call.result(parts.front());
  dims[axis] = total;
  if (llvm::all_of(parts, [](Term *part) { return part->integers.has_value(); }) && rank == 1 &&
      total.surelyAtMost(maxShapeElements)) {
    std::vector<Extent> elements;
    for (Term *part : parts)
      elements.insert(elements.end(), part->integers->begin(), part->integers->end());
    return call.result(t.integersOf(kind, dims, std::move(elements)));
  }
  if (kind == Kind::f32) {
    SmallVector<Value> values;
    for (Term *part : parts)
      values.push_back(t.materialize(part));
    return call.result(t.tensor(kind, dims, tensor::ConcatOp::create(t.builder, t.loc, axis, values)));
  }
  Term *result = t.expression(kind, dims, parts, [&t, parts, axis](Scalars s, ValueRange indices) {
    // Each part is read at a place inside of it, wherever the result is.
    Value chosen;
    Extent end = 0;
    for (Term *part : parts) {
      Value start = t.index(s.builder, end);
      SmallVector<Value> own(indices);
      own[axis] =
          s.maximum(s.minimum(s.subtract(indices[axis], start), t.index(s.builder, part->dims[axis] - 1)),
                    s.constant(0));
      Value element = t.at(part, s, own);
      chosen = chosen ? s.select(s.less(indices[axis], start), chosen, element) : element;
      end = end + part->dims[axis];
    }
    return chosen;
  });
  call.result(result);
}

void split(Call &call) {
  Translator &t = call.translator;
  Term *x = call.input(0);
  int64_t axis = call.axis(call.integer("axis", 0), x->rank());
  std::vector<Extent> sizes;
  if (call.optional(1))
    sizes = call.extents(1);
  else {
    int64_t count = call.integer("num_outputs", call.node.outputs.size());
    std::optional<int64_t> extent = x->dims[axis].constant();
    if (!extent || count < 1 || count > *extent)
      call.fail(message("cannot split an extent of ", t.describe({x->dims[axis]}), " into ", count));
    int64_t each = (*extent + count - 1) / count;
    for (int64_t i = 0; i < count; ++i)
      sizes.push_back(std::min(each, *extent - i * each));
  }
  Extent offset = 0;
  for (const Extent &size : sizes) {
    if (size.lowerBound().value_or(0) < 1)
      call.fail("expected parts of at least one element");
    if (!(offset + size).surelyAtMost(x->dims[axis]))
      call.fail(message("expected parts that fill an extent of ", t.describe({x->dims[axis]})));
    call.result(t.slice(x, axis, offset, size));
    offset = offset + size;
  }
}

/// The place that a start or end of a slice stands for, in [0, extent].
Extent sliceBound(Call &call, const Extent &bound, const Extent &extent) {
  Translator &t = call.translator;
  std::optional<int64_t> value = bound.constant();
  // Exporters say "to the end" by a very large number.
  if (value && *value > std::numeric_limits<int32_t>::max() - 1)
    return extent;
  if (value && *value < std::numeric_limits<int32_t>::min() + 2)
    return 0;
  Extent place = value && *value < 0 ? extent + bound : bound;
  std::optional<Extent> clamped = place.surelyAtMost(0) ? Extent(0) : place;
  if (clamped->surelyAtMost(extent))
    return *clamped;
  // A table of positions is cut to the sequence: the sequence fits.
  if (extent.constant() && t.requireAtMost(*clamped, *extent.constant()))
    return *clamped;
  clamped = t.minimum(*clamped, extent);
  if (!clamped)
    call.fail(message("place ", t.describe({bound}), " of extent ", t.describe({extent}),
                      " cannot be shown to lie inside"));
  return *clamped;
}

/// Known integers by their places along one axis.
Term *pick(Translator &t, Term *x, int64_t axis, const std::vector<int64_t> &places) {
  int64_t inner = 1, outer = 1, extent = *x->dims[axis].constant();
  for (int64_t other = 0; other < x->rank(); ++other)
    (other < axis ? outer : inner) *= other == axis ? 1 : *x->dims[other].constant();
  std::vector<Extent> elements;
  for (int64_t i = 0; i < outer; ++i)
    for (int64_t place : places)
      for (int64_t j = 0; j < inner; ++j)
        elements.push_back((*x->integers)[(i * extent + place) * inner + j]);
  Dims dims = x->dims;
  dims[axis] = static_cast<int64_t>(places.size());
  return t.integersOf(x->kind, dims, std::move(elements));
}

void slice(Call &call) {
  Translator &t = call.translator;
  Term *x = call.input(0);
  std::vector<Extent> starts = call.extents(1), ends = call.extents(2);
  std::vector<int64_t> axes, steps(starts.size(), 1);
  if (call.optional(3))
    axes = call.constants(3);
  else
    for (size_t i = 0; i < starts.size(); ++i)
      axes.push_back(i);
  if (call.optional(4))
    steps = call.constants(4);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    call.fail("expected as many ends, axes and steps as starts");
  for (size_t i = 0; i < starts.size(); ++i) {
    int64_t axis = call.axis(axes[i], x->rank());
    const Extent extent = x->dims[axis];
    if (steps[i] == -1 && starts[i].is(-1) && sliceBound(call, ends[i], extent).is(0)) {
      x = t.slice(x, axis, extent - 1, extent, -1);
      continue;
    }
    if (steps[i] < 1)
      call.fail("negative steps are supported for a whole axis only");
    Extent start = sliceBound(call, starts[i], extent), end = sliceBound(call, ends[i], extent);
    Extent size = t.floorDivide(end - start + (steps[i] - 1), steps[i]);
    if (size.lowerBound().value_or(0) < 0)
      size = 0;
    auto known = start.constant(), count = size.constant();
    if (x->integers && known && count) {
      std::vector<int64_t> places;
      for (int64_t j = 0; j < *count; ++j)
        places.push_back(*known + j * steps[i]);
      x = pick(t, x, axis, places);
    } else {
      x = t.slice(x, axis, start, size, steps[i]);
    }
  }
  call.result(x);
}

void expand(Call &call) {
  Translator &t = call.translator;
  call.result(t.broadcast(call.input(0), dimsOf(call.extents(1))));
}

void tile(Call &call) {
  Translator &t = call.translator;
  Term *x = call.input(0);
  const std::vector<Extent> &repeats = call.extents(1);
  if (static_cast<int64_t>(repeats.size()) != x->rank())
    call.fail("expected a count for each axis");
  Dims dims;
  for (auto [extent, count] : llvm::zip_equal(x->dims, repeats)) {
    if (count.lowerBound().value_or(0) < 1)
      call.fail("expected counts of at least 1");
    dims.push_back(extent * count);
  }
  Term *result = t.expression(x->kind, dims, {x}, [&t, x](Scalars s, ValueRange indices) {
    SmallVector<Value> own;
    for (auto [extent, index] : llvm::zip_equal(x->dims, indices))
      own.push_back(s.remainder(index, t.index(s.builder, extent)));
    return t.at(x, s, own);
  });
  result->bounds = t.boundsOf(x);
  call.result(result);
}

} // namespace

void addShapes(Handlers &handlers) {
  handlers["Constant"] = constant;
  handlers["Shape"] = shape;
  handlers["Size"] = size;
  handlers["ConstantOfShape"] = constantOfShape;
  handlers["Range"] = range;
  handlers["Reshape"] = reshape;
  handlers["Flatten"] = flatten;
  handlers["Squeeze"] = squeeze;
  handlers["Unsqueeze"] = unsqueeze;
  handlers["Transpose"] = transpose;
  handlers["Concat"] = concat;
  handlers["Split"] = split;
  handlers["Slice"] = slice;
  handlers["Expand"] = expand;
  handlers["Tile"] = tile;
}

} // namespace sesame::onnx
