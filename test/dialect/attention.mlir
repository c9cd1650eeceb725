// RUN: sesame-opt %s | sesame-opt | FileCheck %s
// RUN: sesame-opt %s --mlir-print-op-generic | sesame-opt | FileCheck %s

// CHECK-LABEL: func.func @grouped_heads
// CHECK: sesame.attention %{{.*}}, %{{.*}}, %{{.*}} scale = 5.000000e-01 : tensor<2x6x3x4xf32>, tensor<2x2x5x4xf32>, tensor<2x2x5x7xf32> -> tensor<2x6x3x7xf32>
func.func @grouped_heads(%q: tensor<2x6x3x4xf32>, %k: tensor<2x2x5x4xf32>, %v: tensor<2x2x5x7xf32>) -> tensor<2x6x3x7xf32> {
  %o = sesame.attention %q, %k, %v scale = 0.5 : tensor<2x6x3x4xf32>, tensor<2x2x5x4xf32>, tensor<2x2x5x7xf32> -> tensor<2x6x3x7xf32>
  return %o : tensor<2x6x3x7xf32>
}

// CHECK-LABEL: func.func @every_option
// CHECK: sesame.attention %{{.*}}, %{{.*}}, %{{.*}} mask(%{{.*}} : tensor<1x?x?xi1>) bias(%{{.*}} : tensor<1x6x1x?xbf16>) causal window = 3 scale = 5.000000e-01 softcap = 3.000000e+01 :
func.func @every_option(%q: tensor<?x6x?x4xbf16>, %k: tensor<?x2x?x4xbf16>, %v: tensor<?x2x?x7xbf16>, %m: tensor<1x?x?xi1>, %b: tensor<1x6x1x?xbf16>) -> tensor<?x6x?x7xbf16> {
  %o = sesame.attention %q, %k, %v mask(%m : tensor<1x?x?xi1>) bias(%b : tensor<1x6x1x?xbf16>) causal window = 3 scale = 0.5 softcap = 30.0
    : tensor<?x6x?x4xbf16>, tensor<?x2x?x4xbf16>, tensor<?x2x?x7xbf16> -> tensor<?x6x?x7xbf16>
  return %o : tensor<?x6x?x7xbf16>
}

// CHECK-LABEL: func.func @mask_of_rows
// CHECK: mask(%{{.*}} : tensor<?x?xi64>) scale
func.func @mask_of_rows(%q: tensor<?x?x?x?xf16>, %k: tensor<?x?x?x?xf16>, %v: tensor<?x?x?x?xf16>, %m: tensor<?x?xi64>) -> tensor<?x?x?x?xf16> {
  %o = sesame.attention %q, %k, %v mask(%m : tensor<?x?xi64>) scale = 0.5 : tensor<?x?x?x?xf16>, tensor<?x?x?x?xf16>, tensor<?x?x?x?xf16> -> tensor<?x?x?x?xf16>
  return %o : tensor<?x?x?x?xf16>
}
