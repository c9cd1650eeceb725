//===- KernelUtils.h - What the verifiers of kernel ops share --------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_DIALECT_LIB_KERNELUTILS_H
#define SESAME_DIALECT_LIB_KERNELUTILS_H

#include "OpUtils.h"

namespace mlir::sesame::detail {

/// On memrefs a kernel reads its inputs and its destination and writes its destination; on tensors it has no
/// effect.
inline void getKernelEffects(DestinationStyleOpInterface op,
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

/// What holds for every kernel: all operands but indices are tensors, or all are memrefs with unit stride
/// along the last axis; there is one result, of the destination's type, exactly on tensors.
inline LogicalResult verifyKernel(Operation *op, Value out, ResultRange results) {
  bool onTensors = isa<RankedTensorType>(out.getType());
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<ShapedType>(operand.getType());
    if (type && isa<RankedTensorType>(type) != onTensors)
      return op->emitOpError("expects tensors only or memrefs only, got ")
             << type << " beside " << out.getType();
    auto memref = dyn_cast<MemRefType>(operand.getType());
    if (!memref || memref.getRank() == 0)
      continue;
    auto [strides, offset] = memref.getStridesAndOffset();
    if (!ShapedType::isDynamic(strides.back()) && strides.back() != 1 && memref.getShape().back() != 1)
      return op->emitOpError("expects unit stride along the last axis, got ")
             << strides.back() << " in " << memref;
  }
  if (results.size() != (onTensors ? 1 : 0))
    return op->emitOpError("expects ")
           << (onTensors ? "one result on tensors" : "no result on memrefs") << ", got " << results.size();
  return success();
}

/// Checks that `axis` has a static extent.
inline LogicalResult verifyStatic(Operation *op, const ExtentVerifier &extents, StringRef axis) {
  if (ShapedType::isDynamic(extents.get(axis)))
    return op->emitOpError("expects a static ") << axis << ", got '?'";
  return success();
}

} // namespace mlir::sesame::detail

/// The memory effects of kernel op `OP`.
#define SESAME_KERNEL_EFFECTS(OP)                                                                            \
  void OP::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {        \
    getKernelEffects(cast<DestinationStyleOpInterface>(getOperation()), effects);                            \
  }

#endif // SESAME_DIALECT_LIB_KERNELUTILS_H
