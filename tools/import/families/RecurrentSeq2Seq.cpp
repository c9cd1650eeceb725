//===- RecurrentSeq2Seq.cpp - Recurrent encoder-decoders ------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Translation before the Transformer: a fixed context (Sutskever et al. 2014), additive attention (Bahdanau
// et al. 2015), multiplicative attention (Luong et al. 2015). The source is encoded once by `encode`;
// `decode` goes on from its states. Axes: B rows, E source positions, S target positions, H cell width, C
// width of the encoder's outputs, A width of the attention, V target vocabulary.
//
//===----------------------------------------------------------------------===//

#include "../Recurrent.h"
#include "../Registry.h"
#include "../TensorOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;

namespace sesame::importer {

namespace {

/// What both models have: two vocabularies and embeddings of one width.
struct Vocabularies {
  explicit Vocabularies(ModelBuilder &b)
      : b(b), source(b.config.extent("src_vocab_size")), target(b.config.extent("tgt_vocab_size")),
        width(b.config.extent("embedding_size")) {
    b.info.vocabSize = target;
  }

  Value sourceIds() { return b.idInput("input_ids", {"B", "E"}, source); }
  Value targetIds() { return b.idInput("decoder_input_ids", {"B", "S"}, target); }
  Value embed(const char *module, Value ids, int64_t rows) {
    return b.embedding({{ids, b.weight(std::string(module) + ".embedding.weight", {rows, width})}});
  }
  Value embedSource(Value ids) { return embed("encoder", ids, source); }
  Value embedTarget(Value ids) { return embed("decoder", ids, target); }
  /// [B, S, V], or in a step the last position's [B, V].
  void outputLogits(Value logits, bool isStep) {
    std::string columns = std::to_string(target);
    if (isStep)
      b.output("logits", b.selectLast(logits, 1), {"B", columns});
    else
      b.output("logits", logits, {"B", "S", columns});
  }

  ModelBuilder &b;
  int64_t source, target, width;
};

/// softmax of each row of scores [B, E] over its first lengths [B] positions; 0 beyond.
Value softmaxWithin(ModelBuilder &b, Value scores, Value lengths) {
  b.builder.getContext()->loadDialect<math::MathDialect>();
  Type f32 = b.builder.getF32Type();
  Value masked = generate(b, {b.extent(scores, 0), b.extent(scores, 1)}, f32, [&](Scalars s, ValueRange i) {
    Value isReal = s.less(i[1], s.toIndex(s.at(lengths, i[0])));
    return s.select(isReal, s.at(scores, i), s.constantF32(-std::numeric_limits<float>::infinity()));
  });
  Value lowest = b.constantF32(-std::numeric_limits<float>::infinity());
  Value largest = reduceOver(b, "be->b", masked, lowest,
                             [](Scalars s, ValueRange values) { return s.maximum(values[0], values[1]); });
  Value powers = mapOver(b, "be,b->be", {masked, largest}, f32, [](Scalars s, ValueRange values) -> Value {
    return math::ExpOp::create(s.builder, s.loc, s.subtract(values[0], values[1]));
  });
  Value sum = reduceOver(b, "be->b", powers, b.constantF32(0),
                         [](Scalars s, ValueRange values) { return s.add(values[1], values[0]); });
  return mapOver(b, "be,b->be", {powers, sum}, f32,
                 [](Scalars s, ValueRange values) { return s.divide(values[0], values[1]); });
}

/// A GRU whose every step reads the source by its last state: a_j = softmax(v . tanh(W h + U o_j)). Bahdanau
/// et al. 2015, appendix A.1.2.
class Bahdanau {
public:
  explicit Bahdanau(ModelBuilder &b) : b(b), vocab(b) {
    const Config &c = b.config;
    encoder.cell = decoder.cell = RecurrentCell::gru;
    encoder.hidden = decoder.hidden = c.extent("hidden_size");
    encoder.direction = mlir::sesame::Direction::bidirectional;
    encoderLayers = c.layers("encoder_layers", 1);
    attentionWidth = c.extent("attention_size");
    b.info.hiddenSize = decoder.hidden;
    b.info.numLayers = encoderLayers;
  }

  void entries() {
    b.beginEntry("forward");
    Source source = encode();
    decode(source, /*isStep=*/false);
    b.endEntry();

    b.beginEntry("encode");
    source = encode();
    b.output("encoder_outputs", source.outputs, outputDims());
    b.output("encoder_keys", source.keys, keyDims());
    b.output("h_0", source.state.hidden, hiddenDims(1, decoder));
    b.endEntry();

    b.beginEntry("decode");
    source.lengths = lengthsInput(b);
    source.outputs = b.input("encoder_outputs", outputDims(), b.builder.getF32Type());
    source.keys = b.input("encoder_keys", keyDims(), b.builder.getF32Type());
    decode(source, /*isStep=*/true);
    b.endEntry();
    boundLengths(b, "E");
  }

private:
  struct Source {
    Value lengths;         // [B]
    Value outputs;         // [B, E, C]
    Value keys;            // [B, E, A]
    RecurrentStates state; // the decoder's first
  };

  ModelBuilder::Dims outputDims() const { return {"B", "E", std::to_string(encoder.outputWidth())}; }
  ModelBuilder::Dims keyDims() const { return {"B", "E", std::to_string(attentionWidth)}; }

  Source encode() {
    Source source;
    Value ids = vocab.sourceIds();
    source.lengths = encoder.lengths = lengthsInput(b);
    Value x = vocab.embedSource(ids);
    RecurrentStates states = emptyStates(b, encoderLayers, x, encoder);
    source.outputs = recurrentStack(b, "encoder.rnn", encoderLayers, x, encoder, states);
    source.keys = b.linear("attention.key", source.outputs, attentionWidth);
    // The backward direction ends at the first word.
    Value last = b.selectLast(states.hidden, 0); // [B, H]
    last = b.activation(mlir::sesame::Activation::tanh, b.linear("bridge", last, decoder.hidden));
    source.state.areGiven = true;
    source.state.hidden = withAxis(last, 0);
    return source;
  }

  void decode(Source &source, bool isStep) {
    Value ids = vocab.targetIds();
    RecurrentStates states = isStep ? stateInputs(b, 1, decoder, isStep) : source.state;
    Value words = vocab.embedTarget(ids); // [B, S, I]
    OpBuilder &builder = b.builder;
    const int64_t hidden = decoder.hidden, contextWidth = encoder.outputWidth();
    const int64_t readWidth = hidden + contextWidth;
    OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
    // What each step leaves behind: [h; context], and its weights.
    Value reads = zeros({b.extent(ids, 0), b.extent(ids, 1), builder.getIndexAttr(readWidth)});
    SmallVector<Value> carried = {states.hidden, reads};
    if (!isStep)
      carried.push_back(zeros({b.extent(ids, 0), b.extent(ids, 1), b.extent(source.keys, 1)}));
    auto steps = scf::ForOp::create(builder, b.loc, b.constant(0), b.dim(ids, 1), b.constant(1), carried);
    {
      // Not by the op's own callback, in which the body has no parent yet: weights are looked up in the
      // module.
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(steps.getBody());
      Value position = steps.getInductionVar();
      ValueRange values = steps.getRegionIterArgs();
      RecurrentStates state = states;
      state.hidden = values[0];
      Value weights = attend(source, b.selectLast(state.hidden, 0)); // [B, E]
      Value context = einsum(b, "be,bec->bc", weights, source.outputs);
      Value word = b.select(words, 1, position);
      Value x = withAxis(concat(b, {word, context}, 1), 1);
      Value output = recurrentLayer(b, "decoder.rnn", "_l0", x, decoder, state, zero); // [B, 1, H]
      auto put = [&](Value row, Value all) -> Value {
        SmallVector<OpFoldResult> offsets = {zero, position, zero}, strides(3, one),
                                  sizes = {b.extent(all, 0), one, b.extent(all, 2)};
        return tensor::InsertSliceOp::create(builder, b.loc, row, all, offsets, sizes, strides);
      };
      SmallVector<Value> next = {state.hidden,
                                 put(concat(b, {b.select(output, 1, zero), context}, 1), values[1])};
      if (!isStep)
        next.push_back(put(weights, values[2]));
      scf::YieldOp::create(builder, b.loc, next);
    }
    states.hidden = steps.getResult(0);
    Value logits = b.linear("decoder.out", concat(b, {steps.getResult(1), words}, 2), vocab.target);
    vocab.outputLogits(logits, isStep);
    if (isStep)
      stateOutputs(b, 1, decoder, states, isStep);
    else
      b.output("attention", steps.getResult(2), {"B", "S", "E"});
  }

  /// The weights [B, E] of the source's positions for the state [B, H].
  Value attend(const Source &source, Value state) {
    Value query = b.linear("attention.query", state, attentionWidth, withoutBias);
    Value sum = mapOver(b, "ba,bea->bea", {query, source.keys}, b.builder.getF32Type(),
                        [](Scalars s, ValueRange values) { return s.add(values[0], values[1]); });
    sum = b.activation(mlir::sesame::Activation::tanh, sum);
    Value scores = b.dropLastAxis(b.linear("attention.v", sum, 1, withoutBias)); // [B, E]
    return softmaxWithin(b, scores, source.lengths);
  }

  Value zeros(ArrayRef<OpFoldResult> extents) {
    Value empty = tensor::EmptyOp::create(b.builder, b.loc, extents, b.builder.getF32Type());
    return linalg::FillOp::create(b.builder, b.loc, b.constantF32(0), empty).getResult(0);
  }

  /// x [B, N] with one more axis of extent 1: [1, B, N] or [B, 1, N].
  Value withAxis(Value x, int64_t axis) {
    SmallVector<OpFoldResult> extents = {b.extent(x, 0), b.extent(x, 1)};
    SmallVector<int64_t> shape = llvm::to_vector(cast<RankedTensorType>(x.getType()).getShape());
    extents.insert(extents.begin() + axis, b.builder.getIndexAttr(1));
    shape.insert(shape.begin() + axis, 1);
    SmallVector<ReassociationIndices> groups = {{0, 1}, {2}};
    return tensor::ExpandShapeOp::create(b.builder, b.loc, b.tensorType(shape), x, groups, extents);
  }

  ModelBuilder &b;
  Vocabularies vocab;
  RecurrentOptions encoder, decoder;
  int64_t encoderLayers, attentionWidth;
};

/// Stacked LSTMs of which the decoder goes on from the encoder's last states, and whose top layer's state
/// reads the source: Luong et al. 2015, eqs. 5 and 8 (`dot`, `general`), without feeding the result back.
/// Without attention it is Sutskever et al. 2014.
class Luong {
public:
  explicit Luong(ModelBuilder &b) : b(b), vocab(b) {
    const Config &c = b.config;
    options.hidden = c.extent("hidden_size");
    layers = c.layers("num_layers");
    attention = c.choice("attention", {"general", "dot", "none"}, std::string("general"));
    reversesSource = c.flag("reverse_source", false);
    c.refuseFlag("bidirectional", "the decoder goes on from the states of one direction");
    c.refuseFlag("input_feeding", "the attention's result does not enter the next step");
    b.info.hiddenSize = options.hidden;
    b.info.numLayers = layers;
  }

  void entries() {
    b.beginEntry("forward");
    Source source = encode();
    decode(source, source.states, /*isStep=*/false);
    b.endEntry();

    b.beginEntry("encode");
    source = encode();
    if (hasAttention())
      b.output("encoder_outputs", source.outputs, outputDims());
    if (attention == "general")
      b.output("encoder_keys", source.keys, outputDims());
    b.output("h_0", source.states.hidden, hiddenDims(layers, options));
    b.output("c_0", source.states.cell, cellDims(layers, options));
    b.endEntry();

    b.beginEntry("decode");
    Source given;
    if (hasAttention()) {
      given.lengths = lengthsInput(b);
      given.outputs = given.keys = b.input("encoder_outputs", outputDims(), b.builder.getF32Type());
      if (attention == "general")
        given.keys = b.input("encoder_keys", outputDims(), b.builder.getF32Type());
    }
    decode(given, {}, /*isStep=*/true);
    b.endEntry();
    boundLengths(b, "E");
  }

private:
  struct Source {
    Value lengths;       // [B]
    Value outputs, keys; // [B, E, H]
    RecurrentStates states;
  };

  bool hasAttention() const { return attention != "none"; }
  ModelBuilder::Dims outputDims() const { return {"B", "E", std::to_string(options.hidden)}; }

  Source encode() {
    Source source;
    Value ids = vocab.sourceIds();
    source.lengths = lengthsInput(b);
    if (reversesSource)
      ids = reversed(ids, source.lengths);
    Value x = vocab.embedSource(ids);
    RecurrentOptions encoder = options;
    encoder.lengths = source.lengths;
    source.states = emptyStates(b, layers, x, encoder);
    source.outputs = source.keys = recurrentStack(b, "encoder.rnn", layers, x, encoder, source.states);
    source.states.areGiven = true;
    if (attention == "general")
      source.keys = b.linear("attention.w", source.outputs, options.hidden, withoutBias);
    return source;
  }

  /// The decoder from `states` on, or as a step from the session's.
  void decode(const Source &source, RecurrentStates states, bool isStep) {
    Value ids = vocab.targetIds();
    if (isStep)
      states = stateInputs(b, layers, options, isStep);
    Value x = recurrentStack(b, "decoder.rnn", layers, vocab.embedTarget(ids), options, states); // [B, S, H]
    if (hasAttention()) {
      AttentionOptions read;
      read.heads = 1;
      read.mask = lengthMask(b, source.lengths, source.outputs);
      Value context = b.attention(x, source.keys, source.outputs, read);
      x = b.linear("combine", concat(b, {context, x}, 2), options.hidden, withoutBias);
      x = b.activation(mlir::sesame::Activation::tanh, x);
    }
    vocab.outputLogits(b.linear("out", x, vocab.target), isStep);
    if (isStep)
      stateOutputs(b, layers, options, states, isStep);
  }

  /// ids [B, E] with the first lengths [B] of each row back to front.
  Value reversed(Value ids, Value lengths) {
    return generate(b, {b.extent(ids, 0), b.extent(ids, 1)}, b.builder.getI64Type(),
                    [&](Scalars s, ValueRange i) {
                      Value length = s.toIndex(s.at(lengths, i[0]));
                      Value mirrored = s.subtract(s.subtract(length, s.constant(1)), i[1]);
                      Value column = s.select(s.less(i[1], length), mirrored, i[1]);
                      return s.at(ids, {i[0], column});
                    });
  }

  ModelBuilder &b;
  Vocabularies vocab;
  RecurrentOptions options;
  int64_t layers;
  std::string attention;
  bool reversesSource;
};

} // namespace

const Family &gruSeq2SeqFamily() {
  static const Family family = {
      "gru-seq2seq-attn",
      "model.",
      {{"Bahdanau", "translation", [](ModelBuilder &b) { Bahdanau(b).entries(); }}}};
  return family;
}

const Family &lstmSeq2SeqFamily() {
  static const Family family = {"lstm-seq2seq-luong",
                                "model.",
                                {{"Luong", "translation", [](ModelBuilder &b) { Luong(b).entries(); }}}};
  return family;
}

} // namespace sesame::importer
