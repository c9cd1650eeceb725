//===- FNet.cpp - FNet ----------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lee-Thorp et al. 2022, eq. 3; transformers/models/fnet/modeling_fnet.py.
//
//===----------------------------------------------------------------------===//

#include "../Registry.h"
#include "../TensorOps.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

class FNet {
public:
  explicit FNet(ModelBuilder &b) : b(b) {
    b.builder.getContext()->loadDialect<math::MathDialect>();
    const Config &c = b.config;
    width = c.extent("hidden_size", 768);
    layers = c.layers("num_hidden_layers", 12);
    inner = c.extent("intermediate_size", 3072);
    vocab = c.extent("vocab_size", 32000);
    maxLength = c.extent("max_position_embeddings", 512);
    types = c.extent("type_vocab_size", 4);
    activation = c.activation("hidden_act", "gelu_new");
    epsilon = c.epsilon("layer_norm_eps", 1e-12);
    tied = c.flag("tie_word_embeddings", true);
    b.info.vocabSize = vocab;
    b.info.hiddenSize = width;
    b.info.numLayers = layers;
    b.info.maxLength = maxLength;
  }

  void baseModel() {
    Value h = beginForward();
    b.output("last_hidden_state", h, {"B", "S", std::to_string(width)});
    if (b.weights.has("fnet.pooler.dense.weight"))
      b.output("pooler_output", pooled(h), {"B", std::to_string(width)});
    b.endEntry();
  }

  void maskedLM() {
    Value h = beginForward();
    b.output("logits", predictions(h), {"B", "S", std::to_string(vocab)});
    b.endEntry();
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
    questionAnsweringOutputs(b, "qa_outputs", beginForward());
    b.endEntry();
  }

  /// N choices a row, each a sequence of its own.
  void multipleChoice() {
    Inputs in = beginInputs({"B", "N", "S"});
    Value h = body({b.mergeLeading(in.ids), b.mergeLeading(in.types), b.mergeLeading(in.positions)});
    Value scores = b.linear("classifier", pooled(h), 1); // [B * N, 1]
    b.output("logits", b.dropLastAxis(b.splitLeading(scores, in.ids)), {"B", "N"});
    b.endEntry();
  }

private:
  struct Inputs {
    Value ids, types, positions;
  };

  Inputs beginInputs(const ModelBuilder::Dims &dims) {
    b.beginEntry("forward", {{"S", maxLength}});
    Inputs in;
    in.ids = b.idInput("input_ids", dims, vocab);
    in.types = b.idInput("token_type_ids", dims, types, "zeros");
    in.positions = b.idInput("position_ids", dims, maxLength, "arange");
    return in;
  }

  /// Opens `forward` and returns the last hidden states [B, S, C]. Mixing has no mask: padding takes part.
  Value beginForward() { return body(beginInputs({"B", "S"})); }

  NamePattern layer(const char *part) { return std::string("fnet.encoder.layer.{}.") + part; }

  Value body(const Inputs &in) {
    Value table = b.inputTable("fnet.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight",
                               {vocab, width}, tied);
    Value h = b.embedding(
        {{in.ids, table},
         {in.types, b.weight("fnet.embeddings.token_type_embeddings.weight", {types, width})},
         {in.positions, b.weight("fnet.embeddings.position_embeddings.weight", {maxLength, width})}});
    h = b.linear("fnet.embeddings.projection", b.layerNorm("fnet.embeddings.LayerNorm", h, epsilon), width);
    OpFoldResult length = b.extent(h, 1), channels = b.builder.getIndexAttr(width);
    SmallVector<Value> transforms = {waves<math::CosOp>(length), waves<math::SinOp>(length),
                                     waves<math::CosOp>(channels), waves<math::SinOp>(channels)};
    return b.blocks(
        "block", layers, h, Value(), nullptr,
        [&](Value x, Value, Cache *, ValueRange shared) { return block(x, shared); }, transforms);
  }

  /// The real or negated imaginary part of the Fourier matrix, [N, N]: cos or sin of 2 pi i j / N. The
  /// product i j is reduced first, which keeps the angle exact to f32.
  template <typename Wave> Value waves(OpFoldResult extent) {
    Value count = isa<Value>(extent) ? cast<Value>(extent)
                                     : b.constant(cast<IntegerAttr>(cast<Attribute>(extent)).getInt());
    return generate(b, {extent, extent}, b.builder.getF32Type(), [&](Scalars s, ValueRange at) -> Value {
      Value turns = s.divide(s.toF32(s.remainder(s.multiply(at[0], at[1]), count)), s.toF32(count));
      return Wave::create(s.builder, s.loc, s.multiply(turns, s.constantF32(2 * M_PI)));
    });
  }

  Value block(Value h, ValueRange transforms) {
    // The real part of the transform over both axes: cos x cos - sin x sin.
    Value even = einsum(b, "btc,st->bsc", einsum(b, "btd,dc->btc", h, transforms[2]), transforms[0]);
    Value odd = einsum(b, "btc,st->bsc", einsum(b, "btd,dc->btc", h, transforms[3]), transforms[1]);
    Value mixed = mapOver(b, "bsc,bsc->bsc", {even, odd}, b.builder.getF32Type(),
                          [](Scalars s, ValueRange values) { return s.subtract(values[0], values[1]); });
    h = b.layerNorm(layer("fourier.output.LayerNorm"), b.add(h, mixed), epsilon);
    Value x = b.activation(activation, b.linear(layer("intermediate.dense"), h, inner));
    return b.layerNorm(layer("output.LayerNorm"), b.add(b.linear(layer("output.dense"), x, width), h),
                       epsilon);
  }

  Value pooled(Value h) {
    Value first = b.select(h, 1, b.builder.getIndexAttr(0)); // [B, C]
    return b.activation(mlir::sesame::Activation::tanh, b.linear("fnet.pooler.dense", first, width));
  }

  Value predictions(Value h) {
    return bertPredictions(b, h, "fnet.embeddings.word_embeddings.weight", vocab, activation, epsilon, tied);
  }

  ModelBuilder &b;
  int64_t width, layers, inner, vocab, maxLength, types;
  mlir::sesame::Activation activation;
  double epsilon;
  bool tied;
};

} // namespace

const Family &fnetFamily() {
  static const Family family = {
      "fnet",
      "fnet.",
      {
          {"FNetModel", "feature-extraction", [](ModelBuilder &b) { FNet(b).baseModel(); }},
          {"FNetForMaskedLM", "fill-mask", [](ModelBuilder &b) { FNet(b).maskedLM(); }},
          {"FNetForNextSentencePrediction", "next-sentence-prediction",
           [](ModelBuilder &b) { FNet(b).nextSentencePrediction(); }},
          {"FNetForPreTraining", "fill-mask", [](ModelBuilder &b) { FNet(b).preTraining(); }},
          {"FNetForSequenceClassification", "text-classification",
           [](ModelBuilder &b) { FNet(b).sequenceClassification(); }},
          {"FNetForMultipleChoice", "multiple-choice", [](ModelBuilder &b) { FNet(b).multipleChoice(); }},
          {"FNetForQuestionAnswering", "question-answering",
           [](ModelBuilder &b) { FNet(b).questionAnswering(); }},
          {"FNetForTokenClassification", "token-classification",
           [](ModelBuilder &b) { FNet(b).tokenClassification(); }},
      },
      [](const WeightSource &weights) {
        bool hasNext = weights.has("cls.seq_relationship.weight");
        return weights.has("cls.predictions.transform.dense.weight")
                   ? (hasNext ? "FNetForPreTraining" : "FNetForMaskedLM")
               : hasNext                                 ? "FNetForNextSentencePrediction"
               : weights.has("qa_outputs.weight")        ? "FNetForQuestionAnswering"
               : !weights.has("classifier.weight")       ? "FNetModel"
               : weights.has("fnet.pooler.dense.weight") ? "FNetForSequenceClassification"
                                                         : "FNetForTokenClassification";
      },
      {"position_ids", "embeddings.token_type_ids"},
  };
  return family;
}

} // namespace sesame::importer
