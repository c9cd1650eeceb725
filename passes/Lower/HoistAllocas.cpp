//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_HOISTALLOCASPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;

namespace {
struct HoistAllocasPass : sesame::impl::HoistAllocasPassBase<HoistAllocasPass> {
  void runOnOperation() override {
    if (getOperation().isDeclaration())
      return;
    Block &entry = getOperation().getBody().front();
    SmallVector<memref::AllocaOp> allocas;
    getOperation().walk([&](memref::AllocaOp alloca) { allocas.push_back(alloca); });
    for (memref::AllocaOp alloca : llvm::reverse(allocas)) {
      if (!alloca.getType().hasStaticShape()) {
        alloca.emitError("a stack buffer must have a static size");
        return signalPassFailure();
      }
      alloca->moveBefore(&entry, entry.begin());
    }
  }
};
} // namespace
