//===- PythonText.cpp - Text as Python's str treats it --------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PythonText.h"

#include <utf8proc.h>

using namespace sesame;

static utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

bool python::isSpace(char32_t c) { return unicode::isWhitespace(c) || (c >= 0x1C && c <= 0x1F); }

bool python::isOther(char32_t c) {
  switch (category(c)) {
  case UTF8PROC_CATEGORY_CC:
  case UTF8PROC_CATEGORY_CF:
  case UTF8PROC_CATEGORY_CS:
  case UTF8PROC_CATEGORY_CO:
  case UTF8PROC_CATEGORY_CN:
    return true;
  default:
    return false;
  }
}

bool python::isPunctuation(char32_t c) {
  switch (category(c)) {
  case UTF8PROC_CATEGORY_PC:
  case UTF8PROC_CATEGORY_PD:
  case UTF8PROC_CATEGORY_PS:
  case UTF8PROC_CATEGORY_PE:
  case UTF8PROC_CATEGORY_PI:
  case UTF8PROC_CATEGORY_PF:
  case UTF8PROC_CATEGORY_PO:
    return true;
  default:
    return false;
  }
}

bool python::isNonspacingMark(char32_t c) { return category(c) == UTF8PROC_CATEGORY_MN; }

/// The properties Case_Ignorable and Cased, which the rule for the final sigma asks for.
static bool isCaseIgnorable(char32_t c) {
  switch (category(c)) {
  case UTF8PROC_CATEGORY_MN:
  case UTF8PROC_CATEGORY_ME:
  case UTF8PROC_CATEGORY_CF:
  case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_SK:
    return true;
  default:
    break;
  }
  static const char32_t insideWords[] = {0x27,   0x2E,   0x3A,   0xB7,   0x387,  0x55F,
                                         0x5F4,  0x2018, 0x2019, 0x2024, 0x2027, 0xFE13,
                                         0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A};
  for (char32_t other : insideWords)
    if (c == other)
      return true;
  return false;
}

static bool isCased(char32_t c) {
  switch (category(c)) {
  case UTF8PROC_CATEGORY_LU:
  case UTF8PROC_CATEGORY_LL:
  case UTF8PROC_CATEGORY_LT:
    return true;
  default: // Letters that count by Other_Uppercase and Other_Lowercase have the other case.
    return utf8proc_tolower(static_cast<utf8proc_int32_t>(c)) != static_cast<utf8proc_int32_t>(c) ||
           utf8proc_toupper(static_cast<utf8proc_int32_t>(c)) != static_cast<utf8proc_int32_t>(c) ||
           c == 0xAA || c == 0xBA;
  }
}

void python::lower(NormalizedString &text) {
  constexpr char32_t capitalSigma = 0x3A3, finalSigma = 0x3C2;
  std::vector<NormalizedString::Change> changes;
  changes.reserve(text.text().size());
  std::u32string lowered;
  bool afterCased = false;        // The last character that does not count as ignorable is a cased one.
  size_t pendingSigma = SIZE_MAX; // Where a sigma stands that is final unless a cased character follows.
  unicode::forEach(text.text(), [&](char32_t c, uint32_t, uint32_t) {
    if (!isCaseIgnorable(c)) {
      bool cased = isCased(c);
      if (pendingSigma != SIZE_MAX && !cased)
        changes[pendingSigma].character = finalSigma;
      pendingSigma = c == capitalSigma && afterCased ? changes.size() : SIZE_MAX;
      afterCased = cased;
    }
    lowered.clear();
    unicode::appendLower(lowered, c);
    for (size_t i = 0; i < lowered.size(); ++i)
      changes.push_back({lowered[i], i > 0});
  });
  if (pendingSigma != SIZE_MAX)
    changes[pendingSigma].character = finalSigma;
  text.transform(changes);
}

void python::strip(NormalizedString &text) {
  std::vector<ByteSpan> parts;
  split(text.text(), parts);
  text = parts.empty() ? text.slice(0, 0) : text.slice(parts.front().begin, parts.back().end);
}

void python::split(std::string_view text, std::vector<ByteSpan> &parts, bool (*isBlank)(char32_t)) {
  bool open = false;
  unicode::forEach(text, [&](char32_t c, uint32_t at, uint32_t length) {
    if (isBlank(c)) {
      open = false;
    } else if (open) {
      parts.back().end = at + length;
    } else {
      parts.push_back({at, at + length});
      open = true;
    }
  });
}
