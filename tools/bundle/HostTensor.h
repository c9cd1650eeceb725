//===- HostTensor.h - A tensor in host memory, and what recipes do to it ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_BUNDLE_HOSTTENSOR_H
#define SESAME_BUNDLE_HOSTTENSOR_H

#include "mlir/IR/BuiltinTypes.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace sesame {

/// A dense row-major tensor: either a view of a mapped file or an owned buffer. Copies share the bytes.
class HostTensor {
public:
  HostTensor() = default;
  /// A view of `data`, which may have any alignment and outlives the tensor.
  HostTensor(mlir::RankedTensorType type, const std::byte *data) : tensorType(type), bytes(data) {}
  /// An owned buffer, not initialised.
  explicit HostTensor(mlir::RankedTensorType type);

  mlir::RankedTensorType type() const { return tensorType; }
  const std::byte *data() const { return bytes; }
  /// The bytes of a tensor made by the owning constructor, to be filled once.
  std::byte *mutableData() { return owned.get(); }
  int64_t sizeInBytes() const;
  unsigned elementSizeInBytes() const;

  /// The same bytes seen with another shape of as many elements.
  HostTensor reshaped(mlir::RankedTensorType type) const;

private:
  mlir::RankedTensorType tensorType;
  const std::byte *bytes = nullptr;
  std::shared_ptr<std::byte[]> owned;
};

/// `result[j...] = source[...]` with axis i of the result being axis `permutation[i]` of the source.
HostTensor transpose(const HostTensor &source, llvm::ArrayRef<int64_t> permutation,
                     mlir::RankedTensorType resultType);
HostTensor concatenate(llvm::ArrayRef<HostTensor> sources, int64_t axis, mlir::RankedTensorType resultType);
/// `sizes` are the result's extents before rank reduction.
HostTensor slice(const HostTensor &source, llvm::ArrayRef<int64_t> offsets, llvm::ArrayRef<int64_t> sizes,
                 llvm::ArrayRef<int64_t> strides, mlir::RankedTensorType resultType);
/// Converts between f16, bf16, f32 and f64, rounding to nearest even.
HostTensor convertFloat(const HostTensor &source, mlir::RankedTensorType resultType);
/// Elementwise on tensors of f32 of one shape.
HostTensor combineF32(const HostTensor &lhs, const HostTensor &rhs,
                      const std::function<float(float, float)> &combine);
/// As `sesame.pack_panels`: [N, K] (`isNk`) or [K, N] to [ceil(N / R), K, R].
HostTensor packPanels(const HostTensor &source, bool isNk, mlir::RankedTensorType resultType);
/// As `sesame.pack_word_panels`: [N, K] (`isNk`) or [K, N] to [ceil(N / R), words, R], of numbers of type
/// `element`.
HostTensor packWordPanels(const HostTensor &source, mlir::Type element, bool isNk,
                          mlir::RankedTensorType resultType);

} // namespace sesame

#endif // SESAME_BUNDLE_HOSTTENSOR_H
