//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Passes/EntryInterface.h"
#include "sesame/Passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::sesame {
#define GEN_PASS_DEF_BUFFERIZEENTRIESPASS
#include "sesame/Passes/Passes.h.inc"
} // namespace mlir::sesame

using namespace mlir;
using namespace mlir::sesame;

/// Checks that `sesame.dims` names every dynamic axis of `type` and agrees with the static ones.
static LogicalResult checkDims(func::FuncOp entry, Type type, ArrayAttr dims, StringRef what,
                               unsigned index) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return entry.emitError() << what << " " << index << " of an entry must be a ranked tensor, got " << type;
  if (!dims) {
    if (tensor.hasStaticShape())
      return success();
    return entry.emitError() << what << " " << index << " has dynamic extents and needs 'sesame.dims'";
  }
  if (static_cast<int64_t>(dims.size()) != tensor.getRank())
    return entry.emitError() << what << " " << index << ": 'sesame.dims' has " << dims.size()
                             << " axes, the type " << tensor;
  for (auto [axis, attribute] : llvm::enumerate(dims)) {
    auto dim = dyn_cast<StringAttr>(attribute);
    int64_t number;
    if (!dim || dim.empty())
      return entry.emitError() << what << " " << index << ": 'sesame.dims' must hold non-empty strings";
    bool isNumber = !dim.getValue().getAsInteger(10, number);
    if (isNumber && (tensor.isDynamicDim(axis) || tensor.getDimSize(axis) != number))
      return entry.emitError() << what << " " << index << ": 'sesame.dims' gives " << number << " for axis "
                               << axis << ", the type " << tensor;
  }
  return success();
}

/// Gives an argument without `sesame.dims` symbols of its own for its dynamic axes: `argI_AXIS`, as the
/// manifest calls them.
static void nameExtents(func::FuncOp entry, unsigned index) {
  auto type = dyn_cast<RankedTensorType>(entry.getArgument(index).getType());
  if (!type || type.hasStaticShape() || entry.getArgAttr(index, kDimsAttr))
    return;
  SmallVector<std::string> names;
  for (int64_t axis = 0; axis < type.getRank(); ++axis)
    names.push_back(type.isDynamicDim(axis) ? ("arg" + Twine(index) + "_" + Twine(axis)).str()
                                            : std::to_string(type.getDimSize(axis)));
  entry.setArgAttr(index, kDimsAttr,
                   Builder(entry.getContext()).getStrArrayAttr(llvm::to_vector_of<StringRef>(names)));
}

/// The state argument with the name of result `index`, or nothing.
static std::optional<unsigned> findState(func::FuncOp entry, unsigned index) {
  Attribute name = entry.getResultAttr(index, kNameAttr);
  for (unsigned i = 0; i < entry.getNumArguments(); ++i)
    if (name && entry.getArgAttr(i, kStateAttr) && entry.getArgAttr(i, kNameAttr) == name)
      return i;
  return std::nullopt;
}

/// Appends an index argument for each symbol and makes every extent of an argument that symbol.
static void addSymbols(func::FuncOp entry) {
  Builder builder(entry.getContext());
  for (StringRef symbol : getEntrySymbols(entry)) {
    NamedAttribute attribute = builder.getNamedAttr(kSymbolAttr, builder.getStringAttr(symbol));
    (void)entry.insertArgument(entry.getNumArguments(), builder.getIndexType(),
                               builder.getDictionaryAttr(attribute), entry.getLoc());
  }
  entry.walk([&](tensor::DimOp dim) {
    auto argument = dyn_cast<BlockArgument>(dim.getSource());
    std::optional<int64_t> axis = dim.getConstantIndex();
    if (!argument || argument.getOwner() != &entry.getBody().front() || !axis)
      return;
    if (OpFoldResult extent = getArgumentExtent(entry, argument.getArgNumber(), *axis)) {
      OpBuilder at(dim);
      dim.replaceAllUsesWith(getValueOrCreateConstantIndexOp(at, dim.getLoc(), extent));
      dim.erase();
    }
  });
}

/// A loop that makes a result from an empty tensor gets memory of its own, and the result is copied. The
/// destination must be written in place, which one-shot bufferization checks before its analysis has found
/// that the loop's result is the buffer of its init: with the destination as init it reports a conflict.
static void keepLoopApart(OpBuilder &builder, Value value) {
  auto loop = value.getDefiningOp<scf::ForOp>();
  if (!loop)
    return;
  OpOperand *init = loop.getTiedLoopInit(cast<OpResult>(value));
  auto empty = init->get().getDefiningOp<tensor::EmptyOp>();
  if (!empty)
    return;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(loop);
  init->set(
      bufferization::AllocTensorOp::create(builder, loop.getLoc(), empty.getType(), empty.getDynamicSizes())
          .getResult());
}

/// Materializes `value` in `destination`. A value that is another one with an axis split is written in that
/// shape, since the search for destinations (`eliminate-empty-tensors`) does not look through a reshape.
static Value writeResult(OpBuilder &builder, Value value, BlockArgument destination) {
  auto expand = value.getDefiningOp<tensor::ExpandShapeOp>();
  keepLoopApart(builder, expand ? expand.getSrc() : value);
  if (!expand)
    return bufferization::MaterializeInDestinationOp::create(builder, value.getLoc(), value.getType(), value,
                                                             destination)
        .getResult();
  Value collapsed;
  {
    // At the start of the function, so that every operation can write there.
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(destination.getOwner());
    collapsed = tensor::CollapseShapeOp::create(builder, value.getLoc(), expand.getSrcType(), destination,
                                                expand.getReassociationIndices());
  }
  Value written = bufferization::MaterializeInDestinationOp::create(
                      builder, value.getLoc(), expand.getSrcType(), expand.getSrc(), collapsed)
                      .getResult();
  return tensor::ExpandShapeOp::create(builder, value.getLoc(), expand.getResultType(), written,
                                       expand.getReassociationIndices(), expand.getMixedOutputShape());
}

static LogicalResult bufferizeEntry(func::FuncOp entry) {
  if (!entry.getBody().hasOneBlock())
    return entry.emitError() << "an entry must have one block, got " << entry.getBody().getBlocks().size();
  OpBuilder builder(entry.getContext());
  for (unsigned i = 0; i < entry.getNumArguments(); ++i) {
    nameExtents(entry, i);
    if (failed(checkDims(entry, entry.getArgument(i).getType(),
                         entry.getArgAttrOfType<ArrayAttr>(i, kDimsAttr), "argument", i)))
      return failure();
    bool isState = static_cast<bool>(entry.getArgAttr(i, kStateAttr));
    entry.setArgAttr(i, bufferization::BufferizationDialect::kWritableAttrName, builder.getBoolAttr(isState));
  }
  auto symbols = getEntrySymbols(entry);
  llvm::SmallDenseSet<Value> written;
  Operation *terminator = entry.getBody().front().getTerminator();
  builder.setInsertionPoint(terminator);
  for (unsigned i = 0; i < entry.getNumResults(); ++i) {
    Type type = entry.getResultTypes()[i];
    auto dims = entry.getResultAttrOfType<ArrayAttr>(i, kDimsAttr);
    if (entry.getResultAttr(i, kStateAttr)) {
      std::optional<unsigned> argument = findState(entry, i);
      if (!argument)
        return entry.emitError() << "result " << i
                                 << " is marked 'sesame.state', but no state argument has its name";
      if (entry.getArgument(*argument).getType() != type)
        return entry.emitError() << "result " << i << " has type " << type << ", its state argument "
                                 << entry.getArgument(*argument).getType();
      entry.setResultAttr(i, kDestinationAttr, builder.getI64IntegerAttr(*argument));
      continue;
    }
    if (failed(checkDims(entry, type, dims, "result", i)))
      return failure();
    SmallVector<NamedAttribute> attributes = {
        builder.getNamedAttr(kOutputAttr, builder.getUnitAttr()),
        builder.getNamedAttr(bufferization::BufferizationDialect::kWritableAttrName,
                             builder.getBoolAttr(true))};
    if (Attribute name = entry.getResultAttr(i, kNameAttr))
      attributes.push_back(builder.getNamedAttr(kNameAttr, name));
    if (dims) {
      attributes.push_back(builder.getNamedAttr(kDimsAttr, dims));
      for (auto [axis, dim] : llvm::enumerate(dims.getAsRange<StringAttr>()))
        if (cast<RankedTensorType>(type).isDynamicDim(axis) && !llvm::is_contained(symbols, dim.getValue()))
          return entry.emitError() << "result " << i << ": symbol '" << dim.getValue()
                                   << "' occurs in no argument";
    }
    unsigned argument = entry.getNumArguments();
    if (failed(entry.insertArgument(argument, type, builder.getDictionaryAttr(attributes), entry.getLoc())))
      return failure();
    entry.setResultAttr(i, kDestinationAttr, builder.getI64IntegerAttr(argument));
    Value value = terminator->getOperand(i);
    auto expand = value.getDefiningOp<tensor::ExpandShapeOp>();
    // One value in two buffers: the second one gets a copy, made before the first is written.
    if (!written.insert(expand ? expand.getSrc() : value).second) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointAfterValue(value);
      value = bufferization::AllocTensorOp::create(builder, entry.getLoc(), cast<RankedTensorType>(type),
                                                   ValueRange(), value);
    }
    terminator->setOperand(i, writeResult(builder, value, entry.getArgument(argument)));
  }
  addSymbols(entry);
  return success();
}

namespace {
struct BufferizeEntriesPass : sesame::impl::BufferizeEntriesPassBase<BufferizeEntriesPass> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (isEntry(func) && failed(bufferizeEntry(func)))
        return signalPassFailure();
  }
};
} // namespace
