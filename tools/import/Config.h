//===- Config.h - Typed reading of config.json ------------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_CONFIG_H
#define SESAME_IMPORT_CONFIG_H

#include "sesame/Dialect/SesameDialect.h"

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sesame::importer {

/// A checkpoint's config.json. Every read names its field and says what it must be; a field that is absent or
/// null takes the default, and without one is an error. All errors are of the form `DIR/config.json:
/// 'n_embd': expected a positive integer, got "thirty-six"`.
class Config {
public:
  /// Extents are kept below this, so that the product of any two fits int64_t with room for the element size.
  static constexpr int64_t maxExtent = int64_t(1) << 28;
  /// More layers than any model has; bounds the work that a hostile number can cause.
  static constexpr int64_t maxLayers = 4096;

  /// Throws Error if DIR/config.json cannot be read or is not a JSON object.
  static Config load(const std::string &directory);
  Config(std::string path, nlohmann::json fields) : path(std::move(path)), fields(std::move(fields)) {}

  const std::string &getPath() const { return path; }
  /// Present and not null.
  bool has(const std::string &key) const { return find(key) != nullptr; }
  /// Present, and null: where transformers takes null for "none" and absence for a default of its own.
  bool isNull(const std::string &key) const;
  /// Present, and a string: where a number may be left to the model ("auto").
  bool isText(const std::string &key) const;
  /// Whichever of two names of one field is there, the first if none is: transformers' attribute_map.
  std::string either(const std::string &key, const std::string &other) const {
    return !has(key) && has(other) ? other : key;
  }
  /// A field that is an object, as a Config whose messages name it; empty if absent.
  std::optional<Config> object(const std::string &key) const;

  int64_t integer(const std::string &key, int64_t low, int64_t high,
                  std::optional<int64_t> fallback = {}) const;
  /// An extent: 1 to maxExtent.
  int64_t extent(const std::string &key, std::optional<int64_t> fallback = {}) const;
  /// A number of layers: 1 to maxLayers.
  int64_t layers(const std::string &key, std::optional<int64_t> fallback = {}) const;
  /// An extent that divides `dividend`, which is the value of `dividendKey`.
  int64_t divisor(const std::string &key, const std::string &dividendKey, int64_t dividend,
                  std::optional<int64_t> fallback = {}) const;
  double number(const std::string &key, double low, double high, std::optional<double> fallback = {}) const;
  /// An epsilon of a normalisation: 0 to 1.
  double epsilon(const std::string &key, std::optional<double> fallback = {}) const {
    return number(key, 0, 1, fallback);
  }
  bool flag(const std::string &key, std::optional<bool> fallback = {}) const;
  std::string text(const std::string &key, std::optional<std::string> fallback = {}) const;
  /// A text that is one of `choices`.
  std::string choice(const std::string &key, std::initializer_list<const char *> choices,
                     std::optional<std::string> fallback = {}) const;
  /// An activation function by the name it has in transformers.
  mlir::sesame::Activation activation(const std::string &key, std::optional<std::string> fallback = {}) const;
  /// A token id, or a list of them; empty if absent. Ids below 0 count as absent, as in transformers.
  std::vector<int64_t> tokenIds(const std::string &key) const;
  /// A list of integers from `low` to `high`; empty if absent.
  std::vector<int64_t> integers(const std::string &key, int64_t low, int64_t high) const;
  /// A list of pairs of integers; empty if absent.
  std::vector<std::pair<int64_t, int64_t>> integerPairs(const std::string &key) const;
  /// Texts of a list; empty if absent.
  std::vector<std::string> texts(const std::string &key) const;
  /// The class names of `id2label` in order of their ids; empty if absent.
  std::vector<std::string> labels() const;
  /// Outputs of a classifier: the number of labels, by `num_labels` or `id2label`, 2 if neither is there.
  int64_t numLabels() const;

  /// Throws Error unless the flag is absent or false: `'add_cross_attention': cross attention is not
  /// supported here`.
  void refuseFlag(const std::string &key, const std::string &reason) const;
  /// Throws Error about a field: `PATH: 'KEY': MESSAGE`.
  [[noreturn]] void fail(const std::string &key, const std::string &what) const;

private:
  /// Null if absent or null.
  const nlohmann::json *find(const std::string &key) const;
  [[noreturn]] void failType(const std::string &key, const std::string &expected) const;

  std::string path;
  nlohmann::json fields;
};

/// The activation that transformers calls `name`; empty if there is none, or none in the dialect.
std::optional<mlir::sesame::Activation> parseActivation(const std::string &name);

} // namespace sesame::importer

#endif // SESAME_IMPORT_CONFIG_H
