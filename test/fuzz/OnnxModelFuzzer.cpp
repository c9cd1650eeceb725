//===- OnnxModelFuzzer.cpp ------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the reader accepts must keep its promises: every constant's bytes lie inside the image or are the
// reader's own, as many as type and shape say.
//
//===----------------------------------------------------------------------===//

#include "import/onnx/Model.h"
#include "support/Error.h"

#include <cstdlib>
#include <cstring>
#include <vector>

using namespace sesame;

static void require(bool holds) {
  if (!holds)
    std::abort();
}

static void touch(const std::byte *data, int64_t size) {
  volatile std::byte sum{};
  for (int64_t i = 0; i < size; ++i)
    sum = sum ^ data[i];
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  // Exactly as large as needed, so that the address sanitizer sees a read past the end.
  std::vector<std::byte> image(size);
  if (size)
    std::memcpy(image.data(), bytes, size);
  try {
    onnx::Model model("/nowhere/f.onnx", image.data(), image.size());
    for (const onnx::Tensor &tensor : model.initializers()) {
      if (const StoredTensor *stored = model.findStored(tensor.name)) {
        require(stored->data == tensor.data && stored->shape == tensor.shape);
        touch(stored->data, static_cast<int64_t>(stored->sizeInBytes));
      } else {
        touch(tensor.data, tensor.numElements); // at least a byte each
      }
    }
    for (const onnx::Node &node : model.nodes())
      for (const auto &[name, attribute] : node.attributes)
        touch(reinterpret_cast<const std::byte *>(attribute.text.data()),
              static_cast<int64_t>(attribute.text.size()));
  } catch (const Error &error) {
    require(std::strpbrk(error.what(), "\n\r\x1b") == nullptr);
  }
  return 0;
}
