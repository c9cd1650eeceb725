//===- EntrySpec.cpp ------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "io/EntrySpec.h"

using namespace sesame;

const char *sesame::toString(InputDefault value) {
  constexpr const char *names[] = {"none", "zeros", "ones", "arange", "absent"};
  return names[static_cast<size_t>(value)];
}

std::optional<int64_t> DerivedSymbol::evaluate(const std::vector<int64_t> &symbols) const {
  int64_t sum = 0, value = 0;
  for (int32_t term : terms)
    if (__builtin_add_overflow(sum, symbols[static_cast<size_t>(term)], &sum))
      return std::nullopt;
  if (__builtin_add_overflow(sum, plus, &value))
    return std::nullopt;
  value /= divisor;
  if (atMost)
    value = std::min(value, *atMost);
  if (atLeast)
    value = std::max(value, std::min(sum, *atLeast));
  if (value < 0)
    return std::nullopt;
  return value;
}

template <typename Range, typename Name> static int32_t findIn(const Range &range, Name &&nameOf) {
  int32_t index = 0;
  for (const auto &element : range) {
    if (nameOf(element))
      return index;
    ++index;
  }
  return -1;
}

int32_t EntrySpec::findSymbol(std::string_view name) const {
  return findIn(symbols, [&](const std::string &symbol) { return symbol == name; });
}
int32_t EntrySpec::findInput(std::string_view name) const {
  return findIn(inputs, [&](const TensorSpec &tensor) { return tensor.name == name; });
}
int32_t EntrySpec::paddingMask() const {
  return findIn(inputs, [](const TensorSpec &tensor) { return tensor.isPaddingMask; });
}
int32_t EntrySpec::findOutput(std::string_view name) const {
  return findIn(outputs, [&](const TensorSpec &tensor) { return tensor.name == name; });
}

int32_t EntrySpec::addSymbol(std::string_view name) {
  int32_t index = findSymbol(name);
  if (index >= 0)
    return index;
  symbols.emplace_back(name);
  return static_cast<int32_t>(symbols.size()) - 1;
}

std::string EntrySpec::describe(const TensorSpec &tensor) const {
  std::string text = sesame::toString(tensor.dtype);
  text += '[';
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    if (i)
      text += ", ";
    const Dim &dim = tensor.shape[i];
    text += dim.isConstant() ? std::to_string(dim.extent) : symbols[static_cast<size_t>(dim.symbol)];
  }
  return text + ']';
}
