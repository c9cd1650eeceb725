//===- T5.cpp - T5, T5 v1.1, mT5, UMT5 ------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Raffel et al. 2020, Xue et al. 2021, Chung et al. 2023; transformers/models/{t5,umt5}.
//
//===----------------------------------------------------------------------===//

#include "../Decoder.h"
#include "../Registry.h"
#include "../Seq2Seq.h"
#include "../TensorOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

/// What differs between T5 and its kin where config.json is silent.
struct Defaults {
  int64_t vocab, inner, layers, heads;
  const char *feedForward;
  bool tied;
  /// Each layer has its own table of relative positions; else the first one's is that of all.
  bool biasInEveryLayer = false;
};
constexpr Defaults t5Defaults = {32128, 2048, 6, 8, "relu", true};
constexpr Defaults mt5Defaults = {250112, 1024, 8, 6, "gated-gelu", false};
constexpr Defaults umt5Defaults = {250112, 1024, 8, 6, "gated-gelu", false, /*biasInEveryLayer=*/true};

class T5 : public Seq2Seq {
public:
  T5(ModelBuilder &b, const Defaults &defaults) : Seq2Seq(b), biasInEveryLayer(defaults.biasInEveryLayer) {
    const Config &c = b.config;
    width = c.extent("d_model", 512);
    heads = decoderHeads = c.extent("num_heads", defaults.heads);
    headSize = c.extent("d_kv", 64);
    inner = c.extent("d_ff", defaults.inner);
    layers = c.layers("num_layers", defaults.layers);
    decoderLayers = c.layers("num_decoder_layers", layers);
    vocab = sourceVocab = c.extent("vocab_size", defaults.vocab);
    epsilon = c.epsilon("layer_norm_epsilon", 1e-6);
    tied = c.flag("tie_word_embeddings", defaults.tied);
    scalesOutputs = c.flag("scale_decoder_outputs", tied);
    buckets = c.integer("relative_attention_num_buckets", 4, 1 << 16, 32);
    maxDistance = c.integer("relative_attention_max_distance", 1, 1 << 24, 128);
    if (maxDistance <= buckets / 2)
      c.fail("relative_attention_max_distance",
             "expected more than half of relative_attention_num_buckets, got " + std::to_string(maxDistance));
    readFeedForward(c.text("feed_forward_proj", defaults.feedForward));
    b.info.vocabSize = vocab;
    b.info.hiddenSize = width;
    b.info.numLayers = layers;
  }

  void encoderModel() {
    b.output("last_hidden_state", beginEncoder(), {"B", "S", std::to_string(width)});
    b.endEntry();
  }

  void tokenClassification() {
    int64_t labels = b.config.numLabels();
    b.output("logits", b.linear("classifier", beginEncoder(), labels), {"B", "S", std::to_string(labels)});
    b.endEntry();
  }

private:
  /// "relu", "gated-silu"; "gated-gelu" means the approximation that T5 v1.1 was trained with.
  void readFeedForward(const std::string &kind) {
    isGated = kind.rfind("gated-", 0) == 0;
    std::string name = isGated ? kind.substr(6) : kind;
    std::optional<mlir::sesame::Activation> parsed =
        parseActivation(kind == "gated-gelu" ? "gelu_new" : name);
    if (!parsed)
      b.config.fail("feed_forward_proj",
                    "expected an activation, with 'gated-' before it or not, got '" + kind + "'");
    activation = *parsed;
  }

  /// Opens `forward` of a model without a decoder -> states [B, S, C].
  Value beginEncoder() {
    b.beginEntry("forward");
    Value ids = b.idInput("input_ids", {"B", "S"}, vocab);
    return encode(ids, b.maskInput());
  }

  Passes beginShifted() override {
    b.beginEntry("forward");
    Value ids = b.idInput("input_ids", {"B", "S"}, vocab);
    Source source;
    source.mask = b.maskInput();
    source.states = encode(ids, source.mask);
    Value shifted = shiftRight(b, ids, vocab);
    // No padding, as the reference has it: all ones.
    Value ones = mapOver(b, "bs->bs", shifted, b.builder.getI64Type(),
                         [](Scalars s, ValueRange) { return s.constantI64(1); });
    return {ids, source.states, decode(shifted, ones, nullptr, source)};
  }

  Value embedded(const std::string &stack, Value ids) {
    std::vector<NamePattern> others = {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight"};
    if (tied)
      others.push_back("lm_head.weight");
    Value table = tokenTable(b, stack + ".embed_tokens.weight", "shared.weight", {vocab, width}, others);
    return b.embedding({{ids, table}});
  }

  Value encode(Value ids, Value mask) override {
    SmallVector<Value> bias = sharedBias("encoder", ids, mask, /*isBidirectional=*/true);
    Value h = b.blocks(
        "encoder_block", layers, embedded("encoder", ids), mask, nullptr,
        [&](Value h, Value mask, Cache *, ValueRange shared) {
          const std::string layer = "encoder.block.{}.layer.";
          h = selfAttention(layer + "0.", h, mask, nullptr, shared, /*causal=*/false);
          return feedForward(layer + "1.", h);
        },
        bias);
    return b.rmsNorm("encoder.final_layer_norm", h, epsilon);
  }

  Value decode(Value ids, Value mask, Cache *cache, const Source &source) override {
    SmallVector<Value> bias = sharedBias("decoder", ids, mask, /*isBidirectional=*/false);
    Value h = decoderBlocks(
        b, "decoder_block", decoderLayers, embedded("decoder", ids), mask, cache, source,
        [&](Value h, Value mask, Cache *cache, const Source &source, ValueRange shared) {
          const std::string layer = "decoder.block.{}.layer.";
          h = selfAttention(layer + "0.", h, mask, cache, shared, /*causal=*/true);
          Value x = b.rmsNorm(layer + "1.layer_norm", h, epsilon);
          Value q = b.linear(layer + "1.EncDecAttention.q", x, heads * headSize, withoutBias);
          x = attendSource(q, source, /*scale=*/1);
          h = b.add(h, b.linear(layer + "1.EncDecAttention.o", x, width, withoutBias));
          return feedForward(layer + "2.", h);
        },
        bias);
    return b.rmsNorm("decoder.final_layer_norm", h, epsilon);
  }

  Value logits(Value hidden) override {
    if (scalesOutputs)
      hidden = b.scale(hidden, 1 / std::sqrt(double(width)));
    return b.linearBy(b.headWeight("lm_head.weight", "shared.weight", {vocab, width}, tied), Value(), hidden);
  }

  /// The bias of all layers, where it is one.
  SmallVector<Value> sharedBias(const std::string &stack, Value ids, Value mask, bool isBidirectional) {
    if (biasInEveryLayer)
      return {};
    return {positionBias(stack + ".block.0.layer.0.SelfAttention.", ids, mask, isBidirectional)};
  }

  Value selfAttention(const std::string &layer, Value h, Value mask, Cache *cache, ValueRange shared,
                      bool causal) {
    Value x = b.rmsNorm(layer + "layer_norm", h, epsilon);
    const std::string attention = layer + "SelfAttention.";
    Value q = b.linear(attention + "q", x, heads * headSize, withoutBias);
    Value k = b.linear(attention + "k", x, heads * headSize, withoutBias);
    Value v = b.linear(attention + "v", x, heads * headSize, withoutBias);
    AttentionOptions options;
    options.heads = heads;
    options.causal = causal;
    options.mask = mask;
    options.bias = shared.empty() ? positionBias(attention, h, mask, !causal) : shared.front();
    options.cache = cache;
    return b.add(h, b.linear(attention + "o", b.attention(q, k, v, options), width, withoutBias));
  }

  std::pair<Value, Value> sourceHeads(Value states) override {
    const std::string attention = "decoder.block.{}.layer.1.EncDecAttention.";
    Value k = b.linear(attention + "k", states, heads * headSize, withoutBias);
    Value v = b.linear(attention + "v", states, heads * headSize, withoutBias);
    return {b.splitHeads(k, heads), b.splitHeads(v, heads)};
  }

  Value feedForward(const std::string &layer, Value h) {
    Value x = b.rmsNorm(layer + "layer_norm", h, epsilon);
    const std::string part = layer + "DenseReluDense.";
    Value up = isGated ? gatedLinear(b, part + "wi_0", part + "wi_1", x, inner, /*bias=*/false, activation)
                       : b.activation(activation, b.linear(part + "wi", x, inner, withoutBias));
    return b.add(h, b.linear(part + "wo", up, width, withoutBias));
  }

  /// The distances from which on a bucket above `exact`, below which every distance has its own, is reached:
  /// as transformers computes them, in f32. Worked out here, so that no logarithm is taken when the model
  /// runs.
  std::vector<int64_t> bucketStarts(int64_t exact, int64_t perSide) const {
    std::vector<int64_t> starts;
    for (int64_t distance = exact; distance <= maxDistance && exact + int64_t(starts.size()) + 1 < perSide;
         ++distance) {
      float ratio =
          std::log(float(distance) / float(exact)) / float(std::log(double(maxDistance) / double(exact)));
      int64_t bucket = std::min(exact + int64_t(ratio * float(perSide - exact)), perSide - 1);
      while (exact + int64_t(starts.size()) < bucket)
        starts.push_back(distance);
    }
    return starts;
  }

  /// What each head adds to the scores of a query for a key so far away: [1, H, S, T]. The distance alone
  /// decides, so the S + T - 1 there are are looked up first. `rows` is [B, S] or [B, S, C], `mask` [B, T].
  Value positionBias(const std::string &attention, Value rows, Value mask, bool isBidirectional) {
    Value table = b.weight(attention + "relative_attention_bias.weight", {buckets, heads});
    Value queries = b.dim(rows, 1), keys = b.dim(mask, 1), one = b.constant(1);
    Value lastQuery = arith::SubIOp::create(b.builder, b.loc, keys, one); // at the position of the last key
    Value total = arith::AddIOp::create(b.builder, b.loc, queries, lastQuery);
    int64_t perSide = isBidirectional ? buckets / 2 : buckets, exact = perSide / 2;
    std::vector<int64_t> starts = bucketStarts(exact, perSide);

    // Place i stands for the key i - (T - 1) after the query.
    Value values = generate(
        b, {b.builder.getIndexAttr(heads), total}, b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
          Value zero = s.constant(0), ahead = s.subtract(at[1], lastQuery), behind = s.subtract(zero, ahead);
          Value distance = s.maximum(behind, isBidirectional ? ahead : zero);
          Value bucket = s.minimum(distance, s.constant(exact));
          auto addIf = [&](Value isSo, int64_t much) {
            bucket = s.add(bucket, s.select(isSo, s.constant(much), zero));
          };
          for (int64_t start : starts)
            addIf(s.less(s.constant(start - 1), distance), 1);
          if (isBidirectional)
            addIf(s.less(zero, ahead), perSide);
          return s.at(table, {bucket, at[0]});
        });

    SmallVector<OpFoldResult> extents = {b.builder.getIndexAttr(1), b.builder.getIndexAttr(heads),
                                         b.extent(rows, 1), b.extent(mask, 1)};
    return generate(b, extents, b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
      // Query s stands at position T - S + s.
      Value place = s.add(at[3], s.subtract(s.subtract(queries, one), at[2]));
      return s.at(values, {at[1], place});
    });
  }

  int64_t heads, inner, layers, buckets, maxDistance;
  mlir::sesame::Activation activation;
  double epsilon;
  bool tied, scalesOutputs, isGated;
  const bool biasInEveryLayer;
};

/// A bias that no module owns: cross attention has no positions.
const std::vector<const char *> ignored = {"EncDecAttention.relative_attention_bias.weight"};

/// The classes of a family of T5's kin.
struct Classes {
  const char *conditionalGeneration, *base, *encoder, *questionAnswering, *sequenceClassification,
      *tokenClassification;
};
constexpr Classes t5Classes = {"T5ForConditionalGeneration",
                               "T5Model",
                               "T5EncoderModel",
                               "T5ForQuestionAnswering",
                               "T5ForSequenceClassification",
                               "T5ForTokenClassification"};
constexpr Classes mt5Classes = {"MT5ForConditionalGeneration",
                                "MT5Model",
                                "MT5EncoderModel",
                                "MT5ForQuestionAnswering",
                                "MT5ForSequenceClassification",
                                "MT5ForTokenClassification"};
constexpr Classes umt5Classes = {"UMT5ForConditionalGeneration",
                                 "UMT5Model",
                                 "UMT5EncoderModel",
                                 "UMT5ForQuestionAnswering",
                                 "UMT5ForSequenceClassification",
                                 "UMT5ForTokenClassification"};

template <const Defaults &defaults, const Classes &classes> Family makeFamily(const char *modelType) {
  return {
      modelType,
      "",
      {
          {classes.conditionalGeneration, "text2text-generation",
           [](ModelBuilder &b) { T5(b, defaults).conditionalGeneration(); }},
          {classes.base, "feature-extraction", [](ModelBuilder &b) { T5(b, defaults).pairModel(); }},
          {classes.encoder, "feature-extraction", [](ModelBuilder &b) { T5(b, defaults).encoderModel(); }},
          {classes.questionAnswering, "question-answering",
           [](ModelBuilder &b) { T5(b, defaults).questionAnswering(); }},
          {classes.sequenceClassification, "text-classification",
           [](ModelBuilder &b) { T5(b, defaults).sequenceClassification(); }},
          {classes.tokenClassification, "token-classification",
           [](ModelBuilder &b) { T5(b, defaults).tokenClassification(); }},
      },
      [](const WeightSource &weights) {
        return weights.has("qa_outputs.weight")                  ? classes.questionAnswering
               : weights.has("classification_head.dense.weight") ? classes.sequenceClassification
               : weights.has("classifier.weight")                ? classes.tokenClassification
               : weights.has("decoder.final_layer_norm.weight")  ? classes.conditionalGeneration
                                                                 : classes.encoder;
      },
      ignored,
      // Of the classes with a classifier.
      {"transformer."}};
}

} // namespace

const Family &t5Family() {
  static const Family family = makeFamily<t5Defaults, t5Classes>("t5");
  return family;
}

const Family &mt5Family() {
  static const Family family = makeFamily<mt5Defaults, mt5Classes>("mt5");
  return family;
}

const Family &umt5Family() {
  static const Family family = makeFamily<umt5Defaults, umt5Classes>("umt5");
  return family;
}

} // namespace sesame::importer
