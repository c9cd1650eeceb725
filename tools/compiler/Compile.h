//===- Compile.h - From a source to a bundle ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_COMPILER_COMPILE_H
#define SESAME_COMPILER_COMPILE_H

namespace sesame {

struct CompileOptions;

/// `sesame compile`. Throws Error; then nothing stands at the output's path that was not there before.
void compileBundle(const CompileOptions &options);

} // namespace sesame

#endif // SESAME_COMPILER_COMPILE_H
