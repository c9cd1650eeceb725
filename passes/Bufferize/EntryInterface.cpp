//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Passes/EntryInterface.h"

#include "FoldEvaluator.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::sesame;

static constexpr llvm::StringLiteral kWorkspaceSuffix = "__workspace";

bool mlir::sesame::isEntry(func::FuncOp func) {
  return func.isPublic() && !func.isDeclaration() && !func.getName().ends_with(kWorkspaceSuffix);
}

std::string mlir::sesame::getWorkspaceName(StringRef entry) { return (entry + kWorkspaceSuffix).str(); }

SmallVector<StringRef> mlir::sesame::getEntrySymbols(func::FuncOp entry) {
  llvm::SetVector<StringRef> symbols;
  for (bool states : {false, true})
    for (unsigned i = 0; i < entry.getNumArguments(); ++i) {
      if (entry.getArgAttr(i, kOutputAttr) || static_cast<bool>(entry.getArgAttr(i, kStateAttr)) != states)
        continue;
      auto dims = entry.getArgAttrOfType<ArrayAttr>(i, kDimsAttr);
      auto type = dyn_cast<ShapedType>(entry.getArgument(i).getType());
      if (!dims || !type || !type.hasRank() || type.getRank() != static_cast<int64_t>(dims.size()))
        continue;
      for (auto [axis, dim] : llvm::enumerate(dims.getAsRange<StringAttr>()))
        if (type.isDynamicDim(axis))
          symbols.insert(dim.getValue());
    }
  if (auto derived = entry->getAttrOfType<DictionaryAttr>(kDerivedAttr))
    for (NamedAttribute symbol : derived)
      symbols.insert(symbol.getName().strref());
  return symbols.takeVector();
}

SmallVector<BlockArgument> mlir::sesame::getSymbolArguments(func::FuncOp entry) {
  SmallVector<BlockArgument> arguments;
  for (unsigned i = 0; i < entry.getNumArguments(); ++i)
    if (entry.getArgAttr(i, kSymbolAttr))
      arguments.push_back(entry.getArgument(i));
  return arguments;
}

OpFoldResult mlir::sesame::getArgumentExtent(func::FuncOp entry, unsigned index, int64_t axis) {
  auto type = dyn_cast<ShapedType>(entry.getArgument(index).getType());
  if (!type || !type.hasRank() || axis >= type.getRank())
    return {};
  Builder builder(entry.getContext());
  if (!type.isDynamicDim(axis))
    return builder.getIndexAttr(type.getDimSize(axis));
  auto dims = entry.getArgAttrOfType<ArrayAttr>(index, kDimsAttr);
  if (!dims || static_cast<int64_t>(dims.size()) != type.getRank())
    return {};
  auto dim = dyn_cast<StringAttr>(dims[axis]);
  if (!dim)
    return {};
  for (unsigned i = 0; i < entry.getNumArguments(); ++i)
    if (auto symbol = entry.getArgAttrOfType<StringAttr>(i, kSymbolAttr))
      if (symbol == dim)
        return Value(entry.getArgument(i));
  return {};
}

std::optional<int64_t> mlir::sesame::evaluateWorkspace(func::FuncOp workspace, ArrayRef<int64_t> symbols) {
  if (workspace.getNumArguments() != symbols.size() || !workspace.getBody().hasOneBlock())
    return std::nullopt;
  FoldEvaluator evaluator;
  for (auto [argument, value] : llvm::zip_equal(workspace.getArguments(), symbols))
    evaluator.set(argument, value);
  return evaluator.evaluate(workspace.getBody().front().getTerminator()->getOperand(0));
}
