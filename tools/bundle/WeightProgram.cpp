//===- WeightProgram.cpp - Runs the recipes of a module's weights ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightProgram.h"

#include "ElementType.h"
#include "HostTensor.h"

#include "io/Checkpoint.h"
#include "sesame/Dialect/WordOps.h"
#include "support/Error.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace sesame {

static DType storedType(Type type) {
  if (std::optional<DType> dtype = toDType(type))
    return *dtype;
  std::string name;
  llvm::raw_string_ostream(name) << type;
  throw Error(message("weights: element type ", name, " cannot be stored"));
}

namespace {

/// Evaluates one recipe for one index. Values are dropped after their last use.
class RecipeEvaluator {
public:
  RecipeEvaluator(const WeightInput *input, mlir::sesame::WeightOp weight) : input(input), weight(weight) {
    for (Operation &op : weight.getBody().front())
      for (Value operand : op.getOperands())
        ++numUses[operand];
  }

  HostTensor evaluate(int64_t layer) {
    index = layer;
    values.clear();
    remainingUses = numUses;
    for (Operation &op : weight.getBody().front()) {
      if (auto yield = dyn_cast<mlir::sesame::YieldOp>(op))
        return values.lookup(yield.getValue());
      HostTensor result = evaluate(&op);
      for (Value operand : op.getOperands())
        if (--remainingUses[operand] == 0)
          values.erase(operand);
      values[op.getResult(0)] = std::move(result);
    }
    llvm_unreachable("the verifier demands a yield");
  }

private:
  HostTensor evaluate(Operation *op) {
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    auto operand = [&](unsigned i) -> const HostTensor & { return values.find(op->getOperand(i))->second; };
    return llvm::TypeSwitch<Operation *, HostTensor>(op)
        .Case([&](mlir::sesame::CheckpointTensorOp load) { return loadTensor(load, type); })
        .Case([&](mlir::sesame::PackPanelsOp pack) {
          return packPanels(operand(0), pack.getLayout() == mlir::sesame::WeightLayout::nk, type);
        })
        .Case([&](mlir::sesame::PackWordPanelsOp pack) {
          return packWordPanels(operand(0), pack.getElement(),
                                pack.getLayout() == mlir::sesame::WeightLayout::nk, type);
        })
        .Case([&](tensor::EmptyOp) { return HostTensor(type, nullptr); }) // only ever a destination
        .Case([&](tensor::ConcatOp concat) {
          SmallVector<HostTensor> sources;
          for (Value source : concat.getInputs())
            sources.push_back(values.lookup(source));
          return concatenate(sources, concat.getDim(), type);
        })
        .Case([&](tensor::ExtractSliceOp extract) {
          if (!extract.getOffsets().empty() || !extract.getSizes().empty() || !extract.getStrides().empty())
            return refuse(op, "expected constant offsets, sizes and strides");
          return slice(operand(0), extract.getStaticOffsets(), extract.getStaticSizes(),
                       extract.getStaticStrides(), type);
        })
        .Case<tensor::ExpandShapeOp, tensor::CollapseShapeOp>([&](auto) { return operand(0).reshaped(type); })
        .Case([&](linalg::TransposeOp permute) {
          return transpose(operand(0), permute.getPermutation(), type);
        })
        .Case<arith::ExtFOp, arith::TruncFOp>([&](auto) { return convertFloat(operand(0), type); })
        .Case([&](arith::ConstantOp constant) { return materialize(constant, type); })
        .Case([&](arith::AddFOp) { return combine(op, std::plus<float>(), operand(0), operand(1)); })
        .Case([&](arith::SubFOp) { return combine(op, std::minus<float>(), operand(0), operand(1)); })
        .Case([&](arith::MulFOp) { return combine(op, std::multiplies<float>(), operand(0), operand(1)); })
        .Default([&](Operation *) { return refuse(op, "operation is not allowed in a recipe"); });
  }

  HostTensor refuse(Operation *op, const char *why) {
    throw Error(
        message("weight '", weight.getSymName().str(), "': ", op->getName().getStringRef().str(), ": ", why));
  }

  HostTensor combine(Operation *op, const std::function<float(float, float)> &function, const HostTensor &lhs,
                     const HostTensor &rhs) {
    if (!lhs.type().getElementType().isF32())
      return refuse(op, "expected f32 operands");
    return combineF32(lhs, rhs, function);
  }

  HostTensor loadTensor(mlir::sesame::CheckpointTensorOp load, RankedTensorType type) {
    if (!input)
      throw Error(message("weight '", weight.getSymName().str(), "': expected a checkpoint to read '",
                          load.getTensorName(index), "' from"));
    const StoredTensor &stored = input->get(load.getTensorName(index));
    std::vector<int64_t> shape(type.getShape().begin(), type.getShape().end());
    DType dtype = storedType(type.getElementType());
    if (stored.dtype != dtype || stored.shape != shape)
      throw Error(message(input->path, ": tensor '", stored.name, "': expected ", toString(dtype, shape),
                          ", got ", toString(stored.dtype, stored.shape)));
    return HostTensor(type, stored.data);
  }

  HostTensor materialize(arith::ConstantOp constant, RankedTensorType type) {
    auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (!elements)
      return refuse(constant, "expected dense elements");
    HostTensor result(type);
    const size_t elementSize = result.elementSizeInBytes();
    ArrayRef<char> raw = elements.getRawData();
    for (int64_t i = 0, e = type.getNumElements(); i < e; ++i)
      std::memcpy(result.mutableData() + i * elementSize,
                  raw.data() + (elements.isSplat() ? 0 : i * elementSize), elementSize);
    return result;
  }

  const WeightInput *input;
  mlir::sesame::WeightOp weight;
  int64_t index = 0;
  llvm::DenseMap<Value, HostTensor> values;
  llvm::DenseMap<Value, unsigned> numUses, remainingUses;
};

} // namespace

WeightFileSummary runWeightProgram(ModuleOp module, const Checkpoint *checkpoint, const std::string &path,
                                   const WeightProgress &progress) {
  if (!checkpoint)
    return runWeightProgram(module, static_cast<const WeightInput *>(nullptr), path, progress);
  WeightInput input{checkpoint->weightsPath(),
                    [&](const std::string &name) -> const StoredTensor & { return checkpoint->get(name); }};
  return runWeightProgram(module, &input, path, progress);
}

WeightFileSummary runWeightProgram(ModuleOp module, const WeightInput *input, const std::string &path,
                                   const WeightProgress &progress) {
  SafetensorsWriter writer(path);
  uint64_t total = 0;
  for (auto weight : module.getOps<mlir::sesame::WeightOp>()) {
    RankedTensorType type = weight.getTensorType();
    std::vector<int64_t> shape(type.getShape().begin(), type.getShape().end());
    const int64_t count = weight.getCount();
    for (int64_t i = 0; i < count; ++i) {
      std::string name = weight.getSymName().str();
      if (count > 1)
        name += "." + std::to_string(i);
      uint64_t place = writer.add(name, storedType(type.getElementType()), shape);
      if (!weight.getOffset() || place != *weight.getOffset() + i * weight.getStride().value_or(0))
        throw Error(message("weight '", name, "': expected its data at ", place,
                            ", but the compiled code reads ",
                            weight.getOffset().value_or(0) + i * weight.getStride().value_or(0)));
      total += weight.getSizeInBytes();
    }
  }
  writer.begin();
  uint64_t done = 0;
  for (auto weight : module.getOps<mlir::sesame::WeightOp>()) {
    RecipeEvaluator evaluator(input, weight);
    for (int64_t i = 0, e = weight.getCount(); i < e; ++i) {
      HostTensor tensor = evaluator.evaluate(i);
      writer.write(tensor.data(), tensor.sizeInBytes());
      done += tensor.sizeInBytes();
      if (progress)
        progress(done, total);
    }
  }
  writer.finish();
  return {writer.dataSizeInBytes(), writer.headerText()};
}

} // namespace sesame
