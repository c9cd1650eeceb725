//===- Mamba.cpp - Mamba --------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Gu and Dao 2023, algorithm 2; transformers/models/mamba/modeling_mamba.py. Each channel has a state of N
// numbers, which every token lets decay and adds to; the scan over the tokens is a loop. Axes: L layers, B
// batch, S tokens, I channels, K taps of the convolution, N, R the rank of the time steps.
//
//===----------------------------------------------------------------------===//

#include "../Decoder.h"
#include "../TensorOps.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace sesame::importer {

namespace {

class Mamba {
public:
  explicit Mamba(ModelBuilder &b) : b(b) {
    b.builder.getContext()->loadDialect<math::MathDialect, scf::SCFDialect>();
    const Config &c = b.config;
    width = c.extent("hidden_size", 768);
    layers = c.layers("num_hidden_layers", 32);
    vocab = c.extent("vocab_size", 50280);
    int64_t expand = c.extent("expand", 2);
    if (expand > Config::maxExtent / width)
      c.fail("expand", "expected at most " + std::to_string(Config::maxExtent / width) + ", got " +
                           std::to_string(expand));
    inner = c.extent("intermediate_size", expand * width);
    stateSize = c.extent("state_size", 16);
    kernel = c.integer("conv_kernel", 2, 1 << 10, 4);
    rank = (width + 15) / 16;
    if (c.isText("time_step_rank"))
      c.choice("time_step_rank", {"auto"});
    else
      rank = c.extent("time_step_rank", rank);
    activation = c.activation("hidden_act", "silu");
    epsilon = c.epsilon("layer_norm_epsilon", 1e-5);
    hasBias = c.flag("use_bias", false);
    hasConvBias = c.flag("use_conv_bias", true);
    tied = c.flag("tie_word_embeddings", true);
    // The table's name in the first conversions.
    table = b.weights.has("backbone.embedding.weight") ? "backbone.embedding.weight"
                                                       : "backbone.embeddings.weight";
    b.info.vocabSize = vocab;
    b.info.hiddenSize = width;
    b.info.numLayers = layers;
  }

  void baseModel() {
    b.beginEntry("forward");
    Value ids = b.idInput("input_ids", {"B", "S"}, vocab), mask = b.maskInput();
    b.output("last_hidden_state", body(ids, mask, nullptr), {"B", "S", std::to_string(width)});
    b.endEntry();
  }

  /// `forward` and, with the states of convolution and scan, `decode`.
  void languageModel() {
    std::string columns = std::to_string(vocab);
    b.beginEntry("forward");
    Value ids = b.idInput("input_ids", {"B", "S"}, vocab), mask = b.maskInput();
    b.output("logits", logits(body(ids, mask, nullptr)), {"B", "S", columns});
    b.endEntry();

    b.beginEntry("decode", {{"S", "T"}});
    ids = b.idInput("input_ids", {"B", "S"}, vocab);
    mask = b.maskInput({"B", "T"});
    ModelBuilder::Dims convDims = {std::to_string(layers), "B", "1", std::to_string(kernel - 1),
                                   std::to_string(inner)};
    ModelBuilder::Dims scanDims = {std::to_string(layers), "B", "1", std::to_string(stateSize),
                                   std::to_string(inner)};
    InputOptions options;
    options.isState = true;
    States states;
    states.conv = b.input("conv_states", convDims, b.builder.getF32Type(), options);
    states.scan = b.input("ssm_states", scanDims, b.builder.getF32Type(), options);
    Value hidden = body(ids, lastColumns(b, mask, ids), &states);
    b.output("logits", b.selectLast(logits(hidden), 1), {"B", columns});
    b.output("conv_states", states.conv, convDims, /*isState=*/true);
    b.output("ssm_states", states.scan, scanDims, /*isState=*/true);
    b.endEntry();
  }

private:
  /// The last inputs of the convolutions, [L, B, 1, K - 1, I], and what the scans carry, [L, B, 1, N, I].
  struct States {
    Value conv, scan;
  };

  /// Their states of one time step fill a part of the first cache.
  static constexpr int64_t channelsPerTask = 64;

  static NamePattern mixer(const char *part) { return std::string("backbone.layers.{}.mixer.") + part; }

  Value logits(Value h) {
    return b.linearBy(b.headWeight("lm_head.weight", table, {vocab, width}, tied), Value(), h);
  }

  /// ids [B, S], mask [B, S] -> [B, S, C].
  Value body(Value ids, Value mask, States *states) {
    SmallVector<Value> carried = {
        b.embedding({{ids, b.inputTable(table, "lm_head.weight", {vocab, width}, tied)}})};
    if (states)
      carried.append({states->conv, states->scan});
    SmallVector<Value> results =
        b.layers(states ? "block_cached" : "block", layers, carried, mask,
                 [&](ValueRange inside, ValueRange shared) -> SmallVector<Value> {
                   States own;
                   if (states)
                     own = {inside[1], inside[2]};
                   Value x = b.rmsNorm("backbone.layers.{}.norm", inside[0], epsilon);
                   Value next = b.add(inside[0], mix(x, shared[0], states ? &own : nullptr));
                   if (!states)
                     return {next};
                   return {next, own.conv, own.scan};
                 });
    if (states)
      *states = {results[1], results[2]};
    return b.rmsNorm("backbone.norm_f", results[0], epsilon);
  }

  /// The current layer's part of a state, [B, ...], and the state with another one in its place.
  Value layerOf(Value stack) {
    return b.select(b.select(stack, 0, b.layerIndex()), 1, b.builder.getIndexAttr(0));
  }
  Value withLayer(Value stack, Value part, Value mask) {
    auto type = cast<RankedTensorType>(part.getType());
    OpFoldResult one = b.builder.getIndexAttr(1);
    Value group = tensor::ExpandShapeOp::create(
        b.builder, b.loc, b.tensorType({ShapedType::kDynamic, 1, type.getDimSize(1), type.getDimSize(2)}),
        part, SmallVector<ReassociationIndices>{{0, 1}, {2}, {3}},
        SmallVector<OpFoldResult>{b.extent(mask, 0), one, b.extent(part, 1), b.extent(part, 2)});
    return mlir::sesame::CacheAppendOp::create(b.builder, b.loc, stack.getType(), group, stack,
                                               b.layerIndex(), b.constant(0));
  }

  /// x [B, S, C] -> [B, S, C]; `mask` [B, S] is there for every token.
  Value mix(Value x, Value mask, States *states) {
    LinearOptions projection;
    projection.bias = hasBias;
    Value both = b.linear(mixer("in_proj"), x, 2 * inner, projection);
    Value u = zeroMasked(b, b.sliceColumns(both, 0, inner), mask), gate = b.sliceColumns(both, inner, inner);
    u = zeroMasked(b, b.activation(activation, convolve(u, mask, states)), mask);
    Value parameters = b.linear(mixer("x_proj"), u, rank + 2 * stateSize, withoutBias); // [B, S, R + 2 * N]
    Value step = b.linear(mixer("dt_proj"), b.sliceColumns(parameters, 0, rank), inner);
    step = mapOver(b, "bsi->bsi", step, b.builder.getF32Type(), [](Scalars s, ValueRange values) {
      // softplus, without overflow: max(x, 0) + log(1 + exp(-|x|)).
      Value size = math::AbsFOp::create(s.builder, s.loc, values[0]);
      Value small = math::ExpOp::create(s.builder, s.loc, s.subtract(s.constantF32(0), size));
      return s.add(s.maximum(values[0], s.constantF32(0)), math::Log1pOp::create(s.builder, s.loc, small));
    });
    Value y = scan(u, step, parameters, mask, states);
    return b.linear(mixer("out_proj"), b.multiply(y, b.activation(activation, gate)), width, projection);
  }

  /// Each channel's weighted sum of its last K inputs: x [B, S, I] -> [B, S, I].
  Value convolve(Value x, Value mask, States *states) {
    Value weights = lastToFront("conv1d.weight", {inner, 1, kernel}); // [K, 1, I]
    Value biases = hasConvBias ? b.weight(mixer("conv1d.bias"), {inner}) : Value();
    Value earlier = states ? layerOf(states->conv) : Value(); // [B, K - 1, I]
    // The inputs from K - 1 before the first token on.
    auto inputAt = [&](Scalars s, Value row, Value place, Value channel) -> Value {
      Value isEarlier = s.less(place, s.constant(kernel - 1));
      Value fresh = s.maximum(s.subtract(place, s.constant(kernel - 1)), s.constant(0));
      Value old = earlier ? s.at(earlier, {row, s.minimum(place, s.constant(kernel - 2)), channel})
                          : s.constantF32(0);
      return s.select(isEarlier, old, s.at(x, {row, fresh, channel}));
    };
    OpFoldResult channels = b.builder.getIndexAttr(inner);
    SmallVector<OpFoldResult> extents = {b.extent(mask, 0), b.extent(mask, 1), channels};
    Value result = generate(b, extents, b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
      Value sum = biases ? s.at(biases, at[2]) : s.constantF32(0);
      for (int64_t tap = 0; tap < kernel; ++tap) {
        Value weight = s.at(weights, {s.constant(tap), s.constant(0), at[2]});
        sum = s.add(sum, s.multiply(weight, inputAt(s, at[0], s.add(at[1], s.constant(tap)), at[2])));
      }
      return sum;
    });
    if (states) {
      extents[1] = b.builder.getIndexAttr(kernel - 1);
      Value length = b.dim(mask, 1);
      Value last = generate(b, extents, b.builder.getF32Type(), [&](Scalars s, ValueRange at) {
        return inputAt(s, at[0], s.add(at[1], length), at[2]);
      });
      states->conv = withLayer(states->conv, last, mask);
    }
    return result;
  }

  /// A weight of the mixer of shape `stored` with the order of its axes reversed: channels lie side by side.
  Value lastToFront(const char *part, ArrayRef<int64_t> stored) {
    SmallVector<int64_t> axes(llvm::reverse(llvm::seq<int64_t>(0, stored.size())));
    return b.weightBy(mixer(part), b.tensorType(llvm::to_vector(llvm::reverse(stored))),
                      [&] { return transpose(b, b.storedTensor(mixer(part), stored), axes); });
  }

  /// h' = exp(step A) h + step B u, y = C h' + D u for u, step [B, S, I], with B and C in the columns of
  /// `parameters` after the first R; -> y [B, S, I]. Channels know nothing of each other, so blocks of them
  /// run at the same time, each with its states [N, block] at hand.
  Value scan(Value u, Value step, Value parameters, Value mask, States *states) {
    OpBuilder &builder = b.builder;
    Type f32 = builder.getF32Type();
    OpFoldResult batch = b.extent(mask, 0), length = b.extent(mask, 1),
                 size = builder.getIndexAttr(stateSize), zero = builder.getIndexAttr(0),
                 one = builder.getIndexAttr(1);
    Value rates =
        mapOver(b, "ni->ni", lastToFront("A_log", {inner, stateSize}), f32, [](Scalars s, ValueRange values) {
          Value rate = math::ExpOp::create(s.builder, s.loc, values[0]);
          return s.subtract(s.constantF32(0), rate);
        });
    Value earlier = states ? layerOf(states->scan) : Value();
    Value state = generate(b, {batch, size, builder.getIndexAttr(inner)}, f32, [&](Scalars s, ValueRange at) {
      return earlier ? s.at(earlier, at) : s.constantF32(0);
    });
    Value y = mapOver(b, "bsi,i->bsi", {u, b.weight(mixer("D"), {inner})}, f32,
                      [](Scalars s, ValueRange values) { return s.multiply(values[0], values[1]); });
    int64_t block = inner % channelsPerTask == 0 ? channelsPerTask : inner;
    OpFoldResult width = builder.getIndexAttr(block);
    SmallVector<OpFoldResult> counts = {batch, builder.getIndexAttr(inner / block)};
    auto tasks =
        scf::ForallOp::create(builder, b.loc, counts, ValueRange{state, y}, /*mapping=*/std::nullopt);
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPoint(tasks.getTerminator());
      Value row = tasks.getInductionVar(0);
      Value first = arith::MulIOp::create(builder, b.loc, tasks.getInductionVar(1), b.constant(block));
      SmallVector<OpFoldResult> strides(3, one), offsets = {row, zero, first};
      auto part = [&](Value tensor, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
                      ArrayRef<int64_t> shape) -> Value {
        SmallVector<OpFoldResult> strides(offsets.size(), one);
        return tensor::ExtractSliceOp::create(builder, b.loc, b.tensorType(shape), tensor, offsets, sizes,
                                              strides);
      };
      SmallVector<OpFoldResult> stateSizes = {one, size, width}, sumSizes = {one, length, width};
      Value blockRates = part(rates, {zero, first}, {size, width}, {stateSize, block});
      Value ownState = part(tasks.getRegionOutArgs()[0], offsets, stateSizes, {stateSize, block});
      Value ownSums = part(tasks.getRegionOutArgs()[1], offsets, sumSizes, {ShapedType::kDynamic, block});
      auto loop = scf::ForOp::create(
          builder, b.loc, b.constant(0), b.dim(mask, 1), b.constant(1), ValueRange{ownState, ownSums},
          [&](OpBuilder &, Location, Value time, ValueRange carried) {
            OpBuilder::InsertionGuard guard(builder);
            builder.setInsertionPointToEnd(time.getParentBlock());
            auto channels = [&](Value x) { return part(x, {row, time, first}, {one, one, width}, {block}); };
            auto columns = [&](int64_t from) {
              return part(parameters, {row, time, builder.getIndexAttr(from)}, {one, one, size}, {stateSize});
            };
            Value next = update(carried[0], {"ni", "i", "i", "n", "ni"},
                                {channels(step), channels(u), columns(rank), blockRates},
                                [](Scalars s, Value h, ValueRange values) {
                                  Value decay =
                                      math::ExpOp::create(s.builder, s.loc, s.multiply(values[0], values[3]));
                                  Value in = s.multiply(s.multiply(values[0], values[2]), values[1]);
                                  return s.add(s.multiply(decay, h), in);
                                });
            Value sums =
                update(part(carried[1], {time, zero}, {one, width}, {block}), {"i", "ni", "n"},
                       {next, columns(rank + stateSize)}, [](Scalars s, Value sum, ValueRange values) {
                         return s.add(sum, s.multiply(values[0], values[1]));
                       });
            Value filled = tensor::InsertSliceOp::create(
                builder, b.loc, sums, carried[1], SmallVector<OpFoldResult>{time, zero},
                SmallVector<OpFoldResult>{one, width}, SmallVector<OpFoldResult>{one, one});
            scf::YieldOp::create(builder, b.loc, ValueRange{next, filled});
          });
      builder.setInsertionPointToStart(tasks.getTerminator().getBody());
      tensor::ParallelInsertSliceOp::create(builder, b.loc, loop.getResult(0), tasks.getRegionOutArgs()[0],
                                            offsets, stateSizes, strides);
      tensor::ParallelInsertSliceOp::create(builder, b.loc, loop.getResult(1), tasks.getRegionOutArgs()[1],
                                            offsets, sumSizes, strides);
    }
    if (states)
      states->scan = withLayer(states->scan, tasks.getResult(0), mask);
    return tasks.getResult(1);
  }

  /// `target` with each element replaced by what `body` makes of it and of the inputs there. The axes of the
  /// target come first, then those of the inputs; an axis that only inputs have is summed over by `body`.
  Value update(Value target, ArrayRef<StringRef> axes, ValueRange inputs,
               llvm::function_ref<Value(Scalars, Value, ValueRange)> body) {
    std::string all = axes.front().str();
    for (StringRef each : axes)
      for (char axis : each)
        if (all.find(axis) == std::string::npos)
          all += axis;
    auto map = [&](StringRef letters) {
      SmallVector<AffineExpr> exprs;
      for (char axis : letters)
        exprs.push_back(b.builder.getAffineDimExpr(all.find(axis)));
      return AffineMap::get(all.size(), 0, exprs, b.builder.getContext());
    };
    SmallVector<AffineMap> maps = llvm::map_to_vector(axes.drop_front(), map);
    maps.push_back(map(axes.front()));
    SmallVector<utils::IteratorType> iterators(all.size(), utils::IteratorType::reduction);
    std::fill_n(iterators.begin(), axes.front().size(), utils::IteratorType::parallel);
    return linalg::GenericOp::create(b.builder, b.loc, target.getType(), inputs, target, maps, iterators,
                                     [&](OpBuilder &inside, Location l, ValueRange values) {
                                       Scalars scalars{inside, l};
                                       linalg::YieldOp::create(
                                           inside, l, body(scalars, values.back(), values.drop_back()));
                                     })
        .getResult(0);
  }

  ModelBuilder &b;
  int64_t width, layers, vocab, inner, stateSize, kernel, rank;
  mlir::sesame::Activation activation;
  double epsilon;
  bool hasBias, hasConvBias, tied;
  std::string table;
};

} // namespace

const Family &mambaFamily() {
  static const Family family = {
      "mamba",
      "backbone.",
      {
          {"MambaForCausalLM", "text-generation", [](ModelBuilder &b) { Mamba(b).languageModel(); }},
          {"MambaModel", "feature-extraction", [](ModelBuilder &b) { Mamba(b).baseModel(); }},
      },
      [](const WeightSource &weights) { return weights.isHeadless() ? "MambaModel" : "MambaForCausalLM"; },
      {},
  };
  return family;
}

} // namespace sesame::importer
