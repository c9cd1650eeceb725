/* Driver of kernel-matmul.mlir. WIDTH is the panel's width R. */
#include "kernel-test.h"

enum { IDENTITY, RELU, GELU, GELU_TANH, GELU_QUICK, SILU, TANH, SIGMOID, RELU_SQUARED, SOFTPLUS, MISH, LEAKY_RELU };
enum { REPLACE, ADD, MULTIPLY };

typedef void Kernel(Memref2 *lhs, Memref2 *panel, Memref1 *bias, Memref2 *out);
Kernel _mlir_ciface_plain, _mlir_ciface_bias_k7, _mlir_ciface_residual, _mlir_ciface_gate, _mlir_ciface_relu, _mlir_ciface_gelu, _mlir_ciface_gelu_tanh, _mlir_ciface_gelu_quick, _mlir_ciface_silu_gate, _mlir_ciface_hyperbolic_tangent, _mlir_ciface_sigmoid, _mlir_ciface_relu_squared, _mlir_ciface_softplus, _mlir_ciface_mish_add, _mlir_ciface_leaky_relu, _mlir_ciface_long_k, _mlir_ciface_whole, _mlir_ciface_one_row;

static const struct {
  const char *name;
  int64_t depth;
  int bias, activation, combine;
  int64_t only_rows, only_columns; /* if the function's types fix them */
  Kernel *kernel;
} kCases[] = {
    {"plain", 1, 0, IDENTITY, REPLACE, 0, 0, _mlir_ciface_plain},
    {"bias_k7", 7, 1, IDENTITY, REPLACE, 0, 0, _mlir_ciface_bias_k7},
    {"residual", 64, 1, IDENTITY, ADD, 0, 0, _mlir_ciface_residual},
    {"gate", 33, 0, IDENTITY, MULTIPLY, 0, 0, _mlir_ciface_gate},
    {"relu", 20, 1, RELU, REPLACE, 0, 0, _mlir_ciface_relu},
    {"gelu", 100, 1, GELU, REPLACE, 0, 0, _mlir_ciface_gelu},
    {"gelu_tanh", 64, 1, GELU_TANH, REPLACE, 0, 0, _mlir_ciface_gelu_tanh},
    {"gelu_quick", 17, 0, GELU_QUICK, REPLACE, 0, 0, _mlir_ciface_gelu_quick},
    {"silu_gate", 48, 0, SILU, MULTIPLY, 0, 0, _mlir_ciface_silu_gate},
    {"hyperbolic_tangent", 24, 1, TANH, REPLACE, 0, 0, _mlir_ciface_hyperbolic_tangent},
    {"sigmoid", 24, 1, SIGMOID, REPLACE, 0, 0, _mlir_ciface_sigmoid},
    {"relu_squared", 12, 1, RELU_SQUARED, REPLACE, 0, 0, _mlir_ciface_relu_squared},
    {"softplus", 12, 1, SOFTPLUS, REPLACE, 0, 0, _mlir_ciface_softplus},
    {"mish_add", 40, 1, MISH, ADD, 0, 0, _mlir_ciface_mish_add},
    {"leaky_relu", 9, 1, LEAKY_RELU, REPLACE, 0, 0, _mlir_ciface_leaky_relu},
    {"long_k", 3072, 1, IDENTITY, REPLACE, 0, 0, _mlir_ciface_long_k},
    {"whole", 48, 1, SILU, REPLACE, 0, WIDTH, _mlir_ciface_whole},
    {"one_row", 48, 0, IDENTITY, REPLACE, 1, 0, _mlir_ciface_one_row},
};

static double activate(int activation, double x) {
  switch (activation) {
  case RELU: return x > 0 ? x : 0;
  case GELU: return 0.5 * x * erfc(-x / sqrt(2.0));
  case GELU_TANH: return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  case GELU_QUICK: return x / (1 + exp(-1.702 * x));
  case SILU: return x / (1 + exp(-x));
  case TANH: return tanh(x);
  case SIGMOID: return 1 / (1 + exp(-x));
  case RELU_SQUARED: return x > 0 ? x * x : 0;
  case SOFTPLUS: return log1p(exp(x));
  case MISH: return x * tanh(log1p(exp(x)));
  case LEAKY_RELU: return x >= 0 ? x : 0.01 * x;
  default: return x;
  }
}

int main(int argc, char **argv) {
  static const int64_t kRows[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 24, 35};
  static const int64_t kColumns[] = {1, 3, 8, WIDTH / 2, WIDTH / 2 + 1, WIDTH - 1, WIDTH};
  long num_shapes = 0;
  alter = argc > 1 && !strcmp(argv[1], "alter");
  for (size_t c = 0; c < sizeof kCases / sizeof *kCases; ++c)
    for (size_t i = 0; i < sizeof kRows / sizeof *kRows; ++i)
      for (size_t j = 0; j < sizeof kColumns / sizeof *kColumns; ++j) {
        int64_t M = kRows[i], N = kColumns[j], K = kCases[c].depth;
        if ((kCases[c].only_rows && M != kCases[c].only_rows) ||
            (kCases[c].only_columns && N != kCases[c].only_columns))
          continue;
        ++num_shapes;
        int64_t lda = K + (int64_t)(j % 3), ldc = N + 2 * (int64_t)(i % 2), first = 1 + (int64_t)i;
        float *a = random_floats(first + M * lda - (M ? lda - K : 0), 1.0f), *p = random_floats(K * WIDTH, 2.0f), *bias = random_floats(N, 3.0f);
        for (int64_t k = 0; k < K; ++k)
          for (int64_t n = N; n < WIDTH; ++n)
            p[k * WIDTH + n] = 0;
        int64_t size = first + (M + 1) * ldc + WIDTH;
        float *before = guards(size);
        for (int64_t m = 0; m < M; ++m)
          for (int64_t n = 0; n < N; ++n)
            before[first + m * ldc + n] = random_float();
        float *out = allocate(sizeof(float) * (size_t)size), *alone = allocate(sizeof(float) * (size_t)size);
        memcpy(out, before, sizeof(float) * (size_t)size);
        memcpy(alone, before, sizeof(float) * (size_t)size);
        Memref2 A = rows_of(a, first, M, K, lda), P = rows_of(p, 0, K, WIDTH, WIDTH), C = rows_of(out, first, M, N, ldc);
        Memref1 B = vector_of(bias, 0, N);
        kCases[c].kernel(&A, &P, &B, &C);

        for (int64_t at = 0; at < size; ++at) {
          int64_t m = at < first ? -1 : (at - first) / ldc, n = at < first ? 0 : (at - first) % ldc;
          double expected = before[at], tolerance = 0;
          if (m >= 0 && m < M && n < N) {
            double sum = kCases[c].bias ? bias[n] : 0, magnitude = fabs(sum);
            for (int64_t k = 0; k < K; ++k) {
              double product = (double)a[first + m * lda + k] * p[k * WIDTH + n];
              sum += product;
              magnitude += fabs(product);
            }
            double y = activate(kCases[c].activation, sum);
            /* Half an ULP a step in the worst case; in practice the errors are random: sqrt K. */
            tolerance = 6e-8 * magnitude * (2 + 2 * sqrt((double)K)) + 4e-7 * fabs(y);
            if (kCases[c].activation == RELU_SQUARED)
              tolerance *= 2 * fabs(sum) + 1;
            if (kCases[c].combine == ADD)
              y += expected, tolerance += 1e-7 * fabs(y);
            else if (kCases[c].combine == MULTIPLY)
              y *= expected, tolerance = tolerance * fabs(expected) + 1e-7 * fabs(y);
            expected = y;
          }
          if (is_off(out[at], &expected, tolerance))
            printf("%s: M = %ld, N = %ld: out[%ld, %ld] is %.9g, expected %.9g +- %.2g\n", kCases[c].name, (long)M, (long)N, (long)m,
                   (long)n, out[at], expected, tolerance);
        }
        /* Each row alone gives the same bits. */
        for (int64_t m = 0; m < M; ++m) {
          Memref2 A1 = rows_of(a, first + m * lda, 1, K, lda), C1 = rows_of(alone, first + m * ldc, 1, N, ldc);
          kCases[c].kernel(&A1, &P, &B, &C1);
        }
        ++num_checked;
        if (!same_bits(out, alone, size) && ++num_wrong <= 10)
          printf("%s: M = %ld, N = %ld: rows alone have other bits\n", kCases[c].name, (long)M, (long)N);
        release(a), release(p), release(bias), release(before), release(out), release(alone);
      }
  return report(num_shapes);
}
