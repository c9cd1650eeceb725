//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Embedding.h"
#include "NarrowCaches.h"
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
    wordType = groupType ? groupType : panelType.isInteger(8) || panelType.isBF16() ? panelType : Type();
    if (wordType && (!wordType.isBF16() || bf16Words))
      useWords(module, wordType);
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
    narrowTables(module);
    // Attention's products are of bf16 then (sesame-tile-attention).
    if (bf16Words && (panelType.isBF16() || panelType.isInteger(8)))
      narrowCaches(module);
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
      panels =
          words ? makeWordPanels(source, layout, words, panelWidth) : makePanels(source, layout, panelWidth);
    OpBuilder b(get);
    return GetWeightOp::create(b, get.getLoc(), panels.getType(), panels.getSymName(), get.getIndex());
  }

  /// A weight whose recipe is `source`'s followed by `sesame.pack_panels`, of `width` columns a panel.
  WeightOp makePanels(WeightOp source, WeightLayout layout, int64_t width) {
    RankedTensorType matrix = source.getTensorType();
    bool isNk = layout == WeightLayout::nk;
    int64_t n = matrix.getDimSize(isNk ? 0 : 1), k = matrix.getDimSize(isNk ? 1 : 0);
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
  WeightOp makeWordPanels(WeightOp source, WeightLayout layout, Type element, int64_t width) {
    RankedTensorType matrix = source.getTensorType();
    bool isNk = layout == WeightLayout::nk;
    int64_t n = matrix.getDimSize(isNk ? 0 : 1), k = matrix.getDimSize(isNk ? 1 : 0);
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

  /// Panels from which the rows of a table can be read, and what their words hold, if they hold words.
  struct Table {
    WeightOp panels;
    Type words;
  };

  /// The panels that a linear made of `source`, [N, K], if they have its rows.
  Table findSharedPanels(WeightOp source) {
    constexpr int nk = 2 * static_cast<int>(WeightLayout::nk);
    if (WeightOp words = packed.lookup({source, nk + 1}))
      return source.getTensorType().getElementType().isF32() ? Table{words, wordType} : Table{};
    return {packed.lookup({source, nk}), Type()};
  }

  /// `source` in panels of one row each, of the narrow type of the linears' weights; with weights in groups
  /// of 4 bits, of 8: few rows are read, and those of small tables (positions) count in every token.
  Table makeNarrowTable(WeightOp source) {
    RankedTensorType table = source.getTensorType();
    if (!table.getElementType().isF32())
      return {};
    if (!wordType)
      return panelType.isF16() ? Table{makePanels(source, WeightLayout::nk, 1), Type()} : Table{};
    Type words =
        wordType.isUnsignedInteger() ? IntegerType::get(&getContext(), 8, IntegerType::Unsigned) : wordType;
    int64_t width = table.getDimSize(1);
    bool isSmaller = WordFormat(words).columnWords(width) < width;
    if (!isSmaller || (words.isSignlessInteger() && width > maxInt8Depth))
      return {};
    return {makeWordPanels(source, WeightLayout::nk, words, 1), words};
  }

  /// Lets embeddings read their tables, where nothing else does, from the panels that a linear has made of
  /// them, or from narrow ones of their own.
  void narrowTables(ModuleOp module) {
    llvm::MapVector<Operation *, SmallVector<GetWeightOp>> reads;
    module.walk([&](GetWeightOp get) {
      if (!get->use_empty())
        reads[symbols->lookup(get.getWeight())].push_back(get);
    });
    for (auto &[operation, gets] : reads) {
      auto source = dyn_cast_or_null<WeightOp>(operation);
      auto isEmbedding = [](Operation *user) {
        auto embedding = dyn_cast<EmbeddingOp>(user);
        return embedding && canTileEmbedding(embedding);
      };
      auto isTable = [&](GetWeightOp get) { return llvm::all_of(get->getUsers(), isEmbedding); };
      if (!source || !llvm::all_of(gets, isTable))
        continue;
      Table table = findSharedPanels(source);
      if (!table.panels)
        table = makeNarrowTable(source);
      if (!table.panels)
        continue;
      for (GetWeightOp get : gets) {
        OpBuilder b(get);
        Value read = GetWeightOp::create(b, get.getLoc(), table.panels.getType(), table.panels.getSymName(),
                                         get.getIndex());
        get.getResult().replaceAllUsesWith(
            UnpackPanelsOp::create(b, get.getLoc(), get.getType(), read,
                                   table.words ? TypeAttr::get(table.words) : TypeAttr())
                .getResult());
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
  Type wordType; // bf16, i8, ui8 or ui4, if weights are to be stored in it
  std::optional<SymbolTable> symbols;
  llvm::DenseMap<std::pair<Operation *, int>, WeightOp> packed;
};
} // namespace
