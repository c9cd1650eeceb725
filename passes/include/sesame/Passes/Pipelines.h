//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_PASSES_PIPELINES_H
#define SESAME_PASSES_PIPELINES_H

#include "mlir/Pass/PassManager.h"

#include <optional>
#include <string>

namespace mlir::sesame {

/// Shapes of the tiles.
struct TileOptions {
  /// Columns of a weight panel, the width of the matrix product's register tile: two vector registers of f32.
  int64_t panelWidth = 32;
  /// Type of the panels' numbers: f32, bf16, f16 or int8. Products of floats are summed in f32 all the same.
  std::string weightType = "f32";
  /// Weights quantised in groups of 32: int8, int4, or empty. Then `weightType` is for those that cannot be.
  std::string groups;
  /// For vdpbf16ps: the inputs of linears are rounded to bf16 too with bf16, those of attention with bf16 and
  /// int8.
  bool bf16Words = false;
  /// f32 lanes of a vector register; 0: half a panel.
  int64_t vectorLanes = 0;
  /// The options of these names of `sesame-tile-linear`, -attention, -rows, -elementwise and -recurrent.
  int64_t rowBlockBytes = 384 * 1024, queryBlock = 64, rowsPerTask = 16, elementsPerTask = 4096,
          taskBytes = 64 * 1024;
};

/// Layer functions, weights and tensor ops become packed weights and `scf.forall` loops over kernel tiles.
/// See docs/architecture.md, section 2.
void buildTileCpu(OpPassManager &pm, const TileOptions &options = {});

/// How code is made for a CPU.
struct LoweringOptions {
  /// f32 lanes of a vector register: 16 (AVX-512), 8 (AVX2), 4 (SSE, NEON).
  int64_t vectorLanes = 16;
  /// Call libm for elementary functions instead of expanding them: for the reference in tests.
  bool useLibm = false;
  /// The CPU has AVX512_VNNI (vpdpbusd), AVX512_BF16 (vdpbf16ps), AVX2 or with 16 lanes AVX512BW (vpmaddwd).
  bool hasVnni = false, hasBf16 = false, hasAvx2 = false;
  /// Rows of the matrix product's register tile; 0: as many as `sesame-lower-matmul-tile` thinks best.
  int64_t rows = 0;
  /// Keys of a block of attention; 0: as many as `sesame-lower-attention-tile` thinks best.
  int64_t keyBlock = 0;
};

/// `sesame-optimize`: sesame -> sesame, fewer and larger operations (docs/architecture.md, section 2).
void buildOptimize(OpPassManager &pm);

/// `sesame-bufferize`: tensors -> memrefs; entries write into their callers' buffers, and all temporary
/// buffers lie in one arena.
void buildBufferize(OpPassManager &pm);

/// `sesame-lower-to-llvm`: memrefs with kernel ops, linalg and `scf.forall` -> the LLVM dialect, with the C
/// interface of `sesame/abi.h`.
void buildLowerToLLVM(OpPassManager &pm, const LoweringOptions &options = {});

/// The options as text, as `sesame-opt --sesame-tile-cpu='TEXT'` and `--sesame-lower-to-llvm='TEXT'` take it.
/// (`useLibm` is not among them.)
std::string toText(const TileOptions &options);
std::string toText(const LoweringOptions &options);
/// And back; nothing if it is not such a text.
std::optional<TileOptions> parseTileOptions(llvm::StringRef text);
std::optional<LoweringOptions> parseLoweringOptions(llvm::StringRef text);

/// Makes every named pipeline known to `sesame-opt` and to the pass pipeline parser.
void registerPipelines();

} // namespace mlir::sesame

#endif // SESAME_PASSES_PIPELINES_H
