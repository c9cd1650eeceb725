//===- Interface.cpp - The compiler library's functions ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compile.h"
#include "Compiler.h"
#include "Source.h"

#include "sesame/Dialect/SesameDialect.h"
#include "support/DType.h"
#include "support/Error.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdio>
#include <filesystem>

using namespace mlir;

namespace sesame {

static void importToText(const ImportOptions &options) {
  DialectRegistry registry;
  registerCompilerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  Source source = openSource(options.source, context);
  for (const std::string &note : source.notes)
    llvm::errs() << "sesame: note: " << note << "\n";
  // The module remembers where its weights are, so that it can be compiled from any place.
  if (!source.checkpointDirectory.empty()) {
    NamedAttrList description((*source.module)->getAttrOfType<DictionaryAttr>("sesame.model"));
    description.set(
        "checkpoint",
        StringAttr::get(&context,
                        std::filesystem::absolute(source.checkpointDirectory).lexically_normal().string()));
    (*source.module)->setAttr("sesame.model", description.getDictionary(&context));
  }
  if (options.output.empty()) {
    source.module->print(llvm::outs());
    return;
  }
  const std::string partial = options.output + ".partial";
  std::error_code error;
  {
    llvm::raw_fd_ostream stream(partial, error);
    if (!error) {
      source.module->print(stream);
      stream.close();
      error = stream.error();
      stream.clear_error();
    }
  }
  if (!error)
    std::filesystem::rename(partial, options.output, error);
  if (error) {
    std::remove(partial.c_str());
    throw Error(message(options.output, ": cannot write: ", error.message()));
  }
}

static std::string describe(const std::string &path, bool json) {
  DialectRegistry registry;
  registerCompilerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  Source source = openSource(path, context);
  nlohmann::json result = {
      {"model_type", source.modelType}, {"architecture", source.architecture}, {"task", source.task}};
  int64_t parameters = 0;
  nlohmann::json weights = nlohmann::json::array();
  for (auto weight : source.module->getOps<mlir::sesame::WeightOp>()) {
    const int64_t count = weight.getCount();
    parameters += count * weight.getTensorType().getNumElements();
    std::string type;
    llvm::raw_string_ostream(type) << weight.getTensorType();
    weights.push_back({{"name", weight.getSymName().str()}, {"count", count}, {"type", type}});
  }
  nlohmann::json entries = nlohmann::json::array();
  for (auto function : source.module->getOps<func::FuncOp>()) {
    if (!function.isPublic())
      continue;
    std::string type;
    llvm::raw_string_ostream(type) << function.getFunctionType();
    entries.push_back({{"name", function.getSymName().str()}, {"type", type}});
  }
  result["parameters"] = parameters;
  result["weights"] = weights;
  result["entries"] = entries;
  if (json)
    return result.dump(2) + "\n";
  std::string text = message("model        ", source.modelType, " (", source.architecture, "), ", source.task,
                             "\nparameters   ", parameters, "\n");
  for (const auto &entry : entries)
    text += message("entry        ", entry["name"].get<std::string>(), " ", entry["type"].get<std::string>(),
                    "\n");
  for (const auto &weight : weights)
    text += message("weight       ", weight["count"].get<int64_t>(), " x ", weight["type"].get<std::string>(),
                    " ", weight["name"].get<std::string>(), "\n");
  return text;
}

} // namespace sesame

extern "C" __attribute__((visibility("default"))) const ::sesame::CompilerInterface *
sesame_compiler_interface() {
  static const ::sesame::CompilerInterface interface = {::sesame::compileBundle, ::sesame::importToText,
                                                        ::sesame::describe};
  return &interface;
}
