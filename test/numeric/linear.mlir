// RUN: sesame-numeric-test %s
// RUN: not sesame-numeric-test %s --runs 2 --alter 1 2>&1 | FileCheck %s --check-prefix=REFERENCE
// RUN: not sesame-numeric-test %s --runs 2 --alter 2 2>&1 | FileCheck %s --check-prefix=THREADS
// RUN: not sesame-numeric-test %s --runs 2 --alter 3 2>&1 | FileCheck %s --check-prefix=BATCH
// REFERENCE: expected {{.*}}, got
// THREADS: has other bits with 3 threads than with 1
// BATCH: has other bits alone than in the batch

// Linear maps with every layout, bias, activation and residual; widths that no panel divides, one smaller than a panel.
sesame.weight @w0 : tensor<37x19xf32> {
  %0 = sesame.checkpoint_tensor ["w0"] : tensor<37x19xf32>
  sesame.yield %0 : tensor<37x19xf32>
}
sesame.weight @b0 : tensor<37xf32> {
  %0 = sesame.checkpoint_tensor ["b0"] : tensor<37xf32>
  sesame.yield %0 : tensor<37xf32>
}
func.func @linear_nk_identity(%x: tensor<?x?x19xf32> {sesame.name = "x", sesame.dims = ["B", "S", "19"]},
    %r: tensor<?x?x37xf32> {sesame.name = "r", sesame.dims = ["B", "S", "37"]})
    -> (tensor<?x?x37xf32> {sesame.name = "y", sesame.dims = ["B", "S", "37"]}) {
  %w = sesame.get_weight @w0 : tensor<37x19xf32>
  %b = sesame.get_weight @b0 : tensor<37xf32>
  %y = sesame.linear %x, %w bias(%b : tensor<37xf32>) residual(%r : tensor<?x?x37xf32>) : tensor<?x?x19xf32>, tensor<37x19xf32> -> tensor<?x?x37xf32>
  return %y : tensor<?x?x37xf32>
}
sesame.weight @w1 : tensor<36x97xf32> {
  %0 = sesame.checkpoint_tensor ["w1"] : tensor<36x97xf32>
  sesame.yield %0 : tensor<36x97xf32>
}
func.func @linear_kn_relu(%x: tensor<?x?x36xf32> {sesame.name = "x", sesame.dims = ["B", "S", "36"]},
    %r: tensor<?x?x97xf32> {sesame.name = "r", sesame.dims = ["B", "S", "97"]})
    -> (tensor<?x?x97xf32> {sesame.name = "y", sesame.dims = ["B", "S", "97"]}) {
  %w = sesame.get_weight @w1 : tensor<36x97xf32>
  %y = sesame.linear %x, %w residual(%r : tensor<?x?x97xf32>) layout = kn activation = relu : tensor<?x?x36xf32>, tensor<36x97xf32> -> tensor<?x?x97xf32>
  return %y : tensor<?x?x97xf32>
}
sesame.weight @w2 : tensor<5x7xf32> {
  %0 = sesame.checkpoint_tensor ["w2"] : tensor<5x7xf32>
  sesame.yield %0 : tensor<5x7xf32>
}
sesame.weight @b2 : tensor<5xf32> {
  %0 = sesame.checkpoint_tensor ["b2"] : tensor<5xf32>
  sesame.yield %0 : tensor<5xf32>
}
func.func @linear_nk_gelu(%x: tensor<?x?x7xf32> {sesame.name = "x", sesame.dims = ["B", "S", "7"]})
    -> (tensor<?x?x5xf32> {sesame.name = "y", sesame.dims = ["B", "S", "5"]}) {
  %w = sesame.get_weight @w2 : tensor<5x7xf32>
  %b = sesame.get_weight @b2 : tensor<5xf32>
  %y = sesame.linear %x, %w bias(%b : tensor<5xf32>) activation = gelu : tensor<?x?x7xf32>, tensor<5x7xf32> -> tensor<?x?x5xf32>
  return %y : tensor<?x?x5xf32>
}
sesame.weight @w3 : tensor<64x64xf32> {
  %0 = sesame.checkpoint_tensor ["w3"] : tensor<64x64xf32>
  sesame.yield %0 : tensor<64x64xf32>
}
sesame.weight @b3 : tensor<64xf32> {
  %0 = sesame.checkpoint_tensor ["b3"] : tensor<64xf32>
  sesame.yield %0 : tensor<64xf32>
}
func.func @linear_kn_gelu_tanh(%x: tensor<?x?x64xf32> {sesame.name = "x", sesame.dims = ["B", "S", "64"]})
    -> (tensor<?x?x64xf32> {sesame.name = "y", sesame.dims = ["B", "S", "64"]}) {
  %w = sesame.get_weight @w3 : tensor<64x64xf32>
  %b = sesame.get_weight @b3 : tensor<64xf32>
  %y = sesame.linear %x, %w bias(%b : tensor<64xf32>) layout = kn activation = gelu_tanh : tensor<?x?x64xf32>, tensor<64x64xf32> -> tensor<?x?x64xf32>
  return %y : tensor<?x?x64xf32>
}
sesame.weight @w4 : tensor<130x33xf32> {
  %0 = sesame.checkpoint_tensor ["w4"] : tensor<130x33xf32>
  sesame.yield %0 : tensor<130x33xf32>
}
func.func @linear_nk_gelu_quick(%x: tensor<?x?x33xf32> {sesame.name = "x", sesame.dims = ["B", "S", "33"]})
    -> (tensor<?x?x130xf32> {sesame.name = "y", sesame.dims = ["B", "S", "130"]}) {
  %w = sesame.get_weight @w4 : tensor<130x33xf32>
  %y = sesame.linear %x, %w activation = gelu_quick : tensor<?x?x33xf32>, tensor<130x33xf32> -> tensor<?x?x130xf32>
  return %y : tensor<?x?x130xf32>
}
sesame.weight @w5 : tensor<1x1xf32> {
  %0 = sesame.checkpoint_tensor ["w5"] : tensor<1x1xf32>
  sesame.yield %0 : tensor<1x1xf32>
}
sesame.weight @b5 : tensor<1xf32> {
  %0 = sesame.checkpoint_tensor ["b5"] : tensor<1xf32>
  sesame.yield %0 : tensor<1xf32>
}
func.func @linear_kn_silu(%x: tensor<?x?x1xf32> {sesame.name = "x", sesame.dims = ["B", "S", "1"]},
    %r: tensor<?x?x1xf32> {sesame.name = "r", sesame.dims = ["B", "S", "1"]})
    -> (tensor<?x?x1xf32> {sesame.name = "y", sesame.dims = ["B", "S", "1"]}) {
  %w = sesame.get_weight @w5 : tensor<1x1xf32>
  %b = sesame.get_weight @b5 : tensor<1xf32>
  %y = sesame.linear %x, %w bias(%b : tensor<1xf32>) residual(%r : tensor<?x?x1xf32>) layout = kn activation = silu : tensor<?x?x1xf32>, tensor<1x1xf32> -> tensor<?x?x1xf32>
  return %y : tensor<?x?x1xf32>
}
sesame.weight @w6 : tensor<31x40xf32> {
  %0 = sesame.checkpoint_tensor ["w6"] : tensor<31x40xf32>
  sesame.yield %0 : tensor<31x40xf32>
}
sesame.weight @b6 : tensor<31xf32> {
  %0 = sesame.checkpoint_tensor ["b6"] : tensor<31xf32>
  sesame.yield %0 : tensor<31xf32>
}
func.func @linear_nk_tanh(%x: tensor<?x?x40xf32> {sesame.name = "x", sesame.dims = ["B", "S", "40"]})
    -> (tensor<?x?x31xf32> {sesame.name = "y", sesame.dims = ["B", "S", "31"]}) {
  %w = sesame.get_weight @w6 : tensor<31x40xf32>
  %b = sesame.get_weight @b6 : tensor<31xf32>
  %y = sesame.linear %x, %w bias(%b : tensor<31xf32>) activation = tanh : tensor<?x?x40xf32>, tensor<31x40xf32> -> tensor<?x?x31xf32>
  return %y : tensor<?x?x31xf32>
}
sesame.weight @w7 : tensor<5x48xf32> {
  %0 = sesame.checkpoint_tensor ["w7"] : tensor<5x48xf32>
  sesame.yield %0 : tensor<5x48xf32>
}
func.func @linear_kn_sigmoid(%x: tensor<?x?x5xf32> {sesame.name = "x", sesame.dims = ["B", "S", "5"]})
    -> (tensor<?x?x48xf32> {sesame.name = "y", sesame.dims = ["B", "S", "48"]}) {
  %w = sesame.get_weight @w7 : tensor<5x48xf32>
  %y = sesame.linear %x, %w layout = kn activation = sigmoid : tensor<?x?x5xf32>, tensor<5x48xf32> -> tensor<?x?x48xf32>
  return %y : tensor<?x?x48xf32>
}
sesame.weight @w8 : tensor<33x17xf32> {
  %0 = sesame.checkpoint_tensor ["w8"] : tensor<33x17xf32>
  sesame.yield %0 : tensor<33x17xf32>
}
sesame.weight @b8 : tensor<33xf32> {
  %0 = sesame.checkpoint_tensor ["b8"] : tensor<33xf32>
  sesame.yield %0 : tensor<33xf32>
}
func.func @linear_nk_relu_squared(%x: tensor<?x?x17xf32> {sesame.name = "x", sesame.dims = ["B", "S", "17"]})
    -> (tensor<?x?x33xf32> {sesame.name = "y", sesame.dims = ["B", "S", "33"]}) {
  %w = sesame.get_weight @w8 : tensor<33x17xf32>
  %b = sesame.get_weight @b8 : tensor<33xf32>
  %y = sesame.linear %x, %w bias(%b : tensor<33xf32>) activation = relu_squared : tensor<?x?x17xf32>, tensor<33x17xf32> -> tensor<?x?x33xf32>
  return %y : tensor<?x?x33xf32>
}
sesame.weight @w9 : tensor<29x7xf32> {
  %0 = sesame.checkpoint_tensor ["w9"] : tensor<29x7xf32>
  sesame.yield %0 : tensor<29x7xf32>
}
sesame.weight @b9 : tensor<7xf32> {
  %0 = sesame.checkpoint_tensor ["b9"] : tensor<7xf32>
  sesame.yield %0 : tensor<7xf32>
}
func.func @linear_kn_softplus(%x: tensor<?x?x29xf32> {sesame.name = "x", sesame.dims = ["B", "S", "29"]},
    %r: tensor<?x?x7xf32> {sesame.name = "r", sesame.dims = ["B", "S", "7"]})
    -> (tensor<?x?x7xf32> {sesame.name = "y", sesame.dims = ["B", "S", "7"]}) {
  %w = sesame.get_weight @w9 : tensor<29x7xf32>
  %b = sesame.get_weight @b9 : tensor<7xf32>
  %y = sesame.linear %x, %w bias(%b : tensor<7xf32>) residual(%r : tensor<?x?x7xf32>) layout = kn activation = softplus : tensor<?x?x29xf32>, tensor<29x7xf32> -> tensor<?x?x7xf32>
  return %y : tensor<?x?x7xf32>
}
sesame.weight @w10 : tensor<96x48xf32> {
  %0 = sesame.checkpoint_tensor ["w10"] : tensor<96x48xf32>
  sesame.yield %0 : tensor<96x48xf32>
}
func.func @linear_nk_mish(%x: tensor<?x?x48xf32> {sesame.name = "x", sesame.dims = ["B", "S", "48"]})
    -> (tensor<?x?x96xf32> {sesame.name = "y", sesame.dims = ["B", "S", "96"]}) {
  %w = sesame.get_weight @w10 : tensor<96x48xf32>
  %y = sesame.linear %x, %w activation = mish : tensor<?x?x48xf32>, tensor<96x48xf32> -> tensor<?x?x96xf32>
  return %y : tensor<?x?x96xf32>
}
sesame.weight @w11 : tensor<11x63xf32> {
  %0 = sesame.checkpoint_tensor ["w11"] : tensor<11x63xf32>
  sesame.yield %0 : tensor<11x63xf32>
}
sesame.weight @b11 : tensor<63xf32> {
  %0 = sesame.checkpoint_tensor ["b11"] : tensor<63xf32>
  sesame.yield %0 : tensor<63xf32>
}
func.func @linear_kn_leaky_relu(%x: tensor<?x?x11xf32> {sesame.name = "x", sesame.dims = ["B", "S", "11"]})
    -> (tensor<?x?x63xf32> {sesame.name = "y", sesame.dims = ["B", "S", "63"]}) {
  %w = sesame.get_weight @w11 : tensor<11x63xf32>
  %b = sesame.get_weight @b11 : tensor<63xf32>
  %y = sesame.linear %x, %w bias(%b : tensor<63xf32>) layout = kn activation = leaky_relu : tensor<?x?x11xf32>, tensor<11x63xf32> -> tensor<?x?x63xf32>
  return %y : tensor<?x?x63xf32>
}
