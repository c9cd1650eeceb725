//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_PASSES_REFERENCE_WORDMATH_H
#define SESAME_PASSES_REFERENCE_WORDMATH_H

#include "ReferenceBuilder.h"

namespace mlir::sesame {

/// The numbers of words, one by one: how factors are rounded, to the definitions of WordOps.td. Values are
/// scalars unless they are said to be tensors.
class WordMath {
public:
  explicit WordMath(ReferenceBuilder &b) : b(b) {}

  Value integer(int32_t value);
  Value real(double value) { return b.constant(b.getF32Type(), value); }
  /// The larger and the smaller of the two; `bound` if x is NaN.
  Value atLeast(Value bound, Value x);
  Value atMost(Value bound, Value x);
  /// `x` with the digits of a bf16.
  Value roundToBf16(Value x);

  /// The rows of a tensor [..., K] in int8.
  struct Rows {
    Value codes; // [..., K], less the zero point
    Value range; // [...], 255 times the scale
    Value nan;   // [...], 0, or NaN in a row that holds an infinity or NaN
  };
  Rows quantizeRows(Value input);
  /// The scale of a row, from its range and nan.
  Value rowScale(Value range, Value nan);

  /// The columns of a weight [Q, N, K] at `direction` in int8.
  struct Columns {
    Value codes;  // [N, K]
    Value scales; // [N]
  };
  Columns quantizeColumns(Value weight, int64_t direction);

  /// `value` [B, K] times the weight [Q, N, K] at `direction`, in words of `element`: [B, N].
  Value multiply(Value value, Value weight, int64_t direction, Type element);

private:
  /// Reduces the last axis of `input` [..., K].
  Value reduceRows(Value input, function_ref<Value(Value x, Value sum)> body);

  ReferenceBuilder &b;
};

} // namespace mlir::sesame

#endif // SESAME_PASSES_REFERENCE_WORDMATH_H
