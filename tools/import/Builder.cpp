//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Builder.h"

#include "support/DType.h"
#include "support/Error.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/IR/TensorInferTypeOpInterfaceImpl.h"

#include "llvm/ADT/StringExtras.h"

#include <cstring>

using namespace mlir;

namespace sesame::importer {

namespace ops = mlir::sesame;

ModelBuilder::ModelBuilder(MLIRContext &context, const Config &config, WeightSource &weights, ModelInfo &info)
    : config(config), weights(weights), info(info), builder(&context), loc(UnknownLoc::get(&context)) {
  DialectRegistry registry;
  tensor::registerInferTypeOpInterfaceExternalModels(registry);
  context.appendDialectRegistry(registry);
  context.loadDialect<ops::SesameDialect, arith::ArithDialect, func::FuncDialect, linalg::LinalgDialect,
                      scf::SCFDialect, tensor::TensorDialect>();
  module = ModuleOp::create(loc);
  builder.setInsertionPointToEnd(module->getBody());
}

//===----------------------------------------------------------------------===//
// Entries
//===----------------------------------------------------------------------===//

void ModelBuilder::beginEntry(const std::string &name, const std::vector<Limit> &limits) {
  builder.setInsertionPointToEnd(module->getBody());
  auto function = func::FuncOp::create(builder, loc, name, builder.getFunctionType({}, {}));
  // One bound of a symbol stands alone, several make a list.
  NamedAttrList bounds;
  for (const Limit &limit : limits) {
    Attribute bound = std::holds_alternative<int64_t>(limit.atMost)
                          ? Attribute(builder.getI64IntegerAttr(std::get<int64_t>(limit.atMost)))
                          : builder.getStringAttr(std::get<std::string>(limit.atMost));
    if (Attribute present = bounds.get(limit.symbol)) {
      auto list = dyn_cast<ArrayAttr>(present);
      SmallVector<Attribute> all = list ? llvm::to_vector(list.getValue()) : SmallVector<Attribute>{present};
      all.push_back(bound);
      bound = builder.getArrayAttr(all);
    }
    bounds.set(limit.symbol, bound);
  }
  if (!bounds.empty())
    function->setAttr("sesame.limits", bounds.getDictionary(builder.getContext()));
  builder.setInsertionPointToStart(function.addEntryBlock());
  entry.emplace();
  entry->function = function;
}

/// The strings of `dims` as the attribute `sesame.dims`.
static Attribute dimsAttribute(OpBuilder &builder, const std::vector<std::string> &dims) {
  SmallVector<StringRef> strings(dims.begin(), dims.end());
  return builder.getStrArrayAttr(strings);
}

Value ModelBuilder::input(const std::string &name, const Dims &dims, Type elementType,
                          const InputOptions &options) {
  SmallVector<int64_t> shape;
  for (const std::string &axis : dims) {
    int64_t extent;
    shape.push_back(llvm::to_integer(axis, extent, 10) ? extent : ShapedType::kDynamic);
  }
  NamedAttrList attributes;
  attributes.append("sesame.name", builder.getStringAttr(name));
  attributes.append("sesame.dims", dimsAttribute(builder, dims));
  if (!options.fallback.empty())
    attributes.append("sesame.default", builder.getStringAttr(options.fallback));
  if (options.bound)
    attributes.append("sesame.range",
                      builder.getDenseI64ArrayAttr({options.fallback == "absent" ? -1 : 0, options.bound}));
  if (options.isPaddingMask)
    attributes.append("sesame.padding_mask", builder.getUnitAttr());
  if (options.isState) {
    attributes.append("sesame.state", builder.getUnitAttr());
    entry->stateNames.push_back(name);
  }
  entry->argumentAttributes.push_back(attributes.getDictionary(builder.getContext()));
  return entry->function.front().addArgument(RankedTensorType::get(shape, elementType), loc);
}

Value ModelBuilder::idInput(const std::string &name, const Dims &dims, int64_t bound,
                            const std::string &fallback) {
  InputOptions options;
  options.bound = bound;
  options.fallback = fallback;
  return input(name, dims, builder.getI64Type(), options);
}

Value ModelBuilder::maskInput(const Dims &dims, const std::string &name) {
  InputOptions options;
  options.fallback = "ones";
  return input(name, dims, builder.getI64Type(), options);
}

void ModelBuilder::output(const std::string &name, Value value, const Dims &dims, bool isState) {
  NamedAttrList attributes;
  attributes.append("sesame.name", builder.getStringAttr(name));
  attributes.append("sesame.dims", dimsAttribute(builder, dims));
  if (isState)
    attributes.append("sesame.state", builder.getUnitAttr());
  entry->resultAttributes.push_back(attributes.getDictionary(builder.getContext()));
  entry->results.push_back(value);
}

void ModelBuilder::endEntry() {
  func::FuncOp function = entry->function;
  func::ReturnOp::create(builder, loc, entry->results);
  function.setType(
      builder.getFunctionType(function.front().getArgumentTypes(), ValueRange(entry->results).getTypes()));
  function.setAllArgAttrs(entry->argumentAttributes);
  function.setAllResultAttrs(entry->resultAttributes);
  entry.reset();
  builder.setInsertionPointToEnd(module->getBody());
}

void ModelBuilder::causalEntries(const CausalModel &model) {
  std::string vocab = std::to_string(model.vocabSize);
  auto bounds = [&](std::initializer_list<const char *> symbols) {
    std::vector<Limit> limits;
    for (const char *symbol : symbols)
      if (model.maxLength)
        limits.push_back({symbol, model.maxLength});
    return limits;
  };
  {
    beginEntry("forward", bounds({"S"}));
    Value ids = idInput("input_ids", {"B", "S"}, model.vocabSize);
    Value mask = maskInput();
    Value positions;
    if (model.hasPositionIds)
      positions = idInput("position_ids", {"B", "S"}, model.maxLength, "arange");
    Value hidden = model.body(ids, mask, positions, nullptr);
    output("logits", model.head(hidden), {"B", "S", vocab});
    if (model.moreOutputs)
      model.moreOutputs(hidden);
    endEntry();
  }
  // The step is part of what is then known, and that fits the cache: the runtime checks it before code writes
  // there.
  std::vector<Limit> limits = bounds({"S", "T"});
  limits.push_back({"S", "T"});
  limits.push_back({"T", "C"});
  beginEntry("decode", limits);
  Value ids = idInput("input_ids", {"B", "S"}, model.vocabSize);
  Value mask = maskInput({"B", "T"});
  Value positions;
  if (model.hasPositionIds)
    positions = idInput("position_ids", {"B", "S"}, model.maxLength);
  InputOptions state;
  state.isState = true;
  Dims cacheDims = {std::to_string(model.layers), "B", std::to_string(model.keyHeads), "C",
                    std::to_string(model.headSize)};
  Cache cache;
  cache.keys = input("key_cache", cacheDims, builder.getF32Type(), state);
  cache.values = input("value_cache", cacheDims, builder.getF32Type(), state);
  // Of the T positions that the mask covers, the last S are those of `ids`.
  cache.past = arith::SubIOp::create(builder, loc, dim(mask, 1), dim(ids, 1));
  // The slice is taken last, as the model's definition has it; sesame-last-token-logits moves it up.
  Value logits = model.head(model.body(ids, mask, positions, &cache));
  output("logits", selectLast(logits, 1), {"B", vocab});
  output("key_cache", cache.keys, cacheDims, /*isState=*/true);
  output("value_cache", cache.values, cacheDims, /*isState=*/true);
  endEntry();
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

SmallVector<Value> ModelBuilder::layers(const std::string &name, int64_t count, ValueRange carried,
                                        ValueRange shared, LayerBody body, int64_t firstLayer) {
  SmallVector<Type> argumentTypes = {builder.getIndexType()};
  llvm::append_range(argumentTypes, carried.getTypes());
  llvm::append_range(argumentTypes, shared.getTypes());
  auto type = builder.getFunctionType(argumentTypes, carried.getTypes());
  // Two entries may run the same layers: an encoder alone, and with its decoder.
  auto function = module->lookupSymbol<func::FuncOp>(name);
  if (!function || function.getFunctionType() != type) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(entry->function);
    function = func::FuncOp::create(builder, loc, name, type);
    function.setPrivate();
    Block *block = function.addEntryBlock();
    builder.setInsertionPointToStart(block);
    std::optional<LayerScope> outer = scope;
    scope = LayerScope{block->getArgument(0), count, firstLayer};
    ValueRange arguments = block->getArguments();
    SmallVector<Value> results =
        body(arguments.slice(1, carried.size()), arguments.drop_front(1 + carried.size()));
    for (auto [result, value] : llvm::zip_equal(results, carried))
      if (result.getType() != value.getType())
        result = tensor::CastOp::create(builder, loc, value.getType(), result);
    func::ReturnOp::create(builder, loc, results);
    scope = outer;
  }
  Value zero = constant(0), end = constant(count), one = constant(1);
  auto loop = scf::ForOp::create(
      builder, loc, zero, end, one, carried, [&](OpBuilder &b, Location l, Value index, ValueRange values) {
        SmallVector<Value> operands = {index};
        llvm::append_range(operands, values);
        llvm::append_range(operands, shared);
        scf::YieldOp::create(b, l, func::CallOp::create(b, l, function, operands).getResults());
      });
  return llvm::to_vector_of<Value>(loop.getResults());
}

Value ModelBuilder::blocks(const std::string &name, int64_t count, Value h, Value mask, Cache *cache,
                           BlockBody body, ValueRange shared) {
  SmallVector<Value> carried = {h}, read;
  if (mask)
    read.push_back(mask);
  if (cache) {
    carried.append({cache->keys, cache->values});
    read.push_back(cache->past);
  }
  llvm::append_range(read, shared);
  SmallVector<Value> results = layers(cache ? name + "_cached" : name, count, carried, read,
                                      [&](ValueRange inside, ValueRange others) -> SmallVector<Value> {
                                        Value innerMask;
                                        if (mask) {
                                          innerMask = others.front();
                                          others = others.drop_front();
                                        }
                                        if (!cache)
                                          return {body(inside[0], innerMask, nullptr, others)};
                                        Cache inner{inside[1], inside[2], others.front()};
                                        Value next = body(inside[0], innerMask, &inner, others.drop_front());
                                        return {next, inner.keys, inner.values};
                                      });
  if (cache) {
    cache->keys = results[1];
    cache->values = results[2];
  }
  return results[0];
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// The float type that stands for a checkpoint's element type.
static FloatType floatType(OpBuilder &builder, DType dtype) {
  switch (dtype) {
  case DType::f16:
    return builder.getF16Type();
  case DType::bf16:
    return builder.getBF16Type();
  case DType::f64:
    return builder.getF64Type();
  default: // WeightSource::claim refuses all others
    return builder.getF32Type();
  }
}

static bool isStacked(const NamePattern &name) { return name.find("{}") != NamePattern::npos; }

Value ModelBuilder::weightBy(const NamePattern &name, RankedTensorType type, function_ref<Value()> recipe) {
  if (isStacked(name) && !scope)
    throw Error(message("weight '", name, "' is read outside of its layer"));
  std::string symbol = weights.withoutPrefix(name);
  if (size_t at = symbol.find("{}."); at != std::string::npos)
    symbol.erase(at, 3);
  else if (size_t at = symbol.find("{}"); at != std::string::npos)
    symbol.replace(at, 2, "n");
  if (!module->lookupSymbol(symbol)) {
    OpBuilder::InsertionGuard guard(builder);
    if (lastWeight)
      builder.setInsertionPointAfter(lastWeight);
    else
      builder.setInsertionPointToStart(module->getBody());
    auto weightOp = ops::WeightOp::create(builder, loc, symbol, isStacked(name) ? scope->count : 1, type,
                                          IntegerAttr(), IntegerAttr());
    lastWeight = weightOp;
    builder.createBlock(&weightOp.getBody());
    ops::YieldOp::create(builder, loc, recipe());
  }
  return ops::GetWeightOp::create(builder, loc, type, FlatSymbolRefAttr::get(builder.getContext(), symbol),
                                  isStacked(name) ? scope->index : Value());
}

Value ModelBuilder::storedTensor(const NamePattern &name, ArrayRef<int64_t> shape,
                                 const std::vector<NamePattern> &alternatives) {
  int64_t count = isStacked(name) ? scope->count : 1, first = isStacked(name) ? scope->firstLayer : 0;
  std::vector<NamePattern> names = {name};
  names.insert(names.end(), alternatives.begin(), alternatives.end());
  NamePattern stored = weights.resolve(names, first);
  DType dtype = weights.claim(stored, first, count, shape.vec());
  SmallVector<StringRef> parts = {stored};
  if (size_t at = stored.find("{}"); at != NamePattern::npos)
    parts = {StringRef(stored).take_front(at), StringRef(stored).drop_front(at + 2)};
  auto type = tensorType(shape), storedType = type.clone(floatType(builder, dtype));
  Value value =
      ops::CheckpointTensorOp::create(builder, loc, storedType, builder.getStrArrayAttr(parts), first);
  if (storedType.getElementTypeBitWidth() < 32)
    return arith::ExtFOp::create(builder, loc, type, value);
  if (storedType.getElementTypeBitWidth() > 32)
    return arith::TruncFOp::create(builder, loc, type, value);
  return value;
}

Value ModelBuilder::weight(const NamePattern &name, ArrayRef<int64_t> shape,
                           const std::vector<NamePattern> &alternatives) {
  return weightBy(name, tensorType(shape), [&] { return storedTensor(name, shape, alternatives); });
}

Value ModelBuilder::inputTable(const std::string &name, const std::string &head, ArrayRef<int64_t> shape,
                               bool tied) {
  return weight(name, shape, tied ? std::vector<NamePattern>{head} : std::vector<NamePattern>());
}

Value ModelBuilder::headWeight(const std::string &name, const std::string &table, ArrayRef<int64_t> shape,
                               bool tied) {
  if (!tied)
    return weight(name, shape);
  const StoredTensor *head = weights.find(name), *source = weights.find(table);
  if (!head || !source)
    return weight(table, shape, {name});
  if (head->dtype == source->dtype && head->shape == source->shape &&
      std::memcmp(head->data, source->data, head->sizeInBytes) == 0) {
    weights.ignore(name);
    return weight(table, shape);
  }
  info.notes.push_back(message(inQuotes(name), " and ", inQuotes(table),
                               " are tied by config.json but stored with different values; both are used"));
  return weight(name, shape);
}

} // namespace sesame::importer
