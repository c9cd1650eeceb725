//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Code that other lowerings may share with the kernel generators.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_PASSES_KERNELS_H
#define SESAME_PASSES_KERNELS_H

#include "sesame/Dialect/SesameDialect.h"

#include "mlir/IR/Builders.h"

namespace mlir::sesame {

/// Emits `activation(x)` in arith and math operations, for an f32 scalar or vector of any shape. The math
/// operations are meant for `sesame-expand-math`; its description states the errors of the functions as a
/// whole.
Value emitActivation(OpBuilder &builder, Location loc, Activation activation, Value x);

} // namespace mlir::sesame

#endif // SESAME_PASSES_KERNELS_H
