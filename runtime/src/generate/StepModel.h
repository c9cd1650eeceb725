//===- StepModel.h - What generation needs of a model -----------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_GENERATE_STEPMODEL_H
#define SESAME_GENERATE_STEPMODEL_H

#include <cstdint>

namespace sesame {

/// A model that continues sequences, row by row, and remembers them (KV cache, recurrent state). The search
/// algorithms see nothing else of a model. Use:
///
///     begin(2, 4, 19)      two inputs, up to four rows for each, at most 19 tokens in a row
///     step(prompt, mask, 7)   -> logits of the last of 7 tokens, for 2 rows
///     fork(4)              eight rows: 0 0 0 0 1 1 1 1
///     step(ids, null, 1)   -> logits for 8 rows
///     reorder(parents)     row i goes on from what row parents[i] was
///     step(ids, null, 1) ...
///
/// An encoder-decoder model is given its source before `begin` and keeps it; `begin`'s inputs are the
/// source's rows in order, `fork` and `reorder` then move the decoder's rows (a row never leaves its input).
class StepModel {
public:
  virtual ~StepModel() = default;

  /// V, the number of logits in a row.
  virtual int64_t vocabSize() const = 0;

  /// The most tokens that a row can hold (positions the model knows); 0: no bound.
  virtual int64_t maxLength() const = 0;

  /// Starts afresh with `numInputs` rows. `rowsPerInput` and `capacity` (tokens in a row, prompt included)
  /// bound what will come, so that all memory can be taken here.
  virtual void begin(int64_t numInputs, int64_t rowsPerInput, int64_t capacity) = 0;

  /// Appends `length` tokens to every row: ids[rows, length]. `mask` [rows, length] is 0 at padding, which
  /// stands at the left of a prompt, is not attended to and takes no position; null: no padding. Returns the
  /// logits [rows, V] after the last token, valid until the next call of any function.
  virtual const float *step(const int64_t *ids, const int64_t *mask, int64_t length) = 0;

  /// Makes `factor` equal rows of each: row r becomes the rows r * factor ... r * factor + factor - 1.
  virtual void fork(int64_t factor) = 0;

  /// Row i continues what row parents[i] is now. parents[i] belongs to the same input as i.
  virtual void reorder(const int32_t *parents) = 0;
};

} // namespace sesame

#endif // SESAME_GENERATE_STEPMODEL_H
