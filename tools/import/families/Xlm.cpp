//===- Xlm.cpp - XLM and FlauBERT -----------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lample and Conneau 2019, Le et al. 2020; transformers/models/xlm/modeling_xlm.py and
// flaubert/modeling_flaubert.py. Hidden states of padding are zeroed after every layer.
//
//===----------------------------------------------------------------------===//

#include "../Registry.h"
#include "../TensorOps.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

class Xlm {
public:
  explicit Xlm(ModelBuilder &b) : b(b) {
    const Config &c = b.config;
    width = c.extent("emb_dim", 2048);
    heads = c.divisor("n_heads", "emb_dim", width, 16);
    layers = c.layers("n_layers", 12);
    vocab = c.extent("vocab_size", c.extent("n_words", 30145));
    maxLength = c.extent("max_position_embeddings", 512);
    languages = c.extent("n_langs", 1);
    if (!c.flag("use_lang_emb", true))
      languages = 1;
    activation =
        c.flag("gelu_activation", true) ? mlir::sesame::Activation::gelu : mlir::sesame::Activation::relu;
    epsilon = c.epsilon("layer_norm_eps", 1e-12);
    causal = c.flag("causal", false);
    preNorm = c.flag("pre_norm", false);
    tied = c.flag("tie_word_embeddings", true);
    c.refuseFlag("asm", "the adaptive softmax is not supported");
    if (!c.flag("is_encoder", true))
      c.fail("is_encoder", "decoders are not supported");
    b.info.vocabSize = vocab;
    b.info.hiddenSize = width;
    b.info.numLayers = layers;
    b.info.maxLength = maxLength;
  }

  void baseModel() {
    Value h = beginForward();
    b.output("last_hidden_state", h, {"B", "S", std::to_string(width)});
    b.endEntry();
  }

  void languageModel() {
    Value h = beginForward();
    Value table =
        b.headWeight("pred_layer.proj.weight", "transformer.embeddings.weight", {vocab, width}, tied);
    b.output("logits", b.linearBy(table, b.weight("pred_layer.proj.bias", {vocab}), h),
             {"B", "S", std::to_string(vocab)});
    b.endEntry();
  }

  void sequenceClassification() {
    int64_t labels = b.config.numLabels();
    Value h = beginForward();
    Value logits = sequenceSummary(b, "sequence_summary", h, labels, "first");
    b.output("logits", logits,
             {"B", std::to_string(cast<RankedTensorType>(logits.getType()).getShape().back())});
    b.endEntry();
  }

  void tokenClassification() {
    int64_t labels = b.config.numLabels();
    Value h = beginForward();
    b.output("logits", b.linear("classifier", h, labels), {"B", "S", std::to_string(labels)});
    b.endEntry();
  }

  void questionAnswering() {
    questionAnsweringOutputs(b, "qa_outputs", beginForward());
    b.endEntry();
  }

  /// N choices a row, each a sequence of its own.
  void multipleChoice() {
    Inputs in = beginInputs({"B", "N", "S"});
    Value ids = in.ids;
    for (Value *input : {&in.ids, &in.mask, &in.positions, &in.languages})
      if (*input)
        *input = b.mergeLeading(*input);
    Value summary = sequenceSummary(b, "sequence_summary", body(in), b.config.numLabels(), "first");
    Value scores = b.linear("logits_proj", summary, 1); // [B * N, 1]
    b.output("logits", b.dropLastAxis(b.splitLeading(scores, ids)), {"B", "N"});
    b.endEntry();
  }

private:
  struct Inputs {
    Value ids, mask, positions;
    Value languages; // null for a model of one language
  };

  Inputs beginInputs(const ModelBuilder::Dims &dims) {
    b.beginEntry("forward", {{"S", maxLength}});
    Inputs in;
    in.ids = b.idInput("input_ids", dims, vocab);
    in.mask = b.maskInput(dims);
    if (languages > 1)
      in.languages = b.idInput("langs", dims, languages);
    in.positions = b.idInput("position_ids", dims, maxLength, "arange");
    return in;
  }

  /// Opens `forward` and returns the last hidden states [B, S, C].
  Value beginForward() { return body(beginInputs({"B", "S"})); }

  Value body(const Inputs &in) {
    Value table =
        b.inputTable("transformer.embeddings.weight", "pred_layer.proj.weight", {vocab, width}, tied);
    SmallVector<std::pair<Value, Value>> parts = {
        {in.ids, table},
        {in.positions, b.weight("transformer.position_embeddings.weight", {maxLength, width})}};
    if (in.languages)
      parts.push_back({in.languages, b.weight("transformer.lang_embeddings.weight", {languages, width})});
    Value h = b.layerNorm("transformer.layer_norm_emb", b.embedding(parts), epsilon);
    return b.blocks("block", layers, zeroMasked(b, h, in.mask), in.mask, nullptr,
                    [&](Value x, Value mask, Cache *, ValueRange) { return block(x, mask); });
  }

  Value block(Value h, Value mask) {
    Value x = preNorm ? b.layerNorm("transformer.layer_norm1.{}", h, epsilon) : h;
    AttentionOptions options;
    options.heads = heads;
    options.scale = 1 / std::sqrt(double(width / heads));
    // A causal model's attention sees padding, whose states are zeros.
    options.causal = causal;
    options.mask = causal ? Value() : mask;
    x = b.attention(b.linear("transformer.attentions.{}.q_lin", x, width),
                    b.linear("transformer.attentions.{}.k_lin", x, width),
                    b.linear("transformer.attentions.{}.v_lin", x, width), options);
    h = b.add(h, b.linear("transformer.attentions.{}.out_lin", x, width));
    if (!preNorm)
      h = b.layerNorm("transformer.layer_norm1.{}", h, epsilon);
    x = preNorm ? b.layerNorm("transformer.layer_norm2.{}", h, epsilon) : h;
    x = b.activation(activation, b.linear("transformer.ffns.{}.lin1", x, 4 * width));
    h = b.add(h, b.linear("transformer.ffns.{}.lin2", x, width));
    if (!preNorm)
      h = b.layerNorm("transformer.layer_norm2.{}", h, epsilon);
    return zeroMasked(b, h, mask);
  }

  ModelBuilder &b;
  int64_t width, heads, layers, vocab, maxLength, languages;
  mlir::sesame::Activation activation;
  double epsilon;
  bool causal, preNorm, tied;
};

/// Which of a family's classes the tensors belong to: the order is base model, language model, sequence and
/// token classification, question answering, multiple choice.
int inferClass(const WeightSource &weights) {
  if (weights.has("pred_layer.proj.bias"))
    return 1;
  if (weights.has("logits_proj.weight"))
    return 5;
  if (weights.has("sequence_summary.summary.weight"))
    return 2;
  if (weights.has("classifier.weight"))
    return 3;
  return weights.has("qa_outputs.weight") ? 4 : 0;
}

const std::vector<const char *> ignored = {"position_ids"};

} // namespace

const Family &xlmFamily() {
  static const Family family = {
      "xlm",
      "transformer.",
      {
          {"XLMModel", "feature-extraction", [](ModelBuilder &b) { Xlm(b).baseModel(); }},
          {"XLMWithLMHeadModel", "fill-mask", [](ModelBuilder &b) { Xlm(b).languageModel(); }},
          {"XLMForSequenceClassification", "text-classification",
           [](ModelBuilder &b) { Xlm(b).sequenceClassification(); }},
          {"XLMForTokenClassification", "token-classification",
           [](ModelBuilder &b) { Xlm(b).tokenClassification(); }},
          {"XLMForQuestionAnsweringSimple", "question-answering",
           [](ModelBuilder &b) { Xlm(b).questionAnswering(); }},
          {"XLMForMultipleChoice", "multiple-choice", [](ModelBuilder &b) { Xlm(b).multipleChoice(); }},
      },
      [](const WeightSource &weights) { return xlmFamily().architectures[inferClass(weights)].name; },
      ignored,
  };
  return family;
}

const Family &flaubertFamily() {
  static const Family family = {
      "flaubert",
      "transformer.",
      {
          {"FlaubertModel", "feature-extraction", [](ModelBuilder &b) { Xlm(b).baseModel(); }},
          {"FlaubertWithLMHeadModel", "fill-mask", [](ModelBuilder &b) { Xlm(b).languageModel(); }},
          {"FlaubertForSequenceClassification", "text-classification",
           [](ModelBuilder &b) { Xlm(b).sequenceClassification(); }},
          {"FlaubertForTokenClassification", "token-classification",
           [](ModelBuilder &b) { Xlm(b).tokenClassification(); }},
          {"FlaubertForQuestionAnsweringSimple", "question-answering",
           [](ModelBuilder &b) { Xlm(b).questionAnswering(); }},
          {"FlaubertForMultipleChoice", "multiple-choice", [](ModelBuilder &b) { Xlm(b).multipleChoice(); }},
      },
      [](const WeightSource &weights) { return flaubertFamily().architectures[inferClass(weights)].name; },
      ignored,
  };
  return family;
}

} // namespace sesame::importer
