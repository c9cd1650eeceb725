//===- Unicode.h - UTF-8 and character classes ---------------- -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_UNICODE_H
#define SESAME_TOKENIZER_UNICODE_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sesame::unicode {

/// Byte offset of the first byte that is not part of a well-formed UTF-8 sequence (Unicode 15, table 3-7: no
/// overlong form, no surrogate, nothing above U+10FFFF), or npos.
size_t findInvalidUtf8(std::string_view text);

/// True if no byte of `text` is above 0x7F.
bool isAscii(std::string_view text);

/// Number of bytes of the sequence that `lead` starts; `lead` must start a well-formed sequence.
inline uint32_t sequenceLength(unsigned char lead) {
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/// Decodes the well-formed sequence at `bytes` and stores its length.
inline char32_t decode(const char *bytes, uint32_t &length) {
  auto at = [&](int i) { return static_cast<char32_t>(static_cast<unsigned char>(bytes[i])); };
  char32_t lead = at(0);
  if (lead < 0x80) {
    length = 1;
    return lead;
  }
  if (lead < 0xE0) {
    length = 2;
    return (lead & 0x1F) << 6 | (at(1) & 0x3F);
  }
  if (lead < 0xF0) {
    length = 3;
    return (lead & 0x0F) << 12 | (at(1) & 0x3F) << 6 | (at(2) & 0x3F);
  }
  length = 4;
  return (lead & 0x07) << 18 | (at(1) & 0x3F) << 12 | (at(2) & 0x3F) << 6 | (at(3) & 0x3F);
}

/// Appends `c` as UTF-8.
void append(std::string &text, char32_t c);

/// Calls `visit(code point, byte offset, byte length)` for each character of the well-formed `text`.
template <typename Visit> void forEach(std::string_view text, Visit visit) {
  for (uint32_t at = 0; at < text.size();) {
    uint32_t length;
    char32_t c = decode(text.data() + at, length);
    visit(c, at, length);
    at += length;
  }
}

/// Number of characters of the well-formed `text`.
size_t count(std::string_view text);

/// Replaces every maximal ill-formed subsequence by U+FFFD, as the WHATWG decoder and Rust's from_utf8_lossy
/// do.
std::string replaceInvalid(std::string_view text);

/// The White_Space property.
inline bool isWhitespace(char32_t c) {
  if (c < 0x80)
    return c == ' ' || (c >= 9 && c <= 13);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/// General category L*, N*.
bool isLetter(char32_t c);
bool isNumber(char32_t c);

// The following hold for the code points of Unicode 8 (the first, the last two) or 9: the reference has
// tables that old, and a later mark or punctuation character is just a character to the vocabularies that
// were made with them.
/// Category Mn; M*.
bool isNonspacingMark(char32_t c);
bool isCombiningMark(char32_t c);
/// The canonical combining class.
uint8_t combiningClass(char32_t c);
/// False for the characters whose decomposition came later.
bool hasOldDecomposition(char32_t c);
/// Category P*, or one of the ASCII symbols that BERT counts as punctuation ($ + < = > ^ ` | ~).
bool isPunctuation(char32_t c);
/// Category Cc, Cf or Co: what BERT's cleaning removes (unassigned code points stay).
bool isControl(char32_t c);

/// What `\w` matches: alphabetic, mark, decimal digit, connector punctuation, joiner (UTS #18, annex C).
bool isWord(char32_t c);

/// Appends the full lower-case form of `c` (only U+0130 has more than one character).
void appendLower(std::u32string &out, char32_t c);

} // namespace sesame::unicode

#endif // SESAME_TOKENIZER_UNICODE_H
