//===- Encoder.cpp - What BERT and its relatives share --------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Encoder.h"

using namespace mlir;

namespace sesame::importer {

EncoderSizes EncoderSizes::read(const Config &c, const EncoderDefaults &defaults, bool mayDecode) {
  EncoderSizes sizes;
  sizes.width = c.extent("hidden_size", defaults.width);
  sizes.heads = c.divisor("num_attention_heads", "hidden_size", sizes.width, defaults.heads);
  sizes.layers = c.layers("num_hidden_layers", defaults.layers);
  sizes.inner = c.extent("intermediate_size", defaults.inner);
  sizes.vocab = c.extent("vocab_size", defaults.vocab);
  sizes.maxLength = c.extent("max_position_embeddings", defaults.maxLength);
  sizes.types = defaults.types ? c.extent("type_vocab_size", defaults.types) : 0;
  sizes.embeddingWidth = sizes.width;
  sizes.activation = c.activation("hidden_act", defaults.activation);
  sizes.epsilon = c.epsilon("layer_norm_eps", defaults.epsilon);
  sizes.tied = c.flag("tie_word_embeddings", true);
  sizes.positionKind =
      c.choice("position_embedding_type", {"absolute", "relative_key", "relative_key_query"}, "absolute");
  if (!mayDecode) {
    c.refuseFlag("add_cross_attention", "cross attention is supported in encoder-decoder models only");
    c.refuseFlag("is_decoder", "this family is supported as an encoder only");
  }
  return sizes;
}

EncoderSizes EncoderSizes::readPadded(const Config &c, const EncoderDefaults &defaults, bool mayDecode) {
  EncoderSizes sizes = read(c, defaults, mayDecode);
  sizes.padPosition = c.integer("pad_token_id", 0, sizes.maxLength - 2, 1);
  return sizes;
}

BlockNames BlockNames::bert(const std::string &layer) {
  return {layer + "attention.self.query",
          layer + "attention.self.key",
          layer + "attention.self.value",
          layer + "attention.output.dense",
          layer + "attention.output.LayerNorm",
          layer + "intermediate.dense",
          layer + "output.dense",
          layer + "output.LayerNorm",
          layer + "attention.self.distance_embedding.weight"};
}

Encoder::Encoder(ModelBuilder &b, std::string prefix, EncoderSizes sizes, BlockNames names)
    : b(b), prefix(std::move(prefix)), sizes(std::move(sizes)), names(std::move(names)),
      head{"cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm",
           "cls.predictions.decoder", "cls.predictions.bias", this->sizes.activation} {
  b.info.vocabSize = this->sizes.vocab;
  b.info.hiddenSize = this->sizes.width;
  b.info.numLayers = this->sizes.layers;
  b.info.maxLength = maxLength();
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

void Encoder::baseModel() {
  Value h = beginForward();
  b.output("last_hidden_state", h, {"B", "S", std::to_string(sizes.width)});
  // A checkpoint of a masked language model has no pooler, and its base model has no use for one made up.
  if (hasPooler())
    b.output("pooler_output", pooled(h), {"B", std::to_string(sizes.width)});
  b.endEntry();
}

void Encoder::maskedLM() {
  Value h = beginForward();
  b.output("logits", predictions(h), {"B", "S", std::to_string(sizes.vocab)});
  b.endEntry();
}

void Encoder::causalLM() {
  if (!causal)
    return maskedLM();
  auto body = [&](Value ids, Value mask, Value positions, Cache *cache) {
    Inputs in;
    in.ids = ids;
    in.mask = mask;
    if (sizes.types)
      in.types = b.constantIds(2, 0);
    in.positions = sizes.padPosition ? positionsOfRealTokens(b, ids, mask, *sizes.padPosition) : positions;
    return run(in, cache);
  };
  auto head = [&](Value hidden) { return predictions(hidden); };
  b.causalEntries({sizes.vocab, maxLength(), sizes.layers, sizes.heads, sizes.width / sizes.heads, body, head,
                   /*hasPositionIds=*/!sizes.padPosition});
}

void Encoder::sequenceClassification() {
  int64_t labels = b.config.numLabels();
  Value logits = classify(beginForward(), labels);
  int64_t columns = cast<RankedTensorType>(logits.getType()).getDimSize(1);
  b.output("logits", logits, {"B", std::to_string(columns)});
  b.endEntry();
}

void Encoder::tokenClassification() {
  int64_t labels = b.config.numLabels();
  Value h = beginForward();
  b.output("logits", b.linear("classifier", h, labels), {"B", "S", std::to_string(labels)});
  b.endEntry();
}

void Encoder::questionAnswering() {
  questionAnsweringOutputs(b, "qa_outputs", beginForward());
  b.endEntry();
}

void Encoder::multipleChoice() {
  Inputs in = beginInputs({"B", "N", "S"});
  Inputs rows = in;
  for (Value *each : {&rows.ids, &rows.mask, &rows.types, &rows.positions, &rows.boxes})
    if (*each)
      *each = b.mergeLeading(*each);
  Value scores = rate(run(rows)); // [B * N, 1]
  b.output("logits", b.dropLastAxis(b.splitLeading(scores, in.ids)), {"B", "N"});
  b.endEntry();
}

void Encoder::nextSentencePrediction() {
  b.output("logits", followsLogits(beginForward()), {"B", "2"});
  b.endEntry();
}

void Encoder::preTraining() {
  Value h = beginForward();
  b.output("prediction_logits", predictions(h), {"B", "S", std::to_string(sizes.vocab)});
  b.output("seq_relationship_logits", followsLogits(h), {"B", "2"});
  b.endEntry();
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

Encoder::Inputs Encoder::beginInputs(const ModelBuilder::Dims &dims) {
  b.beginEntry("forward", {{"S", maxLength()}});
  Inputs in;
  in.ids = b.idInput("input_ids", dims, sizes.vocab);
  InputOptions mask;
  mask.fallback = "ones";
  mask.isPaddingMask = dims.size() == 2 && !causal && !readsPadding();
  in.mask = b.input("attention_mask", dims, b.builder.getI64Type(), mask);
  if (sizes.types)
    in.types = b.idInput("token_type_ids", dims, sizes.types, "zeros");
  if (!sizes.padPosition && sizes.positionKind != "none")
    in.positions = b.idInput("position_ids", dims, sizes.maxLength, "arange");
  return in;
}

Value Encoder::wordTable() {
  return b.inputTable(wordTableName(), head.decoder + ".weight", {sizes.vocab, sizes.embeddingWidth},
                      sizes.tied);
}

Value Encoder::embeddingSum(const Inputs &in) {
  auto table = [&](const char *name, int64_t rows) {
    return b.weight(prefix + "embeddings." + name + ".weight", {rows, sizes.embeddingWidth});
  };
  SmallVector<std::pair<Value, Value>> parts = {{in.ids, wordTable()}};
  if (in.types)
    parts.push_back({in.types, table("token_type_embeddings", sizes.types)});
  if (sizes.positionKind == "absolute")
    parts.push_back({in.positions ? in.positions : positionsOfRealTokens(b, in.ids, *sizes.padPosition),
                     table("position_embeddings", sizes.maxLength)});
  else
    b.weights.ignore(prefix + "embeddings.position_embeddings.weight");
  return b.embedding(parts);
}

Value Encoder::embed(const Inputs &in) {
  Value sum = embeddingSum(in);
  return isPreNorm ? sum : b.layerNorm(prefix + "embeddings.LayerNorm", sum, sizes.epsilon);
}

void Encoder::setPreNorm(const std::string &block, const char *attention, const char *output,
                         std::string final) {
  isPreNorm = true;
  names.attentionNorm = block + attention;
  names.outputNorm = block + output;
  finalNorm = std::move(final);
}

SmallVector<Value> Encoder::blockOperands(const Inputs &in) {
  if (sizes.positionKind == "absolute")
    return {};
  return {b.distances(b.extent(in.ids, 1), b.extent(in.mask, 1), sizes.maxLength - 1)};
}

Value Encoder::encode(Value h, const Inputs &in, Cache *cache) {
  h = b.blocks(
      "block", sizes.layers, h, in.mask, cache,
      [&](Value x, Value mask, Cache *cache, ValueRange shared) { return block(x, mask, cache, shared); },
      blockOperands(in));
  return finalNorm.empty() ? h : b.layerNorm(finalNorm, h, sizes.epsilon);
}

Value Encoder::selfAttention(Value h, Value mask, Cache *cache, ValueRange shared) {
  Value q = b.splitHeads(b.linear(names.query, h, sizes.width), sizes.heads);
  Value k = b.splitHeads(b.linear(names.key, h, sizes.width), sizes.heads);
  Value v = b.splitHeads(b.linear(names.value, h, sizes.width), sizes.heads);
  AttentionOptions options;
  options.heads = sizes.heads;
  options.scale = 1 / std::sqrt(double(sizes.width / sizes.heads));
  options.causal = causal;
  options.mask = mask;
  if (cache)
    b.appendToCache(*cache, k, v);
  options.bias = attentionBias(q, k, shared);
  return b.mergeHeads(b.attendHeads(q, k, v, options));
}

Value Encoder::block(Value h, Value mask, Cache *cache, ValueRange shared) {
  auto norm = [&](const NamePattern &name, Value x) { return b.layerNorm(name, x, sizes.epsilon); };
  Value x = selfAttention(isPreNorm ? norm(names.attentionNorm, h) : h, mask, cache, shared);
  h = b.add(b.linear(names.attentionOutput, x, sizes.width), h);
  if (!isPreNorm)
    h = norm(names.attentionNorm, h);
  x = b.linear(names.inner, isPreNorm ? norm(names.outputNorm, h) : h, sizes.inner);
  h = b.add(b.linear(names.output, b.activation(sizes.activation, x), sizes.width), h);
  return isPreNorm ? h : norm(names.outputNorm, h);
}

Value Encoder::attentionBias(Value q, Value k, ValueRange shared) {
  if (sizes.positionKind == "absolute")
    return {};
  // What the learned embedding of each distance adds: [B, H, S, T].
  int64_t headSize = sizes.width / sizes.heads;
  Value table = b.weight(names.distances, {2 * sizes.maxLength - 1, headSize});
  Value relative = b.embedding({{shared.front(), table}}); // [S, T, D]
  Value bias = b.relativeScores(q, relative, /*ofKeys=*/false);
  if (sizes.positionKind == "relative_key_query")
    bias = b.add(bias, b.relativeScores(k, relative, /*ofKeys=*/true));
  return b.scale(bias, 1 / std::sqrt(double(headSize)));
}

Value Encoder::pooled(Value h) {
  return b.activation(mlir::sesame::Activation::tanh, b.linear(poolerName(), first(h), sizes.width));
}

Value Encoder::classify(Value h, int64_t labels) { return b.linear("classifier", pooled(h), labels); }

Value Encoder::predictions(Value h) {
  Value x = b.activation(head.activation, b.linear(head.transform, h, sizes.embeddingWidth));
  x = b.layerNorm(head.norm, x, sizes.epsilon);
  Value table = b.headWeight(head.decoder + ".weight", wordTableName(), {sizes.vocab, sizes.embeddingWidth},
                             sizes.tied);
  Value bias = b.weight(head.bias, {sizes.vocab}, {head.decoder + ".bias"});
  b.weights.ignore(head.decoder + ".bias");
  return b.linearBy(table, bias, x);
}

RobertaEncoder::RobertaEncoder(ModelBuilder &b, std::string prefix, EncoderSizes sizes, BlockNames names)
    : Encoder(b, std::move(prefix), std::move(sizes), std::move(names)) {
  head = {"lm_head.dense", "lm_head.layer_norm", "lm_head.decoder", "lm_head.bias",
          mlir::sesame::Activation::gelu};
}

Value RobertaEncoder::classify(Value h, int64_t labels) {
  Value x = b.linear("classifier.dense", first(h), sizes.width);
  return b.linear("classifier.out_proj", b.activation(mlir::sesame::Activation::tanh, x), labels);
}

//===----------------------------------------------------------------------===//
// Classes of checkpoints that name none
//===----------------------------------------------------------------------===//

const char *classByHead(const WeightSource &weights,
                        std::initializer_list<std::pair<const char *, const char *>> heads,
                        const char *otherwise) {
  for (auto [tensor, name] : heads)
    if (weights.has(tensor))
      return name;
  return otherwise;
}

const char *classByBertHeads(const WeightSource &weights, const EncoderClasses &classes, const char *pooler) {
  bool predicts = weights.has("cls.predictions.transform.dense.weight");
  if (weights.has("cls.seq_relationship.weight"))
    return predicts ? classes.preTraining : classes.nextSentencePrediction;
  return predicts ? classes.maskedLM
                  : classByHead(weights,
                                {{"qa_outputs.weight", classes.questionAnswering},
                                 {"classifier.weight", weights.has(pooler) ? classes.sequenceClassification
                                                                           : classes.tokenClassification}},
                                classes.base);
}

const char *classByRobertaHeads(const WeightSource &weights, const EncoderClasses &classes,
                                const char *pooler) {
  bool isChoice = classes.multipleChoice && weights.has(pooler);
  return classByHead(weights,
                     {{"lm_head.dense.weight", classes.maskedLM},
                      {"qa_outputs.weight", classes.questionAnswering},
                      {"classifier.dense.weight", classes.sequenceClassification},
                      {"classifier.weight", isChoice ? classes.multipleChoice : classes.tokenClassification}},
                     classes.base);
}

} // namespace sesame::importer
