//===- Unicode.cpp - UTF-8 and character classes --------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Unicode.h"
#include "CodePointRange.h"

#include <cstring>
#include <iterator>
#include <utf8proc.h>

namespace {
using sesame::CodePointRange;
using sesame::contains;
#include "UnicodeAge.inc"
} // namespace

namespace sesame::unicode {

size_t findInvalidUtf8(std::string_view text) {
  const auto *bytes = reinterpret_cast<const unsigned char *>(text.data());
  size_t size = text.size(), i = 0;
  while (i < size) {
    // Most text is ASCII: eight bytes at a time.
    uint64_t word;
    while (i + 8 <= size && (std::memcpy(&word, bytes + i, 8), (word & 0x8080808080808080ull) == 0))
      i += 8;
    if (i == size)
      break;
    unsigned char lead = bytes[i];
    if (lead < 0x80) {
      ++i;
      continue;
    }
    if (lead < 0xC2 || lead > 0xF4)
      return i;
    size_t length = sequenceLength(lead);
    if (length > size - i)
      return i;
    // The second byte alone rules out overlong forms, surrogates and what lies above U+10FFFF.
    unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (bytes[i + 1] < low || bytes[i + 1] > high)
      return i;
    for (size_t k = 2; k < length; ++k)
      if ((bytes[i + k] & 0xC0) != 0x80)
        return i;
    i += length;
  }
  return std::string_view::npos;
}

bool isAscii(std::string_view text) {
  unsigned char seen = 0;
  for (char c : text)
    seen |= static_cast<unsigned char>(c);
  return seen < 0x80;
}

void append(std::string &text, char32_t c) {
  if (c < 0x80) {
    text += static_cast<char>(c);
  } else if (c < 0x800) {
    text += static_cast<char>(0xC0 | c >> 6);
    text += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    text += static_cast<char>(0xE0 | c >> 12);
    text += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    text += static_cast<char>(0xF0 | c >> 18);
    text += static_cast<char>(0x80 | (c >> 12 & 0x3F));
    text += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (c & 0x3F));
  }
}

size_t count(std::string_view text) {
  size_t n = 0;
  for (char c : text)
    n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

std::string replaceInvalid(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    size_t bad = findInvalidUtf8(text);
    if (bad == std::string_view::npos) {
      out += text;
      break;
    }
    out += text.substr(0, bad);
    out += "\xEF\xBF\xBD";
    // The maximal subpart: a lead byte and those following bytes that could continue it.
    auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    unsigned char lead = byte(bad);
    size_t end = bad + 1;
    if (lead >= 0xC2 && lead <= 0xF4) {
      size_t length = sequenceLength(lead);
      for (size_t k = 1; k < length && end < text.size(); ++k, ++end) {
        unsigned char low = k > 1 ? 0x80 : lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        unsigned char high = k > 1 ? 0xBF : lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        if (byte(end) < low || byte(end) > high)
          break;
      }
    }
    text.remove_prefix(end);
  }
  return out;
}

static utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

bool isLetter(char32_t c) {
  if (c < 0x80)
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
  utf8proc_category_t k = category(c);
  return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}

bool isNumber(char32_t c) {
  if (c < 0x80)
    return c >= '0' && c <= '9';
  utf8proc_category_t k = category(c);
  return k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO;
}

bool isNonspacingMark(char32_t c) {
  if (c < 0x300)
    return false;
  // U+1734 was nonspacing until Unicode 14.
  return c == 0x1734 || (category(c) == UTF8PROC_CATEGORY_MN && !contains(nonspacingMarksAfterUnicode8, c));
}

bool isCombiningMark(char32_t c) {
  if (c < 0x300)
    return false;
  utf8proc_category_t k = category(c);
  // U+1CF2 and U+1CF3 were marks until Unicode 12.
  return c == 0x1CF2 || c == 0x1CF3 ||
         (k >= UTF8PROC_CATEGORY_MN && k <= UTF8PROC_CATEGORY_ME && !contains(marksAfterUnicode9, c));
}

uint8_t combiningClass(char32_t c) {
  if (c < 0x300)
    return 0;
  auto ccc = static_cast<uint8_t>(utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class);
  return ccc != 0 && contains(marksAfterUnicode9, c) ? 0 : ccc;
}

bool hasOldDecomposition(char32_t c) { return !contains(decompositionsAfterUnicode9, c); }

bool isPunctuation(char32_t c) {
  if (c < 0x80)
    return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
  utf8proc_category_t k = category(c);
  // U+166D and U+111C9 were punctuation in Unicode 8.
  return c == 0x166D || c == 0x111C9 ||
         (k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO && !contains(punctuationAfterUnicode8, c));
}

bool isControl(char32_t c) {
  if (c < 0x80)
    return c < 0x20 || c == 0x7F;
  utf8proc_category_t k = category(c);
  return k == UTF8PROC_CATEGORY_CC || k == UTF8PROC_CATEGORY_CO ||
         (k == UTF8PROC_CATEGORY_CF && !contains(formatsAfterUnicode8, c));
}

bool isWord(char32_t c) {
  if (c < 0x80)
    return (c >= '0' && c <= '9') || c == '_' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
  switch (category(c)) {
  case UTF8PROC_CATEGORY_LU:
  case UTF8PROC_CATEGORY_LL:
  case UTF8PROC_CATEGORY_LT:
  case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_LO:
  case UTF8PROC_CATEGORY_MN:
  case UTF8PROC_CATEGORY_MC:
  case UTF8PROC_CATEGORY_ME:
  case UTF8PROC_CATEGORY_ND:
  case UTF8PROC_CATEGORY_NL:
  case UTF8PROC_CATEGORY_PC:
    return true;
  default:
    // The symbols that have Other_Alphabetic (circled and squared Latin letters), and the two joiners.
    return (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) || (c >= 0x1F150 && c <= 0x1F169) ||
           (c >= 0x1F170 && c <= 0x1F189) || c == 0x200C || c == 0x200D;
  }
}

void appendLower(std::u32string &out, char32_t c) {
  if (c < 0x80) {
    out += c >= 'A' && c <= 'Z' ? c + 32 : c;
  } else if (c == 0x130) { // The one unconditional entry of SpecialCasing.txt with a longer lower case.
    out += U'i';
    out += char32_t(0x307);
  } else {
    out += static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
  }
}

} // namespace sesame::unicode
