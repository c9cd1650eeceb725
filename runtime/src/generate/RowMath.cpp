//===- RowMath.cpp - Reductions over one row of logits -------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "generate/RowMath.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

using namespace sesame;

namespace {

constexpr int64_t lanes = 16;

/// exp(x) for x <= 0, relative error below 1.2e-7 (2 ULP) down to x = -87, 0 below: Cody-Waite reduction to
/// |r| <= ln(2)/2 and the degree-6 minimax polynomial of Cephes' expf. No branch, so a loop over it becomes
/// vector code.
inline float expNonPositive(float x) {
  float clamped = x > -87.0f ? x : -87.0f;
  constexpr float roundToInteger = 12582912.0f; // 1.5 * 2^23: adding it leaves no bits for a fraction.
  float n = (clamped * 1.44269504088896341f + roundToInteger) - roundToInteger;
  float r = clamped - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  uint32_t scaleBits = uint32_t(int32_t(n) + 127) << 23;
  float scale;
  std::memcpy(&scale, &scaleBits, sizeof(scale));
  return x > -87.0f ? p * scale : 0.0f;
}

/// Short float sums, so that rounding stays near one ULP, then double.
constexpr int64_t block = 512;

inline double sumOfLanes(const float *sums) {
  double total = 0;
  for (int64_t lane = 0; lane < lanes; ++lane)
    total += double(sums[lane]);
  return total;
}

} // namespace

int64_t sesame::argmax(const float *row, int64_t size) {
  float best = -std::numeric_limits<float>::infinity();
  int64_t bestIndex = -1;
  int64_t i = 0;
  for (; i + 4 * lanes <= size; i += 4 * lanes) {
    float largest[lanes];
    for (int64_t lane = 0; lane < lanes; ++lane)
      largest[lane] = best;
    for (int64_t j = 0; j < 4; ++j)
      for (int64_t lane = 0; lane < lanes; ++lane) {
        float value = row[i + j * lanes + lane];
        largest[lane] = value > largest[lane] ? value : largest[lane];
      }
    bool larger = false;
    for (int64_t lane = 0; lane < lanes; ++lane)
      larger |= largest[lane] > best;
    if (!larger && bestIndex >= 0)
      continue;
    for (int64_t j = i; j < i + 4 * lanes; ++j)
      if (row[j] > best || (bestIndex < 0 && row[j] == best)) {
        best = row[j];
        bestIndex = j;
      }
  }
  for (; i < size; ++i)
    if (row[i] > best || (bestIndex < 0 && row[i] == best)) {
      best = row[i];
      bestIndex = i;
    }
  return bestIndex;
}

float sesame::maximum(const float *row, int64_t size) {
  float largest[lanes];
  uint32_t unordered[lanes] = {};
  for (int64_t lane = 0; lane < lanes; ++lane)
    largest[lane] = -std::numeric_limits<float>::infinity();
  int64_t i = 0;
  for (; i + lanes <= size; i += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane) {
      float value = row[i + lane];
      largest[lane] = value > largest[lane] ? value : largest[lane];
      unordered[lane] |= uint32_t(value != value);
    }
  for (int64_t lane = 0; i < size; ++i, ++lane) {
    largest[lane] = std::max(largest[lane], row[i]);
    unordered[lane] |= uint32_t(row[i] != row[i]);
  }
  float result = -std::numeric_limits<float>::infinity();
  bool hasNaN = false;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    result = std::max(result, largest[lane]);
    hasNaN |= unordered[lane] != 0;
  }
  return hasNaN ? std::numeric_limits<float>::quiet_NaN() : result;
}

double sesame::sumOfExponentials(const float *row, int64_t size, float shift) {
  double total = 0;
  for (int64_t begin = 0; begin < size; begin += block) {
    int64_t end = std::min(size, begin + block);
    float sums[lanes] = {};
    int64_t i = begin;
    for (; i + lanes <= end; i += lanes)
      for (int64_t lane = 0; lane < lanes; ++lane)
        sums[lane] += expNonPositive(row[i + lane] - shift);
    for (int64_t lane = 0; i < end; ++i, ++lane)
      sums[lane] += expNonPositive(row[i] - shift);
    total += sumOfLanes(sums);
  }
  return total;
}

double sesame::exponentials(const float *row, float *result, int64_t size, float shift) {
  double total = 0;
  for (int64_t begin = 0; begin < size; begin += block) {
    int64_t end = std::min(size, begin + block);
    float sums[lanes] = {};
    int64_t i = begin;
    for (; i + lanes <= end; i += lanes)
      for (int64_t lane = 0; lane < lanes; ++lane) {
        float value = expNonPositive(row[i + lane] - shift);
        result[i + lane] = value;
        sums[lane] += value;
      }
    for (int64_t lane = 0; i < end; ++i, ++lane) {
      result[i] = expNonPositive(row[i] - shift);
      sums[lane] += result[i];
    }
    total += sumOfLanes(sums);
  }
  return total;
}

bool sesame::logSoftmax(const float *row, float *result, int64_t size) {
  float largest = maximum(row, size);
  if (!std::isfinite(largest))
    return false;
  float logSum = float(std::log(sumOfExponentials(row, size, largest)));
  for (int64_t i = 0; i < size; ++i)
    result[i] = row[i] - largest - logSum;
  return true;
}
