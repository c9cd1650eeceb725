//===- NormalizedString.h - A text that remembers where it came from  -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_NORMALIZEDSTRING_H
#define SESAME_TOKENIZER_NORMALIZEDSTRING_H

#include "Unicode.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sesame {

/// A half-open range of bytes.
struct ByteSpan {
  uint32_t begin = 0, end = 0;
};

/// A piece of the input on its way through normalizers and pre-tokenizers. Each byte of `text` knows the
/// bytes of the original input that it stands for, so that offsets survive any rewriting. The semantics of
/// every change (which original character an inserted one belongs to) are those of the `tokenizers` library,
/// because its offsets are what users compare with.
class NormalizedString {
public:
  NormalizedString() = default;

  /// `text` unchanged; its first byte lies at `originalBegin` of the input.
  NormalizedString(std::string_view text, uint32_t originalBegin);

  const std::string &text() const { return string; }
  bool empty() const { return string.empty(); }
  /// The original bytes that byte `i` of text() stands for.
  ByteSpan alignment(uint32_t i) const { return alignments[i]; }
  /// Where this piece starts in the original input.
  uint32_t originalBegin() const { return begin; }

  /// The part [from, to) of the text, which must lie on character boundaries.
  NormalizedString slice(uint32_t from, uint32_t to) const;

  /// One character of a new text: `change` is 0 for a character that replaces the next old one, 1 for an
  /// inserted one, -n for one that replaces the next old one and swallows the n after it.
  struct Change {
    char32_t character;
    int32_t change;
  };
  /// Replaces the whole text; the first `removed` old characters are dropped.
  void transform(const std::vector<Change> &changes, size_t removed = 0);

  /// Keeps the characters for which `keep` holds.
  template <typename Keep> void filter(Keep keep) {
    std::vector<Change> changes;
    changes.reserve(string.size());
    size_t removedFirst = 0;
    unicode::forEach(string, [&](char32_t c, uint32_t, uint32_t) {
      if (keep(c))
        changes.push_back({c, 0});
      else if (changes.empty())
        ++removedFirst;
      else
        --changes.back().change;
    });
    transform(changes, removedFirst);
  }

  /// Replaces each character by `map` of it.
  template <typename Map> void map(Map function) {
    std::vector<Change> changes;
    changes.reserve(string.size());
    unicode::forEach(string, [&](char32_t c, uint32_t, uint32_t) { changes.push_back({function(c), 0}); });
    transform(changes);
  }

  /// Puts `prefix` before the text, unless that is empty.
  void prepend(std::string_view prefix);

  /// Replaces the given ranges (ascending, disjoint) by `content`.
  void replace(const std::vector<ByteSpan> &ranges, std::string_view content);

  void lowercase();
  void strip(bool left, bool right);

  /// NFD or NFKD, then (with `compose`) NFC or NFKC.
  void normalizeForm(bool compatibility, bool compose);

  /// Sets the text and the alignment of each of its bytes, for normalizers with rules of their own.
  void assign(std::string newText, std::vector<ByteSpan> newAlignments);

private:
  std::string string;
  std::vector<ByteSpan> alignments; ///< One per byte of `string`, in bytes of the whole original input.
  uint32_t begin = 0;
};

} // namespace sesame

#endif // SESAME_TOKENIZER_NORMALIZEDSTRING_H
