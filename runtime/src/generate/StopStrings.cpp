//===- StopStrings.cpp - Ending a sequence at a piece of text ------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "generate/StopStrings.h"

#include <algorithm>

using namespace sesame;

StopStrings::StopStrings(std::vector<std::string> strings, Decode decode)
    : strings(std::move(strings)), decode(std::move(decode)), window(0) {
  // A token has at least one byte of text, but for special tokens and for the pieces of a character that only
  // decode together: leave room for some of those.
  for (const std::string &string : this->strings)
    window = std::max(window, int64_t(string.size()) + 8);
}

bool StopStrings::operator()(const int64_t *ids, int64_t length) const {
  if (strings.empty() || length < 1)
    return false;
  int64_t count = std::min(length, window);
  std::string text = decode(ids + length - count, count);
  // What the tokens before the last one decode to need not be a prefix (a broken character may decode to
  // U+FFFD until it is complete): the text is new from the first byte that differs.
  std::string before = decode(ids + length - count, count - 1);
  size_t known = size_t(
      std::mismatch(text.begin(), text.begin() + std::min(text.size(), before.size()), before.begin()).first -
      text.begin());
  for (const std::string &string : strings) {
    // The first place at which the string would end behind `known`.
    size_t first = known + 1 > string.size() ? known + 1 - string.size() : 0;
    if (text.find(string, first) != std::string::npos)
      return true;
  }
  return false;
}
