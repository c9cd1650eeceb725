//===- recurrent.cpp - Speed of compiled recurrences ----------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One layer of LSTM or GRU, as a user runs it: a language model of two words, compiled by `sesame compile`,
// so that next to nothing but the layer is left. H = 64 to 1024 (input as wide), T steps, B rows, 1 and 2
// threads.
//
// `of_roofline` is the shortest time that the machine allows over the shortest one seen. A step needs the one
// before it, so a layer is two phases: the input product of all steps, bound by multiply-adds or by reading
// its weights once; then T products that read the recurrent weights each, bound by multiply-adds or by the
// rate at which a loop reads as many bytes over and over, from whichever cache holds them. Both rates are
// measured anew before each benchmark, because other programs and the clock change them. One thread is timed
// in processor time, two by the wall.
//
//===----------------------------------------------------------------------===//

#include "Roofline.h"

#include "core/Model.h"
#include "core/Session.h"
#include "io/Safetensors.h"
#include "support/Error.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

constexpr int64_t kVocab = 2;

double wallSeconds() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

struct Cell {
  const char *name;
  int64_t gates;
};
constexpr Cell kLstm = {"lstm", 4}, kGru = {"gru", 3};

/// A folder that goes away with the program.
class Workplace {
public:
  Workplace() {
    std::string pattern = (std::filesystem::temp_directory_path() / "recurrent-benchmark-XXXXXX").string();
    if (!mkdtemp(pattern.data()))
      throw sesame::Error("cannot make a folder for temporary files");
    root = pattern;
  }
  ~Workplace() {
    std::error_code ignored;
    std::filesystem::remove_all(root, ignored);
  }

  /// The compiled layer; compiled when it is first asked for.
  std::shared_ptr<const sesame::Model> layer(const Cell &cell, int64_t width) {
    std::shared_ptr<const sesame::Model> &model = models[{cell.name, width}];
    if (!model) {
      const std::string checkpoint = root + "/" + cell.name + std::to_string(width),
                        bundle = checkpoint + ".b";
      writeCheckpoint(checkpoint, cell, width);
      if (std::system((SESAME_COMMAND " compile " + checkpoint + " -o " + bundle + " > /dev/null").c_str()) !=
          0)
        throw sesame::Error("'sesame compile' failed");
      model = sesame::Model::open(bundle);
    }
    return model;
  }

private:
  static void writeCheckpoint(const std::string &path, const Cell &cell, int64_t width) {
    std::filesystem::create_directory(path);
    std::ofstream(path + "/config.json")
        << "{\"model_type\": \"" << cell.name << "-lm\", \"architectures\": [\"RnnLM\"], \"num_layers\": 1, "
        << "\"vocab_size\": " << kVocab << ", \"embedding_size\": " << width << ", \"hidden_size\": " << width
        << "}\n";
    const int64_t rows = cell.gates * width;
    const std::pair<const char *, std::vector<int64_t>> tensors[] = {
        {"encoder.weight", {kVocab, width}}, {"rnn.weight_ih_l0", {rows, width}},
        {"rnn.weight_hh_l0", {rows, width}}, {"rnn.bias_ih_l0", {rows}},
        {"rnn.bias_hh_l0", {rows}},          {"decoder.weight", {kVocab, width}},
        {"decoder.bias", {kVocab}},
    };
    sesame::SafetensorsWriter writer(path + "/model.safetensors");
    for (const auto &[name, shape] : tensors)
      writer.add(name, sesame::DType::f32, shape);
    writer.begin();
    std::minstd_rand generator(1);
    std::uniform_real_distribution<float> uniform(-0.05f, 0.05f);
    std::vector<float> values;
    for (const auto &[name, shape] : tensors) {
      int64_t count = 1;
      for (int64_t extent : shape)
        count *= extent;
      values.resize(static_cast<size_t>(count));
      for (float &value : values)
        value = uniform(generator);
      writer.write(values.data(), values.size() * sizeof(float));
    }
    writer.finish();
  }

  std::string root;
  std::map<std::pair<std::string, int64_t>, std::shared_ptr<const sesame::Model>> models;
};

Workplace *workplace; // of main

void runLayer(benchmark::State &state, Cell cell) {
  const int64_t width = state.range(0), steps = state.range(1), rows = state.range(2),
                threads = state.range(3);
  std::shared_ptr<const sesame::Model> model;
  try {
    model = workplace->layer(cell, width);
  } catch (const sesame::Error &error) {
    state.SkipWithError(error.what());
    return;
  }
  sesame::Session::Options options;
  options.numThreads = static_cast<int>(threads);
  sesame::Session session(model, options);
  std::vector<int64_t> ids(static_cast<size_t>(rows * steps));
  for (size_t i = 0; i < ids.size(); ++i)
    ids[i] = static_cast<int64_t>(i % kVocab);
  sesame::BoundEntry entry = session.bind("forward");
  entry.setDim(entry.symbol("B"), rows);
  entry.setDim(entry.symbol("S"), steps);
  entry.setInput(entry.input("input_ids"), ids.data());
  entry.run();

  const auto clock = threads == 1 ? now : wallSeconds;
  const double peak = measurePeak() * static_cast<double>(threads);
  double best = 1e9;
  const int64_t weights = cell.gates * width * width;
  for (auto _ : state) {
    const double start = clock();
    entry.run();
    best = std::min(best, clock() - start);
  }
  // Each thread reads its share of the weights at the same time as the others, from the cache that holds
  // them; small ones several times, so that the clock's own cost does not count.
  const std::vector<float> share(static_cast<size_t>(weights / threads), 1.0f);
  const int repeats = static_cast<int>(std::max<size_t>(1, (size_t(1) << 18) / share.size()));
  std::vector<double> rates(static_cast<size_t>(threads));
  std::vector<std::thread> readers;
  for (double &rate : rates)
    readers.emplace_back([&rate, share, repeats] { rate = measureRead(share, repeats); });
  for (std::thread &reader : readers)
    reader.join();
  const double read = std::accumulate(rates.begin(), rates.end(), 0.0);

  const double bytes = static_cast<double>(weights) * sizeof(float);
  const double flops =
      2.0 * static_cast<double>(weights) * static_cast<double>(rows * steps); // of each phase
  const double bound = std::max(flops / peak, bytes / read) +
                       std::max(flops / peak, static_cast<double>(steps) * bytes / read);
  state.counters["us"] = best * 1e6;
  state.counters["GFLOP/s"] = 2 * flops / best * 1e-9;
  state.counters["peak_GFLOP/s"] = peak * 1e-9;
  state.counters["read_GB/s"] = read * 1e-9;
  state.counters["of_roofline"] = bound / best;
}

void allSizes(benchmark::internal::Benchmark *benchmark) {
  benchmark->ArgNames({"H", "T", "B", "threads"})->MinTime(0.2);
  for (int64_t threads : {1, 2})
    for (int64_t width : {64, 256, 512, 1024})
      for (int64_t steps : {1, 32, 128})
        for (int64_t rows : {1, 8, 32})
          benchmark->Args({width, steps, rows, threads});
}
BENCHMARK_CAPTURE(runLayer, lstm, kLstm)->Apply(allSizes);
BENCHMARK_CAPTURE(runLayer, gru, kGru)->Apply(allSizes);

} // namespace

int main(int argc, char **argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 2;
  Workplace here;
  workplace = &here;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
