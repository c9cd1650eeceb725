//===- SafetensorsHeaderFuzzer.cpp ----------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Input: a header's text, then a NUL and the data's bytes (if there is a NUL).
// The length word is made here, since a fuzzer would seldom get it right.
// What the reader accepts must keep its promises: every tensor's bytes inside
// the image, end to end, of the size that its shape says.
//
//===----------------------------------------------------------------------===//

#include "io/Safetensors.h"
#include "support/Error.h"

#include <cstdlib>
#include <cstring>
#include <set>
#include <vector>

using namespace sesame;

static void require(bool holds) {
  if (!holds)
    std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  size_t headerSize = size;
  if (const void *nul = size ? std::memchr(bytes, 0, size) : nullptr)
    headerSize = static_cast<size_t>(static_cast<const uint8_t *>(nul) - bytes);
  size_t dataSize = headerSize == size ? 0 : size - headerSize - 1;
  // Exactly as large as needed, so that the address sanitizer sees a read past the end.
  std::vector<std::byte> image(8 + headerSize + dataSize);
  for (int i = 0; i < 8; ++i)
    image[static_cast<size_t>(i)] = static_cast<std::byte>(headerSize >> (8 * i));
  if (headerSize)
    std::memcpy(image.data() + 8, bytes, headerSize);
  if (dataSize)
    std::memcpy(image.data() + 8 + headerSize, bytes + headerSize + 1, dataSize);
  try {
    SafetensorsHeader header = parseSafetensors("f", image.data(), image.size());
    uint64_t end = 0;
    std::set<std::string> names;
    for (const StoredTensor &tensor : header.tensors) {
      require(names.insert(tensor.name).second);
      require(tensor.offset == end);
      require(tensor.data == image.data() + 8 + headerSize + end);
      std::optional<int64_t> expected = denseSizeInBytes(tensor.dtype, tensor.shape);
      require(expected && static_cast<uint64_t>(*expected) == tensor.sizeInBytes);
      end += tensor.sizeInBytes;
      volatile std::byte sum{};
      for (uint64_t i = 0; i < tensor.sizeInBytes; ++i)
        sum = sum ^ tensor.data[i];
    }
    require(end == dataSize);
  } catch (const Error &error) {
    // One line, whatever the file says.
    require(std::strpbrk(error.what(), "\n\r\x1b") == nullptr);
  }
  return 0;
}
