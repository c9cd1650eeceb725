//===- Json.h - Strict reading of JSON from strangers -----------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_SUPPORT_JSON_H
#define SESAME_SUPPORT_JSON_H

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace sesame {

/// What to make of an object that has a key twice: Python, which wrote most files, keeps the last.
enum class DuplicateKeys { keepLast, refuse };

/// Parses one JSON document. Throws Error, prefixed with `path`, if it is no JSON, nested deeper than 64
/// levels (so that recursive code over the value is safe), or has a duplicate key where those are refused.
nlohmann::json parseJson(const std::string &path, std::string_view text,
                         DuplicateKeys duplicates = DuplicateKeys::keepLast);

/// What a parser's exception says, without its "[json.exception.parse_error.101]" and line breaks.
std::string describeJsonError(const std::exception &error);

} // namespace sesame

#endif // SESAME_SUPPORT_JSON_H
