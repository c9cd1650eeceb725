//===- Describe.h - sesame inspect of a source ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_COMPILER_DESCRIBE_H
#define SESAME_COMPILER_DESCRIBE_H

#include <string>

namespace sesame {

/// What `sesame inspect` prints of a checkpoint or an .mlir file: the entries with their cost, and the
/// weights. Writes a picture of the module to the file `graph` unless that is empty. Throws Error.
std::string describeSource(const std::string &path, bool json, const std::string &graph);

} // namespace sesame

#endif // SESAME_COMPILER_DESCRIBE_H
