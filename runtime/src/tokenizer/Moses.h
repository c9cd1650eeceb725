//===- Moses.h - The word splitter of the Moses translation system -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_MOSES_H
#define SESAME_TOKENIZER_MOSES_H

#include "NormalizedString.h"
#include "Regex.h"

#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

namespace sesame {

/// Replaces each match of a pattern in a text; `\1` to `\3` in the replacement are the groups.
class Substitution {
public:
  Substitution(const std::string &pattern, std::string_view replacement);
  void apply(NormalizedString &text) const;

private:
  /// A part of the replacement: group 1 to 3, or (0) a literal text.
  struct Piece {
    size_t group;
    std::string literal;
  };
  Regex regex;
  std::vector<Piece> pieces;
  size_t groups = 0;
};

/// The rules of Moses (Koehn et al. 2007) for where words begin and end in a European language, as the
/// tokenizers of XLM, Flaubert and FSMT use them: normalize(), then separate(). join() is the way back.
class Moses {
public:
  /// `language` is de, en, fr or ru; another one throws an Error that begins with `where`.
  Moses(const std::string &language, const std::string &where);

  /// Brings quotes, dashes and blanks to one form; full-width punctuation too, and removes what does not
  /// print, unless `onlyPunctuation`.
  void normalize(NormalizedString &text, bool onlyPunctuation = false) const;

  /// Puts a blank between every two words. `splitHyphens` makes `@-@` of a hyphen between letters,
  /// `escapeXml` writes &amp; and seven other characters as entities.
  void separate(NormalizedString &text, bool splitHyphens, bool escapeXml) const;

  /// The text of words that separate() made, entities and hyphens undone.
  std::string join(const std::vector<std::string> &words) const;

private:
  /// Splits the full stop off words that are no abbreviation.
  void splitStops(NormalizedString &text) const;
  bool keepsStop(std::string_view word, std::string_view next) const;

  std::string language;
  std::unordered_set<std::string> abbreviations, numberAbbreviations;
  std::vector<Substitution> normalization, separation, hyphens, commasAndApostrophes, finish;
};

} // namespace sesame

#endif // SESAME_TOKENIZER_MOSES_H
