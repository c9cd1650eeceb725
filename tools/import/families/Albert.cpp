//===- Albert.cpp - ALBERT ----------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lan et al. 2020; transformers/models/albert/modeling_albert.py. BERT with narrower embeddings, whose layers
// share the weights of a few groups.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"

using namespace mlir;

namespace sesame::importer {

namespace {

EncoderSizes readSizes(const Config &config) {
  EncoderSizes sizes = EncoderSizes::read(config, {30000, 4096, 12, 64, 16384, 512, 2, "gelu_new", 1e-12});
  sizes.embeddingWidth = config.extent("embedding_size", 128);
  return sizes;
}

/// The names of layer `inner` of a group.
BlockNames namesOf(int64_t group, int64_t inner) {
  std::string layer = "albert.encoder.albert_layer_groups." + std::to_string(group) + ".albert_layers." +
                      std::to_string(inner) + ".";
  return {layer + "attention.query",
          layer + "attention.key",
          layer + "attention.value",
          layer + "attention.dense",
          layer + "attention.LayerNorm",
          layer + "ffn",
          layer + "ffn_output",
          layer + "full_layer_layer_norm",
          layer + "attention.distance_embedding.weight"};
}

class Albert : public Encoder {
public:
  explicit Albert(ModelBuilder &b) : Encoder(b, "albert.", readSizes(b.config), namesOf(0, 0)) {
    groups = b.config.layers("num_hidden_groups", 1);
    layersOfGroup = b.config.layers("inner_group_num", 1);
    head = {"predictions.dense", "predictions.LayerNorm", "predictions.decoder", "predictions.bias",
            sizes.activation};
  }

  void preTraining() {
    Value h = beginForward();
    b.output("prediction_logits", predictions(h), {"B", "S", std::to_string(sizes.vocab)});
    b.output("sop_logits", b.linear("sop_classifier.classifier", pooled(h), 2), {"B", "2"});
    b.endEntry();
  }

private:
  std::string poolerName() const override { return "albert.pooler"; }

  Value embed(const Inputs &in) override {
    return b.linear("albert.encoder.embedding_hidden_mapping_in", Encoder::embed(in), sizes.width);
  }

  /// A loop for each group over the layers that share its weights.
  Value encode(Value h, const Inputs &in, Cache *cache) override {
    SmallVector<Value> shared = blockOperands(in);
    // In floating point, as transformers divides.
    auto groupOf = [&](int64_t layer) { return int64_t(layer / (double(sizes.layers) / groups)); };
    for (int64_t layer = 0; layer < sizes.layers;) {
      int64_t group = groupOf(layer), end = layer;
      while (end < sizes.layers && groupOf(end) == group)
        ++end;
      h = b.blocks(
          "group" + std::to_string(group), end - layer, h, in.mask, cache,
          [&](Value x, Value mask, Cache *cache, ValueRange shared) {
            for (int64_t inner = 0; inner < layersOfGroup; ++inner) {
              names = namesOf(group, inner);
              x = block(x, mask, cache, shared);
            }
            return x;
          },
          shared);
      layer = end;
    }
    return h;
  }

  int64_t groups, layersOfGroup;
};

} // namespace

const Family &albertFamily() {
  static const Family family = {
      "albert",
      "albert.",
      encoderArchitectures<Albert>({"AlbertModel", "AlbertForMaskedLM", "AlbertForSequenceClassification",
                                    "AlbertForTokenClassification", "AlbertForQuestionAnswering",
                                    "AlbertForMultipleChoice", nullptr, "AlbertForPreTraining"}),
      [](const WeightSource &weights) {
        return classByHead(
            weights,
            {{"sop_classifier.classifier.weight", "AlbertForPreTraining"},
             {"predictions.dense.weight", "AlbertForMaskedLM"},
             {"qa_outputs.weight", "AlbertForQuestionAnswering"},
             {"classifier.weight", weights.has("albert.pooler.weight") ? "AlbertForSequenceClassification"
                                                                       : "AlbertForTokenClassification"}},
            "AlbertModel");
      },
      {"embeddings.position_ids", "embeddings.token_type_ids"},
  };
  return family;
}

} // namespace sesame::importer
