//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_FINISHMODULEPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;

/// SESAME_ABI_VERSION of runtime/include/sesame/abi.h.
static constexpr int64_t kAbiVersion = 1;
static constexpr llvm::StringLiteral kAbiVersionName = "sesame_abi_version";

namespace {
struct FinishModulePass : sesame::impl::FinishModulePassBase<FinishModulePass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    for (auto weight : llvm::make_early_inc_range(module.getOps<sesame::WeightOp>()))
      weight.erase();
    SmallVector<StringAttr> names;
    for (NamedAttribute attribute : module->getDiscardableAttrs())
      if (attribute.getName().getValue().starts_with("sesame."))
        names.push_back(attribute.getName());
    for (StringAttr name : names)
      module->removeDiscardableAttr(name);

    for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
      for (NamedAttribute attribute : llvm::to_vector(function->getDiscardableAttrs()))
        if (attribute.getName().getValue().starts_with("sesame."))
          function->removeDiscardableAttr(attribute.getName());
      for (unsigned i = 0; i < function.getNumArguments(); ++i)
        for (NamedAttribute attribute :
             function.getArgAttrDict(i) ? function.getArgAttrDict(i).getValue() : ArrayRef<NamedAttribute>())
          if (attribute.getName().getValue().starts_with("sesame."))
            function.removeArgAttr(i, attribute.getName());
      if (!function.isExternal() && !function.getName().starts_with("sesame_entry_"))
        function.setLinkage(LLVM::Linkage::Internal);
    }
    for (auto global : module.getOps<LLVM::GlobalOp>())
      if (global.getName() != kAbiVersionName)
        global.setLinkage(LLVM::Linkage::Internal);
    if (!module.lookupSymbol(kAbiVersionName)) {
      OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
      LLVM::GlobalOp::create(builder, module.getLoc(), builder.getI64Type(), /*isConstant=*/true,
                             LLVM::Linkage::External, kAbiVersionName,
                             builder.getI64IntegerAttr(kAbiVersion));
    }
  }
};
} // namespace
