//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Dialect/SesameDialect.h"

using namespace mlir;
using namespace mlir::sesame;

/// On memrefs a kernel reads its inputs and its destination and writes its destination; on tensors it has no effect.
static void getKernelEffects(DestinationStyleOpInterface op,
                             SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    effects.emplace_back(MemoryEffects::Read::get(), &operand, /*stage=*/0, /*effectOnFullRegion=*/true,
                         SideEffects::DefaultResource::get());
    if (op.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand, /*stage=*/0, /*effectOnFullRegion=*/true,
                           SideEffects::DefaultResource::get());
  }
}

#define SESAME_KERNEL_EFFECTS(OP)                                                                            \
  void OP::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {        \
    getKernelEffects(cast<DestinationStyleOpInterface>(getOperation()), effects);                            \
  }
SESAME_KERNEL_EFFECTS(MatmulTileOp)
SESAME_KERNEL_EFFECTS(AttentionTileOp)
SESAME_KERNEL_EFFECTS(NormTileOp)
SESAME_KERNEL_EFFECTS(EmbeddingTileOp)
#undef SESAME_KERNEL_EFFECTS

LogicalResult MatmulTileOp::verify() { return success(); }
LogicalResult AttentionTileOp::verify() { return success(); }
LogicalResult NormTileOp::verify() { return success(); }
LogicalResult EmbeddingTileOp::verify() { return success(); }
