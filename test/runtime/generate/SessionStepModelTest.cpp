//===- SessionStepModelTest.cpp - Generation through a session and its states ===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "generate/SessionStepModel.h"
#include "ModelsForTest.h"
#include "core/Model.h"
#include "generate/Generate.h"
#include "generate/RowMoves.h"
#include "io/Manifest.h"
#include "io/Safetensors.h"
#include "support/Error.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>

using namespace sesame;
using namespace sesame::test;

namespace {

/// Counts calls of operator new between start() and stop().
int64_t numAllocations = 0;
bool isCounting = false;

} // namespace

void *operator new(size_t size) {
  if (isCounting)
    ++numAllocations;
  if (void *memory = std::malloc(size ? size : 1))
    return memory;
  throw std::bad_alloc();
}
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, size_t) noexcept { std::free(memory); }

namespace {

constexpr int64_t vocabulary = 23, positions = 30;

/// The logits of inputs/fake_decoder.c.
std::vector<float> fakeLogits(const std::vector<int64_t> &history) {
  uint64_t hash = 1;
  for (int64_t token : history)
    hash = (hash ^ uint64_t(token + 1)) * 0x100000001B3ull;
  std::vector<float> logits;
  for (int64_t v = 0; v < vocabulary; ++v) {
    uint64_t mixed = hash + uint64_t(v) * 0x9E3779B97F4A7C15ull;
    mixed = (mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9ull;
    logits.push_back(float(double(mixed >> 40) / 16777216.0 * 6 - 3));
  }
  return logits;
}

/// A bundle around the hand-written code, in a folder of its own.
class FakeBundle {
public:
  FakeBundle() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sesame-generate-XXXXXX").string();
    if (!mkdtemp(pattern.data()))
      throw std::runtime_error("no temporary folder");
    directory = pattern;
    std::filesystem::copy_file(SESAME_FAKE_DECODER, directory + "/model.so");
    SafetensorsWriter writer(directory + "/weights.safetensors");
    writer.add("unused", DType::f32, {1});
    writer.begin();
    float zero = 0;
    writer.write(&zero, sizeof(zero));
    writer.finish();

    Manifest manifest;
    manifest.model = {"fake", "FakeForCausalLM", "text-generation"};
#if defined(__x86_64__)
    manifest.target.triple = "x86_64-unknown-linux-gnu";
#else
    manifest.target.triple = "aarch64-unknown-linux-gnu";
#endif
    manifest.target.cpu = "generic";
    manifest.weights.dataSizeInBytes = writer.dataSizeInBytes();
    manifest.weights.checksum = headerChecksum(writer.headerText());
    EntrySpec decode;
    decode.name = "decode";
    for (const char *symbol : {"B", "S", "T", "C"})
      decode.addSymbol(symbol);
    Dim b = Dim::ofSymbol(0), s = Dim::ofSymbol(1), t = Dim::ofSymbol(2), c = Dim::ofSymbol(3);
    auto input = [](const char *name, DType dtype, std::vector<Dim> shape) {
      TensorSpec spec;
      spec.name = name;
      spec.dtype = dtype;
      spec.shape = std::move(shape);
      return spec;
    };
    decode.inputs = {input("input_ids", DType::i64, {b, s}), input("attention_mask", DType::i64, {b, t}),
                     input("position_ids", DType::i64, {b, s})};
    decode.inputs[0].range = {0, vocabulary};
    decode.inputs[2].range = {0, positions};
    for (const char *name : {"key_cache", "value_cache"})
      decode.inputs.push_back(
          input(name, DType::f32, {Dim::constant(2), b, Dim::constant(3), c, Dim::constant(2)}));
    decode.inputs.push_back(input("count", DType::f32, {b, Dim::constant(1)}));
    for (size_t i = 3; i < 6; ++i)
      decode.inputs[i].isState = true;
    decode.outputs = {input("logits", DType::f32, {b, Dim::constant(vocabulary)})};
    EntrySpec forward;
    forward.name = "forward";
    forward.addSymbol("B");
    forward.addSymbol("S");
    forward.inputs = {input("input_ids", DType::i64, {b, s}), input("attention_mask", DType::i64, {b, s})};
    forward.outputs = {input("logits", DType::f32, {b, s, Dim::constant(vocabulary)})};
    EntrySpec translate;
    translate.name = "translate";
    for (const char *symbol : {"B", "S", "E"})
      translate.addSymbol(symbol);
    translate.inputs = {input("decoder_input_ids", DType::i64, {b, s}),
                        input("encoder_hidden_states", DType::f32, {b, Dim::ofSymbol(2), Dim::constant(2)})};
    translate.outputs = forward.outputs;
    manifest.entries = {decode, forward, translate};
    std::ofstream(directory + "/manifest.json") << serializeManifest(manifest);
  }
  ~FakeBundle() { std::filesystem::remove_all(directory); }

  std::string directory;
};

class SessionTest : public testing::Test {
protected:
  static void SetUpTestSuite() {
    bundle = new FakeBundle();
    model = Model::open(bundle->directory);
  }
  static void TearDownTestSuite() {
    model.reset();
    delete bundle;
  }

  static FakeBundle *bundle;
  static std::shared_ptr<const Model> model;
};
FakeBundle *SessionTest::bundle;
std::shared_ptr<const Model> SessionTest::model;

Session::Options oneThread() {
  Session::Options options;
  options.numThreads = 1;
  return options;
}

/// Settings that between them fork, reorder with duplicates and cycles, and pad.
std::vector<GenerationConfig> someConfigs() {
  std::vector<GenerationConfig> configs;
  for (const char *text :
       {R"({"max_new_tokens": 12})", R"({"max_new_tokens": 12, "num_beams": 5, "eos_token_id": [1, 2]})",
        R"({"max_new_tokens": 12, "num_beams": 4, "num_return_sequences": 4, "length_penalty": 2})",
        R"({"max_new_tokens": 12, "num_beams": 3, "do_sample": true, "seed": 4})",
        R"({"max_new_tokens": 12, "num_return_sequences": 6, "do_sample": true, "seed": 4})"}) {
    configs.emplace_back();
    configs.back().update(nlohmann::json::parse(text), "test");
  }
  return configs;
}

std::vector<GenerationInput> someInputs() {
  return {padLeft({{3}}, 0), padLeft({{5, 6, 7}, {1, 2, 3}}, 0), padLeft({{4, 4, 2, 9}, {8}, {7, 11}}, 0)};
}

TEST_F(SessionTest, StepsEqualAModelOfTheHistory) {
  Session session(model, oneThread());
  SessionStepModel compiled(session);
  EXPECT_EQ(compiled.vocabSize(), vocabulary);
  EXPECT_EQ(compiled.maxLength(), positions);
  HistoryModel expected(vocabulary, positions, fakeLogits);
  for (const GenerationConfig &config : someConfigs())
    for (const GenerationInput &input : someInputs()) {
      GenerationResult a = generate(compiled, config, input), b = generate(expected, config, input);
      EXPECT_EQ(a.sequences, b.sequences);
      EXPECT_EQ(a.sequenceScores, b.sequenceScores);
    }
}

TEST_F(SessionTest, RecomputingEqualsAModelOfTheHistory) {
  Session session(model, oneThread());
  RecomputeStepModel compiled(session);
  HistoryModel expected(vocabulary, 0, fakeLogits);
  for (const GenerationConfig &config : someConfigs())
    for (const GenerationInput &input : someInputs())
      EXPECT_EQ(generate(compiled, config, input).sequences, generate(expected, config, input).sequences);
}

/// Between the first streamed token after the prompt and the last there is no call of operator new.
TEST_F(SessionTest, AStepAllocatesNothing) {
  Session session(model, oneThread());
  SessionStepModel compiled(session);
  GenerationConfig config;
  config.update(nlohmann::json::parse(R"({"max_new_tokens": 20, "do_sample": true, "top_k": 9, "top_p": 0.9,
      "repetition_penalty": 1.1, "no_repeat_ngram_size": 3, "num_return_sequences": 2, "min_p": 0.01, "typical_p": 0.95,
      "epsilon_cutoff": 0.001, "eta_cutoff": 0.001, "bad_words_ids": [[1, 2]], "top_h": 0.9})"),
                "test");
  int64_t numTokens = 0;
  GenerationHooks hooks;
  hooks.onToken = [&](int64_t, int64_t) {
    ++numTokens;
    isCounting = numTokens >= 4 && numTokens < 40; // Two rows: from the end of the second step on.
    return true;
  };
  numAllocations = 0;
  generate(compiled, config, padLeft({{1, 2, 3}}, 0), hooks);
  isCounting = false;
  EXPECT_EQ(numTokens, 40);
  EXPECT_EQ(numAllocations, 0);

  // Beam search streams nothing until its end; the stop hook sees every continuation.
  config = GenerationConfig();
  config.update(nlohmann::json::parse(R"({"max_new_tokens": 20, "num_beams": 4, "no_repeat_ngram_size": 2})"),
                "test");
  hooks.onToken = nullptr;
  hooks.shouldStop = [&](const int64_t *, int64_t length) {
    isCounting = length >= 6 && length < 22;
    return false;
  };
  generate(compiled, config, padLeft({{1, 2, 3}, {4, 5}}, 0), hooks);
  isCounting = false;
  EXPECT_EQ(numAllocations, 0);
}

TEST_F(SessionTest, RowsKeepTheirSource) {
  Session session(model, oneThread());
  RecomputeStepModel compiled(session, "translate");
  std::vector<float> source{1, 0, 2, 0, 3, 0, 4, 0, 5, 1, 6, 0}; // [2, 3, 2]
  compiled.setSources({{"encoder_hidden_states", DType::f32, {2, 3, 2}, source.data()}});
  std::vector<std::vector<int64_t>> tokens{{1, 2, 3}, {4, 105, 6}};
  HistoryModel expected(vocabulary, 0, [&](const std::vector<int64_t> &history, int64_t input) {
    std::vector<int64_t> all = tokens[size_t(input)];
    all.insert(all.end(), history.begin(), history.end());
    return fakeLogits(all);
  });
  for (GenerationConfig config : someConfigs()) {
    config.decoderStartTokenId = 5;
    GenerationInput input = decoderPrompt(config, 2);
    EXPECT_EQ(generate(compiled, config, input).sequences, generate(expected, config, input).sequences);
  }
  EXPECT_THROW(generate(compiled, GenerationConfig(), padLeft({{1}}, 0)), Error)
      << "one row, but two sources";
  EXPECT_THROW(compiled.setSources({{"encoder_hidden_states", DType::f32, {2, 3}, source.data()}}), Error);
  EXPECT_THROW(compiled.setSources({{"source", DType::f32, {2, 3, 2}, source.data()}}), Error);
}

TEST_F(SessionTest, ErrorsNameTheEntry) {
  Session session(model, oneThread());
  auto errorOf = [](const std::function<void()> &function) {
    try {
      function();
    } catch (const Error &error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  EXPECT_EQ(errorOf([&] { SessionStepModel(session, "forward"); }),
            "entry 'forward': expected an output 'logits' f32[B, V] for generation, found f32[B, S, 23]");
  SessionStepModel compiled(session);
  compiled.begin(1, 1, 4);
  std::vector<int64_t> ids{1, 2, 3, 4, 5};
  EXPECT_EQ(errorOf([&] { compiled.step(ids.data(), nullptr, 5); }),
            "entry 'decode': expected at most 4 tokens in a row, found 0 + 5");
  GenerationConfig config;
  config.maxNewTokens = 40;
  EXPECT_EQ(
      errorOf([&] { generate(compiled, config, padLeft({{1}}, 0)); }),
      "max_new_tokens: expected at most 30 (the model has 30 positions, the prompt 1 tokens), found 40");
}

//===----------------------------------------------------------------------===//
// RowMoves
//===----------------------------------------------------------------------===//

/// Every map of five rows to five rows, on a layout with several blocks, runs and an offset.
TEST(RowMovesTest, EqualsACopyThroughASecondBuffer) {
  constexpr int32_t rows = 5;
  RowLayout layout;
  layout.outer = 2;
  layout.runs = 3;
  layout.stride = 7;
  layout.offset = 2;
  layout.length = 4;
  RowMoves moves(rows);
  std::vector<char> spare(size_t(layout.runs * layout.length));
  for (int32_t code = 0; code < rows * rows * rows * rows * rows; ++code) {
    int32_t parents[rows];
    int64_t numChanged = 0;
    for (int32_t row = 0, rest = code; row < rows; ++row, rest /= rows) {
      parents[row] = rest % rows;
      numChanged += parents[row] != row;
    }
    std::vector<char> data(size_t(layout.outer * rows * layout.runs * layout.stride));
    for (size_t i = 0; i < data.size(); ++i)
      data[i] = char(i);
    std::vector<char> expected = data;
    for (int64_t outer = 0; outer < layout.outer; ++outer)
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t run = 0; run < layout.runs; ++run)
          for (int64_t i = layout.offset; i < layout.offset + layout.length; ++i) {
            auto at = [&](int64_t r) {
              return size_t(((outer * rows + r) * layout.runs + run) * layout.stride + i);
            };
            expected[at(row)] = data[at(parents[row])];
          }
    moves.plan(parents, rows);
    EXPECT_EQ(moves.empty(), numChanged == 0);
    EXPECT_GE(moves.numCopies(), numChanged);
    EXPECT_LE(moves.numCopies(), numChanged + rows / 2);
    moves.apply(data.data(), layout, spare.data());
    ASSERT_EQ(data, expected) << "map " << code;
  }
}

} // namespace
