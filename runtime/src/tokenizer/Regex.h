//===- Regex.h - PCRE2 with Oniguruma's meaning of the classes  -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_REGEX_H
#define SESAME_TOKENIZER_REGEX_H

#include "NormalizedString.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sesame {

/// A compiled pattern in the dialect of tokenizer.json (Oniguruma, Ruby syntax, UTF-8), run by PCRE2 with its
/// JIT. Safe to share between threads.
class Regex {
public:
  /// Throws an Error that begins with `where` if the pattern does not compile.
  Regex(const std::string &pattern, const std::string &where);
  ~Regex();
  Regex(Regex &&) noexcept;
  Regex &operator=(Regex &&) noexcept;

  /// Appends every match in the well-formed UTF-8 `text`, leftmost first, none overlapping. An empty match
  /// right after another match is not reported. Throws an Error if the pattern backtracks beyond PCRE2's
  /// match limit.
  void findAll(std::string_view text, std::vector<ByteSpan> &matches) const;

  /// The same with groups: appends, for each match, the range of the match and those of its groups 1 to
  /// `groups` (at most 3); a group that took no part is empty.
  void findGroups(std::string_view text, size_t groups, std::vector<ByteSpan> &spans) const;

  /// `text` with every character that is special in a pattern escaped.
  static std::string escape(std::string_view text);

private:
  template <typename Report> void scan(std::string_view text, Report report) const;
  struct Compiled;
  std::unique_ptr<Compiled> compiled;
};

} // namespace sesame

#endif // SESAME_TOKENIZER_REGEX_H
