// sesame.matmul_tile against a plain product in double, for every activation and combination, ragged M, N and strides; rows keep their
// bits whatever M is, and nothing outside `out` is written. The last RUN of each target shows that one wrong value is noticed.
//
// REQUIRES: x86-avx512
// RUN: sh %S/inputs/build-kernel.sh %s %t.16.o 16
// RUN: %cc -O2 -DWIDTH=32 %S/inputs/matmul-tile.c %t.16.o -lm -o %t.16 && %t.16
// RUN: not %t.16 alter | FileCheck %s
// RUN: sed 's/x32xf32/x16xf32/g' %s > %t.8.mlir
// RUN: sh %S/inputs/build-kernel.sh %t.8.mlir %t.8.o 8
// RUN: %cc -O2 -DWIDTH=16 %S/inputs/matmul-tile.c %t.8.o -lm -o %t.8 && %t.8
// RUN: not %t.8 alter | FileCheck %s
// RUN: sed 's/x32xf32/x8xf32/g' %s > %t.4.mlir
// RUN: sh %S/inputs/build-kernel.sh %t.4.mlir %t.4.o 4
// RUN: %cc -O2 -DWIDTH=8 %S/inputs/matmul-tile.c %t.4.o -lm -o %t.4 && %t.4
// CHECK: plain: M = 1, N = 1: out[0, 0] is {{.*}}, expected
// CHECK: 1 wrong of


func.func @plain(%lhs: memref<?x1xf32, strided<[?, 1], offset: ?>>, %panel: memref<1x32xf32>, %bias: memref<?xf32>,
    %out: memref<?x?xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x1xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<1x32xf32>)
    out(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

func.func @bias_k7(%lhs: memref<?x7xf32, strided<[?, 1], offset: ?>>, %panel: memref<7x32xf32>, %bias: memref<?xf32>,
    %out: memref<?x?xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x7xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<7x32xf32>) bias(%bias : memref<?xf32>)
    out(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

func.func @residual(%lhs: memref<?x64xf32, strided<[?, 1], offset: ?>>, %panel: memref<64x32xf32>, %bias: memref<?xf32>,
    %out: memref<?x?xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x64xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<64x32xf32>) bias(%bias : memref<?xf32>)
    combine = add out(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

func.func @gate(%lhs: memref<?x33xf32, strided<[?, 1], offset: ?>>, %panel: memref<33x32xf32>, %bias: memref<?xf32>,
    %out: memref<?x?xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x33xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<33x32xf32>)
    combine = multiply out(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

func.func @relu(%lhs: memref<?x20xf32, strided<[?, 1], offset: ?>>, %panel: memref<20x32xf32>, %bias: memref<?xf32>,
    %out: memref<?x?xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x20xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<20x32xf32>) bias(%bias : memref<?xf32>)
    activation = relu out(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

func.func @gelu(%lhs: memref<?x100xf32, strided<[?, 1], offset: ?>>, %panel: memref<100x32xf32>, %bias: memref<?xf32>,
    %out: memref<?x?xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x100xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<100x32xf32>) bias(%bias : memref<?xf32>)
    activation = gelu out(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

func.func @gelu_tanh(%lhs: memref<?x64xf32, strided<[?, 1], offset: ?>>, %panel: memref<64x32xf32>, %bias: memref<?xf32>,
    %out: memref<?x?xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x64xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<64x32xf32>) bias(%bias : memref<?xf32>)
    activation = gelu_tanh out(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

func.func @gelu_quick(%lhs: memref<?x17xf32, strided<[?, 1], offset: ?>>, %panel: memref<17x32xf32>, %bias: memref<?xf32>,
    %out: memref<?x?xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x17xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<17x32xf32>)
    activation = gelu_quick out(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

func.func @silu_gate(%lhs: memref<?x48xf32, strided<[?, 1], offset: ?>>, %panel: memref<48x32xf32>, %bias: memref<?xf32>,
    %out: memref<?x?xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x48xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<48x32xf32>)
    activation = silu combine = multiply out(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

func.func @hyperbolic_tangent(%lhs: memref<?x24xf32, strided<[?, 1], offset: ?>>, %panel: memref<24x32xf32>, %bias: memref<?xf32>,
    %out: memref<?x?xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x24xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<24x32xf32>) bias(%bias : memref<?xf32>)
    activation = tanh out(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

func.func @sigmoid(%lhs: memref<?x24xf32, strided<[?, 1], offset: ?>>, %panel: memref<24x32xf32>, %bias: memref<?xf32>,
    %out: memref<?x?xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x24xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<24x32xf32>) bias(%bias : memref<?xf32>)
    activation = sigmoid out(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

func.func @relu_squared(%lhs: memref<?x12xf32, strided<[?, 1], offset: ?>>, %panel: memref<12x32xf32>, %bias: memref<?xf32>,
    %out: memref<?x?xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x12xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<12x32xf32>) bias(%bias : memref<?xf32>)
    activation = relu_squared out(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

func.func @softplus(%lhs: memref<?x12xf32, strided<[?, 1], offset: ?>>, %panel: memref<12x32xf32>, %bias: memref<?xf32>,
    %out: memref<?x?xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x12xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<12x32xf32>) bias(%bias : memref<?xf32>)
    activation = softplus out(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

func.func @mish_add(%lhs: memref<?x40xf32, strided<[?, 1], offset: ?>>, %panel: memref<40x32xf32>, %bias: memref<?xf32>,
    %out: memref<?x?xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x40xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<40x32xf32>) bias(%bias : memref<?xf32>)
    activation = mish combine = add out(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

func.func @leaky_relu(%lhs: memref<?x9xf32, strided<[?, 1], offset: ?>>, %panel: memref<9x32xf32>, %bias: memref<?xf32>,
    %out: memref<?x?xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x9xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<9x32xf32>) bias(%bias : memref<?xf32>)
    activation = leaky_relu out(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

func.func @long_k(%lhs: memref<?x3072xf32, strided<[?, 1], offset: ?>>, %panel: memref<3072x32xf32>, %bias: memref<?xf32>,
    %out: memref<?x?xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x3072xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<3072x32xf32>) bias(%bias : memref<?xf32>)
    out(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

// Static extents: a whole panel, no masks; and a single row.
func.func @whole(%lhs: memref<?x48xf32, strided<[?, 1], offset: ?>>, %panel: memref<48x32xf32>, %bias: memref<?xf32>,
    %out: memref<?x32xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<?x48xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<48x32xf32>) bias(%bias : memref<?xf32>)
    activation = silu out(%out : memref<?x32xf32, strided<[?, 1], offset: ?>>)
  return
}

func.func @one_row(%lhs: memref<1x48xf32, strided<[?, 1], offset: ?>>, %panel: memref<48x32xf32>, %bias: memref<?xf32>,
    %out: memref<1x?xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.matmul_tile lhs(%lhs : memref<1x48xf32, strided<[?, 1], offset: ?>>) panel(%panel : memref<48x32xf32>)
    out(%out : memref<1x?xf32, strided<[?, 1], offset: ?>>)
  return
}
