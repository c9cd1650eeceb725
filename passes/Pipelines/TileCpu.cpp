//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Passes/Passes.h"
#include "sesame/Passes/Pipelines.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void mlir::sesame::buildTileCpu(OpPassManager &pm, const TileOptions &options) {
  const int64_t lanes = options.vectorLanes ? options.vectorLanes : options.panelWidth / 2;
  pm.addPass(createInlineLayersPass());
  TileRecurrentPassOptions recurrent;
  recurrent.panelWidth = lanes * 2;
  recurrent.taskBytes = options.taskBytes;
  recurrent.weightType = options.weightType;
  recurrent.bf16Words = options.bf16Words;
  pm.addPass(createTileRecurrentPass(recurrent));
  PackWeightsPassOptions pack;
  pack.panelWidth = options.panelWidth;
  pack.weightType = options.weightType;
  pack.groups = options.groups;
  pack.bf16Words = options.bf16Words;
  pm.addPass(createPackWeightsPass(pack));
  pm.addPass(createPlanWeightsPass());
  pm.addPass(createCSEPass());

  OpPassManager &functions = pm.nest<func::FuncOp>();
  functions.addPass(createDecomposeRotaryPass());
  // While transposes and slices still stand between the linears and what reads them, so that readers see
  // through them.
  const bool isNarrow = options.weightType == "bf16" || options.weightType == "int8";
  functions.addPass(createTileAttentionPass({options.queryBlock, isNarrow && options.bf16Words}));
  functions.addPass(createTileCacheAppendPass());
  functions.addPass(createTileLinearPass({options.rowBlockBytes}));
  functions.addPass(createTileRowsPass({options.rowsPerTask}));
  functions.addPass(createHoistLoopReshapesPass());
  pm.addPass(memref::createResolveShapedTypeResultDimsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());

  // What has no kernel: the reference loops, products as matmul tiles, the rest fused and cut into vectors.
  pm.addPass(createLowerToLinalgPass());
  // Tables that are the same for all layers leave the layer loop.
  pm.addPass(createLoopInvariantCodeMotionPass());
  TileElementwisePassOptions elementwise;
  elementwise.vectorLanes = lanes;
  elementwise.elementsPerTask = options.elementsPerTask;
  pm.nest<func::FuncOp>().addPass(createTileElementwisePass(elementwise));
  // So does what those tables are packed into.
  pm.addPass(createLoopInvariantCodeMotionPass());
  pm.addPass(memref::createResolveShapedTypeResultDimsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}
