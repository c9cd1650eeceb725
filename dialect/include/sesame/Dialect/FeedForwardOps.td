//===- FeedForwardOps.td - Linear maps, normalisations, activations, embeddings ----*- tablegen -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_FEED_FORWARD_OPS_TD
#define SESAME_FEED_FORWARD_OPS_TD

include "sesame/Dialect/SesameBase.td"

def Sesame_LinearOp : Sesame_TensorOp<"linear", [AttrSizedOperandSegments]> {
  let summary = "Matrix product with a weight, and what usually follows it";
  let description = [{
    `result = activation(input * W + bias) + residual`, over the last axis of `input`. `layout` says how W lies in `weight`: `nk` [N, K]
    (torch.nn.Linear), `kn` [K, N] (GPT-2's Conv1D), or `panels` [ceil(N / R), K, R] as `sesame.pack_panels` makes it.

    Shapes: input [..., K], weight as above, bias [N], residual [..., N], result [..., N].

    Constraints: (C1) Rank of input is at least 1 and equals the result's and the residual's. (C2) K and N agree with the weight's
    layout; for `panels` N is static and ceil(N / R) equals the panel count. (C3) Leading extents of input, residual and result agree. (C4) Element types of input,
    bias, residual and result are equal.
    Numerics: sums are kept in f32 for f16 and bf16 input.

    ```mlir
    func.func @mlp(%x: tensor<?x?x768xf32>, %w: tensor<3072x768xf32>, %b: tensor<3072xf32>) -> tensor<?x?x3072xf32> {
      %y = sesame.linear %x, %w bias(%b : tensor<3072xf32>) activation = gelu
         : tensor<?x?x768xf32>, tensor<3072x768xf32> -> tensor<?x?x3072xf32>
      return %y : tensor<?x?x3072xf32>
    }
    ```
  }];
  let arguments = (ins Sesame_FloatTensor:$input, Sesame_TensorOfRank<[2, 3]>:$weight,
                       Optional<Sesame_TensorOfRank<[1]>>:$bias, Optional<Sesame_FloatTensor>:$residual,
                       DefaultValuedAttr<Sesame_WeightLayoutAttr, "::mlir::sesame::WeightLayout::nk">:$layout,
                       DefaultValuedAttr<Sesame_ActivationAttr, "::mlir::sesame::Activation::identity">:$activation);
  let results = (outs Sesame_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $weight (`bias` `(` $bias^ `:` type($bias) `)`)? (`residual` `(` $residual^ `:` type($residual) `)`)?
    (`layout` `=` custom<Keyword>($layout)^)? (`activation` `=` custom<Keyword>($activation)^)? attr-dict `:` type($input) `,` type($weight) `->` type($result)
  }];
  let extraClassDeclaration = [{
    /// N, the extent of the result's last axis (dynamic only if the weight's is).
    int64_t getNumColumns() { return ::llvm::cast<RankedTensorType>(getResult().getType()).getShape().back(); }
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Sesame_GatedLinearOp : Sesame_TensorOp<"gated_linear", [AttrSizedOperandSegments, AllTypesMatch<["gate_weight", "up_weight"]>]> {
  let summary = "Two linears over one input, one gating the other (GLU, GEGLU, SwiGLU)";
  let description = [{
    `result = activation(input * Wg + bg) * (input * Wu + bu)`.

    Shapes: input [..., K], gate_weight and up_weight by `layout` as in `sesame.linear`, biases [N], result [..., N].

    Constraints: (C1) to (C4) as `sesame.linear` for each of the two products. (C5) Either both biases are present or none.

    Source: Shazeer 2020, GLU variants improve Transformer.

    ```mlir
    func.func @swiglu(%x: tensor<?x16xf32>, %g: tensor<44x16xf32>, %u: tensor<44x16xf32>) -> tensor<?x44xf32> {
      %y = sesame.gated_linear %x, %g, %u activation = silu : tensor<?x16xf32>, tensor<44x16xf32> -> tensor<?x44xf32>
      return %y : tensor<?x44xf32>
    }
    ```
  }];
  let arguments = (ins Sesame_FloatTensor:$input, Sesame_TensorOfRank<[2, 3]>:$gate_weight, Sesame_TensorOfRank<[2, 3]>:$up_weight,
                       Optional<Sesame_TensorOfRank<[1]>>:$gate_bias, Optional<Sesame_TensorOfRank<[1]>>:$up_bias,
                       DefaultValuedAttr<Sesame_WeightLayoutAttr, "::mlir::sesame::WeightLayout::nk">:$layout,
                       DefaultValuedAttr<Sesame_ActivationAttr, "::mlir::sesame::Activation::identity">:$activation);
  let results = (outs Sesame_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $gate_weight `,` $up_weight
    (`bias` `(` $gate_bias^ `,` $up_bias `:` type($gate_bias) `,` type($up_bias) `)`)?
    (`layout` `=` custom<Keyword>($layout)^)? (`activation` `=` custom<Keyword>($activation)^)? attr-dict `:` type($input) `,` type($gate_weight) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Sesame_LayerNormOp : Sesame_TensorOp<"layer_norm", [AttrSizedOperandSegments, AllTypesMatch<["input", "result"]>]> {
  let summary = "Layer normalisation over the last axis";
  let description = [{
    `result = (input - mean) / sqrt(variance + epsilon) * weight + bias`, mean and (biased) variance over the last axis C.

    Shapes: input [..., C], weight and bias [C], result as input.

    Constraints: (C1) weight's and bias's extent is C. (C2) epsilon is not negative.
    Numerics: the variance is the mean of squared differences from the mean (two passes), in f32.

    Source: Ba, Kiros, Hinton 2016, eq. 4.

    ```mlir
    func.func @norm(%x: tensor<?x?x36xf32>, %w: tensor<36xf32>, %b: tensor<36xf32>) -> tensor<?x?x36xf32> {
      %y = sesame.layer_norm %x weight(%w : tensor<36xf32>) bias(%b : tensor<36xf32>) epsilon = 1.0e-5 : tensor<?x?x36xf32>
      return %y : tensor<?x?x36xf32>
    }
    ```
  }];
  let arguments = (ins Sesame_FloatTensor:$input, Optional<Sesame_TensorOfRank<[1]>>:$weight,
                       Optional<Sesame_TensorOfRank<[1]>>:$bias, F32Attr:$epsilon);
  let results = (outs Sesame_FloatTensor:$result);
  let assemblyFormat = [{
    $input (`weight` `(` $weight^ `:` type($weight) `)`)? (`bias` `(` $bias^ `:` type($bias) `)`)? `epsilon` `=` $epsilon attr-dict
    `:` type($input)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Sesame_RMSNormOp : Sesame_TensorOp<"rms_norm", [AllTypesMatch<["input", "result"]>]> {
  let summary = "Root-mean-square normalisation over the last axis";
  let description = [{
    `result = input / sqrt(mean(input^2) + epsilon) * (weight + offset)`, the mean over the last axis C. `offset` is 0, or 1 for Gemma;
    without a weight the last factor is left out.

    Shapes: input [..., C], weight [C], result as input.

    Constraints: (C1) weight's extent is C. (C2) epsilon is not negative.
    Numerics: the mean is computed in f32.

    Source: Zhang, Sennrich 2019, eq. 4.

    ```mlir
    func.func @norm(%x: tensor<?x?x36xf32>, %w: tensor<36xf32>) -> tensor<?x?x36xf32> {
      %y = sesame.rms_norm %x weight(%w : tensor<36xf32>) epsilon = 1.0e-6 : tensor<?x?x36xf32>
      return %y : tensor<?x?x36xf32>
    }
    ```
  }];
  let arguments = (ins Sesame_FloatTensor:$input, Optional<Sesame_TensorOfRank<[1]>>:$weight, F32Attr:$epsilon,
                       DefaultValuedAttr<F32Attr, "0.0f">:$offset);
  let results = (outs Sesame_FloatTensor:$result);
  let assemblyFormat = [{
    $input (`weight` `(` $weight^ `:` type($weight) `)`)? `epsilon` `=` $epsilon (`offset` `=` $offset^)? attr-dict `:` type($input)
  }];
  let hasVerifier = 1;
}

def Sesame_ActivationOp : Sesame_TensorOp<"activation", [AllTypesMatch<["input", "result"]>]> {
  let summary = "Elementwise activation function";
  let description = [{
    `result = kind(input)`, element by element, for a tensor of any rank. The functions are defined by the `activation` attribute's cases.

    ```mlir
    func.func @gelu(%x: tensor<?x?x36xf32>) -> tensor<?x?x36xf32> {
      %y = sesame.activation gelu %x : tensor<?x?x36xf32>
      return %y : tensor<?x?x36xf32>
    }
    ```
  }];
  let arguments = (ins Sesame_ActivationAttr:$kind, Sesame_FloatTensor:$input);
  let results = (outs Sesame_FloatTensor:$result);
  let assemblyFormat = "custom<Keyword>($kind) $input attr-dict `:` type($input)";
  let hasFolder = 1;
}

def Sesame_EmbeddingOp : Sesame_TensorOp<"embedding", [SameVariadicOperandSize]> {
  let summary = "Sum of rows picked from tables";
  let description = [{
    `result[..., c] = sum_i tables[i][indices[i][...], c]`: one table gives the plain embedding, several the sum of token, position and
    segment embeddings. The sum is taken in operand order. Indices lie within their tables: the runtime checks inputs that
    declare a `sesame.range`; computed indices are the importer's duty.

    Shapes: indices[i] of rank n with equal extents except that an extent may be 1 (broadcast), tables[i] [Vi, C], result [..., C] of rank n + 1.

    Constraints: (C1) At least one table. (C2) Ranks and extents agree as written. (C3) Tables' and result's element types are equal.

    ```mlir
    func.func @embed(%ids: tensor<?x?xi64>, %pos: tensor<1x?xi64>, %wte: tensor<97x36xf32>, %wpe: tensor<40x36xf32>) -> tensor<?x?x36xf32> {
      %h = sesame.embedding %ids, %pos in %wte, %wpe
         : tensor<?x?xi64>, tensor<1x?xi64> in tensor<97x36xf32>, tensor<40x36xf32> -> tensor<?x?x36xf32>
      return %h : tensor<?x?x36xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<Sesame_IntTensor>:$indices, Variadic<Sesame_TensorOfRank<[2]>>:$tables);
  let results = (outs Sesame_FloatTensor:$result);
  let assemblyFormat = [{
    $indices `in` $tables attr-dict `:` type($indices) `in` type($tables) `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // SESAME_FEED_FORWARD_OPS_TD
