//===- EntrySpecs.cpp - Entries of a module, for the manifest ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EntrySpecs.h"

#include "ElementType.h"
#include "support/Error.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;

namespace sesame {

/// Inputs and outputs have every element type of a bundle but f64.
static DType readElementType(Type type, const std::string &where) {
  const std::optional<DType> dtype = toDType(type);
  if (dtype && *dtype != DType::f64)
    return *dtype;
  std::string name;
  llvm::raw_string_ostream(name) << type;
  throw Error(message(where, ": expected an element type of f32, f16, bf16, i64, i32 or i8, got ", name));
}

/// The dims of one argument or result. `fallback` names the symbols of dynamic extents that no attribute
/// names.
static std::vector<Dim> readDims(EntrySpec &entry, RankedTensorType type, ArrayAttr dims,
                                 const std::string &fallback, const std::string &where) {
  if (dims && static_cast<int64_t>(dims.size()) != type.getRank())
    throw Error(message(where, ": expected ", type.getRank(), " dims, got ", dims.size()));
  std::vector<Dim> shape;
  for (int64_t axis = 0; axis < type.getRank(); ++axis) {
    std::string text = dims ? cast<StringAttr>(dims[axis]).str() : std::string();
    int64_t extent = 0;
    bool isNumber = !text.empty() && !StringRef(text).getAsInteger(10, extent);
    if (!type.isDynamicDim(axis)) {
      if (isNumber && extent != type.getDimSize(axis))
        throw Error(
            message(where, ": axis ", axis, ": expected ", type.getDimSize(axis), ", got '", text, "'"));
      shape.push_back(Dim::constant(type.getDimSize(axis)));
      continue;
    }
    if (isNumber)
      throw Error(
          message(where, ": axis ", axis, ": expected a symbol for a dynamic extent, got '", text, "'"));
    shape.push_back(
        Dim::ofSymbol(entry.addSymbol(text.empty() ? fallback + "_" + std::to_string(axis) : text)));
  }
  return shape;
}

/// A number, or another symbol of the entry.
static Dim readBound(const EntrySpec &entry, Attribute bound) {
  if (auto number = dyn_cast<IntegerAttr>(bound))
    return Dim::constant(number.getInt());
  auto name = dyn_cast<StringAttr>(bound);
  const int32_t symbol = name ? entry.findSymbol(name.strref()) : -1;
  if (symbol < 0)
    throw Error(message("entry '", entry.name,
                        "': expected a limit to be a number or a symbol of the inputs, got '",
                        name ? name.str() : "another attribute", "'"));
  return Dim::ofSymbol(symbol);
}

/// The formula of a symbol that no input has.
static DerivedSymbol readDerived(EntrySpec &entry, NamedAttribute derived) {
  const std::string where =
      message("entry '", entry.name, "', sesame.derived of '", derived.getName().str(), "'");
  auto formula = dyn_cast<DictionaryAttr>(derived.getValue());
  auto terms = formula ? formula.getAs<ArrayAttr>("terms") : ArrayAttr();
  if (!terms)
    throw Error(message(where, ": expected a list 'terms'"));
  DerivedSymbol result;
  for (Attribute term : terms)
    result.terms.push_back(readBound(entry, term).symbol);
  if (llvm::is_contained(result.terms, -1))
    throw Error(message(where, ": expected terms to be symbols of the inputs"));
  if (auto plus = formula.getAs<IntegerAttr>("plus"))
    result.plus = plus.getInt();
  if (auto divisor = formula.getAs<IntegerAttr>("divide"))
    result.divisor = divisor.getInt();
  if (auto atMost = formula.getAs<IntegerAttr>("at_most"))
    result.atMost = atMost.getInt();
  if (auto atLeast = formula.getAs<IntegerAttr>("at_least"))
    result.atLeast = atLeast.getInt();
  if (entry.findSymbol(derived.getName().strref()) >= 0)
    throw Error(message(where, ": the inputs have this symbol"));
  result.symbol = entry.addSymbol(derived.getName().strref());
  return result;
}

static EntrySpec readEntry(func::FuncOp function) {
  EntrySpec entry;
  entry.name = function.getSymName().str();
  const unsigned numArguments = function.getNumArguments();
  // Symbols are numbered over inputs first, then states.
  std::vector<TensorSpec> inputs(numArguments);
  std::vector<std::pair<unsigned, Attribute>> bounds; // of arguments, by symbols that may come later
  for (bool states : {false, true}) {
    for (unsigned i = 0; i < numArguments; ++i) {
      const bool isState = static_cast<bool>(function.getArgAttr(i, "sesame.state"));
      if (isState != states)
        continue;
      std::string fallback = "arg" + std::to_string(i);
      auto name = function.getArgAttrOfType<StringAttr>(i, "sesame.name");
      std::string where = message("entry '", entry.name, "', argument ", i);
      auto type = dyn_cast<RankedTensorType>(function.getArgumentTypes()[i]);
      if (!type)
        throw Error(message(where, ": expected a ranked tensor"));
      TensorSpec &spec = inputs[i];
      spec.name = name ? name.str() : fallback;
      spec.dtype = readElementType(type.getElementType(), where);
      spec.shape =
          readDims(entry, type, function.getArgAttrOfType<ArrayAttr>(i, "sesame.dims"), fallback, where);
      spec.isState = isState;
      spec.isPaddingMask = static_cast<bool>(function.getArgAttr(i, "sesame.padding_mask"));
      if (auto range = function.getArgAttrOfType<DenseI64ArrayAttr>(i, "sesame.range")) {
        if (range.size() != 2)
          throw Error(message(where, ": expected sesame.range to hold two bounds, got ", range.size()));
        spec.range = {range[0], range[1]};
      }
      if (Attribute bound = function.getArgAttr(i, "sesame.at_most"))
        bounds.push_back({i, bound});
      if (auto value = function.getArgAttrOfType<StringAttr>(i, "sesame.default")) {
        spec.defaultValue = value == "ones"     ? InputDefault::ones
                            : value == "zeros"  ? InputDefault::zeros
                            : value == "arange" ? InputDefault::arange
                            : value == "absent" ? InputDefault::absent
                                                : InputDefault::none;
        if (spec.defaultValue == InputDefault::none)
          throw Error(message(where, ": expected sesame.default to be ones, zeros, arange or absent, got '",
                              value.str(), "'"));
      }
    }
  }
  for (auto [argument, bound] : bounds)
    inputs[argument].atMost = readBound(entry, bound);
  entry.inputs = std::move(inputs);
  if (auto derived = function->getAttrOfType<DictionaryAttr>("sesame.derived"))
    for (NamedAttribute symbol : derived)
      entry.derived.push_back(readDerived(entry, symbol));
  const size_t numSymbols = entry.symbols.size();
  for (unsigned i = 0, e = function.getNumResults(); i < e; ++i) {
    if (function.getResultAttr(i, "sesame.state"))
      continue;
    std::string where = message("entry '", entry.name, "', result ", i);
    auto type = dyn_cast<RankedTensorType>(function.getResultTypes()[i]);
    if (!type)
      throw Error(message(where, ": expected a ranked tensor"));
    auto name = function.getResultAttrOfType<StringAttr>(i, "sesame.name");
    TensorSpec spec;
    spec.name = name ? name.str() : e == 1 ? "result" : "result" + std::to_string(i);
    spec.dtype = readElementType(type.getElementType(), where);
    spec.shape =
        readDims(entry, type, function.getResultAttrOfType<ArrayAttr>(i, "sesame.dims"), spec.name, where);
    entry.outputs.push_back(std::move(spec));
  }
  if (entry.symbols.size() != numSymbols)
    throw Error(
        message("entry '", entry.name, "': symbol '", entry.symbols[numSymbols],
                "' of a result is bound by no input; give the results sesame.dims of the inputs' symbols"));
  if (auto limits = function->getAttrOfType<DictionaryAttr>("sesame.limits"))
    for (NamedAttribute limit : limits) {
      int32_t symbol = entry.findSymbol(limit.getName().strref());
      if (symbol < 0)
        throw Error(message("entry '", entry.name, "': limit of '", limit.getName().str(),
                            "', which is no symbol of its inputs"));
      auto list = dyn_cast<ArrayAttr>(limit.getValue());
      const SmallVector<Attribute> bounds =
          list ? llvm::to_vector(list.getValue()) : SmallVector<Attribute>{limit.getValue()};
      for (Attribute each : bounds)
        entry.limits.push_back({symbol, readBound(entry, each)});
    }
  return entry;
}

std::vector<EntrySpec> readEntrySpecs(ModuleOp module) {
  std::vector<EntrySpec> entries;
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isPublic() && !function.isDeclaration())
      entries.push_back(readEntry(function));
  if (entries.empty())
    throw Error("module: expected at least one public function to compile, found none");
  return entries;
}

} // namespace sesame
