// RUN: sesame-opt %s | sesame-opt | FileCheck %s
// RUN: sesame-opt %s --mlir-print-op-generic | sesame-opt | FileCheck %s


// CHECK-LABEL: func.func @identity
// CHECK: sesame.activation identity %{{.*}} : tensor<?x7xf16>
func.func @identity(%x: tensor<?x7xf16>) -> tensor<?x7xf16> {
  %y = sesame.activation identity %x : tensor<?x7xf16>
  return %y : tensor<?x7xf16>
}

// CHECK-LABEL: func.func @relu
// CHECK: sesame.activation relu %{{.*}} : tensor<?x7xf16>
func.func @relu(%x: tensor<?x7xf16>) -> tensor<?x7xf16> {
  %y = sesame.activation relu %x : tensor<?x7xf16>
  return %y : tensor<?x7xf16>
}

// CHECK-LABEL: func.func @gelu
// CHECK: sesame.activation gelu %{{.*}} : tensor<?x7xf16>
func.func @gelu(%x: tensor<?x7xf16>) -> tensor<?x7xf16> {
  %y = sesame.activation gelu %x : tensor<?x7xf16>
  return %y : tensor<?x7xf16>
}

// CHECK-LABEL: func.func @gelu_tanh
// CHECK: sesame.activation gelu_tanh %{{.*}} : tensor<?x7xf16>
func.func @gelu_tanh(%x: tensor<?x7xf16>) -> tensor<?x7xf16> {
  %y = sesame.activation gelu_tanh %x : tensor<?x7xf16>
  return %y : tensor<?x7xf16>
}

// CHECK-LABEL: func.func @gelu_quick
// CHECK: sesame.activation gelu_quick %{{.*}} : tensor<?x7xf16>
func.func @gelu_quick(%x: tensor<?x7xf16>) -> tensor<?x7xf16> {
  %y = sesame.activation gelu_quick %x : tensor<?x7xf16>
  return %y : tensor<?x7xf16>
}

// CHECK-LABEL: func.func @silu
// CHECK: sesame.activation silu %{{.*}} : tensor<?x7xf16>
func.func @silu(%x: tensor<?x7xf16>) -> tensor<?x7xf16> {
  %y = sesame.activation silu %x : tensor<?x7xf16>
  return %y : tensor<?x7xf16>
}

// CHECK-LABEL: func.func @tanh
// CHECK: sesame.activation tanh %{{.*}} : tensor<?x7xf16>
func.func @tanh(%x: tensor<?x7xf16>) -> tensor<?x7xf16> {
  %y = sesame.activation tanh %x : tensor<?x7xf16>
  return %y : tensor<?x7xf16>
}

// CHECK-LABEL: func.func @sigmoid
// CHECK: sesame.activation sigmoid %{{.*}} : tensor<?x7xf16>
func.func @sigmoid(%x: tensor<?x7xf16>) -> tensor<?x7xf16> {
  %y = sesame.activation sigmoid %x : tensor<?x7xf16>
  return %y : tensor<?x7xf16>
}

// CHECK-LABEL: func.func @relu_squared
// CHECK: sesame.activation relu_squared %{{.*}} : tensor<?x7xf16>
func.func @relu_squared(%x: tensor<?x7xf16>) -> tensor<?x7xf16> {
  %y = sesame.activation relu_squared %x : tensor<?x7xf16>
  return %y : tensor<?x7xf16>
}

// CHECK-LABEL: func.func @softplus
// CHECK: sesame.activation softplus %{{.*}} : tensor<?x7xf16>
func.func @softplus(%x: tensor<?x7xf16>) -> tensor<?x7xf16> {
  %y = sesame.activation softplus %x : tensor<?x7xf16>
  return %y : tensor<?x7xf16>
}

// CHECK-LABEL: func.func @mish
// CHECK: sesame.activation mish %{{.*}} : tensor<?x7xf16>
func.func @mish(%x: tensor<?x7xf16>) -> tensor<?x7xf16> {
  %y = sesame.activation mish %x : tensor<?x7xf16>
  return %y : tensor<?x7xf16>
}

// CHECK-LABEL: func.func @leaky_relu
// CHECK: sesame.activation leaky_relu %{{.*}} : tensor<?x7xf16>
func.func @leaky_relu(%x: tensor<?x7xf16>) -> tensor<?x7xf16> {
  %y = sesame.activation leaky_relu %x : tensor<?x7xf16>
  return %y : tensor<?x7xf16>
}
