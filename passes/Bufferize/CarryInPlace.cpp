//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_CARRYINPLACEPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;

/// Is `value` made from `origin` by updates of destinations alone, so that bufferization keeps it in origin's
/// buffer?
static bool isUpdateOf(Value value, Value origin) {
  while (value != origin) {
    auto result = dyn_cast<OpResult>(value);
    if (!result)
      return false;
    if (auto loop = dyn_cast<scf::ForOp>(result.getOwner())) {
      value = loop.getTiedLoopInit(result)->get();
      continue;
    }
    if (auto destination = dyn_cast<DestinationStyleOpInterface>(result.getOwner()))
      value = destination.getTiedOpOperand(result)->get();
    else if (auto insert = dyn_cast<tensor::InsertSliceOp>(result.getOwner()))
      value = insert.getDest();
    else if (auto insertElement = dyn_cast<tensor::InsertOp>(result.getOwner()))
      value = insertElement.getDest();
    else
      return false;
  }
  return true;
}

namespace {
struct CarryInPlacePass : sesame::impl::CarryInPlacePassBase<CarryInPlacePass> {
  void runOnOperation() override {
    getOperation()->walk([](scf::ForOp loop) {
      Operation *yield = loop.getBody()->getTerminator();
      OpBuilder builder(yield);
      for (auto [carried, operand] : llvm::zip_equal(loop.getRegionIterArgs(), yield->getOpOperands())) {
        if (!isa<RankedTensorType>(carried.getType()) || isUpdateOf(operand.get(), carried))
          continue;
        operand.set(bufferization::MaterializeInDestinationOp::create(
                        builder, yield->getLoc(), carried.getType(), operand.get(), carried)
                        .getResult());
      }
    });
  }
};
} // namespace
