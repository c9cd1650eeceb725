//===- Seq2Seq.cpp - Encoder-decoder transformers -------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Seq2Seq.h"

#include "TensorOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cstring>

using namespace mlir;

namespace sesame::importer {

namespace ops = mlir::sesame;

Stack Stack::read(const Config &c, const std::string &name, int64_t width, const Sizes &defaults) {
  return {name, c.layers(name + "_layers", defaults.layers),
          c.divisor(name + "_attention_heads", "d_model", width, defaults.heads),
          c.extent(name + "_ffn_dim", defaults.inner)};
}

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

Value tokenTable(ModelBuilder &b, const std::string &own, const std::string &shared, ArrayRef<int64_t> shape,
                 const std::vector<NamePattern> &others) {
  const StoredTensor *mine = b.weights.find(own), *ours = b.weights.find(shared);
  if (mine && ours) {
    b.weights.ignore(own);
    b.weights.ignore(shared);
    if (mine->dtype != ours->dtype || mine->shape != ours->shape ||
        std::memcmp(mine->data, ours->data, ours->sizeInBytes) != 0)
      return b.weight(own, shape);
  }
  std::vector<NamePattern> names = {own};
  llvm::append_range(names, others);
  return b.weight(shared, shape, names);
}

Value shiftRight(ModelBuilder &b, Value ids, int64_t vocab) {
  const char *key = "decoder_start_token_id";
  if (!b.info.decoderStartTokenId)
    b.config.fail(key, "expected the token that the decoder starts with, found none");
  int64_t start = *b.info.decoderStartTokenId;
  if (start >= vocab)
    b.config.fail(key,
                  "expected a token id below " + std::to_string(vocab) + ", got " + std::to_string(start));
  return generate(b, {b.extent(ids, 0), b.extent(ids, 1)}, b.builder.getI64Type(),
                  [&](Scalars s, ValueRange at) {
                    Value zero = s.constant(0), before = s.maximum(s.subtract(at[1], s.constant(1)), zero);
                    return s.select(s.equal(at[1], zero), s.constantI64(start), s.at(ids, {at[0], before}));
                  });
}

/// Where the current layer's keys (0) or values (1) are in Source::cache.
static Value placeInCache(ModelBuilder &b, int64_t which) {
  Value place = arith::MulIOp::create(b.builder, b.loc, b.layerIndex(), b.constant(2));
  return arith::AddIOp::create(b.builder, b.loc, place, b.constant(which));
}

/// The current layer's keys (0) or values (1) [B, H, E, D].
static Value ofLayer(ModelBuilder &b, Value stacked, int64_t which) {
  return b.select(stacked, 0, placeInCache(b, which));
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
    if (model.moreOutputs)
      model.moreOutputs(hidden);
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
