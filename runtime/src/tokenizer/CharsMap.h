//===- CharsMap.h - The compiled normalization rules of SentencePiece  -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_CHARSMAP_H
#define SESAME_TOKENIZER_CHARSMAP_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sesame {

/// SentencePiece's `precompiled_charsmap`: a Darts double-array trie over UTF-8 whose values are offsets of
/// NUL-terminated replacements. Layout, little-endian: u32 trie size in bytes, trie, replacements.
/// The bytes come from strangers: every index is checked.
class CharsMap {
public:
  CharsMap() = default;
  /// Throws an Error that begins with `where` if the sizes do not fit or the replacements are not UTF-8.
  CharsMap(std::string_view blob, const std::string &where);

  bool empty() const { return units.empty(); }

  /// A rule that applies at the start of a text: it replaces `length` bytes.
  struct Rule {
    uint32_t length = 0; ///< 0: no rule applies.
    std::string_view replacement;
  };
  /// The rule with the longest, or the shortest, left side that `text` starts with.
  Rule longest(std::string_view text) const { return find(text, true); }
  Rule shortest(std::string_view text) const { return find(text, false); }

private:
  Rule find(std::string_view text, bool longest) const;

  std::vector<uint32_t> units;
  std::string replacements;
};

} // namespace sesame

#endif // SESAME_TOKENIZER_CHARSMAP_H
