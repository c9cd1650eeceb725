// RUN: sesame-opt %s --split-input-file --verify-diagnostics

func.func @unknown_kind(%x: tensor<3x7xf32>) {
  // expected-error @+1 {{expected one of [identity, relu, gelu, gelu_tanh, gelu_quick, silu, tanh, sigmoid, relu_squared, softplus, mish, leaky_relu] for elementwise activation function, got: swish}}
  %y = sesame.activation swish %x : tensor<3x7xf32>
  return
}

// -----

func.func @integers(%x: tensor<3x7xi32>) {
  // expected-error @+1 {{operand #0 must be ranked tensor of floating-point values, but got 'tensor<3x7xi32>'}}
  %y = sesame.activation relu %x : tensor<3x7xi32>
  return
}
