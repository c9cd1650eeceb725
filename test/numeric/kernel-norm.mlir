// sesame.norm_tile against the definition in double: both kinds, with and without weight, bias and offset, widths on both sides of every
// loop's step, ragged strides, in place; rows keep their bits whatever M is. The last RUN of each target shows that one wrong value is noticed.
//
// REQUIRES: x86-avx512
// RUN: sh %S/inputs/build-kernel.sh %s %t.16.o 16
// RUN: %cc -O2 %S/inputs/norm-tile.c %t.16.o -lm -o %t.16 && %t.16
// RUN: not %t.16 alter | FileCheck %s
// RUN: sh %S/inputs/build-kernel.sh %s %t.8.o 8
// RUN: %cc -O2 %S/inputs/norm-tile.c %t.8.o -lm -o %t.8 && %t.8
// RUN: not %t.8 alter | FileCheck %s
// RUN: sh %S/inputs/build-kernel.sh %s %t.4.o 4
// RUN: %cc -O2 %S/inputs/norm-tile.c %t.4.o -lm -o %t.4 && %t.4
// CHECK: layer_1: M = 1: out[0, 0] is {{.*}}, expected
// CHECK: 1 wrong of

func.func @layer_1(%x: memref<?x1xf32, strided<[?, 1], offset: ?>>, %w: memref<1xf32>, %b: memref<1xf32>,
    %o: memref<?x1xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.norm_tile layer input(%x : memref<?x1xf32, strided<[?, 1], offset: ?>>) weight(%w : memref<1xf32>) bias(%b : memref<1xf32>) 
    epsilon = 1.0e-5 out(%o : memref<?x1xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @layer_7(%x: memref<?x7xf32, strided<[?, 1], offset: ?>>, %w: memref<7xf32>, %b: memref<7xf32>,
    %o: memref<?x7xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.norm_tile layer input(%x : memref<?x7xf32, strided<[?, 1], offset: ?>>) weight(%w : memref<7xf32>) bias(%b : memref<7xf32>) 
    epsilon = 1.0e-5 out(%o : memref<?x7xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @layer_16(%x: memref<?x16xf32, strided<[?, 1], offset: ?>>, %w: memref<16xf32>, %b: memref<16xf32>,
    %o: memref<?x16xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.norm_tile layer input(%x : memref<?x16xf32, strided<[?, 1], offset: ?>>) weight(%w : memref<16xf32>) bias(%b : memref<16xf32>) 
    epsilon = 1.0e-5 out(%o : memref<?x16xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @layer_36(%x: memref<?x36xf32, strided<[?, 1], offset: ?>>, %w: memref<36xf32>, %b: memref<36xf32>,
    %o: memref<?x36xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.norm_tile layer input(%x : memref<?x36xf32, strided<[?, 1], offset: ?>>) weight(%w : memref<36xf32>) bias(%b : memref<36xf32>) 
    epsilon = 1.0e-5 out(%o : memref<?x36xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @layer_64(%x: memref<?x64xf32, strided<[?, 1], offset: ?>>, %w: memref<64xf32>, %b: memref<64xf32>,
    %o: memref<?x64xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.norm_tile layer input(%x : memref<?x64xf32, strided<[?, 1], offset: ?>>) weight(%w : memref<64xf32>) bias(%b : memref<64xf32>) 
    epsilon = 1.0e-5 out(%o : memref<?x64xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @layer_100(%x: memref<?x100xf32, strided<[?, 1], offset: ?>>, %w: memref<100xf32>, %b: memref<100xf32>,
    %o: memref<?x100xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.norm_tile layer input(%x : memref<?x100xf32, strided<[?, 1], offset: ?>>) weight(%w : memref<100xf32>) bias(%b : memref<100xf32>) 
    epsilon = 1.0e-5 out(%o : memref<?x100xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @layer_768(%x: memref<?x768xf32, strided<[?, 1], offset: ?>>, %w: memref<768xf32>, %b: memref<768xf32>,
    %o: memref<?x768xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.norm_tile layer input(%x : memref<?x768xf32, strided<[?, 1], offset: ?>>) weight(%w : memref<768xf32>) bias(%b : memref<768xf32>) 
    epsilon = 1.0e-5 out(%o : memref<?x768xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @rms_5(%x: memref<?x5xf32, strided<[?, 1], offset: ?>>, %w: memref<5xf32>, %b: memref<5xf32>,
    %o: memref<?x5xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.norm_tile rms input(%x : memref<?x5xf32, strided<[?, 1], offset: ?>>) weight(%w : memref<5xf32>) 
    epsilon = 1.0e-5 out(%o : memref<?x5xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @rms_33(%x: memref<?x33xf32, strided<[?, 1], offset: ?>>, %w: memref<33xf32>, %b: memref<33xf32>,
    %o: memref<?x33xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.norm_tile rms input(%x : memref<?x33xf32, strided<[?, 1], offset: ?>>) weight(%w : memref<33xf32>) 
    epsilon = 1.0e-5 out(%o : memref<?x33xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @rms_128(%x: memref<?x128xf32, strided<[?, 1], offset: ?>>, %w: memref<128xf32>, %b: memref<128xf32>,
    %o: memref<?x128xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.norm_tile rms input(%x : memref<?x128xf32, strided<[?, 1], offset: ?>>) weight(%w : memref<128xf32>) 
    epsilon = 1.0e-5 out(%o : memref<?x128xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @rms_300(%x: memref<?x300xf32, strided<[?, 1], offset: ?>>, %w: memref<300xf32>, %b: memref<300xf32>,
    %o: memref<?x300xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.norm_tile rms input(%x : memref<?x300xf32, strided<[?, 1], offset: ?>>) weight(%w : memref<300xf32>) 
    epsilon = 1.0e-5 out(%o : memref<?x300xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @layer_plain_20(%x: memref<?x20xf32, strided<[?, 1], offset: ?>>, %w: memref<20xf32>, %b: memref<20xf32>,
    %o: memref<?x20xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.norm_tile layer input(%x : memref<?x20xf32, strided<[?, 1], offset: ?>>) 
    epsilon = 1.0e-5 out(%o : memref<?x20xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @layer_no_bias_23(%x: memref<?x23xf32, strided<[?, 1], offset: ?>>, %w: memref<23xf32>, %b: memref<23xf32>,
    %o: memref<?x23xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.norm_tile layer input(%x : memref<?x23xf32, strided<[?, 1], offset: ?>>) weight(%w : memref<23xf32>) 
    epsilon = 1.0e-5 out(%o : memref<?x23xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @rms_offset_77(%x: memref<?x77xf32, strided<[?, 1], offset: ?>>, %w: memref<77xf32>, %b: memref<77xf32>,
    %o: memref<?x77xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.norm_tile rms input(%x : memref<?x77xf32, strided<[?, 1], offset: ?>>) weight(%w : memref<77xf32>) 
    epsilon = 1.0e-5 offset = 1.0 out(%o : memref<?x77xf32, strided<[?, 1], offset: ?>>)
  return
}
func.func @rms_plain_48(%x: memref<?x48xf32, strided<[?, 1], offset: ?>>, %w: memref<48xf32>, %b: memref<48xf32>,
    %o: memref<?x48xf32, strided<[?, 1], offset: ?>>) attributes {llvm.emit_c_interface} {
  sesame.norm_tile rms input(%x : memref<?x48xf32, strided<[?, 1], offset: ?>>) 
    epsilon = 1.0e-5 out(%o : memref<?x48xf32, strided<[?, 1], offset: ?>>)
  return
}
