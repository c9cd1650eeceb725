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

struct Variant {
  /// The norm comes before attention and feed-forward, and once more after the last layer.
  bool isPreNorm;
  /// A norm of the embeddings' sum.
  bool normalizesEmbeddings;
  /// The decoder's tokens are normalized before their positions are added.
  bool normalizesTokensAlone;
  Places places;
  /// Of the position table's first row that is used.
  int64_t positionOffset;
  int64_t vocab, layers, heads, inner, width, maxLength;
  const char *activation;
  bool scalesEmbeddings = false;
  /// The one table of tokens and the output's are tied, unless config.json says other.
  bool sharesTables = true;
  const char *prefix = "model.";
};
constexpr Variant bart = {false, true, false, Places::table, 2, 50265, 12, 16, 4096, 1024, 1024, "gelu"};
constexpr Variant mbart = {true, true, false, Places::table, 2, 50265, 12, 16, 4096, 1024, 1024, "gelu"};
constexpr Variant pegasus = {true, false, false, Places::sinusoids, 0, 50265, 12, 16, 4096,
                             1024, 1024,  "gelu"};
constexpr Variant marian = {false, false, false, Places::sinusoids, 0, 58101, 12, 16, 4096,
                            1024,  1024,  "gelu"};
constexpr Variant blenderbot = {true, false, false, Places::table, 0, 8008, 2, 32, 10240, 2560, 128, "gelu"};
constexpr Variant blenderbotSmall = {false, true, true, Places::table, 0,   50265,
                                     8,     16,   2048, 512,           512, "gelu"};
constexpr Variant m2m100 = {true, false,  false, Places::fairseqSinusoids, 0, 128112, 12, 16, 4096, 1024,
                            1024, "relu", true};
constexpr Variant fsmt = {false,  false, false, Places::fairseqSinusoids, 0, 42024, 12, 16, 4096, 1024, 1024,
                          "relu", true,  false};
constexpr Variant led = {false, true, false, Places::table, 0,     50265, 12,    16,
                         4096,  1024, 1024,  "gelu",        false, true,  "led."};

class Bart {
public:
  Bart(ModelBuilder &b, const Variant &variant) : b(b), variant(variant), prefix(variant.prefix) {
    const Config &c = b.config;
    width = c.extent("d_model", variant.width);
    encoder = Stack::read(c, "encoder", width, {variant.layers, variant.heads, variant.inner});
    decoder = Stack::read(c, "decoder", width,
                          {&variant == &blenderbot ? 24 : variant.layers, variant.heads, variant.inner});
    if (&variant == &fsmt) {
      vocab = c.extent("src_vocab_size", variant.vocab);
      decoderVocab = c.extent("tgt_vocab_size", variant.vocab);
      sharesTable = false;
    } else {
      vocab = c.extent("vocab_size", variant.vocab);
      sharesTable = c.flag("share_encoder_decoder_embeddings", true);
      decoderVocab = sharesTable ? vocab : c.extent("decoder_vocab_size", vocab);
    }
    if (&variant == &led) {
      sourceLength = c.extent("max_encoder_position_embeddings", 16384);
      maxLength = c.extent("max_decoder_position_embeddings", variant.maxLength);
    } else {
      sourceLength = maxLength = c.extent("max_position_embeddings", variant.maxLength);
    }
    activation = c.activation("activation_function", variant.activation);
    embeddingScale = c.flag("scale_embedding", variant.scalesEmbeddings) ? std::sqrt(double(width)) : 1;
    tied = c.flag("tie_word_embeddings", variant.sharesTables);
    b.info.vocabSize = decoderVocab;
    b.info.hiddenSize = width;
    b.info.numLayers = encoder.layers;
    b.info.maxLength = maxLength;
  }
  virtual ~Bart() = default;

  void conditionalGeneration() { seq2Seq(/*hasHead=*/true); }

  void seq2Seq(bool hasHead) {
    auto encode = [&](Value ids, Value mask) { return encoded(ids, mask, "E"); };
    auto decode = [&](Value ids, Value mask, Cache *cache, const Source &source) {
      return decoded(ids, mask, cache, source);
    };
    auto sourceHeads = [&](Value states) { return crossHeads(states); };
    auto head = [&](Value hidden) { return logits(hidden); };
    Seq2Seq model;
    model.vocabSize = decoderVocab;
    model.sourceVocabSize = vocab;
    model.width = width;
    model.maxLength = maxLength;
    model.maxSource = sourceLength;
    model.layers = decoder.layers;
    model.heads = decoder.heads;
    model.headSize = width / decoder.heads;
    model.encoder = encode;
    model.decoder = decode;
    model.sourceHeads = sourceHeads;
    if (hasHead)
      model.head = head;
    seq2SeqEntries(b, model);
  }

  /// Of a model whose base class is given the decoder's tokens.
  void pairModel() { seq2Seq(/*hasHead=*/false); }

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

protected:
  /// What the encoder's layers read besides the mask.
  virtual SmallVector<Value> encoderOperands(const std::string &) { return {}; }
  /// x [B, E, C], mask [B, E] -> [B, E, C].
  virtual Value encoderAttention(Value x, Value mask, ValueRange) {
    return selfAttention(encoder, x, mask, nullptr);
  }

  ModelBuilder &b;
  int64_t width;
  Stack encoder;

private:
  struct Passes {
    Value ids, states, hidden;
  };

  /// Opens `forward` of a model that runs both stacks over one text: the decoder reads it shifted right.
  Passes beginShifted() {
    b.beginEntry("forward", {{"S", std::min(maxLength, sourceLength)}});
    Passes passes;
    passes.ids = b.idInput("input_ids", {"B", "S"}, vocab);
    Source source;
    source.mask = b.maskInput();
    source.states = passes.states = encoded(passes.ids, source.mask, "S");
    Value shifted = wrapsLastToken() ? wrapRight(passes.ids) : shiftRight(b, passes.ids, decoderVocab);
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

  /// mBART's texts end in their language, which the decoder starts with.
  bool wrapsLastToken() const { return &variant == &mbart; }

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
    int64_t rows = stack.name == "encoder" ? vocab : decoderVocab;
    std::vector<NamePattern> others;
    if (!sharesTable) {
      if (tied && &variant == &fsmt)
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
    int64_t length = stack.name == "encoder" ? sourceLength : maxLength;
    if (variant.places == Places::fairseqSinusoids) {
      int64_t padId = b.info.padTokenId.value_or(1);
      Value positions = realPositions(ids, mask, padId);
      if (!isStored)
        return b.add(h, fairseqSinusoids(positions, padId));
      return b.add(h, b.embedding({{positions, b.weight(stored, {length + padId + 1, width})}}));
    }
    if (variant.places == Places::sinusoids && !isStored)
      return addRows(b, h, sinusoids(b, positionsOf(b, ids, mask), width, {/*inF64=*/true}));
    Value rows = b.weight(stored, {length + variant.positionOffset, width});
    return addRows(b, h, b.embedding({{positionsOf(b, ids, mask, variant.positionOffset), rows}}));
  }

  /// Of ids [B, S], the last of T positions: `padId` plus how many tokens there are up to each, not counting
  /// padding among the S; `padId` for padding.
  Value realPositions(Value ids, Value mask, int64_t padId) {
    Value past = arith::SubIOp::create(b.builder, b.loc, b.dim(mask, 1), b.dim(ids, 1));
    Type i64 = b.builder.getI64Type();
    return mapOver(b, "bs->bs", positionsOfRealTokens(b, ids, padId), i64, [&](Scalars s, ValueRange at) {
      Value isPadding = s.equal(at[0], s.constantI64(padId));
      return s.select(isPadding, at[0], s.add(at[0], s.toI64(past)));
    });
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
  Value decoded(Value ids, Value mask, Cache *cache, const Source &source) {
    Value h = decoderBlocks(b, "decoder_block", decoder.layers, embedded(decoder, ids, mask ? mask : ids),
                            mask, cache, source,
                            [&](Value h, Value mask, Cache *cache, const Source &source, ValueRange) {
                              h = sublayer(decoder, "self_attn_layer_norm", h,
                                           [&](Value x) { return selfAttention(decoder, x, mask, cache); });
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

  std::pair<Value, Value> crossHeads(Value states) {
    Value k = b.linear(part(decoder, "encoder_attn.k_proj"), states, width);
    Value v = b.linear(part(decoder, "encoder_attn.v_proj"), states, width);
    return {b.splitHeads(k, decoder.heads), b.splitHeads(v, decoder.heads)};
  }

  Value logits(Value hidden) {
    const std::string own =
        &variant == &fsmt ? prefix + "decoder.output_projection.weight" : "lm_head.weight";
    const std::string table = prefix + (sharesTable ? "shared.weight" : "decoder.embed_tokens.weight");
    // FSMT's was the decoder's table in transformers 4, which stored it once.
    bool isTied = tied || (&variant == &fsmt && !b.weights.has(own));
    Value matrix = b.headWeight(own, table, {decoderVocab, width}, isTied);
    Value bias;
    if (b.weights.has("final_logits_bias")) {
      bias = b.weight("final_logits_bias", {1, decoderVocab});
      SmallVector<ReassociationIndices> whole = {{0, 1}};
      bias = tensor::CollapseShapeOp::create(b.builder, b.loc, bias, whole);
    }
    return b.linearBy(matrix, bias, hidden);
  }

  static constexpr double epsilon = 1e-5;

  const Variant &variant;
  const std::string prefix;
  int64_t vocab, decoderVocab, maxLength, sourceLength;
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

template <const Variant &variant> void conditionalGeneration(ModelBuilder &b) {
  Bart(b, variant).conditionalGeneration();
}
template <const Variant &variant> void pairModel(ModelBuilder &b) { Bart(b, variant).pairModel(); }
template <const Variant &variant> void baseModel(ModelBuilder &b) { Bart(b, variant).baseModel(); }
template <const Variant &variant> void sequenceClassification(ModelBuilder &b) {
  Bart(b, variant).sequenceClassification();
}
template <const Variant &variant> void questionAnswering(ModelBuilder &b) {
  Bart(b, variant).questionAnswering();
}

/// The class of BART's kin by its head.
template <const char *const (&classes)[4]> const char *inferClass(const WeightSource &weights) {
  return weights.has("classification_head.dense.weight") ? classes[2]
         : weights.has("qa_outputs.weight")              ? classes[3]
         : weights.isHeadless()                          ? classes[1]
                                                         : classes[0];
}
constexpr const char *bartClasses[4] = {"BartForConditionalGeneration", "BartModel",
                                        "BartForSequenceClassification", "BartForQuestionAnswering"};
constexpr const char *mbartClasses[4] = {"MBartForConditionalGeneration", "MBartModel",
                                         "MBartForSequenceClassification", "MBartForQuestionAnswering"};

} // namespace

const Family &bartFamily() {
  static const Family family = {
      "bart",
      "model.",
      {
          {bartClasses[0], "text2text-generation", conditionalGeneration<bart>},
          {bartClasses[1], "feature-extraction", baseModel<bart>},
          {bartClasses[2], "text-classification", sequenceClassification<bart>},
          {bartClasses[3], "question-answering", questionAnswering<bart>},
      },
      inferClass<bartClasses>,
      {"final_logits_bias"},
  };
  return family;
}

const Family &ledFamily() {
  static const Family family = {
      "led",
      "led.",
      {
          {"LEDForConditionalGeneration", "summarization",
           [](ModelBuilder &b) { Led(b).conditionalGeneration(); }},
          {"LEDModel", "feature-extraction", [](ModelBuilder &b) { Led(b).baseModel(); }},
          {"LEDForQuestionAnswering", "question-answering",
           [](ModelBuilder &b) { Led(b).questionAnswering(); }},
      },
      [](const WeightSource &weights) {
        return weights.has("qa_outputs.weight") ? "LEDForQuestionAnswering"
               : weights.isHeadless()           ? "LEDModel"
                                                : "LEDForConditionalGeneration";
      },
      {"final_logits_bias"},
  };
  return family;
}

const Family &m2m100Family() {
  static const Family family = {
      "m2m_100",
      "model.",
      {{"M2M100ForConditionalGeneration", "translation", conditionalGeneration<m2m100>},
       {"M2M100Model", "feature-extraction", pairModel<m2m100>}},
      nullptr,
      {"embed_positions.weights"}};
  return family;
}

const Family &fsmtFamily() {
  static const Family family = {
      "fsmt", "model.", {{"FSMTForConditionalGeneration", "translation", conditionalGeneration<fsmt>}}};
  return family;
}

const Family &blenderbotFamily() {
  static const Family family = {
      "blenderbot",
      "model.",
      {{"BlenderbotForConditionalGeneration", "text2text-generation", conditionalGeneration<blenderbot>},
       {"BlenderbotModel", "feature-extraction", pairModel<blenderbot>}}};
  return family;
}

const Family &blenderbotSmallFamily() {
  static const Family family = {"blenderbot-small",
                                "model.",
                                {{"BlenderbotSmallForConditionalGeneration", "text2text-generation",
                                  conditionalGeneration<blenderbotSmall>},
                                 {"BlenderbotSmallModel", "feature-extraction", pairModel<blenderbotSmall>}}};
  return family;
}

const Family &marianFamily() {
  static const Family family = {"marian",
                                "model.",
                                {{"MarianMTModel", "translation", conditionalGeneration<marian>},
                                 {"MarianModel", "feature-extraction", pairModel<marian>}}};
  return family;
}

const Family &mbartFamily() {
  static const Family family = {"mbart",
                                "model.",
                                {
                                    {mbartClasses[0], "translation", conditionalGeneration<mbart>},
                                    {mbartClasses[1], "feature-extraction", baseModel<mbart>},
                                    {mbartClasses[2], "text-classification", sequenceClassification<mbart>},
                                    {mbartClasses[3], "question-answering", questionAnswering<mbart>},
                                },
                                inferClass<mbartClasses>,
                                {"final_logits_bias"}};
  return family;
}

const Family &pegasusFamily() {
  static const Family family = {
      "pegasus",
      "model.",
      {{"PegasusForConditionalGeneration", "summarization", conditionalGeneration<pegasus>},
       {"PegasusModel", "feature-extraction", pairModel<pegasus>}}};
  return family;
}

} // namespace sesame::importer
