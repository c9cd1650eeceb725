//===- TextTools.h - Small text helpers of the tokenizer ------ -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_TEXTTOOLS_H
#define SESAME_TOKENIZER_TEXTTOOLS_H

#include "NormalizedString.h"

#include <array>
#include <string>
#include <string_view>

namespace sesame {

/// GPT-2's reversible byte alphabet (openai/gpt-2, encoder.py, bytes_to_unicode): printable Latin-1 bytes
/// stand for themselves, the others for U+0100 and up, so that no token holds a space or a control character.
struct ByteAlphabet {
  std::array<char32_t, 256> character;  ///< Of each byte.
  std::array<std::string, 256> encoded; ///< The same as UTF-8.
  /// The byte that `c` stands for, or -1.
  int byte(char32_t c) const { return c < byteOf.size() ? byteOf[c] : -1; }

  static const ByteAlphabet &get();

private:
  ByteAlphabet();
  std::array<int16_t, 0x144> byteOf;
};

/// Replaces every byte of the text by its character of the byte alphabet.
void mapToByteLevel(NormalizedString &text);

/// Decodes standard base64, padding required; false if it is not valid.
bool decodeBase64(std::string_view text, std::string &bytes);

/// Replaces every `from`, which must not be empty, by `to`.
void replaceAll(std::string &text, std::string_view from, std::string_view to);

/// U+2581, which stands for a blank in SentencePiece's vocabularies.
inline constexpr char blankSymbol[] = "\xE2\x96\x81";

/// The first place after `from` where a run of blank symbols starts behind another character, or npos.
size_t nextBlankRun(std::string_view text, size_t from);

/// "<0x0A>" for byte 10, the token that byte fallback uses.
std::string byteToken(unsigned char byte);

/// The byte of such a token, or -1.
int byteOfToken(std::string_view token);

} // namespace sesame

#endif // SESAME_TOKENIZER_TEXTTOOLS_H
