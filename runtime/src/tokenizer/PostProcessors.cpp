//===- PostProcessors.cpp - The post-processors of tokenizer.json ---------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Encoding.h"
#include "JsonView.h"
#include "Parts.h"

#include <algorithm>
#include <unordered_map>

using namespace sesame;

namespace {

/// A token and its id, ["</s>", 2] in the file.
struct NamedToken {
  std::string token;
  TokenId id;

  explicit NamedToken(const JsonView &json) {
    const nlohmann::json &pair = json.raw();
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string())
      json.fail("expected a token and its id");
    token = pair[0].get<std::string>();
    id = JsonView(pair[1], json.name() + "[1]").tokenId();
  }
};

void appendSpecial(Encoding &encoding, const std::string &token, TokenId id, TokenId typeId) {
  encoding.ids.push_back(id);
  encoding.tokens.push_back(token);
  encoding.offsets.push_back({0, 0});
  encoding.typeIds.push_back(typeId);
  encoding.specialMask.push_back(1);
  encoding.wordIds.push_back(-1);
}

void setTypeIds(Encoding &encoding, TokenId typeId) {
  std::fill(encoding.typeIds.begin(), encoding.typeIds.end(), typeId);
}

/// Takes the blanks at both ends of each token out of its offsets. A single leading blank of the first token
/// stays if it is the one that add_prefix_space put there.
void trimOffsets(Encoding &encoding, bool addPrefixSpace) {
  auto isBlank = [](char32_t c) {
    return c == 0x120 || unicode::isWhitespace(c);
  }; // U+0120: a blank, byte-level.
  for (size_t i = 0; i < encoding.offsets.size(); ++i) {
    uint32_t leading = 0, trailing = 0;
    bool start = true;
    unicode::forEach(encoding.tokens[i], [&](char32_t c, uint32_t, uint32_t) {
      bool blank = isBlank(c);
      start &= blank;
      leading += start;
      trailing = blank ? trailing + 1 : 0;
    });
    auto &[from, to] = encoding.offsets[i];
    if (leading > 0) {
      if ((i == 0 || from == 0) && addPrefixSpace && leading == 1)
        leading = 0;
      from = std::min(from + leading, to);
    }
    if (trailing > 0 && to >= trailing)
      to = std::max(to - trailing, from);
  }
}

class ByteLevelPostProcessor : public PostProcessor {
public:
  explicit ByteLevelPostProcessor(const JsonView &json)
      : trim(json.boolean("trim_offsets")), addPrefixSpace(json.boolean("add_prefix_space")) {}
  void process(std::vector<Encoding> &encodings, bool) const override {
    if (trim)
      for (Encoding &encoding : encodings)
        trimOffsets(encoding, addPrefixSpace);
  }

private:
  bool trim, addPrefixSpace;
};

/// [CLS] A [SEP] B [SEP], or RoBERTa's <s> A </s> </s> B </s> with all type ids 0.
class PairPostProcessor : public PostProcessor {
public:
  PairPostProcessor(const JsonView &json, bool roberta)
      : sep(json.at("sep")), cls(json.at("cls")), roberta(roberta),
        trim(roberta && json.boolean("trim_offsets")),
        addPrefixSpace(roberta && json.boolean("add_prefix_space")) {}

  void process(std::vector<Encoding> &encodings, bool addSpecialTokens) const override {
    for (size_t i = 0; i < encodings.size(); ++i) {
      Encoding &encoding = encodings[i];
      if (trim)
        trimOffsets(encoding, addPrefixSpace);
      if (roberta)
        setTypeIds(encoding, 0);
      if (!addSpecialTokens)
        continue;
      TokenId typeId = roberta || i == 0 ? 0 : 1;
      Encoding framed;
      if (i == 0)
        appendSpecial(framed, cls.token, cls.id, typeId);
      else if (roberta)
        appendSpecial(framed, sep.token, sep.id, typeId);
      framed.append(encoding);
      appendSpecial(framed, sep.token, sep.id, typeId);
      encoding = std::move(framed);
    }
  }

private:
  NamedToken sep, cls;
  bool roberta, trim, addPrefixSpace;
};

class TemplatePostProcessor : public PostProcessor {
public:
  explicit TemplatePostProcessor(const JsonView &json) {
    if (json.has("special_tokens")) {
      JsonView table = json.at("special_tokens");
      if (!table.raw().is_object())
        table.fail("expected an object, found ", table.raw().type_name());
      for (const auto &[key, value] : table.raw().items()) {
        JsonView entry(value, table.name() + " " + inQuotes(key));
        Special special;
        entry.at("ids").forEach([&](const JsonView &id) { special.ids.push_back(id.tokenId()); });
        entry.at("tokens").forEach([&](const JsonView &token) { special.tokens.push_back(token.string()); });
        if (special.ids.size() != special.tokens.size())
          entry.fail("expected as many tokens as ids, found ", special.tokens.size(), " and ",
                     special.ids.size());
        specials.emplace(key, std::move(special));
      }
    }
    single = readTemplate(json.at("single"), 1);
    pair = readTemplate(json.at("pair"), 2);
  }

  void process(std::vector<Encoding> &encodings, bool addSpecialTokens) const override {
    if (encodings.size() > 2)
      throw Error("tokenizer: post_processor: a template cannot follow another template");
    const std::vector<Piece> &pieces = encodings.size() == 2 ? pair : single;
    std::vector<Encoding> result;
    for (const Piece &piece : pieces) {
      if (piece.sequence >= 0) {
        Encoding part = encodings[static_cast<size_t>(piece.sequence)];
        setTypeIds(part, piece.typeId);
        result.push_back(std::move(part));
      } else if (addSpecialTokens) {
        Encoding part;
        for (size_t i = 0; i < piece.special->ids.size(); ++i)
          appendSpecial(part, piece.special->tokens[i], piece.special->ids[i], piece.typeId);
        result.push_back(std::move(part));
      }
    }
    encodings = std::move(result);
  }

private:
  struct Special {
    std::vector<TokenId> ids;
    std::vector<std::string> tokens;
  };
  struct Piece {
    int sequence; ///< 0: A, 1: B, -1: a special token.
    TokenId typeId;
    const Special *special;
  };

  std::vector<Piece> readTemplate(const JsonView &json, int sequences) {
    std::vector<Piece> pieces;
    json.forEach([&](const JsonView &element) {
      bool isSequence = element.has("Sequence");
      JsonView field = element.at(isSequence ? "Sequence" : "SpecialToken");
      const std::string id = field.string("id");
      TokenId typeId = field.at("type_id").tokenId();
      if (isSequence) {
        if (id != "A" && (id != "B" || sequences < 2))
          field.fail(sequences < 2 ? "expected sequence 'A', found " : "expected sequence 'A' or 'B', found ",
                     inQuotes(id));
        pieces.push_back({id == "B", typeId, nullptr});
        return;
      }
      auto found = specials.find(id);
      if (found == specials.end())
        field.fail("special token ", inQuotes(id), " is not in special_tokens");
      pieces.push_back({-1, typeId, &found->second});
    });
    return pieces;
  }

  std::unordered_map<std::string, Special> specials;
  std::vector<Piece> single, pair;
};

class SequencePostProcessor : public PostProcessor {
public:
  explicit SequencePostProcessor(std::vector<std::unique_ptr<PostProcessor>> parts)
      : parts(std::move(parts)) {}
  void process(std::vector<Encoding> &encodings, bool addSpecialTokens) const override {
    for (auto &part : parts)
      part->process(encodings, addSpecialTokens);
  }

private:
  std::vector<std::unique_ptr<PostProcessor>> parts;
};

} // namespace

static std::unique_ptr<PostProcessor> make(const JsonView &json, int depth) {
  const std::string &type = json.type();
  JsonView part(json.raw(), json.name() + " " + inQuotes(type));
  if (type == "Sequence") {
    if (depth == maxNesting)
      part.fail("sequences nest deeper than ", maxNesting);
    std::vector<std::unique_ptr<PostProcessor>> parts;
    part.at("processors").forEach([&](const JsonView &element) {
      parts.push_back(make(element, depth + 1));
    });
    return std::make_unique<SequencePostProcessor>(std::move(parts));
  }
  if (type == "TemplateProcessing")
    return std::make_unique<TemplatePostProcessor>(part);
  if (type == "BertProcessing" || type == "RobertaProcessing")
    return std::make_unique<PairPostProcessor>(part, type == "RobertaProcessing");
  if (type == "ByteLevel")
    return std::make_unique<ByteLevelPostProcessor>(part);
  part.fail(
      "unknown type, supported: BertProcessing, ByteLevel, RobertaProcessing, Sequence, TemplateProcessing");
}

std::unique_ptr<PostProcessor> sesame::makePostProcessor(const JsonView &json) { return make(json, 0); }
