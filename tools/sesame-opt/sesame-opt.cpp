//===----------------------------------------------------------------------===//
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

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<mlir::sesame::SesameDialect>();
  mlir::sesame::registerBufferizableOpInterfaceExternalModels(registry);
  mlir::registerAllPasses();
  mlir::sesame::registerSesamePasses();
  mlir::sesame::registerPipelines();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Sesame optimizer driver\n", registry));
}
