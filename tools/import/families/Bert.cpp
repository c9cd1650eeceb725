//===- Bert.cpp - BERT ----------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Devlin et al. 2019; transformers/models/bert/modeling_bert.py. Relative positions: Shaw et al. 2018, Huang
// et al. 2020.
//
//===----------------------------------------------------------------------===//

#include "../Registry.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

class Bert {
public:
  explicit Bert(ModelBuilder &b) : b(b) {
    const Config &c = b.config;
    width = c.extent("hidden_size", 768);
    heads = c.divisor("num_attention_heads", "hidden_size", width, 12);
    layers = c.layers("num_hidden_layers", 12);
    inner = c.extent("intermediate_size", 3072);
    vocab = c.extent("vocab_size", 30522);
    maxLength = c.extent("max_position_embeddings", 512);
    types = c.extent("type_vocab_size", 2);
    activation = c.activation("hidden_act", "gelu");
    epsilon = c.epsilon("layer_norm_eps", 1e-12);
    isDecoder = c.flag("is_decoder", false);
    tied = c.flag("tie_word_embeddings", true);
    scale = 1 / std::sqrt(double(width / heads));
    positionKind =
        c.choice("position_embedding_type", {"absolute", "relative_key", "relative_key_query"}, "absolute");
    c.refuseFlag("add_cross_attention", "cross attention is supported in encoder-decoder models only");
    b.info.vocabSize = vocab;
    b.info.hiddenSize = width;
    b.info.numLayers = layers;
    b.info.maxLength = maxLength;
  }

  void baseModel() {
    Value h = beginForward();
    b.output("last_hidden_state", h, {"B", "S", std::to_string(width)});
    // A checkpoint of BertForMaskedLM has no pooler, and its base model has no use for one made up.
    if (b.weights.has("bert.pooler.dense.weight"))
      b.output("pooler_output", pooled(h), {"B", std::to_string(width)});
    b.endEntry();
  }

  void maskedLM() {
    Value h = beginForward();
    b.output("logits", predictions(h), {"B", "S", std::to_string(vocab)});
    b.endEntry();
  }

  void causalLM() {
    if (!isDecoder)
      return maskedLM();
    auto run = [&](Value ids, Value mask, Value positions, Cache *cache) {
      return body(ids, mask, b.constantIds(2, 0), positions, cache);
    };
    auto head = [&](Value hidden) { return predictions(hidden); };
    b.causalEntries({vocab, maxLength, layers, heads, width / heads, run, head});
  }

  void nextSentencePrediction() {
    Value h = beginForward();
    b.output("logits", b.linear("cls.seq_relationship", pooled(h), 2), {"B", "2"});
    b.endEntry();
  }

  void preTraining() {
    Value h = beginForward();
    b.output("prediction_logits", predictions(h), {"B", "S", std::to_string(vocab)});
    b.output("seq_relationship_logits", b.linear("cls.seq_relationship", pooled(h), 2), {"B", "2"});
    b.endEntry();
  }

  void sequenceClassification() {
    int64_t labels = b.config.numLabels();
    Value h = beginForward();
    b.output("logits", b.linear("classifier", pooled(h), labels), {"B", std::to_string(labels)});
    b.endEntry();
  }

  void tokenClassification() {
    int64_t labels = b.config.numLabels();
    Value h = beginForward();
    b.output("logits", b.linear("classifier", h, labels), {"B", "S", std::to_string(labels)});
    b.endEntry();
  }

  void questionAnswering() {
    Value h = beginForward();
    Value scores = b.linear("qa_outputs", h, 2); // [B, S, 2]
    b.output("start_logits", b.select(scores, 2, b.builder.getIndexAttr(0)), {"B", "S"});
    b.output("end_logits", b.select(scores, 2, b.builder.getIndexAttr(1)), {"B", "S"});
    b.endEntry();
  }

  /// N choices a row, each a sequence of its own.
  void multipleChoice() {
    Inputs in = beginInputs({"B", "N", "S"});
    Value h = body(b.mergeLeading(in.ids), b.mergeLeading(in.mask), b.mergeLeading(in.types),
                   b.mergeLeading(in.positions));
    Value scores = b.linear("classifier", pooled(h), 1); // [B * N, 1]
    b.output("logits", b.dropLastAxis(b.splitLeading(scores, in.ids)), {"B", "N"});
    b.endEntry();
  }

private:
  struct Inputs {
    Value ids, mask, types, positions;
  };

  Inputs beginInputs(const ModelBuilder::Dims &dims) {
    b.beginEntry("forward", {{"S", maxLength}});
    Inputs in;
    in.ids = b.idInput("input_ids", dims, vocab);
    in.mask = b.maskInput(dims);
    in.types = b.idInput("token_type_ids", dims, types, "zeros");
    in.positions = b.idInput("position_ids", dims, maxLength, "arange");
    return in;
  }

  /// Opens `forward` and returns the last hidden states [B, S, C].
  Value beginForward() {
    Inputs in = beginInputs({"B", "S"});
    return body(in.ids, in.mask, in.types, in.positions);
  }

  NamePattern layer(const char *part) { return std::string("bert.encoder.layer.{}.") + part; }

  Value wordTable() {
    return b.weight("bert.embeddings.word_embeddings.weight", {vocab, width},
                    tied ? std::vector<NamePattern>{"cls.predictions.decoder.weight"}
                         : std::vector<NamePattern>());
  }

  Value body(Value ids, Value mask, Value typeIds, Value positions, Cache *cache = nullptr) {
    SmallVector<std::pair<Value, Value>> parts = {
        {ids, wordTable()},
        {typeIds, b.weight("bert.embeddings.token_type_embeddings.weight", {types, width})}};
    SmallVector<Value> shared;
    if (positionKind == "absolute")
      parts.push_back(
          {positions, b.weight("bert.embeddings.position_embeddings.weight", {maxLength, width})});
    else {
      b.weights.ignore("bert.embeddings.position_embeddings.weight");
      shared.push_back(b.distances(b.extent(ids, 1), b.extent(mask, 1), maxLength - 1));
    }
    Value h = b.layerNorm("bert.embeddings.LayerNorm", b.embedding(parts), epsilon);
    return b.blocks(
        "block", layers, h, mask, cache,
        [&](Value x, Value mask, Cache *cache, ValueRange shared) { return block(x, mask, cache, shared); },
        shared);
  }

  Value block(Value h, Value mask, Cache *cache, ValueRange shared) {
    Value q = b.splitHeads(b.linear(layer("attention.self.query"), h, width), heads);
    Value k = b.splitHeads(b.linear(layer("attention.self.key"), h, width), heads);
    Value v = b.splitHeads(b.linear(layer("attention.self.value"), h, width), heads);
    AttentionOptions options;
    options.heads = heads;
    options.scale = scale;
    options.causal = isDecoder;
    options.mask = mask;
    if (cache)
      b.appendToCache(*cache, k, v);
    if (!shared.empty())
      options.bias = relativeBias(q, k, shared.front());
    Value x = b.mergeHeads(b.attendHeads(q, k, v, options));
    x = b.linear(layer("attention.output.dense"), x, width);
    h = b.layerNorm(layer("attention.output.LayerNorm"), b.add(x, h), epsilon);
    x = b.activation(activation, b.linear(layer("intermediate.dense"), h, inner));
    x = b.linear(layer("output.dense"), x, width);
    return b.layerNorm(layer("output.LayerNorm"), b.add(x, h), epsilon);
  }

  /// What the learned embedding of each distance adds to the scaled scores: [B, H, S, T].
  Value relativeBias(Value q, Value k, Value distances) {
    Value table =
        b.weight(layer("attention.self.distance_embedding.weight"), {2 * maxLength - 1, width / heads});
    Value relative = b.embedding({{distances, table}}); // [S, T, D]
    Value bias = b.relativeScores(q, relative, /*ofKeys=*/false);
    if (positionKind == "relative_key_query")
      bias = b.add(bias, b.relativeScores(k, relative, /*ofKeys=*/true));
    return b.scale(bias, scale);
  }

  Value pooled(Value h) {
    Value first = b.select(h, 1, b.builder.getIndexAttr(0)); // [B, C]
    return b.activation(mlir::sesame::Activation::tanh, b.linear("bert.pooler.dense", first, width));
  }

  Value predictions(Value h) {
    Value x = b.activation(activation, b.linear("cls.predictions.transform.dense", h, width));
    x = b.layerNorm("cls.predictions.transform.LayerNorm", x, epsilon);
    Value table = b.headWeight("cls.predictions.decoder.weight", "bert.embeddings.word_embeddings.weight",
                               {vocab, width}, tied);
    Value bias = b.weight("cls.predictions.bias", {vocab}, {"cls.predictions.decoder.bias"});
    b.weights.ignore("cls.predictions.decoder.bias");
    return b.linearBy(table, bias, x);
  }

  ModelBuilder &b;
  int64_t width, heads, layers, inner, vocab, maxLength, types;
  mlir::sesame::Activation activation;
  double epsilon, scale;
  bool isDecoder, tied;
  std::string positionKind;
};

const char *inferArchitecture(const WeightSource &weights) {
  bool hasPredictions = weights.has("cls.predictions.transform.dense.weight");
  if (hasPredictions)
    return weights.has("cls.seq_relationship.weight") ? "BertForPreTraining" : "BertForMaskedLM";
  if (weights.has("cls.seq_relationship.weight"))
    return "BertForNextSentencePrediction";
  if (weights.has("qa_outputs.weight"))
    return "BertForQuestionAnswering";
  if (weights.has("classifier.weight"))
    return weights.has("bert.pooler.dense.weight") ? "BertForSequenceClassification"
                                                   : "BertForTokenClassification";
  return "BertModel";
}

} // namespace

const Family &bertFamily() {
  static const Family family = {
      "bert",
      "bert.",
      {
          {"BertModel", "feature-extraction", [](ModelBuilder &b) { Bert(b).baseModel(); }},
          {"BertForMaskedLM", "fill-mask", [](ModelBuilder &b) { Bert(b).maskedLM(); }},
          {"BertForNextSentencePrediction", "next-sentence-prediction",
           [](ModelBuilder &b) { Bert(b).nextSentencePrediction(); }},
          {"BertForPreTraining", "fill-mask", [](ModelBuilder &b) { Bert(b).preTraining(); }},
          {"BertForSequenceClassification", "text-classification",
           [](ModelBuilder &b) { Bert(b).sequenceClassification(); }},
          {"BertForMultipleChoice", "multiple-choice", [](ModelBuilder &b) { Bert(b).multipleChoice(); }},
          {"BertForQuestionAnswering", "question-answering",
           [](ModelBuilder &b) { Bert(b).questionAnswering(); }},
          {"BertForTokenClassification", "token-classification",
           [](ModelBuilder &b) { Bert(b).tokenClassification(); }},
          {"BertLMHeadModel", "text-generation", [](ModelBuilder &b) { Bert(b).causalLM(); }},
      },
      inferArchitecture,
      {"embeddings.position_ids", "embeddings.token_type_ids"},
  };
  return family;
}

} // namespace sesame::importer
