//===- MobileBert.cpp - MobileBERT --------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sun et al. 2020; transformers/models/mobilebert/modeling_mobilebert.py. Blocks narrower than the states
// between them, several feed-forward parts a block, norms without statistics, and words embedded with their
// neighbours.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"
#include "../TensorOps.h"

using namespace mlir;

namespace sesame::importer {

namespace {

EncoderSizes readSizes(const Config &c) {
  EncoderSizes sizes;
  sizes.width = c.extent("hidden_size", 512);
  sizes.layers = c.layers("num_hidden_layers", 24);
  // Of the bottleneck: checked there.
  sizes.heads = c.extent("num_attention_heads", 4);
  sizes.inner = c.extent("intermediate_size", 512);
  sizes.vocab = c.extent("vocab_size", 30522);
  sizes.maxLength = c.extent("max_position_embeddings", 512);
  sizes.types = c.extent("type_vocab_size", 2);
  sizes.embeddingWidth = c.extent("embedding_size", 128);
  sizes.activation = c.activation("hidden_act", "relu");
  sizes.epsilon = c.epsilon("layer_norm_eps", 1e-12);
  sizes.tied = c.flag("tie_word_embeddings", true);
  return sizes;
}

class MobileBert : public Encoder {
public:
  explicit MobileBert(ModelBuilder &b)
      : Encoder(b, "mobilebert.", readSizes(b.config), BlockNames::bert("mobilebert.encoder.layer.{}.")) {
    const Config &c = b.config;
    trigrams = c.flag("trigram_input", true);
    hasBottleneck = c.flag("use_bottleneck", true);
    bottleneckOfAttention = c.flag("use_bottleneck_attention", false);
    bottleneckOfQueries = c.flag("key_query_shared_bottleneck", true);
    hasNorms = c.choice("normalization_type", {"no_norm", "layer_norm"}, "no_norm") == "layer_norm";
    activatesPooled = c.flag("classifier_activation", true);
    feedForwards = c.layers("num_feedforward_networks", 4);
    inside = hasBottleneck ? c.extent("intra_bottleneck_size", 128) : sizes.width;
    c.divisor("num_attention_heads", hasBottleneck ? "intra_bottleneck_size" : "hidden_size", inside, 4);
    if (hasBottleneck && !bottleneckOfAttention && !bottleneckOfQueries && inside != sizes.width)
      c.fail("key_query_shared_bottleneck",
             "expected true, or an intra_bottleneck_size equal to hidden_size");
    if (sizes.embeddingWidth > sizes.width)
      c.fail("embedding_size", "expected at most hidden_size (" + std::to_string(sizes.width) + ")");
  }

private:
  static std::string layer(const std::string &part) { return "mobilebert.encoder.layer.{}." + part; }

  Value norm(const NamePattern &name, Value x) {
    if (hasNorms)
      return b.layerNorm(name, x, sizes.epsilon);
    int64_t width = cast<RankedTensorType>(x.getType()).getDimSize(2);
    // The places are counted by the mask: inside of a loop, extents of what it carries cannot be known.
    return mapOver(b, "bs,bsc,c,c->bsc",
                   {places, x, b.weight(name + ".weight", {width}), b.weight(name + ".bias", {width})},
                   b.builder.getF32Type(), [](Scalars scalars, ValueRange values) {
                     return scalars.add(scalars.multiply(values[1], values[2]), values[3]);
                   });
  }

  /// A word is embedded with the next one.
  bool readsPadding() const override { return trigrams; }

  Value embed(const Inputs &in) override {
    places = in.ids;
    Value words = b.embedding({{in.ids, wordTable()}});
    if (trigrams)
      words = withNeighbours(words);
    if (trigrams || sizes.embeddingWidth != sizes.width)
      words = b.linear("mobilebert.embeddings.embedding_transformation", words, sizes.width);
    Value rest = b.embedding({{in.positions, b.weight("mobilebert.embeddings.position_embeddings.weight",
                                                      {sizes.maxLength, sizes.width})},
                              {in.types, b.weight("mobilebert.embeddings.token_type_embeddings.weight",
                                                  {sizes.types, sizes.width})}});
    return norm("mobilebert.embeddings.LayerNorm", b.add(words, rest));
  }

  /// [B, S, E] -> [B, S, 3 * E]: the next word, the word, the one before; zeros past the ends.
  Value withNeighbours(Value words) { return concat(b, {shifted(words, 1), words, shifted(words, -1)}, 2); }

  /// words [B, S, E] of the positions `by` further on.
  Value shifted(Value words, int64_t by) {
    Value length = b.dim(words, 1);
    SmallVector<OpFoldResult> extents = {b.extent(words, 0), b.extent(words, 1), b.extent(words, 2)};
    return generate(b, extents, b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
      Value wanted = s.add(at[1], s.constant(by)), last = s.subtract(length, s.constant(1));
      Value read = s.maximum(s.minimum(wanted, last), s.constant(0));
      return s.select(s.equal(wanted, read), s.at(words, {at[0], read, at[2]}), s.constantF32(0));
    });
  }

  Value bottleneck(const std::string &name, Value h) {
    return norm(layer("bottleneck." + name + ".LayerNorm"),
                b.linear(layer("bottleneck." + name + ".dense"), h, inside));
  }

  Value feedForward(const std::string &part, Value x) {
    Value y = b.activation(sizes.activation, b.linear(part + "intermediate.dense", x, sizes.inner));
    y = b.linear(part + "output.dense", y, inside);
    return norm(part + "output.LayerNorm", b.add(y, x));
  }

  Value block(Value h, Value mask, Cache *, ValueRange) override {
    places = mask;
    Value residual = h, queries = h, values = h;
    if (hasBottleneck) {
      residual = bottleneck("input", h);
      if (bottleneckOfAttention)
        queries = values = residual;
      else if (bottleneckOfQueries)
        queries = bottleneck("attention", h);
    }
    AttentionOptions options;
    options.heads = sizes.heads;
    options.scale = 1 / std::sqrt(double(inside / sizes.heads));
    options.mask = mask;
    Value x = b.attention(b.linear(names.query, queries, inside), b.linear(names.key, queries, inside),
                          b.linear(names.value, values, inside), options);
    x = norm(names.attentionNorm, b.add(b.linear(names.attentionOutput, x, inside), residual));
    for (int64_t i = 0; i + 1 < feedForwards; ++i)
      x = feedForward(layer("ffn." + std::to_string(i) + "."), x);
    x = feedForward(layer(""), x);
    if (!hasBottleneck)
      return x;
    x = b.linear(layer("output.bottleneck.dense"), x, sizes.width);
    return norm(layer("output.bottleneck.LayerNorm"), b.add(x, h));
  }

  bool hasPooler() const override { return !activatesPooled || Encoder::hasPooler(); }

  Value pooled(Value h) override { return activatesPooled ? Encoder::pooled(h) : first(h); }

  /// The first columns meet the input table, the others one of their own, stored as [K, V].
  Value predictions(Value h) override {
    Value x = b.activation(head.activation, b.linear(head.transform, h, sizes.width));
    x = b.layerNorm(head.norm, x, sizes.epsilon);
    Value table = b.headWeight(head.decoder + ".weight", wordTableName(), {sizes.vocab, sizes.embeddingWidth},
                               sizes.tied);
    Value bias = b.weight(head.bias, {sizes.vocab}, {head.decoder + ".bias"});
    b.weights.ignore(head.decoder + ".bias");
    int64_t width = sizes.embeddingWidth, rest = sizes.width - width;
    Value logits = b.linearBy(table, bias, rest ? b.sliceColumns(x, 0, width) : x);
    if (!rest)
      return logits;
    LinearOptions options;
    options.layout = mlir::sesame::WeightLayout::kn;
    options.bias = false;
    return b.add(logits,
                 b.linear("cls.predictions.dense", b.sliceColumns(x, width, rest), sizes.vocab, options));
  }

  bool trigrams, hasBottleneck, bottleneckOfAttention, bottleneckOfQueries, hasNorms, activatesPooled;
  int64_t feedForwards;
  /// The width inside of a block.
  int64_t inside;
  Value places; // [B, S]
};

constexpr EncoderClasses classes = {"MobileBertModel",
                                    "MobileBertForMaskedLM",
                                    "MobileBertForSequenceClassification",
                                    "MobileBertForTokenClassification",
                                    "MobileBertForQuestionAnswering",
                                    "MobileBertForMultipleChoice",
                                    "MobileBertForNextSentencePrediction",
                                    "MobileBertForPreTraining"};

} // namespace

const Family &mobileBertFamily() {
  static const Family family = {
      "mobilebert",
      "mobilebert.",
      encoderArchitectures<MobileBert>(classes),
      [](const WeightSource &weights) {
        return classByBertHeads(weights, classes, "mobilebert.pooler.dense.weight");
      },
      {"embeddings.position_ids"},
  };
  return family;
}

} // namespace sesame::importer
