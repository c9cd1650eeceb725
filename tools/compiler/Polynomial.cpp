//===- Polynomial.cpp - Numbers that depend on extents ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Polynomial.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace sesame {

Polynomial::Polynomial(double constant) {
  if (constant != 0)
    terms[{}] = constant;
}

Polynomial Polynomial::symbol(const std::string &name) {
  Polynomial result;
  result.terms[{name}] = 1;
  return result;
}

Polynomial &Polynomial::operator+=(const Polynomial &other) {
  for (const auto &[symbols, factor] : other.terms)
    if ((terms[symbols] += factor) == 0)
      terms.erase(symbols);
  return *this;
}

Polynomial operator*(const Polynomial &a, const Polynomial &b) {
  Polynomial result;
  for (const auto &[left, leftFactor] : a.terms)
    for (const auto &[right, rightFactor] : b.terms) {
      std::vector<std::string> symbols = left;
      symbols.insert(symbols.end(), right.begin(), right.end());
      std::sort(symbols.begin(), symbols.end());
      Polynomial product;
      product.terms[symbols] = leftFactor * rightFactor;
      result += product;
    }
  return result;
}

std::optional<Polynomial> Polynomial::dividedBy(const Polynomial &divisor) const {
  if (*this == divisor && !terms.empty())
    return Polynomial(1);
  const std::optional<double> number = divisor.constant();
  if (!number || *number == 0)
    return std::nullopt;
  Polynomial result;
  for (const auto &[symbols, factor] : terms) {
    if (std::fmod(factor, *number) != 0)
      return std::nullopt;
    result.terms[symbols] = factor / *number;
  }
  return result;
}

std::optional<double> Polynomial::constant() const {
  if (terms.empty())
    return 0;
  if (terms.size() == 1 && terms.begin()->first.empty())
    return terms.begin()->second;
  return std::nullopt;
}

double Polynomial::evaluate(const std::function<double(const std::string &)> &valueOf) const {
  double sum = 0;
  for (const auto &[symbols, factor] : terms) {
    double product = factor;
    for (const std::string &symbol : symbols)
      product *= valueOf(symbol);
    sum += product;
  }
  return sum;
}

std::string Polynomial::print(const std::function<std::string(double)> &number) const {
  if (terms.empty())
    return "0";
  // "T - S" rather than "-S + T".
  std::vector<std::pair<std::vector<std::string>, double>> sorted(terms.begin(), terms.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto &a, const auto &b) {
    const bool isFirstMinus = a.second < 0, isSecondMinus = b.second < 0;
    return isFirstMinus != isSecondMinus ? isSecondMinus : a.first < b.first;
  });
  std::string text;
  for (const auto &[symbols, factor] : sorted) {
    text += text.empty() ? (factor < 0 ? "-" : "") : factor < 0 ? " - " : " + ";
    if (std::fabs(factor) != 1 || symbols.empty())
      text += number(std::fabs(factor)) + (symbols.empty() ? "" : " ");
    for (size_t i = 0; i < symbols.size(); ++i)
      text += (i ? " " : "") + symbols[i];
  }
  return text;
}

static std::string toPlain(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.15g", number);
  return text;
}

std::string toRounded(double number) {
  static const char *const units[] = {"", " k", " M", " G", " T", " P"};
  size_t unit = 0;
  while (std::fabs(number) >= 999.5 && unit + 1 < std::size(units)) {
    number /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.3g%s", number, units[unit]);
  return text;
}

std::string Polynomial::str() const { return print(toPlain); }
std::string Polynomial::strRounded() const { return print(toRounded); }

} // namespace sesame
