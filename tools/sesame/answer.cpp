//===- answer.cpp - sesame answer ---===//
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
#include <tuple>

namespace sesame {

namespace {
struct AnswerOptions {
  std::string bundle, question, context;
  int64_t maxAnswerTokens = 15, top = 1, window = 384, overlap = 128;
  bool canHaveNoAnswer = false, json = false;
  int threads = 0;
};

struct Span {
  double score;
  size_t start, end; ///< Tokens, both included.
};

struct Answer {
  double score;
  uint32_t start, end; ///< Code points of the context.
  std::string text;
};

/// A question with a context: the context's tokens are [contextStart, contextEnd).
struct Pair {
  Encoding encoding;
  size_t contextStart = 0, contextEnd = 0;
};
} // namespace

static Pair encodePair(const Tokenizer &tokenizer, const AnswerOptions &options) {
  const size_t numQuestionTokens = tokenizer.encodeIds(options.question, /*addSpecialTokens=*/false).size();
  Pair pair{tokenizer.encode(options.question, options.context)};
  size_t seen = 0;
  for (size_t i = 0; i < pair.encoding.size(); ++i)
    if (!pair.encoding.specialMask[i] && ++seen > numQuestionTokens) {
      if (seen == numQuestionTokens + 1)
        pair.contextStart = i;
      pair.contextEnd = i + 1;
    }
  if (pair.contextEnd == 0)
    throw Error("option '--context': expected at least one token, got an empty text");
  return pair;
}

template <typename T>
static void keepRange(std::vector<T> &tokens, const Pair &pair, size_t from, size_t to) {
  tokens.erase(tokens.begin() + to, tokens.begin() + pair.contextEnd);
  tokens.erase(tokens.begin() + pair.contextStart, tokens.begin() + from);
}

/// A context that is too long is read in windows that overlap, each with the whole question before it.
static std::vector<Pair> cutWindows(const Pair &whole, int64_t window, int64_t overlap) {
  const int64_t numOthers = whole.encoding.size() - (whole.contextEnd - whole.contextStart);
  const int64_t room = window - numOthers;
  if (static_cast<int64_t>(whole.encoding.size()) <= window)
    return {whole};
  if (room <= overlap)
    throw Error(message("option '--question': ", numOthers,
                        " tokens leave no room for the context in a window of ", window));
  std::vector<Pair> windows;
  for (size_t from = whole.contextStart;; from += room - overlap) {
    const size_t to = std::min(from + room, whole.contextEnd);
    Pair part = whole;
    keepRange(part.encoding.ids, whole, from, to);
    keepRange(part.encoding.tokens, whole, from, to);
    keepRange(part.encoding.offsets, whole, from, to);
    keepRange(part.encoding.typeIds, whole, from, to);
    keepRange(part.encoding.specialMask, whole, from, to);
    keepRange(part.encoding.wordIds, whole, from, to);
    part.contextEnd = part.contextStart + (to - from);
    windows.push_back(std::move(part));
    if (to == whole.contextEnd)
      return windows;
  }
}

/// Probabilities over the context's tokens and token 0, which stands for "no answer".
static std::vector<double> maskedSoftmax(const float *logits, const Pair &pair) {
  std::vector<float> masked(pair.encoding.size(), -1e30f);
  masked[0] = logits[0];
  std::copy(logits + pair.contextStart, logits + pair.contextEnd, masked.begin() + pair.contextStart);
  return softmax(masked.data(), static_cast<int64_t>(masked.size()));
}

/// The best spans of a window, best first.
static std::vector<Span> findSpans(const Pair &pair, const std::vector<double> &start,
                                   const std::vector<double> &end, int64_t maxTokens, size_t count) {
  std::vector<Span> spans;
  for (size_t i = pair.contextStart; i < pair.contextEnd; ++i)
    for (size_t j = i; j < pair.contextEnd && j < i + maxTokens; ++j)
      spans.push_back({start[i] * end[j], i, j});
  std::sort(spans.begin(), spans.end(), [](const Span &a, const Span &b) {
    return std::tie(b.score, a.start, a.end) < std::tie(a.score, b.start, b.end);
  });
  if (spans.size() > count)
    spans.resize(count);
  return spans;
}

/// The text of a span, grown to whole words.
static Answer readAnswer(const Pair &pair, Span span, const std::string &context) {
  const std::vector<int32_t> &words = pair.encoding.wordIds;
  while (span.start > pair.contextStart && words[span.start] >= 0 &&
         words[span.start - 1] == words[span.start])
    --span.start;
  while (span.end + 1 < pair.contextEnd && words[span.end] >= 0 && words[span.end + 1] == words[span.end])
    ++span.end;
  const uint32_t from = pair.encoding.offsets[span.start].first, to = pair.encoding.offsets[span.end].second;
  return {span.score, from, to, codePoints(context, from, to)};
}

static std::string lowerAscii(std::string text) {
  for (char &c : text)
    c = c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
  return text;
}

/// As transformers' question-answering pipeline: probabilities within each window, spans grown to words,
/// equal answers counted together.
static std::vector<Answer> findAnswers(TextModel &model, const AnswerOptions &options) {
  const int64_t longest = model.configNumber("max_length").value_or(options.window);
  const int64_t window = std::min(options.window, longest);
  std::vector<Answer> answers;
  double noAnswer = 1;
  for (const Pair &pair :
       cutWindows(encodePair(model.tokenizer(), options), window, std::min(options.overlap, window / 2))) {
    const TextModel::Batch batch = model.forward(std::vector<Encoding>{pair.encoding});
    const std::vector<double> start = maskedSoftmax(batch.floats("start_logits"), pair),
                              end = maskedSoftmax(batch.floats("end_logits"), pair);
    noAnswer = std::min(noAnswer, start[0] * end[0]);
    // More than asked for: some will turn out to be equal.
    for (const Span &span : findSpans(pair, start, end, options.maxAnswerTokens, 2 * options.top + 10)) {
      Answer next = readAnswer(pair, span, options.context);
      auto equal = std::find_if(answers.begin(), answers.end(), [&](const Answer &each) {
        return lowerAscii(each.text) == lowerAscii(next.text);
      });
      if (equal != answers.end())
        equal->score += next.score;
      else
        answers.push_back(std::move(next));
    }
  }
  if (options.canHaveNoAnswer)
    answers.push_back({noAnswer, 0, 0, ""});
  std::sort(answers.begin(), answers.end(), [](const Answer &a, const Answer &b) {
    return std::tie(b.score, a.start, a.end) < std::tie(a.score, b.start, b.end);
  });
  if (static_cast<int64_t>(answers.size()) > options.top)
    answers.resize(options.top);
  return answers;
}

static void answer(const AnswerOptions &options) {
  TextModel model(options.bundle, options.threads);
  model.expectTask("answer", {"question-answering"});
  nlohmann::json results = nlohmann::json::array();
  for (const Answer &each : findAnswers(model, options))
    results.push_back(
        {{"score", each.score}, {"start", each.start}, {"end", each.end}, {"answer", each.text}});
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
      ->check(integerFrom(1));
  command
      ->add_option("--window", options->window,
                   "Most tokens, question included, to read at once; never more than the model can")
      ->capture_default_str()
      ->check(integerFrom(8));
  command->add_option("--overlap", options->overlap, "Tokens that windows of a long context share")
      ->capture_default_str()
      ->check(integerFrom(0));
  command->add_option("--top-k", options->top, "How many answers")
      ->capture_default_str()
      ->check(integerFrom(1));
  command->add_flag("--no-answer", options->canHaveNoAnswer,
                    "Let 'no answer' compete (models trained on SQuAD 2)");
  addThreadsOption(command, options->threads);
  command->add_flag("--json", options->json, "Print JSON; start and end count code points of the context");
  command->footer(
      "The score of a span is P(start) P(end) over the tokens of its window; equal answers count together.");
  command->callback([options] { answer(*options); });
}

} // namespace sesame
