// RUN: sesame-numeric-test %s --runs 40
// RUN: sesame-numeric-test %s --runs 12 --target x86-64-v3
// RUN: sesame-numeric-test %s --runs 12 --target x86-64-v2

// Tables in panels of narrow numbers, of 32 rows as a linear makes them and of one row each.
sesame.weight @bf16 : tensor<4x19x32xi32> {
  %0 = sesame.checkpoint_tensor ["bf16"] : tensor<97x37xf32>
  %1 = sesame.pack_word_panels %0 of bf16 layout = nk : tensor<97x37xf32> -> tensor<4x19x32xi32>
  sesame.yield %1 : tensor<4x19x32xi32>
}
func.func @read_bf16(%ids: tensor<?x?xi64> {sesame.name = "ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 97>})
    -> (tensor<?x?x37xf32> {sesame.name = "y", sesame.dims = ["B", "S", "37"]}) {
  %p = sesame.get_weight @bf16 : tensor<4x19x32xi32>
  %t = sesame.unpack_panels %p of bf16 : tensor<4x19x32xi32> -> tensor<97x37xf32>
  %y = sesame.embedding %ids in %t : tensor<?x?xi64> in tensor<97x37xf32> -> tensor<?x?x37xf32>
  return %y : tensor<?x?x37xf32>
}

sesame.weight @bf16_rows : tensor<97x19x1xi32> {
  %0 = sesame.checkpoint_tensor ["bf16_rows"] : tensor<97x37xf32>
  %1 = sesame.pack_word_panels %0 of bf16 layout = nk : tensor<97x37xf32> -> tensor<97x19x1xi32>
  sesame.yield %1 : tensor<97x19x1xi32>
}
func.func @read_bf16_rows(%ids: tensor<?x?xi64> {sesame.name = "ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 97>})
    -> (tensor<?x?x37xf32> {sesame.name = "y", sesame.dims = ["B", "S", "37"]}) {
  %p = sesame.get_weight @bf16_rows : tensor<97x19x1xi32>
  %t = sesame.unpack_panels %p of bf16 : tensor<97x19x1xi32> -> tensor<97x37xf32>
  %y = sesame.embedding %ids in %t : tensor<?x?xi64> in tensor<97x37xf32> -> tensor<?x?x37xf32>
  return %y : tensor<?x?x37xf32>
}

sesame.weight @int8 : tensor<4x12x32xi32> {
  %0 = sesame.checkpoint_tensor ["int8"] : tensor<97x37xf32>
  %1 = sesame.pack_word_panels %0 of i8 layout = nk : tensor<97x37xf32> -> tensor<4x12x32xi32>
  sesame.yield %1 : tensor<4x12x32xi32>
}
func.func @read_int8(%ids: tensor<?x?xi64> {sesame.name = "ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 97>})
    -> (tensor<?x?x37xf32> {sesame.name = "y", sesame.dims = ["B", "S", "37"]}) {
  %p = sesame.get_weight @int8 : tensor<4x12x32xi32>
  %t = sesame.unpack_panels %p of i8 : tensor<4x12x32xi32> -> tensor<97x37xf32>
  %y = sesame.embedding %ids in %t : tensor<?x?xi64> in tensor<97x37xf32> -> tensor<?x?x37xf32>
  return %y : tensor<?x?x37xf32>
}

sesame.weight @int8_rows : tensor<97x12x1xi32> {
  %0 = sesame.checkpoint_tensor ["int8_rows"] : tensor<97x37xf32>
  %1 = sesame.pack_word_panels %0 of i8 layout = nk : tensor<97x37xf32> -> tensor<97x12x1xi32>
  sesame.yield %1 : tensor<97x12x1xi32>
}
func.func @read_int8_rows(%ids: tensor<?x?xi64> {sesame.name = "ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 97>})
    -> (tensor<?x?x37xf32> {sesame.name = "y", sesame.dims = ["B", "S", "37"]}) {
  %p = sesame.get_weight @int8_rows : tensor<97x12x1xi32>
  %t = sesame.unpack_panels %p of i8 : tensor<97x12x1xi32> -> tensor<97x37xf32>
  %y = sesame.embedding %ids in %t : tensor<?x?xi64> in tensor<97x37xf32> -> tensor<?x?x37xf32>
  return %y : tensor<?x?x37xf32>
}

sesame.weight @bf16_panels : tensor<4x37x32xbf16> {
  %0 = sesame.checkpoint_tensor ["bf16_panels"] : tensor<97x37xf32>
  %1 = arith.truncf %0 : tensor<97x37xf32> to tensor<97x37xbf16>
  %2 = sesame.pack_panels %1 layout = nk : tensor<97x37xbf16> -> tensor<4x37x32xbf16>
  sesame.yield %2 : tensor<4x37x32xbf16>
}
func.func @read_bf16_panels(%ids: tensor<?x?xi64> {sesame.name = "ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 97>})
    -> (tensor<?x?x37xf32> {sesame.name = "y", sesame.dims = ["B", "S", "37"]}) {
  %p = sesame.get_weight @bf16_panels : tensor<4x37x32xbf16>
  %t = sesame.unpack_panels %p : tensor<4x37x32xbf16> -> tensor<97x37xf32>
  %y = sesame.embedding %ids in %t : tensor<?x?xi64> in tensor<97x37xf32> -> tensor<?x?x37xf32>
  return %y : tensor<?x?x37xf32>
}

sesame.weight @ui4_rows : tensor<97x18x1xi32> {
  %0 = sesame.checkpoint_tensor ["ui4_rows"] : tensor<97x70xf32>
  %1 = sesame.pack_word_panels %0 of ui4 layout = nk : tensor<97x70xf32> -> tensor<97x18x1xi32>
  sesame.yield %1 : tensor<97x18x1xi32>
}
func.func @read_ui4_rows(%ids: tensor<?x?xi64> {sesame.name = "ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 97>})
    -> (tensor<?x?x70xf32> {sesame.name = "y", sesame.dims = ["B", "S", "70"]}) {
  %p = sesame.get_weight @ui4_rows : tensor<97x18x1xi32>
  %t = sesame.unpack_panels %p of ui4 : tensor<97x18x1xi32> -> tensor<97x70xf32>
  %y = sesame.embedding %ids in %t : tensor<?x?xi64> in tensor<97x70xf32> -> tensor<?x?x70xf32>
  return %y : tensor<?x?x70xf32>
}

sesame.weight @ui8_rows : tensor<97x34x1xi32> {
  %0 = sesame.checkpoint_tensor ["ui8_rows"] : tensor<97x70xf32>
  %1 = sesame.pack_word_panels %0 of ui8 layout = nk : tensor<97x70xf32> -> tensor<97x34x1xi32>
  sesame.yield %1 : tensor<97x34x1xi32>
}
func.func @read_ui8_rows(%ids: tensor<?x?xi64> {sesame.name = "ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 97>})
    -> (tensor<?x?x70xf32> {sesame.name = "y", sesame.dims = ["B", "S", "70"]}) {
  %p = sesame.get_weight @ui8_rows : tensor<97x34x1xi32>
  %t = sesame.unpack_panels %p of ui8 : tensor<97x34x1xi32> -> tensor<97x70xf32>
  %y = sesame.embedding %ids in %t : tensor<?x?xi64> in tensor<97x70xf32> -> tensor<?x?x70xf32>
  return %y : tensor<?x?x70xf32>
}

sesame.weight @ui4 : tensor<4x18x32xi32> {
  %0 = sesame.checkpoint_tensor ["ui4"] : tensor<97x70xf32>
  %1 = sesame.pack_word_panels %0 of ui4 layout = nk : tensor<97x70xf32> -> tensor<4x18x32xi32>
  sesame.yield %1 : tensor<4x18x32xi32>
}
func.func @read_ui4(%ids: tensor<?x?xi64> {sesame.name = "ids", sesame.dims = ["B", "S"], sesame.range = array<i64: 0, 97>})
    -> (tensor<?x?x70xf32> {sesame.name = "y", sesame.dims = ["B", "S", "70"]}) {
  %p = sesame.get_weight @ui4 : tensor<4x18x32xi32>
  %t = sesame.unpack_panels %p of ui4 : tensor<4x18x32xi32> -> tensor<97x70xf32>
  %y = sesame.embedding %ids in %t : tensor<?x?xi64> in tensor<97x70xf32> -> tensor<?x?x70xf32>
  return %y : tensor<?x?x70xf32>
}
