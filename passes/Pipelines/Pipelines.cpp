//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Passes/Pipelines.h"

#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;

namespace {
struct LoweringPipelineOptions : PassPipelineOptions<LoweringPipelineOptions> {
  Option<int64_t> vectorLanes{*this, "vector-lanes", llvm::cl::desc("f32 lanes of a vector register: 16, 8 or 4"),
                              llvm::cl::init(16)};
};
} // namespace

void mlir::sesame::registerPipelines() {
  PassPipelineRegistration<>("sesame-bufferize", "Tensors to memrefs in callers' buffers and one arena",
                             [](OpPassManager &pm) { buildBufferize(pm); });
  PassPipelineRegistration<LoweringPipelineOptions>(
      "sesame-lower-to-llvm", "Memrefs with kernel ops to the LLVM dialect with the C interface",
      [](OpPassManager &pm, const LoweringPipelineOptions &options) {
        LoweringOptions lowering;
        lowering.vectorLanes = options.vectorLanes;
        buildLowerToLLVM(pm, lowering);
      });
}
