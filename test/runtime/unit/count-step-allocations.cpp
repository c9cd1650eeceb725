//===- count-step-allocations.cpp - Steps must not allocate ---------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Replaces malloc and its relatives by counting ones, then decodes with a bound
// entry. A step that allocates fails the program.
//
//===----------------------------------------------------------------------===//

#include "core/Session.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static std::atomic<bool> counting;
static std::atomic<int64_t> count;

extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static void note() {
  if (counting.load(std::memory_order_relaxed))
    count.fetch_add(1);
}
void *malloc(size_t size) { return note(), __libc_malloc(size); }
void *calloc(size_t number, size_t size) { return note(), __libc_calloc(number, size); }
void *realloc(void *memory, size_t size) { return note(), __libc_realloc(memory, size); }
void *aligned_alloc(size_t alignment, size_t size) { return note(), __libc_memalign(alignment, size); }
void *memalign(size_t alignment, size_t size) { return note(), __libc_memalign(alignment, size); }
int posix_memalign(void **memory, size_t alignment, size_t size) {
  note();
  *memory = __libc_memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}
void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset) {
  note();
  return reinterpret_cast<void *>(::syscall(SYS_mmap, address, length, protection, flags, file, offset));
}
}

using namespace sesame;

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: count-step-allocations BUNDLE\n");
    return 2;
  }
  try {
    Session session(Model::open(argv[1]), {2});
    session.reset(2, 600, 4);
    BoundEntry step = session.bind("decode");
    int32_t b = step.symbol("B"), s = step.symbol("S"), t = step.symbol("T"), input = step.input("input_ids");
    int64_t prompt[2 * 5] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, tokens[4] = {11, 12, 13, 14};
    const int32_t twice[4] = {0, 0, 1, 1}, reverse[4] = {3, 2, 1, 0};
    // The largest step first; the mask is left to its default, which grows with T.
    step.setDim(s, 1);
    step.setDim(t, 600);
    step.prepare();
    step.setDim(s, 5);
    step.setDim(t, 5);
    step.setInput(input, prompt);
    step.run();
    session.gatherStates(twice, 4, 5);
    step.setDim(b, 4);
    step.setDim(s, 1);
    step.setInput(input, tokens);
    step.setDim(t, 600);
    step.prepare();

    counting = true;
    float last = 0;
    for (int64_t length = 6; length <= 600; ++length) {
      step.setDim(t, length);
      step.run();
      session.gatherStates(reverse, 4, length);
      last = step.outputData<float>(0)[0];
    }
    counting = false;
    std::printf("%lld allocations in 595 steps, last sum %g\n", static_cast<long long>(count.load()), last);
    if (count != 0)
      return 1;
    // The hook itself must see what is allocated.
    counting = true;
    Buffer small(10), large(5000000);
    counting = false;
    return count == 2 ? 0
                      : (std::printf("the hook saw %lld of 2\n", static_cast<long long>(count.load())), 1);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
