//===- Bloom.cpp - BLOOM --------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Le Scao et al. 2022; positions by Press et al. 2021 (ALiBi).
//
//===----------------------------------------------------------------------===//

#include "../Decoder.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

class Bloom : public Decoder {
public:
  static constexpr DecoderClasses classes{"BloomForCausalLM",
                                          "BloomModel",
                                          "BloomForSequenceClassification",
                                          "BloomForTokenClassification",
                                          "score",
                                          "lm_head",
                                          "classifier",
                                          "BloomForQuestionAnswering"};

  explicit Bloom(ModelBuilder &b) : Decoder(b) {
    const Config &c = b.config;
    vocab = c.extent("vocab_size", 250880);
    std::string widthKey = c.either("hidden_size", "n_embed");
    width = c.extent(widthKey, 64);
    heads = keyHeads = c.divisor(c.either("n_head", "num_attention_heads"), widthKey, width, 8);
    headSize = width / heads;
    layers = c.layers(c.either("n_layer", "num_hidden_layers"), 2);
    scale = 1 / std::sqrt(static_cast<double>(headSize));
    epsilon = c.epsilon("layer_norm_epsilon", 1e-5);
    tied = c.flag("tie_word_embeddings", true);
    addsNorm = c.flag("apply_residual_connection_post_layernorm", false);
    hasPositionIds = false;
  }

private:
  static NamePattern layer(const char *part) { return std::string("transformer.h.{}.") + part; }

  Value body(const Inputs &in, Cache *cache) override {
    Value table = b.inputTable("transformer.word_embeddings.weight", "lm_head.weight", {vocab, width}, tied);
    Value h = b.layerNorm("transformer.word_embeddings_layernorm", b.embedding({{in.ids, table}}), epsilon);
    h = b.blocks(
        "block", layers, h, in.mask, cache,
        [&](Value x, Value mask, Cache *cache, ValueRange shared) {
          return block(x, mask, cache, shared[0]);
        },
        alibiBias(b, maskPositions(b, in.mask), heads));
    return b.layerNorm("transformer.ln_f", h, epsilon);
  }

  Value block(Value h, Value mask, Cache *cache, Value bias) {
    Value x = b.layerNorm(layer("input_layernorm"), h, epsilon);
    auto [q, k, v] =
        splitFusedHeads(b, b.linear(layer("self_attention.query_key_value"), x, 3 * width), heads);
    AttentionOptions options = causalAttention(mask, cache);
    options.bias = bias;
    Value seen = b.mergeHeads(b.attendHeads(q, k, v, options));
    h = b.add(addsNorm ? x : h, b.linear(layer("self_attention.dense"), seen, width));
    x = b.layerNorm(layer("post_attention_layernorm"), h, epsilon);
    Value up =
        b.activation(mlir::sesame::Activation::gelu_tanh, b.linear(layer("mlp.dense_h_to_4h"), x, 4 * width));
    return b.add(addsNorm ? x : h, b.linear(layer("mlp.dense_4h_to_h"), up, width));
  }

  Value logits(Value hidden) override {
    return b.linearBy(
        b.headWeight("lm_head.weight", "transformer.word_embeddings.weight", {vocab, width}, tied), Value(),
        hidden);
  }

  double epsilon;
  bool tied;
  /// Whether the norms' results, and not their inputs, are added to what follows.
  bool addsNorm;
};

} // namespace

const Family &bloomFamily() {
  static const Family family = decoderFamily<Bloom>("bloom", "transformer.");
  return family;
}

} // namespace sesame::importer
