//===- Funnel.cpp - Funnel-Transformer --------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Dai et al. 2020; transformers/models/funnel/modeling_funnel.py. The first layer of every block but the
// first attends from pairs of tokens pooled into one, so that each block is half as long as the one before; a
// decoder stretches the result and adds what the first block said. Axes: B batch, S queries, T keys, H heads,
// D features of a head, M relative positions.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"
#include "../Seq2Seq.h"
#include "../TensorOps.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace ops = mlir::sesame;

namespace {

class Funnel {
public:
  Funnel(ModelBuilder &b, bool hasDecoder) : b(b), hasDecoder(hasDecoder) {
    const Config &c = b.config;
    width = c.extent(c.either("d_model", "hidden_size"), 768);
    if (width % 2)
      c.fail("d_model",
             "expected an even number, half for sines and half for cosines, got " + std::to_string(width));
    heads = c.extent(c.either("n_head", "num_attention_heads"), 12);
    headSize = c.extent("d_head", 64);
    if (heads > Config::maxExtent / headSize)
      c.fail("d_head", "expected at most " + std::to_string(Config::maxExtent / heads) + ", got " +
                           std::to_string(headSize));
    inner = c.extent("d_inner", 3072);
    vocab = c.extent("vocab_size", 30522);
    activation = c.activation("hidden_act", "gelu_new");
    epsilon = c.epsilon("layer_norm_eps", 1e-9);
    tied = c.flag("tie_word_embeddings", true);
    takesMaximum = c.choice("pooling_type", {"mean", "max"}, "mean") == "max";
    // Two ways to compute the same scores.
    c.choice("attention_type", {"relative_shift", "factorized"}, "relative_shift");
    separatesClass = c.flag("separate_cls", true);
    truncates = separatesClass && c.flag("truncate_seq", true);
    poolsQueriesOnly = c.flag("pool_q_only", true);
    readBlocks();
    if (hasDecoder)
      decoderLayers = c.layers("num_decoder_layers", 2);
    b.info.vocabSize = vocab;
    b.info.hiddenSize = width;
    for (auto [size, repeats] : blocks)
      b.info.numLayers += size;
  }

  void model() {
    Value h = beginForward();
    b.output("last_hidden_state", h, {"B", "S", std::to_string(width)});
    b.endEntry();
  }

  /// Without the decoder: as short as the last block.
  void baseModel() {
    Value h = beginForward();
    // What pooling block after block comes to.
    int64_t divisor = int64_t(1) << (blocks.size() - 1);
    Builder &attributes = b.builder;
    NamedAttrList formula;
    formula.append("terms", attributes.getStrArrayAttr({"S"}));
    formula.append("plus",
                   attributes.getI64IntegerAttr(pooling().added == 1 ? divisor - 1 : 2 * divisor - 2));
    formula.append("divide", attributes.getI64IntegerAttr(divisor));
    if (pooling().least)
      formula.append("at_least", attributes.getI64IntegerAttr(pooling().least));
    Attribute pooled = formula.getDictionary(attributes.getContext());
    b.builder.getInsertionBlock()->getParentOp()->setAttr(
        "sesame.derived", attributes.getDictionaryAttr(attributes.getNamedAttr("P", pooled)));
    b.output("last_hidden_state", h, {"B", "P", std::to_string(width)});
    b.endEntry();
  }

  void maskedLM() {
    Value h = beginForward();
    Value matrix = b.headWeight("lm_head.weight", wordTable, {vocab, width}, tied);
    b.output("logits", b.linearBy(matrix, b.weight("lm_head.bias", {vocab}), h),
             {"B", "S", std::to_string(vocab)});
    b.endEntry();
  }

  /// Whether each token was replaced.
  void preTraining() {
    Value h = beginForward();
    Value x = b.activation(activation, b.linear("discriminator_predictions.dense", h, width));
    b.output("logits", b.dropLastAxis(b.linear("discriminator_predictions.dense_prediction", x, 1)),
             {"B", "S"});
    b.endEntry();
  }

  void tokenClassification() {
    int64_t labels = b.config.numLabels();
    Value h = beginForward();
    b.output("logits", b.linear("classifier", h, labels), {"B", "S", std::to_string(labels)});
    b.endEntry();
  }

  void questionAnswering() {
    questionAnsweringOutputs(b, "qa_outputs", beginForward());
    b.endEntry();
  }

  void sequenceClassification() {
    int64_t labels = b.config.numLabels();
    b.output("logits", classify(beginForward(), labels), {"B", std::to_string(labels)});
    b.endEntry();
  }

  void multipleChoice() {
    b.beginEntry("forward");
    ModelBuilder::Dims dims = {"B", "N", "S"};
    Value ids = b.idInput("input_ids", dims, vocab), mask = b.maskInput(dims),
          types = b.idInput("token_type_ids", dims, 0, "zeros");
    Value h = run(b.mergeLeading(ids), {b.mergeLeading(types), b.mergeLeading(mask)});
    b.output("logits", b.dropLastAxis(b.splitLeading(classify(h, 1), ids)), {"B", "N"});
    b.endEntry();
  }

private:
  /// What attention has to know of the tokens of one length: their kinds, and which are there; [B, S] each.
  struct Level {
    Value types, mask;
  };
  struct Block {
    int64_t size, repeats;
  };

  void readBlocks() {
    const Config &c = b.config;
    std::vector<int64_t> sizes = c.integers("block_sizes", 1, Config::maxLayers);
    // The code of a layer is made once for each repeat.
    std::vector<int64_t> repeats = c.integers("block_repeats", 1, 16);
    if (!c.has("block_sizes"))
      sizes = {4, 4, 4};
    if (!c.has("block_repeats"))
      repeats.assign(sizes.size(), 1);
    // Each block but the first halves the length.
    if (sizes.empty() || sizes.size() > 16)
      c.fail("block_sizes", "expected 1 to 16 blocks, got " + std::to_string(sizes.size()));
    if (repeats.size() != sizes.size())
      c.fail("block_repeats", "expected one for each of the " + std::to_string(sizes.size()) +
                                  " blocks, got " + std::to_string(repeats.size()));
    for (auto [size, count] : llvm::zip_equal(sizes, repeats))
      blocks.push_back({size, count});
    // What the decoder adds is the state after as many steps as the first block has layers, in the middle of
    // the block if it repeats them.
    if (hasDecoder && repeats.front() != 1)
      c.fail("block_repeats", "expected 1 for the first block of a model with a decoder, got " +
                                  std::to_string(repeats.front()));
  }

  Value beginForward() {
    b.beginEntry("forward");
    Value ids = b.idInput("input_ids", {"B", "S"}, vocab), mask = b.maskInput(),
          types = b.idInput("token_type_ids", {"B", "S"}, 0, "zeros");
    return run(ids, {types, mask});
  }

  Value classify(Value h, int64_t labels) {
    Value x = b.linear("classifier.linear_hidden", b.select(h, 1, b.builder.getIndexAttr(0)), width);
    return b.linear("classifier.linear_out", b.activation(ops::Activation::tanh, x), labels);
  }

  /// ids [B, S] -> [B, S, C], without a decoder [B, S', C].
  Value run(Value ids, const Level &tokens) {
    Value h = b.embedding({{ids, b.inputTable(wordTable, "lm_head.weight", {vocab, width}, tied)}});
    h = b.layerNorm("funnel.embeddings.layer_norm", h, epsilon);
    Level level = tokens;
    Value ofFirstBlock;
    for (int64_t index = 0; index < int64_t(blocks.size()); ++index) {
      h = encode(index, h, level);
      if (index == 0)
        ofFirstBlock = h;
    }
    if (!hasDecoder)
      return h;
    h = addStretched(ofFirstBlock, h, tokens);
    return layers("decoder_block", "funnel.decoder.layers.{}.", {0, decoderLayers}, 1, h, tokens,
                  /*power=*/0);
  }

  //===--------------------------------------------------------------------===//
  // Lengths
  //===--------------------------------------------------------------------===//

  /// Lengths from n to max((n + added) / 2, min(n, least)): two tokens become one, but the class token stays
  /// by itself, in whose favour the last token is left out. Nothing but a class token and one other is pooled
  /// no more.
  struct Pooling {
    int64_t added, least;
  };
  Pooling pooling() const {
    if (!separatesClass)
      return {1, 0};
    return truncates ? Pooling{1, 2} : Pooling{2, 0};
  }
  Value pooledLength(Value length) {
    Scalars s{b.builder, b.loc};
    Value half = s.divide(s.add(length, s.constant(pooling().added)), s.constant(2));
    return s.maximum(half, s.minimum(length, s.constant(pooling().least)));
  }

  /// The two tokens that `place` is made of, and whether there is a second one.
  struct Pair {
    Value first, second, hasSecond;
  };
  Pair pairAt(Scalars s, Value place, Value length) {
    Value twice = s.multiply(place, s.constant(2)), last = s.subtract(length, s.constant(1));
    Value first = separatesClass ? s.maximum(s.subtract(twice, s.constant(1)), s.constant(0)) : twice;
    Value second = separatesClass ? twice : s.add(twice, s.constant(1));
    return {first, s.minimum(second, last), s.less(second, truncates ? last : length)};
  }

  /// h [B, S, C] -> [B, S', C].
  Value pooled(Value h, const Level &level) {
    Value length = b.dim(level.types, 1);
    return generate(b, {b.extent(level.types, 0), pooledLength(length), b.builder.getIndexAttr(width)},
                    b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
                      Pair pair = pairAt(s, at[1], length);
                      Value first = s.at(h, {at[0], pair.first, at[2]}),
                            second = s.at(h, {at[0], pair.second, at[2]});
                      Value both = takesMaximum ? s.maximum(first, second)
                                                : s.multiply(s.add(first, second), s.constantF32(0.5));
                      return s.select(pair.hasSecond, both, first);
                    });
  }
  Level pooled(const Level &level) {
    Value length = b.dim(level.types, 1);
    SmallVector<OpFoldResult> extents = {b.extent(level.types, 0), pooledLength(length)};
    Type i64 = b.builder.getI64Type();
    Level result;
    result.types = generate(b, extents, i64, [&](Scalars s, ValueRange at) {
      return s.at(level.types, {at[0], pairAt(s, at[1], length).first});
    });
    result.mask = generate(b, extents, i64, [&](Scalars s, ValueRange at) {
      Pair pair = pairAt(s, at[1], length);
      Value first = s.at(level.mask, {at[0], pair.first}), second = s.at(level.mask, {at[0], pair.second});
      return s.select(pair.hasSecond, s.minimum(first, second), first);
    });
    return result;
  }

  /// x [B, S, C] plus `h` [B, S', C] with each of its tokens but the class token as often as it was halved.
  Value addStretched(Value x, Value h, const Level &tokens) {
    Value length = b.dim(h, 1);
    int64_t stride = int64_t(1) << (blocks.size() - 1);
    return generate(b, {b.extent(tokens.types, 0), b.extent(tokens.types, 1), b.builder.getIndexAttr(width)},
                    b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
                      Value place = s.divide(at[1], s.constant(stride));
                      if (separatesClass) {
                        Value other = s.divide(s.add(at[1], s.constant(stride - 1)), s.constant(stride));
                        place = s.select(s.equal(at[1], s.constant(0)), at[1], other);
                      }
                      Value inside = s.minimum(place, s.subtract(length, s.constant(1)));
                      // Where tokens were left out there are zeros.
                      Value far =
                          s.select(s.equal(place, inside), s.at(h, {at[0], inside, at[2]}), s.constantF32(0));
                      return s.add(far, s.at(x, {at[0], at[1], at[2]}));
                    });
  }

  //===--------------------------------------------------------------------===//
  // Layers
  //===--------------------------------------------------------------------===//

  /// Block `index`: h [B, S, C] -> [B, S', C] and its level.
  Value encode(int64_t index, Value h, Level &level) {
    const std::string name = "funnel.encoder.blocks." + std::to_string(index) + ".";
    int64_t first = 0;
    Block block = blocks[index];
    if (index > 0) {
      Level shorter = pooled(level);
      Value queries = pooled(h, level);
      if (poolsQueriesOnly)
        h = layer(name + "0.", queries, h, shorter, level, relativePositions(shorter, level, index - 1, 2),
                  2);
      else
        h = layer(name + "0.", queries, queries, shorter, shorter,
                  relativePositions(shorter, shorter, index, 1), 1);
      level = shorter;
      for (int64_t repeat = 1; repeat < block.repeats; ++repeat)
        h = layer(name + "0.", h, h, level, level, relativePositions(level, level, index, 1), 1);
      first = 1;
    }
    return layers("encoder_block" + std::to_string(index), name + "{}.", {first, block.size - first},
                  block.repeats, h, level, index);
  }

  struct LayerRange {
    int64_t first, count;
  };

  /// Equal layers over tokens that are 2 ^ `power` apart, each `repeats` times.
  Value layers(const std::string &function, const NamePattern &name, LayerRange range, int64_t repeats,
               Value h, const Level &level, int64_t power) {
    if (range.count == 0)
      return h;
    Value table = relativePositions(level, level, power, 1);
    return b
        .layers(
            function, range.count, h, {table, level.types, level.mask},
            [&](ValueRange carried, ValueRange shared) -> SmallVector<Value> {
              Value x = carried.front();
              Level inside = {shared[1], shared[2]};
              for (int64_t repeat = 0; repeat < repeats; ++repeat)
                x = layer(name, x, x, inside, inside, shared[0], 1);
              return {x};
            },
            range.first)
        .front();
  }

  /// The sinusoids [1, M, C] of all positions of a query relative to a key, the nearest key's first. Keys are
  /// 2 ^ `power` apart, and queries `step` times as far. The class token, for which all this does not count,
  /// is where the one before the first token would be.
  Value relativePositions(const Level &queries, const Level &keys, int64_t power, int64_t step) {
    Scalars s{b.builder, b.loc};
    Value farthest = s.subtract(b.dim(keys.types, 1), s.constant(1));
    Value count = s.multiply(s.subtract(b.dim(queries.types, 1), s.constant(1)), s.constant(step));
    count = s.add(s.add(count, farthest), s.constant(1));
    int64_t shift = separatesClass ? step - 1 : 0;
    Value positions = generate(
        b, {b.builder.getIndexAttr(1), count}, b.builder.getI64Type(), [&](Scalars inside, ValueRange at) {
          Value place = inside.subtract(at[1], inside.add(farthest, inside.constant(shift)));
          return inside.toI64(inside.multiply(place, inside.constant(int64_t(1) << power)));
        });
    return sinusoids(b, positions, width);
  }

  /// `table` and `step` are of relativePositions. query [B, S, C], key [B, T, C] -> [B, S, C].
  Value layer(const NamePattern &name, Value query, Value key, const Level &queries, const Level &keys,
              Value table, int64_t step) {
    Value x = attention(name + "attention.", query, key, queries, keys, table, step);
    x = b.linear(name + "attention.post_proj", x, width);
    Value h = b.layerNorm(name + "attention.layer_norm", b.add(x, query), epsilon);
    x = b.activation(activation, b.linear(name + "ffn.linear_1", h, inner));
    x = b.linear(name + "ffn.linear_2", x, width);
    return b.layerNorm(name + "ffn.layer_norm", b.add(x, h), epsilon);
  }

  Value attention(const NamePattern &name, Value query, Value key, const Level &queries, const Level &keys,
                  Value table, int64_t step) {
    int64_t columns = heads * headSize;
    Value q = b.linear(name + "q_head", query, columns, withoutBias);
    Value k = b.linear(name + "k_head", key, columns), v = b.linear(name + "v_head", key, columns);
    auto withBias = [&](const char *bias) {
      Value row = reshapedWeight(b, name + bias, {heads, headSize}, {columns});
      return b.splitHeads(addBias(b, q, row), heads); // [B, H, S, D]
    };
    Value kernel = reshapedWeight(b, name + "r_kernel", {width, heads, headSize}, {width, columns});
    Value relative =
        ops::LinearOp::create(b.builder, b.loc, b.tensorType({1, ShapedType::kDynamic, columns}), table,
                              kernel, Value(), Value(), ops::WeightLayout::kn, ops::Activation::identity);
    Value byPosition =
        einsum(b, "bhsd,xhmd->bhsm", withBias("r_r_bias"), b.splitHeads(relative, heads)); // [B, H, S, M]
    Value segments = b.weight(name + "seg_embed", {2, heads, headSize});
    Value byType = einsum(b, "bhsd,xhd->bhsx", withBias("r_s_bias"), segments); // [B, H, S, 2]

    AttentionOptions options;
    options.scale = 1 / std::sqrt(double(headSize));
    Value farthest = Scalars{b.builder, b.loc}.subtract(b.dim(keys.types, 1), b.constant(1));
    options.bias = generate(
        b,
        {b.extent(queries.types, 0), b.builder.getIndexAttr(heads), b.extent(queries.types, 1),
         b.extent(keys.types, 1)},
        b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
          Value place = s.add(s.subtract(s.multiply(at[2], s.constant(step)), at[3]), farthest);
          Value position = s.at(byPosition, {at[0], at[1], at[2], place});
          Value bias = s.multiply(s.add(position, typeScore(s, byType, queries, keys, at)),
                                  s.constantF32(options.scale));
          if (separatesClass)
            for (Value index : {at[2], at[3]})
              bias = s.select(s.equal(index, s.constant(0)), s.constantF32(0), bias);
          // A row of which nothing is left sees everything, as in the reference.
          Value there = s.toF32(s.at(keys.mask, {at[0], at[3]}));
          return s.subtract(bias, s.multiply(s.subtract(s.constantF32(1), there), s.constantF32(1e6)));
        });
    return b.mergeHeads(
        b.attendHeads(withBias("r_w_bias"), b.splitHeads(k, heads), b.splitHeads(v, heads), options));
  }

  /// By whether query and key are of one segment; a class token (type 2) is of all.
  Value typeScore(Scalars s, Value byType, const Level &queries, const Level &keys, ValueRange at) {
    Value ofQuery = s.toIndex(s.at(queries.types, {at[0], at[2]})),
          ofKey = s.toIndex(s.at(keys.types, {at[0], at[3]}));
    auto score = [&](int64_t same) { return s.at(byType, {at[0], at[1], at[2], s.constant(same)}); };
    Value ofSame = score(1), result = s.select(s.equal(ofQuery, ofKey), ofSame, score(0));
    for (Value type : {ofQuery, ofKey})
      result = s.select(s.equal(type, s.constant(2)), ofSame, result);
    return result;
  }

  static constexpr const char *wordTable = "funnel.embeddings.word_embeddings.weight";

  ModelBuilder &b;
  const bool hasDecoder;
  int64_t width, heads, headSize, inner, vocab, decoderLayers = 0;
  std::vector<Block> blocks;
  ops::Activation activation;
  double epsilon;
  bool tied, takesMaximum, separatesClass, truncates, poolsQueriesOnly;
};

Funnel whole(ModelBuilder &b) { return Funnel(b, /*hasDecoder=*/true); }
Funnel withoutDecoder(ModelBuilder &b) { return Funnel(b, /*hasDecoder=*/false); }

} // namespace

const Family &funnelFamily() {
  static const Family family = {
      "funnel",
      "funnel.",
      {
          {"FunnelModel", "feature-extraction", [](ModelBuilder &b) { whole(b).model(); }},
          {"FunnelBaseModel", "feature-extraction", [](ModelBuilder &b) { withoutDecoder(b).baseModel(); }},
          {"FunnelForMaskedLM", "fill-mask", [](ModelBuilder &b) { whole(b).maskedLM(); }},
          {"FunnelForPreTraining", "replaced-token-detection",
           [](ModelBuilder &b) { whole(b).preTraining(); }},
          {"FunnelForTokenClassification", "token-classification",
           [](ModelBuilder &b) { whole(b).tokenClassification(); }},
          {"FunnelForQuestionAnswering", "question-answering",
           [](ModelBuilder &b) { whole(b).questionAnswering(); }},
          {"FunnelForSequenceClassification", "text-classification",
           [](ModelBuilder &b) { withoutDecoder(b).sequenceClassification(); }},
          {"FunnelForMultipleChoice", "multiple-choice",
           [](ModelBuilder &b) { withoutDecoder(b).multipleChoice(); }},
      },
      [](const WeightSource &weights) {
        return classByHead(weights,
                           {{"classifier.linear_out.weight", "FunnelForSequenceClassification"},
                            {"classifier.weight", "FunnelForTokenClassification"},
                            {"qa_outputs.weight", "FunnelForQuestionAnswering"},
                            {"discriminator_predictions.dense.weight", "FunnelForPreTraining"},
                            {"lm_head.bias", "FunnelForMaskedLM"}},
                           weights.has("funnel.decoder.layers.0.attention.q_head.weight")
                               ? "FunnelModel"
                               : "FunnelBaseModel");
      },
      {},
  };
  return family;
}

} // namespace sesame::importer
