//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_PASSES_REFERENCE_H
#define SESAME_PASSES_REFERENCE_H

#include "sesame/Dialect/SesameDialect.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::sesame {

/// The reference lowering of every tensor-level op to linalg, tensor, scf, arith and math: the meaning of the
/// op, written to be read. It is the numeric oracle of the fast path, and what that path falls back to.
void populateReferencePatterns(RewritePatternSet &patterns);

/// `kind(x)` for a float, or element by element for a vector of floats.
Value buildActivation(ImplicitLocOpBuilder &builder, Activation kind, Value x);

} // namespace mlir::sesame

#endif // SESAME_PASSES_REFERENCE_H
