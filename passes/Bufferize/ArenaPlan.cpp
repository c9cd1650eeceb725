//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ArenaPlan.h"

#include "FoldEvaluator.h"

#include "sesame/Passes/EntryInterface.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace mlir::sesame;

/// Offsets are multiples of this many bytes: a cache line, and a full AVX-512 register.
static constexpr int64_t kAlignment = 64;
/// The value of every symbol for which the order is chosen: a middling sequence length.
static constexpr int64_t kNominalExtent = 128;

namespace {
/// First and last position of an operation in a pre-order walk, the last one over everything nested in it.
struct Span {
  int64_t first;
  int64_t last;
};

/// Copies index arithmetic to another place, as far as it depends on symbols alone.
class ExpressionCloner {
public:
  ExpressionCloner(func::FuncOp function, OpBuilder &builder, IRMapping &symbols)
      : function(function), builder(builder), mapping(symbols) {}

  /// The copy of `value`, or null if it depends on something else.
  Value clone(Value value) {
    if (Value known = mapping.lookupOrNull(value))
      return known;
    Operation *op = value.getDefiningOp();
    if (!op)
      return {};
    if (auto dim = dyn_cast<memref::DimOp>(op)) {
      std::optional<int64_t> axis = dim.getConstantIndex();
      Value extent = axis ? cloneExtent(dim.getSource(), *axis) : Value();
      if (extent)
        mapping.map(value, extent);
      return extent;
    }
    if (!isPure(op) || op->getNumRegions() != 0)
      return {};
    for (Value operand : op->getOperands())
      if (!clone(operand))
        return {};
    builder.clone(*op, mapping);
    return mapping.lookup(value);
  }

private:
  Value cloneMixed(OpFoldResult extent) {
    if (auto value = dyn_cast_if_present<Value>(extent))
      return clone(value);
    return extent ? getValueOrCreateConstantIndexOp(builder, function.getLoc(), extent) : Value();
  }

  /// The extent of a buffer along an axis.
  Value cloneExtent(Value buffer, int64_t axis) {
    if (auto argument = dyn_cast<BlockArgument>(buffer)) {
      if (argument.getOwner() == &function.getBody().front())
        return cloneMixed(getArgumentExtent(function, argument.getArgNumber(), axis));
      // Loops keep the shapes of what they carry.
      auto loop = dyn_cast<LoopLikeOpInterface>(argument.getOwner()->getParentOp());
      OpOperand *init = loop ? loop.getTiedLoopInit(argument) : nullptr;
      return init ? cloneExtent(init->get(), axis) : Value();
    }
    Operation *op = buffer.getDefiningOp();
    if (auto alloc = dyn_cast<memref::AllocOp>(op))
      return cloneMixed(alloc.getMixedSizes()[axis]);
    if (auto subview = dyn_cast<memref::SubViewOp>(op)) {
      if (subview.getDroppedDims().any())
        return {};
      return cloneMixed(subview.getMixedSizes()[axis]);
    }
    if (auto cast = dyn_cast<memref::CastOp>(op))
      return cloneExtent(cast.getSource(), axis);
    if (auto collapse = dyn_cast<memref::CollapseShapeOp>(op)) {
      Value product;
      const ReassociationIndices sources = collapse.getReassociationIndices()[axis];
      for (int64_t source : sources) {
        Value extent = cloneExtent(collapse.getSrc(), source);
        if (!extent)
          return {};
        product = product ? arith::MulIOp::create(builder, function.getLoc(), product, extent) : extent;
      }
      return product;
    }
    if (auto expand = dyn_cast<memref::ExpandShapeOp>(op))
      return cloneMixed(expand.getMixedOutputShape()[axis]);
    if (auto loop = dyn_cast<LoopLikeOpInterface>(op))
      if (OpOperand *init = loop.getTiedLoopInit(cast<OpResult>(buffer)))
        return cloneExtent(init->get(), axis);
    return {};
  }

  func::FuncOp function;
  OpBuilder &builder;
  IRMapping &mapping;
};

/// Makes each sum, product and maximum once, so that equal sizes and offsets are equal values.
class Arithmetic {
public:
  Arithmetic(OpBuilder &builder, Location loc) : builder(builder), loc(loc) {}

  Value constant(int64_t value) {
    Value &known = constants[value];
    return known ? known : known = arith::ConstantIndexOp::create(builder, loc, value);
  }
  template <typename Op> Value combine(Value lhs, Value rhs) {
    Value &known =
        results[{OperationName(Op::getOperationName(), builder.getContext()).getAsOpaquePointer(), lhs, rhs}];
    return known ? known : known = builder.createOrFold<Op>(loc, lhs, rhs);
  }

private:
  OpBuilder &builder;
  Location loc;
  llvm::DenseMap<int64_t, Value> constants;
  llvm::DenseMap<std::tuple<const void *, Value, Value>, Value> results;
};
} // namespace

LogicalResult ArenaPlan::collect() {
  llvm::DenseMap<Operation *, Span> spans;
  int64_t position = 0;
  function.walk<WalkOrder::PreOrder>([&](Operation *op) { spans[op] = {position++, 0}; });
  // In post-order everything nested has its last position when its parent is reached.
  function.walk<WalkOrder::PostOrder>([&](Operation *op) {
    Span &span = spans[op];
    span.last = span.first;
    for (Region &region : op->getRegions())
      for (Block &block : region)
        if (!block.empty())
          span.last = std::max(span.last, spans[&block.back()].last);
  });

  BufferViewFlowAnalysis aliases(function);
  WalkResult result = function.walk([&](memref::AllocOp alloc) {
    // The allocation itself may be far from the first use, and uses no memory.
    Buffer buffer{alloc, std::numeric_limits<int64_t>::max(), spans[alloc].first};
    for (Value alias : aliases.resolve(alloc.getMemref())) {
      for (Operation *user : alias.getUsers()) {
        if (isa<func::ReturnOp>(user)) {
          alloc.emitError("a temporary buffer is returned");
          return WalkResult::interrupt();
        }
        // What a loop that does not contain the allocation uses is alive through all its iterations.
        Operation *outermost = user;
        for (Operation *parent = user->getParentOp(); parent && !parent->isAncestor(alloc);
             parent = parent->getParentOp())
          if (isa<LoopLikeOpInterface>(parent))
            outermost = parent;
        buffer.firstUse = std::min(buffer.firstUse, spans[outermost].first);
        buffer.lastUse = std::max(buffer.lastUse, spans[outermost].last);
      }
      auto loop = dyn_cast_or_null<LoopLikeOpInterface>(alias.getParentBlock()->getParentOp());
      bool isCarried = isa<BlockArgument>(alias) && loop && loop->isAncestor(alloc);
      if (isCarried || (alias.getDefiningOp() && alias.getDefiningOp()->isProperAncestor(alloc) &&
                        isa<LoopLikeOpInterface>(alias.getDefiningOp()))) {
        alloc.emitError("a temporary buffer outlives the loop iteration in which it is made");
        return WalkResult::interrupt();
      }
    }
    buffer.firstUse = std::min(buffer.firstUse, buffer.lastUse);
    buffers.push_back(buffer);
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// Bytes of each buffer, rounded up to the alignment.
static FailureOr<SmallVector<Value>> buildSizes(func::FuncOp function, ArrayRef<memref::AllocOp> allocs,
                                                OpBuilder &builder, IRMapping &symbols,
                                                Arithmetic &arithmetic) {
  ExpressionCloner cloner(function, builder, symbols);
  SmallVector<Value> sizes;
  for (memref::AllocOp alloc : allocs) {
    MemRefType type = alloc.getType();
    int64_t staticBytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
    for (int64_t extent : type.getShape())
      if (!ShapedType::isDynamic(extent))
        staticBytes *= extent;
    if (type.hasStaticShape())
      staticBytes = llvm::alignTo(staticBytes, kAlignment);
    Value bytes = arithmetic.constant(staticBytes);
    for (Value extent : alloc.getDynamicSizes()) {
      Value copy = cloner.clone(extent);
      if (!copy)
        return alloc->emitError(
            "the size of a temporary buffer does not depend on the entry's symbols alone");
      bytes = arithmetic.combine<arith::MulIOp>(bytes, copy);
    }
    if (staticBytes % kAlignment != 0) {
      bytes = arithmetic.combine<arith::AddIOp>(bytes, arithmetic.constant(kAlignment - 1));
      bytes = arithmetic.combine<arith::AndIOp>(bytes, arithmetic.constant(-kAlignment));
    }
    sizes.push_back(bytes);
  }
  return sizes;
}

void ArenaPlan::chooseOrder(ArrayRef<Value> sizes, ValueRange symbols) {
  FoldEvaluator evaluator;
  for (Value symbol : symbols)
    evaluator.set(symbol, kNominalExtent);
  SmallVector<int64_t> bytes, offsets(buffers.size(), 0);
  for (Value size : sizes)
    bytes.push_back(evaluator.evaluate(size).value_or(0));
  SmallVector<unsigned> bySize = llvm::to_vector(llvm::seq<unsigned>(0, buffers.size()));
  llvm::stable_sort(bySize, [&](unsigned a, unsigned b) { return bytes[a] > bytes[b]; });

  // Largest first, each into the smallest gap that holds it between the placed buffers alive together with
  // it.
  SmallVector<unsigned> placed; // by offset
  for (unsigned current : bySize) {
    int64_t end = 0, smallestGap = std::numeric_limits<int64_t>::max();
    std::optional<int64_t> best;
    for (unsigned other : placed) {
      if (!conflict(buffers[current], buffers[other]))
        continue;
      int64_t gap = offsets[other] - end;
      if (gap >= bytes[current] && gap < smallestGap) {
        smallestGap = gap;
        best = end;
      }
      end = std::max(end, offsets[other] + bytes[other]);
    }
    offsets[current] = best.value_or(end);
    auto isHigher = [&](unsigned a, unsigned b) { return offsets[a] < offsets[b]; };
    placed.insert(llvm::upper_bound(placed, current, isHigher), current);
  }
  order.assign(placed.begin(), placed.end());
}

FailureOr<ArenaValues> ArenaPlan::build(OpBuilder &builder, IRMapping &symbols) {
  Arithmetic arithmetic(builder, function.getLoc());
  auto allocs = llvm::map_to_vector(buffers, [](const Buffer &buffer) { return buffer.alloc; });
  FailureOr<SmallVector<Value>> sizes = buildSizes(function, allocs, builder, symbols, arithmetic);
  if (failed(sizes))
    return failure();
  if (order.size() != buffers.size()) {
    SmallVector<Value> arguments;
    for (BlockArgument symbol : getSymbolArguments(function))
      arguments.push_back(symbols.lookup(symbol));
    chooseOrder(*sizes, arguments);
  }

  ArenaValues values;
  values.offsets.resize(buffers.size());
  SmallVector<Value> ends(buffers.size());
  // The highest end among `below`. One that has another of them above it cannot be the highest.
  auto findTop = [&](ArrayRef<unsigned> below) {
    Value top;
    for (auto [position, lower] : llvm::enumerate(below)) {
      bool isCovered = llvm::any_of(below.drop_front(position + 1), [&, lower = lower](unsigned higher) {
        return conflict(buffers[lower], buffers[higher]);
      });
      if (!isCovered)
        top = !top || top == ends[lower] ? ends[lower] : arithmetic.combine<arith::MaxSIOp>(top, ends[lower]);
    }
    return top ? top : arithmetic.constant(0);
  };
  for (auto [position, current] : llvm::enumerate(order)) {
    SmallVector<unsigned> below;
    for (unsigned lower : ArrayRef(order).take_front(position))
      if (conflict(buffers[current], buffers[lower]))
        below.push_back(lower);
    values.offsets[current] = findTop(below);
    ends[current] = arithmetic.combine<arith::AddIOp>(values.offsets[current], (*sizes)[current]);
  }
  values.totalBytes = findTop(order);
  return values;
}

void ArenaPlan::replaceAllocations(Value arena, const ArenaValues &places) {
  for (auto [buffer, offset] : llvm::zip_equal(buffers, places.offsets)) {
    OpBuilder builder(buffer.alloc);
    Value view = memref::ViewOp::create(builder, buffer.alloc.getLoc(), buffer.alloc.getType(), arena, offset,
                                        buffer.alloc.getDynamicSizes());
    buffer.alloc.replaceAllUsesWith(view);
    buffer.alloc.erase();
  }
}
