//===- Blocks.cpp - Ops and groups of ops of ModelBuilder -----------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace sesame::importer {

namespace ops = mlir::sesame;

static RankedTensorType typeOf(Value x) { return cast<RankedTensorType>(x.getType()); }

//===----------------------------------------------------------------------===//
// Extents and constants
//===----------------------------------------------------------------------===//

Value ModelBuilder::constant(int64_t index) { return arith::ConstantIndexOp::create(builder, loc, index); }

Value ModelBuilder::constantF32(double value) {
  return arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(static_cast<float>(value)));
}

Value ModelBuilder::constantIds(int64_t rank, int64_t value) {
  auto type = RankedTensorType::get(SmallVector<int64_t>(rank, 1), builder.getI64Type());
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(type, builder.getI64IntegerAttr(value)));
}

OpFoldResult ModelBuilder::extent(Value x, int64_t axis) {
  RankedTensorType type = typeOf(x);
  if (!type.isDynamicDim(axis))
    return builder.getIndexAttr(type.getDimSize(axis));
  return tensor::DimOp::create(builder, loc, x, axis).getResult();
}

Value ModelBuilder::dim(Value x, int64_t axis) {
  return getValueOrCreateConstantIndexOp(builder, loc, extent(x, axis));
}

Value ModelBuilder::empty(ArrayRef<OpFoldResult> extents, Type elementType) {
  return tensor::EmptyOp::create(builder, loc, extents, elementType);
}

/// All extents of x.
static SmallVector<OpFoldResult> extentsOf(ModelBuilder &model, Value x) {
  SmallVector<OpFoldResult> result;
  for (int64_t axis = 0; axis < typeOf(x).getRank(); ++axis)
    result.push_back(model.extent(x, axis));
  return result;
}

/// The static shape that `extents` stand for.
static SmallVector<int64_t> shapeOf(ArrayRef<OpFoldResult> extents) {
  SmallVector<int64_t> shape;
  for (OpFoldResult extent : extents)
    shape.push_back(getConstantIntValue(extent).value_or(ShapedType::kDynamic));
  return shape;
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

Value ModelBuilder::add(Value a, Value b) { return arith::AddFOp::create(builder, loc, a, b); }

Value ModelBuilder::multiply(Value a, Value b) { return arith::MulFOp::create(builder, loc, a, b); }

Value ModelBuilder::scale(Value x, Value factor) {
  std::string axes = std::string("bhsdxyz").substr(0, typeOf(x).getRank());
  return mapOver(*this, axes + "->" + axes, x, builder.getF32Type(),
                 [&](Scalars s, ValueRange values) { return s.multiply(values[0], factor); });
}

Value ModelBuilder::scale(Value x, double factor) { return scale(x, constantF32(factor)); }

Value ModelBuilder::activation(ops::Activation kind, Value x) {
  return kind == ops::Activation::identity ? x
                                           : ops::ActivationOp::create(builder, loc, x.getType(), kind, x);
}

//===----------------------------------------------------------------------===//
// Linear maps, norms, embeddings
//===----------------------------------------------------------------------===//

Value ModelBuilder::linear(const NamePattern &name, Value x, int64_t columns, const LinearOptions &options) {
  RankedTensorType type = typeOf(x);
  int64_t depth = type.getShape().back();
  SmallVector<int64_t> weightShape = {columns, depth};
  if (options.layout == ops::WeightLayout::kn)
    weightShape = {depth, columns};
  Value matrix = weight(name + ".weight", weightShape);
  Value bias = options.bias ? weight(name + ".bias", {columns}) : Value();
  SmallVector<int64_t> shape = llvm::to_vector(type.getShape());
  shape.back() = columns;
  Value y = ops::LinearOp::create(builder, loc, tensorType(shape), x, matrix, bias, Value(), options.layout,
                                  ops::Activation::identity);
  return activation(options.activation, y);
}

Value ModelBuilder::linearBy(Value matrix, Value bias, Value x) {
  SmallVector<int64_t> shape = llvm::to_vector(typeOf(x).getShape());
  shape.back() = typeOf(matrix).getDimSize(0);
  return ops::LinearOp::create(builder, loc, tensorType(shape), x, matrix, bias, Value(),
                               ops::WeightLayout::nk, ops::Activation::identity);
}

Value ModelBuilder::layerNorm(const NamePattern &name, Value x, double epsilon) {
  int64_t width = typeOf(x).getShape().back();
  return ops::LayerNormOp::create(builder, loc, x.getType(), x, weight(name + ".weight", {width}),
                                  weight(name + ".bias", {width}),
                                  builder.getF32FloatAttr(static_cast<float>(epsilon)));
}

Value ModelBuilder::rmsNorm(const NamePattern &name, Value x, double epsilon, double offset) {
  int64_t width = typeOf(x).getShape().back();
  return ops::RMSNormOp::create(builder, loc, x.getType(), x, weight(name + ".weight", {width}),
                                builder.getF32FloatAttr(static_cast<float>(epsilon)),
                                builder.getF32FloatAttr(static_cast<float>(offset)));
}

Value ModelBuilder::embedding(ArrayRef<std::pair<Value, Value>> indicesAndTables) {
  SmallVector<Value> indices, tables;
  SmallVector<int64_t> shape(typeOf(indicesAndTables.front().first).getRank(), 1);
  for (auto [index, table] : indicesAndTables) {
    indices.push_back(index);
    tables.push_back(table);
    for (auto [axis, extent] : llvm::enumerate(typeOf(index).getShape()))
      if (shape[axis] == 1)
        shape[axis] = extent;
  }
  shape.push_back(typeOf(tables.front()).getDimSize(1));
  return ops::EmbeddingOp::create(builder, loc, tensorType(shape), indices, tables);
}

//===----------------------------------------------------------------------===//
// Slices and shapes
//===----------------------------------------------------------------------===//

Value ModelBuilder::slice(Value x, int64_t axis, OpFoldResult offset, OpFoldResult size) {
  int64_t rank = typeOf(x).getRank();
  SmallVector<OpFoldResult> offsets(rank, builder.getIndexAttr(0)), sizes = extentsOf(*this, x),
                                                                    strides(rank, builder.getIndexAttr(1));
  offsets[axis] = offset;
  sizes[axis] = size;
  return tensor::ExtractSliceOp::create(builder, loc, x, offsets, sizes, strides);
}

Value ModelBuilder::sliceColumns(Value x, int64_t offset, int64_t size) {
  return slice(x, typeOf(x).getRank() - 1, builder.getIndexAttr(offset), builder.getIndexAttr(size));
}

Value ModelBuilder::select(Value x, int64_t axis, OpFoldResult position) {
  RankedTensorType type = typeOf(x);
  int64_t rank = type.getRank();
  SmallVector<OpFoldResult> offsets(rank, builder.getIndexAttr(0)), sizes = extentsOf(*this, x),
                                                                    strides(rank, builder.getIndexAttr(1));
  offsets[axis] = position;
  sizes[axis] = builder.getIndexAttr(1);
  SmallVector<int64_t> shape = llvm::to_vector(type.getShape());
  shape.erase(shape.begin() + axis);
  return tensor::ExtractSliceOp::create(builder, loc, RankedTensorType::get(shape, type.getElementType()), x,
                                        offsets, sizes, strides);
}

Value ModelBuilder::selectLast(Value x, int64_t axis) {
  return select(x, axis, arith::SubIOp::create(builder, loc, dim(x, axis), constant(1)).getResult());
}

Value ModelBuilder::gatherPositions(Value x, Value positions) {
  Value last = arith::SubIOp::create(builder, loc, dim(x, 1), constant(1));
  return mapOver(*this, "b->bc", positions, {extent(x, 0), extent(x, 2)}, typeOf(x).getElementType(),
                 [&](Scalars s, ValueRange values) {
                   return s.at(x, {s.index(0), s.minimum(s.toIndex(values[0]), last), s.index(1)});
                 });
}

Value ModelBuilder::lastPositionOtherThan(Value ids, int64_t padId) {
  Value zero = arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(0));
  return reduceOver(*this, "bs->b", ids, zero, [&](Scalars s, ValueRange values) {
    Value isPad = s.equal(values[0], s.constantI64(padId));
    return s.maximum(values[1], s.select(isPad, zero, s.toI64(s.index(1))));
  });
}

Value ModelBuilder::mergeLeading(Value x) {
  SmallVector<ReassociationIndices> groups = {{0, 1}};
  for (int64_t axis = 2; axis < typeOf(x).getRank(); ++axis)
    groups.push_back({axis});
  return tensor::CollapseShapeOp::create(builder, loc, x, groups);
}

Value ModelBuilder::splitLeading(Value x, Value like) {
  SmallVector<OpFoldResult> extents = {extent(like, 0), extent(like, 1)};
  SmallVector<ReassociationIndices> groups = {{0, 1}};
  for (int64_t axis = 1; axis < typeOf(x).getRank(); ++axis) {
    extents.push_back(extent(x, axis));
    groups.push_back({axis + 1});
  }
  auto type = RankedTensorType::get(shapeOf(extents), typeOf(x).getElementType());
  return tensor::ExpandShapeOp::create(builder, loc, type, x, groups, extents);
}

Value ModelBuilder::dropLastAxis(Value x) {
  int64_t rank = typeOf(x).getRank();
  SmallVector<ReassociationIndices> groups;
  for (int64_t axis = 0; axis + 1 < rank; ++axis)
    groups.push_back({axis});
  groups.back().push_back(rank - 1);
  return tensor::CollapseShapeOp::create(builder, loc, x, groups);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

Value ModelBuilder::splitHeads(Value x, int64_t heads) {
  SmallVector<OpFoldResult> extents = {extent(x, 0), extent(x, 1), builder.getIndexAttr(heads),
                                       builder.getIndexAttr(typeOf(x).getDimSize(2) / heads)};
  SmallVector<ReassociationIndices> groups = {{0}, {1}, {2, 3}};
  Value split = tensor::ExpandShapeOp::create(builder, loc, tensorType(shapeOf(extents)), x, groups, extents);
  return transpose(*this, split, {0, 2, 1, 3});
}

Value ModelBuilder::mergeHeads(Value x) {
  SmallVector<ReassociationIndices> groups = {{0}, {1}, {2, 3}};
  return tensor::CollapseShapeOp::create(builder, loc, transpose(*this, x, {0, 2, 1, 3}), groups);
}

void ModelBuilder::appendToCache(Cache &cache, Value &k, Value &v) {
  Value total = arith::AddIOp::create(builder, loc, cache.past, dim(k, 2));
  auto append = [&](Value &buffer, Value source) -> Value {
    buffer =
        ops::CacheAppendOp::create(builder, loc, buffer.getType(), source, buffer, layerIndex(), cache.past);
    SmallVector<OpFoldResult> offsets(5, builder.getIndexAttr(0)), strides(5, builder.getIndexAttr(1));
    offsets[0] = layerIndex();
    SmallVector<OpFoldResult> sizes = {builder.getIndexAttr(1), extent(source, 0), extent(source, 1), total,
                                       extent(source, 3)};
    return tensor::ExtractSliceOp::create(builder, loc, typeOf(source), buffer, offsets, sizes, strides);
  };
  k = append(cache.keys, k);
  v = append(cache.values, v);
}

Value ModelBuilder::attendHeads(Value q, Value k, Value v, AttentionOptions options) {
  if (options.cache)
    appendToCache(*options.cache, k, v);
  SmallVector<int64_t> shape = llvm::to_vector(typeOf(q).getShape());
  shape.back() = typeOf(v).getShape().back();
  IntegerAttr window = options.window ? builder.getI64IntegerAttr(*options.window) : IntegerAttr();
  FloatAttr softcap =
      options.softcap ? builder.getF32FloatAttr(static_cast<float>(*options.softcap)) : FloatAttr();
  return ops::AttentionOp::create(builder, loc, tensorType(shape), q, k, v, options.mask, options.bias,
                                  options.causal ? builder.getUnitAttr() : UnitAttr(), window,
                                  builder.getF32FloatAttr(static_cast<float>(options.scale)), softcap);
}

Value ModelBuilder::attention(Value q, Value k, Value v, AttentionOptions options) {
  int64_t keyHeads = options.keyHeads ? options.keyHeads : options.heads;
  return mergeHeads(
      attendHeads(splitHeads(q, options.heads), splitHeads(k, keyHeads), splitHeads(v, keyHeads), options));
}

Value ModelBuilder::distances(OpFoldResult queries, OpFoldResult keys, int64_t offset) {
  Value numQueries = getValueOrCreateConstantIndexOp(builder, loc, queries);
  Value numKeys = getValueOrCreateConstantIndexOp(builder, loc, keys);
  Value shift = arith::AddIOp::create(builder, loc, arith::SubIOp::create(builder, loc, numKeys, numQueries),
                                      constant(offset));
  return generate(*this, {queries, keys}, builder.getI64Type(),
                  [&](Scalars s, ValueRange at) { return s.toI64(s.subtract(s.add(at[0], shift), at[1])); });
}

Value ModelBuilder::relativeScores(Value heads, Value relative, bool ofKeys) {
  return einsum(*this, ofKeys ? "bhtd,std->bhst" : "bhsd,std->bhst", heads, relative);
}

} // namespace sesame::importer
