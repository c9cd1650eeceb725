//===- Roberta.cpp - RoBERTa, CamemBERT, XLM-RoBERTa --------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Liu et al. 2019, Martin et al. 2020, Conneau et al. 2020, Goyal et al. 2021 (XL);
// transformers/models/{roberta,camembert,xlm_roberta,xlm_roberta_xl}. BERT with positions counted from the
// padding id on and other heads; XL has its norms before each part instead of after it.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"

using namespace mlir;

namespace sesame::importer {

namespace {

EncoderDefaults robertaDefaults() {
  EncoderDefaults defaults;
  defaults.vocab = 50265;
  return defaults;
}

class Roberta : public RobertaEncoder {
public:
  explicit Roberta(ModelBuilder &b) : Roberta(b, robertaDefaults()) {}

protected:
  Roberta(ModelBuilder &b, const EncoderDefaults &defaults)
      : RobertaEncoder(b, "roberta.", EncoderSizes::readPadded(b.config, defaults, /*mayDecode=*/true),
                       BlockNames::bert("roberta.encoder.layer.{}.")) {
    b.config.refuseFlag("add_cross_attention", "cross attention is supported in encoder-decoder models only");
    causal = b.config.flag("is_decoder", false);
  }
};

/// CamemBERT and XLM-RoBERTa: RoBERTa with other default values.
class Camembert : public Roberta {
public:
  explicit Camembert(ModelBuilder &b) : Roberta(b, EncoderDefaults()) {}
};

class XlmRobertaXl : public Roberta {
public:
  explicit XlmRobertaXl(ModelBuilder &b) : Roberta(b, {250880, 2560, 36, 32, 10240, 514, 1, "gelu", 1e-5}) {
    setPreNorm("roberta.encoder.layer.{}.", "attention.self_attn_layer_norm", "LayerNorm",
               "roberta.encoder.LayerNorm");
  }
};

constexpr EncoderClasses robertaClasses = {"RobertaModel",
                                           "RobertaForMaskedLM",
                                           "RobertaForSequenceClassification",
                                           "RobertaForTokenClassification",
                                           "RobertaForQuestionAnswering",
                                           "RobertaForMultipleChoice",
                                           nullptr,
                                           nullptr,
                                           "RobertaForCausalLM"};
constexpr EncoderClasses camembertClasses = {"CamembertModel",
                                             "CamembertForMaskedLM",
                                             "CamembertForSequenceClassification",
                                             "CamembertForTokenClassification",
                                             "CamembertForQuestionAnswering",
                                             "CamembertForMultipleChoice",
                                             nullptr,
                                             nullptr,
                                             "CamembertForCausalLM"};
constexpr EncoderClasses xlmRobertaClasses = {"XLMRobertaModel",
                                              "XLMRobertaForMaskedLM",
                                              "XLMRobertaForSequenceClassification",
                                              "XLMRobertaForTokenClassification",
                                              "XLMRobertaForQuestionAnswering",
                                              "XLMRobertaForMultipleChoice",
                                              nullptr,
                                              nullptr,
                                              "XLMRobertaForCausalLM"};
constexpr EncoderClasses xlmRobertaXlClasses = {"XLMRobertaXLModel",
                                                "XLMRobertaXLForMaskedLM",
                                                "XLMRobertaXLForSequenceClassification",
                                                "XLMRobertaXLForTokenClassification",
                                                "XLMRobertaXLForQuestionAnswering",
                                                "XLMRobertaXLForMultipleChoice",
                                                nullptr,
                                                nullptr,
                                                "XLMRobertaXLForCausalLM"};

template <class Model, const EncoderClasses &classes> Family makeFamily(const char *modelType) {
  return {modelType,
          "roberta.",
          encoderArchitectures<Model>(classes),
          [](const WeightSource &weights) {
            return classByRobertaHeads(weights, classes, "roberta.pooler.dense.weight");
          },
          {"embeddings.position_ids", "embeddings.token_type_ids"}};
}

} // namespace

const Family &robertaFamily() {
  static const Family family = makeFamily<Roberta, robertaClasses>("roberta");
  return family;
}

const Family &camembertFamily() {
  static const Family family = makeFamily<Camembert, camembertClasses>("camembert");
  return family;
}

const Family &xlmRobertaFamily() {
  static const Family family = makeFamily<Camembert, xlmRobertaClasses>("xlm-roberta");
  return family;
}

const Family &xlmRobertaXlFamily() {
  static const Family family = makeFamily<XlmRobertaXl, xlmRobertaXlClasses>("xlm-roberta-xl");
  return family;
}

} // namespace sesame::importer
