//===- TokenizerFiles.h - What the files around a vocabulary say -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_TOKENIZERFILES_H
#define SESAME_TOKENIZER_TOKENIZERFILES_H

#include "TokenizerImpl.h"

#include <map>
#include <set>

namespace sesame {

/// What the small JSON files of a checkpoint say about its tokenizer.
class TokenizerDirectory {
public:
  explicit TokenizerDirectory(const std::string &directory);

  std::string file(const std::string &name) const { return path + "/" + name; }
  bool has(const std::string &name) const;

  /// The class of the tokenizer without "Tokenizer" and "Fast", such as "GPT2"; empty if unknown.
  const std::string &tokenizerClass() const { return kind; }
  bool isOneOf(std::initializer_list<const char *> kinds) const;

  bool flag(const char *key, bool otherwise) const;
  /// Null where tokenizer_config.json lacks the key.
  const nlohmann::json &value(const char *key) const;

  /// The tokens with a role, by role. tokenizer_config.json goes before special_tokens_map.json.
  std::map<std::string, nlohmann::json> roles() const;

  /// The token that `role` names in the files, else `usual`.
  std::string tokenOf(const char *role, const char *usual) const;

  nlohmann::json config = nlohmann::json::object(), specialMap = nlohmann::json::object(),
                 addedMap = nlohmann::json::object();

private:
  void read(const char *name, nlohmann::json &target) const;

  std::string path, kind;
};

/// Collects added tokens and gives ids to those that the vocabulary lacks, in the order of the reference:
/// explicit ids first, then the next free ones.
class AddedTokens {
public:
  explicit AddedTokens(const Vocabulary &vocabulary);

  /// `id` is noToken for "as the vocabulary says, else the next free one".
  void add(AddedToken token, TokenId id = noToken);

  /// All that the files of `directory` name. Roles that only the class implies count if the vocabulary has
  /// the token.
  void addFrom(const TokenizerDirectory &directory, const std::map<std::string, std::string> &impliedRoles);

  nlohmann::json toJson() const;

  /// The token of a role and its id, ["</s>", 2], or an Error.
  nlohmann::json named(const std::string &role, const std::string &where) const;
  TokenId idOf(const std::string &content) const;

  std::vector<AddedToken> tokens;
  std::map<std::string, std::string> roles;

private:
  const Vocabulary &vocabulary;
  TokenId next = 0;
  std::set<std::string> seen;
};

/// "single" and "pair" of a TemplateProcessing from a compact form: "A" and "B" are the texts, all else a
/// role, each with an optional ":type".
nlohmann::json makeTemplate(const std::string &single, const std::string &pair, const AddedTokens &added,
                            const std::string &where);

/// The lines of a text file without their ends. Throws Error unless it is UTF-8.
std::vector<std::string> readLines(const std::string &path);

/// The first word of each line. Throws Error that expects a `what` where a line has none.
std::vector<std::string> readFirstWords(const std::string &path, const char *what);

/// Tokens by line, as vocab.txt lists them.
Vocabulary readVocabularyLines(const std::string &path);

/// A tokenizer from the vocabulary files of a class whose words are cut by rules that tokenizer.json cannot
/// say: CTRL, XLM, Flaubert, FSMT, BlenderbotSmall, ProphetNet, Phobert, Bertweet, TransfoXL. Nothing for
/// other classes.
std::optional<Tokenizer> fromWordFiles(const TokenizerDirectory &directory);

/// The tokenizer of an FSMT's results.
Tokenizer fsmtTargetFromFiles(const TokenizerDirectory &directory);

} // namespace sesame

#endif // SESAME_TOKENIZER_TOKENIZERFILES_H
