//===- DistilBert.cpp - DistilBERT --------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sanh et al. 2019; transformers/models/distilbert/modeling_distilbert.py. BERT without token types and
// pooler, under other names.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"

using namespace mlir;

namespace sesame::importer {

namespace {

EncoderSizes readSizes(const Config &c) {
  EncoderSizes sizes;
  sizes.width = c.extent("dim", 768);
  sizes.heads = c.divisor("n_heads", "dim", sizes.width, 12);
  sizes.layers = c.layers("n_layers", 6);
  sizes.inner = c.extent("hidden_dim", 3072);
  sizes.vocab = c.extent("vocab_size", 30522);
  sizes.maxLength = c.extent("max_position_embeddings", 512);
  sizes.types = 0;
  sizes.embeddingWidth = sizes.width;
  sizes.activation = c.activation("activation", "gelu");
  sizes.epsilon = 1e-12;
  sizes.tied = c.flag("tie_word_embeddings", true);
  return sizes;
}

BlockNames readNames() {
  std::string layer = "distilbert.transformer.layer.{}.";
  BlockNames names;
  names.query = layer + "attention.q_lin";
  names.key = layer + "attention.k_lin";
  names.value = layer + "attention.v_lin";
  names.attentionOutput = layer + "attention.out_lin";
  names.attentionNorm = layer + "sa_layer_norm";
  names.inner = layer + "ffn.lin1";
  names.output = layer + "ffn.lin2";
  names.outputNorm = layer + "output_layer_norm";
  return names;
}

class DistilBert : public Encoder {
public:
  explicit DistilBert(ModelBuilder &b) : Encoder(b, "distilbert.", readSizes(b.config), readNames()) {
    head = {"vocab_transform", "vocab_layer_norm", "vocab_projector", "vocab_projector.bias",
            sizes.activation};
  }

private:
  std::string poolerName() const override { return ""; }

  Value classify(Value h, int64_t labels) override {
    Value x = b.linear("pre_classifier", first(h), sizes.width);
    return b.linear("classifier", b.activation(mlir::sesame::Activation::relu, x), labels);
  }

  Value rate(Value h) override { return classify(h, 1); }
};

} // namespace

const Family &distilBertFamily() {
  static const Family family = {
      "distilbert",
      "distilbert.",
      encoderArchitectures<DistilBert>({"DistilBertModel", "DistilBertForMaskedLM",
                                        "DistilBertForSequenceClassification",
                                        "DistilBertForTokenClassification", "DistilBertForQuestionAnswering",
                                        "DistilBertForMultipleChoice"}),
      [](const WeightSource &weights) {
        return classByHead(weights,
                           {{"vocab_transform.weight", "DistilBertForMaskedLM"},
                            {"qa_outputs.weight", "DistilBertForQuestionAnswering"},
                            {"pre_classifier.weight", "DistilBertForSequenceClassification"},
                            {"classifier.weight", "DistilBertForTokenClassification"}},
                           "DistilBertModel");
      },
      {"embeddings.position_ids"},
  };
  return family;
}

} // namespace sesame::importer
