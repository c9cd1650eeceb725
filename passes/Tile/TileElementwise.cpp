//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contractions.h"
#include "Slices.h"

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_TILEELEMENTWISEPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

namespace {

/// How a value in a body changes from one lane to the next.
enum class Lanes {
  uniform,    ///< Not at all: a scalar stands for all lanes.
  contiguous, ///< An integer that grows by one.
  descending, ///< An integer that falls by one.
  varying
};

/// The values of a generic's body if its axis `vectorAxis` is cut into vectors, and what of it is read one by
/// one: elements that do not lie side by side.
class LaneAnalysis {
public:
  LaneAnalysis(linalg::GenericOp op, unsigned vectorAxis) : op(op), vectorAxis(vectorAxis) {
    for (OpOperand *input : op.getDpsInputOperands()) {
      BlockArgument argument = op.getMatchingBlockArgument(input);
      AffineMap map = op.getMatchingIndexingMap(input);
      lanes[argument] = map.isFunctionOfDim(vectorAxis) ? Lanes::varying : Lanes::uniform;
      scattered += map.isFunctionOfDim(vectorAxis) && !isContiguous(input);
    }
    for (BlockArgument argument : op.getRegionOutputArgs())
      lanes[argument] = Lanes::varying;
    for (Operation &inner : op.getBody()->without_terminator())
      visit(inner);
  }

  Lanes of(Value value) const {
    auto known = lanes.find(value);
    return known == lanes.end() ? Lanes::uniform : known->second; // from outside
  }

  /// Whether the elements of `input` for neighbouring lanes lie side by side. Vectors of i1 are packed in
  /// memory, tensors of i1 are not.
  bool isContiguous(OpOperand *input) const {
    AffineMap map = op.getMatchingIndexingMap(input);
    if (getElementTypeOrSelf(input->get()).isInteger(1))
      return false;
    for (AffineExpr result : map.getResults().drop_back())
      if (result.isFunctionOfDim(vectorAxis))
        return false;
    return map.getNumResults() > 0 && isa<AffineDimExpr>(map.getResults().back());
  }

  /// Whether `extract` reads elements that lie side by side, in the order `kind`.
  bool isRow(tensor::ExtractOp extract, Lanes kind) const {
    return !extract.getIndices().empty() && !extract.getType().isInteger(1) &&
           of(extract.getIndices().back()) == kind &&
           llvm::all_of(extract.getIndices().drop_back(),
                        [&](Value index) { return of(index) == Lanes::uniform; });
  }

  int64_t numScattered() const { return scattered; }
  /// Whether a lane that is masked out may do harm: it reads from a place it was told, or divides.
  bool needsTrueLanes() const { return scattered > 0 || reverses || divides; }

private:
  void visit(Operation &inner) {
    auto is = [&](Lanes kind) { return [this, kind](Value operand) { return of(operand) == kind; }; };
    Lanes kind = Lanes::varying;
    if (auto index = dyn_cast<linalg::IndexOp>(inner))
      kind = index.getDim() == vectorAxis ? Lanes::contiguous : Lanes::uniform;
    else if (llvm::all_of(inner.getOperands(), is(Lanes::uniform)))
      kind = Lanes::uniform;
    else if (isa<arith::IndexCastOp>(inner))
      kind = of(inner.getOperand(0));
    else if (isa<arith::AddIOp>(inner) && llvm::any_of(inner.getOperands(), is(Lanes::uniform)))
      kind = of(inner.getOperand(of(inner.getOperand(0)) == Lanes::uniform ? 1 : 0));
    else if (isa<arith::SubIOp>(inner) && of(inner.getOperand(1)) == Lanes::uniform)
      kind = of(inner.getOperand(0));
    else if (isa<arith::SubIOp>(inner) && of(inner.getOperand(0)) == Lanes::uniform)
      kind = reverse(of(inner.getOperand(1)));
    if (auto extract = dyn_cast<tensor::ExtractOp>(inner); extract && kind == Lanes::varying) {
      bool falls = isRow(extract, Lanes::descending);
      reverses |= falls;
      scattered += !falls && !isRow(extract, Lanes::contiguous);
    }
    if (isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::CeilDivSIOp,
            arith::CeilDivUIOp, arith::FloorDivSIOp>(inner))
      divides |= of(inner.getOperand(1)) != Lanes::uniform;
    for (Value result : inner.getResults())
      lanes[result] = kind;
  }

  static Lanes reverse(Lanes kind) {
    switch (kind) {
    case Lanes::contiguous:
      return Lanes::descending;
    case Lanes::descending:
      return Lanes::contiguous;
    default:
      return kind;
    }
  }

  /// Accessors of operations are not const.
  mutable linalg::GenericOp op;
  unsigned vectorAxis;
  llvm::DenseMap<Value, Lanes> lanes;
  int64_t scattered = 0;
  bool reverses = false, divides = false;
};

} // namespace

/// Whether vectors can stand for the scalars in the body.
static bool hasElementwiseBody(linalg::GenericOp op) {
  return llvm::all_of(op.getBody()->without_terminator(), [](Operation &inner) {
    return isa<arith::ConstantOp, linalg::IndexOp, tensor::ExtractOp>(inner) ||
           OpTrait::hasElementwiseMappableTraits(&inner);
  });
}

/// The operation that combines the only result so far with each new value, or null.
static Operation *findCombiner(linalg::GenericOp op) {
  if (op.getNumDpsInits() != 1)
    return nullptr;
  BlockArgument sum = op.getRegionOutputArgs()[0];
  Operation *combiner = op.getBody()->getTerminator()->getOperand(0).getDefiningOp();
  if (!combiner || !sum.hasOneUse() || *sum.user_begin() != combiner ||
      !isa<arith::AddFOp, arith::AddIOp, arith::MaximumFOp, arith::MinimumFOp, arith::MaxSIOp,
           arith::MinSIOp>(combiner) ||
      combiner->getOperand(0) == combiner->getOperand(1))
    return nullptr;
  return combiner;
}

/// What `combiner` leaves any value as it is with.
static TypedAttr getNeutral(Operation *combiner) {
  OpBuilder b(combiner);
  Type type = combiner->getResult(0).getType();
  if (auto floats = dyn_cast<FloatType>(type)) {
    const llvm::fltSemantics &semantics = floats.getFloatSemantics();
    if (isa<arith::AddFOp>(combiner))
      return b.getFloatAttr(type, APFloat::getZero(semantics, /*Negative=*/true));
    return b.getFloatAttr(type, APFloat::getInf(semantics, /*Negative=*/isa<arith::MaximumFOp>(combiner)));
  }
  if (isa<arith::AddIOp>(combiner))
    return cast<TypedAttr>(b.getZeroAttr(type));
  unsigned width = type.isIndex() ? IndexType::kInternalStorageBitWidth : type.getIntOrFloatBitWidth();
  return b.getIntegerAttr(type, isa<arith::MaxSIOp>(combiner) ? APInt::getSignedMinValue(width)
                                                              : APInt::getSignedMaxValue(width));
}

static bool canTile(linalg::GenericOp op) {
  if (!op.hasPureTensorSemantics() || op.getNumParallelLoops() == 0)
    return false;
  // The results have the parallel axes, all in one order.
  for (OpOperand &init : op.getDpsInitsMutable()) {
    AffineMap map = op.getMatchingIndexingMap(&init);
    if (map != op.getIndexingMapsArray().back() || map.getNumResults() != op.getNumParallelLoops() ||
        !map.isProjectedPermutation())
      return false;
    for (AffineExpr axis : map.getResults())
      if (op.getIteratorTypesArray()[cast<AffineDimExpr>(axis).getPosition()] !=
          utils::IteratorType::parallel)
        return false;
    if (op.getNumReductionLoops() > 0 && !op.payloadUsesValueFromOperand(&init))
      return false;
  }
  return llvm::all_of(op.getDpsInputOperands(), [&](OpOperand *input) {
    return !isa<RankedTensorType>(input->get().getType()) ||
           op.getMatchingIndexingMap(input).isProjectedPermutation(/*allowZeroInResults=*/true);
  });
}

namespace {

/// Makes the loops of one operation.
class LoopNest {
public:
  LoopNest(linalg::GenericOp op, int64_t lanes, int64_t elementsPerTask)
      : op(op), b(op), loc(op.getLoc()), lanes(lanes), elementsPerTask(elementsPerTask),
        position(op.getNumLoops()) {
    for (AffineExpr axis : op.getIndexingMapsArray().back().getResults())
      axes.push_back(cast<AffineDimExpr>(axis).getPosition());
    op.getReductionDims(reduced);
    chooseVectors();
  }

  void build() {
    extents = tensor::getMixedSizes(b, loc, op.getDpsInits()[0]);
    // What a fill would write, the loops start from.
    for (Value init : op.getDpsInits()) {
      auto fill = init.getDefiningOp<linalg::FillOp>();
      starts.push_back(fill ? fill.value() : Value());
      inits.push_back(fill ? fill.output() : init);
    }
    if (op->getParentOfType<scf::ForallOp>()) {
      SmallVector<Value> results = buildSequential(0, inits);
      op->replaceAllUsesWith(results);
    } else {
      op->replaceAllUsesWith(buildParallel());
    }
    op->erase();
  }

private:
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value index(OpFoldResult value) { return getValueOrCreateConstantIndexOp(b, loc, value); }

  /// Vectors along the results' last axis, or along the axis of a reduction if that makes reads vectors.
  void chooseVectors() {
    if (!hasElementwiseBody(op) ||
        llvm::any_of(op.getDpsInits(), [](Value init) { return getElementTypeOrSelf(init).isInteger(1); }))
      return;
    analysis.emplace(op, axes.back());
    vectorAxis = axes.back();
    Operation *combiner = findCombiner(op);
    if (!combiner)
      return;
    for (unsigned axis : reduced) {
      LaneAnalysis other(op, axis);
      Value added = combiner->getOperand(combiner->getOperand(0) == op.getRegionOutputArgs()[0] ? 1 : 0);
      if (other.numScattered() >= analysis->numScattered() || other.of(added) != Lanes::varying)
        continue;
      analysis.emplace(other);
      vectorAxis = axis;
    }
  }

  bool reducesVectors() const { return vectorAxis && llvm::is_contained(reduced, *vectorAxis); }

  scf::ForallOp buildParallel() {
    int64_t last = axes.size() - 1;
    // A reduction has more work for each element.
    int64_t block = reduced.empty() ? elementsPerTask : reducesVectors() ? lanes : 4 * lanes;
    Blocks blocks = {extents[last], block};
    SmallVector<OpFoldResult> counts(extents.begin(), extents.end() - 1);
    counts.push_back(blocks.count(b, loc));
    auto loop = scf::ForallOp::create(b, loc, counts, inits, /*mapping=*/std::nullopt);
    b.setInsertionPoint(loop.getTerminator());
    first = blocks.offset(b, loc, loop.getInductionVar(last));
    size = blocks.size(b, loc, loop.getInductionVar(last));
    Slice slice;
    for (int64_t axis = 0; axis < last; ++axis) {
      position[axes[axis]] = loop.getInductionVar(axis);
      slice.add(loop.getInductionVar(axis), b.getIndexAttr(1));
    }
    slice.add(first, size);
    SmallVector<Value> outputs;
    for (Value shared : loop.getRegionOutArgs())
      outputs.push_back(extractTile(b, loc, shared, slice, {last}));
    SmallVector<Value> results = buildRow(outputs);
    for (auto [result, shared] : llvm::zip_equal(results, loop.getRegionOutArgs()))
      insertTile(b, loc, loop, result, shared, slice);
    return loop;
  }

  /// Loops over the results' axes from `axis` on.
  SmallVector<Value> buildSequential(size_t axis, SmallVector<Value> outputs) {
    if (axis + 1 == axes.size()) {
      first = b.getIndexAttr(0);
      size = extents.back();
      return buildRow(outputs);
    }
    return buildLoop(index(0), index(extents[axis]), 1, outputs, [&](Value at, ValueRange inside) {
      position[axes[axis]] = at;
      outputIndices.push_back(at);
      SmallVector<Value> results = buildSequential(axis + 1, llvm::to_vector(inside));
      outputIndices.pop_back();
      return results;
    });
  }

  SmallVector<Value> buildLoop(Value begin, Value end, int64_t step, ValueRange carried,
                               llvm::function_ref<SmallVector<Value>(Value at, ValueRange carried)> body) {
    auto loop = scf::ForOp::create(b, loc, begin, end, index(step), carried);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    scf::YieldOp::create(b, loc, body(loop.getInductionVar(), loop.getRegionIterArgs()));
    return loop.getResults();
  }

  /// `size` elements of the results from `first` on.
  SmallVector<Value> buildRow(SmallVector<Value> outputs) {
    if (!vectorAxis || reducesVectors())
      return buildElements(index(0), outputs);
    if (reduced.empty())
      makeSlices();
    OpFoldResult whole = roundDown(size);
    outputs = buildLoop(index(0), index(whole), lanes, outputs, [&](Value at, ValueRange inside) {
      return buildPlace(at, inside, /*isVector=*/true, /*mask=*/nullptr);
    });
    if (isEqualConstantIntOrValue(whole, size))
      return outputs;
    if (analysis->needsTrueLanes())
      return buildElements(index(whole), outputs);
    Value rest =
        index(affine::makeComposedFoldedAffineApply(b, loc, b.getAffineSymbolExpr(0) % lanes, {size}));
    Value mask = vector::CreateMaskOp::create(b, loc, VectorType::get({lanes}, b.getI1Type()), rest);
    return buildPlace(index(whole), outputs, /*isVector=*/true, mask);
  }

  SmallVector<Value> buildElements(Value begin, ValueRange outputs) {
    return buildLoop(begin, index(size), 1, outputs, [&](Value at, ValueRange inside) {
      return buildPlace(at, inside, /*isVector=*/false, /*mask=*/nullptr);
    });
  }

  OpFoldResult roundDown(OpFoldResult extent) {
    return affine::makeComposedFoldedAffineApply(b, loc, b.getAffineSymbolExpr(0).floorDiv(lanes) * lanes,
                                                 {extent});
  }

  /// Of a row that nothing is reduced over: the inputs that are vectors, cut out once, and those that are one
  /// element for all of it.
  void makeSlices() {
    for (OpOperand *input : op.getDpsInputOperands()) {
      if (!isa<RankedTensorType>(input->get().getType()))
        continue;
      AffineMap map = op.getMatchingIndexingMap(input);
      if (!map.isFunctionOfDim(*vectorAxis)) {
        slices[input] = tensor::ExtractOp::create(b, loc, input->get(), getIndices(map));
        continue;
      }
      if (!analysis->isContiguous(input))
        continue;
      Slice slice;
      for (AffineExpr result : map.getResults().drop_back()) {
        auto dim = dyn_cast<AffineDimExpr>(result);
        slice.add(dim ? OpFoldResult(position[dim.getPosition()]) : b.getIndexAttr(0), b.getIndexAttr(1));
      }
      slice.add(first, size);
      slices[input] = extractTile(b, loc, input->get(), slice, {map.getNumResults() - 1});
    }
  }

  SmallVector<Value> getIndices(AffineMap map) {
    return llvm::map_to_vector(map.getResults(), [&](AffineExpr result) {
      auto dim = dyn_cast<AffineDimExpr>(result);
      return dim ? position[dim.getPosition()] : index(0);
    });
  }

  /// The elements of the results at `at` after `first`, one or a vector, stored to `outputs`; those that
  /// `mask` leaves out are neither read nor written.
  SmallVector<Value> buildPlace(Value at, ValueRange outputs, bool isVector, Value mask) {
    place = at;
    position[axes.back()] =
        isConstantIntValue(first, 0) ? at : b.createOrFold<arith::AddIOp>(loc, index(first), at);
    outputIndices.push_back(at);
    SmallVector<Value> values;
    for (auto [i, init] : llvm::enumerate(op.getDpsInitsMutable())) {
      Value output = outputs[i];
      if (!op.payloadUsesValueFromOperand(&init))
        values.push_back(Value());
      else if (starts[i])
        values.push_back(isVector ? vector::BroadcastOp::create(
                                        b, loc, VectorType::get({lanes}, starts[i].getType()), starts[i])
                                        .getResult()
                                  : starts[i]);
      else if (isVector)
        values.push_back(read(output, outputIndices, mask));
      else
        values.push_back(tensor::ExtractOp::create(b, loc, output, outputIndices));
    }
    values = reduced.empty() ? buildBody(values, isVector, mask) : reduce(values, isVector, mask);
    SmallVector<Value> results;
    for (auto [value, output] : llvm::zip_equal(values, outputs)) {
      if (!isVector) {
        results.push_back(tensor::InsertOp::create(b, loc, value, output, outputIndices));
        continue;
      }
      results.push_back(vector::TransferWriteOp::create(b, loc, output.getType(), value, output,
                                                        outputIndices, minorIdentity(output), mask,
                                                        b.getBoolArrayAttr({true}))
                            .getResult());
    }
    outputIndices.pop_back();
    return results;
  }

  /// All elements of the reduction's axes combined with `values`.
  SmallVector<Value> reduce(SmallVector<Value> values, bool isVector, Value mask) {
    SmallVector<unsigned> loops;
    for (unsigned axis : reduced)
      if (!reducesVectors() || axis != *vectorAxis)
        loops.push_back(axis);
    if (!reducesVectors())
      return reduceOver(loops, values, [&](ValueRange inside) {
        return buildBody(llvm::to_vector(inside), isVector, mask);
      });

    Operation *combiner = findCombiner(op);
    Type vectorType = VectorType::get({lanes}, values[0].getType());
    Value neutral = arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(cast<ShapedType>(vectorType), getNeutral(combiner)));
    Value extent = getExtent(*vectorAxis), whole = index(roundDown(extent));
    SmallVector<Value> vectors = reduceOver(loops, neutral, [&](ValueRange outer) {
      return buildLoop(index(0), whole, lanes, outer, [&](Value at, ValueRange inside) {
        position[*vectorAxis] = at;
        return buildBody(llvm::to_vector(inside), /*isVector=*/true, /*mask=*/nullptr);
      });
    });
    Value all = vector::ReductionOp::create(b, loc, getCombiningKind(combiner), vectors[0], values[0]);
    return reduceOver(loops, all, [&](ValueRange outer) {
      return buildLoop(whole, extent, 1, outer, [&](Value at, ValueRange inside) {
        position[*vectorAxis] = at;
        return buildBody(llvm::to_vector(inside), /*isVector=*/false, /*mask=*/nullptr);
      });
    });
  }

  SmallVector<Value> reduceOver(ArrayRef<unsigned> loops, ValueRange values,
                                llvm::function_ref<SmallVector<Value>(ValueRange)> body) {
    if (loops.empty())
      return body(values);
    return buildLoop(index(0), getExtent(loops.front()), 1, values, [&](Value at, ValueRange inside) {
      position[loops.front()] = at;
      return reduceOver(loops.drop_front(), inside, body);
    });
  }

  static vector::CombiningKind getCombiningKind(Operation *combiner) {
    if (isa<arith::AddFOp, arith::AddIOp>(combiner))
      return vector::CombiningKind::ADD;
    if (isa<arith::MaximumFOp>(combiner))
      return vector::CombiningKind::MAXIMUMF;
    if (isa<arith::MinimumFOp>(combiner))
      return vector::CombiningKind::MINIMUMF;
    return isa<arith::MaxSIOp>(combiner) ? vector::CombiningKind::MAXSI : vector::CombiningKind::MINSI;
  }

  /// Of an axis that the results do not have.
  Value getExtent(unsigned axis) {
    for (OpOperand *input : op.getDpsInputOperands())
      for (auto [i, result] : llvm::enumerate(op.getMatchingIndexingMap(input).getResults()))
        if (result == b.getAffineDimExpr(axis))
          return index(tensor::getMixedSize(b, loc, input->get(), i));
    llvm_unreachable("a loop's extent is that of an operand");
  }

  AffineMapAttr minorIdentity(Value tensor) {
    return AffineMapAttr::get(AffineMap::getMinorIdentityMap(
        cast<RankedTensorType>(tensor.getType()).getRank(), 1, b.getContext()));
  }

  Value read(Value tensor, ValueRange indices, Value mask) {
    Type element = getElementTypeOrSelf(tensor);
    Value padding = arith::ConstantOp::create(b, loc, cast<TypedAttr>(b.getZeroAttr(element)));
    return vector::TransferReadOp::create(b, loc, VectorType::get({lanes}, element), tensor, indices,
                                          minorIdentity(tensor), padding, mask, b.getBoolArrayAttr({true}));
  }

  /// The element at `indices` and those before it along the last axis.
  Value readReversed(Value tensor, SmallVector<Value> indices) {
    indices.back() = arith::SubIOp::create(b, loc, indices.back(), index(lanes - 1));
    Value row = read(tensor, indices, /*mask=*/nullptr);
    SmallVector<int64_t> order(llvm::reverse(llvm::seq<int64_t>(0, lanes)));
    return vector::ShuffleOp::create(b, loc, row, row, order);
  }

  /// One element for each lane, whose indices are scalars, for all, or vectors.
  Value readLanes(Value tensor, ArrayRef<Value> indices) {
    SmallVector<Value> elements;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      SmallVector<Value> at;
      for (Value index : indices)
        at.push_back(isa<VectorType>(index.getType())
                         ? vector::ExtractOp::create(b, loc, index, ArrayRef<int64_t>{lane}).getResult()
                         : index);
      elements.push_back(tensor::ExtractOp::create(b, loc, tensor, at));
    }
    return vector::FromElementsOp::create(b, loc, VectorType::get({lanes}, getElementTypeOrSelf(tensor)),
                                          elements);
  }

  /// `start` and what follows it, one a lane, or with `falls` what comes before it.
  Value countFrom(Value start, bool falls = false) {
    auto type = VectorType::get({lanes}, b.getIndexType());
    Value steps = vector::StepOp::create(b, loc, type);
    auto result = VectorType::get({lanes}, start.getType());
    if (!start.getType().isIndex())
      steps = arith::IndexCastOp::create(b, loc, result, steps);
    Value all = vector::BroadcastOp::create(b, loc, result, start);
    if (falls)
      return arith::SubIOp::create(b, loc, all, steps);
    return arith::AddIOp::create(b, loc, all, steps);
  }

  /// The body at `position`, on elements or on vectors from there on; `sums` are what the results hold.
  SmallVector<Value> buildBody(SmallVector<Value> sums, bool isVector, Value mask) {
    // In vectors: what is uniform stays a scalar, what is contiguous is known by its first lane.
    IRMapping mapping;
    for (OpOperand *input : op.getDpsInputOperands())
      mapping.map(op.getMatchingBlockArgument(input), readInput(input, isVector, mask));
    for (auto [argument, sum] : llvm::zip_equal(op.getRegionOutputArgs(), sums))
      if (sum)
        mapping.map(argument, sum);
    auto asVector = [&](Value value) -> Value {
      Value mapped = mapping.lookupOrDefault(value);
      if (isa<VectorType>(mapped.getType()))
        return mapped;
      if (Lanes kind = analysis->of(value); kind == Lanes::contiguous || kind == Lanes::descending)
        return countFrom(mapped, kind == Lanes::descending);
      return vector::BroadcastOp::create(b, loc, VectorType::get({lanes}, mapped.getType()), mapped);
    };
    for (Operation &inner : op.getBody()->without_terminator()) {
      if (auto at = dyn_cast<linalg::IndexOp>(inner)) {
        mapping.map(at.getResult(), position[at.getDim()]);
        continue;
      }
      if (!isVector || analysis->of(inner.getResult(0)) != Lanes::varying) {
        Operation *copy = b.clone(inner, mapping);
        copy->walk([&](linalg::IndexOp at) {
          at.replaceAllUsesWith(position[at.getDim()]);
          at.erase();
        });
        continue;
      }
      if (auto extract = dyn_cast<tensor::ExtractOp>(inner)) {
        bool falls = analysis->isRow(extract, Lanes::descending);
        bool together = falls || analysis->isRow(extract, Lanes::contiguous);
        SmallVector<Value> indices;
        for (Value at : extract.getIndices())
          indices.push_back(together || analysis->of(at) == Lanes::uniform ? mapping.lookupOrDefault(at)
                                                                           : asVector(at));
        if (falls)
          mapping.map(extract.getResult(), readReversed(extract.getTensor(), indices));
        else
          mapping.map(extract.getResult(), together ? read(extract.getTensor(), indices, mask)
                                                    : readLanes(extract.getTensor(), indices));
        continue;
      }
      SmallVector<Value> operands = llvm::map_to_vector(inner.getOperands(), asVector);
      SmallVector<Type> types = llvm::map_to_vector(
          inner.getResultTypes(), [&](Type t) -> Type { return VectorType::get({lanes}, t); });
      OperationState state(loc, inner.getName().getStringRef(), operands, types, inner.getAttrs());
      state.propertiesAttr = inner.getPropertiesAsAttribute();
      mapping.map(inner.getResults(), b.create(state)->getResults());
    }
    return llvm::map_to_vector(op.getBody()->getTerminator()->getOperands(), [&](Value value) -> Value {
      return isVector ? asVector(value) : mapping.lookupOrDefault(value);
    });
  }

  Value readInput(OpOperand *input, bool isVector, Value mask) {
    if (!isa<RankedTensorType>(input->get().getType()))
      return input->get();
    AffineMap map = op.getMatchingIndexingMap(input);
    Value known = slices.lookup(input);
    if (known && !isa<RankedTensorType>(known.getType()))
      return known;
    SmallVector<Value> indices = getIndices(map);
    if (!isVector || !map.isFunctionOfDim(*vectorAxis))
      return tensor::ExtractOp::create(b, loc, input->get(), indices);
    if (known)
      return read(known, place, mask);
    if (analysis->isContiguous(input))
      return read(input->get(), indices, mask);
    for (auto [i, result] : llvm::enumerate(map.getResults()))
      if (result.isFunctionOfDim(*vectorAxis))
        indices[i] = countFrom(indices[i]);
    return readLanes(input->get(), indices);
  }

  linalg::GenericOp op;
  OpBuilder b;
  Location loc;
  int64_t lanes, elementsPerTask;
  /// The loops of the results' axes, in their order, and those reduced over.
  SmallVector<unsigned> axes, reduced;
  std::optional<unsigned> vectorAxis;
  std::optional<LaneAnalysis> analysis;
  SmallVector<OpFoldResult> extents;
  /// What the results are written to, and what all of a result is at first, where that is known.
  SmallVector<Value> inits, starts;
  /// Which elements along the last axis.
  OpFoldResult first, size;
  /// Of the elements that are being made: an index for each loop, and indices into the outputs.
  SmallVector<Value> position, outputIndices;
  Value place; ///< Since `first`.
  /// What is read of inputs in the whole row.
  llvm::DenseMap<OpOperand *, Value> slices;
};

class TileElementwisePass : public sesame::impl::TileElementwisePassBase<TileElementwisePass> {
public:
  using TileElementwisePassBase::TileElementwisePassBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    TileElementwisePassBase::getDependentDialects(registry);
    registry.insert<SesameDialect>();
  }

private:
  void runOnOperation() override {
    tileContractions(getOperation(), 2 * vectorLanes);
    if (failed(fuse()))
      return signalPassFailure();
    SmallVector<linalg::GenericOp> ops;
    getOperation()->walk([&](linalg::GenericOp op) {
      if (canTile(op))
        ops.push_back(op);
    });
    for (linalg::GenericOp op : ops)
      LoopNest(op, vectorLanes, elementsPerTask).build();
  }

  /// Makes one operation of elementwise chains, so that what lies between never goes to memory.
  LogicalResult fuse() {
    SmallVector<linalg::LinalgOp> named;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (!isa<linalg::GenericOp, linalg::FillOp>(op) && op.hasPureTensorSemantics() &&
          op.getNumParallelLoops() > 0)
        named.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : named) {
      rewriter.setInsertionPoint(op);
      (void)linalg::generalizeNamedOp(rewriter, op);
    }
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(
        patterns, [](OpOperand *operand) { return operand->get().hasOneUse(); });
    return applyPatternsGreedily(getOperation(), std::move(patterns));
  }
};
} // namespace
