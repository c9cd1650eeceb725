//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Recurrent.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

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

/// The tensors `names` of `range`, of one shape each, as one weight [names, shape...].
static Value stackedWeight(ModelBuilder &b, ArrayRef<NamePattern> names, ArrayRef<int64_t> shape,
                           LayerRange range) {
  OpBuilder &builder = b.builder;
  const NamePattern &name = names.front();
  bool isLayered = name.find("{}") != NamePattern::npos;
  std::string symbol = b.weights.withoutPrefix(name);
  if (size_t at = symbol.find("{}"); at != std::string::npos)
    symbol.replace(at, 2, "n");
  SmallVector<int64_t> stackedShape = {static_cast<int64_t>(names.size())};
  llvm::append_range(stackedShape, shape);
  RankedTensorType type = b.tensorType(stackedShape), partType = b.tensorType(shape);
  ModuleOp module = moduleOf(b);

  if (!module.lookupSymbol(symbol)) {
    OpBuilder::InsertionGuard guard(builder);
    // Weights stand before all functions.
    builder.setInsertionPointToStart(module.getBody());
    for (auto weight : module.getOps<ops::WeightOp>())
      builder.setInsertionPointAfter(weight);
    auto weightOp = ops::WeightOp::create(builder, b.loc, symbol, isLayered ? range.count : 1, type,
                                          IntegerAttr(), IntegerAttr());
    builder.createBlock(&weightOp.getBody());
    SmallVector<Value> parts;
    for (const NamePattern &each : names) {
      int64_t first = isLayered ? range.first : 0;
      NamePattern stored = b.weights.resolve({each}, first);
      DType dtype = b.weights.claim(stored, first, isLayered ? range.count : 1, shape.vec());
      SmallVector<StringRef> spelling = {stored};
      if (size_t at = stored.find("{}"); at != NamePattern::npos)
        spelling = {StringRef(stored).take_front(at), StringRef(stored).drop_front(at + 2)};
      Type element = dtype == DType::f16    ? Type(builder.getF16Type())
                     : dtype == DType::bf16 ? Type(builder.getBF16Type())
                     : dtype == DType::f64  ? Type(builder.getF64Type())
                                            : Type(builder.getF32Type());
      Value part = ops::CheckpointTensorOp::create(builder, b.loc, partType.clone(element),
                                                   builder.getStrArrayAttr(spelling), first);
      if (element.getIntOrFloatBitWidth() < 32)
        part = arith::ExtFOp::create(builder, b.loc, partType, part);
      else if (element.getIntOrFloatBitWidth() > 32)
        part = arith::TruncFOp::create(builder, b.loc, partType, part);
      SmallVector<ReassociationIndices> groups = {{0, 1}};
      SmallVector<int64_t> single = {1};
      llvm::append_range(single, shape);
      for (int64_t axis = 1; axis < partType.getRank(); ++axis)
        groups.push_back({axis + 1});
      parts.push_back(tensor::ExpandShapeOp::create(builder, b.loc, b.tensorType(single), part, groups));
    }
    Value stacked =
        parts.size() == 1 ? parts.front() : tensor::ConcatOp::create(builder, b.loc, type, 0, parts);
    ops::YieldOp::create(builder, b.loc, stacked);
  }
  return ops::GetWeightOp::create(builder, b.loc, type, FlatSymbolRefAttr::get(builder.getContext(), symbol),
                                  isLayered ? b.layerIndex() : Value());
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
                            bool areSessionStates) {
  InputOptions input;
  input.isState = areSessionStates;
  if (!areSessionStates)
    input.fallback = "zeros";
  RecurrentStates states;
  states.areGiven = true;
  states.hidden = b.input("h_0", hiddenDims(layers, options), b.builder.getF32Type(), input);
  if (hasCell(options))
    states.cell = b.input("c_0", cellDims(layers, options), b.builder.getF32Type(), input);
  return states;
}

void stateOutputs(ModelBuilder &b, int64_t layers, const RecurrentOptions &options,
                  const RecurrentStates &states, bool areSessionStates) {
  b.output(areSessionStates ? "h_0" : "h_n", states.hidden, hiddenDims(layers, options), areSessionStates);
  if (hasCell(options))
    b.output(areSessionStates ? "c_0" : "c_n", states.cell, cellDims(layers, options), areSessionStates);
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
                     const RecurrentOptions &options, RecurrentStates &states, OpFoldResult firstRow,
                     LayerRange range) {
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
    return stackedWeight(b, names, shape, range);
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

Value recurrentStack(ModelBuilder &b, const std::string &module, int64_t layers, Value x,
                     const RecurrentOptions &options, RecurrentStates &states) {
  OpBuilder &builder = b.builder;
  x = recurrentLayer(b, module, "_l0", x, options, states, builder.getIndexAttr(0));
  if (layers == 1)
    return x;
  // Entries that have the stack in common have a function each: their tensors may differ in their extents.
  std::string function = module + "_layers";
  for (int64_t i = 1; moduleOf(b).lookupSymbol(function); ++i)
    function = module + "_layers_" + std::to_string(i);
  SmallVector<Value> carried = {x, states.hidden}, shared;
  if (states.cell)
    carried.push_back(states.cell);
  if (options.lengths)
    shared.push_back(options.lengths);
  SmallVector<Value> results = b.layers(
      function, layers - 1, carried, shared,
      [&](ValueRange inside, ValueRange others) -> SmallVector<Value> {
        RecurrentOptions inner = options;
        if (options.lengths)
          inner.lengths = others.front();
        RecurrentStates innerStates = states;
        innerStates.hidden = inside[1];
        if (states.cell)
          innerStates.cell = inside[2];
        Value layer = arith::AddIOp::create(builder, b.loc, b.layerIndex(), b.constant(1));
        Value row = arith::MulIOp::create(builder, b.loc, layer, b.constant(options.directions()));
        Value y =
            recurrentLayer(b, module, "_l{}", inside[0], inner, innerStates, row, {/*first=*/1, layers - 1});
        SmallVector<Value> next = {y, innerStates.hidden};
        if (states.cell)
          next.push_back(innerStates.cell);
        return next;
      },
      /*firstLayer=*/1);
  states.hidden = results[1];
  if (states.cell)
    states.cell = results[2];
  return results[0];
}

//===----------------------------------------------------------------------===//
// Lengths and columns
//===----------------------------------------------------------------------===//

Value lengthsInput(ModelBuilder &b) { return b.input("lengths", {"B"}, b.builder.getI64Type()); }

void boundLengths(ModelBuilder &b) {
  for (auto function : moduleOf(b).getOps<func::FuncOp>())
    for (unsigned i = 0; i < function.getNumArguments(); ++i) {
      auto name = function.getArgAttrOfType<StringAttr>(i, "sesame.name");
      if (!name || name != "lengths")
        continue;
      function.setArgAttr(i, "sesame.range",
                          b.builder.getDenseI64ArrayAttr({1, std::numeric_limits<int64_t>::max()}));
      function.setArgAttr(i, "sesame.at_most", b.builder.getStringAttr("S"));
    }
}

Value concatColumns(ModelBuilder &b, ValueRange parts) {
  return tensor::ConcatOp::create(b.builder, b.loc, typeOf(parts.front()).getRank() - 1, parts);
}

} // namespace sesame::importer
