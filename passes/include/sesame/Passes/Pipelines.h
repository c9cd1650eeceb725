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

namespace mlir::sesame {

/// Makes every named pipeline known to `sesame-opt` and to the pass pipeline parser.
void registerPipelines();

} // namespace mlir::sesame

#endif // SESAME_PASSES_PIPELINES_H
