//===- Explain.cpp - sesame compile --explain ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Explain.h"

#include "MachineRates.h"

#include "core/Model.h"
#include "core/Profiler.h"
#include "io/Manifest.h"
#include "support/Error.h"

#include "mlir/IR/Remarks.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>

using namespace mlir;

namespace sesame {

namespace {
class Collector final : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit Collector(std::shared_ptr<std::vector<std::string>> lines) : lines(std::move(lines)) {}

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    std::string line;
    llvm::raw_string_ostream stream(line);
    stream << llvm::left_justify(remark.getRemarkTypeString().ltrim("!").lower(), 9)
           << llvm::left_justify(remark.getRemarkName(), 30) << llvm::left_justify(remark.getFunction(), 16);
    for (const remark::detail::Remark::Arg &argument : remark.getArgs())
      stream << (argument.key == "Remark" ? "" : argument.key + "=") << argument.val << " ";
    while (!line.empty() && line.back() == ' ')
      line.pop_back();
    lines->push_back(std::move(line));
  }

private:
  std::shared_ptr<std::vector<std::string>> lines;
};

} // namespace

FusionReport::FusionReport(MLIRContext &context) : lines(std::make_shared<std::vector<std::string>>()) {
  // Each kind by itself: "all" alone lets none through (LLVM 22.1).
  const std::string ours = "sesame.*";
  remark::RemarkCategories categories{ours, ours, ours, ours, ours};
  // Fails only when an engine is there already, and the context is new.
  (void)remark::enableOptimizationRemarks(context, std::make_unique<Collector>(lines),
                                          std::make_unique<remark::RemarkEmittingPolicyAll>(), categories);
}

namespace {
/// An operation in one phase. Times in seconds; 0 if not measured.
struct Row {
  const OpCost *cost;
  double calls, flops, weightBytes, activationBytes;
  double computeTime, memoryTime;
  double measured = 0;

  double rooflineTime() const { return std::max(computeTime, memoryTime); }
  bool isComputeBound() const { return computeTime >= memoryTime; }
};

struct PhaseReport {
  const Phase *phase;
  std::vector<Row> rows;
  double measured = 0;        ///< The whole call.
  std::string whyNotMeasured; ///< Empty: measured.
};

class CostReport {
public:
  CostReport(const Manifest &manifest, const OpTable &table, const MachineRates &rates)
      : manifest(manifest), table(table), rates(rates) {}

  void addPhase(const Phase &phase);
  void measure(Session &session, PhaseReport &report);
  void measureAll(const CostReportOptions &options, const std::function<void(const std::string &)> &show);
  void print(llvm::raw_ostream &stream) const;
  nlohmann::json toJson() const;
  void setReason(const std::string &reason) {
    for (PhaseReport &report : reports)
      report.whyNotMeasured = reason;
  }

private:
  void printPhase(const PhaseReport &report, llvm::raw_ostream &stream) const;
  std::string nameOf(const Row &row) const { return manifest.ops[row.cost->op].name; }
  std::string kindOf(const Row &row) const {
    return StringRef(manifest.ops[row.cost->op].kind).split('.').second.str();
  }

  const Manifest &manifest;
  const OpTable &table;
  const MachineRates &rates;
  std::vector<PhaseReport> reports;
};
} // namespace

void CostReport::addPhase(const Phase &phase) {
  PhaseReport &report = reports.emplace_back();
  report.phase = &phase;
  auto valueOf = [&](const std::string &symbol) { return phase.dim(symbol); };
  for (const OpCost &cost : table.costs) {
    if (cost.entry != phase.entry->name)
      continue;
    Row row{&cost,
            cost.times.evaluate(valueOf),
            cost.flops.evaluate(valueOf),
            cost.weightBytes.evaluate(valueOf),
            cost.activationBytes.evaluate(valueOf),
            0,
            0};
    row.computeTime = row.flops / rates.peak(cost.arithmetic);
    // Weights were last read in the call before, and the others came since; activations were just written.
    const double activationsAtOnce = row.calls > 0 ? row.activationBytes / row.calls : 0;
    row.memoryTime = row.weightBytes / rates.readRate(static_cast<double>(manifest.weights.dataSizeInBytes)) +
                     row.activationBytes / rates.readRate(activationsAtOnce);
    report.rows.push_back(row);
  }
}

void CostReport::measure(Session &session, PhaseReport &report) {
  using Clock = std::chrono::steady_clock;
  PhaseRunner runner(session, *report.phase);
  Profiler &profiler = *session.profiler();
  runner.run(); // pages are touched, threads started
  // The fastest, as the machine's rates are: what else runs on the machine only makes it slower.
  auto update = [](double &fastest, int64_t timeNs) {
    const double seconds = static_cast<double>(timeNs) * 1e-9;
    fastest = fastest > 0 ? std::min(fastest, seconds) : seconds;
  };
  const Clock::time_point start = Clock::now();
  int numCalls = 0;
  do {
    profiler.clear();
    runner.run();
    update(report.measured, profiler.callTimeNs());
    for (Row &row : report.rows)
      update(row.measured, profiler.opTimeNs(row.cost->op));
    ++numCalls;
  } while (Clock::now() - start < std::chrono::milliseconds(300) ||
           (numCalls < 7 && Clock::now() - start < std::chrono::seconds(3)));
}

void CostReport::measureAll(const CostReportOptions &options,
                            const std::function<void(const std::string &)> &show) {
  Session::Options sessionOptions;
  sessionOptions.numThreads = options.numThreads;
  sessionOptions.profile = true;
  Session session(Model::open(options.bundle), sessionOptions);
  for (PhaseReport &report : reports) {
    show(message("measuring ", report.phase->entry->name, ", ", report.phase->label));
    try {
      measure(session, report);
    } catch (const Error &error) {
      report.whyNotMeasured = error.what();
    }
  }
}

/// "1.23 ms"
static std::string toTime(double seconds) {
  const char *unit = seconds >= 1 ? "s" : seconds >= 1e-3 ? "ms" : "us";
  const double number = seconds >= 1 ? seconds : seconds >= 1e-3 ? seconds * 1e3 : seconds * 1e6;
  char text[32];
  std::snprintf(text, sizeof text,
                number >= 99.95   ? "%.0f %s"
                : number >= 9.995 ? "%.1f %s"
                                  : "%.2f %s",
                number, unit);
  return text;
}

/// Columns: text to the left, numbers to the right.
static void printColumns(llvm::raw_ostream &stream, StringRef name, StringRef kind,
                         ArrayRef<std::string> numbers) {
  static constexpr unsigned widths[] = {6, 9, 9, 12, 11, 8, 9, 9, 6};
  std::string line;
  llvm::raw_string_ostream(line) << "  " << llvm::left_justify(name, 34) << " "
                                 << llvm::left_justify(kind, 14);
  for (auto [number, width] : llvm::zip(numbers, widths)) {
    line += " ";
    line.append(width > number.size() ? width - number.size() : 0, ' ');
    line += number;
  }
  stream << StringRef(line).rtrim() << "\n";
}

static std::string toPercent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f %%", share * 100);
  return text;
}

void CostReport::printPhase(const PhaseReport &report, llvm::raw_ostream &stream) const {
  const Phase &phase = *report.phase;
  stream << "\nEntry " << phase.entry->name << ", " << phase.label << ": " << phase.describeDims() << "\n";
  if (!report.whyNotMeasured.empty())
    stream << "  not measured: " << report.whyNotMeasured << "\n";
  printColumns(stream, "operation", "kind",
               {"calls", "flops", "weights B", "activation B", "flops/byte", "bound", "roofline", "measured",
                "of it"});
  auto print = [&](StringRef name, StringRef kind, const Row &row, bool isTotal) {
    const double bytes = row.weightBytes + row.activationBytes;
    char intensity[32];
    std::snprintf(intensity, sizeof intensity, "%.2f", bytes > 0 ? row.flops / bytes : 0);
    const double roofline = isTotal ? row.computeTime : row.rooflineTime();
    printColumns(stream, name, kind,
                 {isTotal ? "" : toRounded(row.calls), toRounded(row.flops), toRounded(row.weightBytes),
                  toRounded(row.activationBytes), intensity,
                  isTotal                ? ""
                  : row.isComputeBound() ? "compute"
                                         : "memory",
                  toTime(roofline), row.measured > 0 ? toTime(row.measured) : "-",
                  row.measured > 0 ? toPercent(roofline / row.measured) : "-"});
  };
  // A layer's operations stand together, the entry's own before and after it too.
  std::vector<std::string> layers;
  for (const Row &row : report.rows)
    if (!llvm::is_contained(layers, row.cost->layer))
      layers.push_back(row.cost->layer);
  Row total{};
  for (const std::string &layer : layers) {
    double calls = 0;
    for (const Row &row : report.rows)
      if (row.cost->layer == layer)
        calls = calls == 0 ? row.calls : std::min(calls, row.calls);
    stream << " " << layer << (layer == phase.entry->name ? "" : ", layer of " + toRounded(calls)) << "\n";
    for (const Row &row : report.rows) {
      if (row.cost->layer != layer)
        continue;
      print(nameOf(row), kindOf(row), row, false);
      total.flops += row.flops;
      total.weightBytes += row.weightBytes;
      total.activationBytes += row.activationBytes;
      total.computeTime += row.rooflineTime(); // the sum of the roofline's times
    }
  }
  total.measured = report.measured;
  print("the whole call", "", total, true);
}

void CostReport::print(llvm::raw_ostream &stream) const {
  auto rate = [](double number, const char *unit) { return toRounded(number) + unit; };
  stream
      << "\nCost of each operation, all its calls together. A multiply-add is two flops; bytes are read or "
         "written at least once.\n"
      << "Roofline: the longer of flops at the multiply-add rate and bytes at the rate of the memory that "
         "holds them. Measured: the fastest of several calls.\n"
      << "Rates, " << rates.origin << ": f32 " << rate(rates.f32, "flop/s");
  if (rates.bf16 != rates.f32)
    stream << ", bf16 " << rate(rates.bf16, "flop/s");
  if (rates.int8 != rates.f32)
    stream << ", int8 " << rate(rates.int8, "op/s");
  stream << "; memory " << rate(rates.memory, "B/s") << ", cache of " << rate(rates.cacheBytes, "B") << " "
         << rate(rates.cache, "B/s") << "\n";
  for (const PhaseReport &report : reports)
    printPhase(report, stream);
}

nlohmann::json CostReport::toJson() const {
  nlohmann::json phases = nlohmann::json::array();
  for (const PhaseReport &report : reports) {
    nlohmann::json operations = nlohmann::json::array(), dims = nlohmann::json::object();
    for (const Row &row : report.rows) {
      nlohmann::json operation = {{"name", nameOf(row)},
                                  {"kind", manifest.ops[row.cost->op].kind},
                                  {"layer", row.cost->layer},
                                  {"type", row.cost->type},
                                  {"arithmetic", row.cost->arithmetic},
                                  {"calls", row.calls},
                                  {"flops", row.flops},
                                  {"weight_bytes", row.weightBytes},
                                  {"activation_bytes", row.activationBytes},
                                  {"bound", row.isComputeBound() ? "compute" : "memory"},
                                  {"roofline_seconds", row.rooflineTime()}};
      if (row.measured > 0)
        operation["measured_seconds"] = row.measured;
      operations.push_back(std::move(operation));
    }
    for (size_t i = 0; i < report.phase->dims.size(); ++i)
      dims[report.phase->entry->symbols[i]] = report.phase->dims[i];
    nlohmann::json phase = {{"entry", report.phase->entry->name},
                            {"phase", report.phase->label},
                            {"dims", dims},
                            {"operations", operations}};
    if (report.measured > 0)
      phase["measured_seconds"] = report.measured;
    else
      phase["not_measured"] = report.whyNotMeasured;
    phases.push_back(std::move(phase));
  }
  return {{"rates",
           {{"origin", rates.origin},
            {"measured", rates.isMeasured},
            {"threads", rates.numThreads},
            {"f32_flops", rates.f32},
            {"bf16_flops", rates.bf16},
            {"int8_ops", rates.int8},
            {"memory_bytes", rates.memory},
            {"cache_bytes", rates.cache},
            {"cache_size", rates.cacheBytes}}},
          {"phases", phases}};
}

void printCostReport(const std::vector<std::string> &remarks, const Manifest &manifest, const OpTable &table,
                     const CodegenOptions &target, const CostReportOptions &options,
                     llvm::raw_ostream &stream, const std::function<void(const std::string &)> &show) {
  std::string reason;
  try {
    (void)Model::open(options.bundle);
  } catch (const Error &error) {
    reason = error.what();
  }
  show("measuring the machine");
  const MachineRates rates = reason.empty() ? measureRates(target, options.numThreads) : nominalRates(target);
  const std::vector<Phase> phases = listPhases(manifest.entries, options.shape);
  CostReport report(manifest, table, rates);
  for (const Phase &phase : phases)
    report.addPhase(phase);
  if (reason.empty())
    report.measureAll(options, show);
  else
    report.setReason(reason);
  if (options.json) {
    nlohmann::json result = report.toJson();
    result["optimisations"] = remarks;
    stream << result.dump(2) << "\n";
    return;
  }
  stream << "Optimisations\n";
  for (const std::string &line : remarks)
    stream << "  " << line << "\n";
  if (remarks.empty())
    stream << "  none\n";
  report.print(stream);
}

} // namespace sesame
