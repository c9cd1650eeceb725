//===- TokenizerFiles.cpp - What the files around a vocabulary say --------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TokenizerFiles.h"
#include "PythonText.h"
#include "support/Json.h"
#include "support/MappedFile.h"

#include <algorithm>

using namespace sesame;
using nlohmann::json;

//===----------------------------------------------------------------------===//
// The directory
//===----------------------------------------------------------------------===//

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
                                                           {"prophetnet", "ProphetNet"},
                                                           {"xlm-prophetnet", "XLMProphetNet"},
                                                           {"transfo-xl", "TransfoXL"},
                                                           {"xglm", "XGLM"},
                                                           {"plbart", "PLBart"},
                                                           {"xlm", "XLM"},
                                                           {"flaubert", "Flaubert"}};
  auto found = kinds.find(type);
  return found == kinds.end() ? "" : found->second;
}

TokenizerDirectory::TokenizerDirectory(const std::string &directory) : path(directory) {
  read("tokenizer_config.json", config);
  read("special_tokens_map.json", specialMap);
  read("added_tokens.json", addedMap);
  json model;
  read("config.json", model);
  kind =
      config.value("tokenizer_class", json()).is_string() ? config["tokenizer_class"].get<std::string>() : "";
  for (const char *suffix : {"Fast", "Tokenizer"})
    if (kind.size() > std::string(suffix).size() &&
        kind.compare(kind.size() - std::string(suffix).size(), std::string::npos, suffix) == 0)
      kind.erase(kind.size() - std::string(suffix).size());
  if (kind.empty() && model.contains("model_type") && model["model_type"].is_string())
    kind = kindOfModel(model["model_type"].get<std::string>());
}

bool TokenizerDirectory::has(const std::string &name) const { return pathExists(file(name)); }

bool TokenizerDirectory::isOneOf(std::initializer_list<const char *> kinds) const {
  return std::any_of(kinds.begin(), kinds.end(), [&](const char *name) { return kind == name; });
}

bool TokenizerDirectory::flag(const char *key, bool otherwise) const {
  if (!config.contains(key) || config[key].is_null())
    return otherwise;
  return JsonView(config[key], file("tokenizer_config.json") + ": " + key).boolean();
}
const json &TokenizerDirectory::value(const char *key) const {
  static const json null;
  auto found = config.find(key);
  return found == config.end() ? null : *found;
}

std::map<std::string, json> TokenizerDirectory::roles() const {
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

std::string TokenizerDirectory::tokenOf(const char *role, const char *usual) const {
  auto known = roles();
  auto found = known.find(role);
  return found == known.end() ? usual : found->second.at("content").get<std::string>();
}

void TokenizerDirectory::read(const char *name, json &target) const {
  if (!has(name))
    return;
  json document = parseJson(file(name), readTextFile(file(name)));
  if (!document.is_object())
    throw Error(message(file(name), ": expected an object, found ", document.type_name()));
  target = std::move(document);
}

//===----------------------------------------------------------------------===//
// Added tokens
//===----------------------------------------------------------------------===//

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

AddedTokens::AddedTokens(const Vocabulary &vocabulary) : vocabulary(vocabulary) {
  for (const auto &[token, id] : vocabulary.entries())
    next = std::max(next, id + 1);
}

void AddedTokens::add(AddedToken token, TokenId id) {
  if (token.content.empty() || !seen.insert(token.content).second)
    return;
  TokenId known = vocabulary.find(token.content);
  token.id = known != noToken ? known : id;
  if (token.id == noToken)
    token.id = next;
  next = std::max(next, token.id + 1);
  tokens.push_back(std::move(token));
}

void AddedTokens::addFrom(const TokenizerDirectory &directory,
                          const std::map<std::string, std::string> &impliedRoles) {
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

json AddedTokens::toJson() const {
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

json AddedTokens::named(const std::string &role, const std::string &where) const {
  auto found = roles.find(role);
  if (found == roles.end())
    throw Error(message(where, ": no ", role, " is given, and the usual one is not in the vocabulary"));
  return {found->second, idOf(found->second)};
}
TokenId AddedTokens::idOf(const std::string &content) const {
  for (const AddedToken &token : tokens)
    if (token.content == content)
      return token.id;
  return vocabulary.find(content);
}

json sesame::makeTemplate(const std::string &single, const std::string &pair, const AddedTokens &added,
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

std::vector<std::string> sesame::readLines(const std::string &path) {
  const std::string content = readTextFile(path);
  if (size_t bad = unicode::findInvalidUtf8(content); bad != std::string::npos)
    throw Error(message(path, ": not UTF-8 at byte ", bad));
  std::vector<std::string> lines;
  for (std::string_view rest = content; !rest.empty();) {
    size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!line.empty() && line.back() == '\r')
      line.remove_suffix(1);
    lines.emplace_back(line);
  }
  return lines;
}

std::vector<std::string> sesame::readFirstWords(const std::string &path, const char *what) {
  std::vector<std::string> lines = readLines(path);
  for (size_t i = 0; i < lines.size(); ++i) {
    std::vector<ByteSpan> words;
    python::split(lines[i], words);
    if (words.empty())
      throw Error(message(path, ": line ", i + 1, ": expected a ", what, ", found none"));
    lines[i] = lines[i].substr(words[0].begin, words[0].end - words[0].begin);
  }
  return lines;
}

Vocabulary sesame::readVocabularyLines(const std::string &path) {
  Vocabulary vocabulary;
  TokenId id = 0;
  for (const std::string &line : readLines(path))
    vocabulary.add(line, id++);
  return vocabulary;
}
