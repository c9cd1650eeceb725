//===- roofline.cpp - What the machine can do at most -----------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The rates that benchmark/peers.py divides by: multiply-adds in registers (f32, and where the CPU has the
// instructions bf16 pairs and int8 quadruples with wider sums), and sums over memory, last-level and
// second-level cache. Counter `rate`: operations or bytes a second, all threads together.
//
//===----------------------------------------------------------------------===//

#include "../tools/compiler/PeakLoops.h"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#if defined(__x86_64__)

namespace {

/// Sets `rate` from the work of one thread in one iteration.
void setRate(benchmark::State &state, double perIteration) {
  state.counters["rate"] =
      benchmark::Counter(perIteration * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void read(benchmark::State &state, int64_t bytes) {
  const std::vector<int64_t> values(static_cast<size_t>(bytes / state.threads()) / sizeof(int64_t), 1);
  for (auto _ : state)
    benchmark::DoNotOptimize(sesame::peak::sum(values.data(), values.size()));
  setRate(state, static_cast<double>(values.size() * sizeof(int64_t)));
}

void addMultiplyAdd(const char *name, sesame::peak::Loop loop) {
  benchmark::RegisterBenchmark(name,
                               [loop](benchmark::State &state) {
                                 for (auto _ : state)
                                   loop.run();
                                 setRate(state, loop.operations);
                               })
      ->ThreadRange(1, 2)
      ->UseRealTime();
}

} // namespace

int main(int argc, char **argv) {
  using namespace sesame::peak;
  __builtin_cpu_init();
  const Loop f32 = multiplyAddF32(__builtin_cpu_supports("avx512f") ? 16 : 8);
  addMultiplyAdd("multiply_add_f32", f32);
  // bf16 and int8 fall back to what the CPU has: their products are then made of f32 ones.
  addMultiplyAdd("multiply_add_bf16", __builtin_cpu_supports("avx512bf16") ? multiplyAddOfBf16() : f32);
  addMultiplyAdd("multiply_add_int8", __builtin_cpu_supports("avx512vnni") ? multiplyAddOfInt8() : f32);
  const struct {
    const char *name;
    int64_t bytes;
  } levels[] = {
      {"read_memory", int64_t(1) << 30}, {"read_l3", int64_t(8) << 20}, {"read_l2", int64_t(512) << 10}};
  for (const auto &level : levels)
    benchmark::RegisterBenchmark(level.name,
                                 [bytes = level.bytes](benchmark::State &state) { read(state, bytes); })
        ->ThreadRange(1, 2)
        ->UseRealTime();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 1;
  benchmark::RunSpecifiedBenchmarks();
}

#else

int main() { return 0; }

#endif
