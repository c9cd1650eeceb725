// RUN: sesame-opt %s --sesame-plan-weights --split-input-file --verify-diagnostics | FileCheck %s

// Each tensor of a stack starts on a 64-byte boundary: 5 * 4 = 20 bytes take 64, 17 * 2 = 34 too, 33 * 4 = 132 take 192.
// CHECK: sesame.weight @a count = 3 offset = 0 stride = 64 : tensor<5xf32>
// CHECK: sesame.weight @b offset = 192 stride = 64 : tensor<17xf16>
// CHECK: sesame.weight @c count = 2 offset = 256 stride = 192 : tensor<33xf32>
// CHECK: sesame.weight @d offset = 640 stride = 64 : tensor<1xf32>
sesame.weight @a count = 3 : tensor<5xf32> {
  %0 = sesame.checkpoint_tensor ["h.", ".a"] : tensor<5xf32>
  sesame.yield %0 : tensor<5xf32>
}
sesame.weight @b : tensor<17xf16> {
  %0 = sesame.checkpoint_tensor ["b"] : tensor<17xf16>
  sesame.yield %0 : tensor<17xf16>
}
sesame.weight @c count = 2 : tensor<33xf32> {
  %0 = sesame.checkpoint_tensor ["h.", ".c"] : tensor<33xf32>
  sesame.yield %0 : tensor<33xf32>
}
sesame.weight @d : tensor<1xf32> {
  %0 = sesame.checkpoint_tensor ["d"] : tensor<1xf32>
  sesame.yield %0 : tensor<1xf32>
}

// -----

// Each alone has a size of nearly 2^63 bits, and eight of them reach nearly to byte 2^63.
sesame.weight @w1 count = 18000000000000000 : tensor<16xf32> {
  %0 = sesame.checkpoint_tensor ["h.", ".1"] : tensor<16xf32>
  sesame.yield %0 : tensor<16xf32>
}
sesame.weight @w2 count = 18000000000000000 : tensor<16xf32> {
  %0 = sesame.checkpoint_tensor ["h.", ".2"] : tensor<16xf32>
  sesame.yield %0 : tensor<16xf32>
}
sesame.weight @w3 count = 18000000000000000 : tensor<16xf32> {
  %0 = sesame.checkpoint_tensor ["h.", ".3"] : tensor<16xf32>
  sesame.yield %0 : tensor<16xf32>
}
sesame.weight @w4 count = 18000000000000000 : tensor<16xf32> {
  %0 = sesame.checkpoint_tensor ["h.", ".4"] : tensor<16xf32>
  sesame.yield %0 : tensor<16xf32>
}
sesame.weight @w5 count = 18000000000000000 : tensor<16xf32> {
  %0 = sesame.checkpoint_tensor ["h.", ".5"] : tensor<16xf32>
  sesame.yield %0 : tensor<16xf32>
}
sesame.weight @w6 count = 18000000000000000 : tensor<16xf32> {
  %0 = sesame.checkpoint_tensor ["h.", ".6"] : tensor<16xf32>
  sesame.yield %0 : tensor<16xf32>
}
sesame.weight @w7 count = 18000000000000000 : tensor<16xf32> {
  %0 = sesame.checkpoint_tensor ["h.", ".7"] : tensor<16xf32>
  sesame.yield %0 : tensor<16xf32>
}
sesame.weight @w8 count = 18000000000000000 : tensor<16xf32> {
  %0 = sesame.checkpoint_tensor ["h.", ".8"] : tensor<16xf32>
  sesame.yield %0 : tensor<16xf32>
}
// expected-error @below {{lies beyond the end of a 64-bit weight file}}
sesame.weight @w9 count = 18000000000000000 : tensor<16xf32> {
  %0 = sesame.checkpoint_tensor ["h.", ".9"] : tensor<16xf32>
  sesame.yield %0 : tensor<16xf32>
}
