// RUN: sesame-numeric-test %s --runs 60

// Rotary positions: halves and interleaved pairs, all features or some, positions for each row or shared.
func.func @halves(%x: tensor<?x4x?x12xf32> {sesame.name = "x", sesame.dims = ["B", "4", "S", "12"]},
    %p: tensor<?x?xi64> {sesame.name = "p", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 64>},
    %f: tensor<6xf32> {sesame.name = "f", sesame.dims = ["6"]})
    -> (tensor<?x4x?x12xf32> {sesame.name = "y", sesame.dims = ["B", "4", "S", "12"]}) {
  %y = sesame.rotary %x, %p, %f : tensor<?x4x?x12xf32>, tensor<?x?xi64>, tensor<6xf32>
  return %y : tensor<?x4x?x12xf32>
}
func.func @interleaved(%x: tensor<?x3x?x10xf32> {sesame.name = "x", sesame.dims = ["B", "3", "S", "10"]},
    %p: tensor<1x?xi64> {sesame.name = "p", sesame.dims = ["1", "S"], sesame.range = array<i64: 0, 64>},
    %f: tensor<5xf32> {sesame.name = "f", sesame.dims = ["5"]})
    -> (tensor<?x3x?x10xf32> {sesame.name = "y", sesame.dims = ["B", "3", "S", "10"]}) {
  %y = sesame.rotary %x, %p, %f interleaved : tensor<?x3x?x10xf32>, tensor<1x?xi64>, tensor<5xf32>
  return %y : tensor<?x3x?x10xf32>
}
func.func @partial(%x: tensor<?x2x?x20xf32> {sesame.name = "x", sesame.dims = ["B", "2", "S", "20"]},
    %p: tensor<1x?xi64> {sesame.name = "p", sesame.dims = ["1", "S"], sesame.range = array<i64: 0, 64>},
    %f: tensor<4xf32> {sesame.name = "f", sesame.dims = ["4"]})
    -> (tensor<?x2x?x20xf32> {sesame.name = "y", sesame.dims = ["B", "2", "S", "20"]}) {
  %y = sesame.rotary %x, %p, %f scale = 0.5 : tensor<?x2x?x20xf32>, tensor<1x?xi64>, tensor<4xf32>
  return %y : tensor<?x2x?x20xf32>
}
func.func @partial_interleaved(%x: tensor<?x1x?x9xf32> {sesame.name = "x", sesame.dims = ["B", "1", "S", "9"]},
    %p: tensor<?x?xi64> {sesame.name = "p", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 64>},
    %f: tensor<3xf32> {sesame.name = "f", sesame.dims = ["3"]})
    -> (tensor<?x1x?x9xf32> {sesame.name = "y", sesame.dims = ["B", "1", "S", "9"]}) {
  %y = sesame.rotary %x, %p, %f interleaved : tensor<?x1x?x9xf32>, tensor<?x?xi64>, tensor<3xf32>
  return %y : tensor<?x1x?x9xf32>
}
