//===- Dataflow.h - What the operations of an entry compute, and what it costs ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_COMPILER_DATAFLOW_H
#define SESAME_COMPILER_DATAFLOW_H

#include "Polynomial.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace sesame {

/// One operation of an entry, or one of its inputs or outputs, in the order of execution; functions are
/// followed, the body of a loop stands once.
struct Node {
  enum Kind { input, operation, output } kind = operation;
  mlir::Operation *op = nullptr;    ///< Null for inputs and outputs.
  std::string name;                 ///< "linear", "attention"; or the input's or output's name
  std::string function;             ///< The function it is written in.
  std::vector<std::string> weights; ///< Names of the weights it reads.
  std::vector<Polynomial> shape;    ///< Of its first result.
  std::string elementType;          ///< "f32"
  std::vector<size_t> producers;    ///< Nodes that its operands come from, through reshapes and slices.
  std::vector<size_t> loops;        ///< Loops it stands in, outermost first: indices of Dataflow::loops.
  Polynomial times = 1;             ///< How often it runs in a call of the entry.
  /// Of one execution. A multiply-add counts as two; attention counts every key, masked or not. Bytes are
  /// those of operands and results, each once; of an embedding's tables the rows that are read.
  Polynomial flops, bytes;
  /// The part of `bytes` that is weights.
  Polynomial weightBytes;

  /// "[B, S, 768] f32"
  std::string type() const;
};

struct Loop {
  Polynomial tripCount;
};

struct Dataflow {
  std::string entry;
  std::vector<Node> nodes;
  std::vector<Loop> loops;

  /// Of a call of the entry.
  Polynomial flops() const;
};

/// Follows `entry`, a public function with the attributes of docs/architecture.md, section 1, or any function
/// on tensors. Extents are named by `sesame.dims`; one that cannot be told is "?". Leaves the module's
/// meaning as it is but adds dead index arithmetic: give it a copy.
Dataflow analyzeEntry(mlir::func::FuncOp entry);

/// Calls `visit` with every operation of the public entries of a copy of `module`.
void forEachOperation(mlir::ModuleOp module,
                      llvm::function_ref<void(llvm::StringRef entry, const Node &node)> visit);

} // namespace sesame

#endif // SESAME_COMPILER_DATAFLOW_H
