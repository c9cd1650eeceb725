//===- compile.cpp - sesame compile, sesame import ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Options.h"

#include "../compiler/Compiler.h"
#include "support/Error.h"

#include <dlfcn.h>
#include <filesystem>
#include <memory>

namespace sesame {

const CompilerInterface &compiler() {
  static const CompilerInterface *interface = [] {
    std::error_code ignored;
    std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ignored);
    std::string path = (self.parent_path().parent_path() / "lib" / "libsesame_compiler.so").string();
    void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library)
      throw Error(message(path, ": cannot load the compiler: ", dlerror()));
    using Function = const CompilerInterface *(*)();
    auto function = reinterpret_cast<Function>(dlsym(library, "sesame_compiler_interface"));
    if (!function)
      throw Error(message(path, ": is no Sesame compiler: ", dlerror()));
    return function();
  }();
  return *interface;
}

void addCompileCommand(CLI::App &app) {
  CLI::App *command = app.add_subcommand("compile", "Compile a checkpoint to a bundle of native code");
  auto options = std::make_shared<CompileOptions>();
  command
      ->add_option("SRC", options->source, "Checkpoint directory (config.json, *.safetensors), .onnx or .mlir file")
      ->required();
  command->add_option("-o,--output", options->output, "Bundle directory to write")->required();
  command
      ->add_option("--target", options->target,
                   "cpu (this machine), x86-64-v2, x86-64-v3, x86-64-v4 or aarch64")
      ->capture_default_str();
  command
      ->add_option("--dtype", options->dtype,
                   "Type of the linear maps' weights: f32, bf16, f16 or int8 (docs/precision.md)")
      ->capture_default_str()
      ->check(CLI::IsMember({"f32", "bf16", "f16", "int8"}));
  command
      ->add_option(
          "--weights", options->weights,
          "Store the linear maps' weights in 8 or 4 bits, in groups of 32 with a scale each: int8 or int4 "
          "(docs/precision.md)")
      ->check(CLI::IsMember({"int8", "int4"}));
  command->add_option("--dump-dir", options->dumpDirectory, "Write the IR of every stage to this directory");
  CLI::Option *explain = command->add_flag(
      "--explain", options->explain,
      "Say which optimisations fired where, and why not elsewhere; list each op's cost and time");
  ExplainOptions &cost = options->explainOptions;
  command->add_option("--prompt-tokens", cost.promptTokens, "--explain: length of the prompt")
      ->capture_default_str()
      ->check(integerFrom(1))
      ->needs(explain);
  command->add_option("--batch", cost.batch, "--explain: how many sequences")
      ->capture_default_str()
      ->check(integerFrom(1))
      ->needs(explain);
  CLI::Option *threads =
      command->add_option("--threads", cost.threads, "--explain: how many threads; 0: all");
  threads->capture_default_str()->check(integerFrom(0))->needs(explain);
  command->add_flag("--json", cost.json, "--explain: print JSON")->needs(explain);
  command->footer("Example:\n  sesame compile ./gpt2 -o gpt2.bundle && sesame generate gpt2.bundle --prompt "
                  "'Once upon a time'");
  command->callback([options] { compiler().compile(*options); });
}

void addImportCommand(CLI::App &app) {
  CLI::App *command = app.add_subcommand("import", "Print a checkpoint as a module of the sesame dialect");
  auto options = std::make_shared<ImportOptions>();
  command->add_option("SRC", options->source, "Checkpoint directory, .onnx or .mlir file")->required();
  command->add_option("-o,--output", options->output, "File to write instead of standard output");
  command->footer(
      "The module names the checkpoint's weights; 'sesame compile MODULE.mlir' reads them from there.\n"
      "Example:\n  sesame import ./bert -o bert.mlir");
  command->callback([options] { compiler().import(*options); });
}

} // namespace sesame
