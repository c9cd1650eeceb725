//===- DType.h - Element types of stored and passed tensors -----*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_SUPPORT_DTYPE_H
#define SESAME_SUPPORT_DTYPE_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sesame {

/// Every element type of the safetensors format (version 0.7). The numbers up to f64 are those of the
/// C API's SesameType.
enum class DType : uint8_t {
  i1, // one byte an element, 0 or 1 (safetensors BOOL)
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  u64,
  i64,
  f16,
  bf16,
  f32,
  f64,
  c64, // two f32
  f8E5M2,
  f8E4M3,
  f8E8M0,
  f6E2M3,
  f6E3M2,
  f4E2M1,
};

/// The name in messages and manifests: MLIR's, as "f32", "i64", "u8", "i1".
const char *toString(DType dtype);
/// The name in a safetensors header: "F32", "I64", "U8", "BOOL".
const char *safetensorsName(DType dtype);
std::optional<DType> parseDType(std::string_view name);
std::optional<DType> parseSafetensorsDType(std::string_view name);
/// Stored width: 8 for i1, 4 for f4E2M1.
int64_t sizeInBits(DType dtype);

/// The product of the extents; empty if one of them is negative or the product of those that are not 0 does
/// not fit (a tensor without elements must still have strides that can be computed).
std::optional<int64_t> elementCount(const std::vector<int64_t> &shape);
/// Bytes of a dense tensor; empty if that does not fit int64_t or is no whole number.
std::optional<int64_t> denseSizeInBytes(DType dtype, const std::vector<int64_t> &shape);

/// "f32[2, 13, 64]"; a negative extent prints as "?".
std::string toString(DType dtype, const std::vector<int64_t> &shape);

/// `text` in single quotes for a message: control characters become \xNN, and what is
/// longer than 200 bytes is cut, so that a hostile name can neither forge a second line nor flood the
/// terminal.
std::string inQuotes(std::string_view text);

} // namespace sesame

#endif // SESAME_SUPPORT_DTYPE_H
