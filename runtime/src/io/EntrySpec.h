//===- EntrySpec.h - What an entry of a model takes and gives ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IO_ENTRYSPEC_H
#define SESAME_IO_ENTRYSPEC_H

#include "support/DType.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sesame {

/// Most axes of an input, output or state; the C API's SesameTensor has room for as many.
constexpr size_t maxRank = 8;

/// One axis: a constant extent, or the index of one of the entry's symbols.
struct Dim {
  int64_t extent = 0;
  int32_t symbol = -1; // -1: constant

  static Dim constant(int64_t extent) { return {extent, -1}; }
  static Dim ofSymbol(int32_t symbol) { return {0, symbol}; }
  bool isConstant() const { return symbol < 0; }
};

/// What an input that the caller leaves out is filled with; `arange` counts 0, 1, ... along the last axis,
/// `absent` is -1, for ids that stand for nothing.
enum class InputDefault : uint8_t { none, zeros, ones, arange, absent };
/// "none", "zeros", "ones", "arange", "absent".
const char *toString(InputDefault value);

/// An input, output or state of an entry.
struct TensorSpec {
  std::string name;
  DType dtype = DType::f32;
  std::vector<Dim> shape;
  /// Half-open range of the values of an integer input; the runtime checks it before every call.
  std::optional<std::pair<int64_t, int64_t>> range = std::nullopt;
  InputDefault defaultValue = InputDefault::none;
  /// The buffer belongs to the session: zero at first, updated in place.
  bool isState = false;
  /// The most that an element of an integer input of one axis may be, inclusive: the lengths of rows are at
  /// most the extent S. Checked with `range`.
  std::optional<Dim> atMost = std::nullopt;
  /// An input [B, S] whose zeros behind a row's last token say that nothing is there: see
  /// `EntrySpec::paddingMask`.
  bool isPaddingMask = false;
};

/// An upper bound of a symbol: a number, or another symbol's value (T <= C: what a decoder has seen fits its
/// cache).
struct SymbolLimit {
  int32_t symbol = 0;
  Dim atMost;
};

/// A symbol of outputs that no input has: the sum of other symbols and `plus`, divided by `divisor`; at most
/// `atMost`, and at least `atLeast` unless the symbols' own sum is less. Unlike those of inputs it may be 0.
struct DerivedSymbol {
  int32_t symbol = 0;
  std::vector<int32_t> terms;
  int64_t plus = 0;
  int64_t divisor = 1;
  std::optional<int64_t> atMost, atLeast;

  /// The value, from those of the terms in `symbols` (all of the entry's, each at least 0). Nothing if it is
  /// negative or overflows.
  std::optional<int64_t> evaluate(const std::vector<int64_t> &symbols) const;
};

/// One public function of a model. Symbols are numbered in order of first appearance over the inputs that are
/// no states, then the states, then those derived: the order of the compiled function's `dims`.
struct EntrySpec {
  std::string name;
  std::vector<std::string> symbols;
  std::vector<DerivedSymbol> derived;
  std::vector<SymbolLimit> limits;
  std::vector<TensorSpec> inputs; // in argument order, states among them
  std::vector<TensorSpec> outputs;

  /// The number of a symbol, or -1.
  int32_t findSymbol(std::string_view name) const;
  /// The number of an input or state, or -1.
  int32_t findInput(std::string_view name) const;
  /// The number of the input that marks padding, or -1. The rows B of such an entry know nothing of another,
  /// and its tokens nothing of the padding behind them, so a row may be run alone and cut behind its last
  /// token: every input and output has B as its first axis or not at all, S only as its second; there are no
  /// states. What an output holds at padding is not defined.
  int32_t paddingMask() const;
  int32_t findOutput(std::string_view name) const;

  /// The number of `name`, which is appended to `symbols` if it is new. For building a spec in the order of
  /// the contract.
  int32_t addSymbol(std::string_view name);

  /// "f32[B, 12, C, 64]".
  std::string describe(const TensorSpec &tensor) const;
};

} // namespace sesame

#endif // SESAME_IO_ENTRYSPEC_H
