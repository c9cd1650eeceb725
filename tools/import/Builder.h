//===- Builder.h - What model families are composed of ----------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A family (families/*.cpp) describes a model by reading config.json and calling these builders; it makes no
// op itself. Entries and layer functions are built front to back: ops go to the end of whichever of them is
// open.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_BUILDER_H
#define SESAME_IMPORT_BUILDER_H

#include "Config.h"
#include "Import.h"
#include "WeightSource.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sesame::importer {

/// The keys and values of earlier tokens, threaded through the layers: [L, B, G, C, D] each, of which the
/// first `past` positions are filled.
struct Cache {
  mlir::Value keys, values;
  mlir::Value past; // index
};

struct AttentionOptions {
  int64_t heads = 0;
  /// Heads of keys and values, 0 for as many as `heads`.
  int64_t keyHeads = 0;
  double scale = 1;
  bool causal = false;
  mlir::Value mask; // [B, T] or [B, S, T] of integers, or null
  mlir::Value bias; // [B or 1, H or 1, S or 1, T], or null
  std::optional<int64_t> window;
  std::optional<double> softcap;
  /// Where to put keys and values and get the earlier ones from; null without a cache. Updated.
  Cache *cache = nullptr;
};

struct LinearOptions {
  mlir::sesame::WeightLayout layout = mlir::sesame::WeightLayout::nk;
  bool bias = true;
  mlir::sesame::Activation activation = mlir::sesame::Activation::identity;
};

inline constexpr LinearOptions withoutBias{mlir::sesame::WeightLayout::nk, /*bias=*/false};

/// An input of an entry.
struct InputOptions {
  /// Valid values [0, bound), 0 for any.
  int64_t bound = 0;
  /// "ones", "zeros", "arange" or "absent" (-1, then a valid value too) for an input that may be absent.
  std::string fallback;
  bool isState = false;
  /// A mask [B, S] whose zeros behind a row's last token end the row: nothing before them reads what follows.
  bool isPaddingMask = false;
};

/// A bound on a symbol of an entry: a number, or the name of another symbol.
struct Limit {
  std::string symbol;
  std::variant<int64_t, std::string> atMost;
};

class ModelBuilder {
public:
  ModelBuilder(mlir::MLIRContext &context, const Config &config, WeightSource &weights, ModelInfo &info);

  const Config &config;
  WeightSource &weights;
  ModelInfo &info;
  mlir::OpBuilder builder;
  mlir::Location loc;

  mlir::OwningOpRef<mlir::ModuleOp> takeModule() { return std::move(module); }

  //===--------------------------------------------------------------------===//
  // Entries
  //===--------------------------------------------------------------------===//

  using Dims = std::vector<std::string>;

  /// Opens a public function. `limits` bounds symbols: {{"S", 1024}}.
  void beginEntry(const std::string &name, const std::vector<Limit> &limits = {});
  /// An axis of `dims` is a symbol, or a decimal number for a static extent.
  mlir::Value input(const std::string &name, const Dims &dims, mlir::Type elementType,
                    const InputOptions &options = {});
  /// Token ids and the like: i64.
  mlir::Value idInput(const std::string &name, const Dims &dims, int64_t bound,
                      const std::string &fallback = "");
  /// The mask of real tokens, 1 or 0; all ones if absent.
  mlir::Value maskInput(const Dims &dims = {"B", "S"}, const std::string &name = "attention_mask");
  void output(const std::string &name, mlir::Value value, const Dims &dims, bool isState = false);
  void endEntry();

  //===--------------------------------------------------------------------===//
  // Layers
  //===--------------------------------------------------------------------===//

  /// A loop over `count` equal layers. `body` builds a private function `name` once: it is given the carried
  /// and the shared values as they are inside, and returns the carried ones for the next layer (of equal
  /// types). Weight names may hold "{}" there. Layer i of the loop is tensor `firstLayer + i` of the
  /// checkpoint. Returns the carried values after the last layer.
  using LayerBody =
      llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::ValueRange carried, mlir::ValueRange shared)>;
  llvm::SmallVector<mlir::Value> layers(const std::string &name, int64_t count, mlir::ValueRange carried,
                                        mlir::ValueRange shared, LayerBody body, int64_t firstLayer = 0);
  /// The common case: `body(h, mask, cache)` maps hidden states; `cache` is null if there is none here, and
  /// updated otherwise. The function is called `name`, with a cache `name`_cached. `shared` are further
  /// values the body reads.
  using BlockBody =
      llvm::function_ref<mlir::Value(mlir::Value h, mlir::Value mask, Cache *cache, mlir::ValueRange shared)>;
  mlir::Value blocks(const std::string &name, int64_t count, mlir::Value h, mlir::Value mask, Cache *cache,
                     BlockBody body, mlir::ValueRange shared = {});
  /// The index of the current layer, in a layer's body.
  mlir::Value layerIndex() const { return scope ? scope->index : mlir::Value(); }

  //===--------------------------------------------------------------------===//
  // Weights
  //===--------------------------------------------------------------------===//

  /// The tensor of that name in f32, of the current layer if the name holds "{}". `alternatives` are other
  /// names under which it may be stored (a table tied to another).
  mlir::Value weight(const NamePattern &name, llvm::ArrayRef<int64_t> shape,
                     const std::vector<NamePattern> &alternatives = {});
  /// A weight of the current layer if `name` holds "{}", whose value `recipe` makes of stored tensors. It is
  /// built once for each name.
  mlir::Value weightBy(const NamePattern &name, mlir::RankedTensorType type,
                       llvm::function_ref<mlir::Value()> recipe);
  /// In a recipe: the tensor of that name as `weight` has it.
  mlir::Value storedTensor(const NamePattern &name, llvm::ArrayRef<int64_t> shape,
                           const std::vector<NamePattern> &alternatives = {});
  /// The input table of a language model; with `tied` it may be stored as `head` alone.
  mlir::Value inputTable(const std::string &name, const std::string &head, llvm::ArrayRef<int64_t> shape,
                         bool tied);
  /// The output table of a language model. With `tied` it is the input table unless both are stored and
  /// differ, as in transformers 5.
  mlir::Value headWeight(const std::string &name, const std::string &table, llvm::ArrayRef<int64_t> shape,
                         bool tied);

  //===--------------------------------------------------------------------===//
  // Ops. Tensors are of f32 and batch first; `name` is that of the module, to which ".weight" and ".bias" are
  // added.
  //===--------------------------------------------------------------------===//

  mlir::Value linear(const NamePattern &name, mlir::Value x, int64_t columns,
                     const LinearOptions &options = {});
  /// A linear whose weight is already at hand: x * transpose(weight) + bias (may be null).
  mlir::Value linearBy(mlir::Value weight, mlir::Value bias, mlir::Value x);
  mlir::Value layerNorm(const NamePattern &name, mlir::Value x, double epsilon);
  mlir::Value rmsNorm(const NamePattern &name, mlir::Value x, double epsilon, double offset = 0);
  mlir::Value activation(mlir::sesame::Activation kind, mlir::Value x);
  /// Sum of the rows that each pair of indices and table picks; indices of extent 1 are broadcast.
  mlir::Value embedding(llvm::ArrayRef<std::pair<mlir::Value, mlir::Value>> indicesAndTables);
  /// softmax(q * transpose(k) * scale + bias) * v for q [B, S, H * D], k [B, T, G * D], v [B, T, G * E] ->
  /// [B, S, H * E].
  mlir::Value attention(mlir::Value q, mlir::Value k, mlir::Value v, AttentionOptions options);
  /// [B, S, H * D] -> [B, H, S, D] and back.
  mlir::Value splitHeads(mlir::Value x, int64_t heads);
  mlir::Value mergeHeads(mlir::Value x);
  /// sesame.attention itself, on heads already split: q [B, H, S, D], k [B, G, T, D], v [B, G, T, E] -> [B,
  /// H, S, E].
  mlir::Value attendHeads(mlir::Value q, mlir::Value k, mlir::Value v, AttentionOptions options);
  /// Puts the new k and v [B, G, S, D] into the current layer's part of the cache, and makes them all the T
  /// so far.
  void appendToCache(Cache &cache, mlir::Value &k, mlir::Value &v);

  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value multiply(mlir::Value a, mlir::Value b);
  /// x times an f32 scalar.
  mlir::Value scale(mlir::Value x, mlir::Value factor);
  mlir::Value scale(mlir::Value x, double factor);
  /// `size` positions of an axis from `offset` on.
  mlir::Value slice(mlir::Value x, int64_t axis, mlir::OpFoldResult offset, mlir::OpFoldResult size);
  /// [..., N] -> [..., size] from `offset` on.
  mlir::Value sliceColumns(mlir::Value x, int64_t offset, int64_t size);
  /// One position of an axis, which goes away: [B, S, C] -> [B, C] for axis 1.
  mlir::Value select(mlir::Value x, int64_t axis, mlir::OpFoldResult position);
  /// The last position of an axis.
  mlir::Value selectLast(mlir::Value x, int64_t axis);
  /// x [B, S, C], positions [B] -> [B, C]. Positions past the end read the last one.
  mlir::Value gatherPositions(mlir::Value x, mlir::Value positions);
  /// ids [B, S] -> [B]: the last position at which the id is not `padId`, 0 if there is none.
  mlir::Value lastPositionOtherThan(mlir::Value ids, int64_t padId);
  /// [S, T] of i64: `s + (T - S) - t + offset`, the distance of query s to key t.
  mlir::Value distances(mlir::OpFoldResult queries, mlir::OpFoldResult keys, int64_t offset);
  /// heads [B, H, S, D] times relative [S, T, D] -> [B, H, S, T]; `ofKeys`: heads are those of keys, [B, H,
  /// T, D]. Shaw et al. 2018, eq. 4.
  mlir::Value relativeScores(mlir::Value heads, mlir::Value relative, bool ofKeys);
  /// [B, N, ...] -> [B * N, ...] and back, with the leading extents of `like`.
  mlir::Value mergeLeading(mlir::Value x);
  mlir::Value splitLeading(mlir::Value x, mlir::Value like);
  /// [..., N, 1] -> [..., N].
  mlir::Value dropLastAxis(mlir::Value x);

  /// An axis' extent, and the same as an attribute where it is static.
  mlir::Value dim(mlir::Value x, int64_t axis);
  mlir::OpFoldResult extent(mlir::Value x, int64_t axis);
  mlir::Value constant(int64_t index);
  mlir::Value constantF32(double value);
  /// An i64 tensor of extents 1 that holds `value`: an index that is the same everywhere.
  mlir::Value constantIds(int64_t rank, int64_t value);
  mlir::RankedTensorType tensorType(llvm::ArrayRef<int64_t> shape) {
    return mlir::RankedTensorType::get(shape, builder.getF32Type());
  }

  //===--------------------------------------------------------------------===//
  // Whole entries
  //===--------------------------------------------------------------------===//

  struct CausalModel {
    int64_t vocabSize;
    /// Positions there are, 0 for any number.
    int64_t maxLength;
    int64_t layers, keyHeads, headSize;
    /// (ids [B, S], mask [B, T], positions [B, S], cache or null) -> hidden states [B, S, C].
    llvm::function_ref<mlir::Value(mlir::Value ids, mlir::Value mask, mlir::Value positions, Cache *cache)>
        body;
    /// [B, S, C] -> logits [B, S, V].
    llvm::function_ref<mlir::Value(mlir::Value hidden)> head;
    /// Without `position_ids` the body is given null, and finds the positions in the mask.
    bool hasPositionIds = true;
    /// What `forward` gives besides; null for nothing.
    llvm::function_ref<void(mlir::Value hidden)> moreOutputs = nullptr;
  };
  /// `forward(input_ids, attention_mask, position_ids) -> logits [B, S, V]` and `decode` with a cache ->
  /// logits [B, V] of the last position.
  void causalEntries(const CausalModel &model);

private:
  struct LayerScope {
    mlir::Value index;
    int64_t count, firstLayer;
  };
  struct OpenEntry {
    mlir::func::FuncOp function;
    llvm::SmallVector<mlir::Attribute> argumentAttributes, resultAttributes;
    llvm::SmallVector<mlir::Value> results;
    llvm::SmallVector<std::string> stateNames;
  };

  mlir::Value empty(llvm::ArrayRef<mlir::OpFoldResult> extents, mlir::Type elementType);

  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::Operation *lastWeight = nullptr;
  std::optional<LayerScope> scope;
  std::optional<OpenEntry> entry;
};

} // namespace sesame::importer

#endif // SESAME_IMPORT_BUILDER_H
