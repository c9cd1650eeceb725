//===- Dataflow.cpp - What the operations of an entry compute, and what it costs ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Dataflow.h"

#include "sesame/Dialect/SesameDialect.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace sesame {

std::string Node::type() const {
  std::string text = "[";
  for (size_t axis = 0; axis < shape.size(); ++axis)
    text += (axis ? ", " : "") + shape[axis].str();
  return text + "] " + elementType;
}

Polynomial Dataflow::flops() const {
  Polynomial sum;
  for (const Node &node : nodes)
    sum += node.times * node.flops;
  return sum;
}

namespace {

using Extents = std::vector<Polynomial>;

Polynomial unknown() { return Polynomial::symbol("?"); }

Polynomial product(const Extents &extents) {
  Polynomial result = 1;
  for (const Polynomial &extent : extents)
    result = result * extent;
  return result;
}

std::string toText(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

class Analysis {
public:
  explicit Analysis(Dataflow &result) : result(result) {}

  void run(func::FuncOp entry);

private:
  /// What is known of a value: the extents of a tensor, or the value of an index; and where it comes from.
  struct Facts {
    Extents extents;
    Polynomial number = unknown();
    std::vector<size_t> sources; // nodes
    std::vector<std::string> weights;
  };

  void visitBlock(Block &block, StringRef function, const Polynomial &times);
  void visit(Operation &op, StringRef function, const Polynomial &times);
  void visitLoop(scf::ForOp loop, StringRef function, const Polynomial &times);
  void visitCall(func::CallOp call, const Polynomial &times);
  void addNode(Operation &op, StringRef function, const Polynomial &times);
  Polynomial number(Value value);
  Polynomial number(OpFoldResult value);
  Polynomial number(AffineExpr expression, ValueRange operands, unsigned numDims);
  Extents extents(Value value);
  void reify(Operation &op);
  void estimate(Node &node);

  Dataflow &result;
  llvm::DenseMap<Value, Facts> facts;
  std::vector<size_t> openLoops;
};

/// Operations that move numbers about and are not drawn.
bool isMove(Operation &op) {
  return isa<linalg::TransposeOp, linalg::CopyOp, linalg::FillOp, linalg::BroadcastOp>(op);
}

bool isDrawn(Operation &op) {
  if (isa<mlir::sesame::GetWeightOp>(op))
    return false;
  // Sums and products of tensors, as the importer writes residual connections.
  const bool isElementwise = OpTrait::hasElementwiseMappableTraits(&op) && op.getNumResults() == 1 &&
                             isa<RankedTensorType>(op.getResult(0).getType());
  return isa<mlir::sesame::SesameDialect>(op.getDialect()) || (isa<linalg::LinalgOp>(op) && !isMove(op)) ||
         isElementwise;
}

} // namespace

static ShapedType shapedType(Value value) { return dyn_cast<ShapedType>(value.getType()); }

Polynomial Analysis::number(AffineExpr expression, ValueRange operands, unsigned numDims) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expression))
    return constant.getValue();
  if (auto dim = dyn_cast<AffineDimExpr>(expression))
    return number(operands[dim.getPosition()]);
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expression))
    return number(operands[numDims + symbol.getPosition()]);
  auto binary = cast<AffineBinaryOpExpr>(expression);
  const Polynomial left = number(binary.getLHS(), operands, numDims),
                   right = number(binary.getRHS(), operands, numDims);
  switch (binary.getKind()) {
  case AffineExprKind::Add:
    return left + right;
  case AffineExprKind::Mul:
    return left * right;
  case AffineExprKind::FloorDiv:
  case AffineExprKind::CeilDiv:
    return left.dividedBy(right).value_or(unknown());
  default:
    return unknown();
  }
}

Polynomial Analysis::number(Value value) {
  if (auto known = facts.find(value); known != facts.end())
    return known->second.number;
  Operation *op = value.getDefiningOp();
  if (!op)
    return unknown();
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto integer = dyn_cast<IntegerAttr>(constant.getValue());
    return integer ? Polynomial(static_cast<double>(integer.getInt())) : unknown();
  }
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    const std::optional<double> axis = number(dim.getIndex()).constant();
    const Extents shape = extents(dim.getSource());
    return axis && *axis >= 0 && *axis < shape.size() ? shape[static_cast<size_t>(*axis)] : unknown();
  }
  if (isa<arith::AddIOp>(op))
    return number(op->getOperand(0)) + number(op->getOperand(1));
  if (isa<arith::SubIOp>(op))
    return number(op->getOperand(0)) - number(op->getOperand(1));
  if (isa<arith::MulIOp>(op))
    return number(op->getOperand(0)) * number(op->getOperand(1));
  if (isa<arith::DivSIOp, arith::DivUIOp, arith::FloorDivSIOp, arith::CeilDivSIOp>(op))
    return number(op->getOperand(0)).dividedBy(number(op->getOperand(1))).value_or(unknown());
  if (isa<arith::MaxSIOp, arith::MaxUIOp, arith::SelectOp>(op)) { // Of extents that broadcasting makes equal.
    const Polynomial left = number(op->getOperands().drop_back().back()),
                     right = number(op->getOperands().back());
    return left == right || right == Polynomial(1) ? left : left == Polynomial(1) ? right : unknown();
  }
  if (isa<arith::IndexCastOp>(op))
    return number(op->getOperand(0));
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
    return number(apply.getAffineMap().getResult(0), apply.getMapOperands(),
                  apply.getAffineMap().getNumDims());
  return unknown();
}

Polynomial Analysis::number(OpFoldResult value) {
  if (auto attribute = dyn_cast<Attribute>(value))
    return static_cast<double>(cast<IntegerAttr>(attribute).getInt());
  return number(cast<Value>(value));
}

Extents Analysis::extents(Value value) {
  if (auto known = facts.find(value); known != facts.end() && !known->second.extents.empty())
    return known->second.extents;
  ShapedType type = shapedType(value);
  Extents result;
  if (type && type.hasRank())
    for (int64_t extent : type.getShape())
      result.push_back(ShapedType::isDynamic(extent) ? unknown() : Polynomial(static_cast<double>(extent)));
  return result;
}

/// Finds the extents of an operation's results by its own interface.
void Analysis::reify(Operation &op) {
  OpBuilder builder(&op);
  ReifiedRankedShapedTypeDims shapes;
  auto destinations = dyn_cast<DestinationStyleOpInterface>(op);
  if (OpTrait::hasElementwiseMappableTraits(&op)) {
    for (Value value : op.getResults())
      facts[value].extents = extents(op.getOperand(op.getNumOperands() - 1));
    return;
  }
  const bool isReified = succeeded(reifyResultShapes(builder, &op, shapes));
  for (auto [i, value] : llvm::enumerate(op.getResults())) {
    ShapedType type = shapedType(value);
    if (!type || !type.hasRank() || type.getRank() == 0)
      continue;
    Extents found = extents(value);
    const Extents destination = destinations && i < static_cast<size_t>(destinations.getNumDpsInits())
                                    ? extents(destinations.getDpsInits()[i])
                                    : Extents();
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      if (type.isDynamicDim(axis))
        found[axis] = isReified              ? number(shapes[i][axis])
                      : !destination.empty() ? destination[axis]
                                             : unknown();
    facts[value].extents = std::move(found);
  }
}

/// The numbers of flops are those of the usual formulas; 8 a number for a layer norm (mean, variance, scale).
void Analysis::estimate(Node &node) {
  Operation *op = node.op;
  auto bytes = [&](Value value) {
    const unsigned bits = shapedType(value).getElementTypeBitWidth();
    return product(extents(value)) * Polynomial(bits / 8.0);
  };
  const Polynomial out = product(node.shape);
  for (Value value : op->getOperands()) {
    if (!shapedType(value) || isa<mlir::sesame::EmbeddingOp, mlir::sesame::CacheAppendOp>(op))
      continue;
    const Polynomial size = bytes(value);
    node.bytes += size;
    if (const Facts &known = facts[value]; known.sources.empty() && !known.weights.empty())
      node.weightBytes += size;
  }
  if (auto append = dyn_cast<mlir::sesame::CacheAppendOp>(op)) {
    node.bytes = bytes(append.getSource()) * Polynomial(2);
    return;
  }
  for (Value value : op->getResults())
    if (shapedType(value))
      node.bytes += bytes(value);
  auto recurrent = [&](Value input, ValueRange weights) {
    const Extents shape = extents(input);
    for (Value weight : weights)
      if (weight)
        node.flops += Polynomial(2) * shape[0] * shape[1] * product(extents(weight));
  };
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](mlir::sesame::LinearOp linear) {
        node.flops = Polynomial(2) * out * extents(linear.getInput()).back();
      })
      .Case([&](mlir::sesame::GatedLinearOp linear) {
        node.flops = Polynomial(4) * out * extents(linear.getInput()).back();
      })
      .Case([&](mlir::sesame::AttentionOp attention) {
        node.flops =
            Polynomial(2) * extents(attention.getKey())[2] * (product(extents(attention.getQuery())) + out);
      })
      .Case<mlir::sesame::RNNOp, mlir::sesame::GRUOp>(
          [&](auto cell) { recurrent(cell.getInput(), {cell.getInputWeight(), cell.getRecurrentWeight()}); })
      .Case([&](mlir::sesame::LSTMOp cell) {
        recurrent(cell.getInput(), {cell.getInputWeight(), cell.getRecurrentWeight(), cell.getProjection()});
      })
      .Case<mlir::sesame::LayerNormOp, mlir::sesame::RMSNormOp>(
          [&](auto) { node.flops = Polynomial(8) * out; })
      .Case([&](mlir::sesame::EmbeddingOp embedding) {
        // As many rows of each table as the result has; their sum is all the arithmetic.
        const double numTables = embedding.getTables().size();
        node.weightBytes =
            out * Polynomial(numTables * shapedType(embedding.getResult()).getElementTypeBitWidth() / 8);
        node.bytes += node.weightBytes;
        node.flops = out * Polynomial(numTables - 1);
      })
      .Default([&](Operation *) { node.flops = out; });
}

void Analysis::addNode(Operation &op, StringRef function, const Polynomial &times) {
  Node node;
  node.op = &op;
  node.name = op.getName().stripDialect().str();
  node.function = function.str();
  node.loops = openLoops;
  node.times = times;
  if (op.getNumResults()) {
    node.shape = extents(op.getResult(0));
    if (ShapedType type = shapedType(op.getResult(0)))
      node.elementType = toText(type.getElementType());
  }
  for (Value operand : op.getOperands()) {
    const Facts &known = facts[operand];
    if (isa<IndexType>(operand.getType()))
      continue;
    node.producers.insert(node.producers.end(), known.sources.begin(), known.sources.end());
    node.weights.insert(node.weights.end(), known.weights.begin(), known.weights.end());
  }
  llvm::sort(node.producers);
  node.producers.erase(llvm::unique(node.producers), node.producers.end());
  estimate(node);
  for (Value value : op.getResults()) {
    facts[value].sources = {result.nodes.size()};
    facts[value].weights.clear();
  }
  result.nodes.push_back(std::move(node));
}

void Analysis::visit(Operation &op, StringRef function, const Polynomial &times) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return visitLoop(loop, function, times);
  if (auto call = dyn_cast<func::CallOp>(op))
    return visitCall(call, times);
  reify(op);
  if (isDrawn(op))
    return addNode(op, function, times);
  std::vector<size_t> sources;
  std::vector<std::string> weights;
  for (Value operand : op.getOperands()) {
    if (isa<IndexType>(operand.getType()))
      continue;
    const Facts &known = facts[operand];
    sources.insert(sources.end(), known.sources.begin(), known.sources.end());
    weights.insert(weights.end(), known.weights.begin(), known.weights.end());
  }
  llvm::sort(sources);
  sources.erase(llvm::unique(sources), sources.end());
  if (auto weight = dyn_cast<mlir::sesame::GetWeightOp>(op))
    weights = {weight.getWeight().str()};
  for (Value value : op.getResults()) {
    if (isa<IndexType>(value.getType())) {
      facts.erase(value); // Of an earlier call of the function.
      const Polynomial known = number(value);
      facts[value].number = known;
      continue;
    }
    facts[value].sources = sources;
    facts[value].weights = weights;
  }
}

void Analysis::visitLoop(scf::ForOp loop, StringRef function, const Polynomial &times) {
  const Polynomial range = number(loop.getUpperBound()) - number(loop.getLowerBound());
  const Polynomial tripCount = range.dividedBy(number(loop.getStep())).value_or(unknown());
  for (auto [argument, initial] : llvm::zip(loop.getRegionIterArgs(), loop.getInitArgs())) {
    const Facts known = facts[initial];
    facts[argument] = known;
    if (facts[argument].extents.empty())
      facts[argument].extents = extents(initial);
  }
  facts[loop.getInductionVar()].number = Polynomial::symbol("layer");
  openLoops.push_back(result.loops.size());
  result.loops.push_back({tripCount});
  visitBlock(*loop.getBody(), function, times * tripCount);
  openLoops.pop_back();
  for (auto [value, yielded] : llvm::zip(loop.getResults(), loop.getBody()->getTerminator()->getOperands())) {
    const Facts known = facts[yielded];
    facts[value] = known;
  }
}

void Analysis::visitCall(func::CallOp call, const Polynomial &times) {
  auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(call, call.getCalleeAttr());
  if (!callee || callee.isExternal()) {
    reify(*call);
    return;
  }
  Block &body = callee.getBody().front();
  for (auto [argument, operand] : llvm::zip(body.getArguments(), call.getOperands())) {
    Facts known = facts[operand];
    known.extents = extents(operand);
    if (isa<IndexType>(operand.getType()))
      known.number = number(operand);
    facts[argument] = std::move(known);
  }
  visitBlock(body, callee.getSymName(), times);
  for (auto [value, returned] : llvm::zip(call.getResults(), body.getTerminator()->getOperands())) {
    const Facts known = facts[returned];
    facts[value] = known;
  }
}

void Analysis::visitBlock(Block &block, StringRef function, const Polynomial &times) {
  for (Operation &op : llvm::make_early_inc_range(block.without_terminator()))
    visit(op, function, times);
}

static std::string nameOf(DictionaryAttr attributes, const char *fallback, size_t number) {
  auto name = attributes ? attributes.getAs<StringAttr>("sesame.name") : StringAttr();
  return name ? name.str() : fallback + std::to_string(number);
}

void Analysis::run(func::FuncOp entry) {
  result.entry = entry.getSymName().str();
  Block &body = entry.getBody().front();
  for (BlockArgument argument : body.getArguments()) {
    const unsigned i = argument.getArgNumber();
    Node node;
    node.kind = Node::input;
    node.name = nameOf(entry.getArgAttrDict(i), "arg", i);
    node.function = result.entry;
    Facts &known = facts[argument];
    known.sources = {result.nodes.size()};
    if (ShapedType type = shapedType(argument)) {
      auto dims = entry.getArgAttrOfType<ArrayAttr>(i, "sesame.dims");
      for (int64_t axis = 0; axis < type.getRank(); ++axis) {
        const bool isNamed = dims && axis < static_cast<int64_t>(dims.size());
        known.extents.push_back(!type.isDynamicDim(axis)
                                    ? Polynomial(static_cast<double>(type.getDimSize(axis)))
                                : isNamed ? Polynomial::symbol(cast<StringAttr>(dims[axis]).str())
                                          : Polynomial::symbol(node.name + "." + std::to_string(axis)));
      }
      node.elementType = toText(type.getElementType());
    }
    node.shape = known.extents;
    result.nodes.push_back(std::move(node));
  }
  visitBlock(body, entry.getSymName(), 1);
  for (auto [i, value] : llvm::enumerate(body.getTerminator()->getOperands())) {
    Node node;
    node.kind = Node::output;
    node.name = nameOf(entry.getResultAttrDict(i), "result", i);
    node.function = result.entry;
    node.shape = extents(value);
    node.producers = facts[value].sources;
    if (ShapedType type = shapedType(value))
      node.elementType = toText(type.getElementType());
    result.nodes.push_back(std::move(node));
  }
}

Dataflow analyzeEntry(func::FuncOp entry) {
  Dataflow result;
  if (!entry.isExternal())
    Analysis(result).run(entry);
  return result;
}

void forEachOperation(ModuleOp module, function_ref<void(StringRef, const Node &)> visit) {
  OwningOpRef<ModuleOp> copy = module.clone();
  for (auto entry : copy->getOps<func::FuncOp>())
    if (entry.isPublic())
      for (const Node &node : analyzeEntry(entry).nodes)
        if (node.kind == Node::operation)
          visit(entry.getSymName(), node);
}

} // namespace sesame
