//===- FinishModule.cpp - What every front end does last ------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FinishModule.h"

#include "support/Error.h"

#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace sesame::importer {

void finishModule(ModuleOp module, const ModelInfo &info, const std::string &path) {
  MLIRContext *context = module.getContext();
  Builder attributes(context);
  auto text = [&](const char *name, const std::string &value) {
    return attributes.getNamedAttr(name, attributes.getStringAttr(value));
  };
  module->setAttr("sesame.model", attributes.getDictionaryAttr({text("model_type", info.modelType),
                                                                text("architecture", info.architecture),
                                                                text("task", info.task)}));
  std::string diagnostics;
  ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
    diagnostics += (diagnostics.empty() ? "" : "; ") + diagnostic.str();
  });
  // Builders ask for extents wherever they need them; said once, they can be read.
  PassManager passes(context);
  passes.addPass(memref::createResolveShapedTypeResultDimsPass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  if (failed(verify(module)) || failed(passes.run(module)))
    throw Error(message(path, ": the module built from it is not valid: ", diagnostics));
}

} // namespace sesame::importer
