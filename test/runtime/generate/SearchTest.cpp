//===- SearchTest.cpp - Greedy, sampled and beam search on hashed models -===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The beam search is compared with one written from the definition for a single
// input: whole hypotheses in lists, sorted, nothing shared with the code under
// test but the model's logits.
//
//===----------------------------------------------------------------------===//

#include "ModelsForTest.h"
#include "generate/Generate.h"
#include "generate/StopStrings.h"
#include "support/Error.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

using namespace sesame;
using namespace sesame::test;

namespace {

std::vector<float> logProbabilities(std::vector<float> logits) {
  double largest = *std::max_element(logits.begin(), logits.end()), sum = 0;
  for (float logit : logits)
    sum += std::exp(double(logit) - largest);
  for (float &logit : logits)
    logit = float(double(logit) - largest - std::log(sum));
  return logits;
}

struct Hypothesis {
  double score; // running: log-probability; finished: with the length penalty
  std::vector<int64_t> newTokens;
};

bool isBetter(const Hypothesis &a, const Hypothesis &b) { return a.score > b.score; }

/// The beams of one prompt, best first.
std::vector<Hypothesis> plainBeamSearch(const HistoryModel::Logits &logits,
                                        const std::vector<int64_t> &prompt, const GenerationConfig &config) {
  size_t beams = size_t(config.numBeams), mostNew = size_t(*config.maxNewTokens);
  size_t numLooked = std::max<size_t>(2, 1 + config.eosTokenId.size()) * beams;
  auto penalised = [&](double logP, size_t length) {
    return config.gnmtAlpha ? logP / std::pow((5.0 + double(length)) / 6.0, *config.gnmtAlpha)
                            : logP / std::pow(double(length), config.lengthPenalty);
  };
  std::vector<Hypothesis> running{{0, {}}}, finished;
  for (size_t length = 1; length <= mostNew; ++length) {
    std::vector<Hypothesis> next;
    for (const Hypothesis &hypothesis : running) {
      std::vector<int64_t> history = prompt;
      history.insert(history.end(), hypothesis.newTokens.begin(), hypothesis.newTokens.end());
      std::vector<float> logP = logProbabilities(logits(history));
      for (size_t token = 0; token < logP.size(); ++token) {
        next.push_back({hypothesis.score + logP[token], hypothesis.newTokens});
        next.back().newTokens.push_back(int64_t(token));
      }
    }
    std::sort(next.begin(), next.end(), isBetter);
    next.resize(std::min(next.size(), numLooked));
    running.clear();
    for (size_t rank = 0; rank < next.size(); ++rank) {
      bool isEos =
          std::count(config.eosTokenId.begin(), config.eosTokenId.end(), next[rank].newTokens.back()) > 0;
      bool ends = isEos || (!config.gnmtAlpha && length == mostNew);
      if (ends && rank < beams)
        finished.push_back({penalised(next[rank].score, length), next[rank].newTokens});
      else if (!ends && running.size() < beams)
        running.push_back(next[rank]);
    }
    std::sort(finished.begin(), finished.end(), isBetter);
    bool isFull = finished.size() >= beams;
    finished.resize(std::min(finished.size(), beams));
    if (config.gnmtAlpha) {
      if (isFull)
        break;
      if (length == mostNew)
        for (const Hypothesis &hypothesis : running)
          finished.push_back({penalised(hypothesis.score, length), hypothesis.newTokens});
      continue;
    }
    if (isFull && config.earlyStopping == EarlyStopping::Yes)
      break;
    if (running.empty())
      break;
    bool looksAhead = config.earlyStopping == EarlyStopping::Never && config.lengthPenalty > 0;
    if (isFull && penalised(running[0].score, looksAhead ? mostNew : length) <= finished.back().score)
      break;
  }
  std::sort(finished.begin(), finished.end(), isBetter);
  return finished;
}

GenerationInput promptOf(std::vector<std::vector<int64_t>> rows) { return padLeft(rows, 0); }

std::vector<int64_t> newTokensOf(const GenerationResult &result, int64_t row) {
  auto first = result.sequences.begin() + row * result.length + result.promptLength;
  return {first, first + result.newTokens[size_t(row)]};
}

/// Random settings and prompts from a seed.
struct RandomCase {
  explicit RandomCase(uint64_t seed) : seed(seed) {
    vocabSize = pick(4, 30);
    config.numBeams = pick(2, 5);
    config.numReturnSequences = pick(1, config.numBeams);
    config.maxNewTokens = pick(1, 9);
    for (int64_t i = pick(0, 2); i > 0; --i)
      config.eosTokenId.push_back((i * 3) % vocabSize);
    config.lengthPenalty = std::vector<double>{-1, 0, 0.5, 1, 2}[size_t(pick(0, 4))];
    config.earlyStopping = EarlyStopping(pick(0, 2));
    if (pick(0, 1))
      config.padTokenId = pick(0, vocabSize - 1);
    for (int64_t row = pick(1, 3); row > 0; --row) {
      prompts.emplace_back();
      for (int64_t i = pick(1, 4); i > 0; --i)
        prompts.back().push_back(pick(0, vocabSize - 1));
    }
    scale = float(pick(1, 4));
  }
  int64_t pick(int64_t low, int64_t high) {
    return low + int64_t(uniform(seed, 1, 2, numDraws++) * double(high - low + 1));
  }

  uint64_t seed;
  uint32_t numDraws = 0;
  int64_t vocabSize;
  float scale;
  GenerationConfig config;
  std::vector<std::vector<int64_t>> prompts;
};

void compareWithPlainSearch(RandomCase &random) {
  HistoryModel::Logits logits = hashedLogits(random.vocabSize, random.seed, random.scale);
  HistoryModel model(random.vocabSize, 0, logits);
  GenerationResult result = generate(model, random.config, promptOf(random.prompts));
  ASSERT_EQ(result.rows, int64_t(random.prompts.size()) * random.config.numReturnSequences);
  for (int64_t row = 0; row < result.rows; ++row) {
    size_t input = size_t(row / random.config.numReturnSequences),
           rank = size_t(row % random.config.numReturnSequences);
    std::vector<Hypothesis> expected = plainBeamSearch(logits, random.prompts[input], random.config);
    ASSERT_LT(rank, expected.size()) << "seed " << random.seed;
    EXPECT_EQ(newTokensOf(result, row), expected[rank].newTokens)
        << "seed " << random.seed << ", row " << row;
    EXPECT_NEAR(result.sequenceScores[size_t(row)], expected[rank].score, 1e-4) << "seed " << random.seed;
  }
}

TEST(BeamSearchTest, AgreesWithAPlainSearch) {
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    RandomCase random(seed);
    compareWithPlainSearch(random);
    if (HasFailure())
      return;
  }
}

TEST(BeamSearchTest, GnmtAgreesWithAPlainSearch) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    RandomCase random(seed);
    random.config.gnmtAlpha = 0.3 * double(seed % 4);
    compareWithPlainSearch(random);
    if (HasFailure())
      return;
  }
}

/// The comparison is no tautology: another length penalty gives other hypotheses somewhere.
TEST(BeamSearchTest, APlainSearchWithAnotherPenaltyDiffers) {
  int numDifferent = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    RandomCase random(seed);
    HistoryModel::Logits logits = hashedLogits(random.vocabSize, random.seed, random.scale);
    HistoryModel model(random.vocabSize, 0, logits);
    GenerationResult result = generate(model, random.config, promptOf(random.prompts));
    random.config.lengthPenalty += 1;
    numDifferent +=
        newTokensOf(result, 0) != plainBeamSearch(logits, random.prompts[0], random.config)[0].newTokens;
  }
  EXPECT_GT(numDifferent, 5);
}

TEST(BeamSearchTest, RowsDoNotDependOnTheBatch) {
  for (uint64_t seed = 500; seed < 560; ++seed) {
    RandomCase random(seed);
    HistoryModel model(random.vocabSize, 0, hashedLogits(random.vocabSize, seed, random.scale));
    GenerationResult together = generate(model, random.config, promptOf(random.prompts));
    for (size_t input = 0; input < random.prompts.size(); ++input) {
      GenerationResult alone = generate(model, random.config, promptOf({random.prompts[input]}));
      int64_t row = int64_t(input) * random.config.numReturnSequences;
      EXPECT_EQ(newTokensOf(alone, 0), newTokensOf(together, row)) << "seed " << seed;
      EXPECT_EQ(alone.sequenceScores[0], together.sequenceScores[size_t(row)]) << "seed " << seed;
    }
  }
}

TEST(BeamSearchTest, FillsUpWithTheEndTokenWhereThePaddingTokenIsZero) {
  // Token 3 ends; the first row ends at once, the second runs on.
  auto logits = [](const std::vector<int64_t> &history) {
    std::vector<float> result(6, 0.0f);
    result[history[0] == 1 ? 3 : 4] = 20;
    return result;
  };
  HistoryModel model(6, 0, logits);
  GenerationConfig config;
  config.numBeams = 2;
  config.maxNewTokens = 3;
  config.eosTokenId = {3};
  config.earlyStopping = EarlyStopping::Yes;
  config.padTokenId = 0;
  EXPECT_EQ(generate(model, config, promptOf({{1}, {2}})).sequences,
            (std::vector<int64_t>{1, 3, 3, 3, 2, 4, 4, 4}));
  config.padTokenId = 5;
  EXPECT_EQ(generate(model, config, promptOf({{1}, {2}})).sequences,
            (std::vector<int64_t>{1, 3, 5, 5, 2, 4, 4, 4}));
}

/// One beam of beam search is the greedy search.
TEST(GreedySearchTest, EqualsAPlainArgmaxLoop) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    RandomCase random(seed);
    random.config.numBeams = random.config.numReturnSequences = 1;
    HistoryModel::Logits logits = hashedLogits(random.vocabSize, seed, 2);
    HistoryModel model(random.vocabSize, 0, logits);
    GenerationResult result = generate(model, random.config, promptOf(random.prompts));
    size_t longest = 0;
    for (size_t row = 0; row < random.prompts.size(); ++row) {
      std::vector<int64_t> history = random.prompts[row], expected;
      bool isDone = false;
      while (int64_t(expected.size()) < *random.config.maxNewTokens && !isDone) {
        std::vector<float> scores = logits(history);
        expected.push_back(std::max_element(scores.begin(), scores.end()) - scores.begin());
        history.push_back(expected.back());
        isDone =
            std::count(random.config.eosTokenId.begin(), random.config.eosTokenId.end(), expected.back()) > 0;
      }
      EXPECT_EQ(newTokensOf(result, int64_t(row)), expected) << "seed " << seed;
      longest = std::max(longest, expected.size());
      int64_t pad = random.config.padTokenId           ? *random.config.padTokenId
                    : random.config.eosTokenId.empty() ? 0
                                                       : random.config.eosTokenId[0];
      for (int64_t i = result.promptLength + int64_t(expected.size()); i < result.length; ++i)
        EXPECT_EQ(result.sequences[row * size_t(result.length) + size_t(i)], pad);
    }
    EXPECT_EQ(result.length, result.promptLength + int64_t(longest));
    EXPECT_EQ(model.numSteps, int64_t(longest)) << "the last token is not fed back";
  }
}

/// Pearson's chi-square against `expected` frequencies; its mean is the number of cells minus 1.
double chiSquare(const std::vector<int64_t> &counts, const std::vector<double> &expected) {
  double total = double(std::accumulate(counts.begin(), counts.end(), int64_t(0))), sum = 0;
  for (size_t i = 0; i < counts.size(); ++i)
    sum += std::pow(double(counts[i]) - total * expected[i], 2) / (total * expected[i]);
  return sum;
}

TEST(SamplingTest, DrawsInProportion) {
  std::vector<float> logits{0.5f, -1.0f, 2.0f, 0.0f, 1.0f, -2.0f, 0.25f};
  HistoryModel model(7, 0, [&](const std::vector<int64_t> &) { return logits; });
  GenerationConfig config;
  config.doSample = true;
  config.topK = 0;
  config.maxNewTokens = 100;
  config.numReturnSequences = 200;
  config.seed = 11;
  GenerationResult result = generate(model, config, promptOf({{0}}));
  std::vector<int64_t> counts(7);
  for (int64_t row = 0; row < result.rows; ++row)
    for (int64_t token : newTokensOf(result, row))
      ++counts[size_t(token)];
  std::vector<double> expected;
  for (float logP : logProbabilities(logits))
    expected.push_back(std::exp(logP));
  EXPECT_LT(chiSquare(counts, expected), 22.5); // 6 degrees of freedom: exceeded once in 1,000 seeds
  std::swap(expected[2], expected[4]);
  EXPECT_GT(chiSquare(counts, expected), 22.5);
}

TEST(SamplingTest, TemperatureAndTopKChangeTheDistribution) {
  std::vector<float> logits{0.5f, -1.0f, 2.0f, 0.0f, 1.0f, -2.0f, 0.25f};
  HistoryModel model(7, 0, [&](const std::vector<int64_t> &) { return logits; });
  GenerationConfig config;
  config.doSample = true;
  config.topK = 3;
  config.temperature = 2;
  config.maxNewTokens = 100;
  config.numReturnSequences = 200;
  GenerationResult result = generate(model, config, promptOf({{0}}));
  std::vector<int64_t> counts(7);
  for (int64_t row = 0; row < result.rows; ++row)
    for (int64_t token : newTokensOf(result, row))
      ++counts[size_t(token)];
  std::vector<double> expected;
  for (float logP : logProbabilities({2.0f / 2, 1.0f / 2, 0.5f / 2}))
    expected.push_back(std::exp(logP));
  EXPECT_EQ(counts[1] + counts[3] + counts[5] + counts[6], 0);
  EXPECT_LT(chiSquare({counts[2], counts[4], counts[0]}, expected), 13.8); // 2 degrees of freedom, 1 in 1,000
}

TEST(SamplingTest, TheSeedDecides) {
  HistoryModel model(50, 0, hashedLogits(50, 3, 1));
  GenerationConfig config;
  config.doSample = true;
  config.maxNewTokens = 20;
  config.seed = 5;
  GenerationResult first = generate(model, config, promptOf({{1, 2}}));
  EXPECT_EQ(generate(model, config, promptOf({{1, 2}})).sequences, first.sequences);
  // Row 0 draws the same whatever rows there are besides it.
  EXPECT_EQ(newTokensOf(generate(model, config, promptOf({{1, 2}, {4}})), 0), newTokensOf(first, 0));
  config.seed = 6;
  EXPECT_NE(generate(model, config, promptOf({{1, 2}})).sequences, first.sequences);
}

/// The first draw of beam sampling, without replacement: P(i then j) = p_i * p_j / (1 - p_i).
TEST(SamplingTest, BeamsAreDrawnWithoutReplacement) {
  std::vector<float> logits{1.0f, 0.0f, -0.5f, 0.5f, 0.2f};
  std::vector<double> p;
  for (float logP : logProbabilities(logits))
    p.push_back(std::exp(logP));
  HistoryModel model(5, 0, [&](const std::vector<int64_t> &) { return logits; });
  GenerationConfig config;
  config.doSample = true;
  config.topK = 0;
  config.numBeams = config.numReturnSequences = 2;
  config.maxNewTokens = 1;
  // Of the four drawn, the first two are returned, best first: count unordered pairs.
  std::map<std::pair<int64_t, int64_t>, int64_t> pairs;
  for (uint64_t seed = 0; seed < 20000; ++seed) {
    config.seed = seed;
    GenerationResult result = generate(model, config, promptOf({{0}}));
    int64_t a = result.sequences[1], b = result.sequences[3];
    ++pairs[{std::min(a, b), std::max(a, b)}];
  }
  std::vector<int64_t> counts;
  std::vector<double> expected;
  for (int64_t a = 0; a < 5; ++a)
    for (int64_t b = a + 1; b < 5; ++b) {
      counts.push_back(pairs[{a, b}]);
      expected.push_back(p[size_t(a)] * p[size_t(b)] * (1 / (1 - p[size_t(a)]) + 1 / (1 - p[size_t(b)])));
    }
  EXPECT_LT(chiSquare(counts, expected), 27.9); // 9 degrees of freedom, 1 in 1,000
}

TEST(GenerateTest, ForcedTokensAndLengths) {
  HistoryModel model(20, 0, hashedLogits(20, 9, 3));
  GenerationConfig config;
  config.update(nlohmann::json::parse(R"({"max_new_tokens": 6, "min_new_tokens": 6, "forced_bos_token_id": 7,
                                          "forced_eos_token_id": 2, "eos_token_id": [2, 3]})"),
                "test");
  for (int64_t beams : {1, 3}) {
    config.numBeams = beams;
    GenerationResult result = generate(model, config, promptOf({{1}}));
    EXPECT_EQ(result.length, 7);
    EXPECT_EQ(result.sequences[1], 7);
    EXPECT_EQ(result.sequences[6], 2);
    for (int64_t i = 1; i < 6; ++i)
      EXPECT_TRUE(result.sequences[size_t(i)] != 2 && result.sequences[size_t(i)] != 3);
  }
}

TEST(GenerateTest, DefaultLengthEndsWithTheModelsPositions) {
  GenerationConfig config;
  HistoryModel small(9, 12, hashedLogits(9, 1, 1)), large(9, 100, hashedLogits(9, 1, 1));
  EXPECT_EQ(generate(small, config, promptOf({{1, 2, 3}})).length, 12);
  EXPECT_EQ(generate(large, config, promptOf({{1, 2, 3}})).length, 23);
  config.maxLength = 13; // 12 positions, and a last token that needs none
  EXPECT_EQ(generate(small, config, promptOf({{1, 2, 3}})).length, 13);
}

std::string errorOf(std::function<void()> function) {
  try {
    function();
  } catch (const Error &error) {
    return error.what();
  }
  return "none";
}

TEST(GenerateTest, ErrorsNameWhatIsWrong) {
  HistoryModel model(9, 12, hashedLogits(9, 1, 1));
  auto run = [&](const char *json, GenerationInput input) {
    return errorOf([&] {
      GenerationConfig config;
      config.update(nlohmann::json::parse(json), "test");
      generate(model, config, input);
    });
  };
  GenerationInput good = promptOf({{1, 2, 3}});
  EXPECT_EQ(run(R"({"max_new_tokens": 11})", good),
            "max_new_tokens: expected at most 10 (the model has 12 positions, the "
            "prompt 3 tokens), found 11");
  EXPECT_EQ(run(R"({"max_length": 3})", good),
            "max_length: expected more than the 3 tokens of the prompt, which it counts, found 3");
  EXPECT_EQ(run("{}", promptOf({{1, 9}})), "prompt: expected token ids in [0, 9), found 9");
  EXPECT_EQ(run("{}", promptOf({{}})),
            "prompt: expected at least one row with at least one token, found [1, 0]");
  EXPECT_EQ(run(R"({"num_beams": 2, "num_return_sequences": 3})", good),
            "num_return_sequences: expected at most num_beams = 2, found 3");
  EXPECT_EQ(run(R"({"num_return_sequences": 3})", good),
            "num_return_sequences: expected 1 for greedy search (num_beams = 1, do_sample = false), found 3");
  EXPECT_EQ(run(R"({"num_beams": 9007199254740992})", good),
            "generation: expected rows x beams x tokens of at most 2^32, found 1 x 9007199254740992 x 12");
  EXPECT_EQ(run(R"({"bad_words_ids": [[9]]})", good),
            "bad_words_ids: expected token ids below the vocabulary size 9, found 9");
  EXPECT_EQ(run(R"({"stop_strings": "x"})", good),
            "stop_strings: expected a tokenizer to look for them, found none");
  GenerationInput padded = promptOf({{1, 2}, {3}});
  padded.mask = {1, 1, 1, 0};
  EXPECT_EQ(run("{}", padded),
            "attention mask, row 1: expected padding on the left, found it at the right end");
  padded.mask = {1, 1, 2, 1};
  EXPECT_EQ(run("{}", padded), "attention mask, row 1: expected zeros, then ones");
}

TEST(GenerateTest, LogitsThatAreNaNAreAnError) {
  HistoryModel model(4, 0, [](const std::vector<int64_t> &history) {
    return std::vector<float>(4, history.size() < 3 ? 0.0f : std::numeric_limits<float>::quiet_NaN());
  });
  GenerationConfig config;
  EXPECT_EQ(errorOf([&] { generate(model, config, promptOf({{1}})); }),
            "generation, row 0, token 3: the model's logits are all NaN");
  config.doSample = true;
  EXPECT_EQ(errorOf([&] { generate(model, config, promptOf({{1}})); }),
            "generation, row 0, token 3: the model's logits hold NaN");
  config.numBeams = 2;
  EXPECT_EQ(errorOf([&] { generate(model, config, promptOf({{1}})); }),
            "generation, row 0, token 3: expected finite logits from the model, found NaN or infinity");
}

TEST(GenerateTest, HooksSeeEveryTokenAndCanStop) {
  HistoryModel model(12, 0, hashedLogits(12, 4, 2));
  GenerationConfig config;
  config.maxNewTokens = 8;
  GenerationResult all = generate(model, config, promptOf({{1}, {2}}));
  std::map<int64_t, std::vector<int64_t>> streamed;
  GenerationHooks hooks;
  hooks.onToken = [&](int64_t row, int64_t token) {
    streamed[row].push_back(token);
    return streamed[0].size() < 5;
  };
  GenerationResult cut = generate(model, config, promptOf({{1}, {2}}), hooks);
  EXPECT_EQ(cut.length, 6);
  for (int64_t row : {0, 1}) {
    EXPECT_EQ(streamed[row], newTokensOf(cut, row));
    std::vector<int64_t> full = newTokensOf(all, row);
    EXPECT_EQ(streamed[row], std::vector<int64_t>(full.begin(), full.begin() + 5));
  }
  config.numBeams = 3;
  streamed.clear();
  GenerationResult beams = generate(model, config, promptOf({{1}, {2}}), {hooks.onToken, {}});
  EXPECT_EQ(streamed[0], std::vector<int64_t>(beams.sequences.begin() + 1, beams.sequences.begin() + 6));
}

/// Tokens are letters: 0 is "a", 1 is "b", ...; 25 is "yz" and 24 is empty.
std::string spell(const int64_t *ids, int64_t length) {
  std::string text;
  for (int64_t i = 0; i < length; ++i)
    text += ids[i] == 25 ? "yz" : ids[i] == 24 ? "" : std::string(1, char('a' + ids[i]));
  return text;
}

TEST(StopStringsTest, EndInTheLastToken) {
  StopStrings stop({"cab", "xy", "zz"}, spell);
  auto stops = [&](std::vector<int64_t> ids) { return stop(ids.data(), int64_t(ids.size())); };
  EXPECT_TRUE(stops({5, 2, 0, 1}));
  EXPECT_FALSE(stops({2, 0, 1, 5})) << "it ended before";
  EXPECT_FALSE(stops({2, 0}));
  EXPECT_TRUE(stops({23, 25})) << "xy lies in x + yz though z goes on";
  EXPECT_FALSE(stops({23, 25, 24})) << "an empty token ends nothing";
  EXPECT_FALSE(stops({25, 25}));
  EXPECT_FALSE(stops({}));
}

TEST(StopStringsTest, EndASequenceInEveryStrategy) {
  // Goes up the alphabet.
  HistoryModel model(26, 0, [](const std::vector<int64_t> &history) {
    std::vector<float> logits(26, 0.0f);
    logits[size_t(history.back() + 1) % 24] = 9;
    return logits;
  });
  GenerationConfig config;
  config.maxNewTokens = 10;
  config.stopStrings = {"ef"};
  config.eosTokenId = {25};
  GenerationHooks hooks;
  hooks.shouldStop = StopStrings(config.stopStrings, spell);
  EXPECT_EQ(newTokensOf(generate(model, config, promptOf({{1}, {2}}), hooks), 0),
            (std::vector<int64_t>{2, 3, 4, 5}));
  config.numBeams = 2;
  EXPECT_EQ(newTokensOf(generate(model, config, promptOf({{1}}), hooks), 0),
            (std::vector<int64_t>{2, 3, 4, 5}));
}

} // namespace
