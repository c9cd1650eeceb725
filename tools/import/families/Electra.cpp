//===- Electra.cpp - ELECTRA --------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Clark et al. 2020; transformers/models/electra/modeling_electra.py. BERT with narrower embeddings, and no
// pooler.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"

using namespace mlir;

namespace sesame::importer {

namespace {

EncoderSizes readSizes(const Config &config) {
  EncoderDefaults defaults;
  defaults.width = 256;
  defaults.heads = 4;
  defaults.inner = 1024;
  EncoderSizes sizes = EncoderSizes::read(config, defaults, /*mayDecode=*/true);
  sizes.embeddingWidth = config.extent("embedding_size", 128);
  return sizes;
}

class Electra : public Encoder {
public:
  explicit Electra(ModelBuilder &b)
      : Encoder(b, "electra.", readSizes(b.config), BlockNames::bert("electra.encoder.layer.{}.")) {
    head = {"generator_predictions.dense", "generator_predictions.LayerNorm", "generator_lm_head",
            "generator_lm_head.bias", mlir::sesame::Activation::gelu};
    b.config.refuseFlag("add_cross_attention", "cross attention is supported in encoder-decoder models only");
    causal = b.config.flag("is_decoder", false);
  }

  /// The discriminator: whether each token was replaced.
  void preTraining() {
    Value h = beginForward();
    Value x = b.linear("discriminator_predictions.dense", h, sizes.width);
    x = b.linear("discriminator_predictions.dense_prediction", b.activation(sizes.activation, x), 1);
    b.output("logits", b.dropLastAxis(x), {"B", "S"});
    b.endEntry();
  }

private:
  std::string poolerName() const override { return ""; }

  Value embed(const Inputs &in) override {
    Value h = Encoder::embed(in);
    return sizes.embeddingWidth == sizes.width ? h : b.linear("electra.embeddings_project", h, sizes.width);
  }

  Value classify(Value h, int64_t labels) override {
    Value x = b.linear("classifier.dense", first(h), sizes.width);
    return b.linear("classifier.out_proj", b.activation(mlir::sesame::Activation::gelu, x), labels);
  }

  /// The score of a choice, over transformers' sequence summary.
  Value rate(Value h) override {
    const Config &c = b.config;
    std::string type = c.choice("summary_type", {"first", "last"}, "first");
    Value x = type == "first" ? first(h) : b.selectLast(h, 1);
    if (c.flag("summary_use_proj", true))
      x = b.linear("sequence_summary.summary", x, sizes.width);
    if (c.has("summary_activation"))
      x = b.activation(c.activation("summary_activation"), x);
    return b.linear("classifier", x, 1);
  }
};

} // namespace

const Family &electraFamily() {
  static const Family family = [] {
    Family made = {
        "electra",
        "electra.",
        encoderArchitectures<Electra>({"ElectraModel", "ElectraForMaskedLM",
                                       "ElectraForSequenceClassification", "ElectraForTokenClassification",
                                       "ElectraForQuestionAnswering", "ElectraForMultipleChoice", nullptr,
                                       nullptr, "ElectraForCausalLM"}),
        [](const WeightSource &weights) {
          return classByHead(weights,
                             {{"discriminator_predictions.dense.weight", "ElectraForPreTraining"},
                              {"generator_predictions.dense.weight", "ElectraForMaskedLM"},
                              {"qa_outputs.weight", "ElectraForQuestionAnswering"},
                              {"classifier.dense.weight", "ElectraForSequenceClassification"},
                              {"sequence_summary.summary.weight", "ElectraForMultipleChoice"},
                              {"classifier.weight", "ElectraForTokenClassification"}},
                             "ElectraModel");
        },
        {"embeddings.position_ids", "embeddings.token_type_ids"},
    };
    made.architectures.push_back({"ElectraForPreTraining", "replaced-token-detection",
                                  [](ModelBuilder &b) { Electra(b).preTraining(); }});
    return made;
  }();
  return family;
}

} // namespace sesame::importer
