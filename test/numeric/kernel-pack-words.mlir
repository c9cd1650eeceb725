// sesame.pack_words_tile against its formulas, in the same roundings: rows of every kind, NaN and infinity among them; nothing outside a row's words is written.
//
// REQUIRES: x86-avx512
// RUN: sh %S/inputs/build-kernel.sh %s %t.16.o 16
// RUN: %cc -O2 -ffp-contract=off -mfma %S/inputs/pack-words-tile.c %t.16.o -lm -o %t.16 && %t.16
// RUN: not %t.16 alter | FileCheck %s
// RUN: %if x86-avx512-words %{ env KERNEL_WORDS=1 sh %S/inputs/build-kernel.sh %s %t.w.o 16 %}
// RUN: %if x86-avx512-words %{ %cc -O2 -ffp-contract=off -mfma %S/inputs/pack-words-tile.c %t.w.o -lm -o %t.w && %t.w %}
// RUN: sh %S/inputs/build-kernel.sh %s %t.8.o 8
// RUN: %cc -O2 -ffp-contract=off -mfma %S/inputs/pack-words-tile.c %t.8.o -lm -o %t.8 && %t.8
// CHECK: int8_1: row 0: zero point 1 is {{.*}}, expected
// CHECK: 1 wrong of

func.func @int8_1(%x: memref<?x1xf32, strided<[?, 1], offset: ?>>, %q: memref<?x3xi32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.pack_words_tile of i8 input(%x : memref<?x1xf32, strided<[?, 1], offset: ?>>) out(%q : memref<?x3xi32, strided<[?, 1], offset: ?>>)
  return
}

func.func @int8_83(%x: memref<?x83xf32, strided<[?, 1], offset: ?>>, %q: memref<?x23xi32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.pack_words_tile of i8 input(%x : memref<?x83xf32, strided<[?, 1], offset: ?>>) out(%q : memref<?x23xi32, strided<[?, 1], offset: ?>>)
  return
}

func.func @int8_192(%x: memref<?x192xf32, strided<[?, 1], offset: ?>>, %q: memref<?x50xi32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.pack_words_tile of i8 input(%x : memref<?x192xf32, strided<[?, 1], offset: ?>>) out(%q : memref<?x50xi32, strided<[?, 1], offset: ?>>)
  return
}

func.func @bf16_1(%x: memref<?x1xf32, strided<[?, 1], offset: ?>>, %q: memref<?x1xi32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.pack_words_tile of bf16 input(%x : memref<?x1xf32, strided<[?, 1], offset: ?>>) out(%q : memref<?x1xi32, strided<[?, 1], offset: ?>>)
  return
}

func.func @bf16_83(%x: memref<?x83xf32, strided<[?, 1], offset: ?>>, %q: memref<?x42xi32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.pack_words_tile of bf16 input(%x : memref<?x83xf32, strided<[?, 1], offset: ?>>) out(%q : memref<?x42xi32, strided<[?, 1], offset: ?>>)
  return
}

func.func @bf16_48(%x: memref<?x48xf32, strided<[?, 1], offset: ?>>, %q: memref<?x24xi32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.pack_words_tile of bf16 input(%x : memref<?x48xf32, strided<[?, 1], offset: ?>>) out(%q : memref<?x24xi32, strided<[?, 1], offset: ?>>)
  return
}

func.func @int4_1(%x: memref<?x1xf32, strided<[?, 1], offset: ?>>, %q: memref<?x20xi32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.pack_words_tile of ui4 input(%x : memref<?x1xf32, strided<[?, 1], offset: ?>>) out(%q : memref<?x20xi32, strided<[?, 1], offset: ?>>)
  return
}

func.func @int4_83(%x: memref<?x83xf32, strided<[?, 1], offset: ?>>, %q: memref<?x40xi32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.pack_words_tile of ui4 input(%x : memref<?x83xf32, strided<[?, 1], offset: ?>>) out(%q : memref<?x40xi32, strided<[?, 1], offset: ?>>)
  return
}

func.func @int4_192(%x: memref<?x192xf32, strided<[?, 1], offset: ?>>, %q: memref<?x60xi32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.pack_words_tile of ui4 input(%x : memref<?x192xf32, strided<[?, 1], offset: ?>>) out(%q : memref<?x60xi32, strided<[?, 1], offset: ?>>)
  return
}
