//===- WordRules.cpp - How tokenizers written in Python cut words ---------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WordRules.h"
#include "PythonText.h"
#include "TextTools.h"

using namespace sesame;

namespace {

void appendSpaceWords(const NormalizedString &text, std::vector<NormalizedString> &words) {
  std::vector<ByteSpan> parts;
  python::split(text.text(), parts);
  for (ByteSpan part : parts)
    words.push_back(text.slice(part.begin, part.end));
}

/// Cuts each piece by itself into words.
class WordCutter : public PreTokenizer {
public:
  void split(std::vector<NormalizedString> &pieces) const final {
    std::vector<NormalizedString> words;
    for (NormalizedString &piece : pieces)
      cut(piece, words);
    pieces = std::move(words);
  }

private:
  virtual void cut(NormalizedString &text, std::vector<NormalizedString> &words) const = 0;
};

class SpaceWords : public Splitter {
public:
  void cut(std::string_view text, std::vector<ByteSpan> &parts) const override { python::split(text, parts); }
};

void stripAccents(NormalizedString &text) {
  text.normalizeForm(/*compatibility=*/false, /*compose=*/false);
  text.filter([](char32_t c) { return !python::isNonspacingMark(c); });
}

class MosesWords : public WordCutter {
public:
  MosesWords(std::shared_ptr<const Moses> moses, MosesOptions options)
      : moses(std::move(moses)), options(options) {}

private:
  void cut(NormalizedString &text, std::vector<NormalizedString> &words) const override {
    if (options.straightenQuotes) {
      static const Substitution backticks("``", "\""), apostrophes("''", "\"");
      backticks.apply(text);
      apostrophes.apply(text);
      text.normalizeForm(/*compatibility=*/false, /*compose=*/true);
    }
    if (options.lowercase)
      python::lower(text);
    moses->normalize(text, options.onlyPunctuation);
    moses->separate(text, options.splitHyphens, options.escapeXml);
    if (options.splitNumbers) {
      static const Substitution marks("(?<=\\d)([,.])(?=\\d)", " @\\1@ ");
      marks.apply(text);
    }
    if (options.stripAccents) {
      python::lower(text);
      stripAccents(text);
      python::lower(text);
    }
    appendSpaceWords(text, words);
  }

  std::shared_ptr<const Moses> moses;
  MosesOptions options;
};

class MosesJoiner : public Decoder {
public:
  explicit MosesJoiner(std::shared_ptr<const Moses> moses) : moses(std::move(moses)) {}
  void decode(std::vector<std::string> &tokens) const override {
    std::string text;
    for (std::string &token : tokens) {
      replaceAll(token, " ", "");
      replaceAll(token, "</w>", " ");
      text += token;
    }
    std::vector<ByteSpan> parts;
    python::split(text, parts);
    std::vector<std::string> words;
    for (ByteSpan part : parts)
      words.push_back(text.substr(part.begin, part.end - part.begin));
    tokens.assign(1, moses->join(words));
  }

private:
  std::shared_ptr<const Moses> moses;
};

/// str.strip().
std::string stripped(const std::string &text) {
  std::vector<ByteSpan> parts;
  python::split(text, parts);
  return parts.empty() ? "" : text.substr(parts.front().begin, parts.back().end - parts.front().begin);
}

class Stripper : public Decoder {
public:
  explicit Stripper(std::unique_ptr<Decoder> inner) : inner(std::move(inner)) {}
  void decode(std::vector<std::string> &tokens) const override {
    inner->decode(tokens);
    std::string all;
    for (const std::string &token : tokens)
      all += token;
    tokens.assign(1, stripped(all));
  }

private:
  std::unique_ptr<Decoder> inner;
};

class NumberJoiner : public Decoder {
public:
  explicit NumberJoiner(std::shared_ptr<const Moses> moses) : moses(std::move(moses)) {}
  void decode(std::vector<std::string> &tokens) const override {
    std::string text = moses->join(tokens);
    replaceAll(text, " @,@ ", ",");
    replaceAll(text, " @.@ ", ".");
    tokens.assign(1, std::move(text));
  }

private:
  std::shared_ptr<const Moses> moses;
};

class BlankJoiner : public Decoder {
public:
  BlankJoiner(std::string removed, bool cleanUp) : removed(std::move(removed)), cleanUp(cleanUp) {}
  void decode(std::vector<std::string> &tokens) const override {
    std::string all;
    for (const std::string &token : tokens)
      all += (all.empty() ? "" : " ") + token;
    replaceAll(all, removed, "");
    all = stripped(all);
    static const char *const blanks[][2] = {{" .", "."},     {" ?", "?"},     {" !", "!"},   {" ,", ","},
                                            {" ' ", "'"},    {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"},
                                            {" 've", "'ve"}, {" 're", "'re"}};
    for (auto &[from, to] : blanks)
      if (cleanUp)
        replaceAll(all, from, to);
    tokens.assign(1, std::move(all));
  }

private:
  std::string removed;
  bool cleanUp;
};

class LineWords : public Splitter {
public:
  explicit LineWords(bool separatorsAreBlank)
      : isBlank(separatorsAreBlank ? python::isSpace : unicode::isWhitespace) {}
  void cut(std::string_view text, std::vector<ByteSpan> &parts) const override {
    size_t before = parts.size();
    python::split(text, parts, isBlank);
    for (size_t i = before; i < parts.size(); ++i)
      if (parts[i].end < text.size() && text[parts[i].end] == '\n')
        ++parts[i].end;
  }

private:
  bool (*isBlank)(char32_t);
};

class DialogueWords : public WordCutter {
  void cut(NormalizedString &text, std::vector<NormalizedString> &words) const override {
    static const Substitution punctuation("([.,!?()])", " \\1"), apostrophe("'", " ' "),
        spaces("\\s{2,}", " "), lineBreak("\n", " __newln__");
    std::vector<ByteSpan> parts;
    lines.cut(text.text(), parts);
    for (ByteSpan part : parts) {
      NormalizedString word = text.slice(part.begin, part.end);
      for (const Substitution *rule : {&punctuation, &apostrophe, &spaces, &lineBreak})
        rule->apply(word);
      const std::string &all = word.text();
      for (size_t from = 0, to; from < all.size(); from = to + 1) {
        to = std::min(all.find(' ', from), all.size());
        if (to == from)
          continue;
        words.push_back(word.slice(static_cast<uint32_t>(from), static_cast<uint32_t>(to)));
        python::lower(words.back());
      }
    }
  }

  LineWords lines{/*separatorsAreBlank=*/false};
};

class BasicWords : public WordCutter {
public:
  explicit BasicWords(BasicOptions options) : options(options) {}

private:
  void cut(NormalizedString &text, std::vector<NormalizedString> &words) const override {
    text.filter([](char32_t c) {
      return c == '\t' || c == '\n' || c == '\r' || !(c == 0 || c == 0xFFFD || python::isOther(c));
    });
    if (options.separateChinese)
      separateChinese(text);
    text.normalizeForm(/*compatibility=*/false, /*compose=*/true);
    std::vector<NormalizedString> parts;
    appendSpaceWords(text, parts);
    for (NormalizedString &part : parts) {
      if (options.lowercase)
        python::lower(part);
      if (options.stripAccents)
        stripAccents(part);
      splitPunctuation(part, words);
    }
  }

  static void separateChinese(NormalizedString &text) {
    std::vector<NormalizedString::Change> changes;
    unicode::forEach(text.text(), [&](char32_t c, uint32_t, uint32_t) {
      const bool isChinese = (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
                             (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2CEAF) ||
                             (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
      if (!isChinese) {
        changes.push_back({c, 0});
        return;
      }
      changes.push_back({' ', 0});
      changes.push_back({c, 1});
      changes.push_back({' ', 1});
    });
    text.transform(changes);
  }

  static void splitPunctuation(const NormalizedString &part, std::vector<NormalizedString> &words) {
    std::vector<ByteSpan> spans;
    bool open = false;
    unicode::forEach(part.text(), [&](char32_t c, uint32_t at, uint32_t length) {
      const bool isSymbol =
          (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
      const bool isApart = isSymbol || python::isPunctuation(c);
      if (isApart || !open)
        spans.push_back({at, at + length});
      else
        spans.back().end = at + length;
      open = !isApart;
    });
    for (ByteSpan span : spans)
      appendSpaceWords(part.slice(span.begin, span.end), words);
  }

  BasicOptions options;
};

} // namespace

std::unique_ptr<PreTokenizer> sesame::makeMosesWords(std::shared_ptr<const Moses> moses,
                                                     MosesOptions options) {
  return std::make_unique<MosesWords>(std::move(moses), options);
}

std::unique_ptr<Decoder> sesame::makeMosesJoiner(std::shared_ptr<const Moses> moses) {
  return std::make_unique<MosesJoiner>(std::move(moses));
}

std::unique_ptr<Decoder> sesame::makeNumberJoiner(std::shared_ptr<const Moses> moses) {
  return std::make_unique<NumberJoiner>(std::move(moses));
}

std::unique_ptr<Decoder> sesame::makeBlankJoiner(std::string removed, bool cleanUp) {
  return std::make_unique<BlankJoiner>(std::move(removed), cleanUp);
}

std::unique_ptr<Decoder> sesame::makeStripper(std::unique_ptr<Decoder> inner) {
  return std::make_unique<Stripper>(std::move(inner));
}

std::unique_ptr<PreTokenizer> sesame::makeLineWords(bool separatorsAreBlank) {
  return std::make_unique<LineWords>(separatorsAreBlank);
}
std::unique_ptr<PreTokenizer> sesame::makeDialogueWords() { return std::make_unique<DialogueWords>(); }
std::unique_ptr<PreTokenizer> sesame::makeSpaceWords() { return std::make_unique<SpaceWords>(); }

std::unique_ptr<PreTokenizer> sesame::makeBasicWords(BasicOptions options) {
  return std::make_unique<BasicWords>(options);
}
