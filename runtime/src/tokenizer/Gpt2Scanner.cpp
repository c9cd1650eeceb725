//===- Gpt2Scanner.cpp - GPT-2's word pattern without a regex engine ------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Gpt2Scanner.h"

#include <array>

using namespace sesame;

namespace {
enum CharacterClass : uint8_t { space, letter, number, other };

constexpr std::array<CharacterClass, 128> makeAsciiClasses() {
  std::array<CharacterClass, 128> classes{};
  for (unsigned c = 0; c < 128; ++c)
    classes[c] = c == ' ' || (c >= 9 && c <= 13)                    ? space
                 : (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? letter
                 : c >= '0' && c <= '9'                             ? number
                                                                    : other;
  return classes;
}
constexpr std::array<CharacterClass, 128> asciiClasses = makeAsciiClasses();
} // namespace

static CharacterClass classify(std::string_view text, uint32_t at, uint32_t &length) {
  auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) {
    length = 1;
    return asciiClasses[lead];
  }
  char32_t c = unicode::decode(text.data() + at, length);
  return unicode::isLetter(c)       ? letter
         : unicode::isNumber(c)     ? number
         : unicode::isWhitespace(c) ? space
                                    : other;
}

/// Length of the English contraction at `at`, which holds an apostrophe, or 0.
static uint32_t contraction(std::string_view text, uint32_t at) {
  char first = at + 1 < text.size() ? text[at + 1] : '\0';
  char second = at + 2 < text.size() ? text[at + 2] : '\0';
  if (first == 's' || first == 't' || first == 'm' || first == 'd')
    return 2;
  if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l'))
    return 3;
  return 0;
}

void sesame::scanGpt2Words(std::string_view text, std::vector<ByteSpan> &words) {
  auto size = static_cast<uint32_t>(text.size());
  for (uint32_t begin = 0; begin < size;) {
    uint32_t length, at = begin;
    if (text[at] == '\'') {
      if (uint32_t n = contraction(text, at)) {
        words.push_back({at, at + n});
        begin = at + n;
        continue;
      }
    }
    CharacterClass kind = classify(text, at, length);
    at += length;
    if (kind == space && text[begin] == ' ' && at < size) {
      // " ?" takes one blank along with the run that follows it.
      CharacterClass next = classify(text, at, length);
      if (next != space) {
        kind = next;
        at += length;
      }
    }
    uint32_t last = begin; // Start of the last character of the run.
    while (at < size) {
      if (classify(text, at, length) != kind)
        break;
      last = at;
      at += length;
    }
    // A run of blanks leaves its last one to the word that follows, unless it is the only one.
    if (kind == space && at < size && last > begin)
      at = last;
    words.push_back({begin, at});
    begin = at;
  }
}
