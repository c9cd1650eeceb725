//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contractions.h"

#include "Slices.h"

#include "sesame/Dialect/SesameDialect.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sesame;

/// The most rows of one task; as many as share a panel while it is in the cache.
constexpr int64_t rowsPerTask = 128, rowsPerTile = 8;

/// Whether the body adds the product of the two inputs to the result.
static bool addsProduct(linalg::GenericOp op) {
  Block *body = op.getBody();
  auto isBoth = [](Operation *inner, Value a, Value b) {
    return (inner->getOperand(0) == a && inner->getOperand(1) == b) ||
           (inner->getOperand(0) == b && inner->getOperand(1) == a);
  };
  if (!llvm::hasNItems(body->without_terminator(), 2))
    return false;
  Operation *product = &body->front(), *sum = product->getNextNode();
  return isa<arith::MulFOp>(product) && isa<arith::AddFOp>(sum) &&
         isBoth(product, body->getArgument(0), body->getArgument(1)) &&
         isBoth(sum, product->getResult(0), body->getArgument(2)) &&
         body->getTerminator()->getOperand(0) == sum->getResult(0);
}

namespace {

/// An operand as a list of the loops that its axes are.
struct Operand {
  Value value;
  SmallVector<unsigned> loops;

  bool has(unsigned loop) const { return llvm::is_contained(loops, loop); }
  int64_t axisOf(unsigned loop) const { return llvm::find(loops, loop) - loops.begin(); }
};

/// One sum of products, result[batch, m, n] += rows[batch, m, k] * columns[batch, n, k], where each of batch,
/// m and n may be several loops; a tile has one of m and one of n.
class Contraction {
public:
  static std::optional<Contraction> match(linalg::GenericOp op);

  void tile(int64_t panelWidth);

private:
  explicit Contraction(linalg::GenericOp op) : op(op), b(op), loc(op.getLoc()) {}

  /// The extent of a loop, from an operand that has it.
  OpFoldResult getExtent(unsigned loop) {
    for (const Operand *operand : {&rows, &columns})
      if (operand->has(loop))
        return tensor::getMixedSize(b, loc, operand->value, operand->axisOf(loop));
    llvm_unreachable("each loop is an input's axis");
  }

  void moveDepthLast();
  Value packPanels();

  /// The places of `operand` where loop l is at `at[l]`, whole loops where that is null.
  Slice slice(const Operand &operand,
              const llvm::DenseMap<unsigned, std::pair<OpFoldResult, OpFoldResult>> &at);

  linalg::GenericOp op;
  OpBuilder b;
  Location loc;
  Operand rows, columns, result;
  unsigned m = 0, n = 0, k = 0;
  int64_t width = 0;
  /// The loops of the panels' leading axes: those of the columns but n and k.
  SmallVector<unsigned> panelLoops;
};

} // namespace

std::optional<Contraction> Contraction::match(linalg::GenericOp op) {
  if (!op.hasPureTensorSemantics() || op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 ||
      op.getNumReductionLoops() == 0 || op->getParentOfType<scf::ForallOp>() || !addsProduct(op))
    return std::nullopt;
  Contraction c(op);
  Operand *operands[] = {&c.rows, &c.columns, &c.result};
  for (auto [operand, opOperand] : llvm::zip_equal(operands, llvm::make_pointer_range(op->getOpOperands()))) {
    AffineMap map = op.getMatchingIndexingMap(opOperand);
    if (!map.isProjectedPermutation() || !getElementTypeOrSelf(opOperand->get()).isF32())
      return std::nullopt;
    operand->value = opOperand->get();
    for (AffineExpr axis : map.getResults())
      operand->loops.push_back(cast<AffineDimExpr>(axis).getPosition());
  }
  SmallVector<unsigned> reduced;
  op.getReductionDims(reduced);
  // Axes of one element are not summed over.
  SmallVector<unsigned> units;
  for (unsigned loop : reduced)
    if (isConstantIntValue(c.getExtent(loop), 1))
      units.push_back(loop);
  llvm::erase_if(reduced, [&](unsigned loop) { return llvm::is_contained(units, loop); });
  if (reduced.size() != 1)
    return std::nullopt;
  c.k = reduced.front();
  if (!c.rows.has(c.k) || !c.columns.has(c.k) || c.result.has(c.k) || c.result.loops.empty())
    return std::nullopt;
  // The result's last axis belongs to the columns.
  c.n = c.result.loops.back();
  if (c.rows.has(c.n))
    std::swap(c.rows, c.columns);
  if (c.rows.has(c.n) || !c.columns.has(c.n))
    return std::nullopt;
  // Of the axes that could be rows the innermost of the result.
  bool found = false;
  for (unsigned loop : c.result.loops) {
    if (!c.rows.has(loop) && !c.columns.has(loop))
      return std::nullopt;
    if (c.rows.has(loop) && !c.columns.has(loop)) {
      c.m = loop;
      found = true;
    }
  }
  if (!found)
    return std::nullopt;
  for (unsigned loop : c.columns.loops)
    if (loop != c.n && loop != c.k && !llvm::is_contained(units, loop))
      c.panelLoops.push_back(loop);
  // One row does not pay for packing, nor do a few columns.
  auto isTiny = [&](unsigned loop) {
    std::optional<int64_t> extent = getConstantIntValue(c.getExtent(loop));
    return extent && *extent < 4;
  };
  if (isTiny(c.m) || isTiny(c.n))
    return std::nullopt;
  return c;
}

Slice Contraction::slice(const Operand &operand,
                         const llvm::DenseMap<unsigned, std::pair<OpFoldResult, OpFoldResult>> &at) {
  Slice slice;
  for (unsigned loop : operand.loops) {
    auto known = at.find(loop);
    if (known == at.end())
      slice.add(b.getIndexAttr(0), getExtent(loop));
    else
      slice.add(known->second.first, known->second.second);
  }
  return slice;
}

/// Brings the rows' k to the end and m before it, as a tile reads them.
void Contraction::moveDepthLast() {
  if (rows.loops.back() == k)
    return;
  SmallVector<int64_t> permutation;
  SmallVector<unsigned> loops;
  SmallVector<OpFoldResult> extents;
  for (auto [axis, loop] : llvm::enumerate(rows.loops))
    if (loop != k) {
      permutation.push_back(axis);
      loops.push_back(loop);
    }
  permutation.push_back(rows.axisOf(k));
  loops.push_back(k);
  for (unsigned loop : loops)
    extents.push_back(getExtent(loop));
  Value empty = tensor::EmptyOp::create(b, loc, extents, b.getF32Type());
  rows.value = linalg::TransposeOp::create(b, loc, rows.value, empty, permutation).getResult()[0];
  rows.loops = loops;
}

/// [panelLoops..., panels, K, R]: panel p holds columns R * p to R * p + R - 1. What is behind the last
/// column is not written.
Value Contraction::packPanels() {
  Blocks blocks = {getExtent(n), width};
  SmallVector<OpFoldResult> counts;
  for (unsigned loop : panelLoops)
    counts.push_back(getExtent(loop));
  counts.push_back(blocks.count(b, loc));
  SmallVector<OpFoldResult> extents = counts;
  OpFoldResult depth = getExtent(k);
  extents.append({depth, b.getIndexAttr(width)});
  Value empty = tensor::EmptyOp::create(b, loc, extents, b.getF32Type());
  auto loop = scf::ForallOp::create(b, loc, counts, ValueRange{empty}, /*mapping=*/std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(loop.getTerminator());
  Value panel = loop.getInductionVars().back();
  OpFoldResult numColumns = blocks.size(b, loc, panel);

  llvm::DenseMap<unsigned, std::pair<OpFoldResult, OpFoldResult>> at;
  Slice target;
  for (auto [i, axis] : llvm::enumerate(panelLoops)) {
    at[axis] = {loop.getInductionVar(i), b.getIndexAttr(1)};
    target.add(loop.getInductionVar(i), b.getIndexAttr(1));
  }
  at[n] = {blocks.offset(b, loc, panel), numColumns};
  target.add(panel, b.getIndexAttr(1));
  target.add(b.getIndexAttr(0), depth);
  target.add(b.getIndexAttr(0), numColumns);
  int64_t depthAxis = columns.axisOf(k), columnAxis = columns.axisOf(n);
  Value source = extractTile(b, loc, columns.value, slice(columns, at),
                             {std::min(depthAxis, columnAxis), std::max(depthAxis, columnAxis)});
  int64_t rank = target.sizes.size();
  Value tile = extractTile(b, loc, loop.getRegionOutArgs()[0], target, {rank - 2, rank - 1});
  AffineExpr row = b.getAffineDimExpr(0), column = b.getAffineDimExpr(1);
  AffineMap from = depthAxis < columnAxis ? AffineMap::get(2, 0, {row, column}, b.getContext())
                                          : AffineMap::get(2, 0, {column, row}, b.getContext());
  Value copy =
      linalg::GenericOp::create(b, loc, tile.getType(), source, tile, {from, b.getMultiDimIdentityMap(2)},
                                {utils::IteratorType::parallel, utils::IteratorType::parallel},
                                [](OpBuilder &inner, Location l, ValueRange values) {
                                  linalg::YieldOp::create(inner, l, values[0]);
                                })
          .getResult(0);
  insertTile(b, loc, loop, copy, loop.getRegionOutArgs()[0], target);
  return loop.getResult(0);
}

void Contraction::tile(int64_t panelWidth) {
  width = panelWidth;
  Combine combine = Combine::add;
  if (auto fill = result.value.getDefiningOp<linalg::FillOp>();
      fill && matchPattern(fill.value(), m_AnyZeroFloat())) {
    combine = Combine::replace;
    result.value = fill.output();
  }
  moveDepthLast();
  Value panels = packPanels();

  EvenBlocks rowBlocks(b, loc, getExtent(m), rowsPerTask, rowsPerTile);
  Blocks columnBlocks = {getExtent(n), width};
  SmallVector<OpFoldResult> counts;
  SmallVector<unsigned> outer;
  for (unsigned loop : result.loops)
    if (loop != m && loop != n) {
      outer.push_back(loop);
      counts.push_back(getExtent(loop));
    }
  counts.append({rowBlocks.count(), columnBlocks.count(b, loc)});
  auto loop = scf::ForallOp::create(b, loc, counts, ValueRange{result.value}, /*mapping=*/std::nullopt);
  b.setInsertionPoint(loop.getTerminator());
  Value rowBlock = loop.getInductionVar(outer.size()), panel = loop.getInductionVar(outer.size() + 1);
  llvm::DenseMap<unsigned, std::pair<OpFoldResult, OpFoldResult>> at;
  for (auto [i, axis] : llvm::enumerate(outer))
    at[axis] = {loop.getInductionVar(i), b.getIndexAttr(1)};
  at[m] = {rowBlocks.offset(b, loc, rowBlock), rowBlocks.size(b, loc, rowBlock)};
  at[n] = {columnBlocks.offset(b, loc, panel), columnBlocks.size(b, loc, panel)};

  Slice panelSlice;
  for (unsigned axis : panelLoops)
    panelSlice.add(at[axis].first, at[axis].second);
  panelSlice.add(panel, b.getIndexAttr(1));
  panelSlice.add(b.getIndexAttr(0), getExtent(k));
  panelSlice.add(b.getIndexAttr(0), b.getIndexAttr(width));
  int64_t panelRank = panelSlice.sizes.size();
  Value panelTile = extractTile(b, loc, panels, panelSlice, {panelRank - 2, panelRank - 1});
  Value rowTile = extractTile(b, loc, rows.value, slice(rows, at), {rows.axisOf(m), rows.axisOf(k)});
  Slice target = slice(result, at);
  Value shared = loop.getRegionOutArgs()[0];
  Value tile = extractTile(b, loc, shared, target, {result.axisOf(m), result.axisOf(n)});
  tile = MatmulTileOp::create(b, loc, tile.getType(), rowTile, panelTile, /*bias=*/Value(), tile,
                              Activation::identity, combine)
             .getResults()[0];
  insertTile(b, loc, loop, tile, shared, target);
  op.getResult(0).replaceAllUsesWith(loop.getResult(0));
  op.erase();
}

void mlir::sesame::tileContractions(func::FuncOp function, int64_t panelWidth) {
  SmallVector<linalg::GenericOp> ops;
  function.walk([&](linalg::GenericOp op) { ops.push_back(op); });
  for (linalg::GenericOp op : ops)
    if (std::optional<Contraction> contraction = Contraction::match(op))
      contraction->tile(panelWidth);
}
