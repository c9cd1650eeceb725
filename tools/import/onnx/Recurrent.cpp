//===- Recurrent.cpp - RNN, LSTM and GRU nodes ----------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Translator.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace sesame::onnx {

namespace ops = mlir::sesame;

namespace {

/// A node's operands as the sesame ops want them.
struct Recurrence {
  Call &call;
  Translator &t;
  ops::Direction direction = ops::Direction::forward;
  int64_t directions = 1, hidden = 0;
  Extent steps, batch;
  Value input, inputWeight, recurrentWeight, inputBias, recurrentBias, initialHidden, lengths;

  /// `order`: which of ONNX's gates each of sesame's is; `defaults`: the activations of one direction.
  Recurrence(Call &call, ArrayRef<int64_t> order, ArrayRef<StringRef> defaults)
      : call(call), t(call.translator) {
    std::string name = call.text("direction", "forward");
    if (name == "reverse")
      direction = ops::Direction::reverse;
    else if (name == "bidirectional")
      direction = ops::Direction::bidirectional;
    else if (name != "forward")
      call.fail(
          message("expected direction 'forward', 'reverse' or 'bidirectional', found ", inQuotes(name)));
    directions = name == "bidirectional" ? 2 : 1;
    if (call.integer("layout", 0) != 0)
      call.fail("layout 1 is not supported");
    if (call.node.find("clip"))
      call.fail("clipping is not supported");
    checkActivations(defaults);

    Term *x = call.input(0), *weight = call.input(1), *recurrent = call.input(2);
    int64_t gates = order.size();
    hidden =
        call.integer("hidden_size", recurrent->rank() == 3 ? recurrent->dims[2].constant().value_or(0) : 0);
    if (hidden < 1 || hidden > 1 << 24)
      call.fail(message("expected a positive hidden_size, found ", hidden));
    if (!x->isFloat() || x->rank() != 3)
      call.fail("expected data of 3 axes");
    expectDims(1, {directions, gates * hidden, x->dims[2]});
    expectDims(2, {directions, gates * hidden, hidden});
    steps = x->dims[0];
    batch = x->dims[1];
    input = t.materialize(t.transpose(x, {1, 0, 2}));
    inputWeight = reorder(weight, order, 0);
    recurrentWeight = reorder(recurrent, order, 0);
    if (Term *bias = call.optional(3)) {
      expectDims(3, {directions, 2 * gates * hidden});
      inputBias = reorder(bias, order, 0);
      recurrentBias = reorder(bias, order, gates);
    }
    if (Term *given = call.optional(4)) {
      expectDims(4, {batch});
      if (given->isFloat())
        call.fail("expected integers as lengths");
      lengths = t.materialize(given);
    }
    initialHidden = state(5);
  }

  void checkActivations(ArrayRef<StringRef> defaults) {
    const Attribute *given = call.node.find("activations");
    if (!given)
      return;
    for (auto [i, name] : llvm::enumerate(given->texts))
      if (!StringRef(name).equals_insensitive(defaults[i % defaults.size()]))
        call.fail(message("activation ", inQuotes(name), " is not supported, expected ",
                          inQuotes(std::string_view(defaults[i % defaults.size()]))));
  }

  void expectDims(size_t index, const Dims &dims) {
    Term *term = call.input(index);
    if (term->dims != dims)
      call.fail(message("expected input ", index, " of shape ", t.describe(dims), ", found ",
                        t.describe(term->dims)));
  }

  Value state(size_t index) {
    if (!call.optional(index))
      return Value();
    expectDims(index, {directions, batch, hidden});
    return t.materialize(call.input(index));
  }

  /// The gates of a weight in sesame's order, from gate `first` on: in the weight's recipe if it is stored.
  Value reorder(Term *term, ArrayRef<int64_t> order, int64_t first) {
    auto arrange = [&](Value value) -> Value {
      auto type = cast<RankedTensorType>(value.getType());
      SmallVector<Value> parts;
      for (int64_t gate : order) {
        SmallVector<OpFoldResult> offsets(type.getRank(), t.builder.getIndexAttr(0)), sizes,
            strides(type.getRank(), t.builder.getIndexAttr(1));
        for (int64_t extent : type.getShape())
          sizes.push_back(t.builder.getIndexAttr(extent));
        offsets[1] = t.builder.getIndexAttr((first + gate) * hidden);
        sizes[1] = t.builder.getIndexAttr(hidden);
        parts.push_back(tensor::ExtractSliceOp::create(t.builder, t.loc, value, offsets, sizes, strides));
      }
      return parts.size() == 1 ? parts.front()
                               : tensor::ConcatOp::create(t.builder, t.loc, 1, parts).getResult();
    };
    if (!term->weight || !term->permutation.empty())
      return arrange(t.materialize(term));
    SmallVector<int64_t> shape(ArrayRef<int64_t>(term->weight->shape));
    shape[1] = order.size() * hidden;
    std::string key = message(".gates", first);
    for (int64_t gate : order)
      key += std::to_string(gate);
    return t.weightBy(*term->weight, key, RankedTensorType::get(shape, t.builder.getF32Type()), arrange);
  }

  RankedTensorType outputType() { return t.typeOf(Kind::f32, {batch, steps, directions * hidden}); }
  RankedTensorType stateType() { return t.typeOf(Kind::f32, {directions, batch, hidden}); }

  /// Y [T, Q, B, H] and the final states [Q, B, H].
  void finish(Operation *op) {
    Term *output = t.tensor(Kind::f32, {batch, steps, directions * hidden}, op->getResult(0));
    output = t.reshape(output, {batch, steps, directions, hidden});
    call.result(t.transpose(output, {1, 2, 0, 3}));
    for (Value final : op->getResults().drop_front())
      call.result(t.tensor(Kind::f32, {directions, batch, hidden}, final));
  }
};

void rnn(Call &call) {
  // One activation may be chosen, the same for both directions.
  ops::Activation activation = ops::Activation::tanh;
  StringRef name = "Tanh";
  if (const Attribute *given = call.node.find("activations"))
    if (!given->texts.empty() && StringRef(given->texts[0]).equals_insensitive("Relu")) {
      activation = ops::Activation::relu;
      name = "Relu";
    }
  Recurrence r(call, {0}, {name});
  r.finish(ops::RNNOp::create(r.t.builder, r.t.loc, r.outputType(), r.stateType(), r.input, r.inputWeight,
                              r.recurrentWeight, r.inputBias, r.recurrentBias, r.initialHidden, r.lengths,
                              activation, r.direction));
}

void lstm(Call &call) {
  if (call.integer("input_forget", 0))
    call.fail("input_forget is not supported");
  if (call.optional(7))
    call.fail("peephole connections are not supported");
  // ONNX packs i, o, f, c; sesame i, f, g, o.
  Recurrence r(call, {0, 2, 3, 1}, {"Sigmoid", "Tanh", "Tanh"});
  Value cell = r.state(6);
  r.finish(ops::LSTMOp::create(r.t.builder, r.t.loc, r.outputType(), r.stateType(), r.stateType(), r.input,
                               r.inputWeight, r.recurrentWeight, r.inputBias, r.recurrentBias, Value(),
                               r.initialHidden, cell, r.lengths, r.direction, FloatAttr(), FloatAttr()));
}

void gru(Call &call) {
  // ONNX packs z, r, h; sesame r, z, n.
  Recurrence r(call, {1, 0, 2}, {"Sigmoid", "Tanh"});
  bool resetsBefore = call.integer("linear_before_reset", 0) == 0;
  r.finish(ops::GRUOp::create(r.t.builder, r.t.loc, r.outputType(), r.stateType(), r.input, r.inputWeight,
                              r.recurrentWeight, r.inputBias, r.recurrentBias, r.initialHidden, r.lengths,
                              r.direction, resetsBefore));
}

} // namespace

void addRecurrent(Handlers &handlers) {
  handlers["RNN"] = rnn;
  handlers["LSTM"] = lstm;
  handlers["GRU"] = gru;
}

} // namespace sesame::onnx
