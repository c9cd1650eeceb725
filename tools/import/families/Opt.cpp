//===- Opt.cpp - OPT ------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Zhang et al. 2022; transformers/models/opt/modeling_opt.py.
//
//===----------------------------------------------------------------------===//

#include "../Decoder.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

class Opt : public Decoder {
public:
  static constexpr DecoderClasses classes{
      "OPTForCausalLM", "OPTModel", "OPTForSequenceClassification", nullptr, "score",
      "lm_head",        "score",    "OPTForQuestionAnswering"};

  explicit Opt(ModelBuilder &b) : Decoder(b) {
    const Config &c = b.config;
    vocab = c.extent("vocab_size", 50272);
    width = c.extent("hidden_size", 768);
    wordWidth = c.extent("word_embed_proj_dim", width);
    heads = keyHeads = c.divisor("num_attention_heads", "hidden_size", width, 12);
    headSize = width / heads;
    scale = 1 / std::sqrt(static_cast<double>(headSize));
    layers = c.layers("num_hidden_layers", 12);
    inner = c.extent("ffn_dim", 3072);
    maxLength = c.extent("max_position_embeddings", 2048);
    activation = c.activation("activation_function", "relu");
    normFirst = c.flag("do_layer_norm_before", true);
    finalNorm = normFirst && !c.flag("_remove_final_layer_norm", false);
    linearOptions.bias = c.flag("enable_bias", true);
    affineNorms = c.flag("layer_norm_elementwise_affine", true);
    tied = c.flag("tie_word_embeddings", true);
    hasPositionIds = false;
  }

private:
  static NamePattern layer(const char *part) { return std::string("model.decoder.layers.{}.") + part; }

  Value norm(const NamePattern &name, Value x) {
    constexpr double epsilon = 1e-5; // torch.nn.LayerNorm's, which config.json cannot change
    if (affineNorms)
      return b.layerNorm(name, x, epsilon);
    return mlir::sesame::LayerNormOp::create(b.builder, b.loc, x.getType(), x, Value(), Value(),
                                             b.builder.getF32FloatAttr(static_cast<float>(epsilon)));
  }

  /// A position counts the real tokens before it; rows 0 and 1 of the table belong to none.
  Value positionTable() {
    Value table = b.weight("model.decoder.embed_positions.weight", {maxLength + 2, width});
    return b.slice(table, 0, b.builder.getIndexAttr(2), b.builder.getIndexAttr(maxLength));
  }

  Value body(const Inputs &in, Cache *cache) override {
    Value words =
        b.inputTable("model.decoder.embed_tokens.weight", "lm_head.weight", {vocab, wordWidth}, tied);
    Value h = b.embedding({{in.ids, words}});
    if (wordWidth != width)
      h = b.linear("model.decoder.project_in", h, width, withoutBias);
    Value positions = lastColumns(b, maskPositions(b, in.mask), in.ids);
    h = b.add(h, b.embedding({{positions, positionTable()}}));
    h = b.blocks("block", layers, h, in.mask, cache,
                 [&](Value x, Value mask, Cache *cache, ValueRange) { return block(x, mask, cache); });
    if (finalNorm)
      h = norm("model.decoder.final_layer_norm", h);
    return wordWidth == width ? h : b.linear("model.decoder.project_out", h, wordWidth, withoutBias);
  }

  Value block(Value h, Value mask, Cache *cache) {
    h = residual("self_attn_layer_norm", h, [&](Value x) {
      auto project = [&](const char *part) { return b.linear(layer(part), x, width, linearOptions); };
      x = b.attention(project("self_attn.q_proj"), project("self_attn.k_proj"), project("self_attn.v_proj"),
                      causalAttention(mask, cache));
      return b.linear(layer("self_attn.out_proj"), x, width, linearOptions);
    });
    return residual("final_layer_norm", h, [&](Value x) {
      x = b.activation(activation, b.linear(layer("fc1"), x, inner, linearOptions));
      return b.linear(layer("fc2"), x, width, linearOptions);
    });
  }

  Value residual(const char *normName, Value h, llvm::function_ref<Value(Value)> part) {
    if (normFirst)
      return b.add(h, part(norm(layer(normName), h)));
    return norm(layer(normName), b.add(h, part(h)));
  }

  Value logits(Value hidden) override {
    return b.linearBy(
        b.headWeight("lm_head.weight", "model.decoder.embed_tokens.weight", {vocab, wordWidth}, tied),
        Value(), hidden);
  }

  int64_t wordWidth, inner;
  mlir::sesame::Activation activation;
  bool normFirst, finalNorm, affineNorms, tied;
  LinearOptions linearOptions;
};

} // namespace

const Family &optFamily() {
  static const Family family = decoderFamily<Opt>("opt", "model.");
  return family;
}

} // namespace sesame::importer
