//===- Languages.h - Languages that tokenizers know by their class -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_LANGUAGES_H
#define SESAME_TOKENIZER_LANGUAGES_H

#include <string>
#include <vector>

namespace sesame {

/// The languages of MBart, MBart50, Nllb, M2M100 and PLBart tokenizers, which no file of a checkpoint lists,
/// in the order of their ids and as they stand in a vocabulary. `codes` is M2M100's "m2m100" or "wmt21",
/// PLBart's "base" or "multi". Empty for other kinds.
std::vector<std::string> languageTokens(const std::string &kind, const std::string &codes);

} // namespace sesame

#endif // SESAME_TOKENIZER_LANGUAGES_H
