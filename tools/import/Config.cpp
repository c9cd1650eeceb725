//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Config.h"

#include "support/DType.h"
#include "support/Error.h"
#include "support/Json.h"
#include "support/MappedFile.h"

#include <cmath>
#include <utility>

namespace sesame::importer {

namespace ops = mlir::sesame;

namespace {

/// A value as a message shows it, cut to one short line.
std::string shown(const nlohmann::json &value) {
  std::string text = value.dump(-1, ' ', /*ensure_ascii=*/true, nlohmann::json::error_handler_t::replace);
  return text.size() <= 80 ? text : text.substr(0, 77) + "...";
}

// transformers/activations.py, ACT2FN. The names that are not here (gelu_10, relu6, laplace, prelu, xielu)
// have no counterpart in the dialect.
constexpr std::pair<const char *, ops::Activation> activations[] = {
    {"gelu", ops::Activation::gelu},
    {"gelu_python", ops::Activation::gelu},
    {"gelu_new", ops::Activation::gelu_tanh},
    {"gelu_fast", ops::Activation::gelu_tanh},
    {"gelu_accurate", ops::Activation::gelu_tanh},
    {"gelu_pytorch_tanh", ops::Activation::gelu_tanh},
    {"gelu_python_tanh", ops::Activation::gelu_tanh},
    {"quick_gelu", ops::Activation::gelu_quick},
    {"relu", ops::Activation::relu},
    {"relu2", ops::Activation::relu_squared},
    {"silu", ops::Activation::silu},
    {"swish", ops::Activation::silu},
    {"tanh", ops::Activation::tanh},
    {"sigmoid", ops::Activation::sigmoid},
    {"mish", ops::Activation::mish},
    {"leaky_relu", ops::Activation::leaky_relu},
    {"linear", ops::Activation::identity},
};

} // namespace

std::optional<ops::Activation> parseActivation(const std::string &name) {
  for (auto [known, kind] : activations)
    if (name == known)
      return kind;
  return std::nullopt;
}

Config Config::load(const std::string &directory) {
  std::string path = directory + "/config.json";
  nlohmann::json fields = parseJson(path, readTextFile(path));
  if (!fields.is_object())
    throw Error(message(path, ": expected a JSON object, got ", shown(fields)));
  return Config(std::move(path), std::move(fields));
}

const nlohmann::json *Config::find(const std::string &key) const {
  auto it = fields.find(key);
  return it == fields.end() || it->is_null() ? nullptr : &*it;
}

bool Config::isNull(const std::string &key) const {
  auto it = fields.find(key);
  return it != fields.end() && it->is_null();
}

bool Config::isText(const std::string &key) const {
  const nlohmann::json *value = find(key);
  return value && value->is_string();
}

std::optional<Config> Config::object(const std::string &key) const {
  const nlohmann::json *value = find(key);
  if (!value)
    return std::nullopt;
  if (!value->is_object())
    failType(key, "an object");
  return Config(message(path, ": '", key, "'"), *value);
}

void Config::fail(const std::string &key, const std::string &what) const {
  throw Error(message(path, ": '", key, "': ", what));
}

void Config::failType(const std::string &key, const std::string &expected) const {
  const nlohmann::json *value = find(key);
  fail(key, "expected " + expected + ", got " + (value ? shown(*value) : "nothing"));
}

int64_t Config::integer(const std::string &key, int64_t low, int64_t high,
                        std::optional<int64_t> fallback) const {
  const nlohmann::json *value = find(key);
  if (!value && fallback)
    return *fallback;
  std::string expected = low == 1 ? "a positive integer" : message("an integer from ", low);
  if (!value || !value->is_number_integer())
    failType(key, expected);
  // An unsigned value above INT64_MAX would wrap to a negative one.
  bool fits = !value->is_number_unsigned() || value->get<uint64_t>() <= static_cast<uint64_t>(high);
  if (!fits || value->get<int64_t>() < low || value->get<int64_t>() > high)
    failType(key, message(expected, " up to ", high));
  return value->get<int64_t>();
}

int64_t Config::extent(const std::string &key, std::optional<int64_t> fallback) const {
  return integer(key, 1, maxExtent, fallback);
}

int64_t Config::layers(const std::string &key, std::optional<int64_t> fallback) const {
  return integer(key, 1, maxLayers, fallback);
}

int64_t Config::divisor(const std::string &key, const std::string &dividendKey, int64_t dividend,
                        std::optional<int64_t> fallback) const {
  int64_t value = extent(key, fallback);
  if (dividend % value)
    fail(key, message("expected a divisor of '", dividendKey, "' (", dividend, "), got ", value));
  return value;
}

double Config::number(const std::string &key, double low, double high, std::optional<double> fallback) const {
  const nlohmann::json *value = find(key);
  if (!value && fallback)
    return *fallback;
  std::string expected = message("a number from ", low, " to ", high);
  if (!value || !value->is_number())
    failType(key, expected);
  double number = value->get<double>();
  if (!(number >= low && number <= high)) // also false for NaN
    failType(key, expected);
  return number;
}

bool Config::flag(const std::string &key, std::optional<bool> fallback) const {
  const nlohmann::json *value = find(key);
  if (!value && fallback)
    return *fallback;
  if (!value || !value->is_boolean())
    failType(key, "true or false");
  return value->get<bool>();
}

std::string Config::text(const std::string &key, std::optional<std::string> fallback) const {
  const nlohmann::json *value = find(key);
  if (!value && fallback)
    return *fallback;
  if (!value || !value->is_string())
    failType(key, "a string");
  return value->get<std::string>();
}

std::string Config::choice(const std::string &key, std::initializer_list<const char *> choices,
                           std::optional<std::string> fallback) const {
  std::string value = text(key, fallback), list;
  for (const char *choice : choices) {
    if (value == choice)
      return value;
    list += (list.empty() ? "" : ", ") + std::string(choice);
  }
  fail(key, "expected one of " + list + ", got " + shown(value));
}

ops::Activation Config::activation(const std::string &key, std::optional<std::string> fallback) const {
  std::string name = text(key, fallback);
  if (std::optional<ops::Activation> kind = parseActivation(name))
    return *kind;
  std::string list;
  for (auto [known, kind] : activations)
    list += (list.empty() ? "" : ", ") + std::string(known);
  fail(key, "expected one of " + list + ", got " + shown(name));
}

std::vector<int64_t> Config::tokenIds(const std::string &key) const {
  const nlohmann::json *value = find(key);
  std::vector<int64_t> ids;
  if (!value)
    return ids;
  auto add = [&](const nlohmann::json &id) {
    if (!id.is_number_integer() ||
        (id.is_number_unsigned() && id.get<uint64_t>() > static_cast<uint64_t>(maxExtent)))
      failType(key, "a token id or a list of token ids");
    if (id.get<int64_t>() >= 0)
      ids.push_back(id.get<int64_t>());
  };
  if (!value->is_array())
    add(*value);
  else
    for (const nlohmann::json &id : *value)
      add(id);
  return ids;
}

std::vector<int64_t> Config::integers(const std::string &key, int64_t low, int64_t high) const {
  const nlohmann::json *value = find(key);
  std::vector<int64_t> result;
  if (!value)
    return result;
  std::string expected = message("a list of integers from ", low, " to ", high);
  if (!value->is_array())
    failType(key, expected);
  for (const nlohmann::json &item : *value) {
    bool fits = item.is_number_integer() &&
                (!item.is_number_unsigned() || item.get<uint64_t>() <= static_cast<uint64_t>(high));
    if (!fits || item.get<int64_t>() < low || item.get<int64_t>() > high)
      failType(key, expected);
    result.push_back(item.get<int64_t>());
  }
  return result;
}

std::vector<std::pair<int64_t, int64_t>> Config::integerPairs(const std::string &key) const {
  const nlohmann::json *value = find(key);
  std::vector<std::pair<int64_t, int64_t>> result;
  if (!value)
    return result;
  auto read = [&](const nlohmann::json &number) {
    if (!number.is_number_integer() ||
        (number.is_number_unsigned() && number.get<uint64_t>() > static_cast<uint64_t>(maxExtent)))
      failType(key, "a list of pairs of integers");
    return number.get<int64_t>();
  };
  if (!value->is_array())
    failType(key, "a list of pairs of integers");
  for (const nlohmann::json &pair : *value) {
    if (!pair.is_array() || pair.size() != 2)
      failType(key, "a list of pairs of integers");
    result.emplace_back(read(pair[0]), read(pair[1]));
  }
  return result;
}

std::vector<std::string> Config::texts(const std::string &key) const {
  const nlohmann::json *value = find(key);
  std::vector<std::string> result;
  if (!value)
    return result;
  if (!value->is_array())
    failType(key, "a list of strings");
  for (const nlohmann::json &item : *value) {
    if (!item.is_string())
      failType(key, "a list of strings");
    result.push_back(item.get<std::string>());
  }
  return result;
}

std::vector<std::string> Config::labels() const {
  const nlohmann::json *value = find("id2label");
  std::vector<std::string> result;
  if (!value)
    return result;
  if (!value->is_object())
    failType("id2label", "an object from class ids to names");
  for (size_t id = 0; id < value->size(); ++id) {
    auto it = value->find(std::to_string(id));
    if (it == value->end() || !it->is_string())
      fail("id2label", message("expected the name of class ", id, " of ", value->size(), ", got ",
                               it == value->end() ? "nothing" : shown(*it)));
    result.push_back(it->get<std::string>());
  }
  return result;
}

int64_t Config::numLabels() const {
  size_t named = labels().size();
  return extent("num_labels", named ? static_cast<int64_t>(named) : 2);
}

void Config::refuseFlag(const std::string &key, const std::string &reason) const {
  if (flag(key, false))
    fail(key, reason);
}

} // namespace sesame::importer
