// RUN: sesame-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @mask_of_ones_is_dropped
// CHECK: sesame.attention %{{.*}}, %{{.*}}, %{{.*}} scale
func.func @mask_of_ones_is_dropped(%q: tensor<2x6x5x4xf32>, %k: tensor<2x2x7x4xf32>) -> tensor<2x6x5x4xf32> {
  %m = arith.constant dense<1> : tensor<1x7xi64>
  %o = sesame.attention %q, %k, %k mask(%m : tensor<1x7xi64>) scale = 0.5 : tensor<2x6x5x4xf32>, tensor<2x2x7x4xf32>, tensor<2x2x7x4xf32> -> tensor<2x6x5x4xf32>
  return %o : tensor<2x6x5x4xf32>
}

// CHECK-LABEL: func.func @mask_with_a_zero_stays
// CHECK: mask(
func.func @mask_with_a_zero_stays(%q: tensor<2x6x5x4xf32>, %k: tensor<2x2x3x4xf32>) -> tensor<2x6x5x4xf32> {
  %m = arith.constant dense<[[1, 0, 1]]> : tensor<1x3xi64>
  %o = sesame.attention %q, %k, %k mask(%m : tensor<1x3xi64>) scale = 0.5 : tensor<2x6x5x4xf32>, tensor<2x2x3x4xf32>, tensor<2x2x3x4xf32> -> tensor<2x6x5x4xf32>
  return %o : tensor<2x6x5x4xf32>
}

// CHECK-LABEL: func.func @mask_of_zeros_stays
// CHECK: mask(
func.func @mask_of_zeros_stays(%q: tensor<2x6x5x4xf32>, %k: tensor<2x2x3x4xf32>) -> tensor<2x6x5x4xf32> {
  %m = arith.constant dense<0> : tensor<1x3xi64>
  %o = sesame.attention %q, %k, %k mask(%m : tensor<1x3xi64>) scale = 0.5 : tensor<2x6x5x4xf32>, tensor<2x2x3x4xf32>, tensor<2x2x3x4xf32> -> tensor<2x6x5x4xf32>
  return %o : tensor<2x6x5x4xf32>
}

// CHECK-LABEL: func.func @bias_of_zeros_is_dropped
// CHECK-NOT: bias
// CHECK: return
func.func @bias_of_zeros_is_dropped(%q: tensor<2x6x5x4xf32>, %k: tensor<2x2x7x4xf32>) -> tensor<2x6x5x4xf32> {
  %b = arith.constant dense<0.0> : tensor<1x1x5x7xf32>
  %o = sesame.attention %q, %k, %k bias(%b : tensor<1x1x5x7xf32>) scale = 0.5 : tensor<2x6x5x4xf32>, tensor<2x2x7x4xf32>, tensor<2x2x7x4xf32> -> tensor<2x6x5x4xf32>
  return %o : tensor<2x6x5x4xf32>
}

// CHECK-LABEL: func.func @window_as_long_as_the_keys_is_dropped
// CHECK: causal scale
func.func @window_as_long_as_the_keys_is_dropped(%q: tensor<2x6x5x4xf32>, %k: tensor<2x2x7x4xf32>) -> tensor<2x6x5x4xf32> {
  %o = sesame.attention %q, %k, %k causal window = 7 scale = 0.5 : tensor<2x6x5x4xf32>, tensor<2x2x7x4xf32>, tensor<2x2x7x4xf32> -> tensor<2x6x5x4xf32>
  return %o : tensor<2x6x5x4xf32>
}

// CHECK-LABEL: func.func @shorter_window_stays
// CHECK: causal window = 6 scale
func.func @shorter_window_stays(%q: tensor<2x6x5x4xf32>, %k: tensor<2x2x7x4xf32>) -> tensor<2x6x5x4xf32> {
  %o = sesame.attention %q, %k, %k causal window = 6 scale = 0.5 : tensor<2x6x5x4xf32>, tensor<2x2x7x4xf32>, tensor<2x2x7x4xf32> -> tensor<2x6x5x4xf32>
  return %o : tensor<2x6x5x4xf32>
}

// CHECK-LABEL: func.func @one_query_sees_all_its_past
// CHECK-NOT: causal
// CHECK: return
func.func @one_query_sees_all_its_past(%q: tensor<?x6x1x4xf32>, %k: tensor<?x2x?x4xf32>) -> tensor<?x6x1x4xf32> {
  %o = sesame.attention %q, %k, %k causal scale = 0.5 : tensor<?x6x1x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32> -> tensor<?x6x1x4xf32>
  return %o : tensor<?x6x1x4xf32>
}

// CHECK-LABEL: func.func @one_query_with_a_window_stays
// CHECK: causal window = 3
func.func @one_query_with_a_window_stays(%q: tensor<?x6x1x4xf32>, %k: tensor<?x2x?x4xf32>) -> tensor<?x6x1x4xf32> {
  %o = sesame.attention %q, %k, %k causal window = 3 scale = 0.5 : tensor<?x6x1x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32> -> tensor<?x6x1x4xf32>
  return %o : tensor<?x6x1x4xf32>
}
