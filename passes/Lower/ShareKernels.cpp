//===- ShareKernels.cpp - One function for kernels of several parallel bodies ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ShareKernels.h"

#include "sesame/Dialect/SesameDialect.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

using namespace mlir;
using namespace mlir::sesame;

static bool isKernel(Operation *op) {
  return isa_and_nonnull<SesameDialect>(op->getDialect()) && isa<DestinationStyleOpInterface>(op) &&
         op->getNumResults() == 0 && op->getNumRegions() == 0;
}

/// The type of both, with dynamic strides where theirs differ; null if more than strides differ.
static Type join(Type left, Type right) {
  if (left == right)
    return left;
  auto a = dyn_cast<MemRefType>(left), b = dyn_cast<MemRefType>(right);
  if (!a || !b || a.getShape() != b.getShape() || a.getElementType() != b.getElementType() ||
      a.getMemorySpace() != b.getMemorySpace())
    return {};
  int64_t offset, otherOffset;
  SmallVector<int64_t> strides, otherStrides;
  if (failed(a.getStridesAndOffset(strides, offset)) ||
      failed(b.getStridesAndOffset(otherStrides, otherOffset)))
    return {};
  for (auto [stride, other] : llvm::zip_equal(strides, otherStrides))
    if (stride != other)
      stride = ShapedType::kDynamic;
  return MemRefType::get(
      a.getShape(), a.getElementType(),
      StridedLayoutAttr::get(a.getContext(), offset == otherOffset ? offset : ShapedType::kDynamic, strides),
      a.getMemorySpace());
}

namespace {
/// Kernels that one function can do, and the types of its arguments.
struct Sisters {
  SmallVector<Operation *> kernels;
  SmallVector<Type> types;
};
} // namespace

/// Adds `kernel` to `sisters` if it is one of them.
static bool add(Sisters &sisters, Operation *kernel) {
  Operation *first = sisters.kernels.front();
  if (first->getName() != kernel->getName() || first->getNumOperands() != kernel->getNumOperands() ||
      first->getAttrDictionary() != kernel->getAttrDictionary())
    return false;
  SmallVector<Type> types;
  for (auto [type, operand] : llvm::zip_equal(sisters.types, kernel->getOperandTypes()))
    if (types.emplace_back(join(type, operand)); !types.back())
      return false;
  sisters.types = types;
  sisters.kernels.push_back(kernel);
  return true;
}

static void share(const Sisters &sisters, SymbolTable &symbols) {
  Operation *first = sisters.kernels.front();
  Location loc = first->getLoc();
  OpBuilder builder(first->getContext());
  auto function = func::FuncOp::create(builder, loc, first->getName().stripDialect(),
                                       builder.getFunctionType(sisters.types, {}));
  function.setPrivate();
  symbols.insert(function, Block::iterator(first->getParentOfType<func::FuncOp>()));
  builder.setInsertionPointToStart(function.addEntryBlock());
  Operation *shared = builder.clone(*first);
  shared->setOperands(function.getArguments());
  func::ReturnOp::create(builder, loc);
  for (Operation *kernel : sisters.kernels) {
    builder.setInsertionPoint(kernel);
    SmallVector<Value> operands;
    for (auto [type, operand] : llvm::zip_equal(sisters.types, kernel->getOperands()))
      operands.push_back(operand.getType() == type
                             ? operand
                             : memref::CastOp::create(builder, kernel->getLoc(), type, operand).getResult());
    func::CallOp::create(builder, kernel->getLoc(), function, operands);
    kernel->erase();
  }
}

void mlir::sesame::shareKernels(ModuleOp module, ArrayRef<func::FuncOp> bodies) {
  SmallVector<Sisters> all;
  for (func::FuncOp body : bodies) {
    body.walk([&](Operation *op) {
      if (isKernel(op) && llvm::none_of(all, [&](Sisters &sisters) { return add(sisters, op); }))
        all.push_back({{op}, llvm::to_vector(op->getOperandTypes())});
    });
  }
  SymbolTable symbols(module);
  for (const Sisters &sisters : all)
    if (sisters.kernels.size() > 1)
      share(sisters, symbols);
}
