// RUN: sesame-numeric-test %s

// Recurrences: directions, lengths, initial states, biases, projection, clips, both forms of the GRU.
sesame.weight @rnn_tanh.w : tensor<1x20x12xf32> {
  %0 = sesame.checkpoint_tensor ["rnn_tanh.w"] : tensor<1x20x12xf32>
  sesame.yield %0 : tensor<1x20x12xf32>
}
sesame.weight @rnn_tanh.u : tensor<1x20x20xf32> {
  %0 = sesame.checkpoint_tensor ["rnn_tanh.u"] : tensor<1x20x20xf32>
  sesame.yield %0 : tensor<1x20x20xf32>
}
func.func @rnn_tanh(%x: tensor<?x?x12xf32> {sesame.name = "x", sesame.dims = ["B", "S", "12"]})
    -> (tensor<?x?x20xf32> {sesame.name = "y", sesame.dims = ["B", "S", "20"]}, tensor<1x?x20xf32> {sesame.name = "hn", sesame.dims = ["1", "B", "20"]})
    attributes {sesame.limits = {S = 11}} {
  %w = sesame.get_weight @rnn_tanh.w : tensor<1x20x12xf32>
  %u = sesame.get_weight @rnn_tanh.u : tensor<1x20x20xf32>
  %y, %hn = sesame.rnn %x, %w, %u activation = tanh direction = forward : tensor<?x?x12xf32>, tensor<1x20x12xf32>, tensor<1x20x20xf32> -> tensor<?x?x20xf32>, tensor<1x?x20xf32>
  return %y, %hn : tensor<?x?x20xf32>, tensor<1x?x20xf32>
}
sesame.weight @rnn_relu.w : tensor<2x5x7xf32> {
  %0 = sesame.checkpoint_tensor ["rnn_relu.w"] : tensor<2x5x7xf32>
  sesame.yield %0 : tensor<2x5x7xf32>
}
sesame.weight @rnn_relu.u : tensor<2x5x5xf32> {
  %0 = sesame.checkpoint_tensor ["rnn_relu.u"] : tensor<2x5x5xf32>
  sesame.yield %0 : tensor<2x5x5xf32>
}
sesame.weight @rnn_relu.bi : tensor<2x5xf32> {
  %0 = sesame.checkpoint_tensor ["rnn_relu.bi"] : tensor<2x5xf32>
  sesame.yield %0 : tensor<2x5xf32>
}
sesame.weight @rnn_relu.br : tensor<2x5xf32> {
  %0 = sesame.checkpoint_tensor ["rnn_relu.br"] : tensor<2x5xf32>
  sesame.yield %0 : tensor<2x5xf32>
}
func.func @rnn_relu(%x: tensor<?x?x7xf32> {sesame.name = "x", sesame.dims = ["B", "S", "7"]},
    %h: tensor<2x?x5xf32> {sesame.name = "h", sesame.dims = ["2", "B", "5"]},
    %n: tensor<?xi64> {sesame.name = "n", sesame.dims = ["B"], sesame.range = array<i64: 0, 9>})
    -> (tensor<?x?x10xf32> {sesame.name = "y", sesame.dims = ["B", "S", "10"]}, tensor<2x?x5xf32> {sesame.name = "hn", sesame.dims = ["2", "B", "5"]})
    attributes {sesame.limits = {S = 11}} {
  %w = sesame.get_weight @rnn_relu.w : tensor<2x5x7xf32>
  %u = sesame.get_weight @rnn_relu.u : tensor<2x5x5xf32>
  %bi = sesame.get_weight @rnn_relu.bi : tensor<2x5xf32>
  %br = sesame.get_weight @rnn_relu.br : tensor<2x5xf32>
  %y, %hn = sesame.rnn %x, %w, %u input_bias(%bi : tensor<2x5xf32>) recurrent_bias(%br : tensor<2x5xf32>) hidden(%h : tensor<2x?x5xf32>) lengths(%n : tensor<?xi64>) activation = relu direction = bidirectional : tensor<?x?x7xf32>, tensor<2x5x7xf32>, tensor<2x5x5xf32> -> tensor<?x?x10xf32>, tensor<2x?x5xf32>
  return %y, %hn : tensor<?x?x10xf32>, tensor<2x?x5xf32>
}
sesame.weight @lstm_plain.w : tensor<1x80x12xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_plain.w"] : tensor<1x80x12xf32>
  sesame.yield %0 : tensor<1x80x12xf32>
}
sesame.weight @lstm_plain.u : tensor<1x80x20xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_plain.u"] : tensor<1x80x20xf32>
  sesame.yield %0 : tensor<1x80x20xf32>
}
func.func @lstm_plain(%x: tensor<?x?x12xf32> {sesame.name = "x", sesame.dims = ["B", "S", "12"]})
    -> (tensor<?x?x20xf32> {sesame.name = "y", sesame.dims = ["B", "S", "20"]}, tensor<1x?x20xf32> {sesame.name = "hn", sesame.dims = ["1", "B", "20"]}, tensor<1x?x20xf32> {sesame.name = "cn", sesame.dims = ["1", "B", "20"]})
    attributes {sesame.limits = {S = 11}} {
  %w = sesame.get_weight @lstm_plain.w : tensor<1x80x12xf32>
  %u = sesame.get_weight @lstm_plain.u : tensor<1x80x20xf32>
  %y, %hn, %cn = sesame.lstm %x, %w, %u direction = forward : tensor<?x?x12xf32>, tensor<1x80x12xf32>, tensor<1x80x20xf32> -> tensor<?x?x20xf32>, tensor<1x?x20xf32>, tensor<1x?x20xf32>
  return %y, %hn, %cn : tensor<?x?x20xf32>, tensor<1x?x20xf32>, tensor<1x?x20xf32>
}
sesame.weight @lstm_full.w : tensor<2x36x7xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_full.w"] : tensor<2x36x7xf32>
  sesame.yield %0 : tensor<2x36x7xf32>
}
sesame.weight @lstm_full.u : tensor<2x36x9xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_full.u"] : tensor<2x36x9xf32>
  sesame.yield %0 : tensor<2x36x9xf32>
}
sesame.weight @lstm_full.bi : tensor<2x36xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_full.bi"] : tensor<2x36xf32>
  sesame.yield %0 : tensor<2x36xf32>
}
sesame.weight @lstm_full.br : tensor<2x36xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_full.br"] : tensor<2x36xf32>
  sesame.yield %0 : tensor<2x36xf32>
}
func.func @lstm_full(%x: tensor<?x?x7xf32> {sesame.name = "x", sesame.dims = ["B", "S", "7"]},
    %h: tensor<2x?x9xf32> {sesame.name = "h", sesame.dims = ["2", "B", "9"]},
    %c: tensor<2x?x9xf32> {sesame.name = "c", sesame.dims = ["2", "B", "9"]},
    %n: tensor<?xi64> {sesame.name = "n", sesame.dims = ["B"], sesame.range = array<i64: 0, 9>})
    -> (tensor<?x?x18xf32> {sesame.name = "y", sesame.dims = ["B", "S", "18"]}, tensor<2x?x9xf32> {sesame.name = "hn", sesame.dims = ["2", "B", "9"]}, tensor<2x?x9xf32> {sesame.name = "cn", sesame.dims = ["2", "B", "9"]})
    attributes {sesame.limits = {S = 11}} {
  %w = sesame.get_weight @lstm_full.w : tensor<2x36x7xf32>
  %u = sesame.get_weight @lstm_full.u : tensor<2x36x9xf32>
  %bi = sesame.get_weight @lstm_full.bi : tensor<2x36xf32>
  %br = sesame.get_weight @lstm_full.br : tensor<2x36xf32>
  %y, %hn, %cn = sesame.lstm %x, %w, %u input_bias(%bi : tensor<2x36xf32>) recurrent_bias(%br : tensor<2x36xf32>) hidden(%h : tensor<2x?x9xf32>) cell(%c : tensor<2x?x9xf32>) lengths(%n : tensor<?xi64>) direction = bidirectional : tensor<?x?x7xf32>, tensor<2x36x7xf32>, tensor<2x36x9xf32> -> tensor<?x?x18xf32>, tensor<2x?x9xf32>, tensor<2x?x9xf32>
  return %y, %hn, %cn : tensor<?x?x18xf32>, tensor<2x?x9xf32>, tensor<2x?x9xf32>
}
sesame.weight @lstm_reverse.w : tensor<1x64x5xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_reverse.w"] : tensor<1x64x5xf32>
  sesame.yield %0 : tensor<1x64x5xf32>
}
sesame.weight @lstm_reverse.u : tensor<1x64x16xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_reverse.u"] : tensor<1x64x16xf32>
  sesame.yield %0 : tensor<1x64x16xf32>
}
sesame.weight @lstm_reverse.bi : tensor<1x64xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_reverse.bi"] : tensor<1x64xf32>
  sesame.yield %0 : tensor<1x64xf32>
}
sesame.weight @lstm_reverse.br : tensor<1x64xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_reverse.br"] : tensor<1x64xf32>
  sesame.yield %0 : tensor<1x64xf32>
}
func.func @lstm_reverse(%x: tensor<?x?x5xf32> {sesame.name = "x", sesame.dims = ["B", "S", "5"]},
    %n: tensor<?xi64> {sesame.name = "n", sesame.dims = ["B"], sesame.range = array<i64: 0, 9>})
    -> (tensor<?x?x16xf32> {sesame.name = "y", sesame.dims = ["B", "S", "16"]}, tensor<1x?x16xf32> {sesame.name = "hn", sesame.dims = ["1", "B", "16"]}, tensor<1x?x16xf32> {sesame.name = "cn", sesame.dims = ["1", "B", "16"]})
    attributes {sesame.limits = {S = 11}} {
  %w = sesame.get_weight @lstm_reverse.w : tensor<1x64x5xf32>
  %u = sesame.get_weight @lstm_reverse.u : tensor<1x64x16xf32>
  %bi = sesame.get_weight @lstm_reverse.bi : tensor<1x64xf32>
  %br = sesame.get_weight @lstm_reverse.br : tensor<1x64xf32>
  %y, %hn, %cn = sesame.lstm %x, %w, %u input_bias(%bi : tensor<1x64xf32>) recurrent_bias(%br : tensor<1x64xf32>) lengths(%n : tensor<?xi64>) direction = reverse cell_clip = 0.5 : tensor<?x?x5xf32>, tensor<1x64x5xf32>, tensor<1x64x16xf32> -> tensor<?x?x16xf32>, tensor<1x?x16xf32>, tensor<1x?x16xf32>
  return %y, %hn, %cn : tensor<?x?x16xf32>, tensor<1x?x16xf32>, tensor<1x?x16xf32>
}
sesame.weight @lstm_projected.w : tensor<1x40x6xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_projected.w"] : tensor<1x40x6xf32>
  sesame.yield %0 : tensor<1x40x6xf32>
}
sesame.weight @lstm_projected.u : tensor<1x40x4xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_projected.u"] : tensor<1x40x4xf32>
  sesame.yield %0 : tensor<1x40x4xf32>
}
sesame.weight @lstm_projected.bi : tensor<1x40xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_projected.bi"] : tensor<1x40xf32>
  sesame.yield %0 : tensor<1x40xf32>
}
sesame.weight @lstm_projected.br : tensor<1x40xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_projected.br"] : tensor<1x40xf32>
  sesame.yield %0 : tensor<1x40xf32>
}
sesame.weight @lstm_projected.p : tensor<1x4x10xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_projected.p"] : tensor<1x4x10xf32>
  sesame.yield %0 : tensor<1x4x10xf32>
}
func.func @lstm_projected(%x: tensor<?x?x6xf32> {sesame.name = "x", sesame.dims = ["B", "S", "6"]},
    %h: tensor<1x?x4xf32> {sesame.name = "h", sesame.dims = ["1", "B", "4"]},
    %c: tensor<1x?x10xf32> {sesame.name = "c", sesame.dims = ["1", "B", "10"]})
    -> (tensor<?x?x4xf32> {sesame.name = "y", sesame.dims = ["B", "S", "4"]}, tensor<1x?x4xf32> {sesame.name = "hn", sesame.dims = ["1", "B", "4"]}, tensor<1x?x10xf32> {sesame.name = "cn", sesame.dims = ["1", "B", "10"]})
    attributes {sesame.limits = {S = 11}} {
  %w = sesame.get_weight @lstm_projected.w : tensor<1x40x6xf32>
  %u = sesame.get_weight @lstm_projected.u : tensor<1x40x4xf32>
  %bi = sesame.get_weight @lstm_projected.bi : tensor<1x40xf32>
  %br = sesame.get_weight @lstm_projected.br : tensor<1x40xf32>
  %p = sesame.get_weight @lstm_projected.p : tensor<1x4x10xf32>
  %y, %hn, %cn = sesame.lstm %x, %w, %u input_bias(%bi : tensor<1x40xf32>) recurrent_bias(%br : tensor<1x40xf32>) projection(%p : tensor<1x4x10xf32>) hidden(%h : tensor<1x?x4xf32>) cell(%c : tensor<1x?x10xf32>) direction = forward : tensor<?x?x6xf32>, tensor<1x40x6xf32>, tensor<1x40x4xf32> -> tensor<?x?x4xf32>, tensor<1x?x4xf32>, tensor<1x?x10xf32>
  return %y, %hn, %cn : tensor<?x?x4xf32>, tensor<1x?x4xf32>, tensor<1x?x10xf32>
}
sesame.weight @gru_plain.w : tensor<1x60x12xf32> {
  %0 = sesame.checkpoint_tensor ["gru_plain.w"] : tensor<1x60x12xf32>
  sesame.yield %0 : tensor<1x60x12xf32>
}
sesame.weight @gru_plain.u : tensor<1x60x20xf32> {
  %0 = sesame.checkpoint_tensor ["gru_plain.u"] : tensor<1x60x20xf32>
  sesame.yield %0 : tensor<1x60x20xf32>
}
func.func @gru_plain(%x: tensor<?x?x12xf32> {sesame.name = "x", sesame.dims = ["B", "S", "12"]})
    -> (tensor<?x?x20xf32> {sesame.name = "y", sesame.dims = ["B", "S", "20"]}, tensor<1x?x20xf32> {sesame.name = "hn", sesame.dims = ["1", "B", "20"]})
    attributes {sesame.limits = {S = 11}} {
  %w = sesame.get_weight @gru_plain.w : tensor<1x60x12xf32>
  %u = sesame.get_weight @gru_plain.u : tensor<1x60x20xf32>
  %y, %hn = sesame.gru %x, %w, %u direction = forward : tensor<?x?x12xf32>, tensor<1x60x12xf32>, tensor<1x60x20xf32> -> tensor<?x?x20xf32>, tensor<1x?x20xf32>
  return %y, %hn : tensor<?x?x20xf32>, tensor<1x?x20xf32>
}
sesame.weight @gru_full.w : tensor<2x27x7xf32> {
  %0 = sesame.checkpoint_tensor ["gru_full.w"] : tensor<2x27x7xf32>
  sesame.yield %0 : tensor<2x27x7xf32>
}
sesame.weight @gru_full.u : tensor<2x27x9xf32> {
  %0 = sesame.checkpoint_tensor ["gru_full.u"] : tensor<2x27x9xf32>
  sesame.yield %0 : tensor<2x27x9xf32>
}
sesame.weight @gru_full.bi : tensor<2x27xf32> {
  %0 = sesame.checkpoint_tensor ["gru_full.bi"] : tensor<2x27xf32>
  sesame.yield %0 : tensor<2x27xf32>
}
sesame.weight @gru_full.br : tensor<2x27xf32> {
  %0 = sesame.checkpoint_tensor ["gru_full.br"] : tensor<2x27xf32>
  sesame.yield %0 : tensor<2x27xf32>
}
func.func @gru_full(%x: tensor<?x?x7xf32> {sesame.name = "x", sesame.dims = ["B", "S", "7"]},
    %h: tensor<2x?x9xf32> {sesame.name = "h", sesame.dims = ["2", "B", "9"]},
    %n: tensor<?xi64> {sesame.name = "n", sesame.dims = ["B"], sesame.range = array<i64: 0, 9>})
    -> (tensor<?x?x18xf32> {sesame.name = "y", sesame.dims = ["B", "S", "18"]}, tensor<2x?x9xf32> {sesame.name = "hn", sesame.dims = ["2", "B", "9"]})
    attributes {sesame.limits = {S = 11}} {
  %w = sesame.get_weight @gru_full.w : tensor<2x27x7xf32>
  %u = sesame.get_weight @gru_full.u : tensor<2x27x9xf32>
  %bi = sesame.get_weight @gru_full.bi : tensor<2x27xf32>
  %br = sesame.get_weight @gru_full.br : tensor<2x27xf32>
  %y, %hn = sesame.gru %x, %w, %u input_bias(%bi : tensor<2x27xf32>) recurrent_bias(%br : tensor<2x27xf32>) hidden(%h : tensor<2x?x9xf32>) lengths(%n : tensor<?xi64>) direction = bidirectional : tensor<?x?x7xf32>, tensor<2x27x7xf32>, tensor<2x27x9xf32> -> tensor<?x?x18xf32>, tensor<2x?x9xf32>
  return %y, %hn : tensor<?x?x18xf32>, tensor<2x?x9xf32>
}
sesame.weight @gru_reset_before.w : tensor<1x33x5xf32> {
  %0 = sesame.checkpoint_tensor ["gru_reset_before.w"] : tensor<1x33x5xf32>
  sesame.yield %0 : tensor<1x33x5xf32>
}
sesame.weight @gru_reset_before.u : tensor<1x33x11xf32> {
  %0 = sesame.checkpoint_tensor ["gru_reset_before.u"] : tensor<1x33x11xf32>
  sesame.yield %0 : tensor<1x33x11xf32>
}
sesame.weight @gru_reset_before.bi : tensor<1x33xf32> {
  %0 = sesame.checkpoint_tensor ["gru_reset_before.bi"] : tensor<1x33xf32>
  sesame.yield %0 : tensor<1x33xf32>
}
sesame.weight @gru_reset_before.br : tensor<1x33xf32> {
  %0 = sesame.checkpoint_tensor ["gru_reset_before.br"] : tensor<1x33xf32>
  sesame.yield %0 : tensor<1x33xf32>
}
func.func @gru_reset_before(%x: tensor<?x?x5xf32> {sesame.name = "x", sesame.dims = ["B", "S", "5"]},
    %n: tensor<?xi64> {sesame.name = "n", sesame.dims = ["B"], sesame.range = array<i64: 0, 9>})
    -> (tensor<?x?x11xf32> {sesame.name = "y", sesame.dims = ["B", "S", "11"]}, tensor<1x?x11xf32> {sesame.name = "hn", sesame.dims = ["1", "B", "11"]})
    attributes {sesame.limits = {S = 11}} {
  %w = sesame.get_weight @gru_reset_before.w : tensor<1x33x5xf32>
  %u = sesame.get_weight @gru_reset_before.u : tensor<1x33x11xf32>
  %bi = sesame.get_weight @gru_reset_before.bi : tensor<1x33xf32>
  %br = sesame.get_weight @gru_reset_before.br : tensor<1x33xf32>
  %y, %hn = sesame.gru %x, %w, %u input_bias(%bi : tensor<1x33xf32>) recurrent_bias(%br : tensor<1x33xf32>) lengths(%n : tensor<?xi64>) direction = reverse reset_before : tensor<?x?x5xf32>, tensor<1x33x5xf32>, tensor<1x33x11xf32> -> tensor<?x?x11xf32>, tensor<1x?x11xf32>
  return %y, %hn : tensor<?x?x11xf32>, tensor<1x?x11xf32>
}

// Several panels a gate: in one task and in several, the last one cut.
sesame.weight @lstm_wide.w count = 2 : tensor<1x288x5xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_wide.", ".w"] : tensor<1x288x5xf32>
  sesame.yield %0 : tensor<1x288x5xf32>
}
sesame.weight @lstm_wide.u count = 2 : tensor<1x288x72xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_wide.", ".u"] : tensor<1x288x72xf32>
  sesame.yield %0 : tensor<1x288x72xf32>
}
func.func @lstm_wide(%x: tensor<?x?x5xf32> {sesame.name = "x", sesame.dims = ["B", "S", "5"]})
    -> (tensor<?x?x72xf32> {sesame.name = "y", sesame.dims = ["B", "S", "72"]}, tensor<1x?x72xf32> {sesame.name = "cn", sesame.dims = ["1", "B", "72"]})
    attributes {sesame.limits = {S = 11}} {
  %c1 = arith.constant 1 : index
  %w = sesame.get_weight @lstm_wide.w[%c1] : tensor<1x288x5xf32>
  %u = sesame.get_weight @lstm_wide.u[%c1] : tensor<1x288x72xf32>
  %y, %hn, %cn = sesame.lstm %x, %w, %u direction = forward : tensor<?x?x5xf32>, tensor<1x288x5xf32>, tensor<1x288x72xf32> -> tensor<?x?x72xf32>, tensor<1x?x72xf32>, tensor<1x?x72xf32>
  return %y, %cn : tensor<?x?x72xf32>, tensor<1x?x72xf32>
}
sesame.weight @gru_wide.w : tensor<2x480x6xf32> {
  %0 = sesame.checkpoint_tensor ["gru_wide.w"] : tensor<2x480x6xf32>
  sesame.yield %0 : tensor<2x480x6xf32>
}
sesame.weight @gru_wide.u : tensor<2x480x160xf32> {
  %0 = sesame.checkpoint_tensor ["gru_wide.u"] : tensor<2x480x160xf32>
  sesame.yield %0 : tensor<2x480x160xf32>
}
sesame.weight @gru_wide.b : tensor<2x480xf32> {
  %0 = sesame.checkpoint_tensor ["gru_wide.b"] : tensor<2x480xf32>
  sesame.yield %0 : tensor<2x480xf32>
}
func.func @gru_wide(%x: tensor<?x?x6xf32> {sesame.name = "x", sesame.dims = ["B", "S", "6"]},
    %n: tensor<?xi64> {sesame.name = "n", sesame.dims = ["B"], sesame.range = array<i64: 0, 9>})
    -> (tensor<?x?x320xf32> {sesame.name = "y", sesame.dims = ["B", "S", "320"]}, tensor<2x?x160xf32> {sesame.name = "hn", sesame.dims = ["2", "B", "160"]})
    attributes {sesame.limits = {S = 11}} {
  %w = sesame.get_weight @gru_wide.w : tensor<2x480x6xf32>
  %u = sesame.get_weight @gru_wide.u : tensor<2x480x160xf32>
  %b = sesame.get_weight @gru_wide.b : tensor<2x480xf32>
  %y, %hn = sesame.gru %x, %w, %u recurrent_bias(%b : tensor<2x480xf32>) lengths(%n : tensor<?xi64>) direction = bidirectional : tensor<?x?x6xf32>, tensor<2x480x6xf32>, tensor<2x480x160xf32> -> tensor<?x?x320xf32>, tensor<2x?x160xf32>
  return %y, %hn : tensor<?x?x320xf32>, tensor<2x?x160xf32>
}
sesame.weight @lstm_projected_wide.w : tensor<2x280x6xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_projected_wide.w"] : tensor<2x280x6xf32>
  sesame.yield %0 : tensor<2x280x6xf32>
}
sesame.weight @lstm_projected_wide.u : tensor<2x280x40xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_projected_wide.u"] : tensor<2x280x40xf32>
  sesame.yield %0 : tensor<2x280x40xf32>
}
sesame.weight @lstm_projected_wide.p : tensor<2x40x70xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_projected_wide.p"] : tensor<2x40x70xf32>
  sesame.yield %0 : tensor<2x40x70xf32>
}
func.func @lstm_projected_wide(%x: tensor<?x?x6xf32> {sesame.name = "x", sesame.dims = ["B", "S", "6"]},
    %n: tensor<?xi64> {sesame.name = "n", sesame.dims = ["B"], sesame.range = array<i64: 0, 9>})
    -> (tensor<?x?x80xf32> {sesame.name = "y", sesame.dims = ["B", "S", "80"]}, tensor<2x?x40xf32> {sesame.name = "hn", sesame.dims = ["2", "B", "40"]}, tensor<2x?x70xf32> {sesame.name = "cn", sesame.dims = ["2", "B", "70"]})
    attributes {sesame.limits = {S = 11}} {
  %w = sesame.get_weight @lstm_projected_wide.w : tensor<2x280x6xf32>
  %u = sesame.get_weight @lstm_projected_wide.u : tensor<2x280x40xf32>
  %p = sesame.get_weight @lstm_projected_wide.p : tensor<2x40x70xf32>
  %y, %hn, %cn = sesame.lstm %x, %w, %u projection(%p : tensor<2x40x70xf32>) lengths(%n : tensor<?xi64>) direction = bidirectional cell_clip = 0.5 projection_clip = 0.25 : tensor<?x?x6xf32>, tensor<2x280x6xf32>, tensor<2x280x40xf32> -> tensor<?x?x80xf32>, tensor<2x?x40xf32>, tensor<2x?x70xf32>
  return %y, %hn, %cn : tensor<?x?x80xf32>, tensor<2x?x40xf32>, tensor<2x?x70xf32>
}
// More rows than a task takes.
func.func @gru_rows(%x: tensor<?x12x12xf32> {sesame.name = "x", sesame.dims = ["N", "12", "12"]})
    -> (tensor<1x?x20xf32> {sesame.name = "hn", sesame.dims = ["1", "N", "20"]})
    attributes {sesame.limits = {N = 70}} {
  %w = sesame.get_weight @gru_plain.w : tensor<1x60x12xf32>
  %u = sesame.get_weight @gru_plain.u : tensor<1x60x20xf32>
  %y, %hn = sesame.gru %x, %w, %u direction = reverse : tensor<?x12x12xf32>, tensor<1x60x12xf32>, tensor<1x60x20xf32> -> tensor<?x12x20xf32>, tensor<1x?x20xf32>
  return %hn : tensor<1x?x20xf32>
}
// A sequence in two calls is the sequence in one, bit by bit: any difference would be far beyond the tolerance.
func.func @lstm_stream(%x: tensor<?x7x5xf32> {sesame.name = "x", sesame.dims = ["B", "7", "5"]})
    -> (tensor<1x?x72xf32> {sesame.name = "difference", sesame.dims = ["1", "B", "72"]}) {
  %c0 = arith.constant 0 : index
  %B = tensor.dim %x, %c0 : tensor<?x7x5xf32>
  %w = sesame.get_weight @lstm_wide.w[%c0] : tensor<1x288x5xf32>
  %u = sesame.get_weight @lstm_wide.u[%c0] : tensor<1x288x72xf32>
  %y, %hn, %cn = sesame.lstm %x, %w, %u direction = forward : tensor<?x7x5xf32>, tensor<1x288x5xf32>, tensor<1x288x72xf32> -> tensor<?x7x72xf32>, tensor<1x?x72xf32>, tensor<1x?x72xf32>
  %x0 = tensor.extract_slice %x[0, 0, 0] [%B, 3, 5] [1, 1, 1] : tensor<?x7x5xf32> to tensor<?x3x5xf32>
  %y0, %h0, %s0 = sesame.lstm %x0, %w, %u direction = forward : tensor<?x3x5xf32>, tensor<1x288x5xf32>, tensor<1x288x72xf32> -> tensor<?x3x72xf32>, tensor<1x?x72xf32>, tensor<1x?x72xf32>
  %x1 = tensor.extract_slice %x[0, 3, 0] [%B, 4, 5] [1, 1, 1] : tensor<?x7x5xf32> to tensor<?x4x5xf32>
  %y1, %h1, %s1 = sesame.lstm %x1, %w, %u hidden(%h0 : tensor<1x?x72xf32>) cell(%s0 : tensor<1x?x72xf32>) direction = forward : tensor<?x4x5xf32>, tensor<1x288x5xf32>, tensor<1x288x72xf32> -> tensor<?x4x72xf32>, tensor<1x?x72xf32>, tensor<1x?x72xf32>
  %e = tensor.empty(%B) : tensor<1x?x72xf32>
  %d = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, j, k)>, affine_map<(i, j, k) -> (i, j, k)>, affine_map<(i, j, k) -> (i, j, k)>],
      iterator_types = ["parallel", "parallel", "parallel"]} ins(%s1, %cn : tensor<1x?x72xf32>, tensor<1x?x72xf32>) outs(%e : tensor<1x?x72xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %scale = arith.constant 1.0e+30 : f32
    %0 = arith.subf %a, %b : f32
    %1 = arith.mulf %0, %scale : f32
    linalg.yield %1 : f32
  } -> tensor<1x?x72xf32>
  return %d : tensor<1x?x72xf32>
}
