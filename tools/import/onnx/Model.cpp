//===- Model.cpp - Reading the protobuf messages of an ONNX file ----------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The classes that protoc generates copy every tensor (in protobuf 3.21 `bytes` is a std::string), twice the
// memory of the weights at once. So the messages are read by protobuf's own low-level reader instead, which
// leaves the data where it is in the mapping. Field numbers are those of onnx.proto.
//
//===----------------------------------------------------------------------===//

#include "Model.h"

#include "support/Error.h"

#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>

using google::protobuf::io::CodedInputStream;

namespace sesame::onnx {

std::string toString(ElementType type) {
  static constexpr const char *names[] = {
      "UNDEFINED", "FLOAT",   "UINT8",  "INT8",   "UINT16", "INT16",     "INT32",      "INT64",   "STRING",
      "BOOL",      "FLOAT16", "DOUBLE", "UINT32", "UINT64", "COMPLEX64", "COMPLEX128", "BFLOAT16"};
  auto number = static_cast<size_t>(type);
  return number < std::size(names) ? names[number] : message("data type ", static_cast<int>(type));
}

/// Bytes of an element; 0 for a type that Sesame does not read.
static int64_t sizeOf(ElementType type) {
  switch (type) {
  case ElementType::f32:
  case ElementType::i32:
    return 4;
  case ElementType::i64:
  case ElementType::f64:
    return 8;
  case ElementType::boolean:
    return 1;
  case ElementType::f16:
  case ElementType::bf16:
    return 2;
  default:
    return 0;
  }
}

namespace {

enum WireType : uint32_t { varint = 0, fixed64 = 1, lengthDelimited = 2, fixed32 = 5 };

/// How deep types and graphs are nested that are only skipped needs no bound: a skipped message is skipped as
/// bytes.
struct RawTensor {
  Tensor tensor;
  std::string_view raw, floats, doubles;
  bool hasRaw = false;
  std::vector<int64_t> integers; // int32_data or int64_data
  std::vector<std::pair<std::string, std::string>> external;
  int64_t location = 0;
  bool isSegmented = false;
};

} // namespace

/// Reads messages front to back.
class Reader {
public:
  Reader(Model &model, const std::byte *image, int size)
      : model(model), base(reinterpret_cast<const char *>(image)),
        in(reinterpret_cast<const uint8_t *>(image), size) {}

  void readModel() {
    bool hasGraph = false;
    int64_t irVersion = 0;
    fields([&](uint32_t field, uint32_t wire) {
      if (field == 1)
        irVersion = integer(wire);
      else if (field == 7) {
        if (hasGraph)
          fail("expected one graph, found two");
        hasGraph = true;
        message(wire, [&] { readGraph(); });
      } else if (field == 8)
        message(wire, [&] { readOpset(); });
      else
        skip(wire);
    });
    if (!hasGraph)
      fail("expected an ONNX model, found no graph in it");
    if (irVersion < 3)
      fail(sesame::message("expected an IR version of at least 3, found ", irVersion));
  }

private:
  [[noreturn]] void fail(const std::string &what) const {
    throw Error(sesame::message(model.filePath, ": ", what));
  }
  [[noreturn]] void failFormat() {
    fail(sesame::message("is no valid ONNX file: the protobuf message breaks off or is malformed at byte ",
                         in.CurrentPosition()));
  }

  //===--------------------------------------------------------------------===//
  // Wire format
  //===--------------------------------------------------------------------===//

  /// Calls `field(number, wire type)` for every field up to the end of the message.
  template <typename F> void fields(F &&field) {
    while (uint32_t tag = in.ReadTag()) {
      if (tag >> 3 == 0)
        failFormat();
      field(tag >> 3, tag & 7);
    }
    if (!in.ConsumedEntireMessage())
      failFormat();
  }

  int length(uint32_t wire) {
    uint32_t size;
    if (wire != lengthDelimited || !in.ReadVarint32(&size) ||
        size > static_cast<uint32_t>(in.BytesUntilLimit()))
      failFormat();
    return static_cast<int>(size);
  }

  template <typename F> void message(uint32_t wire, F &&body) {
    CodedInputStream::Limit limit = in.PushLimit(length(wire));
    body();
    in.PopLimit(limit);
  }

  std::string_view bytes(uint32_t wire) {
    int size = length(wire);
    std::string_view view(base + in.CurrentPosition(), size);
    if (!in.Skip(size))
      failFormat();
    return view;
  }

  std::string text(uint32_t wire) { return std::string(bytes(wire)); }

  int64_t integer(uint32_t wire) {
    uint64_t value;
    if (wire != varint || !in.ReadVarint64(&value))
      failFormat();
    return static_cast<int64_t>(value);
  }

  /// A repeated integer field, packed or not.
  void integers(uint32_t wire, std::vector<int64_t> &values) {
    if (wire == varint)
      values.push_back(integer(wire));
    else
      message(wire, [&] {
        while (in.BytesUntilLimit() > 0)
          values.push_back(integer(varint));
      });
  }

  float number(uint32_t wire) {
    uint32_t word;
    if (wire != fixed32 || !in.ReadLittleEndian32(&word))
      failFormat();
    float value;
    std::memcpy(&value, &word, sizeof value);
    return value;
  }

  void numbers(uint32_t wire, std::vector<float> &values) {
    if (wire == fixed32)
      values.push_back(number(wire));
    else
      message(wire, [&] {
        while (in.BytesUntilLimit() > 0)
          values.push_back(number(fixed32));
      });
  }

  void skip(uint32_t wire) {
    uint64_t ignored;
    bool isDone = wire == varint            ? in.ReadVarint64(&ignored)
                  : wire == fixed64         ? in.Skip(8)
                  : wire == fixed32         ? in.Skip(4)
                  : wire == lengthDelimited ? in.Skip(length(wire))
                                            : false;
    if (!isDone)
      failFormat();
  }

  //===--------------------------------------------------------------------===//
  // Messages
  //===--------------------------------------------------------------------===//

  void readOpset() {
    std::string domain;
    int64_t version = 0;
    fields([&](uint32_t field, uint32_t wire) {
      if (field == 1)
        domain = text(wire);
      else if (field == 2)
        version = integer(wire);
      else
        skip(wire);
    });
    if (domain.empty() || domain == "ai.onnx")
      model.defaultOpset = version;
  }

  void readGraph() {
    fields([&](uint32_t field, uint32_t wire) {
      if (field == 1)
        message(wire, [&] { readNode(); });
      else if (field == 2)
        model.name = text(wire);
      else if (field == 5)
        message(wire, [&] { model.allInitializers.push_back(readTensor("")); });
      else if (field == 11 || field == 12)
        message(wire, [&] { readValueInfo(field == 11 ? model.graphInputs : model.graphOutputs); });
      else if (field == 15)
        fail("sparse initializers are not supported");
      else
        skip(wire);
    });
  }

  void readNode() {
    Node &node = model.allNodes.emplace_back();
    std::vector<std::string_view> attributes;
    fields([&](uint32_t field, uint32_t wire) {
      if (field == 1)
        node.inputs.push_back(text(wire));
      else if (field == 2)
        node.outputs.push_back(text(wire));
      else if (field == 3)
        node.name = text(wire);
      else if (field == 4)
        node.opType = text(wire);
      else if (field == 5)
        message(wire, [&] { readAttribute(node); });
      else if (field == 7)
        node.domain = text(wire);
      else
        skip(wire);
    });
  }

  void readAttribute(Node &node) {
    std::string name;
    Attribute attribute;
    fields([&](uint32_t field, uint32_t wire) {
      switch (field) {
      case 1:
        name = text(wire);
        break;
      case 2:
        attribute.number = number(wire);
        break;
      case 3:
        attribute.integer = integer(wire);
        break;
      case 4:
        attribute.text = bytes(wire);
        break;
      case 5:
        message(wire,
                [&] { attribute.tensor = readTensor(node.outputs.empty() ? node.name : node.outputs[0]); });
        break;
      case 7:
        numbers(wire, attribute.numbers);
        break;
      case 8:
        integers(wire, attribute.integers);
        break;
      case 9:
        attribute.texts.push_back(bytes(wire));
        break;
      case 20:
        attribute.kind = static_cast<int>(std::min<int64_t>(integer(wire), 100));
        break;
      default:
        skip(wire);
      }
    });
    if (!node.attributes.emplace(name, std::move(attribute)).second)
      fail(sesame::message("node ", inQuotes(node.name), ": attribute ", inQuotes(name), " is given twice"));
  }

  void readValueInfo(std::vector<ValueInfo> &list) {
    ValueInfo &info = list.emplace_back();
    fields([&](uint32_t field, uint32_t wire) {
      if (field == 1)
        info.name = text(wire);
      else if (field == 2)
        message(wire, [&] {
          fields([&](uint32_t field, uint32_t wire) {
            if (field != 1)
              return skip(wire);
            info.isTensor = true;
            message(wire, [&] { readTensorType(info); });
          });
        });
      else
        skip(wire);
    });
  }

  void readTensorType(ValueInfo &info) {
    fields([&](uint32_t field, uint32_t wire) {
      if (field == 1)
        info.type = static_cast<ElementType>(std::clamp<int64_t>(integer(wire), 0, 1000));
      else if (field == 2) {
        info.hasShape = true;
        message(wire, [&] {
          fields([&](uint32_t field, uint32_t wire) {
            if (field != 1)
              return skip(wire);
            message(wire, [&] { readDim(info.dims.emplace_back()); });
          });
        });
      } else
        skip(wire);
    });
  }

  void readDim(Dim &dim) {
    fields([&](uint32_t field, uint32_t wire) {
      if (field == 1)
        dim.extent = integer(wire);
      else if (field == 2)
        dim.name = text(wire);
      else
        skip(wire);
    });
  }

  //===--------------------------------------------------------------------===//
  // Tensors
  //===--------------------------------------------------------------------===//

  /// `owner` names a tensor that has no name itself.
  Tensor readTensor(const std::string &owner) {
    RawTensor raw;
    Tensor &tensor = raw.tensor;
    std::vector<float> loose;
    fields([&](uint32_t field, uint32_t wire) {
      switch (field) {
      case 1:
        integers(wire, tensor.shape);
        break;
      case 2:
        tensor.type = static_cast<ElementType>(std::clamp<int64_t>(integer(wire), 0, 1000));
        break;
      case 3:
        raw.isSegmented = true;
        skip(wire);
        break;
      case 4:
        if (wire == lengthDelimited && raw.floats.empty())
          raw.floats = bytes(wire);
        else
          numbers(wire, loose);
        break;
      case 5:
      case 7:
        integers(wire, raw.integers);
        break;
      case 8:
        tensor.name = text(wire);
        break;
      case 9:
        raw.raw = bytes(wire);
        raw.hasRaw = true;
        break;
      case 10:
        raw.doubles = bytes(wire);
        break;
      case 13:
        message(wire, [&] { readEntry(raw.external.emplace_back()); });
        break;
      case 14:
        raw.location = integer(wire);
        break;
      default:
        skip(wire);
      }
    });
    if (tensor.name.empty())
      tensor.name = owner;
    if (!loose.empty()) {
      if (!raw.floats.empty())
        failTensor(tensor, "its floats are given in two forms");
      raw.floats = keep(loose.data(), loose.size() * sizeof(float));
    }
    locate(raw);
    return tensor;
  }

  void readEntry(std::pair<std::string, std::string> &entry) {
    fields([&](uint32_t field, uint32_t wire) {
      if (field == 1)
        entry.first = text(wire);
      else if (field == 2)
        entry.second = text(wire);
      else
        skip(wire);
    });
  }

  [[noreturn]] void failTensor(const Tensor &tensor, const std::string &what) const {
    fail(sesame::message("tensor ", inQuotes(tensor.name), ": ", what));
  }

  std::string_view keep(const void *data, size_t size) {
    auto *begin = static_cast<const std::byte *>(data);
    auto &copy = model.decoded.emplace_back(begin, begin + size);
    return {reinterpret_cast<const char *>(copy.data()), size};
  }

  /// Finds the data, and checks that it is what type and shape need.
  void locate(RawTensor &raw) {
    Tensor &tensor = raw.tensor;
    int64_t elementSize = sizeOf(tensor.type);
    if (elementSize == 0)
      failTensor(tensor, sesame::message("element type ", toString(tensor.type), " is not supported"));
    if (raw.isSegmented)
      failTensor(tensor, "tensors in segments are not supported");
    std::optional<int64_t> count = elementCount(tensor.shape);
    int64_t size;
    if (!count || __builtin_mul_overflow(*count, elementSize, &size))
      failTensor(tensor, "its shape has a negative extent or more elements than can be counted");
    tensor.numElements = *count;

    std::string_view data;
    if (raw.location == 1)
      data = externalData(raw, size);
    else if (raw.hasRaw)
      data = raw.raw;
    else if (tensor.type == ElementType::f32)
      data = raw.floats;
    else if (tensor.type == ElementType::f64)
      data = raw.doubles;
    else
      data = narrow(raw.integers, elementSize);
    if (static_cast<int64_t>(data.size()) != size)
      failTensor(tensor, sesame::message("expected ", size, " bytes of data for ",
                                         sesame::toString(DType::u8, tensor.shape).substr(2), " of ",
                                         toString(tensor.type), ", found ", data.size()));
    tensor.data = reinterpret_cast<const std::byte *>(data.data());
  }

  /// Integers, one a varint in the file, as elements of their own size.
  std::string_view narrow(const std::vector<int64_t> &values, int64_t elementSize) {
    std::vector<std::byte> &bytes = model.decoded.emplace_back(values.size() * elementSize);
    for (size_t i = 0; i < values.size(); ++i)
      std::memcpy(bytes.data() + i * elementSize, &values[i], elementSize);
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
  }

  std::string_view externalData(const RawTensor &raw, int64_t size) {
    const Tensor &tensor = raw.tensor;
    std::string location;
    uint64_t offset = 0, length = size;
    for (const auto &[key, value] : raw.external)
      if (key == "location")
        location = value;
      else if (key == "offset")
        offset = decimal(tensor, key, value);
      else if (key == "length")
        length = decimal(tensor, key, value);
    if (!isPlainFileName(location))
      failTensor(tensor, sesame::message("expected its data in a file of the same folder, found location ",
                                         inQuotes(location)));
    if (length != static_cast<uint64_t>(size))
      failTensor(tensor,
                 sesame::message("expected ", size, " bytes of external data, found length ", length));
    size_t slash = model.filePath.rfind('/');
    std::string path = joinPath(slash == std::string::npos ? "." : model.filePath.substr(0, slash), location);
    auto it = model.externalFiles.find(location);
    if (it == model.externalFiles.end()) {
      if (!pathExists(path))
        failTensor(tensor, sesame::message("its file ", inQuotes(location), " is missing"));
      it = model.externalFiles.emplace(location, MappedFile(path)).first;
    }
    const MappedFile &file = it->second;
    if (offset > file.size() || length > file.size() - offset)
      failTensor(tensor, sesame::message("its data at ", offset, " of ", length, " bytes lies outside of ",
                                         inQuotes(location), ", which has ", file.size()));
    return {reinterpret_cast<const char *>(file.data()) + offset, static_cast<size_t>(length)};
  }

  uint64_t decimal(const Tensor &tensor, const std::string &key, const std::string &value) {
    uint64_t number = 0;
    bool isNumber = !value.empty();
    for (char digit : value)
      isNumber = isNumber && digit >= '0' && digit <= '9' &&
                 !__builtin_mul_overflow(number, uint64_t(10), &number) &&
                 !__builtin_add_overflow(number, uint64_t(digit - '0'), &number);
    if (!isNumber)
      failTensor(tensor,
                 sesame::message("expected a number as external data's ", key, ", found ", inQuotes(value)));
    return number;
  }

  Model &model;
  const char *base;
  CodedInputStream in;
};

Model::Model(const std::string &path) : filePath(path), file(std::make_unique<MappedFile>(path)) {
  read(file->data(), file->size());
}

Model::Model(const std::string &path, const std::byte *image, uint64_t size) : filePath(path) {
  read(image, size);
}

void Model::read(const std::byte *image, uint64_t size) {
  if (size > static_cast<uint64_t>(std::numeric_limits<int>::max()))
    throw Error(message(filePath, ": expected at most 2 GiB (protobuf's limit), found ", size,
                        " bytes; larger models keep their weights as external data"));
  Reader(*this, image, static_cast<int>(size)).readModel();

  std::set<std::string_view> initialized;
  for (const Tensor &tensor : allInitializers) {
    if (tensor.name.empty() || !initialized.insert(tensor.name).second)
      throw Error(message(filePath, ": expected initializers of different names, found ",
                          inQuotes(tensor.name), tensor.name.empty() ? "" : " twice"));
    store(tensor.name, tensor);
  }
  graphInputs.erase(std::remove_if(graphInputs.begin(), graphInputs.end(),
                                   [&](const ValueInfo &info) { return initialized.count(info.name) != 0; }),
                    graphInputs.end());
  for (const Node &node : allNodes)
    if (node.opType == "Constant" && node.outputs.size() == 1)
      if (const Attribute *value = node.find("value"); value && value->tensor.data)
        store(node.outputs[0], value->tensor);
}

void Model::store(const std::string &name, const Tensor &tensor) {
  DType dtype;
  switch (tensor.type) {
  case ElementType::f32:
    dtype = DType::f32;
    break;
  case ElementType::f16:
    dtype = DType::f16;
    break;
  case ElementType::bf16:
    dtype = DType::bf16;
    break;
  case ElementType::f64:
    dtype = DType::f64;
    break;
  default:
    return;
  }
  stored.emplace(name,
                 StoredTensor{name, dtype, tensor.shape, 0,
                              static_cast<uint64_t>(tensor.numElements * sizeOf(tensor.type)), tensor.data});
}

const StoredTensor *Model::findStored(std::string_view name) const {
  auto it = stored.find(name);
  return it == stored.end() ? nullptr : &it->second;
}

const StoredTensor &Model::getStored(std::string_view name) const {
  if (const StoredTensor *tensor = findStored(name))
    return *tensor;
  throw Error(message(filePath, ": expected tensor ", inQuotes(name), ", found none of this name"));
}

} // namespace sesame::onnx
