//===- OpenAIGpt.cpp - GPT, the first -------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Radford et al. 2018; transformers/models/openai/modeling_openai.py.
//
//===----------------------------------------------------------------------===//

#include "../Decoder.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

class OpenAIGpt : public Decoder {
public:
  static constexpr DecoderClasses classes{"OpenAIGPTLMHeadModel",
                                          "OpenAIGPTModel",
                                          "OpenAIGPTForSequenceClassification",
                                          nullptr,
                                          "score",
                                          "lm_head",
                                          "score",
                                          nullptr,
                                          "OpenAIGPTDoubleHeadsModel"};

  explicit OpenAIGpt(ModelBuilder &b) : Decoder(b) {
    const Config &c = b.config;
    vocab = c.extent("vocab_size", 40478);
    width = c.extent("n_embd", 768);
    heads = keyHeads = c.divisor("n_head", "n_embd", width, 12);
    headSize = width / heads;
    scale = 1 / std::sqrt(static_cast<double>(headSize));
    layers = c.layers("n_layer", 12);
    maxLength = c.extent("n_positions", 512);
    // This class has a table of functions of its own, where "gelu" is the approximation by tanh.
    std::string function = c.choice("afn", {"gelu", "relu", "silu", "swish"}, "gelu");
    activation = *parseActivation(function == "gelu" ? "gelu_new" : function);
    epsilon = c.epsilon("layer_norm_epsilon", 1e-5);
    tied = c.flag("tie_word_embeddings", true);
    conv1d.layout = mlir::sesame::WeightLayout::kn;
    hasTypeIds = true;
  }

private:
  static NamePattern layer(const char *part) { return std::string("transformer.h.{}.") + part; }

  Value body(const Inputs &in, Cache *cache) override {
    Value table = b.inputTable("transformer.tokens_embed.weight", "lm_head.weight", {vocab, width}, tied);
    Value h =
        b.embedding({{in.ids, table},
                     {in.positions, b.weight("transformer.positions_embed.weight", {maxLength, width})}});
    h = addTypes(h, in.types, table);
    return b.blocks("block", layers, h, in.mask, cache,
                    [&](Value x, Value mask, Cache *cache, ValueRange) { return block(x, mask, cache); });
  }

  Value block(Value h, Value mask, Cache *cache) {
    Value qkv = b.linear(layer("attn.c_attn"), h, 3 * width, conv1d);
    Value x = b.attention(b.sliceColumns(qkv, 0, width), b.sliceColumns(qkv, width, width),
                          b.sliceColumns(qkv, 2 * width, width), causalAttention(mask, cache));
    x = b.linear(layer("attn.c_proj"), x, width, conv1d);
    h = b.layerNorm(layer("ln_1"), b.add(h, x), epsilon);
    x = b.activation(activation, b.linear(layer("mlp.c_fc"), h, 4 * width, conv1d));
    return b.layerNorm(layer("ln_2"), b.add(h, b.linear(layer("mlp.c_proj"), x, width, conv1d)), epsilon);
  }

  Value logits(Value hidden) override {
    return b.linearBy(b.headWeight("lm_head.weight", "transformer.tokens_embed.weight", {vocab, width}, tied),
                      Value(), hidden);
  }

  mlir::sesame::Activation activation;
  double epsilon;
  bool tied;
  LinearOptions conv1d;
};

} // namespace

const Family &openAIGptFamily() {
  static const Family family =
      decoderFamily<OpenAIGpt>("openai-gpt", "transformer.", {".attn.bias", ".position_ids"});
  return family;
}

} // namespace sesame::importer
