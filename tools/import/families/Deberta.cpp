//===- Deberta.cpp - DeBERTa, first and second version --------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// He et al. 2021, section 3.1 (disentangled attention), and 2021b (shared projections, logarithmic buckets);
// transformers/models/deberta/modeling_deberta.py and deberta_v2/modeling_deberta_v2.py.
//
//===----------------------------------------------------------------------===//

#include "../Registry.h"
#include "../TensorOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

class Deberta {
public:
  Deberta(ModelBuilder &b, int version) : b(b), version(version) {
    const Config &c = b.config;
    width = c.extent("hidden_size", version == 1 ? 768 : 1536);
    heads = version == 1 || !c.has("attention_head_size")
                ? c.divisor("num_attention_heads", "hidden_size", width, version == 1 ? 12 : 24)
                : c.extent("num_attention_heads", 24);
    headSize = version == 1 ? width / heads : c.extent("attention_head_size", width / heads);
    layers = c.layers("num_hidden_layers", version == 1 ? 12 : 24);
    inner = c.extent("intermediate_size", version == 1 ? 3072 : 6144);
    vocab = c.extent("vocab_size", version == 1 ? 50265 : 128100);
    maxLength = c.extent("max_position_embeddings", 512);
    types = c.integer("type_vocab_size", 0, Config::maxExtent, 0);
    embeddingWidth = c.extent("embedding_size", width);
    activation = c.activation("hidden_act", "gelu");
    epsilon = c.epsilon("layer_norm_eps", 1e-7);
    tied = c.flag("tie_word_embeddings", true);
    absolute = c.flag("position_biased_input", true);
    c.refuseFlag("talking_head", "mixing of heads is not supported");
    if (c.integer("conv_kernel_size", 0, Config::maxExtent, 0) > 0)
      c.fail("conv_kernel_size", "the convolution layer is not supported, expected 0");
    if (c.flag("relative_attention", version == 2))
      readRelativeOptions();
    scale = 1 / std::sqrt(double(headSize) * (1 + contentToPosition + positionToContent));
    b.info.vocabSize = vocab;
    b.info.hiddenSize = width;
    b.info.numLayers = layers;
    b.info.maxLength = maxLength;
  }

  void baseModel() {
    Value h = beginForward();
    b.output("last_hidden_state", h, {"B", "S", std::to_string(width)});
    b.endEntry();
  }

  void maskedLM() {
    Value h = beginForward();
    b.output("logits", predictions(h), {"B", "S", std::to_string(vocab)});
    b.endEntry();
  }

  void sequenceClassification() {
    int64_t labels = b.config.numLabels();
    Value h = beginForward();
    b.output("logits", b.linear("classifier", pooled(h), labels), {"B", std::to_string(labels)});
    b.endEntry();
  }

  void tokenClassification() {
    int64_t labels = b.config.numLabels();
    Value h = beginForward();
    b.output("logits", b.linear("classifier", h, labels), {"B", "S", std::to_string(labels)});
    b.endEntry();
  }

  void questionAnswering() {
    questionAnsweringOutputs(b, "qa_outputs", beginForward());
    b.endEntry();
  }

  /// N choices a row, each a sequence of its own.
  void multipleChoice() {
    Inputs in = beginInputs({"B", "N", "S"});
    Value ids = in.ids;
    for (Value *input : {&in.ids, &in.mask, &in.types, &in.positions})
      if (*input)
        *input = b.mergeLeading(*input);
    Value scores = b.linear("classifier", pooled(body(in)), 1); // [B * N, 1]
    b.output("logits", b.dropLastAxis(b.splitLeading(scores, ids)), {"B", "N"});
    b.endEntry();
  }

private:
  struct Inputs {
    Value ids, mask;
    Value types;     // null without such embeddings
    Value positions; // null without absolute positions
  };

  void readRelativeOptions() {
    const Config &c = b.config;
    for (const std::string &kind : c.texts("pos_att_type"))
      if (kind == "c2p")
        contentToPosition = true;
      else if (kind == "p2c")
        positionToContent = true;
      else
        c.fail("pos_att_type", "expected 'c2p' and 'p2c', got '" + kind + "'");
    auto positiveOr = [&](const char *key, int64_t fallback) {
      int64_t value = c.integer(key, -1, Config::maxExtent, -1);
      return value < 1 ? fallback : value;
    };
    maxDistance = positiveOr("max_relative_positions", maxLength);
    buckets = version == 1 ? 0 : positiveOr("position_buckets", 0);
    span = buckets > 0 ? buckets : maxDistance;
    if (version == 1)
      return;
    sharesProjections = c.flag("share_att_key", false);
    normsPositions = c.choice("norm_rel_ebd", {"none", "layer_norm"}, "none") == "layer_norm";
  }

  bool isRelative() const { return contentToPosition || positionToContent; }

  Inputs beginInputs(const ModelBuilder::Dims &dims) {
    b.beginEntry("forward", {{"S", maxLength}});
    Inputs in;
    in.ids = b.idInput("input_ids", dims, vocab);
    in.mask = b.maskInput(dims);
    if (types > 0)
      in.types = b.idInput("token_type_ids", dims, types, "zeros");
    if (absolute)
      in.positions = b.idInput("position_ids", dims, maxLength, "arange");
    return in;
  }

  /// Opens `forward` and returns the last hidden states [B, S, C].
  Value beginForward() { return body(beginInputs({"B", "S"})); }

  NamePattern layer(const char *part) { return std::string("deberta.encoder.layer.{}.") + part; }

  Value body(const Inputs &in) {
    SmallVector<std::pair<Value, Value>> parts = {
        {in.ids, b.inputTable("deberta.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight",
                              {vocab, embeddingWidth}, tied)}};
    if (in.types)
      parts.push_back(
          {in.types, b.weight("deberta.embeddings.token_type_embeddings.weight", {types, embeddingWidth})});
    if (in.positions)
      parts.push_back({in.positions, b.weight("deberta.embeddings.position_embeddings.weight",
                                              {maxLength, embeddingWidth})});
    else
      b.weights.ignore("deberta.embeddings.position_embeddings.weight");
    Value h = b.embedding(parts);
    if (embeddingWidth != width) {
      h = b.linear("deberta.embeddings.embed_proj", h, width, withoutBias);
    }
    h = b.layerNorm("deberta.embeddings.LayerNorm", h, epsilon);
    SmallVector<Value> shared;
    if (isRelative()) {
      Value positions = b.weight("deberta.encoder.rel_embeddings.weight", {2 * span, width});
      if (normsPositions)
        positions = b.layerNorm("deberta.encoder.LayerNorm", positions, epsilon);
      shared = {positions, relativeRows(h)};
    }
    return b.blocks(
        "block", layers, h, in.mask, nullptr,
        [&](Value x, Value mask, Cache *, ValueRange shared) { return block(x, mask, shared); }, shared);
  }

  /// The row of the table of relative positions for each distance s - t: [S, S] of i64.
  Value relativeRows(Value h) {
    OpFoldResult length = b.extent(h, 1);
    Value table = bucketTable();
    return generate(b, {length, length}, b.builder.getI64Type(), [&](Scalars s, ValueRange at) {
      Value distance = s.subtract(at[0], at[1]);
      if (!table) {
        Value row = s.add(distance, s.constant(span));
        return s.toI64(s.minimum(s.maximum(row, s.constant(0)), s.constant(2 * span - 1)));
      }
      return s.at(table, s.add(distance, s.constant(maxLength - 1)));
    });
  }

  /// The rows for distances 1 - maxLength to maxLength - 1 where distances fall into buckets, else null. In
  /// f32 as in transformers: the rounding decides where a bucket ends.
  Value bucketTable() {
    if (buckets == 0)
      return {};
    float mid = buckets / 2;
    SmallVector<int64_t> rows;
    for (int64_t distance = 1 - maxLength; distance < maxLength; ++distance) {
      float size = std::abs(float(distance)), bucket = distance;
      if (size > mid) {
        float position = std::log(size / mid) / std::log((maxDistance - 1) / mid) * (mid - 1);
        bucket = (std::ceil(position) + mid) * (distance < 0 ? -1 : 1);
      }
      rows.push_back(std::clamp<int64_t>(int64_t(bucket) + span, 0, 2 * span - 1));
    }
    auto type = RankedTensorType::get({2 * maxLength - 1}, b.builder.getI64Type());
    return arith::ConstantOp::create(b.builder, b.loc, DenseElementsAttr::get(type, ArrayRef(rows)));
  }

  Value block(Value h, Value mask, ValueRange shared) {
    Value q, k, v; // [B, H, S, D]
    if (version == 1) {
      Value qkv = b.splitHeads(b.linear(layer("attention.self.in_proj"), h, 3 * width, withoutBias),
                               heads); // [B, H, S, 3 * D]
      q = addHeadBias(b.sliceColumns(qkv, 0, headSize), layer("attention.self.q_bias"));
      k = b.sliceColumns(qkv, headSize, headSize);
      v = addHeadBias(b.sliceColumns(qkv, 2 * headSize, headSize), layer("attention.self.v_bias"));
    } else {
      q = b.splitHeads(b.linear(layer("attention.self.query_proj"), h, heads * headSize), heads);
      k = b.splitHeads(b.linear(layer("attention.self.key_proj"), h, heads * headSize), heads);
      v = b.splitHeads(b.linear(layer("attention.self.value_proj"), h, heads * headSize), heads);
    }
    AttentionOptions options;
    options.heads = heads;
    options.scale = scale;
    options.mask = mask;
    if (isRelative())
      options.bias = disentangledBias(q, k, shared[0], shared[1]);
    Value x = b.mergeHeads(b.attendHeads(q, k, v, options));
    x = b.linear(layer("attention.output.dense"), x, width);
    h = b.layerNorm(layer("attention.output.LayerNorm"), b.add(x, h), epsilon);
    x = b.activation(activation, b.linear(layer("intermediate.dense"), h, inner));
    x = b.linear(layer("output.dense"), x, width);
    return b.layerNorm(layer("output.LayerNorm"), b.add(x, h), epsilon);
  }

  Value addHeadBias(Value x, const NamePattern &name) {
    Value bias = splitAxis(b, b.weight(name, {width}), 0, heads); // [H, D]
    return mapOver(b, "bhsd,hd->bhsd", {x, bias}, b.builder.getF32Type(),
                   [](Scalars s, ValueRange values) { return s.add(values[0], values[1]); });
  }

  /// [2 * P, H, D] from the table of relative positions.
  Value projectPositions(const NamePattern &name, Value positions, bool bias) {
    LinearOptions options;
    options.bias = bias;
    return splitAxis(b, b.linear(name, positions, heads * headSize, options), 1, heads);
  }

  /// The terms content to position and position to content of the scaled scores: [B, H, S, T]. He et al.
  /// 2021, eq. 4.
  Value disentangledBias(Value q, Value k, Value positions, Value rows) {
    Value fromQuery, fromKey; // [B, H, S, 2 * P], [B, H, T, 2 * P]
    if (contentToPosition) {
      NamePattern name = layer(version == 1        ? "attention.self.pos_proj"
                               : sharesProjections ? "attention.self.key_proj"
                                                   : "attention.self.pos_key_proj");
      fromQuery = einsum(b, "bhsd,phd->bhsp", q, projectPositions(name, positions, version == 2));
    }
    if (positionToContent) {
      NamePattern name = layer(version == 1        ? "attention.self.pos_q_proj"
                               : sharesProjections ? "attention.self.query_proj"
                                                   : "attention.self.pos_query_proj");
      fromKey = einsum(b, "bhtd,phd->bhtp", k, projectPositions(name, positions, true));
    }
    SmallVector<OpFoldResult> extents = {b.extent(q, 0), b.extent(q, 1), b.extent(q, 2), b.extent(k, 2)};
    return generate(b, extents, b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
      Value batch = at[0], head = at[1], query = at[2], key = at[3], sum;
      if (fromQuery) {
        Value row = s.toIndex(s.at(rows, {query, key}));
        sum = s.at(fromQuery, {batch, head, query, row});
      }
      if (fromKey) {
        // The key's distance is negated: clamp(P - (t - s)), that is the row of s - t, as buckets are odd.
        Value row = s.toIndex(s.at(rows, {query, key}));
        Value term = s.at(fromKey, {batch, head, key, row});
        sum = sum ? s.add(sum, term) : term;
      }
      return s.multiply(sum, s.constantF32(scale));
    });
  }

  Value pooled(Value h) {
    Value first = b.select(h, 1, b.builder.getIndexAttr(0)); // [B, C]
    return b.activation(b.config.activation("pooler_hidden_act", "gelu"),
                        b.linear("pooler.dense", first, width));
  }

  Value predictions(Value h) {
    const char *table = "deberta.embeddings.word_embeddings.weight";
    if (b.config.flag("legacy", true))
      return bertPredictions(b, h, table, vocab, activation, epsilon, tied);
    Value x = b.activation(activation, b.linear("lm_predictions.lm_head.dense", h, width));
    x = b.layerNorm("lm_predictions.lm_head.LayerNorm", x, epsilon);
    return b.linearBy(b.weight(table, {vocab, width}), b.weight("lm_predictions.lm_head.bias", {vocab}), x);
  }

  ModelBuilder &b;
  int version;
  int64_t width, heads, headSize, layers, inner, vocab, maxLength, types, embeddingWidth;
  mlir::sesame::Activation activation;
  double epsilon, scale;
  bool tied, absolute;
  bool contentToPosition = false, positionToContent = false, sharesProjections = false,
       normsPositions = false;
  /// Distances are cut off at `maxDistance`; the table of positions has 2 * `span` rows.
  int64_t maxDistance = 0, buckets = 0, span = 0;
};

/// Of the order base model, language model, question answering, sequence and token classification.
int inferClass(const WeightSource &weights) {
  if (weights.has("cls.predictions.bias") || weights.has("lm_predictions.lm_head.bias"))
    return 1;
  if (weights.has("qa_outputs.weight"))
    return 2;
  if (weights.has("classifier.weight"))
    return weights.has("pooler.dense.weight") ? 3 : 4;
  return 0;
}

} // namespace

const Family &debertaFamily() {
  static const Family family = {
      "deberta",
      "deberta.",
      {
          {"DebertaModel", "feature-extraction", [](ModelBuilder &b) { Deberta(b, 1).baseModel(); }},
          {"DebertaForMaskedLM", "fill-mask", [](ModelBuilder &b) { Deberta(b, 1).maskedLM(); }},
          {"DebertaForQuestionAnswering", "question-answering",
           [](ModelBuilder &b) { Deberta(b, 1).questionAnswering(); }},
          {"DebertaForSequenceClassification", "text-classification",
           [](ModelBuilder &b) { Deberta(b, 1).sequenceClassification(); }},
          {"DebertaForTokenClassification", "token-classification",
           [](ModelBuilder &b) { Deberta(b, 1).tokenClassification(); }},
      },
      [](const WeightSource &weights) { return debertaFamily().architectures[inferClass(weights)].name; },
      {"position_ids"},
  };
  return family;
}

const Family &debertaV2Family() {
  static const Family family = {
      "deberta-v2",
      "deberta.",
      {
          {"DebertaV2Model", "feature-extraction", [](ModelBuilder &b) { Deberta(b, 2).baseModel(); }},
          {"DebertaV2ForMaskedLM", "fill-mask", [](ModelBuilder &b) { Deberta(b, 2).maskedLM(); }},
          {"DebertaV2ForQuestionAnswering", "question-answering",
           [](ModelBuilder &b) { Deberta(b, 2).questionAnswering(); }},
          {"DebertaV2ForSequenceClassification", "text-classification",
           [](ModelBuilder &b) { Deberta(b, 2).sequenceClassification(); }},
          {"DebertaV2ForTokenClassification", "token-classification",
           [](ModelBuilder &b) { Deberta(b, 2).tokenClassification(); }},
          {"DebertaV2ForMultipleChoice", "multiple-choice",
           [](ModelBuilder &b) { Deberta(b, 2).multipleChoice(); }},
      },
      [](const WeightSource &weights) { return debertaV2Family().architectures[inferClass(weights)].name; },
      {"position_ids"},
  };
  return family;
}

} // namespace sesame::importer
