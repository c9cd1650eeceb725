//===- Views.cpp - Transposes, reshapes, slices, broadcasts ---------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Translator.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace sesame::onnx {

/// Whether a view of the term is one of its elements rather than of a tensor: integers, which are small or
/// read once, and what is no tensor yet.
static bool isByElement(const Term *x) { return !x->isFloat() || (x->element && !x->ir); }

/// What a view keeps of the term it shows.
static Term *inherit(Term *view, const Term *x, const std::optional<Bounds> &bounds) {
  view->bounds = bounds;
  view->input = x->input;
  return view;
}

Term *Translator::transpose(Term *x, ArrayRef<int64_t> permutation) {
  bool isIdentity = true;
  Dims dims;
  for (auto [i, axis] : llvm::enumerate(permutation)) {
    isIdentity &= static_cast<int64_t>(i) == axis;
    dims.push_back(x->dims[axis]);
  }
  if (isIdentity)
    return x;
  if (x->number)
    return splat(dims, *x->number);
  if (x->weight) {
    Term &view = terms.emplace_back(*x);
    view.dims = dims;
    view.ir = Value();
    view.permutation.clear();
    for (int64_t axis : permutation)
      view.permutation.push_back(x->permutation.empty() ? axis : x->permutation[axis]);
    return &view;
  }
  if (isByElement(x)) {
    SmallVector<int64_t> order(permutation);
    Term *view = expression(x->kind, dims, {x}, [this, x, order](Scalars s, ValueRange indices) {
      SmallVector<Value> own(order.size());
      for (auto [i, axis] : llvm::enumerate(order))
        own[axis] = indices[i];
      return at(x, s, own);
    });
    return inherit(view, x, boundsOf(x));
  }
  Value init = empty(x->kind, dims);
  return tensor(x->kind, dims,
                linalg::TransposeOp::create(builder, loc, materialize(x), init, permutation).getResult()[0]);
}

namespace {

/// Axes of two shapes of equal size that hold the same elements: [B, S, 36] and [B, S, 4, 9] have the groups
/// 0-0, 1-1, 2-(2, 3).
struct Groups {
  SmallVector<ReassociationIndices> from, to;

  static std::optional<Groups> find(const Dims &from, const Dims &to) {
    Groups groups;
    size_t i = 0, j = 0;
    while (i < from.size() && j < to.size()) {
      Extent left = from[i], right = to[j];
      groups.from.push_back({static_cast<int64_t>(i++)});
      groups.to.push_back({static_cast<int64_t>(j++)});
      while (left != right) {
        bool extendsLeft = left.surelyLess(right) || (!right.surelyLess(left) && Extent::divide(right, left));
        if (extendsLeft ? i == from.size() : j == to.size())
          return std::nullopt;
        if (extendsLeft) {
          groups.from.back().push_back(i);
          left = left * from[i++];
        } else {
          groups.to.back().push_back(j);
          right = right * to[j++];
        }
      }
    }
    // Axes of extent 1 are left.
    for (; i < from.size(); ++i) {
      if (!from[i].is(1))
        return std::nullopt;
      if (!groups.from.empty())
        groups.from.back().push_back(i);
    }
    for (; j < to.size(); ++j) {
      if (!to[j].is(1))
        return std::nullopt;
      if (!groups.to.empty())
        groups.to.back().push_back(j);
    }
    return groups;
  }
};

} // namespace

/// The place in `to` of the element at `indices` of `from`, a shape of the same number of elements.
static SmallVector<Value> moveIndices(Translator &t, Scalars s, const Dims &from, const Dims &to,
                                      ValueRange indices) {
  auto multiply = [&](Value a, const Extent &b) {
    return b.is(1) ? a : s.multiply(a, t.index(s.builder, b));
  };
  // Axis by axis where the shapes agree, through the position in a group otherwise.
  std::optional<Groups> groups = Groups::find(from, to);
  SmallVector<Value> result(to.size());
  auto move = [&](ArrayRef<int64_t> sources, ArrayRef<int64_t> targets) {
    Value position;
    for (int64_t axis : sources) {
      if (from[axis].is(1))
        continue;
      position = position ? s.add(multiply(position, from[axis]), indices[axis]) : indices[axis];
    }
    if (!position)
      position = s.constant(0);
    SmallVector<int64_t> wide;
    for (int64_t axis : targets)
      if (to[axis].is(1))
        result[axis] = s.constant(0);
      else
        wide.push_back(axis);
    for (size_t i = wide.size(); i-- > 0;) {
      result[wide[i]] = i == 0 ? position : s.remainder(position, t.index(s.builder, to[wide[i]]));
      if (i != 0)
        position = s.divide(position, t.index(s.builder, to[wide[i]]));
    }
  };
  if (groups && !groups->from.empty()) {
    for (auto [sources, targets] : llvm::zip_equal(groups->from, groups->to))
      move(sources, targets);
  } else {
    move(llvm::to_vector(llvm::seq<int64_t>(0, from.size())),
         llvm::to_vector(llvm::seq<int64_t>(0, to.size())));
  }
  return result;
}

Term *Translator::reshape(Term *x, const Dims &dims) {
  if (x->dims == dims)
    return x;
  if (product(x->dims) != product(dims))
    fail(
        message("expected a shape with as many elements as ", describe(x->dims), ", found ", describe(dims)));
  if (x->number)
    return splat(dims, *x->number);
  if (x->integers)
    return integersOf(x->kind, dims, *x->integers);
  std::optional<Groups> groups = Groups::find(x->dims, dims);
  if (isByElement(x) || !groups) {
    Term *view = expression(x->kind, dims, {x}, [this, x, dims](Scalars s, ValueRange indices) {
      return at(x, s, moveIndices(*this, s, dims, x->dims, indices));
    });
    return inherit(view, x, boundsOf(x));
  }
  Value value = materialize(x);
  if (static_cast<size_t>(x->rank()) > groups->from.size())
    value = tensor::CollapseShapeOp::create(builder, loc, value, groups->from);
  if (dims.size() > groups->to.size()) {
    SmallVector<OpFoldResult> extents;
    for (const Extent &extent : dims)
      extents.push_back(fold(extent));
    value = tensor::ExpandShapeOp::create(builder, loc, typeOf(x->kind, dims), value, groups->to, extents);
  }
  return tensor(x->kind, dims, value);
}

Term *Translator::broadcast(Term *x, const Dims &dims) {
  Dims result = broadcastDims(x->dims, dims);
  if (result == x->dims)
    return x;
  if (x->number)
    return splat(result, *x->number);
  Term *view = expression(x->kind, result, {x},
                          [this, x](Scalars s, ValueRange indices) { return atBroadcast(x, s, indices); });
  return inherit(view, x, boundsOf(x));
}

Term *Translator::slice(Term *x, int64_t axis, const Extent &offset, const Extent &size, int64_t step) {
  if (offset.is(0) && step == 1 && size == x->dims[axis])
    return x;
  Dims dims = x->dims;
  dims[axis] = size;
  if (x->number)
    return splat(dims, *x->number);
  if (isByElement(x) || x->integers || step < 1) {
    Term *view = expression(x->kind, dims, {x}, [this, x, axis, offset, step](Scalars s, ValueRange indices) {
      SmallVector<Value> own(indices);
      if (step != 1)
        own[axis] = s.multiply(own[axis], s.constant(step));
      if (!offset.is(0))
        own[axis] = s.add(own[axis], index(s.builder, offset));
      return at(x, s, own);
    });
    return inherit(view, x, boundsOf(x));
  }
  SmallVector<OpFoldResult> offsets(x->rank(), builder.getIndexAttr(0)), sizes,
      strides(x->rank(), builder.getIndexAttr(1));
  offsets[axis] = fold(offset);
  strides[axis] = builder.getIndexAttr(step);
  for (const Extent &extent : dims)
    sizes.push_back(fold(extent));
  return tensor(x->kind, dims,
                tensor::ExtractSliceOp::create(builder, loc, materialize(x), offsets, sizes, strides));
}

} // namespace sesame::onnx
