//===- BeamSearch.cpp - Beam search as transformers does it --------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A restatement of `_beam_search` of transformers 5.x: the scores are float and
// are combined in the same order, and "impossible" is -1e9 there too, so that
// ids and scores agree. In words, for each input: there are `num_beams` running
// beams and as many places for finished hypotheses. A step looks at the
// (number of end tokens + 1) * num_beams best continuations of all running
// beams. Those among the first num_beams that end here compete for the
// finished places with score logp / length ** length_penalty; the best
// num_beams that do not end run on.
//
// With `gnmt_alpha` it is the search of Vaswani et al. 2017, section 6.1: scores
// are logp / ((5 + length) / 6) ** alpha; an input is done when num_beams
// hypotheses have finished; if the tokens run out before that, what is still
// running counts too.
//
//===----------------------------------------------------------------------===//

#include "generate/Random.h"
#include "generate/RowMath.h"
#include "generate/Search.h"
#include "generate/TopK.h"
#include "support/Error.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace sesame;

namespace {

constexpr float impossible = -1.0e9f;

/// A running beam with one more token.
struct Continuation {
  float logP;
  int64_t beam; // in [0, num_beams)
  int64_t token;
  bool ends;
};

/// The beams of all inputs. Sequences lie in [input, beam, maxLength]; each of the two sets has a second copy
/// that a step fills from the first.
class BeamSearch {
public:
  explicit BeamSearch(const SearchRequest &request);

  GenerationResult run();

private:
  void findContinuations(const float *logits, int64_t input, bool isFirst);
  void chooseRunning(int64_t input);
  void chooseFinished(int64_t input);
  bool isFull(int64_t input) const;
  float lengthNormaliser(int64_t newTokens) const;
  bool stopsAsTransformers();
  bool stopsAsGnmt();
  void finishRunning(int64_t input);
  bool canImprove(int64_t input) const;
  GenerationResult result() const;

  bool isGnmt() const { return config.gnmtAlpha.has_value(); }

  int64_t *sequence(std::vector<int64_t> &sequences, int64_t input, int64_t beam) {
    return sequences.data() + (input * numBeams + beam) * maxLength;
  }

  const SearchRequest &request;
  const GenerationConfig &config;
  int64_t numInputs, numBeams, numContinuations, vocabSize, maxLength, promptLength;
  int64_t length; // tokens of a running beam before this step
  LogitsPipeline pipeline;
  std::vector<float> scores; // of the input at hand, [V]; when sampling, [num_beams, V]
  TopK best, bestRunning, bestFinished;
  std::vector<Continuation> continuations; // of the input at hand, best first
  std::vector<int64_t> candidate;          // [maxLength], for stop strings

  std::vector<int64_t> running, nextRunning, finished, nextFinished;
  std::vector<float> runningScores, finishedScores, nextFinishedScores; // [input, beam]
  std::vector<int64_t> finishedLengths, nextFinishedLengths;            // [input, beam]: new tokens
  std::vector<char> isFinished, nextIsFinished;                         // [input, beam]
  std::vector<char> mayImprove, allEnd;                                 // [input]
  std::vector<int32_t> parents;                                         // [input, beam]
  std::vector<int64_t> nextIds;                                         // [input, beam]
};

BeamSearch::BeamSearch(const SearchRequest &request)
    : request(request), config(request.config), numInputs(request.input.rows), numBeams(config.numBeams),
      numContinuations(std::max<int64_t>(2, 1 + int64_t(config.eosTokenId.size())) * numBeams),
      vocabSize(request.processors.vocabSize), maxLength(request.maxLength),
      promptLength(request.input.length), length(promptLength), pipeline(config, request.processors),
      best(numContinuations), bestRunning(numBeams), bestFinished(numBeams) {
  if (vocabSize < 2 || numContinuations > numBeams * vocabSize)
    throw Error(message("num_beams: expected a vocabulary of at least ", numContinuations / numBeams,
                        " tokens to continue ", numBeams, " beams with, found ", vocabSize));
  continuations.resize(size_t(numContinuations));
  candidate.resize(request.hooks.shouldStop ? size_t(maxLength) : 0);
  if (numBeams * vocabSize >= int64_t(1) << 32) // What one draw of `uniform` can number.
    throw Error(message("num_beams: expected num_beams x vocabulary size below 2^32, found ", numBeams, " x ",
                        vocabSize));
  scores.resize(size_t(config.doSample ? numBeams * vocabSize : vocabSize));
  size_t rows = size_t(numInputs * numBeams);
  // transformers takes an end token where the padding token is 0, which Python holds for false. Sequences of
  // a beam search that ended by a stop string alone can be padded only if there is a padding token.
  int64_t padId = config.padTokenId.value_or(-1);
  if (!config.eosTokenId.empty() && (isGnmt() ? padId < 0 : padId <= 0))
    padId = config.eosTokenId[0];
  running.assign(rows * size_t(maxLength), padId);
  for (size_t row = 0; row < rows; ++row)
    std::copy_n(request.input.ids.data() + int64_t(row) / numBeams * promptLength, promptLength,
                running.data() + int64_t(row) * maxLength);
  nextRunning = finished = nextFinished = running;
  // Only the first beam counts at first, else all would be the same.
  runningScores.assign(rows, impossible);
  for (int64_t input = 0; input < numInputs; ++input)
    runningScores[size_t(input * numBeams)] = 0;
  finishedScores.assign(rows, impossible);
  nextFinishedScores = finishedScores;
  finishedLengths.assign(rows, 0);
  nextFinishedLengths = finishedLengths;
  isFinished.assign(rows, 0);
  nextIsFinished = isFinished;
  mayImprove.assign(size_t(numInputs), 1);
  allEnd.assign(size_t(numInputs), 0);
  parents.resize(rows);
  nextIds.resize(rows);
}

/// Fills `continuations` with the best of an input: by score, or drawn without replacement in proportion to
/// exp(score).
void BeamSearch::findContinuations(const float *logits, int64_t input, bool isFirst) {
  best.clear();
  for (int64_t beam = 0; beam < numBeams; ++beam) {
    int64_t row = input * numBeams + beam;
    // The prompt is run once for each input.
    const float *rowLogits = logits + (isFirst ? input : row) * vocabSize;
    float *rowScores = scores.data() + (config.doSample ? beam * vocabSize : 0);
    if (!logSoftmax(rowLogits, rowScores, vocabSize)) {
      if (!config.removeInvalidValues)
        throw Error(message("generation, row ", row, ", token ", length,
                            ": expected finite logits from the model, found NaN or infinity"));
      std::fill_n(rowScores, vocabSize, std::numeric_limits<float>::quiet_NaN());
    }
    if (!pipeline.empty())
      pipeline.apply(rowScores, {running.data() + row * maxLength, length, input});
    float soFar = runningScores[size_t(row)];
    if (!config.doSample) {
      for (int64_t i = 0; i < vocabSize; ++i)
        rowScores[i] += soFar;
      best.scan(rowScores, vocabSize, beam * vocabSize);
      continue;
    }
    // The largest of logp + Gumbel noise are a sample without replacement (Kool et al. 2019, section 2.3).
    auto show = [&](int64_t token) {
      float noisy = rowScores[token] += soFar;
      if (noisy > -std::numeric_limits<float>::infinity()) {
        double u = uniform(config.seed, uint64_t(input), uint32_t(length - promptLength),
                           uint32_t(beam * vocabSize + token));
        noisy = float(double(noisy) - std::log(-std::log(std::max(u, 0x1p-54))));
      }
      best.push(noisy, beam * vocabSize + token);
    };
    // What is not among the candidates scores -inf: it is needed only where there are too few of them.
    const int32_t *candidates = pipeline.candidates();
    if (candidates && pipeline.numCandidates() >= numContinuations)
      std::for_each(candidates, candidates + pipeline.numCandidates(), show);
    else
      for (int64_t token = 0; token < vocabSize; ++token)
        show(token);
  }

  // transformers: the end of the tokens or of the time ends a hypothesis as an end token does.
  bool isLast = !isGnmt() && (length + 1 >= maxLength || request.isLate());
  const std::vector<TopK::Entry> &chosen = best.sorted();
  for (size_t rank = 0; rank < chosen.size(); ++rank) {
    int64_t beam = chosen[rank].index / vocabSize, token = chosen[rank].index % vocabSize;
    float logP = config.doSample ? scores[size_t(chosen[rank].index)] : chosen[rank].value;
    bool ends = isLast || request.isEos(token);
    if (!ends && request.hooks.shouldStop) {
      std::copy_n(sequence(running, input, beam), length, candidate.begin());
      candidate[size_t(length)] = token;
      ends = request.hooks.shouldStop(candidate.data(), length + 1);
    }
    continuations[rank] = {logP, beam, token, ends};
  }
}

/// The best continuations that do not end here become the running beams.
void BeamSearch::chooseRunning(int64_t input) {
  bestRunning.clear();
  bool all = true;
  for (size_t rank = 0; rank < continuations.size(); ++rank) {
    bestRunning.push(continuations[rank].logP + (continuations[rank].ends ? impossible : 0.0f),
                     int64_t(rank));
    all &= continuations[rank].ends;
  }
  allEnd[size_t(input)] = all;
  const std::vector<TopK::Entry> &chosen = bestRunning.sorted();
  for (int64_t beam = 0; beam < numBeams; ++beam) {
    const Continuation &next = continuations[size_t(chosen[size_t(beam)].index)];
    size_t row = size_t(input * numBeams + beam);
    int64_t *target = sequence(nextRunning, input, beam);
    std::copy_n(sequence(running, input, next.beam), length, target);
    target[length] = next.token;
    runningScores[row] = chosen[size_t(beam)].value;
    parents[row] = int32_t(input * numBeams + next.beam);
    nextIds[row] = next.token;
  }
}

bool BeamSearch::isFull(int64_t input) const {
  auto first = isFinished.begin() + input * numBeams;
  return std::all_of(first, first + numBeams, [](char flag) { return flag != 0; });
}

float BeamSearch::lengthNormaliser(int64_t newTokens) const {
  return isGnmt() ? float(std::pow((5.0 + double(newTokens)) / 6.0, *config.gnmtAlpha))
                  : float(std::pow(double(newTokens), config.lengthPenalty));
}

/// The best of what has finished before and of what finishes now keep the finished places.
void BeamSearch::chooseFinished(int64_t input) {
  size_t firstRow = size_t(input * numBeams);
  bool isClosed = isFull(input) && (isGnmt() || config.earlyStopping == EarlyStopping::Yes);
  float divisor = lengthNormaliser(length + 1 - promptLength);
  bestFinished.clear();
  for (int64_t beam = 0; beam < numBeams; ++beam)
    bestFinished.push(finishedScores[firstRow + size_t(beam)], beam);
  for (int64_t rank = 0; rank < numContinuations; ++rank) {
    const Continuation &next = continuations[size_t(rank)];
    float score = next.logP / divisor;
    score += isClosed ? impossible : 0.0f;
    score += !mayImprove[size_t(input)] ? impossible : 0.0f;
    score += !(next.ends && rank < numBeams) ? impossible : 0.0f;
    bestFinished.push(score, numBeams + rank);
  }
  const std::vector<TopK::Entry> &chosen = bestFinished.sorted();
  for (int64_t beam = 0; beam < numBeams; ++beam) {
    int64_t source = chosen[size_t(beam)].index;
    size_t row = firstRow + size_t(beam);
    int64_t *target = sequence(nextFinished, input, beam);
    if (source < numBeams) {
      std::copy_n(sequence(finished, input, source), maxLength, target);
      nextFinishedLengths[row] = finishedLengths[firstRow + size_t(source)];
      nextIsFinished[row] = isFinished[firstRow + size_t(source)];
    } else {
      const Continuation &next = continuations[size_t(source - numBeams)];
      // `running` is filled up with padding behind `length`.
      std::copy_n(sequence(running, input, next.beam), maxLength, target);
      target[length] = next.token;
      nextFinishedLengths[row] = length + 1 - promptLength;
      nextIsFinished[row] = next.ends && source - numBeams < numBeams;
    }
    nextFinishedScores[row] = chosen[size_t(beam)].value;
  }
}

/// Whether the best running beam could still beat the worst finished hypothesis, as `early_stopping`
/// estimates it.
bool BeamSearch::canImprove(int64_t input) const {
  size_t firstRow = size_t(input * numBeams), lastRow = firstRow + size_t(numBeams);
  bool usesMaxLength = config.earlyStopping == EarlyStopping::Never && config.lengthPenalty > 0;
  float bestPossible =
      runningScores[firstRow] / lengthNormaliser((usesMaxLength ? maxLength : length) - promptLength);
  float worstFinished = std::numeric_limits<float>::infinity();
  for (size_t row = firstRow; row < lastRow; ++row)
    worstFinished = std::min(worstFinished, isFinished[row] ? finishedScores[row] : impossible);
  return bestPossible > worstFinished;
}

/// Called after a step; `length` counts its tokens.
bool BeamSearch::stopsAsTransformers() {
  bool improvementPossible = false, allClosed = config.earlyStopping == EarlyStopping::Yes, allOver = true;
  for (int64_t input = 0; input < numInputs; ++input) {
    mayImprove[size_t(input)] = mayImprove[size_t(input)] && canImprove(input);
    improvementPossible |= mayImprove[size_t(input)] != 0;
    allClosed &= isFull(input);
    allOver &= allEnd[size_t(input)] != 0;
  }
  return !improvementPossible || allClosed || allOver;
}

bool BeamSearch::stopsAsGnmt() {
  bool allFull = true;
  for (int64_t input = 0; input < numInputs; ++input)
    allFull &= isFull(input);
  if (allFull)
    return true;
  if (length < maxLength && !request.isLate())
    return false;
  for (int64_t input = 0; input < numInputs; ++input)
    if (!isFull(input))
      finishRunning(input);
  return true;
}

/// Lets the running beams of an input compete for the finished places as they are.
void BeamSearch::finishRunning(int64_t input) {
  size_t firstRow = size_t(input * numBeams);
  float divisor = lengthNormaliser(length - promptLength);
  bestFinished.clear();
  for (int64_t beam = 0; beam < numBeams; ++beam) {
    bestFinished.push(finishedScores[firstRow + size_t(beam)], beam);
    bestFinished.push(runningScores[firstRow + size_t(beam)] / divisor, numBeams + beam);
  }
  const std::vector<TopK::Entry> &chosen = bestFinished.sorted();
  for (int64_t beam = 0; beam < numBeams; ++beam) {
    int64_t source = chosen[size_t(beam)].index;
    bool wasFinished = source < numBeams;
    std::copy_n(sequence(wasFinished ? finished : running, input, source % numBeams), maxLength,
                sequence(nextFinished, input, beam));
    nextFinishedLengths[firstRow + size_t(beam)] =
        wasFinished ? finishedLengths[firstRow + size_t(source)] : length - promptLength;
    nextFinishedScores[firstRow + size_t(beam)] = chosen[size_t(beam)].value;
  }
  std::copy_n(sequence(nextFinished, input, 0), numBeams * maxLength, sequence(finished, input, 0));
  std::copy_n(nextFinishedLengths.begin() + firstRow, numBeams, finishedLengths.begin() + firstRow);
  std::copy_n(nextFinishedScores.begin() + firstRow, numBeams, finishedScores.begin() + firstRow);
}

GenerationResult BeamSearch::run() {
  request.model.begin(numInputs, numBeams, maxLength - 1);
  const float *logits =
      request.model.step(request.input.ids.data(),
                         request.input.mask.empty() ? nullptr : request.input.mask.data(), promptLength);
  while (true) {
    bool isFirst = length == promptLength;
    for (int64_t input = 0; input < numInputs; ++input) {
      findContinuations(logits, input, isFirst);
      chooseRunning(input);
      chooseFinished(input);
    }
    running.swap(nextRunning);
    finished.swap(nextFinished);
    finishedScores.swap(nextFinishedScores);
    finishedLengths.swap(nextFinishedLengths);
    isFinished.swap(nextIsFinished);
    ++length;
    if (isGnmt() ? stopsAsGnmt() : stopsAsTransformers())
      return result();

    if (isFirst)
      request.model.fork(numBeams); // All beams of an input have the same past: nothing to reorder.
    else
      request.model.reorder(parents.data());
    logits = request.model.step(nextIds.data(), nullptr, 1);
  }
}

/// The best `num_return_sequences` of each input. transformers cuts off what is padding in all rows.
GenerationResult BeamSearch::result() const {
  GenerationResult result;
  result.rows = numInputs * config.numReturnSequences;
  result.promptLength = promptLength;
  auto sourceOf = [&](int64_t row) {
    return row / config.numReturnSequences * numBeams + row % config.numReturnSequences;
  };
  int64_t longest = isGnmt() ? maxLength - promptLength : 0;
  for (int64_t row = 0; row < result.rows; ++row) {
    size_t source = size_t(sourceOf(row));
    result.newTokens.push_back(finishedLengths[source]);
    result.sequenceScores.push_back(finishedScores[source]);
    longest = std::max(longest, finishedLengths[source]);
  }
  result.length = promptLength + longest;
  for (int64_t row = 0; row < result.rows; ++row) {
    const int64_t *ids = finished.data() + sourceOf(row) * maxLength;
    result.sequences.insert(result.sequences.end(), ids, ids + result.length);
  }
  return result;
}

} // namespace

GenerationResult sesame::searchBeams(const SearchRequest &request) { return BeamSearch(request).run(); }
