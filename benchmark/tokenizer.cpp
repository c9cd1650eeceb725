//===- tokenizer.cpp - Bytes of text per second ---------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Usage: tokenizer-benchmark DIRECTORY TEXT [benchmark options]
// DIRECTORY holds a tokenizer, TEXT is a file of UTF-8. One thread; the word cache is warm after the first
// run, as it is in a server. `encode/ids` is what a model needs, `encode/all` adds token strings and offsets,
// `words/*` are inputs that defeat the cache or the merge order.

#include "tokenizer/Tokenizer.h"
#include "support/Error.h"
#include "support/MappedFile.h"

#include <benchmark/benchmark.h>
#include <cstdio>

using namespace sesame;

static void setRate(benchmark::State &state, const std::string &text) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}

int main(int argc, char **argv) {
  benchmark::Initialize(&argc, argv);
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s DIRECTORY TEXT [benchmark options]\n", argv[0]);
    return 2;
  }
  try {
    Tokenizer tokenizer = Tokenizer::fromDirectory(argv[1]);
    std::string text = readTextFile(argv[2]);
    auto addEncode = [&](const char *name, const std::string &input) {
      benchmark::RegisterBenchmark(name, [&tokenizer, &input](benchmark::State &state) {
        for (auto _ : state)
          benchmark::DoNotOptimize(tokenizer.encodeIds(input, false).data());
        setRate(state, input);
      })->Unit(benchmark::kMillisecond);
    };
    addEncode("encode/ids", text);
    benchmark::RegisterBenchmark("encode/all", [&](benchmark::State &state) {
      for (auto _ : state)
        benchmark::DoNotOptimize(tokenizer.encode(text, false).ids.data());
      setRate(state, text);
    })->Unit(benchmark::kMillisecond);
    std::vector<TokenId> ids = tokenizer.encodeIds(text, false);
    benchmark::RegisterBenchmark("decode", [&](benchmark::State &state) {
      for (auto _ : state)
        benchmark::DoNotOptimize(tokenizer.decode(ids).data());
      setRate(state, text);
    })->Unit(benchmark::kMillisecond);
    std::string oneLetter(1 << 20, 'a'), letters;
    for (char c : text)
      if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
        letters += c;
    addEncode("words/one-letter-1MiB", oneLetter);
    addEncode("words/text-without-blanks", letters);
    benchmark::RunSpecifiedBenchmarks();
  } catch (const Error &error) {
    std::fprintf(stderr, "tokenizer-benchmark: error: %s\n", error.what());
    return 1;
  }
  return 0;
}
