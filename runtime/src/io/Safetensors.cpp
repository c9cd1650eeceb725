//===- Safetensors.cpp - Reading safetensors files ------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "io/Safetensors.h"

#include "support/Error.h"
#include "support/Json.h"

#include <algorithm>
#include <cstring>
#include <limits>

using namespace sesame;
using nlohmann::json;

namespace {

/// The reference implementation's limit (safetensors/src/tensor.rs, MAX_HEADER_SIZE).
constexpr uint64_t maxHeaderSize = 100000000;

/// Takes the header's JSON event by event, so that duplicate keys are seen, nesting is bounded, and no tree
/// is built. The grammar is {"__metadata__": {text: text}, name: {"dtype": text, "shape": [n...],
/// "data_offsets": [n, n]}}.
class HeaderReader : public nlohmann::json_sax<json> {
public:
  HeaderReader(const std::string &path, SafetensorsHeader &header) : path(path), header(header) {}

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_integer(number_integer_t value) override { return unexpected(message(value)); }
  bool number_float(number_float_t, const string_t &text) override { return unexpected(text); }
  bool binary(binary_t &) override { return unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (state != State::array)
      return unexpected(message(value));
    if (field == Field::shape) {
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        fail(message("extent ", value, " in the shape does not fit 63 bits"));
      tensor.shape.push_back(static_cast<int64_t>(value));
    } else {
      if (numOffsets == 2)
        fail("expected two numbers in 'data_offsets', found more");
      offsets[numOffsets++] = value;
    }
    return true;
  }

  bool string(string_t &value) override {
    if (state == State::metadata) {
      header.metadata[metadataKey] = std::move(value);
      return true;
    }
    if (state != State::tensor || field != Field::dtype)
      return unexpected("text");
    std::optional<DType> dtype = parseSafetensorsDType(value);
    if (!dtype)
      fail(message("unknown dtype ", inQuotes(value)));
    tensor.dtype = *dtype;
    return true;
  }

  bool start_object(std::size_t) override {
    switch (state) {
    case State::start:
      state = State::top;
      return true;
    case State::top:
      state = inMetadata ? State::metadata : State::tensor;
      return true;
    default:
      return unexpected("an object");
    }
  }

  bool key(string_t &name) override {
    switch (state) {
    case State::top:
      inMetadata = name == "__metadata__";
      if (inMetadata) {
        if (std::exchange(seenMetadata, true))
          fail("key '__metadata__' occurs twice");
        return true;
      }
      tensor = StoredTensor{std::move(name), DType::u8, {}, 0, 0, nullptr};
      seen[0] = seen[1] = seen[2] = false;
      numOffsets = 0;
      return true;
    case State::metadata:
      if (header.metadata.count(name))
        fail(message("key ", inQuotes(name), " occurs twice in '__metadata__'"));
      metadataKey = std::move(name);
      return true;
    default:
      if (name == "dtype")
        field = Field::dtype;
      else if (name == "shape")
        field = Field::shape;
      else if (name == "data_offsets")
        field = Field::offsets;
      else
        fail(message("unknown key ", inQuotes(name)));
      if (std::exchange(seen[static_cast<int>(field)], true))
        fail(message("key ", inQuotes(name), " occurs twice"));
      return true;
    }
  }

  bool end_object() override {
    if (state == State::top) {
      state = State::end;
      return true;
    }
    if (state == State::tensor)
      finishTensor();
    inMetadata = false;
    state = State::top;
    return true;
  }

  bool start_array(std::size_t) override {
    if (state != State::tensor || field == Field::dtype)
      return unexpected("an array");
    state = State::array;
    return true;
  }

  bool end_array() override {
    state = State::tensor;
    return true;
  }

  bool parse_error(std::size_t, const std::string &, const json::exception &error) override {
    throw Error(message(path, ": header is not JSON: ", describeJsonError(error)));
  }

private:
  enum class State { start, top, metadata, tensor, array, end };
  enum class Field { dtype, shape, offsets };

  [[noreturn]] void fail(const std::string &what) const {
    if (state == State::tensor || state == State::array)
      throw Error(message(path, ": tensor ", inQuotes(tensor.name), ": ", what));
    throw Error(message(path, ": ", what));
  }

  bool unexpected(const std::string &found) const {
    switch (state) {
    case State::start:
      fail(message("expected the header to be an object, found ", found));
    case State::top:
      fail(message("expected ", inMetadata ? "'__metadata__'" : message("tensor ", inQuotes(tensor.name)),
                   " to be an object, found ", found));
    case State::metadata:
      fail(message("expected text for key ", inQuotes(metadataKey), " of '__metadata__', found ", found));
    case State::tensor:
      fail(field == Field::dtype ? message("expected 'dtype' to be text, found ", found)
                                 : message("expected ", field == Field::shape ? "'shape'" : "'data_offsets'",
                                           " to be an array, found ", found));
    default:
      fail(message("expected whole numbers that are not negative in ",
                   field == Field::shape ? "'shape'" : "'data_offsets'", ", found ", found));
    }
  }

  void finishTensor() {
    constexpr const char *names[] = {"dtype", "shape", "data_offsets"};
    for (int i = 0; i < 3; ++i)
      if (!seen[i])
        fail(message("expected key '", names[i], "', found none"));
    if (numOffsets != 2)
      fail(message("expected two numbers in 'data_offsets', found ", numOffsets));
    if (offsets[1] < offsets[0])
      fail(message("data range [", offsets[0], ", ", offsets[1], ") ends before it starts"));
    std::optional<int64_t> size = denseSizeInBytes(tensor.dtype, tensor.shape);
    if (!size)
      fail(message(toString(tensor.dtype, tensor.shape), " has no size in whole bytes that fits 63 bits"));
    tensor.offset = offsets[0];
    tensor.sizeInBytes = offsets[1] - offsets[0];
    if (tensor.sizeInBytes != static_cast<uint64_t>(*size))
      fail(message(toString(tensor.dtype, tensor.shape), " needs ", *size, " bytes, but its data range [",
                   offsets[0], ", ", offsets[1], ") has ", tensor.sizeInBytes));
    if (offsets[1] > header.dataSizeInBytes)
      fail(message("data range [", offsets[0], ", ", offsets[1], ") ends past the ", header.dataSizeInBytes,
                   " bytes of data in the file"));
    header.tensors.push_back(std::move(tensor));
  }

  const std::string &path;
  SafetensorsHeader &header;
  State state = State::start;
  Field field = Field::dtype;
  bool inMetadata = false, seenMetadata = false;
  bool seen[3] = {};
  std::string metadataKey;
  StoredTensor tensor;
  uint64_t offsets[2] = {};
  int numOffsets = 0;
};

std::vector<uint32_t> sortedByName(const std::vector<StoredTensor> &tensors) {
  std::vector<uint32_t> order(tensors.size());
  for (size_t i = 0; i < order.size(); ++i)
    order[i] = static_cast<uint32_t>(i);
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return tensors[a].name < tensors[b].name; });
  return order;
}

} // namespace

SafetensorsHeader sesame::parseSafetensors(const std::string &path, const std::byte *image, uint64_t size) {
  if (size < 8)
    throw Error(message(path, ": expected at least the 8 bytes of the header's length, found ", size));
  uint64_t headerSize = 0;
  for (int i = 0; i < 8; ++i)
    headerSize |= static_cast<uint64_t>(image[i]) << (8 * i);
  if (headerSize > maxHeaderSize)
    throw Error(
        message(path, ": header length ", headerSize, " is above the limit of ", maxHeaderSize, " bytes"));
  if (headerSize > size - 8)
    throw Error(
        message(path, ": header length ", headerSize, " is past the end of the file of ", size, " bytes"));

  SafetensorsHeader header;
  header.dataOffset = 8 + headerSize;
  header.dataSizeInBytes = size - header.dataOffset;
  const char *text = reinterpret_cast<const char *>(image) + 8;
  // The JSON reader would also take a byte-order mark or leading spaces, which the format does not allow.
  if (headerSize == 0 || text[0] != '{')
    throw Error(message(path, ": expected the header to start with '{'"));
  HeaderReader reader(path, header);
  json::sax_parse(text, text + headerSize, &reader);

  std::vector<StoredTensor> &tensors = header.tensors;
  std::vector<uint32_t> byName = sortedByName(tensors);
  for (size_t i = 1; i < byName.size(); ++i)
    if (tensors[byName[i - 1]].name == tensors[byName[i]].name)
      throw Error(message(path, ": tensor ", inQuotes(tensors[byName[i]].name), " occurs twice"));

  // Empty tensors may share their offset with the tensor that follows; sorted by both ends they come first.
  std::sort(tensors.begin(), tensors.end(), [](const StoredTensor &a, const StoredTensor &b) {
    return a.offset != b.offset             ? a.offset < b.offset
           : a.sizeInBytes != b.sizeInBytes ? a.sizeInBytes < b.sizeInBytes
                                            : a.name < b.name;
  });
  uint64_t end = 0;
  const StoredTensor *previous = nullptr;
  for (StoredTensor &tensor : tensors) {
    if (tensor.offset > end)
      throw Error(message(path, ": tensor ", inQuotes(tensor.name), ": expected its data to start at byte ",
                          end, ", found ", tensor.offset, " (a hole that no tensor covers)"));
    if (tensor.offset < end)
      throw Error(message(path, ": tensor ", inQuotes(tensor.name), ": its data starts at byte ",
                          tensor.offset, " inside that of ", inQuotes(previous->name), ", which ends at ",
                          end));
    end = tensor.offset + tensor.sizeInBytes;
    previous = &tensor;
    tensor.data = image + header.dataOffset + tensor.offset;
  }
  if (end != header.dataSizeInBytes)
    throw Error(message(path, ": expected ", end, " bytes of data, found ", header.dataSizeInBytes,
                        " (bytes that no tensor covers)"));
  return header;
}

SafetensorsFile::SafetensorsFile(const std::string &path)
    : filePath(path), file(path), header(parseSafetensors(path, file.data(), file.size())),
      byName(sortedByName(header.tensors)) {}

const StoredTensor *SafetensorsFile::find(std::string_view name) const {
  auto it = std::lower_bound(byName.begin(), byName.end(), name, [&](uint32_t index, std::string_view name) {
    return header.tensors[index].name < name;
  });
  if (it == byName.end() || header.tensors[*it].name != name)
    return nullptr;
  return &header.tensors[*it];
}

std::string_view SafetensorsFile::headerText() const {
  return {reinterpret_cast<const char *>(file.data()) + 8, static_cast<size_t>(header.dataOffset - 8)};
}
