//===- LogitsProcessorsTest.cpp - Each processor against its definition --===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The expected rows of the warpers come from full sorts over the vocabulary, as
// transformers has them; the code under test never sorts.
//
//===----------------------------------------------------------------------===//

#include "generate/LogitsProcessors.h"
#include "generate/Random.h"
#include "generate/RowMath.h"
#include "generate/TopK.h"
#include "support/Error.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

using namespace sesame;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
using Row = std::vector<float>;

/// What a pipeline of these settings makes of a row that continues `ids`.
Row process(const char *settings, Row scores, std::vector<int64_t> ids, ProcessorInputs inputs = {}) {
  GenerationConfig config;
  config.update(nlohmann::json::parse(settings), "test");
  inputs.vocabSize = int64_t(scores.size());
  LogitsPipeline pipeline(config, inputs);
  EXPECT_FALSE(pipeline.empty()) << settings;
  pipeline.apply(scores.data(), {ids.data(), int64_t(ids.size()), 0});
  if (const int32_t *candidates = pipeline.candidates()) {
    std::vector<int32_t> expected;
    for (size_t i = 0; i < scores.size(); ++i)
      if (scores[i] > -inf)
        expected.push_back(int32_t(i));
    EXPECT_EQ(std::vector<int32_t>(candidates, candidates + pipeline.numCandidates()), expected) << settings;
  }
  return scores;
}

TEST(ProcessorTest, RepetitionPenaltyCountsATokenOnce) {
  EXPECT_EQ(process(R"({"repetition_penalty": 2})", {4, -4, 6, -6, 1}, {0, 1, 0, 1, 0}),
            (Row{2, -8, 6, -6, 1}));
  int64_t padding = 2;
  ProcessorInputs inputs;
  inputs.leftPadding = &padding;
  EXPECT_EQ(process(R"({"repetition_penalty": 2})", {4, -4, 6, -6, 1}, {0, 0, 1}, inputs),
            (Row{4, -8, 6, -6, 1}));
}

TEST(ProcessorTest, EncoderRepetitionPenaltyFavoursTheSource) {
  std::vector<int64_t> source{2, 3, 2};
  ProcessorInputs inputs;
  inputs.sourceIds = source.data();
  inputs.sourceLength = 3;
  EXPECT_EQ(process(R"({"encoder_repetition_penalty": 2})", {4, -4, 6, -6, 1}, {0}, inputs),
            (Row{4, -4, 12, -3, 1}));
}

TEST(ProcessorTest, NoRepeatNgram) {
  // 1 2 was followed by 3 and 4, and the sequence ends in 1 2.
  std::vector<int64_t> ids{1, 2, 3, 1, 2, 4, 0, 1, 2};
  EXPECT_EQ(process(R"({"no_repeat_ngram_size": 3})", Row(6, 1), ids), (Row{1, 1, 1, -inf, -inf, 1}));
  EXPECT_EQ(process(R"({"no_repeat_ngram_size": 1})", Row(6, 1), {1, 5}), (Row{1, -inf, 1, 1, 1, -inf}));
  EXPECT_EQ(process(R"({"no_repeat_ngram_size": 3})", Row(6, 1), {1, 2}), Row(6, 1));
  EXPECT_EQ(process(R"({"no_repeat_ngram_size": 2})", Row(6, 1), {3, 3}), (Row{1, 1, 1, -inf, 1, 1}));
}

TEST(ProcessorTest, EncoderNoRepeatNgram) {
  std::vector<int64_t> source{1, 2, 3, 1, 4};
  ProcessorInputs inputs;
  inputs.sourceIds = source.data();
  inputs.sourceLength = 5;
  EXPECT_EQ(process(R"({"encoder_no_repeat_ngram_size": 2})", Row(6, 1), {5, 1}, inputs),
            (Row{1, 1, -inf, 1, -inf, 1}));
  EXPECT_EQ(process(R"({"encoder_no_repeat_ngram_size": 3})", Row(6, 1), {1}, inputs), Row(6, 1));
}

TEST(ProcessorTest, BadWordsAndSequenceBias) {
  EXPECT_EQ(
      process(R"({"bad_words_ids": [[4], [1, 2], [3, 1, 0], [5]], "eos_token_id": 5})", Row(6, 1), {3, 1}),
      (Row{-inf, 1, -inf, 1, -inf, 1}));
  EXPECT_EQ(process(R"({"bad_words_ids": [[3, 1, 0]]})", Row(6, 1), {1}), Row(6, 1))
      << "the word has not begun";
  // The last bias of a sequence counts; biases of different sequences add up.
  EXPECT_EQ(process(R"({"sequence_bias": [[[4], 9], [[4], 2.5], [[1, 4], 1], [[2, 4], 7]]})", Row(6, 1), {1}),
            (Row{1, 1, 1, 1, 4.5, 1}));
}

TEST(ProcessorTest, LengthsForcedAndSuppressedTokens) {
  ProcessorInputs inputs;
  inputs.promptLength = 1;
  inputs.minLength = 3;
  inputs.maxLength = 5;
  const char *minimum = R"({"min_length": 3, "eos_token_id": [1, 7]})";
  EXPECT_EQ(process(minimum, Row(4, 1), {0, 0}, inputs), (Row{1, -inf, 1, 1}));
  EXPECT_EQ(process(minimum, Row(4, 1), {0, 0, 0}, inputs), Row(4, 1));
  const char *forced = R"({"forced_bos_token_id": 2, "forced_eos_token_id": [0, 3]})";
  EXPECT_EQ(process(forced, Row(4, 1), {0}, inputs), (Row{-inf, -inf, 0, -inf}));
  EXPECT_EQ(process(forced, Row(4, 1), {0, 0}, inputs), Row(4, 1));
  EXPECT_EQ(process(forced, Row(4, 1), {0, 0, 0, 0}, inputs), (Row{0, -inf, -inf, 0}));
  const char *suppressed = R"({"suppress_tokens": [0, 9], "begin_suppress_tokens": [1]})";
  EXPECT_EQ(process(suppressed, Row(4, 1), {0}, inputs), (Row{-inf, -inf, 1, 1}));
  EXPECT_EQ(process(suppressed, Row(4, 1), {0, 0}, inputs), (Row{-inf, 1, 1, 1}));
  // With a forced first token, the first free one comes a step later.
  const char *both = R"({"forced_bos_token_id": 2, "begin_suppress_tokens": [1]})";
  EXPECT_EQ(process(both, Row(4, 1), {0, 2}, inputs), (Row{1, -inf, 1, 1}));
}

/// Against WhisperTimeStampLogitsProcessor of transformers 5.23: times are tokens from 6 on.
TEST(ProcessorTest, TimestampsComeInPairsAndInOrder) {
  ProcessorInputs inputs;
  inputs.promptLength = 1;
  const char *times = R"({"return_timestamps": true, "no_timestamps_token_id": 5, "eos_token_id": 4})";
  const char *soon =
      R"({"return_timestamps": true, "no_timestamps_token_id": 5, "eos_token_id": 4, "max_initial_timestamp_index": 1})";
  const Row row{1, 2, 0.5, 0, 1.5, 9, 1, 1.25, 0, 0.5}, likely{1, 2, 0.5, 0, 1.5, 9, 1, 1.5, 1.25, 1};
  const Row text{1, 2, 0.5, 0, 1.5, -inf, -inf, -inf, -inf, -inf};
  auto after = [&](std::vector<int64_t> ids) { return process(times, row, std::move(ids), inputs); };
  EXPECT_EQ(after({0}), (Row{-inf, -inf, -inf, -inf, -inf, -inf, 1, 1.25, 0, 0.5}));
  EXPECT_EQ(process(soon, row, {0}, inputs), (Row{-inf, -inf, -inf, -inf, -inf, -inf, 1, 1.25, -inf, -inf}));
  // Any first time is early enough.
  const char *late =
      R"({"return_timestamps": true, "no_timestamps_token_id": 5, "eos_token_id": 4, "max_initial_timestamp_index": 9007199254740992})";
  EXPECT_EQ(process(late, row, {0}, inputs), after({0}));
  EXPECT_EQ(after({0, 6}), text);
  EXPECT_EQ(after({0, 6, 1}), (Row{1, 2, 0.5, 0, 1.5, -inf, -inf, 1.25, 0, 0.5}));
  EXPECT_EQ(after({0, 6, 1, 8}), (Row{-inf, -inf, -inf, -inf, 1.5, -inf, -inf, -inf, 0, 0.5}));
  EXPECT_EQ(after({0, 6, 1, 8, 8}), text);
  EXPECT_EQ(after({0, 6, 1, 7, 7, 2}), (Row{1, 2, 0.5, 0, 1.5, -inf, -inf, -inf, 0, 0.5}));
  // All times together are likelier than any word.
  EXPECT_EQ(process(times, likely, {0, 6, 1}, inputs),
            (Row{-inf, -inf, -inf, -inf, -inf, -inf, -inf, 1.5, 1.25, 1}));
  GenerationConfig config;
  config.returnTimestamps = true;
  EXPECT_THROW(config.validate(), Error);
}

TEST(ProcessorTest, LengthDecayInvalidValuesAndNormalisation) {
  ProcessorInputs inputs;
  inputs.promptLength = 2;
  const char *decay = R"({"exponential_decay_length_penalty": [1, 1.5], "eos_token_id": [0, 1, 2]})";
  EXPECT_EQ(process(decay, {2, -2, -inf, 1}, {0, 0, 0}, inputs), (Row{2, -2, -inf, 1}));
  EXPECT_EQ(process(decay, {2, -2, -inf, 1}, {0, 0, 0, 0, 0}, inputs), (Row{4.5, 0.5, -inf, 1}));
  float limit = std::numeric_limits<float>::max();
  EXPECT_EQ(process(R"({"remove_invalid_values": true})", {std::nanf(""), inf, -inf, 1}, {0}),
            (Row{0, limit, -limit, 1}));
  Row normal = process(R"({"renormalize_logits": true})", {1, 2, 3}, {0});
  EXPECT_NEAR(std::exp(normal[0]) + std::exp(normal[1]) + std::exp(normal[2]), 1, 1e-6);
  EXPECT_NEAR(normal[2] - normal[0], 2, 1e-6);
}

//===----------------------------------------------------------------------===//
// Warpers
//===----------------------------------------------------------------------===//

std::vector<double> softmax(const Row &scores) {
  float largest = *std::max_element(scores.begin(), scores.end());
  std::vector<double> p;
  double sum = 0;
  for (float score : scores) {
    p.push_back(std::exp(double(score) - largest));
    sum += p.back();
  }
  for (double &x : p)
    x /= sum;
  return p;
}

std::vector<size_t> sortedBy(size_t size, const std::function<double(size_t)> &key) {
  std::vector<size_t> order(size);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    double x = key(a), y = key(b);
    return x < y || (x == y && a < b);
  });
  return order;
}

Row keepOnly(const Row &scores, const std::vector<char> &kept) {
  Row result = scores;
  for (size_t i = 0; i < scores.size(); ++i)
    if (!kept[i])
      result[i] = -inf;
  return result;
}

float kthLargest(Row scores, int64_t k) {
  std::sort(scores.begin(), scores.end(), std::greater<float>());
  return scores[size_t(std::min<int64_t>(k, int64_t(scores.size()))) - 1];
}

// As in transformers' logits_process.py, over the whole vocabulary.
Row plainTopK(const Row &scores, int64_t k, int64_t minTokens) {
  std::vector<char> kept;
  for (float score : scores)
    kept.push_back(score >= kthLargest(scores, std::max(k, minTokens)));
  return keepOnly(scores, kept);
}
Row plainTopP(const Row &scores, double topP, int64_t minTokens) {
  std::vector<double> p = softmax(scores);
  std::vector<size_t> order = sortedBy(scores.size(), [&](size_t i) { return scores[i]; });
  std::vector<char> kept(scores.size(), 1);
  double cumulative = 0;
  for (size_t rank = 0; rank + size_t(minTokens) < order.size(); ++rank) {
    cumulative += p[order[rank]];
    if (cumulative <= 1 - topP)
      kept[order[rank]] = 0;
  }
  return keepOnly(scores, kept);
}
Row plainMinP(const Row &scores, double minP, int64_t minTokens) {
  std::vector<double> p = softmax(scores);
  double best = *std::max_element(p.begin(), p.end());
  std::vector<char> kept;
  for (size_t i = 0; i < p.size(); ++i)
    kept.push_back(p[i] >= double(float(minP)) * best || scores[i] >= kthLargest(scores, minTokens));
  return keepOnly(scores, kept);
}
Row plainFloor(const Row &scores, double floor, int64_t minTokens) {
  std::vector<double> p = softmax(scores);
  std::vector<char> kept;
  for (size_t i = 0; i < p.size(); ++i)
    kept.push_back(p[i] >= floor || scores[i] >= kthLargest(scores, minTokens));
  return keepOnly(scores, kept);
}
double entropyOf(const std::vector<double> &p) {
  double entropy = 0;
  for (double x : p)
    entropy -= x > 0 ? x * std::log(x) : 0;
  return entropy;
}
Row plainEta(const Row &scores, double epsilon, int64_t minTokens) {
  return plainFloor(scores, std::min(epsilon, std::sqrt(epsilon) * std::exp(-entropyOf(softmax(scores)))),
                    minTokens);
}
Row plainTypical(const Row &scores, double mass, int64_t minTokens) {
  std::vector<double> p = softmax(scores);
  double entropy = entropyOf(p);
  auto shifted = [&](size_t i) { return double(std::fabs(float(-std::log(p[i])) - float(entropy))); };
  std::vector<size_t> order = sortedBy(scores.size(), shifted);
  size_t last = 0;
  double cumulative = 0;
  for (size_t i : order) {
    cumulative += p[i];
    last += cumulative < mass;
  }
  last = std::min(last, order.size() - 1);
  std::vector<char> kept(scores.size());
  for (size_t rank = 0; rank < order.size(); ++rank)
    kept[order[rank]] = rank < size_t(minTokens) || shifted(order[rank]) <= shifted(order[last]);
  return keepOnly(scores, kept);
}

int64_t numKept(const Row &scores) {
  return std::count_if(scores.begin(), scores.end(), [](float score) { return score > -inf; });
}

Row randomRow(uint64_t seed, int64_t size, float scale) {
  Row row;
  for (int64_t i = 0; i < size; ++i)
    row.push_back(float(2 * uniform(seed, uint64_t(i), 0, 0) - 1) * scale);
  return row;
}

/// Every warper alone, for greedy-sized and beam-sized least numbers of tokens, on rows of several sizes and
/// spreads.
TEST(WarperTest, AgreesWithFullSorts) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    int64_t size = int64_t(seed) * 37 % 700 + 5;
    Row scores = randomRow(seed, size, 0.3f * float(seed % 13 + 1));
    for (int64_t beams : {1, 2}) {
      int64_t minTokens = beams == 1 ? 1 : 2;
      auto check = [&](const std::string &field, double value, Row expected) {
        nlohmann::json settings = {{"do_sample", true}, {"top_k", 0}, {"num_beams", beams}};
        settings[field] = field == "top_k" ? nlohmann::json(int64_t(value)) : nlohmann::json(value);
        EXPECT_EQ(process(settings.dump().c_str(), scores, {0}), expected) << settings << ", seed " << seed;
      };
      for (int64_t k : {1, 3, 50, 300})
        check("top_k", double(k), plainTopK(scores, k, minTokens));
      for (double p : {0.01, 0.3, 0.9, 0.999}) {
        check("top_p", p, plainTopP(scores, p, minTokens));
        check("typical_p", p, plainTypical(scores, p, minTokens));
        check("min_p", p, plainMinP(scores, p, minTokens));
      }
      for (double epsilon : {0.0003, 0.01, 0.2}) {
        check("epsilon_cutoff", epsilon, plainFloor(scores, epsilon, minTokens));
        check("eta_cutoff", epsilon, plainEta(scores, epsilon, minTokens));
      }
    }
  }
}

TEST(WarperTest, ChainsInOrder) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Row scores = randomRow(seed, 200, 3);
    Row expected = scores;
    for (float &score : expected)
      score /= 0.7f;
    expected = plainMinP(plainTopP(plainTopK(expected, 40, 1), 0.9, 1), 0.05, 1);
    const char *settings =
        R"({"do_sample": true, "temperature": 0.7, "top_k": 40, "top_p": 0.9, "min_p": 0.05})";
    EXPECT_EQ(process(settings, scores, {0}), expected);
    EXPECT_GT(numKept(expected), 1);
    EXPECT_LT(numKept(expected), 40);
  }
}

TEST(WarperTest, TiesStayTogetherWhereTransformersKeepsThem) {
  Row equal(10, 1.0f);
  EXPECT_EQ(numKept(process(R"({"do_sample": true, "top_k": 3})", equal, {0})), 10);
  // A stable ascending sort takes the small ids away first.
  EXPECT_EQ(process(R"({"do_sample": true, "top_k": 0, "top_p": 0.35})", equal, {0}),
            (Row{-inf, -inf, -inf, -inf, -inf, -inf, 1, 1, 1, 1}));
}

TEST(WarperTest, TopHKeepsAShareOfTheEntropy) {
  Row scores = randomRow(3, 300, 2);
  std::vector<size_t> order = sortedBy(300, [&](size_t i) { return -scores[i]; });
  Row best;
  for (size_t rank = 0; rank < 100; ++rank)
    best.push_back(scores[order[rank]]);
  std::vector<double> p = softmax(best);
  double entropy = entropyOf(p), seen = 0;
  std::vector<char> kept(300, 0);
  for (size_t rank = 0; rank < 100; ++rank) {
    seen -= p[rank] * std::log(p[rank]);
    kept[order[rank]] = rank == 0 || seen <= 0.4 * entropy;
  }
  EXPECT_EQ(process(R"({"do_sample": true, "top_k": 0, "top_h": 0.4})", scores, {0}), keepOnly(scores, kept));
}

TEST(WarperTest, RowsWithoutACandidateStayAsTheyAre) {
  const char *settings =
      R"({"do_sample": true, "top_k": 2, "top_p": 0.5, "min_p": 0.1, "typical_p": 0.5, "top_h": 0.5,
                             "epsilon_cutoff": 0.1, "eta_cutoff": 0.1})";
  EXPECT_EQ(process(settings, Row(5, -inf), {0}), Row(5, -inf));
}

TEST(PipelineTest, IsEmptyWithDefaults) {
  ProcessorInputs inputs;
  inputs.vocabSize = 10;
  EXPECT_TRUE(LogitsPipeline(GenerationConfig(), inputs).empty());
}

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

TEST(RowMathTest, AgreesWithDoubles) {
  for (int64_t size : {1, 2, 15, 16, 17, 63, 64, 65, 1000, 5001}) {
    Row row = randomRow(uint64_t(size), size, 30);
    float largest = *std::max_element(row.begin(), row.end());
    EXPECT_EQ(argmax(row.data(), size), std::max_element(row.begin(), row.end()) - row.begin());
    EXPECT_EQ(maximum(row.data(), size), largest);
    // The difference is rounded to float, its exponential is not.
    auto exponential = [&](float x) { return std::exp(double(x - largest)); };
    double sum = 0;
    for (float x : row)
      sum += exponential(x);
    EXPECT_NEAR(sumOfExponentials(row.data(), size, largest) / sum, 1, 2e-7);
    Row result(row.size());
    EXPECT_NEAR(exponentials(row.data(), result.data(), size, largest) / sum, 1, 2e-7);
    for (size_t i = 0; i < row.size(); ++i)
      EXPECT_NEAR(result[i] / exponential(row[i]), 1, 2e-7);
    ASSERT_TRUE(logSoftmax(row.data(), result.data(), size));
    for (size_t i = 0; i < row.size(); ++i)
      EXPECT_NEAR(result[i], double(row[i]) - largest - std::log(sum), 6e-6);
  }
}

TEST(RowMathTest, InfinitiesAndNaN) {
  float nan = std::numeric_limits<float>::quiet_NaN();
  for (size_t size : {3, 20, 100}) {
    Row row(size, -inf);
    EXPECT_EQ(argmax(row.data(), int64_t(size)), 0);
    EXPECT_FALSE(logSoftmax(row.data(), row.data(), int64_t(size)));
    row[2] = 1;
    EXPECT_EQ(argmax(row.data(), int64_t(size)), 2);
    Row result(size);
    EXPECT_TRUE(logSoftmax(row.data(), result.data(), int64_t(size)));
    EXPECT_EQ(result[2], 0);
    EXPECT_EQ(result[0], -inf);
    row[size - 1] = nan;
    if (size > 3)
      EXPECT_EQ(argmax(row.data(), int64_t(size)), 2);
    EXPECT_TRUE(std::isnan(maximum(row.data(), int64_t(size))));
    EXPECT_FALSE(logSoftmax(row.data(), result.data(), int64_t(size)));
    Row allNaN(size, nan);
    EXPECT_EQ(argmax(allNaN.data(), int64_t(size)), -1);
  }
}

TEST(RowMathTest, TheFirstOfEqualNumbersWins) {
  Row row(200, 1.0f);
  row[70] = row[71] = row[190] = 2;
  EXPECT_EQ(argmax(row.data(), 200), 70);
}

TEST(TopKTest, AgreesWithASort) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    int64_t size = int64_t(seed * 31 % 400 + 8), k = int64_t(seed % 8 + 1);
    Row row = randomRow(seed, size, 1);
    for (float &x : row)
      x = std::round(x * 20); // many ties
    std::vector<size_t> order = sortedBy(row.size(), [&](size_t i) { return -row[i]; });
    TopK top(k);
    for (int repeat = 0; repeat < 2; ++repeat) {
      top.clear();
      top.scan(row.data(), size / 2);
      top.scan(row.data() + size / 2, size - size / 2, size / 2);
      const std::vector<TopK::Entry> &best = top.sorted();
      ASSERT_EQ(int64_t(best.size()), k);
      for (size_t rank = 0; rank < size_t(k); ++rank)
        EXPECT_EQ(best[rank].index, int64_t(order[rank]));
    }
  }
}

/// The known answers of the Random123 library (kat_vectors, philox4x32 10).
TEST(RandomTest, PhiloxGivesTheKnownAnswers) {
  EXPECT_EQ(philox(0, {0, 0, 0, 0}),
            (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox(~0ull, {~0u, ~0u, ~0u, ~0u}),
            (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox(0x299f31d0a4093822ull, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}),
            (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

} // namespace
