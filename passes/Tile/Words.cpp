//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Words.h"

#include "Slices.h"

#include "sesame/Dialect/WordOps.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace mlir::sesame;

/// Rows that a task packs into words, as many as `sesame-tile-rows` gives one.
static constexpr int64_t kRowsPerPackTask = 16;

Type mlir::sesame::parseWeightType(ModuleOp module, StringRef pass, StringRef name) {
  Builder b(module.getContext());
  Type type = llvm::StringSwitch<Type>(name)
                  .Case("f32", b.getF32Type())
                  .Case("bf16", b.getBF16Type())
                  .Case("f16", b.getF16Type())
                  .Case("int8", b.getI8Type())
                  .Default(nullptr);
  if (!type)
    module.emitError(pass) << ": weight-type must be f32, bf16, f16 or int8, got '" << name << "'";
  return type;
}

/// Packs the rows `input` into slice `to` of the output of `loop`, whose axes `kept` remain.
static void packTile(OpBuilder &b, Location loc, scf::ForallOp loop, Value input, const Slice &to,
                     ArrayRef<int64_t> kept, Type element) {
  Value shared = loop.getRegionOutArgs()[0];
  Value tile = extractTile(b, loc, shared, to, kept);
  tile = PackWordsTileOp::create(b, loc, tile.getType(), input, tile, TypeAttr::get(element)).getResults()[0];
  insertTile(b, loc, loop, tile, shared, to);
}

Value mlir::sesame::packRowsIntoWords(OpBuilder &b, Location loc, Value matrix, Type element) {
  auto type = cast<RankedTensorType>(matrix.getType());
  int64_t numWords = WordFormat(element).rowWords(type.getDimSize(1));
  OpFoldResult numRows = tensor::getMixedSize(b, loc, matrix, 0);
  Value out = tensor::EmptyOp::create(b, loc, {numRows, b.getIndexAttr(numWords)}, b.getI32Type());
  Blocks rows = {numRows, kRowsPerPackTask};
  auto loop = scf::ForallOp::create(b, loc, {rows.count(b, loc)}, ValueRange{out}, /*mapping=*/std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(loop.getTerminator());
  OpFoldResult first = rows.offset(b, loc, loop.getInductionVar(0)),
               count = rows.size(b, loc, loop.getInductionVar(0));
  Slice from, to;
  from.add(first, count);
  from.add(b.getIndexAttr(0), b.getIndexAttr(type.getDimSize(1)));
  to.add(first, count);
  to.add(b.getIndexAttr(0), b.getIndexAttr(numWords));
  packTile(b, loc, loop, extractTile(b, loc, matrix, from, {0, 1}), to, {0, 1}, element);
  return loop.getResult(0);
}

Value mlir::sesame::packTransposedRowsIntoWords(OpBuilder &b, Location loc, Value input, Type element) {
  auto type = cast<RankedTensorType>(input.getType());
  OpFoldResult outer = tensor::getMixedSize(b, loc, input, 0), inner = tensor::getMixedSize(b, loc, input, 1);
  OpFoldResult k = b.getIndexAttr(type.getDimSize(2)),
               numWords = b.getIndexAttr(WordFormat(element).rowWords(type.getDimSize(2)));
  Value out = tensor::EmptyOp::create(b, loc, {inner, outer, numWords}, b.getI32Type());
  Blocks rows = {inner, kRowsPerPackTask};
  auto loop = scf::ForallOp::create(b, loc, {outer, rows.count(b, loc)}, ValueRange{out},
                                    /*mapping=*/std::nullopt);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(loop.getTerminator());
    Value index = loop.getInductionVar(0), block = loop.getInductionVar(1);
    OpFoldResult first = rows.offset(b, loc, block), count = rows.size(b, loc, block);
    Slice from, to;
    from.add(index, b.getIndexAttr(1));
    from.add(first, count);
    from.add(b.getIndexAttr(0), k);
    to.add(first, count);
    to.add(index, b.getIndexAttr(1));
    to.add(b.getIndexAttr(0), numWords);
    packTile(b, loc, loop, extractTile(b, loc, input, from, {1, 2}), to, {0, 2}, element);
  }
  return tensor::CollapseShapeOp::create(b, loc, loop.getResult(0),
                                         ArrayRef<ReassociationIndices>{{0, 1}, {2}});
}
