//===- choose.cpp - sesame choose ---===//
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
#include <cstdio>
#include <memory>

namespace sesame {

namespace {
struct ChooseOptions {
  std::string bundle, prompt;
  std::vector<std::string> choices;
  int threads = 0;
  bool json = false;
};
} // namespace

static void choose(const ChooseOptions &options) {
  if (options.choices.size() < 2)
    throw Error(message("expected at least two choices, got ", options.choices.size()));
  TextModel model(options.bundle, options.threads);
  model.expectTask("choose", {"multiple-choice"});
  // A model with two heads has a score for each choice beside its logits over the vocabulary.
  const TextModel::Batch batch = model.forwardChoices(options.prompt, options.choices);
  const bool hasTwoHeads = std::any_of(batch.outputs.begin(), batch.outputs.end(),
                                       [](const OutputTensor &each) { return each.name == "mc_logits"; });
  const char *name = hasTwoHeads ? "mc_logits" : "logits";
  const auto count = static_cast<int64_t>(options.choices.size());
  if (batch.output(name).shape != std::vector<int64_t>{1, count})
    throw Error(message(options.bundle, ": output '", name, "' has no single score for each choice"));
  const std::vector<double> scores = softmax(batch.floats(name), count);
  const std::vector<int64_t> order = bestFirst(scores, count);
  nlohmann::json results = nlohmann::json::array();
  for (int64_t i : order)
    results.push_back({{"index", i}, {"choice", options.choices[i]}, {"score", scores[i]}});
  if (options.json) {
    std::printf("%s\n", results.dump(2).c_str());
    return;
  }
  for (int64_t i : order)
    std::printf("%9.5f  %s\n", scores[i], options.choices[i].c_str());
}

void addChooseCommand(CLI::App &app) {
  CLI::App *command = app.add_subcommand("choose", "Choose the text that goes on best, or answers best");
  auto options = std::make_shared<ChooseOptions>();
  command->add_option("BUNDLE", options->bundle, "What 'sesame compile' wrote, of a multiple-choice model")
      ->required();
  addTextsOption(command, options->choices, "The choices, two or more");
  command->add_option("--prompt", options->prompt, "What comes before: a story, or a text with its question")
      ->required();
  addThreadsOption(command, options->threads);
  command->add_flag("--json", options->json, "Print JSON, best first; index counts the choices from 0");
  command->footer(
      "Example:\n  sesame choose swag.bundle --prompt 'She opened the door and' 'walked in.' 'a cat.'");
  command->callback([options] { choose(*options); });
}

} // namespace sesame
