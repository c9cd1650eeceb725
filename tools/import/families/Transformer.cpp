//===- Transformer.cpp - The original Transformer -------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Vaswani et al. 2017 as torch.nn.Transformer stores it: embeddings times sqrt(C) plus sinusoids, norms after
// (or before) attention and feed-forward, query, key and value in one matrix.
//
//===----------------------------------------------------------------------===//

#include "../Registry.h"
#include "../Seq2Seq.h"
#include "../TensorOps.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

class Transformer : public Seq2Seq {
public:
  explicit Transformer(ModelBuilder &b) : Seq2Seq(b) {
    const Config &c = b.config;
    width = c.extent("d_model");
    decoderHeads = c.divisor("nhead", "d_model", width);
    headSize = width / decoderHeads;
    inner = c.extent("dim_feedforward");
    encoder = {"encoder", "transformer.encoder", c.layers("num_encoder_layers")};
    decoder = {"decoder", "transformer.decoder", c.layers("num_decoder_layers")};
    decoderLayers = decoder.layers;
    sharesTables = c.flag("share_embeddings", false);
    if (sharesTables) {
      sourceVocab = vocab = c.extent("vocab_size");
    } else {
      sourceVocab = c.extent(c.either("src_vocab_size", "vocab_size"));
      vocab = c.extent(c.either("tgt_vocab_size", "vocab_size"));
    }
    activation = c.activation("activation", "relu");
    epsilon = c.epsilon("layer_norm_eps", 1e-5);
    isPreNorm = c.flag("norm_first", false);
    hasFinalNorm = c.flag("final_norm", true);
    hasOutputBias = c.flag("generator_bias", true);
    b.info.vocabSize = vocab;
    b.info.hiddenSize = width;
    b.info.numLayers = encoder.layers;
  }

private:
  struct Stack {
    std::string name, module;
    int64_t layers;
    std::string part(const char *what) const { return module + ".layers.{}." + what; }
  };

  Value table(bool isSource) {
    bool isFirst = isSource || sharesTables;
    return b.weight(isFirst ? "src_embedding.weight" : "tgt_embedding.weight",
                    {isSource ? sourceVocab : vocab, width});
  }

  /// ids [B, S], the last of the positions that `mask` [B, T] covers -> [B, S, C].
  Value embedded(Value ids, Value mask, bool isSource) {
    Value h = b.scale(b.embedding({{ids, table(isSource)}}), std::sqrt(double(width)));
    return addRows(b, h,
                   sinusoids(b, positionsOf(b, ids, mask), width, {/*inF64=*/true, /*isInterleaved=*/true}));
  }

  Value encode(Value ids, Value mask) override {
    Value h =
        b.blocks("encoder_block", encoder.layers, embedded(ids, mask, /*isSource=*/true), mask, nullptr,
                 [&](Value h, Value mask, Cache *, ValueRange) {
                   h = sublayer(encoder, "norm1", h,
                                [&](Value x) { return selfAttention(encoder, x, mask, nullptr); });
                   return sublayer(encoder, "norm2", h, [&](Value x) { return feedForward(encoder, x); });
                 });
    return finalNorm(encoder, h);
  }

  Value decode(Value ids, Value mask, Cache *cache, const Source &source) override {
    Value h = decoderBlocks(
        b, "decoder_block", decoder.layers, embedded(ids, mask, /*isSource=*/false), mask, cache, source,
        [&](Value h, Value mask, Cache *cache, const Source &source, ValueRange) {
          h = sublayer(decoder, "norm1", h, [&](Value x) { return selfAttention(decoder, x, mask, cache); });
          h = sublayer(decoder, "norm2", h, [&](Value x) { return sourceAttention(x, source); });
          return sublayer(decoder, "norm3", h, [&](Value x) { return feedForward(decoder, x); });
        });
    return finalNorm(decoder, h);
  }

  /// h + body(h) with the norm before or after.
  Value sublayer(const Stack &stack, const char *norm, Value h, llvm::function_ref<Value(Value)> body) {
    if (isPreNorm)
      return b.add(h, body(b.layerNorm(stack.part(norm), h, epsilon)));
    return b.layerNorm(stack.part(norm), b.add(h, body(h)), epsilon);
  }

  Value finalNorm(const Stack &stack, Value h) {
    return hasFinalNorm ? b.layerNorm(stack.module + ".norm", h, epsilon) : h;
  }

  double scale() const { return 1 / std::sqrt(double(headSize)); }

  Value selfAttention(const Stack &stack, Value x, Value mask, Cache *cache) {
    Value fused = b.linearBy(b.weight(stack.part("self_attn.in_proj_weight"), {3 * width, width}),
                             b.weight(stack.part("self_attn.in_proj_bias"), {3 * width}), x);
    AttentionOptions options;
    options.heads = decoderHeads;
    options.scale = scale();
    options.causal = &stack == &decoder;
    options.mask = mask;
    options.cache = cache;
    Value q = b.sliceColumns(fused, 0, width), k = b.sliceColumns(fused, width, width),
          v = b.sliceColumns(fused, 2 * width, width);
    return b.linear(stack.part("self_attn.out_proj"), b.attention(q, k, v, options), width);
  }

  /// A third of the matrix by which the decoder reads the source: 0 query, 1 key, 2 value.
  Value sourceProjection(Value x, int64_t which) {
    auto third = [&](const char *parameter, ArrayRef<int64_t> stored, ArrayRef<int64_t> shape) {
      const std::string name = decoder.part("multihead_attn.in_proj_") + parameter;
      constexpr const char *parts[] = {".query", ".key", ".value"};
      return b.weightBy(name + parts[which], b.tensorType(shape), [&] {
        return b.slice(b.storedTensor(name, stored), 0, b.builder.getIndexAttr(which * width),
                       b.builder.getIndexAttr(width));
      });
    };
    Value matrix = third("weight", {3 * width, width}, {width, width});
    Value bias = third("bias", {3 * width}, {width});
    return b.linearBy(matrix, bias, x);
  }

  Value sourceAttention(Value x, const Source &source) {
    x = attendSource(sourceProjection(x, 0), source, scale());
    return b.linear(decoder.part("multihead_attn.out_proj"), x, width);
  }

  std::pair<Value, Value> sourceHeads(Value states) override {
    Value k = sourceProjection(states, 1), v = sourceProjection(states, 2);
    return {b.splitHeads(k, decoderHeads), b.splitHeads(v, decoderHeads)};
  }

  Value feedForward(const Stack &stack, Value x) {
    x = b.activation(activation, b.linear(stack.part("linear1"), x, inner));
    return b.linear(stack.part("linear2"), x, width);
  }

  Value logits(Value hidden) override {
    Value matrix = sharesTables ? table(/*isSource=*/true) : b.weight("generator.weight", {vocab, width});
    Value bias = hasOutputBias ? b.weight("generator.bias", {vocab}) : Value();
    return b.linearBy(matrix, bias, hidden);
  }

  int64_t inner;
  Stack encoder, decoder;
  mlir::sesame::Activation activation;
  double epsilon;
  bool sharesTables, isPreNorm, hasFinalNorm, hasOutputBias;
};

} // namespace

const Family &transformerFamily() {
  static const Family family = {
      "transformer",
      "model.",
      {{"OrigTransformer", "translation", [](ModelBuilder &b) { Transformer(b).conditionalGeneration(); }}}};
  return family;
}

} // namespace sesame::importer
