//===- Normalizers.cpp - The normalizers of tokenizer.json ----------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CharsMap.h"
#include "JsonView.h"
#include "Parts.h"
#include "Pattern.h"
#include "Regex.h"
#include "TextTools.h"

#include <utf8proc.h>

using namespace sesame;

namespace {

class SequenceNormalizer : public Normalizer {
public:
  explicit SequenceNormalizer(std::vector<std::unique_ptr<Normalizer>> parts) : parts(std::move(parts)) {}
  void normalize(NormalizedString &text) const override {
    for (auto &part : parts)
      part->normalize(text);
  }
  bool keepsAscii() const override {
    for (auto &part : parts)
      if (!part->keepsAscii())
        return false;
    return true;
  }

private:
  std::vector<std::unique_ptr<Normalizer>> parts;
};

/// NFC, NFD, NFKC, NFKD (UAX #15).
class FormNormalizer : public Normalizer {
public:
  FormNormalizer(bool compatibility, bool compose) : compatibility(compatibility), compose(compose) {}
  void normalize(NormalizedString &text) const override { text.normalizeForm(compatibility, compose); }
  bool keepsAscii() const override { return true; }

private:
  bool compatibility, compose;
};

class LowercaseNormalizer : public Normalizer {
  void normalize(NormalizedString &text) const override { text.lowercase(); }
};

class StripAccentsNormalizer : public Normalizer {
  void normalize(NormalizedString &text) const override {
    text.filter([](char32_t c) { return !unicode::isCombiningMark(c); });
  }
  bool keepsAscii() const override { return true; }
};

class StripNormalizer : public Normalizer {
public:
  StripNormalizer(bool left, bool right) : left(left), right(right) {}
  void normalize(NormalizedString &text) const override { text.strip(left, right); }

private:
  bool left, right;
};

class ReplaceNormalizer : public Normalizer {
public:
  explicit ReplaceNormalizer(const JsonView &json)
      : pattern(json.at("pattern")), content(json.string("content")) {}
  void normalize(NormalizedString &text) const override {
    std::vector<ByteSpan> matches;
    pattern.findAll(text.text(), matches);
    text.replace(matches, content);
  }

private:
  Pattern pattern;
  std::string content;
};

class PrependNormalizer : public Normalizer {
public:
  explicit PrependNormalizer(std::string prefix) : prefix(std::move(prefix)) {}
  void normalize(NormalizedString &text) const override { text.prepend(prefix); }

private:
  std::string prefix;
};

/// The rules of SentencePiece's "nmt" normalization.
class NmtNormalizer : public Normalizer {
  void normalize(NormalizedString &text) const override {
    text.filter([](char32_t c) {
      return !((c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F ||
               c == 0x9F);
    });
    text.map([](char32_t c) -> char32_t {
      switch (c) {
      case 0x09:
      case 0x0A:
      case 0x0C:
      case 0x0D:
      case 0x1680:
      case 0x2028:
      case 0x2029:
      case 0x2581:
      case 0xFEFF:
      case 0xFFFD:
        return ' ';
      default:
        return c >= 0x200B && c <= 0x200F ? ' ' : c;
      }
    });
  }
};

/// BERT's BasicTokenizer, the part before splitting.
class BertNormalizer : public Normalizer {
public:
  explicit BertNormalizer(const JsonView &json)
      : cleanText(json.boolean("clean_text")), handleChinese(json.boolean("handle_chinese_chars")),
        lowercase(json.boolean("lowercase")), stripAccents(json.boolean("strip_accents", lowercase)) {}

  void normalize(NormalizedString &text) const override {
    if (unicode::isAscii(text.text()))
      return normalizeAscii(text);
    if (cleanText) {
      text.filter([](char32_t c) {
        return c == '\t' || c == '\n' || c == '\r' || !(c == 0 || c == 0xFFFD || unicode::isControl(c));
      });
      text.map([](char32_t c) -> char32_t { return unicode::isWhitespace(c) ? ' ' : c; });
    }
    if (handleChinese) {
      std::vector<NormalizedString::Change> changes;
      unicode::forEach(text.text(), [&](char32_t c, uint32_t, uint32_t) {
        if (isChinese(c)) {
          changes.push_back({' ', 0});
          changes.push_back({c, 1});
          changes.push_back({' ', 1});
        } else {
          changes.push_back({c, 0});
        }
      });
      text.transform(changes);
    }
    if (stripAccents) {
      text.normalizeForm(/*compatibility=*/false, /*compose=*/false);
      text.filter([](char32_t c) { return !unicode::isNonspacingMark(c); });
    }
    if (lowercase)
      text.lowercase();
  }

private:
  /// The same for a text in which nothing can be an ideograph or have an accent: one pass.
  void normalizeAscii(NormalizedString &text) const {
    std::string out;
    std::vector<ByteSpan> spans;
    out.reserve(text.text().size());
    spans.reserve(text.text().size());
    for (uint32_t i = 0; i < text.text().size(); ++i) {
      char c = text.text()[i];
      if (cleanText) {
        bool blank = unicode::isWhitespace(static_cast<unsigned char>(c));
        if (unicode::isControl(static_cast<unsigned char>(c)) && c != '\t' && c != '\n' && c != '\r')
          continue;
        c = blank ? ' ' : c;
      }
      if (lowercase && c >= 'A' && c <= 'Z')
        c = static_cast<char>(c + 32);
      out += c;
      spans.push_back(text.alignment(i));
    }
    text.assign(std::move(out), std::move(spans));
  }

  /// The CJK ideograph blocks of the reference code, with its gap between U+2B81F and U+2B920.
  static bool isChinese(char32_t c) {
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
           (c >= 0x2A700 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0x2F800 && c <= 0x2FA1F);
  }

  bool cleanText, handleChinese, lowercase, stripAccents;
};

/// SentencePiece's compiled rules the way the `tokenizers` library applies them: to a grapheme of less than 6
/// bytes the rule with the shortest left side, in its place as a whole; else to each character.
class PrecompiledNormalizer : public Normalizer {
public:
  explicit PrecompiledNormalizer(const JsonView &json) {
    JsonView field = json.at("precompiled_charsmap");
    std::string blob;
    if (!decodeBase64(field.string(), blob))
      field.fail("not valid base64");
    rules = CharsMap(blob, field.name());
  }

  void normalize(NormalizedString &text) const override {
    using Change = NormalizedString::Change;
    const std::string &string = text.text();
    std::vector<Change> changes;
    bool modified = false;
    auto rewrite = [&](std::string_view part) {
      CharsMap::Rule rule = rules.shortest(part);
      if (rule.length == 0)
        return false;
      modified = true;
      auto oldCount = static_cast<int64_t>(unicode::count(part));
      auto newCount = static_cast<int64_t>(unicode::count(rule.replacement));
      unicode::forEach(rule.replacement, [&](char32_t c, uint32_t, uint32_t) { changes.push_back({c, 0}); });
      for (int64_t i = 0; i < newCount - oldCount; ++i)
        changes[changes.size() - 1 - static_cast<size_t>(i)].change = 1;
      if (newCount < oldCount && !changes.empty())
        changes.back().change += static_cast<int32_t>(newCount - oldCount);
      return true;
    };
    auto flush = [&](uint32_t from, uint32_t to) {
      std::string_view grapheme = std::string_view(string).substr(from, to - from);
      if (grapheme.size() < 6 && rewrite(grapheme))
        return;
      unicode::forEach(grapheme, [&](char32_t c, uint32_t at, uint32_t length) {
        if (!rewrite(grapheme.substr(at, length)))
          changes.push_back({c, 0});
      });
    };
    uint32_t from = 0;
    utf8proc_int32_t state = 0, previous = 0;
    unicode::forEach(string, [&](char32_t c, uint32_t at, uint32_t) {
      auto current = static_cast<utf8proc_int32_t>(c);
      // Between two ASCII characters there always is a break, but for CR LF.
      bool breaks = previous < 0x80 && current < 0x80 && previous != '\r';
      if (breaks)
        state = 0;
      else
        breaks = utf8proc_grapheme_break_stateful(previous, current, &state);
      if (at > 0 && breaks) {
        flush(from, at);
        from = at;
      }
      previous = current;
    });
    if (from < string.size())
      flush(from, static_cast<uint32_t>(string.size()));
    if (modified)
      text.transform(changes);
  }

private:
  CharsMap rules;
};

class ByteLevelNormalizer : public Normalizer {
  void normalize(NormalizedString &text) const override { mapToByteLevel(text); }
};

} // namespace

static std::unique_ptr<Normalizer> make(const JsonView &json, int depth) {
  const std::string &type = json.type();
  JsonView part(json.raw(), json.name() + " " + inQuotes(type));
  if (type == "Sequence") {
    if (depth == maxNesting)
      part.fail("sequences nest deeper than ", maxNesting);
    std::vector<std::unique_ptr<Normalizer>> parts;
    part.at("normalizers").forEach([&](const JsonView &element) {
      parts.push_back(make(element, depth + 1));
    });
    return std::make_unique<SequenceNormalizer>(std::move(parts));
  }
  if (type == "BertNormalizer")
    return std::make_unique<BertNormalizer>(part);
  if (type == "NFC" || type == "NFD" || type == "NFKC" || type == "NFKD")
    return std::make_unique<FormNormalizer>(type.size() == 4, type.back() == 'C');
  if (type == "Lowercase")
    return std::make_unique<LowercaseNormalizer>();
  if (type == "StripAccents")
    return std::make_unique<StripAccentsNormalizer>();
  if (type == "Strip")
    return std::make_unique<StripNormalizer>(part.boolean("strip_left"), part.boolean("strip_right"));
  if (type == "Replace")
    return std::make_unique<ReplaceNormalizer>(part);
  if (type == "Prepend")
    return std::make_unique<PrependNormalizer>(part.string("prepend"));
  if (type == "Nmt")
    return std::make_unique<NmtNormalizer>();
  if (type == "Precompiled")
    return std::make_unique<PrecompiledNormalizer>(part);
  if (type == "ByteLevel")
    return std::make_unique<ByteLevelNormalizer>();
  part.fail("unknown type, supported: BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, "
            "Precompiled, "
            "Prepend, Replace, Sequence, Strip, StripAccents");
}

std::unique_ptr<Normalizer> sesame::makeNormalizer(const JsonView &json) { return make(json, 0); }
