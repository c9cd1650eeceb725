/* Driver of kernel-attention.mlir. */
#include "kernel-test.h"

/* `mask` is a Memref1 or a Memref2, as the function says. */
typedef void Kernel(Memref2 *query, Memref2 *key, Memref2 *value, void *mask, Memref2 *bias, int64_t first, Memref2 *out);
Kernel _mlir_ciface_plain,
    _mlir_ciface_causal,
    _mlir_ciface_padded,
    _mlir_ciface_padded_causal,
    _mlir_ciface_mask_i1,
    _mlir_ciface_mask_i8,
    _mlir_ciface_mask_rows,
    _mlir_ciface_mask_rows_i1,
    _mlir_ciface_bias_keys,
    _mlir_ciface_bias_rows,
    _mlir_ciface_bias_mask_rows,
    _mlir_ciface_window,
    _mlir_ciface_window_padded,
    _mlir_ciface_softcap,
    _mlir_ciface_softcap_bias,
    _mlir_ciface_large_head,
    _mlir_ciface_heads_causal,
    _mlir_ciface_heads_padded,
    _mlir_ciface_heads_bias,
    _mlir_ciface_heads_window,
    _mlir_ciface_heads_softcap_bias;

static const struct {
  const char *name;
  int64_t D, E;
  int mask, mask_bytes, bias; /* mask: rank, 0 for none; bias: 1 one row, 2 S rows */
  int causal;
  int64_t window;
  double softcap, scale;
  Kernel *kernel;
  int64_t heads; /* rows, all at the same position, and the kernel of one of them; 0: rows of one head */
  Kernel *single;
} kCases[] = {
    {"plain", 64, 64, 0, 8, 0, 0, 0, 0, 0.125, _mlir_ciface_plain},
    {"causal", 64, 64, 0, 8, 0, 1, 0, 0, 0.125, _mlir_ciface_causal},
    {"padded", 20, 12, 1, 8, 0, 0, 0, 0, 0.2236, _mlir_ciface_padded},
    {"padded_causal", 64, 64, 1, 8, 0, 1, 0, 0, 0.125, _mlir_ciface_padded_causal},
    {"mask_i1", 12, 20, 1, 1, 0, 0, 0, 0, 0.2887, _mlir_ciface_mask_i1},
    {"mask_i8", 33, 17, 1, 1, 0, 1, 0, 0, 0.1741, _mlir_ciface_mask_i8},
    {"mask_rows", 16, 16, 2, 4, 0, 0, 0, 0, 0.25, _mlir_ciface_mask_rows},
    {"mask_rows_i1", 8, 24, 2, 1, 0, 1, 0, 0, 0.3536, _mlir_ciface_mask_rows_i1},
    {"bias_keys", 24, 80, 0, 8, 1, 0, 0, 0, 0.2041, _mlir_ciface_bias_keys},
    {"bias_rows", 64, 40, 1, 4, 2, 0, 0, 0, 0.125, _mlir_ciface_bias_rows},
    {"bias_mask_rows", 80, 8, 2, 1, 2, 1, 0, 0, 0.1118, _mlir_ciface_bias_mask_rows},
    {"window", 32, 32, 0, 8, 0, 1, 37, 0, 0.1768, _mlir_ciface_window},
    {"window_padded", 48, 7, 1, 8, 0, 1, 300, 0, 0.1443, _mlir_ciface_window_padded},
    {"softcap", 1, 1, 1, 8, 0, 1, 0, 3, 1.0, _mlir_ciface_softcap},
    {"softcap_bias", 128, 128, 0, 8, 2, 1, 64, 3, 0.0884, _mlir_ciface_softcap_bias},
    {"large_head", 200, 256, 1, 8, 0, 1, 0, 0, 0.0707, _mlir_ciface_large_head},
    {"heads_causal", 64, 64, 0, 8, 0, 1, 0, 0, 0.125, _mlir_ciface_heads_causal, 4, _mlir_ciface_causal},
    {"heads_padded", 20, 12, 1, 8, 0, 0, 0, 0, 0.2236, _mlir_ciface_heads_padded, 7, _mlir_ciface_padded},
    {"heads_bias", 64, 40, 1, 4, 2, 0, 0, 0, 0.125, _mlir_ciface_heads_bias, 2, _mlir_ciface_bias_rows},
    {"heads_window", 48, 7, 1, 8, 0, 1, 300, 0, 0.1443, _mlir_ciface_heads_window, 5, _mlir_ciface_window_padded},
    {"heads_softcap_bias", 128, 128, 0, 8, 2, 1, 64, 3, 0.0884, _mlir_ciface_heads_softcap_bias, 8, _mlir_ciface_softcap_bias},
};

enum { kOffset = 3 };

/* Whether the kernels round the factors of their products to bf16. */
static int bf16;

/* x as bf16, rounded to nearest even, if `bf16`. */
static float narrow(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if (bf16)
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
  memcpy(&x, &bits, sizeof bits);
  return x;
}

/* One problem: S rows at positions first + s, those of several heads all at first, against T keys. */
typedef struct {
  int64_t S, T, first, ldq, ldk, ldv, ldm, ldb, ldo;
  float *query, *key, *value, *bias;
  char *mask;
} Problem;

static int64_t position_of(size_t c, const Problem *p, int64_t s) { return p->first + (kCases[c].heads ? 0 : s); }

static int is_seen(size_t c, const Problem *p, int64_t s, int64_t t) {
  if (kCases[c].causal && t > position_of(c, p, s))
    return 0;
  if (kCases[c].window && t <= position_of(c, p, s) - kCases[c].window)
    return 0;
  if (!kCases[c].mask)
    return 1;
  int64_t at = (kCases[c].mask == 2 ? s * p->ldm : 0) + t;
  for (int i = 0; i < kCases[c].mask_bytes; ++i)
    if (p->mask[at * kCases[c].mask_bytes + i])
      return 1;
  return 0;
}

static void set_mask(size_t c, const Problem *p, int64_t at, int seen) {
  memset(p->mask + at * kCases[c].mask_bytes, 0, (size_t)kCases[c].mask_bytes);
  p->mask[at * kCases[c].mask_bytes] = (char)seen;
}

static double score(size_t c, const Problem *p, int64_t s, int64_t t) {
  /* Kernels round the scaled query. */
  double log2e = kCases[c].softcap ? 1 : 1.44269504f, sum = 0;
  float scale = (float)(kCases[c].softcap ? (float)kCases[c].scale / kCases[c].softcap : (float)kCases[c].scale * 1.44269504f);
  for (int64_t d = 0; d < kCases[c].D; ++d)
    sum += (bf16 ? narrow(p->query[kOffset + s * p->ldq + d] * scale) : p->query[kOffset + s * p->ldq + d] * kCases[c].scale) *
           (double)narrow(p->key[kOffset + t * p->ldk + d]);
  if (bf16)
    sum *= (kCases[c].softcap ? kCases[c].softcap : 1) / log2e;
  if (kCases[c].softcap)
    sum = kCases[c].softcap * tanh(sum / kCases[c].softcap);
  if (kCases[c].bias)
    sum += p->bias[(kCases[c].bias == 2 ? s * p->ldb : 0) + t];
  return sum;
}

/* Rows [row, row + rows) with only the first T keys. */
static void run(size_t c, const Problem *p, int64_t row, int64_t rows, int64_t T, float *out) {
  Memref2 Q = rows_of(p->query, kOffset + row * p->ldq, rows, kCases[c].D, p->ldq), K = rows_of(p->key, kOffset, T, kCases[c].D, p->ldk),
          V = rows_of(p->value, kOffset, T, kCases[c].E, p->ldv), O = rows_of(out, kOffset + row * p->ldo, rows, kCases[c].E, p->ldo);
  Memref2 B = rows_of(p->bias, kCases[c].bias == 2 ? row * p->ldb : 0, kCases[c].bias == 2 ? rows : 1, T, p->ldb);
  Memref1 M1 = vector_of(p->mask, 0, T);
  Memref2 M2 = rows_of(p->mask, row * p->ldm, rows, T, p->ldm);
  Kernel *kernel = rows < kCases[c].heads ? kCases[c].single : kCases[c].kernel;
  kernel(&Q, &K, &V, kCases[c].mask == 2 ? (void *)&M2 : (void *)&M1, &B, position_of(c, p, row), &O);
}

int main(int argc, char **argv) {
  static const struct {
    int64_t S, T, first;
  } kShapes[] = {{1, 1, 0},   {1, 0, 0},    {3, 5, 2},    {0, 4, 0},    {2, 17, 15},  {4, 4, 0},     {7, 13, 6},   {5, 300, 295},
                 {16, 16, 0}, {17, 31, 14}, {31, 64, 33}, {33, 33, 0},  {40, 600, 560}, {64, 257, 193}, {1, 1000, 999}, {70, 300, 100}};
  long num_shapes = 0;
  for (int i = 1; i < argc; ++i) {
    alter |= !strcmp(argv[i], "alter");
    bf16 |= !strcmp(argv[i], "bf16");
  }
  for (size_t c = 0; c < sizeof kCases / sizeof *kCases; ++c)
    for (size_t i = 0; i < sizeof kShapes / sizeof *kShapes; ++i) {
      int64_t S = kCases[c].heads ? kCases[c].heads : kShapes[i].S, T = kShapes[i].T, D = kCases[c].D, E = kCases[c].E;
      ++num_shapes;
      Problem p = {S, T, kShapes[i].first, D + (int64_t)(i % 3), D + 2, E + (int64_t)(i % 2), T + 1, T + 2, E + 3, 0, 0, 0, 0, 0};
            p.query = random_floats(kOffset + (S ? (S - 1) * p.ldq + D : 0), 3.0f), p.key = random_floats(kOffset + T * p.ldk - (T ? p.ldk - D : 0), 3.0f);
      p.value = random_floats(kOffset + T * p.ldv - (T ? p.ldv - E : 0), 1.0f), p.bias = random_floats(S ? S * p.ldb - 2 : T, 2.0f);
      p.mask = allocate((size_t)(kCases[c].mask_bytes * (S ? S * p.ldm - 1 : T)));
      /* Every fifth key is hidden, the first three and the last two too; every row of a mask of rows in its own way, row 2 wholly. */
      for (int64_t s = 0; s < S; ++s)
        for (int64_t t = 0; t < T; ++t)
          set_mask(c, &p, s * p.ldm + t, T < 8 || ((t + s) % 5 != 1 && t > 2 && t < T - 2 && !(kCases[c].mask == 2 && s == 2)));
      if (kCases[c].mask == 1 && i == 2)
        for (int64_t t = 0; t < T; ++t)
          set_mask(c, &p, t, 0);
      int64_t size = kOffset + S * p.ldo + E;
      float *out = guards(size), *alone = guards(size), *expected_row = guards(E);
      run(c, &p, 0, S, T, out);
      for (int64_t s = 0; s < S; ++s) {
        double highest = -INFINITY, sum = 0, magnitude = 0;
        for (int64_t t = 0; t < T; ++t)
          if (is_seen(c, &p, s, t)) {
            double x = score(c, &p, s, t);
            highest = x > highest ? x : highest;
            magnitude = fabs(x) > magnitude ? fabs(x) : magnitude;
          }
        double *weights = allocate(sizeof *weights * (size_t)T);
        memset(weights, 0, sizeof *weights * (size_t)T);
        for (int64_t t = 0; t < T; ++t)
          if (is_seen(c, &p, s, t))
            sum += weights[t] = exp(score(c, &p, s, t) - highest);
        for (int64_t e = 0; e < p.ldo; ++e) {
          double expected = kGuard, tolerance = 0;
          if (e < E) {
            expected = 0;
            double spread = 0;
            for (int64_t t = 0; t < T && sum > 0; ++t) {
              expected += weights[t] / sum * narrow(p.value[kOffset + t * p.ldv + e]);
              spread += weights[t] / sum * fabs(p.value[kOffset + t * p.ldv + e]);
            }
            /* A weight that is rounded to bf16 is off by 2^-8 of itself. */
            tolerance = sum > 0 ? (4e-6 * (1 + magnitude / 8) + bf16 / 256.0) * spread + 1e-7 : 1e-30;
          }
          if (is_off(out[kOffset + s * p.ldo + e], &expected, tolerance))
            printf("%s: S = %ld, T = %ld, first = %ld: out[%ld, %ld] is %.9g, expected %.9g +- %.2g\n", kCases[c].name, (long)S, (long)T,
                   (long)p.first, (long)s, (long)e, out[kOffset + s * p.ldo + e], expected, tolerance);
        }
        release(weights);
      }
      /* Each row alone, and without the keys after its last visible one. */
      for (int64_t s = 0; s < S; ++s) {
        int64_t visible = 0;
        for (int64_t t = 0; t < T; ++t)
          if (is_seen(c, &p, s, t))
            visible = t + 1;
        run(c, &p, s, 1, visible, alone);
      }
      ++num_checked;
      if (!same_bits(out, alone, size) && ++num_wrong <= 10)
        printf("%s: S = %ld, T = %ld, first = %ld: rows alone have other bits\n", kCases[c].name, (long)S, (long)T, (long)p.first);
      /* The same with 5 hidden keys before: the positions and, but for the mask, everything else move along. */
      if (kCases[c].mask == 1 && S > 0) {
        Problem q = p;
        q.T = T + 5, q.first = p.first + 5;
        q.key = random_floats(kOffset + q.T * p.ldk, 3.0f), q.value = random_floats(kOffset + q.T * p.ldv, 1.0f);
        memcpy(q.key + kOffset + 5 * p.ldk, p.key + kOffset, sizeof(float) * (size_t)(T ? T * p.ldk - p.ldk + D : 0));
        memcpy(q.value + kOffset + 5 * p.ldv, p.value + kOffset, sizeof(float) * (size_t)(T ? T * p.ldv - p.ldv + E : 0));
        q.ldb = T + 7, q.bias = random_floats((S + 1) * q.ldb, 2.0f);
        for (int64_t s = 0; s < S; ++s)
          memcpy(q.bias + s * q.ldb + 5, p.bias + s * p.ldb, sizeof(float) * (size_t)T);
        q.mask = allocate((size_t)(q.T * kCases[c].mask_bytes));
        memset(q.mask, 0, (size_t)(5 * kCases[c].mask_bytes));
        memcpy(q.mask + 5 * kCases[c].mask_bytes, p.mask, (size_t)(T * kCases[c].mask_bytes));
        float *moved = guards(size);
        run(c, &q, 0, S, q.T, moved);
        ++num_checked;
        if (!same_bits(out, moved, size) && ++num_wrong <= 10)
          printf("%s: S = %ld, T = %ld, first = %ld: padded rows have other bits\n", kCases[c].name, (long)S, (long)T, (long)p.first);
        release(q.key), release(q.value), release(q.bias), release(q.mask), release(moved);
      }
      release(p.query), release(p.key), release(p.value), release(p.bias), release(p.mask), release(out), release(alone), release(expected_row);
    }
  return report(num_shapes);
}
