//===- Gpt2.cpp - GPT-2, GPT-Neo and GPT-BigCode -------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Radford et al. 2019; Black et al. 2021 (GPT-Neo), Allal et al. 2023 (SantaCoder: GPT-BigCode);
// transformers/models/{gpt2,gpt_neo,gpt_bigcode}. GPT-2's block, with layers that see only a window (GPT-Neo)
// or one head of keys and values (GPT-BigCode).
//
//===----------------------------------------------------------------------===//

#include "../Decoder.h"
#include "../TensorOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <array>
#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

class Gpt2Like : public Decoder {
protected:
  explicit Gpt2Like(ModelBuilder &b) : Decoder(b) { hasTypeIds = true; }

  /// x [B, S, C] -> query [B, H, S, D], key and value [B, G, S, D].
  virtual std::array<Value, 3> project(Value x) = 0;

  static NamePattern layer(const char *part) { return std::string("transformer.h.{}.") + part; }

  Value body(const Inputs &in, Cache *cache) override {
    Value table = b.inputTable("transformer.wte.weight", "lm_head.weight", {vocab, width}, tied);
    Value h = b.embedding(
        {{in.ids, table}, {in.positions, b.weight("transformer.wpe.weight", {maxLength, width})}});
    h = addTypes(h, in.types, table);
    h = b.blocks("block", layers, h, windows.masks(b, in.mask, in.ids), cache,
                 [&](Value x, Value mask, Cache *cache, ValueRange) { return block(x, mask, cache); });
    return b.layerNorm("transformer.ln_f", h, epsilon);
  }

  Value logits(Value hidden) override {
    return b.linearBy(b.headWeight("lm_head.weight", "transformer.wte.weight", {vocab, width}, tied), Value(),
                      hidden);
  }

  int64_t inner = 0;
  mlir::sesame::Activation activation = mlir::sesame::Activation::identity;
  double epsilon = 1e-5;
  bool tied = true;
  /// How the block's matrices lie.
  LinearOptions linearOptions;
  const char *output = "attn.c_proj";
  LayerWindows windows;

private:
  Value block(Value h, Value mask, Cache *cache) {
    auto [q, k, v] = project(b.layerNorm(layer("ln_1"), h, epsilon));
    AttentionOptions options = causalAttention(mask, cache);
    windows.restrict(b, mask, options);
    h = b.add(h,
              b.linear(layer(output), b.mergeHeads(b.attendHeads(q, k, v, options)), width, linearOptions));
    Value x = b.linear(layer("mlp.c_fc"), b.layerNorm(layer("ln_2"), h, epsilon), inner, linearOptions);
    return b.add(h, b.linear(layer("mlp.c_proj"), b.activation(activation, x), width, linearOptions));
  }
};

class Gpt2 : public Gpt2Like {
public:
  static constexpr DecoderClasses classes{
      "GPT2LMHeadModel", "GPT2Model",  "GPT2ForSequenceClassification", "GPT2ForTokenClassification", "score",
      "lm_head",         "classifier", "GPT2ForQuestionAnswering",      "GPT2DoubleHeadsModel"};

  explicit Gpt2(ModelBuilder &b) : Gpt2Like(b) {
    const Config &c = b.config;
    width = c.extent("n_embd");
    heads = keyHeads = c.divisor("n_head", "n_embd", width);
    headSize = width / heads;
    layers = c.layers("n_layer");
    vocab = c.extent("vocab_size");
    maxLength = c.extent("n_positions", 1024);
    inner = c.extent("n_inner", 4 * width);
    activation = c.activation("activation_function", "gelu_new");
    epsilon = c.epsilon("layer_norm_epsilon", 1e-5);
    scale = c.flag("scale_attn_weights", true) ? 1 / std::sqrt(static_cast<double>(headSize)) : 1;
    scaleByLayer = c.flag("scale_attn_by_inverse_layer_idx", false);
    tied = c.flag("tie_word_embeddings", true);
    linearOptions.layout = mlir::sesame::WeightLayout::kn;
    c.refuseFlag("add_cross_attention", "cross attention is supported in encoder-decoder models only");
  }

private:
  std::array<Value, 3> project(Value x) override {
    Value qkv = b.linear(layer("attn.c_attn"), x, 3 * width, linearOptions);
    Value q = b.sliceColumns(qkv, 0, width);
    return {b.splitHeads(scaleByLayer ? b.scale(q, inverseLayer()) : q, heads),
            b.splitHeads(b.sliceColumns(qkv, width, width), heads),
            b.splitHeads(b.sliceColumns(qkv, 2 * width, width), heads)};
  }

  /// 1 / (layer + 1) in f32.
  Value inverseLayer() {
    OpBuilder &builder = b.builder;
    Value number = arith::AddIOp::create(builder, b.loc, b.layerIndex(), b.constant(1));
    number = arith::IndexCastOp::create(builder, b.loc, builder.getI64Type(), number);
    number = arith::SIToFPOp::create(builder, b.loc, builder.getF32Type(), number);
    return arith::DivFOp::create(builder, b.loc, b.constantF32(1), number);
  }

  bool scaleByLayer;
};

struct GptNeo : Gpt2Like {
  static constexpr DecoderClasses classes{"GPTNeoForCausalLM",
                                          "GPTNeoModel",
                                          "GPTNeoForSequenceClassification",
                                          "GPTNeoForTokenClassification",
                                          "score",
                                          "lm_head",
                                          "classifier",
                                          "GPTNeoForQuestionAnswering"};

  explicit GptNeo(ModelBuilder &b) : Gpt2Like(b) {
    const Config &c = b.config;
    vocab = c.extent("vocab_size", 50257);
    width = c.extent("hidden_size", 2048);
    heads = keyHeads = c.divisor("num_heads", "hidden_size", width, 16);
    headSize = width / heads;
    layers = c.layers("num_layers", 24);
    inner = c.extent("intermediate_size", 4 * width);
    maxLength = c.extent("max_position_embeddings", 2048);
    activation = c.activation("activation_function", "gelu_new");
    epsilon = c.epsilon("layer_norm_epsilon", 1e-5);
    tied = c.flag("tie_word_embeddings", true);
    scale = 1; // the model was trained without the root of the head size
    output = "attn.attention.out_proj";
    windows = LayerWindows(c.extent("window_size", 256), readLocalLayers(c, layers));
  }

  static std::vector<bool> readLocalLayers(const Config &c, int64_t layers) {
    std::vector<bool> isLocal;
    for (const std::string &type : c.texts("attention_layers")) {
      if (type != "global" && type != "local")
        c.fail("attention_layers", "expected global or local, got '" + type + "'");
      isLocal.push_back(type == "local");
    }
    if (!c.has("attention_layers")) {
      if (c.has("attention_types"))
        c.fail("attention_layers", "expected the list that 'attention_types' stands for, got nothing");
      for (int64_t i = 0; i < layers; ++i)
        isLocal.push_back(i % 2 == 1);
    }
    if (static_cast<int64_t>(isLocal.size()) != layers)
      c.fail("attention_layers", "expected one for each of " + std::to_string(layers) + " layers, got " +
                                     std::to_string(isLocal.size()));
    return isLocal;
  }

  std::array<Value, 3> project(Value x) override {
    auto part = [&](const char *name) {
      return b.splitHeads(b.linear(layer(name), x, width, withoutBias), heads);
    };
    return {part("attn.attention.q_proj"), part("attn.attention.k_proj"), part("attn.attention.v_proj")};
  }
};

struct GptBigCode : Gpt2Like {
  static constexpr DecoderClasses classes{"GPTBigCodeForCausalLM",
                                          "GPTBigCodeModel",
                                          "GPTBigCodeForSequenceClassification",
                                          "GPTBigCodeForTokenClassification",
                                          "score",
                                          "lm_head",
                                          "classifier"};

  explicit GptBigCode(ModelBuilder &b) : Gpt2Like(b) {
    const Config &c = b.config;
    vocab = c.extent("vocab_size", 50257);
    width = c.extent("n_embd", 768);
    heads = c.divisor("n_head", "n_embd", width, 12);
    headSize = width / heads;
    sharesKeys = c.flag("multi_query", true);
    keyHeads = sharesKeys ? 1 : heads;
    layers = c.layers("n_layer", 12);
    inner = c.extent("n_inner", 4 * width);
    maxLength = c.extent("n_positions", 1024);
    activation = c.activation("activation_function", "gelu_pytorch_tanh");
    epsilon = c.epsilon("layer_norm_epsilon", 1e-5);
    tied = c.flag("tie_word_embeddings", true);
    scale = c.flag("scale_attn_weights", true) ? 1 / std::sqrt(static_cast<double>(headSize)) : 1;
    c.refuseFlag("add_cross_attention", "cross attention is supported in encoder-decoder models only");
  }

  std::array<Value, 3> project(Value x) override {
    Value qkv = b.linear(layer("attn.c_attn"), x, width + 2 * keyHeads * headSize);
    if (!sharesKeys)
      return splitFusedHeads(b, qkv, heads);
    return {b.splitHeads(b.sliceColumns(qkv, 0, width), heads),
            b.splitHeads(b.sliceColumns(qkv, width, headSize), 1),
            b.splitHeads(b.sliceColumns(qkv, width + headSize, headSize), 1)};
  }

  bool sharesKeys;
};

} // namespace

const Family &gpt2Family() {
  static const Family family =
      decoderFamily<Gpt2>("gpt2", "transformer.", {".attn.bias", ".attn.masked_bias"});
  return family;
}

const Family &gptNeoFamily() {
  static const Family family = decoderFamily<GptNeo>("gpt_neo", "transformer.",
                                                     {".attn.attention.bias", ".attn.attention.masked_bias"});
  return family;
}

const Family &gptBigCodeFamily() {
  static const Family family =
      decoderFamily<GptBigCode>("gpt_bigcode", "transformer.", {".attn.bias", ".attn.masked_bias"});
  return family;
}

} // namespace sesame::importer
