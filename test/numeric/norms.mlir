// RUN: sesame-numeric-test %s

// Row normalisations with and without scale and shift, over rows of odd lengths and of one element.
sesame.weight @lw0 : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["lw0"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
sesame.weight @lb0 : tensor<36xf32> {
  %0 = sesame.checkpoint_tensor ["lb0"] : tensor<36xf32>
  sesame.yield %0 : tensor<36xf32>
}
func.func @layer_norm_36(%x: tensor<?x?x36xf32> {sesame.name = "x", sesame.dims = ["B", "S", "36"]})
    -> (tensor<?x?x36xf32> {sesame.name = "y", sesame.dims = ["B", "S", "36"]}) {
  %w = sesame.get_weight @lw0 : tensor<36xf32>
  %b = sesame.get_weight @lb0 : tensor<36xf32>
  %y = sesame.layer_norm %x weight(%w : tensor<36xf32>) bias(%b : tensor<36xf32>) epsilon = 1.0e-5 : tensor<?x?x36xf32>
  return %y : tensor<?x?x36xf32>
}
func.func @rms_norm_36(%x: tensor<?x?x36xf32> {sesame.name = "x", sesame.dims = ["B", "S", "36"]})
    -> (tensor<?x?x36xf32> {sesame.name = "y", sesame.dims = ["B", "S", "36"]}) {
  %w = sesame.get_weight @lw0 : tensor<36xf32>
  %y = sesame.rms_norm %x weight(%w : tensor<36xf32>) epsilon = 1.0e-6 : tensor<?x?x36xf32>
  return %y : tensor<?x?x36xf32>
}
sesame.weight @lw1 : tensor<1xf32> {
  %0 = sesame.checkpoint_tensor ["lw1"] : tensor<1xf32>
  sesame.yield %0 : tensor<1xf32>
}
sesame.weight @lb1 : tensor<1xf32> {
  %0 = sesame.checkpoint_tensor ["lb1"] : tensor<1xf32>
  sesame.yield %0 : tensor<1xf32>
}
func.func @layer_norm_1(%x: tensor<?x?x1xf32> {sesame.name = "x", sesame.dims = ["B", "S", "1"]})
    -> (tensor<?x?x1xf32> {sesame.name = "y", sesame.dims = ["B", "S", "1"]}) {
  %w = sesame.get_weight @lw1 : tensor<1xf32>
  %b = sesame.get_weight @lb1 : tensor<1xf32>
  %y = sesame.layer_norm %x weight(%w : tensor<1xf32>) epsilon = 1.0e-5 : tensor<?x?x1xf32>
  return %y : tensor<?x?x1xf32>
}
func.func @rms_norm_1(%x: tensor<?x?x1xf32> {sesame.name = "x", sesame.dims = ["B", "S", "1"]})
    -> (tensor<?x?x1xf32> {sesame.name = "y", sesame.dims = ["B", "S", "1"]}) {
  %w = sesame.get_weight @lw1 : tensor<1xf32>
  %y = sesame.rms_norm %x weight(%w : tensor<1xf32>) epsilon = 1.0e-6 offset = 1.0 : tensor<?x?x1xf32>
  return %y : tensor<?x?x1xf32>
}
sesame.weight @lw2 : tensor<7xf32> {
  %0 = sesame.checkpoint_tensor ["lw2"] : tensor<7xf32>
  sesame.yield %0 : tensor<7xf32>
}
sesame.weight @lb2 : tensor<7xf32> {
  %0 = sesame.checkpoint_tensor ["lb2"] : tensor<7xf32>
  sesame.yield %0 : tensor<7xf32>
}
func.func @layer_norm_7(%x: tensor<?x?x7xf32> {sesame.name = "x", sesame.dims = ["B", "S", "7"]})
    -> (tensor<?x?x7xf32> {sesame.name = "y", sesame.dims = ["B", "S", "7"]}) {
  %w = sesame.get_weight @lw2 : tensor<7xf32>
  %b = sesame.get_weight @lb2 : tensor<7xf32>
  %y = sesame.layer_norm %x weight(%w : tensor<7xf32>) bias(%b : tensor<7xf32>) epsilon = 1.0e-5 : tensor<?x?x7xf32>
  return %y : tensor<?x?x7xf32>
}
func.func @rms_norm_7(%x: tensor<?x?x7xf32> {sesame.name = "x", sesame.dims = ["B", "S", "7"]})
    -> (tensor<?x?x7xf32> {sesame.name = "y", sesame.dims = ["B", "S", "7"]}) {
  %w = sesame.get_weight @lw2 : tensor<7xf32>
  %y = sesame.rms_norm %x weight(%w : tensor<7xf32>) epsilon = 1.0e-6 : tensor<?x?x7xf32>
  return %y : tensor<?x?x7xf32>
}
sesame.weight @lw3 : tensor<64xf32> {
  %0 = sesame.checkpoint_tensor ["lw3"] : tensor<64xf32>
  sesame.yield %0 : tensor<64xf32>
}
sesame.weight @lb3 : tensor<64xf32> {
  %0 = sesame.checkpoint_tensor ["lb3"] : tensor<64xf32>
  sesame.yield %0 : tensor<64xf32>
}
func.func @layer_norm_64(%x: tensor<?x?x64xf32> {sesame.name = "x", sesame.dims = ["B", "S", "64"]})
    -> (tensor<?x?x64xf32> {sesame.name = "y", sesame.dims = ["B", "S", "64"]}) {
  %w = sesame.get_weight @lw3 : tensor<64xf32>
  %b = sesame.get_weight @lb3 : tensor<64xf32>
  %y = sesame.layer_norm %x epsilon = 1.0e-5 : tensor<?x?x64xf32>
  return %y : tensor<?x?x64xf32>
}
func.func @rms_norm_64(%x: tensor<?x?x64xf32> {sesame.name = "x", sesame.dims = ["B", "S", "64"]})
    -> (tensor<?x?x64xf32> {sesame.name = "y", sesame.dims = ["B", "S", "64"]}) {
  %w = sesame.get_weight @lw3 : tensor<64xf32>
  %y = sesame.rms_norm %x epsilon = 1.0e-6 offset = 1.0 : tensor<?x?x64xf32>
  return %y : tensor<?x?x64xf32>
}
sesame.weight @lw4 : tensor<129xf32> {
  %0 = sesame.checkpoint_tensor ["lw4"] : tensor<129xf32>
  sesame.yield %0 : tensor<129xf32>
}
sesame.weight @lb4 : tensor<129xf32> {
  %0 = sesame.checkpoint_tensor ["lb4"] : tensor<129xf32>
  sesame.yield %0 : tensor<129xf32>
}
func.func @layer_norm_129(%x: tensor<?x?x129xf32> {sesame.name = "x", sesame.dims = ["B", "S", "129"]})
    -> (tensor<?x?x129xf32> {sesame.name = "y", sesame.dims = ["B", "S", "129"]}) {
  %w = sesame.get_weight @lw4 : tensor<129xf32>
  %b = sesame.get_weight @lb4 : tensor<129xf32>
  %y = sesame.layer_norm %x weight(%w : tensor<129xf32>) bias(%b : tensor<129xf32>) epsilon = 1.0e-5 : tensor<?x?x129xf32>
  return %y : tensor<?x?x129xf32>
}
func.func @rms_norm_129(%x: tensor<?x?x129xf32> {sesame.name = "x", sesame.dims = ["B", "S", "129"]})
    -> (tensor<?x?x129xf32> {sesame.name = "y", sesame.dims = ["B", "S", "129"]}) {
  %w = sesame.get_weight @lw4 : tensor<129xf32>
  %y = sesame.rms_norm %x weight(%w : tensor<129xf32>) epsilon = 1.0e-6 : tensor<?x?x129xf32>
  return %y : tensor<?x?x129xf32>
}
sesame.weight @lw5 : tensor<33xf32> {
  %0 = sesame.checkpoint_tensor ["lw5"] : tensor<33xf32>
  sesame.yield %0 : tensor<33xf32>
}
sesame.weight @lb5 : tensor<33xf32> {
  %0 = sesame.checkpoint_tensor ["lb5"] : tensor<33xf32>
  sesame.yield %0 : tensor<33xf32>
}
func.func @layer_norm_33(%x: tensor<?x?x33xf32> {sesame.name = "x", sesame.dims = ["B", "S", "33"]})
    -> (tensor<?x?x33xf32> {sesame.name = "y", sesame.dims = ["B", "S", "33"]}) {
  %w = sesame.get_weight @lw5 : tensor<33xf32>
  %b = sesame.get_weight @lb5 : tensor<33xf32>
  %y = sesame.layer_norm %x weight(%w : tensor<33xf32>) epsilon = 1.0e-5 : tensor<?x?x33xf32>
  return %y : tensor<?x?x33xf32>
}
func.func @rms_norm_33(%x: tensor<?x?x33xf32> {sesame.name = "x", sesame.dims = ["B", "S", "33"]})
    -> (tensor<?x?x33xf32> {sesame.name = "y", sesame.dims = ["B", "S", "33"]}) {
  %w = sesame.get_weight @lw5 : tensor<33xf32>
  %y = sesame.rms_norm %x weight(%w : tensor<33xf32>) epsilon = 1.0e-6 offset = 1.0 : tensor<?x?x33xf32>
  return %y : tensor<?x?x33xf32>
}
