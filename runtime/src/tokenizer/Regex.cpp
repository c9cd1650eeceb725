//===- Regex.cpp - PCRE2 with Oniguruma's meaning of the classes ----------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Regex.h"
#include "support/DType.h"
#include "support/Error.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

using namespace sesame;

struct Regex::Compiled {
  std::string where;
  pcre2_code *code = nullptr;
  ~Compiled() { pcre2_code_free(code); }
};

/// The POSIX classes that PCRE2 10.42 reads differently from Oniguruma, as the inside of a class.
static const char *posixClass(const std::string &name) {
  static const struct {
    const char *name, *properties;
  } classes[] = {{"alnum", "\\p{Alphabetic}\\p{Nd}"},
                 {"alpha", "\\p{Alphabetic}"},
                 {"punct", "\\p{P}\\p{S}"},
                 {"space", "\\p{White_Space}"},
                 {"upper", "\\p{Uppercase}"},
                 {"lower", "\\p{Lowercase}"},
                 {"word", "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"}};
  for (const auto &each : classes)
    if (name == each.name)
      return each.properties;
  return nullptr;
}

/// Rewrites what PCRE2 10.42 reads differently from Oniguruma: `\s` (PCRE2 adds U+180E), `\w` (PCRE2 lacks
/// the marks and connectors; Oniguruma has the superscripts and fractions of Latin-1), `\h` (a hex digit in
/// Oniguruma), POSIX classes, and a `[` that is literal inside a class. `&&` inside a class has no
/// counterpart and is refused.
static std::string translate(const std::string &pattern, const std::string &where) {
  static const char word[] = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}";
  std::string out;
  bool inClass = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      char next = pattern[++i];
      switch (next) {
      case 's':
        out += "\\p{White_Space}";
        break;
      case 'S':
        out += "\\P{White_Space}";
        break;
      case 'w':
        out += inClass ? word : std::string("[") + word + "]";
        break;
      case 'W':
        if (inClass)
          throw Error(
              message(where, ": pattern ", inQuotes(pattern), ": \\W inside a class is not supported"));
        out += std::string("[^") + word + "]";
        break;
      case 'h':
        out += inClass ? "0-9a-fA-F" : "[0-9a-fA-F]";
        break;
      default:
        out += c;
        out += next;
      }
      continue;
    }
    if (inClass) {
      if (c == '&' && i + 1 < pattern.size() && pattern[i + 1] == '&')
        throw Error(
            message(where, ": pattern ", inQuotes(pattern), ": the class intersection && is not supported"));
      if (c == '[' && i + 1 < pattern.size() &&
          pattern[i + 1] == ':') { // Another POSIX class goes through as it is.
        size_t close = pattern.find(":]", i + 2);
        if (close != std::string::npos) {
          const char *properties = posixClass(pattern.substr(i + 2, close - i - 2));
          out += properties ? properties : pattern.substr(i, close + 2 - i);
          i = close + 1;
          continue;
        }
      }
      if (c == '[')
        throw Error(
            message(where, ": pattern ", inQuotes(pattern), ": a class inside a class is not supported"));
      if (c == ']')
        inClass = false;
    } else if (c == '[') {
      inClass = true;
      out += c;
      // A closing bracket right at the start is literal in both dialects.
      if (i + 1 < pattern.size() && pattern[i + 1] == '^')
        out += pattern[++i];
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') {
        out += "\\]";
        ++i;
      }
      continue;
    }
    out += c;
  }
  return out;
}

static std::string errorText(int code) {
  PCRE2_UCHAR buffer[256];
  return pcre2_get_error_message(code, buffer, sizeof buffer) < 0 ? "unknown error"
                                                                  : reinterpret_cast<char *>(buffer);
}

Regex::Regex(const std::string &pattern, const std::string &where) : compiled(std::make_unique<Compiled>()) {
  // In Ruby's syntax ^ and $ always match at line ends.
  uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  std::string translated = translate(pattern, where);
  int error = 0;
  PCRE2_SIZE at = 0;
  compiled->where = where;
  compiled->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(), options,
                                 &error, &at, nullptr);
  if (!compiled->code)
    throw Error(message(where, ": bad pattern ", inQuotes(pattern), ": ", errorText(error)));
  // Without a JIT for this CPU the interpreter runs the pattern.
  pcre2_jit_compile(compiled->code, PCRE2_JIT_COMPLETE);
}

Regex::~Regex() = default;
Regex::Regex(Regex &&) noexcept = default;
Regex &Regex::operator=(Regex &&) noexcept = default;

namespace {
/// What a scan needs, one for each thread.
struct MatchState {
  pcre2_match_context *context = pcre2_match_context_create(nullptr);
  pcre2_match_data *data = pcre2_match_data_create(4, nullptr);
  // A JIT stack grows on demand. 32 MiB holds one frame per byte of the longest texts seen; beyond, the match
  // fails.
  pcre2_jit_stack *stack = pcre2_jit_stack_create(32 << 10, 32 << 20, nullptr);
  MatchState() { pcre2_jit_stack_assign(context, nullptr, stack); }
  ~MatchState() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    pcre2_jit_stack_free(stack);
  }
};
} // namespace

/// Calls `report(ovector, groups found)` for each match.
template <typename Report> void Regex::scan(std::string_view text, Report report) const {
  thread_local MatchState state;
  auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  size_t at = 0, lastEnd = SIZE_MAX;
  while (at <= text.size()) {
    // The caller checked the UTF-8 once; checking it in each call would be quadratic.
    int found =
        pcre2_match(compiled->code, subject, text.size(), at, PCRE2_NO_UTF_CHECK, state.data, state.context);
    if (found == PCRE2_ERROR_NOMATCH)
      return;
    if (found < 0)
      throw Error(message(compiled->where, ": the pattern failed on the text: ", errorText(found)));
    const PCRE2_SIZE *span = pcre2_get_ovector_pointer(state.data);
    size_t from = span[0], to = span[1];
    if (from > to) // \K inside a lookahead can do that.
      throw Error(message(compiled->where, ": the pattern matches a range that ends before it starts"));
    if (from == to) {
      if (to != lastEnd)
        report(span, found);
      if (to >= text.size())
        return;
      lastEnd = to;
      at = to + unicode::sequenceLength(static_cast<unsigned char>(text[to]));
      continue;
    }
    report(span, found);
    at = lastEnd = to;
  }
}

void Regex::findAll(std::string_view text, std::vector<ByteSpan> &matches) const {
  scan(text, [&](const PCRE2_SIZE *span, int) {
    matches.push_back({static_cast<uint32_t>(span[0]), static_cast<uint32_t>(span[1])});
  });
}

void Regex::findGroups(std::string_view text, size_t groups, std::vector<ByteSpan> &spans) const {
  scan(text, [&](const PCRE2_SIZE *span, int found) {
    for (size_t i = 0; i <= groups; ++i) {
      bool isSet = (i < static_cast<size_t>(found) || found == 0) && span[2 * i] != PCRE2_UNSET;
      spans.push_back(
          isSet ? ByteSpan{static_cast<uint32_t>(span[2 * i]), static_cast<uint32_t>(span[2 * i + 1])}
                : ByteSpan{});
    }
  });
}

std::string Regex::escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x80 && unicode::isPunctuation(static_cast<unsigned char>(c)))
      out += '\\';
    out += c;
  }
  return out;
}
