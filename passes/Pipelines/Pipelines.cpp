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
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::sesame;

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
  Option<bool> bf16Words{
      *this, "bf16-words",
      llvm::cl::desc("with bf16: round the inputs of linears too; with bf16 and int8: those of attention"),
      llvm::cl::init(false)};
  Option<int64_t> vectorLanes{*this, "vector-lanes",
                              llvm::cl::desc("f32 lanes of a vector register; 0: half a panel"),
                              llvm::cl::init(0)};
  Option<int64_t> rowBlockBytes{*this, "row-block-bytes", llvm::cl::desc("see sesame-tile-linear"),
                                llvm::cl::init(TileOptions().rowBlockBytes)};
  Option<int64_t> queryBlock{*this, "query-block", llvm::cl::desc("see sesame-tile-attention"),
                             llvm::cl::init(TileOptions().queryBlock)};
  Option<int64_t> rowsPerTask{*this, "rows-per-task", llvm::cl::desc("see sesame-tile-rows"),
                              llvm::cl::init(TileOptions().rowsPerTask)};
  Option<int64_t> elementsPerTask{*this, "elements-per-task", llvm::cl::desc("see sesame-tile-elementwise"),
                                  llvm::cl::init(TileOptions().elementsPerTask)};
  Option<int64_t> taskBytes{*this, "task-bytes", llvm::cl::desc("see sesame-tile-recurrent"),
                            llvm::cl::init(TileOptions().taskBytes)};

  /// Calls `copy` with each option and its field.
  template <typename Self, typename Options, typename Copy>
  static void forEach(Self &self, Options &options, Copy copy) {
    copy(self.panelWidth, options.panelWidth);
    copy(self.weightType, options.weightType);
    copy(self.groups, options.groups);
    copy(self.bf16Words, options.bf16Words);
    copy(self.vectorLanes, options.vectorLanes);
    copy(self.rowBlockBytes, options.rowBlockBytes);
    copy(self.queryBlock, options.queryBlock);
    copy(self.rowsPerTask, options.rowsPerTask);
    copy(self.elementsPerTask, options.elementsPerTask);
    copy(self.taskBytes, options.taskBytes);
  }
};

struct LoweringPipelineOptions : PassPipelineOptions<LoweringPipelineOptions> {
  Option<int64_t> vectorLanes{*this, "vector-lanes",
                              llvm::cl::desc("f32 lanes of a vector register: 16, 8 or 4"),
                              llvm::cl::init(16)};
  Option<bool> vnni{*this, "vnni", llvm::cl::desc("the CPU has AVX512_VNNI"), llvm::cl::init(false)};
  Option<bool> bf16{*this, "bf16", llvm::cl::desc("the CPU has AVX512_BF16"), llvm::cl::init(false)};
  Option<bool> avx2{*this, "avx2", llvm::cl::desc("the CPU has AVX2"), llvm::cl::init(false)};
  Option<int64_t> rows{*this, "rows", llvm::cl::desc("see sesame-lower-matmul-tile"), llvm::cl::init(0)};
  Option<int64_t> keyBlock{*this, "key-block", llvm::cl::desc("see sesame-lower-attention-tile"),
                           llvm::cl::init(0)};

  /// Calls `copy` with each option and its field.
  template <typename Self, typename Options, typename Copy>
  static void forEach(Self &self, Options &options, Copy copy) {
    copy(self.vectorLanes, options.vectorLanes);
    copy(self.vnni, options.hasVnni);
    copy(self.bf16, options.hasBf16);
    copy(self.avx2, options.hasAvx2);
    copy(self.rows, options.rows);
    copy(self.keyBlock, options.keyBlock);
  }
};
} // namespace

template <typename Options, typename PipelineOptions>
static Options valuesOf(const PipelineOptions &pipeline) {
  Options options;
  PipelineOptions::forEach(pipeline, options, [](auto &option, auto &field) { field = option; });
  return options;
}

template <typename PipelineOptions, typename Options> static std::string print(const Options &options) {
  PipelineOptions pipeline;
  PipelineOptions::forEach(pipeline, options, [](auto &option, auto &field) { option = field; });
  std::string text;
  llvm::raw_string_ostream stream(text);
  pipeline.print(stream);
  return StringRef(text).trim(" {}").str();
}

template <typename PipelineOptions, typename Options> static std::optional<Options> parse(StringRef text) {
  PipelineOptions pipeline;
  if (failed(pipeline.parseFromString(text, llvm::nulls())))
    return std::nullopt;
  return valuesOf<Options>(pipeline);
}

std::string mlir::sesame::toText(const TileOptions &options) { return print<TilePipelineOptions>(options); }

std::string mlir::sesame::toText(const LoweringOptions &options) {
  return print<LoweringPipelineOptions>(options);
}

std::optional<TileOptions> mlir::sesame::parseTileOptions(StringRef text) {
  return parse<TilePipelineOptions, TileOptions>(text);
}

std::optional<LoweringOptions> mlir::sesame::parseLoweringOptions(StringRef text) {
  return parse<LoweringPipelineOptions, LoweringOptions>(text);
}

void mlir::sesame::registerPipelines() {
  PassPipelineRegistration<>("sesame-optimize", "Sesame ops to fewer and larger sesame ops",
                             [](OpPassManager &pm) { buildOptimize(pm); });
  PassPipelineRegistration<TilePipelineOptions>(
      "sesame-tile-cpu", "Sesame ops to packed weights and parallel loops over kernel tiles",
      [](OpPassManager &pm, const TilePipelineOptions &options) {
        buildTileCpu(pm, valuesOf<TileOptions>(options));
      });
  PassPipelineRegistration<>("sesame-bufferize", "Tensors to memrefs in callers' buffers and one arena",
                             [](OpPassManager &pm) { buildBufferize(pm); });
  PassPipelineRegistration<LoweringPipelineOptions>(
      "sesame-lower-to-llvm", "Memrefs with kernel ops to the LLVM dialect with the C interface",
      [](OpPassManager &pm, const LoweringPipelineOptions &options) {
        buildLowerToLLVM(pm, valuesOf<LoweringOptions>(options));
      });
}
