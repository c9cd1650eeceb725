//===- Moses.cpp - The word splitter of the Moses translation system ------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Moses.h"
#include "CodePointRange.h"
#include "PythonText.h"
#include "TextTools.h"
#include "support/DType.h"
#include "support/Error.h"

#include <algorithm>
#include <unordered_map>
#include <utf8proc.h>

using namespace sesame;

namespace {
#include "MosesData.inc"

bool isLetter(char32_t c) { return contains(mosesLetters, c); }

bool isLowerCase(char32_t c) {
  bool isLowerCaseLetter = utf8proc_category(static_cast<utf8proc_int32_t>(c)) == UTF8PROC_CATEGORY_LL;
  return isLowerCaseLetter != contains(mosesLowerCaseChanges, c);
}

/// The inside of a character class.
template <size_t n> std::string classOf(const CodePointRange (&ranges)[n]) {
  std::string text;
  for (CodePointRange range : ranges) {
    unicode::append(text, range.first);
    if (range.last == range.first)
      continue;
    text += '-';
    unicode::append(text, range.last);
  }
  return text;
}

struct Rule {
  const char *pattern, *replacement;
};

template <size_t n> void append(std::vector<Substitution> &to, const Rule (&rules)[n]) {
  for (const Rule &rule : rules)
    to.emplace_back(rule.pattern, rule.replacement);
}

void applyAll(const std::vector<Substitution> &rules, NormalizedString &text) {
  for (const Substitution &rule : rules)
    rule.apply(text);
}

std::unordered_set<std::string> words(std::string_view list) {
  std::unordered_set<std::string> set;
  std::vector<ByteSpan> parts;
  python::split(list, parts);
  for (ByteSpan part : parts)
    set.emplace(list.substr(part.begin, part.end - part.begin));
  return set;
}

/// White space to Python.
constexpr char anySpace[] = "[\\s\\x1C-\\x1F]";

/// Punctuation of East Asian texts and typographic quotes become ASCII.
constexpr struct {
  char32_t from;
  const char *to;
} wideForms[] = {{0xFF0C, ","}, {0x3001, ","},  {0x201D, "\""}, {0x201C, "\""},  {0x2236, ":"}, {0xFF1A, ":"},
                 {0xFF1F, "?"}, {0x300A, "\""}, {0x300B, "\""}, {0xFF09, ")"},   {0xFF01, "!"}, {0xFF08, "("},
                 {0xFF1B, ";"}, {0x300D, "\""}, {0x300C, "\""}, {0xFF10, "0"},   {0xFF11, "1"}, {0xFF12, "2"},
                 {0xFF13, "3"}, {0xFF14, "4"},  {0xFF15, "5"},  {0xFF16, "6"},   {0xFF17, "7"}, {0xFF18, "8"},
                 {0xFF19, "9"}, {0xFF5E, "~"},  {0x2019, "'"},  {0x2026, "..."}, {0x2501, "-"}, {0x3008, "<"},
                 {0x3009, ">"}, {0x3010, "["},  {0x3011, "]"},  {0xFF05, "%"}};

void replaceWideForms(NormalizedString &text) {
  std::vector<NormalizedString::Change> changes;
  changes.reserve(text.text().size());
  bool swallowing = false; // After an ideographic full stop, which takes the blanks behind it along.
  bool changed = false;
  unicode::forEach(text.text(), [&](char32_t c, uint32_t, uint32_t) {
    if (swallowing && python::isSpace(c)) {
      --changes.back().change;
      return;
    }
    swallowing = c == 0x3002 || c == 0xFF0E;
    const char *to = swallowing ? ". " : nullptr;
    for (const auto &form : wideForms)
      to = form.from == c ? form.to : to;
    changed |= to != nullptr;
    if (!to) {
      changes.push_back({c, 0});
      return;
    }
    // The first character replaces the old one, so that what is swallowed follows the last.
    for (const char *rest = to; *rest; ++rest)
      changes.push_back({static_cast<char32_t>(*rest), rest == to ? 0 : 1});
  });
  if (changed)
    text.transform(changes);
}

} // namespace

//===----------------------------------------------------------------------===//
// Substitutions
//===----------------------------------------------------------------------===//

Substitution::Substitution(const std::string &pattern, std::string_view replacement)
    : regex(pattern, "tokenizer") {
  std::string literal;
  auto flush = [&] {
    if (!literal.empty())
      pieces.push_back({0, std::move(literal)});
    literal.clear();
  };
  for (size_t i = 0; i < replacement.size(); ++i) {
    if (replacement[i] != '\\') {
      literal += replacement[i];
      continue;
    }
    flush();
    size_t group = static_cast<size_t>(replacement[++i] - '0');
    groups = std::max(groups, group);
    pieces.push_back({group, ""});
  }
  flush();
}

void Substitution::apply(NormalizedString &text) const {
  std::vector<ByteSpan> spans;
  regex.findGroups(text.text(), groups, spans);
  if (spans.empty())
    return;
  const std::string &old = text.text();
  std::string changed;
  std::vector<ByteSpan> alignments;
  changed.reserve(old.size() + old.size() / 4);
  alignments.reserve(old.size() + old.size() / 4);
  auto keep = [&](uint32_t from, uint32_t to) {
    changed.append(old, from, to - from);
    for (uint32_t i = from; i < to; ++i)
      alignments.push_back(text.alignment(i));
  };
  uint32_t done = 0;
  for (size_t i = 0; i < spans.size(); i += groups + 1) {
    ByteSpan match = spans[i];
    keep(done, match.begin);
    auto original = [&](uint32_t from, uint32_t to) {
      return ByteSpan{text.alignment(from).begin, text.alignment(to - 1).end};
    };
    for (size_t p = 0; p < pieces.size(); ++p) {
      if (size_t group = pieces[p].group; group > 0) {
        keep(spans[i + group].begin, spans[i + group].end);
        continue;
      }
      // A literal stands for what lies between the groups around it, or, if that is nothing, for the match.
      uint32_t from = p > 0 ? spans[i + pieces[p - 1].group].end : match.begin;
      uint32_t to = p + 1 < pieces.size() ? spans[i + pieces[p + 1].group].begin : match.end;
      ByteSpan replaced = from < to ? original(from, to) : original(match.begin, match.end);
      changed += pieces[p].literal;
      alignments.insert(alignments.end(), pieces[p].literal.size(), replaced);
    }
    done = match.end;
  }
  keep(done, static_cast<uint32_t>(old.size()));
  text.assign(std::move(changed), std::move(alignments));
}

//===----------------------------------------------------------------------===//
// The rules
//===----------------------------------------------------------------------===//

/// Single letters are initials; German counts by a number and a full stop.
static void addInitials(std::unordered_set<std::string> &abbreviations, const std::string &language) {
  for (char letter = 'A'; letter <= 'Z'; ++letter) {
    abbreviations.insert(std::string(1, letter));
    if (language == "de" || language == "fr")
      abbreviations.insert(std::string(1, static_cast<char>(letter - 'A' + 'a')));
  }
  if (language == "ru")
    for (char32_t letter = U'\u0410'; letter <= U'\u044F'; ++letter) {
      std::string text;
      unicode::append(text, letter);
      abbreviations.insert(text);
    }
  if (language == "de")
    for (int number = 1; number < 100; ++number)
      abbreviations.insert(std::to_string(number));
}

Moses::Moses(const std::string &language, const std::string &where) : language(language) {
  if (language == "en") {
    abbreviations = words(englishAbbreviations);
    numberAbbreviations = words(englishNumberAbbreviations);
  } else if (language == "de") {
    abbreviations = words(germanAbbreviations);
  } else if (language == "fr") {
    abbreviations = words(frenchAbbreviations);
  } else if (language == "ru") {
    abbreviations = words(russianAbbreviations);
  } else {
    throw Error(message(where, ": the words of language ", inQuotes(language),
                        " cannot be told apart, supported: de, en, fr, ru"));
  }
  addInitials(abbreviations, language);
  const bool isGermanOrFrench = language == "de" || language == "fr";

  // Brackets, blanks and quotes.
  append(normalization, {{"\r", ""},
                         {"\\(", " ("},
                         {"\\)", ") "},
                         {" +", " "},
                         {"\\) ([.!:?;,])", ")\\1"},
                         {"\\( ", "("},
                         {" \\)", ")"},
                         {"(\\d) %", "\\1%"},
                         {" :", ":"},
                         {" ;", ";"},
                         {"`", "'"},
                         {"''", " \" "},
                         {"[\u201E\u201C\u201D]", "\""},
                         {"\u2013", "-"},
                         {"\u2014", " - "},
                         {" +", " "},
                         {"\u00B4", "'"},
                         {"[\u2018\u201A\u2019]", "'"},
                         {"''", "\""},
                         {"\u2026", "..."},
                         {"\u00A0\u00AB\u00A0", "\""},
                         {"\u00AB\u00A0", "\""},
                         {"\u00AB", "\""},
                         {"\u00A0\u00BB\u00A0", "\""},
                         {"\u00A0\u00BB", "\""},
                         {"\u00BB", "\""},
                         {"\u00A0%", "%"},
                         {"n\u00BA\u00A0", "n\u00BA "},
                         {"\u00A0:", ":"},
                         {"\u00A0\u00BAC", " \u00BAC"},
                         {"\u00A0cm", " cm"},
                         {"\u00A0([?!;])", "\\1"},
                         {",\u00A0", ", "},
                         {" +", " "}});
  // Whether the comma comes before the closing quote, and what a blank inside a number is.
  if (language == "en")
    append(normalization, {{"\"([,.]+)", "\\1\""}});
  else if (isGermanOrFrench)
    append(normalization, {{",\"", "\","}, {"(\\.+)\"([\\s\\x1C-\\x1F]*[^<])", "\"\\1\\2"}});
  normalization.emplace_back("(\\d)\u00A0(\\d)", isGermanOrFrench ? "\\1,\\2" : "\\1.\\2");

  const std::string letters = classOf(mosesLetters), numbers = classOf(mosesNumbers);
  const std::string inWords = letters + classOf(mosesDigits);
  separation.emplace_back(std::string(anySpace) + "+", " ");
  append(separation, {{"[\\x00-\\x1F]", ""}, {"^ +| +$", ""}});
  separation.emplace_back("([^" + inWords + "\\s\\x1C-\\x1F.'`,\\-])", " \\1 ");
  hyphens.emplace_back("([" + inWords + "])-(?=[" + inWords + "])", "\\1 @-@ ");

  // A comma inside a number belongs to it.
  auto add = [this](const std::string &pattern, const char *replacement) {
    commasAndApostrophes.emplace_back(pattern, replacement);
  };
  add("([^" + numbers + "]),", "\\1 , ");
  add(",([^" + numbers + "])", " , \\1");
  add("([" + numbers + "]),$", "\\1 , ");
  const std::string letter = "([" + letters + "])", other = "([^" + letters + "])";
  if (language == "en") {
    add(other + "'" + other, "\\1 ' \\2");
    add("([^" + letters + numbers + "])'" + letter, "\\1 ' \\2");
    add(letter + "'" + other, "\\1 ' \\2");
    add(letter + "'" + letter, "\\1 '\\2");
    add("([" + numbers + "])'(s)", "\\1 '\\2");
  } else if (language == "fr") {
    add(other + "'" + other, "\\1 ' \\2");
    add(other + "'" + letter, "\\1 ' \\2");
    add(letter + "'" + other, "\\1 ' \\2");
    add(letter + "'" + letter, "\\1' \\2");
  } else {
    add("'", " ' ");
  }
  append(finish, {{"&", "&amp;"},
                  {"\\|", "&#124;"},
                  {"<", "&lt;"},
                  {">", "&gt;"},
                  {"'", "&apos;"},
                  {"\"", "&quot;"},
                  {"\\[", "&#91;"},
                  {"\\]", "&#93;"}});
}

void Moses::normalize(NormalizedString &text, bool onlyPunctuation) const {
  if (!onlyPunctuation)
    replaceWideForms(text);
  applyAll(normalization, text);
  python::strip(text);
  if (!onlyPunctuation)
    text.filter([](char32_t c) { return !python::isOther(c); });
}

void Moses::separate(NormalizedString &text, bool splitHyphens, bool escapeXml) const {
  // Dots in a row stay together: a code point that no text has stands for each until the end.
  static const Substitution hideDots("\\.(?=\\.)|(?<=\\.)\\.", "\uFDD0"), setDotsApart("(\uFDD0+)", " \\1 "),
      showDots("\uFDD0", "."), joinBlanks("^ +| +$|(?<= ) +", ""), splitLastQuote("\\.' ?$", " . ' ");
  applyAll(separation, text);
  if (splitHyphens)
    applyAll(hyphens, text);
  hideDots.apply(text);
  setDotsApart.apply(text);
  applyAll(commasAndApostrophes, text);
  splitStops(text);
  joinBlanks.apply(text);
  splitLastQuote.apply(text);
  showDots.apply(text);
  if (escapeXml)
    applyAll(finish, text);
}

bool Moses::keepsStop(std::string_view word, std::string_view next) const {
  bool hasLetter = false;
  unicode::forEach(word, [&](char32_t c, uint32_t, uint32_t) { hasLetter |= isLetter(c); });
  if (hasLetter && word.find('.') != std::string_view::npos)
    return true;
  const std::string key(word);
  if (abbreviations.count(key) != 0)
    return true;
  if (next.empty())
    return false;
  uint32_t length;
  if (isLowerCase(unicode::decode(next.data(), length)))
    return true;
  return numberAbbreviations.count(key) != 0 && next[0] >= '0' && next[0] <= '9';
}

void Moses::splitStops(NormalizedString &text) const {
  const std::string_view all = text.text();
  std::vector<ByteSpan> parts, stops;
  python::split(all, parts);
  for (size_t i = 0; i < parts.size(); ++i) {
    auto [begin, end] = parts[i];
    if (end - begin < 2 || all[end - 1] != '.')
      continue;
    std::string_view next =
        i + 1 < parts.size() ? all.substr(parts[i + 1].begin, parts[i + 1].end - parts[i + 1].begin) : "";
    if (!keepsStop(all.substr(begin, end - 1 - begin), next))
      stops.push_back({end - 1, end});
  }
  text.replace(stops, " .");
}

//===----------------------------------------------------------------------===//
// The way back
//===----------------------------------------------------------------------===//

/// The blocks of East Asian scripts, between whose words no blank is written.
static bool isEastAsian(char32_t c) {
  static constexpr CodePointRange blocks[] = {{0x1100, 0x11FF},   {0x2E80, 0xA4CF},   {0xA840, 0xA87F},
                                              {0xAC00, 0xD7AF},   {0xF900, 0xFAFF},   {0xFE30, 0xFE4F},
                                              {0xFF65, 0xFFDC},   {0x17000, 0x18AFF}, {0x1B000, 0x1B12F},
                                              {0x1B170, 0x1B2FF}, {0x20000, 0x2FFFF}};
  return contains(blocks, c);
}

static std::u32string codePoints(std::string_view text) {
  std::u32string all;
  unicode::forEach(text, [&](char32_t c, uint32_t, uint32_t) { all += c; });
  return all;
}

static bool isAll(const std::u32string &word, std::u32string_view of) {
  return word.find_first_not_of(of) == std::u32string::npos;
}

std::string Moses::join(const std::vector<std::string> &given) const {
  std::string text = " ";
  for (const std::string &word : given)
    text += word + " ";
  static const char *const entities[][2] = {
      {" @-@ ", "-"}, {"&bar;", "|"},   {"&#124;", "|"}, {"&lt;", "<"},  {"&gt;", ">"},  {"&bra;", "["},
      {"&ket;", "]"}, {"&quot;", "\""}, {"&apos;", "'"}, {"&#91;", "["}, {"&#93;", "]"}, {"&amp;", "&"}};
  for (auto &[entity, character] : entities)
    replaceAll(text, entity, character);
  std::vector<ByteSpan> parts;
  python::split(text, parts);
  std::vector<std::u32string> split;
  for (ByteSpan part : parts)
    split.push_back(codePoints(std::string_view(text).substr(part.begin, part.end - part.begin)));

  std::unordered_map<std::string, size_t> quotes; // How many of each quotation mark there were.
  std::string joined;
  bool blank = true; // A blank goes before the next word.
  for (size_t i = 0; i < split.size(); ++i) {
    const std::u32string &word = split[i];
    std::string encoded(text, parts[i].begin, parts[i].end - parts[i].begin);
    auto append = [&](bool withBlank, bool blankAfter) {
      joined += (withBlank && blank ? " " : "") + encoded;
      blank = blankAfter;
    };
    auto opens = [](const std::u32string &w) {
      for (char32_t c : w)
        if (!contains(mosesCurrency, c) &&
            std::u32string_view(U"([{\u00BF\u00A1").find(c) == std::u32string::npos)
          return false;
      return true;
    };
    const bool isApostrophe = word[0] == U'\'' && word.size() > 1 && isLetter(word[1]);
    const bool isElision = word.size() > 1 && word.back() == U'\'' && isLetter(word[word.size() - 2]);
    if (isEastAsian(word[0])) {
      append(i == 0 || !isEastAsian(split[i - 1].back()), true);
    } else if (opens(word)) {
      append(true, false);
    } else if (isAll(word, U",.?!:;\\%}])")) {
      if (language == "fr" && word.size() == 1 && isAll(word, U"?!:;\\%"))
        joined += " ";
      append(false, true);
    } else if (language == "en" && i > 0 && isApostrophe) {
      append(false, true);
    } else if (language == "fr" && i + 1 < split.size() && isElision && isLetter(split[i + 1][0])) {
      append(true, false);
    } else if (isAll(word, U"'\"\u201E\u201C`")) {
      size_t &count = quotes[isAll(word, U"\u201E\u201C\u201D") ? "\"" : encoded];
      if (count % 2 != 0) {
        append(false, true);
        ++count;
      } else if (language == "en" && word == U"'" && i > 0 && split[i - 1].back() == U's') {
        append(false, true); // The possessive of a plural.
      } else {
        append(true, false);
        ++count;
      }
    } else {
      append(true, true);
    }
  }
  static const std::string blanks = "  ";
  while (joined.find(blanks) != std::string::npos)
    replaceAll(joined, blanks, " ");
  parts.clear();
  python::split(joined, parts);
  return parts.empty() ? "" : joined.substr(parts.front().begin, parts.back().end - parts.front().begin);
}
