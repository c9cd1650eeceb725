//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnnxImport.h"

#include "Translator.h"

#include "support/Error.h"

#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace sesame::onnx {

OwningOpRef<ModuleOp> importOnnx(const std::string &path, MLIRContext &context, importer::ModelInfo *info) {
  Model model(path);
  Translator translator(context, model);
  OwningOpRef<ModuleOp> module = translator.run();
  Builder attributes(&context);
  auto text = [&](const char *name, const char *value) {
    return attributes.getNamedAttr(name, attributes.getStringAttr(value));
  };
  module.get()->setAttr("sesame.model", attributes.getDictionaryAttr({text("model_type", "onnx"),
                                                                      text("architecture", "OnnxModel"),
                                                                      text("task", "onnx")}));
  std::string diagnostics;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    diagnostics += (diagnostics.empty() ? "" : "; ") + diagnostic.str();
  });
  PassManager passes(&context);
  passes.addPass(memref::createResolveShapedTypeResultDimsPass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  if (failed(verify(*module)) || failed(passes.run(*module)))
    throw Error(message(path, ": the module built from it is not valid: ", diagnostics));
  // Weights of nodes that patterns replaced, and constants that nobody reads.
  for (auto weight : llvm::make_early_inc_range(module->getOps<mlir::sesame::WeightOp>()))
    if (SymbolTable::symbolKnownUseEmpty(weight, *module))
      weight.erase();
  if (info) {
    info->modelType = "onnx";
    info->architecture = "OnnxModel";
    info->task = "onnx";
    std::string raised;
    for (const auto &[name, count] : translator.raised)
      raised += message(raised.empty() ? "" : ", ", count, " ", name);
    if (!raised.empty())
      info->notes.push_back("raised from primitive nodes: " + raised);
  }
  return module;
}

} // namespace sesame::onnx
