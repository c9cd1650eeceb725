//===- OpNumber.h - The number of an op in the manifest's table -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_PASSES_OPNUMBER_H
#define SESAME_PASSES_OPNUMBER_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"

namespace mlir::sesame {

/// The number in the manifest's op table of the op that `loc` comes from: the metadata of a fused location
/// (tools/compiler/OpTable.h); null if it has none.
inline IntegerAttr findOpNumber(Location loc) {
  auto fused = loc->findInstanceOf<FusedLocWith<IntegerAttr>>();
  return fused ? fused.getMetadata() : IntegerAttr();
}

} // namespace mlir::sesame

#endif // SESAME_PASSES_OPNUMBER_H
