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

#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>

namespace {

constexpr int kChains = 12, kSteps = 100000;

/// Sets `rate` from the work of one thread in one iteration.
void setRate(benchmark::State &state, double perIteration) {
  state.counters["rate"] =
      benchmark::Counter(perIteration * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

// kChains independent accumulators hide the latency; the empty asm keeps the compiler from merging steps.
#define SESAME_MULTIPLY_ADD(NAME, FEATURES, TYPE, ZERO, STEP, OPERATIONS)                                    \
  __attribute__((target(FEATURES), noinline)) void run_##NAME() {                                            \
    TYPE chains[kChains];                                                                                    \
    _Pragma("unroll") for (int i = 0; i < kChains; ++i) chains[i] = ZERO;                                    \
    for (int step = 0; step < kSteps; ++step) {                                                              \
      _Pragma("unroll") for (int i = 0; i < kChains; ++i) {                                                  \
        STEP;                                                                                                \
        asm volatile("" : "+v"(chains[i]));                                                                  \
      }                                                                                                      \
    }                                                                                                        \
    asm volatile("" ::"v"(chains[0]));                                                                       \
  }                                                                                                          \
  void multiply_add_##NAME(benchmark::State &state) {                                                        \
    for (auto _ : state)                                                                                     \
      run_##NAME();                                                                                          \
    setRate(state, double(kChains) * kSteps * (OPERATIONS));                                                 \
  }

SESAME_MULTIPLY_ADD(f32_avx512, "avx512f", __m512, _mm512_setzero_ps(),
                    chains[i] = _mm512_fmadd_ps(chains[i], chains[i], chains[i]), 2 * 16)
SESAME_MULTIPLY_ADD(f32_avx2, "avx2,fma", __m256, _mm256_setzero_ps(),
                    chains[i] = _mm256_fmadd_ps(chains[i], chains[i], chains[i]), 2 * 8)
SESAME_MULTIPLY_ADD(bf16_avx512, "avx512f,avx512bf16", __m512, _mm512_setzero_ps(),
                    chains[i] = _mm512_dpbf16_ps(chains[i], (__m512bh)_mm512_setzero_si512(),
                                                 (__m512bh)_mm512_setzero_si512()),
                    2 * 32)
SESAME_MULTIPLY_ADD(int8_avx512, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512(),
                    chains[i] = _mm512_dpbusd_epi32(chains[i], _mm512_setzero_si512(),
                                                    _mm512_setzero_si512()),
                    2 * 64)

/// Sums `bytes` of this thread's own memory.
__attribute__((noinline)) int64_t sum(const std::vector<int64_t> &values) {
  int64_t sums[16] = {};
  for (size_t at = 0; at + 16 <= values.size(); at += 16)
    for (int i = 0; i < 16; ++i)
      sums[i] += values[at + i];
  for (int i = 1; i < 16; ++i)
    sums[0] += sums[i];
  return sums[0];
}

void read(benchmark::State &state, int64_t bytes) {
  const std::vector<int64_t> values(static_cast<size_t>(bytes / state.threads()) / sizeof(int64_t), 1);
  for (auto _ : state)
    benchmark::DoNotOptimize(sum(values));
  setRate(state, static_cast<double>(values.size() * sizeof(int64_t)));
}

/// bf16 and int8 fall back to what the CPU has: their products are then made of f32 ones.
void addMultiplyAdd(const char *name, void (*function)(benchmark::State &)) {
  benchmark::RegisterBenchmark(name, function)->ThreadRange(1, 2)->UseRealTime();
}

} // namespace

int main(int argc, char **argv) {
  __builtin_cpu_init();
  void (*f32)(benchmark::State &) =
      __builtin_cpu_supports("avx512f") ? multiply_add_f32_avx512 : multiply_add_f32_avx2;
  addMultiplyAdd("multiply_add_f32", f32);
  addMultiplyAdd("multiply_add_bf16", __builtin_cpu_supports("avx512bf16") ? multiply_add_bf16_avx512 : f32);
  addMultiplyAdd("multiply_add_int8", __builtin_cpu_supports("avx512vnni") ? multiply_add_int8_avx512 : f32);
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
