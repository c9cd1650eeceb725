//===- Explain.h - sesame compile --explain ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_COMPILER_EXPLAIN_H
#define SESAME_COMPILER_EXPLAIN_H

#include "mlir/IR/BuiltinOps.h"

#include <memory>
#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
}

namespace sesame {

/// Collects the optimisation remarks of the passes (mlir/IR/Remarks.h) from the moment it is made, and prints
/// them together with what each operation of the optimised module costs.
class FusionReport {
public:
  explicit FusionReport(mlir::MLIRContext &context);

  /// The remarks so far, then one line for each operation of each entry of `module`: how often it runs, its
  /// flops, the bytes it moves at least once, flops per byte, for one row of 128 positions.
  void print(mlir::ModuleOp module, llvm::raw_ostream &stream) const;

private:
  std::shared_ptr<std::vector<std::string>> lines;
};

} // namespace sesame

#endif // SESAME_COMPILER_EXPLAIN_H
