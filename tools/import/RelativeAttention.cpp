//===- RelativeAttention.cpp - Attention by content and distance ----------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RelativeAttention.h"

#include "Decoder.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace sesame::importer {

Value distanceSinusoids(ModelBuilder &b, Value first, OpFoldResult count, int64_t width, int64_t clamp) {
  Value distances =
      generate(b, {b.builder.getIndexAttr(1), count}, b.builder.getI64Type(), [&](Scalars s, ValueRange at) {
        Value distance = s.add(at[1], first);
        if (clamp > 0)
          distance = s.maximum(s.minimum(distance, s.constant(clamp)), s.constant(-clamp));
        return s.toI64(distance);
      });
  return b.mergeLeading(sinusoids(b, distances, width));
}

Value addHeadBias(ModelBuilder &b, Value heads, Value bias) {
  return mapOver(b, "bhsd,hd->bhsd", {heads, bias}, b.builder.getF32Type(),
                 [](Scalars s, ValueRange values) { return s.add(values[0], values[1]); });
}

void deriveSymbol(ModelBuilder &b, StringRef symbol, ArrayRef<StringRef> terms, int64_t plus,
                  std::optional<int64_t> atMost) {
  auto function = cast<func::FuncOp>(b.builder.getInsertionBlock()->getParentOp());
  Builder &builder = b.builder;
  NamedAttrList formula, all(function->getAttrOfType<DictionaryAttr>("sesame.derived"));
  formula.set("terms", builder.getStrArrayAttr(terms));
  formula.set("plus", builder.getI64IntegerAttr(plus));
  if (atMost)
    formula.set("at_most", builder.getI64IntegerAttr(*atMost));
  all.set(symbol, formula.getDictionary(builder.getContext()));
  function->setAttr("sesame.derived", all.getDictionary(builder.getContext()));
}

Value LayerInputs::empty(ModelBuilder &b, int64_t layers, Value h) {
  OpFoldResult one = b.builder.getIndexAttr(1);
  SmallVector<OpFoldResult> extents = {b.builder.getIndexAttr(layers), b.extent(h, 0), one, b.extent(h, 1),
                                       b.extent(h, 2)};
  return tensor::EmptyOp::create(b.builder, b.loc, extents, b.builder.getF32Type());
}

Value LayerInputs::write(ModelBuilder &b, Value all, Value h, Value layer) {
  auto type = cast<RankedTensorType>(h.getType());
  SmallVector<int64_t> shape = {type.getDimSize(0), 1, type.getDimSize(1), type.getDimSize(2)};
  SmallVector<OpFoldResult> extents = {b.extent(h, 0), b.builder.getIndexAttr(1), b.extent(h, 1),
                                       b.extent(h, 2)};
  SmallVector<ReassociationIndices> groups = {{0, 1}, {2}, {3}};
  Value source = tensor::ExpandShapeOp::create(b.builder, b.loc, type.clone(shape), h, groups, extents);
  return mlir::sesame::CacheAppendOp::create(b.builder, b.loc, all.getType(), source, all, layer,
                                             b.constant(0));
}

Value LayerInputs::of(ModelBuilder &b, Value all, int64_t layer) {
  Value states = b.select(b.select(all, 0, b.builder.getIndexAttr(layer)), 1, b.builder.getIndexAttr(0));
  return transpose(b, states, {1, 0, 2});
}

} // namespace sesame::importer
