//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Passes/EntryInterface.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_LOWERENTRYPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

namespace {
/// Rewrites one function to the C interface.
class EntryLowering {
public:
  EntryLowering(func::FuncOp function, const LLVMTypeConverter &converter)
      : function(function), converter(converter), builder(function.getContext()), loc(function.getLoc()),
        pointer(LLVM::LLVMPointerType::get(function.getContext())) {}

  LogicalResult lowerEntry();
  LogicalResult lowerWorkspace(StringRef entryName);

private:
  /// Puts new arguments before the old ones.
  void addArguments(unsigned count);
  /// Drops the arguments from `first` on, which have no users left.
  void dropArguments(unsigned first);
  Value load(Type type, Value base, int64_t index) {
    Value address = LLVM::GEPOp::create(builder, loc, pointer, type, base,
                                        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)});
    return LLVM::LoadOp::create(builder, loc, type, address);
  }
  Value constant(int64_t value) {
    return LLVM::ConstantOp::create(builder, loc, builder.getI64Type(), builder.getI64IntegerAttr(value));
  }
  /// A row-major buffer of `type` at `base`; null if an extent is unknown.
  Value makeBuffer(MemRefType type, Value base, unsigned argument);
  LogicalResult lowerWeights(Value base);

  func::FuncOp function;
  const LLVMTypeConverter &converter;
  OpBuilder builder;
  Location loc;
  Type pointer;
  /// i64 values of the symbols, by name.
  llvm::StringMap<Value> symbols;
};
} // namespace

void EntryLowering::addArguments(unsigned count) {
  SmallVector<unsigned> positions(count, 0);
  SmallVector<Type> types(count, pointer);
  SmallVector<DictionaryAttr> attributes(count);
  SmallVector<Location> locations(count, loc);
  (void)function.insertArguments(positions, types, attributes, locations);
  builder.setInsertionPointToStart(&function.getBody().front());
}

void EntryLowering::dropArguments(unsigned first) {
  llvm::BitVector dropped(function.getNumArguments());
  dropped.set(first, function.getNumArguments());
  (void)function.eraseArguments(dropped);
}

Value EntryLowering::makeBuffer(MemRefType type, Value base, unsigned argument) {
  auto descriptor = MemRefDescriptor::poison(builder, loc, converter.convertType(type));
  descriptor.setAllocatedPtr(builder, loc, base);
  descriptor.setAlignedPtr(builder, loc, base);
  descriptor.setConstantOffset(builder, loc, 0);
  Value stride = constant(1);
  for (int64_t axis = type.getRank() - 1; axis >= 0; --axis) {
    Value extent;
    if (function.getArgAttr(argument, kArenaAttr)) {
      extent = constant(0); // Views carry their own extents.
    } else {
      OpFoldResult mixed = getArgumentExtent(function, argument, axis);
      if (!mixed)
        return {};
      if (auto attribute = dyn_cast<Attribute>(mixed))
        extent = constant(cast<IntegerAttr>(attribute).getInt());
      else
        extent = symbols.lookup(function
                                    .getArgAttrOfType<StringAttr>(
                                        cast<BlockArgument>(cast<Value>(mixed)).getArgNumber(), kSymbolAttr)
                                    .getValue());
    }
    descriptor.setSize(builder, loc, axis, extent);
    descriptor.setStride(builder, loc, axis, stride);
    if (axis > 0)
      stride = builder.createOrFold<LLVM::MulOp>(loc, stride, extent);
  }
  return UnrealizedConversionCastOp::create(builder, loc, type, static_cast<Value>(descriptor)).getResult(0);
}

LogicalResult EntryLowering::lowerWeights(Value base) {
  SymbolTableCollection tables;
  WalkResult result = function.walk([&](GetWeightOp get) {
    auto weight = tables.lookupNearestSymbolFrom<WeightOp>(get, get.getWeightAttr());
    auto type = dyn_cast<MemRefType>(get.getType());
    if (!weight || !type || !type.getLayout().isIdentity()) {
      get.emitError() << "expects a weight symbol and a contiguous buffer, got " << get.getType();
      return WalkResult::interrupt();
    }
    if (!weight.getOffset()) {
      InFlightDiagnostic diagnostic = get.emitError()
                                      << "weight '" << get.getWeight() << "' has no place yet";
      diagnostic.attachNote(weight.getLoc()) << "sesame-plan-weights gives it an 'offset'";
      return WalkResult::interrupt();
    }
    builder.setInsertionPoint(get);
    Location at = get.getLoc();
    Value offset = LLVM::ConstantOp::create(builder, at, builder.getI64Type(),
                                            builder.getI64IntegerAttr(*weight.getOffset()));
    if (get.getIndex()) {
      int64_t strideInBytes = weight.getStride() ? static_cast<int64_t>(*weight.getStride())
                                                 : llvm::alignTo(weight.getSizeInBytes(), 64);
      Value index = arith::IndexCastOp::create(builder, at, builder.getI64Type(), get.getIndex());
      Value stride = LLVM::ConstantOp::create(builder, at, builder.getI64Type(),
                                              builder.getI64IntegerAttr(strideInBytes));
      offset = LLVM::AddOp::create(builder, at, offset, LLVM::MulOp::create(builder, at, index, stride));
    }
    Value address =
        LLVM::GEPOp::create(builder, at, pointer, builder.getI8Type(), base, ArrayRef<LLVM::GEPArg>{offset});
    Value descriptor = MemRefDescriptor::fromStaticShape(builder, at, converter, type, address);
    get.replaceAllUsesWith(UnrealizedConversionCastOp::create(builder, at, type, descriptor).getResult(0));
    get.erase();
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult EntryLowering::lowerEntry() {
  if (function.getNumResults() != 0)
    return function.emitError("an entry still returns values; run sesame-drop-entry-results first");
  addArguments(3);
  Value buffers = function.getArgument(1), dims = function.getArgument(2);
  function.setArgAttr(0, kContextAttr, builder.getUnitAttr());

  int64_t numInputs = 0, nextSymbol = 0;
  for (unsigned i = 3; i < function.getNumArguments(); ++i) {
    if (auto symbol = function.getArgAttrOfType<StringAttr>(i, kSymbolAttr)) {
      Value value = load(builder.getI64Type(), dims, nextSymbol++);
      symbols[symbol.getValue()] = value;
      function.getArgument(i).replaceAllUsesWith(
          arith::IndexCastOp::create(builder, loc, builder.getIndexType(), value).getResult());
    } else if (!function.getArgAttr(i, kOutputAttr) && !function.getArgAttr(i, kArenaAttr)) {
      ++numInputs;
    }
  }
  int64_t nextInput = 2, nextOutput = 2 + numInputs;
  for (unsigned i = 3; i < function.getNumArguments(); ++i) {
    if (function.getArgAttr(i, kSymbolAttr))
      continue;
    int64_t place = function.getArgAttr(i, kArenaAttr)    ? 1
                    : function.getArgAttr(i, kOutputAttr) ? nextOutput++
                                                          : nextInput++;
    BlockArgument argument = function.getArgument(i);
    auto type = dyn_cast<MemRefType>(argument.getType());
    if (!type || !type.getLayout().isIdentity())
      return function.emitError() << "argument " << i - 3 << " of an entry must be a contiguous buffer, got "
                                  << argument.getType();
    if (argument.use_empty())
      continue;
    Value buffer = makeBuffer(type, load(pointer, buffers, place), i);
    if (!buffer)
      return function.emitError() << "argument " << i - 3
                                  << ": 'sesame.dims' does not tell every dynamic extent of " << type;
    argument.replaceAllUsesWith(buffer);
  }
  Value weights = load(pointer, buffers, 0);
  if (failed(lowerWeights(weights)))
    return failure();
  dropArguments(3);
  function.setName(("sesame_entry_" + function.getName()).str());
  return success();
}

LogicalResult EntryLowering::lowerWorkspace(StringRef entryName) {
  addArguments(1);
  for (unsigned i = 1; i < function.getNumArguments(); ++i) {
    Value value = load(builder.getI64Type(), function.getArgument(0), i - 1);
    function.getArgument(i).replaceAllUsesWith(
        arith::IndexCastOp::create(builder, loc, builder.getIndexType(), value).getResult());
  }
  dropArguments(1);
  Operation *terminator = function.getBody().front().getTerminator();
  builder.setInsertionPoint(terminator);
  terminator->setOperand(
      0,
      arith::IndexCastOp::create(builder, loc, builder.getI64Type(), terminator->getOperand(0)).getResult());
  function.setType(builder.getFunctionType(function.getArgumentTypes(), builder.getI64Type()));
  function.setName(("sesame_entry_" + entryName + "_workspace").str());
  return success();
}

namespace {
struct LowerEntryPass : sesame::impl::LowerEntryPassBase<LowerEntryPass> {
  void runOnOperation() override {
    LLVMTypeConverter converter(&getContext());
    SmallVector<func::FuncOp> entries;
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (isEntry(func))
        entries.push_back(func);
    for (func::FuncOp entry : entries) {
      std::string name = entry.getName().str();
      auto workspace = getOperation().lookupSymbol<func::FuncOp>(getWorkspaceName(name));
      if (!workspace) {
        entry.emitError("an entry has no workspace function; run sesame-plan-arena first");
        return signalPassFailure();
      }
      if (failed(EntryLowering(entry, converter).lowerEntry()) ||
          failed(EntryLowering(workspace, converter).lowerWorkspace(name)))
        return signalPassFailure();
    }
  }
};
} // namespace
