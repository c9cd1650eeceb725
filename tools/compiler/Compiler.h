//===- Compiler.h - What the command asks of the compiler library ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The compiler (MLIR, LLVM, lld) is a shared library that `sesame` opens only for the commands that need it:
// the commands that run models start without the 70 ms that loading MLIR takes.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_COMPILER_COMPILER_H
#define SESAME_COMPILER_COMPILER_H

#include <cstdint>
#include <string>
#include <vector>

namespace sesame {

/// For which use of the model `--explain` says what operations cost.
struct ExplainOptions {
  int64_t batch = 1, promptTokens = 128;
  int threads = 0;
  bool json = false;
};

struct CompileOptions {
  /// A checkpoint directory, or an .mlir file.
  std::string source;
  /// The bundle's directory.
  std::string output;
  /// "cpu" (this machine), or "x86-64-v2", "x86-64-v3", "x86-64-v4", "aarch64".
  std::string target = "cpu";
  /// In which type the weights of linear maps are stored and streamed: "f32", "bf16", "f16" or "int8" (one
  /// scale a column). Between the linear maps activations are of f32 in each; docs/precision.md says what
  /// happens in them.
  std::string dtype = "f32";
  /// "int8" or "int4": the weights of linear maps in groups of 32 numbers with a scale each; empty: as
  /// `dtype` says.
  std::string weights;
  /// Directory for the IR of every stage; empty: none.
  std::string dumpDirectory;
  /// Print the optimisations and what each operation costs (ExplainOptions).
  bool explain = false;
  ExplainOptions explainOptions;
  /// Show a progress line on standard error when that is a terminal.
  bool progress = true;
};

struct ImportOptions {
  std::string source;
  /// Empty: standard output.
  std::string output;
};

struct TuneOptions {
  std::string bundle;
  /// The checkpoint that the bundle was compiled from; empty: choices that change how weights are packed are
  /// left as they are.
  std::string source;
  /// For which use.
  int64_t batch = 1, promptTokens = 128, newTokens = 64;
  int threads = 0;
  /// Names of the choices to try; empty: all.
  std::vector<std::string> only;
  /// How many percent a candidate has to win.
  double margin = 2;
  bool json = false;
};

/// The functions of the compiler library. Each throws sesame::Error.
struct CompilerInterface {
  void (*compile)(const CompileOptions &options);
  void (*import)(const ImportOptions &options);
  void (*tune)(const TuneOptions &options);
  /// What `sesame inspect` prints of a checkpoint or .mlir file; JSON with `json`. Writes an SVG picture to
  /// the file `graph` unless that is empty.
  std::string (*describe)(const std::string &source, bool json, const std::string &graph);
};

} // namespace sesame

/// Exported by libsesame_compiler.so.
extern "C" const sesame::CompilerInterface *sesame_compiler_interface();

#endif // SESAME_COMPILER_COMPILER_H
