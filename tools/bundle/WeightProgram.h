//===- WeightProgram.h - Runs the recipes of a module's weights ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_BUNDLE_WEIGHTPROGRAM_H
#define SESAME_BUNDLE_WEIGHTPROGRAM_H

#include "mlir/IR/BuiltinOps.h"

#include <cstdint>
#include <functional>
#include <string>

namespace sesame {

class Checkpoint;
struct StoredTensor;

/// Called after each tensor with the bytes written so far and the bytes in all.
using WeightProgress = std::function<void(uint64_t done, uint64_t total)>;

/// Where recipes find the tensors they name.
struct WeightInput {
  /// For messages.
  std::string path;
  /// Throws Error if there is no tensor of that name.
  std::function<const StoredTensor &(const std::string &name)> get;
};

struct WeightFileSummary {
  uint64_t dataSizeInBytes = 0;
  std::string headerText;
};

/// Runs every `sesame.weight`'s recipe once for each of its tensors and writes the results to the safetensors
/// file `path`, in module order, one tensor at a time: the memory in use is bounded by the largest recipe,
/// not by the model. `offset` and `stride` of the weights (pass `sesame-plan-weights`) must be set; the
/// places in the file are checked against them.
///
/// Throws Error that names the weight and the tensor when the input does not hold what a recipe asks
/// for, or the file cannot be written. `input` may be null if no recipe reads a tensor.
WeightFileSummary runWeightProgram(mlir::ModuleOp module, const WeightInput *input, const std::string &path,
                                   const WeightProgress &progress = nullptr);
/// The same with the tensors of a checkpoint, which may be null.
WeightFileSummary runWeightProgram(mlir::ModuleOp module, const Checkpoint *checkpoint,
                                   const std::string &path, const WeightProgress &progress = nullptr);

} // namespace sesame

#endif // SESAME_BUNDLE_WEIGHTPROGRAM_H
