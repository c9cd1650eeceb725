//===- Explain.h - sesame compile --explain ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_COMPILER_EXPLAIN_H
#define SESAME_COMPILER_EXPLAIN_H

#include "OpTable.h"
#include "Workload.h"

#include "mlir/IR/BuiltinOps.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
}

namespace sesame {

struct CodegenOptions;
struct Manifest;

/// Collects the optimisation remarks of the passes (mlir/IR/Remarks.h) from the moment it is made.
class FusionReport {
public:
  explicit FusionReport(mlir::MLIRContext &context);

  const std::vector<std::string> &remarks() const { return *lines; }

private:
  std::shared_ptr<std::vector<std::string>> lines;
};

struct CostReportOptions {
  std::string bundle;
  WorkloadShape shape;
  int numThreads = 0;
  bool json = false;
};

/// Prints the remarks, and what each operation costs in each way of calling the entries: flops, bytes of
/// weights and activations, the time at the machine's rates, and if this machine can run the bundle the
/// measured time. `show` is told what is going on.
void printCostReport(const std::vector<std::string> &remarks, const Manifest &manifest, const OpTable &table,
                     const CodegenOptions &target, const CostReportOptions &options,
                     llvm::raw_ostream &stream, const std::function<void(const std::string &)> &show);

} // namespace sesame

#endif // SESAME_COMPILER_EXPLAIN_H
