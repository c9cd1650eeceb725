//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ArenaPlan.h"

#include "sesame/Passes/EntryInterface.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_PLANARENAPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

/// Temporary buffers of parallel bodies live on the threads' stacks.
static LogicalResult moveScratchToStack(func::FuncOp entry, int64_t maxScratchBytes) {
  WalkResult result = entry.walk([&](memref::AllocOp alloc) {
    auto forall = alloc->getParentOfType<scf::ForallOp>();
    if (!forall)
      return WalkResult::advance();
    MemRefType type = alloc.getType();
    if (!type.hasStaticShape()) {
      alloc.emitError() << "a parallel body needs a temporary buffer of unknown size " << type;
      return WalkResult::interrupt();
    }
    int64_t bytes = type.getNumElements() * llvm::divideCeil(type.getElementTypeBitWidth(), 8);
    if (bytes > maxScratchBytes) {
      alloc.emitError() << "a parallel body needs a temporary buffer of " << bytes
                        << " bytes, expected at most " << maxScratchBytes;
      return WalkResult::interrupt();
    }
    OpBuilder builder(alloc);
    auto scratch = memref::AllocaOp::create(builder, alloc.getLoc(), type, builder.getI64IntegerAttr(64));
    alloc.replaceAllUsesWith(scratch.getMemref());
    alloc.erase();
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// Makes the function symbols -> bytes of arena, with the plan's arithmetic as its body.
static func::FuncOp createWorkspaceFunction(func::FuncOp entry) {
  OpBuilder builder(entry);
  builder.setInsertionPointAfter(entry);
  SmallVector<BlockArgument> symbols = getSymbolArguments(entry);
  SmallVector<Type> types(symbols.size(), builder.getIndexType());
  auto workspace = func::FuncOp::create(builder, entry.getLoc(), getWorkspaceName(entry.getName()),
                                        builder.getFunctionType(types, builder.getIndexType()));
  for (auto [i, symbol] : llvm::enumerate(symbols))
    workspace.setArgAttr(i, kSymbolAttr, entry.getArgAttr(symbol.getArgNumber(), kSymbolAttr));
  workspace.addEntryBlock();
  return workspace;
}

/// Makes every extent of an argument the symbol that it is.
static void replaceExtents(func::FuncOp entry) {
  entry.walk([&](memref::DimOp dim) {
    auto argument = dyn_cast<BlockArgument>(dim.getSource());
    std::optional<int64_t> axis = dim.getConstantIndex();
    if (!argument || argument.getOwner() != &entry.getBody().front() || !axis)
      return;
    if (OpFoldResult extent = getArgumentExtent(entry, argument.getArgNumber(), *axis)) {
      OpBuilder builder(dim);
      dim.replaceAllUsesWith(getValueOrCreateConstantIndexOp(builder, dim.getLoc(), extent));
      dim.erase();
    }
  });
}

static LogicalResult planEntry(func::FuncOp entry, int64_t maxScratchBytes) {
  if (!entry.getBody().hasOneBlock())
    return entry.emitError() << "an entry must have one block, got " << entry.getBody().getBlocks().size();
  entry.walk([](memref::DeallocOp dealloc) { dealloc.erase(); });
  replaceExtents(entry);
  if (failed(moveScratchToStack(entry, maxScratchBytes)))
    return failure();

  // The plan is computed in the workspace function, where its sizes can be evaluated, and then once more in
  // the entry.
  func::FuncOp workspace = createWorkspaceFunction(entry);
  SmallVector<BlockArgument> symbols = getSymbolArguments(entry);
  OpBuilder inWorkspace = OpBuilder::atBlockBegin(&workspace.getBody().front());
  IRMapping workspaceSymbols;
  for (auto [symbol, argument] : llvm::zip_equal(symbols, workspace.getArguments()))
    workspaceSymbols.map(symbol, argument);
  ArenaPlan plan(entry);
  if (failed(plan.collect()))
    return failure();
  FailureOr<ArenaValues> total = plan.build(inWorkspace, workspaceSymbols);
  if (failed(total))
    return failure();
  func::ReturnOp::create(inWorkspace, entry.getLoc(), total->totalBytes);
  if (plan.empty())
    return success();

  OpBuilder inEntry = OpBuilder::atBlockBegin(&entry.getBody().front());
  IRMapping entrySymbols;
  for (BlockArgument symbol : symbols)
    entrySymbols.map(symbol, symbol);
  FailureOr<ArenaValues> places = plan.build(inEntry, entrySymbols);
  if (failed(places))
    return failure();
  unsigned arenaIndex = symbols.empty() ? entry.getNumArguments() : symbols.front().getArgNumber();
  auto arenaType = MemRefType::get({ShapedType::kDynamic}, inEntry.getI8Type());
  NamedAttribute arenaAttribute = inEntry.getNamedAttr(kArenaAttr, inEntry.getUnitAttr());
  if (failed(entry.insertArgument(arenaIndex, arenaType, inEntry.getDictionaryAttr(arenaAttribute),
                                  entry.getLoc())))
    return failure();
  plan.replaceAllocations(entry.getArgument(arenaIndex), *places);
  return success();
}

namespace {
struct PlanArenaPass : sesame::impl::PlanArenaPassBase<PlanArenaPass> {
  using PlanArenaPassBase::PlanArenaPassBase;
  void runOnOperation() override {
    SmallVector<func::FuncOp> entries;
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (isEntry(func))
        entries.push_back(func);
    for (func::FuncOp entry : entries)
      if (failed(planEntry(entry, maxScratchBytes)))
        return signalPassFailure();
  }
};
} // namespace
