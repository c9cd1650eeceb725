//===- BoundEntry.cpp - One call of compiled code -------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/Profiler.h"
#include "core/Session.h"
#include "core/SessionContext.h"
#include "support/Error.h"

#include <algorithm>
#include <cstring>
#include <limits>

using namespace sesame;

BoundEntry::BoundEntry(Session &session, size_t entry)
    : session(&session), entryIndex(entry), entrySpec(&session.model().entries()[entry]),
      code(session.model().code(entry)) {
  size_t numInputs = entrySpec->inputs.size(), numOutputs = entrySpec->outputs.size();
  dims.assign(entrySpec->symbols.size(), -1);
  stateDims.assign(entrySpec->symbols.size(), -1);
  given.assign(numInputs, nullptr);
  targets.assign(numOutputs, nullptr);
  buffers.assign(2 + numInputs + numOutputs, nullptr);
  defaults.resize(numInputs);
  own.resize(numOutputs);
  paddingMask = entrySpec->paddingMask();
  buffers[0] = const_cast<void *>(session.model().weightsData());
}

void BoundEntry::fail(const std::string &what) const {
  throw Error(message(session->model().directory(), ": entry '", entrySpec->name, "'", what));
}

int32_t BoundEntry::symbol(std::string_view name) const {
  int32_t index = entrySpec->findSymbol(name);
  if (index < 0)
    fail(message(": no symbol ", inQuotes(name)));
  return index;
}
int32_t BoundEntry::input(std::string_view name) const {
  int32_t index = entrySpec->findInput(name);
  if (index < 0)
    fail(message(": no input ", inQuotes(name)));
  return index;
}
int32_t BoundEntry::output(std::string_view name) const {
  int32_t index = entrySpec->findOutput(name);
  if (index < 0)
    fail(message(": no output ", inQuotes(name)));
  return index;
}

std::vector<int64_t> BoundEntry::outputShape(int32_t output) const {
  std::vector<int64_t> shape;
  for (const Dim &dim : entrySpec->outputs[static_cast<size_t>(output)].shape)
    shape.push_back(dim.isConstant() ? dim.extent : dims[static_cast<size_t>(dim.symbol)]);
  return shape;
}

/// Takes pointers and extents of the states over from the session, if they changed since.
void BoundEntry::bindStates() {
  if (statesVersion == session->statesVersion)
    return;
  statesVersion = session->statesVersion;
  for (size_t i = 0; i < entrySpec->inputs.size(); ++i) {
    const TensorSpec &input = entrySpec->inputs[i];
    if (!input.isState)
      continue;
    Session::State *state = session->findState(input.name);
    buffers[2 + i] = nullptr;
    if (!state->isAllocated)
      continue;
    buffers[2 + i] = state->data.data();
    for (const Dim &dim : input.shape) {
      if (dim.isConstant())
        continue;
      auto symbol = static_cast<size_t>(dim.symbol);
      int64_t value = session->stateSymbol(entrySpec->symbols[symbol]);
      // A value that the caller chose stays, to be compared; one that came from the last reset does not.
      if (dims[symbol] < 0 || dims[symbol] == stateDims[symbol])
        dims[symbol] = value;
      stateDims[symbol] = value;
    }
  }
}

/// Computes the symbols that no input has, once those that it takes are set.
void BoundEntry::deriveDims() {
  for (const DerivedSymbol &derived : entrySpec->derived) {
    for (int32_t term : derived.terms)
      if (dims[static_cast<size_t>(term)] < 0)
        return; // checkDims says so
    std::optional<int64_t> value = derived.evaluate(dims);
    if (!value)
      fail(message(": no output can have the ", entrySpec->symbols[static_cast<size_t>(derived.symbol)],
                   " of these inputs"));
    dims[static_cast<size_t>(derived.symbol)] = *value;
  }
}

void BoundEntry::checkDims() {
  const auto &symbols = entrySpec->symbols;
  deriveDims();
  const size_t firstDerived = symbols.size() - entrySpec->derived.size();
  for (size_t i = 0; i < entrySpec->inputs.size(); ++i)
    if (entrySpec->inputs[i].isState && !buffers[2 + i])
      fail(message(": state ", inQuotes(entrySpec->inputs[i].name), " ",
                   entrySpec->describe(entrySpec->inputs[i]), " has no memory; reset the session first"));
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (dims[i] < 0)
      fail(message(": no input says how large ", symbols[i], " is"));
    if (dims[i] == 0 && i < firstDerived)
      fail(message(": ", symbols[i], " = 0, expected at least 1"));
    if (stateDims[i] >= 0 && dims[i] != stateDims[i])
      fail(message(": ", symbols[i], " = ", dims[i], ", but the session's states were reset for ",
                   stateDims[i]));
  }
  for (const SymbolLimit &limit : entrySpec->limits) {
    bool isConstant = limit.atMost.isConstant();
    int64_t most = isConstant ? limit.atMost.extent : dims[static_cast<size_t>(limit.atMost.symbol)];
    int64_t value = dims[static_cast<size_t>(limit.symbol)];
    if (value > most)
      fail(message(": ", symbols[static_cast<size_t>(limit.symbol)], " = ", value, ", expected at most ",
                   isConstant ? "" : symbols[static_cast<size_t>(limit.atMost.symbol)] + " = ", most));
  }
}

uint64_t BoundEntry::sizeInBytes(const TensorSpec &tensor) const {
  int64_t size = sizeInBits(tensor.dtype) / 8;
  bool overflow = false, empty = false;
  for (const Dim &dim : tensor.shape) {
    int64_t extent = dim.isConstant() ? dim.extent : dims[static_cast<size_t>(dim.symbol)];
    if (extent == 0)
      empty = true;
    else
      overflow |= __builtin_mul_overflow(size, extent, &size);
  }
  if (overflow)
    fail(message(": ", inQuotes(tensor.name), " ", entrySpec->describe(tensor),
                 " does not fit the address space"));
  return empty ? 0 : static_cast<uint64_t>(size);
}

template <typename T> static void fillAs(InputDefault value, T *data, size_t count, size_t lastExtent) {
  switch (value) {
  case InputDefault::none:
  case InputDefault::zeros:
    std::fill_n(data, count, T(0));
    break;
  case InputDefault::ones:
    std::fill_n(data, count, T(1));
    break;
  case InputDefault::absent:
    std::fill_n(data, count, static_cast<T>(-1));
    break;
  case InputDefault::arange:
    for (size_t i = 0; i < count; ++i)
      data[i] = static_cast<T>(i % lastExtent);
    break;
  }
}

void BoundEntry::fillDefault(size_t input) {
  const TensorSpec &tensor = entrySpec->inputs[input];
  uint64_t bytes = sizeInBytes(tensor);
  defaults[input].ensure(bytes);
  buffers[2 + input] = defaults[input].data();
  size_t lastExtent = 1;
  if (!tensor.shape.empty()) {
    const Dim &last = tensor.shape.back();
    lastExtent =
        static_cast<size_t>(last.isConstant() ? last.extent : dims[static_cast<size_t>(last.symbol)]);
  }
  void *data = defaults[input].data();
  switch (tensor.dtype) {
  case DType::f32:
    return fillAs(tensor.defaultValue, static_cast<float *>(data), bytes / 4, lastExtent);
  case DType::f64:
    return fillAs(tensor.defaultValue, static_cast<double *>(data), bytes / 8, lastExtent);
  default: // integers; of other types only zeros are allowed, which are all bits zero
    break;
  }
  switch (sizeInBits(tensor.dtype)) {
  case 8:
    return fillAs(tensor.defaultValue, static_cast<uint8_t *>(data), bytes, lastExtent);
  case 16:
    return fillAs(tensor.defaultValue, static_cast<uint16_t *>(data), bytes / 2, lastExtent);
  case 32:
    return fillAs(tensor.defaultValue, static_cast<uint32_t *>(data), bytes / 4, lastExtent);
  default:
    return fillAs(tensor.defaultValue, static_cast<uint64_t *>(data), bytes / 8, lastExtent);
  }
}

template <typename T>
static size_t firstOutside(const T *data, size_t count, std::pair<int64_t, int64_t> range) {
  for (size_t i = 0; i < count; ++i)
    if (data[i] < range.first || data[i] >= range.second)
      return i;
  return count;
}

void BoundEntry::checkLengths(const TensorSpec &tensor, const void *data, size_t count) const {
  const Dim &bound = *tensor.atMost;
  int64_t least = tensor.range ? tensor.range->first : std::numeric_limits<int64_t>::min();
  int64_t most = bound.isConstant() ? bound.extent : dims[static_cast<size_t>(bound.symbol)];
  for (size_t row = 0; row < count; ++row) {
    int64_t length = tensor.dtype == DType::i64 ? static_cast<const int64_t *>(data)[row]
                                                : static_cast<const int32_t *>(data)[row];
    if (length >= least && length <= most)
      continue;
    std::string symbol =
        bound.isConstant() ? "" : entrySpec->symbols[static_cast<size_t>(bound.symbol)] + " = ";
    std::string expected = length < least ? message("at least ", least) : message("at most ", symbol, most);
    fail(message(": input ", inQuotes(tensor.name), ", row ", row, ": expected a length of ", expected,
                 ", got ", length));
  }
}

void BoundEntry::checkRanges() const {
  for (size_t i = 0; i < entrySpec->inputs.size(); ++i) {
    const TensorSpec &tensor = entrySpec->inputs[i];
    if (!tensor.range && !tensor.atMost)
      continue;
    bool wide = tensor.dtype == DType::i64;
    size_t count = sizeInBytes(tensor) / (wide ? 8 : 4);
    const void *data = buffers[2 + i];
    if (tensor.atMost) {
      checkLengths(tensor, data, count);
      continue;
    }
    size_t place = wide ? firstOutside(static_cast<const int64_t *>(data), count, *tensor.range)
                        : firstOutside(static_cast<const int32_t *>(data), count, *tensor.range);
    if (place == count)
      continue;
    int64_t value =
        wide ? static_cast<const int64_t *>(data)[place] : static_cast<const int32_t *>(data)[place];
    std::string index;
    for (size_t axis = tensor.shape.size(), rest = place; axis-- > 0;) {
      const Dim &dim = tensor.shape[axis];
      auto extent =
          static_cast<size_t>(dim.isConstant() ? dim.extent : dims[static_cast<size_t>(dim.symbol)]);
      index = std::to_string(rest % extent) + (index.empty() ? "" : ", ") + index;
      rest /= extent;
    }
    fail(message(": ", tensor.name, "[", index, "] = ", value, ": expected ", tensor.range->first,
                 " <= id < ", tensor.range->second));
  }
}

void BoundEntry::prepare() {
  bindStates();
  checkDims();
  for (size_t i = 0; i < entrySpec->inputs.size(); ++i) {
    const TensorSpec &tensor = entrySpec->inputs[i];
    if (tensor.isState)
      continue;
    if (!given[i] && tensor.defaultValue != InputDefault::none)
      fillDefault(i);
    else
      buffers[2 + i] = const_cast<void *>(given[i]);
  }
  size_t firstOutput = 2 + entrySpec->inputs.size();
  for (size_t i = 0; i < entrySpec->outputs.size(); ++i) {
    uint64_t bytes = sizeInBytes(entrySpec->outputs[i]);
    if (!targets[i])
      own[i].ensure(bytes);
    buffers[firstOutput + i] = targets[i] ? targets[i] : own[i].data();
  }
  reserveArena();
}

void BoundEntry::reserveArena() {
  int64_t workspace = code.workspace(dims.data());
  if (workspace < 0)
    fail(message(": its code asks for ", workspace, " bytes of memory"));
  workspaceSize = static_cast<uint64_t>(workspace);
  session->arena.ensure(workspaceSize);
}

void BoundEntry::run() {
  prepare();
  for (size_t i = 0; i < entrySpec->inputs.size(); ++i)
    if (!buffers[2 + i] && sizeInBytes(entrySpec->inputs[i]) != 0)
      fail(message(": input ", i, " ", inQuotes(entrySpec->inputs[i].name), " is missing"));
  checkRanges();
  if (measureRows())
    runRows();
  else
    call();
}

void BoundEntry::call() {
  // Another entry of the session may have made the arena grow since this one was prepared.
  buffers[1] = workspaceSize ? session->arena.data() : nullptr;
  Profiler *profiler = session->profiler();
  if (profiler)
    profiler->beginCall(*entrySpec, dims.data());
  code.run(&session->context->abi, buffers.data(), dims.data());
  if (profiler)
    profiler->endCall();
}

/// Reads the padding mask, if there is one: are the rows' tokens so few that to run each row alone, without
/// its padding, pays?
bool BoundEntry::measureRows() {
  // A shorter row costs as much as this many tokens: it reads the weights all the same.
  constexpr int64_t fewestTokens = 16;
  if (paddingMask < 0 || !given[static_cast<size_t>(paddingMask)])
    return false;
  const TensorSpec &spec = entrySpec->inputs[static_cast<size_t>(paddingMask)];
  const int64_t numRows = dims[static_cast<size_t>(spec.shape[0].symbol)];
  const int64_t length = dims[static_cast<size_t>(spec.shape[1].symbol)];
  const auto *mask = static_cast<const int64_t *>(buffers[2 + static_cast<size_t>(paddingMask)]);
  rowLengths.resize(static_cast<size_t>(numRows));
  int64_t cost = 0;
  for (int64_t row = 0; row < numRows; ++row, mask += length) {
    int64_t used = length;
    while (used > 1 && mask[used - 1] == 0)
      --used;
    rowLengths[static_cast<size_t>(row)] = used;
    cost += std::max(used, fewestTokens);
  }
  return cost * 10 < numRows * length * 9;
}

/// One call a row. The rows of dense arrays lie one behind the other, and a row's tokens at its beginning, so
/// nothing is copied. Outputs are zero at padding.
void BoundEntry::runRows() {
  const TensorSpec &mask = entrySpec->inputs[static_cast<size_t>(paddingMask)];
  const auto rows = static_cast<size_t>(mask.shape[0].symbol),
             positions = static_cast<size_t>(mask.shape[1].symbol);
  const int64_t numRows = dims[rows], length = dims[positions];
  const size_t numInputs = entrySpec->inputs.size(), numTensors = numInputs + entrySpec->outputs.size();
  auto tensor = [&](size_t i) -> const TensorSpec & {
    return i < numInputs ? entrySpec->inputs[i] : entrySpec->outputs[i - numInputs];
  };
  auto hasAxis = [&](size_t i, size_t axis, size_t symbol) {
    return tensor(i).shape.size() > axis && tensor(i).shape[axis].symbol == static_cast<int32_t>(symbol);
  };
  wholeBuffers = buffers;
  for (int64_t row = 0; row < numRows; ++row) {
    const int64_t used = rowLengths[static_cast<size_t>(row)];
    dims[rows] = 1;
    dims[positions] = length;
    for (size_t i = 0; i < numTensors; ++i) {
      if (!hasAxis(i, 0, rows))
        continue;
      const uint64_t size = sizeInBytes(tensor(i));
      char *start = static_cast<char *>(wholeBuffers[2 + i]) + static_cast<uint64_t>(row) * size;
      buffers[2 + i] = start;
      if (i >= numInputs && hasAxis(i, 1, positions)) {
        const uint64_t written = size / static_cast<uint64_t>(length) * static_cast<uint64_t>(used);
        std::memset(start + written, 0, size - written);
      }
    }
    dims[positions] = used;
    reserveArena();
    call();
  }
  dims[rows] = numRows;
  dims[positions] = length;
  buffers = wholeBuffers;
}
