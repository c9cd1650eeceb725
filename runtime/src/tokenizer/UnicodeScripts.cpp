//===- UnicodeScripts.cpp - The script of a character ---------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "UnicodeScripts.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace {
struct Range {
  uint32_t first, last;
  int16_t script;
};
constexpr Range ranges[] = {
#include "UnicodeScripts.inc"
};
} // namespace

int sesame::scriptOf(char32_t c) {
  const Range *end = std::end(ranges);
  const Range *range = std::lower_bound(std::begin(ranges), end, c,
                                        [](const Range &r, char32_t value) { return r.last < value; });
  return range != end && range->first <= c ? range->script : -1;
}

int sesame::hanScript() {
  static const int han = scriptOf(0x4E00);
  return han;
}
