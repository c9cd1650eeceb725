/* Driver of kernel-math.mlir: the largest error of each function, in units in the last place of the exact result. */
#include "kernel-test.h"

#ifndef STEP
#define STEP 1021 /* odd, so that every exponent and many mantissas are met */
#endif
enum { kChunk = 4096 };

typedef void Kernel(Memref1 *x, Memref1 *y);
Kernel _mlir_ciface_vector_exp, _mlir_ciface_vector_exp2, _mlir_ciface_vector_expm1, _mlir_ciface_vector_log, _mlir_ciface_vector_log2, _mlir_ciface_vector_log10, _mlir_ciface_vector_log1p, _mlir_ciface_vector_tanh, _mlir_ciface_vector_erf, _mlir_ciface_vector_erfc, _mlir_ciface_vector_sin, _mlir_ciface_vector_cos, _mlir_ciface_vector_tan, _mlir_ciface_vector_rsqrt, _mlir_ciface_vector_gelu, _mlir_ciface_vector_gelu_tanh, _mlir_ciface_vector_gelu_quick, _mlir_ciface_vector_silu, _mlir_ciface_vector_sigmoid, _mlir_ciface_vector_softplus, _mlir_ciface_vector_mish;

static double ref_rsqrt(double x) { return 1 / sqrt(x); }
static double ref_gelu(double x) { return 0.5 * x * erfc(-x / sqrt(2.0)); }
static double ref_gelu_tanh(double x) { return x / (1 + exp(-2 * sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }
static double ref_gelu_quick(double x) { return x / (1 + exp(-1.702 * x)); }
static double ref_silu(double x) { return x / (1 + exp(-x)); }
static double ref_sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double ref_softplus(double x) { return x > 100 ? x : log1p(exp(x)); }
static double ref_mish(double x) { return x > 100 ? x : x * tanh(log1p(exp(x))); }

/* The bounds are those of the description of sesame-expand-math. Results below 2^floor are compared as if they were that large: sigmoid and its
 * products underflow a little early, and where exp takes a rounded function of x (gelu_tanh, gelu_quick) the far tail has few digits.
 * `largest` bounds |x| where the range reduction does, and for activations, whose value at infinity nobody defined. */
static const struct {
  const char *name;
  Kernel *kernel;
  double (*reference)(double);
  double bound;
  int floor;
  double largest;
} kFunctions[] = {
    {"exp", _mlir_ciface_vector_exp, exp, 1.25, -126, INFINITY},
    {"exp2", _mlir_ciface_vector_exp2, exp2, 1.25, -126, INFINITY},
    {"expm1", _mlir_ciface_vector_expm1, expm1, 1.75, -126, INFINITY},
    {"log", _mlir_ciface_vector_log, log, 1, -126, INFINITY},
    {"log2", _mlir_ciface_vector_log2, log2, 1.75, -126, INFINITY},
    {"log10", _mlir_ciface_vector_log10, log10, 2.25, -126, INFINITY},
    {"log1p", _mlir_ciface_vector_log1p, log1p, 1.75, -126, INFINITY},
    {"tanh", _mlir_ciface_vector_tanh, tanh, 1.75, -126, INFINITY},
    {"erf", _mlir_ciface_vector_erf, erf, 2.75, -126, INFINITY},
    {"erfc", _mlir_ciface_vector_erfc, erfc, 7.5, -126, INFINITY},
    {"sin", _mlir_ciface_vector_sin, sin, 1.75, -126, 1e5},
    {"cos", _mlir_ciface_vector_cos, cos, 1.75, -126, 1e5},
    {"tan", _mlir_ciface_vector_tan, tan, 4, -126, 1e5},
    {"rsqrt", _mlir_ciface_vector_rsqrt, ref_rsqrt, 1.75, -126, INFINITY},
    {"gelu", _mlir_ciface_vector_gelu, ref_gelu, 7.5, -100, 1e30},
    {"gelu_tanh", _mlir_ciface_vector_gelu_tanh, ref_gelu_tanh, 20, -20, 1e30},
    {"gelu_quick", _mlir_ciface_vector_gelu_quick, ref_gelu_quick, 16, -20, 1e30},
    {"silu", _mlir_ciface_vector_silu, ref_silu, 3.25, -100, 1e30},
    {"sigmoid", _mlir_ciface_vector_sigmoid, ref_sigmoid, 2.75, -100, 1e30},
    {"softplus", _mlir_ciface_vector_softplus, ref_softplus, 2, -126, 1e30},
    {"mish", _mlir_ciface_vector_mish, ref_mish, 5, -100, 1e30},
};

static double error_in_ulp(float got, double exact, int floor) {
  float rounded = (float)exact;
  if (isnan(exact))
    return isnan(got) ? 0 : INFINITY;
  if (isnan(got) || isinf(rounded) || isinf(got))
    return got == rounded ? 0 : INFINITY;
  int exponent = exact == 0 ? floor : ilogb(exact);
  if (exponent < floor)
    exponent = floor;
  return fabs(got - exact) / ldexp(1.0, exponent - 23);
}

int main(int argc, char **argv) {
  static float x[kChunk], y[kChunk];
  double scale = argc > 1 && !strcmp(argv[1], "alter") ? 1e-3 : 1;
  int failed = 0;
  for (size_t f = 0; f < sizeof kFunctions / sizeof *kFunctions; ++f) {
    double worst = 0;
    float at = 0;
    for (uint64_t bits = 0; bits < (1ull << 32);) {
      for (int i = 0; i < kChunk; ++i, bits += STEP) {
        uint32_t pattern = (uint32_t)bits; /* past the end it starts over */
        memcpy(&x[i], &pattern, sizeof pattern);
      }
      Memref1 X = vector_of(x, 0, kChunk), Y = vector_of(y, 0, kChunk);
      kFunctions[f].kernel(&X, &Y);
      for (int i = 0; i < kChunk; ++i) {
        if (fabs(x[i]) > kFunctions[f].largest)
          continue;
        double error = error_in_ulp(y[i], kFunctions[f].reference(x[i]), kFunctions[f].floor);
        if (error > worst)
          worst = error, at = x[i];
      }
    }
    int good = worst <= kFunctions[f].bound * scale;
    failed |= !good;
    printf("%s %.2f ulp at %.9g, %s\n", kFunctions[f].name, worst, at, good ? "ok" : "TOO LARGE");
  }
  return failed;
}
