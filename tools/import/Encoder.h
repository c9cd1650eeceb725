//===- Encoder.h - What BERT and its relatives share ------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The families of encoders differ in the names of their tensors, in the embeddings, and in a few heads. The
// rest is here: embeddings of words, types and positions, the block whose norms come after the residual sums,
// and the entries of the usual classes. A family overrides what it does its own way.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_ENCODER_H
#define SESAME_IMPORT_ENCODER_H

#include "Positions.h"
#include "Registry.h"
#include "TensorOps.h"

#include <cmath>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sesame::importer {

/// The default values of a configuration class of transformers, BERT's where not said otherwise.
struct EncoderDefaults {
  int64_t vocab = 30522, width = 768, layers = 12, heads = 12, inner = 3072, maxLength = 512, types = 2;
  const char *activation = "gelu";
  double epsilon = 1e-12;
};

struct EncoderSizes {
  int64_t width, layers, heads, inner, vocab, maxLength;
  /// Rows of the token type table, 0 for none.
  int64_t types;
  /// Of the embedding tables; differs from `width` where a linear map lies between.
  int64_t embeddingWidth;
  mlir::sesame::Activation activation;
  double epsilon;
  bool tied;
  /// "absolute", "relative_key" or "relative_key_query"; "none" for no embeddings of positions.
  std::string positionKind = "absolute";
  /// RoBERTa's positions: counted from the one after this padding id's, over the tokens that are not it.
  std::optional<int64_t> padPosition;

  /// From the fields that BERT's configuration has. Refuses decoders unless `mayDecode`.
  static EncoderSizes read(const Config &config, const EncoderDefaults &defaults = {},
                           bool mayDecode = false);
  /// The same with the padding id that RoBERTa counts positions from.
  static EncoderSizes readPadded(const Config &config, const EncoderDefaults &defaults = {},
                                 bool mayDecode = false);
};

/// The modules of a block, each with a "{}" for the layer where there is a tensor for each.
struct BlockNames {
  NamePattern query, key, value, attentionOutput, attentionNorm, inner, output, outputNorm;
  /// The table of Shaw's relative positions.
  NamePattern distances;

  /// BERT's names, `layer` being "bert.encoder.layer.{}.".
  static BlockNames bert(const std::string &layer);
};

/// A masked language model's head: its modules, `bias` being a tensor, and what follows `transform`.
struct PredictionHead {
  std::string transform, norm, decoder, bias;
  mlir::sesame::Activation activation;
};

class Encoder {
public:
  /// `prefix` is the base model's, with its dot.
  Encoder(ModelBuilder &b, std::string prefix, EncoderSizes sizes, BlockNames names);
  virtual ~Encoder() = default;

  //===--------------------------------------------------------------------===//
  // Classes: each builds the entry `forward`.
  //===--------------------------------------------------------------------===//

  void baseModel();
  void maskedLM();
  /// ...ForCausalLM: `forward` and `decode`, where config.json says that it is a decoder. As a masked
  /// language model otherwise, which sees both sides.
  void causalLM();
  void sequenceClassification();
  void tokenClassification();
  void questionAnswering();
  /// N choices a row, each a sequence of its own.
  void multipleChoice();
  void nextSentencePrediction();
  /// Predictions and whether the second sentence follows the first.
  void preTraining();

protected:
  /// [B, S] each, or [B, N, S] for choices; null where the family has no such input.
  struct Inputs {
    mlir::Value ids, mask, types, positions;
    mlir::Value boxes; // [B, S, 4]
  };

  /// Does what is computed of a token depend on the padding behind it, mask or not?
  virtual bool readsPadding() const { return false; }
  /// Opens `forward`.
  virtual Inputs beginInputs(const ModelBuilder::Dims &dims);
  /// The longest sequence: RoBERTa never uses the positions up to that of padding.
  int64_t maxLength() const { return sizes.maxLength - (sizes.padPosition ? *sizes.padPosition + 1 : 0); }
  /// -> [B, S, C].
  virtual mlir::Value embed(const Inputs &in);
  /// Values that every block reads.
  virtual llvm::SmallVector<mlir::Value> blockOperands(const Inputs &in);
  virtual mlir::Value block(mlir::Value h, mlir::Value mask, Cache *cache, mlir::ValueRange shared);
  /// q, k and v of the block's names from h and the attention over them, without the output's map.
  virtual mlir::Value selfAttention(mlir::Value h, mlir::Value mask, Cache *cache, mlir::ValueRange shared);
  /// What is added to the scaled scores of q, k [B, H, S, D]; null for nothing.
  virtual mlir::Value attentionBias(mlir::Value q, mlir::Value k, mlir::ValueRange shared);
  /// All the blocks.
  virtual mlir::Value encode(mlir::Value h, const Inputs &in, Cache *cache);
  /// The pooler's linear map; empty if the family has none.
  virtual std::string poolerName() const { return prefix + "pooler.dense"; }
  virtual bool hasPooler() const { return !poolerName().empty() && b.weights.has(poolerName() + ".weight"); }
  /// tanh(W h[0] + b): [B, S, C] -> [B, C].
  virtual mlir::Value pooled(mlir::Value h);
  /// [B, S, C] -> logits [B, S, V].
  virtual mlir::Value predictions(mlir::Value h);
  /// [B, S, C] -> logits [B, labels] of a whole sequence.
  virtual mlir::Value classify(mlir::Value h, int64_t labels);
  /// The same for one score of a choice: [B, 1].
  virtual mlir::Value rate(mlir::Value h) { return b.linear("classifier", pooled(h), 1); }

  mlir::Value run(const Inputs &in, Cache *cache = nullptr) { return encode(embed(in), in, cache); }
  /// Opens `forward` and returns the last hidden states [B, S, C].
  mlir::Value beginForward() { return run(beginInputs({"B", "S"})); }
  mlir::Value first(mlir::Value h) { return b.select(h, 1, b.builder.getIndexAttr(0)); }
  std::string wordTableName() const { return prefix + "embeddings.word_embeddings.weight"; }
  mlir::Value wordTable();
  /// The sum of what the tables give, before the norm.
  mlir::Value embeddingSum(const Inputs &in);

  ModelBuilder &b;
  const std::string prefix;
  const EncoderSizes sizes;
  BlockNames names;
  bool causal = false;
  /// Whether norms come before attention and feed-forward, and `finalNorm` after the last block.
  bool isPreNorm = false;
  std::string finalNorm;
  /// Puts the norms of these names there; a block's stand behind `block`, which has {} for its number.
  void setPreNorm(const std::string &block, const char *attention, const char *output, std::string final);
  /// BERT's if the family sets no other. Its decoder is where the table is stored if not tied, and another
  /// name for the input table if it is.
  PredictionHead head;

private:
  mlir::Value followsLogits(mlir::Value h) { return b.linear("cls.seq_relationship", pooled(h), 2); }
};

/// An encoder with RoBERTa's heads.
class RobertaEncoder : public Encoder {
public:
  RobertaEncoder(ModelBuilder &b, std::string prefix, EncoderSizes sizes, BlockNames names);

protected:
  mlir::Value classify(mlir::Value h, int64_t labels) override;
};

/// The names of the usual classes of a family; null for one that it does not have.
struct EncoderClasses {
  const char *base, *maskedLM, *sequenceClassification, *tokenClassification, *questionAnswering,
      *multipleChoice = nullptr, *nextSentencePrediction = nullptr, *preTraining = nullptr,
      *causalLM = nullptr;
};

template <class Model> std::vector<Architecture> encoderArchitectures(const EncoderClasses &classes) {
  std::vector<Architecture> all = {
      {classes.base, "feature-extraction", [](ModelBuilder &b) { Model(b).baseModel(); }},
      {classes.maskedLM, "fill-mask", [](ModelBuilder &b) { Model(b).maskedLM(); }},
      {classes.sequenceClassification, "text-classification",
       [](ModelBuilder &b) { Model(b).sequenceClassification(); }},
      {classes.tokenClassification, "token-classification",
       [](ModelBuilder &b) { Model(b).tokenClassification(); }},
      {classes.questionAnswering, "question-answering",
       [](ModelBuilder &b) { Model(b).questionAnswering(); }},
      {classes.multipleChoice, "multiple-choice", [](ModelBuilder &b) { Model(b).multipleChoice(); }},
      {classes.nextSentencePrediction, "next-sentence-prediction",
       [](ModelBuilder &b) { Model(b).nextSentencePrediction(); }},
      {classes.preTraining, "fill-mask", [](ModelBuilder &b) { Model(b).preTraining(); }},
      {classes.causalLM, "text-generation", [](ModelBuilder &b) { Model(b).causalLM(); }},
  };
  std::vector<Architecture> present;
  for (const Architecture &each : all)
    if (each.name)
      present.push_back(each);
  return present;
}

/// The class of the first tensor of `heads` (tensor, class) that is stored.
const char *classByHead(const WeightSource &weights,
                        std::initializer_list<std::pair<const char *, const char *>> heads,
                        const char *otherwise);
/// The class of a checkpoint by BERT's heads and whether the pooler's weight, `pooler`, is there.
const char *classByBertHeads(const WeightSource &weights, const EncoderClasses &classes, const char *pooler);
/// The same by RoBERTa's.
const char *classByRobertaHeads(const WeightSource &weights, const EncoderClasses &classes,
                                const char *pooler);

} // namespace sesame::importer

#endif // SESAME_IMPORT_ENCODER_H
