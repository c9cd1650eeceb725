/* Driver of kernel-norm.mlir. */
#include "kernel-test.h"

typedef void Kernel(Memref2 *input, Memref1 *weight, Memref1 *bias, Memref2 *out);
Kernel _mlir_ciface_layer_1,
    _mlir_ciface_layer_7,
    _mlir_ciface_layer_16,
    _mlir_ciface_layer_36,
    _mlir_ciface_layer_64,
    _mlir_ciface_layer_100,
    _mlir_ciface_layer_768,
    _mlir_ciface_rms_5,
    _mlir_ciface_rms_33,
    _mlir_ciface_rms_128,
    _mlir_ciface_rms_300,
    _mlir_ciface_layer_plain_20,
    _mlir_ciface_layer_no_bias_23,
    _mlir_ciface_rms_offset_77,
    _mlir_ciface_rms_plain_48;

static const struct {
  const char *name;
  int64_t width;
  int rms, weight, bias;
  double offset;
  Kernel *kernel;
} kCases[] = {
    {"layer_1", 1, 0, 1, 1, 0, _mlir_ciface_layer_1},
    {"layer_7", 7, 0, 1, 1, 0, _mlir_ciface_layer_7},
    {"layer_16", 16, 0, 1, 1, 0, _mlir_ciface_layer_16},
    {"layer_36", 36, 0, 1, 1, 0, _mlir_ciface_layer_36},
    {"layer_64", 64, 0, 1, 1, 0, _mlir_ciface_layer_64},
    {"layer_100", 100, 0, 1, 1, 0, _mlir_ciface_layer_100},
    {"layer_768", 768, 0, 1, 1, 0, _mlir_ciface_layer_768},
    {"rms_5", 5, 1, 1, 0, 0, _mlir_ciface_rms_5},
    {"rms_33", 33, 1, 1, 0, 0, _mlir_ciface_rms_33},
    {"rms_128", 128, 1, 1, 0, 0, _mlir_ciface_rms_128},
    {"rms_300", 300, 1, 1, 0, 0, _mlir_ciface_rms_300},
    {"layer_plain_20", 20, 0, 0, 0, 0, _mlir_ciface_layer_plain_20},
    {"layer_no_bias_23", 23, 0, 1, 0, 0, _mlir_ciface_layer_no_bias_23},
    {"rms_offset_77", 77, 1, 1, 0, 1, _mlir_ciface_rms_offset_77},
    {"rms_plain_48", 48, 1, 0, 0, 0, _mlir_ciface_rms_plain_48},
};

int main(int argc, char **argv) {
  static const int64_t kRows[] = {0, 1, 2, 3, 7, 19};
  long num_shapes = 0;
  alter = argc > 1 && !strcmp(argv[1], "alter");
  for (size_t c = 0; c < sizeof kCases / sizeof *kCases; ++c)
    for (size_t i = 0; i < sizeof kRows / sizeof *kRows; ++i)
      for (int in_place = 0; in_place < 2; ++in_place) {
        int64_t M = kRows[i], C = kCases[c].width;
        int64_t ldx = C + (int64_t)(i % 3), ldo = in_place ? ldx : C + 1, first = 1 + (int64_t)i;
        ++num_shapes;
        int64_t size = first + M * ldo + (in_place ? C + 64 : 0), size_x = first + M * ldx + (in_place ? C + 64 : 0);
        float *x = random_floats(size_x, 4.0f), *w = random_floats(C, 1.0f), *b = random_floats(C, 1.0f);
        /* A mean far from zero: a variance as the difference of two means would lose its digits. */
        for (int64_t at = 0; at < size_x; ++at)
          x[at] += 100.0f * (float)(i % 2);
        float *before = in_place ? allocate(sizeof(float) * (size_t)size) : guards(size);
        if (in_place)
          memcpy(before, x, sizeof(float) * (size_t)size);
        float *out = allocate(sizeof(float) * (size_t)size), *alone = allocate(sizeof(float) * (size_t)size);
        memcpy(out, before, sizeof(float) * (size_t)size);
        memcpy(alone, before, sizeof(float) * (size_t)size);
        Memref2 X = rows_of(in_place ? out : x, first, M, C, ldx), O = rows_of(out, first, M, C, ldo);
        Memref1 W = vector_of(w, 0, C), B = vector_of(b, 0, C);
        kCases[c].kernel(&X, &W, &B, &O);
        for (int64_t at = 0; at < size; ++at) {
          int64_t m = at < first ? -1 : (at - first) / ldo, n = at < first ? 0 : (at - first) % ldo;
          double expected = before[at], tolerance = 0;
          if (m >= 0 && m < M && n < C) {
            const float *row = x + first + m * ldx;
            double mean = 0, variance = 0;
            for (int64_t k = 0; k < C && !kCases[c].rms; ++k)
              mean += row[k] / (double)C;
            for (int64_t k = 0; k < C; ++k)
              variance += (row[k] - mean) * (row[k] - mean) / (double)C;
            double deviation = sqrt(variance + 1e-5);
            expected = (row[n] - mean) / deviation;
            tolerance = 3e-7 * (fabs(expected) + (fabs(mean) + fabs(row[n])) / deviation);
            if (kCases[c].weight)
              expected *= w[n] + kCases[c].offset, tolerance *= fabs(w[n]) + kCases[c].offset;
            if (kCases[c].bias)
              expected += b[n];
            tolerance += 1e-7 * fabs(expected) + 1e-7;
          }
          if (is_off(out[at], &expected, tolerance))
            printf("%s: M = %ld: out[%ld, %ld] is %.9g, expected %.9g +- %.2g\n", kCases[c].name, (long)M, (long)m, (long)n, out[at],
                   expected, tolerance);
        }
        for (int64_t m = 0; m < M; ++m) {
          Memref2 X1 = rows_of(in_place ? alone : x, first + m * ldx, 1, C, ldx), O1 = rows_of(alone, first + m * ldo, 1, C, ldo);
          kCases[c].kernel(&X1, &W, &B, &O1);
        }
        ++num_checked;
        if (!same_bits(out, alone, size) && ++num_wrong <= 10)
          printf("%s: M = %ld: rows alone have other bits\n", kCases[c].name, (long)M);
        release(x), release(w), release(b), release(before), release(out), release(alone);
      }
  return report(num_shapes);
}
