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

Value lastEndPositions(ModelBuilder &b, Value ids) {
  if (b.info.eosTokenIds.size() != 1)
    b.config.fail("eos_token_id", "expected one, whose last place is classified, got " +
                                      std::to_string(b.info.eosTokenIds.size()));
  Value isEnd = mapOver(b, "bs->bs", ids, b.builder.getI64Type(), [&](Scalars s, ValueRange id) {
    return s.select(s.equal(id[0], s.constantI64(b.info.eosTokenIds.front())), s.constantI64(1),
                    s.constantI64(0));
  });
  return b.lastPositionOtherThan(isEnd, 0);
}

Value classificationHead(ModelBuilder &b, Value x, int64_t labels) {
  int64_t width = cast<RankedTensorType>(x.getType()).getDimSize(1);
  x = b.activation(ops::Activation::tanh, b.linear("classification_head.dense", x, width));
  return b.linear("classification_head.out_proj", x, labels);
}

//===----------------------------------------------------------------------===//
// Seq2Seq
//===----------------------------------------------------------------------===//

void Seq2Seq::conditionalGeneration() {
  forwardEntry(/*hasHead=*/true);
  encodeEntry();
  decodeEntry();
}

void Seq2Seq::pairModel() { forwardEntry(/*hasHead=*/false); }

void Seq2Seq::endShifted(const Passes &passes) {
  b.output("encoder_last_hidden_state", passes.states, {"B", "S", std::to_string(width)});
  b.endEntry();
}

void Seq2Seq::sequenceClassification() {
  int64_t labels = b.config.numLabels();
  Passes passes = beginShifted();
  Value last = b.gatherPositions(passes.hidden, lastEndPositions(b, passes.ids));
  b.output("logits", classificationHead(b, last, labels), {"B", std::to_string(labels)});
  endShifted(passes);
}

void Seq2Seq::questionAnswering() {
  Passes passes = beginShifted();
  questionAnsweringOutputs(b, "qa_outputs", passes.hidden);
  endShifted(passes);
}

void Seq2Seq::causalLM() {
  b.info.numLayers = decoderLayers;
  auto body = [&](Value ids, Value mask, Value, Cache *cache) { return decode(ids, mask, cache, Source()); };
  auto head = [&](Value hidden) { return logits(hidden); };
  auto more = [&](Value hidden) { moreOutputs(hidden, /*hasHead=*/true); };
  b.causalEntries({vocab, maxLength, decoderLayers, decoderHeads, headSize, body, head,
                   /*hasPositionIds=*/false, more});
}

void Seq2Seq::moreOutputs(Value, bool) {}

Source Seq2Seq::encodedSource() {
  Source source;
  Value ids = b.idInput("input_ids", {"B", "E"}, sourceVocab);
  source.mask = b.maskInput({"B", "E"});
  source.states = encode(ids, source.mask);
  return source;
}

Value Seq2Seq::attendSource(Value q, const Source &source, double scale) {
  auto [k, v] = source.states ? sourceHeads(source.states)
                              : std::pair(ofLayer(b, source.cache, 0), ofLayer(b, source.cache, 1));
  AttentionOptions options;
  options.scale = scale;
  options.mask = source.mask;
  return b.mergeHeads(b.attendHeads(b.splitHeads(q, decoderHeads), k, v, options));
}

void Seq2Seq::forwardEntry(bool hasHead) {
  std::vector<Limit> limits = sourceLimits();
  if (maxLength)
    limits.push_back({"S", maxLength});
  b.beginEntry("forward", limits);
  Source source = encodedSource();
  Value ids = b.idInput("decoder_input_ids", {"B", "S"}, vocab);
  Value mask = b.maskInput({"B", "S"}, "decoder_attention_mask");
  Value hidden = decode(ids, mask, nullptr, source);
  if (hasHead) {
    b.output("logits", logits(hidden), {"B", "S", std::to_string(vocab)});
  } else {
    Value last = lastState(hidden);
    int64_t columns = cast<RankedTensorType>(last.getType()).getShape().back();
    b.output("last_hidden_state", last, {"B", "S", std::to_string(columns)});
  }
  moreOutputs(hidden, hasHead);
  outputStates(source.states);
  b.endEntry();
}

void Seq2Seq::encodeEntry() {
  b.beginEntry("encode", sourceLimits());
  Value states = encodedSource().states;
  outputStates(states);
  SmallVector<OpFoldResult> extents = {b.builder.getIndexAttr(2 * decoderLayers), b.extent(states, 0),
                                       b.builder.getIndexAttr(decoderHeads), b.extent(states, 1),
                                       b.builder.getIndexAttr(headSize)};
  // Filled, since bufferization takes the results of a loop over an empty tensor for a conflict.
  Value buffer = tensor::EmptyOp::create(b.builder, b.loc, extents, b.builder.getF32Type());
  buffer = linalg::FillOp::create(b.builder, b.loc, b.constantF32(0), buffer).getResult(0);
  // Writes x [B, H, E, D] to the current layer's place in the cache.
  auto put = [&](Value x, Value cache, int64_t which) -> Value {
    return ops::CacheAppendOp::create(b.builder, b.loc, cache.getType(), x, cache, placeInCache(b, which),
                                      b.constant(0));
  };
  SmallVector<Value> cross = b.layers("cross_cache", decoderLayers, buffer, states,
                                      [&](ValueRange carried, ValueRange shared) -> SmallVector<Value> {
                                        auto [k, v] = sourceHeads(shared.front());
                                        return {put(v, put(k, carried.front(), 0), 1)};
                                      });
  b.output("cross_cache", cross.front(), crossDims());
  b.endEntry();
}

void Seq2Seq::decodeEntry() {
  std::vector<Limit> limits = sourceLimits();
  if (maxLength)
    limits.insert(limits.end(), {{"S", maxLength}, {"T", maxLength}});
  limits.insert(limits.end(), {{"S", "T"}, {"T", "C"}});
  b.beginEntry("decode", limits);
  Source source;
  if (!isSourceFixed)
    source.mask = b.maskInput({"B", "E"});
  Type f32 = b.builder.getF32Type();
  source.cache = b.input("cross_cache", crossDims(), f32);
  Value ids = b.idInput("decoder_input_ids", {"B", "S"}, vocab);
  Value mask = b.maskInput({"B", "T"}, "decoder_attention_mask");
  InputOptions state;
  state.isState = true;
  ModelBuilder::Dims cacheDims = {std::to_string(decoderLayers), "B", std::to_string(decoderHeads), "C",
                                  std::to_string(headSize)};
  Cache cache;
  cache.keys = b.input("key_cache", cacheDims, f32, state);
  cache.values = b.input("value_cache", cacheDims, f32, state);
  cache.past = arith::SubIOp::create(b.builder, b.loc, b.dim(mask, 1), b.dim(ids, 1));
  Value scores = logits(decode(ids, mask, &cache, source));
  b.output("logits", b.selectLast(scores, 1), {"B", std::to_string(vocab)});
  b.output("key_cache", cache.keys, cacheDims, /*isState=*/true);
  b.output("value_cache", cache.values, cacheDims, /*isState=*/true);
  b.endEntry();
}

std::vector<Limit> Seq2Seq::sourceLimits() const {
  if (isSourceFixed || !maxSource)
    return {};
  return {{"E", maxSource}};
}

ModelBuilder::Dims Seq2Seq::crossDims() const {
  return {std::to_string(2 * decoderLayers), "B", std::to_string(decoderHeads), sourceAxis(),
          std::to_string(headSize)};
}

void Seq2Seq::outputStates(Value states) {
  b.output("encoder_last_hidden_state", states, {"B", sourceAxis(), std::to_string(width)});
}

} // namespace sesame::importer
