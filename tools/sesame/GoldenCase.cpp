//===- GoldenCase.cpp - Recorded calls of a reference implementation ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GoldenCase.h"

#include "support/Error.h"
#include "support/Json.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

namespace sesame {

const StoredTensor *GoldenCall::findInput(std::string_view input) const {
  for (const auto &[name, tensor] : inputs)
    if (name == input)
      return tensor;
  return nullptr;
}

/// "fwd0.in.input_ids" -> ("fwd0", "in", "input_ids"); "out.result" -> ("", "out", "result").
static bool splitName(const std::string &name, std::string &call, std::string &role, std::string &tensor) {
  for (const char *marker : {"in.", "out.", "dbg."}) {
    const std::string text(marker);
    if (name.compare(0, text.size(), text) == 0) {
      call.clear();
      role = text.substr(0, text.size() - 1);
      tensor = name.substr(text.size());
      return true;
    }
    const size_t at = name.find("." + text);
    if (at != std::string::npos) {
      call = name.substr(0, at);
      role = text.substr(0, text.size() - 1);
      tensor = name.substr(at + 1 + text.size());
      return true;
    }
  }
  return false;
}

static void readCallsFromNames(const std::string &path, GoldenCase &result) {
  std::map<std::string, size_t> numbers;
  for (const StoredTensor &tensor : result.tensors->tensors()) {
    std::string call, role, name;
    if (tensor.name.rfind("__padding__", 0) == 0)
      continue;
    if (!splitName(tensor.name, call, role, name))
      throw Error(message(path, ": tensor '", tensor.name,
                          "': expected a name 'in.NAME', 'out.NAME', 'CALL.in.NAME' or 'CALL.out.NAME'"));
    auto [place, isNew] = numbers.try_emplace(call, result.calls.size());
    if (isNew) {
      result.calls.emplace_back();
      result.calls.back().name = call;
    }
    GoldenCall &target = result.calls[place->second];
    if (role == "in")
      target.inputs.emplace_back(name, &tensor);
    else if (role == "out")
      target.outputs.emplace_back(name, &tensor);
  }
}

static void readCallsFromJson(const std::string &path, const nlohmann::json &json, GoldenCase &result) {
  if (!json.is_object() || !json.contains("calls") || !json["calls"].is_array())
    throw Error(message(path, ": expected an object with a list 'calls'"));
  for (const nlohmann::json &item : json["calls"]) {
    GoldenCall call;
    try {
      call.name = item.at("name").get<std::string>();
      call.kind = item.value("kind", "forward");
      call.compareMask = item.value("compare_mask", "");
      call.parameters = item.value("params", nlohmann::json::object());
      call.arguments = item.value("kwargs", nlohmann::json::object());
      for (const char *role : {"inputs", "outputs"})
        for (const nlohmann::json &entry : item.value(role, nlohmann::json::array())) {
          const std::string name = entry.get<std::string>();
          const std::string full = call.name + (*role == 'i' ? ".in." : ".out.") + name;
          const StoredTensor *tensor = result.tensors->find(full);
          if (!tensor)
            throw Error(message(result.tensors->path(), ": tensor '", full,
                                "', which golden.json lists, is missing"));
          (*role == 'i' ? call.inputs : call.outputs).emplace_back(name, tensor);
        }
    } catch (const nlohmann::json::exception &error) {
      throw Error(message(path, ": call '", call.name, "': ", describeJsonError(error)));
    }
    result.calls.push_back(std::move(call));
  }
}

GoldenCase GoldenCase::open(const std::string &path) {
  GoldenCase result;
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) {
    result.tensors = std::make_unique<SafetensorsFile>(path);
    readCallsFromNames(path, result);
    return result;
  }
  result.tensors = std::make_unique<SafetensorsFile>(path + "/golden.safetensors");
  const std::string jsonPath = path + "/golden.json";
  std::ifstream stream(jsonPath, std::ios::binary);
  if (!stream)
    throw Error(message(jsonPath, ": cannot open: ", std::strerror(errno)));
  const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  const nlohmann::json json = parseJson(jsonPath, text);
  // The record of an ONNX file lists no calls: the tensors' names say them.
  if (json.is_object() && !json.contains("calls"))
    readCallsFromNames(result.tensors->path(), result);
  else
    readCallsFromJson(jsonPath, json, result);
  return result;
}

template <typename T> static double loadAs(const std::byte *from, uint64_t i) {
  T value;
  std::memcpy(&value, from + i * sizeof(T), sizeof(T));
  return static_cast<double>(value);
}

std::vector<double> toDoubles(DType dtype, const void *data, uint64_t count) {
  std::vector<double> result(count);
  const auto *from = static_cast<const std::byte *>(data);
  for (uint64_t i = 0; i < count; ++i) {
    switch (dtype) {
    case DType::f32:
      result[i] = loadAs<float>(from, i);
      break;
    case DType::f64:
      result[i] = loadAs<double>(from, i);
      break;
    case DType::f16:
      result[i] = loadAs<_Float16>(from, i);
      break;
    case DType::bf16: {
      uint16_t half;
      std::memcpy(&half, from + i * 2, 2);
      const uint32_t bits = static_cast<uint32_t>(half) << 16;
      float value;
      std::memcpy(&value, &bits, 4);
      result[i] = value;
      break;
    }
    case DType::i64:
      result[i] = loadAs<int64_t>(from, i);
      break;
    case DType::i32:
      result[i] = loadAs<int32_t>(from, i);
      break;
    case DType::i16:
      result[i] = loadAs<int16_t>(from, i);
      break;
    case DType::i8:
      result[i] = loadAs<int8_t>(from, i);
      break;
    case DType::u8:
    case DType::i1:
      result[i] = loadAs<uint8_t>(from, i);
      break;
    default:
      throw Error(message("tensors of type ", toString(dtype), " cannot be compared"));
    }
  }
  return result;
}

} // namespace sesame
