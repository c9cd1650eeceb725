//===- Bart.cpp - BART, mBART, PEGASUS, Marian, Blenderbot ----------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lewis et al. 2020, Liu et al. 2020, Zhang et al. 2020, Junczys-Dowmunt et al. 2018, Roller et al. 2021;
// transformers/models/{bart,mbart,pegasus,marian,blenderbot,blenderbot_small}. One architecture that differs
// in where it normalizes and how it counts positions.
//
//===----------------------------------------------------------------------===//

#include "../Registry.h"
#include "../Seq2Seq.h"
#include "../TensorOps.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

struct Variant {
  /// The norm comes before attention and feed-forward, and once more after the last layer.
  bool isPreNorm;
  /// A norm of the embeddings' sum.
  bool normalizesEmbeddings;
  /// The decoder's tokens are normalized before their positions are added.
  bool normalizesTokensAlone;
  /// Positions are sinusoids, unless the checkpoint stores a table.
  bool isSinusoidal;
  /// Of the position table's first row that is used.
  int64_t positionOffset;
  int64_t vocab, layers, heads, inner, width, maxLength;
  const char *activation;
};
constexpr Variant bart = {false, true, false, false, 2, 50265, 12, 16, 4096, 1024, 1024, "gelu"};
constexpr Variant mbart = {true, true, false, false, 2, 50265, 12, 16, 4096, 1024, 1024, "gelu"};
constexpr Variant pegasus = {true, false, false, true, 0, 50265, 12, 16, 4096, 1024, 1024, "gelu"};
constexpr Variant marian = {false, false, false, true, 0, 58101, 12, 16, 4096, 1024, 1024, "gelu"};
constexpr Variant blenderbot = {true, false, false, false, 0, 8008, 2, 32, 10240, 2560, 128, "gelu"};
constexpr Variant blenderbotSmall = {false, true, true, false, 0, 50265, 8, 16, 2048, 512, 512, "gelu"};

class Bart {
public:
  Bart(ModelBuilder &b, const Variant &variant) : b(b), variant(variant) {
    const Config &c = b.config;
    width = c.extent("d_model", variant.width);
    encoder = Stack::read(c, "encoder", width, {variant.layers, variant.heads, variant.inner});
    decoder = Stack::read(c, "decoder", width,
                          {&variant == &blenderbot ? 24 : variant.layers, variant.heads, variant.inner});
    vocab = c.extent("vocab_size", variant.vocab);
    sharesTable = c.flag("share_encoder_decoder_embeddings", true);
    decoderVocab = sharesTable ? vocab : c.extent("decoder_vocab_size", vocab);
    maxLength = c.extent("max_position_embeddings", variant.maxLength);
    activation = c.activation("activation_function", variant.activation);
    embeddingScale = c.flag("scale_embedding", false) ? std::sqrt(double(width)) : 1;
    tied = c.flag("tie_word_embeddings", true);
    b.info.vocabSize = decoderVocab;
    b.info.hiddenSize = width;
    b.info.numLayers = encoder.layers;
    b.info.maxLength = maxLength;
    if (sharesTable && b.weights.has("model.shared.weight"))
      for (const char *copy : {"model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"})
        b.weights.ignore(copy);
  }

  void conditionalGeneration() {
    auto encode = [&](Value ids, Value mask) { return encoded(ids, mask); };
    auto decode = [&](Value ids, Value mask, Cache *cache, const Source &source) {
      return decoded(ids, mask, cache, source);
    };
    auto sourceHeads = [&](Value states) { return crossHeads(states); };
    auto head = [&](Value hidden) { return logits(hidden); };
    Seq2Seq model;
    model.vocabSize = decoderVocab;
    model.sourceVocabSize = vocab;
    model.width = width;
    model.maxLength = model.maxSource = maxLength;
    model.layers = decoder.layers;
    model.heads = decoder.heads;
    model.headSize = width / decoder.heads;
    model.encoder = encode;
    model.decoder = decode;
    model.sourceHeads = sourceHeads;
    model.head = head;
    seq2SeqEntries(b, model);
  }

  void baseModel() {
    Passes passes = beginShifted();
    b.output("last_hidden_state", passes.hidden, {"B", "S", std::to_string(width)});
    endShifted(passes);
  }

  /// A classifier of the decoder's state at the last end token.
  void sequenceClassification() {
    if (b.info.eosTokenIds.size() != 1)
      b.config.fail("eos_token_id", "expected one, whose last place is classified, got " +
                                        std::to_string(b.info.eosTokenIds.size()));
    int64_t labels = b.config.numLabels();
    Passes passes = beginShifted();
    Value last = b.lastPositionOtherThan(whereEqual(passes.ids, b.info.eosTokenIds.front()), 0);
    Value x = b.linear("classification_head.dense", b.gatherPositions(passes.hidden, last), width);
    x = b.activation(mlir::sesame::Activation::tanh, x);
    b.output("logits", b.linear("classification_head.out_proj", x, labels), {"B", std::to_string(labels)});
    endShifted(passes);
  }

  void questionAnswering() {
    Passes passes = beginShifted();
    questionAnsweringOutputs(b, "qa_outputs", passes.hidden);
    endShifted(passes);
  }

private:
  struct Passes {
    Value ids, states, hidden;
  };

  /// Opens `forward` of a model that runs both stacks over one text: the decoder reads it shifted right.
  Passes beginShifted() {
    if (!b.info.decoderStartTokenId)
      b.config.fail("decoder_start_token_id", "expected the token that the decoder starts with, found none");
    b.beginEntry("forward", {{"S", maxLength}});
    Passes passes;
    passes.ids = b.idInput("input_ids", {"B", "S"}, vocab);
    Source source;
    source.mask = b.maskInput();
    source.states = passes.states = encoded(passes.ids, source.mask);
    Value shifted = shiftRight(passes.ids, *b.info.decoderStartTokenId);
    passes.hidden = decoded(shifted, /*mask=*/Value(), nullptr, source);
    return passes;
  }
  void endShifted(const Passes &passes) {
    b.output("encoder_last_hidden_state", passes.states, {"B", "S", std::to_string(width)});
    b.endEntry();
  }

  /// 1 where the id is `wanted`, else 0.
  Value whereEqual(Value ids, int64_t wanted) {
    return mapOver(b, "bs->bs", ids, b.builder.getI64Type(), [&](Scalars s, ValueRange id) {
      return s.select(s.equal(id[0], s.constantI64(wanted)), s.constantI64(1), s.constantI64(0));
    });
  }

  /// `start`, then all ids but the last.
  Value shiftRight(Value ids, int64_t start) {
    if (start >= decoderVocab)
      b.config.fail("decoder_start_token_id", "expected a token id below " + std::to_string(decoderVocab) +
                                                  ", got " + std::to_string(start));
    return generate(b, {b.extent(ids, 0), b.extent(ids, 1)}, b.builder.getI64Type(),
                    [&](Scalars s, ValueRange at) {
                      Value zero = s.constant(0), before = s.maximum(s.subtract(at[1], s.constant(1)), zero);
                      return s.select(s.equal(at[1], zero), s.constantI64(start), s.at(ids, {at[0], before}));
                    });
  }

  Value table(const Stack &stack) {
    const std::string own = "model." + stack.name + ".embed_tokens.weight";
    int64_t rows = stack.name == "encoder" ? vocab : decoderVocab;
    if (!sharesTable)
      return b.weight(own, {rows, width});
    std::vector<NamePattern> others = {own};
    if (tied)
      others.push_back("lm_head.weight");
    return b.weight("model.shared.weight", {rows, width}, others);
  }

  /// ids [B, S], the last of the positions that `mask` [B, T] covers -> [B, S, C].
  Value embedded(const Stack &stack, Value ids, Value mask) {
    const std::string prefix = "model." + stack.name + ".";
    Value h = b.embedding({{ids, table(stack)}});
    if (embeddingScale != 1)
      h = b.scale(h, embeddingScale);
    bool normalizesTokens = variant.normalizesTokensAlone && stack.name == "decoder";
    if (normalizesTokens)
      h = b.layerNorm(prefix + "layernorm_embedding", h, epsilon);
    const std::string stored = prefix + "embed_positions.weight";
    Value places;
    if (variant.isSinusoidal && !b.weights.has(stored)) {
      places = sinusoids(b, positionsOf(b, ids, mask), width, {/*inF64=*/true});
    } else {
      Value rows = b.weight(stored, {maxLength + variant.positionOffset, width});
      places = b.embedding({{positionsOf(b, ids, mask, variant.positionOffset), rows}}); // [1, S, C]
    }
    h = addRows(b, h, places);
    if (variant.normalizesEmbeddings && !normalizesTokens)
      h = b.layerNorm(prefix + "layernorm_embedding", h, epsilon);
    return h;
  }

  Value finalNorm(const Stack &stack, Value h) {
    return variant.isPreNorm ? b.layerNorm("model." + stack.name + ".layer_norm", h, epsilon) : h;
  }

  Value encoded(Value ids, Value mask) {
    Value h = b.blocks("encoder_block", encoder.layers, embedded(encoder, ids, mask), mask, nullptr,
                       [&](Value h, Value mask, Cache *, ValueRange) {
                         h = selfAttention(encoder, h, mask, nullptr);
                         return feedForward(encoder, h);
                       });
    return finalNorm(encoder, h);
  }

  /// `mask` may be null: no padding, and no cache.
  Value decoded(Value ids, Value mask, Cache *cache, const Source &source) {
    Value h = decoderBlocks(b, "decoder_block", decoder.layers, embedded(decoder, ids, mask ? mask : ids),
                            mask, cache, source,
                            [&](Value h, Value mask, Cache *cache, const Source &source, ValueRange) {
                              h = selfAttention(decoder, h, mask, cache);
                              h = sublayer(decoder, "encoder_attn_layer_norm", h, [&](Value x) {
                                Value q = b.linear(part(decoder, "encoder_attn.q_proj"), x, width);
                                x = attendSource(b, q, source, decoder.heads, scaleOf(decoder),
                                                 [&](Value states) { return crossHeads(states); });
                                return b.linear(part(decoder, "encoder_attn.out_proj"), x, width);
                              });
                              return feedForward(decoder, h);
                            });
    return finalNorm(decoder, h);
  }

  static std::string part(const Stack &stack, const char *name) {
    return "model." + stack.name + ".layers.{}." + name;
  }
  double scaleOf(const Stack &stack) const { return 1 / std::sqrt(double(width / stack.heads)); }

  /// h + body(h) with the norm before or after.
  Value sublayer(const Stack &stack, const char *norm, Value h, llvm::function_ref<Value(Value)> body) {
    if (variant.isPreNorm)
      return b.add(h, body(b.layerNorm(part(stack, norm), h, epsilon)));
    return b.layerNorm(part(stack, norm), b.add(h, body(h)), epsilon);
  }

  Value selfAttention(const Stack &stack, Value h, Value mask, Cache *cache) {
    return sublayer(stack, "self_attn_layer_norm", h, [&](Value x) {
      Value q = b.linear(part(stack, "self_attn.q_proj"), x, width);
      Value k = b.linear(part(stack, "self_attn.k_proj"), x, width);
      Value v = b.linear(part(stack, "self_attn.v_proj"), x, width);
      AttentionOptions options;
      options.heads = stack.heads;
      options.scale = scaleOf(stack);
      options.causal = stack.name == "decoder";
      options.mask = mask;
      options.cache = cache;
      return b.linear(part(stack, "self_attn.out_proj"), b.attention(q, k, v, options), width);
    });
  }

  Value feedForward(const Stack &stack, Value h) {
    return sublayer(stack, "final_layer_norm", h, [&](Value x) {
      x = b.activation(activation, b.linear(part(stack, "fc1"), x, stack.inner));
      return b.linear(part(stack, "fc2"), x, width);
    });
  }

  std::pair<Value, Value> crossHeads(Value states) {
    Value k = b.linear(part(decoder, "encoder_attn.k_proj"), states, width);
    Value v = b.linear(part(decoder, "encoder_attn.v_proj"), states, width);
    return {b.splitHeads(k, decoder.heads), b.splitHeads(v, decoder.heads)};
  }

  Value logits(Value hidden) {
    Value matrix = b.headWeight("lm_head.weight",
                                sharesTable ? "model.shared.weight" : "model.decoder.embed_tokens.weight",
                                {decoderVocab, width}, tied);
    Value bias;
    if (b.weights.has("final_logits_bias")) {
      bias = b.weight("final_logits_bias", {1, decoderVocab});
      SmallVector<ReassociationIndices> whole = {{0, 1}};
      bias = tensor::CollapseShapeOp::create(b.builder, b.loc, bias, whole);
    }
    return b.linearBy(matrix, bias, hidden);
  }

  static constexpr double epsilon = 1e-5;

  ModelBuilder &b;
  const Variant &variant;
  int64_t width, vocab, decoderVocab, maxLength;
  Stack encoder, decoder;
  mlir::sesame::Activation activation;
  double embeddingScale;
  bool sharesTable, tied;
};

template <const Variant &variant> void conditionalGeneration(ModelBuilder &b) {
  Bart(b, variant).conditionalGeneration();
}

} // namespace

const Family &bartFamily() {
  static const Family family = {
      "bart",
      "model.",
      {
          {"BartForConditionalGeneration", "text2text-generation", conditionalGeneration<bart>},
          {"BartModel", "feature-extraction", [](ModelBuilder &b) { Bart(b, bart).baseModel(); }},
          {"BartForSequenceClassification", "text-classification",
           [](ModelBuilder &b) { Bart(b, bart).sequenceClassification(); }},
          {"BartForQuestionAnswering", "question-answering",
           [](ModelBuilder &b) { Bart(b, bart).questionAnswering(); }},
      },
      [](const WeightSource &weights) {
        return weights.has("classification_head.dense.weight") ? "BartForSequenceClassification"
               : weights.has("qa_outputs.weight")              ? "BartForQuestionAnswering"
               : weights.isHeadless()                          ? "BartModel"
                                                               : "BartForConditionalGeneration";
      },
      {"final_logits_bias"},
  };
  return family;
}

const Family &blenderbotFamily() {
  static const Family family = {
      "blenderbot",
      "model.",
      {{"BlenderbotForConditionalGeneration", "text2text-generation", conditionalGeneration<blenderbot>}}};
  return family;
}

const Family &blenderbotSmallFamily() {
  static const Family family = {"blenderbot-small",
                                "model.",
                                {{"BlenderbotSmallForConditionalGeneration", "text2text-generation",
                                  conditionalGeneration<blenderbotSmall>}}};
  return family;
}

const Family &marianFamily() {
  static const Family family = {
      "marian", "model.", {{"MarianMTModel", "translation", conditionalGeneration<marian>}}};
  return family;
}

const Family &mbartFamily() {
  static const Family family = {
      "mbart", "model.", {{"MBartForConditionalGeneration", "translation", conditionalGeneration<mbart>}}};
  return family;
}

const Family &pegasusFamily() {
  static const Family family = {
      "pegasus",
      "model.",
      {{"PegasusForConditionalGeneration", "summarization", conditionalGeneration<pegasus>}}};
  return family;
}

} // namespace sesame::importer
