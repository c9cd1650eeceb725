//===- UnicodeScripts.h - The script of a character ----------- -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_UNICODESCRIPTS_H
#define SESAME_TOKENIZER_UNICODESCRIPTS_H

namespace sesame {

/// A number for the script of `c` (Common and Inherited are scripts of their own), or -1 if it has none.
/// Hiragana and Katakana count as Han.
int scriptOf(char32_t c);
int hanScript();

} // namespace sesame

#endif // SESAME_TOKENIZER_UNICODESCRIPTS_H
