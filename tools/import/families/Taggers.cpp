//===- Taggers.cpp - Recurrent sequence labelling -------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// BiLSTM and BiGRU taggers, with a conditional random field on top (Huang et al. 2015; Lample et al. 2016) or
// with the states of a language model between two layers (TagLM, Peters et al. 2017).
//
//===----------------------------------------------------------------------===//

#include "../Recurrent.h"
#include "../Registry.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;

namespace sesame::importer {

namespace {

/// The best path through the labels of a linear-chain conditional random field (Viterbi 1967). K labels.
class Viterbi {
public:
  Viterbi(ModelBuilder &b, Value emissions, Value lengths, const std::string &name)
      : b(b), builder(b.builder), emissions(emissions), lengths(lengths),
        labels(cast<RankedTensorType>(emissions.getType()).getDimSize(2)),
        start(b.weight(name + ".start_transitions", {labels})),
        end(b.weight(name + ".end_transitions", {labels})),
        transitions(b.weight(name + ".transitions", {labels, labels})) {}

  /// Sets `tags` [B, S], -1 past the end of a row, and `pathScores` [B].
  void decode(Value &tags, Value &pathScores) {
    OpFoldResult batch = b.extent(emissions, 0), length = b.extent(emissions, 1);
    OpFoldResult one = builder.getIndexAttr(1), zero = builder.getIndexAttr(0),
                 numLabels = builder.getIndexAttr(labels);
    Type f32 = builder.getF32Type(), i64 = builder.getI64Type();
    Value scores = generate(b, {batch, numLabels}, f32, [&](Scalars s, ValueRange at) {
      return s.add(s.at(start, at[1]), s.at(emissions, {at[0], s.constant(0), at[1]}));
    });
    Value nowhere = arith::ConstantOp::create(builder, b.loc, builder.getI64IntegerAttr(0));
    // [S, B, K]: the best label before label k at position s.
    Value origins = linalg::FillOp::create(
                        builder, b.loc, nowhere,
                        tensor::EmptyOp::create(builder, b.loc, {length, batch, numLabels}, i64).getResult())
                        .getResult(0);
    auto forward = scf::ForOp::create(
        builder, b.loc, b.constant(1), b.dim(emissions, 1), b.constant(1), ValueRange{scores, origins},
        [&](OpBuilder &inside, Location loc, Value position, ValueRange carried) {
          OpBuilder::InsertionGuard guard(builder);
          builder.setInsertionPoint(inside.getInsertionBlock(), inside.getInsertionPoint());
          auto [reached, origin] = maximize(carried[0], transitions, batch);
          Value best = reached; // C++17 does not capture parts of a structured binding
          // A row that is past its end keeps its scores.
          Value next = update(carried[0], [&](Scalars s, ValueRange at, Value kept) {
            Value sum = s.add(s.at(best, at), s.at(emissions, {at[0], position, at[1]}));
            return s.select(isBelowLength(s, position, at[0]), sum, kept);
          });
          Value rows = tensor::InsertSliceOp::create(
              builder, loc, origin, carried[1], ArrayRef<OpFoldResult>{position, zero, zero},
              ArrayRef<OpFoldResult>{one, batch, numLabels}, ArrayRef<OpFoldResult>{one, one, one});
          scf::YieldOp::create(builder, loc, ValueRange{next, rows});
        });
    scores = forward.getResult(0);
    origins = forward.getResult(1);
    auto [bestScores, lastTags] = maximizeLast(scores, batch);
    pathScores = bestScores;

    // From the last position back to the first.
    Value empty = tensor::EmptyOp::create(builder, b.loc, {batch, length}, i64);
    Value last = arith::SubIOp::create(builder, b.loc, b.dim(emissions, 1), b.constant(1));
    auto backward = scf::ForOp::create(
        builder, b.loc, b.constant(0), b.dim(emissions, 1), b.constant(1), ValueRange{empty, lastTags},
        [&](OpBuilder &inside, Location loc, Value step, ValueRange carried) {
          OpBuilder::InsertionGuard guard(builder);
          builder.setInsertionPoint(inside.getInsertionBlock(), inside.getInsertionPoint());
          Value position = arith::SubIOp::create(builder, loc, last, step);
          Value after = arith::AddIOp::create(builder, loc, position, b.constant(1));
          after = arith::MinSIOp::create(builder, loc, after, last);
          // Up to a row's last position the label stays the best last one.
          Value current = update(carried[1], [&](Scalars s, ValueRange at, Value label) {
            Value before = s.at(origins, {after, at[0], s.toIndex(label)});
            return s.select(isBelowLength(s, s.add(position, s.constant(1)), at[0]), before, label);
          });
          Value path = tensor::InsertSliceOp::create(
              builder, loc, current, carried[0], ArrayRef<OpFoldResult>{zero, position},
              ArrayRef<OpFoldResult>{batch, one}, ArrayRef<OpFoldResult>{one, one});
          scf::YieldOp::create(builder, loc, ValueRange{path, current});
        });
    Value path = backward.getResult(0);
    tags = generate(b, {batch, length}, i64, [&](Scalars s, ValueRange at) {
      return s.select(isBelowLength(s, at[1], at[0]), s.at(path, at), s.constantI64(-1));
    });
  }

private:
  Value isBelowLength(Scalars s, Value position, Value row) {
    return s.less(position, s.toIndex(s.at(lengths, row)));
  }

  /// The tensor with each element replaced by what `body` makes of its indices and itself, in place.
  Value update(Value tensor, function_ref<Value(Scalars, ValueRange at, Value element)> body) {
    int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
    SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
    return linalg::GenericOp::create(builder, b.loc, tensor.getType(), ValueRange(), tensor,
                                     builder.getMultiDimIdentityMap(rank), parallel,
                                     [&](OpBuilder &n, Location l, ValueRange values) {
                                       Scalars s{n, l};
                                       SmallVector<Value> at;
                                       for (int64_t axis = 0; axis < rank; ++axis)
                                         at.push_back(s.index(axis));
                                       linalg::YieldOp::create(n, l, body(s, at, values[0]));
                                     })
        .getResult(0);
  }

  /// Over one axis more than `shape` has: the greatest sum of the operands and its index, the first of
  /// equals.
  std::pair<Value, Value> reduce(ArrayRef<OpFoldResult> shape, ValueRange operands,
                                 ArrayRef<AffineMap> inputMaps) {
    Type f32 = builder.getF32Type(), i64 = builder.getI64Type();
    Value lowest = b.constantF32(-std::numeric_limits<float>::infinity());
    Value first = arith::ConstantOp::create(builder, b.loc, builder.getI64IntegerAttr(0));
    auto filled = [&](Value value, Type type) {
      Value empty = tensor::EmptyOp::create(builder, b.loc, shape, type);
      return linalg::FillOp::create(builder, b.loc, value, empty).getResult(0);
    };
    Value best = filled(lowest, f32), index = filled(first, i64);
    unsigned rank = shape.size();
    SmallVector<AffineMap> maps = llvm::to_vector(inputMaps);
    AffineMap result = builder.getMultiDimIdentityMap(rank + 1).dropResult(rank);
    maps.append({result, result});
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    iterators.push_back(utils::IteratorType::reduction);
    auto op = linalg::GenericOp::create(
        builder, b.loc, TypeRange{best.getType(), index.getType()}, operands, ValueRange{best, index}, maps,
        iterators, [&](OpBuilder &n, Location l, ValueRange values) {
          Value sum = arith::AddFOp::create(n, l, values[0], values[1]);
          Value here = arith::IndexCastOp::create(n, l, n.getI64Type(), linalg::IndexOp::create(n, l, rank));
          Value isGreater = arith::CmpFOp::create(n, l, arith::CmpFPredicate::OGT, sum, values[2]);
          Value greatest = arith::SelectOp::create(n, l, isGreater, sum, values[2]);
          Value at = arith::SelectOp::create(n, l, isGreater, here, values[3]);
          linalg::YieldOp::create(n, l, ValueRange{greatest, at});
        });
    return {op.getResult(0), op.getResult(1)};
  }

  /// scores [B, K], transitions [from, to] -> the best score and origin for each label, [B, K].
  std::pair<Value, Value> maximize(Value scores, Value transitions, OpFoldResult batch) {
    AffineExpr row, to, from;
    bindDims(builder.getContext(), row, to, from);
    return reduce({batch, builder.getIndexAttr(labels)}, {scores, transitions},
                  {AffineMap::get(3, 0, {row, from}, builder.getContext()),
                   AffineMap::get(3, 0, {from, to}, builder.getContext())});
  }

  /// scores [B, K] -> the best score with the transition to the end, and its label, [B].
  std::pair<Value, Value> maximizeLast(Value scores, OpFoldResult batch) {
    AffineExpr row, from;
    bindDims(builder.getContext(), row, from);
    return reduce({batch}, {scores, end},
                  {AffineMap::get(2, 0, {row, from}, builder.getContext()), AffineMap::get(2, 0, from)});
  }

  ModelBuilder &b;
  OpBuilder &builder;
  Value emissions, lengths;
  int64_t labels;
  Value start, end, transitions;
};

/// embedding, `lstm` (whatever its cell), `classifier`, maybe `crf`.
void buildTagger(ModelBuilder &b, bool hasCrf) {
  const Config &c = b.config;
  RecurrentOptions options;
  options.cell = readCell(c, "lstm");
  int64_t vocab = c.extent("vocab_size"), embeddingWidth = c.extent("embedding_size");
  options.hidden = c.extent("hidden_size");
  if (c.flag("bidirectional", true))
    options.direction = mlir::sesame::Direction::bidirectional;
  hasCrf = c.flag("crf", hasCrf);
  int64_t layers = c.layers("num_layers"), labels = c.numLabels();
  std::string numLabels = std::to_string(labels);
  b.info.vocabSize = vocab;
  b.info.hiddenSize = options.hidden;
  b.info.numLayers = layers;

  b.beginEntry("forward");
  Value ids = b.idInput("input_ids", {"B", "S"}, vocab);
  options.lengths = lengthsInput(b);
  Value x = b.embedding({{ids, b.weight("embedding.weight", {vocab, embeddingWidth})}});
  RecurrentStates states = emptyStates(b, layers, x, options);
  x = recurrentStack(b, "lstm", layers, x, options, states);
  Value logits = b.linear("classifier", x, labels); // [B, S, K]
  b.output("logits", logits, {"B", "S", numLabels});
  stateOutputs(b, layers, options, states, /*areSessionStates=*/false);
  if (hasCrf) {
    Value tags, pathScores;
    Viterbi(b, logits, options.lengths, "crf").decode(tags, pathScores);
    b.output("tags", tags, {"B", "S"});
    b.output("path_scores", pathScores, {"B"});
  }
  b.endEntry();
  boundLengths(b);
}

/// rnn1, then rnn2 over its output and the states of a forward and a backward language model.
void buildTagLm(ModelBuilder &b) {
  const Config &c = b.config;
  int64_t vocab = c.extent("vocab_size"), embeddingWidth = c.extent("embedding_size"), labels = c.numLabels();
  RecurrentOptions tagger, forward, backward;
  tagger.cell = RecurrentCell::gru;
  tagger.hidden = c.extent("hidden_size");
  tagger.direction = mlir::sesame::Direction::bidirectional;
  forward.hidden = backward.hidden = c.extent("lm_size");
  backward.direction = mlir::sesame::Direction::reverse;
  b.info.vocabSize = vocab;
  b.info.hiddenSize = tagger.hidden;
  b.info.numLayers = 2;

  b.beginEntry("forward");
  Value ids = b.idInput("input_ids", {"B", "S"}, vocab);
  tagger.lengths = forward.lengths = backward.lengths = lengthsInput(b);
  auto run = [&](const char *module, Value x, const RecurrentOptions &options) {
    RecurrentStates states = emptyStates(b, 1, x, options);
    return recurrentStack(b, module, 1, x, options, states);
  };
  Value words = b.embedding({{ids, b.weight("embedding.weight", {vocab, embeddingWidth})}});
  Value lmWords = b.embedding({{ids, b.weight("lm_embedding.weight", {vocab, embeddingWidth})}});
  Value lm = concat(b, {run("lm_forward", lmWords, forward), run("lm_backward", lmWords, backward)}, 2);
  Value x = run("rnn2", concat(b, {run("rnn1", words, tagger), lm}, 2), tagger);
  b.output("logits", b.linear("classifier", x, labels), {"B", "S", std::to_string(labels)});
  b.output("lm_embeddings", lm, {"B", "S", std::to_string(2 * forward.hidden)});
  b.endEntry();
  boundLengths(b);
}

} // namespace

const Family &bilstmTaggerFamily() {
  static const Family family = {
      "bilstm-tagger",
      "model.",
      {{"Tagger", "token-classification", [](ModelBuilder &b) { buildTagger(b, /*hasCrf=*/false); }}}};
  return family;
}

const Family &bilstmCrfFamily() {
  static const Family family = {
      "bilstm-crf",
      "model.",
      {{"Tagger", "token-classification", [](ModelBuilder &b) { buildTagger(b, /*hasCrf=*/true); }}}};
  return family;
}

const Family &tagLmFamily() {
  static const Family family = {"taglm", "model.", {{"TagLM", "token-classification", buildTagLm}}};
  return family;
}

} // namespace sesame::importer
