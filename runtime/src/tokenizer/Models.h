//===- Models.h - WordPiece, Unigram and WordLevel ------------ -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_MODELS_H
#define SESAME_TOKENIZER_MODELS_H

#include "ByteTrie.h"
#include "Parts.h"

namespace sesame {

/// WordPiece (Schuster and Nakajima 2012, as in BERT): the longest token first, from left to right.
class WordPieceModel : public Model {
public:
  WordPieceModel(Vocabulary vocabulary, std::string unknownToken, std::string continuingPrefix,
                 uint32_t maxCharactersPerWord, const std::string &where);
  void tokenize(std::string_view word, std::vector<Token> &tokens, WordCache *cache) const override;

private:
  ByteTrie trie;
  uint32_t continuingNode; ///< Where `continuingPrefix` leads to in the trie; 0 if no token starts with it.
  bool hasPrefix;
  uint32_t maxCharacters;
  TokenId unknownId;
};

/// The unigram language model (Kudo 2018): the segmentation with the highest sum of scores, found by Viterbi.
class UnigramModel : public Model {
public:
  /// `pieces` lists token and score by id. `unknownId` may be noToken; then unknown characters are an error.
  UnigramModel(const std::vector<std::pair<std::string, double>> &pieces, TokenId unknownId,
               bool byteFallback, const std::string &where);
  void tokenize(std::string_view word, std::vector<Token> &tokens, WordCache *cache) const override;

private:
  ByteTrie trie;
  std::vector<double> scores;
  double unknownScore;
  TokenId unknownId;
  bool byteFallback;
  std::array<TokenId, 256> byteIds;
  std::string where;
};

/// Every word is a token or unknown.
class WordLevelModel : public Model {
public:
  WordLevelModel(Vocabulary vocabulary, const std::string &unknownToken, const std::string &where);
  void tokenize(std::string_view word, std::vector<Token> &tokens, WordCache *cache) const override;

private:
  TokenId unknownId;
  std::string where;
};

} // namespace sesame

#endif // SESAME_TOKENIZER_MODELS_H
