//===- fill_mask.cpp - sesame fill-mask ---===//
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
struct FillMaskOptions {
  std::string bundle;
  std::vector<std::string> texts;
  int64_t top = 5;
  int threads = 0;
  bool json = false;
};
} // namespace

static TokenId findMask(const Tokenizer &tokenizer, const std::string &bundle) {
  if (std::optional<TokenId> id = tokenizer.roleId("mask_token"))
    return *id;
  for (const char *token : {"[MASK]", "<mask>"})
    if (std::optional<TokenId> id = tokenizer.tokenToId(token))
      return *id;
  throw Error(message(bundle, ": the tokenizer has no mask token"));
}

static void fillMask(const FillMaskOptions &options) {
  TextModel model(options.bundle, options.threads);
  model.expectTask("fill-mask", {"fill-mask", "pretraining"});
  const TokenId mask = findMask(model.tokenizer(), options.bundle);
  nlohmann::json results = nlohmann::json::array();
  for (const std::string &text : options.texts) {
    const TextModel::Batch batch = model.forward({{text, std::nullopt}});
    const OutputTensor &logits = batch.outputs.front(); // logits, or prediction_logits of a pretraining model
    const int64_t vocabulary = logits.shape.back();
    const std::vector<TokenId> &ids = batch.encodings[0].ids;
    // With several masks the sequence still shows the others.
    const bool hasOneMask = std::count(ids.begin(), ids.end(), mask) == 1;
    nlohmann::json masks = nlohmann::json::array();
    for (size_t at = 0; at < ids.size(); ++at) {
      if (ids[at] != mask)
        continue;
      const std::vector<double> scores = softmax(batch.floats(logits.name) + at * vocabulary, vocabulary);
      nlohmann::json candidates = nlohmann::json::array();
      for (int64_t id : bestFirst(scores, options.top)) {
        std::vector<TokenId> filled = ids;
        filled[at] = static_cast<TokenId>(id);
        candidates.push_back(
            {{"score", scores[id]},
             {"token", id},
             {"token_str", model.tokenizer().decode({static_cast<TokenId>(id)}, /*skipSpecial=*/false)},
             {"sequence", model.tokenizer().decode(filled, /*skipSpecial=*/hasOneMask)}});
      }
      masks.push_back(std::move(candidates));
    }
    if (masks.empty())
      throw Error(message("text '", text, "': expected at least one ",
                          model.tokenizer().idToToken(mask).value_or("mask"), ", found none"));
    results.push_back(std::move(masks));
  }
  if (options.json) {
    std::printf("%s\n", results.dump(2).c_str());
    return;
  }
  for (const nlohmann::json &masks : results)
    for (const nlohmann::json &candidates : masks)
      for (const nlohmann::json &candidate : candidates)
        std::printf("%8.5f  %-20s %s\n", candidate["score"].get<double>(),
                    candidate["token_str"].get<std::string>().c_str(),
                    candidate["sequence"].get<std::string>().c_str());
}

void addFillMaskCommand(CLI::App &app) {
  CLI::App *command = app.add_subcommand("fill-mask", "Predict the masked tokens of a text");
  auto options = std::make_shared<FillMaskOptions>();
  command->add_option("BUNDLE", options->bundle, "What 'sesame compile' wrote, of a masked language model")
      ->required();
  addTextsOption(command, options->texts, "Texts with the tokenizer's mask token, such as [MASK]");
  command->add_option("--top-k", options->top, "How many candidates for each mask")
      ->capture_default_str()
      ->check(integerFrom(1));
  addThreadsOption(command, options->threads);
  command->add_flag("--json", options->json, "Print JSON");
  command->footer("Example:\n  sesame fill-mask bert.bundle 'The capital of France is [MASK].'");
  command->callback([options] { fillMask(*options); });
}

} // namespace sesame
