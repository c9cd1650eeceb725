//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Extent.h"

#include "support/Error.h"

#include <algorithm>

namespace sesame::onnx {

namespace {

/// Bounds on what an Extent may grow to: shape arithmetic of real models stays far below.
constexpr size_t maxTerms = 64, maxFactors = 16;

[[noreturn]] void overflow() { throw Error("shape arithmetic leaves the range of 64-bit integers"); }

int64_t checkedMultiply(int64_t a, int64_t b) {
  int64_t result;
  if (__builtin_mul_overflow(a, b, &result))
    overflow();
  return result;
}

} // namespace

void Extent::add(const std::vector<unsigned> &monomial, int64_t coefficient) {
  int64_t &sum = terms[monomial];
  if (__builtin_add_overflow(sum, coefficient, &sum))
    overflow();
  if (sum == 0)
    terms.erase(monomial);
  if (terms.size() > maxTerms || monomial.size() > maxFactors)
    throw Error("shape arithmetic is too complicated");
}

std::optional<int64_t> Extent::constant() const {
  if (terms.empty())
    return 0;
  if (terms.size() == 1 && terms.begin()->first.empty())
    return terms.begin()->second;
  return std::nullopt;
}

std::optional<unsigned> Extent::asSymbol() const {
  if (terms.size() == 1 && terms.begin()->first.size() == 1 && terms.begin()->second == 1)
    return terms.begin()->first.front();
  return std::nullopt;
}

int64_t Extent::constantTerm() const {
  auto it = terms.find({});
  return it == terms.end() ? 0 : it->second;
}

std::optional<int64_t> Extent::lowerBound() const {
  int64_t sum = 0;
  for (const auto &[monomial, coefficient] : terms)
    if ((coefficient < 0 && !monomial.empty()) || __builtin_add_overflow(sum, coefficient, &sum))
      return std::nullopt;
  return sum;
}

bool Extent::surelyLess(const Extent &other) const { return (other - *this).lowerBound().value_or(0) > 0; }

bool Extent::surelyAtMost(const Extent &other) const {
  return (other - *this).lowerBound().value_or(-1) >= 0;
}

Extent operator+(const Extent &a, const Extent &b) {
  Extent result = a;
  for (const auto &[monomial, coefficient] : b.terms)
    result.add(monomial, coefficient);
  return result;
}

Extent operator-(const Extent &a, const Extent &b) { return a + b * Extent(-1); }

Extent operator*(const Extent &a, const Extent &b) {
  Extent result;
  for (const auto &[left, x] : a.terms)
    for (const auto &[right, y] : b.terms) {
      std::vector<unsigned> product;
      std::merge(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(product));
      result.add(product, checkedMultiply(x, y));
    }
  return result;
}

std::optional<Extent> Extent::divide(const Extent &a, const Extent &b) {
  if (a == b)
    return Extent(1);
  if (b.terms.size() != 1)
    return std::nullopt;
  const auto &[divisor, scale] = *b.terms.begin();
  Extent result;
  for (const auto &[monomial, coefficient] : a.terms) {
    std::vector<unsigned> rest;
    std::set_difference(monomial.begin(), monomial.end(), divisor.begin(), divisor.end(),
                        std::back_inserter(rest));
    if (rest.size() + divisor.size() != monomial.size() || scale == -1 || coefficient % scale != 0)
      return std::nullopt;
    result.add(rest, coefficient / scale);
  }
  return result;
}

std::string Extent::toString(const std::vector<std::string> &names) const {
  std::string text;
  for (const auto &[monomial, coefficient] : terms) {
    text += text.empty() ? "" : " + ";
    if (coefficient != 1 || monomial.empty())
      text += std::to_string(coefficient) + (monomial.empty() ? "" : "*");
    for (size_t i = 0; i < monomial.size(); ++i)
      text += (i ? "*" : "") + names.at(monomial[i]);
  }
  return text.empty() ? "0" : text;
}

} // namespace sesame::onnx
