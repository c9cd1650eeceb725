//===- embed.cpp - sesame embed ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Options.h"
#include "TextModel.h"

#include "support/Error.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

namespace sesame {

namespace {
struct EmbedOptions {
  std::string bundle, pooling = "mean";
  std::vector<std::string> texts;
  bool keepLengths = false, similarity = false, json = false;
  int threads = 0;
};
} // namespace

/// One vector from the hidden states [S, C] of a row with `length` real tokens.
static std::vector<double> pool(const float *states, int64_t length, int64_t width,
                                const std::string &pooling) {
  std::vector<double> result(width, 0);
  const int64_t first = pooling == "last" ? length - 1 : 0, count = pooling == "mean" ? length : 1;
  for (int64_t i = first; i < first + count; ++i)
    for (int64_t c = 0; c < width; ++c)
      result[c] += states[i * width + c] / count;
  return result;
}

static void normalize(std::vector<double> &vector) {
  double sum = 0;
  for (double value : vector)
    sum += value * value;
  for (double &value : vector)
    value /= std::max(std::sqrt(sum), 1e-12);
}

static void embed(const EmbedOptions &options) {
  TextModel model(options.bundle, options.threads);
  model.expectTask("embed", {"feature-extraction"});
  std::vector<TextInput> inputs;
  for (const std::string &text : options.texts)
    inputs.push_back({text, std::nullopt});
  const TextModel::Batch batch = model.forward(inputs);
  const OutputTensor &states = batch.output("last_hidden_state");
  const int64_t width = states.shape.back();
  const float *rows = batch.floats("last_hidden_state");
  std::vector<std::vector<double>> vectors;
  for (size_t row = 0; row < inputs.size(); ++row) {
    vectors.push_back(
        pool(rows + row * batch.length * width, batch.encodings[row].size(), width, options.pooling));
    if (!options.keepLengths || options.similarity)
      normalize(vectors.back());
  }
  if (options.similarity) { // cosine of each pair
    std::vector<std::vector<double>> matrix(vectors.size(), std::vector<double>(vectors.size(), 0));
    for (size_t i = 0; i < vectors.size(); ++i)
      for (size_t j = 0; j < vectors.size(); ++j)
        for (int64_t c = 0; c < width; ++c)
          matrix[i][j] += vectors[i][c] * vectors[j][c];
    vectors = std::move(matrix);
  }
  if (options.json) {
    std::printf("%s\n", nlohmann::json(vectors).dump().c_str());
    return;
  }
  for (const std::vector<double> &vector : vectors) {
    for (size_t c = 0; c < vector.size(); ++c)
      std::printf("%s%.6g", c ? " " : "", vector[c]);
    std::printf("\n");
  }
}

void addEmbedCommand(CLI::App &app) {
  CLI::App *command = app.add_subcommand("embed", "Turn texts into vectors, or compare them");
  auto options = std::make_shared<EmbedOptions>();
  command->add_option("BUNDLE", options->bundle, "What 'sesame compile' wrote, of a base model")->required();
  addTextsOption(command, options->texts, "Texts; several make a batch");
  command->add_option("--pooling", options->pooling, "mean of the tokens, cls (the first) or last")
      ->capture_default_str()
      ->check(CLI::IsMember({"mean", "cls", "last"}));
  command->add_flag("--no-normalize", options->keepLengths, "Keep the vectors' lengths");
  command->add_flag("--similarity", options->similarity, "Print the cosine of every two texts instead");
  addThreadsOption(command, options->threads);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { embed(*options); });
}

} // namespace sesame
