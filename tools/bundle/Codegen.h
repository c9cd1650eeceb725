//===- Codegen.h - From the LLVM dialect to a shared library ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_BUNDLE_CODEGEN_H
#define SESAME_BUNDLE_CODEGEN_H

#include "mlir/IR/BuiltinOps.h"

#include <algorithm>
#include <string>
#include <vector>

namespace sesame {

/// The machine that code is made for, and how.
struct CodegenOptions {
  /// LLVM's target triple.
  std::string triple;
  /// The CPU whose instructions may be used: x86-64-v2, x86-64-v3, x86-64-v4, or generic on aarch64.
  std::string cpu;
  /// The CPU whose timings guide scheduling; empty: `cpu`.
  std::string tuneCpu;
  /// Features the code may use and so needs, by LLVM's names without '+'. The runtime checks them before it
  /// loads the code.
  std::vector<std::string> requiredFeatures;
  /// f32 lanes of a vector register.
  int64_t vectorLanes = 16;
  /// LLVM's optimization level, 0 to 3.
  unsigned optLevel = 3;

  bool hasFeature(const std::string &feature) const {
    return std::find(requiredFeatures.begin(), requiredFeatures.end(), feature) != requiredFeatures.end();
  }
};

/// The options for `cpu` (this machine), `x86-64-v2`, `x86-64-v3`, `x86-64-v4` or `aarch64`. This machine is
/// taken as the highest of these levels it has, so a bundle also runs on every other machine of that level.
/// `extensions` are features beyond the levels that this machine's code may use where it has them; then the
/// bundle needs them. Throws Error for another name, or if this machine has none of the levels.
CodegenOptions resolveTarget(const std::string &name, const std::vector<std::string> &extensions = {});

/// Compiles a module of the LLVM dialect, as `sesame-lower-to-llvm` leaves it, to a stripped shared library
/// at `outPath` that exports the symbols of `sesame/abi.h` and needs nothing but libm's functions and memcpy,
/// memmove, memset. With a `dumpDirectory`, `model.ll`, `model.opt.ll` and `model.s` are written there.
/// Throws Error.
///
/// lld runs inside this process, which only one thread may do at a time.
void compileToSharedLibrary(mlir::ModuleOp module, const CodegenOptions &options, const std::string &outPath,
                            const std::string &dumpDirectory = "");

} // namespace sesame

#endif // SESAME_BUNDLE_CODEGEN_H
