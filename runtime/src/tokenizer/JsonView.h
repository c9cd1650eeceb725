//===- Json.h - Checked access to a JSON file ----------------- -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_JSONVIEW_H
#define SESAME_TOKENIZER_JSONVIEW_H

#include "Vocabulary.h"
#include "support/DType.h"
#include "support/Error.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace sesame {

/// A place in a JSON document that knows its name ("tokenizer.json: normalizer"), so that every complaint
/// about a missing field or a wrong type says where it is.
class JsonView {
public:
  JsonView(const nlohmann::json &value, std::string where) : value(&value), where(std::move(where)) {}

  const nlohmann::json &raw() const { return *value; }
  const std::string &name() const { return where; }

  template <typename... Args> [[noreturn]] void fail(const Args &...args) const {
    throw Error(message(where, ": ", args...));
  }

  /// True if the object has a field `key` that is not null.
  bool has(const char *key) const {
    if (!value->is_object())
      return false;
    auto found = value->find(key);
    return found != value->end() && !found->is_null();
  }

  /// The field `key`, which must be there.
  JsonView at(const char *key) const {
    if (!value->is_object())
      fail("expected an object, found ", value->type_name());
    if (!has(key))
      fail("missing field '", key, "'");
    return {*value->find(key), where + ": " + key};
  }

  /// Calls `visit(JsonView)` for each element of an array.
  template <typename Visit> void forEach(Visit visit) const {
    if (!value->is_array())
      fail("expected an array, found ", value->type_name());
    size_t i = 0;
    for (const nlohmann::json &element : *value)
      visit(JsonView(element, where + "[" + std::to_string(i++) + "]"));
  }

  const std::string &string() const {
    if (!value->is_string())
      fail("expected a string, found ", value->type_name());
    return value->get_ref<const std::string &>();
  }
  bool boolean() const {
    if (!value->is_boolean())
      fail("expected true or false, found ", value->type_name());
    return value->get<bool>();
  }
  double number() const {
    if (!value->is_number())
      fail("expected a number, found ", value->type_name());
    return value->get<double>();
  }
  int64_t integer(int64_t low, int64_t high) const {
    bool fits = value->is_number_unsigned() ? value->get<uint64_t>() <= static_cast<uint64_t>(high)
                                            : value->is_number_integer() && value->get<int64_t>() <= high;
    if (!fits || value->get<int64_t>() < low)
      fail("expected an integer from ", low, " to ", high, ", found ",
           value->dump(-1, ' ', /*ensure_ascii=*/true).substr(0, 40));
    return value->get<int64_t>();
  }
  TokenId tokenId() const {
    return static_cast<TokenId>(integer(0, std::numeric_limits<TokenId>::max() - 1));
  }

  std::string string(const char *key) const { return at(key).string(); }
  std::string string(const char *key, const std::string &otherwise) const {
    return has(key) ? at(key).string() : otherwise;
  }
  bool boolean(const char *key) const { return at(key).boolean(); }
  bool boolean(const char *key, bool otherwise) const { return has(key) ? at(key).boolean() : otherwise; }

  /// The field `type`, which says what kind of part this is.
  const std::string &type() const {
    at("type").string();
    return value->find("type")->get_ref<const std::string &>();
  }

private:
  const nlohmann::json *value;
  std::string where;
};

} // namespace sesame

#endif // SESAME_TOKENIZER_JSONVIEW_H
