//===- WordFiles.cpp - Vocabularies whose words are cut by rules of their own -===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Models.h"
#include "TokenizerFiles.h"
#include "WordBpe.h"
#include "WordRules.h"
#include "support/Json.h"
#include "support/MappedFile.h"

using namespace sesame;
using nlohmann::json;
using Spelling = WordBpeModel::Spelling;

namespace {

/// A vocabulary file and the tokens around it.
struct WordFile {
  WordFile(const TokenizerDirectory &directory, const char *name)
      : directory(directory), path(directory.file(name)) {}

  /// Byte pair encoding with the merges of `mergesFile`. Lines may have a count in third place.
  std::unique_ptr<Model> makeBpe(Vocabulary vocabulary, const char *mergesName, Spelling spelling,
                                 const std::string &unknownToken) const {
    std::string mergesFile = directory.file(mergesName);
    return std::make_unique<WordBpeModel>(std::move(vocabulary),
                                          readMerges(readTextFile(mergesFile), mergesFile, /*counted=*/true),
                                          spelling, unknownToken, path);
  }

  /// The same, of vocab.json and merges.txt.
  std::unique_ptr<Model> readBpe(Spelling spelling, const std::string &unknownToken) const {
    return makeBpe(readJson(), "merges.txt", spelling, unknownToken);
  }

  Vocabulary readJson() const { return readVocabulary(JsonView(parseJson(path, readTextFile(path)), path)); }

  const TokenizerDirectory &directory;
  std::string path;
};

/// Completes a tokenizer of a model, a cutter and a decoder: added tokens and what frames a text.
Tokenizer assemble(std::unique_ptr<Tokenizer::Impl> impl, const WordFile &file,
                   const std::map<std::string, std::string> &implied, const std::string &single,
                   const std::string &pair) {
  impl->name = file.path;
  AddedTokens added(impl->model->vocabulary());
  added.addFrom(file.directory, implied);
  json form = makeTemplate(single, pair, added, file.path);
  impl->postProcessor = makePostProcessor(JsonView(form, file.path + ": post_processor"));
  impl->added = added.tokens;
  impl->roles.insert(added.roles.begin(), added.roles.end());
  impl->finish();
  return TokenizerBuilder::wrap(std::move(impl));
}

std::unique_ptr<Decoder> endOfWordDecoder() {
  const json form = {{"type", "Sequence"},
                     {"decoders",
                      {{{"type", "Fuse"}},
                       {{"type", "Replace"}, {"pattern", {{"String", "</w>"}}}, {"content", " "}},
                       {{"type", "Strip"}, {"content", " "}, {"start", INT32_MAX}, {"stop", INT32_MAX}}}}};
  return makeDecoder(JsonView(form, "decoder"));
}

/// XLM and Flaubert. The reference splits every text of XLM as English and of Flaubert as French.
Tokenizer fromXlm(const TokenizerDirectory &directory, bool isFlaubert) {
  WordFile file(directory, "vocab.json");
  auto impl = std::make_unique<Tokenizer::Impl>();
  impl->model = file.readBpe(Spelling::endOfWord, directory.tokenOf("unk_token", "<unk>"));
  MosesOptions options;
  options.straightenQuotes = isFlaubert;
  options.lowercase = isFlaubert && directory.flag("do_lowercase", false);
  options.stripAccents = !isFlaubert && directory.flag("do_lowercase_and_remove_accent", true);
  impl->preTokenizer = makeMosesWords(std::make_shared<Moses>(isFlaubert ? "fr" : "en", file.path), options);
  impl->decoder = endOfWordDecoder();
  std::map<std::string, std::string> implied = {{"bos_token", "<s>"},   {"sep_token", "</s>"},
                                                {"pad_token", "<pad>"}, {"cls_token", "</s>"},
                                                {"unk_token", "<unk>"}, {"mask_token", "<special1>"}};
  if (directory.value("additional_special_tokens").is_null())
    for (char digit = '0'; digit <= '9'; ++digit)
      implied.emplace(std::string("special") + digit, std::string("<special") + digit + ">");
  return assemble(std::move(impl), file, implied, "bos_token A sep_token",
                  "bos_token A sep_token B:1 sep_token:1");
}

/// The two languages that an FSMT was trained for, of which `which` is 0 or 1.
std::shared_ptr<const Moses> fsmtLanguage(const TokenizerDirectory &directory, size_t which) {
  const std::string where = directory.file("tokenizer_config.json") + ": langs";
  const json &languages = directory.value("langs");
  if (!languages.is_array() || languages.size() != 2 || !languages[0].is_string() ||
      !languages[1].is_string())
    throw Error(message(where, ": expected a list of two languages, such as [\"en\", \"de\"]"));
  return std::make_shared<Moses>(languages[which].get<std::string>(), where);
}

Tokenizer fromFsmt(const TokenizerDirectory &directory, bool isTarget) {
  WordFile file(directory, isTarget ? "vocab-tgt.json" : "vocab-src.json");
  auto impl = std::make_unique<Tokenizer::Impl>();
  impl->model = file.readBpe(Spelling::endOfWord, directory.tokenOf("unk_token", "<unk>"));
  MosesOptions options;
  options.lowercase = directory.flag("do_lower_case", false);
  options.splitHyphens = options.escapeXml = true;
  impl->preTokenizer = makeMosesWords(fsmtLanguage(directory, isTarget), options);
  impl->decoder = makeMosesJoiner(fsmtLanguage(directory, 1));
  return assemble(
      std::move(impl), file,
      {{"bos_token", "<s>"}, {"sep_token", "</s>"}, {"pad_token", "<pad>"}, {"unk_token", "<unk>"}},
      "A sep_token", "A sep_token B:1 sep_token:1");
}

Tokenizer fromCtrl(const TokenizerDirectory &directory) {
  WordFile file(directory, "vocab.json");
  auto impl = std::make_unique<Tokenizer::Impl>();
  impl->model = file.readBpe(Spelling::continued, directory.tokenOf("unk_token", "<unk>"));
  impl->preTokenizer = makeLineWords(/*separatorsAreBlank=*/false);
  impl->decoder = makeBlankJoiner("@@ ", /*cleanUp=*/false);
  return assemble(std::move(impl), file, {{"unk_token", "<unk>"}}, "A", "A B");
}

Tokenizer fromBlenderbotSmall(const TokenizerDirectory &directory) {
  WordFile file(directory, "vocab.json");
  auto impl = std::make_unique<Tokenizer::Impl>();
  impl->model = file.readBpe(Spelling::continued, directory.tokenOf("unk_token", "__unk__"));
  impl->preTokenizer = makeDialogueWords();
  impl->decoder = makeBlankJoiner("@@ ", /*cleanUp=*/false);
  return assemble(std::move(impl), file,
                  {{"bos_token", "__start__"},
                   {"eos_token", "__end__"},
                   {"unk_token", "__unk__"},
                   {"pad_token", "__null__"}},
                  "A", "A B:1");
}

Tokenizer fromProphetNet(const TokenizerDirectory &directory) {
  WordFile file(directory, "prophetnet.tokenizer");
  auto impl = std::make_unique<Tokenizer::Impl>();
  impl->model = std::make_unique<WordPieceModel>(
      readVocabularyLines(file.path), directory.tokenOf("unk_token", "[UNK]"), "##", 100, file.path);
  BasicOptions options;
  options.lowercase = directory.flag("do_lower_case", true);
  options.stripAccents = directory.flag("strip_accents", options.lowercase);
  options.separateChinese = directory.flag("tokenize_chinese_chars", true);
  impl->preTokenizer = directory.flag("do_basic_tokenize", true) ? makeBasicWords(options) : makeSpaceWords();
  impl->decoder = makeBlankJoiner(" ##", directory.flag("clean_up_tokenization_spaces", true));
  return assemble(std::move(impl), file,
                  {{"unk_token", "[UNK]"},
                   {"sep_token", "[SEP]"},
                   {"x_sep_token", "[X_SEP]"},
                   {"pad_token", "[PAD]"},
                   {"mask_token", "[MASK]"}},
                  "A sep_token", "A sep_token B:1 sep_token:1");
}

/// PhoBERT and BERTweet: fastBPE's files, "TOKEN COUNT" and "LEFT RIGHT COUNT".
Tokenizer fromFastBpe(const TokenizerDirectory &directory) {
  WordFile file(directory, "vocab.txt");
  if (directory.flag("normalization", false))
    throw Error(message(directory.file("tokenizer_config.json"),
                        ": normalization: expected false, got true, and tweets are not normalized without a "
                        "tokenizer.json"));
  Vocabulary vocabulary;
  TokenId next = 0;
  for (auto [role, usual] :
       {std::pair("bos_token", "<s>"), {"pad_token", "<pad>"}, {"eos_token", "</s>"}, {"unk_token", "<unk>"}})
    vocabulary.add(directory.tokenOf(role, usual), next++);
  const std::vector<std::string> lines = readLines(file.path);
  for (size_t i = 0; i < lines.size(); ++i) {
    std::string_view line = lines[i];
    const size_t blank = line.rfind(' ');
    if (blank == std::string_view::npos || blank == 0)
      throw Error(message(file.path, ": line ", i + 1, ": expected a token and its count"));
    if (!vocabulary.add(line.substr(0, blank), next++))
      throw Error(message(file.path, ": line ", i + 1, ": the token is there already"));
  }
  vocabulary.add(directory.tokenOf("mask_token", "<mask>"), next);
  auto impl = std::make_unique<Tokenizer::Impl>();
  impl->model = file.makeBpe(std::move(vocabulary), "bpe.codes", Spelling::continued,
                             directory.tokenOf("unk_token", "<unk>"));
  impl->preTokenizer = makeLineWords(/*separatorsAreBlank=*/true);
  impl->decoder = makeBlankJoiner("@@ ", /*cleanUp=*/false);
  return assemble(std::move(impl), file,
                  {{"bos_token", "<s>"},
                   {"pad_token", "<pad>"},
                   {"eos_token", "</s>"},
                   {"unk_token", "<unk>"},
                   {"sep_token", "</s>"},
                   {"cls_token", "<s>"},
                   {"mask_token", "<mask>"}},
                  "cls_token A sep_token", "cls_token A sep_token sep_token B sep_token");
}

/// Transformer-XL's list of words, one a line. (Its other form is a pickle.)
Tokenizer fromTransfoXl(const TokenizerDirectory &directory) {
  WordFile file(directory, "vocab.txt");
  Vocabulary vocabulary;
  for (const std::string &word : readFirstWords(file.path, "word"))
    vocabulary.add(word, static_cast<TokenId>(vocabulary.size()));
  // A word that is missing is a special token that AddedTokens puts behind the others.
  const char *unknown = vocabulary.find("<UNK>") != noToken ? "<UNK>" : "<unk>";
  TokenId next = static_cast<TokenId>(vocabulary.size());
  for (const std::string &token : {directory.tokenOf("eos_token", "<eos>"), std::string("<formula>")})
    if (vocabulary.add(token, next))
      ++next;
  auto impl = std::make_unique<Tokenizer::Impl>();
  impl->model = std::make_unique<WordLevelModel>(std::move(vocabulary), unknown, file.path);
  const json &language = directory.value("language");
  auto moses = std::make_shared<Moses>(
      language.is_null()
          ? "en"
          : JsonView(language, directory.file("tokenizer_config.json") + ": language").string(),
      directory.file("tokenizer_config.json") + ": language");
  MosesOptions options;
  options.lowercase = directory.flag("lower_case", false);
  options.splitHyphens = options.splitNumbers = true;
  options.onlyPunctuation = true;
  impl->preTokenizer = makeMosesWords(moses, options);
  impl->decoder = makeNumberJoiner(moses);
  return assemble(std::move(impl), file,
                  {{"unk_token", unknown}, {"eos_token", "<eos>"}, {"formula_token", "<formula>"}}, "A",
                  "A B");
}

} // namespace

std::optional<Tokenizer> sesame::fromWordFiles(const TokenizerDirectory &directory) {
  const bool isPair = directory.has("vocab.json") && directory.has("merges.txt");
  if (isPair && directory.isOneOf({"XLM", "Flaubert"}))
    return fromXlm(directory, directory.isOneOf({"Flaubert"}));
  if (isPair && directory.isOneOf({"CTRL"}))
    return fromCtrl(directory);
  if (isPair && directory.isOneOf({"BlenderbotSmall"}))
    return fromBlenderbotSmall(directory);
  if (directory.isOneOf({"FSMT"}) && directory.has("vocab-src.json"))
    return fromFsmt(directory, /*isTarget=*/false);
  if (directory.isOneOf({"Phobert", "Bertweet"}) && directory.has("vocab.txt"))
    return fromFastBpe(directory);
  if (directory.isOneOf({"TransfoXL"}) && directory.has("vocab.txt"))
    return fromTransfoXl(directory);
  if (directory.isOneOf({"ProphetNet"}) && directory.has("prophetnet.tokenizer"))
    return fromProphetNet(directory);
  return std::nullopt;
}

Tokenizer sesame::fsmtTargetFromFiles(const TokenizerDirectory &directory) {
  return fromFsmt(directory, /*isTarget=*/true);
}
