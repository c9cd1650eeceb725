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

#include "../Decoder.h"
#include "../Encoder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

EncoderSizes readSizes(const Config &c, int version) {
  EncoderSizes sizes;
  sizes.width = c.extent("hidden_size", version == 1 ? 768 : 1536);
  sizes.heads = version == 1 || !c.has("attention_head_size")
                    ? c.divisor("num_attention_heads", "hidden_size", sizes.width, version == 1 ? 12 : 24)
                    : c.extent("num_attention_heads", 24);
  sizes.layers = c.layers("num_hidden_layers", version == 1 ? 12 : 24);
  sizes.inner = c.extent("intermediate_size", version == 1 ? 3072 : 6144);
  sizes.vocab = c.extent("vocab_size", version == 1 ? 50265 : 128100);
  sizes.maxLength = c.extent("max_position_embeddings", 512);
  sizes.types = c.integer("type_vocab_size", 0, Config::maxExtent, 0);
  sizes.embeddingWidth = c.extent("embedding_size", sizes.width);
  sizes.activation = c.activation("hidden_act", "gelu");
  sizes.epsilon = c.epsilon("layer_norm_eps", 1e-7);
  sizes.tied = c.flag("tie_word_embeddings", true);
  sizes.positionKind = c.flag("position_biased_input", true) ? "absolute" : "none";
  return sizes;
}

template <int version> class Deberta : public Encoder {
public:
  explicit Deberta(ModelBuilder &b)
      : Encoder(b, "deberta.", readSizes(b.config, version), BlockNames::bert("deberta.encoder.layer.{}.")) {
    const Config &c = b.config;
    headSize =
        version == 1 ? sizes.width / sizes.heads : c.extent("attention_head_size", sizes.width / sizes.heads);
    c.refuseFlag("talking_head", "mixing of heads is not supported");
    taps = version == 1 ? 0 : c.integer("conv_kernel_size", 0, 1 << 10, 0);
    if (taps > 0 && taps % 2 == 0)
      c.fail("conv_kernel_size", "expected 0 or an odd number, got " + std::to_string(taps));
    if (c.flag("relative_attention", version == 2))
      readRelativeOptions();
    scale = 1 / std::sqrt(double(headSize) * (1 + contentToPosition + positionToContent));
  }

private:
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
    maxDistance = positiveOr("max_relative_positions", sizes.maxLength);
    buckets = version == 1 ? 0 : positiveOr("position_buckets", 0);
    span = buckets > 0 ? buckets : maxDistance;
    if (version == 1)
      return;
    sharesProjections = c.flag("share_att_key", false);
    normsPositions = c.choice("norm_rel_ebd", {"none", "layer_norm"}, "none") == "layer_norm";
  }

  bool isRelative() const { return contentToPosition || positionToContent; }

  NamePattern layer(const char *part) { return prefix + "encoder.layer.{}." + part; }

  Value embed(const Inputs &in) override {
    Value h = embeddingSum(in);
    if (sizes.embeddingWidth != sizes.width)
      h = b.linear("deberta.embeddings.embed_proj", h, sizes.width, withoutBias);
    return b.layerNorm("deberta.embeddings.LayerNorm", h, sizes.epsilon);
  }

  /// The table of relative positions and its row for each distance.
  SmallVector<Value> blockOperands(const Inputs &in) override {
    if (!isRelative())
      return {};
    Value positions = b.weight("deberta.encoder.rel_embeddings.weight", {2 * span, sizes.width});
    if (normsPositions)
      positions = b.layerNorm("deberta.encoder.LayerNorm", positions, sizes.epsilon);
    return {positions, relativeRows(b.extent(in.ids, 1))};
  }

  /// The row of the table of relative positions for each distance s - t: [S, S] of i64.
  Value relativeRows(OpFoldResult length) {
    Value table = bucketTable();
    return generate(b, {length, length}, b.builder.getI64Type(), [&](Scalars s, ValueRange at) {
      Value distance = s.subtract(at[0], at[1]);
      if (!table) {
        Value row = s.add(distance, s.constant(span));
        return s.toI64(s.minimum(s.maximum(row, s.constant(0)), s.constant(2 * span - 1)));
      }
      return s.at(table, s.add(distance, s.constant(sizes.maxLength - 1)));
    });
  }

  /// The rows for distances 1 - S to S - 1, S being the longest text, where distances fall into buckets, else
  /// null. In f32 as in transformers: the rounding decides where a bucket ends.
  Value bucketTable() {
    if (buckets == 0)
      return {};
    float mid = buckets / 2;
    SmallVector<int64_t> rows;
    for (int64_t distance = 1 - sizes.maxLength; distance < sizes.maxLength; ++distance) {
      float size = std::abs(float(distance)), bucket = distance;
      if (size > mid) {
        float position = std::log(size / mid) / std::log((maxDistance - 1) / mid) * (mid - 1);
        bucket = (std::ceil(position) + mid) * (distance < 0 ? -1 : 1);
      }
      rows.push_back(std::clamp<int64_t>(int64_t(bucket) + span, 0, 2 * span - 1));
    }
    auto type = RankedTensorType::get({2 * sizes.maxLength - 1}, b.builder.getI64Type());
    return arith::ConstantOp::create(b.builder, b.loc, DenseElementsAttr::get(type, ArrayRef(rows)));
  }

  /// The convolution of what the first layer reads is added to what it gives.
  Value encode(Value h, const Inputs &in, Cache *cache) override {
    if (taps == 0)
      return Encoder::encode(h, in, cache);
    Value near = b.activation(b.config.activation("conv_act", "tanh"),
                              zeroMasked(b, convolved(zeroMasked(b, h, in.mask)), in.mask));
    SmallVector<Value> shared = {near};
    llvm::append_range(shared, blockOperands(in));
    return b.blocks(
        "block", sizes.layers, h, in.mask, cache,
        [&](Value h, Value mask, Cache *cache, ValueRange shared) {
          h = block(h, mask, cache, shared.drop_front());
          Value sum = b.layerNorm("deberta.encoder.conv.LayerNorm", b.add(h, shared.front()), sizes.epsilon);
          Value isFirst = arith::CmpIOp::create(b.builder, b.loc, arith::CmpIPredicate::eq, b.layerIndex(),
                                                b.constant(0));
          return mapOver(b, "bsc,bsc,bs->bsc", {h, sum, mask}, b.builder.getF32Type(),
                         [&](Scalars s, ValueRange v) {
                           return s.select(isFirst, s.multiply(v[1], s.toF32(v[2])), v[0]);
                         });
        },
        shared);
  }

  /// x [B, S, C] -> [B, S, C], over the `taps` positions around each.
  Value convolved(Value x) {
    int64_t width = sizes.width, groups = b.config.divisor("conv_groups", "hidden_size", width, 1);
    int64_t columns = width / groups * taps;
    // What each position's kernel sees, a channel's positions side by side.
    SmallVector<OpFoldResult> extents = {b.extent(x, 0), b.extent(x, 1),
                                         b.builder.getIndexAttr(width * taps)};
    Value length = b.dim(x, 1);
    Value seen = generate(b, extents, b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
      Value count = s.constant(taps), zero = s.constant(0), last = s.subtract(length, s.constant(1));
      Value channel = arith::DivUIOp::create(s.builder, s.loc, at[2], count);
      Value place = s.subtract(s.add(at[1], s.remainder(at[2], count)), s.constant(taps / 2));
      Value inside = s.minimum(s.maximum(place, zero), last);
      return s.select(s.equal(place, inside), s.at(x, {at[0], inside, channel}), s.constantF32(0));
    });
    const std::string name = "deberta.encoder.conv.conv.";
    SmallVector<Value> matrices =
        convolutionWeights(b, name + "weight", {width, width / groups, taps}, groups);
    SmallVector<Value> parts;
    for (int64_t group = 0; group < groups; ++group)
      parts.push_back(b.linearBy(matrices[group], {}, b.sliceColumns(seen, group * columns, columns)));
    return addBias(b, groups == 1 ? parts.front() : concat(b, parts, 2), b.weight(name + "bias", {width}));
  }

  Value selfAttention(Value h, Value mask, Cache *, ValueRange shared) override {
    int64_t heads = sizes.heads;
    Value q, k, v; // [B, H, S, D]
    if (version == 1) {
      Value qkv = b.linear(layer("attention.self.in_proj"), h, 3 * sizes.width, withoutBias);
      std::array<Value, 3> parts = splitFusedHeads(b, qkv, heads);
      q = addHeadBias(parts[0], layer("attention.self.q_bias"));
      k = parts[1];
      v = addHeadBias(parts[2], layer("attention.self.v_bias"));
    } else {
      q = b.splitHeads(b.linear(layer("attention.self.query_proj"), h, heads * headSize), heads);
      k = b.splitHeads(b.linear(layer("attention.self.key_proj"), h, heads * headSize), heads);
      v = b.splitHeads(b.linear(layer("attention.self.value_proj"), h, heads * headSize), heads);
    }
    AttentionOptions options;
    options.scale = scale;
    options.mask = mask;
    if (isRelative())
      options.bias = disentangledBias(q, k, shared[0], shared[1]);
    return b.mergeHeads(b.attendHeads(q, k, v, options));
  }

  Value addHeadBias(Value x, const NamePattern &name) {
    Value bias = splitAxis(b, b.weight(name, {sizes.width}), 0, sizes.heads); // [H, D]
    return mapOver(b, "bhsd,hd->bhsd", {x, bias}, b.builder.getF32Type(),
                   [](Scalars s, ValueRange values) { return s.add(values[0], values[1]); });
  }

  /// [2 * P, H, D] from the table of relative positions.
  Value projectPositions(const NamePattern &name, Value positions, bool bias) {
    LinearOptions options;
    options.bias = bias;
    return splitAxis(b, b.linear(name, positions, sizes.heads * headSize, options), 1, sizes.heads);
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

  std::string poolerName() const override { return "pooler.dense"; }
  /// That of the classifiers is no part of the base model.
  bool hasPooler() const override { return false; }

  Value pooled(Value h) override {
    return b.activation(b.config.activation("pooler_hidden_act", "gelu"),
                        b.linear(poolerName(), first(h), sizes.width));
  }

  Value predictions(Value h) override {
    // DeBERTa v3's published checkpoints have the newer head and say nothing of it.
    if (b.config.flag("legacy", !b.weights.has("lm_predictions.lm_head.bias")))
      return Encoder::predictions(h);
    Value x = b.activation(sizes.activation, b.linear("lm_predictions.lm_head.dense", h, sizes.width));
    x = b.layerNorm("lm_predictions.lm_head.LayerNorm", x, sizes.epsilon);
    return b.linearBy(b.weight(wordTableName(), {sizes.vocab, sizes.width}),
                      b.weight("lm_predictions.lm_head.bias", {sizes.vocab}), x);
  }

  int64_t headSize;
  double scale;
  bool contentToPosition = false, positionToContent = false, sharesProjections = false,
       normsPositions = false;
  /// Distances are cut off at `maxDistance`; the table of positions has 2 * `span` rows.
  int64_t maxDistance = 0, buckets = 0, span = 0;
  /// Positions that the convolution sees, 0 without one.
  int64_t taps = 0;
};

template <const EncoderClasses &classes> const char *inferClass(const WeightSource &weights) {
  return classByHead(
      weights,
      {{"cls.predictions.bias", classes.maskedLM},
       {"lm_predictions.lm_head.bias", classes.maskedLM},
       {"qa_outputs.weight", classes.questionAnswering},
       {"classifier.weight",
        weights.has("pooler.dense.weight") ? classes.sequenceClassification : classes.tokenClassification}},
      classes.base);
}

constexpr EncoderClasses firstClasses = {"DebertaModel", "DebertaForMaskedLM",
                                         "DebertaForSequenceClassification", "DebertaForTokenClassification",
                                         "DebertaForQuestionAnswering"};
constexpr EncoderClasses secondClasses = {"DebertaV2Model",
                                          "DebertaV2ForMaskedLM",
                                          "DebertaV2ForSequenceClassification",
                                          "DebertaV2ForTokenClassification",
                                          "DebertaV2ForQuestionAnswering",
                                          "DebertaV2ForMultipleChoice"};

} // namespace

const Family &debertaFamily() {
  static const Family family = {"deberta",
                                "deberta.",
                                encoderArchitectures<Deberta<1>>(firstClasses),
                                inferClass<firstClasses>,
                                {"position_ids"}};
  return family;
}

const Family &debertaV2Family() {
  static const Family family = {"deberta-v2",
                                "deberta.",
                                encoderArchitectures<Deberta<2>>(secondClasses),
                                inferClass<secondClasses>,
                                {"position_ids"}};
  return family;
}

} // namespace sesame::importer
