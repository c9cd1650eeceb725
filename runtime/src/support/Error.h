//===- Error.h - The one exception of the runtime and the tools -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_SUPPORT_ERROR_H
#define SESAME_SUPPORT_ERROR_H

#include <sstream>
#include <stdexcept>
#include <string>

namespace sesame {

/// Bad input: one line, lower case, no full stop, that names the file, tensor or option, what was expected and what was
/// found. The C API turns it into a status, the tools print it and exit with 1.
class Error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Joins its arguments as a stream would print them: `throw Error(message(path, ": expected ", n, " rows"))`.
template <typename... Args> std::string message(const Args &...args) {
  std::ostringstream stream;
  (stream << ... << args);
  return stream.str();
}

} // namespace sesame

#endif // SESAME_SUPPORT_ERROR_H
