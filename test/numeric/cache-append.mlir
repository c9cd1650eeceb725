// RUN: sesame-numeric-test %s --runs 60

// Keys written into a layer of the cache, in place: the state is compared as well.
func.func @append(%k: tensor<?x2x?x5xf32> {sesame.name = "k", sesame.dims = ["B", "2", "S", "5"]},
    %mask: tensor<?x?xi64> {sesame.name = "mask", sesame.dims = ["B", "T"], sesame.range = array<i64: 0, 2>},
    %cache: tensor<3x?x2x?x5xf32> {sesame.name = "cache", sesame.dims = ["3", "B", "2", "C", "5"], sesame.state})
    -> (tensor<?x2x?x5xf32> {sesame.name = "y", sesame.dims = ["B", "2", "S", "5"]}, tensor<3x?x2x?x5xf32> {sesame.name = "cache", sesame.dims = ["3", "B", "2", "C", "5"], sesame.state})
    attributes {sesame.limits = {S = "T", T = "C"}} {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %s = tensor.dim %k, %c2 : tensor<?x2x?x5xf32>
  %t = tensor.dim %mask, %c1 : tensor<?x?xi64>
  %past = arith.subi %t, %s : index
  %0 = sesame.cache_append %k into %cache[%c1] at %past : tensor<?x2x?x5xf32> into tensor<3x?x2x?x5xf32>
  %y = sesame.activation relu %k : tensor<?x2x?x5xf32>
  return %y, %0 : tensor<?x2x?x5xf32>, tensor<3x?x2x?x5xf32>
}
