//===- EncoderDecoder.cpp - A BERT that writes what another one read ------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rothe et al. 2020; transformers/models/encoder_decoder. Each half has a section of config.json that is a
// BERT's own; the decoder's layers attend to the encoder's states between self-attention and feed-forward.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"
#include "../Seq2Seq.h"

using namespace mlir;

namespace sesame::importer {

namespace {

/// A half's section of config.json.
Config readHalf(const Config &whole, const std::string &name) {
  std::optional<Config> half = whole.object(name);
  if (!half)
    whole.fail(name, "expected the configuration of the " + name + ", got nothing");
  half->choice("model_type", {"bert"});
  return *half;
}

/// One of the two, `prefix` being that of its base model.
class Half : public Encoder {
public:
  Half(ModelBuilder &b, const Config &config, const std::string &prefix, bool isDecoder)
      : Encoder(b, prefix, EncoderSizes::read(config, {}, /*mayDecode=*/isDecoder),
                BlockNames::bert(prefix + "encoder.layer.{}.")) {
    causal = isDecoder;
  }

  int64_t width() const { return sizes.width; }
  int64_t layers() const { return sizes.layers; }
  int64_t heads() const { return sizes.heads; }
  int64_t vocab() const { return sizes.vocab; }
  int64_t longest() const { return maxLength(); }
  using Encoder::predictions;

protected:
  Inputs inputs(Value ids, Value mask) const {
    Inputs in;
    in.ids = ids;
    in.mask = mask;
    in.types = b.constantIds(2, 0);
    in.positions = positionsOf(b, ids, mask);
    return in;
  }
};

class SourceReader : public Half {
public:
  SourceReader(ModelBuilder &b, const Config &config) : Half(b, config, "encoder.", /*isDecoder=*/false) {
    // What the pooler makes of the first state is for classifiers.
    for (const char *part : {"weight", "bias"})
      b.weights.ignore(poolerName() + "." + part);
  }

  /// ids [B, E], mask [B, E] -> states [B, E, C].
  Value states(Value ids, Value mask) {
    Inputs in = inputs(ids, mask);
    return b.blocks(
        "encoder_block", sizes.layers, embed(in), mask, nullptr,
        [&](Value x, Value mask, Cache *cache, ValueRange shared) { return block(x, mask, cache, shared); },
        blockOperands(in));
  }
};

class Writer : public Half {
public:
  Writer(ModelBuilder &b, const Config &config) : Half(b, config, "decoder.bert.", /*isDecoder=*/true) {
    for (const char *key : {"is_decoder", "add_cross_attention"})
      if (!config.flag(key, false))
        config.fail(key, "expected true: the decoder is causal and reads the encoder's states");
    const std::string part = "decoder.cls.predictions.";
    head = {part + "transform.dense", part + "transform.LayerNorm", part + "decoder", part + "bias",
            sizes.activation};
  }

  /// Attention of q [B, S, C] to the source.
  using SourceAttention = llvm::function_ref<Value(Value q, const Source &source)>;

  /// ids [B, S], mask [B, T] -> [B, S, C].
  Value hidden(Value ids, Value mask, Cache *cache, const Source &source, SourceAttention attend) {
    Inputs in = inputs(ids, mask);
    return decoderBlocks(
        b, "decoder_block", sizes.layers, embed(in), mask, cache, source,
        [&](Value h, Value mask, Cache *cache, const Source &source, ValueRange shared) {
          Value x = b.linear(names.attentionOutput, selfAttention(h, mask, cache, shared), sizes.width);
          h = b.layerNorm(names.attentionNorm, b.add(x, h), sizes.epsilon);
          x = attend(b.linear(cross("self.query"), h, sizes.width), source);
          x = b.linear(cross("output.dense"), x, sizes.width);
          h = b.layerNorm(cross("output.LayerNorm"), b.add(x, h), sizes.epsilon);
          x = b.activation(sizes.activation, b.linear(names.inner, h, sizes.inner));
          x = b.linear(names.output, x, sizes.width);
          return b.layerNorm(names.outputNorm, b.add(x, h), sizes.epsilon);
        },
        blockOperands(in));
  }

  /// A source of another width goes through a linear map first.
  std::pair<Value, Value> sourceHeads(Value states) {
    if (cast<RankedTensorType>(states.getType()).getDimSize(2) != sizes.width)
      states = b.linear("enc_to_dec_proj", states, sizes.width);
    return {b.splitHeads(b.linear(cross("self.key"), states, sizes.width), sizes.heads),
            b.splitHeads(b.linear(cross("self.value"), states, sizes.width), sizes.heads)};
  }

private:
  std::string cross(const char *part) const { return prefix + "encoder.layer.{}.crossattention." + part; }
};

class EncoderDecoder : public Seq2Seq {
public:
  explicit EncoderDecoder(ModelBuilder &b)
      : EncoderDecoder(b, readHalf(b.config, "encoder"), readHalf(b.config, "decoder")) {}

private:
  EncoderDecoder(ModelBuilder &b, const Config &encoderConfig, const Config &decoderConfig)
      : Seq2Seq(b), encoder(b, encoderConfig), decoder(b, decoderConfig) {
    b.config.refuseFlag("tie_encoder_decoder", "halves that share their layers are not supported");
    // Said outright, the width of the source stands for no map between the two; BERT's keys and values have
    // none of their own for another width.
    int64_t crossWidth = decoderConfig.extent("cross_attention_hidden_size", encoder.width());
    if (decoderConfig.has("cross_attention_hidden_size") &&
        (crossWidth != encoder.width() || crossWidth != decoder.width()))
      decoderConfig.fail("cross_attention_hidden_size",
                         "expected the 'hidden_size' of both, " + std::to_string(encoder.width()) + " and " +
                             std::to_string(decoder.width()) + ", got " + std::to_string(crossWidth));
    vocab = decoder.vocab();
    sourceVocab = encoder.vocab();
    width = encoder.width();
    maxLength = decoder.longest();
    maxSource = encoder.longest();
    decoderLayers = decoder.layers();
    decoderHeads = decoder.heads();
    headSize = decoder.width() / decoder.heads();
  }

  Value encode(Value ids, Value mask) override { return encoder.states(ids, mask); }
  Value decode(Value ids, Value mask, Cache *cache, const Source &source) override {
    return decoder.hidden(ids, mask, cache, source, [&](Value q, const Source &source) {
      return attendSource(q, source, 1 / std::sqrt(double(headSize)));
    });
  }
  std::pair<Value, Value> sourceHeads(Value states) override { return decoder.sourceHeads(states); }
  Value logits(Value hidden) override { return decoder.predictions(hidden); }

  SourceReader encoder;
  Writer decoder;
};

} // namespace

const Family &encoderDecoderFamily() {
  static const Family family = {
      "encoder-decoder",
      "encoder_decoder.",
      {{"EncoderDecoderModel", "text2text-generation",
        [](ModelBuilder &b) { EncoderDecoder(b).conditionalGeneration(); }}},
      nullptr,
      {"embeddings.position_ids", "embeddings.token_type_ids"},
  };
  return family;
}

} // namespace sesame::importer
