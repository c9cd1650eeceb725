//===- Compile.cpp - From a source to a bundle ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compile.h"

#include "Codegen.h"
#include "Compiler.h"
#include "EntrySpecs.h"
#include "Explain.h"
#include "OpTable.h"
#include "Source.h"
#include "StagingDirectory.h"
#include "WeightProgram.h"

#include "../sesame/Progress.h"
#include "import/onnx/Model.h"
#include "io/Checkpoint.h"
#include "io/Manifest.h"
#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/Pipelines.h"
#include "support/Error.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <optional>
#include <thread>

using namespace mlir;

namespace sesame {

namespace {

/// Writes the module after each stage to DIR/NN-STAGE.mlir, with the command that made it of the stage
/// before.
class StageDumper {
public:
  explicit StageDumper(const std::string &directory) : directory(directory) {
    if (directory.empty())
      return;
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error)
      throw Error(message(directory, ": cannot create: ", error.message()));
  }

  void dump(ModuleOp module, const char *stage, const std::string &command) {
    if (directory.empty())
      return;
    const std::string name = message(number < 10 ? "0" : "", number, "-", stage, ".mlir");
    const std::string path = directory + "/" + name;
    ++number;
    std::error_code error;
    llvm::raw_fd_ostream stream(path, error);
    if (!error) {
      stream << "// " << command << (lastName.empty() ? "" : " " + lastName) << "\n";
      module.print(stream, OpPrintingFlags().useLocalScope());
      stream.flush();
      error = stream.error();
      stream.clear_error();
    }
    if (error)
      throw Error(message(path, ": cannot write: ", error.message()));
    lastName = name;
  }

private:
  std::string directory, lastName;
  int number = 0;
};

} // namespace

void runStage(ModuleOp module, const char *stage, llvm::function_ref<void(OpPassManager &)> build) {
  DiagnosticCollector diagnostics(*module.getContext());
  PassManager pipeline(module.getContext());
  // Once a stage: after every pass it takes a quarter of the time. `sesame-opt` replays a stage with it.
  pipeline.enableVerifier(false);
  build(pipeline);
  if (failed(pipeline.run(module)) || failed(verify(module)))
    diagnostics.fail(message("stage '", stage, "' failed"));
}

/// The tokenizer's and the tasks' files, as they came.
static void copyCompanions(const std::string &directory, StagingDirectory &staging) {
  for (const char *name : {"config.json",
                           "generation_config.json",
                           "tokenizer.json",
                           "tokenizer_config.json",
                           "special_tokens_map.json",
                           "added_tokens.json",
                           "vocab.json",
                           "merges.txt",
                           "vocab.txt",
                           "spiece.model",
                           "tokenizer.model",
                           "sentencepiece.bpe.model",
                           "source.spm",
                           "target.spm",
                           "target_vocab.json",
                           "spm.model",
                           "vocab-src.json",
                           "vocab-tgt.json",
                           "prophetnet.tokenizer",
                           "dict.txt",
                           "bpe.codes"}) {
    const std::string path = directory + "/" + name;
    std::error_code ignored;
    if (std::filesystem::is_regular_file(path, ignored))
      staging.copyIn(path, name);
  }
}

static Manifest describeBundle(const Source &source, std::vector<EntrySpec> entries,
                               const CodegenOptions &codegen, const std::string &sourceName) {
  Manifest manifest;
  manifest.model = {source.modelType, source.architecture, source.task};
  manifest.target.triple = codegen.triple;
  manifest.target.cpu = codegen.cpu;
  manifest.target.features = codegen.requiredFeatures;
  manifest.entries = std::move(entries);
  manifest.config = source.config;
  manifest.generation = source.generation;
  manifest.provenance = {{"sesame", SESAME_VERSION},
                         {"source", std::filesystem::path(sourceName).filename().string()}};
  return manifest;
}

std::string printWeights(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (auto weight : module.getOps<mlir::sesame::WeightOp>()) {
    weight->print(stream, OpPrintingFlags().useLocalScope());
    stream << "\n";
  }
  return text;
}

void writeWeights(const std::string &recipes, const DialectRegistry &registry,
                  const std::string &checkpointPath, const std::string &path, Manifest::Weights &weights,
                  const WeightProgress &progress) {
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  DiagnosticCollector diagnostics(context);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(recipes, &context);
  if (!module)
    diagnostics.fail("the weights' recipes cannot be read back");
  std::optional<Checkpoint> checkpoint;
  std::optional<onnx::Model> onnxFile;
  std::optional<WeightInput> input;
  if (llvm::StringRef(checkpointPath).ends_with(".onnx") && !llvm::sys::fs::is_directory(checkpointPath)) {
    onnxFile.emplace(checkpointPath);
    input.emplace(WeightInput{checkpointPath, [&](const std::string &name) -> const StoredTensor & {
                                return onnxFile->getStored(name);
                              }});
  } else if (!checkpointPath.empty()) {
    checkpoint.emplace(checkpointPath);
    input.emplace(
        WeightInput{checkpoint->weightsPath(),
                    [&](const std::string &name) -> const StoredTensor & { return checkpoint->get(name); }});
  }
  const WeightFileSummary summary = runWeightProgram(*module, input ? &*input : nullptr, path, progress);
  weights.dataSizeInBytes = summary.dataSizeInBytes;
  weights.checksum = headerChecksum(summary.headerText);
}

void compileCode(ModuleOp module, const CodegenOptions &codegen, const mlir::sesame::LoweringOptions &options,
                 const std::string &path, const DumpStage &dump, const std::string &dumpDirectory) {
  runStage(module, "bufferize", [&](OpPassManager &pm) { mlir::sesame::buildBufferize(pm); });
  dump(module, "bufferize", "sesame-opt --sesame-bufferize");
  runStage(module, "llvm", [&](OpPassManager &pm) { mlir::sesame::buildLowerToLLVM(pm, options); });
  dump(module, "llvm", "sesame-opt --sesame-lower-to-llvm='" + toText(options) + "'");
  compileToSharedLibrary(module, codegen, path, dumpDirectory);
}

/// What `sesame tune` reads again. It is not told where the checkpoint is: a bundle holds no path of the
/// machine that it was made on.
static std::string printForBundle(ModuleOp module) {
  auto description = module->getAttrOfType<DictionaryAttr>("sesame.model");
  if (description) {
    NamedAttrList shared(description);
    shared.erase("checkpoint");
    module->setAttr("sesame.model", shared.getDictionary(module.getContext()));
  }
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, OpPrintingFlags().useLocalScope());
  stream << "\n";
  if (description)
    module->setAttr("sesame.model", description);
  return text;
}

void compileBundle(const CompileOptions &options) {
  Progress progress;
  DialectRegistry registry;
  registerCompilerDialects(registry);
  // The pipelines run a few functions at most: threads of MLIR's own would cost more than they bring.
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  std::optional<FusionReport> report;
  if (options.explain)
    report.emplace(context);

  // Everything that can be wrong with the request is found before anything is written.
  if (!options.weights.empty() && options.dtype == "int8")
    throw Error(
        message("--weights ", options.weights,
                ": expected --dtype f32, bf16 or f16 beside it, for the weights that it leaves, got int8"));
  std::vector<std::string> extensions;
  if (options.dtype == "int8" || !options.weights.empty())
    extensions.push_back("avx512vnni");
  // For attention with int8.
  if (options.dtype == "bf16" || options.dtype == "int8")
    extensions.push_back("avx512bf16");
  const CodegenOptions codegen = resolveTarget(options.target, extensions);
  if (options.dtype == "f16" && !llvm::is_contained(codegen.requiredFeatures, "f16c") &&
      llvm::StringRef(codegen.triple).starts_with("x86_64"))
    throw Error(message("--dtype f16: expected a target with conversion of f16 (x86-64-v3 and later), got ",
                        codegen.cpu, "; use bf16"));
  StageDumper stages(options.dumpDirectory);
  progress.show("importing");
  Source source = openSource(options.source, context);
  for (const std::string &note : source.notes)
    llvm::errs() << "sesame: note: " << note << "\n";
  ModuleOp module = *source.module;
  const bool hasWeights = !module.getOps<mlir::sesame::WeightOp>().empty();
  if (hasWeights && source.checkpoint.empty())
    throw Error(message(options.source, ": the module has weights but no attribute sesame.model = "
                                        "{checkpoint = DIRECTORY} that says where they are"));
  stages.dump(module, "import", "sesame import SRC");
  StagingDirectory staging(options.output);

  progress.show("optimizing");
  runStage(module, "optimize", [](OpPassManager &pm) { mlir::sesame::buildOptimize(pm); });
  stages.dump(module, "optimize", "sesame-opt --sesame-optimize");
  staging.write(bundleModuleFile, printForBundle(module));
  OpTable table = numberOps(module);
  CodeOptions code;
  mlir::sesame::TileOptions &tile = code.tile;
  tile.panelWidth = codegen.vectorLanes * 2;
  tile.vectorLanes = codegen.vectorLanes;
  tile.weightType = options.dtype;
  tile.groups = options.weights;
  tile.bf16Words = codegen.hasFeature("avx512bf16");
  code.lowering.vectorLanes = codegen.vectorLanes;
  code.lowering.hasVnni = codegen.hasFeature("avx512vnni");
  code.lowering.hasBf16 = codegen.hasFeature("avx512bf16");
  code.lowering.hasAvx2 = codegen.hasFeature("avx2");
  runStage(module, "tile", [&](OpPassManager &pm) { mlir::sesame::buildTileCpu(pm, tile); });
  stages.dump(module, "tile", "sesame-opt --sesame-tile-cpu='" + toText(tile) + "'");
  readPackedWeights(module, table);

  Manifest manifest = describeBundle(source, readEntrySpecs(module), codegen, options.source);
  manifest.provenance["linear_weights"] =
      options.weights.empty() ? options.dtype : options.weights + " in groups of 32";
  manifest.ops = table.ops;
  manifest.code = {{"tile", toText(code.tile)}, {"lower", toText(code.lowering)}};
  // The recipes and the code have nothing to do with each other from here on: the weights are written on a
  // second thread, from a copy of the module in a context of its own.
  std::exception_ptr weightFailure, codeFailure;
  std::thread weightThread([&, recipes = printWeights(module)] {
    try {
      writeWeights(recipes, registry, source.checkpoint, staging.file("weights.safetensors"),
                   manifest.weights,
                   [&](uint64_t done, uint64_t total) { progress.show("packing weights", done, total); });
    } catch (...) {
      weightFailure = std::current_exception();
    }
  });
  try {
    compileCode(
        module, codegen, code.lowering, staging.file("model.so"),
        [&](ModuleOp after, const char *stage, const std::string &command) {
          stages.dump(after, stage, command);
        },
        options.dumpDirectory);
  } catch (...) {
    codeFailure = std::current_exception();
  }
  weightThread.join();
  if (codeFailure)
    std::rethrow_exception(codeFailure);
  if (weightFailure)
    std::rethrow_exception(weightFailure);

  if (!source.companions.empty())
    copyCompanions(source.companions, staging);
  staging.write("manifest.json", serializeManifest(manifest));
  staging.publish();
  if (!report)
    return;
  CostReportOptions cost;
  cost.bundle = options.output;
  cost.shape = {options.explainOptions.batch, options.explainOptions.promptTokens};
  cost.numThreads = options.explainOptions.threads;
  cost.json = options.explainOptions.json;
  printCostReport(report->remarks(), manifest, table, codegen, cost, llvm::outs(),
                  [&](const std::string &text) { progress.show(text); });
}

} // namespace sesame
