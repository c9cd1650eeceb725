//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Passes/EntryInterface.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_DROPENTRYRESULTSPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

/// The buffer that `value` is: looks through casts, reshapes and loops that carry it unchanged.
static Value findBuffer(Value value) {
  while (true) {
    if (auto cast = value.getDefiningOp<memref::CastOp>()) {
      value = cast.getSource();
      continue;
    }
    // Reshapes keep all elements in their places.
    if (auto expand = value.getDefiningOp<memref::ExpandShapeOp>()) {
      value = expand.getSrc();
      continue;
    }
    if (auto collapse = value.getDefiningOp<memref::CollapseShapeOp>()) {
      value = collapse.getSrc();
      continue;
    }
    auto result = dyn_cast<OpResult>(value);
    auto loop = result ? dyn_cast<LoopLikeOpInterface>(result.getOwner()) : LoopLikeOpInterface();
    OpOperand *init = loop ? loop.getTiedLoopInit(result) : nullptr;
    BlockArgument carried = init ? loop.getTiedLoopRegionIterArg(result) : BlockArgument();
    OpOperand *yielded = carried ? loop.getTiedLoopYieldedValue(carried) : nullptr;
    if (!yielded || findBuffer(yielded->get()) != carried)
      return value;
    value = init->get();
  }
}

static LogicalResult dropResults(func::FuncOp entry) {
  if (entry.getNumResults() == 0)
    return success();
  Operation *terminator = entry.getBody().front().getTerminator();
  for (unsigned i = 0; i < entry.getNumResults(); ++i) {
    auto destination = entry.getResultAttrOfType<IntegerAttr>(i, kDestinationAttr);
    if (!destination)
      return entry.emitError() << "result " << i << " has no destination; run sesame-bufferize-entries first";
    unsigned argument = destination.getInt();
    if (findBuffer(terminator->getOperand(i)) == entry.getArgument(argument))
      continue;
    auto name = entry.getArgAttrOfType<StringAttr>(argument, kNameAttr);
    InFlightDiagnostic diagnostic = entry.emitError()
                                    << (entry.getArgAttr(argument, kStateAttr) ? "state" : "output") << " '"
                                    << (name ? name.getValue() : StringRef("?"))
                                    << "' is not updated in place: it would have to be copied";
    diagnostic.attachNote(terminator->getOperand(i).getLoc()) << "this is what is returned instead";
    return diagnostic;
  }
  terminator->setOperands({});
  entry.removeResAttrsAttr();
  entry.setType(FunctionType::get(entry.getContext(), entry.getArgumentTypes(), {}));
  return success();
}

namespace {
struct DropEntryResultsPass : sesame::impl::DropEntryResultsPassBase<DropEntryResultsPass> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (isEntry(func) && failed(dropResults(func)))
        return signalPassFailure();
  }
};
} // namespace
