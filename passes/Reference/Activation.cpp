//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::sesame;

Value mlir::sesame::buildActivation(ImplicitLocOpBuilder &builder, Activation kind, Value x) {
  ReferenceBuilder b(builder.getLoc(), builder);
  auto number = [&](double value) { return b.constant(x.getType(), value); };
  auto add = [&](Value l, Value r) -> Value { return arith::AddFOp::create(b, l, r); };
  auto mul = [&](Value l, Value r) -> Value { return arith::MulFOp::create(b, l, r); };
  auto relu = [&](Value v) -> Value { return arith::MaximumFOp::create(b, v, number(0)); };
  auto tanh = [&](Value v) -> Value { return math::TanhOp::create(b, v); };
  auto sigmoid = [&](Value v) -> Value {
    Value exp = math::ExpOp::create(b, arith::NegFOp::create(b, v));
    return arith::DivFOp::create(b, number(1), add(number(1), exp));
  };
  // max(x, 0) + log(1 + exp(-|x|)), which is log(1 + exp x) and does not overflow.
  auto softplus = [&](Value v) -> Value {
    Value exp = math::ExpOp::create(b, arith::NegFOp::create(b, math::AbsFOp::create(b, v)));
    return add(relu(v), math::Log1pOp::create(b, exp));
  };

  switch (kind) {
  case Activation::identity:
    return x;
  case Activation::relu:
    return relu(x);
  case Activation::gelu:
    return mul(mul(number(0.5), x), add(number(1), math::ErfOp::create(b, mul(x, number(M_SQRT1_2)))));
  case Activation::gelu_tanh: {
    Value cubic = add(x, mul(number(0.044715), mul(x, mul(x, x))));
    return mul(mul(number(0.5), x), add(number(1), tanh(mul(number(M_2_SQRTPI * M_SQRT1_2), cubic))));
  }
  case Activation::gelu_quick:
    return mul(x, sigmoid(mul(number(1.702), x)));
  case Activation::silu:
    return mul(x, sigmoid(x));
  case Activation::tanh:
    return tanh(x);
  case Activation::sigmoid:
    return sigmoid(x);
  case Activation::relu_squared: {
    Value positive = relu(x);
    return mul(positive, positive);
  }
  case Activation::softplus:
    return softplus(x);
  case Activation::mish:
    return mul(x, tanh(softplus(x)));
  case Activation::leaky_relu: {
    Value isPositive = arith::CmpFOp::create(b, arith::CmpFPredicate::OGE, x, number(0));
    return arith::SelectOp::create(b, isPositive, x, mul(number(0.01), x));
  }
  }
  llvm_unreachable("every activation is handled");
}

namespace {
struct LowerActivation : OpRewritePattern<ActivationOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ActivationOp op, PatternRewriter &rewriter) const override {
    ReferenceBuilder b(op.getLoc(), rewriter);
    Type element = getElementTypeOrSelf(op.getResult());
    Value result = b.empty(b.resultExtents(op), element);
    rewriter.replaceOp(op, b.loops(result, 0, {b.all(op.getInput())}, [&](ValueRange e) {
      return b.convert(buildActivation(b, op.getKind(), b.extendToCompute(e[0])), element);
    }));
    return success();
  }
};
} // namespace

void mlir::sesame::populateActivationReference(RewritePatternSet &patterns) {
  patterns.add<LowerActivation>(patterns.getContext());
}
