//===- Source.h - What a command is given to compile ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_COMPILER_SOURCE_H
#define SESAME_COMPILER_SOURCE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sesame {

/// A module of the sesame dialect and what belongs beside it.
struct Source {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// Where the weights' recipes read from: a checkpoint directory or an .onnx file; empty for an .mlir file
  /// without weights.
  std::string checkpoint;
  /// The directory with the tokenizer's and the tasks' files; empty if there is none.
  std::string companions;
  std::string modelType, architecture, task;
  /// The manifest's "config" and "generation" objects.
  nlohmann::json config = nlohmann::json::object(), generation = nlohmann::json::object();
  /// Remarks for the user.
  std::vector<std::string> notes;
};

/// Opens a checkpoint directory (one that holds a model.onnx and no safetensors is read as that file), an
/// .onnx or an .mlir file. Throws Error if it is none of these, or not a valid one.
Source openSource(const std::string &path, mlir::MLIRContext &context);

/// Registers every dialect that a source or a pipeline uses, with its interfaces' external models.
void registerCompilerDialects(mlir::DialectRegistry &registry);

/// Collects what MLIR reports while it lives, so that a failure becomes one sesame::Error with the first
/// error's place and text.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(mlir::MLIRContext &context);
  ~DiagnosticCollector();
  /// The first error, or `fallback` if none was reported.
  [[noreturn]] void fail(const std::string &fallback) const;

private:
  mlir::MLIRContext &context;
  uint64_t handler;
  std::string firstError;
};

} // namespace sesame

#endif // SESAME_COMPILER_SOURCE_H
