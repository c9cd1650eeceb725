/* What the C drivers of the kernel tests share: memref descriptors, reproducible input, and a count of wrong values. */
#ifndef SESAME_TEST_KERNEL_TEST_H
#define SESAME_TEST_KERNEL_TEST_H

#define _DEFAULT_SOURCE
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct {
  void *allocated, *aligned;
  int64_t offset, sizes[1], strides[1];
} Memref1;

typedef struct {
  void *allocated, *aligned;
  int64_t offset, sizes[2], strides[2];
} Memref2;

static inline Memref1 vector_of(void *data, int64_t offset, int64_t size) {
  Memref1 m = {data, data, offset, {size}, {1}};
  return m;
}

static inline Memref2 rows_of(void *data, int64_t offset, int64_t rows, int64_t columns, int64_t stride) {
  Memref2 m = {data, data, offset, {rows, columns}, {stride, 1}};
  return m;
}

/* What lies outside a result, and must still lie there afterwards. */
static const float kGuard = -12345.0f;

/* Memory that ends where a page without access begins: a read or write past the end is a fault. */
static struct {
  void *data, *base;
  size_t length;
} mappings[64];

static inline void *allocate(size_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), length = (bytes + page - 1) / page * page + page;
  for (size_t i = 0; i < sizeof mappings / sizeof *mappings; ++i)
    if (!mappings[i].base) {
      char *base = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (base == MAP_FAILED || mprotect(base + length - page, page, PROT_NONE))
        abort();
      mappings[i].base = base, mappings[i].length = length;
      return mappings[i].data = base + length - page - bytes;
    }
  abort();
}

static inline void release(void *data) {
  for (size_t i = 0; i < sizeof mappings / sizeof *mappings; ++i)
    if (mappings[i].base && mappings[i].data == data) {
      munmap(mappings[i].base, mappings[i].length);
      mappings[i].base = NULL;
      return;
    }
  abort();
}

static uint64_t random_state = 0x9e3779b97f4a7c15ull;

/* Uniform in [-1, 1): xorshift64*, so every run sees the same numbers. */
static inline float random_float(void) {
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return (float)((double)((random_state * 0x2545f4914f6cdd1dull) >> 40) / (1 << 23) - 1.0);
}

static inline float *random_floats(int64_t count, float scale) {
  float *data = allocate(sizeof(float) * (size_t)count);
  for (int64_t i = 0; i < count; ++i)
    data[i] = scale * random_float();
  return data;
}

static inline float *guards(int64_t count) {
  float *data = allocate(sizeof(float) * (size_t)count);
  for (int64_t i = 0; i < count; ++i)
    data[i] = kGuard;
  return data;
}

static long num_checked, num_wrong;
/* Set by the argument "alter": the first expected value of a result is then wrong, and the run has to fail. */
static int alter;

/* Counts one comparison; true if it is off and few enough were off before to be printed. */
static inline int is_off(float got, double *expected, double tolerance) {
  if (alter && tolerance > 0) {
    *expected += 1e-2 + 2 * tolerance;
    alter = 0;
  }
  ++num_checked;
  if (isnan(*expected) ? isnan(got) : fabs(got - *expected) <= tolerance || got == *expected)
    return 0;
  return ++num_wrong <= 10;
}

static inline int same_bits(const float *a, const float *b, int64_t count) {
  return memcmp(a, b, sizeof(float) * (size_t)count) == 0;
}

static inline int report(long num_shapes) {
  printf("%ld wrong of %ld values in %ld shapes\n", num_wrong, num_checked, num_shapes);
  return num_wrong != 0 || num_checked == 0;
}

#endif
