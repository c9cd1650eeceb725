//===- Gpt2.cpp - GPT-2 ---------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Radford et al. 2019; transformers/models/gpt2/modeling_gpt2.py.
//
//===----------------------------------------------------------------------===//

#include "../Registry.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

class Gpt2 {
public:
  explicit Gpt2(ModelBuilder &b) : b(b) {
    const Config &c = b.config;
    width = c.extent("n_embd");
    heads = c.divisor("n_head", "n_embd", width);
    layers = c.layers("n_layer");
    vocab = c.extent("vocab_size");
    maxLength = c.extent("n_positions", 1024);
    inner = c.extent("n_inner", 4 * width);
    activation = c.activation("activation_function", "gelu_new");
    epsilon = c.epsilon("layer_norm_epsilon", 1e-5);
    scale = c.flag("scale_attn_weights", true) ? 1 / std::sqrt(double(width / heads)) : 1;
    scaleByLayer = c.flag("scale_attn_by_inverse_layer_idx", false);
    tied = c.flag("tie_word_embeddings", true);
    c.refuseFlag("add_cross_attention", "cross attention is supported in encoder-decoder models only");
    b.info.vocabSize = vocab;
    b.info.hiddenSize = width;
    b.info.numLayers = layers;
    b.info.maxLength = maxLength;
  }

  void languageModel() {
    auto run = [&](Value ids, Value mask, Value positions, Cache *cache) {
      return body(ids, mask, positions, cache);
    };
    auto head = [&](Value hidden) { return logits(hidden); };
    b.causalEntries({vocab, maxLength, layers, heads, width / heads, run, head});
  }

  void baseModel() {
    Value ids = beginForward({"B", "S"});
    b.output("last_hidden_state", body(ids, mask, positions), {"B", "S", std::to_string(width)});
    b.endEntry();
  }

  /// The score of the last token that is not padding, or of the last one if there is no padding token.
  void sequenceClassification() {
    int64_t labels = b.config.numLabels();
    Value ids = beginForward({"B", "S"});
    Value hidden = body(ids, mask, positions);
    Value last = b.info.padTokenId
                     ? b.gatherPositions(hidden, b.lastPositionOtherThan(ids, *b.info.padTokenId))
                     : b.selectLast(hidden, 1);
    b.output("logits", b.linear("score", last, labels, withoutBias), {"B", std::to_string(labels)});
    b.endEntry();
  }

  /// N choices a row: a language model over each and a score for each, read at `mc_token_ids`.
  void doubleHeads() {
    const Config &c = b.config;
    std::string summary =
        c.choice("summary_type", {"last", "first", "mean", "cls_index", "attn"}, "cls_index");
    if (summary == "mean" || summary == "attn")
      c.fail("summary_type", "'" + summary + "' is not supported");
    bool project = c.flag("summary_use_proj", true);
    // transformers sets num_labels to 1 for this class.
    int64_t scores = project && c.flag("summary_proj_to_labels", true) ? 1 : width;
    Value ids = beginForward({"B", "N", "S"});
    Value choice = summary == "cls_index" ? b.idInput("mc_token_ids", {"B", "N"}, maxLength) : Value();
    Value hidden =
        body(b.mergeLeading(ids), b.mergeLeading(mask), b.mergeLeading(positions)); // [B * N, S, C]
    b.output("logits", b.splitLeading(logits(hidden), ids), {"B", "N", "S", std::to_string(vocab)});
    Value picked = choice               ? b.gatherPositions(hidden, b.mergeLeading(choice))
                   : summary == "first" ? b.select(hidden, 1, b.builder.getIndexAttr(0))
                                        : b.selectLast(hidden, 1);
    if (project)
      picked = b.linear("multiple_choice_head.summary", picked, scores);
    if (c.has("summary_activation"))
      picked = b.activation(c.activation("summary_activation"), picked);
    picked = b.splitLeading(picked, ids); // [B, N, 1 or C]
    if (scores == 1)
      b.output("mc_logits", b.dropLastAxis(picked), {"B", "N"});
    else
      b.output("mc_logits", picked, {"B", "N", std::to_string(scores)});
    b.endEntry();
  }

private:
  static LinearOptions conv1d() {
    LinearOptions options;
    options.layout = mlir::sesame::WeightLayout::kn;
    return options;
  }
  /// Opens `forward` and returns the ids; sets mask and positions.
  Value beginForward(const ModelBuilder::Dims &dims) {
    b.beginEntry("forward", {{"S", maxLength}});
    Value ids = b.idInput("input_ids", dims, vocab);
    mask = b.maskInput(dims);
    positions = b.idInput("position_ids", dims, maxLength, "arange");
    return ids;
  }

  Value wte() { return b.inputTable("transformer.wte.weight", "lm_head.weight", {vocab, width}, tied); }

  Value body(Value ids, Value mask, Value positions, Cache *cache = nullptr) {
    Value h =
        b.embedding({{ids, wte()}, {positions, b.weight("transformer.wpe.weight", {maxLength, width})}});
    h = b.blocks("block", layers, h, mask, cache,
                 [&](Value x, Value mask, Cache *cache, ValueRange) { return block(x, mask, cache); });
    return b.layerNorm("transformer.ln_f", h, epsilon);
  }

  Value block(Value h, Value mask, Cache *cache) {
    Value x = b.layerNorm("transformer.h.{}.ln_1", h, epsilon);
    Value qkv = b.linear("transformer.h.{}.attn.c_attn", x, 3 * width, conv1d());
    Value q = b.sliceColumns(qkv, 0, width), k = b.sliceColumns(qkv, width, width),
          v = b.sliceColumns(qkv, 2 * width, width);
    AttentionOptions options;
    options.heads = heads;
    options.scale = scale;
    options.causal = true;
    options.mask = mask;
    options.cache = cache;
    x = b.attention(scaleByLayer ? b.scale(q, inverseLayer()) : q, k, v, options);
    h = b.add(h, b.linear("transformer.h.{}.attn.c_proj", x, width, conv1d()));
    x = b.layerNorm("transformer.h.{}.ln_2", h, epsilon);
    x = b.activation(activation, b.linear("transformer.h.{}.mlp.c_fc", x, inner, conv1d()));
    return b.add(h, b.linear("transformer.h.{}.mlp.c_proj", x, width, conv1d()));
  }

  /// 1 / (layer + 1) in f32.
  Value inverseLayer() {
    OpBuilder &builder = b.builder;
    Value number = arith::AddIOp::create(builder, b.loc, b.layerIndex(), b.constant(1));
    number = arith::IndexCastOp::create(builder, b.loc, builder.getI64Type(), number);
    number = arith::SIToFPOp::create(builder, b.loc, builder.getF32Type(), number);
    return arith::DivFOp::create(builder, b.loc, b.constantF32(1), number);
  }

  Value logits(Value hidden) {
    return b.linearBy(b.headWeight("lm_head.weight", "transformer.wte.weight", {vocab, width}, tied), Value(),
                      hidden);
  }

  ModelBuilder &b;
  int64_t width, heads, layers, vocab, maxLength, inner;
  mlir::sesame::Activation activation;
  double epsilon, scale;
  bool scaleByLayer, tied;
  Value mask, positions;
};

} // namespace

const Family &gpt2Family() {
  static const Family family = {
      "gpt2",
      "transformer.",
      {
          {"GPT2LMHeadModel", "text-generation", [](ModelBuilder &b) { Gpt2(b).languageModel(); }},
          {"GPT2Model", "feature-extraction", [](ModelBuilder &b) { Gpt2(b).baseModel(); }},
          {"GPT2ForSequenceClassification", "text-classification",
           [](ModelBuilder &b) { Gpt2(b).sequenceClassification(); }},
          {"GPT2DoubleHeadsModel", "multiple-choice", [](ModelBuilder &b) { Gpt2(b).doubleHeads(); }},
      },
      [](const WeightSource &weights) {
        return weights.has("multiple_choice_head.summary.weight")       ? "GPT2DoubleHeadsModel"
               : weights.has("score.weight")                            ? "GPT2ForSequenceClassification"
               : weights.isHeadless() && !weights.has("lm_head.weight") ? "GPT2Model"
                                                                        : "GPT2LMHeadModel";
      },
      {".attn.bias", ".attn.masked_bias"},
  };
  return family;
}

} // namespace sesame::importer
