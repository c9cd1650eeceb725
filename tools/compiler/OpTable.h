//===- OpTable.h - Names and costs of operations, for the profiler ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_COMPILER_OPTABLE_H
#define SESAME_COMPILER_OPTABLE_H

#include "io/Manifest.h"

#include "mlir/IR/BuiltinOps.h"

#include <vector>

namespace sesame {

/// Numbers the operations that the entries execute and returns the manifest's table of them. An operation's
/// number becomes the metadata of its location (a fused one), which the passes hand on to whatever they make
/// of it; `sesame-outline-parallel` calls the profile hook with it. Flops and bytes are of one execution.
/// `module` is as `sesame-optimize` leaves it.
std::vector<Manifest::Op> numberOps(mlir::ModuleOp module);

} // namespace sesame

#endif // SESAME_COMPILER_OPTABLE_H
