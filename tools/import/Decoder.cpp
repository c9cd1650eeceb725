//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"

#include "support/Error.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;

namespace sesame::importer {

namespace ops = mlir::sesame;

static RankedTensorType typeOf(Value x) { return cast<RankedTensorType>(x.getType()); }

static Value constantTable(ModelBuilder &b, ArrayRef<float> values) {
  auto type = b.tensorType({static_cast<int64_t>(values.size())});
  return arith::ConstantOp::create(b.builder, b.loc, DenseElementsAttr::get(type, values));
}

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
    return body(ids, mask, positions, cache);
  };
  auto head = [&](Value hidden) { return logits(hidden); };
  b.causalEntries({vocab, maxLength, layers, keyHeads, headSize, run, head, hasPositionIds});
}

/// Opens `forward` and returns the hidden states.
Value Decoder::beginForward() {
  fillInfo();
  b.beginEntry("forward", maxLength ? std::vector<Limit>{{"S", maxLength}} : std::vector<Limit>());
  Value ids = b.idInput("input_ids", {"B", "S"}, vocab);
  Value mask = b.maskInput();
  Value positions;
  if (hasPositionIds)
    positions = b.idInput("position_ids", {"B", "S"}, maxLength, "arange");
  return body(ids, mask, positions, nullptr);
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

void Decoder::tokenClassification(const char *name) {
  int64_t labels = b.config.numLabels();
  Value scores = b.linear(name, beginForward(), labels);
  b.output("logits", scores, {"B", "S", std::to_string(labels)});
  b.endEntry();
}

const char *inferClass(const WeightSource &weights, const DecoderClasses &classes) {
  if (weights.has(std::string(classes.score) + ".weight"))
    return classes.sequenceClassification;
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
  OpBuilder &builder = b.builder;
  Value past = arith::SubIOp::create(builder, b.loc, b.dim(mask, 1), b.dim(ids, 1));
  SmallVector<OpFoldResult> extents = {builder.getIndexAttr(2), b.extent(ids, 0), b.extent(ids, 1),
                                       b.extent(mask, 1)};
  Value init = tensor::EmptyOp::create(builder, b.loc, extents, builder.getI64Type());
  Value size = b.constant(window), zero = b.constant(0);
  AffineExpr kind, row, query, key;
  bindDims(builder.getContext(), kind, row, query, key);
  SmallVector<AffineMap> maps = {AffineMap::get(4, 0, {row, key}, builder.getContext()),
                                 builder.getMultiDimIdentityMap(4)};
  SmallVector<utils::IteratorType> parallel(4, utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, b.loc, init.getType(), mask, init, maps, parallel,
             [&](OpBuilder &o, Location l, ValueRange values) {
               Value query = arith::AddIOp::create(o, l, linalg::IndexOp::create(o, l, 2), past);
               Value distance = arith::SubIOp::create(o, l, query, linalg::IndexOp::create(o, l, 3));
               Value near = arith::CmpIOp::create(o, l, arith::CmpIPredicate::slt, distance, size);
               Value isFull = arith::CmpIOp::create(o, l, arith::CmpIPredicate::eq,
                                                    linalg::IndexOp::create(o, l, 0), zero);
               Value none = arith::ConstantOp::create(o, l, o.getI64IntegerAttr(0));
               Value seen = arith::OrIOp::create(o, l, near, isFull);
               linalg::YieldOp::create(o, l,
                                       arith::SelectOp::create(o, l, seen, values[0], none).getResult());
             })
      .getResult(0);
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
// Positions
//===----------------------------------------------------------------------===//

Value maskPositions(ModelBuilder &b, Value mask) {
  OpBuilder &builder = b.builder;
  Value rows = b.dim(mask, 0), columns = b.dim(mask, 1), zero = b.constant(0), one = b.constant(1);
  Value none = arith::ConstantOp::create(builder, b.loc, builder.getI64IntegerAttr(0));
  SmallVector<OpFoldResult> extents = {b.extent(mask, 0), b.extent(mask, 1)};
  Value init = tensor::EmptyOp::create(builder, b.loc, extents, builder.getI64Type());
  auto outer = scf::ForOp::create(
      builder, b.loc, zero, rows, one, init, [&](OpBuilder &o, Location l, Value row, ValueRange result) {
        auto inner = scf::ForOp::create(
            o, l, zero, columns, one, ValueRange{result[0], none},
            [&](OpBuilder &o, Location l, Value column, ValueRange state) {
              Value seen = tensor::ExtractOp::create(o, l, mask, ValueRange{row, column});
              Value isReal = arith::CmpIOp::create(o, l, arith::CmpIPredicate::ne, seen, none);
              Value next =
                  arith::AddIOp::create(o, l, state[1], arith::ExtUIOp::create(o, l, o.getI64Type(), isReal));
              Value position = arith::SelectOp::create(o, l, isReal, state[1], none);
              Value updated = tensor::InsertOp::create(o, l, position, state[0], ValueRange{row, column});
              scf::YieldOp::create(o, l, ValueRange{updated, next});
            });
        scf::YieldOp::create(o, l, inner.getResult(0));
      });
  return outer.getResult(0);
}

Value lastColumns(ModelBuilder &b, Value x, Value ids) {
  OpBuilder &builder = b.builder;
  Value past = arith::SubIOp::create(builder, b.loc, b.dim(x, 1), b.dim(ids, 1));
  return b.slice(x, 1, past, b.extent(ids, 1));
}

Value alibiBias(ModelBuilder &b, Value positions, int64_t heads) {
  OpBuilder &builder = b.builder;
  // Powers of 2 ^ (-8 / n) for the n heads that are a power of two; the others lie between them.
  int64_t whole = int64_t(1) << llvm::Log2_64(static_cast<uint64_t>(heads));
  auto slope = [](double count, int64_t power) {
    return std::pow(static_cast<float>(std::exp2(-8.0 / count)), static_cast<float>(power));
  };
  std::vector<float> slopes;
  for (int64_t head = 0; head < heads; ++head)
    slopes.push_back(head < whole ? slope(double(whole), head + 1)
                                  : slope(2.0 * double(whole), 2 * (head - whole) + 1));
  Value table = constantTable(b, slopes);
  SmallVector<OpFoldResult> extents = {b.extent(positions, 0), builder.getIndexAttr(heads),
                                       builder.getIndexAttr(1), b.extent(positions, 1)};
  Value init = tensor::EmptyOp::create(builder, b.loc, extents, builder.getF32Type());
  AffineExpr row, head, query, key;
  bindDims(builder.getContext(), row, head, query, key);
  SmallVector<AffineMap> maps = {AffineMap::get(4, 0, {row, key}, builder.getContext()),
                                 AffineMap::get(4, 0, head), builder.getMultiDimIdentityMap(4)};
  SmallVector<utils::IteratorType> parallel(4, utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, b.loc, init.getType(), ValueRange{positions, table}, init, maps, parallel,
             [](OpBuilder &o, Location l, ValueRange values) {
               Value position = arith::SIToFPOp::create(o, l, o.getF32Type(), values[0]);
               linalg::YieldOp::create(o, l, arith::MulFOp::create(o, l, position, values[1]).getResult());
             })
      .getResult(0);
}

Value sinusoids(ModelBuilder &b, Value positions, int64_t width) {
  OpBuilder &builder = b.builder;
  builder.getContext()->loadDialect<math::MathDialect>();
  std::vector<float> rates = powersOf(10000, width);
  std::vector<float> twice = rates;
  twice.insert(twice.end(), rates.begin(), rates.end());
  Value half = b.constant(width / 2);
  SmallVector<OpFoldResult> extents = {b.extent(positions, 0), b.extent(positions, 1),
                                       builder.getIndexAttr(width)};
  Value init = tensor::EmptyOp::create(builder, b.loc, extents, builder.getF32Type());
  AffineExpr row, position, column;
  bindDims(builder.getContext(), row, position, column);
  SmallVector<AffineMap> maps = {AffineMap::get(3, 0, {row, position}, builder.getContext()),
                                 AffineMap::get(3, 0, column), builder.getMultiDimIdentityMap(3)};
  SmallVector<utils::IteratorType> parallel(3, utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, b.loc, init.getType(), ValueRange{positions, constantTable(b, twice)}, init, maps,
             parallel,
             [&](OpBuilder &o, Location l, ValueRange values) {
               Value angle = arith::MulFOp::create(
                   o, l, arith::SIToFPOp::create(o, l, o.getF32Type(), values[0]), values[1]);
               Value isSine = arith::CmpIOp::create(o, l, arith::CmpIPredicate::slt,
                                                    linalg::IndexOp::create(o, l, 2), half);
               Value sine = math::SinOp::create(o, l, angle), cosine = math::CosOp::create(o, l, angle);
               linalg::YieldOp::create(o, l, arith::SelectOp::create(o, l, isSine, sine, cosine).getResult());
             })
      .getResult(0);
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
