//===- Vision.cpp - Images as sequences of patches ------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Vision.h"

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
  int64_t patch = image.patch, channels = image.channels;
  // [N, channels, row, y, column, x] -> [N, row, column, channels, y, x].
  int64_t side = image.perSide();
  Value patches = transpose(b, splitAxis(b, splitAxis(b, pixels, 3, side), 2, side), {0, 2, 4, 1, 3, 5});
  patches = tensor::CollapseShapeOp::create(b.builder, b.loc, patches,
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

} // namespace sesame::importer
