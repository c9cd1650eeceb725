//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Slices.h"
#include "Words.h"

#include "sesame/Dialect/WordOps.h"
#include "sesame/Passes/Kernels.h"
#include "sesame/Passes/ParallelOrder.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <functional>
#include <map>
#include <optional>

namespace mlir::sesame {
#define GEN_PASS_DEF_TILERECURRENTPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

/// Rows of one task. Each block of rows reads the panels again, at 32 rows for 16 operations a byte, and the
/// sums of as many rows fit a thread's stack.
static constexpr int64_t kRowsPerTask = 32;
/// Tasks that a block of rows makes where the units allow it: small weights are worth several threads where
/// there are many rows.
static constexpr int64_t kLeastTasks = 4;

/// Rows of one task that hands the hidden state on.
static constexpr int64_t kRowsPerPublishTask = 16;

namespace {

/// A weight of several gates in panels [Q * groups * ceil(N / U), W, G * U]: a panel has the columns of U
/// units of the G gates of a group, those of the first gate first. W is K, or the words that K numbers make.
struct Panels {
  Value value;
  int64_t gatesPerPanel; // G
  int64_t unitsPerPanel; // U
  int64_t perDirection;  // panels of a direction
  Type words = nullptr;  // what the words hold; null for panels of floats

  int64_t depth() const { return cast<RankedTensorType>(value.getType()).getDimSize(1); }
  int64_t width() const { return gatesPerPanel * unitsPerPanel; }
};

/// The sums of gates `firstGate` to `firstGate + numGates - 1`, which are whole groups: `lhs` [Q, B, >= K],
/// or [Q * B, W] of words, times their panels.
struct Product {
  Value lhs;
  const Panels *panels;
  int64_t firstGate, numGates;
  bool hasInput = true; // whether these gates have an input's part
};

/// What a stage writes: a state [Q, B, W], or Q directions of a larger one.
struct Dest {
  Value state;
  Value firstDirection = nullptr; // null for 0
};

/// The hidden state in a step.
struct Hidden {
  Value before; // [Q, B, P]; not to be read while the step writes `next` if that is in place
  Dest next;

  bool isInPlace() const { return before == next.state; }
};

/// Where one vector of the cell's work lies.
struct Lanes {
  Value direction, batch, unit;  // in the whole states [Q, B, W]
  Value row, column;             // in the task's tiles
  Value position;                // of the step in the row's sequence
  Value active;                  // whether the row has not ended; null if no row ends early
  Value mask;                    // null if all lanes are units
  SmallVectorImpl<Value> *tiles; // the task's parts of the stage's destinations
};

/// A part of a cell's work, done for all rows of a task before the next part. The first one makes its
/// `numResults` vectors from the sums of the stage's products, gate by gate, each other one from those of the
/// part before it, and the last one's are the new contents of the stage's destinations. A part ends where a
/// long chain of operations would begin another: so the chains of several rows run side by side.
struct CellPart {
  size_t numResults;
  std::function<SmallVector<Value>(const Lanes &at, ValueRange vectors)> build;
};

/// Where a stage stores a hidden state: state `index` of its states, as the step's part of `sequence`, the
/// hidden states of all steps [B, T, Q * units].
struct Output {
  Value sequence;
  size_t index;
};

/// Where the sums of a gate lie: columns of a tile, from `firstColumn` on.
struct GateSums {
  Value tile;
  int64_t firstColumn;
};

/// The input's part of all gates with its bias, for all steps: [B, T, Q * X], or [T, B, Q * X].
struct Projection {
  Value value;
  bool isByStep; // the second form
};

/// One step of a recurrence, and what it begins with.
struct Step {
  Value number;
  Value sequence; // the hidden states of all steps [B, T, Q * P]
  Hidden hidden;
  Value factor;      // the hidden state before the step as the left factor of products
  ValueRange states; // without the hidden state
};

/// What a task size is made of: see the options of the pass.
struct Shape {
  int64_t panelWidth, taskBytes;
  int64_t lanes() const { return panelWidth / 2; }
};

/// What is common to rnn, lstm and gru: all directions of a recurrence, side by side in each step.
class Recurrence {
public:
  template <typename OpTy>
  Recurrence(OpTy op, Projection input, Shape shape)
      : b(op.getLoc(), op), shape(shape), lengths(op.getLengths()), recurrentBias(op.getRecurrentBias()),
        projected(input.value), isByStep(input.isByStep), order(op.getDirection()),
        numDirections(op.getInputWeight().getType().getDimSize(0)),
        batch(tensor::getMixedSize(b, b.getLoc(), op.getInput(), 0)),
        steps(tensor::getMixedSize(b, b.getLoc(), op.getInput(), 1)) {}

  ImplicitLocOpBuilder &builder() { return b; }

  /// `initial` [Q, B, width], or zeros if it is null, as a state.
  Value initialState(Value initial, int64_t width) {
    Value state = makeState(width);
    if (!initial) {
      Value zero = arith::ConstantOp::create(b, b.getZeroAttr(b.getF32Type()));
      return linalg::FillOp::create(b, zero, state).getResult(0);
    }
    return tensor::InsertSliceOp::create(b, initial, state, zeros(3),
                                         tensor::getMixedSizes(b, b.getLoc(), initial), ones(3));
  }
  /// The contents [Q, B, width] of a state, in a tensor of their own.
  Value finalState(Value state, int64_t width) {
    SmallVector<OpFoldResult> sizes = stateSizes(width);
    Value contents = tensor::ExtractSliceOp::create(b, state, zeros(3), sizes, ones(3));
    Value out = tensor::EmptyOp::create(b, sizes, b.getF32Type());
    return tensor::InsertSliceOp::create(b, contents, out, zeros(3), sizes, ones(3));
  }

  /// A tensor [Q, B, >= width] without contents, in a buffer of its own: a `tensor.empty` could be given that
  /// of the state or the result which it will be copied to, and which is still read. Its rows do not lie a
  /// multiple of 1024 bytes apart: those of a task would share a few sets of the first cache, and a row's
  /// loads would wait for the stores of another one.
  Value makeState(int64_t width) { return allocate(stateSizes(width % 256 ? width : width + 16)); }

  /// Runs `buildStep` for all steps; it maps the `states`, the hidden state [Q, B, width] first, to those
  /// after the step, and behind them the sequence. `panels` are those that the hidden state is multiplied by;
  /// a step `writesLast` if it writes that state when all have read it. Returns the hidden states of all
  /// steps [B, T, Q * width] and the states after them.
  SmallVector<Value> run(SmallVector<Value> states, int64_t width, const Panels &panels, bool writesLast,
                         function_ref<SmallVector<Value>(const Step &)> buildStep) {
    bool isInPlace = panels.words || writesLast;
    SmallVector<Value> carried = {allocate({batch, steps, b.getIndexAttr(numDirections * width)})};
    if (panels.words)
      carried.push_back(asFactor(states[0], width, panels));
    size_t firstState = carried.size();
    if (!isInPlace)
      states[0] = makeHalves(states[0]);
    llvm::append_range(carried, states);
    auto loop = scf::ForOp::create(b, index(0), getValueOrCreateConstantIndexOp(b, b.getLoc(), steps),
                                   index(1), carried);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToEnd(loop.getBody());
      ValueRange before = loop.getRegionIterArgs();
      Step step = {loop.getInductionVar(), before[0], {}, {}, before.drop_front(firstState + 1)};
      Value hidden = before[firstState];
      step.hidden = isInPlace ? Hidden{hidden, {hidden}} : inHalves(hidden, step.number);
      step.factor = panels.words ? before[1] : step.hidden.before;
      SmallVector<Value> after = buildStep(step);
      step.sequence = after.pop_back_val();
      step.hidden.next.state = after[0];
      for (int64_t direction = 0; direction < numDirections; ++direction)
        publish(step, direction, width, panels);
      SmallVector<Value> next = {step.sequence};
      if (panels.words)
        next.push_back(step.factor);
      llvm::append_range(next, after);
      scf::YieldOp::create(b, next);
    }
    SmallVector<Value> results = {loop.getResult(0)};
    llvm::append_range(results, loop.getResults().drop_front(firstState));
    if (!isInPlace)
      results[1] = lastHalf(results[1]);
    return results;
  }

  /// A state [Q, B, >= K] as the left factor of products with `panels`: itself, or packed into words [Q * B,
  /// W] in a buffer of its own.
  Value asFactor(Value state, int64_t width, const Panels &panels) {
    if (!panels.words)
      return state;
    Value rows = tensor::CollapseShapeOp::create(b, state, ArrayRef<ReassociationIndices>{{0, 1}, {2}});
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), rows);
    sizes[1] = b.getIndexAttr(width);
    Value contents = tensor::ExtractSliceOp::create(b, rows, zeros(2), sizes, ones(2));
    return packRowsIntoWords(b, b.getLoc(), contents, panels.words);
  }

  /// A part of a step that needs all units of the part before it: for each direction, block of rows and of
  /// the `units` units, the sums of `products`, and with them the new contents of `states` [Q, B, units].
  /// Returns the new ones, and behind them that of the sequence of `output`.
  SmallVector<Value> buildStage(Value step, int64_t units, ArrayRef<Product> products, ArrayRef<Dest> states,
                                std::optional<Output> output, ArrayRef<CellPart> parts);

  /// Runs `body` for each row, which maps the `tiles` to those after it.
  SmallVector<Value> loopOverRows(Value numRows, ValueRange tiles,
                                  function_ref<void(Value row, SmallVectorImpl<Value> &tiles)> body) {
    auto loop = scf::ForOp::create(b, index(0), numRows, index(1), tiles);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(loop.getBody());
    SmallVector<Value> current = llvm::to_vector_of<Value>(loop.getRegionIterArgs());
    body(loop.getInductionVar(), current);
    scf::YieldOp::create(b, current);
    return llvm::to_vector_of<Value>(loop.getResults());
  }

  /// The input's part of a gate, with its bias.
  Value inputPart(const Lanes &at, int64_t gate, int64_t units) {
    return read(projected, inputPlace(at, gate, units), at.mask);
  }
  /// Asks for the input's part of a gate, so that it is near when the sum is done: the parts of all steps
  /// were written at once, some by another core.
  void prefetchInputPart(const Lanes &at, int64_t gate, int64_t units) {
    prefetch(projected, inputPlace(at, gate, units));
  }
  /// `sum` with the recurrent bias of a gate.
  Value addBias(const Lanes &at, Value sum, int64_t gate, int64_t units) {
    if (!recurrentBias)
      return sum;
    return add(sum, read(recurrentBias, {at.direction, offset(at.unit, gate * units)}, at.mask));
  }
  /// W_ih x + b_ih + W_hh h + b_hh
  Value gateSum(const Lanes &at, Value sum, int64_t gate, int64_t units) {
    return add(inputPart(at, gate, units), addBias(at, sum, gate, units));
  }
  /// The vector of a state [Q, B, W] that the stage only reads.
  Value readState(const Lanes &at, Value state) {
    return read(state, {at.direction, at.batch, at.unit}, at.mask);
  }
  /// What destination `number` of the stage holds.
  Value readDest(const Lanes &at, unsigned number) {
    return read((*at.tiles)[number], {at.row, at.column}, at.mask);
  }
  /// `value`, but `other` in a row that has ended.
  Value ifActive(const Lanes &at, Value value, Value other) {
    return at.active ? arith::SelectOp::create(b, at.active, value, other).getResult() : value;
  }
  /// The hidden state before the step, whose next one is destination `number` of the stage.
  Value readHidden(const Lanes &at, const Hidden &hidden, unsigned number) {
    return hidden.isInPlace() ? readDest(at, number) : readState(at, hidden.before);
  }
  /// `value`, but the hidden state before the step in a row that has ended.
  Value keepIfEnded(const Lanes &at, Value value, const Hidden &hidden, unsigned number) {
    return at.active ? ifActive(at, value, readHidden(at, hidden, number)) : value;
  }

  Value zeroIfEnded(const Lanes &at, Value value) {
    return at.active ? ifActive(at, value, constant(0.0f)) : value;
  }

  Value add(Value x, Value y) { return arith::AddFOp::create(b, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, x, y); }
  Value activate(Activation activation, Value x) { return emitActivation(b, b.getLoc(), activation, x); }
  Value sigmoid(Value x) { return activate(Activation::sigmoid, x); }
  Value tanh(Value x) { return activate(Activation::tanh, x); }
  /// x within [-limit, limit].
  Value clip(Value x, std::optional<APFloat> limit) {
    if (!limit)
      return x;
    float bound = limit->convertToFloat();
    return arith::MinimumFOp::create(b, arith::MaximumFOp::create(b, x, constant(-bound)), constant(bound));
  }
  Value constant(float value) {
    return arith::ConstantOp::create(b, DenseElementsAttr::get(vectorType(), APFloat(value)));
  }

private:
  /// Room for the hidden states [Q, B, P] before and after a step, one after the other: the first has those
  /// before steps of even numbers. Where a step's tasks read the whole state, others already write their part
  /// of the next one, and to copy it between the steps would let the threads wait for one of them.
  Value makeHalves(Value initial) {
    auto type = cast<RankedTensorType>(initial.getType());
    Value halves = allocate({b.getIndexAttr(2 * numDirections), batch, b.getIndexAttr(type.getDimSize(2))});
    return tensor::InsertSliceOp::create(b, initial, halves, zeros(3),
                                         tensor::getMixedSizes(b, b.getLoc(), initial), ones(3));
  }
  /// The hidden state in `step` of those that `makeHalves` made.
  Hidden inHalves(Value halves, Value step) {
    // Bufferization does not see that what a step reads is no part of what it writes, so the first is a
    // tensor that it takes for another one.
    auto type = cast<RankedTensorType>(halves.getType());
    auto layout = StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic,
                                         {ShapedType::kDynamic, ShapedType::kDynamic, 1});
    Value buffer = bufferization::ToBufferOp::create(
        b, MemRefType::get(type.getShape(), type.getElementType(), layout), halves, /*read_only=*/true);
    Value first = firstDirectionOf(step);
    SmallVector<OpFoldResult> offsets = {first, b.getIndexAttr(0), b.getIndexAttr(0)},
                              sizes = {b.getIndexAttr(numDirections), batch,
                                       b.getIndexAttr(type.getDimSize(2))};
    Value half = memref::SubViewOp::create(b, buffer, offsets, sizes, ones(3));
    auto halfType = cast<MemRefType>(half.getType());
    Value before = bufferization::ToTensorOp::create(
        b, RankedTensorType::get(halfType.getShape(), type.getElementType()), half, /*restrict=*/true);
    return {before, {halves, arith::SubIOp::create(b, index(numDirections), first)}};
  }
  /// What `makeHalves` made, after the last step.
  Value lastHalf(Value halves) {
    Value last = firstDirectionOf(getValueOrCreateConstantIndexOp(b, b.getLoc(), steps));
    int64_t width = cast<RankedTensorType>(halves.getType()).getDimSize(2);
    SmallVector<OpFoldResult> offsets = {last, b.getIndexAttr(0), b.getIndexAttr(0)},
                              sizes = {b.getIndexAttr(numDirections), batch, b.getIndexAttr(width)};
    return tensor::ExtractSliceOp::create(b, halves, offsets, sizes, ones(3));
  }

  /// Hands the hidden state that `step` made in a direction on, row by row: as that step's part of the
  /// sequence, zeros in rows that have ended, and in words as the factor of products with `panels`. Both of
  /// `step` become the new ones. The sequence's rows lie far apart: a stage, which has some units of all
  /// rows, would write a line here and a line there and wait for each of them.
  void publish(Step &step, int64_t direction, int64_t width, const Panels &panels);

  SmallVector<OpFoldResult> stateSizes(int64_t width) {
    return {b.getIndexAttr(numDirections), batch, b.getIndexAttr(width)};
  }
  SmallVector<OpFoldResult> zeros(size_t rank) { return SmallVector<OpFoldResult>(rank, b.getIndexAttr(0)); }
  SmallVector<OpFoldResult> ones(size_t rank) { return SmallVector<OpFoldResult>(rank, b.getIndexAttr(1)); }
  Value allocate(ArrayRef<OpFoldResult> extents) {
    SmallVector<int64_t> shape;
    SmallVector<Value> dynamic;
    dispatchIndexOpFoldResults(extents, dynamic, shape);
    return bufferization::AllocTensorOp::create(b, RankedTensorType::get(shape, b.getF32Type()), dynamic);
  }
  VectorType vectorType() { return VectorType::get({shape.lanes()}, b.getF32Type()); }
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, value); }
  Value offset(Value value, int64_t by) {
    return by ? arith::AddIOp::create(b, value, index(by)).getResult() : value;
  }
  /// Where the input's part of a gate begins.
  SmallVector<Value> inputPlace(const Lanes &at, int64_t gate, int64_t units) {
    int64_t width = cast<RankedTensorType>(projected.getType()).getDimSize(2) / numDirections;
    Value column = getValueOrCreateConstantIndexOp(b, b.getLoc(),
                                                   plus(offset(at.unit, gate * units), at.direction, width));
    if (isByStep)
      return {at.position, at.batch, column};
    return {at.batch, at.position, column};
  }
  /// x + y * factor.
  OpFoldResult plus(OpFoldResult x, Value y, int64_t factor) {
    return affine::makeComposedFoldedAffineApply(
        b, b.getLoc(), b.getAffineSymbolExpr(0) + b.getAffineSymbolExpr(1) * factor, {x, OpFoldResult(y)});
  }
  Value sum(OpFoldResult x, Value y) {
    return getValueOrCreateConstantIndexOp(
        b, b.getLoc(),
        affine::makeComposedFoldedAffineApply(b, b.getLoc(), b.getAffineSymbolExpr(0) + b.getAffineDimExpr(0),
                                              {OpFoldResult(y), x}));
  }

  Value read(Value tensor, ValueRange indices, Value mask) {
    Value padding = arith::ConstantOp::create(b, b.getZeroAttr(b.getF32Type()));
    return vector::TransferReadOp::create(b, vectorType(), tensor, indices, mapOf(tensor), padding, mask,
                                          b.getBoolArrayAttr({true}));
  }
  Value write(Value value, Value tensor, ValueRange indices, Value mask) {
    return vector::TransferWriteOp::create(b, tensor.getType(), value, tensor, indices, mapOf(tensor), mask,
                                           b.getBoolArrayAttr({true}))
        .getResult();
  }
  Value select(Value condition, Value yes, Value no) {
    return arith::SelectOp::create(b, condition, yes, no);
  }
  /// Whether the rows are so few that one task publishes all of them. Then the stages store the sequence.
  Value isNarrow() {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ule,
                                 getValueOrCreateConstantIndexOp(b, b.getLoc(), batch),
                                 index(kRowsPerPublishTask));
  }
  /// Where a direction of what a stage writes lies.
  Value directionOf(const Dest &dest, Value direction) {
    return dest.firstDirection ? arith::AddIOp::create(b, dest.firstDirection, direction).getResult()
                               : direction;
  }
  /// Where in what `makeHalves` made the state before `step` begins.
  Value firstDirectionOf(Value step) {
    return arith::MulIOp::create(b, arith::AndIOp::create(b, step, index(1)), index(numDirections));
  }
  /// B * direction + row.
  OpFoldResult rowOf(Value direction, OpFoldResult row) {
    if (numDirections == 1)
      return row;
    Value first = arith::MulIOp::create(b, direction, getValueOrCreateConstantIndexOp(b, b.getLoc(), batch));
    return arith::AddIOp::create(b, first, getValueOrCreateConstantIndexOp(b, b.getLoc(), row)).getResult();
  }
  void prefetch(Value tensor, ValueRange indices) {
    auto type = bufferization::getMemRefTypeWithFullyDynamicLayout(cast<RankedTensorType>(tensor.getType()));
    Value buffer = bufferization::ToBufferOp::create(b, type, tensor, /*read_only=*/true);
    memref::PrefetchOp::create(b, buffer, indices, /*isWrite=*/false, /*localityHint=*/3,
                               /*isDataCache=*/true);
  }
  /// Vectors lie along the last axis.
  AffineMapAttr mapOf(Value tensor) {
    int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
    return AffineMapAttr::get(AffineMap::getMinorIdentityMap(rank, 1, b.getContext()));
  }

  /// `lhs` times one panel, written over `out`.
  Value multiply(Value lhs, Value panel, Value out, Type words) {
    if (words)
      return WordMatmulTileOp::create(b, out.getType(), lhs, panel, /*bias=*/Value(), out,
                                      TypeAttr::get(words), Activation::identity, Combine::replace)
          .getResults()[0];
    return MatmulTileOp::create(b, out.getType(), lhs, panel, /*bias=*/Value(), out, Activation::identity,
                                Combine::replace)
        .getResults()[0];
  }

  /// Steps of row `at.batch`, within [0, T]: sets where the row's step is, and whether it is one.
  void locate(Lanes &at, Value step) {
    Value longest = getValueOrCreateConstantIndexOp(b, b.getLoc(), steps);
    Value length = longest;
    if (lengths) {
      Value given = arith::IndexCastOp::create(b, b.getIndexType(),
                                               tensor::ExtractOp::create(b, lengths, ValueRange{at.batch}));
      length = arith::MinSIOp::create(b, arith::MaxSIOp::create(b, given, index(0)), longest);
      at.active = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, step, length);
    }
    at.position = step;
    if (order == Direction::forward)
      return;
    Value isReverse;
    if (order == Direction::bidirectional)
      isReverse = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, at.direction, index(1));
    // An ended row's outputs beyond its length are written in order.
    if (lengths)
      isReverse = isReverse ? arith::AndIOp::create(b, isReverse, at.active).getResult() : at.active;
    at.position = arith::SubIOp::create(b, arith::SubIOp::create(b, length, index(1)), step);
    if (isReverse)
      at.position = arith::SelectOp::create(b, isReverse, at.position, step);
  }

  ImplicitLocOpBuilder b;
  Shape shape;
  Value lengths, recurrentBias, projected;
  bool isByStep; // see Projection
  Direction order;
  int64_t numDirections;     // Q
  OpFoldResult batch, steps; // B, T
};

SmallVector<Value> Recurrence::buildStage(Value step, int64_t units, ArrayRef<Product> products,
                                          ArrayRef<Dest> states, std::optional<Output> output,
                                          ArrayRef<CellPart> parts) {
  Location loc = b.getLoc();
  OpBuilder::InsertionGuard guard(b);
  // Units of a panel, and panels of a gate.
  int64_t width = products[0].panels->unitsPerPanel, numPanels = llvm::divideCeilSigned(units, width),
          panelBytes = 0;
  for (const Product &product : products)
    panelBytes += product.numGates * width * product.panels->depth() *
                  getElementTypeOrSelf(product.panels->value).getIntOrFloatBitWidth() / 8;
  int64_t panelsPerTask = std::clamp<int64_t>(llvm::divideCeilSigned(shape.taskBytes, panelBytes), 1,
                                              llvm::divideCeilSigned(numPanels, kLeastTasks));
  Blocks rows = {batch, kRowsPerTask}, columns = {b.getIndexAttr(units), panelsPerTask * width};
  SmallVector<Value> dests = llvm::map_to_vector(states, [](const Dest &dest) { return dest.state; });
  if (output)
    dests.push_back(output->sequence);
  auto loop = scf::ForallOp::create(
      b, {b.getIndexAttr(numDirections), rows.count(b, loc), columns.count(b, loc)}, dests,
      /*mapping=*/std::nullopt);
  loop->setAttr(kAlternatesAttr, b.getUnitAttr());
  b.setInsertionPoint(loop.getTerminator());
  Value direction = loop.getInductionVar(0), rowBlock = loop.getInductionVar(1),
        columnBlock = loop.getInductionVar(2);
  OpFoldResult m = rows.offset(b, loc, rowBlock), numRows = rows.size(b, loc, rowBlock);
  OpFoldResult n = columns.offset(b, loc, columnBlock), numColumns = columns.size(b, loc, columnBlock);
  OpFoldResult numTaskPanels = Blocks{numColumns, width}.count(b, loc);

  SmallVector<Slice> slices;
  SmallVector<Value> tiles, lhsTiles;
  for (auto [state, dest] : llvm::zip(states, loop.getRegionOutArgs())) {
    Slice &slice = slices.emplace_back();
    slice.add(directionOf(state, direction), b.getIndexAttr(1));
    slice.add(m, numRows);
    slice.add(n, numColumns);
    tiles.push_back(extractTile(b, loc, dest, slice, {1, 2}));
  }
  if (output) {
    Slice &slice = slices.emplace_back();
    slice.add(m, numRows);
    slice.add(b.getIndexAttr(0), steps);
    slice.add(plus(n, direction, units), numColumns);
    tiles.push_back(extractTile(b, loc, loop.getRegionOutArgs().back(), slice, {0, 1, 2}));
  }
  for (const Product &product : products) {
    Slice slice;
    if (product.panels->words) {
      slice.add(rowOf(direction, m), numRows);
      slice.add(b.getIndexAttr(0), tensor::getMixedSize(b, loc, product.lhs, 1));
      lhsTiles.push_back(extractTile(b, loc, product.lhs, slice, {0, 1}));
      continue;
    }
    slice.add(direction, b.getIndexAttr(1));
    slice.add(m, numRows);
    slice.add(b.getIndexAttr(0), b.getIndexAttr(product.panels->depth()));
    lhsTiles.push_back(extractTile(b, loc, product.lhs, slice, {1, 2}));
  }

  // Panel `local` of the task: its units' columns of all gates.
  auto buildPanel = [&](Value local, ValueRange tilesBefore) -> SmallVector<Value> {
    Value firstColumn = arith::MulIOp::create(b, local, index(width));
    Value panel =
        arith::AddIOp::create(b, arith::MulIOp::create(b, columnBlock, index(panelsPerTask)), local);
    Value rowCount = getValueOrCreateConstantIndexOp(b, loc, numRows);
    auto lanesOf = [&](Value row) {
      Lanes at = {};
      at.row = row;
      at.direction = direction;
      at.batch = sum(m, row);
      locate(at, step);
      return at;
    };
    {
      auto rowLoop = scf::ForOp::create(b, index(0), rowCount, index(1));
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(rowLoop.getBody()->getTerminator());
      Lanes at = lanesOf(rowLoop.getInductionVar());
      for (int64_t first = 0; first < std::min(width, units); first += shape.lanes()) {
        at.unit = sum(n, offset(firstColumn, first));
        for (const Product &product : products)
          for (int64_t gate = 0; gate < (product.hasInput ? product.numGates : 0); ++gate)
            prefetchInputPart(at, product.firstGate + gate, units);
      }
    }
    SmallVector<GateSums> sums;
    for (auto [product, lhs] : llvm::zip_equal(products, lhsTiles)) {
      const Panels &panels = *product.panels;
      for (int64_t gate = product.firstGate; gate < product.firstGate + product.numGates;
           gate += panels.gatesPerPanel) {
        Slice slice;
        Value inDirection = offset(panel, gate / panels.gatesPerPanel * numPanels);
        slice.add(plus(inDirection, direction, panels.perDirection), b.getIndexAttr(1));
        slice.add(b.getIndexAttr(0), b.getIndexAttr(panels.depth()));
        slice.add(b.getIndexAttr(0), b.getIndexAttr(panels.width()));
        Value panelTile = extractTile(b, loc, panels.value, slice, {1, 2});
        // Of static size, so that it becomes a part of the stack.
        Value scratch = allocate({b.getIndexAttr(kRowsPerTask), b.getIndexAttr(panels.width())});
        Slice part;
        part.add(b.getIndexAttr(0), numRows);
        part.add(b.getIndexAttr(0), b.getIndexAttr(panels.width()));
        Value tile = multiply(lhs, panelTile, extractTile(b, loc, scratch, part, {0, 1}), panels.words);
        for (int64_t inPanel = 0; inPanel < panels.gatesPerPanel; ++inPanel)
          sums.push_back({tile, inPanel * width});
      }
    }
    auto forVectors = [&](Value row, function_ref<void(Lanes & at, Value inTile)> body) {
      Lanes at = lanesOf(row);
      for (int64_t first = 0; first < std::min(width, units); first += shape.lanes()) {
        at.column = offset(firstColumn, first);
        at.unit = sum(n, at.column);
        at.mask = Value();
        if (units % width != 0) {
          Value left = arith::SubIOp::create(b, index(units), at.unit);
          at.mask = vector::CreateMaskOp::create(b, VectorType::get({shape.lanes()}, b.getI1Type()), left);
        }
        body(at, index(first));
      }
    };
    SmallVector<Value> current = llvm::to_vector(tilesBefore.take_front(states.size()));
    for (const CellPart &part : parts) {
      bool isLast = &part == &parts.back();
      SmallVector<Value> made;
      for (size_t i = 0; i < (isLast ? 0 : part.numResults); ++i)
        made.push_back(allocate({b.getIndexAttr(kRowsPerTask), b.getIndexAttr(width)}));
      made = loopOverRows(rowCount, isLast ? current : made, [&](Value row, SmallVectorImpl<Value> &results) {
        forVectors(row, [&](Lanes &at, Value inTile) {
          at.tiles = isLast ? &results : &current;
          SmallVector<Value> vectors;
          for (const GateSums &from : sums) {
            Value column = arith::AddIOp::create(b, inTile, index(from.firstColumn));
            vectors.push_back(read(from.tile, {row, column}, /*mask=*/nullptr));
          }
          for (auto [vector, result] : llvm::zip_equal(part.build(at, vectors), results))
            result = write(vector, result, {row, isLast ? at.column : inTile}, isLast ? at.mask : Value());
        });
      });
      sums.clear();
      for (Value buffer : made)
        sums.push_back({buffer, 0});
      if (isLast)
        current = made;
    }
    if (output) {
      SmallVector<Value> sequence = loopOverRows(
          select(isNarrow(), rowCount, index(0)), tilesBefore.back(),
          [&](Value row, SmallVectorImpl<Value> &tiles) {
            forVectors(row, [&](Lanes &at, Value) {
              Value hidden = read(current[output->index], {row, at.column}, at.mask);
              tiles[0] = write(zeroIfEnded(at, hidden), tiles[0], {row, at.position, at.column}, at.mask);
            });
          });
      current.push_back(sequence[0]);
    }
    return current;
  };
  if (panelsPerTask == 1) {
    tiles = buildPanel(index(0), tiles);
  } else {
    Value count = getValueOrCreateConstantIndexOp(b, loc, numTaskPanels);
    auto panels = scf::ForOp::create(b, index(0), count, index(1), tiles);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(panels.getBody());
    // From the last to the first in every other step, as the tasks are run.
    Value up = panels.getInductionVar();
    Value down = arith::SubIOp::create(b, arith::SubIOp::create(b, count, index(1)), up);
    Value isOdd = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, arith::AndIOp::create(b, step, index(1)),
                                        index(1));
    Value local = arith::SelectOp::create(b, isOdd, down, up);
    scf::YieldOp::create(b, buildPanel(local, panels.getRegionIterArgs()));
    tiles.assign(panels.getResults().begin(), panels.getResults().end());
  }
  for (auto [tile, dest, slice] : llvm::zip_equal(tiles, loop.getRegionOutArgs(), slices))
    insertTile(b, loc, loop, tile, dest, slice);
  return llvm::to_vector_of<Value>(loop.getResults());
}

void Recurrence::publish(Step &step, int64_t directionNumber, int64_t width, const Panels &panels) {
  Location loc = b.getLoc();
  OpBuilder::InsertionGuard guard(b);
  Value direction = index(directionNumber);
  Blocks rows = {batch, kRowsPerPublishTask};
  SmallVector<Value> dests = {step.sequence};
  if (panels.words)
    dests.push_back(step.factor);
  auto loop = scf::ForallOp::create(b, {rows.count(b, loc)}, dests, /*mapping=*/std::nullopt);
  b.setInsertionPoint(loop.getTerminator());
  Value sequence = loop.getRegionOutArgs().front(), factor = loop.getRegionOutArgs().back();
  OpFoldResult m = rows.offset(b, loc, loop.getInductionVar(0)),
               numRows = rows.size(b, loc, loop.getInductionVar(0));
  Slice inState, inSequence, inFactor;
  inState.add(directionOf(step.hidden.next, direction), b.getIndexAttr(1));
  inState.add(m, numRows);
  inState.add(b.getIndexAttr(0), b.getIndexAttr(width));
  Value from = extractTile(b, loc, step.hidden.next.state, inState, {1, 2});
  if (panels.words) {
    inFactor.add(rowOf(direction, m), numRows);
    inFactor.add(b.getIndexAttr(0), tensor::getMixedSize(b, loc, factor, 1));
    Value tile = extractTile(b, loc, factor, inFactor, {0, 1});
    tile =
        PackWordsTileOp::create(b, tile.getType(), from, tile, TypeAttr::get(panels.words)).getResults()[0];
    insertTile(b, loc, loop, tile, factor, inFactor);
  }

  inSequence.add(m, numRows);
  inSequence.add(b.getIndexAttr(0), steps);
  inSequence.add(b.getIndexAttr(directionNumber * width), b.getIndexAttr(width));
  Value count = select(isNarrow(), index(0), getValueOrCreateConstantIndexOp(b, loc, numRows));
  auto storeRow = [&](Value row, SmallVectorImpl<Value> &tiles) {
    Lanes at = {};
    at.direction = direction;
    at.batch = sum(m, row);
    locate(at, step.number);
    auto copy = [&](Value tile, Value column, Value mask) {
      Value hidden = zeroIfEnded(at, read(from, {row, column}, mask));
      return write(hidden, tile, {row, at.position, column}, mask);
    };
    int64_t lanes = shape.lanes(), whole = width / lanes * lanes;
    if (whole) {
      auto columns = scf::ForOp::create(b, index(0), index(whole), index(lanes), tiles);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToEnd(columns.getBody());
      Value stored = copy(columns.getRegionIterArgs()[0], columns.getInductionVar(), /*mask=*/nullptr);
      scf::YieldOp::create(b, stored);
      tiles[0] = columns.getResult(0);
    }
    if (whole < width) {
      auto type = VectorType::get({lanes}, b.getI1Type());
      Value mask = vector::CreateMaskOp::create(b, type, index(width - whole));
      tiles[0] = copy(tiles[0], index(whole), mask);
    }
  };
  Value sequenceTile = extractTile(b, loc, sequence, inSequence, {0, 1, 2});
  sequenceTile = loopOverRows(count, sequenceTile, storeRow)[0];
  insertTile(b, loc, loop, sequenceTile, sequence, inSequence);
  step.sequence = loop.getResults().front();
  if (panels.words)
    step.factor = loop.getResults().back();
}

class TileRecurrentPass : public sesame::impl::TileRecurrentPassBase<TileRecurrentPass> {
public:
  using TileRecurrentPassBase::TileRecurrentPassBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    TileRecurrentPassBase::getDependentDialects(registry);
    registry.insert<bufferization::BufferizationDialect, memref::MemRefDialect>();
  }

private:
  void runOnOperation() override {
    type = parseWeightType(getOperation(), "sesame-tile-recurrent", weightType);
    if (!type)
      return signalPassFailure();
    symbols.emplace(getOperation());
    derived.clear();
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isa<RNNOp, LSTMOp, GRUOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      if (auto rnn = dyn_cast<RNNOp>(op))
        tile(rnn);
      else if (auto lstm = dyn_cast<LSTMOp>(op))
        tile(lstm);
      else
        tile(cast<GRUOp>(op));
    }
    symbols.reset();
  }

  /// In what way a weight is packed: element, whether in words, and gates of a panel.
  using Form = std::tuple<const void *, bool, int64_t>;

  /// The panels of the weights of all directions, as values.
  struct Weights {
    Panels recurrent, projection;
  };
  /// Builds one step: maps the hidden state and `step.states` to those after it, and behind them
  /// `step.sequence`.
  using StepBuilder = function_ref<SmallVector<Value>(Recurrence &, const Weights &, const Step &step)>;

  void tile(RNNOp op) {
    int64_t units = op.getRecurrentWeight().getType().getDimSize(2);
    replace(op, {op.getInitialHidden()}, {units}, {/*count=*/1, /*together=*/1}, /*projection=*/nullptr,
            [&](Recurrence &r, const Weights &weights, const Step &step) {
              CellPart part = {1, [&](const Lanes &at, ValueRange sums) -> SmallVector<Value> {
                                 Value hidden =
                                     r.activate(op.getActivation(), r.gateSum(at, sums[0], 0, units));
                                 return {r.keepIfEnded(at, hidden, step.hidden, 0)};
                               }};
              return r.buildStage(step.number, units, Product{step.factor, &weights.recurrent, 0, 1},
                                  step.hidden.next, Output{step.sequence, 0}, part);
            });
  }

  void tile(LSTMOp op) {
    bool projects = static_cast<bool>(op.getProjection());
    int64_t outputs = op.getRecurrentWeight().getType().getDimSize(2);   // P
    int64_t units = op.getRecurrentWeight().getType().getDimSize(1) / 4; // H
    replace(op, {op.getInitialHidden(), op.getInitialCell()}, {outputs, units}, {/*count=*/4, /*together=*/4},
            op.getProjection(),
            [&](Recurrence &r, const Weights &weights, const Step &step) -> SmallVector<Value> {
              CellPart makeCell = {2, [&](const Lanes &at, ValueRange sums) -> SmallVector<Value> {
                                     auto gate = [&](int64_t number) {
                                       return r.gateSum(at, sums[number], number, units);
                                     };
                                     Value kept = r.mul(r.sigmoid(gate(1)), r.readDest(at, 0));
                                     Value added = r.mul(r.sigmoid(gate(0)), r.tanh(gate(2)));
                                     Value cell = r.clip(r.add(kept, added), op.getCellClip());
                                     return {cell, r.sigmoid(gate(3))};
                                   }};
              CellPart makeHidden = {2, [&](const Lanes &at, ValueRange made) -> SmallVector<Value> {
                                       Value hidden = r.mul(made[1], r.tanh(made[0]));
                                       return {r.ifActive(at, made[0], r.readDest(at, 0)),
                                               projects ? hidden : r.keepIfEnded(at, hidden, step.hidden, 1)};
                                     }};
              std::optional<Output> output;
              if (!projects)
                output = {step.sequence, 1};
              // The cell state, and the hidden state (before a projection).
              SmallVector<Value> next =
                  r.buildStage(step.number, units, Product{step.factor, &weights.recurrent, 0, 4},
                               {Dest{step.states[0]}, projects ? Dest{r.makeState(units)} : step.hidden.next},
                               output, {makeCell, makeHidden});
              if (!projects)
                return {next[1], next[0], next[2]};
              CellPart project = {
                  1, [&](const Lanes &at, ValueRange sums) -> SmallVector<Value> {
                    return {r.keepIfEnded(at, r.clip(sums[0], op.getProjectionClip()), step.hidden, 0)};
                  }};
              Product product = {r.asFactor(next[1], units, weights.projection), &weights.projection, 0, 1,
                                 /*hasInput=*/false};
              SmallVector<Value> projected = r.buildStage(step.number, outputs, product, step.hidden.next,
                                                          Output{step.sequence, 0}, project);
              return {projected[0], next[0], projected[1]};
            });
  }

  void tile(GRUOp op) {
    int64_t units = op.getRecurrentWeight().getType().getDimSize(2);
    // The candidate's product has another factor with `reset_before`.
    int64_t together = op.getResetBefore() ? 1 : 3;
    replace(op, {op.getInitialHidden()}, {units}, {/*count=*/3, together}, /*projection=*/nullptr,
            [&](Recurrence &r, const Weights &weights, const Step &step) -> SmallVector<Value> {
              enum Gate { reset, update, candidate };
              auto prepare = [&](const Lanes &at, Value updateSum, Value fromHidden) -> SmallVector<Value> {
                return {r.sigmoid(r.gateSum(at, updateSum, update, units)),
                        r.add(r.inputPart(at, candidate, units), fromHidden)};
              };
              CellPart finish = {1, [&](const Lanes &at, ValueRange made) -> SmallVector<Value> {
                                   Value z = made[0], n = r.tanh(made[1]),
                                         before = r.readHidden(at, step.hidden, 0);
                                   Value hidden =
                                       r.add(r.mul(r.sub(r.constant(1.0f), z), n), r.mul(z, before));
                                   return {r.ifActive(at, hidden, before)};
                                 }};
              const Panels &panels = weights.recurrent;
              const Output output = {step.sequence, 0};
              if (!op.getResetBefore()) {
                CellPart gates = {2, [&](const Lanes &at, ValueRange sums) {
                                    Value gate = r.sigmoid(r.gateSum(at, sums[0], reset, units));
                                    Value fromHidden = r.addBias(at, sums[2], candidate, units);
                                    return prepare(at, sums[1], r.mul(gate, fromHidden));
                                  }};
                return r.buildStage(step.number, units, Product{step.factor, &panels, reset, 3},
                                    step.hidden.next, output, {gates, finish});
              }
              CellPart resets = {1, [&](const Lanes &at, ValueRange sums) -> SmallVector<Value> {
                                   Value gate = r.sigmoid(r.gateSum(at, sums[0], reset, units));
                                   return {r.mul(gate, r.readState(at, step.hidden.before))};
                                 }};
              Value resetHidden = r.buildStage(step.number, units, Product{step.factor, &panels, reset, 1},
                                               Dest{r.makeState(units)}, /*output=*/std::nullopt, resets)[0];
              CellPart gates = {2, [&](const Lanes &at, ValueRange sums) {
                                  return prepare(at, sums[0], r.addBias(at, sums[1], candidate, units));
                                }};
              return r.buildStage(step.number, units,
                                  {{step.factor, &panels, update, 1},
                                   {r.asFactor(resetHidden, units, panels), &panels, candidate, 1}},
                                  step.hidden.next, output, {gates, finish});
            });
  }

  /// The gates of a weight, and how many of them are multiplied by the same factor at the same time.
  struct Gates {
    int64_t count, together;
  };

  /// Replaces `op`, whose states begin as `initial` and have the `widths`.
  template <typename OpTy>
  void replace(OpTy op, ArrayRef<Value> initial, ArrayRef<int64_t> widths, Gates gates, Value projection,
               StepBuilder buildStep) {
    if (!canTile(op, projection))
      return;
    ImplicitLocOpBuilder b(op.getLoc(), op);
    Shape shape = {panelWidth, taskBytes};
    Recurrence recurrence(op, projectInput(b, op), shape);
    Weights weights = {readPanels(b, op, op.getRecurrentWeight(), gates), {}};
    if (projection)
      weights.projection = readPanels(b, op, projection, {1, 1});
    SmallVector<Value> states;
    for (auto [value, width] : llvm::zip_equal(initial, widths))
      states.push_back(recurrence.initialState(value, width));
    SmallVector<Value> after =
        recurrence.run(states, widths[0], weights.recurrent, /*writesLast=*/static_cast<bool>(projection),
                       [&](const Step &step) { return buildStep(recurrence, weights, step); });
    // The final states in tensors of their own, since those of the loop are written in place.
    SmallVector<Value> results = {after[0]};
    for (auto [state, width] : llvm::zip_equal(ArrayRef(after).drop_front(), widths))
      results.push_back(recurrence.finalState(state, width));
    for (auto [result, value] : llvm::zip_equal(op->getResults(), results)) {
      if (value.getType() != result.getType())
        value = tensor::CastOp::create(b, result.getType(), value);
      result.replaceAllUsesWith(value);
    }
    op->erase();
  }

  template <typename OpTy> bool canTile(OpTy op, Value projection) {
    auto isWeight = [&](Value value) { return !value || value.getDefiningOp<GetWeightOp>(); };
    return getElementTypeOrSelf(op.getInput()).isF32() && isWeight(op.getInputWeight()) &&
           isWeight(op.getRecurrentWeight()) && isWeight(projection);
  }

  /// W_ih x + b_ih for all steps and directions. A step of many rows that lie T * Q * X apart, often a
  /// multiple of a large power of two, would find them in one set of each cache, which holds 8. Where the
  /// input is packed into words anyway, it is packed step by step.
  template <typename OpTy> Projection projectInput(ImplicitLocOpBuilder &b, OpTy op) {
    // [Q, X, I] -> [Q * X, I]
    Value weight = readDerived(b, op.getInputWeight(), ".rows", {}, [](ImplicitLocOpBuilder &b, Value whole) {
      return tensor::CollapseShapeOp::create(b, whole, ArrayRef<ReassociationIndices>{{0, 1}, {2}});
    });
    Value bias;
    if (op.getInputBias())
      bias = tensor::CollapseShapeOp::create(b, op.getInputBias(), ArrayRef<ReassociationIndices>{{0, 1}});
    Value input = op.getInput();
    auto weightType = cast<RankedTensorType>(weight.getType());
    bool isByStep = isInWords(op, panelElement(op, weightType.getDimSize(1)));
    if (isByStep) {
      SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), input);
      std::swap(sizes[0], sizes[1]);
      Value empty = tensor::EmptyOp::create(b, sizes, b.getF32Type());
      input = linalg::TransposeOp::create(b, input, empty, ArrayRef<int64_t>{1, 0, 2})->getResult(0);
    }
    auto inputType = cast<RankedTensorType>(input.getType());
    SmallVector<int64_t> shape(inputType.getShape());
    shape.back() = weightType.getDimSize(0);
    Value value = LinearOp::create(b, inputType.clone(shape), input, weight, bias, /*residual=*/Value(),
                                   WeightLayout::nk, Activation::identity);
    return {value, isByStep};
  }

  /// What the products of `op` with a weight [.., .., K] are made in.
  Type panelElement(Operation *op, int64_t k) {
    auto words = op->getAttrOfType<TypeAttr>(kWordsAttr);
    Type element = words ? words.getValue() : type;
    return element.isInteger(8) && k > maxInt8Depth ? Float32Type::get(&getContext()) : element;
  }
  /// Whether panels of `element` are of words.
  bool isInWords(Operation *op, Type element) {
    return element.isInteger(8) || (element.isBF16() && (bf16Words || op->hasAttr(kWordsAttr)));
  }

  /// A weight [Q, gates * N, K] as panels.
  Panels readPanels(ImplicitLocOpBuilder &b, Operation *op, Value weight, Gates gates) {
    auto weightType = cast<RankedTensorType>(weight.getType());
    int64_t numDirections = weightType.getDimSize(0), units = weightType.getDimSize(1) / gates.count,
            k = weightType.getDimSize(2), lanes = panelWidth / 2;
    Type element = panelElement(op, k);
    bool inWords = isInWords(op, element);
    Panels panels;
    panels.words = inWords ? element : nullptr;
    // One row multiplies a panel in as many independent chains as it has vectors: four hide the latency of
    // the multiply-add. But the sums of several rows and all columns must fit the registers.
    panels.gatesPerPanel = lanes >= 16 ? gates.together : 1;
    panels.unitsPerPanel = lanes * std::max<int64_t>((lanes >= 16 ? 4 : 2) / panels.gatesPerPanel, 1);
    int64_t numPanels = llvm::divideCeilSigned(units, panels.unitsPerPanel),
            depth = inWords ? WordFormat(element).columnWords(k) : k;
    panels.perDirection = gates.count / panels.gatesPerPanel * numPanels;
    Form form = {element.getAsOpaquePointer(), inWords, panels.gatesPerPanel};
    panels.value = readDerived(b, weight, ".gates", form, [&](ImplicitLocOpBuilder &b, Value whole) -> Value {
      auto type = cast<RankedTensorType>(whole.getType());
      if (!inWords && element.getIntOrFloatBitWidth() < type.getElementTypeBitWidth()) {
        type = type.clone(element);
        whole = arith::TruncFOp::create(b, type, whole);
      }
      Type stored = inWords ? b.getI32Type() : type.getElementType();
      auto shaped = [&](int64_t panels, int64_t width) {
        return RankedTensorType::get({panels, depth, width}, stored);
      };
      // The gates of all directions, one after the other, are as many groups.
      SmallVector<Value> groups;
      for (int64_t group = 0; group < numDirections * gates.count; group += panels.gatesPerPanel) {
        SmallVector<Value> parts;
        for (int64_t gate = group; gate < group + panels.gatesPerPanel; ++gate) {
          Slice slice;
          slice.add(b.getIndexAttr(gate / gates.count), b.getIndexAttr(1));
          slice.add(b.getIndexAttr(gate % gates.count * units), b.getIndexAttr(units));
          slice.add(b.getIndexAttr(0), b.getIndexAttr(k));
          Value matrix = extractTile(b, b.getLoc(), whole, slice, {1, 2});
          auto partType = shaped(numPanels, panels.unitsPerPanel);
          parts.push_back(inWords ? PackWordPanelsOp::create(b, partType, matrix, TypeAttr::get(element),
                                                             WeightLayout::nk)
                                        .getResult()
                                  : PackPanelsOp::create(b, partType, matrix, WeightLayout::nk).getResult());
        }
        groups.push_back(concatenate(b, shaped(numPanels, panels.width()), /*axis=*/2, parts));
      }
      return concatenate(b, shaped(groups.size() * numPanels, panels.width()), /*axis=*/0, groups);
    });
    return panels;
  }

  static Value concatenate(ImplicitLocOpBuilder &b, RankedTensorType type, int64_t axis,
                           ArrayRef<Value> parts) {
    return parts.size() == 1 ? parts[0] : tensor::ConcatOp::create(b, type, axis, parts).getResult();
  }

  /// Reads a weight whose recipe is that of `weight` followed by what `extend` makes. There is one such
  /// weight for each source, suffix and form.
  Value readDerived(ImplicitLocOpBuilder &b, Value weight, StringRef suffix, Form form,
                    function_ref<Value(ImplicitLocOpBuilder &, Value)> extend) {
    auto get = weight.getDefiningOp<GetWeightOp>();
    auto source = symbols->lookup<WeightOp>(get.getWeight());
    WeightOp &made = derived[{source, suffix.str(), form}];
    if (!made) {
      made = cast<WeightOp>(source->clone());
      made.setSymName((source.getSymName() + suffix).str());
      made.removeOffsetAttr();
      made.removeStrideAttr();
      symbols->insert(made, std::next(source->getIterator())); // makes the name unique
      auto yield = cast<YieldOp>(made.getBody().front().back());
      ImplicitLocOpBuilder inRecipe(source.getLoc(), yield);
      Value value = extend(inRecipe, yield.getValue());
      yield.getValueMutable().assign(value);
      made.setType(cast<RankedTensorType>(value.getType()));
    }
    return GetWeightOp::create(b, made.getType(), made.getSymName(), get.getIndex());
  }

  Type type; // of the option weight-type
  std::optional<SymbolTable> symbols;
  std::map<std::tuple<Operation *, std::string, Form>, WeightOp> derived;
};

} // namespace
