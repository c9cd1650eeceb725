//===- Bert.cpp - BERT, Megatron-BERT -------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Devlin et al. 2019, Shoeybi et al. 2019; transformers/models/{bert,megatron_bert}. Relative positions: Shaw
// et al. 2018, Huang et al. 2020. Megatron-BERT has its norms before each part instead of after it.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"

using namespace mlir;

namespace sesame::importer {

namespace {

class Bert : public Encoder {
public:
  explicit Bert(ModelBuilder &b, const EncoderDefaults &defaults = {})
      : Encoder(b, "bert.", EncoderSizes::read(b.config, defaults, /*mayDecode=*/true),
                BlockNames::bert("bert.encoder.layer.{}.")) {
    b.config.refuseFlag("add_cross_attention", "cross attention is supported in encoder-decoder models only");
    causal = b.config.flag("is_decoder", false);
  }
};

class MegatronBert : public Bert {
public:
  explicit MegatronBert(ModelBuilder &b) : Bert(b, {29056, 1024, 24, 16, 4096}) {
    setPreNorm("bert.encoder.layer.{}.", "attention.ln", "ln", "bert.encoder.ln");
  }
};

constexpr EncoderClasses bertClasses = {"BertModel",
                                        "BertForMaskedLM",
                                        "BertForSequenceClassification",
                                        "BertForTokenClassification",
                                        "BertForQuestionAnswering",
                                        "BertForMultipleChoice",
                                        "BertForNextSentencePrediction",
                                        "BertForPreTraining",
                                        "BertLMHeadModel"};

constexpr EncoderClasses megatronClasses = {"MegatronBertModel",
                                            "MegatronBertForMaskedLM",
                                            "MegatronBertForSequenceClassification",
                                            "MegatronBertForTokenClassification",
                                            "MegatronBertForQuestionAnswering",
                                            "MegatronBertForMultipleChoice",
                                            "MegatronBertForNextSentencePrediction",
                                            "MegatronBertForPreTraining",
                                            "MegatronBertForCausalLM"};

template <class Model, const EncoderClasses &classes> Family makeFamily(const char *modelType) {
  return {modelType,
          "bert.",
          encoderArchitectures<Model>(classes),
          [](const WeightSource &weights) {
            return classByBertHeads(weights, classes, "bert.pooler.dense.weight");
          },
          {"embeddings.position_ids", "embeddings.token_type_ids"}};
}

} // namespace

const Family &bertFamily() {
  static const Family family = makeFamily<Bert, bertClasses>("bert");
  return family;
}

const Family &megatronBertFamily() {
  static const Family family = makeFamily<MegatronBert, megatronClasses>("megatron-bert");
  return family;
}

} // namespace sesame::importer
