//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_PASSES_PASSES_H
#define SESAME_PASSES_PASSES_H

#include "mlir/Pass/Pass.h"

#include <memory>

namespace mlir::sesame {

#define GEN_PASS_DECL
#include "sesame/Passes/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "sesame/Passes/Passes.h.inc"

} // namespace mlir::sesame

#endif // SESAME_PASSES_PASSES_H
