//===- Tokenizer.h - Text to token ids and back --------------- -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_TOKENIZER_H
#define SESAME_TOKENIZER_TOKENIZER_H

#include "Encoding.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sesame {

/// A tokenizer as a checkpoint directory describes it. It executes `tokenizer.json` (the schema of the
/// `tokenizers` library) as it stands, and reads the older forms: vocab.json with merges.txt, vocab.txt,
/// SentencePiece models.
///
/// All errors are sesame::Error. A tokenizer does not change once it is made: any number of threads may use
/// one.
class Tokenizer {
public:
  /// Reads the best description in `directory`: tokenizer.json, else vocab.json and merges.txt, else
  /// vocab.txt, else a SentencePiece model. tokenizer_config.json, special_tokens_map.json, added_tokens.json
  /// and config.json add what the older forms leave open. docs/tokenizers.md has the rules.
  static Tokenizer fromDirectory(const std::string &directory);

  /// What the results of a translator are read with where they have a vocabulary of their own (Marian's
  /// `separate_vocabs`); nothing where fromDirectory() reads both sides.
  static std::optional<Tokenizer> targetFromDirectory(const std::string &directory);

  /// Reads a tokenizer.json. Its `truncation` and `padding` sections are ignored: the caller knows its
  /// lengths.
  static Tokenizer fromFile(const std::string &path);

  /// As fromFile(), for a document in memory; `name` is used in messages.
  static Tokenizer fromJson(std::string_view document, const std::string &name);

  /// Reads a SentencePiece model and behaves as the SentencePiece library does: no special token is found in
  /// text, and none is added.
  static Tokenizer fromSentencePiece(const std::string &path);

  Tokenizer(Tokenizer &&) noexcept;
  Tokenizer &operator=(Tokenizer &&) noexcept;
  ~Tokenizer();

  /// Encodes one text, or a pair. Throws if a text is not UTF-8 (the message names the byte) or holds 2^31
  /// bytes or more.
  Encoding encode(std::string_view text, bool addSpecialTokens = true) const;
  Encoding encode(std::string_view first, std::string_view second, bool addSpecialTokens = true) const;

  /// The ids of encode() alone, in less time.
  std::vector<TokenId> encodeIds(std::string_view text, bool addSpecialTokens = true) const;

  /// The text of `ids`. Ids that have no token are passed over (models pad their vocabulary); with
  /// `skipSpecial` so are special tokens.
  std::string decode(const std::vector<TokenId> &ids, bool skipSpecial = true) const;

  std::optional<TokenId> tokenToId(std::string_view token) const;
  std::optional<std::string> idToToken(TokenId id) const;
  /// True for the tokens that decode() can leave out.
  bool isSpecial(TokenId id) const;
  /// Number of different tokens, added ones included.
  size_t vocabSize() const;

  /// The token that plays `role`, one of bos_token, eos_token, unk_token, sep_token, pad_token, cls_token,
  /// mask_token, as tokenizer_config.json or special_tokens_map.json say. Only fromDirectory() knows roles.
  std::optional<TokenId> roleId(const std::string &role) const;

  struct Impl; ///< TokenizerImpl.h

private:
  friend class TokenizerBuilder;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

/// Turns ids into text while they are generated. The pieces joined are what decode() gives for all ids; none
/// ends inside a character, and none is taken back later.
class IncrementalDecoder {
public:
  explicit IncrementalDecoder(const Tokenizer &tokenizer, bool skipSpecial = true)
      : tokenizer(tokenizer), skipSpecial(skipSpecial) {}

  /// The text that `id` makes certain; often empty inside a multi-byte character.
  std::string push(TokenId id);

  /// What is left at the end of the sequence: U+FFFD for the bytes of an unfinished character.
  std::string finish();

private:
  const Tokenizer &tokenizer;
  bool skipSpecial;
  std::vector<TokenId> window; ///< The last ids: those whose text is out, for context, then the pending ones.
  size_t emitted = 0;          ///< How many ids of the window are out.
  std::string context;         ///< The text of those.
};

} // namespace sesame

#endif // SESAME_TOKENIZER_TOKENIZER_H
