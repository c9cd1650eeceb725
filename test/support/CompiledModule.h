//===- CompiledModule.h - Compiles a module and calls it, for tests ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TEST_SUPPORT_COMPILEDMODULE_H
#define SESAME_TEST_SUPPORT_COMPILEDMODULE_H

#include "io/Checkpoint.h"
#include "io/EntrySpec.h"
#include "io/Safetensors.h"

#include "mlir/IR/MLIRContext.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace sesame::test {

/// How a module becomes code.
enum class Path {
  /// Each op by its reference lowering, elementary functions by libm.
  reference,
  /// The pipelines that `sesame compile` runs.
  fast,
};

using Bytes = std::vector<std::byte>;

/// A module compiled to a shared library in a temporary directory, loaded, and called through `sesame/abi.h`.
class CompiledModule {
public:
  /// Compiles `text` for `target` (as `sesame compile --target`). Recipes of weights read `checkpoint`, which
  /// may be null if there are none. Throws Error.
  CompiledModule(mlir::MLIRContext &context, const std::string &text, Path path, const std::string &target,
                 const Checkpoint *checkpoint, const std::string &directory);
  ~CompiledModule();
  CompiledModule(const CompiledModule &) = delete;
  CompiledModule &operator=(const CompiledModule &) = delete;

  const std::vector<EntrySpec> &entries() const { return specs; }

  /// Calls an entry. `inputs` hold inputs and states in argument order; states are updated. Returns the
  /// outputs. The arena and the outputs are filled with NaNs first, and a write behind the end of any buffer
  /// throws Error. Parallel loops are cut into as many pieces as there are `threads`, each run by a thread of
  /// its own.
  std::vector<Bytes> run(const EntrySpec &entry, const std::vector<int64_t> &symbols,
                         std::vector<Bytes> &inputs, int threads) const;

private:
  void *findSymbol(const std::string &name) const;

  std::vector<EntrySpec> specs;
  std::unique_ptr<SafetensorsFile> weights;
  void *library = nullptr;
};

/// Extents of `tensor` for these symbol values.
std::vector<int64_t> shapeOf(const TensorSpec &tensor, const std::vector<int64_t> &symbols);

} // namespace sesame::test

#endif // SESAME_TEST_SUPPORT_COMPILEDMODULE_H
