// sesame.embedding_tile against sums in the same order, bit by bit: one to three tables, index types, widths, strides; nothing
// outside `out` is written. The last RUN of each target shows that one wrong value is noticed.
//
// REQUIRES: x86-avx512
// RUN: sh %S/inputs/build-kernel.sh %s %t.16.o 16
// RUN: %cc -O2 %S/inputs/embedding-tile.c %t.16.o -lm -o %t.16 && %t.16
// RUN: not %t.16 alter | FileCheck %s
// RUN: sh %S/inputs/build-kernel.sh %s %t.8.o 8
// RUN: %cc -O2 %S/inputs/embedding-tile.c %t.8.o -lm -o %t.8 && %t.8
// RUN: not %t.8 alter | FileCheck %s
// RUN: sh %S/inputs/build-kernel.sh %s %t.4.o 4
// RUN: %cc -O2 %S/inputs/embedding-tile.c %t.4.o -lm -o %t.4 && %t.4
// CHECK: one_3: M = 1: out[0, 0] is {{.*}}, expected
// CHECK: 1 wrong of

func.func @one_3(%i0: memref<?xi64>, %i1: memref<?xi32>, %i2: memref<?xi8>, %t0: memref<?x3xf32, strided<[?, 1], offset: ?>>,
    %t1: memref<?x3xf32, strided<[?, 1], offset: ?>>, %t2: memref<?x3xf32, strided<[?, 1], offset: ?>>,
    %o: memref<?x3xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.embedding_tile indices(%i0 : memref<?xi64>)
    tables(%t0 : memref<?x3xf32, strided<[?, 1], offset: ?>>)
    out(%o : memref<?x3xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @one_16(%i0: memref<?xi64>, %i1: memref<?xi32>, %i2: memref<?xi8>, %t0: memref<?x16xf32, strided<[?, 1], offset: ?>>,
    %t1: memref<?x16xf32, strided<[?, 1], offset: ?>>, %t2: memref<?x16xf32, strided<[?, 1], offset: ?>>,
    %o: memref<?x16xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.embedding_tile indices(%i0 : memref<?xi64>)
    tables(%t0 : memref<?x16xf32, strided<[?, 1], offset: ?>>)
    out(%o : memref<?x16xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @one_36(%i0: memref<?xi64>, %i1: memref<?xi32>, %i2: memref<?xi8>, %t0: memref<?x36xf32, strided<[?, 1], offset: ?>>,
    %t1: memref<?x36xf32, strided<[?, 1], offset: ?>>, %t2: memref<?x36xf32, strided<[?, 1], offset: ?>>,
    %o: memref<?x36xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.embedding_tile indices(%i0 : memref<?xi64>)
    tables(%t0 : memref<?x36xf32, strided<[?, 1], offset: ?>>)
    out(%o : memref<?x36xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @one_768(%i0: memref<?xi64>, %i1: memref<?xi32>, %i2: memref<?xi8>, %t0: memref<?x768xf32, strided<[?, 1], offset: ?>>,
    %t1: memref<?x768xf32, strided<[?, 1], offset: ?>>, %t2: memref<?x768xf32, strided<[?, 1], offset: ?>>,
    %o: memref<?x768xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.embedding_tile indices(%i0 : memref<?xi64>)
    tables(%t0 : memref<?x768xf32, strided<[?, 1], offset: ?>>)
    out(%o : memref<?x768xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @two_8(%i0: memref<?xi64>, %i1: memref<?xi32>, %i2: memref<?xi8>, %t0: memref<?x8xf32, strided<[?, 1], offset: ?>>,
    %t1: memref<?x8xf32, strided<[?, 1], offset: ?>>, %t2: memref<?x8xf32, strided<[?, 1], offset: ?>>,
    %o: memref<?x8xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.embedding_tile indices(%i0, %i1 : memref<?xi64>, memref<?xi32>)
    tables(%t0, %t1 : memref<?x8xf32, strided<[?, 1], offset: ?>>, memref<?x8xf32, strided<[?, 1], offset: ?>>)
    out(%o : memref<?x8xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @two_100(%i0: memref<?xi64>, %i1: memref<?xi32>, %i2: memref<?xi8>, %t0: memref<?x100xf32, strided<[?, 1], offset: ?>>,
    %t1: memref<?x100xf32, strided<[?, 1], offset: ?>>, %t2: memref<?x100xf32, strided<[?, 1], offset: ?>>,
    %o: memref<?x100xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.embedding_tile indices(%i0, %i1 : memref<?xi64>, memref<?xi32>)
    tables(%t0, %t1 : memref<?x100xf32, strided<[?, 1], offset: ?>>, memref<?x100xf32, strided<[?, 1], offset: ?>>)
    out(%o : memref<?x100xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @three_1(%i0: memref<?xi64>, %i1: memref<?xi32>, %i2: memref<?xi8>, %t0: memref<?x1xf32, strided<[?, 1], offset: ?>>,
    %t1: memref<?x1xf32, strided<[?, 1], offset: ?>>, %t2: memref<?x1xf32, strided<[?, 1], offset: ?>>,
    %o: memref<?x1xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.embedding_tile indices(%i0, %i1, %i2 : memref<?xi64>, memref<?xi32>, memref<?xi8>)
    tables(%t0, %t1, %t2 : memref<?x1xf32, strided<[?, 1], offset: ?>>, memref<?x1xf32, strided<[?, 1], offset: ?>>, memref<?x1xf32, strided<[?, 1], offset: ?>>)
    out(%o : memref<?x1xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @three_33(%i0: memref<?xi64>, %i1: memref<?xi32>, %i2: memref<?xi8>, %t0: memref<?x33xf32, strided<[?, 1], offset: ?>>,
    %t1: memref<?x33xf32, strided<[?, 1], offset: ?>>, %t2: memref<?x33xf32, strided<[?, 1], offset: ?>>,
    %o: memref<?x33xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.embedding_tile indices(%i0, %i1, %i2 : memref<?xi64>, memref<?xi32>, memref<?xi8>)
    tables(%t0, %t1, %t2 : memref<?x33xf32, strided<[?, 1], offset: ?>>, memref<?x33xf32, strided<[?, 1], offset: ?>>, memref<?x33xf32, strided<[?, 1], offset: ?>>)
    out(%o : memref<?x33xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @three_64(%i0: memref<?xi64>, %i1: memref<?xi32>, %i2: memref<?xi8>, %t0: memref<?x64xf32, strided<[?, 1], offset: ?>>,
    %t1: memref<?x64xf32, strided<[?, 1], offset: ?>>, %t2: memref<?x64xf32, strided<[?, 1], offset: ?>>,
    %o: memref<?x64xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.embedding_tile indices(%i0, %i1, %i2 : memref<?xi64>, memref<?xi32>, memref<?xi8>)
    tables(%t0, %t1, %t2 : memref<?x64xf32, strided<[?, 1], offset: ?>>, memref<?x64xf32, strided<[?, 1], offset: ?>>, memref<?x64xf32, strided<[?, 1], offset: ?>>)
    out(%o : memref<?x64xf32, strided<[?, 1], offset: ?>>)
  return
}
