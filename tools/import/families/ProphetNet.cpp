//===- ProphetNet.cpp - ProphetNet ----------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Qi et al. 2020; transformers/models/prophetnet/modeling_prophetnet.py. The decoder runs N streams beside
// the text's own, one after the other on the axis of positions: [B, (1 + N) * S, C]. Stream n at a position
// predicts the token n + 1 places on, from the main stream and itself; the first gives the language model.
//
//===----------------------------------------------------------------------===//

#include "../Registry.h"
#include "../RelativeAttention.h"
#include "../Seq2Seq.h"
#include "../TensorOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace {

class ProphetNet : public Seq2Seq {
public:
  explicit ProphetNet(ModelBuilder &b) : Seq2Seq(b) {
    const Config &c = b.config;
    width = c.extent("hidden_size", 1024);
    vocab = sourceVocab = c.extent("vocab_size", 30522);
    encoder = readStack("encoder");
    decoder = readStack("decoder");
    activation = c.activation("activation_function", "gelu");
    streams = c.integer("ngram", 1, 64, 2);
    padId = b.info.padTokenId.value_or(0);
    tableRows = c.integer("max_position_embeddings", padId + 4, Config::maxExtent, 512);
    buckets = c.integer("num_buckets", 2, 1 << 16, 32);
    maxDistance = c.integer("relative_max_distance", 1, 1 << 20, 128);
    if (maxDistance <= buckets / 2)
      c.fail("relative_max_distance",
             "expected more than half of num_buckets, got " + std::to_string(maxDistance));
    tied = c.flag("tie_word_embeddings", true);
    // Positions begin behind padding's, and a stream has the position after that of its token.
    maxSource = tableRows - 1 - padId;
    maxLength = maxSource - 1;
    decoderLayers = decoder.layers;
    decoderHeads = decoder.heads;
    headSize = width / decoder.heads;
    b.info.vocabSize = vocab;
    b.info.hiddenSize = width;
    b.info.numLayers = encoder.layers;
    b.info.maxLength = maxSource;
  }

  void conditionalGeneration() {
    requireSource();
    Seq2Seq::conditionalGeneration();
  }
  void pairModel() {
    requireSource();
    Seq2Seq::pairModel();
  }

  void encoderModel() {
    b.beginEntry("forward", {{"S", maxSource}});
    Value ids = b.idInput("input_ids", {"B", "S"}, vocab);
    b.output("last_hidden_state", encode(ids, b.maskInput()), {"B", "S", std::to_string(width)});
    b.endEntry();
  }

  /// The decoder alone without a head.
  void decoderModel() {
    b.beginEntry("forward", {{"S", maxLength}});
    Value ids = b.idInput("input_ids", {"B", "S"}, vocab);
    Value hidden = decode(ids, b.maskInput(), nullptr, Source());
    b.output("last_hidden_state", lastState(hidden), {"B", "S", std::to_string(width)});
    moreOutputs(hidden, /*hasHead=*/false);
    b.endEntry();
  }

private:
  void requireSource() const {
    if (!b.config.flag("add_cross_attention", true))
      b.config.fail("add_cross_attention", "expected true, got false");
  }

  Stack readStack(const std::string &name) const {
    const Config &c = b.config;
    return {name, c.layers("num_" + name + "_layers", 12),
            c.divisor("num_" + name + "_attention_heads", "hidden_size", width, 16),
            c.extent(name + "_ffn_dim", 4096)};
  }

  Value wordTable(const Stack &stack) {
    std::vector<NamePattern> others;
    if (tied)
      others.push_back("lm_head.weight");
    return tokenTable(b, "prophetnet." + stack.name + ".word_embeddings.weight", tableName, {vocab, width},
                      others);
  }
  Value positionTable(const Stack &stack) {
    return b.weight("prophetnet." + stack.name + ".position_embeddings.weight", {tableRows, width});
  }
  Value normalized(const Stack &stack, Value h) {
    return b.layerNorm("prophetnet." + stack.name + ".embeddings_layer_norm", h, epsilon);
  }

  /// ids, mask [B, E] -> [B, E, C].
  Value encode(Value ids, Value mask) override {
    Value positions = mapOver(b, "bs,bs->bs", {mask, maskPositions(b, mask)}, b.builder.getI64Type(),
                              [&](Scalars s, ValueRange v) {
                                Value isReal = s.less(s.constantI64(0), v[0]), pad = s.constantI64(padId);
                                return s.select(isReal, s.add(v[1], s.constantI64(padId + 1)), pad);
                              });
    Value h =
        normalized(encoder, b.embedding({{ids, wordTable(encoder)}, {positions, positionTable(encoder)}}));
    return b.blocks("encoder_block", encoder.layers, h, mask, nullptr,
                    [&](Value h, Value mask, Cache *, ValueRange) {
                      h = sublayer(encoder, "self_attn_layer_norm", h, [&](Value x) {
                        AttentionOptions options;
                        options.heads = encoder.heads;
                        options.scale = scaleOf(encoder);
                        options.mask = mask;
                        x = b.attention(project(encoder, "self_attn.query_proj", x),
                                        project(encoder, "self_attn.key_proj", x),
                                        project(encoder, "self_attn.value_proj", x), options);
                        return project(encoder, "self_attn.out_proj", x);
                      });
                      return feedForward(encoder, h);
                    });
  }

  /// ids [B, S], mask [B, T] -> all streams [B, (1 + N) * S, C].
  Value decode(Value ids, Value mask, Cache *cache, const Source &source) override {
    length = b.dim(ids, 1);
    Value table = positionTable(decoder),
          rows = b.weight("prophetnet.decoder.ngram_embeddings.weight", {streams, width});
    SmallVector<Value> parts = {
        b.embedding({{ids, wordTable(decoder)}, {positionsOf(b, ids, mask, padId + 1), table}})};
    for (int64_t n = 0; n < streams; ++n) {
      // The reference counts the rows from the last one on.
      Value row = generate(b, {b.extent(ids, 0), length}, b.builder.getI64Type(),
                           [&](Scalars s, ValueRange) { return s.constantI64((n + streams - 1) % streams); });
      parts.push_back(b.embedding({{row, rows}, {positionsOf(b, ids, mask, padId + 2), table}}));
    }
    Value h = normalized(decoder, concat(b, parts, 1));
    return decoderBlocks(
        b, "decoder_block", decoder.layers, h, mask, cache, source,
        [&](Value h, Value mask, Cache *cache, const Source &source, ValueRange shared) {
          // The extent of an argument, which a function knows as its own.
          Value outside = std::exchange(length, b.dim(shared[0], 1));
          h = sublayer(decoder, "self_attn_layer_norm", h, [&](Value x) {
            return project(decoder, "self_attn.out_proj", streamAttention(x, mask, cache));
          });
          if (source.isThere())
            h = sublayer(decoder, "cross_attn_layer_norm", h, [&](Value x) {
              x = attendSource(project(decoder, "cross_attn.query_proj", x), source, scaleOf(decoder));
              return project(decoder, "cross_attn.out_proj", x);
            });
          h = feedForward(decoder, h);
          length = outside;
          return h;
        },
        ids);
  }

  /// x [B, (1 + N) * S, C], mask [B, T] -> the same extents: the main stream attends to itself, each other
  /// one to the main stream and to its own place.
  Value streamAttention(Value x, Value mask, Cache *cache) {
    Value q = project(decoder, "self_attn.query_proj", x), k = project(decoder, "self_attn.key_proj", x),
          v = project(decoder, "self_attn.value_proj", x);
    // [B, (1 + N) * S, buckets * H]
    Value relative = b.linear(part(decoder, "self_attn.relative_pos_embeddings"), x, buckets * decoder.heads);
    auto heads = [&](Value whole, int64_t which) {
      return b.splitHeads(stream(whole, which, 1), decoder.heads);
    };
    Value keys = heads(k, 0), values = heads(v, 0);
    if (cache)
      b.appendToCache(*cache, keys, values);
    Value past = arith::SubIOp::create(b.builder, b.loc, b.dim(mask, 1), length);
    AttentionOptions options;
    options.scale = scaleOf(decoder);
    options.causal = true;
    options.mask = mask;
    options.bias = mainBias(relative, mask, past);
    SmallVector<Value> results = {b.mergeHeads(b.attendHeads(heads(q, 0), keys, values, options))};
    options.causal = false;
    for (int64_t n = 0; n < streams; ++n) {
      options.mask = streamMask(mask, past, n);
      options.bias = streamBias(relative, mask, past, n);
      results.push_back(b.mergeHeads(b.attendHeads(heads(q, n + 1), concat(b, {keys, heads(k, n + 1)}, 2),
                                                   concat(b, {values, heads(v, n + 1)}, 2), options)));
    }
    return concat(b, results, 1);
  }

  /// What a distance of 0, 1, ... adds is the same from the last entry on: [D] of i64.
  Value bucketTable() {
    SmallVector<int64_t> table;
    const int64_t exact = buckets / 2;
    for (int64_t distance = 0; distance <= maxDistance; ++distance) {
      // In f32, as torch does it.
      float share = std::log(float(distance) / float(exact)) / float(std::log(double(maxDistance) / exact));
      float far = std::min(float(exact) + share * float(buckets - exact), float(buckets - 1));
      table.push_back(distance < exact ? distance : int64_t(far));
    }
    auto type = RankedTensorType::get({int64_t(table.size())}, b.builder.getI64Type());
    return arith::ConstantOp::create(b.builder, b.loc,
                                     DenseElementsAttr::get(type, ArrayRef<int64_t>(table)));
  }
  /// The bucket of a distance; what lies ahead is in the first.
  Value bucketOf(Scalars s, Value table, Value distance) {
    distance = s.maximum(s.minimum(distance, s.constant(maxDistance)), s.constant(0));
    return s.toIndex(s.at(table, distance));
  }

  /// [B, H, S, T].
  Value mainBias(Value relative, Value mask, Value past) {
    Value table = bucketTable();
    SmallVector<OpFoldResult> extents = {b.extent(mask, 0), b.builder.getIndexAttr(decoder.heads), length,
                                         b.extent(mask, 1)};
    return generate(b, extents, b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
      Value bucket = bucketOf(s, table, s.subtract(s.add(past, at[2]), at[3]));
      Value column = s.add(s.multiply(bucket, s.constant(decoder.heads)), at[1]);
      return s.at(relative, {at[0], at[2], column});
    });
  }

  /// Of stream n over the main stream's T places and its own S: [B, H, S, T + S].
  Value streamBias(Value relative, Value mask, Value past, int64_t n) {
    Value table = bucketTable();
    SmallVector<OpFoldResult> extents = {b.extent(mask, 0), b.builder.getIndexAttr(decoder.heads), length,
                                         bothLengths(mask)};
    return generate(b, extents, b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
      // A stream stands one place on. Its own place is at no distance, whichever that is among the S.
      Value isMain = s.less(at[3], b.dim(mask, 1)), zero = s.constant(0);
      Value distance = s.add(s.subtract(s.add(past, at[2]), at[3]), s.constant(1));
      Value bucket = bucketOf(s, table, s.select(isMain, distance, zero));
      // The reference writes the values of (position, stream, head) in the order (stream, head, position):
      // where several positions are decoded at once, these are those of another one.
      Value heads = s.constant(decoder.heads), all = s.constant(streams * decoder.heads);
      Value place = s.add(s.multiply(s.add(s.constant(n * decoder.heads), at[1]), length), at[2]);
      Value position = arith::DivUIOp::create(s.builder, s.loc, place, all);
      Value rest = s.remainder(place, all);
      Value other = s.add(arith::DivUIOp::create(s.builder, s.loc, rest, heads), s.constant(1));
      Value column = s.add(s.multiply(bucket, heads), s.remainder(rest, heads));
      return s.at(relative, {at[0], s.add(s.multiply(other, length), position), column});
    });
  }

  /// 1 where stream n may look, at the main stream's T places and its own S: [B, S, T + S].
  Value streamMask(Value mask, Value past, int64_t n) {
    SmallVector<OpFoldResult> extents = {b.extent(mask, 0), length, bothLengths(mask)};
    return generate(b, extents, b.builder.getI64Type(), [&](Scalars s, ValueRange at) {
      Value total = b.dim(mask, 1), last = s.subtract(total, s.constant(1)), none = s.constantI64(0);
      Value own = s.select(s.equal(s.subtract(at[2], total), at[1]), s.constantI64(1), none);
      // Stream n sees what lies at least n places behind, and the first place always.
      Value key = s.minimum(at[2], last);
      Value real = s.at(mask, {at[0], key}), place = s.add(past, at[1]);
      Value isBehind = s.less(s.add(key, s.constant(n)), s.add(place, s.constant(1)));
      Value main = s.select(s.equal(key, s.constant(0)), real, s.select(isBehind, real, none));
      return s.select(s.less(at[2], total), main, own);
    });
  }

  OpFoldResult bothLengths(Value mask) {
    return Value(arith::AddIOp::create(b.builder, b.loc, b.dim(mask, 1), length));
  }

  /// `count` streams of x [B, (1 + N) * S, C] from `first` on; the main one is 0.
  Value stream(Value x, int64_t first, int64_t count) {
    auto times = [&](int64_t n) -> OpFoldResult {
      return Value(arith::MulIOp::create(b.builder, b.loc, length, b.constant(n)));
    };
    return b.slice(x, 1, times(first), times(count));
  }

  std::pair<Value, Value> sourceHeads(Value states) override {
    return {b.splitHeads(project(decoder, "cross_attn.key_proj", states), decoder.heads),
            b.splitHeads(project(decoder, "cross_attn.value_proj", states), decoder.heads)};
  }

  Value sublayer(const Stack &stack, const char *norm, Value h, llvm::function_ref<Value(Value)> body) {
    return b.layerNorm(part(stack, norm), b.add(h, body(h)), epsilon);
  }

  Value feedForward(const Stack &stack, Value h) {
    return sublayer(stack, "feed_forward_layer_norm", h, [&](Value x) {
      x = b.activation(activation, b.linear(part(stack, "feed_forward.intermediate"), x, stack.inner));
      return project(stack, "feed_forward.output", x);
    });
  }

  static std::string part(const Stack &stack, const char *name) {
    return "prophetnet." + stack.name + ".layers.{}." + name;
  }
  Value project(const Stack &stack, const char *name, Value x) {
    return b.linear(part(stack, name), x, width);
  }
  double scaleOf(const Stack &stack) const { return 1 / std::sqrt(double(width / stack.heads)); }

  /// Of the stream that predicts the next token.
  Value logits(Value hidden) override { return scores(stream(hidden, 1, 1)); }
  Value lastState(Value hidden) override { return stream(hidden, 0, 1); }

  /// What the streams say of tokens further on, or without a head the states of all of them.
  void moreOutputs(Value hidden, bool hasHead) override {
    if (!hasHead) {
      deriveSymbol(b, "N", std::vector<StringRef>(streams, "S"), 0);
      b.output("last_hidden_state_ngram", stream(hidden, 1, streams), {"B", "N", std::to_string(width)});
      return;
    }
    if (streams == 1)
      return;
    Value later = scores(stream(hidden, 2, streams - 1));
    SmallVector<OpFoldResult> extents = {b.extent(later, 0), b.builder.getIndexAttr(streams - 1), length,
                                         b.builder.getIndexAttr(vocab)};
    later = generate(b, extents, b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
      return s.at(later, {at[0], s.add(s.multiply(at[1], length), at[2]), at[3]});
    });
    b.output("logits_ngram", later, {"B", std::to_string(streams - 1), "S", std::to_string(vocab)});
  }

  Value scores(Value states) {
    return b.linearBy(b.headWeight("lm_head.weight", tableName, {vocab, width}, tied), Value(), states);
  }

  static constexpr double epsilon = 1e-5;
  static constexpr const char *tableName = "prophetnet.word_embeddings.weight";

  int64_t streams, padId, tableRows, buckets, maxDistance;
  Stack encoder, decoder;
  mlir::sesame::Activation activation;
  bool tied;
  /// S, where ops are being made.
  Value length;
};

} // namespace

const Family &prophetNetFamily() {
  static const Family family = {
      "prophetnet",
      "prophetnet.",
      {
          {"ProphetNetForConditionalGeneration", "summarization",
           [](ModelBuilder &b) { ProphetNet(b).conditionalGeneration(); }},
          {"ProphetNetModel", "feature-extraction", [](ModelBuilder &b) { ProphetNet(b).pairModel(); }},
          {"ProphetNetForCausalLM", "text-generation", [](ModelBuilder &b) { ProphetNet(b).causalLM(); }},
          {"ProphetNetEncoder", "feature-extraction", [](ModelBuilder &b) { ProphetNet(b).encoderModel(); },
           "prophetnet.encoder."},
          {"ProphetNetDecoder", "feature-extraction", [](ModelBuilder &b) { ProphetNet(b).decoderModel(); },
           "prophetnet.decoder."},
      },
      [](const WeightSource &weights) {
        return weights.isHeadless() ? "ProphetNetModel"
               : weights.has("prophetnet.encoder.word_embeddings.weight")
                   ? "ProphetNetForConditionalGeneration"
                   : "ProphetNetForCausalLM";
      }};
  return family;
}

} // namespace sesame::importer
