//===- tag.cpp - sesame tag ---===//
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
struct TagOptions {
  std::string bundle;
  std::vector<std::string> texts;
  bool eachWord = false, json = false;
  int threads = 0;
};

struct Tag {
  std::string label;
  double score;
  uint32_t start, end; ///< Code points.
};
} // namespace

/// One tag a word: that of the word's first token.
static std::vector<Tag> tagWords(const TextModel &model, const Encoding &encoding, const float *logits,
                                 int64_t numLabels) {
  std::vector<Tag> tags;
  int32_t previous = -1;
  for (size_t i = 0; i < encoding.size(); ++i) {
    if (encoding.specialMask[i])
      continue;
    const int32_t word = i < encoding.wordIds.size() ? encoding.wordIds[i] : -1;
    if (word >= 0 && word == previous && !tags.empty()) {
      tags.back().end = encoding.offsets[i].second;
      continue;
    }
    previous = word;
    const std::vector<double> scores = softmax(logits + i * numLabels, numLabels);
    const auto best = std::max_element(scores.begin(), scores.end());
    tags.push_back(
        {model.label(best - scores.begin()), *best, encoding.offsets[i].first, encoding.offsets[i].second});
  }
  return tags;
}

/// Joins words of one entity: B-X starts one, I-X goes on with it. Labels without a prefix join while they
/// are equal; "O" is none.
static std::vector<Tag> groupEntities(const std::vector<Tag> &words) {
  std::vector<Tag> entities;
  std::vector<int> counts;
  std::string open;
  for (const Tag &word : words) {
    if (word.label == "O") {
      open.clear();
      continue;
    }
    const bool hasPrefix =
        word.label.size() > 2 && word.label[1] == '-' && (word.label[0] == 'B' || word.label[0] == 'I');
    const std::string kind = hasPrefix ? word.label.substr(2) : word.label;
    if (kind == open && !(hasPrefix && word.label[0] == 'B')) {
      entities.back().end = word.end;
      entities.back().score += word.score;
      ++counts.back();
    } else {
      entities.push_back({kind, word.score, word.start, word.end});
      counts.push_back(1);
      open = kind;
    }
  }
  for (size_t i = 0; i < entities.size(); ++i)
    entities[i].score /= counts[i];
  return entities;
}

static void tag(const TagOptions &options) {
  TextModel model(options.bundle, options.threads);
  model.expectTask("tag", {"token-classification"});
  std::vector<TextInput> inputs;
  for (const std::string &text : options.texts)
    inputs.push_back({text, std::nullopt});
  const TextModel::Batch batch = model.forward(inputs);
  const OutputTensor &logits = batch.output("logits");
  const int64_t numLabels = logits.shape.back();
  const float *rows = batch.floats("logits");
  nlohmann::json results = nlohmann::json::array();
  for (size_t row = 0; row < inputs.size(); ++row) {
    std::vector<Tag> tags =
        tagWords(model, batch.encodings[row], rows + row * batch.length * numLabels, numLabels);
    if (!options.eachWord)
      tags = groupEntities(tags);
    nlohmann::json list = nlohmann::json::array();
    for (const Tag &each : tags)
      list.push_back({{"label", each.label},
                      {"score", each.score},
                      {"start", each.start},
                      {"end", each.end},
                      {"text", codePoints(inputs[row].text, each.start, each.end)}});
    results.push_back(std::move(list));
  }
  if (options.json) {
    std::printf("%s\n", results.dump(2).c_str());
    return;
  }
  for (const nlohmann::json &list : results)
    for (const nlohmann::json &each : list)
      std::printf("%9.5f  %-12s [%u, %u)  %s\n", each["score"].get<double>(),
                  each["label"].get<std::string>().c_str(), each["start"].get<uint32_t>(),
                  each["end"].get<uint32_t>(), each["text"].get<std::string>().c_str());
}

void addTagCommand(CLI::App &app) {
  CLI::App *command =
      app.add_subcommand("tag", "Label the words of a text (named entities, parts of speech)");
  auto options = std::make_shared<TagOptions>();
  command->add_option("BUNDLE", options->bundle, "What 'sesame compile' wrote, of a token classifier")
      ->required();
  addTextsOption(command, options->texts, "Texts; several make a batch");
  command->add_flag("--words", options->eachWord, "One line a word instead of one an entity");
  addThreadsOption(command, options->threads);
  command->add_flag("--json", options->json, "Print JSON; start and end count code points");
  command->footer("A word has the label of its first token. Entities join B-X, I-X, ... and drop O.");
  command->callback([options] { tag(*options); });
}

} // namespace sesame
