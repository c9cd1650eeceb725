//===- SessionStepModel.cpp - Step models over compiled code -------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "generate/SessionStepModel.h"
#include "support/Error.h"

#include <algorithm>
#include <cstring>
#include <limits>

using namespace sesame;

namespace {

/// The parts of an entry that generation knows by name.
struct DecoderInterface {
  int32_t ids = -1, mask = -1, positions = -1, logits = -1;
  int32_t batch = -1, length = -1, total = -1; // symbols
  int64_t vocabulary = 0;
  int64_t limit = 0; // tokens in a row; 0: none
};

[[noreturn]] void failEntry(const EntrySpec &spec, const std::string &what) {
  throw Error(message("entry '", spec.name, "': ", what));
}

/// The symbol of an axis of an i64 [symbol, symbol] input.
int32_t symbolOf(const EntrySpec &spec, int32_t input, size_t axis) {
  const TensorSpec &tensor = spec.inputs[size_t(input)];
  if (tensor.dtype != DType::i64 || tensor.shape.size() != 2 || tensor.shape[axis].isConstant())
    failEntry(spec, message("input '", tensor.name, "': expected i64[B, S] for generation, found ",
                            spec.describe(tensor)));
  return tensor.shape[axis].symbol;
}

/// `logitsRank` 2: [B, V] after the last token; 3: [B, S, V].
DecoderInterface findInterface(const EntrySpec &spec, size_t logitsRank) {
  DecoderInterface result;
  bool hasEncoder = spec.findInput("decoder_input_ids") >= 0;
  result.ids = spec.findInput(hasEncoder ? "decoder_input_ids" : "input_ids");
  if (result.ids < 0)
    failEntry(spec, "expected an input 'input_ids' or 'decoder_input_ids' for generation, found neither");
  result.mask = spec.findInput(hasEncoder ? "decoder_attention_mask" : "attention_mask");
  result.positions = spec.findInput(hasEncoder ? "decoder_position_ids" : "position_ids");
  result.batch = symbolOf(spec, result.ids, 0);
  result.length = symbolOf(spec, result.ids, 1);
  if (result.mask >= 0)
    result.total = symbolOf(spec, result.mask, 1);
  if (result.positions >= 0)
    symbolOf(spec, result.positions, 1);

  result.logits = spec.findOutput("logits");
  const TensorSpec *logits = result.logits < 0 ? nullptr : &spec.outputs[size_t(result.logits)];
  if (!logits || logits->dtype != DType::f32 || logits->shape.size() != logitsRank ||
      !logits->shape.back().isConstant())
    failEntry(spec, message("expected an output 'logits' f32", logitsRank == 2 ? "[B, V]" : "[B, S, V]",
                            " for generation, found ", logits ? spec.describe(*logits) : "none"));
  result.vocabulary = logits->shape.back().extent;

  auto atMost = [&](int64_t bound) { result.limit = result.limit ? std::min(result.limit, bound) : bound; };
  for (const SymbolLimit &limit : spec.limits)
    if (limit.atMost.isConstant() && (limit.symbol == result.length || limit.symbol == result.total ||
                                      spec.symbols[size_t(limit.symbol)] == "C"))
      atMost(limit.atMost.extent);
  if (result.positions >= 0 && spec.inputs[size_t(result.positions)].range)
    atMost(spec.inputs[size_t(result.positions)].range->second);
  return result;
}

int64_t multiply(int64_t a, int64_t b) {
  int64_t product;
  if (__builtin_mul_overflow(a, b, &product))
    throw Error(message("generation: ", a, " x ", b, " does not fit 64 bits"));
  return product;
}

} // namespace

//===----------------------------------------------------------------------===//
// EntrySources
//===----------------------------------------------------------------------===//

void EntrySources::set(BoundEntry &entry, int32_t batchSymbol, const std::vector<SourceTensor> &tensors,
                       int64_t &numRows) {
  sources.clear();
  numRows = 0;
  const EntrySpec &spec = entry.spec();
  for (const SourceTensor &tensor : tensors) {
    int32_t input = entry.input(tensor.name);
    const TensorSpec &expected = spec.inputs[size_t(input)];
    bool matches =
        !expected.isState && tensor.dtype == expected.dtype && tensor.shape.size() == expected.shape.size();
    size_t batchAxis = expected.shape.size();
    for (size_t axis = 0; matches && axis < tensor.shape.size(); ++axis) {
      const Dim &dim = expected.shape[axis];
      matches = tensor.shape[axis] >= 1 && (!dim.isConstant() || tensor.shape[axis] == dim.extent);
      if (!dim.isConstant() && dim.symbol == batchSymbol)
        batchAxis = axis;
    }
    if (!matches || batchAxis == expected.shape.size())
      failEntry(spec, message("source '", tensor.name, "': expected ", spec.describe(expected), ", found ",
                              toString(tensor.dtype, tensor.shape)));
    const int64_t rows = tensor.shape[batchAxis];
    if (numRows != 0 && rows != numRows)
      failEntry(spec, message("source '", tensor.name, "': expected ", numRows,
                              " rows as in the others, found ", rows));
    numRows = rows;
    std::optional<int64_t> bytes = denseSizeInBytes(tensor.dtype, tensor.shape);
    if (!bytes)
      failEntry(spec, message("source '", tensor.name, "': ", toString(tensor.dtype, tensor.shape),
                              " is too large"));
    int64_t outer = 1; // divides the size, which is known to fit
    for (size_t axis = 0; axis < batchAxis; ++axis)
      outer *= tensor.shape[axis];
    for (size_t axis = 0; axis < tensor.shape.size(); ++axis)
      if (axis != batchAxis && !expected.shape[axis].isConstant())
        entry.setDim(expected.shape[axis].symbol, tensor.shape[axis]);
    sources.push_back(
        {input, outer, rows, *bytes / outer / rows, static_cast<const char *>(tensor.data), {}});
  }
}

void EntrySources::bind(BoundEntry &entry, int64_t factor) {
  for (Source &source : sources) {
    if (factor == 1) {
      entry.setInput(source.input, source.data);
      continue;
    }
    const int64_t numRows = source.outer * source.rows;
    source.repeated.resize(size_t(multiply(multiply(numRows, factor), source.rowSize)));
    char *target = source.repeated.data();
    for (int64_t row = 0; row < numRows; ++row)
      for (int64_t i = 0; i < factor; ++i, target += source.rowSize)
        std::memcpy(target, source.data + row * source.rowSize, size_t(source.rowSize));
    entry.setInput(source.input, source.repeated.data());
  }
}

//===----------------------------------------------------------------------===//
// SessionStepModel
//===----------------------------------------------------------------------===//

SessionStepModel::SessionStepModel(Session &session, std::string_view entryName)
    : session(session), entry(session.bind(entryName)) {
  DecoderInterface found = findInterface(entry.spec(), 2);
  idsInput = found.ids;
  maskInput = found.mask;
  positionsInput = found.positions;
  logitsOutput = found.logits;
  batchSymbol = found.batch;
  lengthSymbol = found.length;
  totalSymbol = found.total;
  vocabulary = found.vocabulary;
  limit = found.limit;
}

void SessionStepModel::encode(const std::vector<InputTensor> &inputs) {
  BoundEntry &encoder = session.runInPlace("encode", inputs);
  const EntrySpec &spec = entry.spec();
  std::vector<SourceTensor> tensors;
  firstStates.clear();
  for (size_t i = 0; i < encoder.spec().outputs.size(); ++i) {
    const TensorSpec &output = encoder.spec().outputs[i];
    int32_t target = spec.findInput(output.name);
    if (target < 0)
      continue;
    SourceTensor tensor{output.name, output.dtype, encoder.outputShape(int32_t(i)),
                        encoder.outputData<char>(int32_t(i))};
    (spec.inputs[size_t(target)].isState ? firstStates : tensors).push_back(std::move(tensor));
  }
  for (const InputTensor &input : inputs) {
    int32_t target = spec.findInput(input.name);
    if (target >= 0 && target != idsInput && target != maskInput && target != positionsInput)
      tensors.push_back({input.name, input.dtype, input.shape, input.data});
  }
  setSources(tensors);
}

void SessionStepModel::begin(int64_t numInputs, int64_t rowsPerInput, int64_t capacity) {
  if (numSourceRows != 0 && numSourceRows != numInputs)
    failEntry(entry.spec(), message("expected ", numInputs, " rows of source, found ", numSourceRows));
  int64_t mostRows = multiply(numInputs, rowsPerInput);
  mostTokens = capacity;
  numTokens = promptLength = 0;
  hasPadding = false;
  session.reset(numInputs, capacity, mostRows);
  for (const SourceTensor &first : firstStates) {
    StateView state = session.state(first.name);
    if (state.dtype != first.dtype || state.shape != first.shape)
      failEntry(entry.spec(),
                message("state '", first.name, "': expected ", toString(state.dtype, state.shape), ", found ",
                        toString(first.dtype, first.shape), " from 'encode'"));
    std::memcpy(state.data, first.data, size_t(*denseSizeInBytes(first.dtype, first.shape)));
  }
  // Memory for the longest mask; the prompt's own positions are made in `step`.
  masks.reserve(size_t(maskInput >= 0 ? multiply(mostRows, capacity) : 0));
  leftPadding.reserve(size_t(mostRows));
  leftPadding.assign(size_t(numInputs), 0);
  moves = std::make_unique<RowMoves>(mostRows);
  rowStates.clear();
  setRows(numInputs);
  sources.bind(entry, 1);
}

void SessionStepModel::setRows(int64_t count) {
  numRows = count;
  entry.setDim(batchSymbol, count);
}

const float *SessionStepModel::step(const int64_t *ids, const int64_t *mask, int64_t length) {
  if (length < 1 || length > mostTokens - numTokens)
    failEntry(entry.spec(),
              message("expected at most ", mostTokens, " tokens in a row, found ", numTokens, " + ", length));
  if (mask) {
    if (numTokens != 0)
      failEntry(entry.spec(), "expected padding in the prompt alone");
    if (maskInput < 0 && std::count(mask, mask + numRows * length, 0) > 0)
      failEntry(entry.spec(),
                "the model takes no attention mask, so prompts of one batch must have one length");
    for (int64_t row = 0; row < numRows; ++row) {
      const int64_t *rowMask = mask + row * length;
      leftPadding[size_t(row)] = std::find(rowMask, rowMask + length, 1) - rowMask;
      hasPadding |= leftPadding[size_t(row)] > 0;
    }
  }
  int64_t total = numTokens + length;
  if (numTokens == 0) {
    promptLength = length;
    prepareSteps();
  }
  entry.setDim(lengthSymbol, length);
  entry.setInput(idsInput, ids);
  if (maskInput >= 0) {
    entry.setDim(totalSymbol, total);
    masks.assign(size_t(numRows * total), 1);
    for (int64_t row = 0; hasPadding && row < numRows; ++row)
      std::fill_n(masks.begin() + row * total, leftPadding[size_t(row)], 0);
    entry.setInput(maskInput, masks.data());
  }
  if (positionsInput >= 0) {
    positions.resize(size_t(numRows * length));
    for (int64_t row = 0; row < numRows; ++row)
      for (int64_t i = 0; i < length; ++i)
        positions[size_t(row * length + i)] = std::max<int64_t>(0, numTokens + i - leftPadding[size_t(row)]);
    entry.setInput(positionsInput, positions.data());
  }
  entry.run();
  numTokens = total;
  return entry.outputData<float>(logitsOutput);
}

void SessionStepModel::fork(int64_t factor) {
  int64_t count = multiply(numRows, factor);
  std::vector<int32_t> parents;
  std::vector<int64_t> padding;
  for (int64_t row = 0; row < count; ++row) {
    parents.push_back(int32_t(row / factor));
    padding.push_back(leftPadding[size_t(row / factor)]);
  }
  leftPadding.assign(padding.begin(), padding.end());
  session.gatherStates(parents.data(), count, numTokens);
  setRows(count);
  sources.bind(entry, factor);
  layOutStates();
  prepareSteps();
}

/// The steps to come have one token a row and grow to the full capacity: takes all memory for that now.
void SessionStepModel::prepareSteps() {
  entry.setDim(lengthSymbol, 1);
  if (totalSymbol >= 0)
    entry.setDim(totalSymbol, mostTokens);
  entry.prepare();
}

/// Finds the states that `reorder` has to move.
void SessionStepModel::layOutStates() {
  rowStates.clear();
  int64_t most = 0;
  const EntrySpec &spec = entry.spec();
  for (const TensorSpec &input : spec.inputs) {
    if (!input.isState)
      continue;
    auto axisOf = [&](std::string_view name) {
      for (size_t axis = 0; axis < input.shape.size(); ++axis)
        if (!input.shape[axis].isConstant() && spec.symbols[size_t(input.shape[axis].symbol)] == name)
          return axis;
      return input.shape.size();
    };
    size_t rank = input.shape.size(), batchAxis = axisOf("B"), cacheAxis = axisOf("C");
    if (batchAxis == rank)
      continue;
    StateView view = session.state(input.name);
    auto product = [&](size_t from, size_t to) {
      int64_t count = 1;
      for (size_t axis = from; axis < to; ++axis)
        count *= view.shape[axis];
      return count;
    };
    int64_t elementSize = sizeInBits(view.dtype) / 8;
    RowState state{view.data, {}, cacheAxis > batchAxis && cacheAxis < rank};
    state.layout.outer = product(0, batchAxis);
    if (state.isCache) {
      state.layout.runs = product(batchAxis + 1, cacheAxis);
      state.layout.stride = product(cacheAxis, rank) * elementSize;
      state.layout.length = product(cacheAxis + 1, rank) * elementSize;
      most = std::max(most, state.layout.runs * state.layout.stride);
    } else {
      state.layout.stride = state.layout.length = product(batchAxis + 1, rank) * elementSize;
      most = std::max(most, state.layout.length);
    }
    rowStates.push_back(state);
  }
  spare.resize(size_t(most));
}

void SessionStepModel::reorder(const int32_t *parents) {
  if (rowStates.empty())
    layOutStates();
  moves->plan(parents, numRows);
  if (moves->empty())
    return;
  for (const RowState &state : rowStates) {
    RowLayout layout = state.layout;
    if (state.isCache) {
      // All rows of an input have the same prompt: only what came after it differs.
      layout.offset = layout.length * promptLength;
      layout.length *= numTokens - promptLength;
    }
    moves->apply(state.data, layout, spare.data());
  }
}

//===----------------------------------------------------------------------===//
// RecomputeStepModel
//===----------------------------------------------------------------------===//

RecomputeStepModel::RecomputeStepModel(Session &session, std::string_view entryName)
    : entry(session.bind(entryName)) {
  DecoderInterface found = findInterface(entry.spec(), 3);
  idsInput = found.ids;
  maskInput = found.mask;
  logitsOutput = found.logits;
  batchSymbol = found.batch;
  lengthSymbol = found.length;
  vocabulary = found.vocabulary;
  limit = found.limit;
  if (found.total >= 0 && found.total != found.length)
    failEntry(entry.spec(), "expected a mask as long as the ids, without a past");
}

void RecomputeStepModel::begin(int64_t numInputs, int64_t, int64_t) {
  if (numSourceRows != 0 && numSourceRows != numInputs)
    failEntry(entry.spec(), message("expected ", numInputs, " rows of source, found ", numSourceRows));
  histories.assign(size_t(numInputs), {});
  sources.bind(entry, 1);
}

const float *RecomputeStepModel::step(const int64_t *ids, const int64_t *mask, int64_t length) {
  size_t rows = histories.size(), longest = 0;
  for (size_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < length; ++i) {
      size_t cell = row * size_t(length) + size_t(i);
      if (!mask || mask[cell])
        histories[row].push_back(ids[cell]);
    }
    longest = std::max(longest, histories[row].size());
  }
  denseIds.assign(rows * longest, 0);
  denseMask.assign(rows * longest, 0);
  for (size_t row = 0; row < rows; ++row) {
    std::copy(histories[row].begin(), histories[row].end(), denseIds.begin() + int64_t(row * longest));
    std::fill_n(denseMask.begin() + int64_t(row * longest), histories[row].size(), 1);
  }
  entry.setDim(batchSymbol, int64_t(rows));
  entry.setDim(lengthSymbol, int64_t(longest));
  entry.setInput(idsInput, denseIds.data());
  if (maskInput >= 0)
    entry.setInput(maskInput, denseMask.data());
  entry.run();
  const float *logits = entry.outputData<float>(logitsOutput); // [B, S, V]
  lastLogits.resize(rows * size_t(vocabulary));
  for (size_t row = 0; row < rows; ++row)
    std::copy_n(logits + int64_t(row * longest + histories[row].size() - 1) * vocabulary, vocabulary,
                lastLogits.begin() + int64_t(row) * vocabulary);
  return lastLogits.data();
}

void RecomputeStepModel::fork(int64_t factor) {
  std::vector<std::vector<int64_t>> forked;
  for (const std::vector<int64_t> &history : histories)
    forked.insert(forked.end(), size_t(factor), history);
  histories = std::move(forked);
  sources.bind(entry, factor);
}

void RecomputeStepModel::reorder(const int32_t *parents) {
  std::vector<std::vector<int64_t>> reordered;
  for (size_t row = 0; row < histories.size(); ++row)
    reordered.push_back(histories[size_t(parents[row])]);
  histories = std::move(reordered);
}
