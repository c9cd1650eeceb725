//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"

#include "TensorOps.h"

#include "support/Error.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace ops = mlir::sesame;

static RankedTensorType typeOf(Value x) { return cast<RankedTensorType>(x.getType()); }

//===----------------------------------------------------------------------===//
// Decoder
//===----------------------------------------------------------------------===//

void Decoder::fillInfo() {
  b.info.vocabSize = vocab;
  b.info.hiddenSize = width;
  b.info.numLayers = layers;
  b.info.maxLength = maxLength;
}

void Decoder::languageModel() {
  fillInfo();
  auto run = [&](Value ids, Value mask, Value positions, Cache *cache) {
    return body({ids, mask, positions, cache ? Value() : typeInput({"B", "S"})}, cache);
  };
  auto head = [&](Value hidden) { return logits(hidden); };
  b.causalEntries({vocab, maxLength, layers, keyHeads, headSize, run, head, hasPositionIds});
}

Decoder::Inputs Decoder::beginInputs(const ModelBuilder::Dims &dims) {
  fillInfo();
  b.beginEntry("forward", maxLength ? std::vector<Limit>{{"S", maxLength}} : std::vector<Limit>());
  Inputs in;
  in.ids = b.idInput("input_ids", dims, vocab);
  in.mask = b.maskInput(dims);
  if (hasPositionIds)
    in.positions = b.idInput("position_ids", dims, maxLength, "arange");
  in.types = typeInput(dims);
  return in;
}

Value Decoder::typeInput(const ModelBuilder::Dims &dims) {
  return hasTypeIds ? b.idInput("token_type_ids", dims, vocab, "absent") : Value();
}

Value Decoder::addTypes(Value h, Value types, Value table) {
  if (!types)
    return h;
  Value known = mapOver(b, "bs->bs", types, b.builder.getI64Type(),
                        [](Scalars s, ValueRange values) { return s.maximum(values[0], s.constantI64(0)); });
  return mapOver(b, "bs,bsc,bsc->bsc", {types, h, b.embedding({{known, table}})}, b.builder.getF32Type(),
                 [](Scalars s, ValueRange values) {
                   return s.select(s.less(values[0], s.constantI64(0)), values[1],
                                   s.add(values[1], values[2]));
                 });
}

/// Opens `forward` and returns the hidden states.
Value Decoder::beginForward() {
  Inputs in = beginInputs({"B", "S"});
  return body(in, nullptr);
}

void Decoder::baseModel() {
  Value hidden = beginForward();
  b.output("last_hidden_state", hidden, {"B", "S", std::to_string(typeOf(hidden).getShape().back())});
  b.endEntry();
}

void Decoder::sequenceClassification(const char *name) {
  int64_t labels = b.config.numLabels();
  Value hidden = beginForward();
  Value ids = cast<BlockArgument>(b.builder.getInsertionBlock()->getArgument(0));
  Value last = b.info.padTokenId ? b.gatherPositions(hidden, b.lastPositionOtherThan(ids, *b.info.padTokenId))
                                 : b.selectLast(hidden, 1);
  b.output("logits", b.linear(name, last, labels, withoutBias), {"B", std::to_string(labels)});
  b.endEntry();
}

void Decoder::questionAnswering() {
  questionAnsweringOutputs(b, "qa_outputs", beginForward());
  b.endEntry();
}

void Decoder::tokenClassification(const char *name) {
  int64_t labels = b.config.numLabels();
  Value scores = b.linear(name, beginForward(), labels);
  b.output("logits", scores, {"B", "S", std::to_string(labels)});
  b.endEntry();
}

void Decoder::doubleHeads() {
  const Config &c = b.config;
  std::string summary = c.choice("summary_type", {"last", "first", "mean", "cls_index", "attn"}, "cls_index");
  if (summary == "mean" || summary == "attn")
    c.fail("summary_type", "'" + summary + "' is not supported");
  bool project = c.flag("summary_use_proj", true);
  // transformers sets num_labels to 1 for this class.
  int64_t scores = project && c.flag("summary_proj_to_labels", true) ? 1 : width;
  Inputs in = beginInputs({"B", "N", "S"}), rows = in;
  Value choice =
      summary == "cls_index" ? b.idInput("mc_token_ids", {"B", "N"}, maxLength, "absent") : Value();
  for (Value *each : {&rows.ids, &rows.mask, &rows.positions, &rows.types})
    if (*each)
      *each = b.mergeLeading(*each);
  Value hidden = body(rows, nullptr); // [B * N, S, C]
  b.output("logits", b.splitLeading(logits(hidden), in.ids), {"B", "N", "S", std::to_string(vocab)});
  Value picked;
  if (choice) {
    // Of choices without a place the last token counts.
    Value places = mapOver(b, "bn->bn", choice, b.builder.getI64Type(), [&](Scalars s, ValueRange values) {
      return s.select(s.less(values[0], s.constantI64(0)), s.constantI64(maxLength), values[0]);
    });
    picked = b.gatherPositions(hidden, b.mergeLeading(places));
  } else {
    picked = summary == "first" ? b.select(hidden, 1, b.builder.getIndexAttr(0)) : b.selectLast(hidden, 1);
  }
  if (project)
    picked = b.linear("multiple_choice_head.summary", picked, scores);
  if (c.has("summary_activation"))
    picked = b.activation(c.activation("summary_activation"), picked);
  picked = b.splitLeading(picked, in.ids); // [B, N, 1 or C]
  if (scores == 1)
    b.output("mc_logits", b.dropLastAxis(picked), {"B", "N"});
  else
    b.output("mc_logits", picked, {"B", "N", std::to_string(scores)});
  b.endEntry();
}

const char *inferClass(const WeightSource &weights, const DecoderClasses &classes) {
  if (classes.doubleHeads && weights.has("multiple_choice_head.summary.weight"))
    return classes.doubleHeads;
  if (weights.has(std::string(classes.score) + ".weight"))
    return classes.sequenceClassification;
  if (classes.questionAnswering && weights.has("qa_outputs.weight"))
    return classes.questionAnswering;
  return weights.isHeadless() && !weights.has(std::string(classes.head) + ".weight") ? classes.baseModel
                                                                                     : classes.languageModel;
}

AttentionOptions Decoder::causalAttention(Value mask, Cache *cache) const {
  AttentionOptions options;
  options.heads = heads;
  options.keyHeads = keyHeads;
  options.scale = scale;
  options.causal = true;
  options.mask = mask;
  options.cache = cache;
  return options;
}

//===----------------------------------------------------------------------===//
// Rotary
//===----------------------------------------------------------------------===//

namespace {

/// theta ^ (-2i / size) in f32, as torch computes it.
std::vector<float> powersOf(double theta, int64_t size) {
  std::vector<float> result;
  for (int64_t i = 0; i < size; i += 2)
    result.push_back(1.0F / std::pow(static_cast<float>(theta), static_cast<float>(i) / size));
  return result;
}

/// Where `rope_parameters` of transformers 5 or `rope_scaling` are, and the rest of config.json.
struct RopeFields {
  const Config &config;
  std::optional<Config> nested;
  std::string nestedKey;

  explicit RopeFields(const Config &config)
      : config(config), nestedKey(config.has("rope_parameters") ? "rope_parameters" : "rope_scaling") {
    nested = config.object(nestedKey);
  }

  double number(const std::string &key, const std::string &oldKey, double low, double high,
                double fallback) const {
    return nested && nested->has(key) ? nested->number(key, low, high)
                                      : config.number(config.either(key, oldKey), low, high, fallback);
  }
  /// The length of the texts that the model saw before its positions were stretched.
  double originalLength(int64_t maxLength) const {
    const char *key = "original_max_position_embeddings";
    if (nested->has(key))
      return nested->extent(key);
    return config.extent(key, maxLength);
  }
};

// More than any model has; keeps hostile numbers from giving infinities.
constexpr double largest = 1e15;

/// Grattafiori et al. 2024 (Llama 3.1): long waves are stretched, short ones are left alone.
void stretchAsLlama3(std::vector<float> &frequencies, const RopeFields &fields, int64_t maxLength) {
  const Config &c = *fields.nested;
  double factor = c.number("factor", 1, largest), low = c.number("low_freq_factor", 1e-6, largest),
         high = c.number("high_freq_factor", 1e-6, largest);
  double length = fields.originalLength(maxLength);
  if (high <= low)
    c.fail("high_freq_factor", message("expected more than 'low_freq_factor' (", low, "), got ", high));
  for (float &frequency : frequencies) {
    double wave = 2 * M_PI / frequency;
    double kept = std::clamp((length / wave - low) / (high - low), 0.0, 1.0);
    frequency = static_cast<float>((1 - kept) * frequency / factor + kept * frequency);
  }
}

/// Peng et al. 2023 (YaRN), section 3.2. Returns the factor of the rotated features.
double stretchAsYarn(std::vector<float> &frequencies, const RopeFields &fields, int64_t maxLength,
                     double theta) {
  const Config &c = *fields.nested;
  double factor = c.number("factor", 1, largest), length = fields.originalLength(maxLength);
  double size = 2.0 * static_cast<double>(frequencies.size());
  // The feature whose wave turns that often over the original length.
  auto featureOf = [&](double turns) {
    return size * std::log(length / (turns * 2 * M_PI)) / (2 * std::log(theta));
  };
  double first = featureOf(c.number("beta_fast", 1e-6, largest, 32)),
         last = featureOf(c.number("beta_slow", 1e-6, largest, 1));
  if (c.flag("truncate", true)) {
    first = std::floor(first);
    last = std::ceil(last);
  }
  first = std::max(first, 0.0);
  last = std::min(last, size - 1);
  if (first == last)
    last += 0.001;
  for (auto [i, frequency] : llvm::enumerate(frequencies)) {
    double stretched = std::clamp((static_cast<double>(i) - first) / (last - first), 0.0, 1.0);
    frequency = static_cast<float>(stretched * frequency / factor + (1 - stretched) * frequency);
  }
  auto magnitude = [&](double by) { return factor <= 1 ? 1 : 0.1 * by * std::log(factor) + 1; };
  if (c.has("attention_factor"))
    return c.number("attention_factor", 0, largest);
  double byHead = c.number("mscale", 0, largest, 0), byAll = c.number("mscale_all_dim", 0, largest, 0);
  return byHead > 0 && byAll > 0 ? magnitude(byHead) / magnitude(byAll) : magnitude(1);
}

} // namespace

Rotary::Rotary(const Config &config, int64_t headSize, int64_t maxLength, Defaults defaults) {
  RopeFields fields(config);
  for (const char *kind : {"full_attention", "sliding_attention"})
    if (fields.nested && fields.nested->has(kind))
      config.fail(fields.nestedKey,
                  message("positions of their own for layers of '", kind, "' are not supported"));
  double theta = fields.number("rope_theta", "rotary_emb_base", 1 + 1e-6, largest, defaults.theta);
  double share = fields.number("partial_rotary_factor", "rotary_pct", 0, 1, defaults.share);
  auto size = static_cast<int64_t>(static_cast<double>(headSize) * share);
  if (size < 2 || size % 2)
    config.fail("partial_rotary_factor", message("expected an even number of rotated features, got ", size,
                                                 " of a head of ", headSize));
  frequencies = powersOf(theta, size);
  if (!fields.nested)
    return;
  const Config &nested = *fields.nested;
  std::string type =
      nested.choice(nested.either("rope_type", "type"), {"default", "linear", "llama3", "yarn"}, "default");
  if (type == "linear") {
    auto factor = static_cast<float>(nested.number("factor", 1e-6, largest));
    for (float &frequency : frequencies)
      frequency /= factor;
  } else if (type == "llama3") {
    stretchAsLlama3(frequencies, fields, maxLength);
  } else if (type == "yarn") {
    scale = stretchAsYarn(frequencies, fields, maxLength, theta);
  }
}

Rotary Rotary::interleaved(int64_t size, double theta) {
  Rotary rotary;
  rotary.frequencies = powersOf(theta, size);
  rotary.isInterleaved = true;
  return rotary;
}

Value Rotary::apply(ModelBuilder &b, Value heads, Value positions) const {
  auto type = b.tensorType({static_cast<int64_t>(frequencies.size())});
  Value table =
      arith::ConstantOp::create(b.builder, b.loc, DenseElementsAttr::get(type, ArrayRef<float>(frequencies)));
  return ops::RotaryOp::create(b.builder, b.loc, heads.getType(), heads, positions, table,
                               isInterleaved ? b.builder.getUnitAttr() : UnitAttr(),
                               b.builder.getF32FloatAttr(static_cast<float>(scale)));
}

//===----------------------------------------------------------------------===//
// LayerWindows
//===----------------------------------------------------------------------===//

LayerWindows::LayerWindows(int64_t window, std::vector<bool> flags)
    : window(window), isSliding(std::move(flags)) {
  if (!llvm::is_contained(isSliding, true))
    isSliding.clear();
}

LayerWindows LayerWindows::read(const Config &config, int64_t layers, std::optional<int64_t> window,
                                llvm::function_ref<bool(int64_t)> isSlidingByDefault) {
  std::vector<bool> flags;
  if (!config.has("layer_types")) {
    for (int64_t layer = 0; layer < layers; ++layer)
      flags.push_back(isSlidingByDefault(layer));
  } else {
    for (const std::string &type : config.texts("layer_types")) {
      if (type != "sliding_attention" && type != "full_attention")
        config.fail("layer_types",
                    message("expected full_attention or sliding_attention, got ", inQuotes(type)));
      flags.push_back(type == "sliding_attention");
    }
    if (static_cast<int64_t>(flags.size()) != layers)
      config.fail("layer_types", message("expected one for each of ", layers, " layers, got ", flags.size()));
  }
  // transformers lets layers see everything where there is no window.
  return window ? LayerWindows(*window, std::move(flags)) : LayerWindows();
}

bool LayerWindows::isMixed() const { return !isSliding.empty() && llvm::is_contained(isSliding, false); }

Value LayerWindows::masks(ModelBuilder &b, Value mask, Value ids) const {
  if (!isMixed())
    return mask;
  Value past = arith::SubIOp::create(b.builder, b.loc, b.dim(mask, 1), b.dim(ids, 1));
  SmallVector<OpFoldResult> extents = {b.builder.getIndexAttr(2), b.extent(ids, 0), b.extent(ids, 1),
                                       b.extent(mask, 1)};
  return mapOver(b, "bt->kbst", mask, extents, b.builder.getI64Type(), [&](Scalars s, ValueRange values) {
    Value distance = s.subtract(s.add(s.index(2), past), s.index(3));
    Value near = s.select(s.less(distance, s.constant(window)), values[0], s.constantI64(0));
    return s.select(s.equal(s.index(0), s.constant(0)), values[0], near);
  });
}

void LayerWindows::restrict(ModelBuilder &b, Value masks, AttentionOptions &options) const {
  options.mask = masks;
  if (isSliding.empty())
    return;
  if (!isMixed()) {
    options.window = window;
    return;
  }
  OpBuilder &builder = b.builder;
  SmallVector<int64_t> kinds(isSliding.begin(), isSliding.end());
  auto type = RankedTensorType::get({static_cast<int64_t>(kinds.size())}, builder.getI64Type());
  Value table =
      arith::ConstantOp::create(builder, b.loc, DenseElementsAttr::get(type, ArrayRef<int64_t>(kinds)));
  Value kind = tensor::ExtractOp::create(builder, b.loc, table, b.layerIndex());
  kind = arith::IndexCastOp::create(builder, b.loc, builder.getIndexType(), kind);
  options.mask = b.select(masks, 0, kind);
}

//===----------------------------------------------------------------------===//
// Parts of layers
//===----------------------------------------------------------------------===//

std::array<Value, 3> splitFusedHeads(ModelBuilder &b, Value x, int64_t heads) {
  Value split = b.splitHeads(x, heads); // [B, H, S, 3 * D]
  int64_t size = typeOf(split).getShape().back() / 3;
  return {b.sliceColumns(split, 0, size), b.sliceColumns(split, size, size),
          b.sliceColumns(split, 2 * size, size)};
}

Value gatedLinear(ModelBuilder &b, const NamePattern &gate, const NamePattern &up, Value x, int64_t columns,
                  bool bias, ops::Activation activation) {
  SmallVector<int64_t> shape = llvm::to_vector(typeOf(x).getShape());
  int64_t depth = shape.back();
  shape.back() = columns;
  auto biasOf = [&](const NamePattern &name) { return bias ? b.weight(name + ".bias", {columns}) : Value(); };
  return ops::GatedLinearOp::create(b.builder, b.loc, b.tensorType(shape), x,
                                    b.weight(gate + ".weight", {columns, depth}),
                                    b.weight(up + ".weight", {columns, depth}), biasOf(gate), biasOf(up),
                                    ops::WeightLayout::nk, activation);
}

Value softcap(ModelBuilder &b, Value x, double cap) {
  return b.scale(b.activation(ops::Activation::tanh, b.scale(x, 1 / cap)), cap);
}

} // namespace sesame::importer
