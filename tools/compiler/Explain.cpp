//===- Explain.cpp - sesame compile --explain ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Explain.h"

#include "Dataflow.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace sesame {

namespace {
class Collector final : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit Collector(std::shared_ptr<std::vector<std::string>> lines) : lines(std::move(lines)) {}

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    std::string line;
    llvm::raw_string_ostream stream(line);
    stream << llvm::left_justify(remark.getRemarkTypeString().ltrim("!").lower(), 9)
           << llvm::left_justify(remark.getRemarkName(), 30) << llvm::left_justify(remark.getFunction(), 16);
    for (const remark::detail::Remark::Arg &argument : remark.getArgs())
      stream << (argument.key == "Remark" ? "" : argument.key + "=") << argument.val << " ";
    while (!line.empty() && line.back() == ' ')
      line.pop_back();
    lines->push_back(std::move(line));
  }

private:
  std::shared_ptr<std::vector<std::string>> lines;
};

} // namespace

FusionReport::FusionReport(MLIRContext &context) : lines(std::make_shared<std::vector<std::string>>()) {
  remark::RemarkCategories categories{"sesame.*", std::nullopt, std::nullopt, std::nullopt, std::nullopt};
  // Fails only when an engine is there already, and the context is new.
  (void)remark::enableOptimizationRemarks(context, std::make_unique<Collector>(lines),
                                          std::make_unique<remark::RemarkEmittingPolicyAll>(), categories);
}

/// B and everything else that is no length count as 1.
static double valueOf(const std::string &symbol) {
  return symbol == "S" || symbol == "T" || symbol == "C" ? 128 : 1;
}

void FusionReport::print(ModuleOp module, llvm::raw_ostream &stream) const {
  stream << "Optimisations\n";
  for (const std::string &line : *lines)
    stream << "  " << line << "\n";
  if (lines->empty())
    stream << "  none\n";
  stream << "\nCost of each operation, with S = T = C = 128 and all other extents 1\n"
         << "  entry      times  operation               flops        bytes   flops/byte  result\n";
  forEachOperation(module, [&](StringRef entry, const Node &node) {
    const double flops = node.flops.evaluate(valueOf), bytes = node.bytes.evaluate(valueOf);
    stream << "  " << llvm::left_justify(entry, 10) << llvm::format("%6.0f  ", node.times.evaluate(valueOf))
           << llvm::left_justify(node.name, 18)
           << llvm::format("%11.4g  %11.4g  %11.2f  ", flops, bytes, bytes ? flops / bytes : 0) << node.type()
           << "\n";
  });
}

} // namespace sesame
