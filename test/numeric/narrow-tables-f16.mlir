// RUN: sesame-numeric-test %s --runs 40
// RUN: sesame-numeric-test %s --runs 12 --target x86-64-v3

// Tables of f16, in panels of 32 rows as a linear makes them and of one row each. (x86-64-v2 cannot widen f16 without a library.)
sesame.weight @f16_panels : tensor<4x37x32xf16> {
  %0 = sesame.checkpoint_tensor ["f16_panels"] : tensor<97x37xf32>
  %1 = arith.truncf %0 : tensor<97x37xf32> to tensor<97x37xf16>
  %2 = sesame.pack_panels %1 layout = nk : tensor<97x37xf16> -> tensor<4x37x32xf16>
  sesame.yield %2 : tensor<4x37x32xf16>
}
func.func @read_f16_panels(%ids: tensor<?x?xi64> {sesame.name = "ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 97>})
    -> (tensor<?x?x37xf32> {sesame.name = "y", sesame.dims = ["B", "S", "37"]}) {
  %p = sesame.get_weight @f16_panels : tensor<4x37x32xf16>
  %t = sesame.unpack_panels %p : tensor<4x37x32xf16> -> tensor<97x37xf32>
  %y = sesame.embedding %ids in %t : tensor<?x?xi64> in tensor<97x37xf32> -> tensor<?x?x37xf32>
  return %y : tensor<?x?x37xf32>
}

sesame.weight @f16_rows : tensor<97x37x1xf16> {
  %0 = sesame.checkpoint_tensor ["f16_rows"] : tensor<97x37xf32>
  %1 = arith.truncf %0 : tensor<97x37xf32> to tensor<97x37xf16>
  %2 = sesame.pack_panels %1 layout = nk : tensor<97x37xf16> -> tensor<97x37x1xf16>
  sesame.yield %2 : tensor<97x37x1xf16>
}
func.func @read_f16_rows(%ids: tensor<?x?xi64> {sesame.name = "ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 97>})
    -> (tensor<?x?x37xf32> {sesame.name = "y", sesame.dims = ["B", "S", "37"]}) {
  %p = sesame.get_weight @f16_rows : tensor<97x37x1xf16>
  %t = sesame.unpack_panels %p : tensor<97x37x1xf16> -> tensor<97x37xf32>
  %y = sesame.embedding %ids in %t : tensor<?x?xi64> in tensor<97x37xf32> -> tensor<?x?x37xf32>
  return %y : tensor<?x?x37xf32>
}
