//===- GenerateOptions.cpp - Options of commands that generate ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GenerateOptions.h"

#include "support/Error.h"

#include <algorithm>

namespace sesame {

void addGenerateOptions(CLI::App *command, GenerateSettings &settings) {
  command->add_option("--stop", settings.stops, "Stop after this text; may be given several times")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command->add_option_function<std::string>(
      "--beams", [&settings](const std::string &text) { settings.fields["num_beams"] = text; },
      "Beam search with this many beams");
  for (const auto &[name, type] : GenerationConfig::fields()) {
    std::string option = "--" + std::string(name);
    std::replace(option.begin(), option.end(), '_', '-');
    command
        ->add_option_function<std::string>(
            option,
            [&settings, name = std::string(name)](const std::string &text) { settings.fields[name] = text; },
            std::string(type))
        ->group("Generation settings (as in generation_config.json; 'none' turns one off)");
  }
}

GenerationConfig configureGeneration(TextModel &model, const GenerateSettings &settings,
                                     const nlohmann::json &taskSettings) {
  GenerationConfig config;
  nlohmann::json defaults = nlohmann::json::object();
  for (const char *key : {"pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"})
    defaults[key] = model.manifest().config.value(key, nlohmann::json());
  config.update(defaults, model.bundle() + "/manifest.json: config");
  // Before there was a generation_config.json, config.json held these settings.
  if (model.manifest().generation.empty()) {
    nlohmann::json older = model.companion("config.json");
    for (const auto &[key, value] : defaults.items())
      older.erase(key);
    config.update(older, model.bundle() + "/config.json");
  }
  config.update(model.manifest().generation, model.bundle() + "/manifest.json: generation");
  if (taskSettings.is_object())
    config.update(taskSettings, model.bundle() + "/config.json: task_specific_params");
  for (const auto &[name, text] : settings.fields) {
    std::string option = "--" + name;
    std::replace(option.begin(), option.end(), '_', '-');
    try {
      config.set(name, text, option);
    } catch (const Error &error) {
      throw CLI::ValidationError(error.what());
    }
  }
  // Who gives a temperature or a seed wants to sample.
  if (!settings.fields.count("do_sample"))
    for (const char *sampling :
         {"temperature", "top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff", "seed"})
      if (settings.fields.count(sampling))
        config.doSample = true;
  config.stopStrings.insert(config.stopStrings.end(), settings.stops.begin(), settings.stops.end());
  config.validate();
  return config;
}

SourceBatch::SourceBatch(const EntrySpec &encode, const std::vector<std::vector<int64_t>> &sources,
                         int64_t padId)
    : rows(static_cast<int64_t>(sources.size())) {
  for (const std::vector<int64_t> &source : sources)
    length = std::max<int64_t>(length, source.size());
  ids.assign(rows * length, padId);
  mask.assign(rows * length, 0);
  for (int64_t row = 0; row < rows; ++row) {
    std::copy(sources[row].begin(), sources[row].end(), ids.begin() + row * length);
    std::fill_n(mask.begin() + row * length, sources[row].size(), 1);
    lengths.push_back(sources[row].size());
  }
  inputs.push_back({"input_ids", DType::i64, {rows, length}, ids.data()});
  if (encode.findInput("attention_mask") >= 0)
    inputs.push_back({"attention_mask", DType::i64, {rows, length}, mask.data()});
  if (encode.findInput("lengths") >= 0)
    inputs.push_back({"lengths", DType::i64, {rows}, lengths.data()});
}

GenerationInput SourceBatch::prompt(const GenerationConfig &config) const {
  GenerationInput start = decoderPrompt(config, rows);
  start.sourceLength = length;
  start.sourceIds = ids;
  return start;
}

} // namespace sesame
