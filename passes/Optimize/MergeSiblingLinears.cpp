//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

#include "llvm/ADT/MapVector.h"

#include <map>

namespace mlir::sesame {
#define GEN_PASS_DEF_MERGESIBLINGLINEARSPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

static constexpr StringLiteral passName = "sesame-merge-sibling-linears";

namespace {
class MergeSiblingLinearsPass
    : public mlir::sesame::impl::MergeSiblingLinearsPassBase<MergeSiblingLinearsPass> {
  void runOnOperation() override {
    symbols.emplace(getOperation());
    merged.clear();
    countReaders();
    IRRewriter rewriter(&getContext());
    getOperation()->walk([&](Block *block) {
      if (!isa<WeightOp>(block->getParentOp()))
        mergeIn(rewriter, *block);
    });
    eraseUnused();
    symbols.reset();
  }

  /// Weights that something else than a linear reads: merged, they would be stored twice.
  void countReaders() {
    otherwiseRead.clear();
    getOperation()->walk([&](GetWeightOp get) {
      for (OpOperand &use : get->getUses()) {
        auto linear = dyn_cast<LinearOp>(use.getOwner());
        bool isOwn = linear && (use.get() == linear.getWeight() || use.get() == linear.getBias());
        if (!isOwn)
          otherwiseRead.insert(get.getWeightAttr());
      }
    });
  }

  /// Merges the groups of siblings of one block: same input, layer index, count and layout.
  void mergeIn(RewriterBase &rewriter, Block &block) {
    llvm::MapVector<Value, SmallVector<LinearOp>> byInput;
    for (LinearOp linear : block.getOps<LinearOp>())
      byInput[linear.getInput()].push_back(linear);
    for (auto &[input, siblings] : byInput) {
      if (siblings.size() < 2)
        continue;
      SmallVector<SmallVector<LinearOp>> groups;
      for (LinearOp linear : siblings) {
        if (failed(checkFoldable(rewriter, linear)))
          continue;
        auto group = llvm::find_if(
            groups, [&](ArrayRef<LinearOp> others) { return areAlike(others.front(), linear); });
        if (group == groups.end())
          groups.push_back({linear});
        else
          group->push_back(linear);
      }
      for (ArrayRef<LinearOp> group : groups)
        if (group.size() > 1)
          merge(rewriter, group);
    }
  }

  /// Whether one linear can do the work of two foldable ones.
  bool areAlike(LinearOp a, LinearOp b) {
    auto indexOf = [](LinearOp linear) { return linear.getWeight().getDefiningOp<GetWeightOp>().getIndex(); };
    return indexOf(a) == indexOf(b) && a.getLayout() == b.getLayout() &&
           a.getActivation() == b.getActivation() &&
           getSource(a.getWeight()).getCount() == getSource(b.getWeight()).getCount();
  }

  LogicalResult checkFoldable(RewriterBase &rewriter, LinearOp linear) {
    if (linear.getLayout() == WeightLayout::panels)
      return refuse(rewriter, passName, linear, "the weight is packed already");
    if (linear.getResidual())
      return refuse(rewriter, passName, linear, "a sibling has a residual");
    auto weight = linear.getWeight().getDefiningOp<GetWeightOp>();
    if (!weight)
      return refuse(rewriter, passName, linear, "a sibling's weight is computed at run time");
    if (otherwiseRead.contains(weight.getWeightAttr()))
      return refuse(rewriter, passName, linear, "a sibling's weight is read by something else than linears");
    if (!linear.getBias())
      return success();
    auto bias = linear.getBias().getDefiningOp<GetWeightOp>();
    if (!bias || bias.getIndex() != weight.getIndex() || otherwiseRead.contains(bias.getWeightAttr()))
      return refuse(rewriter, passName, linear, "a sibling's bias is no weight of its layer alone");
    return success();
  }

  void merge(RewriterBase &rewriter, ArrayRef<LinearOp> linears) {
    LinearOp first = linears.front();
    int64_t axis = first.getLayout() == WeightLayout::nk ? 0 : 1;
    SmallVector<WeightOp> weights, biases;
    SmallVector<int64_t> columns;
    bool hasBias = false;
    for (LinearOp linear : linears) {
      weights.push_back(getSource(linear.getWeight()));
      biases.push_back(linear.getBias() ? getSource(linear.getBias()) : WeightOp());
      columns.push_back(linear.getNumColumns());
      hasBias |= static_cast<bool>(linear.getBias());
    }
    int64_t total = llvm::sum_of(columns);

    // At the first of them. Weights are available everywhere, and all siblings share input and index.
    rewriter.setInsertionPoint(first);
    Value index = first.getWeight().getDefiningOp<GetWeightOp>().getIndex();
    auto read = [&](WeightOp weight) {
      return GetWeightOp::create(rewriter, first.getLoc(), weight.getType(), weight.getSymName(), index);
    };
    Value weight = read(getMerged(weights, columns, axis)), bias;
    if (hasBias)
      bias = read(getMerged(biases, columns, /*axis=*/0));
    auto type = cast<RankedTensorType>(first.getType());
    SmallVector<int64_t> shape = llvm::to_vector(type.getShape());
    shape.back() = total;
    auto wide = LinearOp::create(
        rewriter, first.getLoc(), RankedTensorType::get(shape, type.getElementType()), first.getInput(),
        weight, bias, /*residual=*/Value(), first.getLayout(), first.getActivation());

    SmallVector<OpFoldResult> offsets(type.getRank(), rewriter.getIndexAttr(0)),
        strides(type.getRank(), rewriter.getIndexAttr(1));
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, first.getLoc(), first.getInput());
    int64_t offset = 0;
    for (auto [sibling, width] : llvm::zip_equal(linears, columns)) {
      LinearOp linear = sibling;
      offsets.back() = rewriter.getIndexAttr(offset);
      sizes.back() = rewriter.getIndexAttr(width);
      offset += width;
      auto slice = tensor::ExtractSliceOp::create(
          rewriter, linear.getLoc(), cast<RankedTensorType>(linear.getType()), wide, offsets, sizes, strides);
      rewriter.replaceOp(linear, slice);
    }
    reportDone(passName, wide, "sibling linears merged into one");
  }

  WeightOp getSource(Value value) {
    return symbols->lookup<WeightOp>(value.getDefiningOp<GetWeightOp>().getWeight());
  }

  /// The weight that holds `sources`, `extents` long each, one after the other along `axis`; zeros for a
  /// source that is null. The same siblings in another function (with and without a cache) get the same
  /// weight.
  WeightOp getMerged(ArrayRef<WeightOp> sources, ArrayRef<int64_t> extents, int64_t axis) {
    std::vector<Operation *> key(sources.begin(), sources.end());
    WeightOp &weight = merged[{key, axis}];
    if (weight)
      return weight;
    WeightOp named = *llvm::find_if(sources, [](WeightOp source) { return static_cast<bool>(source); });
    SmallVector<int64_t> shape = llvm::to_vector(named.getTensorType().getShape());
    shape[axis] = llvm::sum_of(extents);
    auto type = RankedTensorType::get(shape, named.getTensorType().getElementType());

    // After the last source, so that the weight file keeps the order of the layers.
    WeightOp last = named;
    for (WeightOp source : sources)
      if (source && last->isBeforeInBlock(source))
        last = source;
    OpBuilder b(last->getContext());
    b.setInsertionPointAfter(last);
    weight = WeightOp::create(b, named.getLoc(), (named.getSymName() + ".merged").str(), named.getCount(),
                              type, IntegerAttr(), IntegerAttr());
    symbols->insert(weight);
    b.createBlock(&weight.getBody());
    SmallVector<Value> parts;
    for (auto [part, extent] : llvm::zip_equal(sources, extents)) {
      WeightOp source = part;
      if (!source) {
        auto zeros = RankedTensorType::get({extent}, type.getElementType());
        parts.push_back(arith::ConstantOp::create(
            b, named.getLoc(), DenseElementsAttr::get(zeros, b.getZeroAttr(type.getElementType()))));
        continue;
      }
      IRMapping mapping;
      for (Operation &op : source.getBody().front().without_terminator())
        b.clone(op, mapping);
      auto yield = cast<YieldOp>(source.getBody().front().getTerminator());
      parts.push_back(mapping.lookup(yield.getValue()));
    }
    Value whole = tensor::ConcatOp::create(b, named.getLoc(), type, axis, parts);
    YieldOp::create(b, named.getLoc(), whole);
    return weight;
  }

  /// Drops the reads and the weights that the merged ones have replaced.
  void eraseUnused() {
    SmallVector<GetWeightOp> dead;
    getOperation()->walk([&](GetWeightOp get) {
      if (get->use_empty())
        dead.push_back(get);
    });
    for (GetWeightOp get : dead)
      get->erase();
    for (auto &[key, weight] : merged)
      for (Operation *source : key.first)
        if (source && !llvm::is_contained(erased, source) &&
            SymbolTable::symbolKnownUseEmpty(source, getOperation())) {
          erased.push_back(source);
          symbols->erase(source);
        }
    erased.clear();
  }

  std::optional<SymbolTable> symbols;
  llvm::DenseSet<Attribute> otherwiseRead;
  std::map<std::pair<std::vector<Operation *>, int64_t>, WeightOp> merged;
  SmallVector<Operation *> erased;
};
} // namespace
