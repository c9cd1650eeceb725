//===- GptNeoX.cpp - GPT-NeoX, GPT-J, Phi ---------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Black et al. 2022 (GPT-NeoX), Wang and Komatsuzaki 2021 (GPT-J), Li et al. 2023 (Phi). One block: layer
// norm, heads of which a part is rotated, attention and feed-forward side by side.
//
//===----------------------------------------------------------------------===//

#include "../Decoder.h"

#include <array>
#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

class ParallelDecoder : public Decoder {
protected:
  /// Of tensors; those of a layer come behind `layers`.
  struct Names {
    const char *table, *layers, *attentionNorm;
    /// Null if the feed-forward reads what attention reads.
    const char *feedForwardNorm;
    const char *output, *up, *down, *finalNorm, *head;
  };

  ParallelDecoder(ModelBuilder &b, const Names &names) : Decoder(b), names(names) {}

  void setShape(int64_t newWidth, int64_t newHeads, int64_t newKeyHeads) {
    width = newWidth;
    heads = newHeads;
    keyHeads = newKeyHeads;
    headSize = width / heads;
    scale = 1 / std::sqrt(static_cast<double>(headSize));
  }

  /// x [B, S, C] -> query [B, H, S, D], key and value [B, G, S, D], not yet rotated.
  virtual std::array<Value, 3> project(Value x) = 0;

  NamePattern layer(const char *part) const { return std::string(names.layers) + part; }

  Value body(const Inputs &in, Cache *cache) override {
    Value table = b.inputTable(std::string(names.table) + ".weight", std::string(names.head) + ".weight",
                               {vocab, width}, tied);
    Value h = b.blocks(
        "block", layers, b.embedding({{in.ids, table}}), in.mask, cache,
        [&](Value x, Value mask, Cache *cache, ValueRange shared) {
          return block(x, mask, cache, shared[0]);
        },
        in.positions);
    return b.layerNorm(names.finalNorm, h, epsilon);
  }

  Value logits(Value hidden) override {
    std::string head = names.head;
    Value table = b.headWeight(head + ".weight", std::string(names.table) + ".weight", {vocab, width}, tied);
    return b.linearBy(table, headBias ? b.weight(head + ".bias", {vocab}) : Value(), hidden);
  }

  int64_t inner = 0;
  mlir::sesame::Activation activation = mlir::sesame::Activation::identity;
  double epsilon = 1e-5;
  bool tied = false, headBias = false, outputBias = true;
  /// Whether the feed-forward reads the layer's input rather than what attention made of it.
  bool isParallel = true;
  std::optional<Rotary> rotary;

private:
  Value block(Value h, Value mask, Cache *cache, Value positions) {
    Value x = b.layerNorm(layer(names.attentionNorm), h, epsilon);
    auto [q, k, v] = project(x);
    // Before attention's result is added to h, so that the sum can take h's place.
    if (names.feedForwardNorm && isParallel)
      x = b.layerNorm(layer(names.feedForwardNorm), h, epsilon);
    Value seen = b.attendHeads(rotary->apply(b, q, positions), rotary->apply(b, k, positions), v,
                               causalAttention(mask, cache));
    LinearOptions options;
    options.bias = outputBias;
    h = b.add(h, b.linear(layer(names.output), b.mergeHeads(seen), width, options));
    if (names.feedForwardNorm && !isParallel)
      x = b.layerNorm(layer(names.feedForwardNorm), h, epsilon);
    x = b.activation(activation, b.linear(layer(names.up), x, inner));
    return b.add(h, b.linear(layer(names.down), x, width));
  }

  Names names;
};

struct GptNeoX : ParallelDecoder {
  static constexpr DecoderClasses classes{"GPTNeoXForCausalLM",
                                          "GPTNeoXModel",
                                          "GPTNeoXForSequenceClassification",
                                          "GPTNeoXForTokenClassification",
                                          "score",
                                          "embed_out",
                                          "classifier",
                                          "GPTNeoXForQuestionAnswering"};

  explicit GptNeoX(ModelBuilder &b)
      : ParallelDecoder(b, {"gpt_neox.embed_in", "gpt_neox.layers.{}.", "input_layernorm",
                            "post_attention_layernorm", "attention.dense", "mlp.dense_h_to_4h",
                            "mlp.dense_4h_to_h", "gpt_neox.final_layer_norm", "embed_out"}) {
    const Config &c = b.config;
    vocab = c.extent("vocab_size", 50432);
    int64_t size = c.extent("hidden_size", 6144),
            count = c.divisor("num_attention_heads", "hidden_size", size, 64);
    setShape(size, count, count);
    layers = c.layers("num_hidden_layers", 44);
    inner = c.extent("intermediate_size", 24576);
    maxLength = c.extent("max_position_embeddings", 2048);
    activation = c.activation("hidden_act", "gelu");
    epsilon = c.epsilon("layer_norm_eps", 1e-5);
    isParallel = c.flag("use_parallel_residual", true);
    outputBias = c.flag("attention_bias", true);
    tied = c.flag("tie_word_embeddings", false);
    rotary.emplace(c, headSize, maxLength, Rotary::Defaults{10000, 0.25});
  }

  std::array<Value, 3> project(Value x) override {
    LinearOptions options;
    options.bias = outputBias;
    return splitFusedHeads(b, b.linear(layer("attention.query_key_value"), x, 3 * width, options), heads);
  }
};

struct GptJ : ParallelDecoder {
  static constexpr DecoderClasses classes{
      "GPTJForCausalLM", "GPTJModel", "GPTJForSequenceClassification", nullptr, "score",
      "lm_head",         "score",     "GPTJForQuestionAnswering"};

  explicit GptJ(ModelBuilder &b)
      : ParallelDecoder(b, {"transformer.wte", "transformer.h.{}.", "ln_1", nullptr, "attn.out_proj",
                            "mlp.fc_in", "mlp.fc_out", "transformer.ln_f", "lm_head"}) {
    const Config &c = b.config;
    vocab = c.extent("vocab_size", 50400);
    int64_t size = c.extent("n_embd", 4096), count = c.divisor("n_head", "n_embd", size, 16);
    setShape(size, count, count);
    layers = c.layers("n_layer", 28);
    inner = c.extent("n_inner", 4 * width);
    maxLength = c.extent("n_positions", 2048);
    activation = c.activation("activation_function", "gelu_new");
    epsilon = c.epsilon("layer_norm_epsilon", 1e-5);
    tied = c.flag("tie_word_embeddings", false);
    headBias = true;
    outputBias = false;
    // transformers has no working model without the field.
    int64_t rotated = c.isNull("rotary_dim") ? 0 : c.extent("rotary_dim", 64);
    if (rotated < 2 || rotated % 2 || rotated > headSize)
      c.fail("rotary_dim", "expected an even number from 2 to " + std::to_string(headSize) +
                               ", the size of a head, got " + std::to_string(rotated));
    rotary = Rotary::interleaved(rotated, 10000);
  }

  std::array<Value, 3> project(Value x) override {
    auto part = [&](const char *name) {
      return b.splitHeads(b.linear(layer(name), x, width, withoutBias), heads);
    };
    return {part("attn.q_proj"), part("attn.k_proj"), part("attn.v_proj")};
  }
};

struct Phi : ParallelDecoder {
  static constexpr DecoderClasses classes{"PhiForCausalLM", "PhiModel", "PhiForSequenceClassification",
                                          "PhiForTokenClassification"};

  explicit Phi(ModelBuilder &b)
      : ParallelDecoder(b, {"model.embed_tokens", "model.layers.{}.", "input_layernorm", nullptr,
                            "self_attn.dense", "mlp.fc1", "mlp.fc2", "model.final_layernorm", "lm_head"}) {
    const Config &c = b.config;
    vocab = c.extent("vocab_size", 51200);
    int64_t size = c.extent("hidden_size", 2048),
            count = c.divisor("num_attention_heads", "hidden_size", size, 32);
    setShape(size, count, c.divisor("num_key_value_heads", "num_attention_heads", count, count));
    layers = c.layers("num_hidden_layers", 24);
    inner = c.extent("intermediate_size", 8192);
    maxLength = c.extent("max_position_embeddings", 2048);
    activation = c.activation("hidden_act", "gelu_new");
    epsilon = c.epsilon("layer_norm_eps", 1e-5);
    normalizesHeads = c.flag("qk_layernorm", false);
    tied = c.flag("tie_word_embeddings", false);
    headBias = true;
    rotary.emplace(c, headSize, maxLength, Rotary::Defaults{10000, 0.5});
  }

  std::array<Value, 3> project(Value x) override {
    auto part = [&](const char *name, int64_t count) {
      return b.splitHeads(b.linear(layer(name), x, count * headSize), count);
    };
    Value q = part("self_attn.q_proj", heads), k = part("self_attn.k_proj", keyHeads),
          v = part("self_attn.v_proj", keyHeads);
    if (normalizesHeads) {
      q = b.layerNorm(layer("self_attn.q_layernorm"), q, epsilon);
      k = b.layerNorm(layer("self_attn.k_layernorm"), k, epsilon);
    }
    return {q, k, v};
  }

  bool normalizesHeads;
};

} // namespace

const Family &gptNeoXFamily() {
  static const Family family = decoderFamily<GptNeoX>(
      "gpt_neox", "gpt_neox.", {".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq"});
  return family;
}

const Family &gptJFamily() {
  static const Family family =
      decoderFamily<GptJ>("gptj", "transformer.", {".attn.bias", ".attn.masked_bias", ".embed_positions"});
  return family;
}

const Family &phiFamily() {
  static const Family family = decoderFamily<Phi>("phi", "model.", {".rotary_emb.inv_freq"});
  return family;
}

} // namespace sesame::importer
