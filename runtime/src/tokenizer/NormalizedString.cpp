//===- NormalizedString.cpp - A text that remembers where it came from ----===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NormalizedString.h"

#include <algorithm>
#include <utf8proc.h>

using namespace sesame;
using unicode::forEach;

NormalizedString::NormalizedString(std::string_view text, uint32_t originalBegin)
    : string(text), begin(originalBegin) {
  alignments.reserve(text.size());
  forEach(text, [&](char32_t, uint32_t at, uint32_t length) {
    alignments.insert(alignments.end(), length, {begin + at, begin + at + length});
  });
}

NormalizedString NormalizedString::slice(uint32_t from, uint32_t to) const {
  NormalizedString part;
  part.string = string.substr(from, to - from);
  part.alignments.assign(alignments.begin() + from, alignments.begin() + to);
  part.begin = part.alignments.empty() ? begin : part.alignments.front().begin;
  return part;
}

void NormalizedString::transform(const std::vector<Change> &changes, size_t removed) {
  std::string newText;
  std::vector<ByteSpan> newAlignments;
  newText.reserve(string.size());
  newAlignments.reserve(string.size());
  uint32_t at = 0, size = static_cast<uint32_t>(string.size());
  auto skip = [&](size_t characters) {
    for (; characters != 0 && at < size; --characters)
      at += unicode::sequenceLength(static_cast<unsigned char>(string[at]));
  };
  skip(removed);
  for (const Change &change : changes) {
    ByteSpan aligned;
    if (change.change > 0) {
      // An inserted character belongs to the one before it.
      if (at > 0)
        aligned = alignments[at - 1];
      else
        aligned = {begin, begin};
    } else {
      aligned = at < size ? alignments[at] : size > 0 ? alignments[size - 1] : ByteSpan{begin, begin};
      skip(1 + static_cast<size_t>(-static_cast<int64_t>(change.change)));
    }
    size_t before = newText.size();
    unicode::append(newText, change.character);
    newAlignments.insert(newAlignments.end(), newText.size() - before, aligned);
  }
  string = std::move(newText);
  alignments = std::move(newAlignments);
}

void NormalizedString::prepend(std::string_view prefix) {
  if (string.empty())
    return;
  // The inserted characters belong to the first one.
  alignments.insert(alignments.begin(), prefix.size(), ByteSpan(alignments.front()));
  string.insert(0, prefix);
}

void NormalizedString::replace(const std::vector<ByteSpan> &ranges, std::string_view content) {
  if (ranges.empty())
    return;
  std::string newText;
  std::vector<ByteSpan> newAlignments;
  newText.reserve(string.size());
  newAlignments.reserve(string.size());
  uint32_t last = 0;
  for (ByteSpan range : ranges) {
    newText.append(string, last, range.begin - last);
    newAlignments.insert(newAlignments.end(), alignments.begin() + last, alignments.begin() + range.begin);
    newText += content;
    // All of the new content belongs to the last replaced character.
    ByteSpan aligned = range.end > 0 ? alignments[range.end - 1] : ByteSpan{begin, begin};
    newAlignments.insert(newAlignments.end(), content.size(), aligned);
    last = range.end;
  }
  newText.append(string, last, std::string::npos);
  newAlignments.insert(newAlignments.end(), alignments.begin() + last, alignments.end());
  string = std::move(newText);
  alignments = std::move(newAlignments);
}

void NormalizedString::lowercase() {
  std::vector<Change> changes;
  changes.reserve(string.size());
  std::u32string lower;
  forEach(string, [&](char32_t c, uint32_t, uint32_t) {
    lower.clear();
    unicode::appendLower(lower, c);
    for (size_t i = 0; i < lower.size(); ++i)
      changes.push_back({lower[i], i > 0});
  });
  transform(changes);
}

void NormalizedString::strip(bool left, bool right) {
  uint32_t from = 0, to = static_cast<uint32_t>(string.size());
  while (left && from < to) {
    uint32_t length;
    if (!unicode::isWhitespace(unicode::decode(string.data() + from, length)))
      break;
    from += length;
  }
  while (right && to > from) {
    uint32_t last = to - 1, length;
    while ((static_cast<unsigned char>(string[last]) & 0xC0) == 0x80)
      --last;
    if (!unicode::isWhitespace(unicode::decode(string.data() + last, length)))
      break;
    to = last;
  }
  alignments.erase(alignments.begin() + to, alignments.end());
  alignments.erase(alignments.begin(), alignments.begin() + from);
  string.erase(to);
  string.erase(0, from);
}

namespace {
struct MarkedCharacter {
  char32_t character;
  int32_t change;
  uint8_t combiningClass;
  uint32_t position; ///< In the decomposed text; makes the sort by class stable.
};
} // namespace

/// The primary composite of the two characters, or 0.
static char32_t composePair(char32_t first, char32_t second) {
  utf8proc_int32_t pair[2] = {static_cast<utf8proc_int32_t>(first), static_cast<utf8proc_int32_t>(second)};
  auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  if (utf8proc_normalize_utf32(pair, 2, options) != 1)
    return 0;
  auto composite = static_cast<char32_t>(pair[0]);
  return unicode::hasOldDecomposition(composite) ? composite : 0;
}

void NormalizedString::normalizeForm(bool compatibility, bool compose) {
  if (unicode::isAscii(string)) // All four forms of an ASCII text are itself.
    return;
  // 1. Decompose. Only the first character of a decomposition replaces the old one. (UAX #15)
  std::vector<MarkedCharacter> parts;
  parts.reserve(string.size());
  int options = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | (compatibility ? UTF8PROC_COMPAT : 0);
  forEach(string, [&](char32_t c, uint32_t, uint32_t) {
    utf8proc_int32_t buffer[32]; // The longest compatibility decomposition, U+FDFA's, has 18.
    int boundClass = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), buffer, 32,
                                                 static_cast<utf8proc_option_t>(options), &boundClass);
    if (n < 1 || n > 32 || !unicode::hasOldDecomposition(c)) {
      buffer[0] = static_cast<utf8proc_int32_t>(c);
      n = 1;
    }
    for (utf8proc_ssize_t i = 0; i < n; ++i) {
      char32_t part = static_cast<char32_t>(buffer[i]);
      parts.push_back({part, i > 0, unicode::combiningClass(part), static_cast<uint32_t>(parts.size())});
    }
  });

  // 2. Canonical order: stable by combining class between starters.
  for (size_t i = 0; i < parts.size();) {
    if (parts[i].combiningClass == 0) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < parts.size() && parts[end].combiningClass != 0)
      ++end;
    std::sort(parts.begin() + i, parts.begin() + end, [](const MarkedCharacter &a, const MarkedCharacter &b) {
      return a.combiningClass != b.combiningClass ? a.combiningClass < b.combiningClass
                                                  : a.position < b.position;
    });
    i = end;
  }

  // 3. Compose each starter with what is not blocked from it. A composite swallows the old characters of its
  // parts.
  if (compose) {
    std::vector<MarkedCharacter> composed;
    composed.reserve(parts.size());
    size_t starter = SIZE_MAX;
    int lastClass = -1; // Of the last character kept after the starter; -1: none.
    for (const MarkedCharacter &part : parts) {
      if (starter != SIZE_MAX && lastClass < static_cast<int>(part.combiningClass)) {
        if (char32_t both = composePair(composed[starter].character, part.character)) {
          composed[starter].character = both;
          composed[starter].change += part.change - 1;
          continue;
        }
      }
      if (part.combiningClass == 0) {
        starter = composed.size();
        lastClass = -1;
      } else {
        lastClass = part.combiningClass;
      }
      composed.push_back(part);
    }
    parts = std::move(composed);
  }

  std::vector<Change> changes;
  changes.reserve(parts.size());
  for (const MarkedCharacter &part : parts)
    changes.push_back({part.character, part.change});
  transform(changes);
}

void NormalizedString::assign(std::string newText, std::vector<ByteSpan> newAlignments) {
  string = std::move(newText);
  alignments = std::move(newAlignments);
}
