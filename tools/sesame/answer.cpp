//===- answer.cpp - sesame answer ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "TextModel.h"

#include "support/Error.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>

namespace sesame {

namespace {
struct AnswerOptions {
  std::string bundle, question, context;
  int64_t maxAnswerTokens = 15, top = 1;
  bool canHaveNoAnswer = false, json = false;
  int threads = 0;
};

struct Span {
  double score;
  size_t start, end; ///< Tokens, both included.
};
} // namespace

/// The context's tokens: what stands after the question's own tokens and is no special token.
static std::vector<bool> contextTokens(const Encoding &encoding, size_t numQuestionTokens) {
  std::vector<bool> result(encoding.size(), false);
  size_t seen = 0;
  for (size_t i = 0; i < encoding.size(); ++i)
    if (!encoding.specialMask[i] && ++seen > numQuestionTokens)
      result[i] = true;
  return result;
}

/// Probabilities over the context's tokens and token 0, which stands for "no answer".
static std::vector<double> maskedSoftmax(const float *logits, const std::vector<bool> &isContext) {
  std::vector<float> masked(isContext.size());
  for (size_t i = 0; i < isContext.size(); ++i)
    masked[i] = isContext[i] || i == 0 ? logits[i] : -1e30f;
  return softmax(masked.data(), static_cast<int64_t>(masked.size()));
}

static void answer(const AnswerOptions &options) {
  TextModel model(options.bundle, options.threads);
  model.expectTask("answer", {"question-answering"});
  const size_t numQuestionTokens =
      model.tokenizer().encodeIds(options.question, /*addSpecialTokens=*/false).size();
  const TextModel::Batch batch = model.forward({{options.question, options.context}});
  const Encoding &encoding = batch.encodings[0];
  const std::vector<bool> isContext = contextTokens(encoding, numQuestionTokens);
  auto floats = [&](const char *name) {
    return static_cast<const float *>(static_cast<const void *>(batch.output(name).data.data()));
  };
  const std::vector<double> start = maskedSoftmax(floats("start_logits"), isContext),
                            end = maskedSoftmax(floats("end_logits"), isContext);

  std::vector<Span> spans;
  for (size_t i = 0; i < encoding.size(); ++i)
    for (size_t j = i; isContext[i] && j < encoding.size() && j < i + options.maxAnswerTokens && isContext[j];
         ++j)
      spans.push_back({start[i] * end[j], i, j});
  std::stable_sort(spans.begin(), spans.end(),
                   [](const Span &a, const Span &b) { return a.score > b.score; });
  if (static_cast<int64_t>(spans.size()) > options.top)
    spans.resize(options.top);

  nlohmann::json results = nlohmann::json::array();
  for (const Span &span : spans) {
    const uint32_t from = encoding.offsets[span.start].first, to = encoding.offsets[span.end].second;
    results.push_back({{"score", span.score},
                       {"start", from},
                       {"end", to},
                       {"answer", codePoints(options.context, from, to)}});
  }
  if (options.canHaveNoAnswer) {
    results.push_back({{"score", start[0] * end[0]}, {"start", 0}, {"end", 0}, {"answer", ""}});
    std::stable_sort(results.begin(), results.end(), [](const nlohmann::json &a, const nlohmann::json &b) {
      return a["score"].get<double>() > b["score"].get<double>();
    });
    if (static_cast<int64_t>(results.size()) > options.top)
      results.erase(results.begin() + options.top, results.end());
  }
  if (options.json) {
    std::printf("%s\n", results.dump(2).c_str());
    return;
  }
  for (const nlohmann::json &each : results)
    std::printf("%9.5f  [%u, %u)  %s\n", each["score"].get<double>(), each["start"].get<uint32_t>(),
                each["end"].get<uint32_t>(),
                each["answer"].get<std::string>().empty() ? "(no answer)"
                                                          : each["answer"].get<std::string>().c_str());
}

void addAnswerCommand(CLI::App &app) {
  CLI::App *command = app.add_subcommand("answer", "Find the answer to a question in a text");
  auto options = std::make_shared<AnswerOptions>();
  command->add_option("BUNDLE", options->bundle, "What 'sesame compile' wrote, of a question-answering model")
      ->required();
  command->add_option("--question", options->question, "The question")->required();
  command->add_option("--context", options->context, "The text that holds the answer")->required();
  command->add_option("--max-answer-tokens", options->maxAnswerTokens, "Longest answer")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->add_option("--top-k", options->top, "How many answers")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->add_flag("--no-answer", options->canHaveNoAnswer,
                    "Let 'no answer' compete (models trained on SQuAD 2)");
  command->add_option("--threads", options->threads, "How many threads; 0: all the process may use")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--json", options->json, "Print JSON; start and end count code points of the context");
  command->footer("The score of a span is P(start) P(end), over the tokens of the context.");
  command->callback([options] { answer(*options); });
}

} // namespace sesame
