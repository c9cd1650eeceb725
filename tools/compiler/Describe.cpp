//===- Describe.cpp - sesame inspect of a source ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Describe.h"

#include "Dataflow.h"
#include "EntrySpecs.h"
#include "Graph.h"
#include "Source.h"

#include "sesame/Dialect/SesameDialect.h"
#include "support/Error.h"

#include "mlir/IR/MLIRContext.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sstream>

using namespace mlir;

namespace sesame {

static void writeFile(const std::string &path, const std::string &text) {
  const std::string partial = path + ".partial";
  std::FILE *file = std::fopen(partial.c_str(), "wb");
  bool isGood = file && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  isGood = file && std::fclose(file) == 0 && isGood;
  if (!isGood || std::rename(partial.c_str(), path.c_str()) != 0) {
    const int code = errno;
    std::remove(partial.c_str());
    throw Error(message(path, ": cannot write: ", std::strerror(code)));
  }
}

static nlohmann::json describeTensors(const EntrySpec &entry, const std::vector<TensorSpec> &tensors) {
  nlohmann::json list = nlohmann::json::array();
  for (const TensorSpec &tensor : tensors)
    list.push_back({{"name", tensor.name}, {"type", entry.describe(tensor)}, {"state", tensor.isState}});
  return list;
}

static nlohmann::json describeEntry(const EntrySpec &spec, const Dataflow &flow) {
  nlohmann::json operations = nlohmann::json::array();
  for (const Node &node : flow.nodes)
    if (node.kind == Node::operation)
      operations.push_back({{"name", node.name},
                            {"function", node.function},
                            {"weights", node.weights},
                            {"type", node.type()},
                            {"times", node.times.str()},
                            {"flops", node.flops.str()},
                            {"bytes", node.bytes.str()}});
  return {{"name", spec.name},
          {"inputs", describeTensors(spec, spec.inputs)},
          {"outputs", describeTensors(spec, spec.outputs)},
          {"flops", flow.flops().str()},
          {"flops_rounded", flow.flops().strRounded()},
          {"operations", operations}};
}

static std::string toText(const nlohmann::json &result) {
  auto text = [](const nlohmann::json &value) { return value.get<std::string>(); };
  std::ostringstream out;
  out << "model        " << text(result["model_type"]) << " (" << text(result["architecture"]) << "), "
      << text(result["task"]) << "\nparameters   " << result["parameters"] << "  ("
      << toRounded(result["parameters"].get<double>()) << ")\n";
  for (const nlohmann::json &entry : result["entries"]) {
    out << "entry        " << text(entry["name"]) << "\n";
    for (const nlohmann::json &tensor : entry["inputs"])
      out << (tensor["state"].get<bool>() ? "  state      " : "  input      ") << text(tensor["name"]) << " "
          << text(tensor["type"]) << "\n";
    for (const nlohmann::json &tensor : entry["outputs"])
      out << "  output     " << text(tensor["name"]) << " " << text(tensor["type"]) << "\n";
    out << "  flops      " << text(entry["flops_rounded"]) << "\n";
  }
  for (const nlohmann::json &weight : result["weights"])
    out << "weight       " << weight["count"] << " x " << text(weight["type"]) << " " << text(weight["name"])
        << "\n";
  return out.str();
}

std::string describeSource(const std::string &path, bool json, const std::string &graph) {
  DialectRegistry registry;
  registerCompilerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  Source source = openSource(path, context);
  nlohmann::json result = {
      {"model_type", source.modelType}, {"architecture", source.architecture}, {"task", source.task}};
  int64_t parameters = 0;
  nlohmann::json weights = nlohmann::json::array();
  for (auto weight : source.module->getOps<mlir::sesame::WeightOp>()) {
    const int64_t count = weight.getCount();
    parameters += count * weight.getTensorType().getNumElements();
    std::string type;
    llvm::raw_string_ostream(type) << weight.getTensorType();
    weights.push_back({{"name", weight.getSymName().str()}, {"count", count}, {"type", type}});
  }
  nlohmann::json entries = nlohmann::json::array();
  std::vector<Dataflow> flows;
  for (const EntrySpec &spec : readEntrySpecs(*source.module)) {
    flows.push_back(analyzeEntry(source.module->lookupSymbol<func::FuncOp>(spec.name)));
    entries.push_back(describeEntry(spec, flows.back()));
  }
  result["parameters"] = parameters;
  result["weights"] = weights;
  result["entries"] = entries;
  if (!graph.empty())
    writeFile(graph, drawGraph((source.architecture.empty() ? path : source.architecture) + ", " +
                                   toRounded(static_cast<double>(parameters)) + " parameters",
                               flows));
  return json ? result.dump(2) + "\n" : toText(result);
}

} // namespace sesame
