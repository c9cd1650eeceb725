//===- ContextVectors.cpp - Recurrent word vectors in context -------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// CoVe (McCann et al. 2017) and ELMo (Peters et al. 2018).
//
//===----------------------------------------------------------------------===//

#include "../Recurrent.h"
#include "../Registry.h"

#include "support/Error.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;

namespace sesame::importer {

namespace {

void buildCove(ModelBuilder &b) {
  const Config &c = b.config;
  int64_t vocab = c.extent("vocab_size"), embeddingWidth = c.extent("embedding_size");
  int64_t layers = c.layers("num_layers", 2);
  RecurrentOptions options;
  options.hidden = c.extent("hidden_size");
  options.direction = mlir::sesame::Direction::bidirectional;
  b.info.vocabSize = vocab;
  b.info.hiddenSize = options.hidden;
  b.info.numLayers = layers;

  b.beginEntry("forward");
  Value ids = b.idInput("input_ids", {"B", "S"}, vocab);
  options.lengths = lengthsInput(b);
  Value vectors = b.embedding({{ids, b.weight("vectors.weight", {vocab, embeddingWidth})}});
  RecurrentStates states = emptyStates(b, layers, vectors, options);
  Value cove = recurrentStack(b, "rnn1", layers, vectors, options, states);
  b.output("cove", cove, {"B", "S", std::to_string(options.outputWidth())});
  b.output("glove_cove", concat(b, {vectors, cove}, 2),
           {"B", "S", std::to_string(embeddingWidth + options.outputWidth())});
  b.endEntry();
  boundLengths(b);
}

/// Axes: B sentences, S tokens, N = B * (S + 2) tokens with the marks of the sentences' ends, W characters of
/// a token.
class Elmo {
public:
  explicit Elmo(ModelBuilder &b) : b(b), builder(b.builder) {
    b.builder.getContext()->loadDialect<math::MathDialect>();
    const Config &c = b.config;
    chars = c.extent("num_chars");
    charWidth = c.extent("char_embedding_size");
    tokenLength = c.extent("max_characters_per_token");
    filters = c.integerPairs("filters");
    if (filters.empty())
      c.fail("filters", "expected a list of [width, count], got nothing");
    for (auto [width, count] : filters)
      if (width < 1 || width > tokenLength || count < 1 || count > Config::maxExtent)
        c.fail("filters", message("expected widths from 1 to 'max_characters_per_token' ", tokenLength,
                                  " and positive counts, got [", width, ", ", count, "]"));
    numHighway = c.integer("num_highway", 0, Config::maxLayers);
    layers = c.layers("num_layers");
    activation = c.activation("activation", "relu");
    forward.projection = c.extent("projection_size");
    forward.hidden = c.extent("lstm_size");
    if (c.has("cell_clip"))
      forward.cellClip = readClip("cell_clip");
    if (c.has("proj_clip"))
      forward.projectionClip = readClip("proj_clip");
    for (auto [key, mark] : {std::pair("bos_chars", &begin), std::pair("eos_chars", &end)}) {
      *mark = c.tokenIds(key);
      if (static_cast<int64_t>(mark->size()) != tokenLength)
        c.fail(key, message("expected ", tokenLength, " characters, got ", mark->size()));
      for (int64_t id : *mark)
        if (id >= chars)
          c.fail(key, message("expected characters below 'num_chars' ", chars, ", got ", id));
    }
    b.info.vocabSize = chars;
    b.info.hiddenSize = 2 * forward.projection;
    b.info.numLayers = layers;
  }

  void build() {
    std::string width = std::to_string(2 * forward.projection);
    b.beginEntry("forward");
    Value ids = b.idInput("char_ids", {"B", "S", std::to_string(tokenLength)}, chars);
    lengths = lengthsInput(b);
    batch = b.extent(ids, 0);
    length = b.extent(ids, 1);
    forward.lengths = mapOver(b, "b->b", lengths, builder.getI64Type(), [](Scalars s, ValueRange values) {
      return s.add(values[0], s.constantI64(2));
    });
    RecurrentOptions backward = forward;
    backward.direction = mlir::sesame::Direction::reverse;

    Value marked = withMarks(ids);
    Value encoded = encodeTokens(b.mergeLeading(marked)); // [N, P]
    Value rowLength = b.dim(marked, 1);
    // Not by a reshape, so that what follows has extents of the marked sentences instead of quotients of N.
    Value tokens = generate(b, {batch, b.extent(marked, 1), builder.getIndexAttr(forward.projection)},
                            builder.getF32Type(), [&](Scalars s, ValueRange at) {
                              return s.at(encoded, {s.add(s.multiply(at[0], rowLength), at[1]), at[2]});
                            });
    std::vector<Value> vectors = {withoutMarks(concat(b, {tokens, tokens}, 2))};
    Value left = tokens, right = tokens;
    for (int64_t layer = 0; layer < layers; ++layer) {
      left = runLayer("forward_layers.", layer, left, forward);
      right = runLayer("backward_layers.", layer, right, backward);
      vectors.push_back(withoutMarks(concat(b, {left, right}, 2)));
    }
    b.output("elmo", mix(vectors), {"B", "S", width});
    for (size_t i = 0; i < vectors.size(); ++i)
      b.output("layers." + std::to_string(i), vectors[i], {"B", "S", width});
    b.endEntry();
    boundLengths(b);
  }

private:
  double readClip(const char *key) {
    double limit = b.config.number(key, 0, std::numeric_limits<float>::max());
    if (limit == 0)
      b.config.fail(key, "expected a positive number, got 0");
    return limit;
  }

  /// ids [B, S, W] -> [B, S + 2, W]: the mark of the beginning before the first token, that of the end after
  /// the last, zeros past it.
  Value withMarks(Value ids) {
    auto markType = RankedTensorType::get({tokenLength}, builder.getI64Type());
    auto constant = [&](const std::vector<int64_t> &mark) -> Value {
      return arith::ConstantOp::create(builder, b.loc,
                                       DenseElementsAttr::get(markType, ArrayRef<int64_t>(mark)));
    };
    Value beginMark = constant(begin), endMark = constant(end);
    Value longest = arith::AddIOp::create(builder, b.loc, b.dim(ids, 1), b.constant(2));
    Value last = arith::SubIOp::create(builder, b.loc, b.dim(ids, 1), b.constant(1));
    SmallVector<OpFoldResult> extents = {b.extent(ids, 0), longest, b.extent(ids, 2)};
    return generate(b, extents, builder.getI64Type(), [&](Scalars s, ValueRange at) {
      Value first = s.constant(0), one = s.constant(1);
      Value after = s.add(s.toIndex(s.at(lengths, at[0])), one);
      Value position = s.minimum(s.maximum(s.subtract(at[1], one), first), last);
      Value x = s.select(s.less(at[1], after), s.at(ids, {at[0], position, at[2]}), s.constantI64(0));
      x = s.select(s.equal(at[1], after), s.at(endMark, at[2]), x);
      return s.select(s.equal(at[1], first), s.at(beginMark, at[2]), x);
    });
  }

  /// x [B, S + 2, C] -> [B, S, C], zeros past the end of a sentence.
  Value withoutMarks(Value x) {
    return zeroPadding(b, b.slice(x, 1, builder.getIndexAttr(1), length), lengths);
  }

  /// ids [N, W] -> [N, P].
  Value encodeTokens(Value ids) {
    Value x = b.embedding({{ids, b.weight("char_embedding.weight", {chars, charWidth})}}); // [N, W, E]
    SmallVector<Value> parts;
    for (size_t i = 0; i < filters.size(); ++i)
      parts.push_back(convolve("convs." + std::to_string(i), x, filters[i].first, filters[i].second));
    x = parts.size() == 1 ? parts.front() : concat(b, parts, 1);
    if (numHighway)
      x = b.layers("highway", numHighway, x, {}, [&](ValueRange inside, ValueRange) -> SmallVector<Value> {
        return {highway(inside[0])};
      })[0];
    return b.linear("projection", x, forward.projection);
  }

  /// x [N, W, E] -> [N, count]: a filter over `width` characters, its largest value, the activation.
  Value convolve(const std::string &name, Value x, int64_t width, int64_t count) {
    // A window of characters as one row, in the order that the filter has, is a plain product.
    OpFoldResult tokens = b.extent(x, 0), positions = builder.getIndexAttr(tokenLength - width + 1);
    Value windows =
        generate(b, {tokens, positions, builder.getIndexAttr(charWidth), builder.getIndexAttr(width)},
                 builder.getF32Type(),
                 [&](Scalars s, ValueRange at) { return s.at(x, {at[0], s.add(at[1], at[3]), at[2]}); });
    windows = joinAxes(b, windows, 2);
    Value filter = reshapedWeight(b, name + ".weight", {count, charWidth, width}, {count, charWidth * width});
    Value y = b.linearBy(filter, b.weight(name + ".bias", {count}), windows); // [N, W - width + 1, count]
    Value lowest = b.constantF32(-std::numeric_limits<float>::infinity());
    y = reduceOver(b, "npc->nc", y, lowest,
                   [](Scalars s, ValueRange values) { return s.maximum(values[0], values[1]); });
    return b.activation(activation, y);
  }

  /// gate * x + (1 - gate) * relu(nl), both of one linear map (Srivastava et al. 2015).
  Value highway(Value x) {
    int64_t width = cast<RankedTensorType>(x.getType()).getDimSize(1);
    Value both = b.linear("highways.{}", x, 2 * width);
    Value changed = b.activation(mlir::sesame::Activation::relu, b.sliceColumns(both, 0, width));
    Value gate = b.activation(mlir::sesame::Activation::sigmoid, b.sliceColumns(both, width, width));
    Value difference = arith::SubFOp::create(builder, b.loc, x, changed);
    return b.add(changed, b.multiply(gate, difference));
  }

  /// One layer of one direction; from the second on its input is added to its output.
  Value runLayer(const char *module, int64_t layer, Value x, const RecurrentOptions &options) {
    RecurrentStates states = emptyStates(b, 1, x, options);
    Value y =
        recurrentLayer(b, module + std::to_string(layer), "_l0", x, options, states, builder.getIndexAttr(0));
    if (layer == 0)
      return y;
    SmallVector<OpFoldResult> extents = {b.extent(x, 0), b.extent(x, 1), b.extent(x, 2)};
    return generate(b, extents, builder.getF32Type(),
                    [&](Scalars s, ValueRange at) { return s.add(s.at(x, at), s.at(y, at)); });
  }

  /// gamma * sum of softmax(scalars)_i * vectors_i.
  Value mix(const std::vector<Value> &vectors) {
    int64_t count = vectors.size();
    Value scalars = b.weight("scalar_mix.scalars", {count}), gamma = b.weight("scalar_mix.gamma", {1});
    auto element = [&](Value tensor, int64_t index) -> Value {
      return tensor::ExtractOp::create(builder, b.loc, tensor, b.constant(index));
    };
    Value largest = element(scalars, 0);
    for (int64_t i = 1; i < count; ++i)
      largest = arith::MaximumFOp::create(builder, b.loc, largest, element(scalars, i));
    SmallVector<Value> powers;
    Value sum;
    for (int64_t i = 0; i < count; ++i) {
      Value shifted = arith::SubFOp::create(builder, b.loc, element(scalars, i), largest);
      powers.push_back(math::ExpOp::create(builder, b.loc, shifted));
      sum = i == 0 ? powers[0] : arith::AddFOp::create(builder, b.loc, sum, powers[i]);
    }
    Value factor = arith::DivFOp::create(builder, b.loc, element(gamma, 0), sum);
    Value result;
    for (int64_t i = 0; i < count; ++i) {
      Value part = b.scale(vectors[i], arith::MulFOp::create(builder, b.loc, factor, powers[i]));
      result = i == 0 ? part : b.add(result, part);
    }
    return result;
  }

  ModelBuilder &b;
  OpBuilder &builder;
  int64_t chars, charWidth, tokenLength, numHighway, layers;
  std::vector<std::pair<int64_t, int64_t>> filters; // width, count
  std::vector<int64_t> begin, end;
  mlir::sesame::Activation activation;
  RecurrentOptions forward;
  Value lengths;
  OpFoldResult batch, length; // B, S
};

} // namespace

const Family &coveFamily() {
  static const Family family = {"cove", "model.", {{"Cove", "feature-extraction", buildCove}}};
  return family;
}

const Family &elmoFamily() {
  static const Family family = {
      "elmo", "model.", {{"Elmo", "feature-extraction", [](ModelBuilder &b) { Elmo(b).build(); }}}};
  return family;
}

} // namespace sesame::importer
