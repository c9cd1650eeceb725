//===- Gpt2Scanner.h - GPT-2's word pattern without a regex engine  -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_GPT2SCANNER_H
#define SESAME_TOKENIZER_GPT2SCANNER_H

#include "NormalizedString.h"

#include <string_view>
#include <vector>

namespace sesame {

/// The pattern of openai/gpt-2, encoder.py, which also ByteLevel's `use_regex` stands for.
inline constexpr char gpt2Pattern[] =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// Appends the matches of gpt2Pattern, which cover all of the well-formed `text`.
void scanGpt2Words(std::string_view text, std::vector<ByteSpan> &words);

} // namespace sesame

#endif // SESAME_TOKENIZER_GPT2SCANNER_H
