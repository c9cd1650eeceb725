//===- Polynomial.h - Numbers that depend on extents ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_COMPILER_POLYNOMIAL_H
#define SESAME_COMPILER_POLYNOMIAL_H

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sesame {

/// A sum of products of symbols (B, S, T, ...), each with a number as factor: an extent, or a count of
/// operations.
class Polynomial {
public:
  Polynomial() = default;
  Polynomial(double constant);
  static Polynomial symbol(const std::string &name);

  Polynomial &operator+=(const Polynomial &other);
  friend Polynomial operator+(Polynomial a, const Polynomial &b) { return a += b; }
  friend Polynomial operator-(const Polynomial &a, const Polynomial &b) { return a + b * Polynomial(-1); }
  friend Polynomial operator*(const Polynomial &a, const Polynomial &b);
  /// Null unless the division leaves no rest: by a number that divides every factor, or by itself.
  std::optional<Polynomial> dividedBy(const Polynomial &divisor) const;

  std::optional<double> constant() const;
  double evaluate(const std::function<double(const std::string &)> &valueOf) const;
  bool operator==(const Polynomial &other) const { return terms == other.terms; }

  /// The products of symbols (sorted) and their factors, none of them 0.
  const std::map<std::vector<std::string>, double> &products() const { return terms; }

  /// "B", "T - S", "2 B S + 12".
  std::string str() const;
  /// With three digits: "170 M B S + 36.9 k B S T".
  std::string strRounded() const;

private:
  std::string print(const std::function<std::string(double)> &number) const;
  std::map<std::vector<std::string>, double> terms; // sorted symbols -> factor, never 0
};

/// With three digits and k, M, G, T: "124 M".
std::string toRounded(double number);

} // namespace sesame

#endif // SESAME_COMPILER_POLYNOMIAL_H
