//===- TextTools.cpp - Small text helpers of the tokenizer ----------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TextTools.h"

using namespace sesame;

ByteAlphabet::ByteAlphabet() {
  byteOf.fill(-1);
  char32_t next = 256;
  for (unsigned byte = 0; byte < 256; ++byte) {
    bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    char32_t c = printable ? byte : next++;
    character[byte] = c;
    unicode::append(encoded[byte], c);
    byteOf[c] = static_cast<int16_t>(byte);
  }
}

const ByteAlphabet &ByteAlphabet::get() {
  static const ByteAlphabet alphabet;
  return alphabet;
}

void sesame::mapToByteLevel(NormalizedString &text) {
  const ByteAlphabet &alphabet = ByteAlphabet::get();
  std::string mapped;
  std::vector<ByteSpan> alignments;
  mapped.reserve(text.text().size() * 2);
  alignments.reserve(text.text().size() * 2);
  for (uint32_t i = 0; i < text.text().size(); ++i) {
    const std::string &character = alphabet.encoded[static_cast<unsigned char>(text.text()[i])];
    mapped += character;
    alignments.insert(alignments.end(), character.size(), text.alignment(i));
  }
  text.assign(std::move(mapped), std::move(alignments));
}

bool sesame::decodeBase64(std::string_view text, std::string &bytes) {
  if (text.size() % 4 != 0)
    return false;
  auto digit = [](char c) -> int {
    if (c >= 'A' && c <= 'Z')
      return c - 'A';
    if (c >= 'a' && c <= 'z')
      return c - 'a' + 26;
    if (c >= '0' && c <= '9')
      return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
  };
  bytes.clear();
  bytes.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    bool last = i + 4 == text.size();
    int padding = last && text[i + 3] == '=' ? (text[i + 2] == '=' ? 2 : 1) : 0;
    uint32_t bits = 0;
    for (int k = 0; k < 4; ++k) {
      int value = k >= 4 - padding ? 0 : digit(text[i + k]);
      if (value < 0)
        return false;
      bits = bits << 6 | static_cast<uint32_t>(value);
    }
    for (int k = 0; k < 3 - padding; ++k)
      bytes += static_cast<char>(bits >> (16 - 8 * k) & 0xFF);
  }
  return true;
}

void sesame::replaceAll(std::string &text, std::string_view from, std::string_view to) {
  size_t at = text.find(from);
  if (at == std::string::npos)
    return;
  std::string out;
  size_t last = 0;
  for (; at != std::string::npos; at = text.find(from, last)) {
    out.append(text, last, at - last);
    out += to;
    last = at + from.size();
  }
  out.append(text, last, std::string::npos);
  text = std::move(out);
}

size_t sesame::nextBlankRun(std::string_view text, size_t from) {
  constexpr std::string_view blank = blankSymbol;
  for (size_t at = from; (at = text.find(blank, at)) != std::string_view::npos; at += blank.size())
    if (at > from && (at < from + blank.size() || text.compare(at - blank.size(), blank.size(), blank) != 0))
      return at;
  return std::string_view::npos;
}

std::string sesame::byteToken(unsigned char byte) {
  static const char digits[] = "0123456789ABCDEF";
  return {'<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>'};
}

int sesame::byteOfToken(std::string_view token) {
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>')
    return -1;
  int value = 0;
  for (char c : token.substr(3, 2)) {
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                       : -1;
    if (digit < 0)
      return -1;
    value = value * 16 + digit;
  }
  return value;
}
