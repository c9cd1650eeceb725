//===- BeamAnswers.cpp - Extractive answers by their likeliest beginnings -===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BeamAnswers.h"

#include "TensorOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;

namespace sesame::importer {

namespace {

/// x [B, N, S] -> softmax over S.
Value softmaxOfRows(ModelBuilder &b, Value x) {
  Value lowest = b.constantF32(std::numeric_limits<float>::lowest());
  Value most = reduceOver(b, "bns->bn", x, lowest,
                          [](Scalars s, ValueRange values) { return s.maximum(values[0], values[1]); });
  b.builder.getContext()->loadDialect<math::MathDialect>();
  Value powers =
      mapOver(b, "bns,bn->bns", {x, most}, b.builder.getF32Type(), [](Scalars s, ValueRange values) {
        return Value(math::ExpOp::create(s.builder, s.loc, s.subtract(values[0], values[1])));
      });
  Value sums = reduceOver(b, "bns->bn", powers, b.constantF32(0),
                          [](Scalars s, ValueRange values) { return s.add(values[0], values[1]); });
  return mapOver(b, "bns,bn->bns", {powers, sums}, b.builder.getF32Type(),
                 [](Scalars s, ValueRange values) { return s.divide(values[0], values[1]); });
}

/// The largest of each row and where they are: [B, N, K], the largest first.
struct Top {
  Value values, places;
};

/// Of x [B, N, S]. Past the end of a short row, places and values are 0.
Top largest(ModelBuilder &b, Value x, int64_t count) {
  // How many are before each in the order.
  Value none = arith::ConstantOp::create(b.builder, b.loc, b.builder.getI64IntegerAttr(0));
  Value ranks = reduceOver(b, "bns,bnt->bns", {x, x}, none, [](Scalars s, ValueRange values) {
    Value isBefore =
        s.select(s.equal(values[0], values[1]), s.less(s.index(3), s.index(2)), s.less(values[0], values[1]));
    return s.select(isBefore, s.add(values[2], s.constantI64(1)), values[2]);
  });
  SmallVector<int64_t> numbers = llvm::to_vector(llvm::seq<int64_t>(0, count));
  auto type = RankedTensorType::get({count}, b.builder.getI64Type());
  Value wanted =
      arith::ConstantOp::create(b.builder, b.loc, DenseElementsAttr::get(type, ArrayRef<int64_t>(numbers)));
  Value places = reduceOver(b, "bns,k->bnk", {ranks, wanted}, none, [](Scalars s, ValueRange values) {
    return s.select(s.equal(values[0], values[1]), s.toI64(s.index(3)), values[2]);
  });
  Value values =
      reduceOver(b, "bns,bns,k->bnk", {ranks, x, wanted}, b.constantF32(0), [](Scalars s, ValueRange values) {
        return s.select(s.equal(values[0], values[2]), values[1], values[3]);
      });
  return {values, places};
}

/// [B, K, E] -> [B, E * K].
Value flattened(ModelBuilder &b, Value x) { return joinAxes(b, transpose(b, x, {0, 2, 1}), 1); }

} // namespace

void beamAnswers(ModelBuilder &b, const std::string &prefix, Value hidden, double epsilon) {
  const Config &c = b.config;
  int64_t starts = c.integer("start_n_top", 1, 1 << 10, 5), ends = c.integer("end_n_top", 1, 1 << 10, 5);
  int64_t width = cast<RankedTensorType>(hidden.getType()).getShape().back();
  Type f32 = b.builder.getF32Type();
  InputOptions maskOptions;
  maskOptions.fallback = "zeros";
  Value mask = b.input("p_mask", {"B", "S"}, f32, maskOptions);
  // Where a row's classification token is: its last one, unless it is said. A place behind the row counts as
  // the last, too.
  Value place = b.idInput("cls_index", {"B"}, int64_t(1) << 31, "absent");
  place = mapOver(b, "b->b", place, b.builder.getI64Type(), [](Scalars s, ValueRange values) {
    return s.select(s.less(values[0], s.constantI64(0)), s.constantI64(int64_t(1) << 31), values[0]);
  });
  auto masked = [&](Value logits) { // [B, N, S]
    return mapOver(b, "bns,bs->bns", {logits, mask}, f32, [](Scalars s, ValueRange values) {
      Value kept = s.multiply(values[0], s.subtract(s.constantF32(1), values[1]));
      return s.subtract(kept, s.multiply(s.constantF32(1e30), values[1]));
    });
  };

  Value logits = transpose(b, b.linear(prefix + "start_logits.dense", hidden, 1), {0, 2, 1}); // [B, 1, S]
  Value likely = softmaxOfRows(b, masked(logits));
  Top start = largest(b, likely, starts); // [B, 1, K]
  SmallVector<OpFoldResult> extents = {b.extent(hidden, 0), b.builder.getIndexAttr(starts),
                                       b.builder.getIndexAttr(width)};
  Value states = generate(b, extents, f32, [&](Scalars s, ValueRange at) {
    Value place = s.toIndex(s.at(start.places, {at[0], s.constant(0), at[1]}));
    return s.at(hidden, {at[0], place, at[2]});
  });

  // A linear of a token's state beside a beginning's is the sum of one for each.
  const std::string ofEnds = prefix + "end_logits.";
  auto half = [&](const char *name, int64_t offset) {
    return b.weightBy(ofEnds + name, b.tensorType({width, width}), [&] {
      return b.sliceColumns(b.storedTensor(ofEnds + "dense_0.weight", {width, 2 * width}), offset, width);
    });
  };
  Value tokens = b.linearBy(half("dense_0.weight", 0), b.weight(ofEnds + "dense_0.bias", {width}), hidden);
  Value beginnings = b.linearBy(half("dense_0.weight.start", width), {}, states);
  Value both = mapOver(b, "bkc,bsc->bksc", {beginnings, tokens}, f32,
                       [](Scalars s, ValueRange values) { return s.add(values[0], values[1]); });
  both = b.layerNorm(ofEnds + "LayerNorm", b.activation(mlir::sesame::Activation::tanh, both), epsilon);
  Top end = largest(b, softmaxOfRows(b, masked(b.dropLastAxis(b.linear(ofEnds + "dense_1", both, 1)))), ends);

  Value mean = einsum(b, "bsc,bs->bc", hidden, b.select(likely, 1, b.builder.getIndexAttr(0)));
  Value answer = concat(b, {mean, b.gatherPositions(hidden, place)}, 1);
  answer =
      b.activation(mlir::sesame::Activation::tanh, b.linear(prefix + "answer_class.dense_0", answer, width));
  answer = b.linear(prefix + "answer_class.dense_1", answer, 1, withoutBias);

  ModelBuilder::Dims startDims = {"B", std::to_string(starts)},
                     endDims = {"B", std::to_string(starts * ends)};
  auto only = [&](Value x) { return b.select(x, 1, b.builder.getIndexAttr(0)); };
  b.output("start_top_log_probs", only(start.values), startDims);
  b.output("start_top_index", only(start.places), startDims);
  b.output("end_top_log_probs", flattened(b, end.values), endDims);
  b.output("end_top_index", flattened(b, end.places), endDims);
  b.output("cls_logits", b.dropLastAxis(answer), {"B"});
}

} // namespace sesame::importer
