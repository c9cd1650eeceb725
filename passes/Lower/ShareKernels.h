//===- ShareKernels.h - One function for kernels of several parallel bodies ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_LOWER_SHAREKERNELS_H
#define SESAME_LOWER_SHAREKERNELS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::sesame {

/// Kernel ops of `bodies` that agree but for the strides of their memrefs, such as attention over a cache and
/// over keys just made, become calls of one function each, so that they are lowered and compiled once.
/// Strides that agree stay static. A kernel without a sister stays where it is.
void shareKernels(ModuleOp module, ArrayRef<func::FuncOp> bodies);

} // namespace mlir::sesame

#endif // SESAME_LOWER_SHAREKERNELS_H
