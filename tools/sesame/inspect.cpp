//===- inspect.cpp - sesame inspect ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"

#include "../compiler/Compiler.h"
#include "io/Manifest.h"
#include "io/Safetensors.h"
#include "support/Error.h"

#include <cstdio>
#include <filesystem>
#include <memory>

namespace sesame {

namespace {
struct InspectOptions {
  std::string source, graph;
  bool json = false;
};
} // namespace

static void describeTensors(const EntrySpec &entry, const std::vector<TensorSpec> &tensors,
                            const char *role) {
  for (const TensorSpec &tensor : tensors) {
    std::printf("  %-7s %-20s %s", tensor.isState ? "state" : role, tensor.name.c_str(),
                entry.describe(tensor).c_str());
    if (tensor.range)
      std::printf("  in [%lld, %lld)", static_cast<long long>(tensor.range->first),
                  static_cast<long long>(tensor.range->second));
    if (tensor.defaultValue != InputDefault::none)
      std::printf("  default %s", toString(tensor.defaultValue));
    std::printf("\n");
  }
}

/// How the code was made, and what 'sesame tune' measured.
static void describeCode(const nlohmann::json &code) {
  auto text = [&](const char *name) {
    auto found = code.find(name);
    return found != code.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (!text("tile").empty())
    std::printf("options  %s; %s\n", text("tile").c_str(), text("lower").c_str());
  auto tuned = code.find("tuned");
  if (tuned == code.end())
    return;
  std::printf(
      "tuned    %.3f ms, was %.3f ms, for %lld x %lld tokens and %lld new ones, %lld threads, on %s\n",
      tuned->value("after_ms", 0.0), tuned->value("before_ms", 0.0),
      static_cast<long long>(tuned->value("batch", 0)),
      static_cast<long long>(tuned->value("prompt_tokens", 0)),
      static_cast<long long>(tuned->value("new_tokens", 0)),
      static_cast<long long>(tuned->value("threads", 0)), tuned->value("machine", "").c_str());
}

static void inspectBundle(const std::string &bundle, bool json) {
  const Manifest manifest = readManifest(bundle + "/manifest.json");
  if (json) {
    std::printf("%s\n", serializeManifest(manifest).c_str());
    return;
  }
  std::error_code ignored;
  std::printf("model    %s (%s), %s\n", manifest.model.modelType.c_str(), manifest.model.architecture.c_str(),
              manifest.model.task.c_str());
  std::printf("target   %s, %s\n", manifest.target.triple.c_str(), manifest.target.cpu.c_str());
  std::printf("code     %llu bytes\n",
              static_cast<unsigned long long>(std::filesystem::file_size(bundle + "/model.so", ignored)));
  const SafetensorsFile weights(bundle + "/" + manifest.weights.file);
  uint64_t parameters = 0, count = 0;
  for (const StoredTensor &tensor : weights.tensors())
    if (tensor.name.rfind("__padding__", 0) != 0) {
      parameters += *elementCount(tensor.shape);
      ++count;
    }
  std::printf("weights  %llu bytes, %llu tensors, %llu elements (as packed)\n",
              static_cast<unsigned long long>(weights.dataSizeInBytes()),
              static_cast<unsigned long long>(count), static_cast<unsigned long long>(parameters));
  if (auto type = manifest.provenance.find("linear_weights");
      type != manifest.provenance.end() && type->is_string())
    std::printf("linears  %s\n", type->get<std::string>().c_str());
  describeCode(manifest.code);
  for (const EntrySpec &entry : manifest.entries) {
    std::printf("entry    %s\n", entry.name.c_str());
    describeTensors(entry, entry.inputs, "input");
    describeTensors(entry, entry.outputs, "output");
    for (const SymbolLimit &limit : entry.limits)
      std::printf("  limit   %s <= %s\n", entry.symbols[limit.symbol].c_str(),
                  limit.atMost.isConstant() ? std::to_string(limit.atMost.extent).c_str()
                                            : entry.symbols[limit.atMost.symbol].c_str());
  }
}

static void inspect(const InspectOptions &options) {
  std::error_code ignored;
  if (std::filesystem::exists(options.source + "/manifest.json", ignored)) {
    if (!options.graph.empty())
      throw Error(message(options.source,
                          ": option '--graph' expects a checkpoint or an .mlir file, got a bundle, which "
                          "holds code and no operations"));
    inspectBundle(options.source, options.json);
  } else {
    std::fputs(compiler().describe(options.source, options.json, options.graph).c_str(), stdout);
  }
}

void addInspectCommand(CLI::App &app) {
  CLI::App *command =
      app.add_subcommand("inspect", "Show what is in a bundle, a checkpoint or an .mlir file");
  auto options = std::make_shared<InspectOptions>();
  command->add_option("SRC", options->source, "Bundle, checkpoint directory, .onnx or .mlir file")->required();
  command->add_option("--graph", options->graph,
                      "SVG file to write a picture of a checkpoint or an .mlir file to");
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "Flops are sums of products of the extents B (batch), S (sequence), T (keys), ...; a multiply-add "
      "counts as two.\n"
      "Example:\n  sesame inspect ./gpt2 --graph gpt2.svg");
  command->callback([options] { inspect(*options); });
}

} // namespace sesame
