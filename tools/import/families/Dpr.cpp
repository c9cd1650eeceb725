//===- Dpr.cpp - DPR ----------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Karpukhin et al. 2020; transformers/models/dpr/modeling_dpr.py. BERT without its pooler, under the names of
// three roles.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"

using namespace mlir;

namespace sesame::importer {

namespace {

class Dpr : public Encoder {
public:
  Dpr(ModelBuilder &b, const std::string &role)
      : Encoder(b, role + ".bert_model.", EncoderSizes::read(b.config),
                BlockNames::bert(role + ".bert_model.encoder.layer.{}.")),
        role(role) {}

  /// The vector of a passage or a question.
  void encoder() {
    int64_t projected = b.config.integer("projection_dim", 0, Config::maxExtent, 0);
    Value x = first(beginForward());
    if (projected)
      x = b.linear(role + ".encode_proj", x, projected);
    b.output("pooler_output", x, {"B", std::to_string(projected ? projected : sizes.width)});
    b.endEntry();
  }

  /// Spans, and how much a passage has to do with the question.
  void reader() {
    Value h = beginForward();
    questionAnsweringOutputs(b, "span_predictor.qa_outputs", h);
    b.output("relevance_logits", b.dropLastAxis(b.linear("span_predictor.qa_classifier", first(h), 1)),
             {"B"});
    b.endEntry();
  }

private:
  std::string role;
};

} // namespace

const Family &dprFamily() {
  static const Family family = {
      "dpr",
      "",
      {
          {"DPRContextEncoder", "feature-extraction",
           [](ModelBuilder &b) { Dpr(b, "ctx_encoder").encoder(); }},
          {"DPRQuestionEncoder", "feature-extraction",
           [](ModelBuilder &b) { Dpr(b, "question_encoder").encoder(); }},
          {"DPRReader", "question-answering",
           [](ModelBuilder &b) { Dpr(b, "span_predictor.encoder").reader(); }},
      },
      [](const WeightSource &weights) {
        return classByHead(
            weights,
            {{"span_predictor.qa_outputs.weight", "DPRReader"},
             {"ctx_encoder.bert_model.embeddings.word_embeddings.weight", "DPRContextEncoder"}},
            "DPRQuestionEncoder");
      },
      {"embeddings.position_ids", "bert_model.pooler.dense.weight", "bert_model.pooler.dense.bias"},
  };
  return family;
}

} // namespace sesame::importer
