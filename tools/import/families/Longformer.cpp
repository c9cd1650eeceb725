//===- Longformer.cpp - Longformer ----------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Beltagy et al. 2020, section 3; transformers/models/longformer/modeling_longformer.py. The window is a mask
// of dense attention here: what it leaves out is computed and dropped.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"
#include "../TensorOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace sesame::importer {

namespace {

class Longformer : public RobertaEncoder {
public:
  /// Which tokens have global attention: those that an input marks, the first, or the question's.
  enum class Global { input, first, question };

  Longformer(ModelBuilder &b, Global global)
      : RobertaEncoder(b, "longformer.", EncoderSizes::readPadded(b.config),
                       BlockNames::bert("longformer.encoder.layer.{}.")),
        global(global) {
    const Config &c = b.config;
    separatorId = c.integer("sep_token_id", 0, sizes.vocab - 1, 2);
    windows = c.tokenIds("attention_window");
    if (windows.empty())
      windows = {512};
    if (windows.size() == 1)
      windows.resize(sizes.layers, windows.front());
    if (int64_t(windows.size()) != sizes.layers)
      c.fail("attention_window", "expected a number for each of " + std::to_string(sizes.layers) +
                                     " layers, got " + std::to_string(windows.size()));
    for (int64_t window : windows)
      if (window < 2 || window % 2 != 0)
        c.fail("attention_window", "expected positive even numbers, got " + std::to_string(window));
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
    SmallVector<OpFoldResult> extents = {b.extent(ids, 0), b.extent(ids, 1)};
    Type i64 = b.builder.getI64Type();
    Value end; // [B]
    if (global == Global::question)
      end = firstSeparator(ids);
    return generate(b, extents, i64, [&](Scalars s, ValueRange at) {
      Value one = s.toI64(s.constant(1)), zero = s.toI64(s.constant(0));
      Value limit = end ? s.toIndex(s.at(end, at[0])) : s.constant(1);
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

  SmallVector<Value> blockOperands(const Inputs &) override {
    SmallVector<int64_t> sides;
    for (int64_t window : windows)
      sides.push_back(window / 2);
    auto type = RankedTensorType::get({sizes.layers}, b.builder.getI64Type());
    Value table =
        arith::ConstantOp::create(b.builder, b.loc, DenseElementsAttr::get(type, ArrayRef<int64_t>(sides)));
    return {globalMask, table};
  }

  Value selfAttention(Value h, Value mask, Cache *, ValueRange shared) override {
    Value globals = shared[0], sides = shared[1];
    OpBuilder &builder = b.builder;
    Value side = tensor::ExtractOp::create(builder, b.loc, sides, b.layerIndex());
    side = arith::IndexCastOp::create(builder, b.loc, builder.getIndexType(), side);
    SmallVector<OpFoldResult> extents = {b.extent(mask, 0), b.extent(mask, 1), b.extent(mask, 1)};
    // A token sees its window and all global tokens: [B, S, T].
    Value visible = generate(b, extents, builder.getI64Type(), [&](Scalars s, ValueRange at) {
      Value key = at[2], zero = s.toI64(s.constant(0));
      Value distance = s.maximum(s.subtract(at[1], key), s.subtract(key, at[1]));
      Value real = s.at(mask, {at[0], key});
      return s.select(s.less(side, distance),
                      s.select(s.equal(s.at(globals, {at[0], key}), zero), zero, real), real);
    });
    AttentionOptions options;
    options.heads = sizes.heads;
    options.scale = 1 / std::sqrt(double(sizes.width / sizes.heads));
    options.mask = visible;
    Value local = b.attention(b.linear(names.query, h, sizes.width), b.linear(names.key, h, sizes.width),
                              b.linear(names.value, h, sizes.width), options);
    // A global token sees all, by projections of its own.
    options.mask = mask;
    Value whole = b.attention(b.linear(names.query + "_global", h, sizes.width),
                              b.linear(names.key + "_global", h, sizes.width),
                              b.linear(names.value + "_global", h, sizes.width), options);
    return mapOver(b, "bs,bsc,bsc->bsc", {globals, local, whole}, builder.getF32Type(),
                   [](Scalars s, ValueRange values) {
                     Value isLocal = s.equal(values[0], s.toI64(s.constant(0)));
                     return s.select(isLocal, values[1], values[2]);
                   });
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
