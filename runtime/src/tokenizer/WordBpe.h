//===- WordBpe.h - Byte pair encoding whose merges may lead out of the vocabulary -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_WORDBPE_H
#define SESAME_TOKENIZER_WORDBPE_H

#include "BpeModel.h"

namespace sesame {

/// Byte pair encoding with "</w>" after the last symbol of a word, as subword-nmt and fastBPE write it.
/// Symbols merge as strings: what the vocabulary lacks may still grow into a token, and becomes the unknown
/// one if not.
class WordBpeModel : public Model {
public:
  /// How the vocabulary spells symbols: with "</w>" at the end of a word, or with "@@" everywhere else.
  enum class Spelling { endOfWord, continued };

  WordBpeModel(Vocabulary vocabulary, const std::vector<std::pair<std::string, std::string>> &merges,
               Spelling spelling, const std::string &unknownToken, const std::string &where);
  void tokenize(std::string_view word, std::vector<Token> &tokens, WordCache *cache) const override;
  std::unique_ptr<WordCache> makeCache() const override { return symbols->makeCache(); }

private:
  std::unique_ptr<BpeModel> symbols;
  std::vector<TokenId> tokenOf; ///< The token of each symbol.
};

} // namespace sesame

#endif // SESAME_TOKENIZER_WORDBPE_H
