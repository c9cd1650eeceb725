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
  constexpr const char *names[] = {"none", "zeros", "ones", "arange"};
  return names[static_cast<size_t>(value)];
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
