//===- Dialects.cpp - The dialects of sources and pipelines ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Source.h"

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/BufferizableOpInterfaceImpl.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"

void sesame::registerCompilerDialects(mlir::DialectRegistry &registry) {
  // Everything upstream has: an .mlir source may use any of it, and a dialect costs nothing until it is
  // loaded.
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllToLLVMIRTranslations(registry);
  registry.insert<mlir::sesame::SesameDialect>();
  mlir::sesame::registerBufferizableOpInterfaceExternalModels(registry);
}
