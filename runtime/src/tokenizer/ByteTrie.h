//===- ByteTrie.h - A trie over bytes ------------------------- -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_BYTETRIE_H
#define SESAME_TOKENIZER_BYTETRIE_H

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sesame {

/// Maps byte strings to numbers and finds, from any place of a text, all keys that start there, in time
/// linear in the longest one. Edges lie in one open hash table, so a step costs one or two cache lines.
class ByteTrie {
public:
  static constexpr int32_t none = -1;

  ByteTrie() : values(1, none), slots(16, Slot{emptyKey, 0}) { root.fill(0); }

  /// Adds `key` unless it is there already; true if it was new. Values must not be negative.
  bool insert(std::string_view key, int32_t value) {
    uint32_t node = 0;
    for (char c : key)
      node = extend(node, static_cast<unsigned char>(c));
    if (values[node] != none)
      return false;
    values[node] = value;
    return true;
  }

  bool empty() const { return values.size() == 1; }

  /// The node one byte further, or 0 if no key goes on like that. The root is node 0.
  uint32_t step(uint32_t node, unsigned char byte) const {
    if (node == 0)
      return root[byte];
    uint64_t key = static_cast<uint64_t>(node) << 8 | byte;
    for (size_t i = hash(key) & (slots.size() - 1);; i = (i + 1) & (slots.size() - 1)) {
      if (slots[i].key == key)
        return slots[i].node;
      if (slots[i].key == emptyKey)
        return 0;
    }
  }

  /// The value of the key that ends at `node`, or `none`.
  int32_t value(uint32_t node) const { return values[node]; }

  /// Length and value of the longest key that `text` starts with; value `none` if there is none.
  struct Match {
    uint32_t length;
    int32_t value;
  };
  Match longestPrefix(std::string_view text, uint32_t node = 0) const {
    Match best{0, none};
    for (uint32_t i = 0; i < text.size(); ++i) {
      node = step(node, static_cast<unsigned char>(text[i]));
      if (node == 0)
        break;
      if (values[node] != none)
        best = {i + 1, values[node]};
    }
    return best;
  }

  /// The node that `prefix` leads to, or 0.
  uint32_t walk(std::string_view prefix) const {
    uint32_t node = 0;
    for (char c : prefix) {
      node = step(node, static_cast<unsigned char>(c));
      if (node == 0)
        return 0;
    }
    return node;
  }

private:
  static constexpr uint64_t emptyKey = ~0ull;
  struct Slot {
    uint64_t key;
    uint32_t node;
  };

  static size_t hash(uint64_t key) {
    key *= 0x9E3779B97F4A7C15ull; // Fibonacci hashing: 2^64 / golden ratio.
    return static_cast<size_t>(key >> 24);
  }

  uint32_t extend(uint32_t node, unsigned char byte) {
    if (uint32_t next = step(node, byte))
      return next;
    uint32_t next = static_cast<uint32_t>(values.size());
    values.push_back(none);
    if (node == 0) {
      root[byte] = next;
      return next;
    }
    if (++used * 2 > slots.size()) {
      std::vector<Slot> old(slots.size() * 2, Slot{emptyKey, 0});
      old.swap(slots);
      for (const Slot &slot : old)
        if (slot.key != emptyKey)
          place(slot);
    }
    place({static_cast<uint64_t>(node) << 8 | byte, next});
    return next;
  }

  void place(Slot slot) {
    size_t i = hash(slot.key) & (slots.size() - 1);
    while (slots[i].key != emptyKey)
      i = (i + 1) & (slots.size() - 1);
    slots[i] = slot;
  }

  std::array<uint32_t, 256> root;
  std::vector<int32_t> values;
  std::vector<Slot> slots;
  size_t used = 0;
};

} // namespace sesame

#endif // SESAME_TOKENIZER_BYTETRIE_H
