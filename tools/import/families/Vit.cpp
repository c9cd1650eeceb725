//===- Vit.cpp - ViT, DeiT ----------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Dosovitskiy et al. 2021, Touvron et al. 2021; transformers/models/{vit,deit}. Patches of an image as
// tokens, after one or two learned ones, through blocks with norms before each part.
//
//===----------------------------------------------------------------------===//

#include "../TensorOps.h"
#include "../Vision.h"

using namespace mlir;

namespace sesame::importer {

namespace {

class Vit {
public:
  /// `prefix` is the base model's; DeiT has a second learned token, for distillation.
  Vit(ModelBuilder &b, std::string prefix, bool isDistilled)
      : b(b), prefix(std::move(prefix)), isDistilled(isDistilled), image(ImageSizes::read(b.config)) {
    const Config &c = b.config;
    width = c.extent("hidden_size", 768);
    heads = c.divisor("num_attention_heads", "hidden_size", width, 12);
    layers = c.layers("num_hidden_layers", 12);
    inner = c.extent("intermediate_size", 3072);
    activation = c.activation("hidden_act", "gelu");
    epsilon = c.epsilon("layer_norm_eps", 1e-12);
    hasBias = c.flag("qkv_bias", true);
    b.info.hiddenSize = width;
    b.info.numLayers = layers;
  }

  void baseModel() {
    const Config &c = b.config;
    Value h = beginForward();
    b.output("last_hidden_state", h,
             {"B", std::to_string(image.patches() + numTokens()), std::to_string(width)});
    if (b.weights.has(prefix + "pooler.dense.weight")) {
      int64_t size = c.extent("pooler_output_size", width);
      Value x = b.linear(prefix + "pooler.dense", token(h, 0), size);
      b.output("pooler_output", b.activation(c.activation("pooler_act", "tanh"), x),
               {"B", std::to_string(size)});
    }
    b.endEntry();
  }

  void imageClassification() {
    Value h = beginForward();
    outputLogits("logits", b.linear("classifier", token(h, 0), b.config.numLabels()));
    b.endEntry();
  }

  /// The mean of what the two tokens say.
  void distilledClassification() {
    Value h = beginForward();
    int64_t labels = b.config.numLabels();
    Value own = b.linear("cls_classifier", token(h, 0), labels),
          teacher = b.linear("distillation_classifier", token(h, 1), labels);
    outputLogits("logits", b.scale(b.add(own, teacher), 0.5));
    outputLogits("cls_logits", own);
    outputLogits("distillation_logits", teacher);
    b.endEntry();
  }

  /// The pixels of all patches, some of which may be hidden from the model.
  void maskedImageModeling() {
    const int64_t side = image.perSide(), stride = b.config.extent("encoder_stride", 16),
                  extent = side * stride;
    Value h = beginForward(/*hidesPatches=*/true);
    h = b.slice(h, 1, b.builder.getIndexAttr(numTokens()), b.builder.getIndexAttr(image.patches()));
    const int64_t pixels = image.channels * stride * stride;
    Value matrix = reshapedWeight(b, "decoder.0.weight", {pixels, width, 1, 1}, {pixels, width});
    h = b.linearBy(matrix, b.weight("decoder.0.bias", {pixels}), h);
    // [B, row, column, channels, y, x] -> [B, channels, row, y, column, x].
    h = splitAxis(b, splitAxis(b, splitAxis(b, h, 2, image.channels), 3, stride), 1, side);
    h = joinAxes(b, joinAxes(b, transpose(b, h, {0, 3, 1, 4, 2, 5}), 4), 2);
    b.output("reconstruction", h,
             {"B", std::to_string(image.channels), std::to_string(extent), std::to_string(extent)});
    b.endEntry();
  }

private:
  int64_t numTokens() const { return isDistilled ? 2 : 1; }

  Value token(Value h, int64_t position) { return b.select(h, 1, b.builder.getIndexAttr(position)); }

  void outputLogits(const std::string &name, Value logits) {
    b.output(name, logits, {"B", std::to_string(b.config.numLabels())});
  }

  /// With `hidesPatches` there is an input that says in place of which patches a learned one is read.
  Value beginForward(bool hidesPatches = false) {
    b.beginEntry("forward");
    Value pixels = pixelInput(b, image, "B");
    Value h = patchEmbedding(b, prefix + "embeddings.patch_embeddings.projection", pixels, image, width,
                             /*hasBias=*/true);
    if (hidesPatches) {
      Value isHidden = b.idInput("bool_masked_pos", {"B", std::to_string(image.patches())}, 2, "zeros");
      Value hidden = reshapedWeight(b, prefix + "embeddings.mask_token", {1, 1, width}, {width});
      h = mapOver(b, "bpc,bp,c->bpc", {h, isHidden, hidden}, b.builder.getF32Type(),
                  [](Scalars s, ValueRange values) {
                    return s.select(s.less(s.constantI64(0), values[1]), values[2], values[0]);
                  });
    }
    std::vector<std::string> names = {"cls_token"};
    if (isDistilled)
      names.push_back("distillation_token");
    SmallVector<Value> parts;
    for (const std::string &name : names) {
      Value row = reshapedWeight(b, prefix + "embeddings." + name, {1, 1, width}, {1, width});
      parts.push_back(repeatRows(b, row, b.extent(h, 0)));
    }
    parts.push_back(h);
    int64_t length = image.patches() + numTokens();
    Value positions =
        reshapedWeight(b, prefix + "embeddings.position_embeddings", {1, length, width}, {length, width});
    h = addRows(b, concat(b, parts, 1), positions);
    h = b.blocks("block", layers, h, Value(), nullptr,
                 [&](Value x, Value, Cache *, ValueRange) { return block(x); });
    return b.layerNorm(prefix + "layernorm", h, epsilon);
  }

  Value block(Value h) {
    std::string layer = prefix + "encoder.layer.{}.";
    LinearOptions qkv;
    qkv.bias = hasBias;
    AttentionOptions options;
    options.heads = heads;
    options.scale = 1 / std::sqrt(double(width / heads));
    Value x = b.layerNorm(layer + "layernorm_before", h, epsilon);
    x = b.attention(b.linear(layer + "attention.attention.query", x, width, qkv),
                    b.linear(layer + "attention.attention.key", x, width, qkv),
                    b.linear(layer + "attention.attention.value", x, width, qkv), options);
    h = b.add(h, b.linear(layer + "attention.output.dense", x, width));
    x = b.layerNorm(layer + "layernorm_after", h, epsilon);
    x = b.activation(activation, b.linear(layer + "intermediate.dense", x, inner));
    return b.add(h, b.linear(layer + "output.dense", x, width));
  }

  ModelBuilder &b;
  const std::string prefix;
  const bool isDistilled;
  const ImageSizes image;
  int64_t width, heads, layers, inner;
  mlir::sesame::Activation activation;
  double epsilon;
  bool hasBias;
};

Vit makeVit(ModelBuilder &b) { return Vit(b, "vit.", /*isDistilled=*/false); }
Vit makeDeit(ModelBuilder &b) { return Vit(b, "deit.", /*isDistilled=*/true); }

} // namespace

const Family &vitFamily() {
  static const Family family = {
      "vit",
      "vit.",
      {
          {"ViTModel", "image-feature-extraction", [](ModelBuilder &b) { makeVit(b).baseModel(); }},
          {"ViTForImageClassification", "image-classification",
           [](ModelBuilder &b) { makeVit(b).imageClassification(); }},
          {"ViTForMaskedImageModeling", "masked-image-modeling",
           [](ModelBuilder &b) { makeVit(b).maskedImageModeling(); }},
      },
      [](const WeightSource &weights) {
        return weights.has("classifier.weight")  ? "ViTForImageClassification"
               : weights.has("decoder.0.weight") ? "ViTForMaskedImageModeling"
                                                 : "ViTModel";
      },
      {},
  };
  return family;
}

const Family &deitFamily() {
  static const Family family = {
      "deit",
      "deit.",
      {
          {"DeiTModel", "image-feature-extraction", [](ModelBuilder &b) { makeDeit(b).baseModel(); }},
          {"DeiTForImageClassification", "image-classification",
           [](ModelBuilder &b) { makeDeit(b).imageClassification(); }},
          {"DeiTForImageClassificationWithTeacher", "image-classification",
           [](ModelBuilder &b) { makeDeit(b).distilledClassification(); }},
          {"DeiTForMaskedImageModeling", "masked-image-modeling",
           [](ModelBuilder &b) { makeDeit(b).maskedImageModeling(); }},
      },
      [](const WeightSource &weights) {
        return weights.has("distillation_classifier.weight") ? "DeiTForImageClassificationWithTeacher"
               : weights.has("classifier.weight")            ? "DeiTForImageClassification"
               : weights.has("decoder.0.weight")             ? "DeiTForMaskedImageModeling"
                                                             : "DeiTModel";
      },
      {},
  };
  return family;
}

} // namespace sesame::importer
