//===- Seq2Seq.cpp - Encoder-decoder transformers -------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Seq2Seq.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace ops = mlir::sesame;

Value decoderBlocks(ModelBuilder &b, const std::string &name, int64_t count, Value h, Value mask,
                    Cache *cache, const Source &source, DecoderBody body, ValueRange shared) {
  SmallVector<Value> read;
  for (Value part : {source.states, source.cache, source.mask})
    if (part)
      read.push_back(part);
  llvm::append_range(read, shared);
  return b.blocks(
      name, count, h, mask, cache,
      [&](Value h, Value mask, Cache *cache, ValueRange others) {
        Source inside;
        for (auto [part, isThere] :
             {std::pair(&inside.states, bool(source.states)), std::pair(&inside.cache, bool(source.cache)),
              std::pair(&inside.mask, bool(source.mask))})
          if (isThere) {
            *part = others.front();
            others = others.drop_front();
          }
        return body(h, mask, cache, inside, others);
      },
      read);
}

/// Where the current layer's keys (0) or values (1) are in Source::cache.
static Value placeInCache(ModelBuilder &b, int64_t which) {
  Value place = arith::MulIOp::create(b.builder, b.loc, b.layerIndex(), b.constant(2));
  return arith::AddIOp::create(b.builder, b.loc, place, b.constant(which));
}

/// The current layer's keys (0) or values (1) [B, H, E, D].
static Value ofLayer(ModelBuilder &b, Value stacked, int64_t which) {
  auto type = cast<RankedTensorType>(stacked.getType());
  SmallVector<OpFoldResult> offsets(5, b.builder.getIndexAttr(0)), sizes = {b.builder.getIndexAttr(1)},
                                                                   strides(5, b.builder.getIndexAttr(1));
  offsets[0] = placeInCache(b, which);
  for (int64_t axis = 1; axis < 5; ++axis)
    sizes.push_back(b.extent(stacked, axis));
  return tensor::ExtractSliceOp::create(
      b.builder, b.loc, RankedTensorType::get(type.getShape().drop_front(), type.getElementType()), stacked,
      offsets, sizes, strides);
}

Value attendSource(ModelBuilder &b, Value q, const Source &source, int64_t heads, double scale,
                   SourceHeads sourceHeads) {
  auto [k, v] = source.states ? sourceHeads(source.states)
                              : std::pair(ofLayer(b, source.cache, 0), ofLayer(b, source.cache, 1));
  AttentionOptions options;
  options.scale = scale;
  options.mask = source.mask;
  return b.mergeHeads(b.attendHeads(b.splitHeads(q, heads), k, v, options));
}

Value positionsOf(ModelBuilder &b, Value ids, Value mask, int64_t offset) {
  OpBuilder &builder = b.builder;
  Value first = arith::SubIOp::create(builder, b.loc, b.dim(mask, 1), b.dim(ids, 1));
  first = arith::AddIOp::create(builder, b.loc, first, b.constant(offset));
  SmallVector<OpFoldResult> extents = {builder.getIndexAttr(1), b.extent(ids, 1)};
  Value init = tensor::EmptyOp::create(builder, b.loc, extents, builder.getI64Type());
  SmallVector<utils::IteratorType> parallel(2, utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, b.loc, init.getType(), ValueRange(), init, builder.getMultiDimIdentityMap(2), parallel,
             [&](OpBuilder &inner, Location l, ValueRange) {
               Value position = arith::AddIOp::create(inner, l, linalg::IndexOp::create(inner, l, 1), first);
               linalg::YieldOp::create(
                   inner, l, arith::IndexCastOp::create(inner, l, inner.getI64Type(), position).getResult());
             })
      .getResult(0);
}

Value sinusoids(ModelBuilder &b, Value positions, int64_t width, bool isInterleaved) {
  OpBuilder &builder = b.builder;
  builder.getContext()->loadDialect<math::MathDialect>();
  SmallVector<OpFoldResult> extents = {builder.getIndexAttr(1), b.extent(positions, 1),
                                       builder.getIndexAttr(width)};
  Value init = tensor::EmptyOp::create(builder, b.loc, extents, builder.getF32Type());
  AffineExpr d0, d1, d2;
  bindDims(builder.getContext(), d0, d1, d2);
  SmallVector<AffineMap> maps = {AffineMap::get(3, 0, {d0, d1}, builder.getContext()),
                                 builder.getMultiDimIdentityMap(3)};
  SmallVector<utils::IteratorType> parallel(3, utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, b.loc, init.getType(), positions, init, maps, parallel,
             [&](OpBuilder &inner, Location l, ValueRange values) {
               // In double, as the tables of the reference are made.
               Type f64 = inner.getF64Type();
               auto index = [&](int64_t value) -> Value {
                 return arith::ConstantIndexOp::create(inner, l, value);
               };
               Value column = linalg::IndexOp::create(inner, l, 2), half = index((width + 1) / 2);
               Value isSine, pair;
               if (isInterleaved) {
                 Value odd = arith::RemUIOp::create(inner, l, column, index(2));
                 isSine = arith::CmpIOp::create(inner, l, arith::CmpIPredicate::eq, odd, index(0));
                 pair = arith::DivUIOp::create(inner, l, column, index(2));
               } else {
                 isSine = arith::CmpIOp::create(inner, l, arith::CmpIPredicate::ult, column, half);
                 Value inSecond = arith::SubIOp::create(inner, l, column, half);
                 pair = arith::SelectOp::create(inner, l, isSine, column, inSecond);
               }
               Value number = arith::IndexCastOp::create(inner, l, inner.getI64Type(), pair);
               number = arith::SIToFPOp::create(inner, l, f64, number);
               auto constant = [&](double value) -> Value {
                 return arith::ConstantOp::create(inner, l, inner.getF64FloatAttr(value));
               };
               Value rate = arith::MulFOp::create(inner, l, number, constant(-2 * std::log(10000.0) / width));
               rate = math::ExpOp::create(inner, l, rate);
               Value angle = arith::SIToFPOp::create(inner, l, f64, values[0]);
               angle = arith::MulFOp::create(inner, l, angle, rate);
               Value sine = math::SinOp::create(inner, l, angle),
                     cosine = math::CosOp::create(inner, l, angle);
               Value value = arith::SelectOp::create(inner, l, isSine, sine, cosine);
               linalg::YieldOp::create(
                   inner, l, arith::TruncFOp::create(inner, l, inner.getF32Type(), value).getResult());
             })
      .getResult(0);
}

Value addToEachRow(ModelBuilder &b, Value x, Value row) {
  OpBuilder &builder = b.builder;
  SmallVector<OpFoldResult> extents = {b.extent(x, 0), b.extent(x, 1), b.extent(x, 2)};
  Value init = tensor::EmptyOp::create(builder, b.loc, extents, builder.getF32Type());
  AffineExpr d0, d1, d2;
  bindDims(builder.getContext(), d0, d1, d2);
  AffineMap identity = builder.getMultiDimIdentityMap(3);
  SmallVector<AffineMap> maps = {
      identity, AffineMap::get(3, 0, {builder.getAffineConstantExpr(0), d1, d2}, builder.getContext()),
      identity};
  SmallVector<utils::IteratorType> parallel(3, utils::IteratorType::parallel);
  return linalg::GenericOp::create(builder, b.loc, init.getType(), ValueRange{x, row}, init, maps, parallel,
                                   [&](OpBuilder &inner, Location l, ValueRange values) {
                                     linalg::YieldOp::create(
                                         inner, l,
                                         arith::AddFOp::create(inner, l, values[0], values[1]).getResult());
                                   })
      .getResult(0);
}

namespace {

class EntryWriter {
public:
  EntryWriter(ModelBuilder &b, const Seq2Seq &model)
      : b(b), model(model), vocab(std::to_string(model.vocabSize)),
        source(model.features ? std::to_string(model.maxSource) : "E"),
        crossDims({std::to_string(2 * model.layers), "B", std::to_string(model.heads), source,
                   std::to_string(model.headSize)}) {}

  void forward() {
    std::vector<Limit> limits = sourceLimits();
    if (model.maxLength)
      limits.push_back({"S", model.maxLength});
    b.beginEntry("forward", limits);
    Source encoded = encodedSource();
    Value ids = b.idInput("decoder_input_ids", {"B", "S"}, model.vocabSize);
    Value mask = b.maskInput({"B", "S"}, "decoder_attention_mask");
    Value hidden = model.decoder(ids, mask, nullptr, encoded);
    if (model.head)
      b.output("logits", model.head(hidden), {"B", "S", vocab});
    else
      b.output("last_hidden_state", hidden, {"B", "S", widthOf(hidden)});
    outputStates(encoded.states);
    b.endEntry();
  }

  void encode() {
    b.beginEntry("encode", sourceLimits());
    Source encoded = encodedSource();
    outputStates(encoded.states);
    SmallVector<OpFoldResult> extents = {b.builder.getIndexAttr(2 * model.layers),
                                         b.extent(encoded.states, 0), b.builder.getIndexAttr(model.heads),
                                         b.extent(encoded.states, 1), b.builder.getIndexAttr(model.headSize)};
    // Filled, since bufferization takes the results of a loop over an empty tensor for a conflict.
    Value buffer = tensor::EmptyOp::create(b.builder, b.loc, extents, b.builder.getF32Type());
    buffer = linalg::FillOp::create(b.builder, b.loc, b.constantF32(0), buffer).getResult(0);
    SmallVector<Value> cross = b.layers("cross_cache", model.layers, buffer, encoded.states,
                                        [&](ValueRange carried, ValueRange shared) -> SmallVector<Value> {
                                          auto [k, v] = model.sourceHeads(shared.front());
                                          return {put(v, put(k, carried.front(), 0), 1)};
                                        });
    b.output("cross_cache", cross.front(), crossDims);
    b.endEntry();
  }

  void decode() {
    std::vector<Limit> limits = sourceLimits();
    if (model.maxLength)
      limits.insert(limits.end(), {{"S", model.maxLength}, {"T", model.maxLength}});
    limits.insert(limits.end(), {{"S", "T"}, {"T", "C"}});
    b.beginEntry("decode", limits);
    Source encoded;
    if (!model.features)
      encoded.mask = b.maskInput({"B", "E"});
    Type f32 = b.builder.getF32Type();
    encoded.cache = b.input("cross_cache", crossDims, f32);
    Value ids = b.idInput("decoder_input_ids", {"B", "S"}, model.vocabSize);
    Value mask = b.maskInput({"B", "T"}, "decoder_attention_mask");
    InputOptions state;
    state.isState = true;
    ModelBuilder::Dims cacheDims = {std::to_string(model.layers), "B", std::to_string(model.heads), "C",
                                    std::to_string(model.headSize)};
    Cache cache;
    cache.keys = b.input("key_cache", cacheDims, f32, state);
    cache.values = b.input("value_cache", cacheDims, f32, state);
    cache.past = arith::SubIOp::create(b.builder, b.loc, b.dim(mask, 1), b.dim(ids, 1));
    Value logits = model.head(model.decoder(ids, mask, &cache, encoded));
    b.output("logits", b.selectLast(logits, 1), {"B", vocab});
    b.output("key_cache", cache.keys, cacheDims, /*isState=*/true);
    b.output("value_cache", cache.values, cacheDims, /*isState=*/true);
    b.endEntry();
  }

private:
  std::vector<Limit> sourceLimits() const {
    if (model.features || !model.maxSource)
      return {};
    return {{"E", model.maxSource}};
  }

  Source encodedSource() {
    Source encoded;
    if (model.features) {
      encoded.states = model.features();
      return encoded;
    }
    Value ids = b.idInput("input_ids", {"B", "E"}, model.sourceVocabSize);
    encoded.mask = b.maskInput({"B", "E"});
    encoded.states = model.encoder(ids, encoded.mask);
    return encoded;
  }

  void outputStates(Value states) {
    b.output("encoder_last_hidden_state", states, {"B", source, std::to_string(model.width)});
  }

  static std::string widthOf(Value x) {
    return std::to_string(cast<RankedTensorType>(x.getType()).getShape().back());
  }

  /// Writes x [B, H, E, D] to the current layer's place in the cache.
  Value put(Value x, Value cache, int64_t which) {
    return ops::CacheAppendOp::create(b.builder, b.loc, cache.getType(), x, cache, placeInCache(b, which),
                                      b.constant(0));
  }

  ModelBuilder &b;
  const Seq2Seq &model;
  std::string vocab, source;
  ModelBuilder::Dims crossDims;
};

} // namespace

void seq2SeqEntries(ModelBuilder &b, const Seq2Seq &model) {
  EntryWriter writer(b, model);
  writer.forward();
  if (!model.head)
    return;
  writer.encode();
  writer.decode();
}

} // namespace sesame::importer
