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

  /// ids [B, S], mask [B, T] -> [B, S, C].
  Value hidden(Value ids, Value mask, Cache *cache, const Source &source) {
    Inputs in = inputs(ids, mask);
    return decoderBlocks(
        b, "decoder_block", sizes.layers, embed(in), mask, cache, source,
        [&](Value h, Value mask, Cache *cache, const Source &source, ValueRange shared) {
          Value x = b.linear(names.attentionOutput, selfAttention(h, mask, cache, shared), sizes.width);
          h = b.layerNorm(names.attentionNorm, b.add(x, h), sizes.epsilon);
          x = b.linear(cross("output.dense"), attend(h, source), sizes.width);
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

  Value attend(Value h, const Source &source) {
    return attendSource(b, b.linear(cross("self.query"), h, sizes.width), source, sizes.heads,
                        1 / std::sqrt(double(sizes.width / sizes.heads)),
                        [&](Value states) { return sourceHeads(states); });
  }
};

void conditionalGeneration(ModelBuilder &b) {
  const Config &c = b.config;
  c.refuseFlag("tie_encoder_decoder", "halves that share their layers are not supported");
  Config encoderConfig = readHalf(c, "encoder"), decoderConfig = readHalf(c, "decoder");
  SourceReader encoder(b, encoderConfig);
  Writer decoder(b, decoderConfig);
  // Said outright, the width of the source stands for no map between the two; BERT's keys and values have
  // none of their own for another width.
  int64_t crossWidth = decoderConfig.extent("cross_attention_hidden_size", encoder.width());
  if (decoderConfig.has("cross_attention_hidden_size") &&
      (crossWidth != encoder.width() || crossWidth != decoder.width()))
    decoderConfig.fail("cross_attention_hidden_size",
                       "expected the 'hidden_size' of both, " + std::to_string(encoder.width()) + " and " +
                           std::to_string(decoder.width()) + ", got " + std::to_string(crossWidth));

  auto encode = [&](Value ids, Value mask) { return encoder.states(ids, mask); };
  auto decode = [&](Value ids, Value mask, Cache *cache, const Source &source) {
    return decoder.hidden(ids, mask, cache, source);
  };
  auto sourceHeads = [&](Value states) { return decoder.sourceHeads(states); };
  auto head = [&](Value hidden) { return decoder.predictions(hidden); };
  Seq2Seq model;
  model.vocabSize = decoder.vocab();
  model.sourceVocabSize = encoder.vocab();
  model.width = encoder.width();
  model.maxLength = decoder.longest();
  model.maxSource = encoder.longest();
  model.layers = decoder.layers();
  model.heads = decoder.heads();
  model.headSize = decoder.width() / decoder.heads();
  model.encoder = encode;
  model.decoder = decode;
  model.sourceHeads = sourceHeads;
  model.head = head;
  seq2SeqEntries(b, model);
}

} // namespace

const Family &encoderDecoderFamily() {
  static const Family family = {
      "encoder-decoder",
      "encoder_decoder.",
      {{"EncoderDecoderModel", "text2text-generation", conditionalGeneration}},
      nullptr,
      {"embeddings.position_ids", "embeddings.token_type_ids"},
  };
  return family;
}

} // namespace sesame::importer
