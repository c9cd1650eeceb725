//===- Models.cpp - WordPiece, Unigram and WordLevel ----------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Models.h"
#include "BpeModel.h"
#include "JsonView.h"
#include "TextTools.h"
#include "support/DType.h"
#include "support/Error.h"

#include <algorithm>
#include <cmath>

using namespace sesame;

//===----------------------------------------------------------------------===//
// WordPiece
//===----------------------------------------------------------------------===//

WordPieceModel::WordPieceModel(Vocabulary vocabulary, std::string unknownToken, std::string continuingPrefix,
                               uint32_t maxCharactersPerWord, const std::string &where)
    : hasPrefix(!continuingPrefix.empty()), maxCharacters(maxCharactersPerWord) {
  vocab = std::move(vocabulary);
  for (const auto &[token, id] : vocab.entries())
    if (!token.empty())
      trie.insert(token, id);
  continuingNode = trie.walk(continuingPrefix);
  unknownId = vocab.find(unknownToken);
  if (unknownId == noToken)
    throw Error(message(where, ": unk_token ", inQuotes(unknownToken), " is not in the vocabulary"));
}

void WordPieceModel::tokenize(std::string_view word, std::vector<Token> &tokens, WordCache *) const {
  size_t before = tokens.size();
  bool known = unicode::count(word) <= maxCharacters;
  for (uint32_t at = 0; known && at < word.size();) {
    // With no token that starts with the prefix, only the first piece of a word can be known.
    bool searchable = at == 0 || !hasPrefix || continuingNode != 0;
    ByteTrie::Match match{0, ByteTrie::none};
    if (searchable)
      match = trie.longestPrefix(word.substr(at), at > 0 ? continuingNode : 0);
    known = match.value != ByteTrie::none && match.length > 0;
    if (known)
      tokens.push_back({match.value, at, at + match.length});
    at += match.length;
  }
  if (known)
    return;
  // One unknown piece makes the whole word unknown.
  tokens.resize(before, Token{});
  tokens.push_back({unknownId, 0, static_cast<uint32_t>(word.size())});
}

//===----------------------------------------------------------------------===//
// Unigram
//===----------------------------------------------------------------------===//

UnigramModel::UnigramModel(const std::vector<std::pair<std::string, double>> &pieces, TokenId unknownId,
                           bool byteFallback, const std::string &where)
    : unknownId(unknownId), byteFallback(byteFallback), where(where) {
  double lowest = std::numeric_limits<double>::infinity();
  for (size_t id = 0; id < pieces.size(); ++id) {
    const auto &[piece, score] = pieces[id];
    // Of equal pieces the first one counts.
    vocab.add(piece, static_cast<TokenId>(id));
    scores.push_back(score);
    lowest = std::min(lowest, score);
    if (!piece.empty())
      trie.insert(piece, static_cast<int32_t>(id));
  }
  unknownScore = lowest - 10.0; // kUnkPenalty of SentencePiece.
  if (unknownId != noToken && static_cast<size_t>(unknownId) >= pieces.size())
    throw Error(
        message(where, ": unk_id ", unknownId, " is not below the vocabulary's size ", pieces.size()));
  for (size_t byte = 0; byte < 256; ++byte)
    byteIds[byte] = vocab.find(byteToken(static_cast<unsigned char>(byte)));
}

void UnigramModel::tokenize(std::string_view word, std::vector<Token> &tokens, WordCache *) const {
  struct Node {
    double score = 0;
    uint32_t from = UINT32_MAX; ///< Where the best path's last piece starts; UINT32_MAX: not reached.
    TokenId id = noToken;
  };
  auto size = static_cast<uint32_t>(word.size());
  std::vector<Node> best(size + 1);
  auto offer = [&](uint32_t to, double score, uint32_t from, TokenId id) {
    if (best[to].from == UINT32_MAX || score > best[to].score)
      best[to] = {score, from, id};
  };
  for (uint32_t at = 0, length; at < size; at += length) {
    length = unicode::sequenceLength(static_cast<unsigned char>(word[at]));
    bool single = false; // Some piece is just this character.
    uint32_t node = 0;
    for (uint32_t i = at; i < size; ++i) {
      node = trie.step(node, static_cast<unsigned char>(word[i]));
      if (node == 0)
        break;
      TokenId id = trie.value(node);
      if (id == ByteTrie::none)
        continue;
      offer(i + 1, best[at].score + scores[id], at, id);
      single |= i + 1 - at == length;
    }
    if (single)
      continue;
    if (unknownId == noToken)
      throw Error(message(where, ": the text has a character that no token covers, and there is no unk_id"));
    offer(at + length, best[at].score + unknownScore, at, unknownId);
  }

  size_t before = tokens.size();
  for (uint32_t to = size; to > 0; to = best[to].from)
    tokens.push_back({best[to].id, best[to].from, to});
  std::reverse(tokens.begin() + static_cast<std::ptrdiff_t>(before), tokens.end());

  // Join runs of unknown characters, then spell each as bytes if there are tokens for all of them.
  std::vector<Token> path(tokens.begin() + static_cast<std::ptrdiff_t>(before), tokens.end());
  tokens.resize(before, Token{});
  for (size_t i = 0; i < path.size(); ++i) {
    Token token = path[i];
    if (token.id != unknownId) {
      tokens.push_back(token);
      continue;
    }
    while (i + 1 < path.size() && path[i + 1].id == unknownId)
      token.end = path[++i].end;
    std::string_view covered = word.substr(token.begin, token.end - token.begin);
    TokenId named = vocab.find(covered); // A joined run may happen to be a token.
    if (named != noToken) {
      token.id = named;
      tokens.push_back(token);
      continue;
    }
    bool spell = byteFallback;
    for (char byte : covered)
      spell = spell && byteIds[static_cast<unsigned char>(byte)] != noToken;
    if (spell) {
      for (char byte : covered)
        tokens.push_back({byteIds[static_cast<unsigned char>(byte)], token.begin, token.end});
      continue;
    }
    token.surface = true;
    tokens.push_back(token);
  }
}

//===----------------------------------------------------------------------===//
// WordLevel
//===----------------------------------------------------------------------===//

WordLevelModel::WordLevelModel(Vocabulary vocabulary, const std::string &unknownToken,
                               const std::string &where)
    : where(where) {
  vocab = std::move(vocabulary);
  unknownId = vocab.find(unknownToken);
}

void WordLevelModel::tokenize(std::string_view word, std::vector<Token> &tokens, WordCache *) const {
  TokenId id = vocab.find(word);
  if (id == noToken)
    id = unknownId;
  if (id == noToken)
    throw Error(message(where, ": the word ", inQuotes(word),
                        " is not in the vocabulary, and neither is the unknown token"));
  tokens.push_back({id, 0, static_cast<uint32_t>(word.size())});
}

//===----------------------------------------------------------------------===//
// From tokenizer.json
//===----------------------------------------------------------------------===//

static std::unique_ptr<Model> makeBpe(const JsonView &json) {
  BpeModel::Options options;
  if (json.has("unk_token"))
    options.unknownToken = json.string("unk_token");
  options.continuingPrefix = json.string("continuing_subword_prefix", "");
  options.wordSuffix = json.string("end_of_word_suffix", "");
  options.fuseUnknown = json.boolean("fuse_unk", false);
  options.byteFallback = json.boolean("byte_fallback", false);
  options.ignoreMerges = json.boolean("ignore_merges", false);
  Vocabulary vocabulary = readVocabulary(json.at("vocab"));
  std::vector<std::pair<std::string, std::string>> merges;
  json.at("merges").forEach([&](const JsonView &element) {
    if (element.raw().is_string()) { // The older form, "left right".
      const std::string &row = element.string();
      auto pairs = readMerges(row, element.name());
      if (pairs.size() > 1)
        element.fail("expected one merge, found ", pairs.size());
      if (!pairs.empty())
        merges.push_back(std::move(pairs.front()));
      return;
    }
    const nlohmann::json &pair = element.raw();
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string())
      element.fail("expected two strings");
    merges.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
  });
  return std::make_unique<BpeModel>(std::move(vocabulary), merges, std::move(options), json.name());
}

static std::unique_ptr<Model> makeUnigram(const JsonView &json) {
  std::vector<std::pair<std::string, double>> pieces;
  json.at("vocab").forEach([&](const JsonView &element) {
    const nlohmann::json &pair = element.raw();
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_number())
      element.fail("expected a token and its score");
    double score = pair[1].get<double>();
    if (!std::isfinite(score))
      element.fail("the score is not finite");
    pieces.emplace_back(pair[0].get<std::string>(), score);
  });
  if (pieces.size() >= static_cast<size_t>(INT32_MAX))
    json.fail("too many tokens: ", pieces.size());
  TokenId unknownId = json.has("unk_id") ? json.at("unk_id").tokenId() : noToken;
  return std::make_unique<UnigramModel>(pieces, unknownId, json.boolean("byte_fallback", false), json.name());
}

std::unique_ptr<Model> sesame::makeModel(const JsonView &json) {
  // Files written before the field existed are told apart by what they hold.
  std::string type = json.has("type")                       ? json.string("type")
                     : json.has("merges")                   ? "BPE"
                     : json.has("unk_id")                   ? "Unigram"
                     : json.has("max_input_chars_per_word") ? "WordPiece"
                                                            : "WordLevel";
  JsonView part(json.raw(), json.name() + " " + inQuotes(type));
  if (type == "BPE")
    return makeBpe(part);
  if (type == "WordPiece") {
    int64_t limit = part.has("max_input_chars_per_word")
                        ? part.at("max_input_chars_per_word").integer(0, UINT32_MAX)
                        : 100;
    return std::make_unique<WordPieceModel>(
        readVocabulary(part.at("vocab")), part.string("unk_token", "[UNK]"),
        part.string("continuing_subword_prefix", "##"), static_cast<uint32_t>(limit), part.name());
  }
  if (type == "Unigram")
    return makeUnigram(part);
  if (type == "WordLevel")
    return std::make_unique<WordLevelModel>(readVocabulary(part.at("vocab")),
                                            part.string("unk_token", "<unk>"), part.name());
  part.fail("unknown type, supported: BPE, Unigram, WordLevel, WordPiece");
}
