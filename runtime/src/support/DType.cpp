//===- DType.cpp ----------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "support/DType.h"

#include <cstdio>

using namespace sesame;

namespace {
struct Row {
  DType dtype;
  const char *name;
  const char *safetensors;
  int bits;
};
// In the order of the enumeration.
constexpr Row rows[] = {
    {DType::i1, "i1", "BOOL", 8},
    {DType::u8, "u8", "U8", 8},
    {DType::i8, "i8", "I8", 8},
    {DType::u16, "u16", "U16", 16},
    {DType::i16, "i16", "I16", 16},
    {DType::u32, "u32", "U32", 32},
    {DType::i32, "i32", "I32", 32},
    {DType::u64, "u64", "U64", 64},
    {DType::i64, "i64", "I64", 64},
    {DType::f16, "f16", "F16", 16},
    {DType::bf16, "bf16", "BF16", 16},
    {DType::f32, "f32", "F32", 32},
    {DType::f64, "f64", "F64", 64},
    {DType::c64, "c64", "C64", 64},
    {DType::f8E5M2, "f8E5M2", "F8_E5M2", 8},
    {DType::f8E4M3, "f8E4M3", "F8_E4M3", 8},
    {DType::f8E8M0, "f8E8M0", "F8_E8M0", 8},
    {DType::f6E2M3, "f6E2M3", "F6_E2M3", 6},
    {DType::f6E3M2, "f6E3M2", "F6_E3M2", 6},
    {DType::f4E2M1, "f4E2M1", "F4", 4},
};
const Row &row(DType dtype) { return rows[static_cast<size_t>(dtype)]; }
} // namespace

const char *sesame::toString(DType dtype) { return row(dtype).name; }
const char *sesame::safetensorsName(DType dtype) { return row(dtype).safetensors; }
int64_t sesame::sizeInBits(DType dtype) { return row(dtype).bits; }

std::optional<DType> sesame::parseDType(std::string_view name) {
  for (const Row &row : rows)
    if (name == row.name)
      return row.dtype;
  return std::nullopt;
}

std::optional<DType> sesame::parseSafetensorsDType(std::string_view name) {
  for (const Row &row : rows)
    if (name == row.safetensors)
      return row.dtype;
  return std::nullopt;
}

std::optional<int64_t> sesame::elementCount(const std::vector<int64_t> &shape) {
  int64_t product = 1;
  bool empty = false;
  for (int64_t extent : shape) {
    if (extent < 0)
      return std::nullopt;
    if (extent == 0)
      empty = true;
    else if (__builtin_mul_overflow(product, extent, &product))
      return std::nullopt;
  }
  return empty ? 0 : product;
}

std::optional<int64_t> sesame::denseSizeInBytes(DType dtype, const std::vector<int64_t> &shape) {
  std::optional<int64_t> count = elementCount(shape);
  int64_t bits;
  if (!count || __builtin_mul_overflow(*count, sizeInBits(dtype), &bits) || bits % 8 != 0)
    return std::nullopt;
  return bits / 8;
}

std::string sesame::toString(DType dtype, const std::vector<int64_t> &shape) {
  std::string text = toString(dtype);
  text += '[';
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i)
      text += ", ";
    text += shape[i] < 0 ? "?" : std::to_string(shape[i]);
  }
  return text + ']';
}

std::string sesame::inQuotes(std::string_view text) {
  constexpr size_t longest = 200;
  std::string result = "'";
  for (char c : text.substr(0, longest)) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      char escape[5];
      std::snprintf(escape, sizeof(escape), "\\x%02x", byte);
      result += escape;
    } else {
      result += c;
    }
  }
  if (text.size() > longest)
    result += "...";
  return result + "'";
}
