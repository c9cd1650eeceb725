//===- CompiledModule.cpp - Compiles a module and calls it, for tests ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompiledModule.h"

#include "Codegen.h"
#include "EntrySpecs.h"
#include "WeightProgram.h"
#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/Passes.h"
#include "sesame/Passes/Pipelines.h"
#include "sesame/abi.h"
#include "support/DType.h"
#include "support/Error.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <cstring>
#include <dlfcn.h>
#include <thread>

using namespace mlir;

namespace sesame::test {

static void addReferencePasses(OpPassManager &pm) {
  mlir::sesame::LoweringOptions lowering;
  lowering.useLibm = true;
  pm.addPass(mlir::sesame::createPlanWeightsPass());
  pm.addPass(mlir::sesame::createLowerToLinalgPass());
  mlir::sesame::buildBufferize(pm);
  mlir::sesame::buildLowerToLLVM(pm, lowering);
}

static void addFastPasses(OpPassManager &pm, const CodegenOptions &codegen) {
  mlir::sesame::TileOptions tile;
  tile.panelWidth = codegen.vectorLanes * 2;
  mlir::sesame::LoweringOptions lowering;
  lowering.vectorLanes = codegen.vectorLanes;
  lowering.hasVnni = codegen.hasFeature("avx512vnni");
  lowering.hasAvx2 = codegen.hasFeature("avx2");
  lowering.hasBf16 = codegen.hasFeature("avx512bf16");
  mlir::sesame::buildOptimize(pm);
  mlir::sesame::buildTileCpu(pm, tile);
  mlir::sesame::buildBufferize(pm);
  mlir::sesame::buildLowerToLLVM(pm, lowering);
}

/// The weights as they are after the pass that gives them places, since finished code has none.
static OwningOpRef<ModuleOp> copyWeights(ModuleOp module, Path path, int64_t vectorLanes) {
  OwningOpRef<ModuleOp> copy = module.clone();
  PassManager passes(module.getContext());
  if (path == Path::reference) {
    passes.addPass(mlir::sesame::createPlanWeightsPass());
  } else {
    mlir::sesame::TileOptions tile;
    tile.panelWidth = vectorLanes * 2;
    mlir::sesame::buildOptimize(passes);
    mlir::sesame::buildTileCpu(passes, tile);
  }
  if (failed(passes.run(*copy)))
    throw Error("the weights cannot be planned");
  return copy;
}

CompiledModule::CompiledModule(MLIRContext &context, const std::string &text, Path path,
                               const std::string &target, const Checkpoint *checkpoint,
                               const std::string &directory) {
  const CodegenOptions codegen = resolveTarget(target, {"avx512vnni", "avx512bf16"});
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  if (!module)
    throw Error("the module cannot be parsed");
  specs = readEntrySpecs(*module);
  const std::string stem = directory + (path == Path::reference ? "/reference" : "/fast");
  if (!module->getOps<mlir::sesame::WeightOp>().empty()) {
    OwningOpRef<ModuleOp> planned = copyWeights(*module, path, codegen.vectorLanes);
    runWeightProgram(*planned, checkpoint, stem + ".safetensors");
    weights = std::make_unique<SafetensorsFile>(stem + ".safetensors");
  }
  PassManager passes(&context);
  if (path == Path::reference)
    addReferencePasses(passes);
  else
    addFastPasses(passes, codegen);
  if (failed(passes.run(*module)))
    throw Error(message("the ", path == Path::reference ? "reference" : "fast", " pipeline failed"));
  compileToSharedLibrary(*module, codegen, stem + ".so");
  library = ::dlopen((stem + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    throw Error(::dlerror());
  if (*static_cast<const int64_t *>(findSymbol("sesame_abi_version")) != SESAME_ABI_VERSION)
    throw Error("the library has another ABI version");
}

CompiledModule::~CompiledModule() {
  if (library)
    ::dlclose(library);
}

void *CompiledModule::findSymbol(const std::string &name) const {
  void *symbol = ::dlsym(library, name.c_str());
  if (!symbol)
    throw Error(message("the library has no ", name));
  return symbol;
}

std::vector<int64_t> shapeOf(const TensorSpec &tensor, const std::vector<int64_t> &symbols) {
  std::vector<int64_t> shape;
  for (const Dim &dim : tensor.shape)
    shape.push_back(dim.isConstant() ? dim.extent : symbols.at(dim.symbol));
  return shape;
}

namespace {
/// A buffer at a multiple of 64 bytes with a known pattern around it.
class GuardedBuffer {
public:
  GuardedBuffer(const Bytes &contents) : GuardedBuffer(contents.size()) {
    std::memcpy(data(), contents.data(), contents.size());
  }
  /// Bytes of ones are a NaN in every float type.
  explicit GuardedBuffer(size_t size)
      : size(size), bytes(size + 3 * guardSize, std::byte(0xff)),
        start((guardSize - reinterpret_cast<uintptr_t>(bytes.data()) % guardSize) + guardSize) {}

  std::byte *data() { return bytes.data() + start; }
  Bytes contents() { return Bytes(data(), data() + size); }
  bool isIntact() const {
    for (size_t i = 0; i < bytes.size(); ++i)
      if ((i < start || i >= start + size) && bytes[i] != std::byte(0xff))
        return false;
    return true;
  }

private:
  static constexpr size_t guardSize = 64;
  size_t size;
  Bytes bytes;
  size_t start;
};
} // namespace

static void runPieces(const SesameContext *context, SesameBody body, void *data, int64_t count) {
  const int64_t pieces = std::min<int64_t>(*static_cast<const int *>(context->team), count);
  if (pieces <= 1)
    return body(data, 0, count);
  std::vector<std::thread> threads;
  for (int64_t i = 0; i < pieces; ++i)
    threads.emplace_back([=] { body(data, count * i / pieces, count * (i + 1) / pieces); });
  for (std::thread &thread : threads)
    thread.join();
}

std::vector<Bytes> CompiledModule::run(const EntrySpec &entry, const std::vector<int64_t> &symbols,
                                       std::vector<Bytes> &inputs, int threads) const {
  auto workspace =
      reinterpret_cast<SesameWorkspaceFunction>(findSymbol("sesame_entry_" + entry.name + "_workspace"));
  auto function = reinterpret_cast<SesameEntryFunction>(findSymbol("sesame_entry_" + entry.name));
  const int64_t arenaBytes = workspace(symbols.data());
  if (arenaBytes < 0)
    throw Error(message("entry ", entry.name, ": workspace of ", arenaBytes, " bytes"));
  GuardedBuffer arena(static_cast<size_t>(arenaBytes));
  std::vector<GuardedBuffer> arguments(inputs.begin(), inputs.end());
  for (const TensorSpec &output : entry.outputs)
    arguments.emplace_back(static_cast<size_t>(*denseSizeInBytes(output.dtype, shapeOf(output, symbols))));
  std::vector<void *> buffers = {weights ? const_cast<std::byte *>(weights->data()) : nullptr, arena.data()};
  for (GuardedBuffer &argument : arguments)
    buffers.push_back(argument.data());

  SesameContext context = {runPieces, nullptr, &threads};
  function(&context, buffers.data(), symbols.data());

  if (!arena.isIntact())
    throw Error(message("entry ", entry.name, ": wrote outside of the arena"));
  for (size_t i = 0; i < arguments.size(); ++i)
    if (!arguments[i].isIntact())
      throw Error(message("entry ", entry.name, ": wrote outside of buffer ", i));
  std::vector<Bytes> outputs;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (i >= inputs.size())
      outputs.push_back(arguments[i].contents());
    else if (entry.inputs[i].isState)
      inputs[i] = arguments[i].contents();
    else if (inputs[i] != arguments[i].contents())
      throw Error(message("entry ", entry.name, ": wrote into input ", i));
  }
  return outputs;
}

} // namespace sesame::test
