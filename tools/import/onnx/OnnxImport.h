//===- OnnxImport.h - An ONNX file as a module of sesame ops ----*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_ONNX_ONNXIMPORT_H
#define SESAME_IMPORT_ONNX_ONNXIMPORT_H

#include "import/Import.h"

namespace sesame::onnx {

/// Builds the module that docs/architecture.md describes from an ONNX file: one entry `forward` with the
/// graph's inputs and outputs, weight symbols that read the file's constants by name. docs/onnx.md lists the
/// operators. Throws Error if the file is no valid model, or holds what is not supported.
mlir::OwningOpRef<mlir::ModuleOp> importOnnx(const std::string &path, mlir::MLIRContext &context,
                                             importer::ModelInfo *info = nullptr);

} // namespace sesame::onnx

#endif // SESAME_IMPORT_ONNX_ONNXIMPORT_H
