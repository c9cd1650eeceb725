//===- OpTable.cpp - Names and costs of operations, for the profiler ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpTable.h"

#include "Dataflow.h"

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Dialect/WordOps.h"
#include "sesame/Passes/OpNumber.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

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

OpTable numberOps(ModuleOp module) {
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
  OpTable table;
  std::vector<int64_t> places(ops.size(), -1);
  forEachOperation(module, [&](StringRef entry, const Node &node) {
    IntegerAttr number = mlir::sesame::findOpNumber(node.op->getLoc());
    if (!number)
      return;
    int64_t &place = places[number.getInt()];
    if (place < 0) {
      place = static_cast<int64_t>(table.ops.size());
      table.ops.push_back({node.weights.empty() ? node.function + "/" + node.name : node.weights.front(),
                           node.op->getName().getStringRef().str(), toTerms(node.flops),
                           toTerms(node.bytes)});
      table.activationBytes.push_back(node.bytes - node.weightBytes);
    }
    // A function that an entry calls in several places is one operation to the profiler.
    auto known = llvm::find_if(table.costs, [&](const OpCost &cost) {
      return cost.op == static_cast<size_t>(place) && cost.entry == entry;
    });
    OpCost &cost = known != table.costs.end() ? *known : table.costs.emplace_back();
    cost.op = static_cast<size_t>(place);
    cost.entry = entry.str();
    cost.layer = node.function;
    cost.type = node.type();
    cost.times += node.times;
    cost.flops += node.times * node.flops;
    cost.weightBytes += node.times * node.weightBytes;
    cost.activationBytes += node.times * (node.bytes - node.weightBytes);
  });
  for (auto [op, place] : llvm::zip_equal(ops, places)) {
    auto fused = cast<FusedLoc>(op->getLoc());
    op->setLoc(place < 0 ? fused.getLocations().front()
                         : FusedLoc::get(context, fused.getLocations(), IntegerAttr::get(type, place)));
  }
  return table;
}

/// The number of the operation that a user of a weight was made for.
static IntegerAttr findNumberOfUser(Operation *user) {
  if (IntegerAttr number = mlir::sesame::findOpNumber(user->getLoc()))
    return number;
  auto loop = user->getParentOfType<scf::ForallOp>();
  return loop ? mlir::sesame::findOpNumber(loop.getLoc()) : IntegerAttr();
}

void readPackedWeights(ModuleOp module, OpTable &table) {
  SymbolTable symbols(module);
  llvm::MapVector<size_t, llvm::SetVector<Operation *>> weights;
  std::vector<StringRef> arithmetic(table.ops.size(), "f32");
  auto place = [&](IntegerAttr number) -> std::optional<size_t> {
    if (number && number.getInt() >= 0 && static_cast<size_t>(number.getInt()) < table.ops.size())
      return static_cast<size_t>(number.getInt());
    return std::nullopt;
  };
  module.walk([&](mlir::sesame::GetWeightOp get) {
    for (Operation *user : get->getUsers())
      if (std::optional<size_t> op = place(findNumberOfUser(user)))
        weights[*op].insert(symbols.lookup(get.getWeight()));
  });
  module.walk([&](mlir::sesame::WordMatmulTileOp tile) {
    if (std::optional<size_t> op = place(findNumberOfUser(tile)))
      arithmetic[*op] = isa<IntegerType>(tile.getElement()) ? "int8" : "bf16";
  });
  module.walk([&](mlir::sesame::AttentionTileOp tile) {
    if (std::optional<size_t> op = place(findNumberOfUser(tile)); op && tile.getBf16())
      arithmetic[*op] = "bf16";
  });
  for (OpCost &cost : table.costs) {
    Manifest::Op &op = table.ops[cost.op];
    cost.arithmetic = arithmetic[cost.op].str();
    // An embedding reads rows of its table; small weights keep their type.
    const StringRef kind = op.kind;
    if (!kind.ends_with("linear") && kind != "sesame.lstm" && kind != "sesame.gru" && kind != "sesame.rnn")
      continue;
    double size = 0;
    for (Operation *weight : weights.lookup(cost.op))
      if (auto weightOp = dyn_cast_or_null<mlir::sesame::WeightOp>(weight))
        size += static_cast<double>(weightOp.getSizeInBytes());
    if (size == 0)
      continue;
    cost.weightBytes = cost.times * Polynomial(size);
    op.bytes = toTerms(table.activationBytes[cost.op] + Polynomial(size));
  }
}

} // namespace sesame
