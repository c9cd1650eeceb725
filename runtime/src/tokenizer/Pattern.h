//===- Pattern.h - What Split and Replace search for ---------- -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_PATTERN_H
#define SESAME_TOKENIZER_PATTERN_H

#include "JsonView.h"
#include "Regex.h"

namespace sesame {

/// The `pattern` field of Split and Replace: `{"String": text}`, `{"Regex": pattern}`, or a bare text.
class Pattern {
public:
  explicit Pattern(const JsonView &json) {
    if (json.raw().is_string()) {
      literal = json.string();
    } else if (json.has("String")) {
      literal = json.string("String");
    } else if (json.has("Regex")) {
      expression = json.string("Regex");
      regex.emplace(expression, json.name());
    } else {
      json.fail("expected a field 'String' or 'Regex'");
    }
  }

  /// The source of a regular expression; empty for a literal.
  const std::string &source() const { return expression; }

  /// Appends all matches, in order, none overlapping. An empty literal matches nothing.
  void findAll(std::string_view text, std::vector<ByteSpan> &matches) const {
    if (regex)
      return regex->findAll(text, matches);
    if (literal.empty())
      return;
    for (size_t at = 0; (at = text.find(literal, at)) != std::string_view::npos; at += literal.size())
      matches.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(at + literal.size())});
  }

private:
  std::string literal, expression;
  std::optional<Regex> regex;
};

} // namespace sesame

#endif // SESAME_TOKENIZER_PATTERN_H
