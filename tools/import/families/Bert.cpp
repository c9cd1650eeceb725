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

#include "../Encoder.h"

using namespace mlir;

namespace sesame::importer {

namespace {

class Bert : public Encoder {
public:
  explicit Bert(ModelBuilder &b)
      : Encoder(b, "bert.", EncoderSizes::read(b.config, {}, /*mayDecode=*/true),
                BlockNames::bert("bert.encoder.layer.{}.")) {
    b.config.refuseFlag("add_cross_attention", "cross attention is supported in encoder-decoder models only");
    causal = b.config.flag("is_decoder", false);
    decoderName = "cls.predictions.decoder";
  }

  void causalLM() {
    if (!causal)
      return maskedLM();
    auto body = [&](Value ids, Value mask, Value positions, Cache *cache) {
      Inputs in;
      in.ids = ids;
      in.mask = mask;
      in.types = b.constantIds(2, 0);
      in.positions = positions;
      return run(in, cache);
    };
    auto head = [&](Value hidden) { return predictions(hidden); };
    b.causalEntries(
        {sizes.vocab, sizes.maxLength, sizes.layers, sizes.heads, sizes.width / sizes.heads, body, head});
  }

  void nextSentencePrediction() {
    Value h = beginForward();
    b.output("logits", b.linear("cls.seq_relationship", pooled(h), 2), {"B", "2"});
    b.endEntry();
  }

  void preTraining() {
    Value h = beginForward();
    b.output("prediction_logits", predictions(h), {"B", "S", std::to_string(sizes.vocab)});
    b.output("seq_relationship_logits", b.linear("cls.seq_relationship", pooled(h), 2), {"B", "2"});
    b.endEntry();
  }

private:
  Value predictions(Value h) override {
    return predictionsBy({"cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm",
                          decoderName, "cls.predictions.bias", sizes.activation},
                         h);
  }
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
