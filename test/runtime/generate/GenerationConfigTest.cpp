//===- GenerationConfigTest.cpp - Reading generation settings ------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "generate/GenerationConfig.h"
#include "support/Error.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <set>

using namespace sesame;
using nlohmann::json;

namespace {

std::string errorOf(const std::function<void()> &function) {
  try {
    function();
  } catch (const Error &error) {
    return error.what();
  }
  return "none";
}

std::string updateError(const char *text) {
  return errorOf([&] { GenerationConfig().update(json::parse(text), "generation_config.json"); });
}

TEST(GenerationConfigTest, ReadsEveryField) {
  GenerationConfig c;
  c.update(json::parse(R"({
    "max_new_tokens": 5, "max_length": 30, "min_length": 2, "min_new_tokens": 1, "max_time": 1.5, "stop_strings": ["a", "b"],
    "do_sample": true, "num_beams": 3, "num_return_sequences": 2, "early_stopping": "never", "length_penalty": -0.5,
    "gnmt_alpha": 0.6, "repetition_penalty": 1.1, "encoder_repetition_penalty": 1.2, "no_repeat_ngram_size": 3,
    "encoder_no_repeat_ngram_size": 4, "bad_words_ids": [[1], [2, 3]], "sequence_bias": [[[4, 5], -1.5]],
    "forced_bos_token_id": 6, "forced_eos_token_id": 7, "suppress_tokens": [8, 9], "begin_suppress_tokens": [10],
    "exponential_decay_length_penalty": [11, 1.01], "remove_invalid_values": true, "renormalize_logits": true,
    "temperature": 0.5, "top_k": 12, "top_p": 0.9, "min_p": 0.05, "top_h": 0.4, "typical_p": 0.8, "epsilon_cutoff": 0.001,
    "eta_cutoff": 0.002, "seed": 13, "pad_token_id": 14, "bos_token_id": 15, "eos_token_id": [16, 17],
    "decoder_start_token_id": 18, "transformers_version": "5.23.0", "num_beam_groups": 1, "penalty_alpha": 0,
    "guidance_scale": 1.0, "constraints": null})"),
           "test");
  EXPECT_EQ(c.maxNewTokens, 5);
  EXPECT_EQ(c.maxLength, 30);
  EXPECT_EQ(c.minLength, 2);
  EXPECT_EQ(c.minNewTokens, 1);
  EXPECT_EQ(c.maxTime, 1.5);
  EXPECT_EQ(c.stopStrings, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(c.doSample);
  EXPECT_EQ(c.numBeams, 3);
  EXPECT_EQ(c.numReturnSequences, 2);
  EXPECT_EQ(c.earlyStopping, EarlyStopping::Never);
  EXPECT_EQ(c.lengthPenalty, -0.5);
  EXPECT_EQ(c.gnmtAlpha, 0.6);
  EXPECT_EQ(c.repetitionPenalty, 1.1);
  EXPECT_EQ(c.encoderRepetitionPenalty, 1.2);
  EXPECT_EQ(c.noRepeatNgramSize, 3);
  EXPECT_EQ(c.encoderNoRepeatNgramSize, 4);
  EXPECT_EQ(c.badWordsIds, (std::vector<std::vector<int64_t>>{{1}, {2, 3}}));
  ASSERT_EQ(c.sequenceBias.size(), 1u);
  EXPECT_EQ(c.sequenceBias[0].tokens, (std::vector<int64_t>{4, 5}));
  EXPECT_EQ(c.sequenceBias[0].bias, -1.5f);
  EXPECT_EQ(c.forcedBosTokenId, 6);
  EXPECT_EQ(c.forcedEosTokenId, std::vector<int64_t>{7});
  EXPECT_EQ(c.suppressTokens, (std::vector<int64_t>{8, 9}));
  EXPECT_EQ(c.beginSuppressTokens, std::vector<int64_t>{10});
  EXPECT_EQ(c.exponentialDecayLengthPenalty, (std::pair<int64_t, double>(11, 1.01)));
  EXPECT_TRUE(c.removeInvalidValues);
  EXPECT_TRUE(c.renormalizeLogits);
  EXPECT_EQ(c.temperature, 0.5);
  EXPECT_EQ(c.topK, 12);
  EXPECT_EQ(c.topP, 0.9);
  EXPECT_EQ(c.minP, 0.05);
  EXPECT_EQ(c.topH, 0.4);
  EXPECT_EQ(c.typicalP, 0.8);
  EXPECT_EQ(c.epsilonCutoff, 0.001);
  EXPECT_EQ(c.etaCutoff, 0.002);
  EXPECT_EQ(c.seed, 13u);
  EXPECT_EQ(c.padTokenId, 14);
  EXPECT_EQ(c.bosTokenId, 15);
  EXPECT_EQ(c.eosTokenId, (std::vector<int64_t>{16, 17}));
  EXPECT_EQ(c.decoderStartTokenId, 18);
}

TEST(GenerationConfigTest, NullPutsADefaultBack) {
  GenerationConfig c;
  c.update(json::parse(R"({"top_k": 3, "eos_token_id": 2, "min_p": 0.5, "num_beams": 4})"), "test");
  c.update(json::parse(R"({"top_k": null, "eos_token_id": null, "min_p": null})"), "test");
  EXPECT_EQ(c.topK, 50);
  EXPECT_TRUE(c.eosTokenId.empty());
  EXPECT_FALSE(c.minP);
  EXPECT_EQ(c.numBeams, 4);
  c.update(json::parse(R"({"eos_token_id": -1, "top_k": 7.0})"), "test");
  EXPECT_TRUE(c.eosTokenId.empty()) << "-1 is how old files say none";
  EXPECT_EQ(c.topK, 7);
}

TEST(GenerationConfigTest, ErrorsNameTheFieldAndBothTypes) {
  EXPECT_EQ(updateError("[]"),
            "generation_config.json: expected a JSON object with generation settings, found array");
  EXPECT_EQ(updateError(R"({"num_beams": 0})"),
            "generation_config.json: field 'num_beams': expected an integer >= 1, found 0");
  EXPECT_EQ(updateError(R"({"num_beams": "4"})"),
            "generation_config.json: field 'num_beams': expected an integer >= 1, found \"4\"");
  EXPECT_EQ(updateError(R"({"top_k": 1.5})"),
            "generation_config.json: field 'top_k': expected an integer >= 0 (0: off), found 1.5");
  EXPECT_EQ(
      updateError(R"({"top_k": 18446744073709551615})"),
      "generation_config.json: field 'top_k': expected an integer >= 0 (0: off), found 18446744073709551615");
  EXPECT_EQ(updateError(R"({"top_p": 1.1})"),
            "generation_config.json: field 'top_p': expected a number in (0, 1], found 1.1");
  EXPECT_EQ(updateError(R"({"top_p": 0})"),
            "generation_config.json: field 'top_p': expected a number in (0, 1], found 0");
  EXPECT_EQ(updateError(R"({"temperature": 0})"),
            "generation_config.json: field 'temperature': expected a number > 0 (for "
            "greedy search, do_sample = false), found 0");
  EXPECT_EQ(updateError(R"({"do_sample": 1})"),
            "generation_config.json: field 'do_sample': expected true or false, found 1");
  EXPECT_EQ(
      updateError(R"({"early_stopping": "always"})"),
      "generation_config.json: field 'early_stopping': expected true, false or \"never\", found \"always\"");
  EXPECT_EQ(updateError(R"({"bad_words_ids": [[]]})"),
            "generation_config.json: field 'bad_words_ids': expected a list of non-empty lists of token ids, "
            "found [[]]");
  EXPECT_EQ(updateError(R"({"eos_token_id": [1, -2]})"),
            "generation_config.json: field 'eos_token_id': expected a token id or "
            "a list of token ids (integers >= 0), found -2");
  EXPECT_EQ(updateError(R"({"penalty_alpha": 0.6})"),
            "generation_config.json: field 'penalty_alpha': contrastive search is not supported, found 0.6");
  EXPECT_EQ(updateError(R"({"num_beam_groups": 2})"),
            "generation_config.json: field 'num_beam_groups': group beam search is not supported, found 2");
}

TEST(GenerationConfigTest, SetReadsTextAsACommandLineGivesIt) {
  GenerationConfig c;
  c.set("num_beams", "4", "--num-beams");
  c.set("early_stopping", "never", "--early-stopping");
  c.set("eos_token_id", "3,4", "--eos-token-id");
  c.set("bad_words_ids", "[[1],[2,3]]", "--bad-words-ids");
  c.set("stop_strings", "12", "--stop");
  c.set("top_p", "0.5", "--top-p");
  EXPECT_EQ(c.numBeams, 4);
  EXPECT_EQ(c.earlyStopping, EarlyStopping::Never);
  EXPECT_EQ(c.eosTokenId, (std::vector<int64_t>{3, 4}));
  EXPECT_EQ(c.badWordsIds.size(), 2u);
  EXPECT_EQ(c.stopStrings, std::vector<std::string>{"12"});
  EXPECT_EQ(c.topP, 0.5);
  c.set("eos_token_id", "none", "--eos-token-id");
  EXPECT_TRUE(c.eosTokenId.empty());
  EXPECT_EQ(errorOf([&] { c.set("top_p", "lots", "--top-p"); }),
            "--top-p: field 'top_p': expected a number in (0, 1], found \"lots\"");
  EXPECT_EQ(errorOf([&] { c.set("top_q", "1", "--top-q"); }),
            "--top-q: there is no generation setting 'top_q'");
}

TEST(GenerationConfigTest, ValidateComparesFields) {
  auto check = [](const char *text) {
    return errorOf([&] {
      GenerationConfig c;
      c.update(json::parse(text), "test");
      c.validate();
    });
  };
  EXPECT_EQ(check("{}"), "none");
  EXPECT_EQ(check(R"({"forced_bos_token_id": 1, "suppress_tokens": [0, 1]})"),
            "forced_bos_token_id: token 1 is in suppress_tokens too");
  EXPECT_EQ(check(R"({"forced_eos_token_id": [1, 2], "suppress_tokens": [2, 1]})"),
            "forced_eos_token_id: all its tokens are in suppress_tokens too");
  EXPECT_EQ(check(R"({"forced_eos_token_id": [1, 2], "suppress_tokens": [2]})"), "none");
  EXPECT_EQ(check(R"({"exponential_decay_length_penalty": [1, 2]})"),
            "exponential_decay_length_penalty: expected an eos_token_id whose score can grow, found none");
}

TEST(GenerationConfigTest, FieldsHaveOneNameEach) {
  std::set<std::string_view> names;
  for (const auto &[name, type] : GenerationConfig::fields()) {
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_FALSE(type.empty());
  }
  EXPECT_EQ(names.size(), 41u);
}

} // namespace
