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
// the fastest run of each tile, so a run that was interrupted does not count. Products of bf16 and int8 are
// compared with multiply-adds of their kind; `of_peak` counts the packing of the rows into words, once for
// each product, and `packing` is its share of the time. `words` takes and leaves rows in words, as one of two
// linear maps in a row does, and packs nothing.
//
//===----------------------------------------------------------------------===//

#include "../tools/compiler/PeakLoops.h"
#include "Roofline.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <sys/mman.h>
#include <vector>

namespace {

constexpr int64_t kPanel = 2 * kLanes; // R
/// Rows that a task of the tile pass packs.
constexpr int64_t kPackRows = 16;
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
Memref1 vectorOf(const void *data, int64_t size) { return {data, data, 0, size, 1}; }
Memref2 rowsOf(const void *data, int64_t rows, int64_t columns, int64_t stride) {
  return {data, data, 0, {rows, columns}, {stride, 1}};
}

} // namespace

extern "C" {
using MatmulKernel = void(Memref2 *lhs, Memref2 *panel, Memref1 *bias, Memref2 *out);
MatmulKernel _mlir_ciface_matmul_768, _mlir_ciface_matmul_768_gelu, _mlir_ciface_matmul_768_gelu_tanh,
    _mlir_ciface_matmul_3072_residual, _mlir_ciface_matmul_bf16_768, _mlir_ciface_matmul_bf16_768_gelu,
    _mlir_ciface_matmul_bf16_768_gelu_tanh, _mlir_ciface_matmul_bf16_3072_residual,
    _mlir_ciface_matmul_bf16_768_gelu_words, _mlir_ciface_matmul_int8_768, _mlir_ciface_matmul_int8_768_gelu,
    _mlir_ciface_matmul_int8_768_gelu_tanh, _mlir_ciface_matmul_int8_3072_residual;
using PackKernel = void(Memref2 *input, Memref2 *out);
PackKernel _mlir_ciface_pack_bf16_768, _mlir_ciface_pack_bf16_3072, _mlir_ciface_pack_int8_768,
    _mlir_ciface_pack_int8_3072;
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

/// Runs `tasks` tasks an iteration; each one's shortest time, in seconds.
std::vector<double> runTasks(benchmark::State &state, int64_t tasks,
                             const std::function<void(int64_t task)> &run) {
  std::vector<double> best(static_cast<size_t>(tasks), 1e9);
  for (auto _ : state)
    for (int64_t task = 0; task < tasks; ++task) {
      double start = now();
      run(task);
      best[static_cast<size_t>(task)] = std::min(best[static_cast<size_t>(task)], now() - start);
    }
  return best;
}

double sumOf(const std::vector<double> &times) { return std::accumulate(times.begin(), times.end(), 0.0); }

void reportFlops(benchmark::State &state, double flops, double seconds, double peak) {
  state.counters["GFLOP/s"] = flops / seconds * 1e-9;
  state.counters["of_peak"] = flops / seconds / peak;
}

/// Numbers or words of 4 bytes in huge pages, as weights and arenas lie in them when a model runs.
class Cells {
public:
  explicit Cells(int64_t count) {
    constexpr size_t hugePage = size_t(2) << 20;
    size_t bytes = (static_cast<size_t>(count) * 4 + hugePage - 1) / hugePage * hugePage;
    cells.reset(static_cast<float *>(std::aligned_alloc(hugePage, bytes)));
    (void)madvise(cells.get(), bytes, MADV_HUGEPAGE);
    std::memset(cells.get(), 0, bytes);
  }

  float *at(int64_t place) const { return cells.get() + place; }

private:
  struct Free {
    void operator()(float *pointer) const { std::free(pointer); }
  };
  std::unique_ptr<float, Free> cells;
};

enum class Kind { f32, bf16, int8 };

/// Products of one kind and what they are compared with.
struct Product {
  Kind kind;
  MatmulKernel *multiply;
  PackKernel *pack; // rows of floats into words; null if they are as they must be
  bool leavesWords; // two results a word
};

/// Words that K numbers of a row or a column take, with what stands behind their codes.
int64_t rowCells(Kind kind, int64_t K) {
  return kind == Kind::f32 ? K : kind == Kind::bf16 ? K / 2 : K / 4 + 2;
}

double measurePeak(Kind kind) {
#if defined(__x86_64__)
  bool isBf16 = kind == Kind::bf16 && __builtin_cpu_supports("avx512bf16");
  if (isBf16 || (kind == Kind::int8 && __builtin_cpu_supports("avx512vnni"))) {
    sesame::peak::Loop loop = isBf16 ? sesame::peak::multiplyAddOfBf16() : sesame::peak::multiplyAddOfInt8();
    double best = 1e9;
    for (int run = 0; run < 10; ++run) {
      double start = now();
      loop.run();
      best = std::min(best, now() - start);
    }
    return loop.operations / best;
  }
#endif
  return measurePeak();
}

/// Random numbers of the kind, [rows, cells], the last two of each row of int8 a sum and a scale.
Cells randomCells(Kind kind, int64_t rows, int64_t cells) {
  Cells result(rows * cells);
  std::vector<float> floats = randomFloats(rows * cells);
  for (int64_t at = 0; at < rows * cells; ++at) {
    float value = floats[static_cast<size_t>(at)];
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    if (kind == Kind::bf16)
      bits = (bits & 0xffff0000u) | bits >> 16;
    std::memcpy(result.at(at), &bits, sizeof bits);
  }
  return result;
}

/// Makes results of about -4 to 4, as an activation gets them in a model, of panels [N / R, cells, R].
void scalePanels(Kind kind, const Cells &panels, int64_t K, int64_t N) {
  int64_t cells = rowCells(kind, K);
  for (int64_t panel = 0; panel < N / kPanel; ++panel) {
    float *end = panels.at((panel + 1) * cells * kPanel), *scales = end - kPanel;
    if (kind == Kind::int8) {
      std::fill(scales - kPanel, scales, 0.0f); // sums of codes
      std::fill(scales, end, 0.03f / std::sqrt(static_cast<float>(K)));
      continue;
    }
    for (float *at = end - cells * kPanel; at < end; ++at) {
      *at *= 4.0f / std::sqrt(static_cast<float>(K));
      uint32_t bits;
      std::memcpy(&bits, at, sizeof bits);
      bits = (bits & 0xffff0000u) | bits >> 16;
      if (kind == Kind::bf16)
        std::memcpy(at, &bits, sizeof bits);
    }
  }
}

/// Rows of one task, as `sesame-tile-linear` chooses them.
int64_t rowsPerBlock(int64_t cells) {
  constexpr int64_t blockBytes = 384 * 1024, tileRows = 8;
  return std::clamp<int64_t>((blockBytes / (cells * 4) + tileRows / 2) / tileRows * tileRows, 32, 128);
}

/// Arguments: M, N, K.
void matmul(benchmark::State &state, Product product) {
  int64_t M = state.range(0), N = state.range(1), K = state.range(2);
  int64_t cells = rowCells(product.kind, K), outCells = product.leavesWords ? 2 : 1;
  Cells input = randomCells(Kind::f32, M, K), panels = randomCells(product.kind, cells, N),
        bias = randomCells(Kind::f32, 1, N), out(M * N / outCells);
  scalePanels(product.kind, panels, K, N);
  Cells words = randomCells(product.kind, M, cells);
  const Cells &rows = product.kind == Kind::f32 ? input : words;
  std::vector<float> stream;
  if (M == 1)
    stream = randomFloats(cells * N);
  double peak = measurePeak(product.kind), read = M == 1 ? measureRead(stream) : 0;
  int64_t rowBlock = rowsPerBlock(cells);
  int64_t blocks = (M + rowBlock - 1) / rowBlock, groups = (N + kColumnGroup - 1) / kColumnGroup;
  auto multiply = [&](int64_t task) {
    int64_t row = task / groups * rowBlock, numRows = std::min(rowBlock, M - row);
    int64_t first = task % groups * kColumnGroup, last = std::min(N, first + kColumnGroup);
    Memref2 a = rowsOf(rows.at(row * cells), numRows, cells, cells);
    for (int64_t column = first; column < last; column += kPanel) {
      Memref2 p = rowsOf(panels.at(column * cells), cells, kPanel, kPanel);
      Memref1 b = vectorOf(bias.at(column), kPanel);
      Memref2 c = rowsOf(out.at((row * N + column) / outCells), numRows, kPanel / outCells, N / outCells);
      product.multiply(&a, &p, &b, &c);
    }
  };
  auto pack = [&](int64_t task) {
    int64_t row = task * kPackRows, numRows = std::min(kPackRows, M - row);
    Memref2 from = rowsOf(input.at(row * K), numRows, K, K),
            to = rowsOf(words.at(row * cells), numRows, cells, cells);
    product.pack(&from, &to);
  };
  int64_t packs = product.pack ? (M + kPackRows - 1) / kPackRows : 0;
  std::vector<double> times = runTasks(state, packs + blocks * groups, [&](int64_t task) {
    task < packs ? pack(task) : multiply(task - packs);
  });
  double packing = std::accumulate(times.begin(), times.begin() + packs, 0.0),
         seconds = std::accumulate(times.begin() + packs, times.end(), packing);
  reportFlops(state, 2.0 * static_cast<double>(M * N * K), seconds, peak);
  if (product.pack)
    state.counters["packing"] = packing / seconds;
  if (M == 1) {
    double bytes = static_cast<double>(N * cells) * 4;
    state.counters["GB/s"] = bytes * 1e-9 / seconds;
    state.counters["of_read"] = bytes / seconds / read;
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
  double seconds = sumOf(runTasks(state, heads * blocks, [&](int64_t task) {
    int64_t head = task / blocks, row = task % blocks * kQueryBlock, rows = std::min(kQueryBlock, S - row);
    Memref2 q = rowsOf(&query[static_cast<size_t>(row * stride + head * D)], rows, D, stride);
    Memref2 k = rowsOf(&key[static_cast<size_t>(head * D)], T, D, stride),
            v = rowsOf(&value[static_cast<size_t>(head * D)], T, D, stride);
    Memref2 o = rowsOf(&out[static_cast<size_t>(row * stride + head * D)], rows, D, stride);
    kernel(&q, &k, &v, T - S + row, &o);
  }));
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
  double seconds = sumOf(runTasks(state, 1, [&](int64_t) { _mlir_ciface_layer_norm_768(&x, &w, &b, &y); }));
  state.counters["GB/s"] = static_cast<double>(2 * M * C) * 4e-9 / seconds;
}

} // namespace

#define SESAME_MATMUL(NAME, KIND, KERNEL, PACK, LEAVES_WORDS)                                                \
  BENCHMARK_CAPTURE(matmul, NAME, Product{Kind::KIND, _mlir_ciface_##KERNEL, PACK, LEAVES_WORDS})
SESAME_MATMUL(bias, f32, matmul_768, nullptr, false)
    ->Args({512, 3072, 768})
    ->Args({128, 3072, 768})
    ->Args({13, 3072, 768})
    ->Args({1, 3072, 768});
SESAME_MATMUL(bias_gelu, f32, matmul_768_gelu, nullptr, false)->Args({512, 3072, 768});
SESAME_MATMUL(bias_gelu_tanh, f32, matmul_768_gelu_tanh, nullptr, false)->Args({512, 3072, 768});
SESAME_MATMUL(residual, f32, matmul_3072_residual, nullptr, false)
    ->Args({512, 768, 3072})
    ->Args({128, 768, 3072});
#define SESAME_WORD_MATMULS(KIND)                                                                            \
  SESAME_MATMUL(KIND##_bias, KIND, matmul_##KIND##_768, _mlir_ciface_pack_##KIND##_768, false)               \
      ->Args({512, 3072, 768})                                                                               \
      ->Args({128, 3072, 768})                                                                               \
      ->Args({13, 3072, 768})                                                                                \
      ->Args({1, 3072, 768});                                                                                \
  SESAME_MATMUL(KIND##_bias_gelu, KIND, matmul_##KIND##_768_gelu, _mlir_ciface_pack_##KIND##_768, false)     \
      ->Args({512, 3072, 768});                                                                              \
  SESAME_MATMUL(KIND##_bias_gelu_tanh, KIND, matmul_##KIND##_768_gelu_tanh, _mlir_ciface_pack_##KIND##_768,  \
                false)                                                                                       \
      ->Args({512, 3072, 768});                                                                              \
  SESAME_MATMUL(KIND##_residual, KIND, matmul_##KIND##_3072_residual, _mlir_ciface_pack_##KIND##_3072,       \
                false)                                                                                       \
      ->Args({512, 768, 3072})                                                                               \
      ->Args({128, 768, 3072})
SESAME_WORD_MATMULS(bf16);
SESAME_WORD_MATMULS(int8);
SESAME_MATMUL(bf16_words_bias_gelu, bf16, matmul_bf16_768_gelu_words, nullptr, true)->Args({512, 3072, 768});
SESAME_MATMUL(bf16_words_residual, bf16, matmul_bf16_3072_residual, nullptr, false)->Args({512, 768, 3072});
BENCHMARK_CAPTURE(attention, all_keys, _mlir_ciface_attention_64, false)
    ->Args({12, 512, 512})
    ->Args({12, 128, 128})
    ->Args({12, 1, 512});
BENCHMARK_CAPTURE(attention, causal, _mlir_ciface_attention_64_causal, true)
    ->Args({12, 512, 512})
    ->Args({12, 128, 128});
BENCHMARK(layerNorm)->Arg(128);
BENCHMARK_MAIN();
