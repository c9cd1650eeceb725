//===- LogitsProcessors.cpp - Penalties, bans and forced tokens ----------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "generate/LogitsProcessors.h"
#include "generate/RowMath.h"
#include "support/Error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

using namespace sesame;

LogitsProcessor::~LogitsProcessor() = default;

namespace {

constexpr float minusInfinity = -std::numeric_limits<float>::infinity();

/// The penalty of Keskar et al. 2019 (CTRL), section 4.1: a score moves away from "likely", whatever its
/// sign.
float penalised(float score, float penalty) { return score < 0 ? score * penalty : score / penalty; }

/// Whether `ids` (of `length`) end in `suffix`.
bool endsWith(const int64_t *ids, int64_t length, const std::vector<int64_t> &suffix) {
  return int64_t(suffix.size()) <= length &&
         std::equal(suffix.begin(), suffix.end(), ids + length - suffix.size());
}

void checkToken(int64_t token, int64_t vocabSize, const char *field) {
  if (token >= vocabSize)
    throw Error(
        message(field, ": expected token ids below the vocabulary size ", vocabSize, ", found ", token));
}

/// Adds biases to tokens that would complete a sequence; with -inf, forbids bad words.
class SequenceBiasProcessor : public LogitsProcessor {
public:
  explicit SequenceBiasProcessor(const std::vector<SequenceBias> &biases) {
    // As in a Python dict, the last bias given for a sequence counts.
    std::map<std::vector<int64_t>, float> bySequence;
    for (const SequenceBias &bias : biases)
      bySequence[bias.tokens] = bias.bias;
    for (const auto &[tokens, bias] : bySequence)
      byLastToken[tokens.back()].push_back({{tokens.begin(), tokens.end() - 1}, bias});
  }

  void apply(float *scores, int64_t, const RowHistory &history, ProcessorScratch &) override {
    for (const auto &[token, entries] : byLastToken) {
      float bias = 0;
      for (const auto &[prefix, value] : entries)
        if (endsWith(history.ids, history.length, prefix))
          bias += value;
      scores[token] += bias;
    }
  }

private:
  std::map<int64_t, std::vector<std::pair<std::vector<int64_t>, float>>> byLastToken;
};

/// Divides or multiplies the scores of the tokens of `ids` once each.
void penaliseTokens(float *scores, int64_t vocabSize, const int64_t *ids, int64_t length, float penalty,
                    ProcessorScratch &scratch) {
  if (++scratch.mark == 0) { // After 2^32 rows the old marks could be taken for new ones.
    std::fill(scratch.seen.begin(), scratch.seen.end(), 0);
    scratch.mark = 1;
  }
  uint32_t mark = scratch.mark;
  for (int64_t i = 0; i < length; ++i) {
    int64_t token = ids[i];
    if (token < 0 || token >= vocabSize || scratch.seen[token] == mark)
      continue;
    scratch.seen[token] = mark;
    scores[token] = penalised(scores[token], penalty);
  }
}

class EncoderRepetitionPenalty : public LogitsProcessor {
public:
  EncoderRepetitionPenalty(double penalty, const ProcessorInputs &inputs)
      : penalty(float(1 / penalty)), inputs(inputs) {}

  void apply(float *scores, int64_t vocabSize, const RowHistory &history,
             ProcessorScratch &scratch) override {
    penaliseTokens(scores, vocabSize, inputs.sourceIds + history.input * inputs.sourceLength,
                   inputs.sourceLength, penalty, scratch);
  }

private:
  float penalty;
  ProcessorInputs inputs;
};

class RepetitionPenalty : public LogitsProcessor {
public:
  RepetitionPenalty(double penalty, const ProcessorInputs &inputs)
      : penalty(float(penalty)), leftPadding(inputs.leftPadding) {}

  void apply(float *scores, int64_t vocabSize, const RowHistory &history,
             ProcessorScratch &scratch) override {
    int64_t skip = leftPadding ? leftPadding[history.input] : 0;
    penaliseTokens(scores, vocabSize, history.ids + skip, history.length - skip, penalty, scratch);
  }

private:
  float penalty;
  const int64_t *leftPadding;
};

/// Forbids every token that followed the last n - 1 tokens of `history` somewhere in `ids` (Paulus et al.
/// 2017, section 2.5).
void banNgrams(float *scores, int64_t vocabSize, const int64_t *ids, int64_t length,
               const RowHistory &history, int64_t ngramSize) {
  const int64_t *prefix = history.ids + history.length - (ngramSize - 1);
  for (int64_t start = 0; start + ngramSize <= length; ++start) {
    int64_t token = ids[start + ngramSize - 1];
    if (token >= 0 && token < vocabSize && std::equal(ids + start, ids + start + ngramSize - 1, prefix))
      scores[token] = minusInfinity;
  }
}

class NoRepeatNgram : public LogitsProcessor {
public:
  explicit NoRepeatNgram(int64_t ngramSize) : ngramSize(ngramSize) {}

  void apply(float *scores, int64_t vocabSize, const RowHistory &history, ProcessorScratch &) override {
    if (history.length >= ngramSize)
      banNgrams(scores, vocabSize, history.ids, history.length, history, ngramSize);
  }

private:
  int64_t ngramSize;
};

class EncoderNoRepeatNgram : public LogitsProcessor {
public:
  EncoderNoRepeatNgram(int64_t ngramSize, const ProcessorInputs &inputs)
      : ngramSize(ngramSize), inputs(inputs) {}

  void apply(float *scores, int64_t vocabSize, const RowHistory &history, ProcessorScratch &) override {
    if (history.length >= ngramSize - 1)
      banNgrams(scores, vocabSize, inputs.sourceIds + history.input * inputs.sourceLength,
                inputs.sourceLength, history, ngramSize);
  }

private:
  int64_t ngramSize;
  ProcessorInputs inputs;
};

/// Forbids `tokens` while `first <= length < last`; what lies outside of the vocabulary is left out.
class SuppressTokens : public LogitsProcessor {
public:
  SuppressTokens(const std::vector<int64_t> &tokens, int64_t first, int64_t last)
      : first(first), last(last), tokens(tokens) {}

  void apply(float *scores, int64_t vocabSize, const RowHistory &history, ProcessorScratch &) override {
    if (history.length < first || history.length >= last)
      return;
    for (int64_t token : tokens)
      if (token < vocabSize)
        scores[token] = minusInfinity;
  }

private:
  int64_t first, last;
  std::vector<int64_t> tokens;
};

/// Allows `tokens` alone at one length.
class ForcedTokens : public LogitsProcessor {
public:
  ForcedTokens(const std::vector<int64_t> &tokens, int64_t length) : length(length), tokens(tokens) {}

  void apply(float *scores, int64_t vocabSize, const RowHistory &history, ProcessorScratch &) override {
    if (history.length != length)
      return;
    std::fill(scores, scores + vocabSize, minusInfinity);
    for (int64_t token : tokens)
      scores[token] = 0;
  }

private:
  int64_t length;
  std::vector<int64_t> tokens;
};

class RemoveInvalidValues : public LogitsProcessor {
public:
  void apply(float *scores, int64_t vocabSize, const RowHistory &, ProcessorScratch &) override {
    constexpr float limit = std::numeric_limits<float>::max();
    for (int64_t i = 0; i < vocabSize; ++i)
      scores[i] = scores[i] != scores[i] ? 0 : std::clamp(scores[i], -limit, limit);
  }
};

/// Lets the scores of the end tokens grow from `start` on: + |score| * (factor ** (length - start) - 1).
class ExponentialDecay : public LogitsProcessor {
public:
  ExponentialDecay(int64_t start, double factor, const std::vector<int64_t> &eos)
      : start(start), factor(factor), eos(eos) {}

  void apply(float *scores, int64_t vocabSize, const RowHistory &history, ProcessorScratch &) override {
    if (history.length <= start)
      return;
    float growth = float(std::pow(factor, double(history.length - start)) - 1);
    for (int64_t token : eos)
      if (token < vocabSize && std::isfinite(scores[token]))
        scores[token] += std::fabs(scores[token]) * growth;
  }

private:
  int64_t start;
  double factor;
  std::vector<int64_t> eos;
};

/// Times of Whisper (Radford et al. 2022, section 2.3; WhisperTimeStampLogitsProcessor): tokens from `first`
/// on, which come first, in pairs but before the end token, and never decrease. A time is taken where all
/// times together are likelier than each other token.
class Timestamps : public LogitsProcessor {
public:
  Timestamps(const GenerationConfig &config, int64_t begin)
      : first(*config.noTimestampsTokenId + 1), eos(config.eosTokenId.front()), begin(begin),
        maxInitial(config.maxInitialTimestampIndex) {}

  void apply(float *scores, int64_t vocabSize, const RowHistory &history,
             ProcessorScratch &scratch) override {
    auto forbid = [&](int64_t from, int64_t to) {
      from = std::min(from, vocabSize);
      std::fill(scores + from, scores + std::clamp(to, from, vocabSize), minusInfinity);
    };
    forbid(first - 1, first);
    const int64_t *ids = history.ids + begin, length = history.length - begin;
    const bool isLast = length >= 1 && ids[length - 1] >= first;
    const bool isBeforeLast = length < 2 || ids[length - 2] >= first;
    if (isLast && isBeforeLast)
      forbid(first, vocabSize);
    else if (isLast)
      forbid(0, eos);
    // The end of a span may be the beginning of the next; nothing ends where it begins.
    for (int64_t i = length; i-- > 0;)
      if (ids[i] >= first) {
        forbid(first, ids[i] + (isLast && !isBeforeLast ? 0 : 1));
        break;
      }
    if (length == 0) {
      forbid(0, first);
      if (maxInitial)
        forbid(first + *maxInitial + 1, vocabSize);
    }
    if (!logSoftmax(scores, scratch.values.data(), vocabSize))
      return;
    const float *times = scratch.values.data() + first;
    const int64_t numTimes = vocabSize - first;
    const float best = maximum(times, numTimes);
    if (best > minusInfinity &&
        best + std::log(sumOfExponentials(times, numTimes, best)) > maximum(scratch.values.data(), first))
      forbid(0, first);
  }

private:
  int64_t first, eos, begin;
  std::optional<int64_t> maxInitial;
};

/// The log-softmax of what is left, so that beam scores stay log-probabilities.
class Normalisation : public LogitsProcessor {
public:
  void apply(float *scores, int64_t vocabSize, const RowHistory &, ProcessorScratch &) override {
    logSoftmax(scores, scores, vocabSize);
  }
};

} // namespace

void sesame::appendProcessors(std::vector<std::unique_ptr<LogitsProcessor>> &list,
                              const GenerationConfig &config, const ProcessorInputs &inputs) {
  auto append = [&](auto *processor) { list.emplace_back(processor); };
  constexpr int64_t always = std::numeric_limits<int64_t>::max();
  int64_t vocabSize = inputs.vocabSize;

  if (!config.sequenceBias.empty()) {
    for (const SequenceBias &bias : config.sequenceBias)
      for (int64_t token : bias.tokens)
        checkToken(token, vocabSize, "sequence_bias");
    append(new SequenceBiasProcessor(config.sequenceBias));
  }
  bool hasSource = inputs.sourceIds && inputs.sourceLength > 0;
  if (config.encoderRepetitionPenalty != 1.0 && hasSource)
    append(new EncoderRepetitionPenalty(config.encoderRepetitionPenalty, inputs));
  if (config.repetitionPenalty != 1.0)
    append(new RepetitionPenalty(config.repetitionPenalty, inputs));
  if (config.noRepeatNgramSize > 0)
    append(new NoRepeatNgram(config.noRepeatNgramSize));
  if (config.encoderNoRepeatNgramSize > 0 && hasSource)
    append(new EncoderNoRepeatNgram(config.encoderNoRepeatNgramSize, inputs));
  if (!config.badWordsIds.empty()) {
    std::vector<SequenceBias> biases;
    for (const std::vector<int64_t> &word : config.badWordsIds) {
      for (int64_t token : word)
        checkToken(token, vocabSize, "bad_words_ids");
      // The end of the sequence alone is no bad word, else nothing would ever end.
      bool isEos =
          word.size() == 1 && std::count(config.eosTokenId.begin(), config.eosTokenId.end(), word[0]) > 0;
      if (!isEos)
        biases.push_back({word, minusInfinity});
    }
    if (!biases.empty())
      append(new SequenceBiasProcessor(biases));
  }
  if (inputs.minLength > 0 && !config.eosTokenId.empty())
    append(new SuppressTokens(config.eosTokenId, 0, inputs.minLength));
  if (config.forcedBosTokenId) {
    checkToken(*config.forcedBosTokenId, vocabSize, "forced_bos_token_id");
    append(new ForcedTokens({*config.forcedBosTokenId}, 1));
  }
  if (!config.forcedEosTokenId.empty()) {
    for (int64_t token : config.forcedEosTokenId)
      checkToken(token, vocabSize, "forced_eos_token_id");
    append(new ForcedTokens(config.forcedEosTokenId, inputs.maxLength - 1));
  }
  if (config.removeInvalidValues)
    append(new RemoveInvalidValues());
  if (config.exponentialDecayLengthPenalty)
    append(new ExponentialDecay(config.exponentialDecayLengthPenalty->first + inputs.promptLength,
                                config.exponentialDecayLengthPenalty->second, config.eosTokenId));
  if (!config.suppressTokens.empty())
    append(new SuppressTokens(config.suppressTokens, 0, always));
  if (!config.beginSuppressTokens.empty()) {
    // A forced first token comes before the first free one.
    int64_t begin =
        inputs.promptLength > 1 || !config.forcedBosTokenId ? inputs.promptLength : inputs.promptLength + 1;
    append(new SuppressTokens(config.beginSuppressTokens, begin, begin + 1));
  }
  if (config.returnTimestamps) {
    checkToken(*config.noTimestampsTokenId + 1, vocabSize, "no_timestamps_token_id: the first time");
    append(new Timestamps(config, inputs.promptLength));
  }
}

ProcessorScratch::ProcessorScratch(int64_t vocabSize)
    : candidates(size_t(vocabSize)), values(size_t(vocabSize)), order(size_t(vocabSize)),
      seen(size_t(vocabSize)) {}

LogitsPipeline::LogitsPipeline(const GenerationConfig &config, const ProcessorInputs &inputs)
    : vocabSize(inputs.vocabSize), scratch(0) {
  if (vocabSize < 1 || vocabSize > std::numeric_limits<int32_t>::max())
    throw Error(message("vocabulary size: expected 1 to 2^31 - 1, found ", vocabSize));
  appendProcessors(processors, config, inputs);
  if (config.doSample)
    appendWarpers(processors, config);
  if (config.renormalizeLogits)
    processors.push_back(std::make_unique<Normalisation>());
  if (!processors.empty())
    scratch = ProcessorScratch(vocabSize);
}

LogitsPipeline::~LogitsPipeline() = default;

void LogitsPipeline::apply(float *scores, const RowHistory &history) {
  scratch.hasCandidates = false;
  for (const std::unique_ptr<LogitsProcessor> &processor : processors)
    processor->apply(scores, vocabSize, history, scratch);
}
