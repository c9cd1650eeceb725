//===- MachineRates.cpp - How fast a machine can be at most ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MachineRates.h"

#include "PeakLoops.h"

#include "Codegen.h"
#include "core/ThreadTeam.h"
#include "support/Error.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <unistd.h>
#include <vector>

namespace sesame {

using Clock = std::chrono::steady_clock;

static double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// How often `region` runs in a second: its fastest run in `seconds`, since what disturbs it only makes it
/// slower.
static double measure(double seconds, const std::function<void()> &region) {
  double fastest = 1e30;
  const Clock::time_point start = Clock::now();
  do {
    const Clock::time_point runStart = Clock::now();
    region();
    fastest = std::min(fastest, secondsSince(runStart));
  } while (secondsSince(start) < seconds);
  return 1 / fastest;
}

static double measureLoop(ThreadTeam &team, peak::Loop loop) {
  auto body = [](void *data, int64_t begin, int64_t end) {
    for (; begin < end; ++begin)
      static_cast<const peak::Loop *>(data)->run();
  };
  const int numThreads = team.size();
  return loop.operations * numThreads * measure(0.04, [&] { team.parallelFor(body, &loop, numThreads); });
}

namespace {
struct Memory {
  std::vector<int64_t> values;
  size_t part;
  std::vector<int64_t> sums;
};
} // namespace

static double measureRead(ThreadTeam &team, size_t bytes, double seconds) {
  const auto numThreads = static_cast<size_t>(team.size());
  Memory memory;
  memory.part = bytes / sizeof(int64_t) / numThreads;
  memory.values.assign(memory.part * numThreads, 1);
  memory.sums.resize(numThreads);
  auto body = [](void *data, int64_t begin, int64_t end) {
    auto *read = static_cast<Memory *>(data);
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i)
      read->sums[i] = peak::sum(read->values.data() + i * read->part, read->part);
  };
  return static_cast<double>(memory.values.size() * sizeof(int64_t)) *
         measure(seconds, [&] { team.parallelFor(body, &memory, static_cast<int64_t>(numThreads)); });
}

MachineRates measureRates(const CodegenOptions &target, int numThreads) {
  const Clock::time_point start = Clock::now();
  ThreadTeam team(numThreads);
  MachineRates rates;
  rates.isMeasured = true;
  rates.numThreads = team.size();
  rates.f32 = rates.bf16 = rates.int8 = measureLoop(team, peak::multiplyAddF32(target.vectorLanes));
#if defined(__x86_64__)
  if (target.hasFeature("avx512bf16"))
    rates.bf16 = measureLoop(team, peak::multiplyAddOfBf16());
  if (target.hasFeature("avx512vnni"))
    rates.int8 = measureLoop(team, peak::multiplyAddOfInt8());
#endif
  const long cacheBytes = sysconf(_SC_LEVEL3_CACHE_SIZE);
  // Of the 32 MB and more that are reported, cores share no more among a few of them, and with others.
  rates.cacheBytes = cacheBytes > 0 ? std::min(static_cast<double>(cacheBytes), 32e6) : 8e6;
  rates.cache = measureRead(team, static_cast<size_t>(std::min(rates.cacheBytes / 2, 8e6)), 0.03);
  rates.memory = measureRead(team, static_cast<size_t>(std::max(rates.cacheBytes * 4, 64e6)), 0.06);
  char text[80];
  std::snprintf(text, sizeof text, "measured on this machine in %.2f s, %d thread%s", secondsSince(start),
                rates.numThreads, rates.numThreads == 1 ? "" : "s");
  rates.origin = text;
  return rates;
}

MachineRates nominalRates(const CodegenOptions &target) {
  // Two vector multiply-adds a cycle (Haswell, Zen 2, Neoverse N1 and later), at a clock that all of them
  // keep.
  constexpr double clock = 3e9;
  MachineRates rates;
  rates.f32 = clock * 2 * 2 * static_cast<double>(target.vectorLanes);
  rates.bf16 = rates.f32 * (target.hasFeature("avx512bf16") ? 2 : 1);
  rates.int8 = rates.f32 * (target.hasFeature("avx512vnni") ? 4 : 1);
  rates.memory = 20e9;
  rates.cache = 60e9;
  rates.cacheBytes = 8e6;
  rates.origin = message("of the description of target ", target.cpu, ", one core at 3 GHz; not measured");
  return rates;
}

} // namespace sesame
