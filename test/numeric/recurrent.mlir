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
