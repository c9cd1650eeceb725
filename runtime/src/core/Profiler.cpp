//===- Profiler.cpp -------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/Profiler.h"

#include "io/Manifest.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

using namespace sesame;

namespace {
/// 24 bytes each: 96 MB at most. Totals go on when the trace is full.
constexpr size_t maxEvents = 4000000;

int64_t nowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double evaluate(const std::vector<Manifest::Term> &terms, const EntrySpec &entry, const int64_t *dims) {
  double sum = 0;
  for (const Manifest::Term &term : terms) {
    double product = term.coefficient;
    for (const std::string &name : term.symbols) {
      int32_t symbol = entry.findSymbol(name);
      product *= symbol < 0 ? 0 : static_cast<double>(dims[symbol]);
    }
    sum += product;
  }
  return sum;
}

template <typename... Args> std::string format(const char *pattern, Args... args) {
  char text[256];
  std::snprintf(text, sizeof(text), pattern, args...);
  return text;
}
} // namespace

Profiler::Profiler(const Manifest &manifest) : manifest(manifest), totals(manifest.ops.size()) {}

void Profiler::clear() {
  events.clear();
  droppedEvents = 0;
  totals.assign(totals.size(), Total());
  open.clear();
  callsTimeNs = outerOpsTimeNs = numCalls = 0;
}

std::string Profiler::opName(int32_t op) const {
  if (op < 0)
    return entryNames[static_cast<size_t>(-1 - op)];
  if (static_cast<size_t>(op) < manifest.ops.size())
    return manifest.ops[static_cast<size_t>(op)].name;
  return "op " + std::to_string(op);
}

void Profiler::record(int32_t op, int64_t startNs, int64_t endNs) {
  if (events.size() < maxEvents)
    events.push_back({op, startNs, endNs - startNs});
  else
    ++droppedEvents;
}

void Profiler::beginCall(const EntrySpec &newEntry, const int64_t *newDims) {
  entry = &newEntry;
  dims = newDims;
  open.clear();
  callStartNs = nowNs();
}

void Profiler::endCall() {
  int64_t end = nowNs();
  auto it = std::find(entryNames.begin(), entryNames.end(), entry->name);
  if (it == entryNames.end())
    it = entryNames.insert(it, entry->name);
  record(static_cast<int32_t>(-1 - (it - entryNames.begin())), callStartNs, end);
  callsTimeNs += end - callStartNs;
  ++numCalls;
}

void Profiler::begin(int64_t op) { open.push_back({static_cast<int32_t>(op), nowNs()}); }

void Profiler::end(int64_t op) {
  int64_t end = nowNs();
  if (open.empty() || open.back().op != op || op < 0 || op > 1000000)
    return; // compiled code that does not pair its calls; nothing sensible can be said
  int64_t start = open.back().startNs;
  open.pop_back();
  if (open.empty())
    outerOpsTimeNs += end - start;
  record(static_cast<int32_t>(op), start, end);
  auto index = static_cast<size_t>(op);
  if (index >= totals.size())
    totals.resize(index + 1);
  ++totals[index].calls;
  totals[index].timeNs += end - start;
  if (index < manifest.ops.size()) {
    totals[index].flops += evaluate(manifest.ops[index].flops, *entry, dims);
    totals[index].bytes += evaluate(manifest.ops[index].bytes, *entry, dims);
  }
}

std::string Profiler::table() const {
  std::vector<int32_t> order;
  for (size_t i = 0; i < totals.size(); ++i)
    if (totals[i].calls)
      order.push_back(static_cast<int32_t>(i));
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    int64_t timeA = totals[static_cast<size_t>(a)].timeNs, timeB = totals[static_cast<size_t>(b)].timeNs;
    return timeA != timeB ? timeA > timeB : a < b;
  });
  std::string text = format("%-40s %-24s %8s %12s %7s %10s %10s\n", "op", "kind", "calls", "time ms", "share",
                            "GFLOP/s", "GB/s");
  auto share = [&](int64_t timeNs) {
    return callsTimeNs ? 100.0 * static_cast<double>(timeNs) / static_cast<double>(callsTimeNs) : 0.0;
  };
  for (int32_t op : order) {
    const Total &total = totals[static_cast<size_t>(op)];
    bool known = static_cast<size_t>(op) < manifest.ops.size();
    auto rate = [&](double amount) { // per ns is in units of 1e9 per s
      return amount > 0 && total.timeNs > 0 ? format("%.1f", amount / static_cast<double>(total.timeNs))
                                            : std::string("-");
    };
    text += format("%-40.40s %-24.24s %8lld %12.3f %6.1f%% %10s %10s\n", opName(op).c_str(),
                   known ? manifest.ops[static_cast<size_t>(op)].kind.c_str() : "-",
                   static_cast<long long>(total.calls), static_cast<double>(total.timeNs) * 1e-6,
                   share(total.timeNs), rate(total.flops).c_str(), rate(total.bytes).c_str());
  }
  text +=
      format("%-40s %-24s %8s %12.3f %6.1f%%\n", "(outside ops)", "-", "-",
             static_cast<double>(callsTimeNs - outerOpsTimeNs) * 1e-6, share(callsTimeNs - outerOpsTimeNs));
  text += format("%-40s %-24s %8lld %12.3f %6.1f%%\n", "total", "-", static_cast<long long>(numCalls),
                 static_cast<double>(callsTimeNs) * 1e-6, 100.0);
  return text;
}

std::string Profiler::chromeTrace() const {
  int64_t origin = events.empty() ? 0 : events[0].startNs;
  for (const Event &event : events)
    origin = std::min(origin, event.startNs);
  std::string text =
      "{\"displayTimeUnit\":\"ns\",\"droppedEvents\":" + std::to_string(droppedEvents) + ",\"traceEvents\":[";
  const char *separator = "\n";
  for (const Event &event : events) {
    bool known = event.op >= 0 && static_cast<size_t>(event.op) < manifest.ops.size();
    text += separator;
    text += "{\"ph\":\"X\",\"pid\":1,\"tid\":1,\"name\":" + nlohmann::json(opName(event.op)).dump() +
            ",\"cat\":" +
            nlohmann::json(event.op < 0 ? "entry"
                           : known      ? manifest.ops[static_cast<size_t>(event.op)].kind
                                        : "op")
                .dump() +
            format(",\"ts\":%.3f,\"dur\":%.3f}", static_cast<double>(event.startNs - origin) * 1e-3,
                   static_cast<double>(event.durationNs) * 1e-3);
    separator = ",\n";
  }
  return text + "\n]}\n";
}
