// RUN: sesame-opt %s --sesame-pack-weights=weight-type=int8 | FileCheck %s
// RUN: sesame-opt %s --sesame-pack-weights="weight-type=bf16 bf16-words" | FileCheck %s --check-prefix=BF16
// RUN: sesame-opt %s --sesame-pack-weights=groups=int4 | FileCheck %s --check-prefix=INT4
// RUN: sesame-opt %s --sesame-pack-weights="groups=int8 weight-type=bf16 bf16-words" | FileCheck %s --check-prefix=GROUPS8
// RUN: not sesame-opt %s --sesame-pack-weights=groups=int2 2>&1 | FileCheck %s --check-prefix=WRONG
// WRONG: sesame-pack-weights: groups must be int8 or int4, got 'int2'

// CHECK:      sesame.weight @w.panels count = 3 : tensor<4x11x32xi32> {
// CHECK:        %[[W:.*]] = sesame.checkpoint_tensor ["h.", ".w"] : tensor<36x108xf16>
// CHECK:        sesame.pack_word_panels %[[W]] of i8 layout = kn : tensor<36x108xf16> -> tensor<4x11x32xi32>
// Products of bf16 would lose digits of weights of f16: they are widened.
// BF16:       sesame.weight @w.panels count = 3 : tensor<4x36x32xf16>
// INT4:       sesame.weight @w.panels count = 3 : tensor<4x9x32xi32> {
// INT4:         sesame.pack_word_panels %{{.*}} of ui4 layout = kn : tensor<36x108xf16> -> tensor<4x9x32xi32>
// GROUPS8:    sesame.weight @w.panels count = 3 : tensor<4x17x32xi32> {
// GROUPS8:      sesame.pack_word_panels %{{.*}} of ui8
sesame.weight @w count = 3 : tensor<36x108xf16> {
  %0 = sesame.checkpoint_tensor ["h.", ".w"] : tensor<36x108xf16>
  sesame.yield %0 : tensor<36x108xf16>
}
// CHECK:      sesame.weight @gate.panels : tensor<2x11x32xi32>
// CHECK:      sesame.weight @up.panels : tensor<2x11x32xi32>
// BF16:       sesame.weight @gate.panels : tensor<2x18x32xi32>
// BF16:         sesame.pack_word_panels %{{.*}} of bf16 layout = nk : tensor<44x36xf32> -> tensor<2x18x32xi32>
sesame.weight @gate : tensor<44x36xf32> {
  %0 = sesame.checkpoint_tensor ["gate"] : tensor<44x36xf32>
  sesame.yield %0 : tensor<44x36xf32>
}
sesame.weight @up : tensor<44x36xf32> {
  %0 = sesame.checkpoint_tensor ["up"] : tensor<44x36xf32>
  sesame.yield %0 : tensor<44x36xf32>
}
// Sums of 32 bits could overflow.
// CHECK:      sesame.weight @deep.panels : tensor<1x65540x32xf32>
// A group's cannot.
// INT4:       sesame.weight @deep.panels : tensor<1x9225x32xi32>
sesame.weight @deep : tensor<3x65540xf32> {
  %0 = sesame.checkpoint_tensor ["deep"] : tensor<3x65540xf32>
  sesame.yield %0 : tensor<3x65540xf32>
}

// CHECK-LABEL: func.func @linear
// CHECK-SAME:    %[[X:.*]]: tensor<?x36xf32>, %[[R:.*]]: tensor<?x108xf32>
// CHECK:         %[[W:.*]] = sesame.get_weight @w.panels[%{{.*}}] : tensor<4x11x32xi32>
// CHECK:         sesame.word_linear %[[X]], %[[W]] of i8 activation = relu combine = add other(%[[R]] : tensor<?x108xf32>)
// BF16-LABEL:  func.func @linear
// BF16:          sesame.linear %{{.*}} layout = panels
// INT4-LABEL:  func.func @linear
// INT4:          sesame.word_linear %{{.*}} of ui4 activation = relu combine = add other(
func.func @linear(%x: tensor<?x36xf32>, %r: tensor<?x108xf32>, %l: index) -> tensor<?x108xf32> {
  %w = sesame.get_weight @w[%l] : tensor<36x108xf16>
  %y = sesame.linear %x, %w residual(%r : tensor<?x108xf32>) layout = kn activation = relu : tensor<?x36xf32>, tensor<36x108xf16> -> tensor<?x108xf32>
  return %y : tensor<?x108xf32>
}

// CHECK-LABEL: func.func @gated
// CHECK:         %[[UP:.*]] = sesame.word_linear %{{.*}} of i8 : tensor<?x36xf32>
// CHECK:         sesame.word_linear %{{.*}} of i8 activation = silu combine = multiply other(%[[UP]] : tensor<?x44xf32>)
// INT4-LABEL:  func.func @gated
// INT4:          sesame.word_linear %{{.*}} of ui4 : tensor<?x36xf32>
// INT4:          sesame.word_linear %{{.*}} of ui4 activation = silu combine = multiply other(
// GROUPS8-LABEL: func.func @gated
// GROUPS8:       sesame.word_linear %{{.*}} of ui8 : tensor<?x36xf32>
func.func @gated(%x: tensor<?x36xf32>) -> tensor<?x44xf32> {
  %g = sesame.get_weight @gate : tensor<44x36xf32>
  %u = sesame.get_weight @up : tensor<44x36xf32>
  %y = sesame.gated_linear %x, %g, %u activation = silu : tensor<?x36xf32>, tensor<44x36xf32> -> tensor<?x44xf32>
  return %y : tensor<?x44xf32>
}

// CHECK-LABEL: func.func @too_deep
// CHECK:         sesame.linear %{{.*}} layout = panels
// INT4-LABEL:  func.func @too_deep
// INT4:          sesame.word_linear %{{.*}} of ui4
func.func @too_deep(%x: tensor<?x65540xf32>) -> tensor<?x3xf32> {
  %w = sesame.get_weight @deep : tensor<3x65540xf32>
  %y = sesame.linear %x, %w : tensor<?x65540xf32>, tensor<3x65540xf32> -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
}
