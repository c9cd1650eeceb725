//===- WindowedAttention.cpp - Attention in windows, and everywhere ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WindowedAttention.h"

#include "TensorOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

std::vector<int64_t> attentionWindows(const Config &config, int64_t layers) {
  std::vector<int64_t> windows = config.tokenIds("attention_window");
  if (windows.empty())
    windows = {512};
  if (windows.size() == 1)
    windows.resize(layers, windows.front());
  if (int64_t(windows.size()) != layers)
    config.fail("attention_window", "expected a number for each of " + std::to_string(layers) +
                                        " layers, got " + std::to_string(windows.size()));
  for (int64_t window : windows)
    if (window < 2 || window % 2 != 0)
      config.fail("attention_window", "expected positive even numbers, got " + std::to_string(window));
  return windows;
}

Value windowSides(ModelBuilder &b, ArrayRef<int64_t> windows) {
  SmallVector<int64_t> sides;
  for (int64_t window : windows)
    sides.push_back(window / 2);
  auto type = RankedTensorType::get({int64_t(windows.size())}, b.builder.getI64Type());
  return arith::ConstantOp::create(b.builder, b.loc, DenseElementsAttr::get(type, ArrayRef<int64_t>(sides)));
}

Value windowedAttention(ModelBuilder &b, Value h, Value mask, const WindowedProjections &names, int64_t heads,
                        Value globals, Value sides) {
  OpBuilder &builder = b.builder;
  int64_t width = cast<RankedTensorType>(h.getType()).getShape().back();
  Value side = tensor::ExtractOp::create(builder, b.loc, sides, b.layerIndex());
  side = arith::IndexCastOp::create(builder, b.loc, builder.getIndexType(), side);
  SmallVector<OpFoldResult> extents = {b.extent(mask, 0), b.extent(mask, 1), b.extent(mask, 1)};
  // A token sees its window and all global tokens: [B, S, T].
  Value visible = generate(b, extents, builder.getI64Type(), [&](Scalars s, ValueRange at) {
    Value key = at[2], zero = s.toI64(s.constant(0));
    Value distance = s.maximum(s.subtract(at[1], key), s.subtract(key, at[1]));
    Value real = s.at(mask, {at[0], key});
    return s.select(s.less(side, distance), s.select(s.equal(s.at(globals, {at[0], key}), zero), zero, real),
                    real);
  });
  AttentionOptions options;
  options.heads = heads;
  options.scale = 1 / std::sqrt(double(width / heads));
  options.mask = visible;
  Value local = b.attention(b.linear(names.query, h, width), b.linear(names.key, h, width),
                            b.linear(names.value, h, width), options);
  // A global token sees all, by projections of its own.
  options.mask = mask;
  Value whole =
      b.attention(b.linear(names.query + "_global", h, width), b.linear(names.key + "_global", h, width),
                  b.linear(names.value + "_global", h, width), options);
  // Padding sees nothing.
  return mapOver(b, "bs,bs,bsc,bsc->bsc", {mask, globals, local, whole}, builder.getF32Type(),
                 [](Scalars s, ValueRange values) {
                   Value none = s.constantI64(0);
                   Value seen = s.select(s.equal(values[1], none), values[2], values[3]);
                   return s.select(s.equal(values[0], none), s.constantF32(0), seen);
                 });
}

} // namespace sesame::importer
