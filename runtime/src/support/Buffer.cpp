//===- Buffer.cpp ---------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "support/Buffer.h"

#include "support/Error.h"

#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

using namespace sesame;

namespace {
constexpr uint64_t alignment = 64;
constexpr uint64_t mappedFrom = uint64_t(1) << 20;
} // namespace

Buffer::Buffer(uint64_t size) {
  if (size == 0)
    return;
  if (size >= mappedFrom) {
    void *address = size > static_cast<uint64_t>(PTRDIFF_MAX)
                        ? MAP_FAILED
                        : ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED)
      throw Error(message("out of memory: cannot allocate ", size, " bytes"));
    (void)::madvise(address, size, MADV_HUGEPAGE);
    memory = address;
  } else {
    uint64_t rounded = (size + alignment - 1) / alignment * alignment;
    memory = std::aligned_alloc(alignment, rounded);
    if (!memory)
      throw Error(message("out of memory: cannot allocate ", size, " bytes"));
    std::memset(memory, 0, rounded);
  }
  sizeInBytes = size;
}

Buffer::~Buffer() {
  if (sizeInBytes >= mappedFrom)
    ::munmap(memory, sizeInBytes);
  else
    std::free(memory);
}

void Buffer::clear() {
  if (isHandedBack() && ::madvise(memory, sizeInBytes, MADV_DONTNEED) == 0)
    return;
  if (memory)
    std::memset(memory, 0, sizeInBytes);
}
