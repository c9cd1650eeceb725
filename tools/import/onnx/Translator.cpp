//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Translator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/IR/TensorInferTypeOpInterfaceImpl.h"

#include "llvm/ADT/StringExtras.h"

#include <algorithm>
#include <cstring>
#include <limits>

using namespace mlir;

namespace sesame::onnx {

namespace ops = mlir::sesame;

namespace {

/// Opsets whose operators are read as their newest version says; before 13, Softmax has another meaning and
/// most axes are attributes.
constexpr int64_t oldestOpset = 13, newestOpset = 23;
/// Integer constants up to this size are looked into; larger ones are data.
constexpr int64_t maxKnown = 4096;
/// Expressions of more operations are stored before they are read.
/// How often a symbol may stand in a sum that is an output's extent.
constexpr int64_t maxRepeats = 16;
/// How deep quotients, smallest and largest values are nested in an extent.
constexpr unsigned maxNested = 4;
constexpr unsigned maxCost = 48, maxSharedCost = 6;

/// The IR's kind for an element type, or none if it is not supported.
std::optional<Kind> kindOf(ElementType type) {
  switch (type) {
  case ElementType::f32:
  case ElementType::f16:
  case ElementType::bf16:
  case ElementType::f64:
    return Kind::f32;
  case ElementType::i64:
    return Kind::i64;
  case ElementType::i32:
    return Kind::i32;
  case ElementType::boolean:
    return Kind::boolean;
  default:
    return std::nullopt;
  }
}

/// One element of a constant of integers.
int64_t integerAt(const Tensor &tensor, int64_t i) {
  switch (tensor.type) {
  case ElementType::i64: {
    int64_t value;
    std::memcpy(&value, tensor.data + 8 * i, sizeof value);
    return value;
  }
  case ElementType::i32: {
    int32_t value;
    std::memcpy(&value, tensor.data + 4 * i, sizeof value);
    return value;
  }
  default:
    return tensor.data[i] != std::byte(0);
  }
}

/// The first element of a constant of floats.
float firstNumber(const Tensor &tensor) {
  auto half = [&](const llvm::fltSemantics &semantics) {
    uint16_t bits;
    std::memcpy(&bits, tensor.data, sizeof bits);
    llvm::APFloat value(semantics, llvm::APInt(16, bits));
    bool ignored;
    value.convert(llvm::APFloat::IEEEsingle(), llvm::APFloat::rmNearestTiesToEven, &ignored);
    return value.convertToFloat();
  };
  float number;
  double wide;
  switch (tensor.type) {
  case ElementType::f16:
    return half(llvm::APFloat::IEEEhalf());
  case ElementType::bf16:
    return half(llvm::APFloat::BFloat());
  case ElementType::f64:
    std::memcpy(&wide, tensor.data, sizeof wide);
    return static_cast<float>(wide);
  default:
    std::memcpy(&number, tensor.data, sizeof number);
    return number;
  }
}

/// A name that can be a symbol of the module and of an entry: letters, digits and a few signs.
std::string plainName(const std::string &name, bool isDim) {
  std::string result;
  for (char c : name)
    result += llvm::isAlnum(c) || c == '_' || (!isDim && (c == '.' || c == '/' || c == ':')) ? c : '_';
  if (result.empty() || (isDim && !llvm::isAlpha(result[0])))
    result = "d" + result;
  return result;
}

} // namespace

//===----------------------------------------------------------------------===//
// Call
//===----------------------------------------------------------------------===//

void Call::fail(const std::string &what) const { translator.fail(what); }

Term *Call::input(size_t index) const {
  if (index >= inputs.size() || !inputs[index])
    fail(message("expected input ", index, ", found none"));
  return inputs[index];
}

static const Attribute *findAttribute(const Call &call, StringRef name, int kind) {
  const Attribute *attribute = call.node.find(std::string_view(name));
  if (attribute && attribute->kind != kind)
    call.fail(message("attribute ", inQuotes(std::string_view(name)), " is not of the expected type"));
  return attribute;
}

int64_t Call::integer(StringRef name, int64_t fallback) const {
  const Attribute *attribute = findAttribute(*this, name, 2);
  return attribute ? attribute->integer : fallback;
}

double Call::number(StringRef name, double fallback) const {
  const Attribute *attribute = findAttribute(*this, name, 1);
  return attribute ? attribute->number : fallback;
}

std::string Call::text(StringRef name, const std::string &fallback) const {
  const Attribute *attribute = findAttribute(*this, name, 3);
  return attribute ? std::string(attribute->text) : fallback;
}

std::optional<std::vector<int64_t>> Call::integers(StringRef name) const {
  const Attribute *attribute = findAttribute(*this, name, 7);
  return attribute ? std::optional(attribute->integers) : std::nullopt;
}

const std::vector<Extent> &Call::extents(size_t index) const {
  Term *term = input(index);
  if (!term->integers)
    fail(message("expected input ", index, " ", inQuotes(node.inputs[index]),
                 " to be computed from shapes and constants alone"));
  return *term->integers;
}

std::vector<int64_t> Call::constants(size_t index) const {
  std::vector<int64_t> values;
  for (const Extent &extent : extents(index)) {
    if (!extent.constant())
      fail(message("expected input ", index, " ", inQuotes(node.inputs[index]), " to be constant"));
    values.push_back(*extent.constant());
  }
  return values;
}

const Extent &Call::extent(size_t index) const {
  const std::vector<Extent> &elements = extents(index);
  if (elements.size() != 1)
    fail(message("expected input ", index, " to have one element, found ", elements.size()));
  return elements.front();
}

int64_t Call::constant(size_t index) const {
  extent(index);
  return constants(index).front();
}

std::optional<std::vector<int64_t>> Call::axes(StringRef name, size_t index) const {
  if (auto attribute = integers(name))
    return attribute;
  if (!optional(index))
    return std::nullopt;
  return constants(index);
}

int64_t Call::axis(int64_t axis, int64_t rank) const {
  if (axis < -rank || axis >= rank)
    fail(message("expected an axis of ", rank, ", found ", axis));
  return axis < 0 ? axis + rank : axis;
}

//===----------------------------------------------------------------------===//
// The module
//===----------------------------------------------------------------------===//

Translator::Translator(MLIRContext &context, const Model &model)
    : model(model), builder(&context), loc(UnknownLoc::get(&context)) {
  DialectRegistry registry;
  tensor::registerInferTypeOpInterfaceExternalModels(registry);
  context.appendDialectRegistry(registry);
  context.loadDialect<ops::SesameDialect, arith::ArithDialect, func::FuncDialect, linalg::LinalgDialect,
                      math::MathDialect, scf::SCFDialect, tensor::TensorDialect>();
  addElementwise(handlers);
  addShapes(handlers);
  addGathers(handlers);
  addProducts(handlers);
  addReductions(handlers);
  addRecurrent(handlers);
}

void Translator::fail(const std::string &what) const {
  if (!current)
    throw Error(message(model.path(), ": ", what));
  const std::string &name = !current->name.empty()      ? current->name
                            : !current->outputs.empty() ? current->outputs[0]
                                                        : current->name;
  throw Error(message(model.path(), ": node ", inQuotes(name), " (", inQuotes(current->opType), "): ", what));
}

OwningOpRef<ModuleOp> Translator::run() {
  if (model.opset() < oldestOpset || model.opset() > newestOpset)
    fail(message("expected operators of opset ", oldestOpset, " to ", newestOpset, ", found opset ",
                 model.opset()));
  module = ModuleOp::create(loc);
  builder.setInsertionPointToEnd(module->getBody());
  function = func::FuncOp::create(builder, loc, "forward", builder.getFunctionType({}, {}));
  builder.setInsertionPointToStart(function.addEntryBlock());

  for (const ValueInfo &info : model.inputs())
    addInput(info);
  addInitializers();
  for (const Node &node : model.nodes())
    for (const std::string &name : node.inputs)
      ++uses[name];
  for (const ValueInfo &info : model.outputs())
    ++uses[info.name];
  for (const Node &node : model.nodes()) {
    current = &node;
    translate(node);
  }
  current = nullptr;
  addOutputs();
  return std::move(module);
}

void Translator::addInput(const ValueInfo &info) {
  auto refuse = [&](const std::string &what) { fail(message("input ", inQuotes(info.name), ": ", what)); };
  if (!info.isTensor || !info.hasShape)
    refuse("expected a tensor with a shape");
  std::optional<Kind> kind = kindOf(info.type);
  if (!kind)
    refuse(message("element type ", toString(info.type), " is not supported"));
  if (info.name.empty() || scope.count(info.name))
    refuse("expected inputs of different names");

  Dims dims;
  SmallVector<std::string> texts;
  SmallVector<unsigned> newSymbols; // the symbol that an axis is the first of, or none
  SmallVector<int64_t> shape;
  std::vector<std::pair<unsigned, int64_t>> first;
  for (auto [axis, dim] : llvm::enumerate(info.dims)) {
    if (dim.name.empty() && dim.extent >= 0) {
      if (dim.extent == 0)
        refuse("has an extent of 0");
      dims.push_back(dim.extent);
      shape.push_back(dim.extent);
      texts.push_back(std::to_string(dim.extent));
      continue;
    }
    std::string key = dim.name.empty() ? message(info.name, "_", axis) : dim.name;
    auto [it, isNew] = symbolByName.emplace(key, symbolNames.size());
    if (isNew) {
      std::string name = plainName(key, /*isDim=*/true);
      while (llvm::is_contained(symbolNames, name))
        name += "_";
      symbolNames.push_back(name);
      symbolValues.emplace_back();
      opaques.emplace_back();
      first.push_back({it->second, static_cast<int64_t>(axis)});
    }
    dims.push_back(Extent::symbol(it->second));
    shape.push_back(ShapedType::kDynamic);
    texts.push_back(symbolNames[it->second]);
  }
  Value argument = function.front().addArgument(RankedTensorType::get(shape, elementType(*kind)), loc);
  for (auto [symbol, axis] : first)
    symbolValues[symbol] = tensor::DimOp::create(builder, loc, argument, axis);
  function.setType(builder.getFunctionType(function.front().getArgumentTypes(), {}));
  unsigned number = inputBounds.size();
  SmallVector<StringRef> views(texts.begin(), texts.end());
  function.setArgAttr(number, "sesame.name", builder.getStringAttr(info.name));
  function.setArgAttr(number, "sesame.dims", builder.getStrArrayAttr(views));
  inputBounds.emplace_back();

  Term *term = tensor(*kind, dims, argument);
  term->input = number;
  scope[info.name] = term;
}

void Translator::addInitializers() {
  for (const Tensor &tensor : model.initializers()) {
    if (scope.count(tensor.name))
      fail(message("tensor ", inQuotes(tensor.name), " is defined twice"));
    scope[tensor.name] = weight(tensor);
  }
}

void Translator::translate(const Node &node) {
  if (!node.domain.empty() && node.domain != "ai.onnx")
    fail(message("operators of domain ", inQuotes(node.domain), " are not supported"));
  auto handler = handlers.find(node.opType);
  if (handler == handlers.end())
    fail("this operator is not supported");
  Call call{*this, node, {}, {}};
  for (const std::string &name : node.inputs) {
    auto it = scope.find(name);
    if (name.empty())
      call.inputs.push_back(nullptr);
    else if (it == scope.end())
      fail(message("input ", inQuotes(name), " is not defined before it is read (or reads itself)"));
    else
      call.inputs.push_back(it->second);
  }
  try {
    if (Term *term = raise(call))
      call.result(term);
    else
      handler->second(call);
  } catch (const Error &error) {
    // Arithmetic on extents knows no node.
    StringRef what = error.what();
    if (what.starts_with(model.path()))
      throw;
    fail(what.str());
  }
  for (auto [i, name] : llvm::enumerate(node.outputs)) {
    if (name.empty())
      continue;
    if (i >= call.results.size())
      fail(message("output ", i, " is not supported"));
    Term *term = call.results[i];
    if (!scope.emplace(name, term).second)
      fail(message("output ", inQuotes(name), " is defined twice"));
    if (!term->node && !llvm::is_contained(call.inputs, term)) {
      term->node = &node;
      term->operands = call.inputs;
    }
    if (term->element && uses[name] > 1 && term->cost > maxSharedCost)
      materialize(term);
  }
}

void Translator::addOutputs() {
  SmallVector<Value> results;
  SmallVector<DictionaryAttr> attributes;
  NamedAttrList derived;
  std::set<std::string> names;
  if (model.outputs().empty())
    fail("expected outputs, found none");
  for (const ValueInfo &info : model.outputs()) {
    auto it = scope.find(info.name);
    if (it == scope.end() || !names.insert(info.name).second)
      fail(
          message("output ", inQuotes(info.name), it == scope.end() ? " is not defined" : " is given twice"));
    Term *term = it->second;
    SmallVector<std::string> texts;
    for (const Extent &extent : term->dims)
      texts.push_back(dimText(extent, derived));
    SmallVector<StringRef> views(texts.begin(), texts.end());
    results.push_back(materialize(term));
    attributes.push_back(
        builder.getDictionaryAttr({builder.getNamedAttr("sesame.name", builder.getStringAttr(info.name)),
                                   builder.getNamedAttr("sesame.dims", builder.getStrArrayAttr(views))}));
  }
  func::ReturnOp::create(builder, loc, results);
  function.setType(
      builder.getFunctionType(function.front().getArgumentTypes(), ValueRange(results).getTypes()));
  function.setAllResultAttrs(attributes);
  for (auto [i, bound] : llvm::enumerate(inputBounds))
    if (bound)
      function.setArgAttr(i, "sesame.range", builder.getDenseI64ArrayAttr({0, *bound}));
  NamedAttrList bounds;
  for (auto [symbol, limit] : limits) {
    if (limit < 1)
      fail(message("extent ", inQuotes(symbolNames[symbol]), " can have no value"));
    bounds.set(symbolNames[symbol], builder.getI64IntegerAttr(limit));
  }
  if (!bounds.empty())
    function->setAttr("sesame.limits", bounds.getDictionary(builder.getContext()));
  if (!derived.empty())
    function->setAttr("sesame.derived", derived.getDictionary(builder.getContext()));
}

/// An output's extent as the attribute says it: a number, a symbol, or a new symbol for a sum.
std::string Translator::dimText(const Extent &extent, NamedAttrList &derived) {
  if (auto value = extent.constant())
    return std::to_string(*value);
  if (auto symbol = extent.asSymbol(); symbol && !opaques[*symbol])
    return symbolNames[*symbol];
  SmallVector<StringRef> summands;
  for (const auto &[monomial, coefficient] : extent.getTerms()) {
    if (monomial.empty())
      continue;
    if (monomial.size() > 1 || coefficient < 1 || coefficient > maxRepeats || opaques[monomial[0]])
      fail(message("the extent ", extent.toString(symbolNames),
                   " of an output is not supported, expected a sum of extents of inputs"));
    summands.append(coefficient, symbolNames[monomial[0]]);
  }
  std::string name = "sum";
  for (StringRef summand : summands)
    name += "_" + summand.str();
  name += "_" + llvm::utostr(static_cast<uint64_t>(std::abs(extent.constantTerm()))) +
          (extent.constantTerm() < 0 ? "_less" : "");
  while (llvm::is_contained(symbolNames, name))
    name += "_";
  NamedAttrList formula;
  formula.set("terms", builder.getStrArrayAttr(summands));
  formula.set("plus", builder.getI64IntegerAttr(extent.constantTerm()));
  derived.set(name, formula.getDictionary(builder.getContext()));
  return name;
}

//===----------------------------------------------------------------------===//
// Making terms
//===----------------------------------------------------------------------===//

Term *Translator::make(Kind kind, Dims dims) {
  Term &term = terms.emplace_back();
  term.kind = kind;
  term.dims = std::move(dims);
  return &term;
}

Term *Translator::integersOf(Kind kind, Dims dims, std::vector<Extent> elements) {
  Term *term = make(kind, std::move(dims));
  term->integers = std::move(elements);
  return term;
}

Term *Translator::splat(Dims dims, float value) {
  Term *term = make(Kind::f32, std::move(dims));
  term->number = value;
  return term;
}

Term *Translator::tensor(Kind kind, Dims dims, Value value) {
  Term *term = make(kind, std::move(dims));
  RankedTensorType type = typeOf(kind, term->dims);
  if (value.getType() != type)
    value = tensor::CastOp::create(builder, loc, type, value);
  term->ir = value;
  return term;
}

Term *Translator::expression(Kind kind, Dims dims, ArrayRef<Term *> sources,
                             std::function<Value(Scalars, ValueRange)> element) {
  unsigned cost = 1;
  for (Term *source : sources)
    cost += source->cost;
  Term *term = make(kind, std::move(dims));
  term->cost = 1;
  for (Term *source : sources) {
    bool isScalar = source->number || (source->integers && source->integers->size() == 1);
    if (!isScalar && (!source->element || source->ir || (cost > maxCost && source->cost > maxSharedCost)))
      materialize(source);
    term->cost += source->ir ? 1 : source->cost;
  }
  term->element = std::move(element);
  return term;
}

Term *Translator::weight(const Tensor &tensor) {
  Dims dims;
  for (int64_t extent : tensor.shape)
    dims.push_back(extent);
  Kind kind = *kindOf(tensor.type);
  if (kind == Kind::f32) {
    Term *term = make(kind, dims);
    term->weight = &tensor;
    if (tensor.numElements == 1)
      term->number = firstNumber(tensor);
    return term;
  }
  if (tensor.numElements <= maxKnown) {
    std::vector<Extent> elements;
    for (int64_t i = 0; i < tensor.numElements; ++i)
      elements.push_back(integerAt(tensor, i));
    return integersOf(kind, dims, std::move(elements));
  }
  SmallVector<APInt> values;
  unsigned width = elementType(kind).getIntOrFloatBitWidth();
  int64_t low = std::numeric_limits<int64_t>::max(), high = std::numeric_limits<int64_t>::min();
  for (int64_t i = 0; i < tensor.numElements; ++i) {
    int64_t value = integerAt(tensor, i);
    low = std::min(low, value);
    high = std::max(high, value);
    values.push_back(APInt(width, value, /*isSigned=*/true, /*implicitTrunc=*/true));
  }
  Value constant =
      arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(typeOf(kind, dims), values));
  Term *term = this->tensor(kind, dims, constant);
  if (high < std::numeric_limits<int64_t>::max())
    term->bounds = Bounds{low, high + 1};
  return term;
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

static FloatType storedType(OpBuilder &builder, ElementType type) {
  switch (type) {
  case ElementType::f16:
    return builder.getF16Type();
  case ElementType::bf16:
    return builder.getBF16Type();
  case ElementType::f64:
    return builder.getF64Type();
  default:
    return builder.getF32Type();
  }
}

Value Translator::weightBy(const Tensor &tensor, const std::string &key, RankedTensorType type,
                           function_ref<Value(Value)> recipe) {
  std::string &symbol = weightSymbols[{tensor.name, key}];
  if (symbol.empty()) {
    symbol = plainName(tensor.name + key, /*isDim=*/false);
    while (module->lookupSymbol(symbol))
      symbol += "_";
    OpBuilder::InsertionGuard guard(builder);
    if (lastWeight)
      builder.setInsertionPointAfter(lastWeight);
    else
      builder.setInsertionPointToStart(module->getBody());
    auto weightOp = ops::WeightOp::create(builder, loc, symbol, 1, type, IntegerAttr(), IntegerAttr());
    lastWeight = weightOp;
    builder.createBlock(&weightOp.getBody());
    auto wanted = RankedTensorType::get(tensor.shape, builder.getF32Type());
    RankedTensorType stored = wanted.clone(storedType(builder, tensor.type));
    Value value =
        ops::CheckpointTensorOp::create(builder, loc, stored, builder.getStrArrayAttr({tensor.name}), 0);
    if (stored.getElementTypeBitWidth() < 32)
      value = arith::ExtFOp::create(builder, loc, wanted, value);
    else if (stored.getElementTypeBitWidth() > 32)
      value = arith::TruncFOp::create(builder, loc, wanted, value);
    ops::YieldOp::create(builder, loc, recipe(value));
  }
  return ops::GetWeightOp::create(builder, loc, type, FlatSymbolRefAttr::get(builder.getContext(), symbol),
                                  Value());
}

//===----------------------------------------------------------------------===//
// Reading terms
//===----------------------------------------------------------------------===//

/// A scalar constant in a loop's body.
static Value constantOf(Translator &t, Scalars s, const Term *term) {
  if (term->number)
    return arith::ConstantOp::create(s.builder, s.loc, s.builder.getF32FloatAttr(*term->number));
  const Extent &value = term->integers->front();
  Type type = t.elementType(term->kind);
  if (auto known = value.constant())
    return arith::ConstantOp::create(s.builder, s.loc, s.builder.getIntegerAttr(type, *known));
  return arith::IndexCastOp::create(s.builder, s.loc, type, t.index(s.builder, value));
}

Value Translator::materialize(Term *term) {
  if (term->ir)
    return term->ir;
  RankedTensorType type = typeOf(term->kind, term->dims);
  if (term->weight) {
    std::string key;
    for (int64_t axis : term->permutation)
      key += (key.empty() ? ".order" : "") + std::to_string(axis);
    term->ir = weightBy(*term->weight, key, type, [&](Value stored) -> Value {
      if (term->permutation.empty())
        return stored;
      Value init = tensor::EmptyOp::create(builder, loc, type.getShape(), type.getElementType());
      return linalg::TransposeOp::create(builder, loc, stored, init, term->permutation).getResult()[0];
    });
  } else if (term->number) {
    Value value = arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(*term->number));
    term->ir = linalg::FillOp::create(builder, loc, value, empty(term->kind, term->dims)).getResult(0);
  } else if (term->integers) {
    if (llvm::all_of(*term->integers, [](const Extent &extent) { return extent.constant().has_value(); })) {
      SmallVector<APInt> values;
      for (const Extent &extent : *term->integers)
        values.push_back(APInt(type.getElementTypeBitWidth(), *extent.constant(), /*isSigned=*/true,
                               /*implicitTrunc=*/true));
      term->ir = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, values));
    } else {
      SmallVector<Value> values;
      for (const Extent &extent : *term->integers)
        values.push_back(
            arith::IndexCastOp::create(builder, loc, type.getElementType(), index(builder, extent)));
      term->ir = tensor::FromElementsOp::create(builder, loc, type, values);
    }
  } else {
    Value init = empty(term->kind, term->dims);
    SmallVector<utils::IteratorType> parallel(term->rank(), utils::IteratorType::parallel);
    term->ir = linalg::GenericOp::create(builder, loc, init.getType(), ValueRange(), init,
                                         builder.getMultiDimIdentityMap(term->rank()), parallel,
                                         [&](OpBuilder &inner, Location l, ValueRange) {
                                           SmallVector<Value> indices;
                                           for (int64_t axis = 0; axis < term->rank(); ++axis)
                                             indices.push_back(linalg::IndexOp::create(inner, l, axis));
                                           linalg::YieldOp::create(inner, l,
                                                                   term->element(Scalars{inner, l}, indices));
                                         })
                   .getResult(0);
    term->cost = 1;
  }
  return term->ir;
}

Value Translator::at(Term *term, Scalars s, ValueRange indices) {
  if (term->number || (term->integers && term->integers->size() == 1))
    return constantOf(*this, s, term);
  if (term->ir)
    return s.at(term->ir, indices);
  return term->element(s, indices);
}

Value Translator::atBroadcast(Term *term, Scalars s, ValueRange indices) {
  SmallVector<Value> own;
  for (auto [extent, index] : llvm::zip(term->dims, indices.take_back(term->rank())))
    own.push_back(extent.is(1) ? s.constant(0) : index);
  return at(term, s, own);
}

std::optional<Bounds> Translator::boundsOf(const Term *term) const {
  if (term->bounds)
    return term->bounds;
  if (!term->integers || term->integers->empty())
    return term->kind == Kind::boolean ? std::optional(Bounds{0, 2}) : std::nullopt;
  Extent low = term->integers->front(), high = low;
  for (const Extent &extent : *term->integers) {
    if (extent.surelyAtMost(low))
      low = extent;
    if (high.surelyAtMost(extent))
      high = extent;
  }
  for (const Extent &extent : *term->integers)
    if (!low.surelyAtMost(extent) || !extent.surelyAtMost(high))
      return std::nullopt;
  return Bounds{low, high + 1};
}

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

Type Translator::elementType(Kind kind) {
  switch (kind) {
  case Kind::f32:
    return builder.getF32Type();
  case Kind::i64:
    return builder.getI64Type();
  case Kind::i32:
    return builder.getI32Type();
  case Kind::boolean:
    return builder.getI1Type();
  }
  llvm_unreachable("all kinds are listed");
}

RankedTensorType Translator::typeOf(Kind kind, const Dims &dims) {
  SmallVector<int64_t> shape;
  for (const Extent &extent : dims) {
    std::optional<int64_t> value = extent.constant();
    if (value && (*value < 0 || *value > std::numeric_limits<int32_t>::max()))
      fail(message("an extent of ", *value, " is not supported"));
    shape.push_back(value.value_or(ShapedType::kDynamic));
  }
  return RankedTensorType::get(shape, elementType(kind));
}

Value Translator::empty(Kind kind, const Dims &dims) {
  SmallVector<OpFoldResult> extents;
  for (const Extent &extent : dims)
    extents.push_back(fold(extent));
  return tensor::EmptyOp::create(builder, loc, extents, elementType(kind));
}

Value Translator::index(OpBuilder &at, const Extent &extent) {
  auto constant = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(at, loc, value); };
  Value sum;
  for (const auto &[monomial, coefficient] : extent.getTerms()) {
    Value product;
    for (unsigned symbol : monomial) {
      Value factor = symbolValues[symbol];
      if (opaques[symbol]) {
        Value a = index(at, opaques[symbol]->a), b = index(at, opaques[symbol]->b);
        switch (opaques[symbol]->op) {
        case Opaque::Op::floorDividePlusOne:
          factor = arith::AddIOp::create(at, loc, arith::DivUIOp::create(at, loc, a, b), constant(1));
          break;
        case Opaque::Op::minimum:
          factor = arith::MinSIOp::create(at, loc, a, b);
          break;
        case Opaque::Op::maximum:
          factor = arith::MaxSIOp::create(at, loc, a, b);
          break;
        }
      }
      product = product ? Value(arith::MulIOp::create(at, loc, product, factor)) : factor;
    }
    if (!product)
      product = constant(coefficient);
    else if (coefficient != 1)
      product = arith::MulIOp::create(at, loc, product, constant(coefficient));
    sum = sum ? Value(arith::AddIOp::create(at, loc, sum, product)) : product;
  }
  return sum ? sum : constant(0);
}

OpFoldResult Translator::fold(const Extent &extent) {
  if (auto value = extent.constant())
    return builder.getIndexAttr(*value);
  return index(builder, extent);
}

Extent Translator::product(ArrayRef<Extent> extents) {
  Extent result = 1;
  for (const Extent &extent : extents)
    result = result * extent;
  return result;
}

Dims Translator::broadcastDims(const Dims &a, const Dims &b) {
  Dims result;
  size_t rank = std::max(a.size(), b.size());
  for (size_t i = 0; i < rank; ++i) {
    Extent left = i + a.size() < rank ? Extent(1) : a[i + a.size() - rank];
    Extent right = i + b.size() < rank ? Extent(1) : b[i + b.size() - rank];
    if (left != right && !left.is(1) && !right.is(1))
      fail(message("extents ", left.toString(symbolNames), " and ", right.toString(symbolNames),
                   " cannot be shown to be equal (shapes ", describe(a), " and ", describe(b), ")"));
    result.push_back(left.is(1) ? right : left);
  }
  return result;
}

Extent Translator::opaque(Opaque::Op op, const Extent &a, const Extent &b) {
  static constexpr const char *names[] = {"quotient", "min", "max"};
  std::string key =
      message(names[static_cast<int>(op)], "(", a.toString(symbolNames), ", ", b.toString(symbolNames), ")");
  auto [it, isNew] = symbolByName.emplace(key, symbolNames.size());
  if (isNew) {
    unsigned depth = 0;
    for (const Extent *operand : {&a, &b})
      for (const auto &[monomial, coefficient] : operand->getTerms())
        for (unsigned symbol : monomial)
          if (opaques[symbol])
            depth = std::max(depth, opaques[symbol]->depth);
    if (depth == maxNested)
      fail("shape arithmetic is too complicated");
    // A short name: nested ones would grow without bound.
    symbolNames.push_back(message(names[static_cast<int>(op)], "#", it->second));
    symbolValues.emplace_back();
    opaques.push_back(Opaque{op, a, b, depth + 1});
  }
  return Extent::symbol(it->second);
}

std::optional<Extent> Translator::minimum(const Extent &a, const Extent &b) {
  if (a.surelyAtMost(b))
    return a;
  if (b.surelyAtMost(a))
    return b;
  // Symbols are at least 1.
  if (a.lowerBound().value_or(0) < 1 || b.lowerBound().value_or(0) < 1)
    return std::nullopt;
  return opaque(Opaque::Op::minimum, a, b);
}

std::optional<Extent> Translator::maximum(const Extent &a, const Extent &b) {
  if (a.surelyAtMost(b))
    return b;
  if (b.surelyAtMost(a))
    return a;
  if (a.lowerBound().value_or(0) < 1 && b.lowerBound().value_or(0) < 1)
    return std::nullopt;
  return opaque(Opaque::Op::maximum, a, b);
}

Extent Translator::floorDivide(const Extent &a, int64_t b) {
  if (auto exact = Extent::divide(a, b))
    return *exact;
  if (auto value = a.constant(); value && *value >= 0)
    return *value / b;
  return opaque(Opaque::Op::floorDividePlusOne, a, b) - 1;
}

bool Translator::requireAtMost(const Extent &value, int64_t limit) {
  if (value.surelyAtMost(limit))
    return true;
  auto symbol = (value - value.constantTerm()).asSymbol();
  if (!symbol || opaques[*symbol])
    return false;
  int64_t bound;
  if (__builtin_sub_overflow(limit, value.constantTerm(), &bound))
    return false;
  auto [it, isNew] = limits.emplace(*symbol, bound);
  if (!isNew)
    it->second = std::min(it->second, bound);
  return true;
}

bool Translator::requireIndices(Term *indices, int64_t limit) {
  if (indices->input >= 0) {
    std::optional<int64_t> &bound = inputBounds[indices->input];
    bound = std::min(bound.value_or(limit), limit);
    return true;
  }
  std::optional<Bounds> bounds = boundsOf(indices);
  return bounds && bounds->low.lowerBound().value_or(-1) >= 0 && requireAtMost(bounds->high, limit);
}

std::string Translator::describe(const Dims &dims) const {
  std::string text;
  for (const Extent &extent : dims)
    text += (text.empty() ? "" : ", ") + extent.toString(symbolNames);
  return "[" + text + "]";
}

} // namespace sesame::onnx
