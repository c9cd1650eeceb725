//===- TensorOps.h - Indexed tensor expressions for model families -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What families say in linalg: products, elementwise expressions and gathers over named axes. An axis is a
// lower-case letter, as in einsum; where an input has a "0", it is read at the first place.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_TENSOROPS_H
#define SESAME_IMPORT_TENSOROPS_H

#include "Builder.h"

namespace sesame::importer {

/// Scalar arithmetic at one place of an expression: a builder that inserts there.
struct Scalars {
  mlir::OpBuilder &builder;
  mlir::Location loc;

  mlir::Value constant(int64_t index);
  mlir::Value constantF32(double value);
  mlir::Value constantI64(int64_t value);
  /// Where in the result this is.
  mlir::Value index(int64_t axis);
  mlir::Value add(mlir::Value a, mlir::Value b); // index or float
  mlir::Value subtract(mlir::Value a, mlir::Value b);
  mlir::Value multiply(mlir::Value a, mlir::Value b);
  mlir::Value divide(mlir::Value a, mlir::Value b);
  mlir::Value remainder(mlir::Value a, mlir::Value b); // index
  mlir::Value minimum(mlir::Value a, mlir::Value b);
  mlir::Value maximum(mlir::Value a, mlir::Value b);
  mlir::Value less(mlir::Value a, mlir::Value b);
  mlir::Value equal(mlir::Value a, mlir::Value b);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);
  /// An index or integer as f32, i64 or index; f32 as it is.
  mlir::Value toF32(mlir::Value value);
  mlir::Value toI64(mlir::Value value);
  mlir::Value toIndex(mlir::Value value);
  /// One element of a tensor.
  mlir::Value at(mlir::Value tensor, mlir::ValueRange indices);
};

/// The sum of products over the axes that the result lacks: einsum(b, "bhsd,std->bhst", {q, relative}).
mlir::Value einsum(ModelBuilder &b, llvm::StringRef subscripts, mlir::Value left, mlir::Value right);

/// `initial` and what `body` makes of the values of the inputs and, last, the result so far, over the axes
/// that the result lacks. Scalars::index numbers axes as they first occur, the result's first.
mlir::Value reduceOver(ModelBuilder &b, llvm::StringRef subscripts, mlir::ValueRange inputs,
                       mlir::Value initial,
                       llvm::function_ref<mlir::Value(Scalars, mlir::ValueRange values)> body);

/// An elementwise expression with broadcasting: mapOver(b, "bsc,bs->bsc", {x, mask}, body). Every axis of the
/// result occurs in an input, unless `extents` has them all.
mlir::Value mapOver(ModelBuilder &b, llvm::StringRef subscripts, mlir::ValueRange inputs,
                    llvm::ArrayRef<mlir::OpFoldResult> extents, mlir::Type elementType,
                    llvm::function_ref<mlir::Value(Scalars, mlir::ValueRange values)> body);
mlir::Value mapOver(ModelBuilder &b, llvm::StringRef subscripts, mlir::ValueRange inputs,
                    mlir::Type elementType,
                    llvm::function_ref<mlir::Value(Scalars, mlir::ValueRange values)> body);

/// The tensor whose element at each place is what `body` makes of the indices.
mlir::Value generate(ModelBuilder &b, llvm::ArrayRef<mlir::OpFoldResult> extents, mlir::Type elementType,
                     llvm::function_ref<mlir::Value(Scalars, mlir::ValueRange indices)> body);

/// Axes in another order: transpose(b, x, {0, 2, 1}) of [A, B, C] is [A, C, B].
mlir::Value transpose(ModelBuilder &b, mlir::Value x, llvm::ArrayRef<int64_t> permutation);

/// Tensors one after the other: all extents but that of `axis` are equal.
mlir::Value concat(ModelBuilder &b, mlir::ValueRange parts, int64_t axis);

/// x [B, S, C] plus one value for each column [C].
mlir::Value addBias(ModelBuilder &b, mlir::Value x, mlir::Value bias);
/// x [B, S, C] plus the same rows [S, C] or [1, S, C] for each of B.
mlir::Value addRows(ModelBuilder &b, mlir::Value x, mlir::Value rows);

/// x [B, S, ...] times mask [B, S] of integers.
mlir::Value zeroMasked(ModelBuilder &b, mlir::Value x, mlir::Value mask);

/// A static axis of extent N as two: [..., first, N / first, ...].
mlir::Value splitAxis(ModelBuilder &b, mlir::Value x, int64_t axis, int64_t first);
/// The axes `axis` and `axis` + 1 as one.
mlir::Value joinAxes(ModelBuilder &b, mlir::Value x, int64_t axis);

/// A weight under another shape.
mlir::Value reshapedWeight(ModelBuilder &b, const NamePattern &name, llvm::ArrayRef<int64_t> stored,
                           llvm::ArrayRef<int64_t> shape);
/// The weight of a convolution over `groups` groups of channels that sees one position at a time, as the
/// matrices [N / G, K / G] of its groups. It is stored as [N, K / G, 1, ...] of shape `stored`, the axes
/// from the second on being merged.
llvm::SmallVector<mlir::Value> convolutionWeights(ModelBuilder &b, const NamePattern &name,
                                                  llvm::ArrayRef<int64_t> stored, int64_t groups);

/// What transformers calls SequenceSummary: one vector a row and its projection, by the options `summary_*`.
/// h [B, S, C] -> [B, labels or C]. `name` is the module's ("sequence_summary").
mlir::Value sequenceSummary(ModelBuilder &b, const std::string &name, mlir::Value h, int64_t labels,
                            const std::string &fallbackType);

/// Outputs of extractive question answering from the linear `name`: h [B, S, C] -> two of [B, S].
void questionAnsweringOutputs(ModelBuilder &b, const std::string &name, mlir::Value h);

} // namespace sesame::importer

#endif // SESAME_IMPORT_TENSOROPS_H
