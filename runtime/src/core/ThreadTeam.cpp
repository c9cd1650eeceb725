//===- ThreadTeam.cpp -----------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/ThreadTeam.h"

#include "support/Error.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace sesame;

namespace {

/// How long a thread spins, yielding its CPU now and then, before it sleeps. A step's serial part (sampling a
/// token) takes tens of microseconds; a sleeping worker costs about as much to wake. Longer spinning only
/// takes time from other processes.
constexpr std::chrono::microseconds spinTime(200);

static_assert(std::atomic<uint32_t>::is_always_lock_free && sizeof(std::atomic<uint32_t>) == 4,
              "a futex is a plain 32-bit word");

void futexWait(std::atomic<uint32_t> &word, uint32_t expected) {
  ::syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr,
            0);
}
void futexWake(std::atomic<uint32_t> &word) {
  ::syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  __asm__ volatile("yield");
#endif
}

/// A word that one thread sets and one other waits on.
class alignas(64) Signal {
public:
  /// Publishes a value; `wake` after it, with a full fence between them, ends a sleep.
  void set(uint32_t value) { word.store(value, std::memory_order_release); }
  void wake() {
    if (sleeping.load(std::memory_order_relaxed))
      futexWake(word);
  }
  /// Returns once `done(value)` holds: spins, then sleeps.
  template <typename Done> void wait(bool spin, Done done) {
    if (spin && spinUntil(done))
      return;
    // Announce the sleep, then look again: either this load sees the new value or the setter's load sees
    // `sleeping`.
    sleeping.store(true, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    for (uint32_t seen; !done(seen = word.load(std::memory_order_acquire));)
      futexWait(word, seen);
    sleeping.store(false, std::memory_order_relaxed);
  }

private:
  template <typename Done> bool spinUntil(Done done) {
    // Most waits end within a microsecond; only then is the clock worth reading.
    for (int i = 0; i < 64; ++i) {
      if (done(word.load(std::memory_order_acquire)))
        return true;
      relax();
    }
    auto deadline = std::chrono::steady_clock::now() + spinTime;
    do {
      for (int i = 0; i < 64; ++i) {
        relax();
        if (done(word.load(std::memory_order_acquire)))
          return true;
      }
      // The one waited for may have been put on this CPU, where it cannot run while this thread does.
      ::sched_yield();
    } while (std::chrono::steady_clock::now() < deadline);
    return false;
  }

  std::atomic<uint32_t> word{0};
  std::atomic<bool> sleeping{false};
};

} // namespace

struct ThreadTeam::Worker {
  int index = 0;  // 1 ... numThreads - 1; the caller is 0
  Signal request; // epoch of the region to run
  Signal done;    // epoch of the last region that was run
  std::thread thread;
};

int ThreadTeam::availableCpus() {
  // The kernel refuses masks shorter than its own, so grow until it fits.
  for (int cpus = 1024; cpus <= 1 << 20; cpus *= 2) {
    size_t bytes = CPU_ALLOC_SIZE(cpus);
    cpu_set_t *set = CPU_ALLOC(cpus);
    if (!set)
      break;
    int failed = ::sched_getaffinity(0, bytes, set);
    int error = errno;
    int count = failed ? 0 : CPU_COUNT_S(bytes, set);
    CPU_FREE(set);
    if (!failed)
      return std::max(count, 1);
    if (error != EINVAL)
      break;
  }
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

ThreadTeam::ThreadTeam(int requested) : numThreads(requested == 0 ? availableCpus() : requested) {
  if (numThreads < 1 || numThreads > 4096)
    throw Error(message("expected 0 to 4096 threads, found ", requested));
  // With more threads than CPUs, one that spins keeps another from running.
  spins = numThreads <= availableCpus();
  workers = std::make_unique<Worker[]>(static_cast<size_t>(numThreads - 1));
  for (int i = 1; i < numThreads; ++i) {
    Worker &worker = workers[static_cast<size_t>(i - 1)];
    worker.index = i;
    try {
      worker.thread = std::thread([this, &worker] { runWorker(worker); });
    } catch (const std::system_error &error) {
      int wanted = numThreads;
      numThreads = i;
      stop();
      throw Error(message("cannot start thread ", i + 1, " of ", wanted, ": ", error.code().message()));
    }
  }
}

ThreadTeam::~ThreadTeam() { stop(); }

void ThreadTeam::stop() {
  stopping = true;
  ++epoch;
  for (int i = 0; i < numThreads - 1; ++i)
    workers[static_cast<size_t>(i)].request.set(epoch);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for (int i = 0; i < numThreads - 1; ++i) {
    workers[static_cast<size_t>(i)].request.wake();
    workers[static_cast<size_t>(i)].thread.join();
  }
}

/// Runs chunk `index` of `parts` nearly equal contiguous chunks of [0, count).
static void runChunk(SesameBody body, void *data, int64_t count, int64_t parts, int64_t index) {
  int64_t size = count / parts, rest = count % parts;
  int64_t begin = size * index + std::min(index, rest);
  body(data, begin, begin + size + (index < rest ? 1 : 0));
}

void ThreadTeam::runWorker(Worker &worker) {
  uint32_t last = 0;
  for (;;) {
    uint32_t current = last;
    worker.request.wait(spins, [&](uint32_t value) {
      current = value;
      return value != last;
    });
    last = current;
    if (stopping)
      return;
    runChunk(body, data, count, participants, worker.index);
    worker.done.set(last);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    worker.done.wake();
  }
}

void ThreadTeam::parallelFor(SesameBody newBody, void *newData, int64_t newCount) {
  if (newCount <= 0)
    return;
  if (numThreads == 1 || newCount == 1 || busy) {
    newBody(newData, 0, newCount);
    return;
  }
  body = newBody;
  data = newData;
  count = newCount;
  participants = std::min<int64_t>(newCount, numThreads);
  busy = true;
  ++epoch;
  // Only those that have work are told, so the others never read the region's fields, which may be rewritten
  // meanwhile.
  for (int64_t i = 0; i < participants - 1; ++i)
    workers[static_cast<size_t>(i)].request.set(epoch);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for (int64_t i = 0; i < participants - 1; ++i)
    workers[static_cast<size_t>(i)].request.wake();
  runChunk(body, data, count, participants, 0);
  for (int64_t i = 0; i < participants - 1; ++i)
    workers[static_cast<size_t>(i)].done.wait(spins, [&](uint32_t value) { return value == epoch; });
  busy = false;
}
