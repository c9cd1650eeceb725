//===- Explain.cpp - sesame compile --explain ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Explain.h"

#include "sesame/Dialect/SesameDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/TypeSwitch.h"
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

struct Cost {
  double flops = 0, bytes = 0;
};
} // namespace

FusionReport::FusionReport(MLIRContext &context) : lines(std::make_shared<std::vector<std::string>>()) {
  remark::RemarkCategories categories{"sesame.*", std::nullopt, std::nullopt, std::nullopt, std::nullopt};
  // Fails only when an engine is there already, and the context is new.
  (void)remark::enableOptimizationRemarks(context, std::make_unique<Collector>(lines),
                                          std::make_unique<remark::RemarkEmittingPolicyAll>(), categories);
}

/// Extents with B = 1 and every other dynamic one 128.
static double numElements(Type type) {
  double product = 1;
  auto shaped = cast<ShapedType>(type);
  for (auto [axis, extent] : llvm::enumerate(shaped.getShape()))
    product *= ShapedType::isDynamic(extent) ? (axis == 0 ? 1 : 128) : extent;
  return product;
}

static double numBytes(Type type) {
  return numElements(type) * cast<ShapedType>(type).getElementTypeBitWidth() / 8;
}

static Cost estimate(Operation *op) {
  Cost cost;
  for (Value operand : op->getOperands())
    if (isa<ShapedType>(operand.getType()) && !isa<mlir::sesame::EmbeddingOp>(op))
      cost.bytes += numBytes(operand.getType());
  for (Value result : op->getResults())
    cost.bytes += numBytes(result.getType());
  const double out = numElements(op->getResult(0).getType());
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](mlir::sesame::LinearOp linear) {
        cost.flops = 2 * out * cast<ShapedType>(linear.getInput().getType()).getShape().back();
      })
      .Case([&](mlir::sesame::GatedLinearOp linear) {
        cost.flops = 4 * out * cast<ShapedType>(linear.getInput().getType()).getShape().back();
      })
      .Case([&](mlir::sesame::AttentionOp attention) {
        ArrayRef<int64_t> keys = attention.getKey().getType().getShape();
        const double length = ShapedType::isDynamic(keys[2]) ? 128 : keys[2];
        cost.flops = 2 * length * (numElements(attention.getQuery().getType()) + out) *
                     (attention.getCausal() ? 0.5 : 1);
      })
      .Case<mlir::sesame::LayerNormOp, mlir::sesame::RMSNormOp>([&](auto) { cost.flops = 8 * out; })
      .Default([&](Operation *) { cost.flops = out; });
  return cost;
}

void FusionReport::print(ModuleOp module, llvm::raw_ostream &stream) const {
  stream << "Optimisations\n";
  for (const std::string &line : *lines)
    stream << "  " << line << "\n";
  if (lines->empty())
    stream << "  none\n";
  stream << "\nCost of each operation, for 1 row of 128 positions\n"
         << "  function         operation               flops        bytes   flops/byte  result\n";
  for (auto function : module.getOps<func::FuncOp>())
    function.walk([&](Operation *op) {
      if (op->getName().getDialectNamespace() != "sesame" || op->getNumResults() == 0 ||
          isa<mlir::sesame::GetWeightOp>(op) || !isa<ShapedType>(op->getResult(0).getType()))
        return;
      const Cost cost = estimate(op);
      stream << "  " << llvm::left_justify(function.getSymName(), 16) << " "
             << llvm::left_justify(op->getName().stripDialect(), 18)
             << llvm::format("%11.4g  %11.4g  %11.2f  ", cost.flops, cost.bytes, cost.flops / cost.bytes)
             << op->getResult(0).getType() << "\n";
    });
}

} // namespace sesame
