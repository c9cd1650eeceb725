//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernels that the kernel passes generate, on one thread, against what the core can do: matrix products
// and attention as a fraction of the rate of multiply-adds in registers alone, one-row products as bytes of
// weights a second beside a loop that only reads. Both limits are measured anew before each benchmark,
// because other programs and the clock change them. Times are processor times of one thread; `of_peak` uses
// the fastest run of each tile, so a run that was interrupted does not count.
//
//===----------------------------------------------------------------------===//

#include "Roofline.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <functional>
#include <random>
#include <vector>

namespace {

constexpr int64_t kPanel = 2 * kLanes; // R
/// Rows that a task of the tile pass takes at K = 768.
constexpr int64_t kRowBlock = 128;
/// Columns that are timed at a time: less than a millisecond, which is seldom interrupted.
constexpr int64_t kColumnGroup = 512;
/// Query rows that a task of the tile pass takes.
constexpr int64_t kQueryBlock = 64;

struct Memref1 {
  const void *allocated;
  const void *aligned;
  int64_t offset, size, stride;
};
struct Memref2 {
  const void *allocated;
  const void *aligned;
  int64_t offset, sizes[2], strides[2];
};
Memref1 vectorOf(const float *data, int64_t size) { return {data, data, 0, size, 1}; }
Memref2 rowsOf(const float *data, int64_t rows, int64_t columns, int64_t stride) {
  return {data, data, 0, {rows, columns}, {stride, 1}};
}

} // namespace

extern "C" {
using MatmulKernel = void(Memref2 *lhs, Memref2 *panel, Memref1 *bias, Memref2 *out);
MatmulKernel _mlir_ciface_matmul_768, _mlir_ciface_matmul_768_gelu, _mlir_ciface_matmul_3072_residual;
using AttentionKernel = void(Memref2 *query, Memref2 *key, Memref2 *value, int64_t first, Memref2 *out);
AttentionKernel _mlir_ciface_attention_64, _mlir_ciface_attention_64_causal;
void _mlir_ciface_layer_norm_768(Memref2 *input, Memref1 *weight, Memref1 *bias, Memref2 *out);
}

namespace {

std::vector<float> randomFloats(int64_t count) {
  static std::minstd_rand generator(1);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> floats(static_cast<size_t>(count));
  for (float &value : floats)
    value = uniform(generator);
  return floats;
}

/// Runs `tasks` tasks an iteration; the sum over tasks of each one's shortest time, in seconds.
double runTasks(benchmark::State &state, int64_t tasks, const std::function<void(int64_t task)> &run) {
  std::vector<double> best(static_cast<size_t>(tasks), 1e9);
  for (auto _ : state)
    for (int64_t task = 0; task < tasks; ++task) {
      double start = now();
      run(task);
      best[static_cast<size_t>(task)] = std::min(best[static_cast<size_t>(task)], now() - start);
    }
  double sum = 0;
  for (double time : best)
    sum += time;
  return sum;
}

void reportFlops(benchmark::State &state, double flops, double seconds, double peak) {
  state.counters["GFLOP/s"] = flops / seconds * 1e-9;
  state.counters["of_peak"] = flops / seconds / peak;
}

/// Arguments: M, N, K.
void matmul(benchmark::State &state, MatmulKernel *kernel) {
  int64_t M = state.range(0), N = state.range(1), K = state.range(2);
  std::vector<float> lhs = randomFloats(M * K), panels = randomFloats(N * K), bias = randomFloats(N),
                     out(static_cast<size_t>(M * N));
  double peak = measurePeak(), read = M == 1 ? measureRead(panels) : 0;
  int64_t blocks = (M + kRowBlock - 1) / kRowBlock, groups = (N + kColumnGroup - 1) / kColumnGroup;
  double seconds = runTasks(state, blocks * groups, [&](int64_t task) {
    int64_t row = task / groups * kRowBlock, rows = std::min(kRowBlock, M - row);
    int64_t first = task % groups * kColumnGroup, last = std::min(N, first + kColumnGroup);
    Memref2 a = rowsOf(&lhs[static_cast<size_t>(row * K)], rows, K, K);
    for (int64_t column = first; column < last; column += kPanel) {
      Memref2 p = rowsOf(&panels[static_cast<size_t>(column * K)], K, kPanel, kPanel);
      Memref1 b = vectorOf(&bias[static_cast<size_t>(column)], kPanel);
      Memref2 c = rowsOf(&out[static_cast<size_t>(row * N + column)], rows, kPanel, N);
      kernel(&a, &p, &b, &c);
    }
  });
  reportFlops(state, 2.0 * static_cast<double>(M * N * K), seconds, peak);
  if (M == 1) {
    state.counters["GB/s"] = static_cast<double>(N * K) * 4e-9 / seconds;
    state.counters["of_read"] = static_cast<double>(N * K) * 4 / seconds / read;
  }
}

/// Arguments: heads, S, T. Row s stands at position T - S + s. Heads lie side by side in a row, as a
/// projection makes them. Only the products a row sees count as work.
void attention(benchmark::State &state, AttentionKernel *kernel, bool causal) {
  constexpr int64_t D = 64;
  int64_t heads = state.range(0), S = state.range(1), T = state.range(2), stride = heads * D;
  std::vector<float> query = randomFloats(S * stride), key = randomFloats(T * stride),
                     value = randomFloats(T * stride), out(static_cast<size_t>(S * stride));
  double peak = measurePeak();
  int64_t blocks = (S + kQueryBlock - 1) / kQueryBlock;
  double seconds = runTasks(state, heads * blocks, [&](int64_t task) {
    int64_t head = task / blocks, row = task % blocks * kQueryBlock, rows = std::min(kQueryBlock, S - row);
    Memref2 q = rowsOf(&query[static_cast<size_t>(row * stride + head * D)], rows, D, stride);
    Memref2 k = rowsOf(&key[static_cast<size_t>(head * D)], T, D, stride),
            v = rowsOf(&value[static_cast<size_t>(head * D)], T, D, stride);
    Memref2 o = rowsOf(&out[static_cast<size_t>(row * stride + head * D)], rows, D, stride);
    kernel(&q, &k, &v, T - S + row, &o);
  });
  double seen = static_cast<double>(S * T) - (causal ? static_cast<double>(S * (S - 1) / 2) : 0.0);
  reportFlops(state, 4.0 * static_cast<double>(heads * D) * seen, seconds, peak);
  state.counters["GB/s"] = static_cast<double>(2 * T * stride) * 4e-9 / seconds;
}

/// Argument: rows of 768.
void layerNorm(benchmark::State &state) {
  constexpr int64_t C = 768;
  int64_t M = state.range(0);
  std::vector<float> input = randomFloats(M * C), weight = randomFloats(C), bias = randomFloats(C),
                     out(static_cast<size_t>(M * C));
  Memref2 x = rowsOf(input.data(), M, C, C), y = rowsOf(out.data(), M, C, C);
  Memref1 w = vectorOf(weight.data(), C), b = vectorOf(bias.data(), C);
  double seconds = runTasks(state, 1, [&](int64_t) { _mlir_ciface_layer_norm_768(&x, &w, &b, &y); });
  state.counters["GB/s"] = static_cast<double>(2 * M * C) * 4e-9 / seconds;
}

} // namespace

BENCHMARK_CAPTURE(matmul, bias, _mlir_ciface_matmul_768)
    ->Args({512, 3072, 768})
    ->Args({13, 3072, 768})
    ->Args({1, 3072, 768});
BENCHMARK_CAPTURE(matmul, bias_gelu, _mlir_ciface_matmul_768_gelu)->Args({512, 3072, 768});
BENCHMARK_CAPTURE(matmul, residual, _mlir_ciface_matmul_3072_residual)->Args({128, 768, 3072});
BENCHMARK_CAPTURE(attention, all_keys, _mlir_ciface_attention_64, false)
    ->Args({12, 512, 512})
    ->Args({12, 128, 128})
    ->Args({12, 1, 512});
BENCHMARK_CAPTURE(attention, causal, _mlir_ciface_attention_64_causal, true)
    ->Args({12, 512, 512})
    ->Args({12, 128, 128});
BENCHMARK(layerNorm)->Arg(128);
BENCHMARK_MAIN();
