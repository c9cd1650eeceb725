//===- PeakLoops.h - Loops that go as fast as the machine can -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What rates are measured with, by `sesame compile --explain` and by the roofline benchmark: multiply-adds in
// registers (f32, and where the CPU has the instructions bf16 pairs and int8 quadruples with wider sums), and
// sums over memory. Each loop says how many operations it makes; a multiply-add counts as two.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_COMPILER_PEAKLOOPS_H
#define SESAME_COMPILER_PEAKLOOPS_H

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sesame::peak {

struct Loop {
  void (*run)();
  double operations;
};

constexpr int numChains = 12, numSteps = 100000;

// numChains independent accumulators hide the latency; the empty asm keeps the compiler from merging steps.
#define SESAME_PEAK_LOOP(NAME, ATTRIBUTES, REGISTER, TYPE, ZERO, STEP)                                       \
  ATTRIBUTES inline void NAME() {                                                                            \
    TYPE chains[numChains];                                                                                  \
    _Pragma("unroll") for (int i = 0; i < numChains; ++i) chains[i] = ZERO;                                  \
    for (int step = 0; step < numSteps; ++step) {                                                            \
      _Pragma("unroll") for (int i = 0; i < numChains; ++i) {                                                \
        STEP;                                                                                                \
        asm volatile("" : "+" REGISTER(chains[i]));                                                          \
      }                                                                                                      \
    }                                                                                                        \
  }

/// Four lanes, without a fused multiply-add where there is none.
typedef float Quad __attribute__((vector_size(16)));
#if defined(__x86_64__)
SESAME_PEAK_LOOP(multiplyAddF32Quad, __attribute__((noinline)), "x", Quad, Quad{},
                 chains[i] = chains[i] * chains[i] + chains[i])
SESAME_PEAK_LOOP(multiplyAddF32Avx512, __attribute__((target("avx512f"), noinline)), "v", __m512,
                 _mm512_setzero_ps(), chains[i] = _mm512_fmadd_ps(chains[i], chains[i], chains[i]))
SESAME_PEAK_LOOP(multiplyAddF32Avx2, __attribute__((target("avx2,fma"), noinline)), "x", __m256,
                 _mm256_setzero_ps(), chains[i] = _mm256_fmadd_ps(chains[i], chains[i], chains[i]))
SESAME_PEAK_LOOP(multiplyAddBf16, __attribute__((target("avx512f,avx512bf16"), noinline)), "v", __m512,
                 _mm512_setzero_ps(),
                 chains[i] = _mm512_dpbf16_ps(chains[i], (__m512bh)_mm512_setzero_si512(),
                                              (__m512bh)_mm512_setzero_si512()))
SESAME_PEAK_LOOP(multiplyAddInt8, __attribute__((target("avx512f,avx512vnni"), noinline)), "v", __m512i,
                 _mm512_setzero_si512(),
                 chains[i] = _mm512_dpbusd_epi32(chains[i], _mm512_setzero_si512(), _mm512_setzero_si512()))
#else
SESAME_PEAK_LOOP(multiplyAddF32Quad, __attribute__((noinline)), "w", Quad, Quad{},
                 chains[i] = chains[i] * chains[i] + chains[i])
#endif
#undef SESAME_PEAK_LOOP

/// Of f32, with vectors of 16, 8 or 4 lanes. The CPU must have them.
inline Loop multiplyAddF32(int64_t lanes) {
  const double steps = double(numChains) * numSteps * 2;
#if defined(__x86_64__)
  if (lanes >= 16)
    return {multiplyAddF32Avx512, steps * 16};
  if (lanes >= 8)
    return {multiplyAddF32Avx2, steps * 8};
#endif
  (void)lanes;
  return {multiplyAddF32Quad, steps * 4};
}

#if defined(__x86_64__)
/// With AVX512_BF16; with AVX512_VNNI.
inline Loop multiplyAddOfBf16() { return {multiplyAddBf16, double(numChains) * numSteps * 2 * 32}; }
inline Loop multiplyAddOfInt8() { return {multiplyAddInt8, double(numChains) * numSteps * 2 * 64}; }
#endif

/// The sum of `count` numbers, which reads memory as fast as one thread can.
__attribute__((noinline)) inline int64_t sum(const int64_t *values, size_t count) {
  int64_t sums[16] = {};
  for (size_t at = 0; at + 16 <= count; at += 16)
    for (int i = 0; i < 16; ++i)
      sums[i] += values[at + i];
  for (int i = 1; i < 16; ++i)
    sums[0] += sums[i];
  return sums[0];
}

} // namespace sesame::peak

#endif // SESAME_COMPILER_PEAKLOOPS_H
