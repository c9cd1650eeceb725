//===- CharsMap.cpp - The compiled normalization rules of SentencePiece ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CharsMap.h"
#include "Unicode.h"
#include "support/Error.h"

using namespace sesame;

static uint32_t readU32(std::string_view bytes, size_t at) {
  auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + i])); };
  return byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
}

CharsMap::CharsMap(std::string_view blob, const std::string &where) {
  if (blob.size() < 4)
    throw Error(message(where, ": expected at least 4 bytes, found ", blob.size()));
  uint32_t trieBytes = readU32(blob, 0);
  if (trieBytes > blob.size() - 4 || trieBytes % 4 != 0 || trieBytes == 0)
    throw Error(message(where, ": a trie of ", trieBytes, " bytes does not fit into ", blob.size() - 4));
  units.resize(trieBytes / 4);
  for (size_t i = 0; i < units.size(); ++i)
    units[i] = readU32(blob, 4 + 4 * i);
  replacements = std::string(blob.substr(4 + trieBytes));
  if (unicode::findInvalidUtf8(replacements) != std::string::npos)
    throw Error(message(where, ": the replacements are not UTF-8"));
}

// The unit layout of Darts-clone: label in bits 0-7 (bit 31 marks a value unit), has_leaf in bit 8, offset in
// the rest.
static uint32_t offsetOf(uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }
static uint32_t labelOf(uint32_t unit) { return unit & (1u << 31 | 0xFF); }
static bool hasLeaf(uint32_t unit) { return (unit >> 8 & 1) != 0; }

CharsMap::Rule CharsMap::find(std::string_view text, bool longest) const {
  Rule rule;
  if (units.empty())
    return rule;
  uint32_t node = offsetOf(units[0]);
  for (uint32_t i = 0; i < text.size(); ++i) {
    uint32_t byte = static_cast<unsigned char>(text[i]);
    if (byte == 0)
      break;
    node ^= byte;
    if (node >= units.size() || labelOf(units[node]) != byte)
      break;
    uint32_t unit = units[node];
    node ^= offsetOf(unit);
    if (node >= units.size())
      break;
    if (!hasLeaf(unit))
      continue;
    uint32_t at = units[node] & ~(1u << 31);
    // A value outside the replacements, or inside a character, is a broken rule: it counts as no rule.
    if (at > replacements.size() ||
        (at < replacements.size() && (static_cast<unsigned char>(replacements[at]) & 0xC0) == 0x80))
      continue;
    size_t end = replacements.find('\0', at);
    rule.length = i + 1;
    rule.replacement = std::string_view(replacements).substr(at, end == std::string::npos ? end : end - at);
    if (!longest)
      break;
  }
  // A left side that ends inside a character would tear it apart.
  if (rule.length < text.size() && rule.length > 0 &&
      (static_cast<unsigned char>(text[rule.length]) & 0xC0) == 0x80)
    return Rule();
  return rule;
}
