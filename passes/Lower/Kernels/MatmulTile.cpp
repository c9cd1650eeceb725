//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MatmulTile.h"

#include "sesame/Passes/Kernels.h"

using namespace mlir;
using namespace mlir::sesame;
using namespace mlir::sesame::kernels;

/// True if the activation is a handful of instructions, so that it is better done on the accumulators at
/// once. The others run in a loop over the block's rows, one copy of their code for all block shapes.
static bool isCheap(Activation activation) {
  switch (activation) {
  case Activation::identity:
  case Activation::relu:
  case Activation::relu_squared:
  case Activation::leaky_relu:
    return true;
  default:
    return false;
  }
}

MatmulTile::MatmulTile(Operation *root, const Operands &op, int64_t lanes, int64_t rows)
    : op(op), b(root, lanes), vectors(cast<MemRefType>(op.panel.getType()).getDimSize(1) / lanes),
      tileRows(rows ? rows : chooseTileRows(lanes, vectors)),
      storesWords(cast<MemRefType>(op.out.getType()).getElementType().isInteger(32)) {}

void MatmulTile::build() {
  if (!isCheap(op.activation))
    staged = b.scratch({tileRows, vectors * b.lanes()});
  int64_t staticRows = cast<MemRefType>(op.out.getType()).getDimSize(0);
  if (ShapedType::isDynamic(staticRows))
    staticRows = cast<MemRefType>(op.lhs.getType()).getDimSize(0);
  // Which block heights can occur.
  SmallVector<int64_t> heights;
  for (int64_t height = 1; height <= tileRows; ++height)
    if (ShapedType::isDynamic(staticRows) || height == staticRows % tileRows ||
        (height == tileRows && staticRows >= tileRows))
      heights.push_back(height);
  Value numRows = ShapedType::isDynamic(staticRows) ? b.extent(op.out, 0) : b.index(staticRows);
  columns = b.mul(b.extent(op.out, 1), storesWords ? 2 : 1);
  isFull = b.compare(arith::CmpIPredicate::eq, columns, b.index(vectors * b.lanes()));

  // One block alone waits for the memory as it is, so only several ask for the next panel.
  bool isDynamic = ShapedType::isDynamic(staticRows);
  bool mayPrefetch = canPrefetch() && (isDynamic || staticRows >= 2 * tileRows);
  Value blocks = b.createOrFold<arith::DivUIOp>(numRows, b.index(tileRows));
  Value hasSeveral = b.compare(arith::CmpIPredicate::ugt, blocks, b.index(1));
  if (mayPrefetch)
    prefetchStep =
        b.createOrFold<arith::CeilDivUIOp>(b.index(vectors * b.lanes()), b.max(blocks, b.index(1)));

  b.loop(b.index(0), numRows, tileRows, [&](Value firstRow) {
    if (heights.size() == 1) {
      buildBlock(firstRow, heights.front(), mayPrefetch);
      if (staged)
        buildStagedEpilogue(firstRow, b.index(heights.front()));
      return;
    }
    Value height = b.min(b.sub(numRows, firstRow), b.index(tileRows));
    buildSwitch(firstRow, height, heights, mayPrefetch, isDynamic && mayPrefetch ? hasSeveral : Value());
    if (staged)
      buildStagedEpilogue(firstRow, height);
  });
}

/// One block for each height, the tallest as the default. With `hasSeveral`, which says whether there are
/// several tall blocks, the tallest stands twice: as a case, and as the default, which asks for the next
/// panel.
void MatmulTile::buildSwitch(Value firstRow, Value height, ArrayRef<int64_t> heights, bool mayPrefetch,
                             Value hasSeveral) {
  ArrayRef<int64_t> cases = hasSeveral ? heights : heights.drop_back();
  Value selector = height;
  if (hasSeveral) {
    Value isTall = b.compare(arith::CmpIPredicate::eq, height, b.index(tileRows));
    Value isDefault = arith::AndIOp::create(b, isTall, hasSeveral);
    selector = arith::SelectOp::create(b, isDefault, b.index(tileRows + 1), height);
  }
  auto choice = scf::IndexSwitchOp::create(b, TypeRange{}, selector, cases, cases.size());
  auto fill = [&](Region &region, int64_t rows, bool prefetches) {
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&region);
    buildBlock(firstRow, rows, prefetches);
    scf::YieldOp::create(b);
  };
  fill(choice.getDefaultRegion(), heights.back(), mayPrefetch);
  for (auto [region, rows] : llvm::zip(choice.getCaseRegions(), cases))
    fill(region, rows, /*prefetches=*/false);
}

/// `rows` rows from `firstRow` on: the products, and the epilogue or the way to `staged`.
void MatmulTile::buildBlock(Value firstRow, int64_t rows, bool prefetches) {
  if (prefetches)
    prefetchOut(firstRow, rows);
  SmallVector<Value> sums = buildProducts(firstRow, rows, prefetches);
  if (staged) {
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t v = 0; v < vectors; ++v)
        b.store(sums[row * vectors + v], staged, {b.index(row), b.index(v * b.lanes())});
    return;
  }
  forFullAndPartial([&](ArrayRef<Value> masks) {
    SmallVector<Value> bias = loadBias(masks);
    for (int64_t row = 0; row < rows; ++row)
      buildEpilogue(b.add(firstRow, row), ArrayRef(sums).slice(row * vectors, vectors), bias, masks);
  });
}

void MatmulTile::buildStagedEpilogue(Value firstRow, Value height) {
  forFullAndPartial([&](ArrayRef<Value> masks) {
    SmallVector<Value> bias = loadBias(masks);
    b.loop(b.index(0), height, 1, [&](Value row) {
      SmallVector<Value> sums;
      for (int64_t v = 0; v < vectors; ++v)
        sums.push_back(b.load(staged, {row, b.index(v * b.lanes())}));
      buildEpilogue(b.add(firstRow, row), sums, bias, masks);
    });
  });
}

/// Calls `body` with no masks for a whole panel, and in another branch with the masks of the panel's
/// `columns` columns.
void MatmulTile::forFullAndPartial(llvm::function_ref<void(ArrayRef<Value> masks)> body) {
  SmallVector<Value> masks(vectors);
  b.branch(
      isFull, [&] { body(masks); },
      [&] {
        for (int64_t v = 0; v < vectors; ++v)
          masks[v] = b.firstLanes(b.sub(columns, b.index(v * b.lanes())));
        body(masks);
      });
}

void MatmulTile::prefetchNextPanel(Value firstRow, Value k) {
  Value depth = b.extent(op.panel, 0);
  Value block = arith::DivUIOp::create(b, firstRow, b.index(tileRows));
  Value steps = b.add(arith::MulIOp::create(b, block, depth), k);
  // Into the L2 cache. Behind the last panel lies some other weight; asking for it does no harm.
  memref::PrefetchOp::create(b, op.panel, ValueRange{depth, arith::MulIOp::create(b, steps, prefetchStep)},
                             /*isWrite=*/false, /*localityHint=*/2, /*isDataCache=*/true);
}

void MatmulTile::prefetchOut(Value firstRow, int64_t rows) {
  // Lines of 64 bytes. Those of a partial panel lie beyond its columns; asking for them does no harm.
  int64_t perVector = b.lanes() * 4, bytes = vectors * perVector / (storesWords ? 2 : 1);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t byte = 0; byte < bytes; byte += 64)
      memref::PrefetchOp::create(b, op.out, ValueRange{b.add(firstRow, row), b.index(byte / 4)},
                                 /*isWrite=*/true, /*localityHint=*/3, /*isDataCache=*/true);
}

SmallVector<Value> MatmulTile::loadBias(ArrayRef<Value> masks) {
  SmallVector<Value> bias;
  if (op.bias)
    for (int64_t v = 0; v < vectors; ++v)
      bias.push_back(b.load(op.bias, {b.index(v * b.lanes())}, masks[v]));
  return bias;
}

/// Bias, activation, what the destination holds, store: for one row.
void MatmulTile::buildEpilogue(Value row, ArrayRef<Value> sums, ArrayRef<Value> bias, ArrayRef<Value> masks) {
  SmallVector<Value> values;
  for (int64_t v = 0; v < vectors; ++v) {
    Value value = sums[v];
    if (!bias.empty())
      value = b.fadd(value, bias[v]);
    value = emitActivation(b, b.getLoc(), op.activation, value);
    Value column = b.index(v * b.lanes());
    switch (op.combine) {
    case Combine::replace:
      break;
    case Combine::add:
      value = b.fadd(b.load(op.out, {row, column}, masks[v]), value);
      break;
    case Combine::multiply:
      value = b.fmul(b.load(op.out, {row, column}, masks[v]), value);
      break;
    }
    values.push_back(value);
    if (!storesWords)
      b.store(value, op.out, {row, column}, masks[v]);
  }
  if (storesWords)
    storeWords(row, values, /*isPartial=*/masks.front() != nullptr);
}

void MatmulTile::storeWords(Value row, ArrayRef<Value> values, bool isPartial) {
  Value numWords = b.extent(op.out, 1);
  for (int64_t v = 0; v < vectors; v += 2) {
    Value column = b.index(v / 2 * b.lanes());
    b.store(toWords(values[v], values[v + 1]), op.out, {row, column},
            isPartial ? b.firstLanes(b.sub(numWords, column)) : Value());
  }
}
