//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FloatBuilder.h"

#include "sesame/Passes/Kernels.h"

using namespace mlir;
using namespace mlir::sesame;
using namespace mlir::sesame::kernels;

Value mlir::sesame::emitActivation(OpBuilder &builder, Location loc, Activation activation, Value x) {
  FloatBuilder b(builder, loc, x.getType());
  switch (activation) {
  case Activation::identity:
    return x;
  case Activation::relu:
    return b.max(b.constant(0.0f), x);
  case Activation::gelu:
    return b.gelu(x);
  case Activation::gelu_tanh:
    return b.geluTanh(x);
  case Activation::gelu_quick:
    return b.timesSigmoid(x, b.mul(x, b.constant(1.702f)));
  case Activation::silu:
    return b.timesSigmoid(x, x);
  case Activation::tanh:
    return math::TanhOp::create(builder, loc, x);
  case Activation::sigmoid:
    return b.timesSigmoid(b.constant(1.0f), x);
  case Activation::relu_squared: {
    Value positive = b.max(b.constant(0.0f), x);
    return b.mul(positive, positive);
  }
  case Activation::softplus: {
    // log(1 + e^x) = max(x, 0) + log(1 + e^-|x|): no overflow, and no cancellation for x < 0.
    Value small = math::ExpOp::create(builder, loc, b.neg(b.abs(x)));
    return b.add(b.max(b.constant(0.0f), x), math::Log1pOp::create(builder, loc, small));
  }
  case Activation::mish:
    return b.mish(x);
  case Activation::leaky_relu:
    // x >= 0 ? x : 0.01 x is the larger of the two.
    return b.max(b.mul(x, b.constant(0.01f)), x);
  }
  llvm_unreachable("every activation has a case");
}
