//===- Seq2Seq.h - Encoder-decoder transformers -----------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What families of encoder-decoder transformers share: the three entries, and attention to the source, whose
// keys and values are computed where they are used (`forward`) or once for all steps (`encode`, `decode`).
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_SEQ2SEQ_H
#define SESAME_IMPORT_SEQ2SEQ_H

#include "Builder.h"
#include "Positions.h"

namespace sesame::importer {

/// One half of a model, "encoder" or "decoder": layers, their heads, and the width of the feed-forward part.
struct Stack {
  struct Sizes {
    int64_t layers, heads, inner;
  };

  std::string name;
  int64_t layers, heads, inner;

  /// Reads NAME_layers, NAME_attention_heads (a divisor of d_model, `width`) and NAME_ffn_dim.
  static Stack read(const Config &c, const std::string &name, int64_t width, const Sizes &defaults);
};

/// What a decoder reads of the source of length E: the encoder's states, or what `encode` made of them.
struct Source {
  mlir::Value states; // [B, E, C]; null where there is a cache
  /// [2 * L, B, H, E, D]: layer i's keys at 2 * i, its values at 2 * i + 1; null where there are states.
  mlir::Value cache;
  mlir::Value mask; // [B, E]; null: all of it counts
};

/// The keys and values [B, H, E, D] that the current decoder layer makes of the encoder's states [B, E, C].
using SourceHeads = llvm::function_ref<std::pair<mlir::Value, mlir::Value>(mlir::Value states)>;

/// ModelBuilder::blocks for decoder layers, which also read the source. `body(h, mask, cache, source,
/// shared)`.
using DecoderBody = llvm::function_ref<mlir::Value(mlir::Value h, mlir::Value mask, Cache *cache,
                                                   const Source &source, mlir::ValueRange shared)>;
mlir::Value decoderBlocks(ModelBuilder &b, const std::string &name, int64_t count, mlir::Value h,
                          mlir::Value mask, Cache *cache, const Source &source, DecoderBody body,
                          mlir::ValueRange shared = {});

/// The table of tokens that a half of the model has under the name `own`: the one called `shared`, unless
/// both are stored and differ, as where transformers 5 ties nothing. `others` are more names of the shared
/// one.
mlir::Value tokenTable(ModelBuilder &b, const std::string &own, const std::string &shared,
                       llvm::ArrayRef<int64_t> shape, const std::vector<NamePattern> &others = {});

/// ids [B, S] -> what the decoder of a model that is given one text reads: its start token, which is below
/// `vocab`, then all ids but the last.
mlir::Value shiftRight(ModelBuilder &b, mlir::Value ids, int64_t vocab);

/// Attention of q [B, S, H * D] to the source -> [B, S, H * D], in a decoder layer.
mlir::Value attendSource(ModelBuilder &b, mlir::Value q, const Source &source, int64_t heads, double scale,
                         SourceHeads sourceHeads);

/// A sequence-to-sequence model with a language model's head.
struct Seq2Seq {
  int64_t vocabSize = 0, sourceVocabSize = 0;
  int64_t width = 0;                           // of the encoder's states
  int64_t maxLength = 0, maxSource = 0;        // 0: no bound
  int64_t layers = 0, heads = 0, headSize = 0; // of the decoder
  /// (ids [B, E], mask [B, E]) -> states [B, E, C].
  llvm::function_ref<mlir::Value(mlir::Value ids, mlir::Value mask)> encoder;
  /// Instead of `encoder`: declares the source's inputs itself, without a mask -> states [B, E, C], where E
  /// is `maxSource`.
  llvm::function_ref<mlir::Value()> features;
  /// (ids [B, S], mask [B, T], cache or null, source) -> hidden states [B, S, C].
  llvm::function_ref<mlir::Value(mlir::Value ids, mlir::Value mask, Cache *cache, const Source &source)>
      decoder;
  SourceHeads sourceHeads;
  /// [B, S, C] -> logits [B, S, V]; null for a model without a head.
  llvm::function_ref<mlir::Value(mlir::Value hidden)> head;
  /// What `forward` gives besides; null for nothing.
  llvm::function_ref<void(mlir::Value hidden)> moreOutputs;
};

/// `forward(input_ids, attention_mask, decoder_input_ids, decoder_attention_mask) -> logits [B, S, V],
/// encoder_last_hidden_state` (without a head `last_hidden_state` [B, S, C]). With a head also
/// `encode(input_ids, attention_mask) -> encoder_last_hidden_state, cross_cache` and
/// `decode(attention_mask, cross_cache, decoder_input_ids, decoder_attention_mask, states) -> logits [B, V]`
/// of the last position.
void seq2SeqEntries(ModelBuilder &b, const Seq2Seq &model);

} // namespace sesame::importer

#endif // SESAME_IMPORT_SEQ2SEQ_H
