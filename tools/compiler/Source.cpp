//===- Source.cpp - What a command is given to compile ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Source.h"

#include "import/Import.h"
#include "import/onnx/OnnxImport.h"
#include "support/Error.h"
#include "support/Json.h"
#include "support/MappedFile.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"

#include <filesystem>

using namespace mlir;

namespace sesame {

DiagnosticCollector::DiagnosticCollector(MLIRContext &context) : context(context) {
  handler = context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error) {
      if (firstError.empty()) {
        llvm::raw_string_ostream stream(firstError);
        if (auto place = diagnostic.getLocation()->findInstanceOf<FileLineColLoc>())
          stream << place.getFilename().getValue() << ":" << place.getLine() << ":" << place.getColumn()
                 << ": ";
        stream << diagnostic.str();
      }
      return success();
    }
    return success(diagnostic.getSeverity() == DiagnosticSeverity::Note);
  });
}

DiagnosticCollector::~DiagnosticCollector() { context.getDiagEngine().eraseHandler(handler); }

void DiagnosticCollector::fail(const std::string &fallback) const {
  throw Error(firstError.empty() ? fallback : firstError);
}

static Source openModule(const std::string &path, MLIRContext &context) {
  Source source;
  DiagnosticCollector diagnostics(context);
  ParserConfig config(&context);
  source.module = parseSourceFile<ModuleOp>(path, config);
  if (!source.module)
    diagnostics.fail(message(path, ": is no valid MLIR module"));
  auto description = (*source.module)->getAttrOfType<DictionaryAttr>("sesame.model");
  auto get = [&](const char *name) {
    auto text = description ? description.getAs<StringAttr>(name) : StringAttr();
    return text ? text.str() : std::string();
  };
  source.modelType = get("model_type");
  source.architecture = get("architecture");
  source.task = get("task");
  source.checkpoint = get("checkpoint");
  std::error_code ignored;
  if (std::filesystem::is_directory(source.checkpoint, ignored))
    source.companions = source.checkpoint;
  return source;
}

/// What an import leaves beside the module.
static void describe(Source &source, const importer::ModelInfo &info) {
  source.modelType = info.modelType;
  source.architecture = info.architecture;
  source.task = info.task;
  source.config = importer::toJson(info);
  source.notes = info.notes;
  if (source.companions.empty())
    return;
  const std::string generation = source.companions + "/generation_config.json";
  std::error_code ignored;
  if (std::filesystem::exists(generation, ignored))
    source.generation = parseJson(generation, readTextFile(generation));
}

static Source openCheckpoint(const std::string &path, MLIRContext &context) {
  Source source;
  source.checkpoint = source.companions = path;
  importer::ModelInfo info;
  DiagnosticCollector diagnostics(context);
  source.module = importer::importCheckpoint(path, context, {}, &info);
  if (!source.module)
    diagnostics.fail(message(path, ": cannot import"));
  describe(source, info);
  return source;
}

static Source openOnnx(const std::string &path, const std::string &companions, MLIRContext &context) {
  Source source;
  source.checkpoint = path;
  source.companions = companions;
  importer::ModelInfo info;
  DiagnosticCollector diagnostics(context);
  source.module = onnx::importOnnx(path, context, &info);
  if (!source.module)
    diagnostics.fail(message(path, ": cannot import"));
  describe(source, info);
  return source;
}

/// Whether a directory's weights are those of its model.onnx.
static bool holdsOnnx(const std::string &directory) {
  auto holds = [&](const char *name) { return pathExists(joinPath(directory, name)); };
  return holds("model.onnx") && !holds("model.safetensors") && !holds("model.safetensors.index.json");
}

Source openSource(const std::string &path, MLIRContext &context) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return holdsOnnx(path) ? openOnnx(joinPath(path, "model.onnx"), path, context)
                           : openCheckpoint(path, context);
  if (!std::filesystem::exists(path, ignored))
    throw Error(message(path, ": no such file or directory"));
  const std::string extension = std::filesystem::path(path).extension().string();
  if (extension == ".onnx")
    return openOnnx(path, "", context);
  if (extension != ".mlir" && extension != ".mlirbc")
    throw Error(message(path, ": expected a checkpoint directory, an .onnx or an .mlir file"));
  return openModule(path, context);
}

} // namespace sesame
