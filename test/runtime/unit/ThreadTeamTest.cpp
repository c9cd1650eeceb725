//===- ThreadTeamTest.cpp -------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/ThreadTeam.h"
#include "support/Error.h"

#include <gtest/gtest.h>

#include <chrono>
#include <sched.h>
#include <set>
#include <thread>
#include <vector>

using namespace sesame;

namespace {
/// Counts how often each iteration runs, and the chunks.
struct Counter {
  std::vector<int> runs;
  std::vector<std::pair<int64_t, int64_t>> chunks; // by first iteration, each written by one thread

  explicit Counter(int64_t count)
      : runs(static_cast<size_t>(count)), chunks(static_cast<size_t>(count), {-1, -1}) {}

  static void body(void *data, int64_t begin, int64_t end) {
    auto *counter = static_cast<Counter *>(data);
    counter->chunks[static_cast<size_t>(begin)] = {begin, end};
    for (int64_t i = begin; i < end; ++i)
      ++counter->runs[static_cast<size_t>(i)];
  }
  int64_t numChunks() const {
    int64_t count = 0;
    for (const auto &chunk : chunks)
      count += chunk.first >= 0;
    return count;
  }
};
} // namespace

TEST(ThreadTeam, EveryIterationRunsOnceInNearlyEqualChunks) {
  for (int threads : {1, 2, 3, 5, 8}) {
    ThreadTeam team(threads);
    EXPECT_EQ(team.size(), threads);
    for (int64_t count = 0; count < 40; ++count) {
      Counter counter(count);
      team.parallelFor(Counter::body, &counter, count);
      EXPECT_EQ(counter.runs, std::vector<int>(static_cast<size_t>(count), 1)) << threads << " " << count;
      EXPECT_EQ(counter.numChunks(), std::min<int64_t>(threads, count));
      for (auto [begin, end] : counter.chunks)
        if (begin >= 0) {
          EXPECT_GE(end - begin, count / std::min<int64_t>(threads, count));
          EXPECT_LE(end - begin, count / std::min<int64_t>(threads, count) + 1);
        }
    }
  }
}

TEST(ThreadTeam, ManyRegionsWithAndWithoutSleepInBetween) {
  ThreadTeam team(4);
  int64_t sum[4 * 8] = {}; // a cache line each
  auto body = [](void *data, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      static_cast<int64_t *>(data)[i * 8] += i + 1;
  };
  for (int round = 0; round < 20000; ++round) {
    team.parallelFor(body, sum, 1 + round % 4);
    if (round % 1000 == 0) // longer than the workers spin, so they must be woken
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(sum[0], 20000);
  EXPECT_EQ(sum[8], 2 * 15000);
  EXPECT_EQ(sum[16], 3 * 10000);
  EXPECT_EQ(sum[24], 4 * 5000);
}

TEST(ThreadTeam, ARegionInsideARegionRunsInline) {
  ThreadTeam team(3);
  struct Data {
    ThreadTeam *team;
    int64_t counts[6 * 8] = {};
  } data{&team, {}};
  team.parallelFor(
      [](void *pointer, int64_t begin, int64_t end) {
        auto *data = static_cast<Data *>(pointer);
        for (int64_t i = begin; i < end; ++i)
          data->team->parallelFor(
              [](void *count, int64_t b, int64_t e) { *static_cast<int64_t *>(count) += e - b; },
              &data->counts[i * 8], 10);
      },
      &data, 6);
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(data.counts[i * 8], 10);
}

TEST(ThreadTeam, OneIterationStaysOnTheCaller) {
  ThreadTeam team(4);
  std::thread::id id;
  team.parallelFor([](void *data, int64_t,
                      int64_t) { *static_cast<std::thread::id *>(data) = std::this_thread::get_id(); },
                   &id, 1);
  EXPECT_EQ(id, std::this_thread::get_id());
}

TEST(ThreadTeam, TheDefaultFollowsTheAffinityMask) {
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
  EXPECT_EQ(ThreadTeam().size(), CPU_COUNT(&all));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu)
    if (CPU_ISSET(cpu, &all))
      CPU_SET(cpu, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(ThreadTeam().size(), 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof(all), &all), 0);
}

TEST(ThreadTeam, AWorkerThatMovesKeepsItsAffinityMask) {
  struct Data {
    int callersCpu;
    cpu_set_t all;
    bool isKept;
  } data = {};
  ASSERT_EQ(sched_getaffinity(0, sizeof(data.all), &data.all), 0);
  if (CPU_COUNT(&data.all) < 2)
    GTEST_SKIP() << "needs two CPUs";
  ThreadTeam team(2);
  for (int round = 0; round < 20; ++round) {
    data.callersCpu = sched_getcpu();
    // The worker goes where the caller is, so that it finds itself there in the next region.
    team.parallelFor(
        [](void *pointer, int64_t begin, int64_t) {
          auto *data = static_cast<Data *>(pointer);
          if (begin != 1)
            return;
          cpu_set_t one;
          CPU_ZERO(&one);
          CPU_SET(data->callersCpu, &one);
          sched_setaffinity(0, sizeof(one), &one);
          sched_setaffinity(0, sizeof(data->all), &data->all);
        },
        &data, 2);
    team.parallelFor(
        [](void *pointer, int64_t begin, int64_t) {
          auto *data = static_cast<Data *>(pointer);
          cpu_set_t now;
          if (begin == 1 && sched_getaffinity(0, sizeof(now), &now) == 0)
            data->isKept = CPU_EQUAL(&now, &data->all);
        },
        &data, 2);
    EXPECT_TRUE(data.isKept);
    data.isKept = false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST(ThreadTeam, AWrongCountIsRefused) {
  EXPECT_THROW(ThreadTeam(-1), Error);
  EXPECT_THROW(ThreadTeam(5000), Error);
}
