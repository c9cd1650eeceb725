//===- generate.cpp - What choosing tokens costs -------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The model here does nothing, so what is measured is the time that choosing the
// next tokens adds to a step. V is GPT-2's vocabulary.
//
//===----------------------------------------------------------------------===//

#include "generate/Generate.h"
#include "generate/Random.h"
#include "generate/RowMath.h"
#include "generate/RowMoves.h"

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>

using namespace sesame;

namespace {

constexpr int64_t vocabulary = 50257, numNewTokens = 32;

/// Gives the same logits, drawn from a bell curve with the spread of GPT-2's, whatever it is fed.
class IdleModel : public StepModel {
public:
  explicit IdleModel(int64_t mostRows) : logits(size_t(mostRows * vocabulary)) {
    for (size_t i = 0; i < logits.size(); ++i) {
      double sum = 0; // Irwin-Hall: twelve uniform numbers
      for (uint32_t draw = 0; draw < 12; ++draw)
        sum += uniform(1, i, 0, draw);
      logits[i] = float((sum - 6) * 3);
    }
  }
  int64_t vocabSize() const override { return vocabulary; }
  int64_t maxLength() const override { return 0; }
  void begin(int64_t, int64_t, int64_t) override {}
  const float *step(const int64_t *, const int64_t *, int64_t) override { return logits.data(); }
  void fork(int64_t) override {}
  void reorder(const int32_t *) override {}

private:
  std::vector<float> logits;
};

void chooseTokens(benchmark::State &state, const char *settings) {
  GenerationConfig config;
  config.update(nlohmann::json::parse(settings), "benchmark");
  config.maxNewTokens = numNewTokens;
  int64_t rowsPerInput = std::max(config.numBeams, config.numReturnSequences);
  IdleModel model(rowsPerInput);
  GenerationInput input = padLeft({std::vector<int64_t>(128, 1)}, 0);
  for (auto _ : state)
    benchmark::DoNotOptimize(generate(model, config, input));
  state.counters["time_per_step"] = benchmark::Counter(
      numNewTokens, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

BENCHMARK_CAPTURE(chooseTokens, greedy, "{}");
BENCHMARK_CAPTURE(chooseTokens, greedy_penalised,
                  R"({"repetition_penalty": 1.2, "no_repeat_ngram_size": 3})");
BENCHMARK_CAPTURE(chooseTokens, sample, R"({"do_sample": true, "top_k": 0})");
BENCHMARK_CAPTURE(chooseTokens, sample_top_k, R"({"do_sample": true, "temperature": 0.8, "top_k": 50})");
BENCHMARK_CAPTURE(chooseTokens, sample_top_p, R"({"do_sample": true, "top_k": 0, "top_p": 0.9})");
BENCHMARK_CAPTURE(chooseTokens, sample_typical, R"({"do_sample": true, "top_k": 0, "typical_p": 0.9})");
BENCHMARK_CAPTURE(chooseTokens, beams_4, R"({"num_beams": 4})");
BENCHMARK_CAPTURE(chooseTokens, beams_4_sample, R"({"num_beams": 4, "do_sample": true, "top_k": 50})");

void logSoftmaxOfARow(benchmark::State &state) {
  IdleModel model(1);
  std::vector<float> result(vocabulary);
  const float *row = model.step(nullptr, nullptr, 1);
  for (auto _ : state) {
    logSoftmax(row, result.data(), vocabulary);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * vocabulary);
}
BENCHMARK(logSoftmaxOfARow);

/// Reordering GPT-2's cache (12 layers, 12 heads of 64, 4 beams) of 64 tokens behind the prompt: two rows
/// change.
void reorderCache(benchmark::State &state) {
  constexpr int64_t layers = 12, rows = 4, heads = 12, capacity = 256, tokenInBytes = 64 * 4, used = 64;
  std::vector<char> cache(size_t(layers * rows * heads * capacity * tokenInBytes));
  RowLayout layout;
  layout.outer = layers;
  layout.runs = heads;
  layout.stride = capacity * tokenInBytes;
  layout.offset = 128 * tokenInBytes;
  layout.length = used * tokenInBytes;
  std::vector<char> spare(size_t(layout.runs * layout.length));
  RowMoves moves(rows);
  int32_t parents[rows] = {0, 0, 2, 1};
  for (auto _ : state) {
    moves.plan(parents, rows);
    moves.apply(cache.data(), layout, spare.data());
  }
  state.SetBytesProcessed(state.iterations() * moves.numCopies() * layers * heads * layout.length);
}
BENCHMARK(reorderCache);

} // namespace

BENCHMARK_MAIN();
