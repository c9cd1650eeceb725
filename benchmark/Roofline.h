//===- Roofline.h - What one core can do ------------------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The rates that benchmarks compare with. Compiled for this machine, with contraction of multiply and add.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_BENCHMARK_ROOFLINE_H
#define SESAME_BENCHMARK_ROOFLINE_H

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <vector>

namespace {

constexpr int64_t kLanes = SESAME_BENCHMARK_LANES;

typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));
/// A vector anywhere in an array of floats.
typedef float LooseVector __attribute__((vector_size(kLanes * sizeof(float)), aligned(4)));

/// Processor seconds of this thread.
double now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Floating-point operations a second of 12 independent chains of multiply-adds in registers: the best of 10
/// runs.
__attribute__((noinline)) double measurePeak() {
  constexpr int kChains = 12, kSteps = 100000;
  double best = 1e9;
  for (int run = 0; run < 10; ++run) {
    Vector chains[kChains], factor, term;
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      factor[lane] = 0.999f;
      term[lane] = 1e-3f;
    }
#pragma unroll
    for (int i = 0; i < kChains; ++i)
      chains[i] = term * static_cast<float>(i);
    double start = now();
    for (int step = 0; step < kSteps; ++step) {
#pragma unroll
      for (int i = 0; i < kChains; ++i) {
        chains[i] = chains[i] * factor + term; // contracted to a fused multiply-add
        asm volatile("" : "+v"(chains[i]));    // and neither merged nor reordered into something else
      }
    }
    best = std::min(best, now() - start);
    Vector sum = chains[0];
#pragma unroll
    for (int i = 1; i < kChains; ++i)
      sum += chains[i];
    benchmark::DoNotOptimize(sum);
  }
  return 2.0 * kChains * kSteps * kLanes / best;
}

/// Bytes a second of adding up `floats` `repeats` times: the best of 20 runs.
inline double measureRead(const std::vector<float> &floats, int repeats = 1) {
  double best = 1e9;
  for (int run = 0; run < 20; ++run) {
    Vector sums[8] = {};
    double start = now();
    for (int repeat = 0; repeat < repeats; ++repeat) {
      for (size_t at = 0; at + 8 * kLanes <= floats.size(); at += 8 * kLanes)
#pragma unroll
        for (int i = 0; i < 8; ++i)
          sums[i] += *reinterpret_cast<const LooseVector *>(&floats[at + static_cast<size_t>(i * kLanes)]);
      asm volatile("" ::: "memory");
    }
    best = std::min(best, now() - start);
    Vector sum = sums[0];
#pragma unroll
    for (int i = 1; i < 8; ++i)
      sum += sums[i];
    benchmark::DoNotOptimize(sum);
  }
  return static_cast<double>(repeats) * static_cast<double>(floats.size() * sizeof(float)) / best;
}

} // namespace

#endif // SESAME_BENCHMARK_ROOFLINE_H
