//===- WordRules.h - How tokenizers written in Python cut words -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_WORDRULES_H
#define SESAME_TOKENIZER_WORDRULES_H

#include "Moses.h"
#include "Parts.h"

namespace sesame {

/// Moses, with what a class of tokenizer does to a text before and after.
struct MosesOptions {
  bool straightenQuotes = false; ///< First of all, `` and '' become ", and the text is brought to form C.
  bool lowercase = false;        ///< Before Moses sees the text.
  bool splitHyphens = false, escapeXml = false;
  bool stripAccents = false; ///< Afterwards; lowercases too.
  bool splitNumbers = false; ///< Afterwards; `@,@` and `@.@` stand for what is between two digits.
  /// Leaves East Asian punctuation and what does not print as they are.
  bool onlyPunctuation = false;
};
std::unique_ptr<PreTokenizer> makeMosesWords(std::shared_ptr<const Moses> moses, MosesOptions options);

/// FSMT's way back: "</w>" ends a word, and Moses joins the words.
std::unique_ptr<Decoder> makeMosesJoiner(std::shared_ptr<const Moses> moses);

/// Transformer-XL's way back: tokens are words, but for the marks of MosesOptions::splitNumbers.
std::unique_ptr<Decoder> makeNumberJoiner(std::shared_ptr<const Moses> moses);

/// Joins tokens with blanks, removes every `removed`, and, with `cleanUp`, the blanks that splitting English
/// at punctuation leaves.
std::unique_ptr<Decoder> makeBlankJoiner(std::string removed, bool cleanUp);

/// What `inner` gives, without the white space around it.
std::unique_ptr<Decoder> makeStripper(std::unique_ptr<Decoder> inner);

/// CTRL, PhoBERT: what is no white space, and a line break right behind it. The four information separators
/// are white space to PhoBERT alone.
std::unique_ptr<PreTokenizer> makeLineWords(bool separatorsAreBlank);

/// Blenderbot-small: the same, with punctuation apart, in lower case, and with __newln__ for a line break.
std::unique_ptr<PreTokenizer> makeDialogueWords();

/// BERT's BasicTokenizer as Python runs it, on today's Unicode tables.
struct BasicOptions {
  bool lowercase = true, stripAccents = true, separateChinese = true;
};
std::unique_ptr<PreTokenizer> makeBasicWords(BasicOptions options);

/// str.split().
std::unique_ptr<PreTokenizer> makeSpaceWords();

} // namespace sesame

#endif // SESAME_TOKENIZER_WORDRULES_H
