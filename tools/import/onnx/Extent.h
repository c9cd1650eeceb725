//===- Extent.h - Extents as polynomials over symbols -----------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// ONNX graphs compute shapes as tensors. Each element of such a tensor is kept as a polynomial with integer
// coefficients over the symbols of the inputs, in which equal extents are equal.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_ONNX_EXTENT_H
#define SESAME_IMPORT_ONNX_EXTENT_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sesame::onnx {

/// Arithmetic throws Error when a coefficient does not fit into 64 bits. Symbols are at least 1.
class Extent {
public:
  Extent(int64_t value = 0) {
    if (value)
      terms[{}] = value;
  }
  static Extent symbol(unsigned number) {
    Extent extent;
    extent.terms[{number}] = 1;
    return extent;
  }

  /// The value, if no symbol is in it.
  std::optional<int64_t> constant() const;
  bool is(int64_t value) const { return constant() == value; }
  /// The symbol, if this is one and nothing else.
  std::optional<unsigned> asSymbol() const;
  /// The constant part and the rest: S + 2 is S and 2.
  int64_t constantTerm() const;

  /// No smaller value is possible; none if there is no bound.
  std::optional<int64_t> lowerBound() const;
  /// Whether this is surely less than (or equal to) the other.
  bool surelyLess(const Extent &other) const;
  bool surelyAtMost(const Extent &other) const;

  friend Extent operator+(const Extent &a, const Extent &b);
  friend Extent operator-(const Extent &a, const Extent &b);
  friend Extent operator*(const Extent &a, const Extent &b);
  friend bool operator==(const Extent &a, const Extent &b) { return a.terms == b.terms; }
  friend bool operator!=(const Extent &a, const Extent &b) { return !(a == b); }
  /// The quotient, if the division leaves no rest and the divisor is a single term.
  static std::optional<Extent> divide(const Extent &a, const Extent &b);

  /// Products of symbols (sorted; one that occurs twice is squared) and their coefficients, none of them 0.
  const std::map<std::vector<unsigned>, int64_t> &getTerms() const { return terms; }
  /// For messages.
  std::string toString(const std::vector<std::string> &names) const;

private:
  void add(const std::vector<unsigned> &monomial, int64_t coefficient);

  std::map<std::vector<unsigned>, int64_t> terms;
};

} // namespace sesame::onnx

#endif // SESAME_IMPORT_ONNX_EXTENT_H
