//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpUtils.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"

using namespace mlir;
using namespace mlir::sesame;
using namespace mlir::sesame::detail;

namespace {

int64_t getNumDirections(Direction direction) { return direction == Direction::bidirectional ? 2 : 1; }

/// Checks the operands and results that all recurrent ops share. `gateRows` is the extent of the stacked
/// gates ("H", "4*H", "3*H"), `state` the name of the hidden state's extent ("H", or "P" with a projection).
template <typename OpTy>
LogicalResult verifyRecurrence(OpTy op, ExtentVerifier &extents, StringRef gateRows, StringRef state) {
  std::string outputAxis = ("Q*" + state).str();
  if (failed(extents.match("input", op.getInput(), {"B", "T", "I"})) ||
      failed(extents.match("recurrent_weight", op.getRecurrentWeight(), {"Q", gateRows, state})) ||
      failed(extents.match("input_weight", op.getInputWeight(), {"Q", gateRows, "I"})) ||
      failed(extents.match("input_bias", op.getInputBias(), {"Q", gateRows})) ||
      failed(extents.match("recurrent_bias", op.getRecurrentBias(), {"Q", gateRows})) ||
      failed(extents.match("hidden", op.getInitialHidden(), {"Q", "B", state})) ||
      failed(extents.match("lengths", op.getLengths(), {"B"})) ||
      failed(extents.match("output", op.getOutput(), {"B", "T", outputAxis})) ||
      failed(extents.match("final_hidden", op.getFinalHidden(), {"Q", "B", state})))
    return failure();
  const std::pair<StringRef, Value> floats[] = {
      {"input_weight", op.getInputWeight()}, {"recurrent_weight", op.getRecurrentWeight()},
      {"input_bias", op.getInputBias()},     {"recurrent_bias", op.getRecurrentBias()},
      {"hidden", op.getInitialHidden()},     {"output", op.getOutput()},
      {"final_hidden", op.getFinalHidden()}};
  for (auto [name, value] : floats)
    if (failed(verifySameElementType(op, name, value, "input", op.getInput())))
      return failure();
  return success();
}

/// Q of a result whose axis 0 is the direction.
OpFoldResult reifyDirections(OpBuilder &builder, Location loc, Value result, Value recurrentWeight) {
  return reifyExtent(builder, loc, result, 0, recurrentWeight, 0);
}

/// The shapes of `output` [B, T, Q * P] and `final_hidden` [Q, B, P]; P is the last axis of the recurrent
/// weight.
template <typename OpTy>
void reifyRecurrence(OpTy op, OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  Location loc = op.getLoc();
  Value input = op.getInput(), weight = op.getRecurrentWeight(), output = op.getOutput(),
        hidden = op.getFinalHidden();
  OpFoldResult features;
  if (!op.getOutput().getType().isDynamicDim(2)) {
    features = builder.getIndexAttr(op.getOutput().getType().getDimSize(2));
  } else {
    Value directions = arith::ConstantIndexOp::create(builder, loc, getNumDirections(op.getDirection()));
    Value state =
        getValueOrCreateConstantIndexOp(builder, loc, tensor::getMixedSize(builder, loc, weight, 2));
    features = arith::MulIOp::create(builder, loc, directions, state).getResult();
  }
  shapes.push_back({reifyExtent(builder, loc, output, 0, input, 0),
                    reifyExtent(builder, loc, output, 1, input, 1), features});
  shapes.push_back({reifyDirections(builder, loc, hidden, weight),
                    reifyExtent(builder, loc, hidden, 1, input, 0),
                    reifyExtent(builder, loc, hidden, 2, weight, 2)});
}

/// Absent biases and initial states are zero, so zero ones can go.
template <typename OpTy> void addZeroOperandPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  for (auto getter :
       {&OpTy::getInputBiasMutable, &OpTy::getRecurrentBiasMutable, &OpTy::getInitialHiddenMutable})
    patterns.add<DropNeutralOperand<OpTy>>(context, getter, isZeroSplat);
}

} // namespace

//===----------------------------------------------------------------------===//
// RNNOp
//===----------------------------------------------------------------------===//

LogicalResult RNNOp::verify() {
  ExtentVerifier extents(*this);
  extents.bind("Q", getNumDirections(getDirection()));
  if (failed(verifyRecurrence(*this, extents, "H", "H")))
    return failure();
  if (getActivation() != Activation::tanh && getActivation() != Activation::relu)
    return emitOpError("expects activation tanh or relu, got ") << stringifyActivation(getActivation());
  return success();
}

LogicalResult RNNOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  reifyRecurrence(*this, builder, shapes);
  return success();
}

void RNNOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  addZeroOperandPatterns<RNNOp>(patterns, context);
}

//===----------------------------------------------------------------------===//
// LSTMOp
//===----------------------------------------------------------------------===//

LogicalResult LSTMOp::verify() {
  ExtentVerifier extents(*this);
  extents.bind("Q", getNumDirections(getDirection()));
  StringRef state = getProjection() ? "P" : "H";
  if (failed(extents.match("projection", getProjection(), {"Q", "P", "H"})) ||
      failed(verifyRecurrence(*this, extents, "4*H", state)) ||
      failed(extents.match("cell", getInitialCell(), {"Q", "B", "H"})) ||
      failed(extents.match("final_cell", getFinalCell(), {"Q", "B", "H"})) ||
      failed(verifySameElementType(*this, "projection", getProjection(), "input", getInput())) ||
      failed(verifySameElementType(*this, "cell", getInitialCell(), "input", getInput())) ||
      failed(verifySameElementType(*this, "final_cell", getFinalCell(), "input", getInput())) ||
      failed(verifyPositive(*this, "cell_clip", getCellClip())) ||
      failed(verifyPositive(*this, "projection_clip", getProjectionClip())))
    return failure();
  if (getProjectionClip() && !getProjection())
    return emitOpError("expects a projection beside projection_clip");
  return success();
}

LogicalResult LSTMOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  reifyRecurrence(*this, builder, shapes);
  Location loc = getLoc();
  Value cell = getFinalCell();
  OpFoldResult hidden;
  if (getProjection()) {
    hidden = reifyExtent(builder, loc, cell, 2, getProjection(), 2);
  } else {
    hidden = reifyExtent(builder, loc, cell, 2, getRecurrentWeight(), 2);
  }
  shapes.push_back({reifyDirections(builder, loc, cell, getRecurrentWeight()),
                    reifyExtent(builder, loc, cell, 1, getInput(), 0), hidden});
  return success();
}

void LSTMOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  addZeroOperandPatterns<LSTMOp>(patterns, context);
  patterns.add<DropNeutralOperand<LSTMOp>>(context, &LSTMOp::getInitialCellMutable, isZeroSplat);
}

//===----------------------------------------------------------------------===//
// GRUOp
//===----------------------------------------------------------------------===//

LogicalResult GRUOp::verify() {
  ExtentVerifier extents(*this);
  extents.bind("Q", getNumDirections(getDirection()));
  return verifyRecurrence(*this, extents, "3*H", "H");
}

LogicalResult GRUOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  reifyRecurrence(*this, builder, shapes);
  return success();
}

void GRUOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  addZeroOperandPatterns<GRUOp>(patterns, context);
}
