//===- GoldenCase.h - Recorded calls of a reference implementation ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOOLS_GOLDENCASE_H
#define SESAME_TOOLS_GOLDENCASE_H

#include "io/Safetensors.h"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <vector>

namespace sesame {

/// One recorded call: named inputs and the outputs that the reference computed from them. Tensors point into
/// the case's file.
struct GoldenCall {
  std::string name;
  std::string kind = "forward"; ///< forward, generate, vectors
  std::vector<std::pair<std::string, const StoredTensor *>> inputs, outputs;
  std::string compareMask; ///< The input whose zeros mark positions that need not match; empty: all must.
  nlohmann::json parameters = nlohmann::json::object(); ///< generate: fields of GenerationConfig
  nlohmann::json arguments = nlohmann::json::object();  ///< forward: other keyword arguments of the reference

  const StoredTensor *findInput(std::string_view input) const;
};

/// A directory with golden.json and golden.safetensors (whose names say the calls if golden.json does not),
/// or one safetensors file of `in.NAME` and `out.NAME` (one call) or `CALL.in.NAME` and `CALL.out.NAME`.
struct GoldenCase {
  std::unique_ptr<SafetensorsFile> tensors;
  std::vector<GoldenCall> calls;

  /// Throws Error that names the file and the tensor if the case is not whole.
  static GoldenCase open(const std::string &path);
};

/// A tensor's elements as f64 (a copy), from any float or integer type.
std::vector<double> toDoubles(DType dtype, const void *data, uint64_t count);

} // namespace sesame

#endif // SESAME_TOOLS_GOLDENCASE_H
