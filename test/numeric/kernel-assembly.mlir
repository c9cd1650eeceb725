// The code of the hot loops: the widest registers, fused multiply-adds, and no vector that goes to the stack between them.
//
// RUN: sh %S/inputs/build-kernel.sh %s %t.16.o 16 && llvm-objdump -d --no-show-raw-insn %t.16.o > %t.16.s
// RUN: %python %S/inputs/check-hot-loops.py %t.16.s zmm matmul=16 attention=16
// RUN: sed 's/memref<48x32xf32>/memref<48x16xf32>/g' %s > %t.8.mlir
// RUN: sh %S/inputs/build-kernel.sh %t.8.mlir %t.8.o 8 && llvm-objdump -d --no-show-raw-insn %t.8.o > %t.8.s
// RUN: %python %S/inputs/check-hot-loops.py %t.8.s ymm matmul=12 attention=12
//
// Blocks of 8 rows and 4 vectors have as many accumulators as there are registers: the check must notice.
// RUN: sed 's/memref<48x32xf32>/memref<48x64xf32>/g' %s > %t.wide.mlir
// RUN: env KERNEL_ROWS=8 sh %S/inputs/build-kernel.sh %t.wide.mlir %t.wide.o 16 && llvm-objdump -d --no-show-raw-insn %t.wide.o > %t.wide.s
// RUN: not %python %S/inputs/check-hot-loops.py %t.wide.s zmm matmul=16 | FileCheck %s
// CHECK: matmul: {{.*}} vectors on the stack

func.func @matmul(%a: memref<?x48xf32, strided<[?, 1], offset: ?>>, %p: memref<48x32xf32>, %b: memref<?xf32>, %c: memref<?x?xf32, strided<[?, 1], offset: ?>>) {
  sesame.matmul_tile lhs(%a : memref<?x48xf32, strided<[?, 1], offset: ?>>) panel(%p : memref<48x32xf32>) bias(%b : memref<?xf32>)
    activation = gelu out(%c : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  return
}

func.func @attention(%q: memref<?x64xf32, strided<[?, 1], offset: ?>>, %k: memref<?x64xf32, strided<[?, 1], offset: ?>>,
    %v: memref<?x64xf32, strided<[?, 1], offset: ?>>, %m: memref<?xi64>, %o: memref<?x64xf32, strided<[?, 1], offset: ?>>, %s: index) {
  sesame.attention_tile query(%q : memref<?x64xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x64xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x64xf32, strided<[?, 1], offset: ?>>) mask(%m : memref<?xi64>) first(%s) causal scale = 0.125
    out(%o : memref<?x64xf32, strided<[?, 1], offset: ?>>)
  return
}
