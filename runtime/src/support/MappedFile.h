//===- MappedFile.h - A file mapped read-only -------------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_SUPPORT_MAPPEDFILE_H
#define SESAME_SUPPORT_MAPPEDFILE_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace sesame {

/// A regular file mapped read-only and shared, so processes that map the same file share its memory. Page
/// aligned. A file that is truncated by somebody else while it is mapped ends the process (SIGBUS), as with
/// every mapping.
class MappedFile {
public:
  /// Throws Error if `path` is missing, unreadable or no regular file. An empty file maps to size 0.
  explicit MappedFile(const std::string &path);
  ~MappedFile();
  MappedFile(MappedFile &&other) noexcept;
  MappedFile &operator=(MappedFile &&other) noexcept;

  const std::byte *data() const { return begin; }
  uint64_t size() const { return sizeInBytes; }

  /// Asks the system to read the range ahead; a hint, so nothing is reported.
  void willNeed(uint64_t offset, uint64_t size) const;

private:
  const std::byte *begin = nullptr;
  uint64_t sizeInBytes = 0;
};

/// The whole text of a small file (a JSON file of a checkpoint or a bundle). Throws Error if it is missing,
/// no regular file, or larger than `limit` bytes.
std::string readTextFile(const std::string &path, uint64_t limit = 100000000);

/// True if there is something of this name, whatever it is.
bool pathExists(const std::string &path);

/// "DIRECTORY/NAME", with one '/' whether `directory` ends in it or not.
std::string joinPath(const std::string &directory, const std::string &name);

/// True for a name that stays inside its directory: not empty, ".", "..", and without '/' or NUL.
bool isPlainFileName(const std::string &name);

} // namespace sesame

#endif // SESAME_SUPPORT_MAPPEDFILE_H
