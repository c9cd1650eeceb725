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

  bool isThere() const { return states || cache; }
};

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

/// ids [B, S] -> [B]: the place of the last end token, which config.json has to name.
mlir::Value lastEndPositions(ModelBuilder &b, mlir::Value ids);

/// BART's head, "classification_head", over x [B, C] -> [B, labels].
mlir::Value classificationHead(ModelBuilder &b, mlir::Value x, int64_t labels);

/// The entries that the classes of every encoder-decoder transformer have. A family derives from it, reads
/// its config.json into the members and describes the two halves.
class Seq2Seq {
public:
  virtual ~Seq2Seq() = default;

  /// `forward(input_ids, attention_mask, decoder_input_ids, decoder_attention_mask) -> logits [B, S, V],
  /// encoder_last_hidden_state`, `encode(input_ids, attention_mask) -> encoder_last_hidden_state,
  /// cross_cache` and `decode(attention_mask, cross_cache, decoder_input_ids, decoder_attention_mask, states)
  /// -> logits [B, V]` of the last position.
  void conditionalGeneration();
  /// `forward` that gives the decoder's `last_hidden_state` [B, S, C] instead of logits.
  void pairModel();
  /// ...ForCausalLM: the decoder alone, which reads no source.
  void causalLM();
  /// `forward(input_ids, attention_mask)` of both halves over one text: a classifier of the decoder's state
  /// at the last end token.
  void sequenceClassification();
  /// The same, for each position whether an answer starts or ends there.
  void questionAnswering();

protected:
  explicit Seq2Seq(ModelBuilder &b) : b(b) {}

  /// ids [B, E], mask [B, E] -> states [B, E, C], where the source is a text.
  virtual mlir::Value encode(mlir::Value ids, mlir::Value mask) { return {}; }
  /// Declares the source's inputs and encodes them.
  virtual Source encodedSource();
  /// ids [B, S], mask [B, T], cache or null, source, which has neither states nor a cache if the decoder is
  /// alone -> hidden states [B, S, C].
  virtual mlir::Value decode(mlir::Value ids, mlir::Value mask, Cache *cache, const Source &source) = 0;
  /// The keys and values [B, H, E, D] that the current decoder layer makes of states [B, E, C].
  virtual std::pair<mlir::Value, mlir::Value> sourceHeads(mlir::Value states) = 0;
  /// [B, S, C] -> [B, S, V].
  virtual mlir::Value logits(mlir::Value hidden) = 0;
  /// What `decode` gives -> what the base model does: `last_hidden_state`.
  virtual mlir::Value lastState(mlir::Value hidden) { return hidden; }
  /// One text's ids [B, S], the encoder's states [B, S, C] and the decoder's [B, S, C].
  struct Passes {
    mlir::Value ids, states, hidden;
  };
  /// Opens `forward` of a model that runs both halves over one text, which the decoder reads shifted right.
  virtual Passes beginShifted() { return {}; }
  void endShifted(const Passes &passes);
  /// What `forward` gives besides; `hasHead`: beside logits.
  virtual void moreOutputs(mlir::Value hidden, bool hasHead);

  /// Attention of q [B, S, H * D] to the source -> [B, S, H * D], in a decoder layer.
  mlir::Value attendSource(mlir::Value q, const Source &source, double scale);

  ModelBuilder &b;
  int64_t vocab = 0, sourceVocab = 0;
  int64_t width = 0;                    // of the encoder's states
  int64_t maxLength = 0, maxSource = 0; // 0: no bound
  /// Whether every source has `maxSource` positions.
  bool isSourceFixed = false;
  int64_t decoderLayers = 0, decoderHeads = 0, headSize = 0;

private:
  void forwardEntry(bool hasHead);
  void encodeEntry();
  void decodeEntry();
  std::vector<Limit> sourceLimits() const;
  std::string sourceAxis() const { return isSourceFixed ? std::to_string(maxSource) : "E"; }
  ModelBuilder::Dims crossDims() const;
  void outputStates(mlir::Value states);
};

} // namespace sesame::importer

#endif // SESAME_IMPORT_SEQ2SEQ_H
