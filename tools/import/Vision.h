//===- Vision.h - Images as sequences of patches ----------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_VISION_H
#define SESAME_IMPORT_VISION_H

#include "Encoder.h"

namespace sesame::importer {

/// A square image of so many channels, in square patches.
struct ImageSizes {
  int64_t size, patch, channels;

  /// `image_size`, `patch_size` and `num_channels`.
  static ImageSizes read(const Config &config, int64_t defaultPatch = 16);
  int64_t perSide() const { return size / patch; }
  int64_t patches() const { return perSide() * perSide(); }
};

/// The input `pixel_values` [N, channels, size, size], N being the symbol `batch`.
mlir::Value pixelInput(ModelBuilder &b, const ImageSizes &image, const std::string &batch);

/// The convolution whose kernel is a patch: [N, channels, size, size] -> [N, patches, C].
mlir::Value patchEmbedding(ModelBuilder &b, const std::string &name, mlir::Value pixels,
                           const ImageSizes &image, int64_t width, bool hasBias);

/// rows [M, C] -> [count, M, C].
mlir::Value repeatRows(ModelBuilder &b, mlir::Value rows, mlir::OpFoldResult count);

} // namespace sesame::importer

#endif // SESAME_IMPORT_VISION_H
