//===- LegacyFiles.cpp - Tokenizer files from before tokenizer.json -------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Languages.h"
#include "SentencePiece.h"
#include "TokenizerImpl.h"
#include "support/Json.h"
#include "support/MappedFile.h"

#include <algorithm>
#include <set>

using namespace sesame;
using nlohmann::json;

namespace {

/// What the small JSON files of a checkpoint say about its tokenizer.
class Directory {
public:
  explicit Directory(const std::string &directory) : path(directory) {
    read("tokenizer_config.json", config);
    read("special_tokens_map.json", specialMap);
    read("added_tokens.json", addedMap);
    json model;
    read("config.json", model);
    kind = config.value("tokenizer_class", json()).is_string() ? config["tokenizer_class"].get<std::string>()
                                                               : "";
    for (const char *suffix : {"Fast", "Tokenizer"})
      if (kind.size() > std::string(suffix).size() &&
          kind.compare(kind.size() - std::string(suffix).size(), std::string::npos, suffix) == 0)
        kind.erase(kind.size() - std::string(suffix).size());
    if (kind.empty() && model.contains("model_type") && model["model_type"].is_string())
      kind = kindOfModel(model["model_type"].get<std::string>());
  }

  std::string file(const std::string &name) const { return path + "/" + name; }
  bool has(const std::string &name) const { return pathExists(file(name)); }

  /// The class of the tokenizer without "Tokenizer" and "Fast", such as "GPT2"; empty if unknown.
  const std::string &tokenizerClass() const { return kind; }
  bool isOneOf(std::initializer_list<const char *> kinds) const {
    return std::any_of(kinds.begin(), kinds.end(), [&](const char *name) { return kind == name; });
  }

  bool flag(const char *key, bool otherwise) const {
    if (!config.contains(key) || config[key].is_null())
      return otherwise;
    return JsonView(config[key], file("tokenizer_config.json") + ": " + key).boolean();
  }
  const json &value(const char *key) const {
    static const json null;
    auto found = config.find(key);
    return found == config.end() ? null : *found;
  }

  /// The tokens with a role, by role. tokenizer_config.json goes before special_tokens_map.json.
  std::map<std::string, json> roles() const {
    static const char *const names[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                        "pad_token", "cls_token", "mask_token"};
    std::map<std::string, json> found;
    for (const json *source : {&config, &specialMap})
      for (const char *name : names) {
        auto entry = source->find(name);
        if (entry == source->end())
          continue;
        bool named = entry->is_string() ||
                     (entry->is_object() && entry->contains("content") && (*entry)["content"].is_string());
        if (named)
          found.emplace(name, entry->is_string() ? json{{"content", *entry}} : *entry);
      }
    return found;
  }

  json config = json::object(), specialMap = json::object(), addedMap = json::object();

private:
  void read(const char *name, json &target) const {
    if (!has(name))
      return;
    json document = parseJson(file(name), readTextFile(file(name)));
    if (!document.is_object())
      throw Error(message(file(name), ": expected an object, found ", document.type_name()));
    target = std::move(document);
  }

  static std::string kindOfModel(const std::string &type) {
    static const std::map<std::string, std::string> kinds = {{"gpt2", "GPT2"},
                                                             {"gpt_neo", "GPT2"},
                                                             {"gptj", "GPT2"},
                                                             {"gpt_bigcode", "GPT2"},
                                                             {"opt", "GPT2"},
                                                             {"openai-gpt", "OpenAIGPT"},
                                                             {"roberta", "Roberta"},
                                                             {"bart", "Bart"},
                                                             {"longformer", "Longformer"},
                                                             {"led", "LED"},
                                                             {"blenderbot", "Blenderbot"},
                                                             {"deberta", "Deberta"},
                                                             {"bert", "Bert"},
                                                             {"distilbert", "DistilBert"},
                                                             {"electra", "Electra"},
                                                             {"mobilebert", "MobileBert"},
                                                             {"squeezebert", "SqueezeBert"},
                                                             {"layoutlm", "LayoutLM"},
                                                             {"dpr", "Bert"},
                                                             {"funnel", "Funnel"},
                                                             {"mpnet", "MPNet"},
                                                             {"t5", "T5"},
                                                             {"mt5", "T5"},
                                                             {"llama", "Llama"},
                                                             {"mistral", "Llama"},
                                                             {"gemma", "Gemma"},
                                                             {"gemma2", "Gemma"},
                                                             {"xlnet", "XLNet"},
                                                             {"albert", "Albert"},
                                                             {"deberta-v2", "DebertaV2"},
                                                             {"xlm-roberta", "XLMRoberta"},
                                                             {"xlm-roberta-xl", "XLMRoberta"},
                                                             {"camembert", "Camembert"},
                                                             {"mbart", "MBart"},
                                                             {"m2m_100", "M2M100"},
                                                             {"blenderbot-small", "BlenderbotSmall"},
                                                             {"fsmt", "FSMT"},
                                                             {"marian", "Marian"},
                                                             {"pegasus", "Pegasus"},
                                                             {"clip", "CLIP"},
                                                             {"ctrl", "CTRL"},
                                                             {"xlm", "XLM"},
                                                             {"flaubert", "Flaubert"}};
    auto found = kinds.find(type);
    return found == kinds.end() ? "" : found->second;
  }

  std::string path, kind;
};

/// Collects added tokens and gives ids to those that the vocabulary lacks, in the order of the reference:
/// explicit ids first, then the next free ones.
class AddedTokens {
public:
  explicit AddedTokens(const Vocabulary &vocabulary) : vocabulary(vocabulary) {
    for (const auto &[token, id] : vocabulary.entries())
      next = std::max(next, id + 1);
  }

  /// `id` is noToken for "as the vocabulary says, else the next free one".
  void add(AddedToken token, TokenId id = noToken) {
    if (token.content.empty() || !seen.insert(token.content).second)
      return;
    TokenId known = vocabulary.find(token.content);
    token.id = known != noToken ? known : id;
    if (token.id == noToken)
      token.id = next;
    next = std::max(next, token.id + 1);
    tokens.push_back(std::move(token));
  }

  /// All that the files of `directory` name. Roles that only the class implies count if the vocabulary has
  /// the token.
  void addFrom(const Directory &directory, const std::map<std::string, std::string> &impliedRoles) {
    const json &listed = directory.value("added_tokens_decoder");
    if (listed.is_object())
      for (const auto &[key, value] : listed.items()) {
        JsonView entry(value,
                       directory.file("tokenizer_config.json") + ": added_tokens_decoder " + inQuotes(key));
        json number = json::parse(key, nullptr, /*allow_exceptions=*/false);
        add(describe(entry), JsonView(number, entry.name() + ": the id").tokenId());
      }
    for (const auto &[content, id] : directory.addedMap.items()) {
      AddedToken token;
      token.content = content;
      token.normalized = true;
      add(token, JsonView(id, directory.file("added_tokens.json") + ": " + inQuotes(content)).tokenId());
    }
    for (const auto &[role, value] : directory.roles()) {
      AddedToken token = describe(JsonView(value, directory.file("tokenizer_config.json") + ": " + role));
      token.special = true;
      token.normalized = value.value("normalized", json(false)) == json(true);
      roles[role] = token.content;
      // RoBERTa's mask takes the blank before it along unless the file describes it as a whole.
      if (role == "mask_token" && !value.contains("lstrip") &&
          directory.isOneOf(
              {"Roberta", "Bart", "Longformer", "LED", "Deberta", "XLMRoberta", "Camembert", "MPNet"}))
        token.lstrip = true;
      add(token);
    }
    for (const auto &[role, content] : impliedRoles) {
      if (roles.count(role) != 0 || vocabulary.find(content) == noToken)
        continue;
      roles[role] = content;
      AddedToken token;
      token.content = content;
      token.special = true;
      add(token);
    }
    const json &extra = directory.value("additional_special_tokens");
    if (extra.is_array())
      for (const json &element : extra) {
        AddedToken token;
        if (element.is_string())
          token.content = element.get<std::string>();
        else
          token = describe(
              JsonView(element, directory.file("tokenizer_config.json") + ": additional_special_tokens"));
        token.special = true;
        add(token);
      }
  }

  json toJson() const {
    json list = json::array();
    for (const AddedToken &token : tokens)
      list.push_back({{"id", token.id},
                      {"content", token.content},
                      {"single_word", token.singleWord},
                      {"lstrip", token.lstrip},
                      {"rstrip", token.rstrip},
                      {"normalized", token.normalized},
                      {"special", token.special}});
    return list;
  }

  /// The token of a role and its id, ["</s>", 2], or an Error.
  json named(const std::string &role, const std::string &where) const {
    auto found = roles.find(role);
    if (found == roles.end())
      throw Error(message(where, ": no ", role, " is given, and the usual one is not in the vocabulary"));
    return {found->second, idOf(found->second)};
  }
  TokenId idOf(const std::string &content) const {
    for (const AddedToken &token : tokens)
      if (token.content == content)
        return token.id;
    return vocabulary.find(content);
  }

  std::vector<AddedToken> tokens;
  std::map<std::string, std::string> roles;

private:
  static AddedToken describe(const JsonView &entry) {
    AddedToken token;
    token.content = entry.string("content");
    token.special = entry.boolean("special", false);
    token.singleWord = entry.boolean("single_word", false);
    token.lstrip = entry.boolean("lstrip", false);
    token.rstrip = entry.boolean("rstrip", false);
    token.normalized = entry.boolean("normalized", !token.special);
    return token;
  }

  const Vocabulary &vocabulary;
  TokenId next = 0;
  std::set<std::string> seen;
};

/// "single" and "pair" of a TemplateProcessing from a compact form: "A" and "B" are the texts, all else a
/// role, each with an optional ":type".
json makeTemplate(const std::string &single, const std::string &pair, const AddedTokens &added,
                  const std::string &where) {
  json specials = json::object();
  auto parse = [&](const std::string &form) {
    json pieces = json::array();
    for (size_t at = 0; at < form.size();) {
      size_t end = std::min(form.find(' ', at), form.size());
      std::string piece = form.substr(at, end - at);
      at = end + 1;
      int typeId = 0;
      if (size_t colon = piece.find(':'); colon != std::string::npos) {
        typeId = piece[colon + 1] - '0';
        piece.erase(colon);
      }
      if (piece == "A" || piece == "B") {
        pieces.push_back({{"Sequence", {{"id", piece}, {"type_id", typeId}}}});
        continue;
      }
      json named = added.named(piece, where);
      pieces.push_back({{"SpecialToken", {{"id", named[0]}, {"type_id", typeId}}}});
      specials[named[0].get<std::string>()] = {{"id", named[0]}, {"ids", {named[1]}}, {"tokens", {named[0]}}};
    }
    return pieces;
  };
  json result = {{"type", "TemplateProcessing"}, {"single", parse(single)}, {"pair", parse(pair)}};
  result["special_tokens"] = specials;
  return result;
}

//===----------------------------------------------------------------------===//
// vocab.json and merges.txt
//===----------------------------------------------------------------------===//

Tokenizer fromVocabAndMerges(const Directory &directory) {
  std::string vocabFile = directory.file("vocab.json"), mergesFile = directory.file("merges.txt");
  // These split words by rules of their own that no part of tokenizer.json has.
  if (directory.isOneOf({"CTRL", "XLM", "Flaubert", "Phobert", "Bertweet", "BlenderbotSmall"}))
    throw Error(message(vocabFile, ": the files of a ", directory.tokenizerClass(),
                        " tokenizer are not supported without a tokenizer.json"));
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

Tokenizer fromVocabTxt(const Directory &directory) {
  std::string vocabFile = directory.file("vocab.txt");
  std::string content = readTextFile(vocabFile);
  if (size_t bad = unicode::findInvalidUtf8(content); bad != std::string::npos)
    throw Error(message(vocabFile, ": not UTF-8 at byte ", bad));
  Vocabulary vocabulary;
  json entries = json::object();
  TokenId id = 0;
  for (std::string_view rest = content; !rest.empty(); ++id) {
    size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!line.empty() && line.back() == '\r')
      line.remove_suffix(1);
    if (vocabulary.add(line, id))
      entries[std::string(line)] = id;
  }

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

/// XLM-RoBERTa and mBART keep fairseq's order: <s>, <pad>, </s>, <unk>, then the pieces from the fourth on,
/// then the languages, then <mask>.
PieceIds fairseqIds(const SentencePieceFile &file, const std::vector<std::string> &languages) {
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
  for (const auto &piece : file.pieces)
    ids.ofPiece.push_back(ids.vocabulary.find(piece.text));
  TokenId next = static_cast<TokenId>(ids.vocabulary.entries().size());
  for (const std::string &language : languages)
    ids.vocabulary.add(language, next++);
  return ids;
}

/// The ids of the pieces by the class of the tokenizer; `vocabFile` is where it looks them up if it does.
PieceIds idsOf(const SentencePieceFile &file, const Directory *directory, const std::string &vocabFile,
               const std::vector<std::string> &languages) {
  if (!directory)
    return plainIds(file);
  if (directory->isOneOf({"XLMRoberta", "MBart", "MBart50"}))
    return fairseqIds(file, languages);
  if (directory->isOneOf({"Camembert"}))
    return camembertIds(file);
  if (directory->isOneOf({"Marian", "M2M100"}))
    return listedIds(file, directory->file(vocabFile), languages);
  return plainIds(file);
}

/// The token of the language that `src_lang` names.
std::string sourceLanguage(const Directory &directory, const std::vector<std::string> &languages) {
  const json &named = directory.value("src_lang");
  const bool isFramed = directory.isOneOf({"M2M100"});
  std::string wanted = named.is_null()
                           ? (isFramed ? "en" : "en_XX")
                           : JsonView(named, directory.file("tokenizer_config.json") + ": src_lang").string();
  for (const std::string &token : languages)
    if (token == wanted || (isFramed && token == "__" + wanted + "__"))
      return token;
  throw Error(message(directory.file("tokenizer_config.json"), ": src_lang: expected a language of a ",
                      directory.tokenizerClass(), " tokenizer, such as ", inQuotes(languages.front()),
                      ", got ", inQuotes(wanted)));
}

Tokenizer fromModelFile(const std::string &path, const Directory *directory,
                        const std::string &vocabFile = "vocab.json") {
  SentencePieceFile file = SentencePieceFile::parse(readTextFile(path, uint64_t(1) << 30), path);
  if (file.pieces.size() >= static_cast<size_t>(INT32_MAX) / 2)
    throw Error(message(path, ": too many pieces: ", file.pieces.size()));
  // These have ids that no file of theirs tells.
  if (directory && directory->isOneOf({"Nllb", "Barthez", "Bartpho", "XGLM", "PLBart", "XLMProphetNet"}))
    throw Error(message(path, ": the files of a ", directory->tokenizerClass(),
                        " tokenizer are not supported without a tokenizer.json"));
  std::vector<std::string> languages;
  if (directory) {
    const json &codes = directory->value("language_codes");
    languages = languageTokens(directory->tokenizerClass(),
                               codes.is_string() ? codes.get<std::string>() : std::string());
  }
  PieceIds ids = idsOf(file, directory, vocabFile, languages);
  bool fairseq = directory && directory->isOneOf({"XLMRoberta", "Camembert"});

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
    if (fairseq || directory->isOneOf({"MBart", "MBart50"}))
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
    } else if (!languages.empty()) {
      added.roles["source_language"] = sourceLanguage(*directory, languages);
      const bool isLast = directory->isOneOf({"MBart"});
      single = isLast ? "A eos_token source_language" : "source_language A eos_token";
      pair = isLast ? "A B eos_token source_language" : "source_language A B eos_token";
    } else if (fairseq) {
      single = "bos_token A eos_token";
      pair = "bos_token A eos_token eos_token B eos_token";
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
  // What a directory lists by id is searched for in text, as its owner asked for it. The model's own control
  // pieces and the tokens with a role are not: to SentencePiece they are no text.
  const json *listed = directory ? &directory->value("added_tokens_decoder") : nullptr;
  bool explicitly = listed && listed->is_object();
  for (AddedToken &token : added.tokens) {
    if (token.special)
      impl->specials.insert(token.content);
    if (explicitly || (directory && directory->addedMap.contains(token.content)))
      impl->added.push_back(token);
    else
      ids.vocabulary.add(token.content, token.id);
  }
  SentencePieceParts parts =
      makeSentencePiece(file, ids.ofPiece, std::move(ids.vocabulary), ids.unknown, path);
  impl->normalizer = std::move(parts.normalizer);
  impl->model = std::move(parts.model);
  impl->decoder = std::move(parts.decoder);
  impl->finish();
  return TokenizerBuilder::wrap(std::move(impl));
}

} // namespace

Tokenizer Tokenizer::fromSentencePiece(const std::string &path) { return fromModelFile(path, nullptr); }

std::optional<Tokenizer> Tokenizer::targetFromDirectory(const std::string &path) {
  Directory directory(path);
  if (directory.has("tokenizer.json") || !directory.isOneOf({"Marian"}) ||
      !directory.flag("separate_vocabs", false))
    return std::nullopt;
  return fromModelFile(directory.file("target.spm"), &directory, "target_vocab.json");
}

Tokenizer Tokenizer::fromDirectory(const std::string &path) {
  if (!pathExists(path))
    throw Error(message(path, ": no such directory"));
  Directory directory(path);
  if (directory.has("tokenizer.json")) {
    Tokenizer tokenizer = fromFile(directory.file("tokenizer.json"));
    for (const auto &[role, value] : directory.roles())
      tokenizer.impl->roles.emplace(role, value.at("content").get<std::string>());
    return tokenizer;
  }
  if (directory.has("vocab.json") && directory.has("merges.txt"))
    return fromVocabAndMerges(directory);
  if (directory.has("vocab-src.json"))
    throw Error(message(directory.file("vocab-src.json"),
                        ": the files of a FSMT tokenizer are not supported without a tokenizer.json"));
  if (directory.has("vocab.txt"))
    return fromVocabTxt(directory);
  for (const char *name :
       {"tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "spm.model", "source.spm"})
    if (directory.has(name))
      return fromModelFile(directory.file(name), &directory);
  throw Error(message(path,
                      ": no tokenizer found, expected tokenizer.json, vocab.json and merges.txt, vocab.txt, "
                      "tokenizer.model, spiece.model, sentencepiece.bpe.model, spm.model or source.spm"));
}
