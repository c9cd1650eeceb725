//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_PASSES_REFERENCE_PATTERNS_H
#define SESAME_PASSES_REFERENCE_PATTERNS_H

#include "ReferenceBuilder.h"
#include "sesame/Passes/Reference.h"

namespace mlir::sesame {

void populateActivationReference(RewritePatternSet &patterns);
void populateAttentionReference(RewritePatternSet &patterns);
void populateFeedForwardReference(RewritePatternSet &patterns);
void populateRecurrentReference(RewritePatternSet &patterns);
void populateWordReference(RewritePatternSet &patterns);

} // namespace mlir::sesame

#endif // SESAME_PASSES_REFERENCE_PATTERNS_H
