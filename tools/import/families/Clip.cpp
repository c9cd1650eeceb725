//===- Clip.cpp - CLIP --------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Radford et al. 2021; transformers/models/clip/modeling_clip.py. A text and an image encoder into one space,
// and each of them alone.
//
//===----------------------------------------------------------------------===//

#include "../TensorOps.h"
#include "../Vision.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace sesame::importer {

namespace {

/// A section of config.json, which may be left out where it says nothing new. The configuration of one
/// encoder alone (`modelType`) has none.
Config section(const Config &whole, const std::string &key, const char *modelType) {
  if (whole.text("model_type", "") == modelType)
    return whole;
  if (std::optional<Config> present = whole.object(key))
    return *present;
  return Config(whole.getPath() + ": " + key, nlohmann::json::object());
}

/// One of the two encoders: blocks with norms before each part.
struct Tower {
  std::string prefix;
  int64_t width, heads, layers, inner;
  mlir::sesame::Activation activation;
  double epsilon;

  Tower(const Config &c, std::string prefix, int64_t defaultWidth, int64_t defaultHeads, int64_t defaultInner)
      : prefix(std::move(prefix)), width(c.extent("hidden_size", defaultWidth)),
        heads(c.divisor("num_attention_heads", "hidden_size", width, defaultHeads)),
        layers(c.layers("num_hidden_layers", 12)), inner(c.extent("intermediate_size", defaultInner)),
        activation(c.activation("hidden_act", "quick_gelu")), epsilon(c.epsilon("layer_norm_eps", 1e-5)) {}

  Value encode(ModelBuilder &b, const std::string &name, Value h, Value mask, bool causal) const {
    return b.blocks(name, layers, h, mask, nullptr,
                    [&](Value x, Value mask, Cache *, ValueRange) { return block(b, x, mask, causal); });
  }

  Value block(ModelBuilder &b, Value h, Value mask, bool causal) const {
    std::string layer = prefix + "encoder.layers.{}.";
    AttentionOptions options;
    options.heads = heads;
    options.scale = 1 / std::sqrt(double(width / heads));
    options.mask = mask;
    options.causal = causal;
    Value x = b.layerNorm(layer + "layer_norm1", h, epsilon);
    x = b.attention(b.linear(layer + "self_attn.q_proj", x, width),
                    b.linear(layer + "self_attn.k_proj", x, width),
                    b.linear(layer + "self_attn.v_proj", x, width), options);
    h = b.add(h, b.linear(layer + "self_attn.out_proj", x, width));
    x = b.layerNorm(layer + "layer_norm2", h, epsilon);
    x = b.activation(activation, b.linear(layer + "mlp.fc1", x, inner));
    return b.add(h, b.linear(layer + "mlp.fc2", x, width));
  }
};

class TextEncoder {
public:
  explicit TextEncoder(ModelBuilder &b)
      : b(b), config(section(b.config, "text_config", "clip_text_model")),
        tower(config, "text_model.", 512, 8, 2048), vocab(config.extent("vocab_size", 49408)),
        maxLength(config.extent("max_position_embeddings", 77)),
        endToken(config.integer("eos_token_id", 0, Config::maxExtent, 49407)) {
    b.info.vocabSize = vocab;
    b.info.hiddenSize = tower.width;
    b.info.numLayers = tower.layers;
    b.info.maxLength = maxLength;
  }

  /// ...TextModel, and with `hasProjection` its vectors in the common space.
  void model(bool hasProjection) {
    b.beginEntry("forward", {{"S", maxLength}});
    Value ids = b.idInput("input_ids", {"B", "S"}, vocab);
    Value mask = b.maskInput(), positions = positionInput();
    Value states = encode(ids, mask, positions), pooled = pool(states, ids);
    b.output("last_hidden_state", states, {"B", "S", std::to_string(tower.width)});
    if (hasProjection) {
      int64_t columns = config.extent("projection_dim", 512);
      b.output("text_embeds", project(pooled, columns), {"B", std::to_string(columns)});
    } else {
      b.output("pooler_output", pooled, {"B", std::to_string(tower.width)});
    }
    b.endEntry();
  }

  Value positionInput() { return b.idInput("position_ids", {"B", "S"}, maxLength, "arange"); }

  /// [B, S] each -> [B, S, C].
  Value encode(Value ids, Value mask, Value positions) {
    std::string part = tower.prefix + "embeddings.";
    Value h =
        b.embedding({{ids, b.weight(part + "token_embedding.weight", {vocab, tower.width})},
                     {positions, b.weight(part + "position_embedding.weight", {maxLength, tower.width})}});
    h = tower.encode(b, "text_block", h, mask, /*causal=*/true);
    return b.layerNorm(tower.prefix + "final_layer_norm", h, tower.epsilon);
  }

  /// The state of the end token: [B, S, C] -> [B, C].
  Value pool(Value states, Value ids) { return b.gatherPositions(states, endPositions(ids)); }

  Value project(Value pooled, int64_t columns) {
    return b.linear("text_projection", pooled, columns, withoutBias);
  }

private:
  /// The first end token's position, 0 without one. Configurations that say 2 are of before the token's id
  /// was read: there it is the one of the highest id.
  Value endPositions(Value ids) {
    Type i64 = b.builder.getI64Type();
    bool isHighest = endToken == 2;
    SmallVector<OpFoldResult> extents = {b.extent(ids, 0)};
    Value length = b.dim(ids, 1);
    return generate(b, extents, i64, [&](Scalars scalars, ValueRange indices) {
      Value zero = scalars.constant(0), one = scalars.constant(1), row = indices[0];
      Value wanted = arith::ConstantIndexOp::create(scalars.builder, scalars.loc, endToken);
      // The best id so far and its position; a token is taken if it is better than that.
      Value none = arith::ConstantIndexOp::create(scalars.builder, scalars.loc, -1);
      auto loop =
          scf::ForOp::create(scalars.builder, scalars.loc, zero, length, one, ValueRange{none, zero},
                             [&](OpBuilder &inner, Location l, Value position, ValueRange best) {
                               Scalars here{inner, l};
                               Value id = here.toIndex(here.at(ids, {row, position}));
                               Value score = isHighest ? id : here.select(here.equal(id, wanted), one, zero);
                               Value better = here.less(best[0], score);
                               scf::YieldOp::create(inner, l,
                                                    ValueRange{here.select(better, score, best[0]),
                                                               here.select(better, position, best[1])});
                             });
      return scalars.toI64(loop.getResult(1));
    });
  }

  ModelBuilder &b;
  const Config config;
  const Tower tower;

public:
  const int64_t vocab, maxLength;

private:
  const int64_t endToken;
};

class ImageEncoder {
public:
  explicit ImageEncoder(ModelBuilder &b)
      : b(b), config(section(b.config, "vision_config", "clip_vision_model")),
        tower(config, "vision_model.", 768, 12, 3072), image(ImageSizes::read(config, 32)) {}

  /// ...VisionModel, and with `hasProjection` its vectors in the common space.
  void model(bool hasProjection) {
    Value states = beginForward(), pooled = pool(states);
    b.output("last_hidden_state", states,
             {"B", std::to_string(image.patches() + 1), std::to_string(tower.width)});
    if (hasProjection) {
      int64_t columns = config.extent("projection_dim", 512);
      b.output("image_embeds", project(pooled, columns), {"B", std::to_string(columns)});
    } else {
      b.output("pooler_output", pooled, {"B", std::to_string(tower.width)});
    }
    b.endEntry();
  }

  /// A classifier of the mean of all patches.
  void classification() {
    int64_t labels = b.config.numLabels(), patches = image.patches();
    Value h = b.slice(beginForward(), 1, b.builder.getIndexAttr(1), b.builder.getIndexAttr(patches));
    Value shares = generate(b, {b.builder.getIndexAttr(patches)}, b.builder.getF32Type(),
                            [&](Scalars s, ValueRange) { return s.constantF32(1.0 / double(patches)); });
    Value mean = einsum(b, "bpc,p->bc", h, shares);
    b.output("logits", b.linear("classifier", mean, labels), {"B", std::to_string(labels)});
    b.endEntry();
  }

  Value pixels(const std::string &batch) { return pixelInput(b, image, batch); }

  /// [I, channels, size, size] -> [I, 1 + patches, C].
  Value encode(Value pixels) {
    std::string part = tower.prefix + "embeddings.";
    int64_t length = image.patches() + 1, width = tower.width;
    Value h = patchEmbedding(b, part + "patch_embedding", pixels, image, width, /*hasBias=*/false);
    Value token = reshapedWeight(b, part + "class_embedding", {width}, {1, width});
    h = concat(b, {repeatRows(b, token, b.extent(h, 0)), h}, 1);
    h = addRows(b, h, b.weight(part + "position_embedding.weight", {length, width}));
    h = b.layerNorm(tower.prefix + "pre_layrnorm", h, tower.epsilon);
    return tower.encode(b, "image_block", h, Value(), /*causal=*/false);
  }

  /// The state of the class token: [I, 1 + patches, C] -> [I, C].
  Value pool(Value states) {
    Value h = b.select(states, 1, b.builder.getIndexAttr(0));
    return b.layerNorm(tower.prefix + "post_layernorm", h, tower.epsilon);
  }

  Value project(Value pooled, int64_t columns) {
    return b.linear("visual_projection", pooled, columns, withoutBias);
  }

private:
  Value beginForward() {
    b.info.hiddenSize = tower.width;
    b.info.numLayers = tower.layers;
    b.beginEntry("forward");
    return encode(pixels("B"));
  }

  ModelBuilder &b;
  const Config config;
  const Tower tower;
  const ImageSizes image;
};

class Clip {
public:
  explicit Clip(ModelBuilder &b)
      : b(b), text(b), image(b), projected(b.config.extent("projection_dim", 512)) {
    b.builder.getContext()->loadDialect<math::MathDialect>();
  }

  /// B texts and I images: what each is in the common space, and how well each fits each.
  void model() {
    b.beginEntry("forward", {{"S", text.maxLength}});
    Value ids = b.idInput("input_ids", {"B", "S"}, text.vocab);
    Value pixels = image.pixels("I");
    Value mask = b.maskInput(), positions = text.positionInput();
    Value texts = unit(text.project(text.pool(text.encode(ids, mask, positions), ids), projected));
    Value images = unit(image.project(image.pool(image.encode(pixels)), projected));

    Value logitScale = reshapedWeight(b, "logit_scale", {}, {1});
    std::string width = std::to_string(projected);
    b.output("logits_per_image", fit(images, texts, logitScale), {"I", "B"});
    b.output("logits_per_text", fit(texts, images, logitScale), {"B", "I"});
    b.output("text_embeds", texts, {"B", width});
    b.output("image_embeds", images, {"I", width});
    b.endEntry();
  }

private:
  /// x [N, C] over its length.
  Value unit(Value x) {
    Type f32 = b.builder.getF32Type();
    Value squares = einsum(b, "nc,nc->n", x, x);
    return mapOver(b, "nc,n->nc", {x, squares}, f32, [](Scalars scalars, ValueRange values) {
      Value length = math::SqrtOp::create(scalars.builder, scalars.loc, values[1]);
      return scalars.divide(values[0], length);
    });
  }

  /// exp(scale) times each of `left` with each of `right`.
  Value fit(Value left, Value right, Value logitScale) {
    Type f32 = b.builder.getF32Type();
    Value products = einsum(b, "ac,bc->ab", left, right);
    return mapOver(b, "ab->ab", {products}, f32, [&](Scalars scalars, ValueRange values) {
      Value factor = scalars.at(logitScale, {scalars.constant(0)});
      return scalars.multiply(values[0], math::ExpOp::create(scalars.builder, scalars.loc, factor));
    });
  }

  ModelBuilder &b;
  TextEncoder text;
  ImageEncoder image;
  const int64_t projected;
};

const std::vector<Architecture> textClasses = {
    {"CLIPTextModel", "feature-extraction",
     [](ModelBuilder &b) { TextEncoder(b).model(/*hasProjection=*/false); }, "text_model."},
    {"CLIPTextModelWithProjection", "feature-extraction",
     [](ModelBuilder &b) { TextEncoder(b).model(/*hasProjection=*/true); }},
};
const std::vector<Architecture> imageClasses = {
    {"CLIPVisionModel", "image-feature-extraction",
     [](ModelBuilder &b) { ImageEncoder(b).model(/*hasProjection=*/false); }, "vision_model."},
    {"CLIPVisionModelWithProjection", "image-feature-extraction",
     [](ModelBuilder &b) { ImageEncoder(b).model(/*hasProjection=*/true); }},
};

} // namespace

const Family &clipFamily() {
  static const Family family = [] {
    Family made = {
        "clip",
        "",
        {{"CLIPModel", "zero-shot-image-classification", [](ModelBuilder &b) { Clip(b).model(); }},
         {"CLIPForImageClassification", "image-classification",
          [](ModelBuilder &b) { ImageEncoder(b).classification(); }}},
        [](const WeightSource &weights) {
          return weights.has("classifier.weight") ? "CLIPForImageClassification" : "CLIPModel";
        },
        {"embeddings.position_ids"},
    };
    for (const std::vector<Architecture> &each : {textClasses, imageClasses})
      made.architectures.insert(made.architectures.end(), each.begin(), each.end());
    return made;
  }();
  return family;
}

const Family &clipTextFamily() {
  static const Family family = {
      "clip_text_model",
      "",
      textClasses,
      [](const WeightSource &weights) {
        return weights.has("text_projection.weight") ? "CLIPTextModelWithProjection" : "CLIPTextModel";
      },
      {"embeddings.position_ids"},
  };
  return family;
}

const Family &clipVisionFamily() {
  static const Family family = {
      "clip_vision_model",
      "",
      imageClasses,
      [](const WeightSource &weights) {
        return weights.has("visual_projection.weight") ? "CLIPVisionModelWithProjection" : "CLIPVisionModel";
      },
      {"embeddings.position_ids"},
  };
  return family;
}

} // namespace sesame::importer
