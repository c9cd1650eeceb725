//===- Partition.cpp - Cuts a module of LLVM IR into parts ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Partition.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include "llvm/Transforms/Utils/ValueMapper.h"

using namespace llvm;

namespace sesame {

/// A part of fewer instructions would cost more to set up than a second thread wins.
static constexpr size_t leastInstructions = 3000;
static constexpr size_t mostParts = 16;
/// A local function of at most so many instructions may be inlined, so each part has it.
static constexpr unsigned smallFunction = 64;

static bool isInEveryPart(const GlobalValue &global) {
  if (!global.hasLocalLinkage())
    return false;
  if (auto *variable = dyn_cast<GlobalVariable>(&global))
    return variable->isConstant();
  auto *function = dyn_cast<Function>(&global);
  return function && function->getInstructionCount() <= smallFunction && !function->hasAddressTaken();
}

/// The part of each function that is in one part only: the largest first, each to the smallest part.
static DenseMap<const GlobalValue *, size_t> assignParts(const Module &module, size_t &parts) {
  std::vector<std::pair<size_t, const Function *>> functions;
  size_t total = 0;
  for (const Function &function : module) {
    if (function.isDeclaration() || isInEveryPart(function))
      continue;
    functions.emplace_back(function.getInstructionCount(), &function);
    total += functions.back().first;
  }
  sort(functions, [](const auto &a, const auto &b) {
    return std::make_pair(a.first, a.second->getName()) > std::make_pair(b.first, b.second->getName());
  });
  parts = std::clamp<size_t>(total / leastInstructions, 1, mostParts);
  std::vector<size_t> sizes(parts);
  DenseMap<const GlobalValue *, size_t> part;
  for (auto [size, function] : functions) {
    size_t smallest = min_element(sizes) - sizes.begin();
    sizes[smallest] += size;
    part[function] = smallest;
  }
  return part;
}

std::vector<SmallVector<char, 0>> partition(Module &module) {
  size_t parts = 0;
  DenseMap<const GlobalValue *, size_t> part = assignParts(module, parts);
  for (GlobalValue &global : module.global_values()) {
    if (global.isDeclaration() || !global.hasLocalLinkage() || isInEveryPart(global))
      continue;
    global.setLinkage(GlobalValue::ExternalLinkage);
    global.setVisibility(GlobalValue::HiddenVisibility);
  }
  std::vector<SmallVector<char, 0>> bitcodes(parts);
  for (size_t i = 0; i < parts; ++i) {
    ValueToValueMapTy map;
    // Variables that are not in every part are in the first.
    std::unique_ptr<Module> clone = CloneModule(module, map, [&](const GlobalValue *global) {
      return isInEveryPart(*global) || part.lookup(global) == i;
    });
    raw_svector_ostream stream(bitcodes[i]);
    WriteBitcodeToFile(*clone, stream);
  }
  return bitcodes;
}

} // namespace sesame
