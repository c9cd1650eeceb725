//===- WeightOps.td - Weights by name, and the recipes that make them ----*- tablegen -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_WEIGHT_OPS_TD
#define SESAME_WEIGHT_OPS_TD

include "sesame/Dialect/SesameBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

def Sesame_WeightOp : Sesame_Op<"weight", [Symbol, IsolatedFromAbove, SingleBlock,
    HasParent<"::mlir::ModuleOp">]> {
  let summary = "A weight, or one weight for each of several layers, with the recipe that makes it";
  let description = [{
    Declares a symbol that stands for `count` tensors of type `type`, laid one after the other (64-byte aligned each) in the bundle's weight file. The body is
    the recipe: it is run once for each index by the weight program when the model is compiled and never becomes code. The recipe's
    terminator `sesame.yield` gives the tensor. `offset` and `stride`, in bytes, are set by `sesame-plan-weights`.

    Constraints: (C1) count is positive. (C2) The body has no arguments and ends in `sesame.yield` of one value of type `type`.
    (C3) `type` has a static shape. (C4) The size fits into 64 bits.

    ```mlir
    sesame.weight @h.mlp.weight count = 12 : tensor<3072x768xf32> {
      %0 = sesame.checkpoint_tensor ["bert.layer.", ".dense.weight"] : tensor<3072x768xf16>
      %1 = arith.extf %0 : tensor<3072x768xf16> to tensor<3072x768xf32>
      sesame.yield %1 : tensor<3072x768xf32>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, DefaultValuedAttr<I64Attr, "1">:$count, TypeAttrOf<AnyStaticShapeTensor>:$type,
                       OptionalAttr<I64Attr>:$offset, OptionalAttr<I64Attr>:$stride);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name (`count` `=` $count^)? (`offset` `=` $offset^)? (`stride` `=` $stride^)? `:` $type attr-dict-with-keyword $body
  }];
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getTensorType() { return ::llvm::cast<::mlir::RankedTensorType>(getType()); }
    /// Bytes of one of the `count` tensors.
    int64_t getSizeInBytes();
  }];
  let hasVerifier = 1;
}

def Sesame_YieldOp : Sesame_Op<"yield", [Pure, Terminator, HasParent<"WeightOp">, ReturnLike]> {
  let summary = "Ends a weight's recipe";
  let arguments = (ins AnyRankedTensor:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

def Sesame_CheckpointTensorOp : Sesame_Op<"checkpoint_tensor", [Pure, HasParent<"WeightOp">]> {
  let summary = "A tensor of the checkpoint, by name";
  let description = [{
    `parts` joined by the layer index (in decimal, plus `first_index`) is the tensor's name: one part names one tensor, two or more one tensor for each layer.

    Constraints: (C1) At least one part. (C2) The first index is not negative. (C3) Used in recipes only.

    ```mlir
    sesame.weight @h.ln.weight count = 2 : tensor<36xf32> {
      %0 = sesame.checkpoint_tensor ["h.", ".ln.weight"] : tensor<36xf32>
      sesame.yield %0 : tensor<36xf32>
    }
    ```
  }];
  let arguments = (ins StrArrayAttr:$parts, DefaultValuedAttr<I64Attr, "0">:$first_index);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$parts (`from` $first_index^)? attr-dict `:` type($result)";
  let extraClassDeclaration = [{
    /// The tensor's name for layer `index`.
    std::string getTensorName(int64_t index);
  }];
  let hasVerifier = 1;
}

def Sesame_PackPanelsOp : Sesame_Op<"pack_panels", [Pure, HasParent<"WeightOp">]> {
  let summary = "Register-tile panels of a weight matrix";
  let description = [{
    `result[p, k, r] = W[k, p * R + r]`, and 0 where `p * R + r >= N`, with W read from `source` by `layout` (nk or kn).

    Shapes: source [N, K] or [K, N], result [ceil(N / R), K, R].

    Constraints: (C1) layout is nk or kn. (C2) Shapes are static and agree as written. (C3) Element types are equal. (C4) Used in recipes only.

    ```mlir
    sesame.weight @w : tensor<4x36x32xf32> {
      %0 = sesame.checkpoint_tensor ["w"] : tensor<97x36xf32>
      %1 = sesame.pack_panels %0 layout = nk : tensor<97x36xf32> -> tensor<4x36x32xf32>
      sesame.yield %1 : tensor<4x36x32xf32>
    }
    ```
  }];
  let arguments = (ins Sesame_TensorOfRank<[2]>:$source, Sesame_WeightLayoutAttr:$layout);
  let results = (outs Sesame_TensorOfRank<[3]>:$result);
  let assemblyFormat = "$source `layout` `=` custom<Keyword>($layout) attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def Sesame_GetWeightOp : Sesame_Op<"get_weight", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Reads a weight by symbol and layer";
  let description = [{
    The `index`-th of the symbol's tensors (the only one without an index). A tensor before bufferization, a read-only memref after it.

    Constraints: (C1) The symbol is a `sesame.weight` whose type the result has. (C2) An index is given if the count is above 1. (C3) A constant
    index is below the count.

    ```mlir
    sesame.weight @bias : tensor<97xf32> {
      %0 = sesame.checkpoint_tensor ["bias"] : tensor<97xf32>
      sesame.yield %0 : tensor<97xf32>
    }
    func.func @get() -> tensor<97xf32> {
      %w = sesame.get_weight @bias : tensor<97xf32>
      return %w : tensor<97xf32>
    }
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$weight, Optional<Index>:$index);
  let results = (outs AnyTypeOf<[AnyStaticShapeTensor, AnyStaticShapeMemRef]>:$result);
  let assemblyFormat = "$weight (`[` $index^ `]`)? attr-dict `:` type($result)";
}

#endif // SESAME_WEIGHT_OPS_TD
