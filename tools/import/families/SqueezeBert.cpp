//===- SqueezeBert.cpp - SqueezeBERT ------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Iandola et al. 2020; transformers/models/squeezebert/modeling_squeezebert.py. BERT whose linear maps are
// convolutions over groups of channels.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"

using namespace mlir;

namespace sesame::importer {

namespace {

class SqueezeBert : public Encoder {
public:
  explicit SqueezeBert(ModelBuilder &b)
      : Encoder(b, "transformer.", EncoderSizes::read(b.config), BlockNames()) {
    const Config &c = b.config;
    if (c.extent("embedding_size", sizes.width) != sizes.width)
      c.fail("embedding_size", "expected hidden_size (" + std::to_string(sizes.width) + ")");
    queryGroups = readGroups("q_groups", sizes.width, sizes.width, 4);
    keyGroups = readGroups("k_groups", sizes.width, sizes.width, 4);
    valueGroups = readGroups("v_groups", sizes.width, sizes.width, 4);
    attentionGroups = readGroups("post_attention_groups", sizes.width, sizes.width, 1);
    innerGroups = readGroups("intermediate_groups", sizes.width, sizes.inner, 4);
    outputGroups = readGroups("output_groups", sizes.inner, sizes.width, 4);
  }

private:
  static std::string layer(const char *part) { return std::string("transformer.encoder.layers.{}.") + part; }

  int64_t readGroups(const char *key, int64_t from, int64_t to, int64_t fallback) {
    int64_t groups = b.config.extent(key, fallback);
    if (from % groups || to % groups)
      b.config.fail(key, "expected a divisor of " + std::to_string(from) + " and " + std::to_string(to) +
                             ", got " + std::to_string(groups));
    return groups;
  }

  /// A linear map of each group of channels: [B, S, K] -> [B, S, N].
  Value convolution(const NamePattern &name, Value x, int64_t columns, int64_t groups) {
    int64_t depth = cast<RankedTensorType>(x.getType()).getDimSize(2) / groups;
    SmallVector<Value> parts;
    for (auto [group, matrix] :
         llvm::enumerate(convolutionWeights(b, name + ".weight", {columns, depth, 1}, groups))) {
      Value part = groups == 1 ? x : b.sliceColumns(x, group * depth, depth);
      parts.push_back(b.linearBy(matrix, Value(), part));
    }
    Value y = groups == 1 ? parts.front() : concat(b, parts, 2);
    return addBias(b, y, b.weight(name + ".bias", {columns}));
  }

  Value block(Value h, Value mask, Cache *, ValueRange) override {
    AttentionOptions options;
    options.heads = sizes.heads;
    options.scale = 1 / std::sqrt(double(sizes.width / sizes.heads));
    options.mask = mask;
    Value x = b.attention(convolution(layer("attention.query"), h, sizes.width, queryGroups),
                          convolution(layer("attention.key"), h, sizes.width, keyGroups),
                          convolution(layer("attention.value"), h, sizes.width, valueGroups), options);
    x = convolution(layer("post_attention.conv1d"), x, sizes.width, attentionGroups);
    h = b.layerNorm(layer("post_attention.layernorm"), b.add(x, h), sizes.epsilon);
    x = b.activation(sizes.activation,
                     convolution(layer("intermediate.conv1d"), h, sizes.inner, innerGroups));
    x = convolution(layer("output.conv1d"), x, sizes.width, outputGroups);
    return b.layerNorm(layer("output.layernorm"), b.add(x, h), sizes.epsilon);
  }

  int64_t queryGroups, keyGroups, valueGroups, attentionGroups, innerGroups, outputGroups;
};

} // namespace

const Family &squeezeBertFamily() {
  static const Family family = {
      "squeezebert",
      "transformer.",
      encoderArchitectures<SqueezeBert>({"SqueezeBertModel", "SqueezeBertForMaskedLM",
                                         "SqueezeBertForSequenceClassification",
                                         "SqueezeBertForTokenClassification",
                                         "SqueezeBertForQuestionAnswering", "SqueezeBertForMultipleChoice"}),
      // All classes have the pooler: what a classifier is for cannot be seen.
      [](const WeightSource &weights) {
        return classByHead(weights,
                           {{"cls.predictions.transform.dense.weight", "SqueezeBertForMaskedLM"},
                            {"qa_outputs.weight", "SqueezeBertForQuestionAnswering"},
                            {"classifier.weight", "SqueezeBertForSequenceClassification"}},
                           "SqueezeBertModel");
      },
      {"embeddings.position_ids"},
  };
  return family;
}

} // namespace sesame::importer
