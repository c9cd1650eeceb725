//===- sesame-reduce.cpp - Makes a failing .mlir file small ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/BufferizableOpInterfaceImpl.h"
#include "sesame/Passes/Passes.h"
#include "sesame/Passes/Pipelines.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<mlir::sesame::SesameDialect>();
  mlir::sesame::registerBufferizableOpInterfaceExternalModels(registry);
  // `--opt-reduction-pass` takes any pass or pipeline.
  mlir::registerAllPasses();
  mlir::sesame::registerSesamePasses();
  mlir::sesame::registerPipelines();
  mlir::MLIRContext context(registry);
  return mlir::failed(mlir::mlirReduceMain(argc, argv, context));
}
