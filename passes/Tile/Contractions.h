//===- Contractions.h - Products that no linear makes -----------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TILE_CONTRACTIONS_H
#define SESAME_TILE_CONTRACTIONS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::sesame {

/// Cuts sums of products that no `sesame.linear` makes into `sesame.matmul_tile`s for several cores.
///
/// A `linalg.generic` of f32 that adds the products of two inputs over one axis k, such as the scores of
/// queries by distance, has rows m (axes of one input and the result) and columns n (axes of the other input
/// and the result, the result's last among them); axes of all three are a batch. The input with the columns
/// is packed into panels [K, R] by one `scf.forall`, the products are another one over the batch, blocks of
/// rows and panels. Rows whose k is not the last axis are transposed first. Left as linalg are sums over
/// several axes, and those with fewer than four rows or columns, which do not pay for the packing.
void tileContractions(func::FuncOp function, int64_t panelWidth);

} // namespace mlir::sesame

#endif // SESAME_TILE_CONTRACTIONS_H
