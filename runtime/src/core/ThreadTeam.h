//===- ThreadTeam.h - The threads of a session ------------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_CORE_THREADTEAM_H
#define SESAME_CORE_THREADTEAM_H

#include "sesame/abi.h"

#include <cstdint>
#include <memory>

namespace sesame {

/// A fixed team that runs one parallel region at a time. Between regions the workers spin for a while, since
/// the regions of one forward pass follow each other within microseconds and waking a thread that sleeps
/// costs tens of them; then they sleep on a futex. A worker that finds itself on the caller's CPU moves to
/// another one that it may run on. Iterations are split into contiguous chunks by position alone, so which
/// iterations run together never depends on timing.
class ThreadTeam {
public:
  /// `numThreads` counts the calling thread; 0 means as many as the process may run on at once (its affinity
  /// mask). Throws Error if the system gives no more threads.
  explicit ThreadTeam(int numThreads = 0);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam &) = delete;
  ThreadTeam &operator=(const ThreadTeam &) = delete;

  int size() const { return numThreads; }

  /// Runs `body` over [0, count) and returns when all is done; everything the body wrote is then visible to
  /// the caller. Runs inline with one thread or iteration, and when called from inside a region. One caller
  /// at a time.
  void parallelFor(SesameBody body, void *data, int64_t count);

  /// The number of CPUs in this process's affinity mask, at least 1.
  static int availableCpus();

private:
  struct Request;
  struct Worker;
  void runWorker(Worker &worker);
  /// Hands `worker` a part of the region `epoch`; no body tells it to end.
  void ask(Worker &worker, SesameBody body, void *data, int64_t begin, int64_t end);
  /// Wakes those of the workers 1 ... participants - 1 that sleep, after all were asked.
  void wake(int64_t participants);
  /// Ends the workers 1 ... numThreads - 1.
  void stop();

  int numThreads;
  bool spins;
  std::unique_ptr<Worker[]> workers; // numThreads - 1

  uint32_t epoch = 0; // of the last region
  bool busy = false;
};

} // namespace sesame

#endif // SESAME_CORE_THREADTEAM_H
