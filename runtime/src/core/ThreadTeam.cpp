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

/// How long a thread that left a CPU stays where the system puts it.
constexpr std::chrono::milliseconds stayTime(10);

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

/// A word that one thread sets and one other waits on. In a line of its own, or with what is published by it,
/// so that a waiting thread misses once.
class Signal {
public:
  /// The value that the last `wait` saw.
  uint32_t get() const { return word.load(std::memory_order_relaxed); }
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

/// Moves this thread to another of the CPUs that it may run on. Without allocating; on a system of more than
/// 1024 CPUs it stays.
void leave(int cpu) {
  cpu_set_t mask;
  if (::sched_getaffinity(0, sizeof(mask), &mask) != 0 || !CPU_ISSET(cpu, &mask) || CPU_COUNT(&mask) == 1)
    return;
  CPU_CLR(cpu, &mask);
  ::sched_setaffinity(0, sizeof(mask), &mask);
  CPU_SET(cpu, &mask);
  ::sched_setaffinity(0, sizeof(mask), &mask);
}

} // namespace

/// What a worker is asked to do: written by the caller before it sets `epoch`, and not again before the
/// worker has answered.
struct alignas(64) ThreadTeam::Request {
  Signal epoch;              // of the region to run
  SesameBody body = nullptr; // null: end
  void *data = nullptr;
  int64_t begin = 0, end = 0;
  int cpu = -1; // where the caller is
};

struct ThreadTeam::Worker {
  Request request;
  alignas(64) Signal done; // epoch of the last region that was run
  alignas(64) std::thread thread;
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
  ++epoch;
  for (int i = 1; i < numThreads; ++i)
    ask(workers[static_cast<size_t>(i - 1)], nullptr, nullptr, 0, 0);
  wake(numThreads);
  for (int i = 1; i < numThreads; ++i)
    workers[static_cast<size_t>(i - 1)].thread.join();
}

void ThreadTeam::ask(Worker &worker, SesameBody body, void *data, int64_t begin, int64_t end) {
  Request &request = worker.request;
  request.body = body;
  request.data = data;
  request.begin = begin;
  request.end = end;
  request.cpu = ::sched_getcpu();
  request.epoch.set(epoch);
}

void ThreadTeam::wake(int64_t participants) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for (int64_t i = 1; i < participants; ++i)
    workers[static_cast<size_t>(i - 1)].request.epoch.wake();
}

void ThreadTeam::runWorker(Worker &worker) {
  const Request &request = worker.request;
  std::chrono::steady_clock::time_point stays; // until then
  for (uint32_t last = 0;;) {
    worker.request.epoch.wait(spins, [&](uint32_t value) { return value != last; });
    // It does not change before the answer, and what was asked is visible with it.
    last = request.epoch.get();
    if (!request.body)
      return;
    // The system starts a thread on its parent's CPU if that is near idle, and may leave it there for tens of
    // milliseconds while another CPU is idle: every region then waits until one of the two yields.
    if (spins && request.cpu == ::sched_getcpu()) {
      if (auto now = std::chrono::steady_clock::now(); now >= stays) {
        leave(request.cpu);
        stays = now + stayTime;
      }
    }
    request.body(request.data, request.begin, request.end);
    worker.done.set(last);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    worker.done.wake();
  }
}

void ThreadTeam::parallelFor(SesameBody body, void *data, int64_t count) {
  if (count <= 0)
    return;
  if (numThreads == 1 || count == 1 || busy) {
    body(data, 0, count);
    return;
  }
  const int64_t participants = std::min<int64_t>(count, numThreads);
  busy = true;
  ++epoch;
  // Nearly equal contiguous chunks, the first for this thread. Only those that have work are asked.
  const int64_t size = count / participants, rest = count % participants;
  const int64_t first = size + (rest > 0);
  for (int64_t i = 1, begin = first; i < participants; ++i) {
    int64_t end = begin + size + (i < rest);
    ask(workers[static_cast<size_t>(i - 1)], body, data, begin, end);
    begin = end;
  }
  wake(participants);
  body(data, 0, first);
  for (int64_t i = 1; i < participants; ++i)
    workers[static_cast<size_t>(i - 1)].done.wait(spins, [&](uint32_t value) { return value == epoch; });
  busy = false;
}
