//===- PreTokenizers.cpp - The pre-tokenizers of tokenizer.json -----------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Gpt2Scanner.h"
#include "JsonView.h"
#include "Parts.h"
#include "Pattern.h"
#include "TextTools.h"
#include "UnicodeScripts.h"

#include <algorithm>

using namespace sesame;

void Splitter::split(std::vector<NormalizedString> &pieces) const {
  std::vector<NormalizedString> result;
  std::vector<ByteSpan> parts;
  for (NormalizedString &piece : pieces) {
    parts.clear();
    cut(piece.text(), parts);
    if (parts.size() == 1 && parts[0].begin == 0 && parts[0].end == piece.text().size()) {
      result.push_back(std::move(piece));
      continue;
    }
    for (ByteSpan part : parts)
      result.push_back(piece.slice(part.begin, part.end));
  }
  pieces = std::move(result);
}

bool Splitter::addTo(ByteLevelPlan &plan) const {
  // After the mapping, a splitter would see other characters.
  if (plan.complete)
    return false;
  plan.splitters.push_back(this);
  return true;
}

namespace {

/// What becomes of the delimiters. For "the-final--countdown": Removed the|final|countdown, Isolated
/// the|-|final|-|-|countdown, MergedWithPrevious the-|final-|-|countdown, MergedWithNext
/// the|-final|-|-countdown, Contiguous the|-|final|--|countdown.
enum class Behavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };

/// Collects the parts of one text while delimiters are reported from left to right.
class Cutter {
public:
  Cutter(std::string_view text, Behavior behavior, bool invert, std::vector<ByteSpan> &parts)
      : size(static_cast<uint32_t>(text.size())), behavior(behavior), invert(invert), parts(parts),
        first(parts.size()) {}

  void match(uint32_t from, uint32_t to) {
    if (last < from)
      add(last, from, invert);
    add(from, to, !invert);
    last = to;
  }

  void finish() {
    if (last < size)
      add(last, size, invert);
    // A trailing run of MergedWithNext has nothing to merge with and stays.
    parts.erase(std::remove_if(parts.begin() + static_cast<std::ptrdiff_t>(first), parts.end(),
                               [](ByteSpan part) { return part.begin == part.end; }),
                parts.end());
  }

private:
  void add(uint32_t from, uint32_t to, bool isDelimiter) {
    bool extend = false;
    switch (behavior) {
    case Behavior::Removed:
      if (isDelimiter)
        return;
      break;
    case Behavior::Isolated:
      break;
    case Behavior::Contiguous:
      extend = isDelimiter == previous && parts.size() > first;
      break;
    case Behavior::MergedWithPrevious:
      extend = isDelimiter && !previous && parts.size() > first;
      break;
    case Behavior::MergedWithNext:
      extend = !isDelimiter && previous && parts.size() > first;
      break;
    }
    previous = isDelimiter;
    if (extend)
      parts.back().end = to;
    else
      parts.push_back({from, to});
  }

  uint32_t size, last = 0;
  Behavior behavior;
  bool invert, previous = false;
  std::vector<ByteSpan> &parts;
  size_t first;
};

Behavior parseBehavior(const JsonView &json) {
  const std::string &name = json.string();
  if (name == "Removed")
    return Behavior::Removed;
  if (name == "Isolated")
    return Behavior::Isolated;
  if (name == "MergedWithPrevious")
    return Behavior::MergedWithPrevious;
  if (name == "MergedWithNext")
    return Behavior::MergedWithNext;
  if (name == "Contiguous")
    return Behavior::Contiguous;
  json.fail("unknown behavior ", inQuotes(name),
            ", supported: Contiguous, Isolated, MergedWithNext, MergedWithPrevious, Removed");
}

/// Cuts at each character for which `Predicate` holds.
template <typename Predicate> class CharacterSplitter : public Splitter {
public:
  CharacterSplitter(Predicate predicate, Behavior behavior) : predicate(predicate), behavior(behavior) {}
  void cut(std::string_view text, std::vector<ByteSpan> &parts) const override {
    Cutter cutter(text, behavior, false, parts);
    unicode::forEach(text, [&](char32_t c, uint32_t at, uint32_t length) {
      if (predicate(c))
        cutter.match(at, at + length);
    });
    cutter.finish();
  }

private:
  Predicate predicate;
  Behavior behavior;
};

template <typename Predicate> std::unique_ptr<PreTokenizer> splitAt(Predicate predicate, Behavior behavior) {
  return std::make_unique<CharacterSplitter<Predicate>>(predicate, behavior);
}

/// `Whitespace`: runs of word characters and runs of other characters that are not white space.
class WordSplitter : public Splitter {
public:
  void cut(std::string_view text, std::vector<ByteSpan> &parts) const override {
    int previous = 0; // 0: white space, 1: word, 2: other.
    unicode::forEach(text, [&](char32_t c, uint32_t at, uint32_t length) {
      int kind = unicode::isWord(c) ? 1 : unicode::isWhitespace(c) ? 0 : 2;
      if (kind != 0 && kind == previous)
        parts.back().end = at + length;
      else if (kind != 0)
        parts.push_back({at, at + length});
      previous = kind;
    });
  }
};

/// BERT's BasicTokenizer: white space separates, punctuation stands alone.
class BertSplitter : public Splitter {
public:
  void cut(std::string_view text, std::vector<ByteSpan> &parts) const override {
    bool open = false;
    unicode::forEach(text, [&](char32_t c, uint32_t at, uint32_t length) {
      if (unicode::isWhitespace(c)) {
        open = false;
      } else if (unicode::isPunctuation(c)) {
        parts.push_back({at, at + length});
        open = false;
      } else if (open) {
        parts.back().end = at + length;
      } else {
        parts.push_back({at, at + length});
        open = true;
      }
    });
  }
};

class Gpt2Splitter : public Splitter {
public:
  void cut(std::string_view text, std::vector<ByteSpan> &parts) const override { scanGpt2Words(text, parts); }
};

class PatternSplitter : public Splitter {
public:
  explicit PatternSplitter(const JsonView &json)
      : pattern(json.at("pattern")), behavior(parseBehavior(json.at("behavior"))),
        invert(json.boolean("invert")) {}
  void cut(std::string_view text, std::vector<ByteSpan> &parts) const override {
    std::vector<ByteSpan> matches;
    pattern.findAll(text, matches);
    Cutter cutter(text, behavior, invert, parts);
    for (ByteSpan match : matches)
      cutter.match(match.begin, match.end);
    cutter.finish();
  }

private:
  Pattern pattern;
  Behavior behavior;
  bool invert;
};

class FixedLengthSplitter : public Splitter {
public:
  explicit FixedLengthSplitter(int64_t length) : length(length) {}
  void cut(std::string_view text, std::vector<ByteSpan> &parts) const override {
    int64_t count = 0;
    unicode::forEach(text, [&](char32_t, uint32_t at, uint32_t bytes) {
      if (count++ % length == 0)
        parts.push_back({at, at + bytes});
      else
        parts.back().end = at + bytes;
    });
  }

private:
  int64_t length;
};

/// Cuts where the script changes. Blanks go with what precedes them, kana and the prolonged sound mark count
/// as Han (SentencePiece's rule).
class ScriptSplitter : public Splitter {
public:
  void cut(std::string_view text, std::vector<ByteSpan> &parts) const override {
    int previous = -1;
    const size_t first = parts.size();
    unicode::forEach(text, [&](char32_t c, uint32_t at, uint32_t length) {
      int script = c == ' ' ? -1 : c == 0x30FC ? hanScript() : scriptOf(c);
      if (script != -1 && script != previous) {
        parts.push_back({at, at + length});
        previous = script;
      } else if (parts.size() > first) { // Blanks before the first script are dropped, as in the reference.
        parts.back().end = at + length;
      }
    });
  }
};

/// SentencePiece's way with blanks: each becomes `replacement`, one more comes first, and a word starts at
/// each.
class MetaspacePreTokenizer : public PreTokenizer {
public:
  explicit MetaspacePreTokenizer(const JsonView &json)
      : replacement(json.string("replacement", "\xE2\x96\x81")) {
    if (unicode::count(replacement) != 1)
      json.at("replacement").fail("expected one character, found ", inQuotes(replacement));
    std::string scheme = json.string("prepend_scheme", "always");
    if (json.has("add_prefix_space") && !json.boolean("add_prefix_space")) {
      if (json.has("prepend_scheme") && scheme != "never")
        json.fail("add_prefix_space is false, but prepend_scheme is ", inQuotes(scheme));
      scheme = "never";
    }
    if (scheme != "always" && scheme != "first" && scheme != "never")
      json.fail("unknown prepend_scheme ", inQuotes(scheme), ", supported: always, first, never");
    always = scheme == "always";
    first = scheme == "first";
    cutWords = json.boolean("split", true);
  }

  void split(std::vector<NormalizedString> &pieces) const override {
    std::vector<NormalizedString> result;
    std::vector<ByteSpan> spans;
    for (NormalizedString &piece : pieces) {
      spans.clear();
      for (size_t at = 0; (at = piece.text().find(' ', at)) != std::string::npos; ++at)
        spans.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(at + 1)});
      piece.replace(spans, replacement);
      bool starts = piece.text().compare(0, replacement.size(), replacement) == 0;
      if (!starts && (always || (first && piece.originalBegin() == 0)))
        piece.prepend(replacement);
      if (!cutWords) {
        result.push_back(std::move(piece));
        continue;
      }
      spans.clear();
      Cutter cutter(piece.text(), Behavior::MergedWithNext, false, spans);
      for (size_t at = 0; (at = piece.text().find(replacement, at)) != std::string::npos;
           at += replacement.size())
        cutter.match(static_cast<uint32_t>(at), static_cast<uint32_t>(at + replacement.size()));
      cutter.finish();
      for (ByteSpan span : spans)
        result.push_back(piece.slice(span.begin, span.end));
    }
    pieces = std::move(result);
  }

private:
  std::string replacement;
  bool always, first, cutWords;
};

class ByteLevelPreTokenizer : public PreTokenizer {
public:
  explicit ByteLevelPreTokenizer(const JsonView &json)
      : addPrefixSpace(json.boolean("add_prefix_space")), useRegex(json.boolean("use_regex", true)) {}

  void split(std::vector<NormalizedString> &pieces) const override {
    if (addPrefixSpace)
      for (NormalizedString &piece : pieces)
        if (piece.text()[0] != ' ')
          piece.prepend(" ");
    if (useRegex)
      words.split(pieces);
    for (NormalizedString &piece : pieces)
      mapToByteLevel(piece);
  }

  bool addTo(ByteLevelPlan &plan) const override {
    if (plan.complete || (addPrefixSpace && !plan.splitters.empty()))
      return false;
    plan.addPrefixSpace = addPrefixSpace;
    if (useRegex)
      plan.splitters.push_back(&words);
    plan.complete = true;
    return true;
  }

private:
  bool addPrefixSpace, useRegex;
  Gpt2Splitter words;
};

class SequencePreTokenizer : public PreTokenizer {
public:
  explicit SequencePreTokenizer(std::vector<std::unique_ptr<PreTokenizer>> parts) : parts(std::move(parts)) {}
  void split(std::vector<NormalizedString> &pieces) const override {
    for (auto &part : parts)
      part->split(pieces);
  }
  bool addTo(ByteLevelPlan &plan) const override {
    for (auto &part : parts)
      if (!part->addTo(plan))
        return false;
    return true;
  }

private:
  std::vector<std::unique_ptr<PreTokenizer>> parts;
};

} // namespace

static std::unique_ptr<PreTokenizer> make(const JsonView &json, int depth) {
  const std::string &type = json.type();
  JsonView part(json.raw(), json.name() + " " + inQuotes(type));
  if (type == "Sequence") {
    if (depth == maxNesting)
      part.fail("sequences nest deeper than ", maxNesting);
    std::vector<std::unique_ptr<PreTokenizer>> parts;
    part.at("pretokenizers").forEach([&](const JsonView &element) {
      parts.push_back(make(element, depth + 1));
    });
    return std::make_unique<SequencePreTokenizer>(std::move(parts));
  }
  if (type == "ByteLevel")
    return std::make_unique<ByteLevelPreTokenizer>(part);
  if (type == "BertPreTokenizer")
    return std::make_unique<BertSplitter>();
  if (type == "Whitespace")
    return std::make_unique<WordSplitter>();
  if (type == "WhitespaceSplit")
    return splitAt(unicode::isWhitespace, Behavior::Removed);
  if (type == "Metaspace")
    return std::make_unique<MetaspacePreTokenizer>(part);
  if (type == "Split") {
    // The well-known pattern runs without a regex engine. All of a text matches, so Isolated and Removed with
    // `invert` come to the same.
    JsonView pattern = part.at("pattern");
    if (pattern.has("Regex") && pattern.string("Regex") == gpt2Pattern) {
      Behavior behavior = parseBehavior(part.at("behavior"));
      if (behavior == Behavior::Isolated || (behavior == Behavior::Removed && part.boolean("invert")))
        return std::make_unique<Gpt2Splitter>();
    }
    return std::make_unique<PatternSplitter>(part);
  }
  if (type == "Punctuation")
    return splitAt(unicode::isPunctuation,
                   part.has("behavior") ? parseBehavior(part.at("behavior")) : Behavior::Isolated);
  if (type == "Digits")
    return splitAt(unicode::isNumber,
                   part.boolean("individual_digits") ? Behavior::Isolated : Behavior::Contiguous);
  if (type == "CharDelimiterSplit") {
    std::string delimiter = part.string("delimiter");
    if (unicode::count(delimiter) != 1)
      part.at("delimiter").fail("expected one character, found ", inQuotes(delimiter));
    uint32_t length;
    char32_t character = unicode::decode(delimiter.data(), length);
    return splitAt([character](char32_t c) { return c == character; }, Behavior::Removed);
  }
  if (type == "UnicodeScripts")
    return std::make_unique<ScriptSplitter>();
  if (type == "FixedLength")
    return std::make_unique<FixedLengthSplitter>(part.has("length") ? part.at("length").integer(1, INT32_MAX)
                                                                    : 5);
  part.fail("unknown type, supported: BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, FixedLength, "
            "Metaspace, "
            "Punctuation, Sequence, Split, UnicodeScripts, Whitespace, WhitespaceSplit");
}

std::unique_ptr<PreTokenizer> sesame::makePreTokenizer(const JsonView &json) { return make(json, 0); }
