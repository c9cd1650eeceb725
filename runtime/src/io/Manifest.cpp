//===- Manifest.cpp -------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "io/Manifest.h"

#include "support/Error.h"
#include "support/Hash.h"
#include "support/Json.h"
#include "support/MappedFile.h"

#include <cmath>
#include <cstdio>
#include <set>

using namespace sesame;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

bool isIdentifier(std::string_view name) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (name.empty() || name.size() > 100 || !letter(name[0]))
    return false;
  for (char c : name)
    if (!letter(c) && !(c >= '0' && c <= '9'))
      return false;
  return true;
}

bool isInteger(DType dtype) { return dtype >= DType::u8 && dtype <= DType::i64; }

/// A JSON value and the way to it, for messages: "manifest.json: entries[0].inputs[2].shape".
class Node {
public:
  Node(const json &value, std::string where) : value(value), where(std::move(where)) {}

  [[noreturn]] void fail(const std::string &what) const { throw Error(where + ": " + what); }
  const json &raw() const { return value; }
  const std::string &name() const { return where; }

  bool has(const char *key) const { return object().contains(key); }
  Node operator[](const char *key) const {
    if (!object().contains(key))
      fail(message("expected key '", key, "', found none"));
    return Node(value[key], where + (where.find(": ") == std::string::npos ? ": " : ".") + key);
  }
  const json &object() const { return typed(value.is_object(), "an object"); }
  const std::string &text() const { return typed(value.is_string(), "text").get_ref<const std::string &>(); }
  bool boolean() const { return typed(value.is_boolean(), "true or false").get<bool>(); }
  double number() const {
    double result = typed(value.is_number(), "a number").get<double>();
    if (!std::isfinite(result))
      fail("expected a finite number");
    return result;
  }
  int64_t integer() const {
    typed(value.is_number_integer(), "a whole number");
    if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX))
      fail(message("expected a number that fits 63 bits, found ", value.get<uint64_t>()));
    return value.get<int64_t>();
  }
  int64_t natural() const {
    int64_t result = integer();
    if (result < 0)
      fail(message("expected a number that is not negative, found ", result));
    return result;
  }
  std::vector<Node> array() const {
    typed(value.is_array(), "an array");
    std::vector<Node> nodes;
    for (size_t i = 0; i < value.size(); ++i)
      nodes.emplace_back(value[i], message(where, "[", i, "]"));
    return nodes;
  }

private:
  const json &typed(bool right, const char *expected) const {
    if (!right)
      fail(message("expected ", expected, ", found ", value.type_name()));
    return value;
  }
  const json &value;
  std::string where;
};

Dim parseDim(const EntrySpec &entry, const Node &node) {
  if (!node.raw().is_string())
    return Dim::constant(node.natural());
  int32_t symbol = entry.findSymbol(node.text());
  if (symbol < 0)
    node.fail(message("symbol ", inQuotes(node.text()), " is not among the entry's symbols"));
  return Dim::ofSymbol(symbol);
}

TensorSpec parseTensor(const EntrySpec &entry, const Node &node, bool isOutput) {
  TensorSpec tensor;
  tensor.name = node["name"].text();
  if (tensor.name.empty())
    node["name"].fail("expected a name, found ''");
  std::optional<DType> dtype = parseDType(node["dtype"].text());
  if (!dtype)
    node["dtype"].fail(message("unknown type ", inQuotes(node["dtype"].text())));
  if (sizeInBits(*dtype) % 8 != 0)
    node["dtype"].fail(message("expected a type of whole bytes, found ", toString(*dtype)));
  tensor.dtype = *dtype;
  for (const Node &dim : node["shape"].array())
    tensor.shape.push_back(parseDim(entry, dim));
  if (tensor.shape.size() > maxRank)
    node["shape"].fail(message("expected at most ", maxRank, " axes, found ", tensor.shape.size()));
  if (node.has("state"))
    tensor.isState = node["state"].boolean();
  if (node.has("default")) {
    const std::string &text = node["default"].text();
    if (text == "zeros")
      tensor.defaultValue = InputDefault::zeros;
    else if (text == "ones")
      tensor.defaultValue = InputDefault::ones;
    else if (text == "arange")
      tensor.defaultValue = InputDefault::arange;
    else if (text == "absent")
      tensor.defaultValue = InputDefault::absent;
    else
      node["default"].fail(message("expected 'zeros', 'ones', 'arange' or 'absent', found ", inQuotes(text)));
    if (text == "absent" && !isInteger(tensor.dtype))
      node["default"].fail("'absent' needs an integer input");
    if (text == "arange" && (!isInteger(tensor.dtype) || tensor.shape.empty()))
      node["default"].fail("'arange' needs an integer input with an axis");
    if (text == "ones" && !isInteger(tensor.dtype) && tensor.dtype != DType::f32 &&
        tensor.dtype != DType::f64 && tensor.dtype != DType::i1)
      node["default"].fail(message("no 'ones' for type ", toString(tensor.dtype)));
  }
  if (node.has("range")) {
    std::vector<Node> bounds = node["range"].array();
    if (bounds.size() != 2)
      node["range"].fail(message("expected two numbers, found ", bounds.size()));
    tensor.range = {bounds[0].integer(), bounds[1].integer()};
    if (tensor.range->first >= tensor.range->second)
      node["range"].fail("expected the first number to be below the second");
    if (tensor.dtype != DType::i64 && tensor.dtype != DType::i32)
      node["range"].fail(
          message("expected a range on an i64 or i32 input alone, found ", toString(tensor.dtype)));
  }
  if (node.has("at_most")) {
    tensor.atMost = parseDim(entry, node["at_most"]);
    if ((tensor.dtype != DType::i64 && tensor.dtype != DType::i32) || tensor.shape.size() != 1)
      node["at_most"].fail(message("expected a bound on an i64 or i32 input of one axis alone, found ",
                                   entry.describe(tensor)));
  }
  if (node.has("padding_mask")) {
    tensor.isPaddingMask = node["padding_mask"].boolean();
    if (tensor.isPaddingMask &&
        (tensor.dtype != DType::i64 || tensor.shape.size() != 2 || tensor.shape[0].isConstant() ||
         tensor.shape[1].isConstant() || tensor.shape[0].symbol == tensor.shape[1].symbol))
      node["padding_mask"].fail(message("expected an i64 input with symbols for rows and positions, found ",
                                        entry.describe(tensor)));
  }
  const bool isPlainInput =
      tensor.range || tensor.atMost || tensor.isPaddingMask || tensor.defaultValue != InputDefault::none;
  if (isOutput && (tensor.isState || isPlainInput))
    node.fail("an output has no 'state', 'range', 'at_most', 'padding_mask' or 'default'");
  if (tensor.isState && isPlainInput)
    node.fail("a state has no 'range', 'at_most', 'padding_mask' or 'default'");
  return tensor;
}

DerivedSymbol parseDerived(const EntrySpec &entry, const std::string &name, const Node &node) {
  DerivedSymbol derived;
  derived.symbol = entry.findSymbol(name);
  if (derived.symbol < 0)
    node.fail(message("symbol ", inQuotes(name), " is not among the entry's symbols"));
  for (const Node &term : node["terms"].array()) {
    int32_t symbol = entry.findSymbol(term.text());
    if (symbol < 0)
      term.fail(message("symbol ", inQuotes(term.text()), " is not among the entry's symbols"));
    derived.terms.push_back(symbol);
  }
  if (node.has("plus"))
    derived.plus = node["plus"].integer();
  if (node.has("divide"))
    derived.divisor = node["divide"].natural();
  if (derived.divisor == 0)
    node["divide"].fail("expected a positive number, found 0");
  if (node.has("at_most"))
    derived.atMost = node["at_most"].natural();
  if (node.has("at_least"))
    derived.atLeast = node["at_least"].natural();
  return derived;
}

/// Symbols must be numbered as compiled code numbers them.
void checkSymbolOrder(const EntrySpec &entry, const Node &node) {
  EntrySpec expected;
  for (bool states : {false, true})
    for (const TensorSpec &input : entry.inputs)
      if (input.isState == states)
        for (const Dim &dim : input.shape)
          if (!dim.isConstant())
            expected.addSymbol(entry.symbols[static_cast<size_t>(dim.symbol)]);
  const size_t numGiven = expected.symbols.size();
  for (const DerivedSymbol &derived : entry.derived) {
    expected.addSymbol(entry.symbols[static_cast<size_t>(derived.symbol)]);
    for (int32_t term : derived.terms)
      if (static_cast<size_t>(term) >= numGiven)
        node["derived"].fail(message("symbol ", inQuotes(entry.symbols[static_cast<size_t>(term)]),
                                     " is not among those of the inputs"));
  }
  auto list = [](const std::vector<std::string> &symbols) {
    std::string text;
    for (const std::string &symbol : symbols)
      text += (text.empty() ? "" : ", ") + symbol;
    return "[" + text + "]";
  };
  if (expected.symbols != entry.symbols)
    node["symbols"].fail(message("expected ", list(expected.symbols),
                                 " (the order in inputs, then states, then derived), found ",
                                 list(entry.symbols)));
}

/// The rows of an entry with a padding mask are found by their place: B comes first, then S.
void checkPaddingMask(const EntrySpec &entry, const Node &node) {
  const int32_t number = entry.paddingMask();
  if (number < 0)
    return;
  const TensorSpec &mask = entry.inputs[static_cast<size_t>(number)];
  auto check = [&](const TensorSpec &tensor, const char *list) {
    bool hasRows = !tensor.shape.empty() && tensor.shape[0].symbol == mask.shape[0].symbol;
    for (size_t axis = 0; axis < tensor.shape.size(); ++axis) {
      const int32_t symbol = tensor.shape[axis].symbol;
      if (symbol >= 0 && ((symbol == mask.shape[0].symbol && axis != 0) ||
                          (symbol == mask.shape[1].symbol && (axis != 1 || !hasRows))))
        node[list].fail(message(inQuotes(tensor.name), " ", entry.describe(tensor),
                                " does not go with the padding mask ", inQuotes(mask.name), " ",
                                entry.describe(mask)));
    }
    if (tensor.isState || (tensor.isPaddingMask && &tensor != &mask))
      node[list].fail(message("an entry with the padding mask ", inQuotes(mask.name), " has no ",
                              tensor.isState ? "state " : "second one, ", inQuotes(tensor.name)));
  };
  for (const TensorSpec &input : entry.inputs)
    check(input, "inputs");
  for (const TensorSpec &output : entry.outputs)
    check(output, "outputs");
  if (!entry.derived.empty())
    node["derived"].fail(
        message("an entry with the padding mask ", inQuotes(mask.name), " has no derived symbols"));
}

EntrySpec parseEntry(const Node &node) {
  EntrySpec entry;
  entry.name = node["name"].text();
  if (!isIdentifier(entry.name))
    node["name"].fail(message("expected a C identifier, found ", inQuotes(entry.name)));
  for (const Node &symbol : node["symbols"].array()) {
    if (!isIdentifier(symbol.text()))
      symbol.fail(message("expected a C identifier, found ", inQuotes(symbol.text())));
    if (entry.findSymbol(symbol.text()) >= 0)
      symbol.fail(message("symbol ", inQuotes(symbol.text()), " occurs twice"));
    entry.symbols.push_back(symbol.text());
  }
  for (const Node &input : node["inputs"].array()) {
    TensorSpec tensor = parseTensor(entry, input, false);
    if (entry.findInput(tensor.name) >= 0)
      input.fail(message("input ", inQuotes(tensor.name), " occurs twice"));
    entry.inputs.push_back(std::move(tensor));
  }
  for (const Node &output : node["outputs"].array()) {
    TensorSpec tensor = parseTensor(entry, output, true);
    if (entry.findOutput(tensor.name) >= 0)
      output.fail(message("output ", inQuotes(tensor.name), " occurs twice"));
    entry.outputs.push_back(std::move(tensor));
  }
  if (node.has("derived")) {
    Node derived = node["derived"];
    for (const auto &[name, value] : derived.object().items())
      entry.derived.push_back(parseDerived(entry, name, derived[name.c_str()]));
  }
  checkSymbolOrder(entry, node);
  checkPaddingMask(entry, node);
  if (node.has("limits")) {
    Node limits = node["limits"];
    for (const auto &[name, value] : limits.object().items()) {
      Node limit = limits[name.c_str()];
      int32_t symbol = entry.findSymbol(name);
      if (symbol < 0)
        limit.fail(message("symbol ", inQuotes(name), " is not among the entry's symbols"));
      if (value.is_array())
        for (const Node &bound : limit.array())
          entry.limits.push_back({symbol, parseDim(entry, bound)});
      else
        entry.limits.push_back({symbol, parseDim(entry, limit)});
    }
  }
  return entry;
}

std::vector<Manifest::Term> parseTerms(const Node &node) {
  std::vector<Manifest::Term> terms;
  for (const Node &element : node.array()) {
    std::vector<Node> factors = element.array();
    if (factors.empty())
      element.fail("expected a coefficient, then symbols");
    Manifest::Term term;
    term.coefficient = factors[0].number();
    for (size_t i = 1; i < factors.size(); ++i)
      term.symbols.push_back(factors[i].text());
    terms.push_back(std::move(term));
  }
  return terms;
}

/// States are found by name across entries, so they must agree.
void checkStates(const Manifest &manifest, const Node &node) {
  std::vector<std::pair<const EntrySpec *, const TensorSpec *>> states;
  for (const EntrySpec &entry : manifest.entries)
    for (const TensorSpec &input : entry.inputs) {
      if (!input.isState)
        continue;
      for (const auto &[otherEntry, other] : states)
        if (other->name == input.name && otherEntry->describe(*other) != entry.describe(input))
          node.fail(message("state ", inQuotes(input.name), " is ", otherEntry->describe(*other),
                            " in entry '", otherEntry->name, "', but ", entry.describe(input), " in entry '",
                            entry.name, "'"));
      states.emplace_back(&entry, &input);
    }
}

} // namespace

const EntrySpec *Manifest::findEntry(std::string_view name) const {
  for (const EntrySpec &entry : entries)
    if (entry.name == name)
      return &entry;
  return nullptr;
}

Manifest sesame::parseManifest(const std::string &path, std::string_view text) {
  json document = parseJson(path, text, DuplicateKeys::refuse);
  Node root(document, path);
  // The version comes first: of another version's manifest nothing else is known.
  if (int64_t found = root["sesame_bundle"].integer(); found != Manifest::version)
    throw Error(message(path, ": expected a bundle of version ", Manifest::version, ", found version ", found,
                        "; compile the model again with this Sesame"));
  Manifest manifest;
  Node model = root["model"];
  manifest.model = {model["model_type"].text(), model["architecture"].text(), model["task"].text()};
  Node target = root["target"];
  manifest.target.triple = target["triple"].text();
  manifest.target.cpu = target["cpu"].text();
  for (const Node &feature : target["features"].array())
    manifest.target.features.push_back(feature.text());
  Node weights = root["weights"];
  manifest.weights.file = weights["file"].text();
  if (!isPlainFileName(manifest.weights.file))
    weights["file"].fail(
        message("expected the name of a file in the bundle, found ", inQuotes(manifest.weights.file)));
  manifest.weights.dataSizeInBytes = static_cast<uint64_t>(weights["data_bytes"].natural());
  manifest.weights.checksum = weights["checksum"].text();
  for (const Node &node : root["entries"].array()) {
    EntrySpec entry = parseEntry(node);
    if (manifest.findEntry(entry.name))
      node["name"].fail(message("entry ", inQuotes(entry.name), " occurs twice"));
    manifest.entries.push_back(std::move(entry));
  }
  if (manifest.entries.empty())
    root["entries"].fail("expected at least one entry");
  checkStates(manifest, root["entries"]);
  if (root.has("ops"))
    for (const Node &node : root["ops"].array()) {
      Manifest::Op op;
      op.name = node["name"].text();
      op.kind = node["kind"].text();
      if (node.has("flops"))
        op.flops = parseTerms(node["flops"]);
      if (node.has("bytes"))
        op.bytes = parseTerms(node["bytes"]);
      manifest.ops.push_back(std::move(op));
    }
  if (root.has("code"))
    manifest.code = root["code"].object();
  if (root.has("config"))
    manifest.config = root["config"].object();
  if (root.has("generation"))
    manifest.generation = root["generation"].object();
  if (root.has("provenance"))
    manifest.provenance = root["provenance"].object();
  return manifest;
}

Manifest sesame::readManifest(const std::string &path) { return parseManifest(path, readTextFile(path)); }

static ordered_json serializeDim(const EntrySpec &entry, const Dim &dim) {
  if (dim.isConstant())
    return dim.extent;
  return entry.symbols.at(static_cast<size_t>(dim.symbol));
}

static ordered_json serializeTensor(const EntrySpec &entry, const TensorSpec &tensor) {
  ordered_json node = {{"name", tensor.name}, {"dtype", toString(tensor.dtype)}};
  ordered_json shape = ordered_json::array();
  for (const Dim &dim : tensor.shape)
    shape.push_back(serializeDim(entry, dim));
  node["shape"] = std::move(shape);
  if (tensor.range)
    node["range"] = {tensor.range->first, tensor.range->second};
  if (tensor.atMost)
    node["at_most"] = serializeDim(entry, *tensor.atMost);
  if (tensor.defaultValue != InputDefault::none)
    node["default"] = toString(tensor.defaultValue);
  if (tensor.isState)
    node["state"] = true;
  if (tensor.isPaddingMask)
    node["padding_mask"] = true;
  return node;
}

static ordered_json serializeEntry(const EntrySpec &entry) {
  ordered_json node = {{"name", entry.name}};
  node["symbols"] = entry.symbols;
  for (const DerivedSymbol &derived : entry.derived) {
    ordered_json formula = {{"terms", ordered_json::array()}, {"plus", derived.plus}};
    for (int32_t term : derived.terms)
      formula["terms"].push_back(entry.symbols.at(static_cast<size_t>(term)));
    if (derived.divisor != 1)
      formula["divide"] = derived.divisor;
    if (derived.atMost)
      formula["at_most"] = *derived.atMost;
    if (derived.atLeast)
      formula["at_least"] = *derived.atLeast;
    node["derived"][entry.symbols.at(static_cast<size_t>(derived.symbol))] = std::move(formula);
  }
  if (!entry.limits.empty()) {
    ordered_json limits = ordered_json::object();
    for (const SymbolLimit &limit : entry.limits) {
      ordered_json bound = serializeDim(entry, limit.atMost);
      ordered_json &slot = limits[entry.symbols.at(static_cast<size_t>(limit.symbol))];
      if (slot.is_array())
        slot.push_back(std::move(bound));
      else if (!slot.is_null())
        slot = ordered_json::array({slot, std::move(bound)});
      else
        slot = std::move(bound);
    }
    node["limits"] = std::move(limits);
  }
  ordered_json inputs = ordered_json::array(), outputs = ordered_json::array();
  for (const TensorSpec &tensor : entry.inputs)
    inputs.push_back(serializeTensor(entry, tensor));
  for (const TensorSpec &tensor : entry.outputs)
    outputs.push_back(serializeTensor(entry, tensor));
  node["inputs"] = std::move(inputs);
  node["outputs"] = std::move(outputs);
  return node;
}

static ordered_json serializeTerms(const std::vector<Manifest::Term> &terms) {
  ordered_json list = ordered_json::array();
  for (const Manifest::Term &term : terms) {
    ordered_json factors = ordered_json::array({term.coefficient});
    for (const std::string &symbol : term.symbols)
      factors.push_back(symbol);
    list.push_back(std::move(factors));
  }
  return list;
}

std::string sesame::serializeManifest(const Manifest &manifest) {
  ordered_json root;
  root["sesame_bundle"] = Manifest::version;
  root["model"] = {{"model_type", manifest.model.modelType},
                   {"architecture", manifest.model.architecture},
                   {"task", manifest.model.task}};
  root["target"] = {{"triple", manifest.target.triple}, {"cpu", manifest.target.cpu}};
  root["target"]["features"] = manifest.target.features;
  root["weights"] = {{"file", manifest.weights.file},
                     {"data_bytes", manifest.weights.dataSizeInBytes},
                     {"checksum", manifest.weights.checksum}};
  ordered_json entries = ordered_json::array();
  for (const EntrySpec &entry : manifest.entries)
    entries.push_back(serializeEntry(entry));
  root["entries"] = std::move(entries);
  if (!manifest.ops.empty()) {
    ordered_json ops = ordered_json::array();
    for (const Manifest::Op &op : manifest.ops) {
      ordered_json node = {{"name", op.name}, {"kind", op.kind}};
      if (!op.flops.empty())
        node["flops"] = serializeTerms(op.flops);
      if (!op.bytes.empty())
        node["bytes"] = serializeTerms(op.bytes);
      ops.push_back(std::move(node));
    }
    root["ops"] = std::move(ops);
  }
  if (!manifest.code.empty())
    root["code"] = manifest.code;
  root["config"] = manifest.config;
  root["generation"] = manifest.generation;
  root["provenance"] = manifest.provenance;
  std::string text;
  try {
    text = root.dump(1) + "\n";
  } catch (const json::exception &error) {
    throw Error(message("manifest.json: cannot be written: ", describeJsonError(error)));
  }
  parseManifest("manifest.json", text);
  return text;
}

std::string sesame::headerChecksum(std::string_view headerText) {
  char digits[17];
  std::snprintf(digits, sizeof(digits), "%016llx", static_cast<unsigned long long>(xxh64(headerText)));
  return digits;
}
