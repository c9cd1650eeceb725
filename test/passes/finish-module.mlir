// RUN: sesame-opt %s --sesame-finish-module | FileCheck %s

// CHECK:       module {
// CHECK:         llvm.mlir.global external constant @sesame_abi_version(1 : i64)
// CHECK-NOT:     sesame.weight
// CHECK:         llvm.mlir.global internal constant @table
// CHECK:         llvm.func @sesame_entry_f(%{{.*}}: !llvm.ptr)
// CHECK-NOT:     sesame.context
// CHECK:         llvm.func internal @helper
// CHECK:         llvm.func @expf(f32) -> f32
module attributes {sesame.model = {model_type = "gpt2"}} {
  sesame.weight @w : tensor<6xf32> {
    %0 = sesame.checkpoint_tensor ["w"] : tensor<6xf32>
    sesame.yield %0 : tensor<6xf32>
  }
  llvm.mlir.global external constant @table(1.0 : f32) : f32
  llvm.func @sesame_entry_f(%context: !llvm.ptr {sesame.context}) {
    llvm.return
  }
  llvm.func @helper() {
    llvm.return
  }
  llvm.func @expf(f32) -> f32
}
