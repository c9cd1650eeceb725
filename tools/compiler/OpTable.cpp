//===- OpTable.cpp - Names and costs of operations, for the profiler ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpTable.h"

#include "Dataflow.h"

#include "sesame/Passes/OpNumber.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace sesame {

/// The terms whose symbols are known.
static std::vector<Manifest::Term> toTerms(const Polynomial &polynomial) {
  std::vector<Manifest::Term> terms;
  for (const auto &[symbols, factor] : polynomial.products())
    if (!llvm::is_contained(symbols, "?"))
      terms.push_back({factor, symbols});
  return terms;
}

std::vector<Manifest::Op> numberOps(ModuleOp module) {
  MLIRContext *context = module.getContext();
  auto type = IntegerType::get(context, 64);
  std::vector<Operation *> ops;
  for (auto function : module.getOps<func::FuncOp>())
    function.walk([&](Operation *op) {
      if (op->getNumResults() == 0 || op->getNumRegions() > 1 || isa<CallOpInterface>(op) ||
          !isa<RankedTensorType>(op->getResult(0).getType()))
        return;
      auto number = IntegerAttr::get(type, static_cast<int64_t>(ops.size()));
      op->setLoc(FusedLoc::get(context, {op->getLoc()}, number));
      ops.push_back(op);
    });

  // The numbers lead back from the copy that is analysed.
  std::vector<Manifest::Op> table;
  std::vector<int64_t> places(ops.size(), -1);
  forEachOperation(module, [&](StringRef, const Node &node) {
    IntegerAttr number = mlir::sesame::findOpNumber(node.op->getLoc());
    if (!number || places[number.getInt()] >= 0)
      return;
    places[number.getInt()] = static_cast<int64_t>(table.size());
    table.push_back({node.weights.empty() ? node.function + "/" + node.name : node.weights.front(),
                     node.op->getName().getStringRef().str(), toTerms(node.flops), toTerms(node.bytes)});
  });
  for (auto [op, place] : llvm::zip_equal(ops, places)) {
    auto fused = cast<FusedLoc>(op->getLoc());
    op->setLoc(place < 0 ? fused.getLocations().front()
                         : FusedLoc::get(context, fused.getLocations(), IntegerAttr::get(type, place)));
  }
  return table;
}

} // namespace sesame
