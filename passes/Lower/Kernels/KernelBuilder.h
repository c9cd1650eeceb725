//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// What every kernel generator shares: 1-D vectors of the target's width, masked and plain accesses, loops,
// and reductions whose order is fixed.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_LIB_LOWER_KERNELS_KERNELBUILDER_H
#define SESAME_LIB_LOWER_KERNELS_KERNELBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir::sesame::kernels {

/// Builds the code of one kernel in place of `root`, in f32 vectors of `lanes` elements. Values that stay in
/// registers are 1-D: LLVM splits nested vectors well, but scalarizes lengths that are no power of two.
class KernelBuilder : public ImplicitLocOpBuilder {
public:
  using BodyBuilder = llvm::function_ref<SmallVector<Value>(Value index, ValueRange carried)>;

  KernelBuilder(Operation *root, int64_t lanes);

  int64_t lanes() const { return numLanes; }
  VectorType vectorType() { return VectorType::get({numLanes}, getF32Type()); }
  VectorType maskType() { return VectorType::get({numLanes}, getI1Type()); }

  /// Constants stand once, at the top of the block that holds `root`.
  Value index(int64_t value);
  Value f32(float value);
  Value splat(float value);
  Value splat(Value scalar) { return vector::BroadcastOp::create(*this, vectorType(), scalar); }

  // Index arithmetic, folded where both sides are constants.
  Value add(Value lhs, Value rhs) { return createOrFold<arith::AddIOp>(lhs, rhs); }
  Value add(Value lhs, int64_t rhs) { return rhs == 0 ? lhs : add(lhs, index(rhs)); }
  Value sub(Value lhs, Value rhs) { return createOrFold<arith::SubIOp>(lhs, rhs); }
  Value mul(Value lhs, int64_t rhs) { return createOrFold<arith::MulIOp>(lhs, index(rhs)); }
  Value min(Value lhs, Value rhs) { return createOrFold<arith::MinSIOp>(lhs, rhs); }
  Value max(Value lhs, Value rhs) { return createOrFold<arith::MaxSIOp>(lhs, rhs); }
  Value compare(arith::CmpIPredicate predicate, Value lhs, Value rhs) {
    return createOrFold<arith::CmpIOp>(predicate, lhs, rhs);
  }

  // Float arithmetic on scalars or vectors.
  Value fadd(Value lhs, Value rhs) { return arith::AddFOp::create(*this, lhs, rhs); }
  Value fsub(Value lhs, Value rhs) { return arith::SubFOp::create(*this, lhs, rhs); }
  Value fmul(Value lhs, Value rhs) { return arith::MulFOp::create(*this, lhs, rhs); }
  Value fdiv(Value lhs, Value rhs) { return arith::DivFOp::create(*this, lhs, rhs); }
  /// a * b + c, rounded once; vectors only.
  Value fma(Value a, Value b, Value c) { return vector::FMAOp::create(*this, a, b, c); }
  /// The larger of the two; `value` if it is NaN. One instruction on x86, which arith.maximumf is not.
  Value fmax(Value bound, Value value);

  /// The extent of `axis`, a constant where the type knows it.
  Value extent(Value memref, int64_t axis);
  /// `lanes` elements from `indices` on, widened if they are narrower than f32. With a mask (f32 only) (lanes that may be read) the others are zero.
  Value load(Value memref, ValueRange indices, Value mask = {});
  void store(Value vector, Value memref, ValueRange indices, Value mask = {});
  Value loadScalar(Value memref, ValueRange indices) {
    return memref::LoadOp::create(*this, memref, indices);
  }
  /// The first `count` lanes; null, which means all, if `count` is a constant of at least `lanes`.
  Value firstLanes(Value count);
  Value firstLanes(int64_t count) { return firstLanes(index(count)); }

  /// for (index = lower; index < upper; index += step) carried = body(index, carried).
  SmallVector<Value> loop(Value lower, Value upper, int64_t step, ValueRange initial, BodyBuilder body);
  void loop(Value lower, Value upper, int64_t step, llvm::function_ref<void(Value index)> body);
  /// if (condition) then() else otherwise(); a constant condition leaves only its branch.
  void branch(Value condition, llvm::function_ref<void()> then, llvm::function_ref<void()> otherwise = {});

  /// The values, of types `types`, that one branch or the other returns.
  SmallVector<Value> choose(Value condition, TypeRange types, llvm::function_ref<SmallVector<Value>()> then,
                            llvm::function_ref<SmallVector<Value>()> otherwise);

  /// Sum or maximum of all lanes as a scalar, by halves: lane i meets lane i + n/2, and so on.
  Value sumLanes(Value vector);
  Value maxLanes(Value vector);

  /// A buffer on the stack, which `sesame-hoist-allocas` moves to the start of the function, out of all
  /// loops.
  Value scratch(ArrayRef<int64_t> shape);

  /// The transpose of a lanes x lanes block held as one vector a row: log2(lanes) shuffles a vector.
  SmallVector<Value> transpose(ArrayRef<Value> rows);

private:
  Value reduceLanes(Value vector, llvm::function_ref<Value(Value, Value)> combine);
  Value constant(TypedAttr value);

  int64_t numLanes;
  Block *constantBlock;
  llvm::DenseMap<Attribute, Value> constants;
};

/// True if `type` is a memref of f32 whose last axis has unit stride.
bool isUnitStrideF32(Type type);
/// True if `type` is a memref whose last axis has unit stride.
bool isUnitStride(Type type);

} // namespace mlir::sesame::kernels

#endif // SESAME_LIB_LOWER_KERNELS_KERNELBUILDER_H
