//===- StopStrings.h - Ending a sequence at a piece of text -----*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_GENERATE_STOPSTRINGS_H
#define SESAME_GENERATE_STOPSTRINGS_H

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sesame {

/// Tells when the text of a sequence has just come to hold one of some strings: the string ends in the text
/// of the last token, as with `stop_strings` of transformers. Fits `GenerationHooks::shouldStop`. Looks at
/// the last few tokens only, and decodes those; a token of a byte-level vocabulary may hold any part of a
/// stop string or of a character.
class StopStrings {
public:
  /// The text (bytes) of some consecutive tokens.
  using Decode = std::function<std::string(const int64_t *ids, int64_t length)>;

  StopStrings(std::vector<std::string> strings, Decode decode);

  bool operator()(const int64_t *ids, int64_t length) const;

private:
  std::vector<std::string> strings;
  Decode decode;
  int64_t window; // tokens
};

} // namespace sesame

#endif // SESAME_GENERATE_STOPSTRINGS_H
