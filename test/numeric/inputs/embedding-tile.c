/* Driver of kernel-embedding.mlir. */
#include "kernel-test.h"

typedef void Kernel(Memref1 *i0, Memref1 *i1, Memref1 *i2, Memref2 *t0, Memref2 *t1, Memref2 *t2, Memref2 *out);
Kernel _mlir_ciface_one_3,
    _mlir_ciface_one_16,
    _mlir_ciface_one_36,
    _mlir_ciface_one_768,
    _mlir_ciface_two_8,
    _mlir_ciface_two_100,
    _mlir_ciface_three_1,
    _mlir_ciface_three_33,
    _mlir_ciface_three_64;

static const struct {
  const char *name;
  int64_t width;
  int tables;
  Kernel *kernel;
} kCases[] = {
    {"one_3", 3, 1, _mlir_ciface_one_3},
    {"one_16", 16, 1, _mlir_ciface_one_16},
    {"one_36", 36, 1, _mlir_ciface_one_36},
    {"one_768", 768, 1, _mlir_ciface_one_768},
    {"two_8", 8, 2, _mlir_ciface_two_8},
    {"two_100", 100, 2, _mlir_ciface_two_100},
    {"three_1", 1, 3, _mlir_ciface_three_1},
    {"three_33", 33, 3, _mlir_ciface_three_33},
    {"three_64", 64, 3, _mlir_ciface_three_64},
};

enum { kTableRows = 11 };

int main(int argc, char **argv) {
  static const int64_t kRows[] = {0, 1, 2, 3, 9, 21};
  long num_shapes = 0;
  alter = argc > 1 && !strcmp(argv[1], "alter");
  for (size_t c = 0; c < sizeof kCases / sizeof *kCases; ++c)
    for (size_t i = 0; i < sizeof kRows / sizeof *kRows; ++i) {
      int64_t M = kRows[i], C = kCases[c].width, ldt = C + (int64_t)(i % 2), ldo = C + (int64_t)(i % 3), first = 1 + (int64_t)i;
      ++num_shapes;
      int64_t i0[32], i1[32], size = first + M * ldo + C + 64;
      int8_t i2[32];
      int32_t narrow[32];
      float *tables[3], *out = guards(size);
      for (int t = 0; t < 3; ++t)
        tables[t] = random_floats(first + (kTableRows - 1) * ldt + C, 1.0f);
      for (int64_t m = 0; m < M; ++m) {
        i0[m] = (m * 7 + 3) % kTableRows, i1[m] = (m * 3 + 10) % kTableRows, i2[m] = (int8_t)((m + 1) % kTableRows);
        narrow[m] = (int32_t)i1[m];
      }
      Memref1 I0 = vector_of(i0, 0, M), I1 = vector_of(narrow, 0, M), I2 = vector_of(i2, 0, M);
      Memref2 T0 = rows_of(tables[0], first, kTableRows, C, ldt), T1 = rows_of(tables[1], first, kTableRows, C, ldt),
              T2 = rows_of(tables[2], first, kTableRows, C, ldt), O = rows_of(out, first, M, C, ldo);
      kCases[c].kernel(&I0, &I1, &I2, &T0, &T1, &T2, &O);
      for (int64_t at = 0; at < size; ++at) {
        int64_t m = at < first ? -1 : (at - first) / ldo, n = at < first ? 0 : (at - first) % ldo;
        double expected = kGuard, tolerance = 0;
        if (m >= 0 && m < M && n < C) {
          float sum = tables[0][first + i0[m] * ldt + n];
          if (kCases[c].tables > 1)
            sum += tables[1][first + i1[m] * ldt + n];
          if (kCases[c].tables > 2)
            sum += tables[2][first + i2[m] * ldt + n];
          expected = sum;
          tolerance = 1e-30; /* the same sum in the same order */
        }
        if (is_off(out[at], &expected, tolerance))
          printf("%s: M = %ld: out[%ld, %ld] is %.9g, expected %.9g\n", kCases[c].name, (long)M, (long)m, (long)n, out[at], expected);
      }
      for (int t = 0; t < 3; ++t)
        release(tables[t]);
      release(out);
    }
  return report(num_shapes);
}
