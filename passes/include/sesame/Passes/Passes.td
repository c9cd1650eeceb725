//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_PASSES_TD
#define SESAME_PASSES_TD

include "mlir/Pass/PassBase.td"

// Every pass, alphabetical. A pass is added together with its .cpp.

#endif // SESAME_PASSES_TD
