// RUN: sesame-numeric-test %s --runs 60
// RUN: sesame-numeric-test %s --runs 12 --target x86-64-v3

// One table, and sums of tables with broadcast indices.
sesame.weight @wte : tensor<97x36xf32> {
  %0 = sesame.checkpoint_tensor ["wte"] : tensor<97x36xf32>
  sesame.yield %0 : tensor<97x36xf32>
}
sesame.weight @wpe : tensor<40x36xf32> {
  %0 = sesame.checkpoint_tensor ["wpe"] : tensor<40x36xf32>
  sesame.yield %0 : tensor<40x36xf32>
}
sesame.weight @wtt : tensor<2x36xf32> {
  %0 = sesame.checkpoint_tensor ["wtt"] : tensor<2x36xf32>
  sesame.yield %0 : tensor<2x36xf32>
}
func.func @one_table(%ids: tensor<?x?xi64> {sesame.name = "ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 97>})
    -> (tensor<?x?x36xf32> {sesame.name = "y", sesame.dims = ["B", "S", "36"]}) {
  %wte = sesame.get_weight @wte : tensor<97x36xf32>
  %y = sesame.embedding %ids in %wte : tensor<?x?xi64> in tensor<97x36xf32> -> tensor<?x?x36xf32>
  return %y : tensor<?x?x36xf32>
}
func.func @three_tables(%ids: tensor<?x?xi64> {sesame.name = "ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 97>},
    %pos: tensor<1x?xi64> {sesame.name = "pos", sesame.dims = ["1", "S"], sesame.range = array<i64: 0, 40>},
    %tt: tensor<?x?xi64> {sesame.name = "tt", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 2>})
    -> (tensor<?x?x36xf32> {sesame.name = "y", sesame.dims = ["B", "S", "36"]}) {
  %wte = sesame.get_weight @wte : tensor<97x36xf32>
  %wpe = sesame.get_weight @wpe : tensor<40x36xf32>
  %wtt = sesame.get_weight @wtt : tensor<2x36xf32>
  %y = sesame.embedding %ids, %pos, %tt in %wte, %wpe, %wtt : tensor<?x?xi64>, tensor<1x?xi64>, tensor<?x?xi64> in tensor<97x36xf32>, tensor<40x36xf32>, tensor<2x36xf32> -> tensor<?x?x36xf32>
  return %y : tensor<?x?x36xf32>
}

// One table for tokens and logits, of which only the panels are kept.
sesame.weight @tied : tensor<97x37xf32> {
  %0 = sesame.checkpoint_tensor ["tied"] : tensor<97x37xf32>
  sesame.yield %0 : tensor<97x37xf32>
}
sesame.weight @places : tensor<40x37xf32> {
  %0 = sesame.checkpoint_tensor ["places"] : tensor<40x37xf32>
  sesame.yield %0 : tensor<40x37xf32>
}
func.func @tied_table(%ids: tensor<?x?xi64> {sesame.name = "ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 97>},
    %pos: tensor<1x?xi64> {sesame.name = "pos", sesame.dims = ["1", "S"], sesame.range = array<i64: 0, 40>})
    -> (tensor<?x?x37xf32> {sesame.name = "x", sesame.dims = ["B", "S", "37"]}, tensor<?x?x97xf32> {sesame.name = "y", sesame.dims = ["B", "S", "97"]}) {
  %w = sesame.get_weight @tied : tensor<97x37xf32>
  %p = sesame.get_weight @places : tensor<40x37xf32>
  %x = sesame.embedding %ids, %pos in %w, %p : tensor<?x?xi64>, tensor<1x?xi64> in tensor<97x37xf32>, tensor<40x37xf32> -> tensor<?x?x37xf32>
  %y = sesame.linear %x, %w : tensor<?x?x37xf32>, tensor<97x37xf32> -> tensor<?x?x97xf32>
  return %x, %y : tensor<?x?x37xf32>, tensor<?x?x97xf32>
}
