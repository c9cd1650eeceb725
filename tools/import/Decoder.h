//===- Decoder.h - What decoder-only families share -------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_DECODER_H
#define SESAME_IMPORT_DECODER_H

#include "Builder.h"
#include "Positions.h"
#include "Registry.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace sesame::importer {

/// The entries that the classes of every decoder-only family have. A family derives from it, reads its
/// config.json into the members and describes body and logits.
class Decoder {
public:
  virtual ~Decoder() = default;

  /// ...ForCausalLM: `forward` and `decode`.
  void languageModel();
  /// ...Model: `last_hidden_state` [B, S, C].
  void baseModel();
  /// ...ForSequenceClassification: the scores of the last token that is not padding, of the last one if
  /// there is no padding token; [B, N]. `name` is the linear that gives them.
  void sequenceClassification(const char *name);
  /// ...ForQuestionAnswering.
  void questionAnswering();
  /// ...ForTokenClassification: scores [B, S, N].
  void tokenClassification(const char *name);
  /// ...DoubleHeadsModel: N choices a row, a language model over each and a score for each, read at
  /// `mc_token_ids`.
  void doubleHeads();

protected:
  explicit Decoder(ModelBuilder &b) : b(b) {}

  /// What a sequence is given as: ids [B, S], mask [B, T].
  struct Inputs {
    mlir::Value ids, mask;
    mlir::Value positions; // [B, S]; null if the class has none
    mlir::Value types;     // [B, S]; null if the class has none, and in a step
  };

  /// -> hidden states [B, S, C] after the last norm.
  virtual mlir::Value body(const Inputs &in, Cache *cache) = 0;
  /// [B, S, C] -> [B, S, V].
  virtual mlir::Value logits(mlir::Value hidden) = 0;

  /// h [B, S, C], to which a token's type adds a row of the same table [V, C] that its word is looked up in.
  /// Types that are not given add nothing.
  mlir::Value addTypes(mlir::Value h, mlir::Value types, mlir::Value table);
  /// Causal attention over `mask` by the members below.
  AttentionOptions causalAttention(mlir::Value mask, Cache *cache) const;

  ModelBuilder &b;
  int64_t vocab = 0, width = 0, layers = 0, heads = 0, keyHeads = 0, headSize = 0;
  /// Positions there are, 0 for any number.
  int64_t maxLength = 0;
  /// What scores are multiplied by.
  double scale = 1;
  /// Whether the class takes `position_ids`; `body` gets null otherwise.
  bool hasPositionIds = true;
  /// Whether the class takes `token_type_ids`.
  bool hasTypeIds = false;

private:
  /// Opens `forward`; `dims` are the axes of its inputs.
  Inputs beginInputs(const ModelBuilder::Dims &dims);
  mlir::Value typeInput(const ModelBuilder::Dims &dims);
  mlir::Value beginForward();
  void fillInfo();
};

/// The names of a family's classes in transformers.
struct DecoderClasses {
  const char *languageModel, *baseModel, *sequenceClassification;
  const char *tokenClassification = nullptr;
  /// The linears of sequenceClassification, of the language model and of tokenClassification.
  const char *score = "score", *head = "lm_head", *tokenScore = "score";
  const char *questionAnswering = nullptr;
  const char *doubleHeads = nullptr;
};

/// The class of a checkpoint that names none.
const char *inferClass(const WeightSource &weights, const DecoderClasses &classes);

/// A family described by `Model`, a Decoder with a constant `classes`.
template <typename Model>
Family decoderFamily(const char *modelType, const char *basePrefix,
                     std::vector<const char *> ignoredSuffixes = {}) {
  Family family;
  family.modelType = modelType;
  family.basePrefix = basePrefix;
  family.architectures = {
      {Model::classes.languageModel, "text-generation", [](ModelBuilder &b) { Model(b).languageModel(); }},
      {Model::classes.baseModel, "feature-extraction", [](ModelBuilder &b) { Model(b).baseModel(); }},
      {Model::classes.sequenceClassification, "text-classification",
       [](ModelBuilder &b) { Model(b).sequenceClassification(Model::classes.score); }},
  };
  if (Model::classes.tokenClassification)
    family.architectures.push_back(
        {Model::classes.tokenClassification, "token-classification",
         [](ModelBuilder &b) { Model(b).tokenClassification(Model::classes.tokenScore); }});
  if (Model::classes.questionAnswering)
    family.architectures.push_back({Model::classes.questionAnswering, "question-answering",
                                    [](ModelBuilder &b) { Model(b).questionAnswering(); }});
  if (Model::classes.doubleHeads)
    family.architectures.push_back(
        {Model::classes.doubleHeads, "multiple-choice", [](ModelBuilder &b) { Model(b).doubleHeads(); }});
  family.infer = [](const WeightSource &weights) { return inferClass(weights, Model::classes); };
  family.ignoredSuffixes = std::move(ignoredSuffixes);
  return family;
}

/// Rotary positions, as config.json describes them: Su et al. 2021.
class Rotary {
public:
  /// What a family takes where config.json is silent.
  struct Defaults {
    double theta = 10000;
    /// The share of a head's features that is rotated.
    double share = 1;
  };
  /// Reads transformers 5's `rope_parameters`, or `rope_theta`, `rope_scaling` and `partial_rotary_factor`
  /// (GPT-NeoX: `rotary_emb_base`, `rotary_pct`) of older files. `maxLength` is that of the model.
  Rotary(const Config &config, int64_t headSize, int64_t maxLength, Defaults defaults);
  /// The first `size` features, by powers of `theta`; pairs are neighbours.
  static Rotary interleaved(int64_t size, double theta);

  /// heads [B, H, S, D], positions [B, S] -> [B, H, S, D].
  mlir::Value apply(ModelBuilder &b, mlir::Value heads, mlir::Value positions) const;

private:
  Rotary() = default;

  std::vector<float> frequencies; // [R / 2]
  double scale = 1;               // of the rotated features
  bool isInterleaved = false;
};

/// Which layers see all earlier tokens, and which only those in a window.
class LayerWindows {
public:
  LayerWindows() = default;
  /// `isSliding` holds one flag a layer.
  LayerWindows(int64_t window, std::vector<bool> isSliding);
  /// Reads `layer_types`, or takes `isSlidingByDefault` of each layer's index.
  static LayerWindows read(const Config &config, int64_t layers, std::optional<int64_t> window,
                           llvm::function_ref<bool(int64_t)> isSlidingByDefault);

  /// What the layers share as their mask: `mask` [B, T] itself, or if layers differ both kinds of mask [2, B,
  /// S, T], without and with the window.
  mlir::Value masks(ModelBuilder &b, mlir::Value mask, mlir::Value ids) const;
  /// In a layer: sets its mask and window, given the result of `masks`.
  void restrict(ModelBuilder &b, mlir::Value masks, AttentionOptions &options) const;

private:
  bool isMixed() const;

  int64_t window = 0;
  std::vector<bool> isSliding; // empty: none is
};

/// The query, key and value of a linear whose columns are [H, 3, D]: x [B, S, 3 * H * D] -> [B, H, S, D]
/// each.
std::array<mlir::Value, 3> splitFusedHeads(ModelBuilder &b, mlir::Value x, int64_t heads);
/// activation(gate(x)) * up(x), all without or with bias.
mlir::Value gatedLinear(ModelBuilder &b, const NamePattern &gate, const NamePattern &up, mlir::Value x,
                        int64_t columns, bool bias, mlir::sesame::Activation activation);
/// cap * tanh(x / cap).
mlir::Value softcap(ModelBuilder &b, mlir::Value x, double cap);

} // namespace sesame::importer

#endif // SESAME_IMPORT_DECODER_H
