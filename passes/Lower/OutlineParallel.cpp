//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ShareKernels.h"

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Dialect/WordOps.h"
#include "sesame/Passes/EntryInterface.h"
#include "sesame/Passes/OpNumber.h"
#include "sesame/Passes/ParallelOrder.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Transforms.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/RegionUtils.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_OUTLINEPARALLELPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

/// The `SesameContext *` of the function around `op`, or null.
static Value findContext(func::FuncOp function) {
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    if (function.getArgAttr(i, kContextAttr))
      return function.getArgument(i);
  return {};
}

/// `void sesame_profile(context, op, begin)`: tells the runtime, if it asked for it.
static func::FuncOp createProfileFunction(ModuleOp module) {
  OpBuilder builder(module.getBodyRegion());
  Location loc = module.getLoc();
  Type pointer = LLVM::LLVMPointerType::get(module.getContext()), i64 = builder.getI64Type();
  auto function =
      func::FuncOp::create(builder, loc, "sesame_profile", builder.getFunctionType({pointer, i64, i64}, {}));
  function.setPrivate();
  builder.setInsertionPointToStart(function.addEntryBlock());
  Value context = function.getArgument(0);
  // The hook is the context's second field.
  Value address = LLVM::GEPOp::create(builder, loc, pointer, pointer, context, ArrayRef<LLVM::GEPArg>{1});
  Value hook = LLVM::LoadOp::create(builder, loc, pointer, address);
  Value none = LLVM::ZeroOp::create(builder, loc, pointer);
  Value isWanted = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ne, hook, none);
  auto choice = scf::IfOp::create(builder, loc, isWanted, /*withElseRegion=*/false);
  builder.setInsertionPointToStart(choice.thenBlock());
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(module.getContext()), {pointer, i64, i64});
  LLVM::CallOp::create(builder, loc, type,
                       ValueRange{hook, context, function.getArgument(1), function.getArgument(2)});
  builder.setInsertionPointAfter(choice);
  func::ReturnOp::create(builder, loc);
  return function;
}

/// Runs `forall` and all that are nested in it on the thread that reaches it.
static LogicalResult makeSequential(scf::ForallOp forall) {
  IRRewriter rewriter(forall);
  return scf::forallToForLoop(rewriter, forall);
}

/// The outermost loop around `forall` that does not change the `values`, or `forall`.
static Operation *findPlace(scf::ForallOp forall, ValueRange values) {
  Operation *place = forall;
  auto isOutside = [&](scf::ForOp loop) {
    return llvm::all_of(values, [&](Value value) { return loop.isDefinedOutsideOfLoop(value); });
  };
  for (auto loop = forall->getParentOfType<scf::ForOp>(); loop && isOutside(loop);
       loop = loop->getParentOfType<scf::ForOp>())
    place = loop;
  return place;
}

/// Computes products of extents in front of `forall`, where its body's affine maps have them: so bodies that
/// differ only in what the number of their rows is a product of become the same.
static void hoistProducts(scf::ForallOp forall) {
  OpBuilder outside(forall);
  llvm::DenseMap<std::pair<Value, Value>, Value> products;
  SmallVector<Operation *> changed;
  auto hoist = [&](auto op) {
    AffineMap map = op.getMap();
    SmallVector<Value> operands(op.getMapOperands());
    DenseMap<AffineExpr, AffineExpr> replacements;
    unsigned numSymbols = map.getNumSymbols();
    map.walkExprs([&](AffineExpr expr) {
      auto product = dyn_cast<AffineBinaryOpExpr>(expr);
      if (!product || expr.getKind() != AffineExprKind::Mul || replacements.contains(expr))
        return;
      auto left = dyn_cast<AffineSymbolExpr>(product.getLHS()),
           right = dyn_cast<AffineSymbolExpr>(product.getRHS());
      if (!left || !right)
        return;
      Value factors[] = {operands[map.getNumDims() + left.getPosition()],
                         operands[map.getNumDims() + right.getPosition()]};
      if (!llvm::all_of(factors, [&](Value factor) { return forall.isDefinedOutsideOfLoop(factor); }))
        return;
      Value &known = products[{factors[0], factors[1]}];
      if (!known) {
        outside.setInsertionPoint(findPlace(forall, factors));
        known = arith::MulIOp::create(outside, op.getLoc(), factors[0], factors[1]);
      }
      operands.push_back(known);
      replacements[expr] = outside.getAffineSymbolExpr(numSymbols++);
    });
    if (replacements.empty())
      return;
    map = map.replace(replacements, map.getNumDims(), numSymbols);
    affine::canonicalizeMapAndOperands(&map, &operands);
    OpBuilder inside(op);
    auto simpler = decltype(op)::create(inside, op.getLoc(), map, operands);
    op.replaceAllUsesWith(simpler.getResult());
    op.erase();
    changed.push_back(simpler);
  };
  SmallVector<Operation *> maps;
  forall.walk([&](Operation *op) {
    if (isa<affine::AffineApplyOp, affine::AffineMinOp>(op))
      maps.push_back(op);
  });
  for (Operation *op : maps) {
    if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
      hoist(apply);
    else
      hoist(cast<affine::AffineMinOp>(op));
  }
  // The terms of a minimum have an order.
  RewritePatternSet patterns(forall.getContext());
  affine::AffineMinOp::getCanonicalizationPatterns(patterns, forall.getContext());
  (void)applyOpPatternsGreedily(changed, std::move(patterns));
}

/// Work, in multiply-adds of tiles, below which a region is run by the thread that reaches it: about two
/// microseconds with 16 lanes. To begin and to end a region takes a fifth of that where the threads lie apart,
/// but ten microseconds while two of them share a CPU.
static constexpr int64_t kLeastWork = 192 * 1024;
/// To read a panel from the L2 cache takes as long as to multiply so many rows by it.
static constexpr int64_t kRowsPerRead = 3;

namespace {
/// Estimates the work of an `scf.forall` in front of it, from what its first iteration does.
class WorkEstimate {
public:
  WorkEstimate(scf::ForallOp forall, OpBuilder &builder)
      : forall(forall), builder(builder), loc(forall.getLoc()) {}

  /// The products of all tiles of an iteration, where reading a panel counts as `kRowsPerRead` rows more and
  /// a word as one number; null if the body does anything else that may take long, or the size of a tile is
  /// known only inside.
  Value estimate();

private:
  /// `value` as it is in the first iteration; null if it is not made of values from outside alone.
  Value outside(Value value);
  /// The extent of axis 0 of a tile; null if it is not known outside.
  Value numRows(Value tile);

  scf::ForallOp forall;
  OpBuilder &builder;
  Location loc;
  IRMapping known;
};
} // namespace

Value WorkEstimate::outside(Value value) {
  if (forall.isDefinedOutsideOfLoop(value))
    return value;
  if (Value made = known.lookupOrNull(value))
    return made;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    Operation *around = argument.getOwner()->getParentOp();
    if (around == forall)
      return getValueOrCreateConstantIndexOp(builder, loc,
                                             forall.getMixedLowerBound()[argument.getArgNumber()]);
    auto loop = dyn_cast<scf::ForOp>(around);
    return loop && loop.getInductionVar() == value ? outside(loop.getLowerBound()) : Value();
  }
  Operation *op = value.getDefiningOp();
  if (!isPure(op) || op->getNumRegions() != 0)
    return nullptr;
  for (Value operand : op->getOperands()) {
    Value made = outside(operand);
    if (!made)
      return nullptr;
    known.map(operand, made);
  }
  builder.clone(*op, known);
  return known.lookup(value);
}

Value WorkEstimate::numRows(Value tile) {
  auto type = cast<MemRefType>(tile.getType());
  if (!type.isDynamicDim(0))
    return arith::ConstantIndexOp::create(builder, loc, type.getDimSize(0));
  if (auto cast = tile.getDefiningOp<memref::CastOp>())
    return numRows(cast.getSource());
  auto view = tile.getDefiningOp<memref::SubViewOp>();
  if (!view)
    return nullptr;
  llvm::SmallBitVector kept = view.getDroppedDims().flip();
  Value size = dyn_cast<Value>(view.getMixedSizes()[kept.find_first()]);
  return size ? outside(size) : Value();
}

Value WorkEstimate::estimate() {
  SmallVector<std::pair<Operation *, MemRefType>> tiles; // and their panels
  auto result = forall->walk([&](Operation *op) {
    if (auto tile = dyn_cast<MatmulTileOp>(op))
      tiles.push_back({op, cast<MemRefType>(tile.getPanel().getType())});
    else if (auto tile = dyn_cast<WordMatmulTileOp>(op))
      tiles.push_back({op, cast<MemRefType>(tile.getPanel().getType())});
    else if (isa_and_nonnull<SesameDialect, linalg::LinalgDialect>(op->getDialect()))
      return WalkResult::interrupt();
    return WalkResult::advance();
  });
  if (result.wasInterrupted())
    return nullptr;
  Value sum, perRead = arith::ConstantIndexOp::create(builder, loc, kRowsPerRead);
  for (auto [op, panel] : tiles) {
    Value rows = numRows(op->getOperand(0));
    if (!rows || !panel.hasStaticShape())
      return nullptr;
    Value work = builder.createOrFold<arith::MulIOp>(
        loc, builder.createOrFold<arith::AddIOp>(loc, rows, perRead),
        arith::ConstantIndexOp::create(builder, loc, panel.getNumElements()));
    for (auto loop = op->getParentOfType<scf::ForOp>(); loop && forall->isProperAncestor(loop);
         loop = loop->getParentOfType<scf::ForOp>()) {
      Value times = outside(loop.getUpperBound());
      if (!times)
        return nullptr;
      work = builder.createOrFold<arith::MulIOp>(loc, work, times);
    }
    sum = sum ? builder.createOrFold<arith::AddIOp>(loc, sum, work) : work;
  }
  return sum;
}

namespace {
/// Outlines one `scf.forall`.
class Outliner {
public:
  Outliner(scf::ForallOp forall, Value context, const LLVMTypeConverter &converter,
           SmallVectorImpl<func::FuncOp> &bodies)
      : forall(forall), context(context), converter(converter), bodies(bodies), builder(forall),
        loc(forall.getLoc()), pointer(LLVM::LLVMPointerType::get(forall.getContext())),
        i64(builder.getI64Type()) {}

  LogicalResult outline(StringRef name);

private:
  /// What the body uses and the caller has to hand over. Constants are copied into the body instead.
  LogicalResult collectCaptures();
  Value storeCaptures();
  func::FuncOp createBody(StringRef name);
  /// An earlier body that does the same, or this one.
  func::FuncOp reuse(func::FuncOp body);
  Value toIndex(OpFoldResult value) { return getValueOrCreateConstantIndexOp(builder, loc, value); }
  Value castTo(Type type, Value value) {
    if (value.getType() == type)
      return value;
    return UnrealizedConversionCastOp::create(builder, loc, type, value).getResult(0);
  }

  scf::ForallOp forall;
  Value context;
  const LLVMTypeConverter &converter;
  /// All bodies so far, no two alike.
  SmallVectorImpl<func::FuncOp> &bodies;
  OpBuilder builder;
  Location loc;
  Type pointer;
  Type i64;
  SetVector<Value> captures;
  SmallVector<Operation *> constants;
  LLVM::LLVMStructType dataType;
  /// Iterations along each axis, and their product.
  SmallVector<Value> counts;
  Value count;
  /// The number of the surrounding loop's iteration, in whose odd ones a part's iterations run from the last
  /// to the first; null if they never do.
  Value alternation;
};
} // namespace

LogicalResult Outliner::collectCaptures() {
  SetVector<Value> used;
  // First, so that what changes from region to region lies in one cache line.
  if (alternation)
    used.insert(alternation);
  getUsedValuesDefinedAbove(forall->getRegions(), used);
  // Lower bounds and steps map the flat iteration to the loop's own indices.
  for (Value bound : llvm::concat<Value>(llvm::to_vector(forall.getDynamicLowerBound()),
                                         llvm::to_vector(forall.getDynamicStep())))
    used.insert(bound);
  for (Value value : counts)
    used.insert(value);
  SmallVector<Type> types;
  for (Value value : used) {
    if (Operation *op = value.getDefiningOp(); op && op->hasTrait<OpTrait::ConstantLike>()) {
      constants.push_back(op);
      continue;
    }
    Type type = converter.convertType(value.getType());
    if (!type)
      return forall.emitError() << "a parallel body uses a value of type " << value.getType()
                                << " that cannot be handed to another thread";
    captures.insert(value);
    types.push_back(type);
  }
  dataType = LLVM::LLVMStructType::getLiteral(forall.getContext(), types);
  return success();
}

Value Outliner::storeCaptures() {
  if (captures.empty())
    return LLVM::ZeroOp::create(builder, loc, pointer);
  OpBuilder::InsertionGuard guard(builder);
  Value data;
  {
    // In the entry block: a stack object made inside a loop would be made anew in each iteration. In cache
    // lines of its own, which the other threads keep as long as it is not written.
    OpBuilder::InsertionGuard guard(builder);
    auto function = forall->getParentOfType<func::FuncOp>();
    builder.setInsertionPointToStart(&function.getBody().front());
    Value one = LLVM::ConstantOp::create(builder, loc, i64, builder.getI64IntegerAttr(1));
    data = LLVM::AllocaOp::create(builder, loc, pointer, dataType, one, /*alignment=*/64);
  }
  for (auto [i, value] : llvm::enumerate(captures)) {
    // What a loop does not change is stored before it: each line that is written between two regions is a
    // miss for the caller, which takes it from the others, and then for each of them.
    builder.setInsertionPoint(findPlace(forall, value));
    Value address = LLVM::GEPOp::create(builder, loc, pointer, dataType, data,
                                        ArrayRef<LLVM::GEPArg>{0, static_cast<int32_t>(i)});
    LLVM::StoreOp::create(builder, loc, castTo(dataType.getBody()[i], value), address);
  }
  return data;
}

func::FuncOp Outliner::createBody(StringRef name) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(forall->getParentOfType<func::FuncOp>());
  auto body = func::FuncOp::create(builder, loc, name, builder.getFunctionType({pointer, i64, i64}, {}));
  body.setPrivate();
  body.setArgAttr(0, LLVM::LLVMDialect::getNoAliasAttrName(), builder.getUnitAttr());
  body.setArgAttr(0, LLVM::LLVMDialect::getReadonlyAttrName(), builder.getUnitAttr());
  builder.setInsertionPointToStart(body.addEntryBlock());

  IRMapping mapping;
  for (Operation *constant : constants)
    builder.clone(*constant, mapping);
  for (auto [i, value] : llvm::enumerate(captures)) {
    Value address = LLVM::GEPOp::create(builder, loc, pointer, dataType, body.getArgument(0),
                                        ArrayRef<LLVM::GEPArg>{0, static_cast<int32_t>(i)});
    mapping.map(value,
                castTo(value.getType(), LLVM::LoadOp::create(builder, loc, dataType.getBody()[i], address)));
  }
  auto index = [&](unsigned argument) -> Value {
    return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), body.getArgument(argument));
  };
  Value begin = index(1), end = index(2);
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0),
        one = arith::ConstantIndexOp::create(builder, loc, 1);

  unsigned rank = forall.getRank();
  auto locate = [&](Value iteration) {
    SmallVector<Value> position(rank);
    Value rest = iteration;
    for (unsigned axis = rank; axis-- > 1;) {
      Value extent = mapping.lookup(counts[axis]);
      position[axis] = arith::RemUIOp::create(builder, loc, rest, extent);
      rest = arith::DivUIOp::create(builder, loc, rest, extent);
    }
    position[0] = rest;
    return position;
  };

  Value isReversed;
  if (alternation) {
    Value isOdd = arith::AndIOp::create(builder, loc, mapping.lookup(alternation), one);
    isReversed = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, isOdd, one);
  }
  // The first iteration's position is found by division, the others' by counting up with carry; but each by
  // division where the order may be reversed.
  auto loop =
      scf::ForOp::create(builder, loc, begin, end, one, alternation ? SmallVector<Value>() : locate(begin));
  builder.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> position(loop.getRegionIterArgs());
  if (isReversed) {
    Value up = loop.getInductionVar();
    Value last = arith::SubIOp::create(builder, loc, arith::AddIOp::create(builder, loc, begin, end), one);
    Value down = arith::SubIOp::create(builder, loc, last, up);
    position = locate(arith::SelectOp::create(builder, loc, isReversed, down, up));
  }
  auto lookup = [&](OpFoldResult mixed) -> Value {
    if (auto value = dyn_cast<Value>(mixed))
      return mapping.lookup(value);
    return toIndex(mixed);
  };
  for (auto [axis, induction] : llvm::enumerate(forall.getInductionVars())) {
    Value iteration = position[axis];
    Value scaled = builder.createOrFold<arith::MulIOp>(loc, iteration, lookup(forall.getMixedStep()[axis]));
    mapping.map(induction,
                builder.createOrFold<arith::AddIOp>(loc, lookup(forall.getMixedLowerBound()[axis]), scaled));
  }
  for (Operation &op : forall.getBody()->without_terminator())
    builder.clone(op, mapping);
  if (isReversed) {
    builder.setInsertionPointAfter(loop);
    func::ReturnOp::create(builder, loc);
    return body;
  }
  SmallVector<Value> next(rank);
  Value carry;
  for (unsigned axis = rank; axis-- > 0;) {
    Value iteration = position[axis];
    Value up = arith::AddIOp::create(builder, loc, iteration, one);
    if (carry)
      up = arith::SelectOp::create(builder, loc, carry, up, iteration);
    next[axis] = up;
    if (axis == 0)
      break;
    Value wraps =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, up, mapping.lookup(counts[axis]));
    next[axis] = arith::SelectOp::create(builder, loc, wraps, zero, up);
    carry = wraps;
  }
  scf::YieldOp::create(builder, loc, next);
  builder.setInsertionPointAfter(loop);
  func::ReturnOp::create(builder, loc);
  return body;
}

func::FuncOp Outliner::reuse(func::FuncOp body) {
  for (func::FuncOp other : bodies) {
    if (OperationEquivalence::isRegionEquivalentTo(&other.getBody(), &body.getBody(),
                                                   OperationEquivalence::IgnoreLocations)) {
      body.erase();
      return other;
    }
  }
  bodies.push_back(body);
  return body;
}

LogicalResult Outliner::outline(StringRef name) {
  if (forall.getNumResults() != 0)
    return forall.emitError("a parallel loop still has tensor results; bufferize first");
  {
    OpBuilder::InsertionGuard guard(builder);
    // Its operands are its bounds and steps.
    builder.setInsertionPoint(findPlace(forall, forall->getOperands()));
    SmallVector<Value> lowers =
        llvm::map_to_vector(forall.getMixedLowerBound(), [&](auto v) { return toIndex(v); });
    SmallVector<Value> uppers =
        llvm::map_to_vector(forall.getMixedUpperBound(), [&](auto v) { return toIndex(v); });
    SmallVector<Value> steps = llvm::map_to_vector(forall.getMixedStep(), [&](auto v) { return toIndex(v); });
    Value indexOne = arith::ConstantIndexOp::create(builder, loc, 1);
    for (auto [lower, upper, step] : llvm::zip_equal(lowers, uppers, steps)) {
      // (upper - lower + step - 1) / step; upstream leaves ceildivsi to a pass that also expands maxima.
      Value length = builder.createOrFold<arith::SubIOp>(loc, upper, lower);
      Value slack = builder.createOrFold<arith::SubIOp>(loc, step, indexOne);
      counts.push_back(builder.createOrFold<arith::DivSIOp>(
          loc, builder.createOrFold<arith::AddIOp>(loc, length, slack), step));
      count = count ? builder.createOrFold<arith::MulIOp>(loc, count, counts.back()) : counts.back();
    }
  }
  if (!count)
    return makeSequential(forall); // An empty iteration space of rank 0 is one iteration.
  auto around = forall->getParentOfType<scf::ForOp>();
  if (around && forall->hasAttr(kAlternatesAttr))
    alternation = around.getInductionVar();
  if (failed(collectCaptures()))
    return failure();
  Value work = WorkEstimate(forall, builder).estimate();

  func::FuncOp body = reuse(createBody(name));
  Value data = storeCaptures();
  Value count64 = arith::IndexCastOp::create(builder, loc, i64, count);
  Value one = arith::ConstantIntOp::create(builder, loc, 1, 64);
  Value zero = arith::ConstantIntOp::create(builder, loc, 0, 64);
  Value isParallel = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sgt, count64, one);
  if (work) {
    Value least = arith::ConstantIndexOp::create(builder, loc, kLeastWork);
    Value all = builder.createOrFold<arith::MulIOp>(loc, work, count);
    Value isMuch = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge, all, least);
    isParallel = arith::AndIOp::create(builder, loc, isParallel, isMuch);
  }
  auto choice = scf::IfOp::create(builder, loc, isParallel, /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(choice.thenBlock());
    Value function = func::ConstantOp::create(builder, loc, body.getFunctionType(), body.getName());
    // parallel_for is the context's first field.
    Value parallelFor = LLVM::LoadOp::create(builder, loc, pointer, context);
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(builder.getContext()),
                                            {pointer, pointer, pointer, i64});
    LLVM::CallOp::create(builder, loc, type,
                         ValueRange{parallelFor, context, castTo(pointer, function), data, count64});
    // An empty range must not reach the body, which divides by the counts of its axes.
    builder.setInsertionPointToStart(choice.elseBlock());
    Value isAny = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sgt, count64, zero);
    auto alone = scf::IfOp::create(builder, loc, isAny, /*withElseRegion=*/false);
    builder.setInsertionPointToStart(alone.thenBlock());
    func::CallOp::create(builder, loc, body, ValueRange{data, zero, count64});
  }
  forall.erase();
  return success();
}

namespace {
struct OutlineParallelPass : sesame::impl::OutlineParallelPassBase<OutlineParallelPass> {
  void runOnOperation() override {
    LLVMTypeConverter converter(&getContext());
    SymbolTable symbols(getOperation());
    SmallVector<func::FuncOp> functions(getOperation().getOps<func::FuncOp>());
    func::FuncOp profile;
    SmallVector<func::FuncOp> bodies;
    for (func::FuncOp function : functions) {
      SmallVector<scf::ForallOp> outer, nested;
      function.walk([&](scf::ForallOp forall) {
        (forall->getParentOfType<scf::ForallOp>() ? nested : outer).push_back(forall);
      });
      for (scf::ForallOp forall : nested)
        if (failed(makeSequential(forall)))
          return signalPassFailure();
      Value context = findContext(function);
      for (auto [i, forall] : llvm::enumerate(outer)) {
        if (!context) {
          forall.emitError("a parallel loop needs a function with a 'sesame.context' argument");
          return signalPassFailure();
        }
        hoistProducts(forall);
        std::string name = ("parallel_" + function.getName() + "_" + Twine(i)).str();
        if (IntegerAttr number = findOpNumber(forall.getLoc())) {
          if (!profile)
            profile = createProfileFunction(getOperation());
          OpBuilder builder(forall);
          Location loc = forall.getLoc();
          Value op = arith::ConstantIntOp::create(builder, loc, number.getInt(), 64);
          Value one = arith::ConstantIntOp::create(builder, loc, 1, 64);
          Value zero = arith::ConstantIntOp::create(builder, loc, 0, 64);
          func::CallOp::create(builder, loc, profile, ValueRange{context, op, one});
          builder.setInsertionPointAfter(forall);
          func::CallOp::create(builder, loc, profile, ValueRange{context, op, zero});
        }
        if (failed(Outliner(forall, context, converter, bodies).outline(name)))
          return signalPassFailure();
      }
    }
    shareKernels(getOperation(), bodies);
  }
};
} // namespace
