//===- CodePointRange.h - Tables of code points -----------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_CODEPOINTRANGE_H
#define SESAME_TOKENIZER_CODEPOINTRANGE_H

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace sesame {

/// The code points from `first` to `last`.
struct CodePointRange {
  char32_t first, last;
};

/// True if `c` is in one of the ascending `ranges`.
template <size_t n> bool contains(const CodePointRange (&ranges)[n], char32_t c) {
  const CodePointRange *found = std::lower_bound(
      ranges, std::end(ranges), c, [](const CodePointRange &r, char32_t value) { return r.last < value; });
  return found != std::end(ranges) && found->first <= c;
}

} // namespace sesame

#endif // SESAME_TOKENIZER_CODEPOINTRANGE_H
