//===- check.cpp - sesame check ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "GoldenCase.h"
#include "Inputs.h"
#include "Options.h"
#include "TextModel.h"

#include "core/Model.h"
#include "core/Session.h"
#include "generate/Generate.h"
#include "io/WordVectors.h"
#include "support/Error.h"
#include "support/Json.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>

namespace sesame {

namespace {

struct CheckOptions {
  std::string bundle, goldenCase, entry = "forward";
  std::optional<double> atol, rtol, cosine;
  int threads = 0;
};

/// How one output compares with its golden.
struct Comparison {
  uint64_t numCompared = 0, numOff = 0, worst = 0;
  double maxError = 0, sumOfErrors = 0, got = 0, expected = 0;
  /// Of the two as vectors; 1 if they are equal.
  double cosine = 1;
};

} // namespace

/// |got - expected| <= atol + rtol * |expected| if either is given, else 1e-4 * max(1, largest |expected| of
/// the tensor).
static Comparison compare(const std::vector<double> &got, const std::vector<double> &expected,
                          const std::vector<bool> &counts, const CheckOptions &options) {
  double largest = 0;
  for (size_t i = 0; i < expected.size(); ++i)
    if (counts[i] && std::isfinite(expected[i]))
      largest = std::max(largest, std::fabs(expected[i]));
  Comparison result;
  double worstExcess = -1, product = 0, gotSquares = 0, expectedSquares = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!counts[i])
      continue;
    ++result.numCompared;
    product += got[i] * expected[i];
    gotSquares += got[i] * got[i];
    expectedSquares += expected[i] * expected[i];
    const double bound = options.atol || options.rtol
                             ? options.atol.value_or(0) + options.rtol.value_or(0) * std::fabs(expected[i])
                             : 1e-4 * std::max(1.0, largest);
    // Equal infinities agree; a NaN agrees only with a NaN.
    double error = got[i] == expected[i] || (std::isnan(got[i]) && std::isnan(expected[i]))
                       ? 0
                       : std::fabs(got[i] - expected[i]);
    if (std::isnan(error))
      error = INFINITY;
    result.sumOfErrors += error;
    result.maxError = std::max(result.maxError, error);
    if (error > bound)
      ++result.numOff;
    if (error - bound > worstExcess || worstExcess == -1) {
      worstExcess = error - bound;
      result.worst = i;
      result.got = got[i];
      result.expected = expected[i];
    }
  }
  if (result.maxError > 0)
    result.cosine = product / std::sqrt(gotSquares * expectedSquares);
  return result;
}

static std::string formatIndex(uint64_t flat, const std::vector<int64_t> &shape) {
  std::vector<int64_t> index(shape.size());
  for (size_t axis = shape.size(); axis-- > 0;) {
    index[axis] = flat % shape[axis];
    flat /= shape[axis];
  }
  std::string text = "[";
  for (size_t axis = 0; axis < index.size(); ++axis)
    text += (axis ? ", " : "") + std::to_string(index[axis]);
  return text + "]";
}

/// Which elements of an output count: those whose leading axes point at a non-zero of the mask. Every one if
/// the output's leading extents are not the mask's.
static std::vector<bool> countingElements(const std::vector<int64_t> &shape, uint64_t count,
                                          const StoredTensor *mask) {
  std::vector<bool> counts(count, true);
  if (!mask || mask->shape.size() > shape.size() ||
      !std::equal(mask->shape.begin(), mask->shape.end(), shape.begin()))
    return counts;
  const uint64_t positions = *elementCount(mask->shape);
  const std::vector<double> values = toDoubles(mask->dtype, mask->data, positions);
  const uint64_t inner = positions ? count / positions : 0;
  for (uint64_t i = 0; i < count; ++i)
    counts[i] = values[i / inner] != 0;
  return counts;
}

/// Prints one line of the table; returns whether the output is right.
static bool report(const GoldenCall &call, const std::string &name, const StoredTensor &golden, DType dtype,
                   const std::vector<int64_t> &shape, const void *data, const CheckOptions &options) {
  const std::string label = (call.name.empty() ? "" : call.name + ".") + "out." + name;
  if (shape != golden.shape) {
    std::printf("%-36s OFF  expected %s, got %s\n", label.c_str(),
                toString(golden.dtype, golden.shape).c_str(), toString(dtype, shape).c_str());
    return false;
  }
  const uint64_t count = *elementCount(shape);
  const std::vector<double> got = toDoubles(dtype, data, count),
                            expected = toDoubles(golden.dtype, golden.data, count);
  // What comes out of an encoder counts by the source's mask, whatever the call's is.
  const bool isEncoders = name.rfind("encoder_", 0) == 0 && !call.compareMask.empty();
  const StoredTensor *mask = isEncoders                 ? call.findInput("attention_mask")
                             : call.compareMask.empty() ? nullptr
                                                        : call.findInput(call.compareMask);
  const std::vector<bool> counts = countingElements(shape, count, mask);
  const Comparison result = compare(got, expected, counts, options);
  if (options.cosine) {
    const bool isRight = result.cosine >= *options.cosine; // not so for a NaN
    std::printf("%-36s %-4s cosine %.6f, expected at least %g\n", label.c_str(), isRight ? "ok" : "OFF",
                result.cosine, *options.cosine);
    return isRight;
  }
  const double mean = result.numCompared ? result.sumOfErrors / result.numCompared : 0;
  std::printf("%-36s %-4s max error %-9.3g mean error %-9.3g %s\n", label.c_str(),
              result.numOff ? "OFF" : "ok", result.maxError, mean, toString(dtype, shape).c_str());
  if (result.numOff)
    std::printf("%s: %llu of %llu elements off, worst at %s: got %.9g, expected %.9g\n", label.c_str(),
                static_cast<unsigned long long>(result.numOff),
                static_cast<unsigned long long>(result.numCompared), formatIndex(result.worst, shape).c_str(),
                result.got, result.expected);
  return result.numOff == 0;
}

/// The entry that a call is for: the wanted one, or the first that knows all of the call's inputs where the
/// wanted one does not.
static const EntrySpec &entryOf(const Model &model, const GoldenCall &call, const std::string &wanted) {
  auto takesAll = [&](const EntrySpec &entry) {
    return std::all_of(call.inputs.begin(), call.inputs.end(),
                       [&](const auto &input) { return entry.findInput(input.first) >= 0; });
  };
  const EntrySpec &first = model.entries()[model.entryIndex(wanted)];
  if (takesAll(first))
    return first;
  auto other = std::find_if(model.entries().begin(), model.entries().end(), takesAll);
  return other == model.entries().end() ? first : *other;
}

static bool checkForward(Session &session, const GoldenCall &call, const CheckOptions &options) {
  if (!call.arguments.empty())
    throw Error(message(options.goldenCase, ": call '", call.name, "': arguments ", call.arguments.dump(),
                        " are not supported"));
  const EntrySpec &entry = entryOf(session.model(), call, options.entry);
  EntryInputs inputs(entry, call.inputs);
  const std::vector<OutputTensor> outputs = session.run(entry.name, inputs.tensors());
  bool isRight = true;
  for (const auto &[name, golden] : call.outputs) {
    auto output = std::find_if(outputs.begin(), outputs.end(),
                               [&, &name = name](const OutputTensor &o) { return o.name == name; });
    if (output == outputs.end())
      throw Error(message(options.bundle, ": entry '", entry.name, "': has no output '", name,
                          "', which call '", call.name, "' records"));
    isRight &= report(call, name, *golden, output->dtype, output->shape, output->data.data(), options);
  }
  return isRight;
}

static std::vector<int64_t> toIds(const StoredTensor &tensor) {
  const std::vector<double> values = toDoubles(tensor.dtype, tensor.data, *elementCount(tensor.shape));
  return std::vector<int64_t>(values.begin(), values.end());
}

static bool checkGenerate(Session &session, const GoldenCall &call, const CheckOptions &options) {
  GenerationConfig config;
  config.update(call.parameters, message(options.goldenCase, ": call '", call.name, "'"));
  const StoredTensor *ids = call.findInput("input_ids"), *mask = call.findInput("attention_mask");
  const Model &compiled = session.model();
  if (!hasEncoder(compiled) && (!ids || ids->shape.size() != 2))
    throw Error(
        message(options.goldenCase, ": call '", call.name, "': expected an input 'input_ids' of rank 2"));
  GenerationInput input;
  std::optional<EntryInputs> source;
  if (hasEncoder(compiled)) {
    source.emplace(compiled.entries()[compiled.entryIndex("encode")], call.inputs);
    if (source->tensors().empty() || source->tensors().front().shape.empty())
      throw Error(
          message(options.goldenCase, ": call '", call.name, "': expected a source, found no inputs"));
    input = decoderPrompt(config, source->tensors().front().shape.front());
    if (ids && ids->shape.size() == 2) {
      input.sourceLength = ids->shape[1];
      input.sourceIds = toIds(*ids);
    }
  } else {
    input.rows = ids->shape[0];
    input.length = ids->shape[1];
    input.ids = toIds(*ids);
    if (mask)
      input.mask = toIds(*mask);
  }
  const std::unique_ptr<StepModel> model =
      openStepModel(session, source ? source->tensors() : std::vector<InputTensor>());
  const GenerationResult result = generate(*model, config, input);
  bool isRight = true;
  for (const auto &[name, golden] : call.outputs) {
    if (name == "sequences") {
      // Ids are equal or wrong.
      CheckOptions exact = options;
      exact.atol = 0;
      exact.rtol = 0;
      isRight &= report(call, name, *golden, DType::i64, {result.rows, result.length},
                        result.sequences.data(), exact);
    } else if (name == "sequences_scores") {
      isRight &=
          report(call, name, *golden, DType::f32, {result.rows}, result.sequenceScores.data(), options);
    } else {
      throw Error(message(options.goldenCase, ": call '", call.name, "': output '", name,
                          "' is not one of generate's"));
    }
  }
  return isRight;
}

/// The last line. Throws Error if a call is off.
static void finish(const CheckOptions &options, size_t numCalls, size_t numOff) {
  std::fflush(stdout);
  if (numOff)
    throw Error(message(options.goldenCase, ": ", numOff, " of ", numCalls, " calls off"));
  std::printf("%zu of %zu calls agree\n", numCalls, numCalls);
}

/// The files of a folder of word vectors, as its config.json lists them; of a file that file.
static std::vector<std::string> vectorFiles(const std::string &path) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored))
    return {path};
  const std::string config = path + "/config.json";
  const nlohmann::json fields = parseJson(config, readTextFile(config, /*limit=*/1 << 20));
  std::vector<std::string> files;
  if (fields.is_object() && fields.contains("files") && fields["files"].is_array())
    for (const nlohmann::json &name : fields["files"])
      if (name.is_string())
        files.push_back(path + "/" + name.get<std::string>());
  if (files.empty())
    throw Error(message(config, ": 'files': expected the names of files of word vectors, found none"));
  return files;
}

/// `vectors` [N, D] and `cosine` [N, N] of each file.
static bool checkVectors(const GoldenCall &call, const CheckOptions &options) {
  bool isRight = true;
  for (const std::string &file : vectorFiles(options.bundle)) {
    std::printf("%s\n", file.c_str());
    const WordVectors vectors(file);
    for (const auto &[name, golden] : call.outputs) {
      const bool isTable = name == "vectors";
      if ((!isTable && name != "cosine") || golden->shape.size() != 2)
        throw Error(message(options.goldenCase, ": call '", call.name, "': output '", name,
                            "' is neither 'vectors' nor 'cosine' of rank 2"));
      std::vector<float> rows;
      for (int64_t i = 0; i < vectors.size(); ++i) {
        if (isTable) {
          const std::vector<float> row = vectors.values(i);
          rows.insert(rows.end(), row.begin(), row.end());
          continue;
        }
        for (int64_t j = 0; j < vectors.size(); ++j)
          rows.push_back(static_cast<float>(vectors.cosine(i, j)));
      }
      isRight &=
          report(call, name, *golden, DType::f32,
                 {vectors.size(), isTable ? vectors.dimension() : vectors.size()}, rows.data(), options);
    }
  }
  return isRight;
}

static bool isOfVectors(const GoldenCall &call) { return call.kind == "vectors"; }

static void check(const CheckOptions &options) {
  const GoldenCase golden = GoldenCase::open(options.goldenCase);
  if (!golden.calls.empty() && std::all_of(golden.calls.begin(), golden.calls.end(), isOfVectors)) {
    size_t numOff = 0;
    for (const GoldenCall &call : golden.calls)
      numOff += !checkVectors(call, options);
    finish(options, golden.calls.size(), numOff);
    return;
  }
  Session::Options sessionOptions;
  sessionOptions.numThreads = options.threads;
  Session session(Model::open(options.bundle), sessionOptions);
  size_t numOff = 0, numChecked = 0;
  for (const GoldenCall &call : golden.calls) {
    if (call.kind != "forward" && call.kind != "generate")
      throw Error(message(options.goldenCase, ": call '", call.name, "': kind '", call.kind,
                          "' cannot be checked on a bundle"));
    if (options.cosine && call.kind == "generate")
      continue;
    ++numChecked;
    numOff += call.kind == "forward" ? !checkForward(session, call, options)
                                     : !checkGenerate(session, call, options);
  }
  finish(options, numChecked, numOff);
}

void addCheckCommand(CLI::App &app) {
  CLI::App *command =
      app.add_subcommand("check", "Run recorded calls and compare with their recorded outputs");
  auto options = std::make_shared<CheckOptions>();
  command
      ->add_option("BUNDLE", options->bundle,
                   "What 'sesame compile' wrote; for recorded word vectors their file or folder")
      ->required();
  command
      ->add_option(
          "CASE", options->goldenCase,
          "Directory with golden.json and golden.safetensors, or a safetensors file of in.NAME and out.NAME")
      ->required();
  command->add_option("--entry", options->entry, "Which entry the forward calls are for")
      ->capture_default_str();
  command
      ->add_option("--atol", options->atol,
                   "Allow |got - expected| <= ATOL + RTOL * |expected|; the default is 1e-4 times the "
                   "tensor's largest magnitude (at least 1)")
      ->check(nonNegativeNumber());
  command->add_option("--rtol", options->rtol, "See --atol")->check(nonNegativeNumber());
  command
      ->add_option("--cosine", options->cosine,
                   "For bundles of reduced precision: compare each output by its cosine with the recorded "
                   "one, which must be at "
                   "least this, and leave out generated ids")
      ->excludes("--atol")
      ->excludes("--rtol")
      ->check(nonNegativeNumber());
  addThreadsOption(command, options->threads);
  command->callback([options] { check(*options); });
}

} // namespace sesame
