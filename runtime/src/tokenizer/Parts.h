//===- Parts.h - The exchangeable parts of a tokenizer -------- -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_PARTS_H
#define SESAME_TOKENIZER_PARTS_H

#include "NormalizedString.h"
#include "Vocabulary.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sesame {

class JsonView;
struct Encoding;

/// Rewrites a piece of text.
class Normalizer {
public:
  virtual ~Normalizer() = default;
  virtual void normalize(NormalizedString &text) const = 0;
  /// True if an ASCII text is certain to come out as it went in.
  virtual bool keepsAscii() const { return false; }
};

class Splitter;

/// A pre-tokenizer in the form that needs no rewriting: cut the bytes, then look words up by their bytes.
/// This is what byte-level BPE comes down to, whose mapping of bytes to characters changes nothing but the
/// spelling of tokens.
struct ByteLevelPlan {
  std::vector<const Splitter *> splitters;
  bool addPrefixSpace = false;
  bool complete = false; ///< The mapping to byte-level characters is in the plan.
};

/// Cuts a piece of text into smaller ones.
class PreTokenizer {
public:
  virtual ~PreTokenizer() = default;
  /// Replaces `pieces`, none of which is empty, by their parts.
  virtual void split(std::vector<NormalizedString> &pieces) const = 0;
  /// Adds this step to `plan`; false if it has no place there.
  virtual bool addTo(ByteLevelPlan &plan) const { return false; }
};

/// A pre-tokenizer that changes no character: it only says where to cut.
class Splitter : public PreTokenizer {
public:
  /// Appends the parts to keep, in order and none of them empty.
  virtual void cut(std::string_view text, std::vector<ByteSpan> &parts) const = 0;
  void split(std::vector<NormalizedString> &pieces) const override;
  bool addTo(ByteLevelPlan &plan) const override;
};

/// One token that a model found in a word: bytes [begin, end) of the word's text.
struct Token {
  TokenId id;
  uint32_t begin, end;
  bool surface = false; ///< The token's string is the text it covers, not that of the id (an unknown word).
};

/// A store for what a model found out about words; of one thread at a time.
class WordCache {
public:
  virtual ~WordCache() = default;
};

/// Turns a word into tokens.
class Model {
public:
  virtual ~Model() = default;
  /// Appends the tokens of `word`. `cache` comes from makeCache() of the same model, or is null.
  virtual void tokenize(std::string_view word, std::vector<Token> &tokens, WordCache *cache) const = 0;
  virtual std::unique_ptr<WordCache> makeCache() const { return nullptr; }
  const Vocabulary &vocabulary() const { return vocab; }

protected:
  Vocabulary vocab;
};

/// Adds special tokens around one or two encodings, sets type ids and trims offsets.
class PostProcessor {
public:
  virtual ~PostProcessor() = default;
  virtual void process(std::vector<Encoding> &encodings, bool addSpecialTokens) const = 0;
};

/// Turns tokens back into text: each decoder of a chain maps the list of strings, which is joined in the end.
class Decoder {
public:
  virtual ~Decoder() = default;
  virtual void decode(std::vector<std::string> &tokens) const = 0;
};

/// The makers: each takes the JSON object of the part, and refuses an unknown type by name with an Error.
std::unique_ptr<Normalizer> makeNormalizer(const JsonView &json);
std::unique_ptr<PreTokenizer> makePreTokenizer(const JsonView &json);
std::unique_ptr<Model> makeModel(const JsonView &json);
std::unique_ptr<PostProcessor> makePostProcessor(const JsonView &json);
std::unique_ptr<Decoder> makeDecoder(const JsonView &json);

/// How deep Sequences may nest. Real files have two levels; the limit keeps a hostile one off the stack's
/// end.
inline constexpr int maxNesting = 16;

} // namespace sesame

#endif // SESAME_TOKENIZER_PARTS_H
