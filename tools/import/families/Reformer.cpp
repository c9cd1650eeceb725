//===- Reformer.cpp - Reformer --------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kitaev et al. 2020; transformers/models/reformer/modeling_reformer.py. A sequence is cut into chunks that
// see themselves and their neighbours: in the order of the positions ("local"), or after sorting them by hash
// buckets ("lsh"). Angular hashing: Andoni et al. 2015.
//
//===----------------------------------------------------------------------===//

#include "../Encoder.h"
#include "../TensorOps.h"

#include "support/Error.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <random>

using namespace mlir;

namespace sesame::importer {

namespace {

/// The first `count` standard normal numbers that torch.randn makes on a CPU after manual_seed: Box-Muller
/// over blocks of 16 (at least one block).
std::vector<float> torchNormals(uint64_t seed, size_t count) {
  std::mt19937 random(static_cast<uint32_t>(seed));
  std::vector<double> values(std::max<size_t>(count, 16));
  auto draw = [&](size_t from) {
    for (size_t i = from; i < values.size(); ++i)
      values[i] = std::ldexp(static_cast<double>(random() & 0xffffff), -24);
  };
  auto fill = [&](size_t block) {
    for (size_t i = block; i < block + 8; ++i) {
      double radius = std::sqrt(-2 * std::log(1 - values[i])), angle = 2 * M_PI * values[i + 8];
      values[i] = radius * std::cos(angle);
      values[i + 8] = radius * std::sin(angle);
    }
  };
  draw(0);
  for (size_t block = 0; block + 16 <= values.size(); block += 16)
    fill(block);
  // The last 16 are drawn anew where blocks do not come out even.
  if (values.size() % 16 != 0) {
    draw(values.size() - 16);
    fill(values.size() - 16);
  }
  return {values.begin(), values.begin() + count};
}

class Reformer {
public:
  explicit Reformer(ModelBuilder &b) : b(b) {
    const Config &c = b.config;
    b.builder.getContext()->loadDialect<math::MathDialect, scf::SCFDialect>();
    width = c.extent("hidden_size", 256);
    heads = c.extent("num_attention_heads", 12);
    headSize = c.extent("attention_head_size", 64);
    inner = c.extent("feed_forward_size", 512);
    vocab = c.extent("vocab_size", 320);
    padId = c.integer("pad_token_id", 0, vocab - 1, 0);
    activation = c.activation("hidden_act", "relu");
    epsilon = c.epsilon("layer_norm_eps", 1e-12);
    causal = c.flag("is_decoder", false);
    c.refuseFlag("tie_word_embeddings", "the output table is twice as wide as the input table");
    readLayers();
    readPositions();
    b.info.vocabSize = vocab;
    b.info.hiddenSize = width;
    b.info.numLayers = kinds.size();
    b.info.maxLength = maxLength;
  }

  void baseModel() {
    b.output("last_hidden_state", beginForward(), {"B", "S", std::to_string(2 * width)});
    b.endEntry();
  }

  void languageModel(bool isCausal) {
    if (causal != isCausal)
      b.config.fail("is_decoder", message("expected ", isCausal ? "true" : "false", " for this class"));
    Value h = beginForward();
    Value table = b.weight("lm_head.decoder.weight", {vocab, 2 * width});
    Value bias = b.weight("lm_head.bias", {vocab}, {"lm_head.decoder.bias"});
    b.weights.ignore("lm_head.decoder.bias");
    b.output("logits", b.linearBy(table, bias, h), {"B", "S", std::to_string(vocab)});
    b.endEntry();
  }

  void sequenceClassification() {
    int64_t labels = b.config.numLabels();
    Value first = b.select(beginForward(), 1, b.builder.getIndexAttr(0)); // [B, 2 * C]
    Value x = b.activation(mlir::sesame::Activation::tanh, b.linear("classifier.dense", first, width));
    b.output("logits", b.linear("classifier.out_proj", x, labels), {"B", std::to_string(labels)});
    b.endEntry();
  }

  void questionAnswering() {
    questionAnsweringOutputs(b, "qa_outputs", beginForward());
    b.endEntry();
  }

private:
  /// How a kind of layer cuts up the sequence.
  struct Chunks {
    int64_t length, before, after;
  };

  static constexpr int64_t maxRotations = int64_t(1) << 24;

  void readLayers() {
    const Config &c = b.config;
    kinds = c.texts("attn_layers");
    if (!c.has("attn_layers"))
      kinds = {"local", "lsh", "local", "lsh", "local", "lsh"};
    if (kinds.empty() || kinds.size() > size_t(Config::maxLayers))
      c.fail("attn_layers", message("expected 1 to ", Config::maxLayers, " kinds, got ", kinds.size()));
    bool hasLocal = false, hasHashed = false;
    for (const std::string &kind : kinds) {
      if (kind != "local" && kind != "lsh")
        c.fail("attn_layers", message("expected 'local' and 'lsh', got '", kind, "'"));
      (kind == "local" ? hasLocal : hasHashed) = true;
    }
    auto read = [&](const std::string &kind) {
      Chunks chunks{c.extent(kind + "_attn_chunk_length", 64),
                    c.integer(kind + "_num_chunks_before", 0, 1024, 1),
                    c.integer(kind + "_num_chunks_after", 0, 1024, 0)};
      if (causal && chunks.after)
        c.fail(kind + "_num_chunks_after", message("expected 0 in a decoder, got ", chunks.after));
      return chunks;
    };
    shortest = std::numeric_limits<int64_t>::max();
    multiple = 1;
    if (hasLocal)
      local = read("local");
    if (hasHashed)
      hashed = read("lsh");
    for (const auto &[is, chunks] : {std::pair(hasLocal, local), std::pair(hasHashed, hashed)})
      if (is) {
        shortest = std::min(shortest, chunks.length);
        multiple = std::lcm(multiple, chunks.length);
      }
    if (hasHashed)
      readHashing();
  }

  void readHashing() {
    const Config &c = b.config;
    numHashes = c.integer("num_hashes", 1, 1024, 1);
    if (!c.has("num_buckets"))
      c.fail("num_buckets", "expected a number or its factors; choosing it by the length is not supported");
    buckets = c.tokenIds("num_buckets");
    if (buckets.empty())
      c.fail("num_buckets", "expected a number or its factors, got none");
    rotationSize = 0;
    for (int64_t factor : buckets) {
      if (factor < 2 || factor % 2 != 0 || factor > Config::maxExtent)
        c.fail("num_buckets", message("expected even numbers, got ", factor));
      rotationSize += factor / 2;
    }
    // The rotations are constants of the model.
    if (rotationSize > maxRotations / heads / headSize / numHashes)
      c.fail("num_buckets", message("expected rotations of at most ", maxRotations, " numbers"));
  }

  void readPositions() {
    const Config &c = b.config;
    maxPositions = c.extent("max_position_embeddings", 4096);
    axial = c.flag("axial_pos_embds", true);
    int64_t most = maxPositions;
    if (axial) {
      auto pair = [&](const char *key, std::vector<int64_t> fallback) {
        std::vector<int64_t> values = c.has(key) ? c.tokenIds(key) : std::move(fallback);
        if (values.size() != 2 || values[0] < 1 || values[1] < 1 || values[0] > Config::maxExtent ||
            values[1] > Config::maxExtent)
          c.fail(key, message("expected two positive numbers, got ", values.size(), " numbers"));
        return values;
      };
      axialShape = pair("axial_pos_shape", {64, 64});
      axialWidths = pair("axial_pos_embds_dim", {64, 192});
      if (axialWidths[0] + axialWidths[1] != width)
        c.fail("axial_pos_embds_dim", message("expected a sum of 'hidden_size' (", width, "), got ",
                                              axialWidths[0] + axialWidths[1]));
      most = std::min(most, axialShape[0] * axialShape[1]);
    }
    // A sequence longer than a chunk is filled up to a multiple of the chunks.
    maxLength = most >= multiple ? most / multiple * multiple : std::min(most, shortest);
  }

  //===--------------------------------------------------------------------===//
  // Entry
  //===--------------------------------------------------------------------===//

  /// Opens `forward` and returns the last hidden states [B, S, 2 * C].
  Value beginForward() {
    b.beginEntry("forward", {{"S", maxLength}});
    Value ids = b.idInput("input_ids", {"B", "S"}, vocab), mask = b.maskInput();
    SmallVector<Value> rotations; // of each lsh layer
    for (const std::string &kind : kinds)
      if (kind == "lsh")
        rotations.push_back(rotationsInput(rotations.size()));
    Value length = b.dim(ids, 1), padded = paddedLength(length);
    auto pad = [&](Value x, int64_t with) {
      return generate(b, {b.extent(x, 0), padded}, b.builder.getI64Type(), [&](Scalars s, ValueRange at) {
        Value known = s.at(x, {at[0], s.minimum(at[1], s.subtract(length, s.constant(1)))});
        return s.select(s.less(at[1], length), known, s.toI64(s.constant(with)));
      });
    };
    Value paddedIds = pad(ids, padId), paddedMask = pad(mask, 0);
    Value h = b.add(
        b.embedding({{paddedIds, b.weight("reformer.embeddings.word_embeddings.weight", {vocab, width})}}),
        positionEmbeddings(paddedIds));
    // The two streams of a reversible network (Gomez et al. 2017), alike at first.
    SmallVector<Value> streams = {h, h};
    if (llvm::all_equal(kinds) && kinds.front() == "local") {
      streams =
          b.layers("block", kinds.size(), streams, paddedMask, [&](ValueRange inside, ValueRange shared) {
            return layerBody(inside, "{}", shared[0], {});
          });
    } else {
      // Layers of two kinds have other tensors each, so each is a function of its own.
      size_t numHashed = 0;
      for (auto [i, kind] : llvm::enumerate(kinds)) {
        SmallVector<Value> shared = {paddedMask};
        if (kind == "lsh")
          shared.push_back(rotations[numHashed++]);
        std::string number = std::to_string(i);
        streams = b.layers("block_" + number, 1, streams, shared, [&](ValueRange inside, ValueRange shared) {
          return layerBody(inside, number, shared[0], shared.size() > 1 ? shared[1] : Value());
        });
      }
    }
    Value both = b.layerNorm("reformer.encoder.layer_norm", concat(b, streams, 2), epsilon);
    return b.slice(both, 1, b.builder.getIndexAttr(0), b.extent(ids, 1));
  }

  /// Random rotations of a layer: [H, D, R, rotationSize]. A head that is given none (zeros) takes those of
  /// `hash_seed`; without that, where transformers draws others in every call, of seed 0.
  Value rotationsInput(size_t number) {
    InputOptions zeros;
    zeros.fallback = "zeros";
    SmallVector<int64_t> shape = {heads, headSize, numHashes, rotationSize};
    Value given = b.input("lsh_rotations." + std::to_string(number),
                          {std::to_string(heads), std::to_string(headSize), std::to_string(numHashes),
                           std::to_string(rotationSize)},
                          b.builder.getF32Type(), zeros);
    std::vector<float> normals = torchNormals(b.config.integer("hash_seed", 0, INT64_MAX, 0),
                                              heads * headSize * numHashes * rotationSize);
    Value own = arith::ConstantOp::create(
        b.builder, b.loc, DenseElementsAttr::get(b.tensorType(shape), ArrayRef<float>(normals)));
    Value squares = einsum(b, "hdrn,hdrn->h", given, given);
    return mapOver(b, "hdrn,h,hdrn->hdrn", {given, squares, own}, b.builder.getF32Type(),
                   [](Scalars s, ValueRange values) {
                     return s.select(s.equal(values[1], s.constantF32(0)), values[2], values[0]);
                   });
  }

  /// The next multiple of all chunks, but the length itself where it fits one chunk.
  Value paddedLength(Value length) {
    Scalars s{b.builder, b.loc};
    Value up = s.add(length, b.constant(multiple - 1));
    up = s.subtract(up, s.remainder(up, b.constant(multiple)));
    return s.select(s.less(b.constant(shortest), length), up, length);
  }

  /// [B, N, C].
  Value positionEmbeddings(Value ids) {
    auto places = [&](function_ref<Value(Scalars, Value position)> body) {
      return generate(b, {b.extent(ids, 0), b.extent(ids, 1)}, b.builder.getI64Type(),
                      [&](Scalars s, ValueRange at) { return s.toI64(body(s, at[1])); });
    };
    std::string name = "reformer.embeddings.position_embeddings.";
    if (!axial) {
      Value positions = places([](Scalars, Value position) { return position; });
      return b.embedding({{positions, b.weight(name + "embedding.weight", {maxPositions, width})}});
    }
    int64_t rows = axialShape[0], columns = axialShape[1];
    Value table0 = reshapedWeight(b, name + "weights.0", {rows, 1, axialWidths[0]}, {rows, axialWidths[0]});
    Value table1 =
        reshapedWeight(b, name + "weights.1", {1, columns, axialWidths[1]}, {columns, axialWidths[1]});
    Value row = places([&](Scalars s, Value at) { return s.divide(at, s.constant(columns)); });
    Value column = places([&](Scalars s, Value at) { return s.remainder(at, s.constant(columns)); });
    return concat(b, {b.embedding({{row, table0}}), b.embedding({{column, table1}})}, 2);
  }

  //===--------------------------------------------------------------------===//
  // Layers
  //===--------------------------------------------------------------------===//

  SmallVector<Value> layerBody(ValueRange streams, const std::string &number, Value mask, Value rotations) {
    std::string prefix = "reformer.encoder.layers." + number + ".";
    Value h = b.layerNorm(prefix + "attention.layer_norm", streams[1], epsilon);
    Value x = rotations ? hashedAttention(prefix, h, mask, rotations) : localAttention(prefix, h, mask);
    x = b.linear(prefix + "attention.output.dense", x, width, withoutBias);
    Value first = b.add(x, streams[0]);
    Value y = b.layerNorm(prefix + "feed_forward.layer_norm", first, epsilon);
    y = b.activation(activation, b.linear(prefix + "feed_forward.dense.dense", y, inner));
    y = b.linear(prefix + "feed_forward.output.dense", y, width);
    return {first, b.add(y, streams[1])};
  }

  Value project(const std::string &prefix, const char *name, Value h) {
    return b.splitHeads(
        b.linear(prefix + "attention.self_attention." + name, h, heads * headSize, withoutBias), heads);
  }

  Value localAttention(const std::string &prefix, Value h, Value mask) {
    Value q = project(prefix, "query", h), k = project(prefix, "key", h), v = project(prefix, "value", h);
    Layout layout = layOut(local, b.dim(h, 1), 1);
    Value out = attendChunks(q, k, v, mask, layout, {}).first; // [B, n, H, L, D]
    return generate(b, {b.extent(h, 0), b.extent(h, 1), b.builder.getIndexAttr(heads * headSize)},
                    b.builder.getF32Type(),
                    [&](Scalars s, ValueRange at) { return elementAt(s, out, layout, at[0], at[1], at[2]); });
  }

  /// Where positions lie: n chunks of L places each, of which one sees K, in R rounds.
  struct Layout {
    Value chunks, length, seen, rounds; // n, L, K, R
    Value positions;                    // N
    int64_t before;
  };

  /// A sequence that fits one chunk is one chunk, and is not hashed. (Divisors are constants here, so that
  /// sizes can be computed before anything runs.)
  Layout layOut(const Chunks &kind, Value positions, int64_t rounds) {
    Scalars s{b.builder, b.loc};
    Value one = b.constant(1), most = b.constant(kind.length), length = s.minimum(positions, most);
    Value isCut = s.less(most, positions);
    Value numRounds = s.select(isCut, b.constant(rounds), one);
    Value chunks = s.select(isCut, s.divide(s.multiply(positions, b.constant(rounds)), most), one);
    Value neighbours = s.select(isCut, b.constant(1 + kind.before + kind.after), one);
    return {chunks, length, s.multiply(length, neighbours), numRounds, positions, kind.before};
  }

  /// Element `column` of heads side by side, of what attention gave at `place`.
  Value elementAt(Scalars s, Value out, const Layout &layout, Value row, Value place, Value column) {
    Value size = s.constant(headSize);
    return s.at(out, {row, s.divide(place, layout.length), s.divide(column, size),
                      s.remainder(place, layout.length), s.remainder(column, size)});
  }

  /// Every chunk's queries over the keys that it sees: [B, n, H, L, D], and the logarithms of the sums of
  /// exponentials of their scores [B, n, H, L], null with one round. `order` [B, H, R, N] tells the position
  /// at each place of each round; null for that of the place itself. With an order, no position sees itself
  /// unless there is nothing else.
  std::pair<Value, Value> attendChunks(Value q, Value k, Value v, Value mask, const Layout &layout,
                                       Value order) {
    auto positionAt = [&](Scalars s, Value row, Value head, Value place) -> Value {
      if (!order)
        return place;
      Value round = s.divide(place, layout.positions), inRound = s.remainder(place, layout.positions);
      return s.toIndex(s.at(order, {row, head, round, inRound}));
    };
    // The place of key t of a chunk. Chunks form a ring.
    auto placeOfKey = [&](Scalars s, Value chunk, Value key) {
      Value back = s.multiply(s.constant(layout.before), s.subtract(layout.chunks, s.constant(1)));
      Value other = s.remainder(s.add(s.add(chunk, s.divide(key, layout.length)), back), layout.chunks);
      return s.add(s.multiply(other, layout.length), s.remainder(key, layout.length));
    };
    auto placeOfQuery = [&](Scalars s, Value chunk, Value query) {
      return s.add(s.multiply(chunk, layout.length), query);
    };
    OpFoldResult batch = b.extent(q, 0), numHeads = b.extent(q, 1), size = b.extent(q, 3);
    auto gather = [&](Value x, Value count, bool isKey) {
      return generate(b, {batch, layout.chunks, numHeads, count, size}, b.builder.getF32Type(),
                      [&](Scalars s, ValueRange at) {
                        Value place = isKey ? placeOfKey(s, at[1], at[3]) : placeOfQuery(s, at[1], at[3]);
                        return s.at(x, {at[0], at[2], positionAt(s, at[0], at[2], place), at[4]});
                      });
    };
    Value queries = gather(q, layout.length, false); // [B, n, H, L, D]
    Value keys = b.mergeLeading(gather(k, layout.seen, true)),
          values = b.mergeLeading(gather(v, layout.seen, true)); // [B * n, H, K, D]
    Value bias = generate(b,
                          {batch, layout.chunks, order ? numHeads : OpFoldResult(b.builder.getIndexAttr(1)),
                           layout.length, layout.seen},
                          b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
                            Value query = positionAt(s, at[0], at[2], placeOfQuery(s, at[1], at[3]));
                            Value key = positionAt(s, at[0], at[2], placeOfKey(s, at[1], at[4]));
                            Value hidden = s.constantF32(-1e9);
                            Value isPadding = s.equal(s.at(mask, {at[0], key}), s.toI64(s.constant(0)));
                            Value bias = s.select(isPadding, hidden, s.constantF32(0));
                            if (causal)
                              bias = s.select(s.less(query, key), hidden, bias);
                            return order ? s.select(s.equal(query, key), s.constantF32(-1e5), bias) : bias;
                          });
    bias = b.mergeLeading(bias);
    AttentionOptions options;
    options.heads = heads;
    options.scale = 1 / std::sqrt(double(headSize));
    options.bias = bias;
    Value merged = b.mergeLeading(queries);
    Value sums;
    if (order && numHashes > 1)
      sums =
          b.splitLeading(logSums(einsum(b, "xhld,xhkd->xhlk", merged, keys), bias, options.scale), queries);
    return {b.splitLeading(b.attendHeads(merged, keys, values, options), queries), sums};
  }

  /// log(sum(exp(scores * scale + bias))) over the last axis of [X, H, L, K].
  Value logSums(Value scores, Value bias, double scale) {
    Value total = mapOver(b, "xhlk,xhlk->xhlk", {scores, bias}, b.builder.getF32Type(),
                          [&](Scalars s, ValueRange values) {
                            return s.add(s.multiply(values[0], s.constantF32(scale)), values[1]);
                          });
    Value largest = reduceOver(b, "xhlk->xhl", total, b.constantF32(-std::numeric_limits<float>::infinity()),
                               [](Scalars s, ValueRange values) { return s.maximum(values[0], values[1]); });
    Value sum =
        reduceOver(b, "xhlk,xhl->xhl", {total, largest}, b.constantF32(0), [](Scalars s, ValueRange values) {
          Value shifted = s.subtract(values[0], values[1]);
          return s.add(values[2], math::ExpOp::create(s.builder, s.loc, shifted));
        });
    return mapOver(b, "xhl,xhl->xhl", {largest, sum}, b.builder.getF32Type(),
                   [](Scalars s, ValueRange values) {
                     return s.add(values[0], math::LogOp::create(s.builder, s.loc, values[1]));
                   });
  }

  //===--------------------------------------------------------------------===//
  // Hashing
  //===--------------------------------------------------------------------===//

  Value hashedAttention(const std::string &prefix, Value h, Value mask, Value rotations) {
    Value q = project(prefix, "query_key", h), v = project(prefix, "value", h); // [B, H, N, D]
    Layout layout = layOut(hashed, b.dim(h, 1), numHashes);
    auto [ranks, order] = sortByBuckets(bucketsOf(q, mask, rotations), layout); // [B, H, R, N]
    auto [out, sums] = attendChunks(q, normalised(q), v, mask, layout, order);
    auto placeOf = [&, ranks = ranks](Scalars s, Value row, Value head, Value round, Value position) {
      Value place = s.toIndex(s.at(ranks, {row, head, round, position}));
      return s.add(s.multiply(round, layout.positions), place);
    };
    SmallVector<OpFoldResult> extents = {b.extent(h, 0), b.extent(h, 1),
                                         b.builder.getIndexAttr(heads * headSize)};
    if (numHashes == 1)
      return generate(b, extents, b.builder.getF32Type(), [&, out = out](Scalars s, ValueRange at) {
        Value head = s.divide(at[2], s.constant(headSize));
        return elementAt(s, out, layout, at[0], placeOf(s, at[0], head, s.constant(0), at[1]), at[2]);
      });
    return combineRounds(out, sums, layout, extents, placeOf);
  }

  /// Rounds weigh by the softmax of the logarithms `sums`. Kitaev et al. 2020, appendix A.
  Value combineRounds(Value out, Value sums, const Layout &layout, ArrayRef<OpFoldResult> extents,
                      function_ref<Value(Scalars, Value, Value, Value, Value)> placeOf) {
    Value logits = generate(b, {extents[0], b.builder.getIndexAttr(heads), layout.rounds, extents[1]},
                            b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
                              Value place = placeOf(s, at[0], at[1], at[2], at[3]);
                              return s.at(sums, {at[0], s.divide(place, layout.length), at[1],
                                                 s.remainder(place, layout.length)});
                            });
    Value largest = reduceOver(b, "bhrs->bhs", logits, b.constantF32(-std::numeric_limits<float>::infinity()),
                               [](Scalars s, ValueRange values) { return s.maximum(values[0], values[1]); });
    Value weights = mapOver(b, "bhrs,bhs->bhrs", {logits, largest}, b.builder.getF32Type(),
                            [](Scalars s, ValueRange values) -> Value {
                              return math::ExpOp::create(s.builder, s.loc, s.subtract(values[0], values[1]));
                            });
    Value total = reduceOver(b, "bhrs->bhs", weights, b.constantF32(0),
                             [](Scalars s, ValueRange values) { return s.add(values[0], values[1]); });
    Value size = b.constant(headSize);
    Value rows = generate(b, {extents[0], extents[1], layout.rounds, extents[2]}, b.builder.getF32Type(),
                          [&](Scalars s, ValueRange at) {
                            Value head = s.divide(at[3], size);
                            Value place = placeOf(s, at[0], head, at[2], at[1]);
                            Value share = s.divide(s.at(weights, {at[0], head, at[2], at[1]}),
                                                   s.at(total, {at[0], head, at[1]}));
                            return s.multiply(share, elementAt(s, out, layout, at[0], place, at[3]));
                          });
    return reduceOver(b, "bsrc->bsc", rows, b.constantF32(0),
                      [](Scalars s, ValueRange values) { return s.add(values[0], values[1]); });
  }

  /// The bucket of each position in each round: [B, H, R, N] of i64. Padding has one of its own, the last.
  Value bucketsOf(Value vectors, Value mask, Value rotations) {
    Value rotated = einsum(b, "bhsd,hdrn->bhrsn", vectors, rotations);
    Value sum;
    int64_t offset = 0, product = 1;
    for (int64_t factor : buckets) {
      Value bucket = largestOf(b.sliceColumns(rotated, offset, factor / 2), factor / 2);
      offset += factor / 2;
      sum = !sum ? bucket
                 : mapOver(b, "bhrs,bhrs->bhrs", {sum, bucket}, b.builder.getI64Type(),
                           [&](Scalars s, ValueRange values) {
                             return s.add(values[0], s.multiply(values[1], s.toI64(s.constant(product))));
                           });
      product *= factor;
    }
    return mapOver(b, "bhrs,bs->bhrs", {sum, mask}, b.builder.getI64Type(),
                   [&](Scalars s, ValueRange values) {
                     Value isPadding = s.equal(values[1], s.toI64(s.constant(0)));
                     return s.select(isPadding, s.toI64(s.constant(product)), values[0]);
                   });
  }

  /// The first place of the largest of [x; -x] over the last axis, which has `count` elements: [B, H, R, N]
  /// of i64.
  Value largestOf(Value x, int64_t count) {
    auto negated = [](Scalars s, Value value) { return s.subtract(s.constantF32(0), value); };
    Value largest = reduceOver(b, "bhrsn->bhrs", x, b.constantF32(-std::numeric_limits<float>::infinity()),
                               [&](Scalars s, ValueRange values) {
                                 Value either = s.maximum(values[0], negated(s, values[0]));
                                 return s.maximum(values[1], either);
                               });
    Value none = arith::ConstantOp::create(b.builder, b.loc, b.builder.getI64IntegerAttr(2 * count - 1));
    return reduceOver(b, "bhrsn,bhrs->bhrs", {x, largest}, none, [&](Scalars s, ValueRange values) {
      Value here = s.toI64(s.index(4)), there = s.add(here, s.toI64(s.constant(count)));
      Value place = values[2];
      place = s.select(s.equal(negated(s, values[0]), values[1]), s.minimum(place, there), place);
      return s.select(s.equal(values[0], values[1]), s.minimum(place, here), place);
    });
  }

  /// The place of each position after a stable sort of its round by buckets, its own where nothing is cut,
  /// and the position at each place: [B, H, R, N] both. The sort counts: how many are in each bucket, where a
  /// bucket begins, then one position after the other to where its bucket has come.
  std::pair<Value, Value> sortByBuckets(Value bucketsOfAll, const Layout &layout) {
    OpBuilder &builder = b.builder;
    Type i64 = builder.getI64Type();
    int64_t numBuckets = 1;
    for (int64_t factor : buckets)
      numBuckets *= factor;
    ++numBuckets; // padding
    Scalars s{builder, b.loc};
    OpFoldResult one = builder.getIndexAttr(1), zero = builder.getIndexAttr(0),
                 length = b.extent(bucketsOfAll, 3), count = builder.getIndexAttr(numBuckets);
    SmallVector<OpFoldResult> extents = {b.extent(bucketsOfAll, 0), b.extent(bucketsOfAll, 1),
                                         b.extent(bucketsOfAll, 2)};
    auto empty = [&](OpFoldResult last) -> Value {
      SmallVector<OpFoldResult> all = extents;
      all.push_back(last);
      return tensor::EmptyOp::create(builder, b.loc, all, i64);
    };
    Value isCut = s.less(b.constant(hashed.length), layout.positions), numPositions = b.dim(bucketsOfAll, 3);
    Value step = b.constant(1), start = b.constant(0);
    auto tasks =
        scf::ForallOp::create(builder, b.loc, extents, ValueRange{empty(length), empty(length), empty(count)},
                              /*mapping=*/std::nullopt);
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPoint(tasks.getTerminator());
      SmallVector<OpFoldResult> offsets = getAsOpFoldResult(tasks.getInductionVars()), strides(4, one);
      offsets.push_back(zero);
      auto row = [&](Value tensor, OpFoldResult last, int64_t size) -> Value {
        return tensor::ExtractSliceOp::create(builder, b.loc, RankedTensorType::get({size}, i64), tensor,
                                              offsets, ArrayRef<OpFoldResult>{one, one, one, last}, strides);
      };
      auto loop = [&](Value end, ValueRange carried,
                      function_ref<SmallVector<Value>(Value at, ValueRange carried)> body) {
        return scf::ForOp::create(builder, b.loc, start, end, step, carried,
                                  [&](OpBuilder &, Location, Value at, ValueRange inside) {
                                    OpBuilder::InsertionGuard guard(builder);
                                    builder.setInsertionPointToEnd(at.getParentBlock());
                                    scf::YieldOp::create(builder, b.loc, body(at, inside));
                                  })
            .getResults();
      };
      auto put = [&](Value element, Value tensor, Value at) -> Value {
        return tensor::InsertOp::create(builder, b.loc, element, tensor, at);
      };
      Value own = row(bucketsOfAll, length, ShapedType::kDynamic);
      ValueRange outs = tasks.getRegionOutArgs();
      Value next = row(outs[2], count, numBuckets);
      Value none = s.constantI64(0), another = s.constantI64(1);
      next = linalg::FillOp::create(builder, b.loc, none, next).getResult(0);
      next = loop(numPositions, next, [&](Value at, ValueRange inside) -> SmallVector<Value> {
        Value bucket = s.toIndex(s.at(own, at));
        return {put(s.add(s.at(inside[0], bucket), another), inside[0], bucket)};
      })[0];
      next =
          loop(b.constant(numBuckets), {next, none}, [&](Value at, ValueRange inside) -> SmallVector<Value> {
            Value size = s.at(inside[0], at);
            return {put(inside[1], inside[0], at), s.add(inside[1], size)};
          })[0];
      ValueRange sorted =
          loop(numPositions,
               {row(outs[0], length, ShapedType::kDynamic), row(outs[1], length, ShapedType::kDynamic), next},
               [&](Value at, ValueRange inside) -> SmallVector<Value> {
                 Value bucket = s.toIndex(s.at(own, at));
                 Value free = s.at(inside[2], bucket);
                 Value place = s.select(isCut, free, s.toI64(at));
                 return {put(place, inside[0], at), put(s.toI64(at), inside[1], s.toIndex(place)),
                         put(s.add(free, another), inside[2], bucket)};
               });
      builder.setInsertionPointToStart(tasks.getTerminator().getBody());
      OpFoldResult last[] = {length, length, count};
      for (auto [i, out] : llvm::enumerate(outs))
        tensor::ParallelInsertSliceOp::create(builder, b.loc, sorted[i], out, offsets,
                                              ArrayRef<OpFoldResult>{one, one, one, last[i]}, strides);
    }
    return {tasks.getResult(0), tasks.getResult(1)};
  }

  /// Every vector of [B, H, N, D] divided by its root mean square.
  Value normalised(Value x) {
    Value squares = einsum(b, "bhsd,bhsd->bhs", x, x);
    return mapOver(b, "bhsd,bhs->bhsd", {x, squares}, b.builder.getF32Type(),
                   [&](Scalars s, ValueRange values) -> Value {
                     Value mean = s.multiply(values[1], s.constantF32(1.0 / double(headSize)));
                     Value root = math::RsqrtOp::create(s.builder, s.loc, s.add(mean, s.constantF32(1e-6)));
                     return s.multiply(values[0], root);
                   });
  }

  ModelBuilder &b;
  int64_t width, heads, headSize, inner, vocab, padId, maxPositions, maxLength;
  mlir::sesame::Activation activation;
  double epsilon;
  bool causal, axial;
  std::vector<std::string> kinds; // of the layers
  Chunks local{}, hashed{};
  int64_t shortest, multiple; // chunk, and what all chunks divide
  int64_t numHashes = 1, rotationSize = 0;
  std::vector<int64_t> buckets; // factors of their number
  std::vector<int64_t> axialShape, axialWidths;
};

} // namespace

const Family &reformerFamily() {
  static const Family family = {
      "reformer",
      "reformer.",
      {
          {"ReformerModel", "feature-extraction", [](ModelBuilder &b) { Reformer(b).baseModel(); }},
          {"ReformerModelWithLMHead", "text-generation",
           [](ModelBuilder &b) { Reformer(b).languageModel(true); }},
          {"ReformerForMaskedLM", "fill-mask", [](ModelBuilder &b) { Reformer(b).languageModel(false); }},
          {"ReformerForSequenceClassification", "text-classification",
           [](ModelBuilder &b) { Reformer(b).sequenceClassification(); }},
          {"ReformerForQuestionAnswering", "question-answering",
           [](ModelBuilder &b) { Reformer(b).questionAnswering(); }},
      },
      [](const WeightSource &weights) {
        return classByHead(weights,
                           {{"lm_head.decoder.weight", "ReformerModelWithLMHead"},
                            {"qa_outputs.weight", "ReformerForQuestionAnswering"},
                            {"classifier.dense.weight", "ReformerForSequenceClassification"}},
                           "ReformerModel");
      },
      {"mask_value_float16", "mask_value_float32"},
  };
  return family;
}

} // namespace sesame::importer
