//===- Llama.cpp - Llama, Mistral, Qwen2, Qwen3, Gemma, Gemma 2 -----------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Touvron et al. 2023 (Llama), Jiang et al. 2023 (Mistral), Yang et al. 2024 and 2025 (Qwen), Gemma Team
// 2024. One block: RMS norm, rotary positions, grouped heads, gated linear. The tensors have the same names
// in all.
//
//===----------------------------------------------------------------------===//

#include "../Decoder.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

/// What differs between the families beyond the numbers in config.json.
struct LlamaOptions {
  /// What transformers takes where config.json is silent.
  int64_t vocab, width, inner, layers, heads, maxLength;
  /// 0 for as many as there are heads.
  int64_t keyHeads = 0;
  /// 0 for width / heads.
  int64_t headSize = 0;
  const char *activationKey = "hidden_act", *activation = "silu";
  bool tied = false;
  bool qkvBias = false;
  bool outputBias = false;
  bool mlpBias = false;
  bool queryKeyNorm = false;
  double normOffset = 0;
  bool scalesEmbedding = false;
  /// Norms behind attention and feed-forward too.
  bool sandwichNorms = false;
  /// Scores are divided by the root of it; the head size if empty.
  std::optional<double> scoreDivisor = {};
  std::optional<double> scoreCap = {}, logitCap = {};
  LayerWindows windows = {};
};

class Llama : public Decoder {
public:
  Llama(ModelBuilder &b, const LlamaOptions &o) : Decoder(b), o(o) {
    const Config &c = b.config;
    vocab = c.extent("vocab_size", o.vocab);
    width = c.extent("hidden_size", o.width);
    inner = c.extent("intermediate_size", o.inner);
    layers = c.layers("num_hidden_layers", o.layers);
    maxLength = c.extent("max_position_embeddings", o.maxLength);
    if (o.headSize || c.has("head_dim")) {
      heads = c.extent("num_attention_heads", o.heads);
      headSize = c.extent("head_dim", o.headSize);
    } else {
      heads = c.divisor("num_attention_heads", "hidden_size", width, o.heads);
      headSize = width / heads;
    }
    keyHeads =
        c.divisor("num_key_value_heads", "num_attention_heads", heads, o.keyHeads ? o.keyHeads : heads);
    activation = c.activation(o.activationKey, o.activation);
    epsilon = c.epsilon("rms_norm_eps", 1e-6);
    tied = c.flag("tie_word_embeddings", o.tied);
    scale = 1 / std::sqrt(o.scoreDivisor.value_or(static_cast<double>(headSize)));
    rotary.emplace(c, headSize, maxLength, Rotary::Defaults());
    c.refuseFlag("use_bidirectional_attention", "attention in both directions is not supported");
  }

private:
  Value table() { return b.inputTable("model.embed_tokens.weight", "lm_head.weight", {vocab, width}, tied); }

  Value body(const Inputs &in, Cache *cache) override {
    Value h = b.embedding({{in.ids, table()}});
    if (o.scalesEmbedding)
      h = b.scale(h, std::sqrt(static_cast<double>(width)));
    h = b.blocks(
        "block", layers, h, o.windows.masks(b, in.mask, in.ids), cache,
        [&](Value x, Value mask, Cache *cache, ValueRange shared) {
          return block(x, mask, cache, shared[0]);
        },
        in.positions);
    return norm("model.norm", h);
  }

  Value block(Value h, Value mask, Cache *cache, Value positions) {
    Value x = attend(norm(layer("input_layernorm"), h), mask, cache, positions);
    if (!o.sandwichNorms) {
      h = b.add(h, x);
      return b.add(h, feedForward(norm(layer("post_attention_layernorm"), h)));
    }
    h = b.add(h, norm(layer("post_attention_layernorm"), x));
    x = feedForward(norm(layer("pre_feedforward_layernorm"), h));
    return b.add(h, norm(layer("post_feedforward_layernorm"), x));
  }

  Value attend(Value x, Value mask, Cache *cache, Value positions) {
    Value q = project("self_attn.q_proj", x, heads), k = project("self_attn.k_proj", x, keyHeads),
          v = project("self_attn.v_proj", x, keyHeads);
    if (o.queryKeyNorm) {
      q = norm(layer("self_attn.q_norm"), q);
      k = norm(layer("self_attn.k_norm"), k);
    }
    AttentionOptions options = causalAttention(mask, cache);
    options.softcap = o.scoreCap;
    o.windows.restrict(b, mask, options);
    x = b.attendHeads(rotary->apply(b, q, positions), rotary->apply(b, k, positions), v, options);
    return b.linear(layer("self_attn.o_proj"), b.mergeHeads(x), width, withBias(o.outputBias));
  }

  Value feedForward(Value x) {
    x = gatedLinear(b, layer("mlp.gate_proj"), layer("mlp.up_proj"), x, inner, o.mlpBias, activation);
    return b.linear(layer("mlp.down_proj"), x, width, withBias(o.mlpBias));
  }

  Value logits(Value hidden) override {
    Value table = b.headWeight("lm_head.weight", "model.embed_tokens.weight", {vocab, width}, tied);
    Value scores = b.linearBy(table, Value(), hidden);
    return o.logitCap ? softcap(b, scores, *o.logitCap) : scores;
  }

  static NamePattern layer(const char *part) { return std::string("model.layers.{}.") + part; }
  static LinearOptions withBias(bool bias) {
    LinearOptions options;
    options.bias = bias;
    return options;
  }
  Value norm(const NamePattern &name, Value x) { return b.rmsNorm(name, x, epsilon, o.normOffset); }
  /// [B, S, C] -> [B, N, S, D].
  Value project(const char *part, Value x, int64_t count) {
    return b.splitHeads(b.linear(layer(part), x, count * headSize, withBias(o.qkvBias)), count);
  }

  LlamaOptions o;
  int64_t inner;
  mlir::sesame::Activation activation;
  double epsilon;
  bool tied;
  std::optional<Rotary> rotary;
};

//===----------------------------------------------------------------------===//
// The families
//===----------------------------------------------------------------------===//

/// A number that is `fallback` where the field is absent, and nothing where it is null.
std::optional<double> numberOrNone(const Config &c, const char *key, double fallback) {
  if (c.isNull(key))
    return std::nullopt;
  return c.number(key, 1e-6, 1e6, fallback);
}

std::optional<int64_t> windowOrNone(const Config &c) {
  if (c.isNull("sliding_window"))
    return std::nullopt;
  return c.extent("sliding_window", 4096);
}

struct LlamaModel : Llama {
  static constexpr DecoderClasses classes{"LlamaForCausalLM",
                                          "LlamaModel",
                                          "LlamaForSequenceClassification",
                                          "LlamaForTokenClassification",
                                          "score",
                                          "lm_head",
                                          "score",
                                          "LlamaForQuestionAnswering"};
  explicit LlamaModel(ModelBuilder &b) : Llama(b, read(b.config)) {}
  static LlamaOptions read(const Config &c) {
    LlamaOptions o{32000, 4096, 11008, 32, 32, 2048};
    o.qkvBias = o.outputBias = c.flag("attention_bias", false);
    o.mlpBias = c.flag("mlp_bias", false);
    return o;
  }
};

struct MistralModel : Llama {
  static constexpr DecoderClasses classes{"MistralForCausalLM",
                                          "MistralModel",
                                          "MistralForSequenceClassification",
                                          "MistralForTokenClassification",
                                          "score",
                                          "lm_head",
                                          "score",
                                          "MistralForQuestionAnswering"};
  explicit MistralModel(ModelBuilder &b) : Llama(b, read(b.config)) {}
  static LlamaOptions read(const Config &c) {
    LlamaOptions o{32000, 4096, 14336, 32, 32, 4096 * 32};
    o.keyHeads = 8;
    if (std::optional<int64_t> window = windowOrNone(c))
      o.windows = LayerWindows(*window, {true});
    return o;
  }
};

/// Layers from `max_window_layers` on have the window, if there is one.
LayerWindows qwenWindows(const Config &c) {
  std::optional<int64_t> window;
  if (c.flag("use_sliding_window", false))
    window = windowOrNone(c);
  int64_t firstSliding = c.integer("max_window_layers", 0, Config::maxLayers, 28);
  return LayerWindows::read(c, c.layers("num_hidden_layers", 32), window,
                            [&](int64_t layer) { return layer >= firstSliding; });
}

struct Qwen2Model : Llama {
  static constexpr DecoderClasses classes{"Qwen2ForCausalLM",
                                          "Qwen2Model",
                                          "Qwen2ForSequenceClassification",
                                          "Qwen2ForTokenClassification",
                                          "score",
                                          "lm_head",
                                          "score",
                                          "Qwen2ForQuestionAnswering"};
  explicit Qwen2Model(ModelBuilder &b) : Llama(b, read(b.config)) {}
  static LlamaOptions read(const Config &c) {
    LlamaOptions o{151936, 4096, 22016, 32, 32, 32768};
    o.qkvBias = true;
    o.windows = qwenWindows(c);
    return o;
  }
};

struct Qwen3Model : Llama {
  static constexpr DecoderClasses classes{"Qwen3ForCausalLM",
                                          "Qwen3Model",
                                          "Qwen3ForSequenceClassification",
                                          "Qwen3ForTokenClassification",
                                          "score",
                                          "lm_head",
                                          "score",
                                          "Qwen3ForQuestionAnswering"};
  explicit Qwen3Model(ModelBuilder &b) : Llama(b, read(b.config)) {}
  static LlamaOptions read(const Config &c) {
    LlamaOptions o{151936, 4096, 22016, 32, 32, 32768};
    o.headSize = 128;
    o.qkvBias = o.outputBias = c.flag("attention_bias", false);
    o.queryKeyNorm = true;
    o.windows = qwenWindows(c);
    return o;
  }
};

struct GemmaModel : Llama {
  static constexpr DecoderClasses classes{"GemmaForCausalLM", "GemmaModel", "GemmaForSequenceClassification",
                                          "GemmaForTokenClassification"};
  explicit GemmaModel(ModelBuilder &b) : Llama(b, read(b.config)) {}
  static LlamaOptions read(const Config &c) {
    LlamaOptions o{256000, 3072, 24576, 28, 16, 8192};
    o.headSize = 256;
    o.activation = "gelu_pytorch_tanh";
    o.tied = true;
    o.qkvBias = o.outputBias = c.flag("attention_bias", false);
    o.normOffset = 1;
    o.scalesEmbedding = true;
    return o;
  }
};

struct Gemma2Model : Llama {
  static constexpr DecoderClasses classes{"Gemma2ForCausalLM", "Gemma2Model",
                                          "Gemma2ForSequenceClassification", "Gemma2ForTokenClassification"};
  explicit Gemma2Model(ModelBuilder &b) : Llama(b, read(b.config)) {}
  static LlamaOptions read(const Config &c) {
    LlamaOptions o{256000, 2304, 9216, 26, 8, 8192};
    o.keyHeads = 4;
    o.headSize = 256;
    o.activationKey = "hidden_activation";
    o.activation = "gelu_pytorch_tanh";
    o.tied = true;
    o.qkvBias = o.outputBias = c.flag("attention_bias", false);
    o.normOffset = 1;
    o.scalesEmbedding = o.sandwichNorms = true;
    o.scoreDivisor = c.number("query_pre_attn_scalar", 1e-6, 1e6, 256);
    o.scoreCap = numberOrNone(c, "attn_logit_softcapping", 50);
    o.logitCap = numberOrNone(c, "final_logit_softcapping", 30);
    o.windows = LayerWindows::read(c, c.layers("num_hidden_layers", 26), windowOrNone(c),
                                   [](int64_t layer) { return layer % 2 == 0; });
    return o;
  }
};

// Old files hold the frequencies of the rotary positions.
template <typename Model> Family llamaType(const char *modelType) {
  Family family = decoderFamily<Model>(modelType, "model.", {".rotary_emb.inv_freq"});
  // What LlamaForQuestionAnswering and its kin call the base model.
  family.otherPrefixes = {"transformer."};
  return family;
}

} // namespace

const Family &llamaFamily() {
  static const Family family = llamaType<LlamaModel>("llama");
  return family;
}

const Family &mistralFamily() {
  static const Family family = llamaType<MistralModel>("mistral");
  return family;
}

const Family &qwen2Family() {
  static const Family family = llamaType<Qwen2Model>("qwen2");
  return family;
}

const Family &qwen3Family() {
  static const Family family = llamaType<Qwen3Model>("qwen3");
  return family;
}

const Family &gemmaFamily() {
  static const Family family = llamaType<GemmaModel>("gemma");
  return family;
}

const Family &gemma2Family() {
  static const Family family = llamaType<Gemma2Model>("gemma2");
  return family;
}

} // namespace sesame::importer
