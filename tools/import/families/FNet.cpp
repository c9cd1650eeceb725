//===- FNet.cpp - FNet ----------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lee-Thorp et al. 2022, eq. 3; transformers/models/fnet/modeling_fnet.py.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

EncoderSizes readSizes(const Config &c) {
  EncoderSizes sizes;
  sizes.width = c.extent("hidden_size", 768);
  sizes.layers = c.layers("num_hidden_layers", 12);
  sizes.heads = 0;
  sizes.inner = c.extent("intermediate_size", 3072);
  sizes.vocab = c.extent("vocab_size", 32000);
  sizes.maxLength = c.extent("max_position_embeddings", 512);
  sizes.types = c.extent("type_vocab_size", 4);
  sizes.embeddingWidth = sizes.width;
  sizes.activation = c.activation("hidden_act", "gelu_new");
  sizes.epsilon = c.epsilon("layer_norm_eps", 1e-12);
  sizes.tied = c.flag("tie_word_embeddings", true);
  return sizes;
}

class FNet : public Encoder {
public:
  explicit FNet(ModelBuilder &b)
      : Encoder(b, "fnet.", readSizes(b.config), BlockNames::bert("fnet.encoder.layer.{}.")) {
    b.builder.getContext()->loadDialect<math::MathDialect>();
  }

private:
  /// Mixing has no mask: padding takes part.
  Inputs beginInputs(const ModelBuilder::Dims &dims) override {
    b.beginEntry("forward", {{"S", sizes.maxLength}});
    Inputs in;
    in.ids = b.idInput("input_ids", dims, sizes.vocab);
    in.types = b.idInput("token_type_ids", dims, sizes.types, "zeros");
    in.positions = b.idInput("position_ids", dims, sizes.maxLength, "arange");
    return in;
  }

  Value embed(const Inputs &in) override {
    return b.linear("fnet.embeddings.projection", Encoder::embed(in), sizes.width);
  }

  SmallVector<Value> blockOperands(const Inputs &in) override {
    OpFoldResult length = b.extent(in.ids, 1), channels = b.builder.getIndexAttr(sizes.width);
    return {waves<math::CosOp>(length), waves<math::SinOp>(length), waves<math::CosOp>(channels),
            waves<math::SinOp>(channels)};
  }

  /// The real or negated imaginary part of the Fourier matrix, [N, N]: cos or sin of 2 pi i j / N. The
  /// product i j is reduced first, which keeps the angle exact to f32.
  template <typename Wave> Value waves(OpFoldResult extent) {
    Value count = isa<Value>(extent) ? cast<Value>(extent)
                                     : b.constant(cast<IntegerAttr>(cast<Attribute>(extent)).getInt());
    return generate(b, {extent, extent}, b.builder.getF32Type(), [&](Scalars s, ValueRange at) -> Value {
      Value turns = s.divide(s.toF32(s.remainder(s.multiply(at[0], at[1]), count)), s.toF32(count));
      return Wave::create(s.builder, s.loc, s.multiply(turns, s.constantF32(2 * M_PI)));
    });
  }

  Value block(Value h, Value, Cache *, ValueRange transforms) override {
    // The real part of the transform over both axes: cos x cos - sin x sin.
    Value even = einsum(b, "btc,st->bsc", einsum(b, "btd,dc->btc", h, transforms[2]), transforms[0]);
    Value odd = einsum(b, "btc,st->bsc", einsum(b, "btd,dc->btc", h, transforms[3]), transforms[1]);
    Value mixed = mapOver(b, "bsc,bsc->bsc", {even, odd}, b.builder.getF32Type(),
                          [](Scalars s, ValueRange values) { return s.subtract(values[0], values[1]); });
    h = b.layerNorm("fnet.encoder.layer.{}.fourier.output.LayerNorm", b.add(h, mixed), sizes.epsilon);
    Value x = b.activation(sizes.activation, b.linear(names.inner, h, sizes.inner));
    return b.layerNorm(names.outputNorm, b.add(b.linear(names.output, x, sizes.width), h), sizes.epsilon);
  }
};

constexpr EncoderClasses classes = {"FNetModel",
                                    "FNetForMaskedLM",
                                    "FNetForSequenceClassification",
                                    "FNetForTokenClassification",
                                    "FNetForQuestionAnswering",
                                    "FNetForMultipleChoice",
                                    "FNetForNextSentencePrediction",
                                    "FNetForPreTraining"};

} // namespace

const Family &fnetFamily() {
  static const Family family = {
      "fnet",
      "fnet.",
      encoderArchitectures<FNet>(classes),
      [](const WeightSource &weights) {
        return classByBertHeads(weights, classes, "fnet.pooler.dense.weight");
      },
      {"position_ids", "embeddings.token_type_ids"},
  };
  return family;
}

} // namespace sesame::importer
