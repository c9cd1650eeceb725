//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Inliner.h"
#include "mlir/Transforms/InliningUtils.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_INLINELAYERSPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

namespace {
/// Layer functions hold what the importer and the passes put there, nothing of which cares in which function
/// it stands.
struct LayerInliner : public InlinerInterface {
  using InlinerInterface::InlinerInterface;
  bool isLegalToInline(Operation *call, Operation *callable, bool wouldBeCloned) const final { return true; }
  bool isLegalToInline(Region *dest, Region *src, bool wouldBeCloned, IRMapping &mapping) const final {
    return true;
  }
  bool isLegalToInline(Operation *op, Region *dest, bool wouldBeCloned, IRMapping &mapping) const final {
    return true;
  }
};

class InlineLayersPass : public sesame::impl::InlineLayersPassBase<InlineLayersPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    SmallVector<func::FuncOp> layers;
    for (func::FuncOp func : module.getOps<func::FuncOp>())
      if (func.isPrivate() && !func.isExternal())
        layers.push_back(func);

    llvm::DenseMap<Operation *, bool> visited;
    for (func::FuncOp layer : layers)
      if (failed(rejectRecursion(layer, symbols, visited)))
        return signalPassFailure();

    LayerInliner inliner(&getContext());
    InlinerConfig config;
    for (func::FuncOp func : module.getOps<func::FuncOp>())
      if (func.isPublic() && failed(inlineInto(func, symbols, inliner, config.getCloneCallback())))
        return signalPassFailure();

    // Layers call layers, so a dead one may keep another alive.
    for (bool changed = true; changed;) {
      changed = false;
      for (func::FuncOp &layer : layers)
        if (layer && SymbolTable::symbolKnownUseEmpty(layer, module)) {
          layer.erase();
          layer = nullptr;
          changed = true;
        }
    }
  }

  /// The private function with a body that `call` calls, or null.
  static func::FuncOp getLayer(func::CallOp call, SymbolTable &symbols) {
    auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
    return callee && callee.isPrivate() && !callee.isExternal() ? callee : nullptr;
  }

  /// Fails if `func` can reach itself. `visited` is false for functions on the path to `func` and true for
  /// finished ones.
  static LogicalResult rejectRecursion(func::FuncOp func, SymbolTable &symbols,
                                       llvm::DenseMap<Operation *, bool> &visited) {
    auto [place, isNew] = visited.try_emplace(func, false);
    if (!isNew)
      return place->second ? success() : func.emitOpError("expects no call cycle among layer functions");
    WalkResult result = func.walk([&](func::CallOp call) {
      func::FuncOp layer = getLayer(call, symbols);
      return !layer || succeeded(rejectRecursion(layer, symbols, visited)) ? WalkResult::advance()
                                                                           : WalkResult::interrupt();
    });
    visited[func] = true;
    return failure(result.wasInterrupted());
  }

  /// Replaces calls of private functions in `entry` by their bodies until none is left.
  static LogicalResult inlineInto(func::FuncOp entry, SymbolTable &symbols, LayerInliner &inliner,
                                  const InlinerInterface::CloneCallbackTy &clone) {
    while (true) {
      SmallVector<func::CallOp> calls;
      entry.walk([&](func::CallOp call) {
        if (getLayer(call, symbols))
          calls.push_back(call);
      });
      if (calls.empty())
        return success();
      for (func::CallOp call : calls) {
        func::FuncOp callee = getLayer(call, symbols);
        if (!callee.getBody().hasOneBlock())
          return call.emitOpError("expects a callee of one block, got '") << call.getCallee() << "'";
        if (failed(inlineCall(inliner, clone, call, callee, &callee.getBody(),
                              /*shouldCloneInlinedRegion=*/true)))
          return call.emitOpError("cannot be inlined");
        call.erase();
      }
    }
  }
};
} // namespace
