//===- SesameBase.td - Dialect, enums and type constraints ----*- tablegen -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_BASE_TD
#define SESAME_BASE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Sesame_Dialect : Dialect {
  let name = "sesame";
  let cppNamespace = "::mlir::sesame";
  let summary = "Sequence models: attention, recurrence, feed-forward, and the weights they read";
  let description = [{
    Tensor-level operations with value semantics in which language models from the Elman RNN to today's decoders are
    written, the symbols that stand for their weights, and the destination-style *kernel* operations into which the tile
    passes turn them. Axis letters: B batch, S query length, T key length, H query heads, G key/value heads, D head
    size, E value head size, C model width, F feed-forward width, V vocabulary; M, N, K for a bare matrix product.
  }];
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
  let hasConstantMaterializer = 0;
}

class Sesame_Op<string mnemonic, list<Trait> traits = []> : Op<Sesame_Dialect, mnemonic, traits>;

/// A pure tensor operation whose result shapes can be computed from its operands.
class Sesame_TensorOp<string mnemonic, list<Trait> traits = []>
    : Sesame_Op<mnemonic, !listconcat([Pure, DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>], traits)>;

class Sesame_TensorOfRank<list<int> ranks> : TensorRankOf<[AnyFloat], ranks>;
class Sesame_IntTensorOfRank<list<int> ranks> : TensorRankOf<[AnySignlessInteger], ranks>;
def Sesame_FloatTensor : RankedTensorOf<[AnyFloat]>;
def Sesame_IntTensor : RankedTensorOf<[AnySignlessInteger]>;
/// A kernel operand: a tensor before bufferization, a memref after it.
def Sesame_Buffer : AnyTypeOf<[AnyRankedTensor, AnyStridedMemRef], "ranked tensor or strided memref">;

class Sesame_I32Enum<string name, string summary, list<I32EnumAttrCase> cases> : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::mlir::sesame";
  let genSpecializedAttr = 0;
}

def Sesame_ActivationEnum : Sesame_I32Enum<"Activation", "elementwise activation function", [
  I32EnumAttrCase<"identity", 0>,
  I32EnumAttrCase<"relu", 1>,
  I32EnumAttrCase<"gelu", 2>,       // 0.5 x (1 + erf(x / sqrt 2)); Hendrycks & Gimpel 2016
  I32EnumAttrCase<"gelu_tanh", 3>,  // 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))): "gelu_new", "gelu_pytorch_tanh"
  I32EnumAttrCase<"gelu_quick", 4>, // x sigmoid(1.702 x)
  I32EnumAttrCase<"silu", 5>,       // x sigmoid(x): "swish"
  I32EnumAttrCase<"tanh", 6>,
  I32EnumAttrCase<"sigmoid", 7>,
  I32EnumAttrCase<"relu_squared", 8>, // max(x, 0)^2; So et al. 2021
  I32EnumAttrCase<"softplus", 9>,     // log(1 + exp x)
  I32EnumAttrCase<"mish", 10>,        // x tanh(softplus x)
  I32EnumAttrCase<"leaky_relu", 11>,  // x >= 0 ? x : 0.01 x
]>;
def Sesame_ActivationAttr : EnumAttr<Sesame_Dialect, Sesame_ActivationEnum, "activation">;

def Sesame_WeightLayoutEnum : Sesame_I32Enum<"WeightLayout", "how a linear's weight lies in memory", [
  I32EnumAttrCase<"nk", 0>,     // [N, K]: torch.nn.Linear
  I32EnumAttrCase<"kn", 1>,     // [K, N]: GPT-2's Conv1D, a plain matrix product
  I32EnumAttrCase<"panels", 2>, // [ceil(N / R), K, R]: register-tile panels, the last one filled with zeros
]>;
def Sesame_WeightLayoutAttr : EnumAttr<Sesame_Dialect, Sesame_WeightLayoutEnum, "layout">;

def Sesame_DirectionEnum : Sesame_I32Enum<"Direction", "in which order a recurrence walks its sequence", [
  I32EnumAttrCase<"forward", 0>, I32EnumAttrCase<"reverse", 1>, I32EnumAttrCase<"bidirectional", 2>]>;
def Sesame_DirectionAttr : EnumAttr<Sesame_Dialect, Sesame_DirectionEnum, "direction">;

def Sesame_NormKindEnum : Sesame_I32Enum<"NormKind", "which row normalisation", [
  I32EnumAttrCase<"layer", 0>, I32EnumAttrCase<"rms", 1>]>;
def Sesame_NormKindAttr : EnumAttr<Sesame_Dialect, Sesame_NormKindEnum, "norm">;

def Sesame_CombineEnum : Sesame_I32Enum<"Combine", "how a kernel's result meets what its destination holds", [
  I32EnumAttrCase<"replace", 0>, I32EnumAttrCase<"add", 1>, I32EnumAttrCase<"multiply", 2>]>;
def Sesame_CombineAttr : EnumAttr<Sesame_Dialect, Sesame_CombineEnum, "combine">;

#endif // SESAME_BASE_TD
