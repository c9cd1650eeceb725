//===- ElementType.h - MLIR's element types as the runtime's ----*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_BUNDLE_ELEMENTTYPE_H
#define SESAME_BUNDLE_ELEMENTTYPE_H

#include "support/DType.h"

#include "mlir/IR/BuiltinTypes.h"

#include <optional>

namespace sesame {

/// The runtime's name of an element type that a bundle can hold; none for any other.
inline std::optional<DType> toDType(mlir::Type type) {
  if (type.isF32())
    return DType::f32;
  if (type.isF16())
    return DType::f16;
  if (type.isBF16())
    return DType::bf16;
  if (type.isF64())
    return DType::f64;
  if (type.isInteger(64))
    return DType::i64;
  if (type.isInteger(32))
    return DType::i32;
  if (type.isInteger(8))
    return DType::i8;
  return std::nullopt;
}

} // namespace sesame

#endif // SESAME_BUNDLE_ELEMENTTYPE_H
