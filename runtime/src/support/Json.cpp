//===- Json.cpp -----------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "support/Json.h"

#include "support/DType.h"
#include "support/Error.h"

#include <set>
#include <vector>

using namespace sesame;
using nlohmann::json;

std::string sesame::describeJsonError(const std::exception &error) {
  std::string text = error.what();
  if (!text.empty() && text[0] == '[')
    if (size_t end = text.find("] "); end != std::string::npos)
      text.erase(0, end + 2);
  for (char &c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      c = ' ';
  if (text.size() > 300)
    text = text.substr(0, 300) + "...";
  return text;
}

json sesame::parseJson(const std::string &path, std::string_view text, DuplicateKeys duplicates) {
  constexpr size_t deepest = 64;
  std::vector<std::set<std::string>> keys; // of the objects that are open
  size_t depth = 0;                        // of objects and arrays
  auto callback = [&](int, json::parse_event_t event, json &parsed) {
    switch (event) {
    case json::parse_event_t::object_start:
      keys.emplace_back();
      [[fallthrough]];
    case json::parse_event_t::array_start:
      if (++depth > deepest)
        throw Error(message(path, ": JSON nested deeper than ", deepest, " levels"));
      break;
    case json::parse_event_t::object_end:
      keys.pop_back();
      [[fallthrough]];
    case json::parse_event_t::array_end:
      --depth;
      break;
    case json::parse_event_t::key:
      if (duplicates == DuplicateKeys::refuse &&
          !keys.back().insert(parsed.get_ref<const std::string &>()).second)
        throw Error(message(path, ": key ", inQuotes(parsed.get_ref<const std::string &>()), " occurs twice"));
      break;
    case json::parse_event_t::value:
      break;
    }
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), callback);
  } catch (const json::exception &error) {
    throw Error(message(path, ": not JSON: ", describeJsonError(error)));
  }
}
