//===- Ctrl.cpp - CTRL ----------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Keskar et al. 2019; positions by Vaswani et al. 2017, section 3.5.
//
//===----------------------------------------------------------------------===//

#include "../Decoder.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

class Ctrl : public Decoder {
public:
  static constexpr DecoderClasses classes{"CTRLLMHeadModel", "CTRLModel", "CTRLForSequenceClassification",
                                          nullptr, "classifier"};

  explicit Ctrl(ModelBuilder &b) : Decoder(b) {
    const Config &c = b.config;
    vocab = c.extent("vocab_size", 246534);
    width = c.extent("n_embd", 1280);
    if (width % 2)
      c.fail("n_embd", "expected an even number, got " + std::to_string(width));
    heads = keyHeads = c.divisor("n_head", "n_embd", width, 16);
    headSize = width / heads;
    scale = 1 / std::sqrt(static_cast<double>(headSize));
    layers = c.layers("n_layer", 48);
    inner = c.extent("dff", 8192);
    maxLength = c.extent("n_positions", 256);
    epsilon = c.epsilon("layer_norm_epsilon", 1e-6);
    tied = c.flag("tie_word_embeddings", true);
    hasTypeIds = true;
  }

private:
  static NamePattern layer(const char *part) { return std::string("transformer.h.{}.") + part; }

  Value body(const Inputs &in, Cache *cache) override {
    Value table = b.inputTable("transformer.w.weight", "lm_head.weight", {vocab, width}, tied);
    Value h = addTypes(b.embedding({{in.ids, table}}), in.types, table);
    h = b.scale(h, std::sqrt(static_cast<double>(width)));
    h = b.add(h, sinusoids(b, in.positions, width));
    h = b.blocks("block", layers, h, in.mask, cache,
                 [&](Value x, Value mask, Cache *cache, ValueRange) { return block(x, mask, cache); });
    return b.layerNorm("transformer.layernorm", h, epsilon);
  }

  Value block(Value h, Value mask, Cache *cache) {
    constexpr double layerEpsilon = 1e-6; // layer_norm_epsilon is that of the last norm alone
    Value x = b.layerNorm(layer("layernorm1"), h, layerEpsilon);
    auto project = [&](const char *part) { return b.linear(layer(part), x, width); };
    Value seen = b.attention(project("multi_head_attention.Wq"), project("multi_head_attention.Wk"),
                             project("multi_head_attention.Wv"), causalAttention(mask, cache));
    h = b.add(h, b.linear(layer("multi_head_attention.dense"), seen, width));
    x = b.linear(layer("ffn.0"), b.layerNorm(layer("layernorm2"), h, layerEpsilon), inner);
    return b.add(h, b.linear(layer("ffn.2"), b.activation(mlir::sesame::Activation::relu, x), width));
  }

  Value logits(Value hidden) override {
    Value table = b.headWeight("lm_head.weight", "transformer.w.weight", {vocab, width}, tied);
    return b.linearBy(table, b.weight("lm_head.bias", {vocab}), hidden);
  }

  int64_t inner;
  double epsilon;
  bool tied;
};

} // namespace

const Family &ctrlFamily() {
  static const Family family = decoderFamily<Ctrl>("ctrl", "transformer.");
  return family;
}

} // namespace sesame::importer
