//===- TokenizerImpl.h - What a tokenizer consists of --------- -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_TOKENIZERIMPL_H
#define SESAME_TOKENIZER_TOKENIZERIMPL_H

#include "BpeModel.h"
#include "ByteTrie.h"
#include "JsonView.h"
#include "Parts.h"
#include "Tokenizer.h"

#include <mutex>
#include <unordered_map>
#include <unordered_set>

namespace sesame {

/// A token that is searched for in the text itself, before any model sees it.
struct AddedToken {
  std::string content;
  TokenId id = noToken;
  bool singleWord = false; ///< Only between characters that are not part of a word.
  bool lstrip = false;     ///< Takes the blanks before it along.
  bool rstrip = false;     ///< Takes the blanks after it along.
  bool normalized = false; ///< Is searched for in the normalized text.
  bool special = false;
};

struct Tokenizer::Impl {
  std::string name; ///< Of the file, for messages.
  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<PreTokenizer> preTokenizer;
  std::unique_ptr<Model> model;
  std::unique_ptr<PostProcessor> postProcessor;
  std::unique_ptr<Decoder> decoder;
  std::vector<AddedToken> added;
  std::unordered_map<std::string, std::string> roles; ///< bos_token and so on, and the token.

  /// Completes the tables below from the fields above.
  void finish();

  /// Appends the tokens of one text to `out`.
  void encodeText(std::string_view text, Encoding &out, bool idsOnly) const;
  /// Runs the post-processor over one or two encodings and joins them.
  Encoding postProcess(std::vector<Encoding> encodings, bool addSpecialTokens) const;

  const std::string *token(TokenId id) const;
  TokenId find(std::string_view token) const;

  /// Text tokens, by content, that decode() may leave out.
  std::unordered_set<std::string> specials;

  /// What a running encodeText() needs for itself; handed from call to call.
  struct Workspace {
    std::unique_ptr<WordCache> words, byteWords;
    std::vector<Token> tokens;
    std::vector<ByteSpan> parts, moreParts;
  };

private:
  friend class TextEncoder;
  std::unordered_map<std::string, TokenId> addedIds;
  std::unordered_map<TokenId, size_t> addedById;
  ByteTrie rawTrie, normalizedTrie; ///< Index into `added`.
  ByteLevelPlan plan;
  const BpeModel *byteModel = nullptr; ///< Set if `plan` can be used with it.
  bool onlySplits = false;             ///< The pre-tokenizer is no more than the splitters of `plan`.

  std::unique_ptr<Workspace> takeWorkspace() const;
  void giveWorkspace(std::unique_ptr<Workspace> workspace) const;
  mutable std::mutex mutex;
  mutable std::vector<std::unique_ptr<Workspace>> idle;
};

/// Makes tokenizers from their parts.
class TokenizerBuilder {
public:
  /// From a document in tokenizer.json's schema; `name` is used in messages.
  static std::unique_ptr<Tokenizer::Impl> fromDocument(const nlohmann::json &document,
                                                       const std::string &name);
  static Tokenizer wrap(std::unique_ptr<Tokenizer::Impl> impl) { return Tokenizer(std::move(impl)); }
};

} // namespace sesame

#endif // SESAME_TOKENIZER_TOKENIZERIMPL_H
