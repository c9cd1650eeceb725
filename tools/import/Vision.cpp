//===- Vision.cpp - Images as sequences of patches ------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Vision.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace sesame::importer {

ImageSizes ImageSizes::read(const Config &c, int64_t defaultPatch) {
  ImageSizes image;
  // A thousand patches a side and more are no image; the number of pixels must fit.
  image.size = c.integer("image_size", 1, 1 << 14, 224);
  image.patch = c.integer("patch_size", 1, image.size, defaultPatch);
  image.channels = c.integer("num_channels", 1, 1 << 10, 3);
  if (image.size % image.patch)
    c.fail("patch_size", "expected a divisor of image_size (" + std::to_string(image.size) + "), got " +
                             std::to_string(image.patch));
  return image;
}

Value pixelInput(ModelBuilder &b, const ImageSizes &image, const std::string &batch) {
  std::string size = std::to_string(image.size);
  return b.input("pixel_values", {batch, std::to_string(image.channels), size, size}, b.builder.getF32Type());
}

Value patchEmbedding(ModelBuilder &b, const std::string &name, Value pixels, const ImageSizes &image,
                     int64_t width, bool hasBias) {
  OpBuilder &builder = b.builder;
  int64_t side = image.perSide(), patch = image.patch, channels = image.channels;
  OpFoldResult batch = b.extent(pixels, 0);
  auto constant = [&](int64_t value) -> OpFoldResult { return builder.getIndexAttr(value); };
  // [N, channels, row, y, column, x] -> [N, row, column, channels, y, x].
  Value split = tensor::ExpandShapeOp::create(
      builder, b.loc, b.tensorType({ShapedType::kDynamic, channels, side, patch, side, patch}), pixels,
      SmallVector<ReassociationIndices>{{0}, {1}, {2, 3}, {4, 5}},
      SmallVector<OpFoldResult>{batch, constant(channels), constant(side), constant(patch), constant(side),
                                constant(patch)});
  Value init =
      tensor::EmptyOp::create(builder, b.loc,
                              SmallVector<OpFoldResult>{batch, constant(side), constant(side),
                                                        constant(channels), constant(patch), constant(patch)},
                              builder.getF32Type());
  Value patches =
      linalg::TransposeOp::create(builder, b.loc, split, init, ArrayRef<int64_t>{0, 2, 4, 1, 3, 5})
          .getResult()[0];
  patches = tensor::CollapseShapeOp::create(builder, b.loc, patches,
                                            SmallVector<ReassociationIndices>{{0}, {1, 2}, {3, 4, 5}});
  Value matrix =
      reshapedWeight(b, name + ".weight", {width, channels, patch, patch}, {width, channels * patch * patch});
  return b.linearBy(matrix, hasBias ? b.weight(name + ".bias", {width}) : Value(), patches);
}

Value repeatRows(ModelBuilder &b, Value rows, OpFoldResult count) {
  OpBuilder &builder = b.builder;
  Value init = tensor::EmptyOp::create(builder, b.loc,
                                       SmallVector<OpFoldResult>{count, b.extent(rows, 0), b.extent(rows, 1)},
                                       builder.getF32Type());
  return linalg::BroadcastOp::create(builder, b.loc, rows, init, ArrayRef<int64_t>{0}).getResults()[0];
}

Value addRows(ModelBuilder &b, Value x, Value rows) {
  OpBuilder &builder = b.builder;
  SmallVector<OpFoldResult> extents = {b.extent(x, 0), b.extent(x, 1), b.extent(x, 2)};
  Value init = tensor::EmptyOp::create(builder, b.loc, extents, builder.getF32Type());
  AffineMap identity = builder.getMultiDimIdentityMap(3);
  AffineMap row =
      AffineMap::get(3, 0, {builder.getAffineDimExpr(1), builder.getAffineDimExpr(2)}, builder.getContext());
  return linalg::GenericOp::create(builder, b.loc, init.getType(), ValueRange{x, rows}, init,
                                   ArrayRef<AffineMap>{identity, row, identity},
                                   SmallVector<utils::IteratorType>(3, utils::IteratorType::parallel),
                                   [&](OpBuilder &inner, Location l, ValueRange values) {
                                     linalg::YieldOp::create(
                                         inner, l,
                                         arith::AddFOp::create(inner, l, values[0], values[1]).getResult());
                                   })
      .getResult(0);
}

} // namespace sesame::importer
