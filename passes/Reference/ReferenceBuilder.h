//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_PASSES_REFERENCE_REFERENCEBUILDER_H
#define SESAME_PASSES_REFERENCE_REFERENCEBUILDER_H

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"

namespace mlir::sesame {

/// A tensor read by a loop nest, and at which element: one affine expression of the loops for each axis.
struct Operand {
  Value tensor;
  SmallVector<AffineExpr> axes;
};

/// A builder with the few forms in which the reference lowerings are written.
///
/// Arithmetic is done in the *compute type* of an element type: f32 for narrower types, the type itself from
/// f32 on.
class ReferenceBuilder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  Type getComputeType(Type element) { return element.getIntOrFloatBitWidth() < 32 ? getF32Type() : element; }

  Value index(int64_t value);
  /// A float of type `type`, or a vector of equal floats.
  Value constant(Type type, double value);
  Value constant(Type type, const APFloat &value) { return constant(type, value.convertToDouble()); }
  /// `value`, a float or vector of floats, in another float type.
  Value convert(Value value, Type type);
  Value extendToCompute(Value value) { return convert(value, getComputeType(value.getType())); }
  /// An integer or index as a float of type `type`.
  Value toFloat(Value value, Type type);

  /// Extent of one axis, as a value or (where static) an attribute.
  Value dim(Value tensor, int64_t axis);
  OpFoldResult extent(Value tensor, int64_t axis);
  SmallVector<OpFoldResult> extents(Value tensor);
  /// The shape of result `number` of an op of this dialect.
  SmallVector<OpFoldResult> resultExtents(Operation *op, unsigned number = 0);

  Value empty(ArrayRef<OpFoldResult> extents, Type element);
  Value fill(ArrayRef<OpFoldResult> extents, Type element, double value);
  /// The element of `tensor` at `indices`.
  Value at(Value tensor, ValueRange indices);
  /// `index`, or 0 along an axis of extent 1.
  Value broadcastIndex(Value tensor, int64_t axis, Value index);

  /// `tensor` read at loops 0, 1, ..., rank - 1.
  Operand all(Value tensor);
  /// `tensor` read at the given loops, one for each axis.
  Operand on(Value tensor, ArrayRef<int64_t> loops);

  /// A loop nest over the axes of `init` and then `numReductions` more, whose extents come from the operands.
  /// `body` gets the operands' elements and last the result's present element, and gives the new one. The
  /// reductions run in order.
  Value loops(Value init, int64_t numReductions, ArrayRef<Operand> operands,
              function_ref<Value(ValueRange)> body);
  /// In a body: the index of loop `number`.
  Value loop(int64_t number);

  /// `init[..., n] + sum_k x[..., k] * weight[n, k]`; `weightAxes` maps (n, k) to the weight's axes. Summed
  /// in init's type.
  Value matmul(Value init, Value x, Value weight,
               function_ref<SmallVector<AffineExpr>(AffineExpr n, AffineExpr k)> weightAxes);
};

} // namespace mlir::sesame

#endif // SESAME_PASSES_REFERENCE_REFERENCEBUILDER_H
