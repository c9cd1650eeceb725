// RUN: sesame-numeric-test %s

// Every activation on its own.
func.func @relu(%x: tensor<?x?x36xf32> {sesame.name = "x", sesame.dims = ["B", "S", "36"]})
    -> (tensor<?x?x36xf32> {sesame.name = "y", sesame.dims = ["B", "S", "36"]}) {
  %y = sesame.activation relu %x : tensor<?x?x36xf32>
  return %y : tensor<?x?x36xf32>
}
func.func @gelu(%x: tensor<?x?x5xf32> {sesame.name = "x", sesame.dims = ["B", "S", "5"]})
    -> (tensor<?x?x5xf32> {sesame.name = "y", sesame.dims = ["B", "S", "5"]}) {
  %y = sesame.activation gelu %x : tensor<?x?x5xf32>
  return %y : tensor<?x?x5xf32>
}
func.func @gelu_tanh(%x: tensor<?x?x17xf32> {sesame.name = "x", sesame.dims = ["B", "S", "17"]})
    -> (tensor<?x?x17xf32> {sesame.name = "y", sesame.dims = ["B", "S", "17"]}) {
  %y = sesame.activation gelu_tanh %x : tensor<?x?x17xf32>
  return %y : tensor<?x?x17xf32>
}
func.func @gelu_quick(%x: tensor<?x?x31xf32> {sesame.name = "x", sesame.dims = ["B", "S", "31"]})
    -> (tensor<?x?x31xf32> {sesame.name = "y", sesame.dims = ["B", "S", "31"]}) {
  %y = sesame.activation gelu_quick %x : tensor<?x?x31xf32>
  return %y : tensor<?x?x31xf32>
}
func.func @silu(%x: tensor<?x?x64xf32> {sesame.name = "x", sesame.dims = ["B", "S", "64"]})
    -> (tensor<?x?x64xf32> {sesame.name = "y", sesame.dims = ["B", "S", "64"]}) {
  %y = sesame.activation silu %x : tensor<?x?x64xf32>
  return %y : tensor<?x?x64xf32>
}
func.func @tanh(%x: tensor<?x?x33xf32> {sesame.name = "x", sesame.dims = ["B", "S", "33"]})
    -> (tensor<?x?x33xf32> {sesame.name = "y", sesame.dims = ["B", "S", "33"]}) {
  %y = sesame.activation tanh %x : tensor<?x?x33xf32>
  return %y : tensor<?x?x33xf32>
}
func.func @sigmoid(%x: tensor<?x?x1xf32> {sesame.name = "x", sesame.dims = ["B", "S", "1"]})
    -> (tensor<?x?x1xf32> {sesame.name = "y", sesame.dims = ["B", "S", "1"]}) {
  %y = sesame.activation sigmoid %x : tensor<?x?x1xf32>
  return %y : tensor<?x?x1xf32>
}
func.func @relu_squared(%x: tensor<?x?x48xf32> {sesame.name = "x", sesame.dims = ["B", "S", "48"]})
    -> (tensor<?x?x48xf32> {sesame.name = "y", sesame.dims = ["B", "S", "48"]}) {
  %y = sesame.activation relu_squared %x : tensor<?x?x48xf32>
  return %y : tensor<?x?x48xf32>
}
func.func @softplus(%x: tensor<?x?x130xf32> {sesame.name = "x", sesame.dims = ["B", "S", "130"]})
    -> (tensor<?x?x130xf32> {sesame.name = "y", sesame.dims = ["B", "S", "130"]}) {
  %y = sesame.activation softplus %x : tensor<?x?x130xf32>
  return %y : tensor<?x?x130xf32>
}
func.func @mish(%x: tensor<?x?x7xf32> {sesame.name = "x", sesame.dims = ["B", "S", "7"]})
    -> (tensor<?x?x7xf32> {sesame.name = "y", sesame.dims = ["B", "S", "7"]}) {
  %y = sesame.activation mish %x : tensor<?x?x7xf32>
  return %y : tensor<?x?x7xf32>
}
func.func @leaky_relu(%x: tensor<?x?x40xf32> {sesame.name = "x", sesame.dims = ["B", "S", "40"]})
    -> (tensor<?x?x40xf32> {sesame.name = "y", sesame.dims = ["B", "S", "40"]}) {
  %y = sesame.activation leaky_relu %x : tensor<?x?x40xf32>
  return %y : tensor<?x?x40xf32>
}
