//===- LegacyFiles.cpp - Tokenizer files from before tokenizer.json -------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Languages.h"
#include "SentencePiece.h"
#include "TokenizerFiles.h"
#include "WordRules.h"
#include "support/Json.h"
#include "support/MappedFile.h"

#include <algorithm>

using namespace sesame;
using nlohmann::json;

namespace {

//===----------------------------------------------------------------------===//
// vocab.json and merges.txt
//===----------------------------------------------------------------------===//

Tokenizer fromVocabAndMerges(const TokenizerDirectory &directory) {
  std::string vocabFile = directory.file("vocab.json"), mergesFile = directory.file("merges.txt");
  json entries = parseJson(vocabFile, readTextFile(vocabFile));
  Vocabulary vocabulary = readVocabulary(JsonView(entries, vocabFile));
  json merges = json::array();
  bool hasSuffix = false;
  for (auto &[left, right] : readMerges(readTextFile(mergesFile), mergesFile)) {
    auto endsWith = [](const std::string &text, const char *end) {
      size_t n = std::char_traits<char>::length(end);
      return text.size() >= n && text.compare(text.size() - n, n, end) == 0;
    };
    hasSuffix |= endsWith(right, "</w>");
    merges.push_back({left, right});
  }
  bool openAi = hasSuffix && !directory.isOneOf({"CLIP"});
  bool clip = hasSuffix && !openAi;
  bool roberta = directory.isOneOf({"Roberta", "Bart", "Longformer", "LED"});
  bool prefixSpace = directory.flag("add_prefix_space", directory.isOneOf({"Blenderbot"}));

  std::map<std::string, std::string> implied;
  if (openAi)
    implied = {{"unk_token", "<unk>"}};
  else if (roberta || directory.isOneOf({"Blenderbot"}))
    implied = {{"bos_token", "<s>"},   {"eos_token", "</s>"}, {"unk_token", "<unk>"},  {"sep_token", "</s>"},
               {"pad_token", "<pad>"}, {"cls_token", "<s>"},  {"mask_token", "<mask>"}};
  else if (directory.isOneOf({"Deberta"}))
    implied = {{"bos_token", "[CLS]"},  {"eos_token", "[SEP]"}, {"unk_token", "[UNK]"},
               {"sep_token", "[SEP]"},  {"pad_token", "[PAD]"}, {"cls_token", "[CLS]"},
               {"mask_token", "[MASK]"}};
  else if (clip)
    implied = {{"bos_token", "<|startoftext|>"},
               {"eos_token", "<|endoftext|>"},
               {"unk_token", "<|endoftext|>"},
               {"pad_token", "<|endoftext|>"}};
  else
    implied = {
        {"bos_token", "<|endoftext|>"}, {"eos_token", "<|endoftext|>"}, {"unk_token", "<|endoftext|>"}};
  AddedTokens added(vocabulary);
  added.addFrom(directory, implied);

  json model = {{"type", "BPE"}, {"vocab", entries}, {"merges", merges}};
  json document = {{"version", "1.0"}, {"added_tokens", added.toJson()}};
  json byteLevel = {
      {"type", "ByteLevel"}, {"add_prefix_space", prefixSpace}, {"trim_offsets", true}, {"use_regex", true}};
  if (openAi) {
    model["unk_token"] = added.roles.count("unk_token") != 0 ? added.roles["unk_token"] : "<unk>";
    model["end_of_word_suffix"] = "</w>";
    document["normalizer"] = {{"type", "BertNormalizer"},
                              {"clean_text", true},
                              {"handle_chinese_chars", true},
                              {"strip_accents", nullptr},
                              {"lowercase", true}};
    document["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
    document["decoder"] = {{"type", "BPEDecoder"}, {"suffix", "</w>"}};
  } else if (clip) {
    model["unk_token"] = added.roles["unk_token"];
    model["end_of_word_suffix"] = "</w>";
    document["normalizer"] = {{"type", "Sequence"},
                              {"normalizers",
                               {{{"type", "NFC"}},
                                {{"type", "Replace"}, {"pattern", {{"Regex", "\\s+"}}}, {"content", " "}},
                                {{"type", "Lowercase"}}}}};
    document["pre_tokenizer"] = {
        {"type", "Sequence"},
        {"pretokenizers",
         {{{"type", "Split"},
           {"pattern", {{"Regex", R"('s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)"}}},
           {"behavior", "Removed"},
           {"invert", true}},
          {{"type", "ByteLevel"},
           {"add_prefix_space", false},
           {"trim_offsets", true},
           {"use_regex", false}}}}};
    document["post_processor"] = makeTemplate(
        "bos_token A eos_token", "bos_token A eos_token bos_token B eos_token", added, vocabFile);
    document["decoder"] = {{"type", "Sequence"},
                           {"decoders",
                            {{{"type", "ByteLevel"}},
                             {{"type", "Replace"}, {"pattern", {{"String", "</w>"}}}, {"content", " "}},
                             {{"type", "Strip"}, {"content", " "}, {"start", 0}, {"stop", 1}}}}};
  } else {
    document["pre_tokenizer"] = byteLevel;
    document["decoder"] = {{"type", "ByteLevel"}};
    json trim = {
        {"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", false}, {"use_regex", true}};
    if (roberta)
      document["post_processor"] = {{"type", "RobertaProcessing"},
                                    {"sep", added.named("sep_token", vocabFile)},
                                    {"cls", added.named("cls_token", vocabFile)},
                                    {"trim_offsets", directory.flag("trim_offsets", true)},
                                    {"add_prefix_space", prefixSpace}};
    else if (directory.isOneOf({"Deberta"}))
      document["post_processor"] =
          makeTemplate("cls_token A sep_token", "cls_token A sep_token B:1 sep_token:1", added, vocabFile);
    else if (directory.isOneOf({"Blenderbot"}))
      document["post_processor"] = makeTemplate("A eos_token", "A eos_token B:1", added, vocabFile);
    else
      document["post_processor"] = trim;
  }
  document["model"] = std::move(model);
  auto impl = TokenizerBuilder::fromDocument(document, vocabFile);
  for (auto &[role, token] : added.roles)
    impl->roles.emplace(role, token);
  return TokenizerBuilder::wrap(std::move(impl));
}

//===----------------------------------------------------------------------===//
// vocab.txt
//===----------------------------------------------------------------------===//

Tokenizer fromVocabTxt(const TokenizerDirectory &directory) {
  std::string vocabFile = directory.file("vocab.txt");
  Vocabulary vocabulary = readVocabularyLines(vocabFile);
  json entries = json::object();
  for (const auto &[token, id] : vocabulary.entries())
    entries[std::string(token)] = id;

  bool mpnet = directory.isOneOf({"MPNet"}), funnel = directory.isOneOf({"Funnel"});
  std::map<std::string, std::string> implied;
  if (mpnet)
    implied = {{"bos_token", "<s>"},   {"eos_token", "</s>"},  {"cls_token", "<s>"},    {"sep_token", "</s>"},
               {"unk_token", "[UNK]"}, {"pad_token", "<pad>"}, {"mask_token", "<mask>"}};
  else if (funnel)
    implied = {{"unk_token", "<unk>"}, {"sep_token", "<sep>"},   {"pad_token", "<pad>"},
               {"cls_token", "<cls>"}, {"mask_token", "<mask>"}, {"bos_token", "<s>"},
               {"eos_token", "</s>"}};
  else
    implied = {{"unk_token", "[UNK]"},
               {"sep_token", "[SEP]"},
               {"pad_token", "[PAD]"},
               {"cls_token", "[CLS]"},
               {"mask_token", "[MASK]"}};
  AddedTokens added(vocabulary);
  added.addFrom(directory, implied);

  json strip = directory.value("strip_accents");
  if (!strip.is_null() && !strip.is_boolean())
    throw Error(
        message(directory.file("tokenizer_config.json"), ": strip_accents: expected true, false or null"));
  json post;
  if (mpnet)
    post = {{"type", "RobertaProcessing"},
            {"sep", added.named("sep_token", vocabFile)},
            {"cls", added.named("cls_token", vocabFile)},
            {"trim_offsets", true},
            {"add_prefix_space", false}};
  else if (funnel)
    post =
        makeTemplate("cls_token:2 A sep_token", "cls_token:2 A sep_token B:1 sep_token:1", added, vocabFile);
  else
    post = {{"type", "BertProcessing"},
            {"sep", added.named("sep_token", vocabFile)},
            {"cls", added.named("cls_token", vocabFile)}};
  json document = {{"version", "1.0"},
                   {"added_tokens", added.toJson()},
                   {"normalizer",
                    {{"type", "BertNormalizer"},
                     {"clean_text", true},
                     {"handle_chinese_chars", directory.flag("tokenize_chinese_chars", true)},
                     {"strip_accents", strip},
                     {"lowercase", directory.flag("do_lower_case", true)}}},
                   {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
                   {"post_processor", post},
                   {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}},
                   {"model",
                    {{"type", "WordPiece"},
                     {"unk_token", added.named("unk_token", vocabFile)[0]},
                     {"continuing_subword_prefix", "##"},
                     {"max_input_chars_per_word", 100},
                     {"vocab", entries}}}};
  auto impl = TokenizerBuilder::fromDocument(document, vocabFile);
  for (auto &[role, token] : added.roles)
    impl->roles.emplace(role, token);
  return TokenizerBuilder::wrap(std::move(impl));
}

//===----------------------------------------------------------------------===//
// SentencePiece models
//===----------------------------------------------------------------------===//

/// Where the ids of a model class differ from the places of the pieces.
struct PieceIds {
  std::vector<TokenId> ofPiece;
  Vocabulary vocabulary;
  TokenId unknown = noToken;
};

PieceIds plainIds(const SentencePieceFile &file) {
  PieceIds ids;
  for (size_t i = 0; i < file.pieces.size(); ++i) {
    ids.ofPiece.push_back(static_cast<TokenId>(i));
    ids.vocabulary.add(file.pieces[i].text, static_cast<TokenId>(i));
  }
  ids.unknown = static_cast<TokenId>(file.unknownIndex());
  return ids;
}

/// The ids of pieces by their names. Each piece that is not listed is an unknown token of its own.
void placeListed(const SentencePieceFile &file, PieceIds &ids) {
  for (const auto &piece : file.pieces) {
    TokenId id = ids.vocabulary.find(piece.text);
    ids.ofPiece.push_back(id == noToken ? ids.unknown : id);
  }
}

/// BARThez has the tokens with a role behind the pieces where the model lacks them.
PieceIds barthezIds(const SentencePieceFile &file, const TokenizerDirectory &directory) {
  PieceIds ids = plainIds(file);
  auto next = static_cast<TokenId>(file.pieces.size());
  for (auto [role, usual] : {std::pair("bos_token", "<s>"),
                             {"eos_token", "</s>"},
                             {"unk_token", "<unk>"},
                             {"pad_token", "<pad>"},
                             {"mask_token", "<mask>"}})
    if (ids.vocabulary.add(directory.tokenOf(role, usual), next))
      ++next;
  return ids;
}

/// BARTpho keeps the pieces that a dictionary lists by lines, behind the tokens with a role and before
/// <mask>.
PieceIds bartphoIds(const SentencePieceFile &file, const TokenizerDirectory &directory) {
  PieceIds ids;
  TokenId next = 0;
  auto add = [&](std::string_view token) {
    const bool isNew = ids.vocabulary.add(token, next);
    next += isNew;
    return isNew;
  };
  for (auto [role, usual] : {std::pair("bos_token", "<s>"),
                             {"pad_token", "<pad>"},
                             {"eos_token", "</s>"},
                             {"unk_token", "<unk>"},
                             {"sep_token", "</s>"},
                             {"cls_token", "<s>"}})
    add(directory.tokenOf(role, usual));
  const std::string path = directory.file("dict.txt");
  const std::vector<std::string> tokens = readFirstWords(path, "token");
  for (size_t i = 0; i < tokens.size(); ++i)
    if (!add(tokens[i]))
      throw Error(message(path, ": line ", i + 1, ": the token is there already"));
  add(directory.tokenOf("mask_token", "<mask>"));
  ids.unknown = ids.vocabulary.find(directory.tokenOf("unk_token", "<unk>"));
  placeListed(file, ids);
  return ids;
}

/// XLM-ProphetNet has fifteen tokens of its own in place of the first three pieces.
PieceIds prophetNetIds(const SentencePieceFile &file) {
  PieceIds ids;
  TokenId next = 0;
  for (const char *token : {"[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"})
    ids.vocabulary.add(token, next++);
  for (int i = 0; i < 10; ++i)
    ids.vocabulary.add("[unused" + std::to_string(i) + "]", next++);
  ids.unknown = 3;
  for (size_t i = 0; i < file.pieces.size(); ++i) {
    TokenId known = ids.vocabulary.find(file.pieces[i].text);
    TokenId id = known != noToken ? known : i == 0 ? ids.unknown : static_cast<TokenId>(i + 12);
    ids.ofPiece.push_back(id);
    ids.vocabulary.add(file.pieces[i].text, id);
  }
  return ids;
}

/// XLM-RoBERTa, mBART and their kin keep fairseq's order: <s>, <pad>, </s>, <unk>, then the pieces from the
/// fourth on, then the languages or what a class has in their place, then <mask> where a class has one.
PieceIds fairseqIds(const SentencePieceFile &file, const std::vector<std::string> &languages,
                    bool hasMask = true) {
  PieceIds ids;
  const char *first[] = {"<s>", "<pad>", "</s>", "<unk>"};
  for (TokenId id = 0; id < 4; ++id)
    ids.vocabulary.add(first[id], id);
  for (size_t i = 0; i < file.pieces.size(); ++i) {
    TokenId known = i < 3 ? ids.vocabulary.find(file.pieces[i].text) : noToken;
    TokenId id = known != noToken ? known : static_cast<TokenId>(i + 1);
    ids.ofPiece.push_back(id);
    ids.vocabulary.add(file.pieces[i].text, id);
  }
  TokenId next = static_cast<TokenId>(file.pieces.size() + 1);
  for (const std::string &language : languages)
    ids.vocabulary.add(language, next++);
  if (hasMask)
    ids.vocabulary.add("<mask>", next);
  ids.unknown = 3;
  return ids;
}

/// CamemBERT puts five tokens of its own, one for each of fairseq's and <unk>, before the pieces from the
/// second on.
PieceIds camembertIds(const SentencePieceFile &file) {
  PieceIds ids;
  const char *first[] = {"<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED"};
  for (TokenId id = 0; id < 5; ++id)
    ids.vocabulary.add(first[id], id);
  for (size_t i = 0; i < file.pieces.size(); ++i) {
    TokenId id = i == 0 ? 3 : static_cast<TokenId>(i + 4);
    ids.ofPiece.push_back(id);
    ids.vocabulary.add(file.pieces[i].text, id);
  }
  ids.vocabulary.add("<mask>", static_cast<TokenId>(file.pieces.size() + 4));
  ids.unknown = 3;
  return ids;
}

/// Marian and M2M100 look their pieces up in a file; M2M100's languages follow.
PieceIds listedIds(const SentencePieceFile &file, const std::string &vocabFile,
                   const std::vector<std::string> &languages) {
  PieceIds ids;
  ids.vocabulary = readVocabulary(JsonView(parseJson(vocabFile, readTextFile(vocabFile)), vocabFile));
  ids.unknown = ids.vocabulary.find("<unk>");
  if (ids.unknown == noToken)
    throw Error(message(vocabFile, ": '<unk>' is missing"));
  placeListed(file, ids);
  TokenId next = static_cast<TokenId>(ids.vocabulary.entries().size());
  for (const std::string &language : languages)
    ids.vocabulary.add(language, next++);
  return ids;
}

/// The ids of the pieces by the class of the tokenizer; `vocabFile` is where it looks them up if it does.
PieceIds idsOf(const SentencePieceFile &file, const TokenizerDirectory *directory,
               const std::string &vocabFile, const std::vector<std::string> &languages) {
  if (!directory)
    return plainIds(file);
  if (directory->isOneOf({"XLMRoberta", "MBart", "MBart50", "Nllb", "PLBart"}))
    return fairseqIds(file, languages);
  if (directory->isOneOf({"XGLM"})) {
    std::vector<std::string> words;
    for (char digit = '0'; digit < '7'; ++digit)
      words.push_back(std::string("<madeupword") + digit + ">");
    return fairseqIds(file, words, /*hasMask=*/false);
  }
  if (directory->isOneOf({"Barthez"}))
    return barthezIds(file, *directory);
  if (directory->isOneOf({"Bartpho"}))
    return bartphoIds(file, *directory);
  if (directory->isOneOf({"XLMProphetNet"}))
    return prophetNetIds(file);
  if (directory->isOneOf({"Camembert"}))
    return camembertIds(file);
  if (directory->isOneOf({"Marian", "M2M100"}))
    return listedIds(file, directory->file(vocabFile), languages);
  return plainIds(file);
}

/// The token of the language that `src_lang` names; empty if none is named and the class has no usual one.
std::string sourceLanguage(const TokenizerDirectory &directory, const std::vector<std::string> &languages) {
  const json &named = directory.value("src_lang");
  const bool isFramed = directory.isOneOf({"M2M100", "PLBart"});
  if (directory.isOneOf({"PLBart"}) && named.is_null())
    return directory.value("language_codes") == "multi" ? "__en_XX__" : "";
  std::string wanted = named.is_null()
                           ? (isFramed                      ? "en"
                              : directory.isOneOf({"Nllb"}) ? "eng_Latn"
                                                            : "en_XX")
                           : JsonView(named, directory.file("tokenizer_config.json") + ": src_lang").string();
  for (const std::string &token : languages)
    if (token == wanted || (isFramed && token == "__" + wanted + "__"))
      return token;
  throw Error(message(directory.file("tokenizer_config.json"), ": src_lang: expected a language of a ",
                      directory.tokenizerClass(), " tokenizer, such as ", inQuotes(languages.front()),
                      ", got ", inQuotes(wanted)));
}

Tokenizer fromModelFile(const std::string &path, const TokenizerDirectory *directory,
                        const std::string &vocabFile = "vocab.json") {
  SentencePieceFile file = SentencePieceFile::parse(readTextFile(path, uint64_t(1) << 30), path);
  if (file.pieces.size() >= static_cast<size_t>(INT32_MAX) / 2)
    throw Error(message(path, ": too many pieces: ", file.pieces.size()));
  std::vector<std::string> languages;
  if (directory) {
    const json &codes = directory->value("language_codes");
    languages = languageTokens(directory->tokenizerClass(),
                               codes.is_string() ? codes.get<std::string>() : std::string());
  }
  PieceIds ids = idsOf(file, directory, vocabFile, languages);
  bool fairseq = directory && directory->isOneOf({"XLMRoberta", "Camembert", "Barthez", "Bartpho"});

  auto impl = std::make_unique<Tokenizer::Impl>();
  impl->name = path;
  AddedTokens added(ids.vocabulary);
  std::string single, pair;
  if (directory) {
    std::map<std::string, std::string> implied = {
        {"bos_token", "<s>"}, {"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"pad_token", "<pad>"}};
    if (directory->isOneOf({"XLNet"}))
      implied.insert({{"sep_token", "<sep>"}, {"cls_token", "<cls>"}, {"mask_token", "<mask>"}});
    if (directory->isOneOf({"Albert", "DebertaV2", "BigBird", "Rembert"}))
      implied.insert({{"sep_token", "[SEP]"}, {"cls_token", "[CLS]"}, {"mask_token", "[MASK]"}});
    if (directory->isOneOf({"XLMProphetNet"}))
      implied = {{"bos_token", "[SEP]"},  {"eos_token", "[SEP]"}, {"sep_token", "[SEP]"},
                 {"unk_token", "[UNK]"},  {"pad_token", "[PAD]"}, {"cls_token", "[CLS]"},
                 {"mask_token", "[MASK]"}};
    if (fairseq || directory->isOneOf({"MBart", "MBart50", "Nllb", "PLBart", "XGLM"}))
      implied.insert({{"sep_token", "</s>"}, {"cls_token", "<s>"}, {"mask_token", "<mask>"}});
    if (directory->isOneOf({"Gemma"}))
      implied["bos_token"] = "<bos>", implied["eos_token"] = "<eos>";
    added.addFrom(*directory, implied);
    if (directory->isOneOf(
            {"T5"})) { // The sentinels <extra_id_0> and up take the last ids, in falling order.
      const json &count = directory->value("extra_ids");
      int64_t sentinels =
          count.is_null()
              ? 100
              : JsonView(count, directory->file("tokenizer_config.json") + ": extra_ids").integer(0, 100000);
      for (int64_t i = sentinels; i-- > 0;) {
        AddedToken token;
        token.content = "<extra_id_" + std::to_string(i) + ">";
        token.special = true;
        added.add(token);
      }
    }
    if (directory->isOneOf({"T5", "Pegasus", "Marian"})) {
      single = "A eos_token";
      pair = directory->isOneOf({"T5"}) ? "A eos_token B eos_token" : "A B eos_token";
    } else if (directory->isOneOf({"Llama", "CodeLlama", "Gemma"})) {
      bool bos = directory->flag("add_bos_token", true), eos = directory->flag("add_eos_token", false);
      std::string before = bos ? "bos_token " : "", after = eos ? " eos_token" : "";
      single = before + "A" + after;
      pair = single + " " + (bos ? "bos_token:1 " : "") + "B:1" + (eos ? " eos_token:1" : "");
    } else if (directory->isOneOf({"XLNet"})) {
      single = "A sep_token cls_token:2";
      pair = "A sep_token B:1 sep_token:1 cls_token:2";
    } else if (directory->isOneOf({"Albert", "DebertaV2", "BigBird", "Rembert"})) {
      single = "cls_token A sep_token";
      pair = "cls_token A sep_token B:1 sep_token:1";
    } else if (directory->isOneOf({"XGLM"})) {
      single = "sep_token A";
      pair = "sep_token A sep_token sep_token B";
    } else if (directory->isOneOf({"XLMProphetNet"})) {
      single = "A sep_token";
      pair = "A sep_token B sep_token";
    } else if (!languages.empty()) {
      const std::string language = sourceLanguage(*directory, languages);
      const bool isLast = directory->isOneOf({"MBart", "PLBart"}) ||
                          (directory->isOneOf({"Nllb"}) && directory->flag("legacy_behaviour", false));
      std::string before, after;
      if (!language.empty()) {
        added.roles["source_language"] = language;
        (isLast ? after : before) = isLast ? " source_language" : "source_language ";
      }
      single = before + "A eos_token" + after;
      pair = before + "A B eos_token" + after;
    } else if (fairseq) {
      single = "cls_token A sep_token";
      pair = "cls_token A sep_token sep_token B sep_token";
    }
    for (auto &[role, token] : added.roles)
      impl->roles.emplace(role, token);
  }
  if (!single.empty()) {
    json form = makeTemplate(single, pair, added, path);
    impl->postProcessor = makePostProcessor(JsonView(form, path + ": post_processor"));
  }
  for (const std::string &language : languages)
    impl->specials.insert(language);
  for (const auto &piece : file.pieces)
    if (piece.type == SentencePieceFile::PieceType::control ||
        piece.type == SentencePieceFile::PieceType::unknown)
      impl->specials.insert(piece.text);
  // What a directory lists by id is searched for in text, as its owner asked for it, and so is the mask,
  // which a user has no other way to write. The model's own control pieces and the other tokens with a role
  // are not: to SentencePiece they are no text.
  const json *listed = directory ? &directory->value("added_tokens_decoder") : nullptr;
  bool explicitly = listed && listed->is_object();
  auto mask = added.roles.find("mask_token");
  for (AddedToken &token : added.tokens) {
    if (token.special)
      impl->specials.insert(token.content);
    const bool isMask = mask != added.roles.end() && mask->second == token.content;
    if (isMask && !explicitly) // The reference's classes say so.
      token.lstrip = !directory->isOneOf({"DebertaV2"});
    if (explicitly || isMask || (directory && directory->addedMap.contains(token.content)))
      impl->added.push_back(token);
    else
      ids.vocabulary.add(token.content, token.id);
  }
  SentencePieceParts parts =
      makeSentencePiece(file, ids.ofPiece, std::move(ids.vocabulary), ids.unknown, path);
  impl->normalizer = std::move(parts.normalizer);
  impl->model = std::move(parts.model);
  impl->decoder = std::move(parts.decoder);
  if (directory && directory->isOneOf({"Barthez", "Bartpho", "XGLM", "PLBart", "XLMProphetNet"}))
    impl->decoder = makeStripper(std::move(impl->decoder));
  impl->finish();
  return TokenizerBuilder::wrap(std::move(impl));
}

} // namespace

Tokenizer Tokenizer::fromSentencePiece(const std::string &path) { return fromModelFile(path, nullptr); }

std::optional<Tokenizer> Tokenizer::targetFromDirectory(const std::string &path) {
  TokenizerDirectory directory(path);
  if (directory.has("tokenizer.json"))
    return std::nullopt;
  if (directory.isOneOf({"FSMT"}))
    return fsmtTargetFromFiles(directory);
  if (!directory.isOneOf({"Marian"}) || !directory.flag("separate_vocabs", false))
    return std::nullopt;
  return fromModelFile(directory.file("target.spm"), &directory, "target_vocab.json");
}

Tokenizer Tokenizer::fromDirectory(const std::string &path) {
  if (!pathExists(path))
    throw Error(message(path, ": no such directory"));
  TokenizerDirectory directory(path);
  if (directory.has("tokenizer.json")) {
    Tokenizer tokenizer = fromFile(directory.file("tokenizer.json"));
    for (const auto &[role, value] : directory.roles())
      tokenizer.impl->roles.emplace(role, value.at("content").get<std::string>());
    return tokenizer;
  }
  if (std::optional<Tokenizer> tokenizer = fromWordFiles(directory))
    return std::move(*tokenizer);
  if (directory.has("vocab.json") && directory.has("merges.txt"))
    return fromVocabAndMerges(directory);
  if (directory.has("vocab.txt"))
    return fromVocabTxt(directory);
  for (const char *name : {"tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "spm.model",
                           "source.spm", "prophetnet.tokenizer"})
    if (directory.has(name))
      return fromModelFile(directory.file(name), &directory);
  for (const char *name : {"vocab.pkl", "vocab.bin"})
    if (directory.has(name))
      throw Error(message(directory.file(name),
                          ": a pickled vocabulary, which could hold any program, is not "
                          "read; expected a tokenizer.json"));
  throw Error(message(path,
                      ": no tokenizer found, expected tokenizer.json, vocab.json and merges.txt, vocab.txt, "
                      "tokenizer.model, spiece.model, sentencepiece.bpe.model, spm.model or source.spm"));
}
