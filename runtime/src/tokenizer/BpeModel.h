//===- BpeModel.h - Byte pair encoding ------------------------ -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_BPEMODEL_H
#define SESAME_TOKENIZER_BPEMODEL_H

#include "Parts.h"

#include <array>

namespace sesame {

/// Byte pair encoding (Sennrich et al. 2016) with ranked merges: the pair of lowest rank, leftmost first, is
/// merged until none is left.
class BpeModel : public Model {
public:
  struct Options {
    std::optional<std::string> unknownToken;
    std::string continuingPrefix; ///< Before each symbol but the first of a word.
    std::string wordSuffix;       ///< After the last symbol of a word.
    bool fuseUnknown = false;     ///< Consecutive unknown characters become one token.
    bool byteFallback = false;    ///< Unknown characters become tokens <0x00> to <0xFF>.
    bool ignoreMerges = false;    ///< A word that is a token is not taken apart.
  };

  BpeModel(Vocabulary vocabulary, const std::vector<std::pair<std::string, std::string>> &merges,
           Options options, const std::string &where);

  void tokenize(std::string_view word, std::vector<Token> &tokens, WordCache *cache) const override;
  std::unique_ptr<WordCache> makeCache() const override;

  /// True if every byte is a token of GPT-2's byte alphabet and nothing else decides about symbols, so that
  /// tokenizeBytes() may be used.
  bool isByteComplete() const { return byteComplete; }

  /// As tokenize(), for a word that is given as raw bytes instead of their characters in the byte alphabet;
  /// the tokens' ranges are in raw bytes too. `cache` must serve this function alone.
  void tokenizeBytes(std::string_view word, std::vector<Token> &tokens, WordCache *cache) const;

private:
  /// Symbols while they merge: a doubly linked list in an array.
  struct Symbol {
    TokenId id;
    uint32_t
        length; ///< In bytes of the word; symbols that were merged into their left neighbour are unlinked.
    int32_t previous, next;
  };
  struct Merge {
    uint64_t pair; ///< Left id in the upper half; `noPair` in an empty slot.
    uint32_t rank;
    TokenId result;
  };
  static constexpr uint64_t noPair = ~0ull;

  const Merge *findMerge(TokenId left, TokenId right) const;
  void mergeAll(std::vector<Symbol> &symbols) const;
  void mergeShort(std::vector<Symbol> &symbols) const;
  void mergeLong(std::vector<Symbol> &symbols) const;
  void splitIntoSymbols(std::string_view word, std::vector<Symbol> &symbols) const;
  void tokenizePart(std::string_view word, std::vector<Token> &tokens, WordCache *cache) const;

  Options options;
  std::vector<Merge> merges; ///< Open addressing, a power of two of slots.
  std::array<TokenId, 256> byteIds;
  bool byteComplete = false;
  bool blanksSeparate = false; ///< No merge reaches across the start of a run of U+2581.
  TokenId unknownId = noToken;
};

/// Reads `vocab.json`'s form, an object of token and id.
Vocabulary readVocabulary(const JsonView &json);

/// Splits the lines of `merges.txt` ("left right", after an optional "#version" line). With `counted`, a
/// number may follow.
std::vector<std::pair<std::string, std::string>> readMerges(std::string_view text, const std::string &where,
                                                            bool counted = false);

} // namespace sesame

#endif // SESAME_TOKENIZER_BPEMODEL_H
