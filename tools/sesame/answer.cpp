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
#include <cmath>
#include <cstdio>
#include <limits>
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
  size_t firstToken = 0; ///< Of the context's whole tokens, the one at contextStart.
};
} // namespace

/// The question comes first, but behind the context where rows are padded on the left.
static Pair encodePair(TextModel &model, const AnswerOptions &options) {
  const Tokenizer &tokenizer = model.tokenizer();
  const size_t numQuestionTokens = tokenizer.encodeIds(options.question, /*addSpecialTokens=*/false).size();
  const bool contextIsFirst = model.padsLeft();
  Pair pair{contextIsFirst ? tokenizer.encode(options.context, options.question)
                           : tokenizer.encode(options.question, options.context)};
  std::vector<size_t> tokens; // All that are not special.
  for (size_t i = 0; i < pair.encoding.size(); ++i)
    if (!pair.encoding.specialMask[i])
      tokens.push_back(i);
  if (tokens.size() <= numQuestionTokens)
    throw Error("option '--context': expected at least one token, got an empty text");
  const size_t first = contextIsFirst ? 0 : numQuestionTokens, count = tokens.size() - numQuestionTokens;
  pair.contextStart = tokens[first];
  pair.contextEnd = tokens[first + count - 1] + 1;
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
    part.firstToken = from - whole.contextStart;
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

/// The parts of the context that the model reads, one after the other.
static std::vector<Pair> readWindows(TextModel &model, const AnswerOptions &options) {
  const int64_t longest = model.configNumber("max_length").value_or(options.window);
  const int64_t window = std::min(options.window, longest);
  return cutWindows(encodePair(model, options), window, std::min(options.overlap, window / 2));
}

static bool isBetter(const Answer &a, const Answer &b) {
  return std::tie(b.score, a.start, a.end) < std::tie(a.score, b.start, b.end);
}

/// As transformers' question-answering pipeline: probabilities within each window, spans grown to words,
/// equal answers counted together.
static std::vector<Answer> findAnswers(TextModel &model, const AnswerOptions &options) {
  std::vector<Answer> answers;
  double noAnswer = 1;
  for (const Pair &pair : readWindows(model, options)) {
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
  std::sort(answers.begin(), answers.end(), isBetter);
  return answers;
}

/// Whether token `token` of the context has more around it in window `index` than in any other.
static bool seesMost(const std::vector<Pair> &windows, size_t index, size_t token) {
  auto context = [&](const Pair &window) {
    const size_t length = window.contextEnd - window.contextStart;
    if (token < window.firstToken || token >= window.firstToken + length)
      return -1.0;
    const size_t before = token - window.firstToken;
    // The reference prefers the longer window where both sides are equal.
    return static_cast<double>(std::min(before, length - 1 - before)) + 0.01 * static_cast<double>(length);
  };
  for (size_t i = 0; i < windows.size(); ++i)
    if (context(windows[i]) > context(windows[index]) ||
        (i < index && context(windows[i]) == context(windows[index])))
      return false;
  return true;
}

/// Sets the text of an answer, which a token that is a blank neither begins nor ends.
static void stripBlanks(Answer &answer, const std::string &context) {
  constexpr char blanks[] = " \t\r\n";
  const std::string text = codePoints(context, answer.start, answer.end);
  const size_t first = text.find_first_not_of(blanks);
  if (first == std::string::npos)
    return;
  const size_t last = text.find_last_not_of(blanks);
  answer.start += static_cast<uint32_t>(first);
  answer.end -= static_cast<uint32_t>(text.size() - 1 - last);
  answer.text = text.substr(first, last + 1 - first);
}

/// As compute_predictions_log_probs() of transformers' SQuAD metrics, for heads that give the likeliest first
/// tokens and for each the likeliest last ones: the score of a span is its share of exp(P(start) + P(end))
/// among the best spans with different texts. Another output says how likely there is no answer; the
/// reference leaves the decision to its caller, here it is made at even odds.
static std::vector<Answer> findBeamAnswers(TextModel &model, const AnswerOptions &options) {
  constexpr size_t numBest = 20; // The reference's n_best_size.
  const std::optional<TokenId> cls = model.tokenizer().roleId("cls_token");
  std::vector<Answer> answers;
  double noAnswer = std::numeric_limits<double>::infinity(); // Log-odds.
  const std::vector<Pair> windows = readWindows(model, options);
  for (size_t index = 0; index < windows.size(); ++index) {
    const Pair &pair = windows[index];
    const std::vector<TokenId> &ids = pair.encoding.ids;
    const auto length = static_cast<int64_t>(ids.size());
    const auto clsAt = cls ? std::find(ids.begin(), ids.end(), *cls) : ids.end();
    const int64_t clsIndex = clsAt == ids.end() ? -1 : clsAt - ids.begin();
    std::vector<float> isOutside(ids.size(), 1);
    std::fill(isOutside.begin() + pair.contextStart, isOutside.begin() + pair.contextEnd, 0.0f);
    if (clsIndex >= 0)
      isOutside[clsIndex] = 0;
    const TextModel::Batch batch = model.forward(
        std::vector<Encoding>{pair.encoding}, /*padsLeft=*/false,
        {{"p_mask", DType::f32, {1, length}, isOutside.data()}, {"cls_index", DType::i64, {1}, &clsIndex}});
    noAnswer = std::min<double>(noAnswer, *batch.floats("cls_logits"));
    const float *startScores = batch.floats("start_top_log_probs"),
                *endScores = batch.floats("end_top_log_probs");
    const int64_t *starts = batch.integers("start_top_index"), *ends = batch.integers("end_top_index");
    const int64_t numStarts = batch.output("start_top_index").shape[1],
                  numEnds = batch.output("end_top_index").shape[1] / numStarts;
    for (int64_t i = 0; i < numStarts * numEnds; ++i) {
      const auto start = static_cast<size_t>(starts[i / numEnds]), end = static_cast<size_t>(ends[i]);
      // Of a row shorter than the search is wide there are fewer.
      if (i / numEnds >= length || i % numEnds >= length || start < pair.contextStart || end < start ||
          end >= pair.contextEnd || static_cast<int64_t>(end - start) >= options.maxAnswerTokens ||
          !seesMost(windows, index, pair.firstToken + start - pair.contextStart))
        continue;
      Answer next = {static_cast<double>(startScores[i / numEnds]) + endScores[i],
                     pair.encoding.offsets[start].first, pair.encoding.offsets[end].second, ""};
      stripBlanks(next, options.context);
      if (!next.text.empty())
        answers.push_back(std::move(next));
    }
  }
  std::sort(answers.begin(), answers.end(), isBetter);
  std::vector<Answer> best;
  for (Answer &each : answers)
    if (best.size() < numBest &&
        std::none_of(best.begin(), best.end(), [&](const Answer &other) { return other.text == each.text; }))
      best.push_back(std::move(each));
  double sum = 0;
  for (Answer &each : best)
    sum += each.score = std::exp(each.score);
  for (Answer &each : best)
    each.score /= sum;
  if (options.canHaveNoAnswer)
    best.insert(noAnswer > 0 ? best.begin() : best.end(), {1 / (1 + std::exp(-noAnswer)), 0, 0, ""});
  return best;
}

static void answer(const AnswerOptions &options) {
  TextModel model(options.bundle, options.threads);
  model.expectTask("answer", {"question-answering"});
  std::vector<Answer> answers =
      model.gives("start_top_index") ? findBeamAnswers(model, options) : findAnswers(model, options);
  if (static_cast<int64_t>(answers.size()) > options.top)
    answers.resize(options.top);
  nlohmann::json results = nlohmann::json::array();
  for (const Answer &each : answers)
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
      "The score of a span is P(start) P(end) over the tokens of its window; equal answers count together. "
      "Heads that search (XLNet's, XLM's and Flaubert's) are scored as docs/tasks.md says.");
  command->callback([options] { answer(*options); });
}

} // namespace sesame
