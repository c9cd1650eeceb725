// As recurrent-words.mlir over several steps. The states differ from the reference's in their last bits, and where such a number lies between two codes it is rounded to
// the other one: a step of a code changes a sum by about 2 / 255 times a weight.
// RUN: sesame-numeric-test %s --tolerance 0.02
// RUN: sesame-numeric-test %s --tolerance 0.02 --target x86-64-v3

sesame.weight @lstm_i8.w : tensor<2x132x12xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_i8.w"] : tensor<2x132x12xf32>
  sesame.yield %0 : tensor<2x132x12xf32>
}
sesame.weight @lstm_i8.u : tensor<2x132x33xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_i8.u"] : tensor<2x132x33xf32>
  sesame.yield %0 : tensor<2x132x33xf32>
}
sesame.weight @lstm_i8.bi : tensor<2x132xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_i8.bi"] : tensor<2x132xf32>
  sesame.yield %0 : tensor<2x132xf32>
}
sesame.weight @lstm_i8.br : tensor<2x132xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_i8.br"] : tensor<2x132xf32>
  sesame.yield %0 : tensor<2x132xf32>
}
func.func @lstm_i8(%x: tensor<?x?x12xf32> {sesame.name = "x", sesame.dims = ["B", "S", "12"]},
    %n: tensor<?xi64> {sesame.name = "n", sesame.dims = ["B"], sesame.range = array<i64: 0, 9>})
    -> (tensor<?x?x66xf32> {sesame.name = "y", sesame.dims = ["B", "S", "66"]}, tensor<2x?x33xf32> {sesame.name = "hn", sesame.dims = ["2", "B", "33"]}, tensor<2x?x33xf32> {sesame.name = "cn", sesame.dims = ["2", "B", "33"]})
    attributes {sesame.limits = {S = 9}} {
  %w = sesame.get_weight @lstm_i8.w : tensor<2x132x12xf32>
  %u = sesame.get_weight @lstm_i8.u : tensor<2x132x33xf32>
  %bi = sesame.get_weight @lstm_i8.bi : tensor<2x132xf32>
  %br = sesame.get_weight @lstm_i8.br : tensor<2x132xf32>
  %y, %hn, %cn = sesame.lstm %x, %w, %u input_bias(%bi : tensor<2x132xf32>) recurrent_bias(%br : tensor<2x132xf32>) lengths(%n : tensor<?xi64>) direction = bidirectional {sesame.words = i8} : tensor<?x?x12xf32>, tensor<2x132x12xf32>, tensor<2x132x33xf32> -> tensor<?x?x66xf32>, tensor<2x?x33xf32>, tensor<2x?x33xf32>
  return %y, %hn, %cn : tensor<?x?x66xf32>, tensor<2x?x33xf32>, tensor<2x?x33xf32>
}

sesame.weight @lstm_projected_i8.w : tensor<1x180x6xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_projected_i8.w"] : tensor<1x180x6xf32>
  sesame.yield %0 : tensor<1x180x6xf32>
}
sesame.weight @lstm_projected_i8.u : tensor<1x180x19xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_projected_i8.u"] : tensor<1x180x19xf32>
  sesame.yield %0 : tensor<1x180x19xf32>
}
sesame.weight @lstm_projected_i8.p : tensor<1x19x45xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_projected_i8.p"] : tensor<1x19x45xf32>
  sesame.yield %0 : tensor<1x19x45xf32>
}
func.func @lstm_projected_i8(%x: tensor<?x?x6xf32> {sesame.name = "x", sesame.dims = ["B", "S", "6"]})
    -> (tensor<?x?x19xf32> {sesame.name = "y", sesame.dims = ["B", "S", "19"]}, tensor<1x?x19xf32> {sesame.name = "hn", sesame.dims = ["1", "B", "19"]}, tensor<1x?x45xf32> {sesame.name = "cn", sesame.dims = ["1", "B", "45"]})
    attributes {sesame.limits = {S = 9}} {
  %w = sesame.get_weight @lstm_projected_i8.w : tensor<1x180x6xf32>
  %u = sesame.get_weight @lstm_projected_i8.u : tensor<1x180x19xf32>
  %p = sesame.get_weight @lstm_projected_i8.p : tensor<1x19x45xf32>
  %y, %hn, %cn = sesame.lstm %x, %w, %u projection(%p : tensor<1x19x45xf32>) direction = reverse {sesame.words = i8} : tensor<?x?x6xf32>, tensor<1x180x6xf32>, tensor<1x180x19xf32> -> tensor<?x?x19xf32>, tensor<1x?x19xf32>, tensor<1x?x45xf32>
  return %y, %hn, %cn : tensor<?x?x19xf32>, tensor<1x?x19xf32>, tensor<1x?x45xf32>
}

sesame.weight @gru_i8.w : tensor<2x63x5xf32> {
  %0 = sesame.checkpoint_tensor ["gru_i8.w"] : tensor<2x63x5xf32>
  sesame.yield %0 : tensor<2x63x5xf32>
}
sesame.weight @gru_i8.u : tensor<2x63x21xf32> {
  %0 = sesame.checkpoint_tensor ["gru_i8.u"] : tensor<2x63x21xf32>
  sesame.yield %0 : tensor<2x63x21xf32>
}
func.func @gru_i8(%x: tensor<?x?x5xf32> {sesame.name = "x", sesame.dims = ["B", "S", "5"]},
    %n: tensor<?xi64> {sesame.name = "n", sesame.dims = ["B"], sesame.range = array<i64: 0, 9>})
    -> (tensor<?x?x42xf32> {sesame.name = "y", sesame.dims = ["B", "S", "42"]}, tensor<2x?x21xf32> {sesame.name = "hn", sesame.dims = ["2", "B", "21"]})
    attributes {sesame.limits = {S = 9}} {
  %w = sesame.get_weight @gru_i8.w : tensor<2x63x5xf32>
  %u = sesame.get_weight @gru_i8.u : tensor<2x63x21xf32>
  %y, %hn = sesame.gru %x, %w, %u lengths(%n : tensor<?xi64>) direction = bidirectional {sesame.words = i8} : tensor<?x?x5xf32>, tensor<2x63x5xf32>, tensor<2x63x21xf32> -> tensor<?x?x42xf32>, tensor<2x?x21xf32>
  return %y, %hn : tensor<?x?x42xf32>, tensor<2x?x21xf32>
}

sesame.weight @rnn_bf16.w : tensor<1x37x7xf32> {
  %0 = sesame.checkpoint_tensor ["rnn_bf16.w"] : tensor<1x37x7xf32>
  sesame.yield %0 : tensor<1x37x7xf32>
}
sesame.weight @rnn_bf16.u : tensor<1x37x37xf32> {
  %0 = sesame.checkpoint_tensor ["rnn_bf16.u"] : tensor<1x37x37xf32>
  sesame.yield %0 : tensor<1x37x37xf32>
}
sesame.weight @rnn_bf16.bi : tensor<1x37xf32> {
  %0 = sesame.checkpoint_tensor ["rnn_bf16.bi"] : tensor<1x37xf32>
  sesame.yield %0 : tensor<1x37xf32>
}
sesame.weight @rnn_bf16.br : tensor<1x37xf32> {
  %0 = sesame.checkpoint_tensor ["rnn_bf16.br"] : tensor<1x37xf32>
  sesame.yield %0 : tensor<1x37xf32>
}
func.func @rnn_bf16(%x: tensor<?x?x7xf32> {sesame.name = "x", sesame.dims = ["B", "S", "7"]})
    -> (tensor<?x?x37xf32> {sesame.name = "y", sesame.dims = ["B", "S", "37"]}, tensor<1x?x37xf32> {sesame.name = "hn", sesame.dims = ["1", "B", "37"]})
    attributes {sesame.limits = {S = 9}} {
  %w = sesame.get_weight @rnn_bf16.w : tensor<1x37x7xf32>
  %u = sesame.get_weight @rnn_bf16.u : tensor<1x37x37xf32>
  %bi = sesame.get_weight @rnn_bf16.bi : tensor<1x37xf32>
  %br = sesame.get_weight @rnn_bf16.br : tensor<1x37xf32>
  %y, %hn = sesame.rnn %x, %w, %u input_bias(%bi : tensor<1x37xf32>) recurrent_bias(%br : tensor<1x37xf32>) activation = tanh direction = forward {sesame.words = bf16} : tensor<?x?x7xf32>, tensor<1x37x7xf32>, tensor<1x37x37xf32> -> tensor<?x?x37xf32>, tensor<1x?x37xf32>
  return %y, %hn : tensor<?x?x37xf32>, tensor<1x?x37xf32>
}

sesame.weight @lstm_bf16.w : tensor<2x132x12xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_bf16.w"] : tensor<2x132x12xf32>
  sesame.yield %0 : tensor<2x132x12xf32>
}
sesame.weight @lstm_bf16.u : tensor<2x132x33xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_bf16.u"] : tensor<2x132x33xf32>
  sesame.yield %0 : tensor<2x132x33xf32>
}
sesame.weight @lstm_bf16.bi : tensor<2x132xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_bf16.bi"] : tensor<2x132xf32>
  sesame.yield %0 : tensor<2x132xf32>
}
sesame.weight @lstm_bf16.br : tensor<2x132xf32> {
  %0 = sesame.checkpoint_tensor ["lstm_bf16.br"] : tensor<2x132xf32>
  sesame.yield %0 : tensor<2x132xf32>
}
func.func @lstm_bf16(%x: tensor<?x?x12xf32> {sesame.name = "x", sesame.dims = ["B", "S", "12"]},
    %n: tensor<?xi64> {sesame.name = "n", sesame.dims = ["B"], sesame.range = array<i64: 0, 9>})
    -> (tensor<?x?x66xf32> {sesame.name = "y", sesame.dims = ["B", "S", "66"]}, tensor<2x?x33xf32> {sesame.name = "hn", sesame.dims = ["2", "B", "33"]}, tensor<2x?x33xf32> {sesame.name = "cn", sesame.dims = ["2", "B", "33"]})
    attributes {sesame.limits = {S = 9}} {
  %w = sesame.get_weight @lstm_bf16.w : tensor<2x132x12xf32>
  %u = sesame.get_weight @lstm_bf16.u : tensor<2x132x33xf32>
  %bi = sesame.get_weight @lstm_bf16.bi : tensor<2x132xf32>
  %br = sesame.get_weight @lstm_bf16.br : tensor<2x132xf32>
  %y, %hn, %cn = sesame.lstm %x, %w, %u input_bias(%bi : tensor<2x132xf32>) recurrent_bias(%br : tensor<2x132xf32>) lengths(%n : tensor<?xi64>) direction = bidirectional {sesame.words = bf16} : tensor<?x?x12xf32>, tensor<2x132x12xf32>, tensor<2x132x33xf32> -> tensor<?x?x66xf32>, tensor<2x?x33xf32>, tensor<2x?x33xf32>
  return %y, %hn, %cn : tensor<?x?x66xf32>, tensor<2x?x33xf32>, tensor<2x?x33xf32>
}

sesame.weight @gru_reset_bf16.w : tensor<1x210x5xf32> {
  %0 = sesame.checkpoint_tensor ["gru_reset_bf16.w"] : tensor<1x210x5xf32>
  sesame.yield %0 : tensor<1x210x5xf32>
}
sesame.weight @gru_reset_bf16.u : tensor<1x210x70xf32> {
  %0 = sesame.checkpoint_tensor ["gru_reset_bf16.u"] : tensor<1x210x70xf32>
  sesame.yield %0 : tensor<1x210x70xf32>
}
sesame.weight @gru_reset_bf16.bi : tensor<1x210xf32> {
  %0 = sesame.checkpoint_tensor ["gru_reset_bf16.bi"] : tensor<1x210xf32>
  sesame.yield %0 : tensor<1x210xf32>
}
sesame.weight @gru_reset_bf16.br : tensor<1x210xf32> {
  %0 = sesame.checkpoint_tensor ["gru_reset_bf16.br"] : tensor<1x210xf32>
  sesame.yield %0 : tensor<1x210xf32>
}
func.func @gru_reset_bf16(%x: tensor<?x?x5xf32> {sesame.name = "x", sesame.dims = ["B", "S", "5"]})
    -> (tensor<?x?x70xf32> {sesame.name = "y", sesame.dims = ["B", "S", "70"]}, tensor<1x?x70xf32> {sesame.name = "hn", sesame.dims = ["1", "B", "70"]})
    attributes {sesame.limits = {S = 9}} {
  %w = sesame.get_weight @gru_reset_bf16.w : tensor<1x210x5xf32>
  %u = sesame.get_weight @gru_reset_bf16.u : tensor<1x210x70xf32>
  %bi = sesame.get_weight @gru_reset_bf16.bi : tensor<1x210xf32>
  %br = sesame.get_weight @gru_reset_bf16.br : tensor<1x210xf32>
  %y, %hn = sesame.gru %x, %w, %u input_bias(%bi : tensor<1x210xf32>) recurrent_bias(%br : tensor<1x210xf32>) direction = forward reset_before {sesame.words = bf16} : tensor<?x?x5xf32>, tensor<1x210x5xf32>, tensor<1x210x70xf32> -> tensor<?x?x70xf32>, tensor<1x?x70xf32>
  return %y, %hn : tensor<?x?x70xf32>, tensor<1x?x70xf32>
}
