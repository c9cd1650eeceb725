//===- HostTensor.cpp - A tensor in host memory ------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HostTensor.h"

#include "sesame/Dialect/WordOps.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

using namespace mlir;

namespace sesame {

HostTensor::HostTensor(RankedTensorType type) : tensorType(type) {
  // Large buffers come straight from the kernel and go back to it, so the peak stays that of one recipe.
  owned = std::shared_ptr<std::byte[]>(new std::byte[std::max<int64_t>(1, sizeInBytes())]);
  bytes = owned.get();
}

unsigned HostTensor::elementSizeInBytes() const { return (tensorType.getElementTypeBitWidth() + 7) / 8; }

int64_t HostTensor::sizeInBytes() const {
  return tensorType.getNumElements() * ((tensorType.getElementTypeBitWidth() + 7) / 8);
}

HostTensor HostTensor::reshaped(RankedTensorType type) const {
  HostTensor result = *this;
  result.tensorType = type;
  return result;
}

static SmallVector<int64_t> rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t i = static_cast<int64_t>(shape.size()) - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * shape[i + 1];
  return strides;
}

/// Copies a strided block: axis i of the block has extent `extents[i]` and steps of `sourceStrides[i]` and
/// `targetStrides[i]` elements.
static void copyStrided(const std::byte *source, std::byte *target, ArrayRef<int64_t> extents,
                        ArrayRef<int64_t> sourceStrides, ArrayRef<int64_t> targetStrides,
                        size_t elementSize) {
  if (extents.empty()) {
    std::memcpy(target, source, elementSize);
    return;
  }
  if (extents.size() == 1 && sourceStrides[0] == 1 && targetStrides[0] == 1) {
    std::memcpy(target, source, extents[0] * elementSize);
    return;
  }
  for (int64_t i = 0; i < extents[0]; ++i)
    copyStrided(source + i * sourceStrides[0] * elementSize, target + i * targetStrides[0] * elementSize,
                extents.drop_front(), sourceStrides.drop_front(), targetStrides.drop_front(), elementSize);
}

/// target[c, r] = source[r, c] in blocks that fit the cache.
template <typename T>
static void transposeMatrix(const std::byte *source, std::byte *target, int64_t rows, int64_t columns) {
  constexpr int64_t block = 64;
  for (int64_t r0 = 0; r0 < rows; r0 += block)
    for (int64_t c0 = 0; c0 < columns; c0 += block)
      for (int64_t c = c0; c < std::min(c0 + block, columns); ++c)
        for (int64_t r = r0; r < std::min(r0 + block, rows); ++r)
          std::memcpy(target + (c * rows + r) * sizeof(T), source + (r * columns + c) * sizeof(T), sizeof(T));
}

HostTensor transpose(const HostTensor &source, ArrayRef<int64_t> permutation, RankedTensorType resultType) {
  HostTensor result(resultType);
  ArrayRef<int64_t> shape = source.type().getShape();
  if (shape.size() == 2 && permutation[0] == 1 && source.elementSizeInBytes() == 4) {
    transposeMatrix<uint32_t>(source.data(), result.mutableData(), shape[0], shape[1]);
    return result;
  }
  if (shape.size() == 2 && permutation[0] == 1 && source.elementSizeInBytes() == 2) {
    transposeMatrix<uint16_t>(source.data(), result.mutableData(), shape[0], shape[1]);
    return result;
  }
  SmallVector<int64_t> sourceStrides = rowMajorStrides(shape), permuted;
  for (int64_t axis : permutation)
    permuted.push_back(sourceStrides[axis]);
  copyStrided(source.data(), result.mutableData(), resultType.getShape(), permuted,
              rowMajorStrides(resultType.getShape()), source.elementSizeInBytes());
  return result;
}

HostTensor concatenate(ArrayRef<HostTensor> sources, int64_t axis, RankedTensorType resultType) {
  HostTensor result(resultType);
  SmallVector<int64_t> targetStrides = rowMajorStrides(resultType.getShape());
  int64_t offset = 0;
  for (const HostTensor &source : sources) {
    ArrayRef<int64_t> shape = source.type().getShape();
    copyStrided(source.data(),
                result.mutableData() + offset * targetStrides[axis] * source.elementSizeInBytes(), shape,
                rowMajorStrides(shape), targetStrides, source.elementSizeInBytes());
    offset += shape[axis];
  }
  return result;
}

HostTensor slice(const HostTensor &source, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes,
                 ArrayRef<int64_t> strides, RankedTensorType resultType) {
  HostTensor result(resultType);
  SmallVector<int64_t> sourceStrides = rowMajorStrides(source.type().getShape());
  int64_t start = 0;
  for (auto [axis, offset] : llvm::enumerate(offsets)) {
    start += offset * sourceStrides[axis];
    sourceStrides[axis] *= strides[axis];
  }
  copyStrided(source.data() + start * source.elementSizeInBytes(), result.mutableData(), sizes, sourceStrides,
              rowMajorStrides(sizes), source.elementSizeInBytes());
  return result;
}

//===----------------------------------------------------------------------===//
// Conversions. IEEE 754 bit patterns; bf16 is the upper half of an f32.
//===----------------------------------------------------------------------===//

static float bitsToFloat(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

static uint32_t floatToBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

static float halfToFloat(uint16_t half) {
  return static_cast<float>(*reinterpret_cast<const _Float16 *>(&half));
}

static uint16_t floatToHalf(float value) {
  _Float16 half = static_cast<_Float16>(value);
  uint16_t bits;
  std::memcpy(&bits, &half, sizeof bits);
  return bits;
}

static uint16_t floatToBFloat(float value) {
  uint32_t bits = floatToBits(value);
  if ((bits & 0x7fffffff) > 0x7f800000) // NaN stays NaN, quiet.
    return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

template <typename Load, typename Store>
static HostTensor convertElements(const HostTensor &source, RankedTensorType resultType, Load load,
                                  Store store) {
  HostTensor result(resultType);
  const std::byte *from = source.data();
  std::byte *to = result.mutableData();
  const int64_t count = resultType.getNumElements();
  for (int64_t i = 0; i < count; ++i)
    store(to, i, load(from, i));
  return result;
}

template <typename T> static T loadElement(const std::byte *base, int64_t i) {
  T value;
  std::memcpy(&value, base + i * sizeof(T), sizeof(T));
  return value;
}

template <typename T> static void storeElement(std::byte *base, int64_t i, T value) {
  std::memcpy(base + i * sizeof(T), &value, sizeof(T));
}

HostTensor convertFloat(const HostTensor &source, RankedTensorType resultType) {
  Type from = source.type().getElementType(), to = resultType.getElementType();
  if (from == to)
    return source;
  auto storing = [&](auto load) {
    if (to.isF32())
      return convertElements(source, resultType, load, [](std::byte *b, int64_t i, double v) {
        storeElement<float>(b, i, static_cast<float>(v));
      });
    if (to.isBF16())
      return convertElements(source, resultType, load, [](std::byte *b, int64_t i, double v) {
        storeElement<uint16_t>(b, i, floatToBFloat(static_cast<float>(v)));
      });
    if (to.isF16())
      return convertElements(source, resultType, load, [](std::byte *b, int64_t i, double v) {
        storeElement<uint16_t>(b, i, floatToHalf(static_cast<float>(v)));
      });
    return convertElements(source, resultType, load,
                           [](std::byte *b, int64_t i, double v) { storeElement<double>(b, i, v); });
  };
  if (from.isF32())
    return storing([](const std::byte *b, int64_t i) -> double { return loadElement<float>(b, i); });
  if (from.isBF16())
    return storing([](const std::byte *b, int64_t i) -> double {
      return bitsToFloat(static_cast<uint32_t>(loadElement<uint16_t>(b, i)) << 16);
    });
  if (from.isF16())
    return storing(
        [](const std::byte *b, int64_t i) -> double { return halfToFloat(loadElement<uint16_t>(b, i)); });
  return storing([](const std::byte *b, int64_t i) -> double { return loadElement<double>(b, i); });
}

HostTensor combineF32(const HostTensor &lhs, const HostTensor &rhs,
                      const std::function<float(float, float)> &combine) {
  HostTensor result(lhs.type());
  const int64_t count = lhs.type().getNumElements();
  for (int64_t i = 0; i < count; ++i)
    storeElement<float>(result.mutableData(), i,
                        combine(loadElement<float>(lhs.data(), i), loadElement<float>(rhs.data(), i)));
  return result;
}

HostTensor packPanels(const HostTensor &source, bool isNk, RankedTensorType resultType) {
  HostTensor result(resultType);
  const int64_t n = source.type().getDimSize(isNk ? 0 : 1), k = source.type().getDimSize(isNk ? 1 : 0);
  const int64_t r = resultType.getDimSize(2), panels = resultType.getDimSize(0);
  const size_t size = source.elementSizeInBytes();
  constexpr int64_t blockOfK = 32; // 32 rows of 32 elements: source and target lines stay in the L1 cache
  for (int64_t p = 0; p < panels; ++p) {
    const int64_t columns = std::min(r, n - p * r);
    std::byte *panel = result.mutableData() + p * k * r * size;
    if (columns < r)
      std::memset(panel, 0, k * r * size);
    if (!isNk) {
      for (int64_t i = 0; i < k; ++i)
        std::memcpy(panel + i * r * size, source.data() + (i * n + p * r) * size, columns * size);
      continue;
    }
    auto gather = [&](auto element) {
      using T = decltype(element);
      for (int64_t k0 = 0; k0 < k; k0 += blockOfK)
        for (int64_t j = 0; j < columns; ++j)
          for (int64_t i = k0; i < std::min(k0 + blockOfK, k); ++i)
            storeElement<T>(panel, i * r + j, loadElement<T>(source.data(), (p * r + j) * k + i));
    };
    switch (size) {
    case 1:
      gather(uint8_t());
      break;
    case 2:
      gather(uint16_t());
      break;
    default:
      gather(uint32_t());
    }
  }
  return result;
}

/// Codes, their sum and the scale of one column of `k` numbers, written at `words`, of which each is `stride`
/// words from the next.
static void quantizeColumn(const float *column, int64_t k, std::byte *words, int64_t stride) {
  float largest = 0, nan = 0;
  for (int64_t i = 0; i < k; ++i) {
    largest = std::max(largest, std::fabs(column[i]));
    nan += column[i] * 0.0f; // NaN for an infinity too
  }
  const bool isZero = !(largest > 1e-30f);
  const float inverse = isZero || nan != nan ? 0.0f : 127.0f / largest;
  int32_t sum = 0;
  for (int64_t i = 0; i < k; i += 4) {
    uint32_t word = 0;
    for (int64_t j = i; j < std::min(i + 4, k) && inverse != 0; ++j) {
      const int32_t code = static_cast<int32_t>(std::nearbyint(column[j] * inverse));
      sum += code;
      word |= static_cast<uint32_t>(code & 0xff) << 8 * (j - i);
    }
    storeElement<uint32_t>(words, i / 4 * stride, word);
  }
  storeElement<int32_t>(words, (k + 3) / 4 * stride, sum);
  storeElement<float>(words, ((k + 3) / 4 + 1) * stride, isZero ? nan : largest / 127.0f + nan);
}

/// The codes and scales of one column of `k` numbers, in groups, written at `words`, of which each is
/// `stride` words from the next.
static void quantizeColumnInGroups(const float *column, int64_t k, const mlir::sesame::WordFormat &format,
                                   std::byte *words, int64_t stride) {
  constexpr int64_t groupSize = mlir::sesame::WordFormat::groupSize;
  const int64_t perWord = format.perWord(), codeWords = format.stepWords() - 1;
  const auto zero = static_cast<float>(format.zeroCode());
  for (int64_t first = 0; first < k; first += groupSize) {
    const int64_t count = std::min(groupSize, k - first), half = first / groupSize % 2;
    const int64_t step = first / mlir::sesame::WordFormat::stepSize * format.stepWords();
    float largest = 0, nan = 0;
    for (int64_t i = first; i < first + count; ++i) {
      largest = std::fabs(column[i]) > std::fabs(largest) ? column[i] : largest;
      nan += column[i] * 0.0f; // NaN for an infinity too
    }
    const bool isZero = !(std::fabs(largest) > 1e-30f);
    const uint16_t scaleBits = floatToBFloat(nan != nan ? nan : isZero ? 0.0f : -largest / zero);
    storeElement<uint16_t>(words, (step + codeWords) * stride * 2 + half, scaleBits);
    if (isZero || nan != nan)
      continue;
    const float scale = bitsToFloat(static_cast<uint32_t>(scaleBits) << 16);
    for (int64_t i = 0; i < count; ++i) {
      const float code = std::nearbyint(column[first + i] / scale) + zero;
      const auto bits = static_cast<uint32_t>(std::clamp(code, 0.0f, 2 * zero - 1));
      const int64_t word = (step + (half * groupSize + i) / perWord) * stride, inWord = i % perWord;
      // Four bytes; the numbers behind the fourth are in the bytes' upper halves.
      const int64_t place = 8 * (inWord % 4) + 4 * (inWord / 4);
      storeElement<uint32_t>(words, word, loadElement<uint32_t>(words, word) | bits << place);
    }
  }
}

HostTensor packWordPanels(const HostTensor &given, Type element, bool isNk, RankedTensorType resultType) {
  const mlir::sesame::WordFormat format(element);
  const bool isQuantized = format.isInt8 || format.isGrouped;
  HostTensor source = given;
  if (isQuantized || !given.type().getElementType().isBF16()) {
    MLIRContext *context = resultType.getContext();
    source = convertFloat(given, given.type().clone(isQuantized ? Type(Float32Type::get(context))
                                                                : BFloat16Type::get(context)));
  }
  HostTensor result(resultType);
  std::memset(result.mutableData(), 0, result.sizeInBytes());
  const int64_t n = source.type().getDimSize(isNk ? 0 : 1), k = source.type().getDimSize(isNk ? 1 : 0);
  const int64_t words = resultType.getDimSize(1), r = resultType.getDimSize(2);
  // Place in the source of number k of column n.
  auto at = [&](int64_t column, int64_t i) { return isNk ? column * k + i : i * n + column; };
  std::vector<float> columns(isQuantized ? r * k : 0);
  for (int64_t p = 0; p * r < n; ++p) {
    const int64_t width = std::min(r, n - p * r);
    std::byte *panel = result.mutableData() + p * words * r * sizeof(uint32_t);
    if (isQuantized) {
      // Read along the source's rows, which of [K, N] is across columns.
      for (int64_t outer = 0; outer < (isNk ? width : k); ++outer)
        for (int64_t inner = 0; inner < (isNk ? k : width); ++inner) {
          const int64_t column = isNk ? outer : inner, i = isNk ? inner : outer;
          columns[column * k + i] = loadElement<float>(source.data(), at(p * r + column, i));
        }
      for (int64_t column = 0; column < width; ++column) {
        std::byte *first = panel + column * sizeof(uint32_t);
        if (format.isGrouped)
          quantizeColumnInGroups(&columns[column * k], k, format, first, r);
        else
          quantizeColumn(&columns[column * k], k, first, r);
      }
      continue;
    }
    constexpr int64_t blockOfK = 32; // as packPanels
    for (int64_t first = 0; first < k; first += blockOfK)
      for (int64_t column = 0; column < width; ++column)
        for (int64_t i = first; i < std::min(first + blockOfK, k); ++i)
          storeElement<uint16_t>(panel, (i / 2 * r + column) * 2 + i % 2,
                                 loadElement<uint16_t>(source.data(), at(p * r + column, i)));
  }
  return result;
}

} // namespace sesame
