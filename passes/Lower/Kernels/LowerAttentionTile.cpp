//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two shapes of code share one order of summation, so that a row has the same bits in both. A *panel* holds
// lanes() or 2 lanes() query rows, one a lane: keys and values are read as they lie, one scalar for all rows,
// and softmax needs no sum across lanes. *Rows* alone (decoding: one, or those of heads that share keys and
// values) have keys in the lanes of the scores and features in the lanes of the result.
//
//===----------------------------------------------------------------------===//

#include "FloatBuilder.h"
#include "KernelBuilder.h"
#include "RegisterTile.h"

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

namespace mlir::sesame {
#define GEN_PASS_DEF_LOWERATTENTIONTILEPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;
using namespace mlir::sesame::kernels;

namespace {

constexpr float kLog2E = 1.44269504f;
constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
/// Bytes of stack that the scratch of one tile may take.
constexpr int64_t kScratchBytes = 64 * 1024;
/// Up to this many rows are cheaper one by one than as a panel of mostly empty lanes (Zen 4, measured
/// 2026-11).
constexpr int64_t kRowsOneByOne = 3;

/// Builds one attention_tile.
class AttentionTile {
public:
  AttentionTile(AttentionTileOp op, int64_t lanes, int64_t keyBlock, bool useScalef)
      : op(op), b(op, lanes), useScalef(useScalef), lanes(lanes), keyBlock(keyBlock),
        headSize(staticColumns(op.getQuery())), valueSize(staticColumns(op.getOut())), bf16(op.getBf16()),
        tileRows(chooseTileRows(lanes, 2)),
        panelVectors(panelBytes(2, longBlock() / 2) <= kScratchBytes ? 2 : 1),
        blockKeys(panelBytes(panelVectors, longBlock()) <= kScratchBytes ? longBlock() : longBlock() / 2) {}

  void build() {
    int64_t staticRows = cast<MemRefType>(op.getOut().getType()).getDimSize(0);
    Value numRows = b.extent(op.getOut(), 0);
    numKeys = b.extent(op.getKey(), 0);
    int64_t together = op.getHeads() ? staticRows : 1;
    rowScores = b.scratch({together, blockKeys});
    if (bf16)
      rowWeights = b.scratch({together, blockKeys / 2});
    rowQuery = b.scratch({together, roundUp(headSize)});
    rowOut = b.scratch({together, roundUp(valueSize)});
    findVisibleKeys();
    if (op.getHeads())
      return buildRows(b.index(0), together);
    if (!ShapedType::isDynamic(staticRows) && staticRows <= kRowsOneByOne)
      return b.loop(b.index(0), numRows, 1, [&](Value row) { buildRows(row, 1); });

    scores = b.scratch({blockKeys, panelVectors * lanes});
    if (hasPenalty())
      keyPenalty = b.scratch({blockKeys});
    queryColumns = b.scratch({queryRows(), panelVectors * lanes});
    if (bf16)
      words = b.scratch({blockKeys * wordsPerKey()});
    outColumns = b.scratch({valueSize, panelVectors * lanes});
    block = b.scratch({lanes, lanes});
    b.loop(b.index(0), numRows, panelVectors * lanes, [&](Value firstRow) {
      Value height = b.min(b.sub(numRows, firstRow), b.index(panelVectors * lanes));
      auto narrow = [&] {
        b.branch(
            b.compare(arith::CmpIPredicate::sgt, height, b.index(kRowsOneByOne)),
            [&] { buildPanel(firstRow, height, 1); },
            [&] { b.loop(b.index(0), height, 1, [&](Value row) { buildRows(b.add(firstRow, row), 1); }); });
      };
      if (panelVectors == 1)
        return narrow();
      b.branch(
          b.compare(arith::CmpIPredicate::sgt, height, b.index(lanes)),
          [&] { buildPanel(firstRow, height, 2); }, narrow);
    });
  }

private:
  /// Keys of a block where the scratch allows it: a longer block needs fewer rescalings. It and its half are
  /// multiples of the height of a register tile and of the lanes.
  int64_t longBlock() const { return keyBlock ? keyBlock : lanes >= 16 ? 256 : 192; }

  static int64_t staticColumns(Value memref) { return cast<MemRefType>(memref.getType()).getDimSize(1); }
  int64_t roundUp(int64_t size) const { return (size + lanes - 1) / lanes * lanes; }
  int64_t panelBytes(int64_t vectors, int64_t keys) const {
    return 4 * (vectors * lanes * (queryRows() + valueSize + keys) + (bf16 ? keys * wordsPerKey() : 0));
  }
  FloatBuilder floats() { return FloatBuilder(b, b.getLoc(), b.vectorType(), useScalef); }

  /// One block of keys against one panel of rows.
  struct Panel {
    Value firstRow, height;
    Value key, count; // keys [key, key + count)
    int64_t vectors;
    ArrayRef<Value> rowBegins, rowEnds; // what each row sees; begins are null without a window
    Value everyRowSeesBefore, everyRowSeesFrom;
  };

  //===--- Words of bf16 ---------------------------------------------------------------------------===//
  // A word is the 32 bits of two neighbours, the first one in the lower half; here it travels as an f32.

  /// Vectors of words that hold a row's features.
  int64_t wordVectors() const { return (headSize + 2 * lanes - 1) / (2 * lanes); }
  int64_t queryRows() const { return bf16 ? wordVectors() * lanes : headSize; }
  /// A block's keys, [keys, D / 2], and then its values, [keys / 2, E].
  int64_t wordsPerKey() const { return std::max(wordVectors() * lanes, roundUp(valueSize) / 2); }

  VectorType narrowType(Type element, int64_t count) { return VectorType::get({count}, element); }
  /// (low[0], low[1]), (low[2], low[3]), ... and then those of `high`.
  Value toWords(Value low, Value high) {
    Value numbers = LLVM::CallIntrinsicOp::create(b, narrowType(b.getBF16Type(), 2 * lanes),
                                                  b.getStringAttr("llvm.x86.avx512bf16.cvtne2ps2bf16.512"),
                                                  ValueRange{high, low})
                        .getResult(0);
    return vector::BitCastOp::create(b, b.vectorType(), numbers);
  }
  /// (low[0], high[0]), (low[1], high[1]), ...
  Value zipToWords(Value low, Value high) {
    auto type = narrowType(b.getI16Type(), 2 * lanes);
    Value numbers = vector::BitCastOp::create(b, type, toWords(low, high));
    SmallVector<int64_t> picks;
    for (int64_t lane = 0; lane < lanes; ++lane)
      picks.append({lane, lanes + lane});
    Value zipped = vector::ShuffleOp::create(b, numbers, numbers, picks);
    return vector::BitCastOp::create(b, b.vectorType(), zipped);
  }
  /// acc + the dot product of the two numbers in each lane.
  Value dot(Value x, Value y, Value acc) {
    auto type = narrowType(b.getBF16Type(), 2 * lanes);
    Value numbers[] = {acc, vector::BitCastOp::create(b, type, x), vector::BitCastOp::create(b, type, y)};
    return LLVM::CallIntrinsicOp::create(b, b.vectorType(),
                                         b.getStringAttr("llvm.x86.avx512bf16.dpbf16ps.512"), numbers)
        .getResult(0);
  }
  static bool isNarrow(Value memref) { return cast<MemRefType>(memref.getType()).getElementType().isBF16(); }
  /// The first `columns` of `count` neighbours of bf16 from `indices` on, as their bits, 0 behind them.
  Value loadNarrow(Value memref, ValueRange indices, int64_t count, Value columns) {
    VectorType type = narrowType(b.getBF16Type(), count), bits = narrowType(b.getI16Type(), count);
    Value result;
    if (getConstantIntValue(columns).value_or(0) >= count) {
      result = vector::LoadOp::create(b, type, memref, indices);
    } else {
      Value mask = vector::CreateMaskOp::create(b, narrowType(b.getI1Type(), count), columns);
      Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(type));
      result = vector::MaskedLoadOp::create(b, type, memref, indices, mask, zeros);
    }
    return vector::BitCastOp::create(b, bits, result);
  }
  /// (low[0], high[0]), (low[1], high[1]), ...: words of two vectors of bits.
  Value zip(Value low, Value high) {
    SmallVector<int64_t> picks;
    for (int64_t lane = 0; lane < lanes; ++lane)
      picks.append({lane, lanes + lane});
    return vector::BitCastOp::create(b, b.vectorType(), vector::ShuffleOp::create(b, low, high, picks));
  }
  /// The words of up to two vectors of features of a row from `d` on, 0 beyond `columns`.
  Value loadWords(Value memref, Value row, Value d, int64_t columns, Value scale = {}) {
    if (isNarrow(memref)) {
      columns = std::min(columns, 2 * lanes);
      return vector::BitCastOp::create(b, b.vectorType(),
                                       loadNarrow(memref, {row, d}, 2 * lanes, b.index(columns)));
    }
    auto half = [&](int64_t first) -> Value {
      if (columns <= first)
        return b.splat(0.0f);
      Value x = b.load(memref, {row, b.add(d, first)}, b.firstLanes(columns - first));
      return scale ? b.fmul(x, scale) : x;
    };
    return toWords(half(0), half(lanes));
  }
  /// Words of features [e, e + lanes) of the values of keys `key` + t and the next one, or 0 if t + 1 is
  /// `count`.
  Value loadValueWords(Value key, Value t, Value count, Value e, Value columns) {
    Value hasNext = b.compare(arith::CmpIPredicate::slt, b.add(t, 1), count);
    Value next = arith::SelectOp::create(b, hasNext, b.add(t, 1), t);
    SmallVector<Value> low{b.add(key, t), e}, high{b.add(key, next), e};
    if (isNarrow(op.getValue())) {
      Value first = loadNarrow(op.getValue(), low, lanes, columns);
      Value second = loadNarrow(op.getValue(), high, lanes, columns);
      Value none = arith::ConstantOp::create(b, b.getZeroAttr(second.getType()));
      return zip(first, arith::SelectOp::create(b, hasNext, second, none));
    }
    Value mask = b.firstLanes(columns);
    Value behind = b.load(op.getValue(), high, mask);
    return zipToWords(b.load(op.getValue(), low, mask),
                      arith::SelectOp::create(b, hasNext, behind, b.splat(0.0f)));
  }
  /// Pairs of `count` keys.
  Value halfOf(Value count) { return arith::CeilDivUIOp::create(b, count, b.index(2)); }

  void packKeys(const Panel &panel) {
    b.loop(b.index(0), panel.count, 1, [&](Value t) {
      Value place = b.mul(t, wordsPerKey());
      forEach(headSize, 2 * lanes, [&](Value d, int64_t columns) {
        Value word = arith::DivUIOp::create(b, d, b.index(2));
        b.store(loadWords(op.getKey(), b.add(panel.key, t), d, columns), words, {b.add(place, word)});
      });
    });
  }
  void packValues(const Panel &panel) {
    b.loop(b.index(0), halfOf(panel.count), 1, [&](Value pair) {
      Value place = b.mul(pair, 2 * wordsPerKey());
      forEach(valueSize, lanes, [&](Value e, int64_t columns) {
        Value values = loadValueWords(panel.key, b.mul(pair, 2), panel.count, e, b.index(columns));
        b.store(values, words, {b.add(place, e)});
      });
    });
  }

  //===--- What a row sees -------------------------------------------------------------------------===//

  bool hasPenalty() { return op.getMask() || op.getBias(); }
  bool hasRowMask() { return op.getMask() && cast<MemRefType>(op.getMask().getType()).getRank() == 2; }
  bool hasRowBias() { return op.getBias() && cast<MemRefType>(op.getBias().getType()).getDimSize(0) != 1; }
  /// True if the penalty differs from row to row.
  bool hasRowPenalty() { return hasRowMask() || hasRowBias(); }

  /// Sets [keyBegin, keyEnd), outside of which a [T] mask hides every key. Blocks start at keyBegin, so that
  /// padding on the left moves neither a block's border nor, with it, a rounding.
  void findVisibleKeys() {
    keyBegin = b.index(0);
    keyEnd = numKeys;
    if (!op.getMask() || hasRowMask())
      return;
    auto range = b.loop(b.index(0), numKeys, 1, {numKeys, b.index(0)}, [&](Value key, ValueRange carried) {
      Value seen = isNonZero(b.loadScalar(op.getMask(), {key}));
      Value begin = arith::SelectOp::create(b, seen, b.min(carried[0], key), carried[0]);
      Value end = arith::SelectOp::create(b, seen, b.add(key, 1), carried[1]);
      return SmallVector<Value>{begin, end};
    });
    keyEnd = range[1];
    keyBegin = b.min(range[0], keyEnd);
  }

  Value isNonZero(Value integers) {
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(integers.getType()));
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, integers, zero);
  }

  Value positionOfRow(Value row) { return op.getHeads() ? op.getFirst() : b.add(op.getFirst(), row); }
  /// The end of the keys that row `row` sees.
  Value endOfRow(Value row) { return op.getCausal() ? b.min(keyEnd, b.add(positionOfRow(row), 1)) : keyEnd; }
  /// The first key that row `row` sees.
  Value beginOfRow(Value row) {
    if (!op.getWindow())
      return keyBegin;
    return b.max(keyBegin, b.sub(b.add(positionOfRow(row), 1), b.index(*op.getWindow())));
  }
  /// The start of the block that holds key `key`.
  Value blockOf(Value key) {
    if (!op.getWindow())
      return keyBegin;
    Value skipped = arith::DivUIOp::create(b, b.sub(key, keyBegin), b.index(blockKeys));
    return b.add(keyBegin, b.mul(skipped, blockKeys));
  }

  VectorType keyIndexType() { return VectorType::get({lanes}, b.getI32Type()); }
  /// value, value + step, ...: one a lane.
  Value keyIndices(Value value, int32_t step) {
    Value narrow = arith::IndexCastOp::create(b, b.getI32Type(), value);
    Value start = vector::BroadcastOp::create(b, keyIndexType(), narrow);
    if (step == 0)
      return start;
    SmallVector<int32_t> offsets;
    for (int32_t lane = 0; lane < lanes; ++lane)
      offsets.push_back(lane * step);
    Value increments =
        arith::ConstantOp::create(b, DenseElementsAttr::get(keyIndexType(), ArrayRef(offsets)));
    return arith::AddIOp::create(b, start, increments);
  }
  /// `score` where begin <= key < end, else minus infinity. `begin` may be null.
  Value hide(Value score, Value key, Value begin, Value end) {
    Value seen = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, key, end);
    if (begin) {
      Value after = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, key, begin);
      seen = arith::AndIOp::create(b, seen, after);
    }
    return arith::SelectOp::create(b, seen, score, b.splat(kMinusInfinity));
  }

  /// What is added to the scores of `lanes` keys from `key` on, in units of log 2: the bias, minus infinity
  /// where masked. Only lanes of `laneMask` are read. `row` selects the row of a mask or bias that has
  /// several.
  Value penaltyOfKeys(Value row, Value key, Value laneMask) {
    auto indices = [&](Value memref) -> SmallVector<Value> {
      if (cast<MemRefType>(memref.getType()).getRank() == 1)
        return {key};
      Value last = b.add(b.extent(memref, 0), -1);
      return {row ? b.min(row, last) : b.index(0), key};
    };
    Value penalty = b.splat(0.0f);
    if (Value bias = op.getBias())
      penalty = b.fmul(b.load(bias, indices(bias), laneMask), b.splat(kLog2E));
    if (Value mask = op.getMask()) {
      Value seen = isNonZero(loadMask(mask, indices(mask), laneMask));
      penalty = arith::SelectOp::create(b, seen, penalty, b.splat(kMinusInfinity));
    }
    return penalty;
  }

  Value loadMask(Value mask, ArrayRef<Value> indices, Value laneMask) {
    Type element = cast<MemRefType>(mask.getType()).getElementType();
    auto type = VectorType::get({lanes}, element);
    if (!element.isInteger(1)) {
      Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(type));
      return vector::MaskedLoadOp::create(b, type, mask, indices, laneMask, zeros);
    }
    // A memref of i1 has one byte an element, a vector of i1 one bit: read them one by one, the last one
    // again past the end.
    Value last = b.add(numKeys, -1);
    SmallVector<Value> bits;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      SmallVector<Value> at(indices);
      at.back() = b.min(b.add(at.back(), lane), last);
      bits.push_back(b.loadScalar(mask, at));
    }
    return vector::FromElementsOp::create(b, type, bits);
  }

  //===--- Scores and softmax ----------------------------------------------------------------------===//

  /// Queries are scaled when they are packed, so that the scores come in units of log 2 and softmax needs 2^x
  /// only; with softcap, in units of the cap.
  float queryScale() {
    float scale = op.getScale().convertToFloat();
    return op.getSoftcap() ? scale / op.getSoftcap()->convertToFloat() : scale * kLog2E;
  }
  Value capScore(Value score) {
    if (!op.getSoftcap())
      return score;
    float cap = op.getSoftcap()->convertToFloat();
    return b.fmul(math::TanhOp::create(b, score), b.splat(cap * kLog2E));
  }

  struct Rescaling {
    Value reference;  // what is subtracted from the scores: the new maximum, or 0 if no key was seen yet
    Value correction; // 2^(old maximum - reference)
  };
  Rescaling rescale(Value oldMaximum, Value newMaximum) {
    Value none = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, newMaximum, b.splat(kMinusInfinity));
    Value reference = arith::SelectOp::create(b, none, b.splat(0.0f), newMaximum);
    return {reference, floats().exp2NonPositive(b.fsub(oldMaximum, reference))};
  }
  Value weight(Value score, Value reference) { return floats().exp2NonPositive(b.fsub(score, reference)); }
  /// 1 / sum; 0 if no key was seen.
  Value inverse(Value sum) {
    Value none = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, sum, b.splat(0.0f));
    return arith::SelectOp::create(b, none, b.splat(0.0f), b.fdiv(b.splat(1.0f), sum));
  }

  //===--- Panels ----------------------------------------------------------------------------------===//

  void buildPanel(Value firstRow, Value height, int64_t vectors) {
    packQueries(firstRow, height, vectors);
    forEach(valueSize, 1, [&](Value e, int64_t) {
      for (int64_t v = 0; v < vectors; ++v)
        b.store(b.splat(0.0f), outColumns, {e, b.index(v * lanes)});
    });
    Value lastRow = b.add(b.add(firstRow, height), -1);
    Value end = endOfRow(lastRow);
    SmallVector<Value> rowEnds(vectors), rowBegins(vectors);
    for (int64_t v = 0; v < vectors; ++v) {
      Value row = b.add(b.add(op.getFirst(), firstRow), v * lanes);
      Value ends = keyIndices(end, 0);
      rowEnds[v] = op.getCausal() ? arith::MinSIOp::create(b, keyIndices(b.add(row, 1), 1), ends) : ends;
      if (op.getWindow())
        rowBegins[v] = keyIndices(b.sub(b.add(row, 1), b.index(*op.getWindow())), 1);
    }

    SmallVector<Value> state(vectors, b.splat(kMinusInfinity)); // maxima, then sums
    state.append(vectors, b.splat(0.0f));
    state = b.loop(blockOf(beginOfRow(firstRow)), end, blockKeys, state, [&](Value key, ValueRange carried) {
      Value count = b.min(b.sub(end, key), b.index(blockKeys));
      Panel panel{firstRow,           height, key, count, vectors, rowBegins, rowEnds, endOfRow(firstRow),
                  beginOfRow(lastRow)};
      return buildPanelBlock(panel, carried);
    });
    SmallVector<Value> inverses;
    for (int64_t v = 0; v < vectors; ++v)
      inverses.push_back(inverse(state[vectors + v]));
    unpackOut(firstRow, height, inverses);
  }

  SmallVector<Value> buildPanelBlock(const Panel &panel, ValueRange carried) {
    int64_t vectors = panel.vectors;
    if (hasRowPenalty())
      packRowPenalties(panel);
    else if (hasPenalty())
      buildKeyPenalties(panel.key, panel.count);
    if (bf16)
      packKeys(panel);
    SmallVector<Value> maxima = buildPanelScores(panel, carried.take_front(vectors));

    SmallVector<Value> references, corrections, sums;
    for (int64_t v = 0; v < vectors; ++v) {
      Rescaling rescaling = rescale(carried[v], maxima[v]);
      references.push_back(rescaling.reference);
      corrections.push_back(rescaling.correction);
      sums.push_back(b.fmul(carried[vectors + v], rescaling.correction));
    }
    if (bf16) {
      sums = weighPairs(panel, references, sums);
      packValues(panel);
    } else {
      sums = weighScores(panel, references, sums);
    }
    forEach(valueSize, tileRows, [&](Value e, int64_t rows) { addValues(panel, e, rows, corrections); });
    maxima.append(sums);
    return maxima;
  }

  /// Scores become weights in place; returns `sums` plus them.
  SmallVector<Value> weighScores(const Panel &panel, ArrayRef<Value> references, ArrayRef<Value> sums) {
    int64_t vectors = panel.vectors;
    return b.loop(b.index(0), panel.count, 1, sums, [&](Value t, ValueRange partial) {
      SmallVector<Value> next;
      for (int64_t v = 0; v < vectors; ++v) {
        SmallVector<Value> at{t, b.index(v * lanes)};
        Value p = weight(b.load(scores, at), references[v]);
        b.store(p, scores, at);
        next.push_back(b.fadd(partial[v], p));
      }
      return next;
    });
  }

  /// The same, the weights of two keys in a word. Behind an odd number of keys stands a hidden score.
  SmallVector<Value> weighPairs(const Panel &panel, ArrayRef<Value> references, ArrayRef<Value> sums) {
    int64_t vectors = panel.vectors;
    return b.loop(b.index(0), halfOf(panel.count), 1, sums, [&](Value pair, ValueRange partial) {
      Value t = b.mul(pair, 2);
      SmallVector<Value> next;
      for (int64_t v = 0; v < vectors; ++v) {
        Value column = b.index(v * lanes);
        Value low = weight(b.load(scores, {t, column}), references[v]);
        Value high = weight(b.load(scores, {b.add(t, 1), column}), references[v]);
        b.store(zipToWords(low, high), scores, {pair, column});
        next.push_back(b.fadd(b.fadd(partial[v], low), high));
      }
      return next;
    });
  }

  /// scores[t][row] for the keys of the block, `tileRows` keys at a time; returns the running maxima.
  SmallVector<Value> buildPanelScores(const Panel &panel, ValueRange maxima) {
    int64_t vectors = panel.vectors;
    Value lastKey = b.add(numKeys, -1);
    return b.loop(b.index(0), panel.count, tileRows, maxima, [&](Value t, ValueRange carried) {
      Value key = b.add(panel.key, t);
      // Past the end of the keys the last one is read again; those scores are hidden.
      SmallVector<Value> keyRows;
      for (int64_t i = 0; i < tileRows; ++i)
        keyRows.push_back(b.min(b.add(key, i), lastKey));
      auto left = [&](int64_t i, Value d) {
        if (!bf16)
          return b.splat(b.loadScalar(op.getKey(), {keyRows[i], d}));
        return b.splat(b.loadScalar(words, {b.add(b.mul(b.add(t, i), wordsPerKey()), d)}));
      };
      auto right = [&](int64_t v, Value d) { return b.load(queryColumns, {d, b.index(v * lanes)}); };
      auto multiplyAdd = [&](Value x, Value y, Value acc) {
        return bf16 ? dot(x, y, acc) : b.fma(x, y, acc);
      };
      RegisterTile tile{tileRows, vectors, left, right, multiplyAdd};
      SmallVector<Value> zeros(tileRows * vectors, b.splat(0.0f));
      Value depth = b.index(bf16 ? (headSize + 1) / 2 : headSize);
      SmallVector<Value> result = emitRegisterTile(b, depth, tile, zeros);

      for (int64_t i = 0; i < tileRows; ++i)
        for (int64_t v = 0; v < vectors; ++v) {
          Value &score = result[i * vectors + v];
          score = capScore(score);
          Value at = b.add(t, i);
          if (hasRowPenalty())
            score = b.fadd(score, b.load(scores, {at, b.index(v * lanes)}));
          else if (hasPenalty())
            score = b.fadd(score, b.splat(b.loadScalar(keyPenalty, {at})));
        }
      // Only blocks at the border of what some row sees need comparisons.
      Value hidden = b.compare(arith::CmpIPredicate::sgt, b.add(key, tileRows), panel.everyRowSeesBefore);
      if (op.getWindow())
        hidden = arith::OrIOp::create(b, hidden,
                                      b.compare(arith::CmpIPredicate::slt, key, panel.everyRowSeesFrom));
      SmallVector<Type> types(result.size(), b.vectorType());
      result = b.choose(
          hidden, types,
          [&] {
            SmallVector<Value> some;
            for (int64_t i = 0; i < tileRows; ++i) {
              Value indices = keyIndices(b.add(key, i), 0);
              for (int64_t v = 0; v < vectors; ++v)
                some.push_back(hide(result[i * vectors + v], indices, panel.rowBegins[v], panel.rowEnds[v]));
            }
            return some;
          },
          [&] { return result; });

      SmallVector<Value> next = llvm::to_vector_of<Value>(carried);
      for (int64_t i = 0; i < tileRows; ++i)
        for (int64_t v = 0; v < vectors; ++v) {
          Value score = result[i * vectors + v];
          b.store(score, scores, {b.add(t, i), b.index(v * lanes)});
          next[v] = b.fmax(score, next[v]);
        }
      return next;
    });
  }

  /// outColumns[e][row] = outColumns[e][row] * correction + sum_t value[t][e] * scores[t][row], for `rows`
  /// features from `e` on.
  void addValues(const Panel &panel, Value e, int64_t rows, ArrayRef<Value> corrections) {
    int64_t vectors = panel.vectors;
    SmallVector<Value> initial;
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t v = 0; v < vectors; ++v)
        initial.push_back(b.fmul(b.load(outColumns, {b.add(e, i), b.index(v * lanes)}), corrections[v]));
    auto left = [&](int64_t i, Value t) {
      if (!bf16)
        return b.splat(b.loadScalar(op.getValue(), {b.add(panel.key, t), b.add(e, i)}));
      return b.splat(b.loadScalar(words, {b.add(b.mul(t, 2 * wordsPerKey()), b.add(e, i))}));
    };
    auto right = [&](int64_t v, Value t) { return b.load(scores, {t, b.index(v * lanes)}); };
    auto multiplyAdd = [&](Value x, Value y, Value acc) { return bf16 ? dot(x, y, acc) : b.fma(x, y, acc); };
    RegisterTile tile{rows, vectors, left, right, multiplyAdd};
    SmallVector<Value> result = emitRegisterTile(b, bf16 ? halfOf(panel.count) : panel.count, tile, initial);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t v = 0; v < vectors; ++v)
        b.store(result[i * vectors + v], outColumns, {b.add(e, i), b.index(v * lanes)});
  }

  /// queryColumns[d][row] = query[row][d] * scale; with `bf16` words of two features. Rows past the last are
  /// copies of it.
  void packQueries(Value firstRow, Value height, int64_t vectors) {
    Value scale = b.splat(queryScale());
    Value lastRow = b.add(b.add(firstRow, height), -1);
    int64_t perLane = bf16 ? 2 : 1;
    forEach(headSize, perLane * lanes, [&](Value d, int64_t columns) {
      Value place = b.createOrFold<arith::DivUIOp>(d, b.index(perLane));
      for (int64_t v = 0; v < vectors; ++v) {
        SmallVector<Value> rows;
        for (int64_t i = 0; i < lanes; ++i) {
          Value row = b.min(b.add(firstRow, v * lanes + i), lastRow);
          rows.push_back(bf16 ? loadWords(op.getQuery(), row, d, columns, scale)
                              : b.fmul(b.load(op.getQuery(), {row, d}, b.firstLanes(columns)), scale));
        }
        rows = b.transpose(rows);
        for (int64_t i = 0; i < (columns + perLane - 1) / perLane; ++i)
          b.store(rows[i], queryColumns, {b.add(place, i), b.index(v * lanes)});
      }
    });
  }

  /// scores[t][row] = penalty of key t for the row, for the keys of the block, to be completed by the scores.
  void packRowPenalties(const Panel &panel) {
    Value lastRow = b.add(b.add(panel.firstRow, panel.height), -1);
    b.loop(b.index(0), panel.count, lanes, [&](Value t) {
      Value laneMask = laneMaskOf(b.sub(panel.count, t));
      for (int64_t v = 0; v < panel.vectors; ++v) {
        SmallVector<Value> rows;
        for (int64_t i = 0; i < lanes; ++i) {
          Value row = b.min(b.add(panel.firstRow, v * lanes + i), lastRow);
          rows.push_back(penaltyOfKeys(row, b.add(panel.key, t), laneMask));
        }
        rows = b.transpose(rows);
        for (int64_t i = 0; i < lanes; ++i)
          b.store(rows[i], scores, {b.add(t, i), b.index(v * lanes)});
      }
    });
  }

  /// keyPenalty[t] = penalty of key t, the same for all rows.
  void buildKeyPenalties(Value key, Value count) {
    b.loop(b.index(0), count, lanes, [&](Value t) {
      b.store(penaltyOfKeys(Value(), b.add(key, t), laneMaskOf(b.sub(count, t))), keyPenalty, {t});
    });
  }

  Value laneMaskOf(Value count) { return vector::CreateMaskOp::create(b, b.maskType(), count); }

  /// out[row][e] = outColumns[e][row] * inverse[row].
  void unpackOut(Value firstRow, Value height, ArrayRef<Value> inverses) {
    forEach(valueSize, lanes, [&](Value e, int64_t columns) {
      Value mask = b.firstLanes(columns);
      for (int64_t v = 0; v < static_cast<int64_t>(inverses.size()); ++v) {
        SmallVector<Value> columnsOfRows(lanes, b.splat(0.0f));
        for (int64_t i = 0; i < columns; ++i)
          columnsOfRows[i] = b.fmul(b.load(outColumns, {b.add(e, i), b.index(v * lanes)}), inverses[v]);
        SmallVector<Value> rows = b.transpose(columnsOfRows);
        for (int64_t i = 0; i < lanes; ++i)
          b.store(rows[i], block, {b.index(i), b.index(0)});
        Value here = b.min(b.sub(height, b.index(v * lanes)), b.index(lanes));
        b.loop(b.index(0), here, 1, [&](Value row) {
          Value to = b.add(b.add(firstRow, row), v * lanes);
          b.store(b.load(block, {row, b.index(0)}), op.getOut(), {to, e}, mask);
        });
      }
    });
  }

  /// Calls `body` for pieces of `step` in [0, size): the whole ones in a loop, then the rest.
  void forEach(int64_t size, int64_t step, llvm::function_ref<void(Value at, int64_t length)> body) {
    int64_t whole = size / step * step;
    if (whole == step)
      body(b.index(0), step);
    else if (whole)
      b.loop(b.index(0), b.index(whole), step, [&](Value at) { body(at, step); });
    if (whole < size)
      body(b.index(whole), size - whole);
  }

  //===--- Rows alone ------------------------------------------------------------------------------===//

  /// Rows `firstRow` to `firstRow + count - 1`, which see the same keys.
  void buildRows(Value firstRow, int64_t count) {
    int64_t perLane = bf16 ? 2 : 1;
    SmallVector<Value> rows;
    for (int64_t i = 0; i < count; ++i)
      rows.push_back(b.add(firstRow, i));
    forEach(headSize, perLane * lanes, [&](Value d, int64_t columns) {
      Value scale = b.splat(queryScale());
      for (int64_t i = 0; i < count; ++i) {
        Value row = rows[i];
        Value query = bf16 ? loadWords(op.getQuery(), row, d, columns, scale)
                           : b.fmul(b.load(op.getQuery(), {row, d}, b.firstLanes(columns)), scale);
        b.store(query, rowQuery, {b.index(i), b.createOrFold<arith::DivUIOp>(d, b.index(perLane))});
      }
    });
    forEach(roundUp(valueSize), lanes, [&](Value e, int64_t) {
      for (int64_t i = 0; i < count; ++i)
        b.store(b.splat(0.0f), rowOut, {b.index(i), e});
    });
    Value begin = beginOfRow(firstRow), end = endOfRow(firstRow);
    SmallVector<Value> initial(count, b.splat(kMinusInfinity)); // maxima in every lane, then sums
    initial.append(count, b.f32(0.0f));
    auto state = b.loop(blockOf(begin), end, blockKeys, initial, [&](Value key, ValueRange carried) {
      Value numBlock = b.min(b.sub(end, key), b.index(blockKeys));
      ValueRange before = carried.take_front(count);
      SmallVector<Value> maxima = buildRowScores(rows, key, numBlock, begin, end, before), corrections, sums;
      SmallVector<Value> references;
      for (int64_t i = 0; i < count; ++i) {
        Rescaling rescaling = rescale(before[i], maxima[i]);
        references.push_back(rescaling.reference);
        corrections.push_back(rescaling.correction);
        Value correction = vector::ExtractOp::create(b, rescaling.correction, int64_t(0));
        sums.push_back(b.fmul(carried[count + i], correction));
      }
      b.loop(b.index(0), numBlock, lanes, [&](Value t) {
        for (int64_t i = 0; i < count; ++i) {
          SmallVector<Value> at{b.index(i), t};
          b.store(weight(b.load(rowScores, at), references[i]), rowScores, at);
        }
      });
      if (bf16)
        b.loop(b.index(0), numBlock, 2 * lanes, [&](Value t) {
          for (int64_t i = 0; i < count; ++i) {
            Value row = b.index(i);
            Value weights = toWords(b.load(rowScores, {row, t}), b.load(rowScores, {row, b.add(t, lanes)}));
            b.store(weights, rowWeights, {row, arith::DivUIOp::create(b, t, b.index(2))});
          }
        });
      maxima.append(addRowValues(key, numBlock, corrections, sums));
      return maxima;
    });
    for (int64_t i = 0; i < count; ++i) {
      Value scale = inverse(b.splat(state[count + i]));
      forEach(valueSize, lanes, [&](Value e, int64_t columns) {
        Value result = b.fmul(b.load(rowOut, {b.index(i), e}), scale);
        b.store(result, op.getOut(), {rows[i], e}, b.firstLanes(columns));
      });
    }
  }

  /// Asks for `lanes` keys from `key` on. Scores read a few lines of each of many keys at a time, an order
  /// that the CPU does not foresee. (Values are read as they lie; asking for them brought nothing.)
  void prefetchKeys(Value key) {
    const int64_t line = 64 / (isNarrow(op.getKey()) ? 2 : 4);
    for (int64_t i = 0; i < lanes; ++i)
      for (int64_t d = 0; d < headSize; d += line)
        memref::PrefetchOp::create(b, op.getKey(), ValueRange{b.add(key, i), b.index(d)}, /*isWrite=*/false,
                                   /*localityHint=*/2, /*isDataCache=*/true);
  }

  /// rowScores[i][t] for the keys of the block, one a lane; returns the running maxima, each in every lane.
  SmallVector<Value> buildRowScores(ArrayRef<Value> rows, Value key, Value count, Value begin, Value end,
                                    ValueRange maxima) {
    Value lastKey = b.add(numKeys, -1);
    Value beginIndices = op.getWindow() ? keyIndices(begin, 0) : Value(), endIndices = keyIndices(end, 0);
    SmallVector<Value> next = b.loop(b.index(0), count, lanes, maxima, [&](Value t, ValueRange carried) {
      Value first = b.add(key, t);
      prefetchKeys(b.add(first, 2 * lanes));
      SmallVector<Value> keyRows;
      for (int64_t i = 0; i < lanes; ++i)
        keyRows.push_back(b.min(b.add(first, i), lastKey));
      // The transpose of lanes keys x lanes features gives each feature of all keys; the sums run over
      // features in order.
      int64_t perLane = bf16 ? 2 : 1, step = perLane * lanes;
      auto addFeatures = [&](ValueRange before, Value d, int64_t columns) {
        Value place = b.createOrFold<arith::DivUIOp>(d, b.index(perLane));
        SmallVector<Value> features;
        for (Value keyRow : keyRows)
          features.push_back(bf16 ? loadWords(op.getKey(), keyRow, d, columns)
                                  : b.load(op.getKey(), {keyRow, d}, b.firstLanes(columns)));
        features = b.transpose(features);
        SmallVector<Value> scores(before);
        for (int64_t f = 0; f < (columns + perLane - 1) / perLane; ++f)
          for (auto [i, score] : llvm::enumerate(scores)) {
            Value query = b.splat(b.loadScalar(rowQuery, {b.index(i), b.add(place, f)}));
            score = bf16 ? dot(features[f], query, score) : b.fma(features[f], query, score);
          }
        return scores;
      };
      int64_t whole = headSize / step * step;
      SmallVector<Value> scores(rows.size(), b.splat(0.0f));
      if (whole)
        scores = b.loop(b.index(0), b.index(whole), step, scores,
                        [&](Value d, ValueRange sums) { return addFeatures(sums, d, step); });
      if (whole < headSize)
        scores = addFeatures(scores, b.index(whole), headSize - whole);
      SmallVector<Value> larger;
      for (auto [i, score] : llvm::enumerate(scores)) {
        score = capScore(score);
        if (hasPenalty())
          score = b.fadd(score, penaltyOfKeys(rows[i], first, laneMaskOf(b.sub(count, t))));
        score = hide(score, keyIndices(first, 1), beginIndices, endIndices);
        b.store(score, rowScores, {b.index(i), t});
        larger.push_back(b.fmax(score, carried[i]));
      }
      return larger;
    });
    for (Value &maximum : next)
      maximum = b.splat(b.maxLanes(maximum));
    return next;
  }

  /// rowOut[i][e] = rowOut[i][e] * corrections[i] + sum_t rowScores[i][t] * value[t][e]; returns `sums` plus
  /// sum_t rowScores[i][t].
  SmallVector<Value> addRowValues(Value key, Value count, ArrayRef<Value> corrections, ArrayRef<Value> sums) {
    int64_t numRows = sums.size(), vectorsAtOnce = std::max<int64_t>((lanes >= 16 ? 16 : 8) / numRows, 1);
    vectorsAtOnce = std::min<int64_t>(vectorsAtOnce, lanes >= 16 ? 8 : 4);
    SmallVector<Value> totals;
    for (int64_t e = 0; e < valueSize; e += vectorsAtOnce * lanes) {
      SmallVector<Value> columns, left, masks;
      SmallVector<Value> carried; // by row the vectors of its features, then the sums
      for (int64_t at = e; at < std::min(valueSize, e + vectorsAtOnce * lanes); at += lanes) {
        columns.push_back(b.index(at));
        left.push_back(b.index(valueSize - at));
        masks.push_back(b.firstLanes(left.back()));
      }
      for (int64_t i = 0; i < numRows; ++i)
        for (Value column : columns)
          carried.push_back(b.fmul(b.load(rowOut, {b.index(i), column}), corrections[i]));
      bool first = totals.empty(); // the sums ride along with the first features
      if (first)
        llvm::append_range(carried, sums);
      size_t numVectors = columns.size() * numRows;
      auto addKey = [&](Value t, ValueRange partial) {
        SmallVector<Value> values, next, weights;
        for (auto [column, mask] : llvm::zip_equal(columns, masks))
          values.push_back(b.load(op.getValue(), {b.add(key, t), column}, mask));
        for (int64_t i = 0; i < numRows; ++i) {
          weights.push_back(b.loadScalar(rowScores, {b.index(i), t}));
          Value factor = b.splat(weights.back());
          for (Value value : values)
            next.push_back(b.fma(value, factor, partial[next.size()]));
        }
        for (int64_t i = 0; first && i < numRows; ++i)
          next.push_back(b.fadd(partial[numVectors + i], weights[i]));
        return next;
      };
      // Behind an odd number of keys stands a weight of 0.
      auto addPair = [&](Value pair, ValueRange partial) {
        Value t = b.mul(pair, 2);
        SmallVector<Value> values, next;
        for (auto [column, rest] : llvm::zip_equal(columns, left))
          values.push_back(loadValueWords(key, t, count, column, rest));
        for (int64_t i = 0; i < numRows; ++i) {
          Value factor = b.splat(b.loadScalar(rowWeights, {b.index(i), pair}));
          for (Value value : values)
            next.push_back(dot(value, factor, partial[next.size()]));
        }
        for (int64_t i = 0; first && i < numRows; ++i) {
          Value sum = b.fadd(partial[numVectors + i], b.loadScalar(rowScores, {b.index(i), t}));
          next.push_back(b.fadd(sum, b.loadScalar(rowScores, {b.index(i), b.add(t, 1)})));
        }
        return next;
      };
      carried = bf16 ? b.loop(b.index(0), halfOf(count), 1, carried, addPair)
                     : b.loop(b.index(0), count, 1, carried, addKey);
      if (first)
        totals.assign(carried.begin() + numVectors, carried.end());
      for (int64_t i = 0; i < numRows; ++i)
        for (auto [v, column] : llvm::enumerate(columns))
          b.store(carried[i * columns.size() + v], rowOut, {b.index(i), column});
    }
    return totals;
  }

  AttentionTileOp op;
  KernelBuilder b;
  bool useScalef;
  int64_t lanes;
  int64_t keyBlock;            // keys of the longest block, or 0
  int64_t headSize, valueSize; // D, E
  bool bf16;                   // products of words
  int64_t tileRows;            // keys (or features of the values) of a register tile
  int64_t panelVectors;        // vectors of rows in the widest panel
  int64_t blockKeys;
  Value numKeys, keyBegin, keyEnd;
  Value scores;       // [blockKeys, panel]: scores, then weights
  Value queryColumns; // [D, panel], with bf16 of words [D / 2 and up, panel]
  Value words;        // with bf16: a block's keys, then its values
  Value outColumns;   // [E, panel]
  Value block;        // [lanes, lanes], rows on their way out
  Value keyPenalty;   // [blockKeys]
  Value rowScores;    // of rows alone: [rows, blockKeys]
  Value rowWeights;   // with bf16: words [rows, blockKeys / 2]
  Value rowQuery;     // [rows, D and up]
  Value rowOut;       // [rows, E and up]
};

struct LowerAttentionTilePass : sesame::impl::LowerAttentionTilePassBase<LowerAttentionTilePass> {
  using Base::Base;

  LogicalResult check(AttentionTileOp op) {
    auto isNarrow = [&](Value operand) {
      return (operand == op.getKey() || operand == op.getValue()) && op.getBf16() &&
             cast<MemRefType>(operand.getType()).getElementType().isBF16() && isUnitStride(operand.getType());
    };
    for (Value operand : {op.getQuery(), op.getKey(), op.getValue(), op.getOut(), op.getBias()})
      if (operand && !isUnitStrideF32(operand.getType()) && !isNarrow(operand))
        return op.emitOpError("expects memrefs of f32 with unit stride along the last axis, got ")
               << operand.getType();
    if (op.getMask() && !isUnitStride(op.getMask().getType()))
      return op.emitOpError("expects a mask with unit stride along the last axis, got ")
             << op.getMask().getType();
    for (Value operand : {op.getQuery(), op.getOut()})
      if (cast<MemRefType>(operand.getType()).isDynamicDim(1))
        return op.emitOpError("expects a static head size, got ") << operand.getType();
    if (op.getBf16() && vectorLanes != 16)
      return op.emitOpError("of bf16 expects vectors of 16 lanes, got ") << int64_t(vectorLanes);
    return success();
  }

  void runOnOperation() override {
    if (keyBlock < 0 || keyBlock % (4 * vectorLanes) != 0) {
      getOperation()->emitError("sesame-lower-attention-tile: key-block must be a multiple of ")
          << 4 * vectorLanes << ", got " << int64_t(keyBlock);
      return signalPassFailure();
    }
    SmallVector<AttentionTileOp> ops;
    getOperation().walk([&](AttentionTileOp op) { ops.push_back(op); });
    for (AttentionTileOp op : ops) {
      if (failed(check(op)))
        return signalPassFailure();
      AttentionTile(op, vectorLanes, keyBlock, /*useScalef=*/vectorLanes == 16).build();
      op.erase();
    }
  }
};

} // namespace
