//===- team.cpp - Cost of a parallel region -------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What it costs to begin and to end a parallel region of a session's threads: regions of no work, and such as
// read what the caller wrote just before (`lines` cache lines of captures) or take `work` rounds of a chain
// of additions on every thread, which is what a small recurrence's step is like. `ns` is the median of
// batches of 64 regions, less the chain itself; `least_ns` the least. One thread is what a call costs.
//
//===----------------------------------------------------------------------===//

#include "core/ThreadTeam.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

namespace {

/// As much as a compiled region hands to its body.
struct alignas(64) Captures {
  uint64_t words[64];
  int64_t lines, work;
};

/// A chain of `rounds` additions, one a cycle.
inline uint64_t chain(uint64_t value, int64_t rounds) {
  for (int64_t i = 0; i < rounds; ++i)
    asm volatile("add $1, %0" : "+r"(value));
  return value;
}

void body(void *data, int64_t, int64_t) {
  const auto *captures = static_cast<const Captures *>(data);
  uint64_t sum = 0;
  for (int64_t i = 0; i < captures->lines; ++i)
    sum += captures->words[8 * i];
  benchmark::DoNotOptimize(chain(sum, captures->work));
}

double nanoseconds(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
}

void runRegions(benchmark::State &state) {
  constexpr int kBatch = 64;
  sesame::ThreadTeam team(static_cast<int>(state.range(0)));
  Captures captures = {};
  captures.lines = state.range(1);
  captures.work = state.range(2);
  std::vector<double> times;
  double alone = 1e9;
  for (int run = 0; run < 100; ++run) {
    auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kBatch; ++i)
      body(&captures, 0, 1);
    alone = std::min(alone, nanoseconds(begin) / kBatch);
  }
  for (auto _ : state) {
    auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kBatch; ++i) {
      for (int64_t line = 0; line < captures.lines; ++line)
        captures.words[8 * line] = static_cast<uint64_t>(i);
      team.parallelFor(body, &captures, team.size());
    }
    times.push_back(nanoseconds(begin) / kBatch - alone);
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  state.counters["ns"] = times[times.size() / 2];
  state.counters["least_ns"] = *std::min_element(times.begin(), times.end());
}
BENCHMARK(runRegions)
    ->ArgNames({"threads", "lines", "work"})
    ->ArgsProduct({{1, 2}, {0, 1, 4, 8}, {0, 4000, 16000}})
    ->MinTime(0.1)
    ->UseRealTime();

} // namespace

BENCHMARK_MAIN();
