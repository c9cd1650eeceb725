//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MatmulTile.h"

#include "sesame/Dialect/WordOps.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <numeric>

namespace mlir::sesame {
#define GEN_PASS_DEF_LOWERWORDTILESPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;
using namespace mlir::sesame::kernels;

namespace {

/// Vectors of the kernel's width as words, and what they hold.
class WordBuilder {
public:
  WordBuilder(KernelBuilder &b) : b(b), words(b.vectorType().clone(b.getI32Type())) {}

  VectorType wordType() { return words; }
  Value constant(int32_t value) {
    return arith::ConstantOp::create(b, DenseElementsAttr::get(words, static_cast<int32_t>(value)));
  }
  Value splat(Value scalar) { return vector::BroadcastOp::create(b, words, scalar); }
  Value load(Value memref, ValueRange indices) { return vector::LoadOp::create(b, words, memref, indices); }
  Value multiply(Value lhs, Value rhs) { return arith::MulIOp::create(b, lhs, rhs); }
  Value add(Value lhs, Value rhs) { return arith::AddIOp::create(b, lhs, rhs); }
  Value sub(Value lhs, Value rhs) { return arith::SubIOp::create(b, lhs, rhs); }
  /// The bits of each word as an f32.
  Value toFloat(Value value) { return arith::BitcastOp::create(b, b.vectorType(), value); }
  /// The words as narrower numbers, several a lane.
  Value as(Type element, Value value) {
    int64_t numbers = words.getNumElements() * 32 / element.getIntOrFloatBitWidth();
    return vector::BitCastOp::create(b, VectorType::get({numbers}, element), value);
  }

  /// acc + the dot product of the two bf16 of each lane.
  Value dotBf16(Value x, Value y, Value acc, bool hasInstruction) {
    if (hasInstruction)
      return call("llvm.x86.avx512bf16.dpbf16ps.512", {acc, as(b.getBF16Type(), x), as(b.getBF16Type(), y)});
    // A bf16 is the upper half of an f32. The instruction too adds the product of the upper numbers first.
    auto upper = [&](Value value) {
      return toFloat(arith::AndIOp::create(b, value, constant(static_cast<int32_t>(0xffff0000))));
    };
    auto lower = [&](Value value) { return toFloat(arith::ShLIOp::create(b, value, constant(16))); };
    return b.fma(lower(x), lower(y), b.fma(upper(x), upper(y), acc));
  }

  /// acc + the dot product of the four unsigned bytes of x with the four signed ones of y in each lane.
  Value dotInt8(Value x, Value y, Value acc, bool hasInstruction, bool hasPairs) {
    if (hasInstruction)
      return call("llvm.x86.avx512.vpdpbusd.512", {acc, as(b.getI8Type(), x), as(b.getI8Type(), y)});
    if (hasPairs) {
      // The even and the odd bytes as numbers of 16 bits.
      Value bytes = constant(0x00ff00ff), upper = arith::ShRUIOp::create(b, x, constant(8));
      Value numbers = as(b.getI16Type(), y);
      Value eight = arith::ConstantOp::create(
          b, DenseElementsAttr::get(cast<VectorType>(numbers.getType()), static_cast<int16_t>(8)));
      Value even = arith::ShRSIOp::create(b, arith::ShLIOp::create(b, numbers, eight), eight);
      Value odd = arith::ShRSIOp::create(b, numbers, eight);
      acc = add(acc, dotPairs(arith::AndIOp::create(b, x, bytes), even));
      return add(acc, dotPairs(arith::AndIOp::create(b, upper, bytes), odd));
    }
    for (int byte = 0; byte < 4; ++byte) {
      Value top = constant(24), place = constant(24 - 8 * byte);
      Value code = arith::ShRUIOp::create(b, arith::ShLIOp::create(b, x, place), top);
      Value weight = arith::ShRSIOp::create(b, arith::ShLIOp::create(b, y, place), top);
      acc = add(acc, multiply(code, weight));
    }
    return acc;
  }

  /// The bytes without a sign that the codes of a word are: themselves, or of 4 bits the lower and the upper
  /// halves.
  SmallVector<Value> codesOf(Value word, int64_t bits) {
    if (bits == 8)
      return {word};
    Value halves = constant(0x0f0f0f0f), upper = arith::ShRUIOp::create(b, word, constant(4));
    return {arith::AndIOp::create(b, word, halves), arith::AndIOp::create(b, upper, halves)};
  }
  /// The bf16 in the lower (half = 0) or the upper (1) half of each word, as f32.
  Value bfloatOf(Value word, Value half) {
    Value lower = b.sub(b.index(1), half);
    Value places = splat(arith::IndexCastOp::create(b, b.getI32Type(), b.mul(lower, 16)));
    Value upper = constant(static_cast<int32_t>(0xffff0000));
    return toFloat(arith::AndIOp::create(b, arith::ShLIOp::create(b, word, places), upper));
  }

  /// x as bf16 or its bits, rounded to nearest even.
  Value roundToBf16(Value x, bool hasInstruction) {
    if (hasInstruction)
      return arith::TruncFOp::create(b, b.vectorType().clone(b.getBF16Type()), x);
    Value bits = arith::BitcastOp::create(b, words, x);
    Value odd = arith::AndIOp::create(b, arith::ShRUIOp::create(b, bits, constant(16)), constant(1));
    Value half = arith::AddIOp::create(b, odd, constant(0x7fff));
    Value rounded = arith::ShRUIOp::create(b, arith::AddIOp::create(b, bits, half), constant(16));
    Value isNan = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, x, x);
    rounded = arith::SelectOp::create(b, isNan, constant(0x7fc0), rounded);
    return arith::TruncIOp::create(b, b.vectorType().clone(b.getI16Type()), rounded);
  }

  /// Narrower numbers, several a lane, as words.
  Value fromNarrow(Value numbers) { return vector::BitCastOp::create(b, words, numbers); }

private:
  Value call(StringRef intrinsic, ValueRange operands, Type type = nullptr) {
    return LLVM::CallIntrinsicOp::create(b, type ? type : operands.front().getType(),
                                         b.getStringAttr(intrinsic), operands)
        .getResult(0);
  }

  /// The dot product of the two numbers of 16 bits in each lane of words and of y.
  Value dotPairs(Value x, Value y) {
    return call(b.lanes() == 16 ? "llvm.x86.avx512.pmaddw.d.512" : "llvm.x86.avx2.pmadd.wd",
                {as(b.getI16Type(), x), y}, words);
  }

  KernelBuilder &b;
  VectorType words;
};

/// The tile of rows and panels of words.
class WordMatmulTile : public MatmulTile {
public:
  WordMatmulTile(WordMatmulTileOp root, int64_t lanes, int64_t rows, bool hasInstruction, bool hasPairs)
      : MatmulTile(root,
                   {root.getLhs(), root.getPanel(), root.getBias(), root.getOut(), root.getActivation(),
                    root.getCombine()},
                   lanes, rows ? rows : chooseRows(root, lanes)),
        format(root.getElement()), w(b), hasInstruction(hasInstruction && lanes == 16),
        hasPairs(hasPairs && (lanes == 8 || lanes == 16)) {}

private:
  /// Groups need two sums for each vector, of integers and of floats. int8 with 16 registers needs six beside
  /// the sums: the halves of both factors. 0 leaves the choice to MatmulTile.
  static int64_t chooseRows(WordMatmulTileOp op, int64_t lanes) {
    const WordFormat format(op.getElement());
    if (!format.isGrouped)
      return format.isInt8 && lanes < 16 ? 4 : 0;
    return lanes >= 16 ? 4 : 2;
  }

  SmallVector<Value> buildProducts(Value firstRow, int64_t rows, bool prefetches) override {
    return format.isGrouped ? buildGroupedProducts(firstRow, rows)
                            : buildWholeProducts(firstRow, rows, prefetches);
  }
  bool canPrefetch() const override { return !format.isGrouped; }
  Value toWords(Value low, Value high) override {
    SmallVector<int64_t> both(2 * b.lanes());
    std::iota(both.begin(), both.end(), 0);
    low = w.roundToBf16(low, hasInstruction), high = w.roundToBf16(high, hasInstruction);
    return w.fromNarrow(vector::ShuffleOp::create(b, low, high, both));
  }

  /// Sums of a group are exact; they become floats and are added to the products, times both scales. One
  /// group is one turn of the loop: with more of it in sight LLVM mixes their sums and runs out of registers.
  SmallVector<Value> buildGroupedProducts(Value firstRow, int64_t rows) {
    int64_t stepWords = format.stepWords(), groupWords = (stepWords - 1) / 2;
    int64_t numSteps = cast<MemRefType>(op.panel.getType()).getDimSize(0) / stepWords;
    SmallVector<Value> zeros(rows * vectors, b.splat(0.0f));
    return b.loop(b.index(0), b.index(2 * numSteps), 1, zeros, [&](Value group, ValueRange carried) {
      Value step = arith::DivUIOp::create(b, group, b.index(2)),
            inStep = arith::RemUIOp::create(b, group, b.index(2));
      Value panelStep = b.mul(step, stepWords), rowStep = b.mul(step, WordFormat::rowStepWords);
      Value firstCodes = b.add(panelStep, b.mul(inStep, groupWords)),
            scaleWord = b.add(panelStep, stepWords - 1);
      Value firstRowCodes = b.add(rowStep, b.mul(inStep, WordFormat::groupSize / 4)),
            rowEnd = b.add(rowStep, inStep);
      auto left = [&](int64_t row, Value word) {
        return w.splat(b.loadScalar(op.lhs, {b.add(firstRow, row), word}));
      };
      auto right = [&](int64_t v, Value word) { return w.load(op.panel, {word, b.index(v * b.lanes())}); };

      SmallVector<Value> dots;
      for (int64_t row = 0; row < rows; ++row)
        dots.append(vectors, left(row, b.add(rowEnd, 16)));
      for (int64_t word = 0; word < groupWords; ++word) {
        SmallVector<SmallVector<Value>> codes;
        for (int64_t v = 0; v < vectors; ++v)
          codes.push_back(w.codesOf(right(v, b.add(firstCodes, word)), format.bits));
        int64_t parts = codes[0].size();
        for (int64_t part = 0; part < parts; ++part)
          for (int64_t row = 0; row < rows; ++row) {
            Value x = left(row, b.add(firstRowCodes, word * parts + part));
            for (int64_t v = 0; v < vectors; ++v) {
              Value &dot = dots[row * vectors + v];
              dot = w.dotInt8(codes[v][part], x, dot, hasInstruction, hasPairs);
            }
          }
      }

      SmallVector<Value> columnScales, sums;
      for (int64_t v = 0; v < vectors; ++v)
        columnScales.push_back(w.bfloatOf(right(v, scaleWord), inStep));
      for (int64_t row = 0; row < rows; ++row) {
        Value rowScale = w.toFloat(left(row, b.add(rowEnd, 18)));
        for (int64_t v = 0; v < vectors; ++v) {
          Value dot = arith::SIToFPOp::create(b, b.vectorType(), dots[row * vectors + v]);
          sums.push_back(b.fma(dot, b.fmul(columnScales[v], rowScale), carried[row * vectors + v]));
        }
      }
      return sums;
    });
  }

  SmallVector<Value> buildWholeProducts(Value firstRow, int64_t rows, bool prefetches) {
    int64_t depth = cast<MemRefType>(op.panel.getType()).getDimSize(0) - format.trailingWords();
    auto column = [&](int64_t v) { return b.index(v * b.lanes()); };
    auto left = [&](int64_t row, Value k) {
      return w.splat(b.loadScalar(op.lhs, {b.add(firstRow, row), k}));
    };
    auto right = [&](int64_t v, Value k) { return w.load(op.panel, {k, column(v)}); };
    auto multiplyAdd = [&](Value x, Value y, Value acc) {
      return format.isInt8 ? w.dotInt8(x, y, acc, hasInstruction, hasPairs)
                           : w.dotBf16(x, y, acc, hasInstruction);
    };
    auto prefetch = [&](Value k) {
      if (prefetches)
        prefetchNextPanel(firstRow, k);
    };
    RegisterTile tile{rows, vectors, left, right, multiplyAdd, /*depthStep=*/1, prefetch};
    SmallVector<Value> zeros(rows * vectors, format.isInt8 ? w.constant(0) : b.splat(0.0f));
    SmallVector<Value> sums = emitRegisterTile(b, b.index(depth), tile, zeros);
    if (!format.isInt8)
      return sums;

    // sum_k (q - z) c = sum_k q c - z sum_k c.
    SmallVector<Value> columnSums, columnScales;
    for (int64_t v = 0; v < vectors; ++v) {
      columnSums.push_back(w.load(op.panel, {b.index(depth), column(v)}));
      columnScales.push_back(w.toFloat(w.load(op.panel, {b.index(depth + 1), column(v)})));
    }
    SmallVector<Value> products;
    for (int64_t row = 0; row < rows; ++row) {
      Value place = b.add(firstRow, row);
      Value zero = w.splat(b.loadScalar(op.lhs, {place, b.index(depth)}));
      Value scale = w.toFloat(w.splat(b.loadScalar(op.lhs, {place, b.index(depth + 1)})));
      for (int64_t v = 0; v < vectors; ++v) {
        Value exact = w.sub(sums[row * vectors + v], w.multiply(zero, columnSums[v]));
        Value rounded = arith::SIToFPOp::create(b, b.vectorType(), exact);
        products.push_back(b.fmul(rounded, b.fmul(scale, columnScales[v])));
      }
    }
    return products;
  }

  WordFormat format;
  WordBuilder w;
  bool hasInstruction;
  bool hasPairs; // products of 16 bits in pairs: vpmaddwd
};

/// Packs the rows of one pack_words_tile.
class WordRows {
public:
  WordRows(PackWordsTileOp op, int64_t lanes, bool hasBf16)
      : op(op), b(op, lanes), w(b), format(op.getElement()),
        k(cast<MemRefType>(op.getInput().getType()).getDimSize(1)), whole(k / lanes * lanes),
        tail(b.firstLanes(k - whole)), hasBf16(hasBf16) {}

  void build() {
    b.loop(b.index(0), b.extent(op.getInput(), 0), 1, [&](Value row) {
      if (format.isGrouped)
        buildGroupedRow(row);
      else if (format.isInt8)
        buildInt8Row(row);
      else
        forVectors(row, [&](Value x) { return w.roundToBf16(x, hasBf16); });
    });
  }

private:
  VectorType narrow(Type element) { return b.vectorType().clone(element); }
  Value load(Value row, Value column, Value mask = {}) { return b.load(op.getInput(), {row, column}, mask); }

  /// The larger of the two lane by lane, `bound` if `value` is NaN.
  Value atLeast(Value bound, Value value) {
    return arith::SelectOp::create(b, arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, value, bound),
                                   value, bound);
  }
  Value atMost(Value bound, Value value) {
    return arith::SelectOp::create(b, arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, value, bound),
                                   value, bound);
  }
  Value roundEven(Value x) { return math::RoundEvenOp::create(b, x); }

  /// Stores what `convert` makes of each vector of the row, `lanes` narrow numbers.
  void forVectors(Value row, llvm::function_ref<Value(Value)> convert) {
    int64_t perWord = format.perWord(), wordsPerVector = b.lanes() / perWord;
    auto toWords = [&](Value x) -> Value {
      auto type = VectorType::get({wordsPerVector}, b.getI32Type());
      return vector::BitCastOp::create(b, type, convert(x));
    };
    b.loop(b.index(0), b.index(whole), b.lanes(), [&](Value column) {
      Value place = arith::DivUIOp::create(b, column, b.index(perWord));
      vector::StoreOp::create(b, toWords(load(row, column)), op.getOut(), ValueRange{row, place});
    });
    if (whole == k)
      return;
    // Word by word, since the words behind the last one are in use.
    Value words = toWords(load(row, b.index(whole), tail));
    for (int64_t i = 0; i < format.codeWords(k - whole); ++i)
      storeWord(vector::ExtractOp::create(b, words, i), row, whole / perWord + i);
  }

  void storeWord(Value word, Value row, int64_t place) {
    memref::StoreOp::create(b, word, op.getOut(), ValueRange{row, b.index(place)});
  }

  void buildInt8Row(Value row) {
    // Largest x and -x, at least 0; and 0 * x summed, which is NaN if one is infinite or NaN. In four chains
    // each.
    constexpr int64_t chains = 4;
    Value zero = b.splat(0.0f);
    auto update = [&](Value x, MutableArrayRef<Value> chain) {
      chain[0] = atLeast(chain[0], x);
      chain[1] = atLeast(chain[1], b.fsub(zero, x));
      chain[2] = b.fma(x, zero, chain[2]);
    };
    SmallVector<Value> carried(3 * chains, zero);
    int64_t step = chains * b.lanes(), stepped = whole / step * step;
    auto chainOf = [](SmallVector<Value> &values, int64_t i) {
      return MutableArrayRef<Value>(values).slice(3 * i, 3);
    };
    carried = b.loop(b.index(0), b.index(stepped), step, carried, [&](Value column, ValueRange before) {
      SmallVector<Value> after(before);
      for (int64_t i = 0; i < chains; ++i)
        update(load(row, b.add(column, i * b.lanes())), chainOf(after, i));
      return after;
    });
    for (int64_t column = stepped; column < whole; column += b.lanes())
      update(load(row, b.index(column)), chainOf(carried, (column - stepped) / b.lanes()));
    if (whole < k)
      update(load(row, b.index(whole), tail), chainOf(carried, 0));
    for (int64_t half = chains / 2; half > 0; half /= 2)
      for (int64_t i = 0; i < half; ++i) {
        MutableArrayRef<Value> low = chainOf(carried, i), high = chainOf(carried, i + half);
        low[0] = atLeast(low[0], high[0]);
        low[1] = atLeast(low[1], high[1]);
        low[2] = b.fadd(low[2], high[2]);
      }
    Value high = b.maxLanes(carried[0]), low = b.maxLanes(carried[1]), nan = b.sumLanes(carried[2]);

    Value range = atLeast(b.f32(1e-30f), b.fadd(low, high));
    Value inverse = b.fdiv(b.f32(255.0f), range);
    Value zeroPoint = atMost(b.f32(255.0f), atLeast(b.f32(0.0f), roundEven(b.fmul(low, inverse))));
    Value inverses = b.splat(inverse), zeroPoints = b.splat(zeroPoint);
    forVectors(row, [&](Value x) -> Value {
      Value code = roundEven(b.fma(x, inverses, zeroPoints));
      code = atMost(b.splat(255.0f), atLeast(zero, code));
      Value integers = arith::FPToSIOp::create(b, narrow(b.getI32Type()), code);
      return arith::TruncIOp::create(b, narrow(b.getI8Type()), integers);
    });
    int64_t end = format.codeWords(k);
    storeWord(arith::FPToSIOp::create(b, b.getI32Type(), zeroPoint), row, end);
    Value scale = b.fadd(b.fdiv(range, b.f32(255.0f)), nan);
    storeWord(arith::BitcastOp::create(b, b.getI32Type(), scale), row, end + 1);
  }

  void buildGroupedRow(Value row) {
    constexpr int64_t stepSize = WordFormat::stepSize;
    int64_t wholeSteps = k / stepSize;
    auto place = [&](Value step) { return b.mul(step, WordFormat::rowStepWords); };
    auto buildStep = [&](Value step, int64_t count) {
      for (int64_t group = 0; group < 2; ++group) {
        int64_t first = group * WordFormat::groupSize;
        buildGroup(row, b.add(b.mul(step, stepSize), first), place(step), group, count - first);
      }
    };
    b.loop(b.index(0), b.index(wholeSteps), 1, [&](Value step) { buildStep(step, stepSize); });
    if (k % stepSize != 0)
      buildStep(b.index(wholeSteps), k % stepSize);
  }

  /// Group 0 or 1 of the step at word `place` of a row of `out`, of the `count` elements from `column` on.
  void buildGroup(Value row, Value column, Value place, int64_t group, int64_t count) {
    Value zero = b.splat(0.0f), largest = zero, nan = zero;
    SmallVector<Value> elements;
    for (int64_t i = 0; i < WordFormat::groupSize; i += b.lanes()) {
      bool isWhole = count - i >= b.lanes();
      Value x = count <= i ? zero : load(row, b.add(column, i), isWhole ? Value() : b.firstLanes(count - i));
      elements.push_back(x);
      largest = atLeast(largest, math::AbsFOp::create(b, x));
      nan = b.fma(x, zero, nan);
    }
    Value magnitude = b.maxLanes(largest);
    Value inverse = b.splat(b.fdiv(b.f32(127.0f), atLeast(b.f32(1e-30f), magnitude)));
    int64_t firstWord = group * WordFormat::groupSize / 4, wordsPerVector = b.lanes() / 4;
    auto words = VectorType::get({wordsPerVector}, b.getI32Type());
    Value sum;
    for (auto [i, x] : llvm::enumerate(elements)) {
      Value code = roundEven(b.fmul(x, inverse));
      code = atMost(b.splat(127.0f), atLeast(b.splat(-127.0f), code));
      Value integers = arith::FPToSIOp::create(b, narrow(b.getI32Type()), code);
      sum = sum ? Value(arith::AddIOp::create(b, sum, integers)) : integers;
      Value bytes = arith::TruncIOp::create(b, narrow(b.getI8Type()), integers);
      vector::StoreOp::create(b, vector::BitCastOp::create(b, words, bytes), op.getOut(),
                              ValueRange{row, b.add(place, firstWord + i * wordsPerVector)});
    }
    Value total = vector::ReductionOp::create(b, vector::CombiningKind::ADD, sum);
    Value zeroCode = arith::ConstantIntOp::create(b, -format.zeroCode(), 32);
    memref::StoreOp::create(b, arith::MulIOp::create(b, total, zeroCode), op.getOut(),
                            ValueRange{row, b.add(place, 16 + group)});
    Value scale = b.fadd(b.fdiv(magnitude, b.f32(127.0f)), b.sumLanes(nan));
    memref::StoreOp::create(b, arith::BitcastOp::create(b, b.getI32Type(), scale), op.getOut(),
                            ValueRange{row, b.add(place, 18 + group)});
  }

  PackWordsTileOp op;
  KernelBuilder b;
  WordBuilder w;
  WordFormat format;
  int64_t k;
  int64_t whole; // elements in whole vectors
  Value tail;    // mask of the others
  bool hasBf16;  // the CPU converts to it
};

struct LowerWordTiles : sesame::impl::LowerWordTilesPassBase<LowerWordTiles> {
  using Base::Base;

  LogicalResult check(Operation *op) {
    for (Value operand : op->getOperands())
      if (!isUnitStride(operand.getType()))
        return op->emitOpError("expects memrefs with unit stride along the last axis, got ")
               << operand.getType();
    auto matmul = dyn_cast<WordMatmulTileOp>(op);
    if (matmul && cast<MemRefType>(matmul.getPanel().getType()).getDimSize(1) % vectorLanes != 0)
      return op->emitOpError("expects a panel whose width is a multiple of ")
             << int64_t(vectorLanes) << ", got " << matmul.getPanel().getType();
    bool storesWords = matmul && cast<MemRefType>(matmul.getOut().getType()).getElementType().isInteger(32);
    if (storesWords && cast<MemRefType>(matmul.getPanel().getType()).getDimSize(1) % (2 * vectorLanes) != 0)
      return op->emitOpError("expects a panel of pairs of vectors for an out of words, got ")
             << matmul.getPanel().getType();
    return success();
  }

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<PackWordsTileOp, WordMatmulTileOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      if (failed(check(op)))
        return signalPassFailure();
      if (auto matmul = dyn_cast<WordMatmulTileOp>(op))
        WordMatmulTile(matmul, vectorLanes, rows, matmul.getElement().isBF16() ? bf16 : vnni, avx2).build();
      else
        WordRows(cast<PackWordsTileOp>(op), vectorLanes, bf16).build();
      op->erase();
    }
  }
};

} // namespace
