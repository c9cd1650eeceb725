//===- Lxmert.cpp - LXMERT ----------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tan and Bansal 2019; transformers/models/lxmert/modeling_lxmert.py. BERT's blocks over a text and over the
// regions of an image, then blocks in which each of the two attends to the other.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"

using namespace mlir;

namespace sesame::importer {

namespace {

class Lxmert : public Encoder {
public:
  explicit Lxmert(ModelBuilder &b)
      : Encoder(b, "lxmert.", readSizes(b.config), BlockNames::bert("lxmert.encoder.layer.{}.")) {
    const Config &c = b.config;
    visualLayers = c.layers("r_layers", 5);
    crossLayers = c.layers("x_layers", 5);
    featureWidth = c.extent("visual_feat_dim", 2048);
    placeWidth = c.extent("visual_pos_dim", 4);
  }

  void model() {
    auto [text, image] = beginForward();
    std::string width = std::to_string(sizes.width);
    b.output("language_output", text, {"B", "S", width});
    b.output("vision_output", image, {"B", "R", width});
    b.output("pooled_output", pooled(text), {"B", width});
    b.endEntry();
  }

  void questionAnswering() {
    outputAnswers(pooled(beginForward().first));
    b.endEntry();
  }

  /// Words, whether text and image belong together, and the answer to a question. What is predicted of the
  /// regions is for the training alone: transformers' class does not return it.
  void preTraining() {
    const Config &c = b.config;
    Value text = beginForward().first, whole = pooled(text);
    b.output("prediction_logits", predictions(text), {"B", "S", std::to_string(sizes.vocab)});
    b.output("cross_relationship_score", b.linear("cls.seq_relationship", whole, 2), {"B", "2"});
    if (c.flag("task_qa", true))
      outputAnswers(whole);
    b.endEntry();
    for (const char *part : {"transform.dense", "transform.LayerNorm", "decoder_dict.obj",
                             "decoder_dict.attr", "decoder_dict.feat"})
      for (const char *parameter : {".weight", ".bias"})
        b.weights.ignore(std::string("obj_predict_head.") + part + parameter);
  }

private:
  void outputAnswers(Value whole) {
    int64_t labels = b.config.extent("num_qa_labels", 9500);
    Value x = b.activation(mlir::sesame::Activation::gelu,
                           b.linear("answer_head.logit_fc.0", whole, 2 * sizes.width));
    x = b.layerNorm("answer_head.logit_fc.2", x, sizes.epsilon);
    b.output("question_answering_score", b.linear("answer_head.logit_fc.3", x, labels),
             {"B", std::to_string(labels)});
  }

  /// Opens `forward` -> the states of text [B, S, C] and image [B, R, C].
  std::pair<Value, Value> beginForward() {
    b.beginEntry("forward", {{"S", sizes.maxLength}});
    Type f32 = b.builder.getF32Type();
    Inputs in;
    in.ids = b.idInput("input_ids", {"B", "S"}, sizes.vocab);
    Value features = b.input("visual_feats", {"B", "R", std::to_string(featureWidth)}, f32),
          places = b.input("visual_pos", {"B", "R", std::to_string(placeWidth)}, f32);
    in.mask = b.maskInput();
    Value regions = b.maskInput({"B", "R"}, "visual_attention_mask");
    in.types = b.idInput("token_type_ids", {"B", "S"}, sizes.types, "zeros");
    in.positions = b.idInput("position_ids", {"B", "S"}, sizes.maxLength, "arange");

    Value text = run(in), image = visualEmbedding(features, places);
    names = BlockNames::bert("lxmert.encoder.r_layers.{}.");
    image = b.blocks(
        "visual_block", visualLayers, image, regions, nullptr,
        [&](Value x, Value mask, Cache *cache, ValueRange shared) { return block(x, mask, cache, shared); });
    SmallVector<Value> both = b.layers("cross_block", crossLayers, {text, image}, {in.mask, regions},
                                       [&](ValueRange inside, ValueRange masks) {
                                         return crossBlock(inside[0], inside[1], masks[0], masks[1]);
                                       });
    return {both[0], both[1]};
  }

  static EncoderSizes readSizes(const Config &c) {
    EncoderSizes sizes;
    sizes.width = c.extent("hidden_size", 768);
    sizes.heads = c.divisor("num_attention_heads", "hidden_size", sizes.width, 12);
    sizes.layers = c.layers("l_layers", 9);
    sizes.inner = c.extent("intermediate_size", 3072);
    sizes.vocab = c.extent("vocab_size", 30522);
    sizes.maxLength = c.extent("max_position_embeddings", 512);
    sizes.types = c.extent("type_vocab_size", 2);
    sizes.embeddingWidth = sizes.width;
    sizes.activation = c.activation("hidden_act", "gelu");
    // transformers fixes it for this family.
    sizes.epsilon = 1e-12;
    sizes.tied = c.flag("tie_word_embeddings", true);
    return sizes;
  }

  /// The mean of what a region looks like and where it is: [B, R, C].
  Value visualEmbedding(Value features, Value places) {
    std::string part = "lxmert.encoder.visn_fc.";
    Value x = b.layerNorm(part + "visn_layer_norm", b.linear(part + "visn_fc", features, sizes.width),
                          sizes.epsilon);
    Value y =
        b.layerNorm(part + "box_layer_norm", b.linear(part + "box_fc", places, sizes.width), sizes.epsilon);
    return b.scale(b.add(x, y), 0.5);
  }

  /// Attention of x to y, with the residual sum and the norm.
  Value attend(const std::string &attention, const std::string &output, Value x, Value y, Value mask) {
    std::string layer = "lxmert.encoder.x_layers.{}.";
    AttentionOptions options;
    options.heads = sizes.heads;
    options.scale = 1 / std::sqrt(double(sizes.width / sizes.heads));
    options.mask = mask;
    Value z = b.attention(b.linear(layer + attention + ".query", x, sizes.width),
                          b.linear(layer + attention + ".key", y, sizes.width),
                          b.linear(layer + attention + ".value", y, sizes.width), options);
    z = b.linear(layer + output + ".dense", z, sizes.width);
    return b.layerNorm(layer + output + ".LayerNorm", b.add(z, x), sizes.epsilon);
  }

  Value feedForward(const std::string &modality, Value x) {
    std::string part = "lxmert.encoder.x_layers.{}." + modality;
    Value y = b.activation(sizes.activation, b.linear(part + "_inter.dense", x, sizes.inner));
    y = b.linear(part + "_output.dense", y, sizes.width);
    return b.layerNorm(part + "_output.LayerNorm", b.add(y, x), sizes.epsilon);
  }

  /// Both directions of the cross attention have the same weights and see what came in.
  SmallVector<Value> crossBlock(Value text, Value image, Value words, Value regions) {
    Value x = attend("visual_attention.att", "visual_attention.output", text, image, regions),
          y = attend("visual_attention.att", "visual_attention.output", image, text, words);
    x = attend("lang_self_att.self", "lang_self_att.output", x, x, words);
    y = attend("visn_self_att.self", "visn_self_att.output", y, y, regions);
    return {feedForward("lang", x), feedForward("visn", y)};
  }

  int64_t visualLayers, crossLayers, featureWidth, placeWidth;
};

} // namespace

const Family &lxmertFamily() {
  static const Family family = {
      "lxmert",
      "lxmert.",
      {
          {"LxmertModel", "feature-extraction", [](ModelBuilder &b) { Lxmert(b).model(); }},
          {"LxmertForQuestionAnswering", "visual-question-answering",
           [](ModelBuilder &b) { Lxmert(b).questionAnswering(); }},
          {"LxmertForPreTraining", "fill-mask", [](ModelBuilder &b) { Lxmert(b).preTraining(); }},
      },
      [](const WeightSource &weights) {
        return classByHead(weights,
                           {{"cls.predictions.transform.dense.weight", "LxmertForPreTraining"},
                            {"answer_head.logit_fc.0.weight", "LxmertForQuestionAnswering"}},
                           "LxmertModel");
      },
      {"embeddings.position_ids"},
  };
  return family;
}

} // namespace sesame::importer
