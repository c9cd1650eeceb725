//===- bench.cpp - sesame bench ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "GenerateOptions.h"
#include "Options.h"
#include "TextModel.h"

#include "generate/RowMath.h"
#include "generate/SessionStepModel.h"
#include "support/Error.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>

namespace sesame {

namespace {
struct BenchOptions {
  std::string bundle;
  int64_t promptTokens = 128, newTokens = 64, batch = 1, repeat = 5;
  std::vector<int64_t> lengths;
  int threads = 0;
  bool json = false;
};
} // namespace

using Clock = std::chrono::steady_clock;

static double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

static double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// The exclusive bound of the ids, from the entry's declared range.
static int64_t idBound(const EntrySpec &entry) {
  const int32_t ids = entry.findInput("input_ids");
  return ids >= 0 && entry.inputs[ids].range ? entry.inputs[ids].range->second : 1;
}

static void bench(const BenchOptions &options) {
  const Clock::time_point loadStart = Clock::now();
  TextModel model(options.bundle, options.threads);
  const double loadSeconds = secondsSince(loadStart);
  Session &session = model.session();
  const bool canDecode = session.model().hasEntry("decode");
  // An encoder reads the prompt, and the decoder starts with one token.
  const bool hasSource = hasEncoder(session.model());
  const EntrySpec &entry = session.model().entries()[session.model().entryIndex(hasSource   ? "encode"
                                                                                : canDecode ? "decode"
                                                                                            : "forward")];
  std::vector<int64_t> ids(options.batch * options.promptTokens);
  for (size_t i = 0; i < ids.size(); ++i)
    ids[i] = static_cast<int64_t>(i * 7919 + 13) % idBound(entry);

  const std::vector<int64_t> shape = {options.batch, options.promptTokens};
  std::vector<InputTensor> inputs = {{"input_ids", DType::i64, shape, ids.data()}};
  std::vector<int64_t> mask;
  if (!options.lengths.empty()) {
    if (entry.paddingMask() < 0)
      throw Error(message(options.bundle, ": --lengths: its entry '", entry.name, "' has no padding mask"));
    for (int64_t length : options.lengths) {
      mask.insert(mask.end(), length, 1);
      mask.insert(mask.end(), options.promptTokens - length, 0);
    }
    inputs.push_back({entry.inputs[entry.paddingMask()].name, DType::i64, shape, mask.data()});
  }

  std::vector<double> prompt, decode;
  std::vector<int64_t> next(options.batch);
  std::optional<SourceBatch> source;
  if (hasSource) {
    std::vector<std::vector<int64_t>> rows;
    for (auto row = ids.begin(); row != ids.end(); row += options.promptTokens)
      rows.emplace_back(row, row + options.promptTokens);
    source.emplace(entry, rows, /*padId=*/0);
  }
  std::unique_ptr<SessionStepModel> steps = canDecode ? std::make_unique<SessionStepModel>(session) : nullptr;
  for (int64_t run = 0; run <= options.repeat; ++run) { // the first one warms up
    if (!canDecode) {
      const Clock::time_point start = Clock::now();
      session.runInPlace("forward", inputs);
      if (run)
        prompt.push_back(secondsSince(start));
      continue;
    }
    Clock::time_point start = Clock::now();
    if (source)
      steps->encode(source->tensors());
    const double encodeSeconds = secondsSince(start);
    const int64_t length = hasSource ? 1 : options.promptTokens;
    start = Clock::now();
    steps->begin(options.batch, 1, length + options.newTokens);
    const float *logits = steps->step(ids.data(), nullptr, length);
    if (run)
      prompt.push_back(encodeSeconds + secondsSince(start));
    start = Clock::now();
    for (int64_t step = 0; step < options.newTokens; ++step) {
      const int64_t vocabulary = steps->vocabSize();
      for (int64_t row = 0; row < options.batch; ++row)
        next[row] = argmax(logits + row * vocabulary, vocabulary);
      logits = steps->step(next.data(), nullptr, 1);
    }
    if (run && options.newTokens > 0)
      decode.push_back(secondsSince(start) / static_cast<double>(options.newTokens));
  }
  const double promptSeconds = median(prompt);
  nlohmann::json result = {
      {"bundle", options.bundle},
      {"threads", session.numThreads()},
      {"batch", options.batch},
      {"prompt_tokens", options.promptTokens},
      {"load_ms", loadSeconds * 1e3},
      {"prompt_ms", promptSeconds * 1e3},
      {"prompt_tokens_per_second", options.batch * options.promptTokens / promptSeconds}};
  if (!decode.empty()) {
    const double step = median(decode);
    result["new_tokens"] = options.newTokens;
    result["step_ms"] = step * 1e3;
    result["new_tokens_per_second"] = options.batch / step;
    result["weight_gigabytes_per_second"] = model.manifest().weights.dataSizeInBytes / step * 1e-9;
  }
  if (options.json) {
    std::printf("%s\n", result.dump().c_str());
    return;
  }
  std::printf("load    %8.2f ms\nprompt  %8.2f ms  %10.1f tokens/s   (%lld x %lld tokens, %d threads, median "
              "of %lld)\n",
              loadSeconds * 1e3, promptSeconds * 1e3, options.batch * options.promptTokens / promptSeconds,
              static_cast<long long>(options.batch), static_cast<long long>(options.promptTokens),
              session.numThreads(), static_cast<long long>(options.repeat));
  if (!decode.empty())
    std::printf("decode  %8.2f ms  %10.1f tokens/s   (each step; %.1f GB/s of weights)\n",
                result["step_ms"].get<double>(), result["new_tokens_per_second"].get<double>(),
                result["weight_gigabytes_per_second"].get<double>());
}

void addBenchCommand(CLI::App &app) {
  CLI::App *command = app.add_subcommand("bench", "Time a bundle: loading, prompt, each new token");
  auto options = std::make_shared<BenchOptions>();
  command->add_option("BUNDLE", options->bundle, "What 'sesame compile' wrote")->required();
  command->add_option("--prompt-tokens", options->promptTokens, "Length of the prompt")
      ->capture_default_str()
      ->check(integerFrom(1));
  command->add_option("--new-tokens", options->newTokens, "How many tokens to generate")
      ->capture_default_str()
      ->check(integerFrom(0));
  command->add_option("--batch", options->batch, "How many sequences")
      ->capture_default_str()
      ->check(integerFrom(1));
  command->add_option("--repeat", options->repeat, "How many timed runs")
      ->capture_default_str()
      ->check(integerFrom(1));
  command
      ->add_option(
          "--lengths", options->lengths,
          "Tokens of each row, the rest is padding (encoders); in place of --batch and --prompt-tokens")
      ->delimiter(',')
      ->check(integerFrom(1));
  addThreadsOption(command, options->threads);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] {
    if (!options->lengths.empty()) {
      options->batch = static_cast<int64_t>(options->lengths.size());
      options->promptTokens = *std::max_element(options->lengths.begin(), options->lengths.end());
    }
    bench(*options);
  });
}

} // namespace sesame
