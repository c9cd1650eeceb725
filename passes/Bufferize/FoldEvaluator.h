//===- FoldEvaluator.h - The value of index arithmetic ---------------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_BUFFERIZE_FOLDEVALUATOR_H
#define SESAME_BUFFERIZE_FOLDEVALUATOR_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"

#include <optional>

namespace mlir::sesame {

/// Evaluates straight-line index arithmetic by the folders of its operations, given the values of its leaves.
class FoldEvaluator {
public:
  void set(Value value, int64_t number) {
    values[value] = IntegerAttr::get(IndexType::get(value.getContext()), number);
  }

  /// The value of `value`, or nothing if an operation on the way does not fold to an integer.
  std::optional<int64_t> evaluate(Value value) {
    Attribute attribute = find(value);
    if (auto integer = dyn_cast_or_null<IntegerAttr>(attribute))
      return integer.getValue().getSExtValue();
    return std::nullopt;
  }

private:
  Attribute find(Value value) {
    auto known = values.find(value);
    if (known != values.end())
      return known->second;
    Operation *op = value.getDefiningOp();
    if (!op || op->getNumResults() != 1 || op->getNumRegions() != 0)
      return {};
    Attribute constant;
    if (!matchPattern(op, m_Constant(&constant))) {
      SmallVector<Attribute> operands;
      for (Value operand : op->getOperands()) {
        operands.push_back(find(operand));
        if (!operands.back())
          return {};
      }
      SmallVector<OpFoldResult> results;
      if (failed(op->fold(operands, results)) || results.size() != 1)
        return {};
      if (auto folded = dyn_cast<Value>(results.front()))
        constant = find(folded);
      else
        constant = cast<Attribute>(results.front());
    }
    values[value] = constant;
    return constant;
  }

  llvm::DenseMap<Value, Attribute> values;
};

} // namespace mlir::sesame

#endif // SESAME_BUFFERIZE_FOLDEVALUATOR_H
