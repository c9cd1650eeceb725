//===- Xlnet.cpp - XLNet --------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Yang et al. 2019; transformers/models/xlnet/modeling_xlnet.py. The content stream is an encoder. The query
// stream knows where its token stands and not which it is, and predicts it.
//
//===----------------------------------------------------------------------===//

#include "../BeamAnswers.h"
#include "../Encoder.h"
#include "../RelativeAttention.h"

#include "support/Error.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <array>
#include <cmath>
#include <utility>

using namespace mlir;

namespace sesame::importer {

namespace {

class XLNet {
public:
  explicit XLNet(ModelBuilder &b) : b(b) {
    const Config &c = b.config;
    std::string widthKey = c.either("d_model", "hidden_size");
    width = c.extent(widthKey, 1024);
    if (width % 2 != 0)
      c.fail(widthKey, message("expected an even number, got ", width));
    heads = c.divisor(c.either("n_head", "num_attention_heads"), widthKey, width, 16);
    headSize = width / heads;
    if (int64_t given = c.extent("d_head", headSize); given != headSize)
      c.fail("d_head",
             message("expected ", headSize, ", the share of a head in '", widthKey, "', got ", given));
    layers = c.layers(c.either("n_layer", "num_hidden_layers"), 24);
    inner = c.extent("d_inner", 4096);
    vocab = c.extent(c.either("vocab_size", "n_token"), 32000);
    activation = c.activation("ff_activation", "gelu");
    epsilon = c.epsilon("layer_norm_eps", 1e-12);
    tied = c.flag("tie_word_embeddings", true);
    causal = c.choice("attn_type", {"bi", "uni"}, "bi") == "uni";
    sameLength = c.flag("same_length", false);
    clamp = c.integer("clamp_len", -1, Config::maxExtent, -1);
    c.refuseFlag("bi_data", "batches whose second half runs backwards are not supported");
    if (!c.flag("untie_r", true))
      c.fail("untie_r", "biases that all layers share are not supported, expected true");
    readMemoryOptions();
    b.info.vocabSize = vocab;
    b.info.hiddenSize = width;
    b.info.numLayers = layers;
    b.info.endsInSpecialTokens = true;
  }

  void baseModel() {
    entries([&](Value h) { b.output("last_hidden_state", h, {"B", "S", std::to_string(width)}); });
  }

  void sequenceClassification() {
    int64_t labels = b.config.numLabels();
    entries([&](Value h) {
      b.output("logits", b.linear("logits_proj", summary(h), labels), {"B", std::to_string(labels)});
    });
  }

  void tokenClassification() {
    int64_t labels = b.config.numLabels();
    entries([&](Value h) {
      b.output("logits", b.linear("classifier", h, labels), {"B", "S", std::to_string(labels)});
    });
  }

  void questionAnswering() {
    entries([&](Value h) { questionAnsweringOutputs(b, "qa_outputs", h); });
  }

  void beamQuestionAnswering() {
    entries([&](Value h) { beamAnswers(b, "", h, epsilon); });
  }

  /// N choices a row, each a sequence of its own.
  void multipleChoice() {
    givesMemories = false; // their batch axis would be that of rows and choices
    Inputs in = beginInputs({"B", "N", "S"});
    Value ids = in.ids;
    for (Value *input : {&in.ids, &in.mask, &in.types})
      *input = b.mergeLeading(*input);
    Value scores = b.linear("logits_proj", summary(content(in)), 1); // [B * N, 1]
    b.output("logits", b.dropLastAxis(b.splitLeading(scores, ids)), {"B", "N"});
    endForward();
  }

  /// `forward`: the logits of the content stream. `predict`: those of the query stream, for chosen positions
  /// under a chosen order. `decode`: those of the token that follows.
  void languageModel() {
    entries([&](Value h) { b.output("logits", logits(h), {"B", "S", std::to_string(vocab)}); });
    predictEntry();
    decodeEntry();
  }

private:
  struct Inputs {
    Value ids, mask, types; // [B, S]
  };

  /// What all layers read of the inputs. Position q of the queries stands at q + offset among the keys.
  struct Shared {
    Value types;       // [B, T], or null where all are equal
    Value relative;    // sinusoids of distances [P, C]
    Value zeroRow;     // index: where in them distance 0 is
    Value contentMask; // [B, S, T], what is added to scores
    Value contentOffset;
    Value queryMask; // the same for the query stream, or null without one
    Value queryOffset;
    Value targets; // [B, N, S], f32: the positions at which queries stand, or null for their own
    Value past;    // index: the filled part of the cache, or null without one
    Value known;   // [L, B, M, C], the memories, or null without

    std::array<Value *, 10> members() {
      return {&types,     &relative,    &zeroRow, &contentMask, &contentOffset,
              &queryMask, &queryOffset, &targets, &past,        &known};
    }
  };

  void readMemoryOptions() {
    const Config &c = b.config;
    givesMemories = c.flag("use_mems_eval", true);
    // An absent mem_len is 512; null and 0 mean all.
    memoryLength = c.integer("mem_len", 0, Config::maxExtent, c.isNull("mem_len") ? 0 : 512);
    reusedLength = c.integer("reuse_len", 0, Config::maxExtent, 0);
  }

  Inputs beginInputs(const ModelBuilder::Dims &dims, const char *entry = "forward") {
    b.beginEntry(entry);
    Inputs in;
    in.ids = b.idInput("input_ids", dims, vocab);
    in.mask = b.maskInput(dims);
    in.types = b.idInput("token_type_ids", dims, /*bound=*/0, "zeros");
    return in;
  }

  /// `forward`, and `extend` for a text whose beginning is known by the memories that a call gave; `head`
  /// makes the outputs of the last hidden states [B, S, C].
  void entries(function_ref<void(Value h)> head) {
    b.weights.ignore("transformer.mask_emb");
    head(content(beginInputs({"B", "S"})));
    endForward();
    // With reuse_len what is kept of a call is no sum of extents.
    if (!givesMemories || reusedLength)
      return;
    Inputs in = beginInputs({"B", "S"}, "extend");
    for (int64_t layer = 0; layer < layers; ++layer)
      known.push_back(b.input("mems." + std::to_string(layer), {"M", "B", std::to_string(width)},
                              b.builder.getF32Type()));
    head(content(in));
    endForward();
    known.clear();
  }

  void endForward() {
    if (memories)
      outputMemories();
    b.endEntry();
    memories = {};
  }

  /// The last `mem_len` of what was known and the first `reuse_len` states, of each layer.
  void outputMemories() {
    Scalars s{b.builder, b.loc};
    Value kept = b.dim(memories, 3);
    if (reusedLength)
      kept = s.minimum(kept, b.constant(reusedLength));
    if (!known.empty())
      kept = s.add(kept, b.dim(known.front(), 0));
    Value rows = memoryLength ? s.minimum(kept, b.constant(memoryLength)) : kept;
    const char *symbol = "S";
    if (reusedLength || memoryLength || !known.empty()) {
      symbol = "K";
      std::optional<int64_t> most;
      for (int64_t length : {reusedLength, memoryLength})
        if (length)
          most = std::min(most.value_or(length), length);
      SmallVector<StringRef> terms = {"S"};
      if (!known.empty())
        terms.push_back("M");
      deriveSymbol(b, symbol, terms, 0, most);
    }
    for (int64_t layer = 0; layer < layers; ++layer) {
      Value states = LayerInputs::of(b, memories, layer); // [S, B, C]
      if (!known.empty())
        states = concat(b, {known[layer], states}, 0);
      if (reusedLength || memoryLength)
        states = b.slice(states, 0, s.subtract(kept, rows), rows);
      b.output("mems." + std::to_string(layer), states, {symbol, "B", std::to_string(width)});
    }
  }

  void predictEntry() {
    Inputs in = beginInputs({"B", "S"}, "predict");
    InputOptions zeros;
    zeros.fallback = "zeros";
    Value order = b.input("perm_mask", {"B", "S", "S"}, b.builder.getF32Type(), zeros);
    Shared shared = share(in, order);
    shared.targets = b.input("target_mapping", {"B", "N", "S"}, b.builder.getF32Type());
    shared.queryMask = scoreMask(in.mask, order, b.extent(in.ids, 1), b.constant(0), /*seesItself=*/false);
    shared.queryOffset = b.constant(0);
    Value g = maskStates(b.extent(shared.targets, 0), b.extent(shared.targets, 1));
    Value predicted = run("two_streams", embed(in.ids), g, shared, nullptr).second;
    b.output("logits", logits(predicted), {"B", "N", std::to_string(vocab)});
    endForward();
  }

  /// The token that follows, as transformers generates: the query stream stands behind all tokens. The last
  /// known token is run once more in every step, then seeing the new one.
  void decodeEntry() {
    b.beginEntry("decode", {{"S", "T"}, {"T", "C"}});
    Value ids = b.idInput("input_ids", {"B", "S"}, vocab), mask = b.maskInput({"B", "T"});
    InputOptions state;
    state.isState = true;
    ModelBuilder::Dims dims = {std::to_string(layers), "B", std::to_string(heads), "C",
                               std::to_string(headSize)};
    ModelBuilder::Dims lastDims = {"1", "B", "1", "1", std::to_string(width)};
    Value last = b.input("last_embedding", lastDims, b.builder.getF32Type(), state);
    Cache cache;
    cache.keys = b.input("key_cache", dims, b.builder.getF32Type(), state);
    cache.values = b.input("value_cache", dims, b.builder.getF32Type(), state);
    Scalars outer{b.builder, b.loc};
    Value length = b.dim(ids, 1), total = b.dim(mask, 1), one = b.constant(1);
    Value past = outer.subtract(total, length), numAgain = outer.minimum(past, one);
    Value count = outer.add(length, numAgain);
    cache.past = outer.subtract(past, numAgain);
    OpFoldResult batch = b.extent(ids, 0);
    Value embedded = embed(ids), zero = b.constant(0);
    Value again = generate(b, {batch, count, b.builder.getIndexAttr(width)}, b.builder.getF32Type(),
                           [&](Scalars s, ValueRange at) {
                             Value place = s.subtract(at[1], numAgain);
                             Value known = s.at(embedded, {at[0], s.maximum(place, zero), at[2]});
                             Value before = s.at(last, {zero, at[0], zero, zero, at[2]});
                             return s.select(s.less(place, zero), before, known);
                           });
    Value newest = b.slice(embedded, 1, outer.subtract(length, one), b.builder.getIndexAttr(1));
    last = LayerInputs::write(b, last, newest, zero);

    Shared shared;
    shared.zeroRow = outer.subtract(count, one);
    shared.relative = distanceSinusoids(b, outer.subtract(one, count), outer.add(total, count), width,
                                        std::max<int64_t>(clamp, 0));
    shared.past = shared.contentOffset = cache.past;
    shared.contentMask = scoreMask(mask, {}, count, cache.past, /*seesItself=*/true);
    shared.queryOffset = total;
    shared.queryMask = scoreMask(mask, {}, b.builder.getIndexAttr(1), total, /*seesItself=*/false);
    bool gave = std::exchange(givesMemories, false);
    Value predicted =
        run("two_streams_cached", again, maskStates(batch, b.builder.getIndexAttr(1)), shared, &cache).second;
    givesMemories = gave;
    b.output("logits", b.select(logits(predicted), 1, b.builder.getIndexAttr(0)),
             {"B", std::to_string(vocab)});
    b.output("last_embedding", last, lastDims, /*isState=*/true);
    b.output("key_cache", cache.keys, dims, /*isState=*/true);
    b.output("value_cache", cache.values, dims, /*isState=*/true);
    b.endEntry();
  }

  NamePattern layer(const char *part) { return std::string("transformer.layer.{}.") + part; }

  Value logits(Value h) {
    Value matrix = b.headWeight("lm_loss.weight", "transformer.word_embedding.weight", {vocab, width}, tied);
    return b.linearBy(matrix, b.weight("lm_loss.bias", {vocab}), h);
  }

  Value summary(Value h) {
    const Config &c = b.config;
    bool toLabels = c.flag("summary_proj_to_labels", false);
    Value x = sequenceSummary(b, "sequence_summary", h, toLabels ? c.numLabels() : 0, "last");
    bool isDefault = !c.has("summary_activation") && !c.isNull("summary_activation");
    return isDefault ? b.activation(mlir::sesame::Activation::tanh, x) : x;
  }

  Value embed(Value ids) {
    Value table = b.inputTable("transformer.word_embedding.weight", "lm_loss.weight", {vocab, width}, tied);
    return b.embedding({{ids, table}});
  }

  /// What a query stream starts from: [B, N, C].
  Value maskStates(OpFoldResult batch, OpFoldResult count) {
    Value start = reshapedWeight(b, "transformer.mask_emb", {1, 1, width}, {width});
    return generate(b, {batch, count, b.builder.getIndexAttr(width)}, b.builder.getF32Type(),
                    [&](Scalars s, ValueRange at) { return s.at(start, {at[2]}); });
  }

  /// Without a past and a query stream. `order` [B, S, S] of f32 tells what position s may not see, or null.
  Shared share(const Inputs &in, Value order) {
    Scalars outer{b.builder, b.loc};
    Value size = b.dim(in.ids, 1), one = b.constant(1);
    Shared shared;
    shared.types = in.types;
    shared.zeroRow = outer.subtract(size, one);
    shared.relative = distanceSinusoids(b, outer.subtract(one, size), outer.add(size, shared.zeroRow), width,
                                        std::max<int64_t>(clamp, 0));
    shared.contentOffset = b.constant(0);
    shared.contentMask =
        scoreMask(in.mask, order, b.extent(in.ids, 1), shared.contentOffset, /*seesItself=*/true);
    return shared;
  }

  /// -1e30 where query s may not see key t, else 0: [B, S, T] for a mask [B, T]. It is added and does not
  /// exclude: a query that sees nothing averages over all keys, as in transformers.
  Value scoreMask(Value mask, Value order, OpFoldResult queries, Value offset, bool seesItself) {
    return generate(b, {b.extent(mask, 0), queries, b.extent(mask, 1)}, b.builder.getF32Type(),
                    [&](Scalars s, ValueRange at) {
                      Value hidden = s.constantF32(-1e30), seen = s.constantF32(0);
                      Value query = s.add(at[1], offset), key = at[2];
                      Value isPadding = s.equal(s.at(mask, {at[0], key}), s.toI64(s.constant(0)));
                      Value bias = s.select(isPadding, hidden, seen);
                      if (order)
                        bias = s.select(s.less(seen, s.at(order, {at[0], at[1], key})), hidden, bias);
                      if (causal) {
                        bias = s.select(s.less(query, key), hidden, bias);
                        if (sameLength)
                          bias = s.select(s.less(key, at[1]), hidden, bias);
                      }
                      return seesItself ? s.select(s.equal(query, key), seen, bias) : bias;
                    });
  }

  /// The content stream alone: [B, S, C].
  Value content(const Inputs &in) {
    Shared shared = known.empty() ? share(in, {}) : shareKnown(in);
    return run(known.empty() ? "block" : "block_extended", embed(in.ids), {}, shared, nullptr).first;
  }

  /// With memories in front of the keys: they are real and of segment 0.
  Shared shareKnown(const Inputs &in) {
    Scalars outer{b.builder, b.loc};
    Value size = b.dim(in.ids, 1), past = b.dim(known.front(), 0), total = outer.add(past, size);
    auto prepend = [&](Value x, int64_t what) {
      return generate(b, {b.extent(x, 0), total}, b.builder.getI64Type(), [&](Scalars s, ValueRange at) {
        Value place = s.maximum(s.subtract(at[1], past), s.constant(0));
        return s.select(s.less(at[1], past), s.toI64(s.constant(what)), s.at(x, {at[0], place}));
      });
    };
    Shared shared;
    shared.types = prepend(in.types, 0);
    shared.zeroRow = outer.subtract(size, b.constant(1));
    shared.relative = distanceSinusoids(b, outer.subtract(b.constant(1), size),
                                        outer.add(total, shared.zeroRow), width, std::max<int64_t>(clamp, 0));
    shared.contentOffset = past;
    shared.contentMask = scoreMask(prepend(in.mask, 1), {}, b.extent(in.ids, 1), past, /*seesItself=*/true);
    SmallVector<Value> layersOf; // [1, B, M, C]
    for (Value memory : known) {
      Value rows = transpose(b, memory, {1, 0, 2});
      SmallVector<OpFoldResult> extents = {b.builder.getIndexAttr(1), b.extent(rows, 0), b.extent(rows, 1),
                                           b.extent(rows, 2)};
      SmallVector<ReassociationIndices> groups = {{0, 1}, {2}, {3}};
      layersOf.push_back(tensor::ExpandShapeOp::create(
          b.builder, b.loc, b.tensorType({1, ShapedType::kDynamic, ShapedType::kDynamic, width}), rows,
          groups, extents));
    }
    shared.known = layersOf.size() == 1 ? layersOf.front() : concat(b, layersOf, 0);
    return shared;
  }

  /// All layers on the content stream h and the query stream g, which may be null.
  std::pair<Value, Value> run(const char *name, Value h, Value g, Shared shared, Cache *cache) {
    SmallVector<Value> carried = {h}, read;
    if (g)
      carried.push_back(g);
    if (givesMemories)
      carried.push_back(LayerInputs::empty(b, layers, h));
    if (cache)
      carried.append({cache->keys, cache->values});
    for (Value *member : shared.members())
      if (*member)
        read.push_back(*member);
    SmallVector<Value> results =
        b.layers(name, layers, carried, read, [&](ValueRange inside, ValueRange others) {
          Shared here;
          for (auto [outer, inner] : llvm::zip_equal(shared.members(), here.members()))
            if (*outer) {
              *inner = others.front();
              others = others.drop_front();
            }
          return layerBody(inside, here, bool(g), bool(cache));
        });
    if (givesMemories)
      memories = results[g ? 2 : 1];
    if (cache) {
      cache->keys = results[results.size() - 2];
      cache->values = results.back();
    }
    return {results[0], g ? results[1] : Value()};
  }

  SmallVector<Value> layerBody(ValueRange inside, const Shared &shared, bool hasQueries, bool hasCache) {
    Value h = inside[0];
    SmallVector<Value> after;
    if (givesMemories)
      after.push_back(LayerInputs::write(b, inside[hasQueries ? 2 : 1], h, b.layerIndex()));
    Value seen = h;
    if (shared.known)
      seen = concat(b, {b.select(shared.known, 0, b.layerIndex()), h}, 1);
    Keys keys = {b.splitHeads(project(layer("rel_attn.k"), seen), heads),
                 b.splitHeads(project(layer("rel_attn.v"), seen), heads),
                 splitAxis(b, project(layer("rel_attn.r"), shared.relative), 1, heads)};
    if (hasCache) {
      Cache cache{inside[inside.size() - 2], inside.back(), shared.past};
      b.appendToCache(cache, keys.keys, keys.values);
      after.append({cache.keys, cache.values});
    }
    SmallVector<Value> streams;
    if (hasQueries)
      streams.push_back(
          feedForward(attend(inside[1], keys, shared, shared.queryMask, shared.queryOffset, shared.targets)));
    streams.insert(streams.begin(),
                   feedForward(attend(h, keys, shared, shared.contentMask, shared.contentOffset, {})));
    streams.append(after);
    return streams;
  }

  /// What both streams attend to.
  struct Keys {
    Value keys, values; // [B, H, T, D]
    Value relative;     // [P, H, D]
  };

  /// A projection [C, H, D] as a matrix [C, H * D] times x.
  Value project(const NamePattern &name, Value x) {
    Value matrix = reshapedWeight(b, name, {width, heads, headSize}, {width, width});
    return mlir::sesame::LinearOp::create(b.builder, b.loc, x.getType(), x, matrix, Value(), Value(),
                                          mlir::sesame::WeightLayout::kn, mlir::sesame::Activation::identity);
  }

  Value headVectors(const char *name) { return b.weight(layer(name), {heads, headSize}); }

  /// The attention of x over the keys and its residual sum and norm. With `targets` [B, N, S], x [B, N, C] is
  /// asked at the positions that they pick.
  Value attend(Value x, const Keys &keys, const Shared &shared, Value scoreMask, Value offset,
               Value targets) {
    Value q = b.splitHeads(project(layer("rel_attn.q"), x), heads);
    if (targets)
      q = einsum(b, "bhnd,bns->bhsd", q, targets);
    AttentionOptions options;
    options.heads = heads;
    options.scale = 1 / std::sqrt(double(headSize));
    options.bias = positionAndSegmentBias(q, keys, shared, scoreMask, offset, options.scale);
    Value content = addHeadBias(b, q, headVectors("rel_attn.r_w_bias"));
    Value y = b.attendHeads(content, keys.keys, keys.values, options);
    if (targets)
      y = einsum(b, "bhsd,bns->bhnd", y, targets);
    Value output = reshapedWeight(b, layer("rel_attn.o"), {width, heads, headSize}, {width, width});
    y = b.linearBy(output, {}, b.mergeHeads(y));
    return b.layerNorm(layer("rel_attn.layer_norm"), b.add(y, x), epsilon);
  }

  /// The terms of the scaled scores that are not of content: [B, H, S, T].
  Value positionAndSegmentBias(Value q, const Keys &keys, const Shared &shared, Value scoreMask, Value offset,
                               double scale) {
    Value byDistance = einsum(b, "bhsd,phd->bhsp", addHeadBias(b, q, headVectors("rel_attn.r_r_bias")),
                              keys.relative); // [B, H, S, P]
    Value bySegment;                          // [B, H, S, 2]
    if (shared.types) {
      Value segments = b.weight(layer("rel_attn.seg_embed"), {2, heads, headSize});
      bySegment = einsum(b, "bhsd,nhd->bhsn", addHeadBias(b, q, headVectors("rel_attn.r_s_bias")), segments);
    }
    Value first = Scalars{b.builder, b.loc}.add(offset, shared.zeroRow);
    SmallVector<OpFoldResult> extents = {b.extent(q, 0), b.extent(q, 1), b.extent(q, 2),
                                         b.extent(keys.keys, 2)};
    return generate(b, extents, b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
      Value batch = at[0], head = at[1], query = at[2], key = at[3];
      Value row = s.add(s.subtract(query, key), first);
      Value sum = s.at(byDistance, {batch, head, query, row});
      if (bySegment) {
        Value isSame =
            s.equal(s.at(shared.types, {batch, s.add(query, offset)}), s.at(shared.types, {batch, key}));
        auto bySame = [&](int64_t segment) {
          return s.at(bySegment, {batch, head, query, s.constant(segment)});
        };
        sum = s.add(sum, s.select(isSame, bySame(0), bySame(1)));
      }
      return s.add(s.multiply(sum, s.constantF32(scale)), s.at(scoreMask, {batch, query, key}));
    });
  }

  Value feedForward(Value x) {
    Value y = b.activation(activation, b.linear(layer("ff.layer_1"), x, inner));
    y = b.linear(layer("ff.layer_2"), y, width);
    return b.layerNorm(layer("ff.layer_norm"), b.add(y, x), epsilon);
  }

  ModelBuilder &b;
  int64_t width, heads, headSize, layers, inner, vocab, clamp, memoryLength, reusedLength;
  mlir::sesame::Activation activation;
  double epsilon;
  bool tied, causal, sameLength, givesMemories;
  // Of the open entry: the states of all layers, and the memories [M, B, C] of each that it is given.
  Value memories;
  SmallVector<Value> known;
};

const char *inferArchitecture(const WeightSource &weights) {
  return classByHead(weights,
                     {{"lm_loss.bias", "XLNetLMHeadModel"},
                      {"qa_outputs.weight", "XLNetForQuestionAnsweringSimple"},
                      {"start_logits.dense.weight", "XLNetForQuestionAnswering"},
                      {"classifier.weight", "XLNetForTokenClassification"},
                      {"logits_proj.weight", "XLNetForSequenceClassification"}},
                     "XLNetModel");
}

} // namespace

const Family &xlnetFamily() {
  static const Family family = {
      "xlnet",
      "transformer.",
      {
          {"XLNetModel", "feature-extraction", [](ModelBuilder &b) { XLNet(b).baseModel(); }},
          {"XLNetLMHeadModel", "text-generation", [](ModelBuilder &b) { XLNet(b).languageModel(); }},
          {"XLNetForSequenceClassification", "text-classification",
           [](ModelBuilder &b) { XLNet(b).sequenceClassification(); }},
          {"XLNetForTokenClassification", "token-classification",
           [](ModelBuilder &b) { XLNet(b).tokenClassification(); }},
          {"XLNetForMultipleChoice", "multiple-choice", [](ModelBuilder &b) { XLNet(b).multipleChoice(); }},
          {"XLNetForQuestionAnsweringSimple", "question-answering",
           [](ModelBuilder &b) { XLNet(b).questionAnswering(); }},
          {"XLNetForQuestionAnswering", "question-answering",
           [](ModelBuilder &b) { XLNet(b).beamQuestionAnswering(); }},
      },
      inferArchitecture,
      {},
  };
  return family;
}

} // namespace sesame::importer
