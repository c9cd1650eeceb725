//===- SessionStates.cpp - Buffers that live as long as a session ---------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/Session.h"
#include "core/ThreadTeam.h"
#include "support/Error.h"

#include <algorithm>
#include <cstring>

using namespace sesame;

namespace {
/// How the rows of a state lie in it: `outer` blocks of B rows, a row being `runs` pieces of `stride` bytes,
/// of which the first `length` are in use.
struct RowLayout {
  size_t outer = 1, runs = 1, stride = 0, length = 0;
  size_t rowStride() const { return runs * stride; }
};
} // namespace

/// The axis of a symbol, or the rank.
static size_t axisOf(const EntrySpec &entry, const TensorSpec &tensor, const char *symbol) {
  for (size_t axis = 0; axis < tensor.shape.size(); ++axis) {
    const Dim &dim = tensor.shape[axis];
    if (!dim.isConstant() && entry.symbols[static_cast<size_t>(dim.symbol)] == symbol)
      return axis;
  }
  return tensor.shape.size();
}

static RowLayout rowLayout(const std::vector<int64_t> &shape, size_t elementSize, size_t batchAxis,
                           size_t usedAxis, int64_t used) {
  auto product = [&](size_t from, size_t to) {
    size_t count = 1;
    for (size_t axis = from; axis < to; ++axis)
      count *= static_cast<size_t>(shape[axis]);
    return count;
  };
  size_t rank = shape.size();
  RowLayout layout;
  layout.outer = product(0, batchAxis);
  layout.stride = layout.length = product(batchAxis + 1, rank) * elementSize;
  if (usedAxis > batchAxis && usedAxis < rank) {
    layout.runs = product(batchAxis + 1, usedAxis);
    layout.stride = product(usedAxis, rank) * elementSize;
    layout.length = product(usedAxis + 1, rank) * elementSize * static_cast<size_t>(used);
  }
  return layout;
}

Session::State *Session::findState(std::string_view name) {
  for (State &state : states)
    if (state.name == name)
      return &state;
  return nullptr;
}

int64_t Session::stateSymbol(std::string_view name) const {
  for (const auto &[symbol, value] : stateSymbols)
    if (symbol == name)
      return value;
  return -1;
}

/// Sets a state's memory to zero, on all threads where that is much work.
static void clear(Buffer &buffer, ThreadTeam &team) {
  constexpr uint64_t piece = 256 * 1024;
  if (buffer.size() < 4 * piece || buffer.isHandedBack())
    return buffer.clear();
  auto body = [](void *data, int64_t begin, int64_t end) {
    auto *target = static_cast<Buffer *>(data);
    uint64_t first = static_cast<uint64_t>(begin) * piece;
    uint64_t last = std::min(static_cast<uint64_t>(end) * piece, target->size());
    std::memset(target->as<char>() + first, 0, last - first);
  };
  team.parallelFor(body, &buffer, static_cast<int64_t>((buffer.size() + piece - 1) / piece));
}

void Session::reset(const std::vector<std::pair<std::string, int64_t>> &symbols, int64_t mostRows) {
  for (const auto &[symbol, value] : symbols)
    if (value < 1)
      throw Error(message(sharedModel->directory(), ": ", symbol, " = ", value, ", expected at least 1"));
  stateSymbols = symbols;
  ++statesVersion;
  for (State &state : states)
    state.isAllocated = false;
  for (State &state : states) {
    state.shape.clear();
    bool isKnown = true;
    for (const Dim &dim : state.spec->shape) {
      int64_t extent = dim.extent;
      if (!dim.isConstant())
        extent = stateSymbol(state.entry->symbols[static_cast<size_t>(dim.symbol)]);
      isKnown &= extent >= 0;
      state.shape.push_back(extent);
    }
    if (!isKnown) {
      state.data = Buffer();
      continue;
    }
    std::optional<int64_t> size = denseSizeInBytes(state.spec->dtype, state.shape);
    if (!size)
      throw Error(message(sharedModel->directory(), ": state ", inQuotes(state.name), " ",
                          toString(state.spec->dtype, state.shape), " does not fit the address space"));
    auto bytes = static_cast<uint64_t>(*size);
    // More memory than the shape needs, for rows that gatherStates may add.
    size_t batchAxis = axisOf(*state.entry, *state.spec, "B");
    if (batchAxis < state.shape.size() && state.shape[batchAxis] < mostRows) {
      std::vector<int64_t> largest = state.shape;
      largest[batchAxis] = mostRows;
      size = denseSizeInBytes(state.spec->dtype, largest);
      if (!size)
        throw Error(message(sharedModel->directory(), ": state ", inQuotes(state.name), " ",
                            toString(state.spec->dtype, largest), " does not fit the address space"));
      bytes = static_cast<uint64_t>(*size);
      size_t outer = 1;
      for (size_t axis = 0; axis < batchAxis; ++axis)
        outer *= static_cast<size_t>(state.shape[axis]);
      gathered.ensure(bytes / std::max<size_t>(outer, 1));
    }
    if (bytes > state.data.size()) {
      state.data = Buffer(); // first give the old memory back
      state.data = Buffer(std::max<uint64_t>(bytes, 1));
    } else {
      clear(state.data, *team);
    }
    if (!state.data.data()) // no elements, but an address: null means "not allocated"
      state.data = Buffer(1);
    state.isAllocated = true;
  }
}

uint64_t Session::statesInBytes() const {
  uint64_t sum = 0;
  for (const State &state : states)
    sum += state.data.size();
  return sum;
}

StateView Session::state(std::string_view name) {
  State *state = findState(name);
  if (!state)
    throw Error(message(sharedModel->directory(), ": no state ", inQuotes(name)));
  if (!state->isAllocated)
    throw Error(message(sharedModel->directory(), ": state ", inQuotes(name),
                        " has no memory; reset the session first"));
  return {state->name.c_str(), state->spec->dtype, state->shape, state->data.data()};
}

void Session::gatherStates(const int32_t *rows, int64_t numRows, int64_t used) {
  int64_t batch = stateSymbol("B");
  if (batch < 0)
    return; // no state has rows
  if (numRows < 1)
    throw Error(message(sharedModel->directory(), ": expected at least 1 row to gather, found ", numRows));
  for (int64_t i = 0; i < numRows; ++i)
    if (rows[i] < 0 || rows[i] >= batch)
      throw Error(
          message(sharedModel->directory(), ": expected a row from 0 to ", batch - 1, ", found ", rows[i]));
  int64_t capacity = stateSymbol("C");
  if (capacity >= 0 && (used < 0 || used > capacity))
    throw Error(
        message(sharedModel->directory(), ": expected 0 to ", capacity, " positions in use, found ", used));

  for (State &state : states) {
    size_t batchAxis = state.isAllocated ? axisOf(*state.entry, *state.spec, "B") : state.shape.size();
    if (batchAxis == state.shape.size())
      continue;
    auto elementSize = static_cast<size_t>(sizeInBits(state.spec->dtype) / 8);
    RowLayout layout =
        rowLayout(state.shape, elementSize, batchAxis, axisOf(*state.entry, *state.spec, "C"), used);
    std::vector<int64_t> &shape = state.shape;
    shape[batchAxis] = numRows;
    std::optional<int64_t> size = denseSizeInBytes(state.spec->dtype, shape);
    if (!size)
      throw Error(message(sharedModel->directory(), ": state ", inQuotes(state.name), " ",
                          toString(state.spec->dtype, shape), " does not fit the address space"));
    if (static_cast<uint64_t>(*size) > state.data.size()) {
      Buffer larger(static_cast<uint64_t>(*size));
      std::memcpy(larger.data(), state.data.data(),
                  layout.outer * static_cast<size_t>(batch) * layout.rowStride());
      state.data = std::move(larger);
    }
    size_t rowStride = layout.rowStride(), rowLength = layout.runs * layout.length;
    gathered.ensure(static_cast<uint64_t>(numRows) * rowLength);
    // The blocks move apart if rows are added, so from the last to the first none is written over before it
    // was read.
    for (size_t i = 0; i < layout.outer; ++i) {
      size_t block = numRows > batch ? layout.outer - 1 - i : i;
      const char *from = state.data.as<char>() + block * static_cast<size_t>(batch) * rowStride;
      char *to = state.data.as<char>() + block * static_cast<size_t>(numRows) * rowStride;
      auto stays = [&](int64_t row) { return from == to && rows[row] == row; };
      char *next = gathered.as<char>();
      for (int64_t row = 0; row < numRows; ++row)
        for (size_t run = 0; run < layout.runs && !stays(row); ++run, next += layout.length)
          std::memcpy(next, from + static_cast<size_t>(rows[row]) * rowStride + run * layout.stride,
                      layout.length);
      next = gathered.as<char>();
      for (int64_t row = 0; row < numRows; ++row)
        for (size_t run = 0; run < layout.runs && !stays(row); ++run, next += layout.length)
          std::memcpy(to + static_cast<size_t>(row) * rowStride + run * layout.stride, next, layout.length);
    }
  }
  if (numRows == batch)
    return;
  for (auto &[symbol, value] : stateSymbols)
    if (symbol == "B")
      value = numRows;
  ++statesVersion;
}
