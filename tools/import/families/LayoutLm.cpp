//===- LayoutLm.cpp - LayoutLM ------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Xu et al. 2020; transformers/models/layoutlm/modeling_layoutlm.py. BERT that also embeds where on the page
// a token lies.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"

using namespace mlir;

namespace sesame::importer {

namespace {

class LayoutLm : public Encoder {
public:
  explicit LayoutLm(ModelBuilder &b)
      : Encoder(b, "layoutlm.", EncoderSizes::read(b.config),
                BlockNames::bert("layoutlm.encoder.layer.{}.")) {
    places = b.config.extent("max_2d_position_embeddings", 1024);
  }

private:
  Inputs beginInputs(const ModelBuilder::Dims &dims) override {
    Inputs in = Encoder::beginInputs(dims);
    in.boxes = b.idInput("bbox", {"B", "S", "4"}, places, "zeros");
    return in;
  }

  /// Left, top, right and bottom of the box, its height and its width, each by a table of its axis.
  Value embed(const Inputs &in) override {
    auto table = [&](const char *axis) {
      return b.weight(std::string("layoutlm.embeddings.") + axis + "_position_embeddings.weight",
                      {places, sizes.width});
    };
    Value x = table("x"), y = table("y");
    Value onPage = b.embedding({{edge(in.boxes, 0), x},
                                {edge(in.boxes, 1), y},
                                {edge(in.boxes, 2), x},
                                {edge(in.boxes, 3), y},
                                {edge(in.boxes, 3, 1), table("h")},
                                {edge(in.boxes, 2, 0), table("w")}});
    return b.layerNorm("layoutlm.embeddings.LayerNorm", b.add(embeddingSum(in), onPage), sizes.epsilon);
  }

  /// [B, S, 4] -> [B, S]: an edge, or how far it is from another; 0 where that is below, as an index must
  /// stay in its table.
  Value edge(Value boxes, int64_t which, std::optional<int64_t> from = {}) {
    return generate(
        b, {b.extent(boxes, 0), b.extent(boxes, 1)}, b.builder.getI64Type(), [&](Scalars s, ValueRange at) {
          auto read = [&](int64_t edge) { return s.at(boxes, {at[0], at[1], s.constant(edge)}); };
          return from ? s.maximum(s.subtract(read(which), read(*from)), s.constantI64(0)) : read(which);
        });
  }

  int64_t places;
};

} // namespace

const Family &layoutLmFamily() {
  static const Family family = {
      "layoutlm",
      "layoutlm.",
      encoderArchitectures<LayoutLm>({"LayoutLMModel", "LayoutLMForMaskedLM",
                                      "LayoutLMForSequenceClassification", "LayoutLMForTokenClassification",
                                      "LayoutLMForQuestionAnswering", nullptr}),
      // The pooler is there for tokens too: what the labels are for cannot be seen.
      [](const WeightSource &weights) {
        return classByHead(weights,
                           {{"cls.predictions.transform.dense.weight", "LayoutLMForMaskedLM"},
                            {"qa_outputs.weight", "LayoutLMForQuestionAnswering"},
                            {"classifier.weight", "LayoutLMForTokenClassification"}},
                           "LayoutLMModel");
      },
      {"embeddings.position_ids"},
  };
  return family;
}

} // namespace sesame::importer
