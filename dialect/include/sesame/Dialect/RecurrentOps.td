//===- RecurrentOps.td - Recurrent networks over whole sequences ----*- tablegen -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_RECURRENT_OPS_TD
#define SESAME_RECURRENT_OPS_TD

include "sesame/Dialect/SesameBase.td"

// Common shapes: Q directions (1, or 2 if bidirectional: forward first), I input width, H hidden width, P output width of the
// projection (P = H without one), X gates (1 for rnn, 4 for lstm, 3 for gru).

def Sesame_RNNOp : Sesame_TensorOp<"rnn", [AttrSizedOperandSegments]> {
  let summary = "Elman recurrent network over a sequence";
  let description = [{
    Per direction and step: `h' = activation(W_ih x + b_ih + W_hh h + b_hh)`. With `lengths`, row b has lengths[b] steps: the reverse direction
    starts at its last real step, outputs beyond it are 0, the final state is the one after its last real step. Absent initial states and biases are 0.

    Shapes: input [B, T, I], input_weight [Q, H, I], recurrent_weight [Q, H, H], input_bias and recurrent_bias [Q, H],
    initial_hidden [Q, B, H], lengths [B]; output [B, T, Q * H] (directions side by side), final_hidden [Q, B, H].

    Constraints: (C1) Extents agree as written, Q by `direction`. (C2) activation is tanh or relu. (C3) All float element types are equal.
    A length of 0 gives zeros and the initial state; lengths beyond T count as T.
    Numerics: f16 and bf16 are summed in f32, and the state stays in f32 from step to step.

    Source: Elman 1990; compare torch.nn.RNN.

    ```mlir
    func.func @rnn(%x: tensor<?x?x12xf32>, %w: tensor<1x20x12xf32>, %u: tensor<1x20x20xf32>) -> tensor<?x?x20xf32> {
      %y, %h = sesame.rnn %x, %w, %u activation = tanh direction = forward
        : tensor<?x?x12xf32>, tensor<1x20x12xf32>, tensor<1x20x20xf32> -> tensor<?x?x20xf32>, tensor<1x?x20xf32>
      return %y : tensor<?x?x20xf32>
    }
    ```
  }];
  let arguments = (ins Sesame_TensorOfRank<[3]>:$input, Sesame_TensorOfRank<[3]>:$input_weight, Sesame_TensorOfRank<[3]>:$recurrent_weight,
                       Optional<Sesame_TensorOfRank<[2]>>:$input_bias, Optional<Sesame_TensorOfRank<[2]>>:$recurrent_bias,
                       Optional<Sesame_TensorOfRank<[3]>>:$initial_hidden, Optional<Sesame_IntTensorOfRank<[1]>>:$lengths,
                       Sesame_ActivationAttr:$activation, Sesame_DirectionAttr:$direction);
  let results = (outs Sesame_TensorOfRank<[3]>:$output, Sesame_TensorOfRank<[3]>:$final_hidden);
  let assemblyFormat = [{
    $input `,` $input_weight `,` $recurrent_weight (`input_bias` `(` $input_bias^ `:` type($input_bias) `)`)?
    (`recurrent_bias` `(` $recurrent_bias^ `:` type($recurrent_bias) `)`)? (`hidden` `(` $initial_hidden^ `:` type($initial_hidden) `)`)?
    (`lengths` `(` $lengths^ `:` type($lengths) `)`)? `activation` `=` custom<Keyword>($activation) `direction` `=` custom<Keyword>($direction) attr-dict
    `:` type($input) `,` type($input_weight) `,` type($recurrent_weight) `->` type($output) `,` type($final_hidden)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Sesame_LSTMOp : Sesame_TensorOp<"lstm", [AttrSizedOperandSegments]> {
  let summary = "Long short-term memory over a sequence, with optional projection and clipping";
  let description = [{
    Per direction and step, gates stacked in the order i, f, g, o (torch's; ONNX packs i, o, f, c):
    `i, f, o = sigmoid(W_ih x + b_ih + W_hh h + b_hh)`, `g = tanh(...)`, `c' = f c + i g`, clipped to [-cell_clip, cell_clip] if that is given,
    `h' = o tanh(c')`, and with `projection` `h' = W_hr (o tanh(c'))`, clipped to [-projection_clip, projection_clip] if that is given. `lengths` and
    numerics as in `sesame.rnn`.

    Shapes: input [B, T, I], input_weight [Q, 4H, I], recurrent_weight [Q, 4H, P], biases [Q, 4H], projection [Q, P, H],
    initial_hidden [Q, B, P], initial_cell [Q, B, H], lengths [B]; output [B, T, Q * P], final_hidden [Q, B, P], final_cell [Q, B, H].

    Constraints: (C1) Extents agree as written, Q by `direction`. (C2) P = H unless `projection` is given. (C3) Clips are positive; projection_clip needs a projection. (C4) All float
    element types are equal.

    Source: Hochreiter, Schmidhuber 1997, with forget gates (Gers et al. 2000); projection: Sak et al. 2014. Compare torch.nn.LSTM.

    ```mlir
    func.func @lstm(%x: tensor<?x?x12xf32>, %w: tensor<1x80x12xf32>, %u: tensor<1x80x20xf32>, %n: tensor<?xi64>) -> tensor<?x?x20xf32> {
      %y, %h, %c = sesame.lstm %x, %w, %u lengths(%n : tensor<?xi64>) direction = forward
        : tensor<?x?x12xf32>, tensor<1x80x12xf32>, tensor<1x80x20xf32> -> tensor<?x?x20xf32>, tensor<1x?x20xf32>, tensor<1x?x20xf32>
      return %y : tensor<?x?x20xf32>
    }
    ```
  }];
  let arguments = (ins Sesame_TensorOfRank<[3]>:$input, Sesame_TensorOfRank<[3]>:$input_weight, Sesame_TensorOfRank<[3]>:$recurrent_weight,
                       Optional<Sesame_TensorOfRank<[2]>>:$input_bias, Optional<Sesame_TensorOfRank<[2]>>:$recurrent_bias,
                       Optional<Sesame_TensorOfRank<[3]>>:$projection,
                       Optional<Sesame_TensorOfRank<[3]>>:$initial_hidden, Optional<Sesame_TensorOfRank<[3]>>:$initial_cell,
                       Optional<Sesame_IntTensorOfRank<[1]>>:$lengths,
                       Sesame_DirectionAttr:$direction, OptionalAttr<F32Attr>:$cell_clip, OptionalAttr<F32Attr>:$projection_clip);
  let results = (outs Sesame_TensorOfRank<[3]>:$output, Sesame_TensorOfRank<[3]>:$final_hidden, Sesame_TensorOfRank<[3]>:$final_cell);
  let assemblyFormat = [{
    $input `,` $input_weight `,` $recurrent_weight (`input_bias` `(` $input_bias^ `:` type($input_bias) `)`)?
    (`recurrent_bias` `(` $recurrent_bias^ `:` type($recurrent_bias) `)`)? (`projection` `(` $projection^ `:` type($projection) `)`)?
    (`hidden` `(` $initial_hidden^ `:` type($initial_hidden) `)`)? (`cell` `(` $initial_cell^ `:` type($initial_cell) `)`)?
    (`lengths` `(` $lengths^ `:` type($lengths) `)`)? `direction` `=` custom<Keyword>($direction) (`cell_clip` `=` $cell_clip^)?
    (`projection_clip` `=` $projection_clip^)? attr-dict
    `:` type($input) `,` type($input_weight) `,` type($recurrent_weight) `->` type($output) `,` type($final_hidden) `,` type($final_cell)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Sesame_GRUOp : Sesame_TensorOp<"gru", [AttrSizedOperandSegments]> {
  let summary = "Gated recurrent unit over a sequence";
  let description = [{
    Per direction and step, gates stacked in the order r, z, n (torch's; ONNX packs z, r, h):
    `r, z = sigmoid(W_ih x + b_ih + W_hh h + b_hh)`, `n = tanh(W_in x + b_in + r * (W_hn h + b_hn))`, `h' = (1 - z) n + z h`. With
    `reset_before` the reset gate multiplies h before the product instead: `n = tanh(W_in x + b_in + W_hn (r * h) + b_hn)`
    (ONNX linear_before_reset = 0). `lengths` and numerics as in `sesame.rnn`.

    Shapes: input [B, T, I], input_weight [Q, 3H, I], recurrent_weight [Q, 3H, H], biases [Q, 3H], initial_hidden [Q, B, H], lengths [B];
    output [B, T, Q * H], final_hidden [Q, B, H].

    Constraints: (C1) Extents agree as written, Q by `direction`. (C2) All float element types are equal.

    Source: Cho et al. 2014; compare torch.nn.GRU.

    ```mlir
    func.func @gru(%x: tensor<?x?x12xf32>, %w: tensor<2x60x12xf32>, %u: tensor<2x60x20xf32>) -> tensor<?x?x40xf32> {
      %y, %h = sesame.gru %x, %w, %u direction = bidirectional
        : tensor<?x?x12xf32>, tensor<2x60x12xf32>, tensor<2x60x20xf32> -> tensor<?x?x40xf32>, tensor<2x?x20xf32>
      return %y : tensor<?x?x40xf32>
    }
    ```
  }];
  let arguments = (ins Sesame_TensorOfRank<[3]>:$input, Sesame_TensorOfRank<[3]>:$input_weight, Sesame_TensorOfRank<[3]>:$recurrent_weight,
                       Optional<Sesame_TensorOfRank<[2]>>:$input_bias, Optional<Sesame_TensorOfRank<[2]>>:$recurrent_bias,
                       Optional<Sesame_TensorOfRank<[3]>>:$initial_hidden, Optional<Sesame_IntTensorOfRank<[1]>>:$lengths,
                       Sesame_DirectionAttr:$direction, UnitAttr:$reset_before);
  let results = (outs Sesame_TensorOfRank<[3]>:$output, Sesame_TensorOfRank<[3]>:$final_hidden);
  let assemblyFormat = [{
    $input `,` $input_weight `,` $recurrent_weight (`input_bias` `(` $input_bias^ `:` type($input_bias) `)`)?
    (`recurrent_bias` `(` $recurrent_bias^ `:` type($recurrent_bias) `)`)? (`hidden` `(` $initial_hidden^ `:` type($initial_hidden) `)`)?
    (`lengths` `(` $lengths^ `:` type($lengths) `)`)? `direction` `=` custom<Keyword>($direction) (`reset_before` $reset_before^)? attr-dict
    `:` type($input) `,` type($input_weight) `,` type($recurrent_weight) `->` type($output) `,` type($final_hidden)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

#endif // SESAME_RECURRENT_OPS_TD
