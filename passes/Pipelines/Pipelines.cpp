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
struct TilePipelineOptions : PassPipelineOptions<TilePipelineOptions> {
  Option<int64_t> panelWidth{*this, "panel-width", llvm::cl::desc("columns of a weight panel: two vector registers"),
                             llvm::cl::init(32)};
};

struct LoweringPipelineOptions : PassPipelineOptions<LoweringPipelineOptions> {
  Option<int64_t> vectorLanes{*this, "vector-lanes", llvm::cl::desc("f32 lanes of a vector register: 16, 8 or 4"),
                              llvm::cl::init(16)};
};
} // namespace

void mlir::sesame::registerPipelines() {
  PassPipelineRegistration<>("sesame-optimize", "Sesame ops to fewer and larger sesame ops",
                             [](OpPassManager &pm) { buildOptimize(pm); });
  PassPipelineRegistration<TilePipelineOptions>(
      "sesame-tile-cpu", "Sesame ops to packed weights and parallel loops over kernel tiles",
      [](OpPassManager &pm, const TilePipelineOptions &options) {
        TileOptions tile;
        tile.panelWidth = options.panelWidth;
        buildTileCpu(pm, tile);
      });
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
