//===- TransfoXl.cpp - Transformer-XL -------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Dai et al. 2019; transformers/models/deprecated/transfo_xl/modeling_transfo_xl.py. Adaptive input and
// softmax: Grave et al. 2017, Baevski and Auli 2019: rarer words have narrower vectors.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"
#include "../RelativeAttention.h"

#include "support/Error.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace sesame::importer {

namespace {

class TransfoXl {
public:
  explicit TransfoXl(ModelBuilder &b) : b(b) {
    const Config &c = b.config;
    b.builder.getContext()->loadDialect<math::MathDialect>();
    std::string widthKey = c.either("d_model", "hidden_size");
    width = c.extent(widthKey, 1024);
    if (width % 2 != 0)
      c.fail(widthKey, message("expected an even number, got ", width));
    embeddingWidth = c.extent("d_embed", 1024);
    heads = c.extent(c.either("n_head", "num_attention_heads"), 16);
    headSize = c.extent("d_head", 64);
    layers = c.layers(c.either("n_layer", "num_hidden_layers"), 18);
    inner = c.extent("d_inner", 4096);
    divisor = c.extent("div_val", 4);
    preNorm = c.flag("pre_lnorm", false);
    memoryLength = c.integer("mem_len", 0, Config::maxExtent, 1600);
    clamp = c.integer("clamp_len", -1, Config::maxExtent, 1000);
    sameLength = c.flag("same_length", true);
    untied = c.flag("untie_r", true);
    tied = c.flag("tie_word_embeddings", true);
    epsilon = c.epsilon("layer_norm_epsilon", 1e-5);
    if (int64_t kind = c.integer("attn_type", 0, 3, 0))
      c.fail("attn_type", message("expected 0, relative positions of Transformer-XL, got ", kind));
    if (c.integer("sample_softmax", -1, Config::maxExtent, -1) > 0)
      c.fail("sample_softmax", "the sampled softmax is not supported, expected -1");
    readClusters();
    b.info.vocabSize = vocab;
    b.info.hiddenSize = width;
    b.info.numLayers = layers;
  }

  void baseModel() {
    Value h = beginForward();
    b.output("last_hidden_state", h, {"B", "S", std::to_string(width)});
    endForward();
  }

  void languageModel() {
    Value h = beginForward();
    Value scores = logProbabilities(h); // [B, S, V]
    b.output("prediction_scores", scores, {"B", "S", std::to_string(vocab)});
    deriveSymbol(b, "P", {"S"}, -1);
    b.output("losses", losses(scores), {"B", "P"});
    endForward();
    if (memoryLength > 0)
      decodeEntry();
  }

  /// The scores of the last token that is not padding, of the last one if there is no padding token.
  void sequenceClassification() {
    int64_t labels = b.config.numLabels();
    Value h = beginForward();
    Value last = b.info.padTokenId ? b.gatherPositions(h, b.lastPositionOtherThan(ids, *b.info.padTokenId))
                                   : b.selectLast(h, 1);
    b.output("logits", b.linear("score", last, labels, withoutBias), {"B", std::to_string(labels)});
    endForward();
  }

private:
  /// The words [first, last) that share tables.
  struct Cluster {
    int64_t first, last;
    int64_t width;
    int64_t size() const { return last - first; }
  };

  void readClusters() {
    const Config &c = b.config;
    vocab = c.extent(c.either("vocab_size", "n_token"), 267735);
    std::vector<int64_t> ends = {20000, 40000, 200000};
    if (c.has("cutoffs"))
      ends = c.tokenIds("cutoffs");
    ends.push_back(vocab);
    int64_t first = 0, size = embeddingWidth;
    for (int64_t end : ends) {
      if (end <= first)
        c.fail("cutoffs", message("expected numbers that grow up to 'vocab_size' (", vocab, "), got ", end,
                                  " after ", first));
      if (size == 0)
        c.fail("div_val",
               message("leaves no width of 'd_embed' (", embeddingWidth, ") for cluster ", clusters.size()));
      clusters.push_back({first, end, size});
      first = end;
      size /= divisor;
    }
  }

  //===--------------------------------------------------------------------===//
  // Entries
  //===--------------------------------------------------------------------===//

  /// Opens `forward` and returns the last hidden states [B, S, C].
  Value beginForward() {
    b.beginEntry("forward");
    ids = b.idInput("input_ids", {"B", "S"}, vocab);
    SmallVector<Value> parts; // [1, B, 1, M, C]
    InputOptions zeros;
    zeros.fallback = "zeros";
    for (int64_t i = 0; memoryLength > 0 && i < layers; ++i) {
      Value memory = transpose(
          b, b.input("mems." + std::to_string(i), memoryDims(), b.builder.getF32Type(), zeros), {1, 0, 2});
      auto type = cast<RankedTensorType>(memory.getType());
      SmallVector<OpFoldResult> extents = {b.builder.getIndexAttr(1), b.extent(memory, 0),
                                           b.builder.getIndexAttr(1), b.extent(memory, 1),
                                           b.extent(memory, 2)};
      SmallVector<ReassociationIndices> groups = {{0, 1}, {2, 3}, {4}};
      parts.push_back(tensor::ExpandShapeOp::create(
          b.builder, b.loc, type.clone({1, type.getDimSize(0), 1, memoryLength, width}), memory, groups,
          extents));
    }
    if (!parts.empty())
      memories = parts.size() == 1 ? parts.front() : concat(b, parts, 0);
    return body();
  }

  void endForward() {
    for (int64_t i = 0; memoryLength > 0 && i < layers; ++i)
      b.output("mems." + std::to_string(i), LayerInputs::of(b, memories, i), memoryDims());
    b.endEntry();
    memories = {};
  }

  void decodeEntry() {
    b.beginEntry("decode");
    ids = b.idInput("input_ids", {"B", "S"}, vocab);
    InputOptions state;
    state.isState = true;
    ModelBuilder::Dims dims = {std::to_string(layers), "B", "1", std::to_string(memoryLength),
                               std::to_string(width)};
    memories = b.input("mems", dims, b.builder.getF32Type(), state);
    Value h = body(), one = b.constant(1);
    Value last = b.slice(h, 1, Scalars{b.builder, b.loc}.subtract(b.dim(h, 1), one),
                         b.builder.getIndexAttr(1)); // [B, 1, C]
    b.output("logits", b.select(logProbabilities(last), 1, b.builder.getIndexAttr(0)),
             {"B", std::to_string(vocab)});
    b.output("mems", memories, dims, /*isState=*/true);
    b.endEntry();
    memories = {};
  }

  ModelBuilder::Dims memoryDims() const { return {std::to_string(memoryLength), "B", std::to_string(width)}; }

  //===--------------------------------------------------------------------===//
  // Words
  //===--------------------------------------------------------------------===//

  std::string indexed(const char *prefix, size_t i, const char *suffix = "") const {
    return prefix + std::to_string(i) + suffix;
  }

  /// In a recipe: the input table of a cluster's words; one table holds all if all are equally wide.
  Value storedTable(size_t cluster, bool isOutput) {
    bool isWhole = divisor == 1;
    size_t i = isWhole ? 0 : cluster;
    std::string input = indexed("transformer.word_emb.emb_layers.", i, ".weight"),
                output = indexed("crit.out_layers.", i, ".weight");
    int64_t rows = isWhole ? vocab : clusters[cluster].size();
    bool ownsOutput = isOutput && !tied;
    Value whole = b.storedTensor(ownsOutput ? output : input, {rows, clusters[cluster].width},
                                 tied ? std::vector<NamePattern>{isOutput ? input : output}
                                      : std::vector<NamePattern>());
    return isWhole ? b.slice(whole, 0, b.builder.getIndexAttr(clusters[cluster].first),
                             b.builder.getIndexAttr(clusters[cluster].size()))
                   : whole;
  }

  /// [C, width of the cluster], or null if its vectors are as wide as the hidden states and go unprojected.
  Value inputProjection(size_t cluster) {
    if (divisor == 1)
      return embeddingWidth == width ? Value()
                                     : b.weight("transformer.word_emb.emb_projs.0", {width, embeddingWidth});
    return b.weight(indexed("transformer.word_emb.emb_projs.", cluster), {width, clusters[cluster].width});
  }

  /// The same on the way out. `tie_projs` needs no reading: a projection that is tied is not stored, or
  /// equal.
  Value outputProjection(size_t cluster) {
    std::string name = indexed("crit.out_projs.", cluster);
    if (b.weights.has(name))
      return b.weight(name, {width, clusters[cluster].width});
    return inputProjection(cluster);
  }

  Value embed() {
    Value sum;
    for (size_t i = 0; i < clusters.size(); ++i) {
      const Cluster &cluster = clusters[i];
      Value rows = mapOver(b, "bs->bs", ids, b.builder.getI64Type(), [&](Scalars s, ValueRange values) {
        Value row = s.subtract(values[0], s.toI64(s.constant(cluster.first)));
        return s.minimum(s.maximum(row, s.toI64(s.constant(0))), s.toI64(s.constant(cluster.size() - 1)));
      });
      Value table = b.weightBy(indexed("transformer.word_emb.tables.", i),
                               b.tensorType({cluster.size(), cluster.width}),
                               [&] { return storedTable(i, /*isOutput=*/false); });
      Value x = b.embedding({{rows, table}});
      if (Value projection = inputProjection(i))
        x = b.linearBy(projection, {}, x);
      if (!sum) {
        sum = x;
        continue;
      }
      sum = mapOver(b, "bs,bsc,bsc->bsc", {ids, x, sum}, b.builder.getF32Type(),
                    [&](Scalars s, ValueRange values) {
                      Value isBefore = s.less(values[0], s.toI64(s.constant(cluster.first)));
                      return s.select(isBefore, values[2], values[1]);
                    });
    }
    return b.scale(sum, std::sqrt(double(width)));
  }

  /// Log-probabilities of all words: [B, S, C] -> [B, S, V]. Grave et al. 2017, section 4: words of the first
  /// cluster and the other clusters share a softmax, the words of each other cluster have their own.
  Value logProbabilities(Value h) {
    Value head;
    SmallVector<Value> parts;
    int64_t numTails = clusters.size() - 1;
    for (size_t i = 0; i < clusters.size(); ++i) {
      const Cluster &cluster = clusters[i];
      int64_t extra = i == 0 ? numTails : 0, rows = cluster.size() + extra;
      Value matrix = b.weightBy(indexed("crit.tables.", i), b.tensorType({rows, cluster.width}), [&] {
        Value table = storedTable(i, /*isOutput=*/true);
        return extra ? joinRows(table, b.storedTensor("crit.cluster_weight", {extra, cluster.width})) : table;
      });
      Value bias = b.weightBy(indexed("crit.biases.", i), b.tensorType({rows}), [&] {
        Value stored = storedBias(i);
        return extra ? joinRows(stored, b.storedTensor("crit.cluster_bias", {extra})) : stored;
      });
      Value x = h;
      if (Value projection = outputProjection(i))
        x = projected(x, projection);
      Value scores = logSoftmax(b.linearBy(matrix, bias, x));
      if (i == 0) {
        head = scores;
        parts.push_back(numTails ? b.sliceColumns(head, 0, cluster.size()) : head);
        continue;
      }
      Value ofCluster = b.select(head, 2, b.builder.getIndexAttr(clusters[0].size() + i - 1)); // [B, S]
      parts.push_back(mapOver(b, "bs,bsv->bsv", {ofCluster, scores}, b.builder.getF32Type(),
                              [](Scalars s, ValueRange values) { return s.add(values[0], values[1]); }));
    }
    return parts.size() == 1 ? parts.front() : concat(b, parts, 2);
  }

  /// In a recipe.
  Value joinRows(Value first, Value second) {
    return tensor::ConcatOp::create(b.builder, b.loc, 0, ValueRange{first, second});
  }

  Value storedBias(size_t cluster) {
    if (divisor != 1)
      return b.storedTensor(indexed("crit.out_layers.", cluster, ".bias"), {clusters[cluster].size()});
    return b.slice(b.storedTensor("crit.out_layers.0.bias", {vocab}), 0,
                   b.builder.getIndexAttr(clusters[cluster].first),
                   b.builder.getIndexAttr(clusters[cluster].size()));
  }

  /// x [B, S, C] times a projection [C, D].
  Value projected(Value x, Value projection) {
    SmallVector<int64_t> shape = llvm::to_vector(cast<RankedTensorType>(x.getType()).getShape());
    shape.back() = cast<RankedTensorType>(projection.getType()).getDimSize(1);
    return mlir::sesame::LinearOp::create(b.builder, b.loc, b.tensorType(shape), x, projection, Value(),
                                          Value(), mlir::sesame::WeightLayout::kn,
                                          mlir::sesame::Activation::identity);
  }

  /// Over the last axis of [B, S, V].
  Value logSoftmax(Value x) {
    Value largest = reduceOver(b, "bsv->bs", x, b.constantF32(-std::numeric_limits<float>::infinity()),
                               [](Scalars s, ValueRange values) { return s.maximum(values[0], values[1]); });
    Value sum = reduceOver(b, "bsv,bs->bs", {x, largest}, b.constantF32(0), [](Scalars s, ValueRange values) {
      Value shifted = s.subtract(values[0], values[1]);
      return s.add(values[2], math::ExpOp::create(s.builder, s.loc, shifted));
    });
    return mapOver(b, "bsv,bs,bs->bsv", {x, largest, sum}, b.builder.getF32Type(),
                   [](Scalars s, ValueRange values) {
                     Value rest = math::LogOp::create(s.builder, s.loc, values[2]);
                     return s.subtract(s.subtract(values[0], values[1]), rest);
                   });
  }

  /// What transformers returns for labels that are the ids: the negative log-probability of every token but
  /// the first, [B, P]. They are ordered by their clusters, and only then by their places.
  Value losses(Value scores) {
    Scalars outer{b.builder, b.loc};
    Value count = outer.subtract(b.dim(ids, 1), b.constant(1)); // P
    SmallVector<OpFoldResult> extents = {b.extent(ids, 0), count};
    auto next = [&](Scalars s, ValueRange at) { return s.at(ids, {at[0], s.add(at[1], s.constant(1))}); };
    Value loss = generate(b, extents, b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
      Value score = s.at(scores, {at[0], at[1], s.toIndex(next(s, at))});
      return s.subtract(s.constantF32(0), score);
    });
    Value kinds = generate(b, extents, b.builder.getI64Type(), [&](Scalars s, ValueRange at) {
      Value id = next(s, at), kind = s.toI64(s.constant(0));
      for (size_t i = 0; i < clusters.size(); ++i)
        kind = s.select(s.less(id, s.toI64(s.constant(clusters[i].first))), kind, s.toI64(s.constant(i)));
      return kind;
    });
    auto place = [&](Scalars s, Value row, Value column) {
      return s.toI64(s.add(s.multiply(row, count), column));
    };
    Value zero = arith::ConstantOp::create(b.builder, b.loc, b.builder.getI64IntegerAttr(0));
    Value ranks = reduceOver(b, "bp,cq->bp", {kinds, kinds}, zero, [&](Scalars s, ValueRange values) {
      Value isEarlier = s.less(place(s, s.index(2), s.index(3)), place(s, s.index(0), s.index(1)));
      Value isBefore = s.select(s.equal(values[1], values[0]), isEarlier, s.less(values[1], values[0]));
      Value next = s.add(values[2], s.toI64(s.constant(1)));
      return s.select(isBefore, next, values[2]);
    });
    // Each place takes the one loss that has its rank.
    return reduceOver(b, "cq,bp,bp->cq", {ranks, ranks, loss}, b.constantF32(0),
                      [&](Scalars s, ValueRange values) {
                        Value isMine = s.equal(values[1], place(s, s.index(0), s.index(1)));
                        return s.select(isMine, values[2], values[3]);
                      });
  }

  //===--------------------------------------------------------------------===//
  // Layers
  //===--------------------------------------------------------------------===//

  /// All layers over `ids` and `memories`, which are updated: [B, S, C].
  Value body() {
    Value h = embed();
    Scalars outer{b.builder, b.loc};
    Value length = b.dim(ids, 1), total = outer.add(length, b.constant(memoryLength));
    // Keys behind a query are masked, so distances start at 0.
    Value relative = distanceSinusoids(b, b.constant(0), total, width, std::max<int64_t>(clamp, 0));
    Value mask =
        generate(b, {b.extent(ids, 1), total}, b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
          Value hidden = s.constantF32(-1e30), seen = s.constantF32(0);
          Value last = s.add(at[0], s.constant(memoryLength));
          Value bias = s.select(s.less(last, at[1]), hidden, seen);
          // With a full memory a query sees as many keys as the memory is long.
          if (sameLength)
            bias = s.select(s.less(at[0], at[1]), bias, hidden);
          return bias;
        });
    SmallVector<Value> carried = {h};
    if (memoryLength > 0)
      carried.push_back(memories);
    SmallVector<Value> results =
        b.layers("block", layers, carried, {relative, mask}, [&](ValueRange inside, ValueRange others) {
          return layerBody(inside, others[0], others[1]);
        });
    if (memoryLength > 0)
      memories = results[1];
    return results[0];
  }

  NamePattern layer(const char *part) { return std::string("transformer.layers.{}.") + part; }

  SmallVector<Value> layerBody(ValueRange inside, Value relative, Value mask) {
    Value h = inside[0], known = h;
    SmallVector<Value> after;
    if (inside.size() > 1) {
      Value memory = b.select(b.select(inside[1], 0, b.layerIndex()), 1, b.builder.getIndexAttr(0));
      known = concat(b, {memory, h}, 1); // [B, M + S, C]
      Value newest = b.slice(known, 1, b.dim(h, 1), b.builder.getIndexAttr(memoryLength));
      after.push_back(LayerInputs::write(b, inside[1], newest, b.layerIndex()));
    }
    Value x = b.add(attend(h, known, relative, mask), h);
    if (!preNorm)
      x = b.layerNorm(layer("dec_attn.layer_norm"), x, epsilon);
    Value y = preNorm ? b.layerNorm(layer("pos_ff.layer_norm"), x, epsilon) : x;
    y = b.activation(mlir::sesame::Activation::relu, b.linear(layer("pos_ff.CoreNet.0"), y, inner));
    y = b.add(b.linear(layer("pos_ff.CoreNet.3"), y, width), x);
    if (!preNorm)
      y = b.layerNorm(layer("pos_ff.layer_norm"), y, epsilon);
    after.insert(after.begin(), y);
    return after;
  }

  /// The share of query, key or value (0 to 2) of the projection that holds all three, over x.
  Value project(int64_t part, Value x) {
    int64_t size = heads * headSize;
    const char *names[] = {"dec_attn.q_net", "dec_attn.k_net", "dec_attn.v_net"};
    Value matrix = b.weightBy(layer(names[part]), b.tensorType({size, width}), [&] {
      return b.slice(b.storedTensor(layer("dec_attn.qkv_net.weight"), {3 * size, width}), 0,
                     b.builder.getIndexAttr(part * size), b.builder.getIndexAttr(size));
    });
    return b.splitHeads(b.linearBy(matrix, {}, x), heads);
  }

  Value headBias(const char *name) {
    std::string own = layer("dec_attn.") + name;
    if (untied)
      return b.weight(own, {heads, headSize});
    // Stored once, under the first of its names.
    return b.weight(std::string("transformer.") + name, {heads, headSize},
                    {std::string("transformer.layers.0.dec_attn.") + name});
  }

  Value attend(Value h, Value known, Value relative, Value mask) {
    if (preNorm) {
      h = b.layerNorm(layer("dec_attn.layer_norm"), h, epsilon);
      known = b.layerNorm(layer("dec_attn.layer_norm"), known, epsilon);
    }
    Value q = project(0, h), k = project(1, known), v = project(2, known);
    Value r = splitAxis(b, b.linear(layer("dec_attn.r_net"), relative, heads * headSize, withoutBias), 1,
                        heads); // [P, H, D]
    AttentionOptions options;
    options.heads = heads;
    options.scale = 1 / std::sqrt(double(headSize));
    Value byDistance = einsum(b, "bhsd,phd->bhsp", addHeadBias(b, q, headBias("r_r_bias")), r);
    SmallVector<OpFoldResult> extents = {b.extent(q, 0), b.extent(q, 1), b.extent(q, 2), b.extent(k, 2)};
    options.bias = generate(b, extents, b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
      Value distance = s.subtract(s.add(at[2], s.constant(memoryLength)), at[3]);
      Value score = s.at(byDistance, {at[0], at[1], at[2], s.maximum(distance, s.constant(0))});
      return s.add(s.multiply(score, s.constantF32(options.scale)), s.at(mask, {at[2], at[3]}));
    });
    Value content = addHeadBias(b, q, headBias("r_w_bias"));
    return b.linear(layer("dec_attn.o_net"), b.mergeHeads(b.attendHeads(content, k, v, options)), width,
                    withoutBias);
  }

  ModelBuilder &b;
  int64_t width, embeddingWidth, heads, headSize, layers, inner, vocab, divisor, memoryLength, clamp;
  double epsilon;
  bool preNorm, sameLength, untied, tied;
  std::vector<Cluster> clusters;
  Value ids;      // of the open entry
  Value memories; // [L, B, 1, M, C], null without memory
};

} // namespace

const Family &transfoXlFamily() {
  static const Family family = {
      "transfo-xl",
      "transformer.",
      {
          {"TransfoXLModel", "feature-extraction", [](ModelBuilder &b) { TransfoXl(b).baseModel(); }},
          {"TransfoXLLMHeadModel", "text-generation", [](ModelBuilder &b) { TransfoXl(b).languageModel(); }},
          {"TransfoXLForSequenceClassification", "text-classification",
           [](ModelBuilder &b) { TransfoXl(b).sequenceClassification(); }},
      },
      [](const WeightSource &weights) {
        return classByHead(weights,
                           {{"crit.out_layers.0.bias", "TransfoXLLMHeadModel"},
                            {"score.weight", "TransfoXLForSequenceClassification"}},
                           "TransfoXLModel");
      },
      {"pos_emb.inv_freq"},
  };
  return family;
}

} // namespace sesame::importer
