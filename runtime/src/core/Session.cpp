//===- Session.cpp --------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/Session.h"

#include "core/Profiler.h"
#include "core/SessionContext.h"
#include "core/ThreadTeam.h"
#include "support/Error.h"

#include <algorithm>
#include <cstring>

using namespace sesame;

Session::Session(std::shared_ptr<const Model> model, Options options)
    : sharedModel(std::move(model)), team(std::make_unique<ThreadTeam>(options.numThreads)),
      context(std::make_unique<Context>()) {
  if (options.profile)
    activeProfiler = std::make_unique<Profiler>(sharedModel->manifest());
  context->team = team.get();
  context->profiler = activeProfiler.get();
  context->abi.team = context.get();
  context->abi.parallel_for = [](const SesameContext *abi, SesameBody body, void *data, int64_t count) {
    static_cast<Context *>(abi->team)->team->parallelFor(body, data, count);
  };
  context->abi.profile = nullptr;
  if (activeProfiler)
    context->abi.profile = [](const SesameContext *abi, int64_t op, int64_t begin) {
      Profiler *profiler = static_cast<Context *>(abi->team)->profiler;
      begin ? profiler->begin(op) : profiler->end(op);
    };
  for (const EntrySpec &entry : sharedModel->entries())
    for (const TensorSpec &input : entry.inputs)
      if (input.isState && !findState(input.name)) {
        State state;
        state.name = input.name;
        state.entry = &entry;
        state.spec = &input;
        states.push_back(std::move(state));
      }
  bound.resize(sharedModel->entries().size());
  // States of constant size need no symbol, so they exist from the start.
  reset({});
}

Session::~Session() = default;

int Session::numThreads() const { return team->size(); }

/// "input_ids, attention_mask (default ones)".
static std::string listInputs(const EntrySpec &spec) {
  std::string text;
  for (const TensorSpec &input : spec.inputs) {
    if (input.isState)
      continue;
    text += (text.empty() ? "" : ", ") + input.name;
    if (input.defaultValue != InputDefault::none)
      text += message(" (default ", toString(input.defaultValue), ")");
  }
  return text;
}

/// Like `EntrySpec::describe`, with "?" where any extent will do.
static std::string expectedType(const TensorSpec &tensor) {
  std::vector<int64_t> shape;
  for (const Dim &dim : tensor.shape)
    shape.push_back(dim.isConstant() ? dim.extent : -1);
  return toString(tensor.dtype, shape);
}

BoundEntry &Session::bindInputs(std::string_view name, const std::vector<InputTensor> &inputs) {
  size_t index = sharedModel->entryIndex(name);
  if (!bound[index])
    bound[index] = std::make_unique<BoundEntry>(*this, index);
  BoundEntry &entry = *bound[index];
  const EntrySpec &spec = entry.spec();
  entry.bindStates();
  entry.dims = entry.stateDims;
  std::fill(entry.given.begin(), entry.given.end(), nullptr);
  std::fill(entry.targets.begin(), entry.targets.end(), nullptr);

  std::vector<bool> isGiven(spec.inputs.size(), false);
  std::vector<std::string> boundBy(spec.symbols.size()); // the input that gave a symbol its value
  aligned.resize(std::max(aligned.size(), spec.inputs.size()));
  for (const InputTensor &tensor : inputs) {
    int32_t number = spec.findInput(tensor.name);
    if (number < 0)
      entry.fail(message(": unknown input ", inQuotes(tensor.name), "; it takes ", listInputs(spec)));
    auto i = static_cast<size_t>(number);
    const TensorSpec &expected = spec.inputs[i];
    std::string place = message(", input ", i, " ", inQuotes(tensor.name), ": ");
    if (expected.isState)
      entry.fail(place + "is a state of the session, not an input");
    if (isGiven[i])
      entry.fail(place + "is given twice");
    isGiven[i] = true;
    bool matches = tensor.dtype == expected.dtype && tensor.shape.size() == expected.shape.size();
    for (size_t axis = 0; matches && axis < tensor.shape.size(); ++axis)
      matches = expected.shape[axis].isConstant() ? tensor.shape[axis] == expected.shape[axis].extent
                                                  : tensor.shape[axis] >= 0;
    if (!matches)
      entry.fail(message(place, "expected ", expectedType(expected), ", got ",
                         toString(tensor.dtype, tensor.shape)));
    for (size_t axis = 0; axis < tensor.shape.size(); ++axis) {
      if (expected.shape[axis].isConstant())
        continue;
      auto symbol = static_cast<size_t>(expected.shape[axis].symbol);
      int64_t extent = tensor.shape[axis];
      if (entry.dims[symbol] >= 0 && entry.dims[symbol] != extent)
        entry.fail(message(place, "axis ", axis, " (", spec.symbols[symbol], ") is ", extent, ", but ",
                           boundBy[symbol].empty() ? "the session's states were reset for"
                                                   : inQuotes(boundBy[symbol]) + " has",
                           " ", entry.dims[symbol]));
      entry.dims[symbol] = extent;
      boundBy[symbol] = tensor.name;
    }
    // From here on its size is known to be computable, and its elements are where compiled code may load
    // them.
    uint64_t bytes = entry.sizeInBytes(expected);
    if (bytes != 0 && !tensor.data)
      entry.fail(place + "has no data");
    entry.given[i] = tensor.data;
    if (reinterpret_cast<uintptr_t>(tensor.data) % static_cast<uintptr_t>(sizeInBits(tensor.dtype) / 8) !=
        0) {
      aligned[i].ensure(bytes);
      std::memcpy(aligned[i].data(), tensor.data, bytes);
      entry.given[i] = aligned[i].data();
    }
  }
  std::string missing;
  for (size_t i = 0; i < spec.inputs.size(); ++i)
    if (!isGiven[i] && !spec.inputs[i].isState && spec.inputs[i].defaultValue == InputDefault::none)
      missing += (missing.empty() ? "" : ", ") + inQuotes(spec.inputs[i].name);
  if (!missing.empty())
    entry.fail(message(": missing input ", missing, "; it takes ", listInputs(spec)));
  entry.checkDims();
  return entry;
}

BoundEntry &Session::runInPlace(std::string_view name, const std::vector<InputTensor> &inputs) {
  BoundEntry &entry = bindInputs(name, inputs);
  entry.run();
  return entry;
}

std::vector<OutputTensor> Session::run(std::string_view name, const std::vector<InputTensor> &inputs) {
  BoundEntry &entry = runInPlace(name, inputs);
  std::vector<OutputTensor> outputs;
  for (size_t i = 0; i < entry.spec().outputs.size(); ++i) {
    const TensorSpec &output = entry.spec().outputs[i];
    outputs.push_back(
        {output.name, output.dtype, entry.outputShape(static_cast<int32_t>(i)), std::move(entry.own[i])});
    entry.own[i] = Buffer();
  }
  return outputs;
}
