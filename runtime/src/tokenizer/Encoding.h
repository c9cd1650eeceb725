//===- Encoding.h - What encoding a text gives ---------------- -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_ENCODING_H
#define SESAME_TOKENIZER_ENCODING_H

#include "Vocabulary.h"

#include <string>
#include <utility>
#include <vector>

namespace sesame {

/// The tokens of a text or a pair of texts; all vectors have one element per token.
struct Encoding {
  std::vector<TokenId> ids;
  std::vector<std::string> tokens;
  /// Code points [start, end) of the text the token comes from; [0, 0) for an added special token.
  std::vector<std::pair<uint32_t, uint32_t>> offsets;
  std::vector<TokenId> typeIds;
  /// 1 for a special token that the post-processor added.
  std::vector<uint8_t> specialMask;
  /// The number of the word in its text, or -1.
  std::vector<int32_t> wordIds;

  size_t size() const { return ids.size(); }

  /// Appends `other`. An Encoding made for ids alone has ids and nothing else.
  void append(const Encoding &other) {
    auto extend = [](auto &to, const auto &from) { to.insert(to.end(), from.begin(), from.end()); };
    extend(ids, other.ids);
    extend(tokens, other.tokens);
    extend(offsets, other.offsets);
    extend(typeIds, other.typeIds);
    extend(specialMask, other.specialMask);
    extend(wordIds, other.wordIds);
  }
};

} // namespace sesame

#endif // SESAME_TOKENIZER_ENCODING_H
