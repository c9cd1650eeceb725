//===- Longformer.cpp - Longformer ----------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Beltagy et al. 2020, section 3; transformers/models/longformer/modeling_longformer.py.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"
#include "../TensorOps.h"
#include "../WindowedAttention.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace sesame::importer {

namespace {

class Longformer : public RobertaEncoder {
public:
  /// Which tokens have global attention: those that an input marks, the first, the question's, or those
  /// behind it.
  enum class Global { input, first, question, choice };

  Longformer(ModelBuilder &b, Global global)
      : RobertaEncoder(b, "longformer.", EncoderSizes::readPadded(b.config),
                       BlockNames::bert("longformer.encoder.layer.{}.")),
        global(global) {
    const Config &c = b.config;
    separatorId = c.integer("sep_token_id", 0, sizes.vocab - 1, 2);
    windows = attentionWindows(c, sizes.layers);
  }

private:
  Inputs beginInputs(const ModelBuilder::Dims &dims) override {
    b.beginEntry("forward", {{"S", maxLength()}});
    Inputs in;
    in.ids = b.idInput("input_ids", dims, sizes.vocab);
    in.mask = b.maskInput(dims);
    if (global == Global::input)
      globalMask = b.idInput("global_attention_mask", dims, 2, "zeros");
    else
      globalMask = chooseGlobal(in.ids);
    in.types = b.idInput("token_type_ids", dims, sizes.types, "zeros");
    return in;
  }

  /// ids [B, S] -> [B, S] of i64, 1 at tokens with global attention.
  Value chooseGlobal(Value ids) {
    Type i64 = b.builder.getI64Type();
    if (cast<RankedTensorType>(ids.getType()).getRank() == 3)
      ids = b.mergeLeading(ids);
    SmallVector<OpFoldResult> extents = {b.extent(ids, 0), b.extent(ids, 1)};
    Value end; // [B]
    if (global != Global::first)
      end = firstSeparator(ids);
    return generate(b, extents, i64, [&](Scalars s, ValueRange at) {
      Value one = s.toI64(s.constant(1)), zero = s.toI64(s.constant(0));
      Value limit = end ? s.toIndex(s.at(end, at[0])) : s.constant(1);
      if (global == Global::choice) // two separators end a question
        return s.select(s.less(s.add(limit, s.constant(1)), at[1]), one, zero);
      return s.select(s.less(at[1], limit), one, zero);
    });
  }

  /// ids [B, S] -> [B] of i64: the position of the first separator, S without one.
  Value firstSeparator(Value ids) {
    Value length = arith::IndexCastOp::create(b.builder, b.loc, b.builder.getI64Type(), b.dim(ids, 1));
    return reduceOver(b, "bs->b", ids, length, [&](Scalars s, ValueRange values) {
      Value isSeparator = s.equal(values[0], s.constantI64(separatorId));
      return s.minimum(values[1], s.select(isSeparator, s.toI64(s.index(1)), length));
    });
  }

  SmallVector<Value> blockOperands(const Inputs &) override { return {globalMask, windowSides(b, windows)}; }

  Value selfAttention(Value h, Value mask, Cache *, ValueRange shared) override {
    return windowedAttention(b, h, mask, {names.query, names.key, names.value}, sizes.heads, shared[0],
                             shared[1]);
  }

  Global global;
  int64_t separatorId;
  std::vector<int64_t> windows;
  Value globalMask;
};

using Global = Longformer::Global;

} // namespace

const Family &longformerFamily() {
  static const Family family = {
      "longformer",
      "longformer.",
      {
          {"LongformerModel", "feature-extraction",
           [](ModelBuilder &b) { Longformer(b, Global::input).baseModel(); }},
          {"LongformerForMaskedLM", "fill-mask",
           [](ModelBuilder &b) { Longformer(b, Global::input).maskedLM(); }},
          {"LongformerForSequenceClassification", "text-classification",
           [](ModelBuilder &b) { Longformer(b, Global::first).sequenceClassification(); }},
          {"LongformerForTokenClassification", "token-classification",
           [](ModelBuilder &b) { Longformer(b, Global::input).tokenClassification(); }},
          {"LongformerForQuestionAnswering", "question-answering",
           [](ModelBuilder &b) { Longformer(b, Global::question).questionAnswering(); }},
          {"LongformerForMultipleChoice", "multiple-choice",
           [](ModelBuilder &b) { Longformer(b, Global::choice).multipleChoice(); }},
      },
      [](const WeightSource &weights) {
        return classByHead(weights,
                           {{"lm_head.dense.weight", "LongformerForMaskedLM"},
                            {"qa_outputs.weight", "LongformerForQuestionAnswering"},
                            {"classifier.dense.weight", "LongformerForSequenceClassification"},
                            {"classifier.weight", "LongformerForTokenClassification"}},
                           "LongformerModel");
      },
      {"embeddings.position_ids", "embeddings.token_type_ids"},
  };
  return family;
}

} // namespace sesame::importer
