//===- ParallelOrder.h - In what order a thread runs its tasks ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_PASSES_PARALLELORDER_H
#define SESAME_PASSES_PARALLELORDER_H

#include "llvm/ADT/StringRef.h"

namespace mlir::sesame {

/// Unit attribute of an `scf.forall` in a loop: in every other iteration of the loop each thread runs its
/// part of the tasks from the last to the first. What the iteration before read last, and so is still in the
/// core's own cache, is then read first. The loop counts from 0 in steps of 1.
inline constexpr llvm::StringLiteral kAlternatesAttr = "sesame.alternates";

} // namespace mlir::sesame

#endif // SESAME_PASSES_PARALLELORDER_H
