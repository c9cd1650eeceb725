//===- MpNet.cpp - MPNet ------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Song et al. 2020; transformers/models/mpnet/modeling_mpnet.py. RoBERTa without token types, with a bias for
// each bucket of distances that all layers share.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace sesame::importer {

namespace {

EncoderSizes readSizes(const Config &config) {
  EncoderDefaults defaults;
  defaults.vocab = 30527;
  defaults.types = 0;
  EncoderSizes sizes = EncoderSizes::read(config, defaults);
  // transformers takes no notice of pad_token_id here.
  sizes.padPosition = 1;
  if (sizes.maxLength < 3)
    config.fail("max_position_embeddings", "expected at least 3, as 2 positions stand for padding");
  return sizes;
}

BlockNames readNames() {
  std::string layer = "mpnet.encoder.layer.{}.";
  BlockNames names = BlockNames::bert(layer);
  names.query = layer + "attention.attn.q";
  names.key = layer + "attention.attn.k";
  names.value = layer + "attention.attn.v";
  names.attentionOutput = layer + "attention.attn.o";
  names.attentionNorm = layer + "attention.LayerNorm";
  return names;
}

/// The bucket of a key `distance` after its query: half of them for either side, half of those for one
/// distance each, the others for ever more of them up to 128.
int64_t bucketOf(int64_t distance, int64_t buckets) {
  constexpr float maxDistance = 128;
  int64_t perSide = buckets / 2, exact = perSide / 2, magnitude = std::abs(distance);
  int64_t first = distance > 0 ? perSide : 0;
  if (magnitude < exact)
    return first + magnitude;
  int64_t more = int64_t(std::log(float(magnitude) / exact) / float(std::log(double(maxDistance) / exact)) *
                         (perSide - exact));
  return first + std::min(exact + more, perSide - 1);
}

class MpNet : public RobertaEncoder {
public:
  explicit MpNet(ModelBuilder &b) : RobertaEncoder(b, "mpnet.", readSizes(b.config), readNames()) {
    buckets = b.config.integer("relative_attention_num_buckets", 4, 128, 32);
  }

private:
  /// The bias [1, H, S, S].
  SmallVector<Value> blockOperands(const Inputs &in) override {
    OpBuilder &builder = b.builder;
    int64_t reach = maxLength() - 1;
    SmallVector<int64_t> bucketOfDistance;
    for (int64_t distance = -reach; distance <= reach; ++distance)
      bucketOfDistance.push_back(bucketOf(distance, buckets));
    auto type = RankedTensorType::get({2 * reach + 1}, builder.getI64Type());
    Value known = arith::ConstantOp::create(
        builder, b.loc, DenseElementsAttr::get(type, ArrayRef<int64_t>(bucketOfDistance)));
    Value table = b.weight("mpnet.encoder.relative_attention_bias.weight", {buckets, sizes.heads});
    SmallVector<OpFoldResult> extents = {builder.getIndexAttr(1), builder.getIndexAttr(sizes.heads),
                                         b.extent(in.ids, 1), b.extent(in.ids, 1)};
    return {generate(b, extents, builder.getF32Type(), [&](Scalars s, ValueRange at) {
      Value distance = s.subtract(s.add(at[3], s.constant(reach)), at[2]);
      return s.at(table, {s.toIndex(s.at(known, distance)), at[1]});
    })};
  }

  Value attentionBias(Value, Value, ValueRange shared) override { return shared.front(); }

  int64_t buckets;
};

constexpr EncoderClasses classes = {"MPNetModel",
                                    "MPNetForMaskedLM",
                                    "MPNetForSequenceClassification",
                                    "MPNetForTokenClassification",
                                    "MPNetForQuestionAnswering",
                                    "MPNetForMultipleChoice"};

} // namespace

const Family &mpnetFamily() {
  static const Family family = {
      "mpnet",
      "mpnet.",
      encoderArchitectures<MpNet>(classes),
      [](const WeightSource &weights) {
        return classByRobertaHeads(weights, classes, "mpnet.pooler.dense.weight");
      },
      {"embeddings.position_ids"},
  };
  return family;
}

} // namespace sesame::importer
