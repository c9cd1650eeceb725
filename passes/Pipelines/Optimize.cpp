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

void mlir::sesame::buildOptimize(OpPassManager &pm) {
  // Extents in terms of arguments, so that a question about a value's extent is no other use of the value.
  pm.addPass(memref::createResolveShapedTypeResultDimsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addNestedPass<func::FuncOp>(createFuseEmbeddingSumPass());
  pm.addNestedPass<func::FuncOp>(createFuseLinearBiasPass());
  // Activations first: siblings are merged only if they agree in it.
  pm.addNestedPass<func::FuncOp>(createFuseLinearActivationPass());
  // Before residuals, which keep linears apart.
  pm.addPass(createMergeSiblingLinearsPass());
  pm.addNestedPass<func::FuncOp>(createFuseLinearResidualPass());
  pm.addNestedPass<func::FuncOp>(createLastTokenLogitsPass());
  // The slice that has come to the loop of the layers goes on through the one that was taken out of it.
  pm.addPass(createPeelLastLayerPass());
  pm.addNestedPass<func::FuncOp>(createLastTokenLogitsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}
