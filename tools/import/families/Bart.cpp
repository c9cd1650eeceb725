//===- Bart.cpp - BART, mBART, PEGASUS, Marian, Blenderbot, M2M100, FSMT, LED -===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lewis et al. 2020, Liu et al. 2020, Zhang et al. 2020, Junczys-Dowmunt et al. 2018, Roller et al. 2021, Fan
// et al. 2021, Ng et al. 2019, Beltagy et al. 2020;
// transformers/models/{bart,mbart,pegasus,marian,blenderbot, blenderbot_small,m2m_100,fsmt,led}. One
// architecture that differs in where it normalizes and how it counts positions; LED's encoder attends as
// Longformer does.
//
//===----------------------------------------------------------------------===//

#include "../Registry.h"
#include "../Seq2Seq.h"
#include "../TensorOps.h"
#include "../WindowedAttention.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

/// What is added to a token for its place, unless the checkpoint stores a table.
enum class Places {
  table,
  sinusoids,
  /// fairseq's: padding has none and does not count, the first token is the one after padding's id.
  fairseqSinusoids,
};

/// What a family does and what it takes where config.json is silent; BART's unless said otherwise.
struct Variant {
  /// The norm comes before attention and feed-forward, and once more after the last layer.
  bool isPreNorm = false;
  /// A norm of the embeddings' sum.
  bool normalizesEmbeddings = true;
  /// The decoder's tokens are normalized before their positions are added.
  bool normalizesTokensAlone = false;
  Places places = Places::table;
  /// Of the position table's first row that is used.
  int64_t positionOffset = 0;
  int64_t vocab = 50265, layers = 12, heads = 16, inner = 4096, width = 1024, maxLength = 1024;
  int64_t decoderLayers = 12;
  const char *activation = "gelu";
  bool scalesEmbeddings = false;
  /// The one table of tokens and the output's are tied, unless config.json says other.
  bool sharesTables = true;
  /// Source and target have vocabularies of their own, "src_vocab_size" and "tgt_vocab_size".
  bool hasTwoVocabularies = false;
  /// Texts end in their language, which the decoder starts with.
  bool endsInLanguage = false;
  const char *prefix = "model.";
  const char *head = "lm_head.weight";
  /// The base model gives logits as its last state.
  bool hasHeadInBase = false;
  const char *sourceLengthKey = "max_position_embeddings", *targetLengthKey = "max_position_embeddings";
  int64_t sourceLength = 1024;
};

constexpr Variant bart = [] {
  Variant v;
  v.positionOffset = 2;
  return v;
}();
constexpr Variant mbart = [] {
  Variant v = bart;
  v.isPreNorm = v.endsInLanguage = true;
  return v;
}();
constexpr Variant marian = [] {
  Variant v;
  v.normalizesEmbeddings = false;
  v.places = Places::sinusoids;
  v.vocab = 58101;
  return v;
}();
constexpr Variant pegasus = [] {
  Variant v = marian;
  v.isPreNorm = true;
  v.vocab = 50265;
  return v;
}();
constexpr Variant blenderbot = [] {
  Variant v;
  v.isPreNorm = true;
  v.normalizesEmbeddings = false;
  v.vocab = 8008;
  v.layers = 2;
  v.decoderLayers = 24;
  v.heads = 32;
  v.inner = 10240;
  v.width = 2560;
  v.maxLength = v.sourceLength = 128;
  return v;
}();
constexpr Variant blenderbotSmall = [] {
  Variant v;
  v.normalizesTokensAlone = true;
  v.layers = v.decoderLayers = 8;
  v.inner = 2048;
  v.width = v.maxLength = v.sourceLength = 512;
  return v;
}();
constexpr Variant m2m100 = [] {
  Variant v;
  v.isPreNorm = v.scalesEmbeddings = true;
  v.normalizesEmbeddings = false;
  v.places = Places::fairseqSinusoids;
  v.vocab = 128112;
  v.activation = "relu";
  return v;
}();
constexpr Variant fsmt = [] {
  Variant v = m2m100;
  v.isPreNorm = v.sharesTables = false;
  v.hasTwoVocabularies = true;
  v.vocab = 42024;
  v.head = "model.decoder.output_projection.weight";
  v.hasHeadInBase = true;
  return v;
}();
constexpr Variant led = [] {
  Variant v;
  v.prefix = "led.";
  v.sourceLengthKey = "max_encoder_position_embeddings";
  v.targetLengthKey = "max_decoder_position_embeddings";
  v.sourceLength = 16384;
  return v;
}();

class Bart : public Seq2Seq {
public:
  Bart(ModelBuilder &b, const Variant &variant) : Seq2Seq(b), variant(variant), prefix(variant.prefix) {
    const Config &c = b.config;
    width = c.extent("d_model", variant.width);
    encoder = Stack::read(c, "encoder", width, {variant.layers, variant.heads, variant.inner});
    decoder = Stack::read(c, "decoder", width, {variant.decoderLayers, variant.heads, variant.inner});
    decoderLayers = decoder.layers;
    decoderHeads = decoder.heads;
    headSize = width / decoder.heads;
    if (variant.hasTwoVocabularies) {
      sourceVocab = c.extent("src_vocab_size", variant.vocab);
      vocab = c.extent("tgt_vocab_size", variant.vocab);
      sharesTable = false;
    } else {
      sourceVocab = c.extent("vocab_size", variant.vocab);
      sharesTable = c.flag("share_encoder_decoder_embeddings", true);
      vocab = sharesTable ? sourceVocab : c.extent("decoder_vocab_size", sourceVocab);
    }
    maxSource = c.extent(variant.sourceLengthKey, variant.sourceLength);
    maxLength = c.extent(variant.targetLengthKey, variant.maxLength);
    activation = c.activation("activation_function", variant.activation);
    embeddingScale = c.flag("scale_embedding", variant.scalesEmbeddings) ? std::sqrt(double(width)) : 1;
    tied = c.flag("tie_word_embeddings", variant.sharesTables);
    b.info.vocabSize = vocab;
    b.info.hiddenSize = width;
    b.info.numLayers = encoder.layers;
    b.info.maxLength = maxLength;
  }

  void baseModel() {
    Passes passes = beginShifted();
    b.output("last_hidden_state", passes.hidden, {"B", "S", std::to_string(width)});
    endShifted(passes);
  }

protected:
  /// What the encoder's layers read besides the mask.
  virtual SmallVector<Value> encoderOperands(const std::string &) { return {}; }
  /// x [B, E, C], mask [B, E] -> [B, E, C].
  virtual Value encoderAttention(Value x, Value mask, ValueRange) {
    return selfAttention(encoder, x, mask, nullptr);
  }

  Stack encoder;

private:
  Passes beginShifted() override {
    b.beginEntry("forward", {{"S", std::min(maxLength, maxSource)}});
    Passes passes;
    passes.ids = b.idInput("input_ids", {"B", "S"}, sourceVocab);
    Source source;
    source.mask = b.maskInput();
    source.states = passes.states = encoded(passes.ids, source.mask, "S");
    Value shifted = variant.endsInLanguage ? wrapRight(passes.ids) : shiftRight(b, passes.ids, vocab);
    passes.hidden = decode(shifted, /*mask=*/Value(), nullptr, source);
    return passes;
  }

  /// The last id that is not padding, then all but the last.
  Value wrapRight(Value ids) {
    Value one = arith::ConstantOp::create(b.builder, b.loc, b.builder.getI64IntegerAttr(1));
    Value none = arith::ConstantOp::create(b.builder, b.loc, b.builder.getI64IntegerAttr(0));
    int64_t padId = b.info.padTokenId.value_or(1);
    Value counts = reduceOver(b, "bs->b", ids, none, [&](Scalars s, ValueRange values) {
      return s.add(values[1], s.select(s.equal(values[0], s.constantI64(padId)), none, one));
    });
    return generate(b, {b.extent(ids, 0), b.extent(ids, 1)}, b.builder.getI64Type(),
                    [&](Scalars s, ValueRange at) {
                      Value zero = s.constant(0), before = s.maximum(s.subtract(at[1], s.constant(1)), zero);
                      Value last = s.subtract(s.toIndex(s.at(counts, at[0])), s.constant(1));
                      return s.select(s.equal(at[1], zero), s.at(ids, {at[0], s.maximum(last, zero)}),
                                      s.at(ids, {at[0], before}));
                    });
  }

  Value table(const Stack &stack) {
    const std::string own = prefix + stack.name + ".embed_tokens.weight";
    int64_t rows = stack.name == "encoder" ? sourceVocab : vocab;
    std::vector<NamePattern> others;
    if (!sharesTable) {
      if (tied && variant.hasTwoVocabularies)
        others.push_back(prefix + "decoder.embed_tokens.weight");
      return b.weight(own, {rows, width}, others);
    }
    if (tied)
      others.push_back("lm_head.weight");
    return tokenTable(b, own, prefix + "shared.weight", {rows, width}, others);
  }

  /// ids [B, S], the last of the positions that `mask` [B, T] covers -> [B, S, C].
  Value embedded(const Stack &stack, Value ids, Value mask) {
    const std::string norm = prefix + stack.name + ".layernorm_embedding";
    Value h = b.embedding({{ids, table(stack)}});
    if (embeddingScale != 1)
      h = b.scale(h, embeddingScale);
    bool normalizesTokens = variant.normalizesTokensAlone && stack.name == "decoder";
    if (normalizesTokens)
      h = b.layerNorm(norm, h, epsilon);
    h = addPlaces(stack, h, ids, mask);
    if (variant.normalizesEmbeddings && !normalizesTokens)
      h = b.layerNorm(norm, h, epsilon);
    return h;
  }

  /// h [B, S, C] and what its tokens' places add.
  Value addPlaces(const Stack &stack, Value h, Value ids, Value mask) {
    const std::string stored = prefix + stack.name + ".embed_positions.weight";
    bool isStored = b.weights.has(stored);
    int64_t length = stack.name == "encoder" ? maxSource : maxLength;
    if (variant.places == Places::fairseqSinusoids) {
      int64_t padId = b.info.padTokenId.value_or(1);
      Value positions = positionsOfRealTokens(b, ids, mask, padId);
      if (!isStored)
        return b.add(h, fairseqSinusoids(positions, padId));
      return b.add(h, b.embedding({{positions, b.weight(stored, {length + padId + 1, width})}}));
    }
    if (variant.places == Places::sinusoids && !isStored)
      return addRows(b, h, sinusoids(b, positionsOf(b, ids, mask), width, {/*inF64=*/true}));
    Value rows = b.weight(stored, {length + variant.positionOffset, width});
    return addRows(b, h, b.embedding({{positionsOf(b, ids, mask, variant.positionOffset), rows}}));
  }

  /// positions [B, S] -> [B, S, C]: sines, then cosines, by rates from 1 down to 1 / 10000, as tensor2tensor
  /// has them; zeros at `padId` and in the last column of an odd width.
  Value fairseqSinusoids(Value positions, int64_t padId) {
    int64_t half = width / 2;
    if (half < 2)
      b.config.fail("d_model", "expected at least 4 for sinusoids, got " + std::to_string(width));
    // In f32 by its own functions, as torch does it.
    float step = float(std::log(10000.0) / double(half - 1));
    std::vector<float> rates;
    for (int64_t column = 0; column < width; ++column)
      rates.push_back(std::exp(float(column % half) * -step));
    Value table = arith::ConstantOp::create(b.builder, b.loc,
                                            DenseElementsAttr::get(b.tensorType({width}), ArrayRef(rates)));
    b.builder.getContext()->loadDialect<math::MathDialect>();
    return mapOver(b, "bs,c->bsc", {positions, table}, b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
      Value angle = s.multiply(s.toF32(at[0]), at[1]), column = s.index(2), none = s.constantF32(0);
      Value wave = s.select(s.less(column, s.constant(half)), math::SinOp::create(s.builder, s.loc, angle),
                            math::CosOp::create(s.builder, s.loc, angle));
      wave = s.select(s.less(column, s.constant(2 * half)), wave, none);
      return s.select(s.equal(at[0], s.constantI64(padId)), none, wave);
    });
  }

  Value finalNorm(const Stack &stack, Value h) {
    return variant.isPreNorm ? b.layerNorm(prefix + stack.name + ".layer_norm", h, epsilon) : h;
  }

  Value encode(Value ids, Value mask) override { return encoded(ids, mask, "E"); }

  /// `axis` is that of the source.
  Value encoded(Value ids, Value mask, const std::string &axis) {
    SmallVector<Value> operands = encoderOperands(axis);
    Value h = b.blocks(
        "encoder_block", encoder.layers, embedded(encoder, ids, mask), mask, nullptr,
        [&](Value h, Value mask, Cache *, ValueRange operands) {
          h = sublayer(encoder, "self_attn_layer_norm", h,
                       [&](Value x) { return encoderAttention(x, mask, operands); });
          return feedForward(encoder, h);
        },
        operands);
    return finalNorm(encoder, h);
  }

  /// `mask` may be null: no padding, and no cache.
  Value decode(Value ids, Value mask, Cache *cache, const Source &source) override {
    Value h = decoderBlocks(b, "decoder_block", decoder.layers, embedded(decoder, ids, mask ? mask : ids),
                            mask, cache, source,
                            [&](Value h, Value mask, Cache *cache, const Source &source, ValueRange) {
                              h = sublayer(decoder, "self_attn_layer_norm", h,
                                           [&](Value x) { return selfAttention(decoder, x, mask, cache); });
                              if (source.isThere())
                                h = sublayer(decoder, "encoder_attn_layer_norm", h, [&](Value x) {
                                  Value q = b.linear(part(decoder, "encoder_attn.q_proj"), x, width);
                                  x = attendSource(q, source, scaleOf(decoder));
                                  return b.linear(part(decoder, "encoder_attn.out_proj"), x, width);
                                });
                              return feedForward(decoder, h);
                            });
    return finalNorm(decoder, h);
  }

  std::string part(const Stack &stack, const char *name) const {
    return prefix + stack.name + ".layers.{}." + name;
  }
  double scaleOf(const Stack &stack) const { return 1 / std::sqrt(double(width / stack.heads)); }

  /// h + body(h) with the norm before or after.
  Value sublayer(const Stack &stack, const char *norm, Value h, llvm::function_ref<Value(Value)> body) {
    if (variant.isPreNorm)
      return b.add(h, body(b.layerNorm(part(stack, norm), h, epsilon)));
    return b.layerNorm(part(stack, norm), b.add(h, body(h)), epsilon);
  }

  Value selfAttention(const Stack &stack, Value x, Value mask, Cache *cache) {
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
  }

  Value feedForward(const Stack &stack, Value h) {
    return sublayer(stack, "final_layer_norm", h, [&](Value x) {
      x = b.activation(activation, b.linear(part(stack, "fc1"), x, stack.inner));
      return b.linear(part(stack, "fc2"), x, width);
    });
  }

  std::pair<Value, Value> sourceHeads(Value states) override {
    Value k = b.linear(part(decoder, "encoder_attn.k_proj"), states, width);
    Value v = b.linear(part(decoder, "encoder_attn.v_proj"), states, width);
    return {b.splitHeads(k, decoder.heads), b.splitHeads(v, decoder.heads)};
  }

  Value logits(Value hidden) override {
    const std::string table = prefix + (sharesTable ? "shared.weight" : "decoder.embed_tokens.weight");
    // FSMT's was the decoder's table in transformers 4, which stored it once.
    bool isTied = tied || (variant.hasTwoVocabularies && !b.weights.has(variant.head));
    Value matrix = b.headWeight(variant.head, table, {vocab, width}, isTied);
    Value bias;
    if (b.weights.has("final_logits_bias")) {
      bias = b.weight("final_logits_bias", {1, vocab});
      SmallVector<ReassociationIndices> whole = {{0, 1}};
      bias = tensor::CollapseShapeOp::create(b.builder, b.loc, bias, whole);
    }
    return b.linearBy(matrix, bias, hidden);
  }

  Value lastState(Value hidden) override { return variant.hasHeadInBase ? logits(hidden) : hidden; }

  static constexpr double epsilon = 1e-5;

  const Variant &variant;
  const std::string prefix;
  Stack decoder;
  mlir::sesame::Activation activation;
  double embeddingScale;
  bool sharesTable, tied;
};

class Led : public Bart {
public:
  explicit Led(ModelBuilder &b) : Bart(b, led), windows(attentionWindows(b.config, encoder.layers)) {}

private:
  SmallVector<Value> encoderOperands(const std::string &axis) override {
    return {b.idInput("global_attention_mask", {"B", axis}, 2, "zeros"), windowSides(b, windows)};
  }
  Value encoderAttention(Value x, Value mask, ValueRange operands) override {
    const std::string layer = "led.encoder.layers.{}.self_attn.", self = layer + "longformer_self_attn.";
    x = windowedAttention(b, x, mask, {self + "query", self + "key", self + "value"}, encoder.heads,
                          operands[0], operands[1]);
    return b.linear(layer + "output", x, width);
  }

  const std::vector<int64_t> windows;
};

/// The classes of a family; null for one that it does not have.
struct Classes {
  const char *conditionalGeneration, *base, *causalLM = nullptr, *sequenceClassification = nullptr,
                                            *questionAnswering = nullptr;
};
constexpr Classes bartClasses = {"BartForConditionalGeneration", "BartModel", "BartForCausalLM",
                                 "BartForSequenceClassification", "BartForQuestionAnswering"};
constexpr Classes mbartClasses = {"MBartForConditionalGeneration", "MBartModel", "MBartForCausalLM",
                                  "MBartForSequenceClassification", "MBartForQuestionAnswering"};
constexpr Classes ledClasses = {"LEDForConditionalGeneration", "LEDModel", nullptr,
                                "LEDForSequenceClassification", "LEDForQuestionAnswering"};
constexpr Classes m2m100Classes = {"M2M100ForConditionalGeneration", "M2M100Model"};
constexpr Classes fsmtClasses = {"FSMTForConditionalGeneration", "FSMTModel"};
constexpr Classes blenderbotClasses = {"BlenderbotForConditionalGeneration", "BlenderbotModel",
                                       "BlenderbotForCausalLM"};
constexpr Classes blenderbotSmallClasses = {"BlenderbotSmallForConditionalGeneration", "BlenderbotSmallModel",
                                            "BlenderbotSmallForCausalLM"};
constexpr Classes marianClasses = {"MarianMTModel", "MarianModel", "MarianForCausalLM"};
constexpr Classes pegasusClasses = {"PegasusForConditionalGeneration", "PegasusModel", "PegasusForCausalLM"};

template <const Variant &kin> struct Model : Bart {
  explicit Model(ModelBuilder &b) : Bart(b, kin) {}
};

/// `Model` is made of a builder alone. `basesOnPairs`: the base class is given the decoder's tokens.
template <class Model, const Variant &variant, const Classes &classes>
Family makeFamily(const char *modelType, const char *task, bool basesOnPairs) {
  std::vector<Architecture> all = {
      {classes.conditionalGeneration, task, [](ModelBuilder &b) { Model(b).conditionalGeneration(); }},
      {classes.base, "feature-extraction",
       basesOnPairs ? [](ModelBuilder &b) { Model(b).pairModel(); }
                    : [](ModelBuilder &b) { Model(b).baseModel(); }},
      {classes.causalLM, "text-generation", [](ModelBuilder &b) { Model(b).causalLM(); }},
      {classes.sequenceClassification, "text-classification",
       [](ModelBuilder &b) { Model(b).sequenceClassification(); }},
      {classes.questionAnswering, "question-answering",
       [](ModelBuilder &b) { Model(b).questionAnswering(); }},
  };
  Family family;
  family.modelType = modelType;
  family.basePrefix = variant.prefix;
  for (const Architecture &each : all)
    if (each.name)
      family.architectures.push_back(each);
  family.infer = [](const WeightSource &weights) {
    bool hasEncoder = weights.has(std::string(variant.prefix) + "encoder.layers.0.fc1.weight");
    return classes.sequenceClassification && weights.has("classification_head.dense.weight")
               ? classes.sequenceClassification
           : classes.questionAnswering && weights.has("qa_outputs.weight") ? classes.questionAnswering
           : weights.isHeadless()                                          ? classes.base
           : classes.causalLM && !hasEncoder                               ? classes.causalLM
                                                                           : classes.conditionalGeneration;
  };
  family.ignoredSuffixes = {"final_logits_bias", "embed_positions.weights"};
  return family;
}

} // namespace

const Family &bartFamily() {
  static const Family family = makeFamily<Model<bart>, bart, bartClasses>("bart", "text2text-generation",
                                                                          /*basesOnPairs=*/false);
  return family;
}

const Family &blenderbotFamily() {
  static const Family family = makeFamily<Model<blenderbot>, blenderbot, blenderbotClasses>(
      "blenderbot", "text2text-generation", /*basesOnPairs=*/true);
  return family;
}

const Family &blenderbotSmallFamily() {
  static const Family family = makeFamily<Model<blenderbotSmall>, blenderbotSmall, blenderbotSmallClasses>(
      "blenderbot-small", "text2text-generation", /*basesOnPairs=*/true);
  return family;
}

const Family &fsmtFamily() {
  static const Family family =
      makeFamily<Model<fsmt>, fsmt, fsmtClasses>("fsmt", "translation", /*basesOnPairs=*/true);
  return family;
}

const Family &ledFamily() {
  static const Family family =
      makeFamily<Led, led, ledClasses>("led", "summarization", /*basesOnPairs=*/false);
  return family;
}

const Family &m2m100Family() {
  static const Family family =
      makeFamily<Model<m2m100>, m2m100, m2m100Classes>("m2m_100", "translation", /*basesOnPairs=*/true);
  return family;
}

const Family &marianFamily() {
  static const Family family =
      makeFamily<Model<marian>, marian, marianClasses>("marian", "translation", /*basesOnPairs=*/true);
  return family;
}

const Family &mbartFamily() {
  static const Family family =
      makeFamily<Model<mbart>, mbart, mbartClasses>("mbart", "translation", /*basesOnPairs=*/false);
  return family;
}

const Family &pegasusFamily() {
  static const Family family =
      makeFamily<Model<pegasus>, pegasus, pegasusClasses>("pegasus", "summarization", /*basesOnPairs=*/true);
  return family;
}

} // namespace sesame::importer
