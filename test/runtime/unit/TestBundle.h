//===- TestBundle.h - Bundles for the runtime's tests -----------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TEST_RUNTIME_TESTBUNDLE_H
#define SESAME_TEST_RUNTIME_TESTBUNDLE_H

#include "io/Manifest.h"

#include <string>

namespace sesame::test {

/// The manifest of inputs/counter-model.c, without its weights' size and checksum.
Manifest counterManifest();
/// Element `index` of its embedding table and of its projection; multiples of 1/8, so that sums are exact.
float tableValue(int64_t index);
float projectionValue(int64_t index);

/// Writes the bundle into `directory`, which is made if it is not there. `model.so` is a copy of `library`.
void writeCounterBundle(const std::string &directory, const std::string &library);

/// Writes `text` to a file.
void writeFile(const std::string &path, const std::string &text);

} // namespace sesame::test

#endif // SESAME_TEST_RUNTIME_TESTBUNDLE_H
