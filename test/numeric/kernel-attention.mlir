// sesame.attention_tile against the definition in double: head sizes that divide nothing, masks of several types and both ranks, bias, causal
// with and without window, softcap, no visible key, no key at all. A row has the same bits alone as among others (so the panel and the
// one-row code agree), as one of several heads at one position, with more hidden keys after it, and with padding before it. The last RUN of each target shows that one wrong
// value is noticed.
//
// REQUIRES: x86-avx512
// RUN: sh %S/inputs/build-kernel.sh %s %t.16.o 16
// RUN: %cc -O2 %S/inputs/attention-tile.c %t.16.o -lm -o %t.16 && %t.16
// RUN: not %t.16 alter | FileCheck %s
// RUN: sh %S/inputs/build-kernel.sh %s %t.8.o 8
// RUN: %cc -O2 %S/inputs/attention-tile.c %t.8.o -lm -o %t.8 && %t.8
// RUN: not %t.8 alter | FileCheck %s
// RUN: sh %S/inputs/build-kernel.sh %s %t.4.o 4
// RUN: %cc -O2 %S/inputs/attention-tile.c %t.4.o -lm -o %t.4 && %t.4
//
// The same with factors of bf16.
// RUN: %if x86-avx512-words %{ sed 's/ out(/ bf16 out(/' %s > %t.mlir && env KERNEL_WORDS=1 sh %S/inputs/build-kernel.sh %t.mlir %t.w.o 16 %}
// RUN: %if x86-avx512-words %{ %cc -O2 -ffp-contract=off %S/inputs/attention-tile.c %t.w.o -lm -o %t.w && %t.w bf16 %}
// RUN: %if x86-avx512-words %{ not %t.w bf16 alter | FileCheck %s %}
//
// CHECK: plain: S = 1, T = 1, first = 0: out[0, 0] is {{.*}}, expected
// CHECK: 1 wrong of

func.func @plain(%q: memref<?x64xf32, strided<[?, 1], offset: ?>>, %k: memref<?x64xf32, strided<[?, 1], offset: ?>>, %v: memref<?x64xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?xi64>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x64xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.attention_tile query(%q : memref<?x64xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x64xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x64xf32, strided<[?, 1], offset: ?>>) first(%first)
    scale = 0.125 out(%o : memref<?x64xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @causal(%q: memref<?x64xf32, strided<[?, 1], offset: ?>>, %k: memref<?x64xf32, strided<[?, 1], offset: ?>>, %v: memref<?x64xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?xi64>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x64xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.attention_tile query(%q : memref<?x64xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x64xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x64xf32, strided<[?, 1], offset: ?>>) first(%first) causal
    scale = 0.125 out(%o : memref<?x64xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @padded(%q: memref<?x20xf32, strided<[?, 1], offset: ?>>, %k: memref<?x20xf32, strided<[?, 1], offset: ?>>, %v: memref<?x12xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?xi64>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x12xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.attention_tile query(%q : memref<?x20xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x20xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x12xf32, strided<[?, 1], offset: ?>>) mask(%mask : memref<?xi64>) first(%first)
    scale = 0.2236 out(%o : memref<?x12xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @padded_causal(%q: memref<?x64xf32, strided<[?, 1], offset: ?>>, %k: memref<?x64xf32, strided<[?, 1], offset: ?>>, %v: memref<?x64xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?xi64>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x64xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.attention_tile query(%q : memref<?x64xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x64xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x64xf32, strided<[?, 1], offset: ?>>) mask(%mask : memref<?xi64>) first(%first) causal
    scale = 0.125 out(%o : memref<?x64xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @mask_i1(%q: memref<?x12xf32, strided<[?, 1], offset: ?>>, %k: memref<?x12xf32, strided<[?, 1], offset: ?>>, %v: memref<?x20xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?xi1>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x20xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.attention_tile query(%q : memref<?x12xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x12xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x20xf32, strided<[?, 1], offset: ?>>) mask(%mask : memref<?xi1>) first(%first)
    scale = 0.2887 out(%o : memref<?x20xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @mask_i8(%q: memref<?x33xf32, strided<[?, 1], offset: ?>>, %k: memref<?x33xf32, strided<[?, 1], offset: ?>>, %v: memref<?x17xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?xi8>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x17xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.attention_tile query(%q : memref<?x33xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x33xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x17xf32, strided<[?, 1], offset: ?>>) mask(%mask : memref<?xi8>) first(%first) causal
    scale = 0.1741 out(%o : memref<?x17xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @mask_rows(%q: memref<?x16xf32, strided<[?, 1], offset: ?>>, %k: memref<?x16xf32, strided<[?, 1], offset: ?>>, %v: memref<?x16xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?x?xi32, strided<[?, 1], offset: ?>>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x16xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.attention_tile query(%q : memref<?x16xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x16xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x16xf32, strided<[?, 1], offset: ?>>) mask(%mask : memref<?x?xi32, strided<[?, 1], offset: ?>>) first(%first)
    scale = 0.25 out(%o : memref<?x16xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @mask_rows_i1(%q: memref<?x8xf32, strided<[?, 1], offset: ?>>, %k: memref<?x8xf32, strided<[?, 1], offset: ?>>, %v: memref<?x24xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?x?xi1, strided<[?, 1], offset: ?>>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x24xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.attention_tile query(%q : memref<?x8xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x8xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x24xf32, strided<[?, 1], offset: ?>>) mask(%mask : memref<?x?xi1, strided<[?, 1], offset: ?>>) first(%first) causal
    scale = 0.3536 out(%o : memref<?x24xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @bias_keys(%q: memref<?x24xf32, strided<[?, 1], offset: ?>>, %k: memref<?x24xf32, strided<[?, 1], offset: ?>>, %v: memref<?x80xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?xi64>, %bias: memref<1x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x80xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.attention_tile query(%q : memref<?x24xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x24xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x80xf32, strided<[?, 1], offset: ?>>) bias(%bias : memref<1x?xf32, strided<[?, 1], offset: ?>>) first(%first)
    scale = 0.2041 out(%o : memref<?x80xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @bias_rows(%q: memref<?x64xf32, strided<[?, 1], offset: ?>>, %k: memref<?x64xf32, strided<[?, 1], offset: ?>>, %v: memref<?x40xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?xi32>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x40xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.attention_tile query(%q : memref<?x64xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x64xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x40xf32, strided<[?, 1], offset: ?>>) mask(%mask : memref<?xi32>) bias(%bias : memref<?x?xf32, strided<[?, 1], offset: ?>>) first(%first)
    scale = 0.125 out(%o : memref<?x40xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @bias_mask_rows(%q: memref<?x80xf32, strided<[?, 1], offset: ?>>, %k: memref<?x80xf32, strided<[?, 1], offset: ?>>, %v: memref<?x8xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?x?xi8, strided<[?, 1], offset: ?>>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x8xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.attention_tile query(%q : memref<?x80xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x80xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x8xf32, strided<[?, 1], offset: ?>>) mask(%mask : memref<?x?xi8, strided<[?, 1], offset: ?>>) bias(%bias : memref<?x?xf32, strided<[?, 1], offset: ?>>) first(%first) causal
    scale = 0.1118 out(%o : memref<?x8xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @window(%q: memref<?x32xf32, strided<[?, 1], offset: ?>>, %k: memref<?x32xf32, strided<[?, 1], offset: ?>>, %v: memref<?x32xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?xi64>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x32xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.attention_tile query(%q : memref<?x32xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x32xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x32xf32, strided<[?, 1], offset: ?>>) first(%first) causal window = 37
    scale = 0.1768 out(%o : memref<?x32xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @window_padded(%q: memref<?x48xf32, strided<[?, 1], offset: ?>>, %k: memref<?x48xf32, strided<[?, 1], offset: ?>>, %v: memref<?x7xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?xi64>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x7xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.attention_tile query(%q : memref<?x48xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x48xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x7xf32, strided<[?, 1], offset: ?>>) mask(%mask : memref<?xi64>) first(%first) causal window = 300
    scale = 0.1443 out(%o : memref<?x7xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @softcap(%q: memref<?x1xf32, strided<[?, 1], offset: ?>>, %k: memref<?x1xf32, strided<[?, 1], offset: ?>>, %v: memref<?x1xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?xi64>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x1xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.attention_tile query(%q : memref<?x1xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x1xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x1xf32, strided<[?, 1], offset: ?>>) mask(%mask : memref<?xi64>) first(%first) causal
    scale = 1.0 softcap = 3.0 out(%o : memref<?x1xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @softcap_bias(%q: memref<?x128xf32, strided<[?, 1], offset: ?>>, %k: memref<?x128xf32, strided<[?, 1], offset: ?>>, %v: memref<?x128xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?xi64>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x128xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.attention_tile query(%q : memref<?x128xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x128xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x128xf32, strided<[?, 1], offset: ?>>) bias(%bias : memref<?x?xf32, strided<[?, 1], offset: ?>>) first(%first) causal window = 64
    scale = 0.0884 softcap = 3.0 out(%o : memref<?x128xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @large_head(%q: memref<?x200xf32, strided<[?, 1], offset: ?>>, %k: memref<?x200xf32, strided<[?, 1], offset: ?>>, %v: memref<?x256xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?xi64>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x256xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.attention_tile query(%q : memref<?x200xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x200xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x256xf32, strided<[?, 1], offset: ?>>) mask(%mask : memref<?xi64>) first(%first) causal
    scale = 0.0707 out(%o : memref<?x256xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @heads_causal(%q: memref<?x64xf32, strided<[?, 1], offset: ?>>, %k: memref<?x64xf32, strided<[?, 1], offset: ?>>, %v: memref<?x64xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?xi64>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x64xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  %qh = memref.cast %q : memref<?x64xf32, strided<[?, 1], offset: ?>> to memref<4x64xf32, strided<[?, 1], offset: ?>>
  %oh = memref.cast %o : memref<?x64xf32, strided<[?, 1], offset: ?>> to memref<4x64xf32, strided<[?, 1], offset: ?>>
  sesame.attention_tile heads query(%qh : memref<4x64xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x64xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x64xf32, strided<[?, 1], offset: ?>>) first(%first) causal
    scale = 0.125 out(%oh : memref<4x64xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @heads_padded(%q: memref<?x20xf32, strided<[?, 1], offset: ?>>, %k: memref<?x20xf32, strided<[?, 1], offset: ?>>, %v: memref<?x12xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?xi64>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x12xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  %qh = memref.cast %q : memref<?x20xf32, strided<[?, 1], offset: ?>> to memref<7x20xf32, strided<[?, 1], offset: ?>>
  %oh = memref.cast %o : memref<?x12xf32, strided<[?, 1], offset: ?>> to memref<7x12xf32, strided<[?, 1], offset: ?>>
  sesame.attention_tile heads query(%qh : memref<7x20xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x20xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x12xf32, strided<[?, 1], offset: ?>>) mask(%mask : memref<?xi64>) first(%first)
    scale = 0.2236 out(%oh : memref<7x12xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @heads_bias(%q: memref<?x64xf32, strided<[?, 1], offset: ?>>, %k: memref<?x64xf32, strided<[?, 1], offset: ?>>, %v: memref<?x40xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?xi32>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x40xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  %qh = memref.cast %q : memref<?x64xf32, strided<[?, 1], offset: ?>> to memref<2x64xf32, strided<[?, 1], offset: ?>>
  %oh = memref.cast %o : memref<?x40xf32, strided<[?, 1], offset: ?>> to memref<2x40xf32, strided<[?, 1], offset: ?>>
  sesame.attention_tile heads query(%qh : memref<2x64xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x64xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x40xf32, strided<[?, 1], offset: ?>>) mask(%mask : memref<?xi32>) bias(%bias : memref<?x?xf32, strided<[?, 1], offset: ?>>) first(%first)
    scale = 0.125 out(%oh : memref<2x40xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @heads_window(%q: memref<?x48xf32, strided<[?, 1], offset: ?>>, %k: memref<?x48xf32, strided<[?, 1], offset: ?>>, %v: memref<?x7xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?xi64>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x7xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  %qh = memref.cast %q : memref<?x48xf32, strided<[?, 1], offset: ?>> to memref<5x48xf32, strided<[?, 1], offset: ?>>
  %oh = memref.cast %o : memref<?x7xf32, strided<[?, 1], offset: ?>> to memref<5x7xf32, strided<[?, 1], offset: ?>>
  sesame.attention_tile heads query(%qh : memref<5x48xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x48xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x7xf32, strided<[?, 1], offset: ?>>) mask(%mask : memref<?xi64>) first(%first) causal window = 300
    scale = 0.1443 out(%oh : memref<5x7xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @heads_softcap_bias(%q: memref<?x128xf32, strided<[?, 1], offset: ?>>, %k: memref<?x128xf32, strided<[?, 1], offset: ?>>, %v: memref<?x128xf32, strided<[?, 1], offset: ?>>,
    %mask: memref<?xi64>, %bias: memref<?x?xf32, strided<[?, 1], offset: ?>>, %first: index,
    %o: memref<?x128xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  %qh = memref.cast %q : memref<?x128xf32, strided<[?, 1], offset: ?>> to memref<8x128xf32, strided<[?, 1], offset: ?>>
  %oh = memref.cast %o : memref<?x128xf32, strided<[?, 1], offset: ?>> to memref<8x128xf32, strided<[?, 1], offset: ?>>
  sesame.attention_tile heads query(%qh : memref<8x128xf32, strided<[?, 1], offset: ?>>) key(%k : memref<?x128xf32, strided<[?, 1], offset: ?>>)
    value(%v : memref<?x128xf32, strided<[?, 1], offset: ?>>) bias(%bias : memref<?x?xf32, strided<[?, 1], offset: ?>>) first(%first) causal window = 64
    scale = 0.0884 softcap = 3.0 out(%oh : memref<8x128xf32, strided<[?, 1], offset: ?>>)
  return
}
