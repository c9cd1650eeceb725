//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"
#include "Rows.h"

#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_PEELLASTLAYERPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

static constexpr StringLiteral passName = "sesame-peel-last-layer";

/// The iteration that `loop` ends with; nothing if that is not known, or if there is none.
static std::optional<int64_t> getLastIteration(scf::ForOp loop) {
  std::optional<int64_t> first = getConstantIntValue(loop.getLowerBound()),
                         end = getConstantIntValue(loop.getUpperBound()),
                         step = getConstantIntValue(loop.getStep());
  if (!first || !end || !step || *step <= 0 || *first >= *end)
    return std::nullopt;
  return *first + (*end - 1 - *first) / *step * *step;
}

/// Whether of `value` only what `slice` takes, and its extents, are read.
static bool isReadBySliceAlone(Value value, tensor::ExtractSliceOp slice) {
  return llvm::all_of(value.getUsers(),
                      [&](Operation *user) { return user == slice || isa<tensor::DimOp>(user); });
}

namespace {
class PeelLastLayerPass : public mlir::sesame::impl::PeelLastLayerPassBase<PeelLastLayerPass> {
  void runOnOperation() override {
    symbols.emplace(getOperation());
    for (func::FuncOp function : getOperation().getOps<func::FuncOp>()) {
      if (!function.isPublic())
        continue;
      SmallVector<tensor::ExtractSliceOp> slices;
      function.walk([&](tensor::ExtractSliceOp slice) { slices.push_back(slice); });
      for (tensor::ExtractSliceOp slice : slices)
        tryPeel(slice);
    }
  }

  /// The private function whose result `value` is, if what it returns there is made row by row.
  func::FuncOp getLayerOf(Value value) {
    auto call = value.getDefiningOp<func::CallOp>();
    auto layer = call ? symbols->lookup<func::FuncOp>(call.getCallee()) : nullptr;
    if (!layer || !layer.isPrivate() || !llvm::hasSingleElement(layer.getBody()))
      return nullptr;
    Value returned = layer.front().getTerminator()->getOperand(cast<OpResult>(value).getResultNumber());
    Operation *op = returned.getDefiningOp();
    return op && !getRowOperands(op).empty() ? layer : nullptr;
  }

  void tryPeel(tensor::ExtractSliceOp slice) {
    auto result = dyn_cast<OpResult>(slice.getSource());
    auto loop = result ? dyn_cast<scf::ForOp>(result.getOwner()) : nullptr;
    if (!loop || loop->getBlock() != slice->getBlock() || !takesFewRows(slice) ||
        !isReadBySliceAlone(result, slice))
      return;
    std::optional<int64_t> last = getLastIteration(loop);
    OpOperand *yielded = loop.getTiedLoopYieldedValue(loop.getTiedLoopRegionIterArg(result));
    func::FuncOp layer = getLayerOf(yielded->get());
    if (!last || !layer || yielded->get().getParentBlock() != loop.getBody())
      return;
    peel(loop, *last, yielded->get().getDefiningOp<func::CallOp>(), layer);
    reportDone(passName, slice, "the last layer is apart, since one position of its result is read");
  }

  /// Runs iteration `last` behind the loop, in it the body of `layer` for `call`.
  static void peel(scf::ForOp loop, int64_t last, func::CallOp call, func::FuncOp layer) {
    OpBuilder builder(loop);
    Value iteration = arith::ConstantIndexOp::create(builder, loop.getLoc(), last);
    loop.setUpperBound(iteration);
    builder.setInsertionPointAfter(loop);
    IRMapping outer;
    outer.map(loop.getInductionVar(), iteration);
    outer.map(ValueRange(loop.getRegionIterArgs()), ValueRange(loop.getResults()));
    SmallPtrSet<Operation *, 8> peeled;
    auto clone = [&](Operation &op, IRMapping &mapping) { peeled.insert(builder.clone(op, mapping)); };
    for (Operation &op : loop.getBody()->without_terminator()) {
      if (&op != call) {
        clone(op, outer);
        continue;
      }
      IRMapping inner;
      for (auto [argument, operand] : llvm::zip_equal(layer.getArguments(), call.getOperands()))
        inner.map(argument, outer.lookupOrDefault(operand));
      for (Operation &part : layer.front().without_terminator())
        clone(part, inner);
      for (auto [value, returned] :
           llvm::zip_equal(call.getResults(), layer.front().getTerminator()->getOperands()))
        outer.map(value, inner.lookupOrDefault(returned));
    }
    for (auto [result, yielded] : llvm::zip_equal(loop.getResults(), loop.getYieldedValues()))
      result.replaceUsesWithIf(outer.lookupOrDefault(yielded), [&](OpOperand &use) {
        Operation *user = loop->getBlock()->findAncestorOpInBlock(*use.getOwner());
        return !peeled.contains(user);
      });
  }

  std::optional<SymbolTable> symbols;
};
} // namespace
