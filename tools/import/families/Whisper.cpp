//===- Whisper.cpp - Whisper ----------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Radford et al. 2022; transformers/models/whisper. Two convolutions over the frames of a log-mel spectrogram
// and an encoder of their outputs, of a length that is always the same; a decoder with learned positions.
//
//===----------------------------------------------------------------------===//

#include "../Registry.h"
#include "../Seq2Seq.h"
#include "../TensorOps.h"
#include "../Vision.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

class Whisper : public Seq2Seq {
public:
  explicit Whisper(ModelBuilder &b) : Seq2Seq(b) {
    const Config &c = b.config;
    width = c.extent("d_model", 384);
    encoder = Stack::read(c, "encoder", width, {4, 6, 1536});
    decoder = Stack::read(c, "decoder", width, {4, 6, 1536});
    vocab = c.extent("vocab_size", 51865);
    bins = c.extent("num_mel_bins", 80);
    // A spectrogram has twice as many frames.
    maxSource = c.integer("max_source_positions", 1, Config::maxExtent / 2, 1500);
    maxLength = c.extent("max_target_positions", 448);
    isSourceFixed = true;
    decoderLayers = decoder.layers;
    decoderHeads = decoder.heads;
    headSize = width / decoder.heads;
    activation = c.activation("activation_function", "gelu");
    tied = c.flag("tie_word_embeddings", true);
    c.refuseFlag("scale_embedding", "scaled embeddings are not supported in this family");
    b.info.vocabSize = vocab;
    b.info.hiddenSize = width;
    b.info.numLayers = encoder.layers;
    b.info.maxLength = maxLength;
  }

  /// The mean over time of a projection of the encoder's states.
  void audioClassification() {
    const Config &c = b.config;
    c.refuseFlag("use_weighted_layer_sum", "a weighted sum of all layers is not supported");
    int64_t labels = c.numLabels();
    b.beginEntry("forward");
    Value h = b.linear("projector", encoded(), c.extent("classifier_proj_size", 256)); // [B, E, P]
    Value shares = generate(b, {b.builder.getIndexAttr(maxSource)}, b.builder.getF32Type(),
                            [&](Scalars s, ValueRange) { return s.constantF32(1.0 / maxSource); });
    Value mean = einsum(b, "bep,e->bp", h, shares);
    b.output("logits", b.linear("classifier", mean, labels), {"B", std::to_string(labels)});
    b.endEntry();
  }

private:
  Source encodedSource() override {
    Source source;
    source.states = encoded();
    return source;
  }

  Value logits(Value hidden) override {
    Value matrix = b.headWeight("proj_out.weight", "model.decoder.embed_tokens.weight", {vocab, width}, tied);
    return b.linearBy(matrix, Value(), hidden);
  }

  /// One value of the spectrogram [B, M, 2 * E] or of hidden states [B, 2 * E, C].
  using Frame = llvm::function_ref<Value(Scalars, Value batch, Value frame, Value channel)>;

  /// A convolution over three frames with one frame of zeros before and after: `frame` has `length` frames of
  /// `channels` each -> [B, length / stride, C]. Each place's three frames make one row of a matrix product.
  Value convolution(const std::string &name, OpFoldResult batch, int64_t length, int64_t channels,
                    int64_t stride, Frame frame) {
    SmallVector<OpFoldResult> extents = {batch, b.builder.getIndexAttr(length / stride),
                                         b.builder.getIndexAttr(channels * 3)};
    Value rows = generate(b, extents, b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
      // Column channel * 3 + tap, as the weight is stored.
      Value tap = s.remainder(at[2], s.constant(3)), channel = s.divide(at[2], s.constant(3));
      Value place = s.subtract(s.add(s.multiply(at[1], s.constant(stride)), tap), s.constant(1));
      Value inside = s.minimum(s.maximum(place, s.constant(0)), s.constant(length - 1));
      return s.select(s.equal(place, inside), frame(s, at[0], inside, channel), s.constantF32(0));
    });
    Value matrix = reshapedWeight(b, name + ".weight", {width, channels, 3}, {width, channels * 3});
    Value x = b.linearBy(matrix, b.weight(name + ".bias", {width}), rows);
    return b.activation(mlir::sesame::Activation::gelu, x);
  }

  /// Declares the spectrogram -> states [B, E, C].
  Value encoded() {
    int64_t frames = 2 * maxSource;
    Value features = b.input("input_features", {"B", std::to_string(bins), std::to_string(frames)},
                             b.builder.getF32Type());
    OpFoldResult batch = b.extent(features, 0);
    Value h = convolution("model.encoder.conv1", batch, frames, bins, 1,
                          [&](Scalars s, Value row, Value frame, Value channel) {
                            return s.at(features, {row, channel, frame});
                          });
    h = convolution(
        "model.encoder.conv2", batch, frames, width, 2,
        [&](Scalars s, Value row, Value frame, Value channel) { return s.at(h, {row, frame, channel}); });
    h = addRows(b, h, b.weight("model.encoder.embed_positions.weight", {maxSource, width}));
    h = b.blocks("encoder_block", encoder.layers, h, /*mask=*/Value(), nullptr,
                 [&](Value h, Value, Cache *, ValueRange) {
                   h = selfAttention(encoder, h, /*mask=*/Value(), nullptr);
                   return feedForward(encoder, h);
                 });
    return b.layerNorm("model.encoder.layer_norm", h, epsilon);
  }

  /// ids [B, S], mask [B, T] -> [B, S, C].
  Value decode(Value ids, Value mask, Cache *cache, const Source &source) override {
    Value tokens = b.inputTable("model.decoder.embed_tokens.weight", "proj_out.weight", {vocab, width}, tied);
    Value positions = b.weight("model.decoder.embed_positions.weight", {maxLength, width});
    Value h = b.embedding({{ids, tokens}, {positionsOf(b, ids, mask), positions}});
    h = decoderBlocks(b, "decoder_block", decoder.layers, h, mask, cache, source,
                      [&](Value h, Value mask, Cache *cache, const Source &source, ValueRange) {
                        h = selfAttention(decoder, h, mask, cache);
                        if (source.isThere()) {
                          Value x = b.layerNorm(part(decoder, "encoder_attn_layer_norm"), h, epsilon);
                          x = attendSource(b.linear(part(decoder, "encoder_attn.q_proj"), x, width), source,
                                           scaleOf(decoder));
                          h = b.add(h, b.linear(part(decoder, "encoder_attn.out_proj"), x, width));
                        }
                        return feedForward(decoder, h);
                      });
    return b.layerNorm("model.decoder.layer_norm", h, epsilon);
  }

  static std::string part(const Stack &stack, const char *name) {
    return "model." + stack.name + ".layers.{}." + name;
  }
  double scaleOf(const Stack &stack) const { return 1 / std::sqrt(double(width / stack.heads)); }

  Value selfAttention(const Stack &stack, Value h, Value mask, Cache *cache) {
    Value x = b.layerNorm(part(stack, "self_attn_layer_norm"), h, epsilon);
    Value q = b.linear(part(stack, "self_attn.q_proj"), x, width);
    Value k = b.linear(part(stack, "self_attn.k_proj"), x, width, withoutBias);
    Value v = b.linear(part(stack, "self_attn.v_proj"), x, width);
    AttentionOptions options;
    options.heads = stack.heads;
    options.scale = scaleOf(stack);
    options.causal = stack.name == "decoder";
    options.mask = mask;
    options.cache = cache;
    return b.add(h, b.linear(part(stack, "self_attn.out_proj"), b.attention(q, k, v, options), width));
  }

  Value feedForward(const Stack &stack, Value h) {
    Value x = b.layerNorm(part(stack, "final_layer_norm"), h, epsilon);
    x = b.activation(activation, b.linear(part(stack, "fc1"), x, stack.inner));
    return b.add(h, b.linear(part(stack, "fc2"), x, width));
  }

  std::pair<Value, Value> sourceHeads(Value states) override {
    Value k = b.linear(part(decoder, "encoder_attn.k_proj"), states, width, withoutBias);
    Value v = b.linear(part(decoder, "encoder_attn.v_proj"), states, width);
    return {b.splitHeads(k, decoder.heads), b.splitHeads(v, decoder.heads)};
  }

  static constexpr double epsilon = 1e-5;

  int64_t bins;
  Stack encoder, decoder;
  mlir::sesame::Activation activation;
  bool tied;
};

} // namespace

const Family &whisperFamily() {
  static const Family family = {
      "whisper",
      "model.",
      {
          {"WhisperForConditionalGeneration", "automatic-speech-recognition",
           [](ModelBuilder &b) { Whisper(b).conditionalGeneration(); }},
          {"WhisperModel", "feature-extraction", [](ModelBuilder &b) { Whisper(b).pairModel(); }},
          {"WhisperForCausalLM", "text-generation", [](ModelBuilder &b) { Whisper(b).causalLM(); }},
          {"WhisperForAudioClassification", "audio-classification",
           [](ModelBuilder &b) { Whisper(b).audioClassification(); }},
      },
      [](const WeightSource &weights) {
        return weights.has("classifier.weight")            ? "WhisperForAudioClassification"
               : weights.isHeadless()                      ? "WhisperModel"
               : weights.has("model.encoder.conv1.weight") ? "WhisperForConditionalGeneration"
                                                           : "WhisperForCausalLM";
      },
      {},
  };
  return family;
}

} // namespace sesame::importer
