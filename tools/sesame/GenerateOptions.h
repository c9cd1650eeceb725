//===- GenerateOptions.h - Options of commands that generate ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOOLS_GENERATEOPTIONS_H
#define SESAME_TOOLS_GENERATEOPTIONS_H

#include "TextModel.h"

#include "generate/Generate.h"

#include <CLI/CLI.hpp>

#include <map>
#include <string>
#include <vector>

namespace sesame {

/// What the command line says about generation.
struct GenerateSettings {
  std::map<std::string, std::string> fields; ///< of GenerationConfig, by JSON name
  std::vector<std::string> stops;
};

/// `--stop`, `--beams`, and every field of GenerationConfig with dashes.
void addGenerateOptions(CLI::App *command, GenerateSettings &settings);

/// The bundle's settings, those of the task over them (an object as generation_config.json, or null), and the
/// command line's over both. Throws Error, or CLI::ValidationError about an option.
GenerationConfig configureGeneration(TextModel &model, const GenerateSettings &settings,
                                     const nlohmann::json &taskSettings = {});

/// Sources of several lengths for the entry `encode` of a model: padded on the right, with what the entry
/// takes to tell the padding, its mask or its lengths. Not to be moved while the tensors are in use.
class SourceBatch {
public:
  SourceBatch(const EntrySpec &encode, const std::vector<std::vector<int64_t>> &sources, int64_t padId);
  SourceBatch(const SourceBatch &) = delete;

  const std::vector<InputTensor> &tensors() const { return inputs; }
  /// The decoder's prompt for these sources.
  GenerationInput prompt(const GenerationConfig &config) const;

private:
  int64_t rows, length = 1;
  std::vector<int64_t> ids, mask, lengths;
  std::vector<InputTensor> inputs;
};

} // namespace sesame

#endif // SESAME_TOOLS_GENERATEOPTIONS_H
