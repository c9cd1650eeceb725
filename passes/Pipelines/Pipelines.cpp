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
  Option<int64_t> panelWidth{*this, "panel-width",
                             llvm::cl::desc("columns of a weight panel: two vector registers"),
                             llvm::cl::init(32)};
  Option<std::string> weightType{*this, "weight-type",
                                 llvm::cl::desc("type of the panels' numbers: f32, bf16, f16 or int8"),
                                 llvm::cl::init("f32")};
  Option<std::string> groups{
      *this, "groups", llvm::cl::desc("quantise weights in groups of 32: int8 or int4"), llvm::cl::init("")};
  Option<bool> bf16Words{*this, "bf16-words", llvm::cl::desc("with bf16: round the inputs of linears too"),
                         llvm::cl::init(false)};
};

struct LoweringPipelineOptions : PassPipelineOptions<LoweringPipelineOptions> {
  Option<int64_t> vectorLanes{*this, "vector-lanes",
                              llvm::cl::desc("f32 lanes of a vector register: 16, 8 or 4"),
                              llvm::cl::init(16)};
  Option<bool> vnni{*this, "vnni", llvm::cl::desc("the CPU has AVX512_VNNI"), llvm::cl::init(false)};
  Option<bool> bf16{*this, "bf16", llvm::cl::desc("the CPU has AVX512_BF16"), llvm::cl::init(false)};
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
        tile.weightType = options.weightType;
        tile.groups = options.groups;
        tile.bf16Words = options.bf16Words;
        buildTileCpu(pm, tile);
      });
  PassPipelineRegistration<>("sesame-bufferize", "Tensors to memrefs in callers' buffers and one arena",
                             [](OpPassManager &pm) { buildBufferize(pm); });
  PassPipelineRegistration<LoweringPipelineOptions>(
      "sesame-lower-to-llvm", "Memrefs with kernel ops to the LLVM dialect with the C interface",
      [](OpPassManager &pm, const LoweringPipelineOptions &options) {
        LoweringOptions lowering;
        lowering.vectorLanes = options.vectorLanes;
        lowering.hasVnni = options.vnni;
        lowering.hasBf16 = options.bf16;
        buildLowerToLLVM(pm, lowering);
      });
}
