//===- Workload.cpp - Calls of a bundle's entries on made-up inputs ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Workload.h"

#include "support/Error.h"

#include <algorithm>
#include <cstring>

namespace sesame {

double Phase::dim(const std::string &symbol) const {
  const int32_t number = entry->findSymbol(symbol);
  return number < 0 ? 0 : static_cast<double>(dims[static_cast<size_t>(number)]);
}

std::string Phase::describeDims() const {
  std::string text;
  for (size_t i = 0; i < dims.size(); ++i)
    text += (i ? ", " : "") + entry->symbols[i] + " = " + std::to_string(dims[i]);
  return text;
}

/// B rows; as many images; two choices for each question; every length is that of the prompt.
static int64_t firstValue(const std::string &symbol, const WorkloadShape &shape) {
  if (symbol == "B" || symbol == "I")
    return shape.batch;
  return symbol == "N" ? 2 : shape.promptTokens;
}

/// Lowers values until the entry's limits hold, and computes those that follow from others.
static void applyLimits(const EntrySpec &entry, std::vector<int64_t> &dims) {
  auto bound = [&](const Dim &dim) {
    return dim.isConstant() ? dim.extent : dims[static_cast<size_t>(dim.symbol)];
  };
  for (size_t round = 0; round <= entry.limits.size(); ++round)
    for (const SymbolLimit &limit : entry.limits) {
      int64_t &value = dims[static_cast<size_t>(limit.symbol)];
      value = std::min(value, bound(limit.atMost));
    }
  for (const DerivedSymbol &derived : entry.derived)
    dims[static_cast<size_t>(derived.symbol)] = derived.evaluate(dims).value_or(0);
}

std::vector<Phase> listPhases(const std::vector<EntrySpec> &entries, const WorkloadShape &shape) {
  std::vector<Phase> phases;
  for (const EntrySpec &entry : entries) {
    auto add = [&](const char *label, bool isStep) {
      Phase phase{&entry, label, {}, isStep};
      for (const std::string &symbol : entry.symbols)
        phase.dims.push_back(isStep && symbol == "S"                      ? 1
                             : isStep && (symbol == "T" || symbol == "C") ? shape.promptTokens + 1
                                                                          : firstValue(symbol, shape));
      applyLimits(entry, phase.dims);
      phases.push_back(std::move(phase));
    };
    const bool remembers =
        std::any_of(entry.inputs.begin(), entry.inputs.end(), [](const TensorSpec &i) { return i.isState; });
    if (!remembers || entry.findSymbol("S") < 0) {
      add("a call", false);
      continue;
    }
    if (entry.findSymbol("E") < 0)
      add("a prompt", false);
    add("one step", true);
  }
  return phases;
}

static std::vector<std::pair<std::string, int64_t>> namedDims(const Phase &phase) {
  std::vector<std::pair<std::string, int64_t>> named;
  for (size_t i = 0; i < phase.dims.size(); ++i)
    named.emplace_back(phase.entry->symbols[i], std::max<int64_t>(phase.dims[i], 1));
  return named;
}

PhaseRunner::PhaseRunner(Session &session, const Phase &phase)
    : bound((session.reset(namedDims(phase)), session.bind(phase.entry->name))) {
  const size_t numDerived = phase.entry->derived.size();
  for (size_t i = 0; i + numDerived < phase.dims.size(); ++i)
    bound.setDim(static_cast<int32_t>(i), phase.dims[i]);
  for (size_t i = 0; i < phase.entry->inputs.size(); ++i)
    if (const TensorSpec &tensor = phase.entry->inputs[i];
        !tensor.isState && tensor.defaultValue == InputDefault::none)
      bound.setInput(static_cast<int32_t>(i), makeInput(tensor, phase));
  bound.prepare();
}

std::vector<double> PhaseRunner::outputs() const {
  std::vector<double> numbers;
  for (size_t i = 0; i < bound.spec().outputs.size(); ++i) {
    size_t count = 1;
    for (int64_t extent : bound.outputShape(static_cast<int32_t>(i)))
      count *= static_cast<size_t>(extent);
    auto append = [&](const auto *values) { numbers.insert(numbers.end(), values, values + count); };
    if (bound.spec().outputs[i].dtype == DType::f32)
      append(bound.outputData<float>(static_cast<int32_t>(i)));
    else if (bound.spec().outputs[i].dtype == DType::i64)
      append(bound.outputData<int64_t>(static_cast<int32_t>(i)));
  }
  return numbers;
}

const void *PhaseRunner::makeInput(const TensorSpec &tensor, const Phase &phase) {
  auto extent = [&](const Dim &dim) {
    return dim.isConstant() ? dim.extent : phase.dims[static_cast<size_t>(dim.symbol)];
  };
  size_t count = 1;
  for (const Dim &dim : tensor.shape)
    count *= static_cast<size_t>(extent(dim));
  const size_t size = sizeInBits(tensor.dtype) / 8;
  // Vectors of char are aligned for any number.
  std::vector<char> &bytes = inputs.emplace_back(count * size);
  const bool isMask = tensor.name.find("mask") != std::string::npos;
  const bool isTokens = tensor.name.size() >= 9 && tensor.name.substr(tensor.name.size() - 9) == "input_ids";
  // Integers that are no tokens may be places in the sequence: they stay within it.
  int64_t lowest = 0, bound = 2;
  if (tensor.range) {
    lowest = tensor.range->first;
    bound = tensor.range->second - lowest;
  }
  if (!isTokens && !isMask)
    for (int64_t dim : phase.dims)
      bound = std::max<int64_t>(1, std::min(bound, dim));
  for (size_t i = 0; i < count; ++i) {
    char *at = bytes.data() + i * size;
    int64_t number = tensor.atMost ? extent(*tensor.atMost)
                     : isMask      ? 1
                                   : lowest + (static_cast<int64_t>(i) * 7919 + 13) % bound;
    switch (tensor.dtype) {
    case DType::f32: {
      const float value = isMask ? 1 : static_cast<float>(i * 7919 % 2003) / 2003 - 0.5f;
      std::memcpy(at, &value, sizeof value);
      break;
    }
    case DType::i64:
      std::memcpy(at, &number, sizeof number);
      break;
    case DType::i32: {
      const auto narrow = static_cast<int32_t>(number);
      std::memcpy(at, &narrow, sizeof narrow);
      break;
    }
    default:
      throw Error(
          message("input '", tensor.name, "': cannot make up values of type ", toString(tensor.dtype)));
    }
  }
  return bytes.data();
}

} // namespace sesame
