//===- Profiler.h - Time per op of compiled code ----------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_CORE_PROFILER_H
#define SESAME_CORE_PROFILER_H

#include "io/EntrySpec.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sesame {

struct Manifest;

/// Collects what compiled code reports through SesameContext.profile, all of it on the calling thread.
class Profiler {
public:
  /// `manifest` has the op table and must stay.
  explicit Profiler(const Manifest &manifest);

  void beginCall(const EntrySpec &entry, const int64_t *dims);
  void endCall();
  void begin(int64_t op);
  void end(int64_t op);

  /// One line an op, the most expensive first: calls, time, share, GFLOP/s and GB/s where the manifest has
  /// estimates.
  std::string table() const;
  /// The calls and ops as a JSON document in Chrome's trace event format (chrome://tracing, Perfetto).
  std::string chromeTrace() const;
  void clear();

  /// Since `clear`: how often op number `op` ran and how long, with what is nested in it; how long the calls
  /// took.
  int64_t opCalls(size_t op) const { return op < totals.size() ? totals[op].calls : 0; }
  int64_t opTimeNs(size_t op) const { return op < totals.size() ? totals[op].timeNs : 0; }
  int64_t callTimeNs() const { return callsTimeNs; }

private:
  struct Event {
    int32_t op; // or -1 - index into calls' entry names
    int64_t startNs, durationNs;
  };
  struct Total {
    int64_t calls = 0, timeNs = 0;
    double flops = 0, bytes = 0;
  };
  struct Open {
    int32_t op;
    int64_t startNs;
  };
  std::string opName(int32_t op) const;
  void record(int32_t op, int64_t startNs, int64_t endNs);

  const Manifest &manifest;
  std::vector<Event> events;
  uint64_t droppedEvents = 0;
  std::vector<Total> totals; // per op
  std::vector<Open> open;
  std::vector<std::string> entryNames;
  const EntrySpec *entry = nullptr;
  const int64_t *dims = nullptr;
  int64_t callStartNs = 0, callsTimeNs = 0, numCalls = 0;
  int64_t outerOpsTimeNs = 0; // of ops that are not inside another
};

} // namespace sesame

#endif // SESAME_CORE_PROFILER_H
