//===- RowMath.h - Reductions over one row of logits ------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All of these read a row of V floats once, front to back, in a fixed order that
// does not depend on the vector width or on where the row lies: the same row
// gives the same bits alone and in every batch.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_GENERATE_ROWMATH_H
#define SESAME_GENERATE_ROWMATH_H

#include <cstdint>

namespace sesame {

/// The first index of the largest of `size` >= 1 numbers. NaN is never the largest; -1 if there is nothing
/// else.
int64_t argmax(const float *row, int64_t size);

/// The largest number (-inf for all -inf); NaN if any is NaN.
float maximum(const float *row, int64_t size);

/// Sum over i of exp(row[i] - shift) in double, for shift >= every row[i]. The difference is rounded
/// to float; its exponential has a relative error below 1e-7 (measured over [-87, 0]), and is 0 below that.
double sumOfExponentials(const float *row, int64_t size, float shift);

/// result[i] = exp(row[i] - shift), as above; `result` may be `row`. Returns their sum.
double exponentials(const float *row, float *result, int64_t size, float shift);

/// result[i] = row[i] - max - log(sum exp(row - max)), the subtractions in this order, as torch does on a
/// CPU. `result` may be `row`. Returns false, with `result` unspecified, if the row holds NaN or +inf or
/// nothing above -inf.
bool logSoftmax(const float *row, float *result, int64_t size);

} // namespace sesame

#endif // SESAME_GENERATE_ROWMATH_H
