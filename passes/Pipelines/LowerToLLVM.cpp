//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Passes/Passes.h"
#include "sesame/Passes/Pipelines.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

static void addKernelPasses(OpPassManager &functions, const sesame::LoweringOptions &options) {
  // With narrower registers LLVM cuts the kernels' vectors in two.
  int64_t vectorLanes = std::max<int64_t>(options.vectorLanes, 8);
  functions.addPass(sesame::createLowerMatmulTilePass({vectorLanes, options.rows}));
  functions.addPass(sesame::createLowerAttentionTilePass({vectorLanes, options.keyBlock}));
  functions.addPass(sesame::createLowerNormTilePass({vectorLanes}));
  functions.addPass(sesame::createLowerEmbeddingTilePass({vectorLanes}));
  sesame::LowerWordTilesPassOptions words;
  words.vectorLanes = vectorLanes;
  words.rows = options.rows;
  words.vnni = options.hasVnni;
  words.bf16 = options.hasBf16;
  words.avx2 = options.hasAvx2;
  functions.addPass(sesame::createLowerWordTilesPass(words));
  if (!options.useLibm)
    functions.addPass(sesame::createExpandMathPass({vectorLanes}));
}

void mlir::sesame::buildLowerToLLVM(OpPassManager &pm, const LoweringOptions &options) {
  // From here on parallel bodies are functions of their own, and each kernel is lowered in one of them.
  pm.addPass(createLowerEntryPass());
  pm.addPass(createOutlineParallelPass());
  OpPassManager &functions = pm.nest<func::FuncOp>();
  addKernelPasses(functions, options);
  functions.addPass(createLowerCopyPass());
  functions.addPass(createConvertLinalgToLoopsPass());
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  functions.addPass(createLoopInvariantCodeMotionPass());
  functions.addPass(createHoistAllocasPass());

  functions.addPass(memref::createExpandOpsPass());
  functions.addPass(createLowerExpandShapePass());
  functions.addPass(memref::createExpandStridedMetadataPass());
  functions.addPass(createLowerAffinePass());
  functions.addPass(createConvertVectorToSCFPass());
  functions.addPass(createSCFToControlFlowPass());
  functions.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  // What needs no look at the module is converted function by function, on as many threads as there are.
  OpPassManager &conversions = pm.nest<func::FuncOp>();
  conversions.addPass(createConvertVectorToLLVMPass());
  conversions.addPass(createArithToLLVMConversionPass());
  conversions.addPass(createConvertIndexToLLVMPass());
  conversions.addPass(createUBToLLVMConversionPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createFinishModulePass());
}
