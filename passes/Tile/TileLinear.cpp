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
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_TILELINEARPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

namespace {
/// One product of the tile: rows times `panels` [P, K, R], then bias, activation, and the meeting with the
/// output.
struct Product {
  Value panels, bias;
  Activation activation;
  Combine combine;
  /// What the words of the panels hold; null for panels of floats.
  Type words = nullptr;
};

/// Rows of a register tile on CPUs with 32 vector registers; the others lose nothing by multiples of it.
constexpr int64_t rowsPerTile = 8;

class TileLinearPass : public sesame::impl::TileLinearPassBase<TileLinearPass> {
public:
  using TileLinearPassBase::TileLinearPassBase;

private:
  void runOnOperation() override {
    SmallVector<LinearOp> linears;
    SmallVector<GatedLinearOp> gatedLinears;
    SmallVector<WordLinearOp> wordLinears;
    packedRows.clear();
    readAsWords.clear();
    getOperation()->walk([&](Operation *op) {
      if (auto words = dyn_cast<WordLinearOp>(op))
        wordLinears.push_back(words);
      else if (auto linear = dyn_cast<LinearOp>(op); linear && linear.getLayout() == WeightLayout::panels)
        linears.push_back(linear);
      else if (auto gated = dyn_cast<GatedLinearOp>(op); gated && gated.getLayout() == WeightLayout::panels)
        gatedLinears.push_back(gated);
    });
    for (LinearOp op : linears) {
      OpBuilder b(op);
      // The output starts as the residual, so that the sum can be made in the residual's own buffer.
      Combine combine = op.getResidual() ? Combine::add : Combine::replace;
      Product product = {op.getWeight(), op.getBias(), op.getActivation(), combine};
      replace(b, op, op.getInput(), op.getResidual(), product);
    }
    for (GatedLinearOp op : gatedLinears) {
      OpBuilder b(op);
      Product up = {op.getUpWeight(), op.getUpBias(), Activation::identity, Combine::replace};
      Product gate = {op.getGateWeight(), op.getGateBias(), op.getActivation(), Combine::multiply};
      replace(b, op, op.getInput(), /*residual=*/nullptr, {up, gate});
    }
    for (WordLinearOp op : wordLinears) {
      OpBuilder b(op);
      Product product = {op.getPanels(), op.getBias(), op.getActivation(), op.getCombine(), op.getElement()};
      if (isReadAsWords(op))
        replaceByWords(b, op, product);
      else
        replace(b, op, op.getInput(), op.getOther(), product);
    }
    for (WordLinearOp op : llvm::reverse(readAsWords)) {
      // All axes but the last are the input's.
      for (Operation *user : llvm::make_early_inc_range(op->getUsers()))
        cast<tensor::DimOp>(user).getSourceMutable().assign(op.getInput());
      op.erase();
    }
  }

  /// Whether all that reads the result rounds it to bf16, in pairs, so that it may be made that way.
  static bool isReadAsWords(WordLinearOp op) {
    auto isReader = [&](Operation *user) {
      auto linear = dyn_cast<WordLinearOp>(user);
      return linear && linear.getElement().isBF16() && linear.getOther() != op.getResult() &&
             linear->getBlock() == op->getBlock();
    };
    return op.getElement().isBF16() && op.getCombine() == Combine::replace &&
           op.getResult().getType().getShape().back() % 2 == 0 &&
           cast<RankedTensorType>(op.getPanels().getType()).getDimSize(2) % 2 == 0 &&
           llvm::any_of(op->getUsers(), isReader) && llvm::all_of(op->getUsers(), [&](Operation *user) {
             return isa<tensor::DimOp>(user) || isReader(user);
           });
  }

  /// The rows of `input` in words: those of an earlier linear over it in the same block, if there is one.
  Value packRowsOnce(OpBuilder &b, Location loc, Value input, Type words) {
    Value &known = packedRows[{input, words}];
    if (known && known.getParentBlock() == b.getInsertionBlock())
      return known;
    auto transpose = input.getDefiningOp<linalg::TransposeOp>();
    if (transpose && transpose.getPermutation() == ArrayRef<int64_t>{1, 0, 2})
      return known = packTransposedRowsIntoWords(b, loc, transpose.getInput(), words);
    return known = packRowsIntoWords(b, loc, collapseToRows(b, loc, input), words);
  }

  /// Rows of one task. A task reads its rows once from memory and then, for each of its 8-row register tiles,
  /// the panel from the L2 cache; the next task has the same rows and the next panel. So: as many rows as
  /// leave room for a panel beside them, since each row block reads the whole weight again; at least 32,
  /// below which reading the panel costs more than the products with it (32 rows: 16 flops a byte); at most
  /// 128, to have tasks enough for several cores.
  int64_t rowsPerBlock(RankedTensorType input) const {
    int64_t rowInBytes = std::max<int64_t>(1, input.getShape().back() * input.getElementTypeBitWidth() / 8);
    int64_t rows = (rowBlockBytes / rowInBytes + rowsPerTile / 2) / rowsPerTile * rowsPerTile;
    return std::clamp<int64_t>(rows, 32, 128);
  }

  /// Whether `value` is a view of an input of the function, in which nothing may be written.
  static bool isInput(Value value) {
    while (isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ExtractSliceOp,
                           tensor::CastOp>(value.getDefiningOp()))
      value = value.getDefiningOp()->getOperand(0);
    auto argument = dyn_cast<BlockArgument>(value);
    return argument && isa<func::FuncOp>(argument.getOwner()->getParentOp());
  }

  /// Whether `rows` lie apart in what they are cut from: of several positions one is taken.
  static bool isGathered(Value rows) {
    auto slice = rows.getDefiningOp<tensor::ExtractSliceOp>();
    return slice && slice.getDroppedDims().any();
  }

  void replace(OpBuilder &b, Operation *op, Value input, Value residual, ArrayRef<Product> products) {
    auto resultType = cast<RankedTensorType>(op->getResult(0).getType());
    Value rows = multiply(b, op, input, residual, products, /*perElement=*/1);
    Value result = expandFromRows(b, op->getLoc(), rows, input);
    if (result.getType() != resultType)
      result = tensor::CastOp::create(b, op->getLoc(), resultType, result);
    op->getResult(0).replaceAllUsesWith(result);
    op->erase();
  }

  /// The result in words is what its readers pack their input into. They still need its extents.
  void replaceByWords(OpBuilder &b, WordLinearOp op, const Product &product) {
    packedRows[{op.getResult(), product.words}] =
        multiply(b, op, op.getInput(), /*residual=*/nullptr, product, /*perElement=*/2);
    readAsWords.push_back(op);
  }

  /// The products as rows [M, N / perElement]: of floats, or of two bf16 a word.
  Value multiply(OpBuilder &b, Operation *op, Value input, Value residual, ArrayRef<Product> products,
                 int64_t perElement) {
    Location loc = op->getLoc();
    auto resultType = cast<RankedTensorType>(op->getResult(0).getType());
    auto panelsType = cast<RankedTensorType>(products[0].panels.getType());
    int64_t numPanels = panelsType.getDimSize(0), panelLength = panelsType.getDimSize(1),
            width = panelsType.getDimSize(2);
    int64_t numColumns = resultType.getShape().back();
    Type element = perElement == 1 ? resultType.getElementType() : Type(b.getI32Type());
    OpFoldResult outColumns = b.getIndexAttr(numColumns / perElement);

    Type words = products[0].words;
    Value lhs = words ? packRowsOnce(b, loc, input, words) : collapseToRows(b, loc, input); // [M, K], [M, W]
    int64_t rowLength = cast<RankedTensorType>(lhs.getType()).getDimSize(1);
    OpFoldResult numRows = tensor::getMixedSize(b, loc, lhs, 0);
    Value out;
    if (!residual || isInput(residual) || isGathered(residual))
      out = tensor::EmptyOp::create(b, loc, {numRows, outColumns}, element);
    if (residual) {
      Value start = collapseToRows(b, loc, residual);
      out = out ? linalg::CopyOp::create(b, loc, start, out).getResult(0) : start;
    }
    EvenBlocks rows(b, loc, numRows, rowsPerBlock(cast<RankedTensorType>(lhs.getType())), rowsPerTile);
    Blocks columns = {b.getIndexAttr(numColumns), width};
    Blocks stored = {outColumns, width / perElement};
    // Row blocks are the slow dimension: neighbouring tasks share their rows, and only the panel changes.
    auto loop = scf::ForallOp::create(b, loc, {rows.count(), b.getIndexAttr(numPanels)}, ValueRange{out},
                                      /*mapping=*/std::nullopt);
    b.setInsertionPoint(loop.getTerminator());
    Value rowBlock = loop.getInductionVar(0), panel = loop.getInductionVar(1);
    OpFoldResult m = rows.offset(b, loc, rowBlock), numTileRows = rows.size(b, loc, rowBlock);
    OpFoldResult n = columns.offset(b, loc, panel), numTileColumns = columns.size(b, loc, panel);

    Slice lhsSlice, panelSlice, biasSlice, outSlice;
    lhsSlice.add(m, numTileRows);
    lhsSlice.add(b.getIndexAttr(0), b.getIndexAttr(rowLength));
    panelSlice.add(panel, b.getIndexAttr(1));
    panelSlice.add(b.getIndexAttr(0), b.getIndexAttr(panelLength));
    panelSlice.add(b.getIndexAttr(0), b.getIndexAttr(width));
    biasSlice.add(n, numTileColumns);
    outSlice.add(m, numTileRows);
    outSlice.add(stored.offset(b, loc, panel), stored.size(b, loc, panel));

    Value shared = loop.getRegionOutArgs()[0];
    Value lhsTile = extractTile(b, loc, lhs, lhsSlice, {0, 1});
    Value tile = extractTile(b, loc, shared, outSlice, {0, 1});
    for (const Product &product : products) {
      Value panelTile = extractTile(b, loc, product.panels, panelSlice, {1, 2});
      Value biasTile = product.bias ? extractTile(b, loc, product.bias, biasSlice, {0}) : Value();
      if (words) {
        tile = WordMatmulTileOp::create(b, loc, tile.getType(), lhsTile, panelTile, biasTile, tile,
                                        TypeAttr::get(words), product.activation, product.combine)
                   .getResults()[0];
        continue;
      }
      tile = MatmulTileOp::create(b, loc, tile.getType(), lhsTile, panelTile, biasTile, tile,
                                  product.activation, product.combine)
                 .getResults()[0];
    }
    insertTile(b, loc, loop, tile, shared, outSlice);

    b.setInsertionPointAfter(loop);
    return loop.getResult(0);
  }

  /// By input and what the words hold.
  llvm::DenseMap<std::pair<Value, Type>, Value> packedRows;
  /// Whose results exist in words alone.
  SmallVector<WordLinearOp> readAsWords;
};
} // namespace
