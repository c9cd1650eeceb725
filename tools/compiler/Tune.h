//===- Tune.h - Choosing the compiler's options by measurement ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_COMPILER_TUNE_H
#define SESAME_COMPILER_TUNE_H

namespace sesame {

struct TuneOptions;

/// `sesame tune`. Throws Error; then the bundle is as it was.
void tuneBundle(const TuneOptions &options);

} // namespace sesame

#endif // SESAME_COMPILER_TUNE_H
