// RUN: sesame-opt %s --sesame-expand-math | FileCheck %s --check-prefixes=CHECK,AVX512
// RUN: sesame-opt %s --sesame-expand-math=vector-lanes=8 | FileCheck %s --check-prefixes=CHECK,AVX2

// CHECK-LABEL: func.func @exp
// CHECK-NOT:     math.exp
// AVX512:        llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.ps.512"
// AVX2-NOT:      llvm.call_intrinsic
// CHECK:         return
func.func @exp(%x: vector<16xf32>) -> vector<16xf32> {
  %y = math.exp %x : vector<16xf32>
  return %y : vector<16xf32>
}

// The exponential inside is expanded too; vscalefps is for vectors of 16 only.
// CHECK-LABEL: func.func @other_shapes
// CHECK-NOT:     math.{{tanh|exp}}
// CHECK-NOT:     llvm.call_intrinsic
// CHECK:         return
func.func @other_shapes(%x: f32, %y: vector<3x5xf32>) -> (f32, vector<3x5xf32>) {
  %0 = math.tanh %x : f32
  %1 = math.tanh %y : vector<3x5xf32>
  return %0, %1 : f32, vector<3x5xf32>
}

// CHECK-LABEL: func.func @half_precision_through_f32
// CHECK:         arith.extf %{{.*}} : f16 to f32
// CHECK-NOT:     math.erf
// CHECK:         arith.truncf %{{.*}} : f32 to f16
func.func @half_precision_through_f32(%x: f16) -> f16 {
  %y = math.erf %x : f16
  return %y : f16
}

// CHECK-LABEL: func.func @powers_and_doubles_stay
// CHECK:         math.powf
// CHECK:         math.exp %{{.*}} : f64
func.func @powers_and_doubles_stay(%x: f32, %y: f64) -> (f32, f64) {
  %0 = math.powf %x, %x : f32
  %1 = math.exp %y : f64
  return %0, %1 : f32, f64
}
