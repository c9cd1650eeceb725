// RUN: sesame-translate --mlir-to-llvmir %s | FileCheck %s
// RUN: sesame-translate --mlir-to-llvmir %s | sesame-translate --import-llvm | FileCheck %s --check-prefix=BACK
// CHECK: define i64 @twice(i64 %[[X:.*]])
// CHECK: %[[Y:.*]] = add i64 %[[X]], %[[X]]
// CHECK: ret i64 %[[Y]]
// BACK: llvm.func @twice(%[[X:.*]]: i64) -> i64
// BACK: llvm.add %[[X]], %[[X]] : i64
llvm.func @twice(%x: i64) -> i64 {
  %y = llvm.add %x, %x : i64
  llvm.return %y : i64
}

// A module of another dialect is refused.
// RUN: echo 'func.func private @f()' | not sesame-translate --mlir-to-llvmir - 2>&1 | FileCheck %s --check-prefix=REFUSED
// REFUSED: error: {{.*}}func.func
