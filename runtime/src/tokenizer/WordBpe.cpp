//===- WordBpe.cpp - Byte pair encoding whose merges may lead out of the vocabulary -===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WordBpe.h"
#include "support/DType.h"
#include "support/Error.h"

using namespace sesame;

static constexpr char endOfWord[] = "</w>", continuation[] = "@@";

static bool endsWith(const std::string &text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

WordBpeModel::WordBpeModel(Vocabulary vocabulary,
                           const std::vector<std::pair<std::string, std::string>> &merges, Spelling spelling,
                           const std::string &unknownToken, const std::string &where) {
  vocab = std::move(vocabulary);
  TokenId unknownId = vocab.find(unknownToken);
  if (unknownId == noToken)
    throw Error(message(where, ": the unknown token ", inQuotes(unknownToken), " is missing"));

  Vocabulary table;
  auto add = [&](const std::string &symbol) {
    if (!table.add(symbol, static_cast<TokenId>(tokenOf.size())))
      return;
    std::string token = symbol;
    if (spelling == Spelling::continued) {
      if (endsWith(symbol, endOfWord))
        token.resize(token.size() - std::string_view(endOfWord).size());
      else
        token += continuation;
    }
    TokenId id = vocab.find(token);
    tokenOf.push_back(id == noToken ? unknownId : id);
  };
  // What a character is that neither a token nor a merge begins with. No merge can make this symbol.
  const std::string nothing = " ";
  add(nothing);
  tokenOf.back() = unknownId;
  for (const auto &[left, right] : merges)
    for (const std::string &symbol : {left, right, left + right})
      add(symbol);
  for (const auto &[token, id] : vocab.entries()) {
    const std::string text(token);
    if (text.empty())
      continue;
    size_t length = unicode::sequenceLength(static_cast<unsigned char>(text[0]));
    const std::string first = text.substr(0, length), rest = text.substr(std::min(length, text.size()));
    const bool isContinued = spelling == Spelling::continued;
    if (rest == (isContinued ? continuation : ""))
      add(first);
    else if (rest == (isContinued ? "" : endOfWord))
      add(first + endOfWord);
  }
  BpeModel::Options options;
  options.unknownToken = nothing;
  options.wordSuffix = endOfWord;
  symbols = std::make_unique<BpeModel>(std::move(table), merges, std::move(options), where);
}

void WordBpeModel::tokenize(std::string_view word, std::vector<Token> &tokens, WordCache *cache) const {
  size_t before = tokens.size();
  symbols->tokenize(word, tokens, cache);
  for (size_t i = before; i < tokens.size(); ++i)
    tokens[i].id = tokenOf[static_cast<size_t>(tokens[i].id)];
}
