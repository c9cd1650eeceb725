//===- FinishModule.h - What every front end does last ----------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_FINISHMODULE_H
#define SESAME_IMPORT_FINISHMODULE_H

#include "Import.h"

#include <string>

namespace sesame::importer {

/// Says in `sesame.model` what the module is, verifies it, and states every extent once, in terms of the
/// entries' arguments. Throws Error, naming `path`, if the module is not valid: what a file can say wrong is
/// checked before, so that is a fault of the front end.
void finishModule(mlir::ModuleOp module, const ModelInfo &info, const std::string &path);

} // namespace sesame::importer

#endif // SESAME_IMPORT_FINISHMODULE_H
