//===- OpUtils.h - What the ops' verifiers and shape functions share --------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_DIALECT_LIB_OPUTILS_H
#define SESAME_DIALECT_LIB_OPUTILS_H

#include "sesame/Dialect/SesameDialect.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::sesame::detail {

/// Checks that axes of the same name have the same extent in all operands and results of an op.
///
/// An axis is written as a product of numbers and names: "S", "4*H", "Q*P". The first static extent met binds
/// the names in it that are not bound yet, if there is just one. "B|1" may have extent 1 instead. An axis
/// whose name starts with a dot (".0": the leading axes of an op of any rank) is not named in messages.
/// Dynamic extents match anything.
class ExtentVerifier {
public:
  explicit ExtentVerifier(Operation *op) : op(op) {}

  /// Matches `value` (a tensor or memref; null for an absent operand) against `axes`; emits an error if it
  /// does not fit.
  LogicalResult match(StringRef name, Value value, ArrayRef<StringRef> axes);
  void bind(StringRef axis, int64_t extent) { extents[axis] = extent; }
  /// The extent bound to `axis`, or ShapedType::kDynamic.
  int64_t get(StringRef axis) const;

private:
  Operation *op;
  llvm::StringMap<int64_t> extents;
};

/// Checks that `value` (null if absent) has the element type of `reference`.
LogicalResult verifySameElementType(Operation *op, StringRef name, Value value, StringRef referenceName,
                                    Value reference);

/// Checks that a positive, finite number was given, if any.
LogicalResult verifyPositive(Operation *op, StringRef name, std::optional<APFloat> value);

/// Checks `causal`, `window` and `softcap` of sesame.attention and its tile.
LogicalResult verifyVisibility(Operation *op, bool causal, std::optional<int64_t> window,
                               std::optional<APFloat> softcap);

/// Axis `axis` of a result of type `result` that equals axis `sourceAxis` of `source`: an attribute if it is
/// static in `result`, else a value, as ReifyRankedShapedTypeOpInterface wants it.
OpFoldResult reifyExtent(OpBuilder &builder, Location loc, Value result, int64_t axis, Value source,
                         int64_t sourceAxis);

/// Every extent of `result` equal to the same one of `source`.
SmallVector<OpFoldResult> reifyLike(OpBuilder &builder, Location loc, Value result, Value source);

/// True if `value` is a constant of floats all of which are +0 or -0.
bool isZeroSplat(Value value);
/// True if `value` is a constant of floats all of which are 1.
bool isOneSplat(Value value);
/// True if `value` is a constant of equal integers other than 0.
bool isNonZeroIntegerSplat(Value value);

/// Removes an optional operand that makes no difference to the op, as `isNeutral` decides.
template <typename OpTy> struct DropNeutralOperand : OpRewritePattern<OpTy> {
  using Getter = MutableOperandRange (OpTy::*)();
  DropNeutralOperand(MLIRContext *context, Getter getter, bool (*isNeutral)(Value))
      : OpRewritePattern<OpTy>(context), getter(getter), isNeutral(isNeutral) {}

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    MutableOperandRange operand = (op.*getter)();
    if (operand.empty() || !isNeutral(operand[0].get()))
      return failure();
    rewriter.modifyOpInPlace(op, [&] { operand.clear(); });
    return success();
  }

private:
  Getter getter;
  bool (*isNeutral)(Value);
};

} // namespace mlir::sesame::detail

#endif // SESAME_DIALECT_LIB_OPUTILS_H
