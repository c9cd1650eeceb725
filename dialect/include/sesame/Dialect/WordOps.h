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

/// How a row or column of K numbers lies in words of 32 bits.
struct WordFormat {
  explicit WordFormat(Type element) : isInt8(element.isInteger(8)) {}

  /// The numbers are of 8 bits with a scale; otherwise bf16.
  bool isInt8;

  /// Numbers of a word.
  int64_t perWord() const { return isInt8 ? 4 : 2; }
  /// Words of `k` numbers, without what follows them.
  int64_t codeWords(int64_t k) const { return llvm::divideCeilSigned(k, perWord()); }
  /// Words after the numbers: with int8 an integer (a row's zero point, a column's sum) and the bits of the
  /// scale.
  int64_t trailingWords() const { return isInt8 ? 2 : 0; }
  /// Words of `k` numbers in all.
  int64_t words(int64_t k) const { return codeWords(k) + trailingWords(); }
};

/// The largest K of int8: 65536 * 255 * 127 is below 2^31.
inline constexpr int64_t maxInt8Depth = 65536;

} // namespace mlir::sesame

#endif // SESAME_DIALECT_WORDOPS_H
