//===- Mmbt.cpp - MMBT --------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kiela et al. 2019; transformers/models/mmbt/modeling_mmbt.py. BERT over the vectors of another modality,
// which its encoder (no part of the checkpoint) makes, and a text.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"
#include "../TensorOps.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace sesame::importer {

namespace {

class Mmbt : public Encoder {
public:
  explicit Mmbt(ModelBuilder &b)
      : Encoder(b, "mmbt.transformer.", EncoderSizes::read(b.config),
                BlockNames::bert("mmbt.transformer.encoder.layer.{}.")) {
    const Config &c = b.config;
    modalWidth = c.extent("modal_hidden_size", 2048);
    modalLength = c.extent("num_image_embeds", 1);
    if (sizes.positionKind != "absolute")
      c.fail("position_embedding_type", "expected 'absolute'");
    if (sizes.types < 2)
      c.fail("type_vocab_size", "expected at least 2, as text is of type 1");
    if (modalLength + 2 > sizes.maxLength)
      c.fail("num_image_embeds", "expected at most max_position_embeddings - 2");
  }

  void classification() {
    int64_t labels = b.config.numLabels();
    b.beginEntry("forward", {{"S", sizes.maxLength}});
    std::string length = std::to_string(modalLength);
    Value modal = b.input("input_modal", {"B", length, std::to_string(modalWidth)}, b.builder.getF32Type());
    Inputs text;
    text.ids = b.idInput("input_ids", {"B", "S"}, sizes.vocab);
    Value start = b.idInput("modal_start_tokens", {"B"}, sizes.vocab),
          end = b.idInput("modal_end_tokens", {"B"}, sizes.vocab);
    text.mask = b.maskInput();
    // transformers takes ones where no types are given; of the defaults, "ones" is that.
    text.types = b.idInput("token_type_ids", {"B", "S"}, sizes.types, "ones");
    text.positions = b.idInput("position_ids", {"B", "S"}, sizes.maxLength, "arange");

    Value h = concat(b, {modalEmbedding(modal, start, end), embed(text)}, 1);
    Inputs all;
    all.mask = concat(b, {onesBefore(text.mask), text.mask}, 1);
    h = encode(h, all, nullptr);
    b.output("logits", classify(h, labels), {"B", std::to_string(labels)});
    b.endEntry();
  }

private:
  /// The start token, the projected vectors and the end token, as the first positions: [B, M + 2, C].
  Value modalEmbedding(Value modal, Value start, Value end) {
    OpBuilder &builder = b.builder;
    Value words = b.weight(wordTableName(), {sizes.vocab, sizes.width});
    auto word = [&](Value ids) {
      Value column = tensor::ExpandShapeOp::create(
          builder, b.loc, RankedTensorType::get({ShapedType::kDynamic, 1}, builder.getI64Type()), ids,
          SmallVector<ReassociationIndices>{{0, 1}},
          SmallVector<OpFoldResult>{b.extent(ids, 0), builder.getIndexAttr(1)});
      return b.embedding({{column, words}}); // [B, 1, C]
    };
    Value h = concat(
        b, {word(start), b.linear("mmbt.modal_encoder.proj_embeddings", modal, sizes.width), word(end)}, 1);
    auto table = [&](const char *name, int64_t rows) {
      return b.weight(prefix + "embeddings." + name + ".weight", {rows, sizes.width});
    };
    SmallVector<OpFoldResult> extents = {builder.getIndexAttr(1), builder.getIndexAttr(modalLength + 2)};
    Value positions = generate(b, extents, builder.getI64Type(),
                               [](Scalars scalars, ValueRange indices) { return scalars.toI64(indices[1]); });
    Value places = b.embedding({{positions, table("position_embeddings", sizes.maxLength)},
                                {b.constantIds(2, 0), table("token_type_embeddings", sizes.types)}});
    return b.layerNorm(prefix + "embeddings.LayerNorm", addRows(b, h, places), sizes.epsilon);
  }

  /// [B, M + 2] of ones.
  Value onesBefore(Value mask) {
    SmallVector<OpFoldResult> extents = {b.extent(mask, 0), b.builder.getIndexAttr(modalLength + 2)};
    return generate(b, extents, b.builder.getI64Type(),
                    [](Scalars scalars, ValueRange) { return scalars.toI64(scalars.constant(1)); });
  }

  int64_t modalWidth, modalLength;
};

} // namespace

const Family &mmbtFamily() {
  static const Family family = {
      "mmbt",
      "mmbt.",
      {{"MMBTForClassification", "multimodal-classification",
        [](ModelBuilder &b) { Mmbt(b).classification(); }}},
      nullptr,
      {"embeddings.position_ids", "embeddings.token_type_ids"},
  };
  return family;
}

} // namespace sesame::importer
