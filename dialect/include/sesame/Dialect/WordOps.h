//===- WordOps.h - Linear maps over words of narrow numbers -------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_DIALECT_WORDOPS_H
#define SESAME_DIALECT_WORDOPS_H

#include "sesame/Dialect/SesameDialect.h"

#define GET_OP_CLASSES
#include "sesame/Dialect/WordOps.h.inc"

namespace mlir::sesame {

/// How rows and columns of K numbers lie in words of 32 bits.
struct WordFormat {
  explicit WordFormat(Type element)
      : isInt8(element.isSignlessInteger(8)), isGrouped(element.isUnsignedInteger()),
        bits(element.getIntOrFloatBitWidth()) {}

  /// Whether `element` is one of bf16, i8, ui8 and ui4.
  static bool isKnown(Type element) {
    return element.isBF16() || element.isSignlessInteger(8) || element.isUnsignedInteger(8) ||
           element.isUnsignedInteger(4);
  }

  /// The numbers are of 8 bits, with one scale for a row or a column.
  bool isInt8;
  /// Groups of 32 numbers have a scale of their own. The columns' are of `bits` bits, the rows' of 8.
  bool isGrouped;
  /// Bits of a number.
  int64_t bits;

  static constexpr int64_t groupSize = 32;
  /// Two groups, whose scales share a word, are a step.
  static constexpr int64_t stepSize = 2 * groupSize;
  /// Words of a step of a row: 16 of codes, two starts of sums, two scales.
  static constexpr int64_t rowStepWords = 20;

  /// Numbers of a column's word.
  int64_t perWord() const { return 32 / bits; }
  /// Words of `k` numbers, without what follows them; not grouped.
  int64_t codeWords(int64_t k) const { return llvm::divideCeilSigned(k, perWord()); }
  /// Words after the numbers: with int8 an integer (a row's zero point, a column's sum) and the bits of the
  /// scale.
  int64_t trailingWords() const { return isInt8 ? 2 : 0; }

  /// Grouped: the code that stands for 0, steps of `k` numbers, words of a step of a column.
  int32_t zeroCode() const { return 1 << (bits - 1); }
  static int64_t steps(int64_t k) { return llvm::divideCeilSigned(k, stepSize); }
  int64_t stepWords() const { return stepSize / perWord() + 1; }

  /// Words of a column, and of a row, of `k` numbers in all.
  int64_t columnWords(int64_t k) const {
    return isGrouped ? steps(k) * stepWords() : codeWords(k) + trailingWords();
  }
  int64_t rowWords(int64_t k) const { return isGrouped ? steps(k) * rowStepWords : columnWords(k); }
};

/// On a `sesame.rnn`, `lstm` or `gru`: what the words hold in which its products with the recurrent weight
/// and the projection are made, bf16 or i8. Each is then that of `sesame.word_linear`, without a bias.
inline constexpr llvm::StringLiteral kWordsAttr = "sesame.words";

/// The largest K of int8: 65536 * 255 * 127 is below 2^31.
inline constexpr int64_t maxInt8Depth = 65536;

} // namespace mlir::sesame

#endif // SESAME_DIALECT_WORDOPS_H
