//===- Buffer.h - Aligned memory that starts as zeros -----------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_SUPPORT_BUFFER_H
#define SESAME_SUPPORT_BUFFER_H

#include <cstddef>
#include <cstdint>
#include <utility>

namespace sesame {

/// Owned memory, aligned to 64 bytes (a cache line, a zmm register), zero at first. From 1 MiB on it is
/// mapped of its own, in huge pages where the system gives them, and costs nothing before it is touched.
class Buffer {
public:
  Buffer() = default;
  /// Throws Error if the system has not that much.
  explicit Buffer(uint64_t sizeInBytes);
  ~Buffer();
  Buffer(Buffer &&other) noexcept
      : memory(std::exchange(other.memory, nullptr)), sizeInBytes(std::exchange(other.sizeInBytes, 0)) {}
  Buffer &operator=(Buffer &&other) noexcept {
    std::swap(memory, other.memory);
    std::swap(sizeInBytes, other.sizeInBytes);
    return *this;
  }

  /// Null if the size is 0.
  void *data() const { return memory; }
  template <typename T> T *as() const { return static_cast<T *>(memory); }
  uint64_t size() const { return sizeInBytes; }

  /// Makes it at least this large; the contents are lost (and zero) if it grows, kept if not.
  void ensure(uint64_t size) {
    if (size > sizeInBytes)
      *this = Buffer(size);
  }
  /// Sets all to zero; memory of 256 MiB and more is handed back to the system, so that this costs what had
  /// been touched.
  void clear();
  /// Whether `clear` hands the memory back.
  bool isHandedBack() const { return sizeInBytes >= handedBackFrom; }

private:
  /// Pages that come anew are zeroed too, and a fault each besides: 14 MB of key and value caches cost a
  /// prompt of 128 tokens 12 ms on a virtual machine, where setting them to zero takes 1 to 2. Larger memory
  /// is mostly not used in full.
  static constexpr uint64_t handedBackFrom = uint64_t(256) << 20;

  void *memory = nullptr;
  uint64_t sizeInBytes = 0;
};

} // namespace sesame

#endif // SESAME_SUPPORT_BUFFER_H
