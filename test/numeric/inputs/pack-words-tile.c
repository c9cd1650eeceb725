/* Driver of kernel-pack-words.mlir: every word against the formulas of sesame.word_linear, in the same roundings. */
#include "kernel-test.h"

typedef void Kernel(Memref2 *input, Memref2 *out);
Kernel _mlir_ciface_int8_1, _mlir_ciface_int8_83, _mlir_ciface_int8_192, _mlir_ciface_bf16_1, _mlir_ciface_bf16_83, _mlir_ciface_bf16_48,
    _mlir_ciface_int4_1, _mlir_ciface_int4_83, _mlir_ciface_int4_192;

enum { BF16, INT8, INT4_GROUPS };

static const struct {
  const char *name;
  int64_t depth;
  int format;
  Kernel *kernel;
} kCases[] = {{"int8_1", 1, INT8, _mlir_ciface_int8_1},        {"int8_83", 83, INT8, _mlir_ciface_int8_83},
              {"int8_192", 192, INT8, _mlir_ciface_int8_192},  {"bf16_1", 1, BF16, _mlir_ciface_bf16_1},
              {"bf16_83", 83, BF16, _mlir_ciface_bf16_83},     {"bf16_48", 48, BF16, _mlir_ciface_bf16_48},
              {"int4_1", 1, INT4_GROUPS, _mlir_ciface_int4_1}, {"int4_83", 83, INT4_GROUPS, _mlir_ciface_int4_83},
              {"int4_192", 192, INT4_GROUPS, _mlir_ciface_int4_192}};

/* What row `kind` is made of, beside random numbers. */
enum { RANDOM, ZEROS, POSITIVE, NEGATIVE, TINY, LARGE, NANS, INFINITIES, NUM_KINDS };

static void fill(float *row, int64_t depth, int kind) {
  for (int64_t k = 0; k < depth; ++k) {
    float x = random_float();
    row[k] = kind == ZEROS ? 0 : kind == POSITIVE ? 1 + x : kind == NEGATIVE ? x - 1 : kind == TINY ? 1e-35f * x : kind == LARGE ? 1e30f * x : x;
  }
  if (kind == NANS)
    row[depth / 2] = NAN;
  if (kind == INFINITIES)
    row[depth - 1] = -INFINITY;
}

static float bits_to_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint32_t float_to_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static uint32_t round_to_bf16(float x) {
  uint32_t bits = float_to_bits(x);
  return isnan(x) ? 0x7fc0 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

static float to_code(float x) { return fminf(255, fmaxf(0, rintf(x))); }

static void check(const char *name, const char *what, int kind, int64_t place, double got, double expected) {
  if (is_off((float)got, &expected, 1e-7 * fabs(expected) + 1e-45))
    printf("%s: row %d: %s %ld is %.9g, expected %.9g\n", name, kind, what, (long)place, got, expected);
}

/* The steps of a row in groups. */
static void check_groups(const char *name, int kind, const float *row, int64_t depth, const uint32_t *got) {
  for (int64_t first = 0; first < (depth + 63) / 64 * 64; first += 32) {
    const uint32_t *step = got + first / 64 * 20;
    const int64_t group = first / 32 % 2;
    float largest = 0, nan = 0;
    for (int64_t k = first; k < first + 32 && k < depth; ++k)
      largest = fmaxf(largest, fabsf(row[k])), nan += row[k] * 0.0f;
    check(name, "scale of the group at", kind, first, bits_to_float(step[18 + group]), largest / 127 + nan);
    const float inverse = 127 / fmaxf(1e-30f, largest);
    int32_t sum = 0;
    for (int64_t i = 0; i < 32; ++i) {
      const float x = first + i < depth ? row[first + i] : 0;
      const int32_t code = (int8_t)(step[group * 8 + i / 4] >> 8 * (i % 4));
      sum += code;
      if (nan == 0)
        check(name, "code", kind, first + i, code, fminf(127, fmaxf(-127, rintf(x * inverse))));
    }
    check(name, "start of the group at", kind, first, (int32_t)step[16 + group], -8 * sum);
  }
}

int main(int argc, char **argv) {
  alter = argc > 1 && !strcmp(argv[1], "alter");
  long num_shapes = 0;
  for (size_t c = 0; c < sizeof kCases / sizeof *kCases; ++c, ++num_shapes) {
    const int64_t depth = kCases[c].depth, stride = depth + 3, per_word = kCases[c].format == INT8 ? 4 : 2;
    const int64_t code_words = (depth + per_word - 1) / per_word, words = kCases[c].format == INT4_GROUPS ? (depth + 63) / 64 * 20 : code_words + (kCases[c].format == INT8 ? 2 : 0);
    /* Both end where the last row ends. */
    const int64_t out_stride = words + 1;
    float *x = allocate(sizeof(float) * (size_t)((NUM_KINDS - 1) * stride + depth));
    uint32_t *out = allocate(sizeof(uint32_t) * (size_t)((NUM_KINDS - 1) * out_stride + words));
    for (int64_t i = 0; i < (NUM_KINDS - 1) * out_stride + words; ++i)
      out[i] = 0xdeadbeef;
    for (int kind = 0; kind < NUM_KINDS; ++kind)
      fill(x + kind * stride, depth, kind);
    Memref2 X = rows_of(x, 0, NUM_KINDS, depth, stride), O = rows_of(out, 0, NUM_KINDS, words, out_stride);
    kCases[c].kernel(&X, &O);
    for (int kind = 0; kind < NUM_KINDS; ++kind) {
      const float *row = x + kind * stride;
      const uint32_t *got = out + kind * out_stride;
      if (kCases[c].format == INT4_GROUPS) {
        check_groups(kCases[c].name, kind, row, depth, got);
        continue;
      }
      if (kCases[c].format == BF16) {
        for (int64_t k = 0; k < depth; ++k) {
          uint32_t half = got[k / 2] >> 16 * (k % 2) & 0xffff, expected = round_to_bf16(row[k]);
          if (isnan(row[k])) /* of any payload */
            check(kCases[c].name, "number", kind, k, bits_to_float(half << 16), NAN);
          else if (kind != TINY) /* the CPU's conversion takes numbers below 2^-126 as 0 */
            check(kCases[c].name, "number", kind, k, half, expected);
        }
        continue;
      }
      float low = 0, high = 0;
      for (int64_t k = 0; k < depth; ++k)
        low = fmaxf(low, -row[k]), high = fmaxf(high, row[k]);
      if (kind == NANS || kind == INFINITIES) {
        check(kCases[c].name, "scale", kind, words - 1, bits_to_float(got[words - 1]), NAN);
        continue;
      }
      float range = fmaxf(1e-30f, low + high), inverse = 255 / range, zero = to_code(low * inverse);
      check(kCases[c].name, "zero point", kind, words - 2, got[words - 2], zero);
      check(kCases[c].name, "scale", kind, words - 1, bits_to_float(got[words - 1]), range / 255);
      for (int64_t k = 0; k < 4 * code_words; ++k)
        check(kCases[c].name, "code", kind, k, got[k / 4] >> 8 * (k % 4) & 255, to_code(fmaf(k < depth ? row[k] : 0, inverse, zero)));
    }
    /* Between the rows. */
    for (int kind = 0; kind + 1 < NUM_KINDS; ++kind)
      check(kCases[c].name, "the guard", kind, words, out[kind * out_stride + words] == 0xdeadbeef, 1);
    release(x), release(out);
  }
  return report(num_shapes);
}
