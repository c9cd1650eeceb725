//===- RowMoves.cpp - Reordering rows in place ---------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "generate/RowMoves.h"

#include <cstring>

using namespace sesame;

RowMoves::RowMoves(int64_t mostRows) : numReaders(size_t(mostRows)), isDone(size_t(mostRows)) {
  // A cycle has two rows at least, so there are at most half as many copies to the outside as rows.
  moves.reserve(size_t(mostRows) + size_t(mostRows) / 2);
  ready.reserve(size_t(mostRows));
}

void RowMoves::plan(const int32_t *parents, int64_t rows) {
  moves.clear();
  ready.clear();
  numRows = rows;
  for (int64_t row = 0; row < rows; ++row)
    numReaders[size_t(row)] = 0;
  for (int64_t row = 0; row < rows; ++row) {
    isDone[size_t(row)] = parents[row] == row;
    if (parents[row] != row)
      ++numReaders[size_t(parents[row])];
  }
  for (int64_t row = 0; row < rows; ++row)
    if (!isDone[size_t(row)] && numReaders[size_t(row)] == 0)
      ready.push_back(int32_t(row));
  while (!ready.empty()) {
    int32_t row = ready.back(), parent = parents[row];
    ready.pop_back();
    moves.push_back({row, parent});
    isDone[size_t(row)] = 1;
    if (--numReaders[size_t(parent)] == 0 && !isDone[size_t(parent)])
      ready.push_back(parent);
  }
  // What is left are cycles.
  for (int64_t row = 0; row < rows; ++row) {
    if (isDone[size_t(row)])
      continue;
    moves.push_back({outside, int32_t(row)});
    int32_t target = int32_t(row);
    for (; parents[target] != row; target = parents[target]) {
      moves.push_back({target, parents[target]});
      isDone[size_t(target)] = 1;
    }
    moves.push_back({target, outside});
    isDone[size_t(target)] = 1;
  }
}

void RowMoves::apply(void *data, const RowLayout &layout, void *spare) const {
  char *block = static_cast<char *>(data) + layout.offset;
  int64_t rowStride = layout.runs * layout.stride;
  for (int64_t outer = 0; outer < layout.outer; ++outer, block += numRows * rowStride)
    for (const Move &move : moves) {
      bool toSpare = move.target == outside, fromSpare = move.source == outside;
      char *target = toSpare ? static_cast<char *>(spare) : block + move.target * rowStride;
      const char *source = fromSpare ? static_cast<const char *>(spare) : block + move.source * rowStride;
      int64_t targetStride = toSpare ? layout.length : layout.stride;
      int64_t sourceStride = fromSpare ? layout.length : layout.stride;
      for (int64_t run = 0; run < layout.runs; ++run)
        std::memcpy(target + run * targetStride, source + run * sourceStride, size_t(layout.length));
    }
}
