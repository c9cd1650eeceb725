//===- Timesformer.cpp - TimeSformer ----------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Bertasius et al. 2021; transformers/models/timesformer. The patches of a video's frames as tokens, in the
// order of their places and then of their frames. Each layer attends over the frames of a place, then over
// the places of a frame; the class token is part of every frame, and its shares are averaged. Axes: B videos,
// T frames, P places, C features.
//
//===----------------------------------------------------------------------===//

#include "../TensorOps.h"
#include "../Vision.h"

using namespace mlir;

namespace sesame::importer {

namespace {

class Timesformer {
public:
  explicit Timesformer(ModelBuilder &b) : b(b), image(ImageSizes::read(b.config)) {
    const Config &c = b.config;
    frames = c.integer("num_frames", 1, 1 << 14, 8);
    places = image.patches();
    if (places >= Config::maxExtent / frames)
      c.fail("num_frames", "expected fewer than " + std::to_string(Config::maxExtent / places) +
                               " frames of " + std::to_string(places) + " patches, got " +
                               std::to_string(frames));
    width = c.extent("hidden_size", 768);
    heads = c.divisor("num_attention_heads", "hidden_size", width, 12);
    layers = c.layers("num_hidden_layers", 12);
    inner = c.extent("intermediate_size", 3072);
    activation = c.activation("hidden_act", "gelu");
    epsilon = c.epsilon("layer_norm_eps", 1e-6);
    hasBias = c.flag("qkv_bias", true);
    isDivided = c.choice("attention_type", {"divided_space_time", "joint_space_time"},
                         "divided_space_time") == "divided_space_time";
    b.info.hiddenSize = width;
    b.info.numLayers = layers;
  }

  void baseModel() {
    Value h = beginForward();
    b.output("last_hidden_state", h, {"B", std::to_string(length()), std::to_string(width)});
    b.endEntry();
  }

  void videoClassification() {
    int64_t labels = b.config.numLabels();
    Value first = b.select(beginForward(), 1, b.builder.getIndexAttr(0));
    b.output("logits", b.linear("classifier", first, labels), {"B", std::to_string(labels)});
    b.endEntry();
  }

private:
  /// Tokens of a video: the class token is the first.
  int64_t length() const { return 1 + places * frames; }

  OpFoldResult index(int64_t value) { return b.builder.getIndexAttr(value); }
  Value tabulate(ArrayRef<OpFoldResult> extents,
                 llvm::function_ref<Value(Scalars, ValueRange indices)> body) {
    return generate(b, extents, b.builder.getF32Type(), body);
  }

  Value beginForward() {
    b.beginEntry("forward");
    std::string side = std::to_string(image.size);
    Value pixels =
        b.input("pixel_values", {"B", std::to_string(frames), std::to_string(image.channels), side, side},
                b.builder.getF32Type());
    Value h = b.blocks(
        "block", layers, embed(pixels), Value(), nullptr,
        [&](Value h, Value, Cache *, ValueRange shared) {
          return isDivided ? dividedBlock(h, shared.front()) : jointBlock(h);
        },
        pixels);
    return b.layerNorm(std::string(prefix) + "layernorm", h, epsilon);
  }

  /// pixels [B, T, channels, size, size] -> [B, 1 + P * T, C].
  Value embed(Value pixels) {
    const std::string part = std::string(prefix) + "embeddings.";
    Value patches = patchEmbedding(b, part + "patch_embeddings.projection", joinAxes(b, pixels, 0), image,
                                   width, /*hasBias=*/true); // [B * T, P, C]
    Value classToken = reshapedWeight(b, part + "cls_token", {1, 1, width}, {width});
    Value positions =
        reshapedWeight(b, part + "position_embeddings", {1, places + 1, width}, {places + 1, width});
    Value times = reshapedWeight(b, part + "time_embeddings", {1, frames, width}, {frames, width});
    return tabulate({b.extent(pixels, 0), index(length()), index(width)}, [&](Scalars s, ValueRange at) {
      auto [place, time] = placeAndTime(s, at[1]);
      Value isClass = s.equal(at[1], s.constant(0));
      Value patch = s.at(patches, {s.add(s.multiply(at[0], s.constant(frames)), time), place, at[2]});
      Value position = s.at(positions, {s.select(isClass, at[1], s.add(place, s.constant(1))), at[2]});
      Value token = s.add(s.select(isClass, s.at(classToken, at[2]), patch), position);
      return s.select(isClass, token, s.add(token, s.at(times, {time, at[2]})));
    });
  }

  /// Of a token; those of the class token are the first patch's.
  std::pair<Value, Value> placeAndTime(Scalars s, Value token) {
    Value patch = s.maximum(s.subtract(token, s.constant(1)), s.constant(0));
    return {s.divide(patch, s.constant(frames)), s.remainder(patch, s.constant(frames))};
  }

  static std::string layer(const std::string &part) { return prefix + ("encoder.layer.{}." + part); }

  /// x [N, M, C] -> [N, M, C], each of the N sequences by itself.
  Value attention(const std::string &name, Value x) {
    LinearOptions fused;
    fused.bias = hasBias;
    AttentionOptions options;
    options.heads = heads;
    options.scale = 1 / std::sqrt(double(width / heads));
    Value all = b.linear(layer(name + ".attention.qkv"), x, 3 * width, fused);
    x = b.attention(b.sliceColumns(all, 0, width), b.sliceColumns(all, width, width),
                    b.sliceColumns(all, 2 * width, width), options);
    return b.linear(layer(name + ".output.dense"), x, width);
  }

  Value feedForward(Value h) {
    Value x = b.layerNorm(layer("layernorm_after"), h, epsilon);
    x = b.activation(activation, b.linear(layer("intermediate.dense"), x, inner));
    return b.add(h, b.linear(layer("output.dense"), x, width));
  }

  Value jointBlock(Value h) {
    Value x = attention("attention", b.layerNorm(layer("layernorm_before"), h, epsilon));
    return feedForward(b.add(h, x));
  }

  Value dividedBlock(Value h, Value pixels) {
    OpFoldResult batch = b.extent(pixels, 0);
    // Over the frames of each place: [B * P, T, C].
    Value x = tabulate({batch, index(places), index(frames), index(width)}, [&](Scalars s, ValueRange at) {
      return s.at(h, {at[0], tokenAt(s, at[1], at[2]), at[3]});
    });
    x = attention("temporal_attention", b.layerNorm(layer("temporal_layernorm"), joinAxes(b, x, 0), epsilon));
    Value inTime = b.linear(layer("temporal_dense"), x, width);
    Value patches =
        tabulate({batch, index(places), index(frames), index(width)}, [&](Scalars s, ValueRange at) {
          Value row = s.add(s.multiply(at[0], s.constant(places)), at[1]);
          return s.add(s.at(h, {at[0], tokenAt(s, at[1], at[2]), at[3]}), s.at(inTime, {row, at[2], at[3]}));
        });

    // Over the class token and the places of each frame: [B * T, 1 + P, C].
    x = tabulate({batch, index(frames), index(places + 1), index(width)}, [&](Scalars s, ValueRange at) {
      Value isClass = s.equal(at[2], s.constant(0));
      Value place = s.maximum(s.subtract(at[2], s.constant(1)), s.constant(0));
      return s.select(isClass, s.at(h, {at[0], s.constant(0), at[3]}),
                      s.at(patches, {at[0], place, at[1], at[3]}));
    });
    Value inSpace =
        attention("attention", b.layerNorm(layer("layernorm_before"), joinAxes(b, x, 0), epsilon));
    Value ofClass = b.select(b.splitLeading(inSpace, pixels), 2, index(0)); // [B, T, C]
    Value shares =
        tabulate({index(frames)}, [&](Scalars s, ValueRange) { return s.constantF32(1.0 / frames); });
    Value mean = einsum(b, "btc,t->bc", ofClass, shares);
    return feedForward(tabulate({batch, index(length()), index(width)}, [&](Scalars s, ValueRange at) {
      auto [place, time] = placeAndTime(s, at[1]);
      Value isClass = s.equal(at[1], s.constant(0));
      Value row = s.add(s.multiply(at[0], s.constant(frames)), time);
      Value before = s.select(isClass, s.at(h, {at[0], s.constant(0), at[2]}),
                              s.at(patches, {at[0], place, time, at[2]}));
      Value seen = s.at(inSpace, {row, s.add(place, s.constant(1)), at[2]});
      return s.add(before, s.select(isClass, s.at(mean, {at[0], at[2]}), seen));
    }));
  }

  Value tokenAt(Scalars s, Value place, Value time) {
    return s.add(s.add(s.multiply(place, s.constant(frames)), time), s.constant(1));
  }

  static constexpr const char *prefix = "timesformer.";

  ModelBuilder &b;
  const ImageSizes image;
  int64_t frames, places, width, heads, layers, inner;
  mlir::sesame::Activation activation;
  double epsilon;
  bool hasBias, isDivided;
};

} // namespace

const Family &timesformerFamily() {
  static const Family family = {
      "timesformer",
      "timesformer.",
      {
          {"TimesformerModel", "video-feature-extraction",
           [](ModelBuilder &b) { Timesformer(b).baseModel(); }},
          {"TimesformerForVideoClassification", "video-classification",
           [](ModelBuilder &b) { Timesformer(b).videoClassification(); }},
      },
      [](const WeightSource &weights) {
        return weights.has("classifier.weight") ? "TimesformerForVideoClassification" : "TimesformerModel";
      },
      {},
  };
  return family;
}

} // namespace sesame::importer
