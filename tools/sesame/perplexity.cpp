//===- perplexity.cpp - sesame perplexity ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Options.h"
#include "Progress.h"
#include "TextModel.h"

#include "support/Error.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

namespace sesame {

namespace {
struct PerplexityOptions {
  std::string bundle, file;
  int64_t window = 0;
  int threads = 0;
  bool json = false;
};
} // namespace

/// -log softmax(logits)[target].
static double negativeLogLikelihood(const float *logits, int64_t count, int64_t target) {
  const float largest = *std::max_element(logits, logits + count);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i)
    sum += std::exp(static_cast<double>(logits[i]) - largest);
  return std::log(sum) + largest - logits[target];
}

static void computePerplexity(const PerplexityOptions &options) {
  TextModel model(options.bundle, options.threads);
  model.expectTask("perplexity", {"text-generation"});
  if (model.session().model().hasEntry("predict"))
    throw Error(message(options.bundle,
                        ": 'forward' sees the token that it scores (XLNet), so it gives no perplexity"));
  const int64_t window = options.window ? options.window : model.configNumber("max_length").value_or(256);
  if (window < 2)
    throw Error(message("option '--window': expected at least 2 tokens, got ", window));
  const std::vector<TokenId> tokens =
      model.tokenizer().encodeIds(readTextFile(options.file), /*addSpecialTokens=*/false);
  if (tokens.size() < 2)
    throw Error(message(options.file, ": expected at least 2 tokens, got ", tokens.size()));
  const std::vector<int64_t> ids(tokens.begin(), tokens.end());

  Progress progress;
  double sum = 0;
  int64_t numScored = 0;
  for (int64_t start = 0, size = ids.size(); start < size; start += window) {
    progress.show("perplexity", start, size);
    const int64_t length = std::min(window, size - start);
    BoundEntry &entry =
        model.session().runInPlace("forward", {{"input_ids", DType::i64, {1, length}, ids.data() + start}});
    const int32_t logits = entry.output("logits");
    const float *rows = entry.outputData<float>(logits);
    const int64_t vocabulary = entry.outputShape(logits).back();
    for (int64_t i = 0; i + 1 < length; ++i) {
      sum += negativeLogLikelihood(rows + i * vocabulary, vocabulary, ids[start + i + 1]);
      ++numScored;
    }
  }
  progress.clear();
  const double mean = sum / numScored;
  if (options.json)
    std::printf("{\"perplexity\": %.10g, \"nll\": %.10g, \"nll_sum\": %.10g, \"tokens\": %zu, \"scored\": "
                "%lld, \"window\": %lld}\n",
                std::exp(mean), mean, sum, ids.size(), static_cast<long long>(numScored),
                static_cast<long long>(window));
  else
    std::printf("perplexity %.4f (%lld of %zu tokens scored, %.6f nats a token, windows of %lld)\n",
                std::exp(mean), static_cast<long long>(numScored), ids.size(), mean,
                static_cast<long long>(window));
}

void addPerplexityCommand(CLI::App &app) {
  CLI::App *command = app.add_subcommand("perplexity", "Measure how well a language model predicts a text");
  auto options = std::make_shared<PerplexityOptions>();
  command->add_option("BUNDLE", options->bundle, "What 'sesame compile' wrote")->required();
  command->add_option("FILE", options->file, "Text file, UTF-8")->required();
  command->add_option("--window", options->window, "Tokens a window; by default the model's maximum")
      ->check(integerFrom(1));
  addThreadsOption(command, options->threads);
  command->add_flag("--json", options->json, "Print JSON");
  command->footer("The text is encoded whole, without special tokens, and cut into windows that do not "
                  "overlap; the first token of a\n"
                  "window is not scored. perplexity = exp(sum of -log p / tokens scored).");
  command->callback([options] { computePerplexity(*options); });
}

} // namespace sesame
