// The hot loops over words: the dot-product instructions on the widest registers, and no vector that goes to the stack between them.
//
// RUN: env KERNEL_WORDS=1 sh %S/inputs/build-kernel.sh %s %t.o 16 && llvm-objdump -d --no-show-raw-insn %t.o > %t.s
// RUN: %python %S/inputs/check-hot-loops.py %t.s zmm int8=16:vpdpbusd bf16=16:vdpbf16ps int4=8:vfmadd231ps
//
// AVX2 has vpmaddwd: two products of 16 bits and their sum.
// RUN: sed 's/x32xi32>/x16xi32>/g' %s > %t.8.mlir
// RUN: sh %S/inputs/build-kernel.sh %t.8.mlir %t.8.o 8 && llvm-objdump -d --no-show-raw-insn %t.8.o > %t.8.s
// RUN: %python %S/inputs/check-hot-loops.py %t.8.s ymm int8=8:vpaddd && grep -c vpmaddwd %t.8.s
//
// Without them the check must notice.
// RUN: sh %S/inputs/build-kernel.sh %s %t.plain.o 16 && llvm-objdump -d --no-show-raw-insn %t.plain.o > %t.plain.s
// RUN: not %python %S/inputs/check-hot-loops.py %t.plain.s zmm int8=16:vpdpbusd | FileCheck %s
// CHECK: int8: 0 accumulators of vpdpbusd

func.func @int8(%a: memref<?x194xi32, strided<[?, 1], offset: ?>>, %p: memref<194x32xi32>, %b: memref<?xf32>,
    %c: memref<?x?xf32, strided<[?, 1], offset: ?>>) {
  sesame.word_matmul_tile of i8 lhs(%a : memref<?x194xi32, strided<[?, 1], offset: ?>>) panel(%p : memref<194x32xi32>) bias(%b : memref<?xf32>)
    activation = gelu out(%c : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

func.func @bf16(%a: memref<?x384xi32, strided<[?, 1], offset: ?>>, %p: memref<384x32xi32>, %b: memref<?xf32>,
    %c: memref<?x?xf32, strided<[?, 1], offset: ?>>) {
  sesame.word_matmul_tile of bf16 lhs(%a : memref<?x384xi32, strided<[?, 1], offset: ?>>) panel(%p : memref<384x32xi32>) bias(%b : memref<?xf32>)
    combine = add out(%c : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

// The integer sums of a group start from what the row says, so what is counted is the sums of floats over the groups.
func.func @int4(%a: memref<?x240xi32, strided<[?, 1], offset: ?>>, %p: memref<108x32xi32>, %b: memref<?xf32>,
    %c: memref<?x?xf32, strided<[?, 1], offset: ?>>) {
  sesame.word_matmul_tile of ui4 lhs(%a : memref<?x240xi32, strided<[?, 1], offset: ?>>) panel(%p : memref<108x32xi32>) bias(%b : memref<?xf32>)
    combine = add out(%c : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}
