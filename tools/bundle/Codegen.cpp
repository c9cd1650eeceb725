//===- Codegen.cpp - From the LLVM dialect to a shared library ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Codegen.h"

#include "Link.h"
#include "Partition.h"
#include "support/Error.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Linker/Linker.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace llvm;

namespace sesame {

// The micro-architecture levels of the x86-64 psABI, section 3.1.1, without the baseline that every x86-64
// has.
static const std::vector<std::string> levelV2 = {"cx16",  "popcnt", "sahf",  "sse3",
                                                 "ssse3", "sse4.1", "sse4.2"};
static const std::vector<std::string> levelV3 = {"avx", "avx2",  "bmi",   "bmi2", "f16c",
                                                 "fma", "lzcnt", "movbe", "xsave"};
static const std::vector<std::string> levelV4 = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"};

static std::vector<std::string> featuresOfLevel(int level) {
  std::vector<std::string> features = levelV2;
  if (level >= 3)
    features.insert(features.end(), levelV3.begin(), levelV3.end());
  if (level >= 4)
    features.insert(features.end(), levelV4.begin(), levelV4.end());
  return features;
}

static CodegenOptions optionsOfX86Level(int level) {
  CodegenOptions options;
  options.triple = "x86_64-unknown-linux-gnu";
  options.cpu = "x86-64-v" + std::to_string(level);
  options.requiredFeatures = featuresOfLevel(level);
  options.vectorLanes = level >= 4 ? 16 : level == 3 ? 8 : 4;
  return options;
}

static CodegenOptions optionsOfAArch64() {
  CodegenOptions options;
  options.triple = "aarch64-unknown-linux-gnu";
  options.cpu = "generic";
  options.requiredFeatures = {"neon"};
  options.vectorLanes = 4;
  return options;
}

CodegenOptions resolveTarget(const std::string &name, const std::vector<std::string> &extensions) {
  for (int level : {2, 3, 4})
    if (name == "x86-64-v" + std::to_string(level))
      return optionsOfX86Level(level);
  if (name == "aarch64")
    return optionsOfAArch64();
  if (name != "cpu")
    throw Error(
        message("target: expected cpu, x86-64-v2, x86-64-v3, x86-64-v4 or aarch64, got '", name, "'"));

  Triple host(sys::getProcessTriple());
  CodegenOptions options;
  if (host.isAArch64()) {
    options = optionsOfAArch64();
  } else if (host.isX86_64()) {
    StringMap<bool> present = sys::getHostCPUFeatures();
    auto hasLevel = [&](int level) {
      return all_of(featuresOfLevel(level),
                    [&](const std::string &feature) { return present.lookup(feature); });
    };
    int level = hasLevel(4) ? 4 : hasLevel(3) ? 3 : 2;
    if (!hasLevel(level))
      throw Error("target: expected a CPU of at least x86-64-v2 (SSE 4.2), this machine has less");
    options = optionsOfX86Level(level);
    for (const std::string &extension : extensions)
      if (level == 4 && present.lookup(extension))
        options.requiredFeatures.push_back(extension);
  } else {
    throw Error(message("target: expected an x86-64 or aarch64 machine, this one is ",
                        host.getArchName().str(), "; name a target to compile for another"));
  }
  options.tuneCpu = sys::getHostCPUName().str();
  return options;
}

static std::unique_ptr<TargetMachine> createTargetMachine(const CodegenOptions &options) {
  static const bool initialized = [] {
    InitializeAllTargetInfos();
    InitializeAllTargets();
    InitializeAllTargetMCs();
    InitializeAllAsmPrinters();
    return true;
  }();
  (void)initialized;
  Triple triple(options.triple);
  std::string reason;
  const Target *target = TargetRegistry::lookupTarget(triple, reason);
  if (!target)
    throw Error(message("target: ", reason));
  CodeGenOptLevel level = options.optLevel == 0   ? CodeGenOptLevel::None
                          : options.optLevel == 1 ? CodeGenOptLevel::Less
                                                  : CodeGenOptLevel::Default;
  std::string features;
  for (const std::string &feature : options.requiredFeatures)
    features += (features.empty() ? "+" : ",+") + feature;
  std::unique_ptr<TargetMachine> machine(target->createTargetMachine(
      triple, options.cpu, features, TargetOptions(), Reloc::PIC_, CodeModel::Small, level));
  if (!machine)
    throw Error(message("target: no code generator for ", options.triple));
  return machine;
}

static void setFunctionAttributes(Module &module, const CodegenOptions &options,
                                  const TargetMachine &machine) {
  for (Function &function : module) {
    function.setDoesNotThrow();
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", options.cpu);
    function.addFnAttr("target-features", machine.getTargetFeatureString());
    if (!options.tuneCpu.empty())
      function.addFnAttr("tune-cpu", options.tuneCpu);
    // LLVM prefers 256 bits on most CPUs for mixed code; a model's code is dense arithmetic.
    if (options.vectorLanes == 16)
      function.addFnAttr("prefer-vector-width", "512");
  }
}

/// Without FMA instructions an `llvm.fma` would be a call of libm for each lane. The kernels ask for it for
/// speed, not for its single rounding.
static void splitFusedMultiplyAdds(Module &module) {
  SmallVector<IntrinsicInst *> fused;
  for (Function &function : module)
    for (BasicBlock &block : function)
      for (Instruction &instruction : block)
        if (auto *call = dyn_cast<IntrinsicInst>(&instruction))
          if (call->getIntrinsicID() == Intrinsic::fma)
            fused.push_back(call);
  for (IntrinsicInst *call : fused) {
    IRBuilder<> builder(call);
    Value *product = builder.CreateFMul(call->getArgOperand(0), call->getArgOperand(1));
    call->replaceAllUsesWith(builder.CreateFAdd(product, call->getArgOperand(2)));
    call->eraseFromParent();
  }
}

static void optimize(Module &module, TargetMachine &machine, unsigned optLevel) {
  LoopAnalysisManager loopAnalyses;
  FunctionAnalysisManager functionAnalyses;
  CGSCCAnalysisManager graphAnalyses;
  ModuleAnalysisManager moduleAnalyses;
  PipelineTuningOptions tuning;
  // The kernels are unrolled as far as pays when they are made. More of it doubles the code and the time to
  // compile it, and brings no speed.
  tuning.LoopUnrolling = false;
  // It finds nothing: what can be a vector is one, or in a loop.
  tuning.SLPVectorization = false;
  PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(moduleAnalyses);
  builder.registerCGSCCAnalyses(graphAnalyses);
  builder.registerFunctionAnalyses(functionAnalyses);
  builder.registerLoopAnalyses(loopAnalyses);
  builder.crossRegisterProxies(loopAnalyses, functionAnalyses, graphAnalyses, moduleAnalyses);
  const OptimizationLevel levels[] = {OptimizationLevel::O0, OptimizationLevel::O1, OptimizationLevel::O2,
                                      OptimizationLevel::O3};
  OptimizationLevel level = levels[std::min(optLevel, 3u)];
  ModulePassManager passes = level == OptimizationLevel::O0 ? builder.buildO0DefaultPipeline(level)
                                                            : builder.buildPerModuleDefaultPipeline(level);
  passes.run(module, moduleAnalyses);
}

static SmallVector<char, 0> emit(Module &module, TargetMachine &machine, CodeGenFileType type) {
  SmallVector<char, 0> bytes;
  raw_svector_ostream stream(bytes);
  legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type))
    throw Error("target: the code generator cannot write object files");
  passes.run(module);
  return bytes;
}

static void writeFile(const std::string &path, StringRef bytes) {
  std::error_code error;
  raw_fd_ostream stream(path, error);
  if (!error) {
    stream << bytes;
    stream.flush();
    error = stream.error();
    stream.clear_error();
  }
  if (error)
    throw Error(message(path, ": cannot write: ", error.message()));
}

static void dumpModule(const Module &module, const std::string &path) {
  std::string text;
  raw_string_ostream stream(text);
  module.print(stream, nullptr);
  writeFile(path, text);
}

namespace {
/// What becomes of one part of the module.
struct CompiledPart {
  SmallVector<char, 0> object;
  /// Bitcode and assembly, if they are to be dumped.
  SmallVector<char, 0> optimized;
  SmallVector<char, 0> listing;
  std::string error;
};
} // namespace

static StringRef toString(const SmallVector<char, 0> &bytes) { return {bytes.data(), bytes.size()}; }

static std::unique_ptr<Module> readBitcode(const SmallVector<char, 0> &bitcode, LLVMContext &context) {
  return cantFail(parseBitcodeFile(MemoryBufferRef(toString(bitcode), "model"), context));
}

static void compilePart(const SmallVector<char, 0> &bitcode, const CodegenOptions &options, bool dump,
                        CompiledPart &part) {
  LLVMContext context;
  std::unique_ptr<Module> module = readBitcode(bitcode, context);
  std::unique_ptr<TargetMachine> machine = createTargetMachine(options);
  optimize(*module, *machine, options.optLevel);
  // Emission changes the module, so a listing is made from a copy.
  if (dump) {
    raw_svector_ostream stream(part.optimized);
    WriteBitcodeToFile(*module, stream);
    part.listing = emit(*CloneModule(*module), *machine, CodeGenFileType::AssemblyFile);
  }
  part.object = emit(*module, *machine, CodeGenFileType::ObjectFile);
}

/// One part a thread, on as many threads as there are cores.
static std::vector<CompiledPart> compileParts(ArrayRef<SmallVector<char, 0>> bitcodes,
                                              const CodegenOptions &options, bool dump) {
  std::vector<CompiledPart> parts(bitcodes.size());
  ThreadPoolStrategy threads = hardware_concurrency(bitcodes.size());
  threads.Limit = true;
  DefaultThreadPool pool(threads);
  for (auto [bitcode, part] : zip_equal(bitcodes, parts)) {
    pool.async([&bitcode = bitcode, &part = part, &options, dump] {
      try {
        compilePart(bitcode, options, dump, part);
      } catch (const std::exception &error) {
        part.error = error.what();
      }
    });
  }
  pool.wait();
  for (const CompiledPart &part : parts)
    if (!part.error.empty())
      throw Error(part.error);
  return parts;
}

static void dumpParts(ArrayRef<CompiledPart> parts, LLVMContext &context, const std::string &directory) {
  Module whole("model", context);
  Linker linker(whole);
  std::string listing;
  for (const CompiledPart &part : parts) {
    linker.linkInModule(readBitcode(part.optimized, context));
    listing += toString(part.listing);
  }
  dumpModule(whole, directory + "/model.opt.ll");
  writeFile(directory + "/model.s", listing);
}

void compileToSharedLibrary(mlir::ModuleOp source, const CodegenOptions &options, const std::string &outPath,
                            const std::string &dumpDirectory) {
  mlir::registerBuiltinDialectTranslation(*source.getContext());
  mlir::registerLLVMDialectTranslation(*source.getContext());
  LLVMContext context;
  std::unique_ptr<Module> module = mlir::translateModuleToLLVMIR(source, context, "model");
  if (!module)
    throw Error("code: the module cannot be translated to LLVM IR");
  std::unique_ptr<TargetMachine> machine = createTargetMachine(options);
  module->setTargetTriple(machine->getTargetTriple());
  module->setDataLayout(machine->createDataLayout());
  setFunctionAttributes(*module, options, *machine);
  if (options.cpu == "x86-64-v2")
    splitFusedMultiplyAdds(*module);
  const bool dump = !dumpDirectory.empty();
  if (dump)
    dumpModule(*module, dumpDirectory + "/model.ll");
  std::vector<CompiledPart> parts = compileParts(partition(*module), options, dump);
  if (dump)
    dumpParts(parts, context, dumpDirectory);

  std::vector<StringRef> objects;
  for (const CompiledPart &part : parts)
    objects.push_back(toString(part.object));
  std::vector<std::string> mathFunctions = findMathFunctions(objects);
  SmallVector<char, 0> mathLibrary;
  if (!mathFunctions.empty()) {
    // The library names libm as needed without libm being on this machine, which may be of another kind:
    // linked against a stand-in of the same name that has just the functions used.
    Module standIn("libm", context);
    standIn.setTargetTriple(machine->getTargetTriple());
    standIn.setDataLayout(machine->createDataLayout());
    for (const std::string &name : mathFunctions) {
      Function *function = Function::Create(FunctionType::get(Type::getVoidTy(context), false),
                                            GlobalValue::ExternalLinkage, name, standIn);
      ReturnInst::Create(context, BasicBlock::Create(context, "", function));
    }
    mathLibrary = emit(standIn, *machine, CodeGenFileType::ObjectFile);
  }
  linkSharedLibrary(objects, toString(mathLibrary), outPath);
}

} // namespace sesame
