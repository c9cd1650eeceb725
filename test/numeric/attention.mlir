// RUN: sesame-numeric-test %s

// Attention: grouped heads, causal with a past, window, softcap, bias, masks of both ranks with rows that see nothing.
func.func @plain(%q: tensor<?x2x?x20xf32> {sesame.name = "q", sesame.dims = ["B", "2", "S", "20"]},
    %k: tensor<?x2x?x20xf32> {sesame.name = "k", sesame.dims = ["B", "2", "T", "20"]},
    %v: tensor<?x2x?x20xf32> {sesame.name = "v", sesame.dims = ["B", "2", "T", "20"]})
    -> (tensor<?x2x?x20xf32> {sesame.name = "o", sesame.dims = ["B", "2", "S", "20"]})
    attributes {sesame.limits = {T = 70}} {
  %o = sesame.attention %q, %k, %v scale = 0.25 : tensor<?x2x?x20xf32>, tensor<?x2x?x20xf32>, tensor<?x2x?x20xf32> -> tensor<?x2x?x20xf32>
  return %o : tensor<?x2x?x20xf32>
}
func.func @grouped_causal(%q: tensor<?x6x?x16xf32> {sesame.name = "q", sesame.dims = ["B", "6", "S", "16"]},
    %k: tensor<?x2x?x16xf32> {sesame.name = "k", sesame.dims = ["B", "2", "T", "16"]},
    %v: tensor<?x2x?x24xf32> {sesame.name = "v", sesame.dims = ["B", "2", "T", "24"]})
    -> (tensor<?x6x?x24xf32> {sesame.name = "o", sesame.dims = ["B", "6", "S", "24"]})
    attributes {sesame.limits = {S = "T", T = 70}} {
  %o = sesame.attention %q, %k, %v causal scale = 0.25 : tensor<?x6x?x16xf32>, tensor<?x2x?x16xf32>, tensor<?x2x?x24xf32> -> tensor<?x6x?x24xf32>
  return %o : tensor<?x6x?x24xf32>
}
func.func @padded(%q: tensor<?x3x?x33xf32> {sesame.name = "q", sesame.dims = ["B", "3", "S", "33"]},
    %k: tensor<?x3x?x33xf32> {sesame.name = "k", sesame.dims = ["B", "3", "T", "33"]},
    %v: tensor<?x3x?x7xf32> {sesame.name = "v", sesame.dims = ["B", "3", "T", "7"]},
    %m: tensor<?x?xi64> {sesame.name = "m", sesame.dims = ["B", "T"], sesame.range = array<i64: 0, 2>})
    -> (tensor<?x3x?x7xf32> {sesame.name = "o", sesame.dims = ["B", "3", "S", "7"]})
    attributes {sesame.limits = {T = 70}} {
  %o = sesame.attention %q, %k, %v mask(%m : tensor<?x?xi64>) scale = 0.25 : tensor<?x3x?x33xf32>, tensor<?x3x?x33xf32>, tensor<?x3x?x7xf32> -> tensor<?x3x?x7xf32>
  return %o : tensor<?x3x?x7xf32>
}
func.func @padded_causal(%q: tensor<?x4x?x12xf32> {sesame.name = "q", sesame.dims = ["B", "4", "S", "12"]},
    %k: tensor<?x1x?x12xf32> {sesame.name = "k", sesame.dims = ["B", "1", "T", "12"]},
    %v: tensor<?x1x?x12xf32> {sesame.name = "v", sesame.dims = ["B", "1", "T", "12"]},
    %m: tensor<?x?xi64> {sesame.name = "m", sesame.dims = ["B", "T"], sesame.range = array<i64: 0, 2>})
    -> (tensor<?x4x?x12xf32> {sesame.name = "o", sesame.dims = ["B", "4", "S", "12"]})
    attributes {sesame.limits = {S = "T", T = 70}} {
  %o = sesame.attention %q, %k, %v mask(%m : tensor<?x?xi64>) causal scale = 0.25 : tensor<?x4x?x12xf32>, tensor<?x1x?x12xf32>, tensor<?x1x?x12xf32> -> tensor<?x4x?x12xf32>
  return %o : tensor<?x4x?x12xf32>
}
func.func @mask_of_rank_3(%q: tensor<?x2x?x8xf32> {sesame.name = "q", sesame.dims = ["B", "2", "S", "8"]},
    %k: tensor<?x1x?x8xf32> {sesame.name = "k", sesame.dims = ["B", "1", "T", "8"]},
    %v: tensor<?x1x?x8xf32> {sesame.name = "v", sesame.dims = ["B", "1", "T", "8"]},
    %m: tensor<?x?x?xi64> {sesame.name = "m", sesame.dims = ["B", "S", "T"], sesame.range = array<i64: 0, 2>})
    -> (tensor<?x2x?x8xf32> {sesame.name = "o", sesame.dims = ["B", "2", "S", "8"]})
    attributes {sesame.limits = {T = 70}} {
  %o = sesame.attention %q, %k, %v mask(%m : tensor<?x?x?xi64>) scale = 0.25 : tensor<?x2x?x8xf32>, tensor<?x1x?x8xf32>, tensor<?x1x?x8xf32> -> tensor<?x2x?x8xf32>
  return %o : tensor<?x2x?x8xf32>
}
func.func @windowed(%q: tensor<?x2x?x10xf32> {sesame.name = "q", sesame.dims = ["B", "2", "S", "10"]},
    %k: tensor<?x2x?x10xf32> {sesame.name = "k", sesame.dims = ["B", "2", "T", "10"]},
    %v: tensor<?x2x?x10xf32> {sesame.name = "v", sesame.dims = ["B", "2", "T", "10"]})
    -> (tensor<?x2x?x10xf32> {sesame.name = "o", sesame.dims = ["B", "2", "S", "10"]})
    attributes {sesame.limits = {S = "T", T = 70}} {
  %o = sesame.attention %q, %k, %v causal window = 5 scale = 0.25 : tensor<?x2x?x10xf32>, tensor<?x2x?x10xf32>, tensor<?x2x?x10xf32> -> tensor<?x2x?x10xf32>
  return %o : tensor<?x2x?x10xf32>
}
func.func @capped(%q: tensor<?x2x?x9xf32> {sesame.name = "q", sesame.dims = ["B", "2", "S", "9"]},
    %k: tensor<?x1x?x9xf32> {sesame.name = "k", sesame.dims = ["B", "1", "T", "9"]},
    %v: tensor<?x1x?x9xf32> {sesame.name = "v", sesame.dims = ["B", "1", "T", "9"]})
    -> (tensor<?x2x?x9xf32> {sesame.name = "o", sesame.dims = ["B", "2", "S", "9"]})
    attributes {sesame.limits = {T = 70}} {
  %o = sesame.attention %q, %k, %v scale = 0.25 softcap = 2.0 : tensor<?x2x?x9xf32>, tensor<?x1x?x9xf32>, tensor<?x1x?x9xf32> -> tensor<?x2x?x9xf32>
  return %o : tensor<?x2x?x9xf32>
}
func.func @bias(%q: tensor<?x4x?x16xf32> {sesame.name = "q", sesame.dims = ["B", "4", "S", "16"]},
    %k: tensor<?x2x?x16xf32> {sesame.name = "k", sesame.dims = ["B", "2", "T", "16"]},
    %v: tensor<?x2x?x16xf32> {sesame.name = "v", sesame.dims = ["B", "2", "T", "16"]},
    %b: tensor<?x4x?x?xf32> {sesame.name = "b", sesame.dims = ["B", "4", "S", "T"]})
    -> (tensor<?x4x?x16xf32> {sesame.name = "o", sesame.dims = ["B", "4", "S", "16"]})
    attributes {sesame.limits = {T = 70}} {
  %o = sesame.attention %q, %k, %v bias(%b : tensor<?x4x?x?xf32>) scale = 0.25 : tensor<?x4x?x16xf32>, tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32> -> tensor<?x4x?x16xf32>
  return %o : tensor<?x4x?x16xf32>
}
func.func @shared_bias_causal(%q: tensor<?x4x?x5xf32> {sesame.name = "q", sesame.dims = ["B", "4", "S", "5"]},
    %k: tensor<?x4x?x5xf32> {sesame.name = "k", sesame.dims = ["B", "4", "T", "5"]},
    %v: tensor<?x4x?x6xf32> {sesame.name = "v", sesame.dims = ["B", "4", "T", "6"]},
    %b: tensor<1x4x?x?xf32> {sesame.name = "b", sesame.dims = ["1", "4", "S", "T"]})
    -> (tensor<?x4x?x6xf32> {sesame.name = "o", sesame.dims = ["B", "4", "S", "6"]})
    attributes {sesame.limits = {S = "T", T = 70}} {
  %o = sesame.attention %q, %k, %v bias(%b : tensor<1x4x?x?xf32>) causal scale = 0.25 : tensor<?x4x?x5xf32>, tensor<?x4x?x5xf32>, tensor<?x4x?x6xf32> -> tensor<?x4x?x6xf32>
  return %o : tensor<?x4x?x6xf32>
}
func.func @row_bias(%q: tensor<?x2x?x64xf32> {sesame.name = "q", sesame.dims = ["B", "2", "S", "64"]},
    %k: tensor<?x2x?x64xf32> {sesame.name = "k", sesame.dims = ["B", "2", "T", "64"]},
    %v: tensor<?x2x?x64xf32> {sesame.name = "v", sesame.dims = ["B", "2", "T", "64"]},
    %m: tensor<?x?xi64> {sesame.name = "m", sesame.dims = ["B", "T"], sesame.range = array<i64: 0, 2>},
    %b: tensor<1x1x1x?xf32> {sesame.name = "b", sesame.dims = ["1", "1", "1", "T"]})
    -> (tensor<?x2x?x64xf32> {sesame.name = "o", sesame.dims = ["B", "2", "S", "64"]})
    attributes {sesame.limits = {T = 70}} {
  %o = sesame.attention %q, %k, %v mask(%m : tensor<?x?xi64>) bias(%b : tensor<1x1x1x?xf32>) scale = 0.25 : tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
  return %o : tensor<?x2x?x64xf32>
}
