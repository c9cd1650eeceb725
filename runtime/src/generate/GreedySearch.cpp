//===- GreedySearch.cpp - One token after another ------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "generate/Random.h"
#include "generate/RowMath.h"
#include "generate/Search.h"
#include "support/Error.h"

#include <algorithm>
#include <cmath>

using namespace sesame;

namespace {

/// Draws an index with probability exp(score) / sum: the first one at which the running sum passes u * sum.
class Sampler {
public:
  Sampler(uint64_t seed, int64_t vocabSize) : seed(seed), weights(size_t(vocabSize)) {}

  int64_t draw(const float *scores, int64_t vocabSize, const LogitsPipeline &pipeline, int64_t row,
               int64_t step) {
    const int32_t *candidates = pipeline.candidates();
    int64_t count = candidates ? pipeline.numCandidates() : vocabSize;
    const float *values = scores;
    if (candidates) {
      for (int64_t j = 0; j < count; ++j)
        weights[size_t(j)] = scores[candidates[j]];
      values = weights.data();
    }
    float largest = count > 0 ? maximum(values, count) : 0;
    if (count == 0 || !std::isfinite(largest))
      throw Error(message("generation, row ", row,
                          ": expected a token with a finite score to draw from, found none"));
    double sum = exponentials(values, weights.data(), count, largest);
    double target = uniform(seed, uint64_t(row), uint32_t(step), 0) * sum;
    int64_t chosen = 0;
    double running = 0;
    for (int64_t j = 0; j < count; ++j) {
      if (weights[size_t(j)] > 0)
        chosen = j; // Rounding may leave the last sum below the target: then the last possible token it is.
      running += double(weights[size_t(j)]);
      if (running > target)
        break;
    }
    return candidates ? candidates[chosen] : chosen;
  }

private:
  uint64_t seed;
  std::vector<float> weights;
};

} // namespace

GenerationResult sesame::searchGreedily(const SearchRequest &request) {
  const GenerationConfig &config = request.config;
  const GenerationInput &input = request.input;
  int64_t vocabSize = request.processors.vocabSize, maxLength = request.maxLength;
  int64_t rowsPerInput = config.numReturnSequences, rows = input.rows * rowsPerInput;
  int64_t padId = config.padTokenId           ? *config.padTokenId
                  : config.eosTokenId.empty() ? 0
                                              : config.eosTokenId[0];

  // What a finished row is fed. A padding token that was added to a tokenizer may have no embedding.
  int64_t feedId = padId < vocabSize ? padId : 0;

  std::vector<int64_t> sequences(size_t(rows * maxLength), padId); // [rows, maxLength]
  std::vector<int64_t> newTokens(size_t(rows), 0), nextIds(size_t(rows), feedId);
  std::vector<char> finished(size_t(rows), 0);
  for (int64_t row = 0; row < rows; ++row)
    std::copy_n(input.ids.data() + row / rowsPerInput * input.length, input.length,
                sequences.data() + row * maxLength);

  LogitsPipeline pipeline(config, request.processors);
  std::vector<float> scratch(pipeline.empty() ? 0 : size_t(vocabSize));
  Sampler sampler(config.seed, config.doSample ? vocabSize : 0);

  request.model.begin(input.rows, rowsPerInput, maxLength - 1);
  const float *logits =
      request.model.step(input.ids.data(), input.mask.empty() ? nullptr : input.mask.data(), input.length);
  int64_t length = input.length, numUnfinished = rows;
  while (true) {
    bool isFirst = length == input.length, isCancelled = false;
    for (int64_t row = 0; row < rows; ++row) {
      if (finished[size_t(row)])
        continue;
      int64_t *ids = sequences.data() + row * maxLength;
      // The prompt is run once for each input; its rows part only now.
      const float *scores = logits + (isFirst ? row / rowsPerInput : row) * vocabSize;
      bool mayHoldNaN = !config.removeInvalidValues;
      if (mayHoldNaN && config.doSample && std::isnan(maximum(scores, vocabSize)))
        throw Error(message("generation, row ", row, ", token ", length, ": the model's logits hold NaN"));
      if (!pipeline.empty()) {
        std::copy(scores, scores + vocabSize, scratch.begin());
        pipeline.apply(scratch.data(), {ids, length, row / rowsPerInput});
        scores = scratch.data();
      }
      int64_t token = config.doSample ? sampler.draw(scores, vocabSize, pipeline, row, length - input.length)
                                      : argmax(scores, vocabSize);
      if (token < 0)
        throw Error(message("generation, row ", row, ", token ", length, ": the model's logits are all NaN"));
      ids[length] = token;
      nextIds[size_t(row)] = token;
      ++newTokens[size_t(row)];
      if (request.hooks.onToken && !request.hooks.onToken(row, token))
        isCancelled = true;
      if (request.isEos(token) || (request.hooks.shouldStop && request.hooks.shouldStop(ids, length + 1))) {
        finished[size_t(row)] = 1;
        nextIds[size_t(row)] = feedId;
        --numUnfinished;
      }
    }
    ++length;
    if (length == maxLength || numUnfinished == 0 || isCancelled || request.isLate())
      break;
    if (isFirst && rowsPerInput > 1)
      request.model.fork(rowsPerInput);
    logits = request.model.step(nextIds.data(), nullptr, 1);
  }

  GenerationResult result;
  result.rows = rows;
  result.length = length;
  result.promptLength = input.length;
  result.newTokens = std::move(newTokens);
  result.sequences.resize(size_t(rows * length));
  for (int64_t row = 0; row < rows; ++row)
    std::copy_n(sequences.data() + row * maxLength, length, result.sequences.data() + row * length);
  return result;
}
