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
};

constexpr EncoderClasses classes = {"BertModel",
                                    "BertForMaskedLM",
                                    "BertForSequenceClassification",
                                    "BertForTokenClassification",
                                    "BertForQuestionAnswering",
                                    "BertForMultipleChoice",
                                    "BertForNextSentencePrediction",
                                    "BertForPreTraining"};

} // namespace

const Family &bertFamily() {
  static const Family family = [] {
    Family made = {
        "bert",
        "bert.",
        encoderArchitectures<Bert>(classes),
        [](const WeightSource &weights) {
          return classByBertHeads(weights, classes, "bert.pooler.dense.weight");
        },
        {"embeddings.position_ids", "embeddings.token_type_ids"},
    };
    made.architectures.push_back(
        {"BertLMHeadModel", "text-generation", [](ModelBuilder &b) { Bert(b).causalLM(); }});
    return made;
  }();
  return family;
}

} // namespace sesame::importer
