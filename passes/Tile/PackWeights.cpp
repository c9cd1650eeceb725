//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Embedding.h"
#include "Words.h"

#include "sesame/Dialect/PanelOps.h"
#include "sesame/Dialect/WordOps.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringSwitch.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_PACKWEIGHTSPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

namespace {
class PackWeightsPass : public sesame::impl::PackWeightsPassBase<PackWeightsPass> {
public:
  using PackWeightsPassBase::PackWeightsPassBase;

private:
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (panelWidth < 1) {
      module.emitError("sesame-pack-weights: panel-width must be positive, got ") << int64_t(panelWidth);
      return signalPassFailure();
    }
    panelType = parseWeightType(module, "sesame-pack-weights", weightType);
    if (!panelType)
      return signalPassFailure();
    auto unsignedType = [&](unsigned width) -> Type {
      return IntegerType::get(&getContext(), width, IntegerType::Unsigned);
    };
    Type groupType = llvm::StringSwitch<Type>(groups)
                         .Case("int8", unsignedType(8))
                         .Case("int4", unsignedType(4))
                         .Default(nullptr);
    if (!groups.empty() && !groupType) {
      module.emitError("sesame-pack-weights: groups must be int8 or int4, got '") << groups.getValue() << "'";
      return signalPassFailure();
    }
    packed.clear();
    symbols.emplace(module);
    if (groupType)
      useWords(module, groupType);
    else if (panelType.isInteger(8) || (panelType.isBF16() && bf16Words))
      useWords(module, panelType);
    module.walk([&](LinearOp op) {
      if (Value panels = pack(op.getWeight(), op.getLayout())) {
        op.getWeightMutable().assign(panels);
        op.setLayout(WeightLayout::panels);
      }
    });
    module.walk([&](GatedLinearOp op) {
      // Both or none: the op has one layout.
      if (!findWeight(op.getGateWeight(), op.getLayout()) || !findWeight(op.getUpWeight(), op.getLayout()))
        return;
      op.getGateWeightMutable().assign(pack(op.getGateWeight(), op.getLayout()));
      op.getUpWeightMutable().assign(pack(op.getUpWeight(), op.getLayout()));
      op.setLayout(WeightLayout::panels);
    });
    shareWithEmbeddings(module, groupType != nullptr);
    eraseUnused(module);
    symbols.reset();
  }

  /// Makes word_linears of the linears that can be, over words of `element`.
  void useWords(ModuleOp module, Type element) {
    module.walk([&](LinearOp op) {
      if (!canUseWords(op.getInput(), op.getWeight(), op.getLayout(), element))
        return;
      OpBuilder b(op);
      Value panels = pack(op.getWeight(), op.getLayout(), element);
      Combine combine = op.getResidual() ? Combine::add : Combine::replace;
      op.replaceAllUsesWith(WordLinearOp::create(b, op.getLoc(), op.getType(), op.getInput(), panels,
                                                 op.getBias(), op.getResidual(), TypeAttr::get(element),
                                                 op.getActivation(), combine)
                                .getResult());
      op.erase();
    });
    module.walk([&](GatedLinearOp op) {
      if (!canUseWords(op.getInput(), op.getGateWeight(), op.getLayout(), element) ||
          !canUseWords(op.getInput(), op.getUpWeight(), op.getLayout(), element))
        return;
      OpBuilder b(op);
      Value up = WordLinearOp::create(b, op.getLoc(), op.getType(), op.getInput(),
                                      pack(op.getUpWeight(), op.getLayout(), element), op.getUpBias(),
                                      /*other=*/Value(), TypeAttr::get(element), Activation::identity,
                                      Combine::replace);
      op.replaceAllUsesWith(WordLinearOp::create(b, op.getLoc(), op.getType(), op.getInput(),
                                                 pack(op.getGateWeight(), op.getLayout(), element),
                                                 op.getGateBias(), up, TypeAttr::get(element),
                                                 op.getActivation(), Combine::multiply)
                                .getResult());
      op.erase();
    });
  }

  bool canUseWords(Value input, Value matrix, WeightLayout layout, Type element) {
    WeightOp source = findWeight(matrix, layout);
    if (!source || !getElementTypeOrSelf(input).isF32())
      return false;
    RankedTensorType type = source.getTensorType();
    WordFormat format(element);
    if (format.isInt8 || format.isGrouped)
      return isa<FloatType>(type.getElementType()) &&
             (format.isGrouped || type.getDimSize(layout == WeightLayout::nk ? 1 : 0) <= maxInt8Depth);
    return type.getElementType().isF32() || type.getElementType().isBF16();
  }

  /// The weight that `matrix` reads, if it can be packed.
  WeightOp findWeight(Value matrix, WeightLayout layout) {
    auto get = matrix.getDefiningOp<GetWeightOp>();
    if (!get || layout == WeightLayout::panels || cast<ShapedType>(matrix.getType()).getRank() != 2)
      return nullptr;
    return symbols->lookup<WeightOp>(get.getWeight());
  }

  /// `matrix` as panels, of words of `words` or of floats, read from a weight of its own; null if it cannot
  /// be packed.
  Value pack(Value matrix, WeightLayout layout, Type words = nullptr) {
    WeightOp source = findWeight(matrix, layout);
    if (!source)
      return nullptr;
    auto get = matrix.getDefiningOp<GetWeightOp>();
    WeightOp &panels = packed[{source, 2 * static_cast<int>(layout) + (words ? 1 : 0)}];
    if (!panels)
      panels = words ? makeWordPanels(source, layout, words) : makePanels(source, layout);
    OpBuilder b(get);
    return GetWeightOp::create(b, get.getLoc(), panels.getType(), panels.getSymName(), get.getIndex());
  }

  /// A weight whose recipe is `source`'s followed by `sesame.pack_panels`.
  WeightOp makePanels(WeightOp source, WeightLayout layout) {
    RankedTensorType matrix = source.getTensorType();
    bool isNk = layout == WeightLayout::nk;
    int64_t width = panelWidth, n = matrix.getDimSize(isNk ? 0 : 1), k = matrix.getDimSize(isNk ? 1 : 0);
    Type element = matrix.getElementType();
    bool isNarrowed =
        isa<FloatType>(panelType) && panelType.getIntOrFloatBitWidth() < element.getIntOrFloatBitWidth();
    if (isNarrowed)
      element = panelType;
    auto type = RankedTensorType::get({llvm::divideCeilSigned(n, width), k, width}, element);
    WeightOp panels = cloneWeight(source, type);
    auto yield = cast<YieldOp>(panels.getBody().front().back());
    OpBuilder b(yield);
    Value values = yield.getValue();
    if (isNarrowed)
      values = arith::TruncFOp::create(b, source.getLoc(), matrix.clone(element), values);
    Value packedMatrix = PackPanelsOp::create(b, source.getLoc(), type, values, layout);
    yield.getValueMutable().assign(packedMatrix);
    return panels;
  }

  /// A weight whose recipe is `source`'s followed by `sesame.pack_word_panels`.
  WeightOp makeWordPanels(WeightOp source, WeightLayout layout, Type element) {
    RankedTensorType matrix = source.getTensorType();
    bool isNk = layout == WeightLayout::nk;
    int64_t width = panelWidth, n = matrix.getDimSize(isNk ? 0 : 1), k = matrix.getDimSize(isNk ? 1 : 0);
    Builder builder(&getContext());
    auto type = RankedTensorType::get(
        {llvm::divideCeilSigned(n, width), WordFormat(element).columnWords(k), width}, builder.getI32Type());
    WeightOp panels = cloneWeight(source, type);
    auto yield = cast<YieldOp>(panels.getBody().front().back());
    OpBuilder b(yield);
    Value packedMatrix =
        PackWordPanelsOp::create(b, source.getLoc(), type, yield.getValue(), TypeAttr::get(element), layout);
    yield.getValueMutable().assign(packedMatrix);
    return panels;
  }

  /// A copy of `source` of another type, whose recipe is for the caller to finish.
  WeightOp cloneWeight(WeightOp source, RankedTensorType type) {
    auto copy = cast<WeightOp>(source->clone());
    copy.setSymName((source.getSymName() + ".panels").str());
    copy.setType(type);
    copy.removeOffsetAttr();
    copy.removeStrideAttr();
    symbols->insert(copy, std::next(source->getIterator())); // makes the name unique
    return copy;
  }

  /// The panels made of `source`, [N, K], from which its rows can be read back: of its own type, or in
  /// groups.
  WeightOp findSharedPanels(WeightOp source, bool groups) {
    constexpr int nk = 2 * static_cast<int>(WeightLayout::nk);
    if (!source)
      return nullptr;
    Type element = source.getTensorType().getElementType();
    if (WeightOp words = packed.lookup({source, nk + 1}); words && groups && element.isF32())
      return words;
    WeightOp floats = packed.lookup({source, nk});
    return floats && floats.getTensorType().getElementType() == element ? floats : nullptr;
  }

  /// Lets embeddings read their tables from the panels where a linear has made them and nothing else reads
  /// the table.
  void shareWithEmbeddings(ModuleOp module, bool groups) {
    llvm::MapVector<Operation *, SmallVector<GetWeightOp>> reads;
    module.walk([&](GetWeightOp get) {
      if (!get->use_empty())
        reads[symbols->lookup(get.getWeight())].push_back(get);
    });
    for (auto &[operation, gets] : reads) {
      auto source = dyn_cast_or_null<WeightOp>(operation);
      WeightOp panels = findSharedPanels(source, groups);
      if (!panels)
        continue;
      auto isEmbedding = [](Operation *user) {
        auto embedding = dyn_cast<EmbeddingOp>(user);
        return embedding && canTileEmbedding(embedding);
      };
      if (!llvm::all_of(gets, [&](GetWeightOp get) { return llvm::all_of(get->getUsers(), isEmbedding); }))
        continue;
      for (GetWeightOp get : gets) {
        OpBuilder b(get);
        Value read =
            GetWeightOp::create(b, get.getLoc(), panels.getType(), panels.getSymName(), get.getIndex());
        get.getResult().replaceAllUsesWith(
            UnpackPanelsOp::create(b, get.getLoc(), get.getType(), read).getResult());
      }
    }
  }

  /// Erases what packing left behind: reads that nobody uses, then weights that nobody reads.
  static void eraseUnused(ModuleOp module) {
    module.walk([](GetWeightOp get) {
      if (get->use_empty())
        get.erase();
    });
    llvm::DenseSet<StringRef> read;
    module.walk([&](GetWeightOp get) { read.insert(get.getWeight()); });
    for (WeightOp weight : llvm::make_early_inc_range(module.getOps<WeightOp>()))
      if (!read.contains(weight.getSymName()))
        weight.erase();
  }

  Type panelType;
  std::optional<SymbolTable> symbols;
  llvm::DenseMap<std::pair<Operation *, int>, WeightOp> packed;
};
} // namespace
