//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "WordMath.h"

#include "sesame/Dialect/WordOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sesame;

namespace {

/// Computes the states after a step from `gates` [B, X], the input's part of the gates with its bias, and the
/// states before it (the hidden state first). Makes new tensors.
using Cell = function_ref<SmallVector<Value>(Value gates, ValueRange states)>;

/// One direction of a recurrence: what is common to rnn, lstm and gru.
class Recurrence {
public:
  template <typename OpTy>
  Recurrence(ReferenceBuilder &b, OpTy op, int64_t direction, bool reverse)
      : b(b), input(op.getInput()), lengths(op.getLengths()), recurrentWeight(op.getRecurrentWeight()),
        recurrentBias(op.getRecurrentBias()), words(op->template getAttrOfType<TypeAttr>(kWordsAttr)),
        direction(direction), reverse(reverse), element(getElementTypeOrSelf(op.getInput())),
        compute(b.getComputeType(element)) {}

  /// W_ih x + b_ih for all steps: [B, T, X].
  Value projectInput(Value weight, Value bias) {
    Value products = b.fill({b.extent(input, 0), b.extent(input, 1), b.extent(weight, 1)}, compute, 0);
    return addBias(multiplyFloats(products, input, weight), bias);
  }

  /// gates [B, X] + W_hh h + b_hh.
  Value addRecurrent(Value gates, Value hidden) {
    return addBias(multiply(gates, hidden, recurrentWeight), recurrentBias);
  }

  /// `init[b, x] + sum_k value[b, k] * weight[direction, x, k]`, in words if the op says so.
  Value multiply(Value init, Value value, Value weight) {
    if (!words)
      return multiplyFloats(init, value, weight);
    Value product = WordMath(b).multiply(value, weight, direction, words.getValue());
    return b.loops(b.empty(b.extents(init), compute), 0, {b.all(init), b.all(product)},
                   [&](ValueRange e) -> Value { return arith::AddFOp::create(b, e[0], e[1]); });
  }

  /// `value[..., x] + bias[direction, x]`; bias may be null.
  Value addBias(Value value, Value bias) {
    if (!bias)
      return value;
    int64_t last = cast<RankedTensorType>(value.getType()).getRank() - 1;
    Operand operand = {bias, {b.getAffineConstantExpr(direction), b.getAffineDimExpr(last)}};
    return b.loops(
        b.empty(b.extents(value), compute), 0, {b.all(value), operand},
        [&](ValueRange e) -> Value { return arith::AddFOp::create(b, e[0], b.convert(e[1], compute)); });
  }

  /// initial[direction] [B, width] in the compute type; zeros if `initial` is null.
  Value initialState(Value initial, OpFoldResult width) {
    SmallVector<OpFoldResult> shape = {b.extent(input, 0), width};
    if (!initial)
      return b.fill(shape, compute, 0);
    Operand operand = {initial,
                       {b.getAffineConstantExpr(direction), b.getAffineDimExpr(0), b.getAffineDimExpr(1)}};
    return b.loops(b.empty(shape, compute), 0, {operand},
                   [&](ValueRange e) { return b.convert(e[0], compute); });
  }

  /// Runs `cell` over all steps. `states` are the states before the first step and become those after the
  /// last. Returns the hidden states [B, T, P] at their places in the sequence, 0 beyond a row's length.
  Value run(Value gates, SmallVector<Value> &states, Cell cell) {
    SmallVector<OpFoldResult> shape = {b.extent(input, 0), b.extent(input, 1), b.extent(states[0], 1)};
    SmallVector<Value> carried = {b.fill(shape, element, 0)};
    carried.append(states);
    auto loop =
        scf::ForOp::create(b, b.index(0), b.dim(input, 1), b.index(1), carried,
                           [&](OpBuilder &nested, Location loc, Value step, ValueRange carried) {
                             OpBuilder::InsertionGuard guard(b);
                             b.setInsertionPoint(nested.getInsertionBlock(), nested.getInsertionPoint());
                             scf::YieldOp::create(b, runStep(gates, step, carried, shape, cell));
                           });
    states.assign(loop.getResults().begin() + 1, loop.getResults().end());
    Value steps = loop.getResult(0);
    if (!reverse)
      return steps;
    // Step i of row b was position length(b) - 1 - i.
    return b.loops(b.empty(shape, element), 0, {}, [&](ValueRange) -> Value {
      Value batch = b.loop(0), position = b.loop(1), length = this->length(batch);
      Value isReal = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, position, length);
      Value hidden = b.at(steps, {batch, mirror(position, length), b.loop(2)});
      return arith::SelectOp::create(b, isReal, hidden, b.constant(element, 0));
    });
  }

private:
  Value multiplyFloats(Value init, Value value, Value weight) {
    return b.matmul(init, value, weight, [&](AffineExpr x, AffineExpr k) -> SmallVector<AffineExpr> {
      return {b.getAffineConstantExpr(direction), x, k};
    });
  }

  /// One step: `carried` is the hidden states of all steps [B, T, P] and the states, and so is the result.
  SmallVector<Value> runStep(Value gates, Value step, ValueRange carried, ArrayRef<OpFoldResult> shape,
                             Cell cell) {
    // The gates of this step, which for the reverse direction lie at another position in each row: [B, X].
    Value current =
        b.loops(b.empty({b.extent(gates, 0), b.extent(gates, 2)}, compute), 0, {}, [&](ValueRange) {
          Value position = reverse ? mirror(step, length(b.loop(0))) : step;
          return b.at(gates, {b.loop(0), position, b.loop(1)});
        });
    SmallVector<Value> next = {Value()};
    SmallVector<Value> candidates = cell(current, carried.drop_front());
    // A row that is past its end keeps its states. They are written over the carried ones, so that they stay
    // in place.
    for (auto [state, candidate] : llvm::zip_equal(carried.drop_front(), candidates))
      next.push_back(b.loops(state, 0, {b.all(candidate)}, [&](ValueRange e) -> Value {
        if (!lengths)
          return e[0];
        return arith::SelectOp::create(b, isActive(step, b.loop(0)), e[0], e[1]);
      }));
    // [B, P], and where a row is past its end 0.
    Value output = b.loops(
        b.empty({shape[0], shape[2]}, element), 0, {b.all(candidates[0])}, [&](ValueRange e) -> Value {
          Value hidden = b.convert(e[0], element);
          if (!lengths)
            return hidden;
          return arith::SelectOp::create(b, isActive(step, b.loop(0)), hidden, b.constant(element, 0));
        });
    OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
    next[0] = tensor::InsertSliceOp::create(b, output, carried[0], {zero, step, zero},
                                            {shape[0], one, shape[2]}, {one, one, one});
    return next;
  }

  /// Steps of row `batch`, within [0, T].
  Value length(Value batch) {
    Value longest = b.dim(input, 1);
    if (!lengths)
      return longest;
    Value given = arith::IndexCastOp::create(b, b.getIndexType(), b.at(lengths, batch));
    return arith::MinSIOp::create(b, arith::MaxSIOp::create(b, given, b.index(0)), longest);
  }

  Value isActive(Value step, Value batch) {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, step, length(batch));
  }

  /// `length - 1 - position`, or 0 (any valid position) where that is negative.
  Value mirror(Value position, Value length) {
    Value last = arith::SubIOp::create(b, length, b.index(1));
    return arith::MaxSIOp::create(b, arith::SubIOp::create(b, last, position), b.index(0));
  }

  ReferenceBuilder &b;
  Value input, lengths, recurrentWeight, recurrentBias;
  TypeAttr words; // of the products with the hidden state; null for floats
  int64_t direction;
  bool reverse;
  Type element, compute;
};

/// Puts the results of all directions together: hidden states side by side, final states one after the other.
class DirectionResults {
public:
  DirectionResults(ReferenceBuilder &b, Operation *op) : b(b) {
    for (Value result : op->getResults())
      results.push_back(b.empty(b.resultExtents(op, results.size()), getElementTypeOrSelf(result)));
  }

  /// `values`: the hidden states [B, T, P], then the final states [B, width] in the compute type.
  void insert(int64_t direction, Value hidden, ValueRange finalStates) {
    OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
    Value features = b.dim(hidden, 2);
    Value first = arith::MulIOp::create(b, features, b.index(direction));
    results[0] = tensor::InsertSliceOp::create(b, hidden, results[0], {zero, zero, first}, b.extents(hidden),
                                               {one, one, one});
    for (auto [i, state] : llvm::enumerate(finalStates)) {
      Value &result = results[i + 1];
      Type element = getElementTypeOrSelf(result);
      Value converted = b.loops(b.empty(b.extents(state), element), 0, {b.all(state)},
                                [&](ValueRange e) { return b.convert(e[0], element); });
      SmallVector<OpFoldResult> sizes = b.extents(state);
      sizes.insert(sizes.begin(), one);
      result = tensor::InsertSliceOp::create(b, converted, result, {b.getIndexAttr(direction), zero, zero},
                                             sizes, {one, one, one});
    }
  }

  ValueRange get() const { return results; }

private:
  ReferenceBuilder &b;
  SmallVector<Value> results;
};

/// Calls `run(direction, reverse)` for each direction of `op`.
template <typename OpTy>
void forEachDirection(OpTy op, function_ref<void(int64_t direction, bool reverse)> run) {
  if (op.getDirection() != Direction::bidirectional)
    return run(0, op.getDirection() == Direction::reverse);
  run(0, /*reverse=*/false);
  run(1, /*reverse=*/true);
}

/// Elementwise arithmetic of cells, on scalars of the compute type.
struct CellMath {
  ReferenceBuilder &b;
  Value add(Value l, Value r) { return arith::AddFOp::create(b, l, r); }
  Value mul(Value l, Value r) { return arith::MulFOp::create(b, l, r); }
  Value tanh(Value x) { return buildActivation(b, Activation::tanh, x); }
  Value sigmoid(Value x) { return buildActivation(b, Activation::sigmoid, x); }
  /// x within [-limit, limit].
  Value clip(Value x, std::optional<APFloat> limit) {
    if (!limit)
      return x;
    Value above = arith::MaximumFOp::create(b, x, b.constant(x.getType(), -limit->convertToDouble()));
    return arith::MinimumFOp::create(b, above, b.constant(x.getType(), *limit));
  }
};

struct LowerRNN : OpRewritePattern<RNNOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(RNNOp op, PatternRewriter &rewriter) const override {
    ReferenceBuilder b(op.getLoc(), rewriter);
    DirectionResults results(b, op);
    forEachDirection(op, [&](int64_t direction, bool reverse) {
      Recurrence recurrence(b, op, direction, reverse);
      SmallVector<Value> states = {
          recurrence.initialState(op.getInitialHidden(), b.extent(op.getRecurrentWeight(), 2))};
      Value gates = recurrence.projectInput(op.getInputWeight(), op.getInputBias());
      Value hidden = recurrence.run(gates, states, [&](Value x, ValueRange states) -> SmallVector<Value> {
        Value sum = recurrence.addRecurrent(x, states[0]);
        return {b.loops(b.empty(b.extents(sum), getElementTypeOrSelf(sum)), 0, {b.all(sum)},
                        [&](ValueRange e) { return buildActivation(b, op.getActivation(), e[0]); })};
      });
      results.insert(direction, hidden, states);
    });
    rewriter.replaceOp(op, results.get());
    return success();
  }
};

struct LowerLSTM : OpRewritePattern<LSTMOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LSTMOp op, PatternRewriter &rewriter) const override {
    ReferenceBuilder b(op.getLoc(), rewriter);
    CellMath math{b};
    Type compute = b.getComputeType(getElementTypeOrSelf(op.getInput()));
    Value projection = op.getProjection();
    // P and H
    OpFoldResult outputWidth = b.extent(op.getRecurrentWeight(), 2);
    OpFoldResult cellWidth = projection ? b.extent(projection, 2) : outputWidth;
    DirectionResults results(b, op);
    forEachDirection(op, [&](int64_t direction, bool reverse) {
      Recurrence recurrence(b, op, direction, reverse);
      SmallVector<Value> states = {recurrence.initialState(op.getInitialHidden(), outputWidth),
                                   recurrence.initialState(op.getInitialCell(), cellWidth)};
      Value inputGates = recurrence.projectInput(op.getInputWeight(), op.getInputBias());
      Value hidden =
          recurrence.run(inputGates, states, [&](Value x, ValueRange states) -> SmallVector<Value> {
            Value gates = recurrence.addRecurrent(x, states[0]); // [B, 4H]: i, f, g, o
            Value width = b.dim(states[1], 1);                   // H
            auto gate = [&](int64_t number) {
              Value first = arith::MulIOp::create(b, width, b.index(number));
              return b.at(gates, {b.loop(0), arith::AddIOp::create(b, first, b.loop(1))});
            };
            SmallVector<OpFoldResult> shape = b.extents(states[1]);
            // c' = f c + i g
            Value cell = b.loops(b.empty(shape, compute), 0, {b.all(states[1])}, [&](ValueRange e) {
              Value kept = math.mul(math.sigmoid(gate(1)), e[0]);
              Value added = math.mul(math.sigmoid(gate(0)), math.tanh(gate(2)));
              return math.clip(math.add(kept, added), op.getCellClip());
            });
            // o tanh(c')
            Value output = b.loops(b.empty(shape, compute), 0, {b.all(cell)}, [&](ValueRange e) {
              return math.mul(math.sigmoid(gate(3)), math.tanh(e[0]));
            });
            if (!projection)
              return {output, cell};
            Value projected = b.fill(b.extents(states[0]), compute, 0);
            projected = recurrence.multiply(projected, output, projection);
            Value clipped = b.loops(b.empty(b.extents(projected), compute), 0, {b.all(projected)},
                                    [&](ValueRange e) { return math.clip(e[0], op.getProjectionClip()); });
            return {clipped, cell};
          });
      results.insert(direction, hidden, states);
    });
    rewriter.replaceOp(op, results.get());
    return success();
  }
};

struct LowerGRU : OpRewritePattern<GRUOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(GRUOp op, PatternRewriter &rewriter) const override {
    ReferenceBuilder b(op.getLoc(), rewriter);
    CellMath math{b};
    Type compute = b.getComputeType(getElementTypeOrSelf(op.getInput()));
    DirectionResults results(b, op);
    forEachDirection(op, [&](int64_t direction, bool reverse) {
      Recurrence recurrence(b, op, direction, reverse);
      SmallVector<Value> states = {
          recurrence.initialState(op.getInitialHidden(), b.extent(op.getRecurrentWeight(), 2))};
      Value inputGates = recurrence.projectInput(op.getInputWeight(), op.getInputBias());
      Value hidden =
          recurrence.run(inputGates, states, [&](Value x, ValueRange states) -> SmallVector<Value> {
            Value h = states[0];
            Value width = b.dim(h, 1); // H
            SmallVector<OpFoldResult> shape = b.extents(h);
            // Gate `number` (r, z, n) of a tensor [B, 3H].
            auto gate = [&](Value gates, int64_t number) {
              Value first = arith::MulIOp::create(b, width, b.index(number));
              return b.at(gates, {b.loop(0), arith::AddIOp::create(b, first, b.loop(1))});
            };
            auto sumOf = [&](Value recurrent, int64_t number) {
              return math.add(gate(x, number), gate(recurrent, number));
            };
            auto blend = [&](Value z, Value n, Value h) {
              Value keepsNot = arith::SubFOp::create(b, b.constant(compute, 1), z);
              return math.add(math.mul(keepsNot, n), math.mul(z, h));
            };

            SmallVector<OpFoldResult> gateShape = b.extents(x); // [B, 3H]
            Value recurrent = recurrence.addRecurrent(b.fill(gateShape, compute, 0), h);
            // What reaches the gate n from W_hn: W_hn h, or with `reset_before` W_hn (r * h); both with b_hn.
            Value candidate = recurrent;
            if (op.getResetBefore()) {
              Value reset = b.loops(b.empty(shape, compute), 0, {b.all(h)}, [&](ValueRange e) {
                return math.mul(math.sigmoid(sumOf(recurrent, 0)), e[0]);
              });
              candidate = recurrence.addRecurrent(b.fill(gateShape, compute, 0), reset);
            }
            return {b.loops(b.empty(shape, compute), 0, {b.all(h)}, [&](ValueRange e) {
              Value fromHidden = gate(candidate, 2);
              if (!op.getResetBefore())
                fromHidden = math.mul(math.sigmoid(sumOf(recurrent, 0)), fromHidden);
              Value n = math.tanh(math.add(gate(x, 2), fromHidden));
              return blend(math.sigmoid(sumOf(recurrent, 1)), n, e[0]);
            })};
          });
      results.insert(direction, hidden, states);
    });
    rewriter.replaceOp(op, results.get());
    return success();
  }
};

} // namespace

void mlir::sesame::populateRecurrentReference(RewritePatternSet &patterns) {
  patterns.add<LowerRNN, LowerLSTM, LowerGRU>(patterns.getContext());
}
