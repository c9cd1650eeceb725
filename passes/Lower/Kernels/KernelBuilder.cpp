//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"

#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::sesame::kernels;

KernelBuilder::KernelBuilder(Operation *root, int64_t lanes)
    : ImplicitLocOpBuilder(root->getLoc(), root), numLanes(lanes), constantBlock(root->getBlock()) {}

Value KernelBuilder::constant(TypedAttr value) {
  Value &known = constants[value];
  if (!known) {
    OpBuilder top = OpBuilder::atBlockBegin(constantBlock);
    known = arith::ConstantOp::create(top, getLoc(), value);
  }
  return known;
}

Value KernelBuilder::index(int64_t value) { return constant(getIndexAttr(value)); }
Value KernelBuilder::f32(float value) { return constant(getF32FloatAttr(value)); }
Value KernelBuilder::splat(float value) {
  return constant(DenseElementsAttr::get(vectorType(), APFloat(value)));
}

Value KernelBuilder::fmax(Value bound, Value value) {
  Value larger = arith::CmpFOp::create(*this, arith::CmpFPredicate::OGT, bound, value);
  return arith::SelectOp::create(*this, larger, bound, value);
}

Value KernelBuilder::extent(Value memref, int64_t axis) {
  auto type = cast<MemRefType>(memref.getType());
  if (!type.isDynamicDim(axis))
    return index(type.getDimSize(axis));
  return memref::DimOp::create(*this, memref, index(axis));
}

Value KernelBuilder::load(Value memref, ValueRange indices, Value mask) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  if (!element.isF32()) {
    assert(!mask && "masked loads are of f32");
    Value narrow = vector::LoadOp::create(*this, vectorType().clone(element), memref, indices);
    return arith::ExtFOp::create(*this, vectorType(), narrow);
  }
  if (!mask)
    return vector::LoadOp::create(*this, vectorType(), memref, indices);
  return vector::MaskedLoadOp::create(*this, vectorType(), memref, indices, mask, splat(0.0f));
}

void KernelBuilder::store(Value vector, Value memref, ValueRange indices, Value mask) {
  if (!mask)
    vector::StoreOp::create(*this, vector, memref, indices);
  else
    vector::MaskedStoreOp::create(*this, memref, indices, mask, vector);
}

Value KernelBuilder::firstLanes(Value count) {
  APInt known;
  if (!matchPattern(count, m_ConstantInt(&known)))
    return vector::CreateMaskOp::create(*this, maskType(), count);
  int64_t bounded = std::clamp<int64_t>(known.getSExtValue(), 0, numLanes);
  if (bounded == numLanes)
    return {};
  return vector::ConstantMaskOp::create(*this, maskType(), ArrayRef<int64_t>{bounded});
}

SmallVector<Value> KernelBuilder::loop(Value lower, Value upper, int64_t step, ValueRange initial,
                                       BodyBuilder body) {
  auto loop = scf::ForOp::create(*this, lower, upper, index(step), initial);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  SmallVector<Value> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!initial.empty())
    scf::YieldOp::create(*this, next);
  return llvm::to_vector_of<Value>(loop.getResults());
}

void KernelBuilder::loop(Value lower, Value upper, int64_t step, llvm::function_ref<void(Value)> body) {
  loop(lower, upper, step, ValueRange{}, [&](Value index, ValueRange) -> SmallVector<Value> {
    body(index);
    return {};
  });
}

void KernelBuilder::branch(Value condition, llvm::function_ref<void()> then,
                           llvm::function_ref<void()> otherwise) {
  APInt known;
  if (matchPattern(condition, m_ConstantInt(&known))) {
    if (!known.isZero())
      then();
    else if (otherwise)
      otherwise();
    return;
  }
  auto branch = scf::IfOp::create(*this, condition, /*withElseRegion=*/static_cast<bool>(otherwise));
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(branch.thenBlock());
  then();
  if (otherwise) {
    setInsertionPointToStart(branch.elseBlock());
    otherwise();
  }
}

SmallVector<Value> KernelBuilder::choose(Value condition, TypeRange types,
                                         llvm::function_ref<SmallVector<Value>()> then,
                                         llvm::function_ref<SmallVector<Value>()> otherwise) {
  auto choice = scf::IfOp::create(*this, types, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(choice.thenBlock());
  scf::YieldOp::create(*this, then());
  setInsertionPointToStart(choice.elseBlock());
  scf::YieldOp::create(*this, otherwise());
  return llvm::to_vector_of<Value>(choice.getResults());
}

Value KernelBuilder::reduceLanes(Value vector, llvm::function_ref<Value(Value, Value)> combine) {
  for (int64_t half = numLanes / 2; half > 0; half /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < half; ++lane) {
      low.push_back(lane);
      high.push_back(lane + half);
    }
    vector = combine(vector::ShuffleOp::create(*this, vector, vector, low),
                     vector::ShuffleOp::create(*this, vector, vector, high));
  }
  return vector::ExtractOp::create(*this, vector, int64_t(0));
}

Value KernelBuilder::sumLanes(Value vector) {
  return reduceLanes(vector, [&](Value lhs, Value rhs) { return fadd(lhs, rhs); });
}

Value KernelBuilder::maxLanes(Value vector) {
  return reduceLanes(vector, [&](Value lhs, Value rhs) { return fmax(lhs, rhs); });
}

Value KernelBuilder::scratch(ArrayRef<int64_t> shape) {
  // A cache line: a vector never straddles two.
  return memref::AllocaOp::create(*this, MemRefType::get(shape, getF32Type()), getI64IntegerAttr(64));
}

SmallVector<Value> KernelBuilder::transpose(ArrayRef<Value> rows) {
  // First 4 x 4 blocks within the 128-bit parts of four rows (unpack instructions), then the parts change
  // places (vshuff32x4, vperm2f128): none of these needs an index register.
  constexpr int64_t kPart = 4;
  int64_t parts = numLanes / kPart;
  auto shuffle = [&](Value a, Value b, llvm::function_ref<int64_t(int64_t)> pick) -> Value {
    SmallVector<int64_t> picks;
    for (int64_t lane = 0; lane < numLanes; ++lane)
      picks.push_back(pick(lane));
    return vector::ShuffleOp::create(*this, a, b, picks);
  };
  // Within each part: (a0 b0 a1 b1) or (a2 b2 a3 b3).
  auto unpackSingles = [&](Value a, Value b, int64_t high) {
    return shuffle(a, b, [&](int64_t lane) {
      int64_t inPart = lane % kPart;
      return lane - inPart + high * 2 + inPart / 2 + (inPart % 2) * numLanes;
    });
  };
  // Within each part: (a0 a1 b0 b1) or (a2 a3 b2 b3).
  auto unpackPairs = [&](Value a, Value b, int64_t high) {
    return shuffle(a, b, [&](int64_t lane) {
      int64_t inPart = lane % kPart;
      return lane - inPart + high * 2 + inPart % 2 + (inPart / 2) * numLanes;
    });
  };
  // columns[j][g]: part q holds rows 4g .. 4g+3 of column 4q + j.
  SmallVector<SmallVector<Value>> columns(kPart);
  for (int64_t group = 0; group < parts; ++group) {
    ArrayRef<Value> r = rows.slice(group * kPart, kPart);
    Value low01 = unpackSingles(r[0], r[1], 0), high01 = unpackSingles(r[0], r[1], 1);
    Value low23 = unpackSingles(r[2], r[3], 0), high23 = unpackSingles(r[2], r[3], 1);
    columns[0].push_back(unpackPairs(low01, low23, 0));
    columns[1].push_back(unpackPairs(low01, low23, 1));
    columns[2].push_back(unpackPairs(high01, high23, 0));
    columns[3].push_back(unpackPairs(high01, high23, 1));
  }
  SmallVector<Value> result(numLanes);
  for (int64_t j = 0; j < kPart; ++j) {
    // Each round takes the even (odd) parts of neighbours; after log2(parts) rounds vector q holds part q of
    // all.
    SmallVector<Value> current = columns[j];
    for (int64_t round = parts; round > 1; round /= 2) {
      SmallVector<Value> even, odd;
      for (int64_t i = 0; i + 1 < parts; i += 2) {
        for (int64_t parity : {0, 1}) {
          Value picked = shuffle(current[i], current[i + 1], [&](int64_t lane) {
            int64_t part = 2 * (lane / kPart) + parity; // of the two vectors, one after the other
            return part * kPart + lane % kPart;
          });
          (parity ? odd : even).push_back(picked);
        }
      }
      current = even;
      current.append(odd);
    }
    for (int64_t part = 0; part < parts; ++part)
      result[part * kPart + j] = current[part];
  }
  return result;
}

bool mlir::sesame::kernels::isUnitStride(Type type) {
  auto memref = dyn_cast<MemRefType>(type);
  return memref && memref.getRank() > 0 && memref.isLastDimUnitStride();
}

bool mlir::sesame::kernels::isUnitStrideF32(Type type) {
  return isUnitStride(type) && cast<MemRefType>(type).getElementType().isF32();
}
