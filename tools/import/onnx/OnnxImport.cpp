//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnnxImport.h"

#include "Translator.h"

#include "import/FinishModule.h"
#include "support/Error.h"

#include "mlir/IR/SymbolTable.h"

using namespace mlir;

namespace sesame::onnx {

OwningOpRef<ModuleOp> importOnnx(const std::string &path, MLIRContext &context, importer::ModelInfo *info) {
  Model model(path);
  Translator translator(context, model);
  OwningOpRef<ModuleOp> module = translator.run();
  importer::ModelInfo about;
  about.modelType = about.task = "onnx";
  about.architecture = "OnnxModel";
  importer::finishModule(*module, about, path);
  // Weights of nodes that patterns replaced, and constants that nobody reads.
  for (auto weight : llvm::make_early_inc_range(module->getOps<mlir::sesame::WeightOp>()))
    if (SymbolTable::symbolKnownUseEmpty(weight, *module))
      weight.erase();
  std::string raised;
  for (const auto &[name, count] : translator.raised)
    raised += message(raised.empty() ? "" : ", ", count, " ", name);
  if (!raised.empty())
    about.notes.push_back("raised from primitive nodes: " + raised);
  if (info)
    *info = std::move(about);
  return module;
}

} // namespace sesame::onnx
