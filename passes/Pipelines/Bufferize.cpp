//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Passes/Passes.h"
#include "sesame/Passes/Pipelines.h"

#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void mlir::sesame::buildBufferize(OpPassManager &pm) {
  // What the tile passes left as calls becomes part of its entry: the arena is planned for an entry as a
  // whole.
  pm.addPass(createInlineLayersPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCarryInPlacePass());

  // Extents are traced back to the entries' arguments, which then are the symbols.
  pm.addPass(memref::createResolveShapedTypeResultDimsPass());
  pm.addPass(createSCFForLoopCanonicalizationPass());
  pm.addPass(createCanonicalizerPass());
  // After canonicalization, which drops a copy that a body makes into what it carries.
  pm.addPass(createCarryInPlacePass());
  pm.addPass(createBufferizeEntriesPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());

  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  pm.addPass(createOneShotBufferizeCodePass());
  pm.addPass(createDropEntryResultsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createPlanArenaPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}
