//===- BpeModel.cpp - Byte pair encoding ----------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BpeModel.h"
#include "JsonView.h"
#include "TextTools.h"
#include "support/DType.h"
#include "support/Error.h"

#include <algorithm>
#include <cstring>
#include <functional>

using namespace sesame;

//===----------------------------------------------------------------------===//
// Word cache
//===----------------------------------------------------------------------===//

namespace {

/// Remembers the tokens of short words. Natural text repeats few words very often (Zipf), so a store that is
/// simply emptied when it is full does as well as one with a smarter rule.
class BpeCache : public WordCache {
public:
  static constexpr size_t maxWordBytes = 48;

  struct Entry {
    uint64_t hash = 0;
    uint32_t key = 0;    ///< Start of the word in `keys`.
    uint32_t tokens = 0; ///< Start of the tokens in `store`.
    uint32_t count = 0;  ///< 0: empty slot.
    uint32_t length = 0;
  };

  BpeCache() : slots(slotCount) { keys.reserve(1 << 16); }

  static uint64_t hash(std::string_view word) {
    uint64_t h = word.size() * 0x9E3779B97F4A7C15ull, chunk;
    const char *bytes = word.data();
    size_t left = word.size();
    for (; left >= 8; left -= 8, bytes += 8) {
      std::memcpy(&chunk, bytes, 8);
      h = mix(h ^ chunk);
    }
    chunk = 0;
    std::memcpy(&chunk, bytes, left);
    return mix(h ^ chunk);
  }

  /// The tokens of `word`, or null.
  const Token *find(std::string_view word, uint64_t h, uint32_t &count) const {
    for (size_t i = h & (slotCount - 1);; i = (i + 1) & (slotCount - 1)) {
      const Entry &entry = slots[i];
      if (entry.count == 0)
        return nullptr;
      if (entry.hash == h && entry.length == word.size() &&
          std::memcmp(keys.data() + entry.key, word.data(), word.size()) == 0) {
        count = entry.count;
        return store.data() + entry.tokens;
      }
    }
  }

  void add(std::string_view word, uint64_t h, const Token *tokens, size_t count) {
    if (count == 0)
      return;
    if (used * 2 >= slotCount) {
      std::fill(slots.begin(), slots.end(), Entry());
      keys.clear();
      store.clear();
      used = 0;
    }
    size_t i = h & (slotCount - 1);
    while (slots[i].count != 0)
      i = (i + 1) & (slotCount - 1);
    slots[i] = {h, static_cast<uint32_t>(keys.size()), static_cast<uint32_t>(store.size()),
                static_cast<uint32_t>(count), static_cast<uint32_t>(word.size())};
    keys.append(word);
    store.insert(store.end(), tokens, tokens + count);
    ++used;
  }

private:
  // 32 Ki words of 24 bytes a slot at half load: 1.5 MiB, and the 11 000 distinct words of tiny Shakespeare
  // fit.
  static constexpr size_t slotCount = 1 << 16;

  static uint64_t mix(uint64_t x) { // The finalizer of MurmurHash3.
    x ^= x >> 33;
    x *= 0xFF51AFD7ED558CCDull;
    x ^= x >> 33;
    x *= 0xC4CEB9FE1A85EC53ull;
    return x ^ x >> 33;
  }

  std::vector<Entry> slots;
  std::string keys;
  std::vector<Token> store;
  size_t used = 0;
};

size_t hashPair(uint64_t pair) { return static_cast<size_t>((pair * 0x9E3779B97F4A7C15ull) >> 20); }

} // namespace

//===----------------------------------------------------------------------===//
// Construction
//===----------------------------------------------------------------------===//

BpeModel::BpeModel(Vocabulary vocabulary, const std::vector<std::pair<std::string, std::string>> &pairs,
                   Options given, const std::string &where)
    : options(std::move(given)) {
  vocab = std::move(vocabulary);
  size_t slots = 16;
  while (slots < pairs.size() * 2)
    slots *= 2;
  merges.assign(slots, Merge{noPair, 0, noToken});
  auto idOf = [&](const std::string &token, size_t line) {
    TokenId id = vocab.find(token);
    if (id == noToken)
      throw Error(
          message(where, ": merges[", line, "]: token ", inQuotes(token), " is not in the vocabulary"));
    return id;
  };
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto &[left, right] = pairs[i];
    TokenId leftId = idOf(left, i), rightId = idOf(right, i);
    if (right.size() < options.continuingPrefix.size())
      throw Error(message(where, ": merges[", i, "]: ", inQuotes(right),
                          " is shorter than the continuing subword prefix"));
    TokenId result = idOf(left + right.substr(options.continuingPrefix.size()), i);
    uint64_t pair = static_cast<uint64_t>(leftId) << 32 | static_cast<uint32_t>(rightId);
    size_t slot = hashPair(pair) & (slots - 1);
    while (merges[slot].pair != noPair && merges[slot].pair != pair)
      slot = (slot + 1) & (slots - 1);
    merges[slot] = {pair, static_cast<uint32_t>(i), result}; // Of equal pairs the last one counts.
  }
  if (options.unknownToken) {
    unknownId = vocab.find(*options.unknownToken);
    if (unknownId == noToken)
      throw Error(
          message(where, ": unk_token ", inQuotes(*options.unknownToken), " is not in the vocabulary"));
  }
  byteComplete = options.continuingPrefix.empty() && options.wordSuffix.empty();
  blanksSeparate = byteComplete && !options.ignoreMerges && vocab.find(blankSymbol) != noToken;
  for (const auto &[left, right] : pairs)
    blanksSeparate = blanksSeparate && nextBlankRun(left + right, 0) == std::string_view::npos;
  for (size_t byte = 0; byte < 256; ++byte) {
    byteIds[byte] = vocab.find(ByteAlphabet::get().encoded[byte]);
    byteComplete &= byteIds[byte] != noToken;
  }
}

std::unique_ptr<WordCache> BpeModel::makeCache() const { return std::make_unique<BpeCache>(); }

//===----------------------------------------------------------------------===//
// Merging
//===----------------------------------------------------------------------===//

const BpeModel::Merge *BpeModel::findMerge(TokenId left, TokenId right) const {
  uint64_t pair = static_cast<uint64_t>(left) << 32 | static_cast<uint32_t>(right);
  for (size_t i = hashPair(pair) & (merges.size() - 1);; i = (i + 1) & (merges.size() - 1)) {
    if (merges[i].pair == pair)
      return &merges[i];
    if (merges[i].pair == noPair)
      return nullptr;
  }
}

void BpeModel::mergeAll(std::vector<Symbol> &symbols) const {
  // Up to here the quadratic scan beats the heap: it touches one cache line after the other.
  if (symbols.size() <= 32)
    mergeShort(symbols);
  else
    mergeLong(symbols);
}

void BpeModel::mergeShort(std::vector<Symbol> &symbols) const {
  size_t n = symbols.size();
  const Merge *pairs[32];
  for (size_t i = 0; i + 1 < n; ++i)
    pairs[i] = findMerge(symbols[i].id, symbols[i + 1].id);
  while (n > 1) {
    size_t best = n;
    uint32_t bestRank = UINT32_MAX;
    for (size_t i = 0; i + 1 < n; ++i)
      if (pairs[i] && pairs[i]->rank < bestRank) {
        bestRank = pairs[i]->rank;
        best = i;
      }
    if (best == n)
      break;
    symbols[best].id = pairs[best]->result;
    symbols[best].length += symbols[best + 1].length;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    --n;
    for (size_t i = best + 1; i + 1 < n; ++i)
      pairs[i] = pairs[i + 1];
    if (best + 1 < n)
      pairs[best] = findMerge(symbols[best].id, symbols[best + 1].id);
    if (best > 0)
      pairs[best - 1] = findMerge(symbols[best - 1].id, symbols[best].id);
  }
}

void BpeModel::mergeLong(std::vector<Symbol> &symbols) const {
  constexpr uint32_t noRank = UINT32_MAX;
  auto n = static_cast<uint32_t>(symbols.size());
  // What each symbol and its right neighbour merge to. An entry of the heap, rank above position, is stale if
  // the rank there is another one by now: symbols only grow, so no pair comes back.
  struct Pair {
    uint32_t rank;
    TokenId result;
  };
  std::vector<Pair> pairs(n, Pair{noRank, noToken});
  auto pairUp = [&](int32_t left, int32_t right) {
    const Merge *merge = right < 0 ? nullptr : findMerge(symbols[left].id, symbols[right].id);
    pairs[left] = merge ? Pair{merge->rank, merge->result} : Pair{noRank, noToken};
    return merge != nullptr;
  };
  auto entry = [&](int32_t left) {
    return static_cast<uint64_t>(pairs[left].rank) << 32 | static_cast<uint32_t>(left);
  };
  std::vector<uint64_t> heap;
  heap.reserve(n);
  for (uint32_t i = 0; i < n; ++i) {
    symbols[i].previous = static_cast<int32_t>(i) - 1;
    symbols[i].next = i + 1 < n ? static_cast<int32_t>(i) + 1 : -1;
    if (pairUp(static_cast<int32_t>(i), symbols[i].next))
      heap.push_back(entry(static_cast<int32_t>(i)));
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  auto push = [&](int32_t left, int32_t right) {
    if (!pairUp(left, right))
      return;
    heap.push_back(entry(left));
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  std::vector<bool> gone(n, false);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    uint64_t top = heap.back();
    heap.pop_back();
    auto position = static_cast<int32_t>(top & UINT32_MAX);
    Symbol &left = symbols[position];
    if (pairs[position].rank != top >> 32)
      continue;
    Symbol &right = symbols[left.next];
    gone[left.next] = true;
    pairs[left.next].rank = noRank;
    left.id = pairs[position].result;
    left.length += right.length;
    left.next = right.next;
    if (left.next >= 0)
      symbols[left.next].previous = position;
    if (left.previous >= 0)
      push(left.previous, position);
    push(position, left.next);
  }
  size_t kept = 0;
  for (uint32_t i = 0; i < n; ++i)
    if (!gone[i])
      symbols[kept++] = symbols[i];
  symbols.resize(kept);
}

//===----------------------------------------------------------------------===//
// Tokenizing
//===----------------------------------------------------------------------===//

void BpeModel::splitIntoSymbols(std::string_view word, std::vector<Symbol> &symbols) const {
  auto add = [&](TokenId id, uint32_t length) { symbols.push_back({id, length, 0, 0}); };
  uint32_t unknownLength = 0; // Of the unknown characters that are not added yet.
  bool decorated = !options.continuingPrefix.empty() || !options.wordSuffix.empty();
  std::string spelled;
  unicode::forEach(word, [&](char32_t, uint32_t at, uint32_t length) {
    std::string_view character = word.substr(at, length);
    if (decorated) {
      spelled.clear();
      if (at > 0)
        spelled += options.continuingPrefix;
      spelled += character;
      if (at + length == word.size())
        spelled += options.wordSuffix;
      character = spelled;
    }
    TokenId id = vocab.find(character);
    if (id != noToken) {
      if (unknownLength > 0)
        add(unknownId, unknownLength);
      unknownLength = 0;
      add(id, length);
      return;
    }
    if (options.byteFallback) {
      size_t before = symbols.size();
      bool all = true;
      for (char byte : character) {
        TokenId byteId = vocab.find(byteToken(static_cast<unsigned char>(byte)));
        all &= byteId != noToken;
        add(byteId, 1);
      }
      if (all)
        return;
      symbols.resize(before);
    }
    if (unknownId == noToken) // Without an unknown token such characters vanish.
      return;
    if (unknownLength > 0 && !options.fuseUnknown) {
      add(unknownId, unknownLength);
      unknownLength = 0;
    }
    unknownLength += length;
  });
  if (unknownLength > 0)
    add(unknownId, unknownLength);
}

/// Appends `symbols` as tokens.
template <typename Symbols> static void appendTokens(const Symbols &symbols, std::vector<Token> &tokens) {
  uint32_t at = 0;
  for (const auto &symbol : symbols) {
    tokens.push_back({symbol.id, at, at + symbol.length});
    at += symbol.length;
  }
}

void BpeModel::tokenize(std::string_view word, std::vector<Token> &tokens, WordCache *cache) const {
  if (!blanksSeparate)
    return tokenizePart(word, tokens, cache);
  // A model without a pre-tokenizer gets the text as a whole. As no token goes from a letter to a blank
  // symbol, the parts that start with one cannot influence each other, and most of them are in the cache.
  for (size_t from = 0; from < word.size();) {
    size_t to = std::min(nextBlankRun(word, from), word.size()), before = tokens.size();
    tokenizePart(word.substr(from, to - from), tokens, cache);
    for (size_t i = before; i < tokens.size(); ++i) {
      tokens[i].begin += static_cast<uint32_t>(from);
      tokens[i].end += static_cast<uint32_t>(from);
    }
    from = to;
  }
}

void BpeModel::tokenizePart(std::string_view word, std::vector<Token> &tokens, WordCache *cache) const {
  if (options.ignoreMerges) {
    TokenId id = vocab.find(word);
    if (id != noToken) {
      tokens.push_back({id, 0, static_cast<uint32_t>(word.size())});
      return;
    }
  }
  auto *words = word.size() <= BpeCache::maxWordBytes ? static_cast<BpeCache *>(cache) : nullptr;
  uint64_t hash = 0;
  if (words) {
    uint32_t count;
    hash = BpeCache::hash(word);
    if (const Token *known = words->find(word, hash, count)) {
      tokens.insert(tokens.end(), known, known + count);
      return;
    }
  }
  std::vector<Symbol> symbols;
  splitIntoSymbols(word, symbols);
  mergeAll(symbols);
  size_t before = tokens.size();
  appendTokens(symbols, tokens);
  if (words)
    words->add(word, hash, tokens.data() + before, tokens.size() - before);
}

void BpeModel::tokenizeBytes(std::string_view word, std::vector<Token> &tokens, WordCache *cache) const {
  auto *words = word.size() <= BpeCache::maxWordBytes ? static_cast<BpeCache *>(cache) : nullptr;
  uint64_t hash = 0;
  if (words) {
    uint32_t count;
    hash = BpeCache::hash(word);
    if (const Token *known = words->find(word, hash, count)) {
      tokens.insert(tokens.end(), known, known + count);
      return;
    }
  }
  size_t before = tokens.size();
  TokenId whole = noToken;
  if (options.ignoreMerges) {
    std::string mapped;
    for (char byte : word)
      mapped += ByteAlphabet::get().encoded[static_cast<unsigned char>(byte)];
    whole = vocab.find(mapped);
  }
  if (whole != noToken) {
    tokens.push_back({whole, 0, static_cast<uint32_t>(word.size())});
  } else {
    std::vector<Symbol> symbols;
    symbols.reserve(word.size());
    for (char byte : word)
      symbols.push_back({byteIds[static_cast<unsigned char>(byte)], 1, 0, 0});
    mergeAll(symbols);
    appendTokens(symbols, tokens);
  }
  if (words)
    words->add(word, hash, tokens.data() + before, tokens.size() - before);
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

Vocabulary sesame::readVocabulary(const JsonView &json) {
  if (!json.raw().is_object())
    json.fail("expected an object of tokens and ids, found ", json.raw().type_name());
  Vocabulary vocabulary;
  for (const auto &[token, id] : json.raw().items())
    vocabulary.add(token, JsonView(id, json.name() + " " + inQuotes(token)).tokenId());
  return vocabulary;
}

std::vector<std::pair<std::string, std::string>> sesame::readMerges(std::string_view text,
                                                                    const std::string &where, bool counted) {
  std::vector<std::pair<std::string, std::string>> merges;
  for (size_t line = 1; !text.empty(); ++line) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!row.empty() && row.back() == '\r')
      row.remove_suffix(1);
    if (row.empty() || row.substr(0, 8) == "#version")
      continue;
    size_t blank = row.find(' ');
    if (counted && blank != std::string_view::npos)
      row = row.substr(0, row.find(' ', blank + 1));
    if (blank == std::string_view::npos || row.find(' ', blank + 1) != std::string_view::npos)
      throw Error(message(where, ": line ", line, ": expected two tokens and one space between them"));
    merges.emplace_back(row.substr(0, blank), row.substr(blank + 1));
  }
  return merges;
}
