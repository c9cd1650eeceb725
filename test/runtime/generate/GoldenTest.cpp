//===- GoldenTest.cpp - Generation against transformers' own results -----===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The models are tiny (test/fixtures/models) and run by a plain forward pass in
// double; the expected ids and scores were computed by transformers 5.23, those
// of `transformer` by a search in torch.
//
//===----------------------------------------------------------------------===//

#include "Gpt2Reference.h"
#include "ModelsForTest.h"
#include "TransformerReference.h"
#include "generate/Generate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>

using namespace sesame;
using namespace sesame::test;

namespace {

std::string fixtures() {
  const char *path = std::getenv("SESAME_FIXTURES");
  return path ? path : SESAME_FIXTURES;
}

template <typename T> std::vector<T> readTensor(const SafetensorsFile &file, const std::string &name) {
  const StoredTensor *tensor = file.find(name);
  if (!tensor)
    throw std::runtime_error(file.path() + ": no tensor " + name);
  std::vector<T> values(tensor->sizeInBytes / sizeof(T));
  std::memcpy(values.data(), tensor->data, tensor->sizeInBytes);
  return values;
}

struct Case {
  const char *model;
  const char *call;
};

class GoldenCall : public testing::TestWithParam<Case> {
protected:
  void SetUp() override {
    directory = fixtures() + "/models/" + GetParam().model;
    std::ifstream stream(directory + "/golden.json");
    nlohmann::json cases = nlohmann::json::parse(stream);
    for (const nlohmann::json &call : cases["calls"])
      if (call["name"] == GetParam().call)
        config.update(call["params"], "golden.json");
    SafetensorsFile golden(directory + "/golden.safetensors");
    std::string prefix = GetParam().call;
    input.rows = golden.find(prefix + ".in.input_ids")->shape[0];
    input.length = golden.find(prefix + ".in.input_ids")->shape[1];
    input.ids = readTensor<int64_t>(golden, prefix + ".in.input_ids");
    input.mask = readTensor<int64_t>(golden, prefix + ".in.attention_mask");
    expected = readTensor<int64_t>(golden, prefix + ".out.sequences");
    if (golden.find(prefix + ".out.sequences_scores"))
      expectedScores = readTensor<float>(golden, prefix + ".out.sequences_scores");
  }

  std::string directory;
  GenerationConfig config;
  GenerationInput input;
  std::vector<int64_t> expected;
  std::vector<float> expectedScores;
};

class Golden : public GoldenCall {};

TEST_P(Golden, IdsAndScoresAgree) {
  Gpt2Reference reference(directory);
  HistoryModel model(reference.vocabSize(), reference.maxLength(), std::cref(reference));
  GenerationResult result = generate(model, config, input);
  EXPECT_EQ(result.sequences, expected);
  ASSERT_EQ(result.sequenceScores.size(), expectedScores.size());
  for (size_t row = 0; row < expectedScores.size(); ++row)
    EXPECT_NEAR(result.sequenceScores[row], expectedScores[row], 2e-6);
}

/// The comparison above notices a model that differs a little.
TEST_P(Golden, AnotherModelGivesOtherIds) {
  Gpt2Reference reference(directory);
  HistoryModel model(reference.vocabSize(), reference.maxLength(), [&](const std::vector<int64_t> &history) {
    std::vector<float> logits = reference(history);
    std::rotate(logits.begin(), logits.begin() + 1, logits.end());
    return logits;
  });
  EXPECT_NE(generate(model, config, input).sequences, expected);
}

INSTANTIATE_TEST_SUITE_P(Models, Golden,
                         testing::Values(Case{"gpt2", "greedy"}, Case{"gpt2", "greedy_leftpad"},
                                         Case{"gpt2", "beam"}, Case{"gpt2", "beam_eos"},
                                         Case{"dialogpt", "greedy"}, Case{"dialogpt", "greedy_penalised"}),
                         [](const testing::TestParamInfo<Case> &info) {
                           return std::string(info.param.model) + "_" + info.param.call;
                         });

/// An encoder-decoder model, whose `in.input_ids` is the source, padded on the right.
class EncoderDecoderGolden : public GoldenCall {};

TEST_P(EncoderDecoderGolden, IdsAndScoresAgree) {
  TransformerReference reference(directory);
  std::vector<TransformerReference::Matrix> memory;
  for (int64_t row = 0; row < input.rows; ++row) {
    auto ids = input.ids.begin() + row * input.length;
    auto mask = input.mask.begin() + row * input.length;
    memory.push_back(reference.encode({ids, ids + std::count(mask, mask + input.length, 1)}));
  }
  HistoryModel model(reference.vocabSize(), 0, [&](const std::vector<int64_t> &history, int64_t row) {
    return reference.decode(history, memory[size_t(row)]);
  });
  GenerationResult result = generate(model, config, decoderPrompt(config, input.rows));
  EXPECT_EQ(result.sequences, expected);
  ASSERT_EQ(result.sequenceScores.size(), expectedScores.size());
  for (size_t row = 0; row < expectedScores.size(); ++row)
    EXPECT_NEAR(result.sequenceScores[row], expectedScores[row], 4e-6);
}

INSTANTIATE_TEST_SUITE_P(Models, EncoderDecoderGolden,
                         testing::Values(Case{"transformer", "greedy"}, Case{"transformer", "beam"},
                                         Case{"transformer", "beam_eos"}),
                         [](const testing::TestParamInfo<Case> &info) {
                           return std::string(info.param.call);
                         });

/// The first steps' processed logits, which pin the reference model itself.
TEST(Gpt2ReferenceTest, LogitsAgreeWithTransformers) {
  std::string directory = fixtures() + "/models/gpt2";
  Gpt2Reference reference(directory);
  SafetensorsFile golden(directory + "/golden.safetensors");
  std::vector<int64_t> ids = readTensor<int64_t>(golden, "greedy.out.sequences");
  std::vector<float> scores = readTensor<float>(golden, "greedy.dbg.scores"); // [step, row, V]
  int64_t promptLength = golden.find("greedy.in.input_ids")->shape[1];
  int64_t length = golden.find("greedy.out.sequences")->shape[1],
          rows = golden.find("greedy.out.sequences")->shape[0];
  for (int64_t step = 0; step < 4; ++step)
    for (int64_t row = 0; row < rows; ++row) {
      auto first = ids.begin() + row * length;
      std::vector<float> logits = reference({first, first + promptLength + step});
      for (int64_t v = 0; v < reference.vocabSize(); ++v)
        ASSERT_NEAR(logits[size_t(v)], scores[size_t((step * rows + row) * reference.vocabSize() + v)], 2e-5);
    }
}

} // namespace
