//===- PythonText.h - Text as Python's str treats it ------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_PYTHONTEXT_H
#define SESAME_TOKENIZER_PYTHONTEXT_H

#include "NormalizedString.h"

#include <string_view>
#include <vector>

/// Some tokenizers are defined by Python code, and by what its strings do with Unicode.
namespace sesame::python {

/// str.isspace() of one character: White_Space and the four information separators.
bool isSpace(char32_t c);

/// unicodedata.category() is one of C*, P* or Mn.
bool isOther(char32_t c);
bool isPunctuation(char32_t c);
bool isNonspacingMark(char32_t c);

/// str.lower(): with the final form of sigma at the end of a word.
void lower(NormalizedString &text);

/// str.strip().
void strip(NormalizedString &text);

/// str.split(): the parts between white space, none empty.
void split(std::string_view text, std::vector<ByteSpan> &parts, bool (*isBlank)(char32_t) = isSpace);

} // namespace sesame::python

#endif // SESAME_TOKENIZER_PYTHONTEXT_H
