//===- sesame-numeric-test.cpp - Compiled code against the reference lowering ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// usage: sesame-numeric-test FILE.mlir [--runs N] [--target T] [--seed S] [--tolerance T] [--alter 1|2|3]
// [--joint NAME]...
//
// Compiles the module once by the reference lowering and once by the fast pipelines, then runs every entry N
// times with random symbol values and random inputs on both, and compares:
//   - outputs and states of the two within T * max(1, largest reference value), T = 1e-4 unless it is given
//   (docs: what counts as right);
//   - the fast code's with 1 and with 3 threads, bit by bit;
//   - the fast code's for each index of symbol B alone with those in the batch, bit by bit, but for outputs
//   NAME, whose rows are made of the whole batch.
//
// A symbol is at least 1 and at most its `sesame.limits`, or 19 without one; an integer input is within its
// `sesame.range`; floats are normal. Weights' recipes read random checkpoint tensors.
//
// --alter N spoils what the Nth of these comparisons gets; the test must then fail.
//
//===----------------------------------------------------------------------===//

#include "CompiledModule.h"

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/BufferizableOpInterfaceImpl.h"
#include "support/DType.h"
#include "support/Error.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <cstring>
#include <random>
#include <set>

using namespace sesame;
using namespace sesame::test;

namespace {

struct Options {
  std::string file;
  int runs = 12;
  std::string target = "cpu";
  unsigned seed = 1;
  double tolerance = 1e-4;
  /// Which comparison is made to fail: 0 none, 1 reference, 2 threads, 3 batch.
  int alter = 0;
  /// Outputs whose rows are not those of the batch.
  std::set<std::string> joint;
};

using Random = std::mt19937;

/// Writes a checkpoint with every tensor that the recipes of `module` name.
void writeCheckpoint(mlir::ModuleOp module, const std::string &directory, Random &random) {
  std::map<std::string, mlir::RankedTensorType> tensors;
  module.walk([&](mlir::sesame::CheckpointTensorOp op) {
    auto weight = op->getParentOfType<mlir::sesame::WeightOp>();
    for (int64_t i = 0; i < static_cast<int64_t>(weight.getCount()); ++i)
      tensors[op.getTensorName(i)] = mlir::cast<mlir::RankedTensorType>(op.getType());
  });
  SafetensorsWriter writer(directory + "/model.safetensors");
  for (auto &[name, type] : tensors)
    writer.add(name, DType::f32, type.getShape().vec());
  writer.begin();
  std::normal_distribution<float> normal(0.0f, 0.3f);
  for (auto &[name, type] : tensors)
    for (int64_t i = 0; i < type.getNumElements(); ++i) {
      float value = normal(random);
      writer.write(&value, sizeof(value));
    }
  writer.finish();
}

std::vector<int64_t> chooseSymbols(const EntrySpec &entry, Random &random) {
  std::vector<int64_t> values(entry.symbols.size());
  const size_t numChosen = values.size() - entry.derived.size();
  auto isWithinLimits = [&] {
    for (const DerivedSymbol &derived : entry.derived) {
      const std::optional<int64_t> value = derived.evaluate(values);
      if (!value)
        return false;
      values[static_cast<size_t>(derived.symbol)] = *value;
    }
    for (const SymbolLimit &limit : entry.limits)
      if (values[limit.symbol] >
          (limit.atMost.isConstant() ? limit.atMost.extent : values[limit.atMost.symbol]))
        return false;
    return true;
  };
  do {
    for (size_t i = 0; i < numChosen; ++i) {
      int64_t most = 19;
      for (const SymbolLimit &limit : entry.limits)
        if (limit.symbol == static_cast<int32_t>(i) && limit.atMost.isConstant())
          most = limit.atMost.extent;
      values[i] = entry.symbols[i] == "B" ? 1 + random() % 3 : 1 + random() % most;
    }
  } while (!isWithinLimits());
  return values;
}

/// Random values; `symbols` and with them the tensor's extents and bounds are given.
Bytes makeInput(const TensorSpec &tensor, const std::vector<int64_t> &symbols, Random &random) {
  const std::vector<int64_t> shape = shapeOf(tensor, symbols);
  Bytes bytes(static_cast<size_t>(*denseSizeInBytes(tensor.dtype, shape)));
  const int64_t count = *elementCount(shape);
  std::normal_distribution<float> normal;
  for (int64_t i = 0; i < count; ++i) {
    if (tensor.dtype == DType::f32) {
      float value = normal(random);
      std::memcpy(&bytes[i * sizeof(value)], &value, sizeof(value));
      continue;
    }
    auto [low, high] = tensor.range.value_or(std::pair<int64_t, int64_t>(0, 2));
    if (tensor.atMost)
      high = std::min(
          high, 1 + (tensor.atMost->isConstant() ? tensor.atMost->extent : symbols[tensor.atMost->symbol]));
    int64_t value = low + static_cast<int64_t>(random() % static_cast<uint64_t>(high - low));
    std::memcpy(&bytes[i * sizeInBits(tensor.dtype) / 8], &value, sizeInBits(tensor.dtype) / 8);
  }
  return bytes;
}

/// Everything an entry leaves behind: outputs, then states.
struct Result {
  std::vector<const TensorSpec *> specs;
  std::vector<Bytes> values;
};

Result call(const CompiledModule &module, const EntrySpec &entry, const std::vector<int64_t> &symbols,
            std::vector<Bytes> inputs, int threads) {
  Result result;
  result.values = module.run(entry, symbols, inputs, threads);
  for (const TensorSpec &output : entry.outputs)
    result.specs.push_back(&output);
  for (size_t i = 0; i < inputs.size(); ++i)
    if (entry.inputs[i].isState) {
      result.specs.push_back(&entry.inputs[i]);
      result.values.push_back(inputs[i]);
    }
  return result;
}

/// The part of a tensor at `index` of its axis that is symbol `symbol`; all of it if it has no such axis.
Bytes selectBatch(const TensorSpec &tensor, const std::vector<int64_t> &symbols, int32_t symbol,
                  int64_t index, const Bytes &bytes) {
  const std::vector<int64_t> shape = shapeOf(tensor, symbols);
  size_t axis = 0;
  while (axis < shape.size() && tensor.shape[axis].symbol != symbol)
    ++axis;
  if (axis == shape.size())
    return bytes;
  int64_t outer = 1, inner = sizeInBits(tensor.dtype) / 8;
  for (size_t i = 0; i < axis; ++i)
    outer *= shape[i];
  for (size_t i = axis + 1; i < shape.size(); ++i)
    inner *= shape[i];
  Bytes part;
  for (int64_t i = 0; i < outer; ++i) {
    auto begin = bytes.begin() + (i * shape[axis] + index) * inner;
    part.insert(part.end(), begin, begin + inner);
  }
  return part;
}

std::string describe(const EntrySpec &entry, const std::vector<int64_t> &symbols) {
  std::string text = entry.name;
  for (size_t i = 0; i < symbols.size(); ++i)
    text += (i == 0 ? " " : ", ") + entry.symbols[i] + " = " + std::to_string(symbols[i]);
  return text;
}

/// The largest difference in units of the tolerance.
double compareWithReference(const std::string &where, const Result &expected, const Result &found,
                            double tolerance) {
  double worst = 0;
  for (size_t t = 0; t < expected.values.size(); ++t) {
    const std::string what = message(where, ": ", expected.specs[t]->name);
    if (expected.specs[t]->dtype != DType::f32) {
      if (expected.values[t] != found.values[t])
        throw Error(message(what, " differs from the reference"));
      continue;
    }
    const size_t count = expected.values[t].size() / sizeof(float);
    auto *a = reinterpret_cast<const float *>(expected.values[t].data());
    auto *b = reinterpret_cast<const float *>(found.values[t].data());
    float largest = 1;
    for (size_t i = 0; i < count; ++i)
      if (std::isfinite(a[i]))
        largest = std::max(largest, std::fabs(a[i]));
    for (size_t i = 0; i < count; ++i) {
      double difference =
          a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])) ? 0 : std::fabs(double(a[i]) - b[i]);
      worst = std::max(worst, difference / (tolerance * largest));
      if (!(difference <= tolerance * largest))
        throw Error(message(what, "[", i, "] of ", count, ": expected ", a[i], ", got ", b[i]));
    }
  }
  return worst;
}

/// Spoils a tensor.
void flipBit(Bytes &bytes) {
  if (!bytes.empty())
    bytes[0] ^= std::byte(1);
}

double runOnce(const CompiledModule &reference, const CompiledModule &fast, const EntrySpec &entry,
               Random &random, const Options &options) {
  const std::vector<int64_t> symbols = chooseSymbols(entry, random);
  const std::string where = describe(entry, symbols);
  std::vector<Bytes> inputs;
  for (const TensorSpec &input : entry.inputs)
    inputs.push_back(makeInput(input, symbols, random));

  const Result expected = call(reference, entry, symbols, inputs, 1);
  const Result alone = call(fast, entry, symbols, inputs, 1);
  Result altered = alone;
  if (options.alter == 1)
    altered.values[0][altered.values[0].size() - 1] ^= std::byte(0x40);
  const double worst = compareWithReference(where, expected, altered, options.tolerance);

  Result threaded = call(fast, entry, symbols, inputs, 3);
  if (options.alter == 2)
    flipBit(threaded.values[0]);
  for (size_t t = 0; t < alone.values.size(); ++t)
    if (alone.values[t] != threaded.values[t])
      throw Error(message(where, ": ", alone.specs[t]->name, " has other bits with 3 threads than with 1"));

  const int32_t batch = entry.findSymbol("B");
  if (batch < 0)
    return worst;
  for (int64_t row = 0; row < symbols[batch]; ++row) {
    std::vector<int64_t> rowSymbols = symbols;
    rowSymbols[batch] = 1;
    std::vector<Bytes> rowInputs;
    for (size_t i = 0; i < inputs.size(); ++i)
      rowInputs.push_back(selectBatch(entry.inputs[i], symbols, batch, row, inputs[i]));
    Result single = call(fast, entry, rowSymbols, rowInputs, 1);
    if (options.alter == 3)
      flipBit(single.values[0]);
    for (size_t t = 0; t < alone.values.size(); ++t)
      if (options.joint.count(alone.specs[t]->name) == 0 &&
          single.values[t] != selectBatch(*alone.specs[t], symbols, batch, row, alone.values[t]))
        throw Error(message(where, ": ", alone.specs[t]->name, " row ", row,
                            " has other bits alone than in the batch"));
  }
  return worst;
}

Options parseOptions(int argc, char **argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    auto value = [&]() -> std::string {
      if (++i == argc)
        throw Error(message(argument, ": expected a value"));
      return argv[i];
    };
    if (argument == "--runs")
      options.runs = std::stoi(value());
    else if (argument == "--target")
      options.target = value();
    else if (argument == "--seed")
      options.seed = static_cast<unsigned>(std::stoul(value()));
    else if (argument == "--tolerance")
      options.tolerance = std::stod(value());
    else if (argument == "--alter")
      options.alter = std::stoi(value());
    else if (argument == "--joint")
      options.joint.insert(value());
    else
      options.file = argument;
  }
  if (options.file.empty())
    throw Error("expected an .mlir file");
  return options;
}

void runTest(const Options &options, const std::string &directory) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> file = llvm::MemoryBuffer::getFile(options.file);
  if (!file)
    throw Error(message(options.file, ": ", file.getError().message()));
  const std::string text = (*file)->getBuffer().str();
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<mlir::sesame::SesameDialect>();
  mlir::sesame::registerBufferizableOpInterfaceExternalModels(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);

  Random random(options.seed);
  {
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    if (!module)
      throw Error(message(options.file, ": cannot be parsed"));
    writeCheckpoint(*module, directory, random);
  }
  Checkpoint checkpoint(directory);
  CompiledModule reference(context, text, Path::reference, options.target, &checkpoint, directory);
  CompiledModule fast(context, text, Path::fast, options.target, &checkpoint, directory);
  for (const EntrySpec &entry : fast.entries()) {
    double worst = 0;
    for (int i = 0; i < options.runs; ++i)
      worst = std::max(worst, runOnce(reference, fast, entry, random, options));
    llvm::outs() << llvm::formatv("{0}: {1} runs, largest difference {2:f3} of the tolerance\n", entry.name,
                                  options.runs, worst);
  }
}

} // namespace

int main(int argc, char **argv) {
  llvm::SmallString<128> directory;
  int status = 0;
  try {
    const Options options = parseOptions(argc, argv);
    if (std::error_code error = llvm::sys::fs::createUniqueDirectory("sesame-numeric", directory))
      throw Error(message("temporary directory: ", error.message()));
    runTest(options, directory.str().str());
  } catch (const std::exception &error) {
    llvm::outs().flush();
    llvm::errs() << "sesame-numeric-test: error: " << error.what() << "\n";
    status = 1;
  }
  if (!directory.empty())
    llvm::sys::fs::remove_directories(directory);
  return status;
}
