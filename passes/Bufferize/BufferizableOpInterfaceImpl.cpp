//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Passes/BufferizableOpInterfaceImpl.h"

#include "sesame/Dialect/PanelOps.h"
#include "sesame/Dialect/WordOps.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mlir::sesame;

namespace {
/// Whether the kernel takes the old contents of its destination into account.
bool readsOut(MatmulTileOp op) { return op.getCombine() != Combine::replace; }
bool readsOut(AttentionTileOp) { return false; }
bool readsOut(NormTileOp) { return false; }
bool readsOut(EmbeddingTileOp) { return false; }
bool readsOut(PanelEmbeddingTileOp) { return false; }
bool readsOut(PackWordsTileOp) { return false; }
bool readsOut(WordMatmulTileOp op) { return op.getCombine() != Combine::replace; }

/// A kernel reads its inputs, writes its destination, and becomes itself on memrefs without results.
template <typename KernelOp>
struct KernelModel : public DstBufferizableOpInterfaceExternalModel<KernelModel<KernelOp>, KernelOp> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const AnalysisState &state) const {
    return !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand) || readsOut(cast<KernelOp>(op));
  }

  /// A normalisation has read all of a row when it starts to write it, so it may run in its input's buffer.
  /// The other kernels read inputs after they have written some results.
  bool bufferizesToElementwiseAccess(Operation *op, const AnalysisState &state,
                                     ArrayRef<OpOperand *> operands) const {
    auto norm = dyn_cast<NormTileOp>(op);
    return norm && llvm::all_of(operands, [&](OpOperand *operand) {
             return operand == &norm.getInputMutable() || operand == &norm.getOutMutable();
           });
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(op);
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      if (!isa<TensorType>(operand.getType())) {
        operands.push_back(operand);
        continue;
      }
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      operands.push_back(*buffer);
    }
    OperationState kernel(op->getLoc(), op->getName(), operands, /*types=*/TypeRange(), op->getAttrs());
    kernel.propertiesAttr = op->getPropertiesAsAttribute();
    Operation *onBuffers = rewriter.create(kernel);
    auto inits = cast<DestinationStyleOpInterface>(onBuffers).getDpsInits();
    replaceOpWithBufferizedValues(rewriter, op, inits);
    return success();
  }
};

/// `sesame.cache_append` copies its source into a view of the cache and yields the cache's own buffer. A
/// cache is never copied: a conflict is an error.
struct CacheAppendModel : public DstBufferizableOpInterfaceExternalModel<CacheAppendModel, CacheAppendOp> {
  bool mustBufferizeInPlace(Operation *op, OpOperand &operand, const AnalysisState &state) const {
    return cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(op);
    auto append = cast<CacheAppendOp>(op);
    FailureOr<Value> source = getBuffer(rewriter, append.getSource(), options, state);
    FailureOr<Value> cache = getBuffer(rewriter, append.getCache(), options, state);
    if (failed(source) || failed(cache))
      return failure();
    // [1, B, G, S, D] from [layer, 0, 0, position, 0], as [B, G, S, D].
    Location loc = op->getLoc();
    OpFoldResult zero = rewriter.getIndexAttr(0), one = rewriter.getIndexAttr(1);
    SmallVector<OpFoldResult> offsets = {append.getLayer(), zero, zero, append.getPosition(), zero};
    SmallVector<OpFoldResult> sizes = {one}, strides(5, one);
    llvm::append_range(sizes, memref::getMixedSizes(rewriter, loc, *source));
    auto sourceType = cast<MemRefType>(source->getType());
    MemRefType view = memref::SubViewOp::inferRankReducedResultType(
        sourceType.getShape(), cast<MemRefType>(cache->getType()), offsets, sizes, strides);
    Value target = memref::SubViewOp::create(rewriter, loc, view, *cache, offsets, sizes, strides);
    if (failed(options.createMemCpy(rewriter, loc, *source, target)))
      return failure();
    replaceOpWithBufferizedValues(rewriter, op, *cache);
    return success();
  }
};

/// `sesame.get_weight` yields read-only memory, contiguous and row-major.
struct GetWeightModel : public BufferizableOpInterface::ExternalModel<GetWeightModel, GetWeightOp> {
  bool isWritable(Operation *op, Value value, const AnalysisState &state) const { return false; }

  AliasingOpOperandList getAliasingOpOperands(Operation *op, Value value, const AnalysisState &state) const {
    return {};
  }

  FailureOr<BufferLikeType> getBufferType(Operation *op, Value value, const BufferizationOptions &options,
                                          const BufferizationState &state, SmallVector<Value> &stack) const {
    return cast<BufferLikeType>(getMemRefTypeWithStaticIdentityLayout(cast<TensorType>(value.getType())));
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto get = cast<GetWeightOp>(op);
    Type type = getMemRefTypeWithStaticIdentityLayout(cast<TensorType>(get.getResult().getType()));
    replaceOpWithNewBufferizedOp<GetWeightOp>(rewriter, op, type, get.getWeight(), get.getIndex());
    return success();
  }
};
} // namespace

void mlir::sesame::registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, SesameDialect *dialect) {
    MatmulTileOp::attachInterface<KernelModel<MatmulTileOp>>(*context);
    AttentionTileOp::attachInterface<KernelModel<AttentionTileOp>>(*context);
    NormTileOp::attachInterface<KernelModel<NormTileOp>>(*context);
    EmbeddingTileOp::attachInterface<KernelModel<EmbeddingTileOp>>(*context);
    PanelEmbeddingTileOp::attachInterface<KernelModel<PanelEmbeddingTileOp>>(*context);
    PackWordsTileOp::attachInterface<KernelModel<PackWordsTileOp>>(*context);
    WordMatmulTileOp::attachInterface<KernelModel<WordMatmulTileOp>>(*context);
    CacheAppendOp::attachInterface<CacheAppendModel>(*context);
    GetWeightOp::attachInterface<GetWeightModel>(*context);
    context->loadDialect<memref::MemRefDialect>();
  });
}
