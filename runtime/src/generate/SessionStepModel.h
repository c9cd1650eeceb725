//===- SessionStepModel.h - Step models over compiled code ------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_GENERATE_SESSIONSTEPMODEL_H
#define SESAME_GENERATE_SESSIONSTEPMODEL_H

#include "core/Session.h"
#include "generate/RowMoves.h"
#include "generate/StepModel.h"

#include <memory>
#include <string_view>
#include <vector>

namespace sesame {

/// A tensor that every step of an encoder-decoder model reads and that does not change: the encoder's states,
/// its mask, the source's ids. One row of the batch axis is one input; the bytes stay the caller's until the
/// next `setSources`.
struct SourceTensor {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  const void *data;
};

/// What both models below do with the inputs of an entry that are neither ids, mask, positions nor states.
class EntrySources {
public:
  /// Throws Error if the entry has no such input or the type does not fit. `batchSymbol` is that of the ids.
  void set(BoundEntry &entry, int32_t batchSymbol, const std::vector<SourceTensor> &tensors,
           int64_t &numRows);
  /// Binds the tensors with each row `factor` times: copied here, once, and not in every step.
  void bind(BoundEntry &entry, int64_t factor);

private:
  struct Source {
    int32_t input;
    int64_t outer, rows, rowSize; // `outer` blocks of rows; bytes
    const char *data;
    std::vector<char> repeated;
  };
  std::vector<Source> sources;
};

/// A model with an entry that remembers: `decode(input_ids [B, S], attention_mask [B, T], position_ids [B,
/// S], states...) -> logits [B, V]`, where T = past + S; mask and positions only if the entry has them. With
/// `decoder_input_ids` as the name of the ids, the mask is `decoder_attention_mask` and what else the entry
/// takes comes by `setSources`. A step allocates nothing.
class SessionStepModel : public StepModel {
public:
  /// The session is used by nobody else while this generates. Throws Error if the entry does not have the
  /// form above.
  explicit SessionStepModel(Session &session, std::string_view entry = "decode");

  void setSources(const std::vector<SourceTensor> &tensors) {
    sources.set(entry, batchSymbol, tensors, numSourceRows);
  }

  /// Runs the entry `encode` on a source, once for all that is generated from it. Its outputs are handed on
  /// to the input of the same name, or are the first value of the state of that name; so are its inputs that
  /// the steps take too (the source's mask), which stay the caller's until the next call. Throws Error.
  void encode(const std::vector<InputTensor> &inputs);

  int64_t vocabSize() const override { return vocabulary; }
  int64_t maxLength() const override { return limit; }
  void begin(int64_t numInputs, int64_t rowsPerInput, int64_t capacity) override;
  const float *step(const int64_t *ids, const int64_t *mask, int64_t length) override;
  void fork(int64_t factor) override;
  void reorder(const int32_t *parents) override;

private:
  void setRows(int64_t count);
  void prepareSteps();
  void layOutStates();

  Session &session;
  BoundEntry entry;
  int32_t idsInput, maskInput, positionsInput, logitsOutput;
  int32_t batchSymbol, lengthSymbol, totalSymbol; // -1: the entry has none
  int64_t vocabulary, limit;
  int64_t numSourceRows = 0; // 0: no sources were given
  EntrySources sources;
  std::vector<SourceTensor> firstStates; // what `encode` made of the source

  int64_t numRows = 0, numTokens = 0, promptLength = 0, mostTokens = 0;
  bool hasPadding = false;
  std::vector<int64_t> leftPadding;      // [rows]
  std::vector<int64_t> masks, positions; // [rows, T] and [rows, S], dense for each step

  /// A state that moves with its rows.
  struct RowState {
    void *data;
    RowLayout layout; // as for one token
    bool isCache;     // has an axis C: `layout.length` bytes a token
  };
  std::vector<RowState> rowStates;
  std::unique_ptr<RowMoves> moves;
  std::vector<char> spare;
};

/// A model with nothing but `forward(input_ids [B, S], ...) -> logits [B, S, V]` (or `decoder_input_ids [B,
/// S]`): runs the whole sequence for every token. Slow, but needs nothing of the model except that it is
/// causal. Rows are padded on the right inside, so that positions count from each row's first real token
/// without `position_ids`.
class RecomputeStepModel : public StepModel {
public:
  explicit RecomputeStepModel(Session &session, std::string_view entry = "forward");

  void setSources(const std::vector<SourceTensor> &tensors) {
    sources.set(entry, batchSymbol, tensors, numSourceRows);
  }

  int64_t vocabSize() const override { return vocabulary; }
  int64_t maxLength() const override { return limit; }
  void begin(int64_t numInputs, int64_t rowsPerInput, int64_t capacity) override;
  const float *step(const int64_t *ids, const int64_t *mask, int64_t length) override;
  void fork(int64_t factor) override;
  void reorder(const int32_t *parents) override;

private:
  BoundEntry entry;
  int32_t idsInput, maskInput, logitsOutput, batchSymbol, lengthSymbol;
  int64_t vocabulary, limit, numSourceRows = 0;
  EntrySources sources;
  std::vector<std::vector<int64_t>> histories; // real tokens of each row
  std::vector<int64_t> denseIds, denseMask;    // [rows, S]
  std::vector<float> lastLogits;               // [rows, V]
};

} // namespace sesame

#endif // SESAME_GENERATE_SESSIONSTEPMODEL_H
