// RUN: sesame-numeric-test %s

// Gated linears: kinds of gate, with and without biases, both layouts.
sesame.weight @g0 : tensor<37x19xf32> {
  %0 = sesame.checkpoint_tensor ["g0"] : tensor<37x19xf32>
  sesame.yield %0 : tensor<37x19xf32>
}
sesame.weight @u0 : tensor<37x19xf32> {
  %0 = sesame.checkpoint_tensor ["u0"] : tensor<37x19xf32>
  sesame.yield %0 : tensor<37x19xf32>
}
func.func @gated_gelu(%x: tensor<?x?x19xf32> {sesame.name = "x", sesame.dims = ["B", "S", "19"]})
    -> (tensor<?x?x37xf32> {sesame.name = "y", sesame.dims = ["B", "S", "37"]}) {
  %g = sesame.get_weight @g0 : tensor<37x19xf32>
  %u = sesame.get_weight @u0 : tensor<37x19xf32>
  %y = sesame.gated_linear %x, %g, %u activation = gelu : tensor<?x?x19xf32>, tensor<37x19xf32> -> tensor<?x?x37xf32>
  return %y : tensor<?x?x37xf32>
}
sesame.weight @g1 : tensor<97x36xf32> {
  %0 = sesame.checkpoint_tensor ["g1"] : tensor<97x36xf32>
  sesame.yield %0 : tensor<97x36xf32>
}
sesame.weight @u1 : tensor<97x36xf32> {
  %0 = sesame.checkpoint_tensor ["u1"] : tensor<97x36xf32>
  sesame.yield %0 : tensor<97x36xf32>
}
sesame.weight @gb1 : tensor<97xf32> {
  %0 = sesame.checkpoint_tensor ["gb1"] : tensor<97xf32>
  sesame.yield %0 : tensor<97xf32>
}
sesame.weight @ub1 : tensor<97xf32> {
  %0 = sesame.checkpoint_tensor ["ub1"] : tensor<97xf32>
  sesame.yield %0 : tensor<97xf32>
}
func.func @gated_silu(%x: tensor<?x?x36xf32> {sesame.name = "x", sesame.dims = ["B", "S", "36"]})
    -> (tensor<?x?x97xf32> {sesame.name = "y", sesame.dims = ["B", "S", "97"]}) {
  %g = sesame.get_weight @g1 : tensor<97x36xf32>
  %u = sesame.get_weight @u1 : tensor<97x36xf32>
  %gb = sesame.get_weight @gb1 : tensor<97xf32>
  %ub = sesame.get_weight @ub1 : tensor<97xf32>
  %y = sesame.gated_linear %x, %g, %u bias(%gb, %ub : tensor<97xf32>, tensor<97xf32>) activation = silu : tensor<?x?x36xf32>, tensor<97x36xf32> -> tensor<?x?x97xf32>
  return %y : tensor<?x?x97xf32>
}
sesame.weight @g2 : tensor<7x5xf32> {
  %0 = sesame.checkpoint_tensor ["g2"] : tensor<7x5xf32>
  sesame.yield %0 : tensor<7x5xf32>
}
sesame.weight @u2 : tensor<7x5xf32> {
  %0 = sesame.checkpoint_tensor ["u2"] : tensor<7x5xf32>
  sesame.yield %0 : tensor<7x5xf32>
}
sesame.weight @gb2 : tensor<5xf32> {
  %0 = sesame.checkpoint_tensor ["gb2"] : tensor<5xf32>
  sesame.yield %0 : tensor<5xf32>
}
sesame.weight @ub2 : tensor<5xf32> {
  %0 = sesame.checkpoint_tensor ["ub2"] : tensor<5xf32>
  sesame.yield %0 : tensor<5xf32>
}
func.func @gated_gelu_tanh(%x: tensor<?x?x7xf32> {sesame.name = "x", sesame.dims = ["B", "S", "7"]})
    -> (tensor<?x?x5xf32> {sesame.name = "y", sesame.dims = ["B", "S", "5"]}) {
  %g = sesame.get_weight @g2 : tensor<7x5xf32>
  %u = sesame.get_weight @u2 : tensor<7x5xf32>
  %gb = sesame.get_weight @gb2 : tensor<5xf32>
  %ub = sesame.get_weight @ub2 : tensor<5xf32>
  %y = sesame.gated_linear %x, %g, %u bias(%gb, %ub : tensor<5xf32>, tensor<5xf32>) layout = kn activation = gelu_tanh : tensor<?x?x7xf32>, tensor<7x5xf32> -> tensor<?x?x5xf32>
  return %y : tensor<?x?x5xf32>
}
sesame.weight @g3 : tensor<33x70xf32> {
  %0 = sesame.checkpoint_tensor ["g3"] : tensor<33x70xf32>
  sesame.yield %0 : tensor<33x70xf32>
}
sesame.weight @u3 : tensor<33x70xf32> {
  %0 = sesame.checkpoint_tensor ["u3"] : tensor<33x70xf32>
  sesame.yield %0 : tensor<33x70xf32>
}
func.func @gated_sigmoid(%x: tensor<?x?x33xf32> {sesame.name = "x", sesame.dims = ["B", "S", "33"]})
    -> (tensor<?x?x70xf32> {sesame.name = "y", sesame.dims = ["B", "S", "70"]}) {
  %g = sesame.get_weight @g3 : tensor<33x70xf32>
  %u = sesame.get_weight @u3 : tensor<33x70xf32>
  %y = sesame.gated_linear %x, %g, %u layout = kn activation = sigmoid : tensor<?x?x33xf32>, tensor<33x70xf32> -> tensor<?x?x70xf32>
  return %y : tensor<?x?x70xf32>
}
sesame.weight @g4 : tensor<33x64xf32> {
  %0 = sesame.checkpoint_tensor ["g4"] : tensor<33x64xf32>
  sesame.yield %0 : tensor<33x64xf32>
}
sesame.weight @u4 : tensor<33x64xf32> {
  %0 = sesame.checkpoint_tensor ["u4"] : tensor<33x64xf32>
  sesame.yield %0 : tensor<33x64xf32>
}
sesame.weight @gb4 : tensor<33xf32> {
  %0 = sesame.checkpoint_tensor ["gb4"] : tensor<33xf32>
  sesame.yield %0 : tensor<33xf32>
}
sesame.weight @ub4 : tensor<33xf32> {
  %0 = sesame.checkpoint_tensor ["ub4"] : tensor<33xf32>
  sesame.yield %0 : tensor<33xf32>
}
func.func @gated_relu(%x: tensor<?x?x64xf32> {sesame.name = "x", sesame.dims = ["B", "S", "64"]})
    -> (tensor<?x?x33xf32> {sesame.name = "y", sesame.dims = ["B", "S", "33"]}) {
  %g = sesame.get_weight @g4 : tensor<33x64xf32>
  %u = sesame.get_weight @u4 : tensor<33x64xf32>
  %gb = sesame.get_weight @gb4 : tensor<33xf32>
  %ub = sesame.get_weight @ub4 : tensor<33xf32>
  %y = sesame.gated_linear %x, %g, %u bias(%gb, %ub : tensor<33xf32>, tensor<33xf32>) activation = relu : tensor<?x?x64xf32>, tensor<33x64xf32> -> tensor<?x?x33xf32>
  return %y : tensor<?x?x33xf32>
}
