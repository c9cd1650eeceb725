//===- ModelsForTest.h - Step models that are obviously right ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TEST_GENERATE_MODELSFORTEST_H
#define SESAME_TEST_GENERATE_MODELSFORTEST_H

#include "generate/Random.h"
#include "generate/StepModel.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <vector>

namespace sesame::test {

/// A model given by a function from the real tokens of a row (padding left out) to logits. It remembers each
/// row's tokens and nothing else, so every mistake in `fork`, `reorder` or in what is fed changes the logits.
class HistoryModel : public StepModel {
public:
  using Logits = std::function<std::vector<float>(const std::vector<int64_t> &history)>;
  /// For an encoder-decoder model, whose rows have a source besides their history.
  using InputLogits = std::function<std::vector<float>(const std::vector<int64_t> &history, int64_t input)>;

  HistoryModel(int64_t vocabSize, int64_t maxLength, Logits logits)
      : HistoryModel(vocabSize, maxLength, InputLogits([=](const std::vector<int64_t> &history, int64_t) {
                       return logits(history);
                     })) {}
  HistoryModel(int64_t vocabSize, int64_t maxLength, InputLogits logits)
      : vocabulary(vocabSize), limit(maxLength), function(std::move(logits)) {}

  int64_t vocabSize() const override { return vocabulary; }
  int64_t maxLength() const override { return limit; }

  void begin(int64_t numInputs, int64_t rowsPerInput, int64_t capacity) override {
    histories.assign(size_t(numInputs), {});
    numSources = numInputs;
    mostRows = numInputs * rowsPerInput;
    mostTokens = capacity;
    numSteps = numFed = 0;
  }

  const float *step(const int64_t *ids, const int64_t *mask, int64_t length) override {
    ++numSteps;
    numFed += length;
    if (numFed > mostTokens)
      throw std::logic_error("more tokens than begin() was told of");
    result.clear();
    for (size_t row = 0; row < histories.size(); ++row) {
      for (int64_t i = 0; i < length; ++i)
        if (!mask || mask[int64_t(row) * length + i])
          histories[row].push_back(ids[int64_t(row) * length + i]);
      std::vector<float> logits =
          function(histories[row], int64_t(row) * numSources / int64_t(histories.size()));
      result.insert(result.end(), logits.begin(), logits.end());
    }
    return result.data();
  }

  void fork(int64_t factor) override {
    std::vector<std::vector<int64_t>> forked;
    for (const std::vector<int64_t> &history : histories)
      forked.insert(forked.end(), size_t(factor), history);
    histories = std::move(forked);
    if (int64_t(histories.size()) > mostRows)
      throw std::logic_error("more rows than begin() was told of");
  }

  void reorder(const int32_t *parents) override {
    std::vector<std::vector<int64_t>> reordered;
    for (size_t row = 0; row < histories.size(); ++row)
      reordered.push_back(histories[size_t(parents[row])]);
    histories = std::move(reordered);
  }

  int64_t numSteps = 0;

private:
  int64_t vocabulary, limit, mostRows = 0, mostTokens = 0, numFed = 0, numSources = 0;
  InputLogits function;
  std::vector<std::vector<int64_t>> histories;
  std::vector<float> result;
};

/// Logits that look random and depend on every token of the history, spread over (-scale, scale).
inline HistoryModel::Logits hashedLogits(int64_t vocabSize, uint64_t seed, float scale) {
  return [=](const std::vector<int64_t> &history) {
    uint64_t key = seed * 0x9E3779B97F4A7C15ull + 1;
    for (int64_t token : history)
      key = (key ^ uint64_t(token + 1)) * 0x100000001B3ull;
    std::vector<float> logits;
    for (int64_t token = 0; token < vocabSize; ++token)
      logits.push_back(float(2 * uniform(key, uint64_t(token), 7, 7) - 1) * scale);
    return logits;
  };
}

} // namespace sesame::test

#endif // SESAME_TEST_GENERATE_MODELSFORTEST_H
