//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/Passes.h"

#include "llvm/Support/CheckedArithmetic.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_PLANWEIGHTSPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

namespace {
/// One cache line, and the widest vector: a panel's loads never cross a line.
constexpr int64_t alignmentInBytes = 64;

class PlanWeightsPass : public sesame::impl::PlanWeightsPassBase<PlanWeightsPass> {
  void runOnOperation() override {
    int64_t offset = 0;
    for (WeightOp weight : getOperation().getOps<WeightOp>()) {
      int64_t stride = llvm::alignTo(weight.getSizeInBytes(), alignmentInBytes);
      std::optional<int64_t> size = llvm::checkedMul(stride, static_cast<int64_t>(weight.getCount()));
      std::optional<int64_t> end = size ? llvm::checkedAdd(offset, *size) : std::nullopt;
      if (!end) {
        weight.emitOpError("lies beyond the end of a 64-bit weight file");
        return signalPassFailure();
      }
      weight.setOffset(offset);
      weight.setStride(stride);
      offset = *end;
    }
  }
};
} // namespace
