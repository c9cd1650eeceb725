//===- Safetensors.h - Reading and writing safetensors files ----*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The format (github.com/huggingface/safetensors, README "Format"): a
// little-endian 64-bit header length, a JSON header, the data. All rules are
// checked when a file is opened; afterwards every tensor's bytes are known to
// lie inside the mapping.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IO_SAFETENSORS_H
#define SESAME_IO_SAFETENSORS_H

#include "support/DType.h"
#include "support/MappedFile.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sesame {

/// One tensor of a file. Dense, row-major, little-endian. `data` may have any alignment: the format does not
/// promise one.
struct StoredTensor {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  uint64_t offset;      // from the start of the file's data section
  uint64_t sizeInBytes; // shape times element size
  const std::byte *data;
};

/// What a header says, checked against the bytes it came with.
struct SafetensorsHeader {
  std::vector<StoredTensor> tensors; // in the order of their data
  std::map<std::string, std::string> metadata;
  uint64_t dataOffset; // 8 + length of the header
  uint64_t dataSizeInBytes;
};

/// Parses and checks the whole file image [image, image + size): header of at most 100 MB that is a JSON
/// object starting with '{', no duplicate names, known types, products that do not overflow, ranges that
/// match the shapes and cover the data section without hole, overlap or rest. Throws Error that starts with
/// `path` and names the tensor.
SafetensorsHeader parseSafetensors(const std::string &path, const std::byte *image, uint64_t size);

/// A mapped file. The tensors' pointers live as long as this object.
class SafetensorsFile {
public:
  explicit SafetensorsFile(const std::string &path);

  const std::string &path() const { return filePath; }
  /// In the order of their data.
  const std::vector<StoredTensor> &tensors() const { return header.tensors; }
  /// Null if there is none of this name.
  const StoredTensor *find(std::string_view name) const;
  const std::map<std::string, std::string> &metadata() const { return header.metadata; }
  /// The JSON text of the header, with its padding.
  std::string_view headerText() const;
  const std::byte *data() const { return file.data() + header.dataOffset; }
  uint64_t dataSizeInBytes() const { return header.dataSizeInBytes; }
  const MappedFile &mapping() const { return file; }

private:
  std::string filePath;
  MappedFile file;
  SafetensorsHeader header;
  std::vector<uint32_t> byName; // indices of tensors, sorted by name
};

/// Writes a file front to back with bounded memory: declare every tensor, `begin`, `write` their bytes in the
/// order of declaration in pieces of any size, `finish`. Every tensor's data, and the data section itself,
/// starts at a multiple of `alignment` in the file; since the format allows no hole, what lies between is
/// declared as U8 tensors named "__padding__.N". The caller writes to a temporary name and renames. Every
/// failure of the system throws Error.
class SafetensorsWriter {
public:
  explicit SafetensorsWriter(std::string path, uint64_t alignment = 64);
  /// Closes the file; one that was not finished stays behind incomplete.
  ~SafetensorsWriter();
  SafetensorsWriter(const SafetensorsWriter &) = delete;
  SafetensorsWriter &operator=(const SafetensorsWriter &) = delete;

  /// Returns the tensor's offset in the data section. Throws Error for a duplicate or reserved name or a size
  /// that overflows.
  uint64_t add(std::string name, DType dtype, std::vector<int64_t> shape);
  void setMetadata(std::string key, std::string value);

  /// Creates the file, reserves its space (so a disk that is too full says so now) and writes the header.
  void begin();
  /// The next bytes of the tensors, none of the padding: one call may end one tensor and start the next.
  void write(const void *bytes, uint64_t sizeInBytes);
  /// Throws Error if bytes are missing. With `sync` the data is on the disk when it returns.
  void finish(bool sync = false);

  /// Known after `begin`.
  const std::string &headerText() const { return header; }
  uint64_t dataSizeInBytes() const { return declaredSize; }

private:
  struct Range {
    std::string name; // empty for padding
    DType dtype;
    std::vector<int64_t> shape;
    uint64_t offset, sizeInBytes;
  };
  void writeRaw(const void *bytes, uint64_t sizeInBytes);
  void flush(const char *bytes, uint64_t sizeInBytes);
  void flushPending();
  void skipPadding();

  std::string path;
  uint64_t alignment;
  std::vector<Range> ranges;
  std::map<std::string, std::string> metadata;
  std::map<std::string, uint32_t> names;
  std::string header;
  uint64_t declaredSize = 0; // of the data section so far
  uint64_t writtenInRange = 0;
  size_t currentRange = 0;
  uint64_t numPaddings = 0;
  uint64_t position = 0;     // in the file, of what comes after `pending`
  std::vector<char> pending; // bytes that wait for the rest of their block
  int descriptor = -1;
};

} // namespace sesame

#endif // SESAME_IO_SAFETENSORS_H
