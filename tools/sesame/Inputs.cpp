//===- Inputs.cpp - Stored tensors as inputs of an entry ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Inputs.h"

#include "GoldenCase.h"

namespace sesame {

static bool isInteger(DType dtype) {
  switch (dtype) {
  case DType::i1:
  case DType::u8:
  case DType::i8:
  case DType::i16:
  case DType::i32:
  case DType::i64:
    return true;
  default:
    return false;
  }
}

EntryInputs::EntryInputs(const EntrySpec &entry,
                         const std::vector<std::pair<std::string, const StoredTensor *>> &tensors) {
  for (const auto &[name, tensor] : tensors) {
    InputTensor input{name, tensor->dtype, tensor->shape, tensor->data};
    const int32_t number = entry.findInput(name);
    if (number >= 0 && entry.inputs[number].dtype == DType::i64 && tensor->dtype != DType::i64 &&
        isInteger(tensor->dtype)) {
      const uint64_t count = tensor->sizeInBytes * 8 / sizeInBits(tensor->dtype);
      const std::vector<double> values = toDoubles(tensor->dtype, tensor->data, count);
      converted.emplace_back(values.begin(), values.end());
      input.dtype = DType::i64;
      input.data = converted.back().data();
    }
    inputs.push_back(std::move(input));
  }
}

} // namespace sesame
