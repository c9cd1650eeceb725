// RUN: sesame-numeric-test %s
// RUN: sesame-opt %s --sesame-bufferize --sesame-lower-to-llvm | FileCheck %s
//
// Plain linalg, a loop over layers that calls a function, a parallel loop and a state: what needs no sesame op. Everything becomes the LLVM dialect, with the
// interface of abi.h outside and all else internal.
// CHECK-DAG: llvm.mlir.global external constant @sesame_abi_version
// CHECK-DAG: llvm.func internal @parallel_sesame_entry_forward_0
// CHECK-DAG: llvm.func @sesame_entry_forward(
// CHECK-DAG: llvm.func @sesame_entry_forward_workspace(
// CHECK-NOT: {{(memref|linalg|scf|arith|func|tensor|builtin)\.}}
#map = affine_map<(d0, d1) -> (d0, d1)>
#bias = affine_map<(d0, d1) -> (d1)>
func.func private @block(%layer: index, %h: tensor<?x8xf32>, %w: tensor<3x8x8xf32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %h, %c0 : tensor<?x8xf32>
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  %wl = tensor.extract_slice %w[%layer, 0, 0] [1, 8, 8] [1, 1, 1] : tensor<3x8x8xf32> to tensor<8x8xf32>
  %m = linalg.matmul ins(%h, %wl : tensor<?x8xf32>, tensor<8x8xf32>) outs(%f : tensor<?x8xf32>) -> tensor<?x8xf32>
  %e2 = tensor.empty(%n) : tensor<?x8xf32>
  %r = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%m, %h : tensor<?x8xf32>, tensor<?x8xf32>) outs(%e2 : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %t = math.tanh %a : f32
    %s = arith.addf %t, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}
func.func @forward(%x: tensor<?x8xf32> {sesame.name = "x", sesame.dims = ["N", "8"]}, %w: tensor<3x8x8xf32> {sesame.name = "w"}, %st: tensor<?x8xf32> {sesame.name = "st", sesame.dims = ["C", "8"], sesame.state})
   -> (tensor<?x8xf32> {sesame.name = "y", sesame.dims = ["N", "8"]}, tensor<?x8xf32> {sesame.name = "st", sesame.dims = ["C", "8"], sesame.state}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c8 = arith.constant 8 : index
  %h = scf.for %l = %c0 to %c3 step %c1 iter_args(%x0 = %x) -> (tensor<?x8xf32>) {
    %y = func.call @block(%l, %x0, %w) : (index, tensor<?x8xf32>, tensor<3x8x8xf32>) -> tensor<?x8xf32>
    scf.yield %y : tensor<?x8xf32>
  }
  %n = tensor.dim %h, %c0 : tensor<?x8xf32>
  %e = tensor.empty(%n) : tensor<?x8xf32>
  // y[i] = h[n - 1 - i], in parallel
  %y = scf.forall (%i) in (%n) shared_outs(%o = %e) -> (tensor<?x8xf32>) {
    %last = arith.subi %n, %c1 : index
    %j = arith.subi %last, %i : index
    %row = tensor.extract_slice %h[%j, 0] [1, 8] [1, 1] : tensor<?x8xf32> to tensor<8xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %row into %o[%i, 0] [1, 8] [1, 1] : tensor<8xf32> into tensor<?x8xf32>
    }
  }
  %first = tensor.extract_slice %h[0, 0] [1, 8] [1, 1] : tensor<?x8xf32> to tensor<1x8xf32>
  %st2 = tensor.insert_slice %first into %st[0, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<?x8xf32>
  return %y, %st2 : tensor<?x8xf32>, tensor<?x8xf32>
}
