// RUN: sesame-opt %s --sesame-lower-attention-tile --canonicalize --cse --split-input-file --verify-diagnostics | FileCheck %s
// RUN: not sesame-opt %s --sesame-lower-attention-tile=vector-lanes=8 --canonicalize --cse --split-input-file 2>/dev/null | FileCheck %s --check-prefix=AVX2
// RUN: not sesame-opt %s --sesame-lower-attention-tile=key-block=128 --canonicalize --cse --split-input-file 2>/dev/null | FileCheck %s --check-prefix=SHORT
// RUN: not sesame-opt %s --sesame-lower-attention-tile=key-block=100 2>&1 | FileCheck %s --check-prefix=KEYS
// KEYS: sesame-lower-attention-tile: key-block must be a multiple of 64, got 100

// A panel of 32 rows against blocks of 256 keys: a register tile of 8 keys for the scores, one of 8 features for the result.
// CHECK-LABEL: func.func @causal
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: memref<?x64xf32>, %[[K:[a-z0-9]+]]: memref<?x64xf32>, %[[V:[a-z0-9]+]]: memref<?x64xf32>, %[[O:[a-z0-9]+]]: memref<?x64xf32>
// CHECK-DAG:     %[[P:.*]] = memref.alloca() {{.*}} : memref<256x32xf32>
// SHORT-LABEL: func.func @causal
// SHORT:         memref.alloca() {{.*}} : memref<128x32xf32>
// CHECK-DAG:     memref.alloca() {{.*}} : memref<64x32xf32>
// The scores; keys are read as they lie.
// CHECK:         :16 = scf.for %{{.*}} = %c0 to %c64 step %c1 iter_args
// CHECK:           memref.load %[[K]]
// CHECK:           vector.fma
// Only register tiles at the causal border compare.
// CHECK:         scf.if %{{.*}} -> (vector<16xf32>
// CHECK:           arith.cmpi slt
// CHECK:         } else {
// CHECK-NOT:       arith.cmpi slt
// CHECK:         }
// CHECK:         vector.store %{{.*}}, %[[P]]
// The result.
// CHECK:         :16 = scf.for
// CHECK:           memref.load %[[V]]
// CHECK:           vector.fma
// CHECK-NOT:     sesame.attention_tile
// AVX2-LABEL: func.func @causal
// AVX2-DAG:     memref.alloca() {{.*}} : memref<192x16xf32>
// AVX2:         :12 = scf.for
func.func @causal(%q: memref<?x64xf32>, %k: memref<?x64xf32>, %v: memref<?x64xf32>, %o: memref<?x64xf32>, %s: index) {
  sesame.attention_tile query(%q : memref<?x64xf32>) key(%k : memref<?x64xf32>) value(%v : memref<?x64xf32>) first(%s) causal scale = 0.125
    out(%o : memref<?x64xf32>)
  return
}

// -----

// Factors of bf16: blocks of half the length, since their keys and then their values stand beside the scores as words. The weights of two keys become words in the
// place of the scores.
// CHECK-LABEL: func.func @bf16
// CHECK-DAG:     %[[P:.*]] = memref.alloca() {{.*}} : memref<128x32xf32>
// CHECK-DAG:     %[[QC:.*]] = memref.alloca() {{.*}} : memref<32x32xf32>
// CHECK-DAG:     %[[W:.*]] = memref.alloca() {{.*}} : memref<4096xf32>
// CHECK:         vector.load %{{.*}} memref<?x64xf32>
// CHECK:         llvm.call_intrinsic "llvm.x86.avx512bf16.cvtne2ps2bf16.512"
// CHECK:         vector.store %{{.*}}, %[[W]]
// CHECK:         :16 = scf.for %{{.*}} = %c0 to %c32 step %c1 iter_args
// CHECK:           vector.load %[[QC]]
// CHECK:           memref.load %[[W]]
// CHECK:           llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
// CHECK:         vector.shuffle {{.*}} [0, 16, 1, 17, 2, 18,
// CHECK:         vector.store %{{.*}}, %[[P]]
// CHECK:         :16 = scf.for
// CHECK:           vector.load %[[P]]
// CHECK:           memref.load %[[W]]
// CHECK:           llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
func.func @bf16(%q: memref<?x64xf32>, %k: memref<?x64xf32>, %v: memref<?x64xf32>, %o: memref<?x64xf32>, %s: index) {
  sesame.attention_tile query(%q : memref<?x64xf32>) key(%k : memref<?x64xf32>) value(%v : memref<?x64xf32>) first(%s) causal scale = 0.125
    bf16 out(%o : memref<?x64xf32>)
  return
}

// -----

// One row (decoding) needs no panel; blocks start at the first key that the mask shows.
// CHECK-LABEL: func.func @decode
// CHECK-NOT:     memref<{{.*}}x32xf32>
// CHECK:         scf.for {{.*}} -> (index, index)
// CHECK:         scf.for {{.*}} -> (vector<16xf32>, f32)
// CHECK:         return
func.func @decode(%q: memref<1x64xf32>, %k: memref<?x64xf32>, %v: memref<?x64xf32>, %m: memref<?xi64>, %o: memref<1x64xf32>, %s: index) {
  sesame.attention_tile query(%q : memref<1x64xf32>) key(%k : memref<?x64xf32>) value(%v : memref<?x64xf32>) mask(%m : memref<?xi64>)
    first(%s) causal scale = 0.125 out(%o : memref<1x64xf32>)
  return
}

// -----

// Three heads that share keys and values: a key tile is transposed once for all of them, a value read once.
// CHECK-LABEL: func.func @heads
// CHECK-NOT:     memref<{{.*}}x32xf32>
// CHECK:         scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, f32, f32, f32)
// CHECK:           scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK:         return
func.func @heads(%q: memref<3x64xf32>, %k: memref<?x64xf32>, %v: memref<?x64xf32>, %m: memref<?xi64>, %o: memref<3x64xf32>, %s: index) {
  sesame.attention_tile heads query(%q : memref<3x64xf32>) key(%k : memref<?x64xf32>) value(%v : memref<?x64xf32>) mask(%m : memref<?xi64>)
    first(%s) causal scale = 0.125 out(%o : memref<3x64xf32>)
  return
}

// -----

// Large heads take a narrow panel, so that the scratch stays within 64 KiB.
// CHECK-LABEL: func.func @large_head
// CHECK-DAG:     memref<256x16xf32>
// CHECK-NOT:     x32xf32>
// CHECK:         return
func.func @large_head(%q: memref<?x256xf32>, %k: memref<?x256xf32>, %v: memref<?x256xf32>, %o: memref<?x256xf32>, %s: index) {
  sesame.attention_tile query(%q : memref<?x256xf32>) key(%k : memref<?x256xf32>) value(%v : memref<?x256xf32>) first(%s) scale = 0.0625
    out(%o : memref<?x256xf32>)
  return
}

// -----

func.func @strided_key(%q: memref<?x64xf32>, %k: memref<?x64xf32, strided<[1, ?]>>, %v: memref<?x64xf32>, %o: memref<?x64xf32>, %s: index) {
  // expected-error @+1 {{expects memrefs of f32 with unit stride along the last axis, got 'memref<?x64xf32, strided<[1, ?]>>'}}
  sesame.attention_tile query(%q : memref<?x64xf32>) key(%k : memref<?x64xf32, strided<[1, ?]>>) value(%v : memref<?x64xf32>) first(%s)
    scale = 0.125 out(%o : memref<?x64xf32>)
  return
}
