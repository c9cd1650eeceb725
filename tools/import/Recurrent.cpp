//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Recurrent.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;

namespace sesame::importer {

namespace ops = mlir::sesame;

static RankedTensorType typeOf(Value x) { return cast<RankedTensorType>(x.getType()); }

/// The module that the builder is at work in.
static ModuleOp moduleOf(ModelBuilder &b) {
  Operation *parent = b.builder.getInsertionBlock()->getParentOp();
  auto module = dyn_cast<ModuleOp>(parent);
  return module ? module : parent->getParentOfType<ModuleOp>();
}

RecurrentCell readCell(const Config &config, std::optional<std::string> fallback) {
  std::string name = config.choice("cell", {"rnn", "lstm", "gru"}, std::move(fallback));
  return name == "rnn" ? RecurrentCell::rnn : name == "gru" ? RecurrentCell::gru : RecurrentCell::lstm;
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// The tensors `names`, of one shape each, as one weight [names, shape...].
static Value stackedWeight(ModelBuilder &b, ArrayRef<NamePattern> names, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> single = {1}, stacked = {static_cast<int64_t>(names.size())};
  llvm::append_range(single, shape);
  llvm::append_range(stacked, shape);
  SmallVector<ReassociationIndices> groups = {{0, 1}};
  for (size_t axis = 1; axis < shape.size(); ++axis)
    groups.push_back({static_cast<int64_t>(axis) + 1});
  RankedTensorType type = b.tensorType(stacked);
  return b.weightBy(names.front(), type, [&]() -> Value {
    SmallVector<Value> parts;
    for (const NamePattern &name : names)
      parts.push_back(tensor::ExpandShapeOp::create(b.builder, b.loc, b.tensorType(single),
                                                    b.storedTensor(name, shape), groups));
    return parts.size() == 1 ? parts.front()
                             : tensor::ConcatOp::create(b.builder, b.loc, type, 0, parts).getResult();
  });
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

static bool hasCell(const RecurrentOptions &options) { return options.cell == RecurrentCell::lstm; }

ModelBuilder::Dims hiddenDims(int64_t layers, const RecurrentOptions &options) {
  return {std::to_string(layers * options.directions()), "B", std::to_string(options.width())};
}

ModelBuilder::Dims cellDims(int64_t layers, const RecurrentOptions &options) {
  return {std::to_string(layers * options.directions()), "B", std::to_string(options.hidden)};
}

RecurrentStates emptyStates(ModelBuilder &b, int64_t layers, Value x, const RecurrentOptions &options) {
  auto make = [&](int64_t width) -> Value {
    SmallVector<OpFoldResult> extents = {b.builder.getIndexAttr(layers * options.directions()),
                                         b.extent(x, 0), b.builder.getIndexAttr(width)};
    return tensor::EmptyOp::create(b.builder, b.loc, extents, b.builder.getF32Type());
  };
  RecurrentStates states;
  states.hidden = make(options.width());
  if (hasCell(options))
    states.cell = make(options.hidden);
  return states;
}

RecurrentStates stateInputs(ModelBuilder &b, int64_t layers, const RecurrentOptions &options,
                            bool areSessionStates, const std::string &prefix) {
  InputOptions input;
  input.isState = areSessionStates;
  if (!areSessionStates)
    input.fallback = "zeros";
  RecurrentStates states;
  states.areGiven = true;
  states.hidden = b.input(prefix + "h_0", hiddenDims(layers, options), b.builder.getF32Type(), input);
  if (hasCell(options))
    states.cell = b.input(prefix + "c_0", cellDims(layers, options), b.builder.getF32Type(), input);
  return states;
}

void stateOutputs(ModelBuilder &b, int64_t layers, const RecurrentOptions &options,
                  const RecurrentStates &states, bool areSessionStates, const std::string &prefix) {
  b.output(prefix + (areSessionStates ? "h_0" : "h_n"), states.hidden, hiddenDims(layers, options),
           areSessionStates);
  if (hasCell(options))
    b.output(prefix + (areSessionStates ? "c_0" : "c_n"), states.cell, cellDims(layers, options),
             areSessionStates);
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

/// Offsets, sizes and strides of the Q rows of a state [L * Q, B, W] from `firstRow` on.
struct StateRows {
  StateRows(ModelBuilder &b, Value state, OpFoldResult firstRow, int64_t directions)
      : offsets(3, b.builder.getIndexAttr(0)), strides(3, b.builder.getIndexAttr(1)) {
    offsets[0] = firstRow;
    sizes = {b.builder.getIndexAttr(directions), b.extent(state, 1), b.extent(state, 2)};
  }
  SmallVector<OpFoldResult> offsets, sizes, strides;
};

Value recurrentLayer(ModelBuilder &b, const NamePattern &module, const std::string &suffix, Value x,
                     const RecurrentOptions &options, RecurrentStates &states, OpFoldResult firstRow) {
  OpBuilder &builder = b.builder;
  int64_t numDirections = options.directions(), hidden = options.hidden, width = options.width();
  int64_t inputWidth = typeOf(x).getDimSize(2);
  int64_t rows = hidden * (options.cell == RecurrentCell::lstm  ? 4
                           : options.cell == RecurrentCell::gru ? 3
                                                                : 1);
  auto weight = [&](const char *kind, ArrayRef<int64_t> shape) {
    SmallVector<NamePattern> names = {module + "." + kind + suffix};
    if (numDirections == 2)
      names.push_back(names.front() + "_reverse");
    return stackedWeight(b, names, shape);
  };
  Value inputWeight = weight("weight_ih", {rows, inputWidth}),
        recurrentWeight = weight("weight_hh", {rows, width});
  Value inputBias = weight("bias_ih", {rows}), recurrentBias = weight("bias_hh", {rows});

  auto read = [&](Value state) -> Value {
    if (!states.areGiven)
      return Value();
    StateRows slice(b, state, firstRow, numDirections);
    return tensor::ExtractSliceOp::create(builder, b.loc, state, slice.offsets, slice.sizes, slice.strides);
  };
  auto write = [&](Value &state, Value value) {
    StateRows slice(b, state, firstRow, numDirections);
    state = tensor::InsertSliceOp::create(builder, b.loc, value, state, slice.offsets, slice.sizes,
                                          slice.strides);
  };
  int64_t batch = typeOf(x).getDimSize(0);
  Type outputType = b.tensorType({batch, typeOf(x).getDimSize(1), options.outputWidth()});
  Type hiddenType = b.tensorType({numDirections, batch, width});
  Type cellType = b.tensorType({numDirections, batch, hidden});
  auto clip = [&](std::optional<double> limit) {
    return limit ? builder.getF32FloatAttr(static_cast<float>(*limit)) : FloatAttr();
  };
  Value initialHidden = read(states.hidden);
  switch (options.cell) {
  case RecurrentCell::rnn: {
    auto op = ops::RNNOp::create(builder, b.loc, outputType, hiddenType, x, inputWeight, recurrentWeight,
                                 inputBias, recurrentBias, initialHidden, options.lengths, options.activation,
                                 options.direction);
    write(states.hidden, op.getFinalHidden());
    return op.getOutput();
  }
  case RecurrentCell::gru: {
    auto op = ops::GRUOp::create(builder, b.loc, outputType, hiddenType, x, inputWeight, recurrentWeight,
                                 inputBias, recurrentBias, initialHidden, options.lengths, options.direction);
    write(states.hidden, op.getFinalHidden());
    return op.getOutput();
  }
  case RecurrentCell::lstm:
    break;
  }
  Value projection = options.projection ? weight("weight_hr", {width, hidden}) : Value();
  auto op = ops::LSTMOp::create(builder, b.loc, outputType, hiddenType, cellType, x, inputWeight,
                                recurrentWeight, inputBias, recurrentBias, projection, initialHidden,
                                read(states.cell), options.lengths, options.direction, clip(options.cellClip),
                                clip(options.projectionClip));
  write(states.hidden, op.getFinalHidden());
  write(states.cell, op.getFinalCell());
  return op.getOutput();
}

Value recurrentLoop(ModelBuilder &b, const std::string &name, const NamePattern &module,
                    const std::string &suffix, LayerRange range, Value x, const RecurrentOptions &options,
                    RecurrentStates &states, int64_t firstRow) {
  OpBuilder &builder = b.builder;
  // Entries that have the layers in common have a function each: their tensors may differ in their extents.
  std::string function = name;
  for (int64_t i = 1; moduleOf(b).lookupSymbol(function); ++i)
    function = name + "_" + std::to_string(i);
  SmallVector<Value> carried = {x, states.hidden}, shared;
  if (states.cell)
    carried.push_back(states.cell);
  if (options.lengths)
    shared.push_back(options.lengths);
  auto body = [&](ValueRange inside, ValueRange others) -> SmallVector<Value> {
    RecurrentOptions inner = options;
    if (options.lengths)
      inner.lengths = others.front();
    RecurrentStates innerStates = states;
    innerStates.hidden = inside[1];
    if (states.cell)
      innerStates.cell = inside[2];
    Value row = arith::MulIOp::create(builder, b.loc, b.layerIndex(), b.constant(options.directions()));
    row = arith::AddIOp::create(builder, b.loc, row, b.constant(firstRow));
    Value y = recurrentLayer(b, module, suffix, inside[0], inner, innerStates, row);
    SmallVector<Value> next = {y, innerStates.hidden};
    if (states.cell)
      next.push_back(innerStates.cell);
    return next;
  };
  SmallVector<Value> results = b.layers(function, range.count, carried, shared, body, range.first);
  states.hidden = results[1];
  if (states.cell)
    states.cell = results[2];
  return results[0];
}

Value recurrentStack(ModelBuilder &b, const std::string &module, int64_t layers, Value x,
                     const RecurrentOptions &options, RecurrentStates &states) {
  x = recurrentLayer(b, module, "_l0", x, options, states, b.builder.getIndexAttr(0));
  if (layers == 1)
    return x;
  return recurrentLoop(b, module + "_layers", module, "_l{}", {/*first=*/1, layers - 1}, x, options, states,
                       options.directions());
}

//===----------------------------------------------------------------------===//
// Lengths and columns
//===----------------------------------------------------------------------===//

Value lengthsInput(ModelBuilder &b) { return b.input("lengths", {"B"}, b.builder.getI64Type()); }

void boundLengths(ModelBuilder &b, StringRef atMost) {
  for (auto function : moduleOf(b).getOps<func::FuncOp>())
    for (unsigned i = 0; i < function.getNumArguments(); ++i) {
      auto name = function.getArgAttrOfType<StringAttr>(i, "sesame.name");
      if (!name || name != "lengths")
        continue;
      function.setArgAttr(i, "sesame.range",
                          b.builder.getDenseI64ArrayAttr({1, std::numeric_limits<int64_t>::max()}));
      function.setArgAttr(i, "sesame.at_most", b.builder.getStringAttr(atMost));
    }
}

/// Whether position at[1] of row at[0] is below that row's length.
static Value isReal(Scalars s, Value lengths, ValueRange at) {
  return s.less(at[1], s.toIndex(s.at(lengths, at[0])));
}

Value lengthMask(ModelBuilder &b, Value lengths, Value like) {
  return generate(b, {b.extent(like, 0), b.extent(like, 1)}, b.builder.getI64Type(),
                  [&](Scalars s, ValueRange at) {
                    return s.select(isReal(s, lengths, at), s.constantI64(1), s.constantI64(0));
                  });
}

Value zeroPadding(ModelBuilder &b, Value x, Value lengths) {
  return generate(b, {b.extent(x, 0), b.extent(x, 1), b.extent(x, 2)}, b.builder.getF32Type(),
                  [&](Scalars s, ValueRange at) {
                    return s.select(isReal(s, lengths, at), s.at(x, at), s.constantF32(0));
                  });
}

} // namespace sesame::importer
