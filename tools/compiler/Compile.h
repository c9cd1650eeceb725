//===- Compile.h - From a source to a bundle ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_COMPILER_COMPILE_H
#define SESAME_COMPILER_COMPILE_H

#include "WeightProgram.h"

#include "io/Manifest.h"
#include "sesame/Passes/Pipelines.h"

#include "mlir/IR/BuiltinOps.h"

#include <functional>
#include <string>

namespace sesame {

struct CodegenOptions;
struct CompileOptions;

/// `sesame compile`. Throws Error; then nothing stands at the output's path that was not there before.
void compileBundle(const CompileOptions &options);

/// The file of a bundle that holds the module its code was made of, as `sesame-optimize` left it: `sesame
/// tune` makes other code of it.
inline constexpr const char *bundleModuleFile = "model.mlir";

/// Everything that is chosen between the module and its code: what the manifest's "code" holds, as text of
/// the pipelines' options.
struct CodeOptions {
  mlir::sesame::TileOptions tile;
  mlir::sesame::LoweringOptions lowering;
};

/// Runs a pipeline. Throws Error with what it reported.
void runStage(mlir::ModuleOp module, const char *stage,
              llvm::function_ref<void(mlir::OpPassManager &)> build);

/// Compiles a module that `sesame-tile-cpu` made to a shared library. `dump` is called with the module after
/// each stage, the stage's name, and the command that repeats it.
using DumpStage = std::function<void(mlir::ModuleOp module, const char *stage, const std::string &command)>;
void compileCode(mlir::ModuleOp module, const CodegenOptions &codegen,
                 const mlir::sesame::LoweringOptions &options, const std::string &path, const DumpStage &dump,
                 const std::string &dumpDirectory);

/// The weights of a module and their recipes as text: what another context needs of it.
std::string printWeights(mlir::ModuleOp module);

/// Runs the recipes and writes the weights to `path`; fills in their size and checksum.
void writeWeights(const std::string &recipes, const mlir::DialectRegistry &registry,
                  const std::string &checkpointPath, const std::string &path, Manifest::Weights &weights,
                  const WeightProgress &progress);

} // namespace sesame

#endif // SESAME_COMPILER_COMPILE_H
