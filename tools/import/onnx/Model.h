//===- Model.h - What an ONNX file says -------------------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The messages of onnx.proto that Sesame reads (github.com/onnx/onnx, IR version 3 to 11), as plain structs.
// Text and tensor data are views into the mapped file: nothing of a model's size is copied.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_ONNX_MODEL_H
#define SESAME_IMPORT_ONNX_MODEL_H

#include "io/Safetensors.h"
#include "support/MappedFile.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sesame::onnx {

/// TensorProto.DataType.
enum class ElementType : int {
  undefined = 0,
  f32 = 1,
  i32 = 6,
  i64 = 7,
  boolean = 9,
  f16 = 10,
  f64 = 11,
  bf16 = 16,
};

/// The name in onnx.proto ("FLOAT", "INT64"), or the number.
std::string toString(ElementType type);

/// A constant: an initializer or the value of a Constant node. `data` are its bytes, row-major and
/// little-endian, one byte a boolean.
struct Tensor {
  std::string name;
  ElementType type = ElementType::undefined;
  std::vector<int64_t> shape;
  int64_t numElements = 0;
  const std::byte *data = nullptr;
};

struct Attribute {
  /// AttributeProto.AttributeType: FLOAT = 1, INT, STRING, TENSOR, GRAPH, FLOATS, INTS, STRINGS.
  int kind = 0;
  float number = 0;
  int64_t integer = 0;
  std::string_view text;
  std::vector<float> numbers;
  std::vector<int64_t> integers;
  std::vector<std::string_view> texts;
  Tensor tensor;
};

struct Node {
  std::string name, opType, domain;
  /// An optional input or output that is left out has an empty name.
  std::vector<std::string> inputs, outputs;
  std::map<std::string, Attribute, std::less<>> attributes;

  /// Null if there is none of this name.
  const Attribute *find(std::string_view name) const {
    auto it = attributes.find(name);
    return it == attributes.end() ? nullptr : &it->second;
  }
};

/// An axis of an input or output: an extent, or a name ("" if it has neither).
struct Dim {
  int64_t extent = -1;
  std::string name;
};

struct ValueInfo {
  std::string name;
  ElementType type = ElementType::undefined;
  bool isTensor = false, hasShape = false;
  std::vector<Dim> dims;
};

/// A file and the files with external data beside it, mapped.
class Model {
public:
  /// Reads the graph. Throws Error, which names the file and what is wrong in it, for a file that is no ONNX
  /// model or breaks the format: every length, extent and offset is checked, and external data lies in files
  /// of the same folder.
  explicit Model(const std::string &path);
  /// The same of a file image that stays where it is; `path` is for messages and the folder of external data.
  Model(const std::string &path, const std::byte *image, uint64_t size);
  Model(const Model &) = delete;
  Model &operator=(const Model &) = delete;

  const std::string &path() const { return filePath; }
  /// Of the default domain; 0 if it is not imported.
  int64_t opset() const { return defaultOpset; }
  const std::string &graphName() const { return name; }
  const std::vector<Node> &nodes() const { return allNodes; }
  /// Without those that are initializers too, as old files have them.
  const std::vector<ValueInfo> &inputs() const { return graphInputs; }
  const std::vector<ValueInfo> &outputs() const { return graphOutputs; }
  const std::vector<Tensor> &initializers() const { return allInitializers; }
  /// The constants with floats, initializers and those of Constant nodes (by the name of their output), for
  /// the weight program. Null if there is none of this name.
  const StoredTensor *findStored(std::string_view name) const;
  /// As `findStored`, but throws Error that names the file and the tensor.
  const StoredTensor &getStored(std::string_view name) const;

private:
  friend class Reader;
  void read(const std::byte *image, uint64_t size);
  void store(const std::string &name, const Tensor &tensor);

  std::string filePath, name;
  std::unique_ptr<MappedFile> file;
  int64_t defaultOpset = 0;
  std::vector<Node> allNodes;
  std::vector<ValueInfo> graphInputs, graphOutputs;
  std::vector<Tensor> allInitializers;
  std::map<std::string, StoredTensor, std::less<>> stored;
  /// Files of external data by name, and data that the file does not hold as plain bytes.
  std::map<std::string, MappedFile, std::less<>> externalFiles;
  std::deque<std::vector<std::byte>> decoded;
};

} // namespace sesame::onnx

#endif // SESAME_IMPORT_ONNX_MODEL_H
