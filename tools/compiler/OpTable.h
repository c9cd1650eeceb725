//===- OpTable.h - Names and costs of operations, for the profiler ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_COMPILER_OPTABLE_H
#define SESAME_COMPILER_OPTABLE_H

#include "Polynomial.h"

#include "io/Manifest.h"

#include "mlir/IR/BuiltinOps.h"

#include <vector>

namespace sesame {

/// What an operation costs in a call of one entry, all its executions together.
struct OpCost {
  size_t op;                      ///< Its number in the manifest's table.
  std::string entry, layer;       ///< The public function, and the one it is written in.
  std::string type;               ///< "[B, S, 768] f32"
  std::string arithmetic = "f32"; ///< Type of the multiply-adds: "f32", "bf16" or "int8".
  Polynomial times;               ///< How often it runs.
  Polynomial flops, weightBytes, activationBytes;
};

struct OpTable {
  std::vector<Manifest::Op> ops;
  std::vector<OpCost> costs;               ///< In the order of execution, entry by entry.
  std::vector<Polynomial> activationBytes; ///< Of one execution of each of `ops`.
};

/// Numbers the operations that the entries execute and returns the manifest's table of them. An operation's
/// number becomes the metadata of its location (a fused one), which the passes hand on to whatever they make
/// of it; `sesame-outline-parallel` calls the profile hook with it. Flops and bytes are of one execution.
/// `module` is as `sesame-optimize` leaves it.
OpTable numberOps(mlir::ModuleOp module);

/// Corrects the table by what `sesame-tile-cpu` made of the module: the bytes of the weights as they are
/// packed, and the type in which products are made.
void readPackedWeights(mlir::ModuleOp module, OpTable &table);

} // namespace sesame

#endif // SESAME_COMPILER_OPTABLE_H
