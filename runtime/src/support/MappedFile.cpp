//===- MappedFile.cpp -----------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "support/MappedFile.h"

#include "support/Error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

using namespace sesame;

namespace {
/// An open descriptor of a regular file and its size.
class OpenFile {
public:
  explicit OpenFile(const std::string &path) {
    // O_NONBLOCK: opening a pipe that nobody writes must fail, not wait.
    descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
      throw Error(message(path, ": cannot open: ", std::strerror(errno)));
    struct stat status;
    if (::fstat(descriptor, &status) != 0) {
      int error = errno;
      ::close(descriptor);
      throw Error(message(path, ": cannot stat: ", std::strerror(error)));
    }
    if (!S_ISREG(status.st_mode)) {
      ::close(descriptor);
      throw Error(message(path, ": expected a regular file, found ",
                          S_ISDIR(status.st_mode) ? "a directory" : "a device, pipe or socket"));
    }
    size = static_cast<uint64_t>(status.st_size);
  }
  ~OpenFile() { ::close(descriptor); }
  OpenFile(const OpenFile &) = delete;
  OpenFile &operator=(const OpenFile &) = delete;

  int descriptor;
  uint64_t size;
};
} // namespace

MappedFile::MappedFile(const std::string &path) {
  OpenFile file(path);
  if (file.size == 0)
    return; // mmap refuses empty ranges
  if (file.size > SIZE_MAX)
    throw Error(message(path, ": ", file.size, " bytes do not fit the address space"));
  void *address = ::mmap(nullptr, file.size, PROT_READ, MAP_SHARED, file.descriptor, 0);
  if (address == MAP_FAILED)
    throw Error(message(path, ": cannot map ", file.size, " bytes: ", std::strerror(errno)));
  // What is not yet in memory is read in huge pages where the file system can.
  (void)::madvise(address, file.size, MADV_HUGEPAGE);
  begin = static_cast<const std::byte *>(address);
  sizeInBytes = file.size;
}

MappedFile::~MappedFile() {
  if (begin)
    ::munmap(const_cast<std::byte *>(begin), sizeInBytes);
}

MappedFile::MappedFile(MappedFile &&other) noexcept
    : begin(std::exchange(other.begin, nullptr)), sizeInBytes(std::exchange(other.sizeInBytes, 0)) {}

MappedFile &MappedFile::operator=(MappedFile &&other) noexcept {
  std::swap(begin, other.begin);
  std::swap(sizeInBytes, other.sizeInBytes);
  return *this;
}

void MappedFile::willNeed(uint64_t offset, uint64_t size) const {
  if (offset >= sizeInBytes || size == 0)
    return;
  uint64_t page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  uint64_t start = offset / page * page;
  uint64_t end = size > sizeInBytes - offset ? sizeInBytes : offset + size;
  (void)::madvise(const_cast<std::byte *>(begin) + start, end - start, MADV_WILLNEED);
}

std::string sesame::readTextFile(const std::string &path, uint64_t limit) {
  OpenFile file(path);
  if (file.size > limit)
    throw Error(message(path, ": expected at most ", limit, " bytes, found ", file.size));
  std::string text;
  text.resize(file.size);
  uint64_t done = 0;
  while (done < text.size()) {
    ssize_t count = ::read(file.descriptor, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      throw Error(message(path, ": cannot read: ", std::strerror(errno)));
    if (count == 0)
      break;
    done += static_cast<uint64_t>(count);
  }
  text.resize(done);
  return text;
}

bool sesame::pathExists(const std::string &path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0;
}

std::string sesame::joinPath(const std::string &directory, const std::string &name) {
  return directory + (!directory.empty() && directory.back() == '/' ? "" : "/") + name;
}

bool sesame::isPlainFileName(const std::string &name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}
