//===- Interface.cpp - The compiler library's functions ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compile.h"
#include "Compiler.h"
#include "Describe.h"
#include "Source.h"
#include "Tune.h"

#include "support/Error.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdio>
#include <filesystem>

using namespace mlir;

namespace sesame {

static void importToText(const ImportOptions &options) {
  DialectRegistry registry;
  registerCompilerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  Source source = openSource(options.source, context);
  for (const std::string &note : source.notes)
    llvm::errs() << "sesame: note: " << note << "\n";
  // The module remembers where its weights are, so that it can be compiled from any place.
  if (!source.checkpoint.empty()) {
    NamedAttrList description((*source.module)->getAttrOfType<DictionaryAttr>("sesame.model"));
    description.set(
        "checkpoint",
        StringAttr::get(&context,
                        std::filesystem::absolute(source.checkpoint).lexically_normal().string()));
    (*source.module)->setAttr("sesame.model", description.getDictionary(&context));
  }
  if (options.output.empty()) {
    source.module->print(llvm::outs());
    return;
  }
  const std::string partial = options.output + ".partial";
  std::error_code error;
  {
    llvm::raw_fd_ostream stream(partial, error);
    if (!error) {
      source.module->print(stream);
      stream.close();
      error = stream.error();
      stream.clear_error();
    }
  }
  if (!error)
    std::filesystem::rename(partial, options.output, error);
  if (error) {
    std::remove(partial.c_str());
    throw Error(message(options.output, ": cannot write: ", error.message()));
  }
}

} // namespace sesame

extern "C" __attribute__((visibility("default"))) const ::sesame::CompilerInterface *
sesame_compiler_interface() {
  static const ::sesame::CompilerInterface interface = {::sesame::compileBundle, ::sesame::importToText,
                                                        ::sesame::tuneBundle, ::sesame::describeSource};
  return &interface;
}
