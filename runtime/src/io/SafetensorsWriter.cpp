//===- SafetensorsWriter.cpp - Writing safetensors files ------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "io/Safetensors.h"

#include "support/Error.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

using namespace sesame;
using nlohmann::json;

/// The file is written in blocks of a huge page, each in one call: a file system with large folios (ext4,
/// XFS) then keeps it in huge pages, and so it is mapped. Reading weights is up to a third faster for it.
static constexpr uint64_t pageSize = uint64_t(2) << 20;

SafetensorsWriter::SafetensorsWriter(std::string path, uint64_t alignment)
    : path(std::move(path)), alignment(alignment) {
  if (alignment == 0 || alignment > 4096 || (alignment & (alignment - 1)) != 0)
    throw Error(
        message(this->path, ": expected an alignment that is a power of two up to 4096, found ", alignment));
}

SafetensorsWriter::~SafetensorsWriter() {
  if (descriptor >= 0)
    ::close(descriptor);
}

uint64_t SafetensorsWriter::add(std::string name, DType dtype, std::vector<int64_t> shape) {
  if (descriptor >= 0)
    throw Error(message(path, ": tensor ", inQuotes(name), " is declared after the header was written"));
  if (name.empty()) // allowed by the format, but here it marks padding
    throw Error(message(path, ": a tensor is declared without a name"));
  if (name == "__metadata__" || name.rfind("__padding__.", 0) == 0)
    throw Error(message(path, ": tensor name ", inQuotes(name), " is reserved"));
  if (!names.emplace(name, 0).second)
    throw Error(message(path, ": tensor ", inQuotes(name), " is declared twice"));
  std::optional<int64_t> size = denseSizeInBytes(dtype, shape);
  if (!size)
    throw Error(message(path, ": tensor ", inQuotes(name), ": ", toString(dtype, shape),
                        " has no size in whole bytes that fits 63 bits"));
  uint64_t offset = (declaredSize + alignment - 1) / alignment * alignment;
  // 2^62 leaves room for the padding and the header, whatever they are.
  if (offset > (uint64_t(1) << 62) || static_cast<uint64_t>(*size) > (uint64_t(1) << 62) - offset)
    throw Error(message(path, ": tensor ", inQuotes(name), ": the file would be larger than 2^62 bytes"));
  if (offset != declaredSize) {
    uint64_t padding = offset - declaredSize;
    ranges.push_back({"", DType::u8, {static_cast<int64_t>(padding)}, declaredSize, padding});
  }
  declaredSize = offset + static_cast<uint64_t>(*size);
  ranges.push_back({std::move(name), dtype, std::move(shape), offset, static_cast<uint64_t>(*size)});
  return offset;
}

void SafetensorsWriter::setMetadata(std::string key, std::string value) {
  if (descriptor >= 0)
    throw Error(message(path, ": metadata ", inQuotes(key), " is set after the header was written"));
  metadata[std::move(key)] = std::move(value);
}

void SafetensorsWriter::begin() {
  if (descriptor >= 0)
    throw Error(message(path, ": the header is written twice"));
  // Written piece by piece: a tree of all tensors would take several times the text's memory.
  auto quote = [&](const std::string &text) {
    try {
      return json(text).dump();
    } catch (const json::exception &) {
      throw Error(message(path, ": ", inQuotes(text), " is not UTF-8"));
    }
  };
  header = "{";
  if (!metadata.empty()) {
    header += "\"__metadata__\":{";
    const char *separator = "";
    for (const auto &[key, value] : metadata) {
      header += separator + quote(key) + ":" + quote(value);
      separator = ",";
    }
    header += '}';
  }
  for (const Range &range : ranges) {
    if (header.size() > 1)
      header += ',';
    header +=
        range.name.empty() ? "\"__padding__." + std::to_string(numPaddings++) + "\"" : quote(range.name);
    header += std::string(":{\"dtype\":\"") + safetensorsName(range.dtype) + "\",\"shape\":[";
    for (size_t i = 0; i < range.shape.size(); ++i)
      header += (i ? "," : "") + std::to_string(range.shape[i]);
    header += "],\"data_offsets\":[" + std::to_string(range.offset) + "," +
              std::to_string(range.offset + range.sizeInBytes) + "]}";
  }
  header += '}';
  header.append((alignment - (8 + header.size()) % alignment) % alignment, ' ');
  if (header.size() > 100000000)
    throw Error(
        message(path, ": the header would have ", header.size(), " bytes, above the format's 100000000"));

  descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0)
    throw Error(message(path, ": cannot create: ", std::strerror(errno)));
  uint64_t total = 8 + header.size() + declaredSize;
  // A file system without reservations says EOPNOTSUPP (a device something else); then write() will tell.
  if (::fallocate(descriptor, 0, 0, static_cast<off_t>(total)) != 0 &&
      (errno == ENOSPC || errno == EFBIG || errno == EDQUOT))
    throw Error(message(path, ": cannot reserve ", total, " bytes: ", std::strerror(errno)));
  unsigned char length[8];
  for (int i = 0; i < 8; ++i)
    length[i] = static_cast<unsigned char>(header.size() >> (8 * i));
  writeRaw(length, sizeof(length));
  writeRaw(header.data(), header.size());
  flushPending();
  skipPadding();
}

void SafetensorsWriter::writeRaw(const void *bytes, uint64_t sizeInBytes) {
  const char *next = static_cast<const char *>(bytes);
  while (sizeInBytes > 0) {
    uint64_t rest = pageSize - position % pageSize;
    if (pending.empty() && sizeInBytes >= rest) {
      // Whole blocks need no copy. The kernel takes at most 2 GiB a call.
      uint64_t count = rest + std::min((sizeInBytes - rest) / pageSize * pageSize, uint64_t(1) << 30);
      flush(next, count);
      position += count;
      next += count;
      sizeInBytes -= count;
      continue;
    }
    uint64_t count = std::min(rest, sizeInBytes);
    pending.insert(pending.end(), next, next + count);
    position += count;
    next += count;
    sizeInBytes -= count;
    if (count == rest)
      flushPending();
  }
}

void SafetensorsWriter::flushPending() {
  flush(pending.data(), pending.size());
  pending.clear();
}

void SafetensorsWriter::flush(const char *bytes, uint64_t sizeInBytes) {
  while (sizeInBytes > 0) {
    ssize_t count = ::write(descriptor, bytes, sizeInBytes);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      throw Error(message(path, ": cannot write: ", std::strerror(count < 0 ? errno : ENOSPC)));
    bytes += count;
    sizeInBytes -= static_cast<uint64_t>(count);
  }
}

/// Steps over ranges that need no bytes of the caller's: full ones, empty ones, and padding, which it writes.
void SafetensorsWriter::skipPadding() {
  static const char zeros[4096] = {};
  while (currentRange < ranges.size()) {
    const Range &range = ranges[currentRange];
    if (range.name.empty())
      writeRaw(zeros, range.sizeInBytes); // less than the alignment
    else if (writtenInRange < range.sizeInBytes)
      return;
    ++currentRange;
    writtenInRange = 0;
  }
}

void SafetensorsWriter::write(const void *bytes, uint64_t sizeInBytes) {
  if (descriptor < 0)
    throw Error(message(path, ": data is written before the header"));
  const char *next = static_cast<const char *>(bytes);
  while (sizeInBytes > 0) {
    if (currentRange == ranges.size())
      throw Error(message(path, ": ", sizeInBytes, " bytes more than the declared tensors hold"));
    uint64_t count = std::min(sizeInBytes, ranges[currentRange].sizeInBytes - writtenInRange);
    writeRaw(next, count);
    next += count;
    sizeInBytes -= count;
    writtenInRange += count;
    skipPadding();
  }
}

void SafetensorsWriter::finish(bool sync) {
  if (descriptor < 0)
    begin();
  if (currentRange != ranges.size())
    throw Error(message(path, ": tensor ", inQuotes(ranges[currentRange].name), ": expected ",
                        ranges[currentRange].sizeInBytes, " bytes, got ", writtenInRange));
  flushPending();
  if (sync && ::fsync(descriptor) != 0)
    throw Error(message(path, ": cannot write: ", std::strerror(errno)));
  int file = std::exchange(descriptor, -1);
  if (::close(file) != 0)
    throw Error(message(path, ": cannot write: ", std::strerror(errno)));
}
