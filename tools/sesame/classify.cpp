//===- classify.cpp - sesame classify ---===//
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
struct ClassifyOptions {
  std::string bundle;
  std::vector<std::string> texts, pairs;
  int threads = 0;
  bool bothOrders = false, json = false;
};
} // namespace

/// The scores of one row as transformers' pipeline has them: a softmax over classes; a sigmoid each for a
/// multi-label model or a single class; the numbers themselves for a regression.
static std::vector<double> scores(const std::string &problemType, const float *logits, int64_t count) {
  const bool isMultiLabel = problemType == "multi_label_classification";
  if (problemType != "regression" && !isMultiLabel && count > 1)
    return softmax(logits, count);
  std::vector<double> result(logits, logits + count);
  if (problemType != "regression")
    for (double &value : result)
      value = 1 / (1 + std::exp(-value));
  return result;
}

static void classify(const ClassifyOptions &options) {
  if (!options.pairs.empty() && options.pairs.size() != options.texts.size())
    throw Error(message("option '--pair': expected one for each of the ", options.texts.size(),
                        " texts, got ", options.pairs.size()));
  if (options.bothOrders && options.pairs.empty())
    throw Error("option '--both-orders': expected pairs of texts, got no '--pair'");
  TextModel model(options.bundle, options.threads);
  model.expectTask("classify", {"text-classification", "next-sentence-prediction"});
  if (model.manifest().model.task == "next-sentence-prediction" && options.pairs.empty())
    throw Error(message(options.bundle, ": a next-sentence model reads two texts: expected a '--pair'"));
  std::vector<TextInput> inputs;
  for (size_t i = 0; i < options.texts.size(); ++i)
    inputs.push_back({options.texts[i],
                      options.pairs.empty() ? std::nullopt : std::optional<std::string>(options.pairs[i])});
  const TextModel::Batch batch = model.forward(inputs, model.padsLeft());
  const OutputTensor &logits = batch.output("logits");
  const int64_t numClasses = logits.shape.back();
  std::vector<float> rows(batch.floats("logits"), batch.floats("logits") + inputs.size() * numClasses);
  if (options.bothOrders) {
    std::vector<TextInput> swapped;
    for (const TextInput &input : inputs)
      swapped.push_back({*input.pair, input.text});
    const TextModel::Batch second = model.forward(swapped, model.padsLeft());
    const float *others = second.floats("logits");
    for (size_t i = 0; i < rows.size(); ++i)
      rows[i] += others[i];
  }
  const std::string problemType = model.checkpointConfig("problem_type");
  nlohmann::json results = nlohmann::json::array();
  for (size_t row = 0; row < inputs.size(); ++row) {
    const std::vector<double> values = scores(problemType, rows.data() + row * numClasses, numClasses);
    nlohmann::json classes = nlohmann::json::array();
    for (int64_t i : bestFirst(values, numClasses))
      classes.push_back({{"label", model.label(i)}, {"score", values[i]}});
    results.push_back(std::move(classes));
  }
  if (options.json) {
    std::printf("%s\n", results.dump(2).c_str());
    return;
  }
  for (size_t row = 0; row < inputs.size(); ++row) {
    if (inputs.size() > 1)
      std::printf("%s\n", inputs[row].text.c_str());
    for (const nlohmann::json &each : results[row])
      std::printf("%9.5f  %s\n", each["score"].get<double>(), each["label"].get<std::string>().c_str());
  }
}

void addClassifyCommand(CLI::App &app) {
  CLI::App *command = app.add_subcommand("classify", "Classify texts, or pairs of texts");
  auto options = std::make_shared<ClassifyOptions>();
  command
      ->add_option("BUNDLE", options->bundle,
                   "What 'sesame compile' wrote, of a sequence classifier or next-sentence model")
      ->required();
  addTextsOption(command, options->texts, "Texts; several make a batch");
  command->add_option("--pair", options->pairs, "Second text of each pair, in order")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--both-orders", options->bothOrders,
                    "Read each pair in both orders and add the logits (similarity, as the first GPT does)");
  addThreadsOption(command, options->threads);
  command->add_flag("--json", options->json, "Print JSON");
  command->footer("Example:\n  sesame classify sst2.bundle 'A moving and funny film'");
  command->callback([options] { classify(*options); });
}

} // namespace sesame
