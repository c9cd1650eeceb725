//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NarrowCaches.h"

#include "sesame/Dialect/SesameDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::sesame;

namespace {

/// out = Conversion(source), element by element.
template <typename Conversion> Value convertInto(OpBuilder &b, Location loc, Value source, Value out) {
  int64_t rank = cast<RankedTensorType>(source.getType()).getRank();
  SmallVector<AffineMap> maps(2, b.getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  Type element = getElementTypeOrSelf(out);
  return linalg::GenericOp::create(b, loc, out.getType(), source, out, maps, iterators,
                                   [&](OpBuilder &inner, Location l, ValueRange values) {
                                     Value result = Conversion::create(inner, l, element, values[0]);
                                     linalg::YieldOp::create(inner, l, result);
                                   })
      .getResult(0);
}

template <typename Conversion> Value convert(OpBuilder &b, Location loc, Value source, Type element) {
  Value out = tensor::EmptyOp::create(b, loc, tensor::getMixedSizes(b, loc, source), element);
  return convertInto<Conversion>(b, loc, source, out);
}

template <typename Conversion> Value convertedFrom(Value value) {
  auto op = value.getDefiningOp<linalg::GenericOp>();
  if (!op || op.getNumDpsInputs() != 1 ||
      !llvm::all_of(op.getIndexingMapsArray(), [](AffineMap map) { return map.isIdentity(); }))
    return nullptr;
  auto conversion = op.getBody()->getTerminator()->getOperand(0).getDefiningOp<Conversion>();
  return conversion && conversion.getIn() == op.getBody()->getArgument(0) ? op.getDpsInputs()[0] : Value();
}

/// One cache of one entry: all values that are it at some time, and what touches it.
class CacheOfEntry {
public:
  CacheOfEntry(func::FuncOp entry, unsigned argument) : entry(entry) {
    values.insert(entry.getArgument(argument));
  }

  /// True if new keys or values are written into it, attention reads it, and nothing else happens.
  bool canNarrow() {
    for (size_t i = 0; i < values.size(); ++i)
      for (OpOperand &use : values[i].getUses())
        if (!follow(use))
          return false;
    return llvm::all_of(loops, [&](const std::pair<scf::ForOp, unsigned> &carried) {
      auto [loop, i] = carried;
      return values.contains(loop.getInitArgs()[i]) && values.contains(loop.getYieldedValues()[i]);
    });
  }

  void narrow() {
    auto narrowed = [](Type type) -> Type {
      auto tensor = cast<RankedTensorType>(type);
      return tensor.clone(BFloat16Type::get(type.getContext()));
    };
    for (CacheAppendOp append : appends) {
      OpBuilder b(append);
      append.getSourceMutable().assign(
          convert<arith::TruncFOp>(b, append.getLoc(), append.getSource(), b.getBF16Type()));
    }
    for (tensor::ExtractSliceOp read : reads) {
      OpBuilder b(read->getContext());
      b.setInsertionPointAfter(read);
      read.getResult().setType(cast<RankedTensorType>(narrowed(read.getType())));
      Value wide = convert<arith::ExtFOp>(b, read.getLoc(), read, b.getF32Type());
      read.getResult().replaceUsesWithIf(wide,
                                         [](OpOperand &use) { return isa<AttentionOp>(use.getOwner()); });
    }
    for (Value value : values)
      value.setType(narrowed(value.getType()));
    entry.setType(FunctionType::get(entry.getContext(), entry.getBody().getArgumentTypes(),
                                    entry.getBody().front().getTerminator()->getOperandTypes()));
  }

private:
  bool follow(OpOperand &use) {
    Operation *user = use.getOwner();
    if (auto append = dyn_cast<CacheAppendOp>(user)) {
      values.insert(append.getResult());
      appends.insert(append);
      return append.getCache() == use.get() && append.getSource() != use.get();
    }
    if (auto read = dyn_cast<tensor::ExtractSliceOp>(user)) {
      reads.insert(read);
      return llvm::all_of(read->getUses(), isAttended);
    }
    if (auto loop = dyn_cast<scf::ForOp>(user)) {
      if (BlockArgument argument = loop.getTiedLoopRegionIterArg(&use))
        return carry(loop, argument.getArgNumber() - loop.getNumInductionVars());
      return false;
    }
    if (auto yield = dyn_cast<scf::YieldOp>(user)) {
      auto loop = dyn_cast<scf::ForOp>(yield->getParentOp());
      return loop && carry(loop, use.getOperandNumber());
    }
    if (auto end = dyn_cast<func::ReturnOp>(user))
      return static_cast<bool>(entry.getResultAttr(use.getOperandNumber(), "sesame.state"));
    return isa<tensor::DimOp>(user);
  }

  bool carry(scf::ForOp loop, unsigned i) {
    loops.insert({loop, i});
    values.insert(loop.getRegionIterArgs()[i]);
    values.insert(loop.getResult(i));
    return true;
  }

  static bool isAttended(OpOperand &use) {
    auto attention = dyn_cast<AttentionOp>(use.getOwner());
    return isa<tensor::DimOp>(use.getOwner()) ||
           (attention && (&use == &attention.getKeyMutable() || &use == &attention.getValueMutable()));
  }

  func::FuncOp entry;
  llvm::SetVector<Value> values;
  llvm::SetVector<CacheAppendOp> appends;
  llvm::SetVector<tensor::ExtractSliceOp> reads;
  llvm::SetVector<std::pair<scf::ForOp, unsigned>> loops;
};

} // namespace

void mlir::sesame::narrowCaches(ModuleOp module) {
  // An entry may hand a tensor to the state of another one: all that have the name have one type.
  llvm::MapVector<StringAttr, SmallVector<CacheOfEntry>> caches;
  llvm::DenseSet<StringAttr> others;
  for (func::FuncOp entry : module.getOps<func::FuncOp>()) {
    if (entry.isExternal())
      continue;
    for (unsigned i = 0; i < entry.getNumArguments(); ++i) {
      auto name = entry.getArgAttrOfType<StringAttr>(i, "sesame.name");
      auto type = dyn_cast<RankedTensorType>(entry.getArgument(i).getType());
      if (name && type && type.getElementType().isF32() && entry.getArgAttr(i, "sesame.state"))
        caches[name].push_back(CacheOfEntry(entry, i));
      else if (name)
        others.insert(name);
    }
    for (unsigned i = 0; i < entry.getNumResults(); ++i)
      if (auto name = entry.getResultAttrOfType<StringAttr>(i, "sesame.name");
          name && !entry.getResultAttr(i, "sesame.state"))
        others.insert(name);
  }
  for (auto &[name, entries] : caches)
    if (!others.contains(name) &&
        llvm::all_of(entries, [](CacheOfEntry &cache) { return cache.canNarrow(); }))
      for (CacheOfEntry &cache : entries)
        cache.narrow();
}

Value mlir::sesame::roundedFrom(Value value) { return convertedFrom<arith::TruncFOp>(value); }
Value mlir::sesame::widenedFrom(Value value) { return convertedFrom<arith::ExtFOp>(value); }
Value mlir::sesame::roundInto(OpBuilder &b, Location loc, Value source, Value out) {
  return convertInto<arith::TruncFOp>(b, loc, source, out);
}
