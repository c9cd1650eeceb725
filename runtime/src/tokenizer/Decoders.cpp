//===- Decoders.cpp - The decoders of tokenizer.json ----------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "JsonView.h"
#include "Parts.h"
#include "Pattern.h"
#include "TextTools.h"

#include <algorithm>

using namespace sesame;

namespace {

class SequenceDecoder : public Decoder {
public:
  explicit SequenceDecoder(std::vector<std::unique_ptr<Decoder>> parts) : parts(std::move(parts)) {}
  void decode(std::vector<std::string> &tokens) const override {
    for (auto &part : parts)
      part->decode(tokens);
  }

private:
  std::vector<std::unique_ptr<Decoder>> parts;
};

/// From the byte alphabet back to bytes. A token with any other character stands for itself; bytes that are
/// not UTF-8 become U+FFFD.
class ByteLevelDecoder : public Decoder {
  void decode(std::vector<std::string> &tokens) const override {
    std::string bytes, token;
    for (const std::string &text : tokens) {
      token.clear();
      bool mapped = true;
      unicode::forEach(text, [&](char32_t c, uint32_t, uint32_t) {
        int byte = ByteAlphabet::get().byte(c);
        mapped &= byte >= 0;
        token += static_cast<char>(byte);
      });
      bytes += mapped ? token : text;
    }
    tokens.assign(1, unicode::replaceInvalid(bytes));
  }
};

/// Removes the artefacts that splitting English at punctuation leaves.
void cleanUp(std::string &text) {
  static const char *const rules[][2] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (auto &rule : rules)
    replaceAll(text, rule[0], rule[1]);
}

class WordPieceDecoder : public Decoder {
public:
  WordPieceDecoder(std::string prefix, bool cleanup) : prefix(std::move(prefix)), cleanup(cleanup) {}
  void decode(std::vector<std::string> &tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      std::string &token = tokens[i];
      if (i > 0) {
        if (token.compare(0, prefix.size(), prefix) == 0)
          token.erase(0, prefix.size());
        else
          token.insert(0, " ");
      }
      if (cleanup)
        cleanUp(token);
    }
  }

private:
  std::string prefix;
  bool cleanup;
};

class MetaspaceDecoder : public Decoder {
public:
  MetaspaceDecoder(std::string replacement, bool stripsFirst)
      : replacement(std::move(replacement)), stripsFirst(stripsFirst) {}
  void decode(std::vector<std::string> &tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i)
      replaceAll(tokens[i], replacement, i == 0 && stripsFirst ? "" : " ");
  }

private:
  std::string replacement;
  bool stripsFirst;
};

class BpeDecoder : public Decoder {
public:
  explicit BpeDecoder(std::string suffix) : suffix(std::move(suffix)) {}
  void decode(std::vector<std::string> &tokens) const override {
    if (suffix.empty())
      return;
    for (size_t i = 0; i < tokens.size(); ++i)
      replaceAll(tokens[i], suffix, i + 1 == tokens.size() ? "" : " ");
  }

private:
  std::string suffix;
};

/// Turns runs of <0x..> tokens into text, or, if a run as a whole is not UTF-8, into as many U+FFFD.
class ByteFallbackDecoder : public Decoder {
  void decode(std::vector<std::string> &tokens) const override {
    std::vector<std::string> result;
    std::string bytes;
    auto flush = [&] {
      if (bytes.empty())
        return;
      if (unicode::findInvalidUtf8(bytes) == std::string::npos)
        result.push_back(bytes);
      else
        result.insert(result.end(), bytes.size(), "\xEF\xBF\xBD");
      bytes.clear();
    };
    for (std::string &token : tokens) {
      int byte = byteOfToken(token);
      if (byte >= 0) {
        bytes += static_cast<char>(byte);
        continue;
      }
      flush();
      result.push_back(std::move(token));
    }
    flush();
    tokens = std::move(result);
  }
};

class FuseDecoder : public Decoder {
  void decode(std::vector<std::string> &tokens) const override {
    std::string all;
    for (const std::string &token : tokens)
      all += token;
    tokens.assign(1, std::move(all));
  }
};

/// Takes up to `start` and `stop` copies of a character off the ends of each token.
class StripDecoder : public Decoder {
public:
  StripDecoder(std::string content, int64_t start, int64_t stop)
      : content(std::move(content)), start(start), stop(stop) {}
  void decode(std::vector<std::string> &tokens) const override {
    for (std::string &token : tokens) {
      size_t from = 0, to = token.size(), n = content.size();
      for (int64_t i = 0; i < start && token.compare(from, n, content) == 0 && from + n <= to; ++i)
        from += n;
      for (int64_t i = 0; i < stop && to >= from + n && token.compare(to - n, n, content) == 0; ++i)
        to -= n;
      token = token.substr(from, to - from);
    }
  }

private:
  std::string content;
  int64_t start, stop;
};

class ReplaceDecoder : public Decoder {
public:
  explicit ReplaceDecoder(const JsonView &json)
      : pattern(json.at("pattern")), content(json.string("content")) {}
  void decode(std::vector<std::string> &tokens) const override {
    std::vector<ByteSpan> matches;
    for (std::string &token : tokens) {
      matches.clear();
      pattern.findAll(token, matches);
      if (matches.empty())
        continue;
      std::string out;
      uint32_t last = 0;
      for (ByteSpan match : matches) {
        out.append(token, last, match.begin - last);
        out += content;
        last = match.end;
      }
      out.append(token, last, std::string::npos);
      token = std::move(out);
    }
  }

private:
  Pattern pattern;
  std::string content;
};

/// Connectionist temporal classification (Graves et al. 2006): repeats collapse, the blank vanishes.
class CtcDecoder : public Decoder {
public:
  CtcDecoder(std::string pad, std::string delimiter, bool cleanup)
      : pad(std::move(pad)), delimiter(std::move(delimiter)), cleanup(cleanup) {}
  void decode(std::vector<std::string> &tokens) const override {
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    for (std::string &token : tokens) {
      if (!pad.empty())
        replaceAll(token, pad, "");
      if (!cleanup)
        continue;
      cleanUp(token);
      if (!delimiter.empty())
        replaceAll(token, delimiter, " ");
    }
    tokens.erase(std::remove(tokens.begin(), tokens.end(), std::string()), tokens.end());
  }

private:
  std::string pad, delimiter;
  bool cleanup;
};

std::string oneCharacter(const JsonView &json) {
  if (unicode::count(json.string()) != 1)
    json.fail("expected one character, found ", inQuotes(json.string()));
  return json.string();
}

} // namespace

static std::unique_ptr<Decoder> make(const JsonView &json, int depth) {
  const std::string &type = json.type();
  JsonView part(json.raw(), json.name() + " " + inQuotes(type));
  if (type == "Sequence") {
    if (depth == maxNesting)
      part.fail("sequences nest deeper than ", maxNesting);
    std::vector<std::unique_ptr<Decoder>> parts;
    part.at("decoders").forEach([&](const JsonView &element) { parts.push_back(make(element, depth + 1)); });
    return std::make_unique<SequenceDecoder>(std::move(parts));
  }
  if (type == "ByteLevel")
    return std::make_unique<ByteLevelDecoder>();
  if (type == "WordPiece")
    return std::make_unique<WordPieceDecoder>(part.string("prefix"), part.boolean("cleanup"));
  if (type == "Metaspace") {
    bool never =
        part.string("prepend_scheme", "always") == "never" || !part.boolean("add_prefix_space", true);
    return std::make_unique<MetaspaceDecoder>(
        part.has("replacement") ? oneCharacter(part.at("replacement")) : "\xE2\x96\x81", !never);
  }
  if (type == "BPEDecoder")
    return std::make_unique<BpeDecoder>(part.string("suffix"));
  if (type == "ByteFallback")
    return std::make_unique<ByteFallbackDecoder>();
  if (type == "Fuse")
    return std::make_unique<FuseDecoder>();
  if (type == "Strip")
    return std::make_unique<StripDecoder>(oneCharacter(part.at("content")),
                                          part.at("start").integer(0, INT32_MAX),
                                          part.at("stop").integer(0, INT32_MAX));
  if (type == "Replace")
    return std::make_unique<ReplaceDecoder>(part);
  if (type == "CTC")
    return std::make_unique<CtcDecoder>(part.string("pad_token"), part.string("word_delimiter_token"),
                                        part.boolean("cleanup"));
  part.fail("unknown type, supported: BPEDecoder, ByteFallback, ByteLevel, CTC, Fuse, Metaspace, Replace, "
            "Sequence, "
            "Strip, WordPiece");
}

std::unique_ptr<Decoder> sesame::makeDecoder(const JsonView &json) { return make(json, 0); }
