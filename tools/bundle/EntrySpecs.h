//===- EntrySpecs.h - Entries of a module, for the manifest ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_BUNDLE_ENTRYSPECS_H
#define SESAME_BUNDLE_ENTRYSPECS_H

#include "io/EntrySpec.h"

#include "mlir/IR/BuiltinOps.h"

#include <vector>

namespace sesame {

/// Reads the public functions of an imported module with their `sesame.name`, `sesame.dims`,
/// `sesame.default`, `sesame.range`, `sesame.state` and `sesame.limits` attributes (docs/architecture.md,
/// section 1). Arguments and results without `sesame.name` get `argN` and `resultN`; dynamic extents without
/// `sesame.dims` get a symbol of their own, so any module of functions on tensors can be compiled. Throws
/// Error that names the function and the argument when an attribute contradicts the type.
std::vector<EntrySpec> readEntrySpecs(mlir::ModuleOp module);

} // namespace sesame

#endif // SESAME_BUNDLE_ENTRYSPECS_H
