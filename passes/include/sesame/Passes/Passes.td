//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_PASSES_TD
#define SESAME_PASSES_TD

include "mlir/Pass/PassBase.td"

// Every pass, alphabetical. A pass is added together with its .cpp.

def BufferizeEntriesPass : Pass<"sesame-bufferize-entries", "::mlir::ModuleOp"> {
  let summary = "Give an entry's results destinations, and its symbols arguments";
  let description = [{
    Every result of a public function that is not a state gets an argument, the caller's buffer, into which it is materialized; a state's
    destination is its argument. Every symbol of `sesame.dims` becomes an index argument, and every extent of an argument that symbol.
    Inputs are marked as not writable, so that bufferization never writes into them.

    ```mlir
    func.func @forward(%x: tensor<?x8xf32> {sesame.dims = ["B", "8"]}) -> (tensor<?x8xf32> {sesame.name = "y", sesame.dims = ["B", "8"]})
    // becomes
    func.func @forward(%x: tensor<?x8xf32> {...}, %y: tensor<?x8xf32> {sesame.output, ...}, %B: index {sesame.symbol = "B"})
      -> (tensor<?x8xf32> {sesame.destination = 1 : i64, ...})
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::bufferization::BufferizationDialect"];
}

def CarryInPlacePass : Pass<"sesame-carry-in-place"> {
  let summary = "Keep every tensor that a loop carries in one buffer";
  let description = [{
    A value that an `scf.for` yields is materialized in the buffer of the carried value, unless it is an update of it anyway. So no buffer
    outlives the iteration that made it, and the arena can be planned. Mostly the copy vanishes, because the last operation of the
    body then writes into the carried buffer (`eliminate-empty-tensors`).
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def DecomposeRotaryPass : Pass<"sesame-decompose-rotary", "::mlir::func::FuncOp"> {
  let summary = "Rotary positions as tables of angles and elementwise products";
  let description = [{
    `sesame.rotary` over halves becomes two tables [B or 1, S, R / 2], the cosines and sines of `positions * frequencies`, and two elementwise
    linalg operations, one for each half of the features. The tables do not depend on heads or layers: common subexpression elimination leaves one pair for
    queries and keys, and loop-invariant code motion takes it out of the layer loop. An exchange of heads and positions before
    the rotation becomes a part of it.

    ```mlir
    %r = sesame.rotary %q, %p, %f : tensor<?x4x?x16xf32>, tensor<1x?xi64>, tensor<8xf32>
    ```
    becomes
    ```mlir
    %c = linalg.generic ... ins(%p, %f) ...  // cos(p[s] * f[i]): tensor<1x?x8xf32>
    %s = linalg.generic ... ins(%p, %f) ...  // sin(p[s] * f[i]): tensor<1x?x8xf32>
    %0 = linalg.generic ... ins(%x, %y, %c, %s) ...  // x cos - y sin, %x and %y being the halves of %q: tensor<?x4x?x8xf32>
    %1 = linalg.generic ... ins(%y, %x, %c, %s) ...  // y cos + x sin
    %r = both inserted into a tensor.empty, features from R on with them
    ```

    Left for the reference lowering: `interleaved` pairs, which are not neighbours in vectors, and heads of unknown size.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
}

def DropEntryResultsPass : Pass<"sesame-drop-entry-results", "::mlir::ModuleOp"> {
  let summary = "Make bufferized entries return nothing";
  let description = [{
    Drops the results of entries, which by then are the argument buffers they were materialized in. A state that is returned in another
    buffer than its own would have to be copied, and is an error.
  }];
}

def ExpandMathPass : Pass<"sesame-expand-math", "::mlir::func::FuncOp"> {
  let summary = "Expand elementary functions of f32 into arithmetic";
  let description = [{
    Replaces `math` operations on f32 scalars and vectors by range reduction and a minimax polynomial, so that no call of libm and no scalar loop is
    left; f16 and bf16 are extended to f32 first. With `vector-lanes=16` the exponent of a vector of 16 is applied by `vscalefps`, else by integer
    arithmetic; the result is the same. Powers, inverse trigonometric and hyperbolic functions other than tanh stay as they are.

    Largest error in ULP, against double precision, over all exponents and every 61st bit pattern; NaN gives NaN, and infinities and denormals are right:

    | function | ULP | | function | ULP | | activation | ULP |
    | --- | --- | --- | --- | --- | --- | --- | --- |
    | exp, exp2 | 1.1 | | tanh | 1.6 | | sigmoid | 2.4 |
    | expm1 | 1.5 | | erf | 2.5 | | silu | 2.8 |
    | log | 0.8 | | erfc | 6.5 | | gelu | 6.9 (16 lanes: 5.1) |
    | log2 | 1.5 | | sin, cos (abs(x) <= 1e5) | 1.6 | | mish | 4.2 |
    | log10 | 2.0 | | tan (abs(x) <= 1e5) | 3.5 | | softplus | 1.8 |
    | log1p | 1.5 | | rsqrt | 1.5 | | gelu_tanh, gelu_quick | 18, 13 |

    Sigmoid, silu, gelu and mish underflow to 0 below 1e-30 instead of at the smallest denormal. The errors of gelu_tanh and gelu_quick are those of results above
    1e-6; in the tail beyond it the error is 1e-11 at most. sin, cos and tan lose all digits where abs(x) > 6e6.
  }];
  let options = [Option<"vectorLanes", "vector-lanes", "int64_t", /*default=*/"16", "f32 lanes of a vector register: 16 (AVX-512), 8 (AVX2) or 4">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect"];
}

def FinishModulePass : Pass<"sesame-finish-module", "::mlir::ModuleOp"> {
  let summary = "Leave nothing in a module but its compiled code and its interface";
  let description = [{
    Removes `sesame.weight` symbols and the module's `sesame` attributes, adds `sesame_abi_version`, and makes every function and global internal that
    is not of the interface in `sesame/abi.h`. Runs on the LLVM dialect.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def FuseEmbeddingSumPass : Pass<"sesame-fuse-embedding-sum", "::mlir::func::FuncOp"> {
  let summary = "Make the sum of two embeddings one embedding";
  let description = [{
    Token, position and segment embeddings are picked and added row by row, without a tensor between.

    ```mlir
    %a = sesame.embedding %ids in %words : ...
    %b = sesame.embedding %positions in %places : ...
    %h = arith.addf %a, %b : tensor<?x?x36xf32>
    // becomes
    %h = sesame.embedding %ids, %positions in %words, %places : ...
    ```

    Left alone: an embedding with another user, and the sum of two embeddings of which each has several tables, because
    `sesame.embedding` adds in operand order and the sum would be rounded otherwise.
  }];
}

def FuseLinearActivationPass : Pass<"sesame-fuse-linear-activation", "::mlir::func::FuncOp"> {
  let summary = "Fold an activation into the sesame.linear that feeds it";
  let description = [{
    The activation is applied while the result is still in registers; one pass over the tensor is saved.

    ```mlir
    %y = sesame.linear %x, %w : ...
    %z = sesame.activation gelu %y : tensor<?x?x3072xf32>
    // becomes
    %z = sesame.linear %x, %w activation = gelu : ...
    ```

    Left alone: a linear with another user (its plain result is needed too), with an activation already, or with a residual, which
    is added after the activation.
  }];
}

def FuseLinearBiasPass : Pass<"sesame-fuse-linear-bias", "::mlir::func::FuncOp"> {
  let summary = "Fold the addition of a row into the bias of the sesame.linear that feeds it";
  let description = [{
    For models from primitive operations, in which the bias is broadcast and added.

    ```mlir
    %y = sesame.linear %x, %w : ...
    %r = linalg.broadcast ins(%b : tensor<97xf32>) outs(%e : tensor<?x?x97xf32>) dimensions = [0, 1]
    %z = arith.addf %y, %r : tensor<?x?x97xf32>
    // becomes
    %z = sesame.linear %x, %w bias(%b : tensor<97xf32>) : ...
    ```

    Left alone: a linear with another user, or with a bias, an activation or a residual already.
  }];
  let dependentDialects = ["::mlir::sesame::SesameDialect"];
}

def FuseLinearResidualPass : Pass<"sesame-fuse-linear-residual", "::mlir::func::FuncOp"> {
  let summary = "Fold the addition of a tensor into the sesame.linear that feeds it";
  let description = [{
    The other summand becomes the linear's `residual`, which is added when the result is stored, and mostly in place. The linear moves to the
    sum, so the residual may be computed after it. Since the residual comes after the activation, any activation stays.

    ```mlir
    %y = sesame.linear %x, %w bias(%b : tensor<36xf32>) : ...
    %z = arith.addf %h, %y : tensor<?x?x36xf32>
    // becomes
    %z = sesame.linear %x, %w bias(%b : tensor<36xf32>) residual(%h : tensor<?x?x36xf32>) : ...
    ```

    Left alone: a linear with another user, with a residual already, or of another block (moved into a loop it would be repeated).
  }];
}

def HoistAllocasPass : Pass<"sesame-hoist-allocas", "::mlir::func::FuncOp"> {
  let summary = "Move stack buffers of static size to the start of their function";
  let description = [{
    A stack buffer inside a loop would grow the stack in each iteration.
  }];
}

def HoistLoopReshapesPass : Pass<"sesame-hoist-loop-reshapes", "::mlir::func::FuncOp"> {
  let summary = "Carry a layer loop's tensors in the shape in which the layers work";
  let description = [{
    Where an iteration ends in a `tensor.expand_shape`, the loop carries the tensor before it, and the reshapes stand before and after the loop. The tile passes
    work on rows [M, C] and leave such a reshape at the end of a layer; without it, what is yielded is the carried tensor itself, updated in place, and
    its extents are known from outside the loop.

    ```mlir
    %h = scf.for %l = %c0 to %c12 step %c1 iter_args(%x = %e) -> (tensor<?x?x8xf32>) {
      %r = tensor.collapse_shape %x [[0, 1], [2]] : tensor<?x?x8xf32> into tensor<?x8xf32>
      %s = scf.forall ... shared_outs(%o = %r) ...
      %y = tensor.expand_shape %s [[0, 1], [2]] output_shape [%b, %n, 8] : tensor<?x8xf32> into tensor<?x?x8xf32>
      scf.yield %y : tensor<?x?x8xf32>
    }
    ```
    becomes, after canonicalization,
    ```mlir
    %r = tensor.collapse_shape %e [[0, 1], [2]] : tensor<?x?x8xf32> into tensor<?x8xf32>
    %g = scf.for %l = %c0 to %c12 step %c1 iter_args(%x = %r) -> (tensor<?x8xf32>) {
      %s = scf.forall ... shared_outs(%o = %x) ...
      scf.yield %s : tensor<?x8xf32>
    }
    %h = tensor.expand_shape %g [[0, 1], [2]] output_shape [%b, %n, 8] : tensor<?x8xf32> into tensor<?x?x8xf32>
    ```

    The extents of a carried tensor are taken not to change from one iteration to the next: bufferization demands it anyway.
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def InlineLayersPass : Pass<"sesame-inline-layers", "::mlir::ModuleOp"> {
  let summary = "Inline the private layer functions into the entries";
  let description = [{
    Replaces every call of a private function by its body, and drops the private functions that nobody calls any more. The layer loops stay
    loops, so the code does not grow with depth. After this pass the tile passes and one-shot bufferization see a whole
    entry at once, and a layer's buffers need no calling convention.

    ```mlir
    func.func private @block(%l: index, %x: tensor<?x8xf32>) -> tensor<?x8xf32> { ... }
    func.func @forward(...) {
      %h = scf.for %l = %c0 to %c12 step %c1 iter_args(%x = %e) -> (tensor<?x8xf32>) {
        %y = func.call @block(%l, %x) : (index, tensor<?x8xf32>) -> tensor<?x8xf32>   // becomes the body of @block
    ```

    A call cycle among private functions, or a private function of several blocks, is an error.
  }];
}

def LastTokenLogitsPass : Pass<"sesame-last-token-logits", "::mlir::func::FuncOp"> {
  let summary = "Compute row-wise operations only for the position that is used";
  let description = [{
    A language model's definition computes logits for every position, and a decoding step uses the last. A slice of whole
    rows that takes one position of some axis moves up through linears, normalisations, activations and elementwise arithmetic on tensors, until what it cuts is
    no longer computed row by row. The numbers do not change: each row is computed as before. On its way it passes heads that are merged, and attention, whose queries
    are then of the one position (with `causal` only if it is the last one: the mask is aligned to the last key).

    ```mlir
    %n = sesame.layer_norm %h epsilon = 1.0e-5 : tensor<?x?x36xf32>
    %l = sesame.linear %n, %w : tensor<?x?x36xf32>, tensor<97x36xf32> -> tensor<?x?x97xf32>
    %r = tensor.extract_slice %l[0, %last, 0] [%batch, 1, 97] [1, 1, 1] : tensor<?x?x97xf32> to tensor<?x97xf32>
    // becomes
    %s = tensor.extract_slice %h[0, %last, 0] [%batch, 1, 36] [1, 1, 1] : tensor<?x?x36xf32> to tensor<?x36xf32>
    %n = sesame.layer_norm %s epsilon = 1.0e-5 : tensor<?x36xf32>
    %r = sesame.linear %n, %w : tensor<?x36xf32>, tensor<97x36xf32> -> tensor<?x97xf32>
    ```

    Left alone: values that something else uses, or that lie in another block, and rows of dynamic width.
  }];
}

def PeelLastLayerPass : Pass<"sesame-peel-last-layer", "::mlir::ModuleOp"> {
  let summary = "Take the last layer out of its loop where one position of its result is used";
  let description = [{
    Only keys and values of the last layer are needed for every position of a prompt, if of its result a slice takes one position
    (`sesame-last-token-logits` has moved it there, and moves it on through the layer). So the loop runs once less, and the body of the layer's function follows it.

    ```mlir
    %h:2 = scf.for %l = %c0 to %c12 step %c1 iter_args(%x = %e, %k = %cache) -> (tensor<?x?x8xf32>, tensor<12x?xf32>) {
      %y:2 = func.call @block(%l, %x, %k) : ...
      scf.yield %y#0, %y#1 : ...
    }
    %s = tensor.extract_slice %h#0[0, %last, 0] [%batch, 1, 8] [1, 1, 1] : tensor<?x?x8xf32> to tensor<?x8xf32>
    // becomes a loop to %c11, the body of @block for %l = 11 with %h#0 and %h#1, and the slice of its first result
    ```

    Left alone: loops of an unknown count, layers whose result has other readers, and those that do not end in a row-wise operation.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def LowerAttentionTilePass : Pass<"sesame-lower-attention-tile", "::mlir::func::FuncOp"> {
  let summary = "Lower sesame.attention_tile on memrefs to register tiles with online softmax";
  let description = [{
    Query rows are taken 2 x `vector-lanes` at a time as a panel: transposed once, so that every row has its own lane. For each block of keys:

    1. scores[t][row] = sum_d key[t][d] * query[row][d], as a register tile of 8 keys; keys are read as they lie. In the registers: softcap, mask and bias,
       the causal border and the window (only where a row's border runs through the tile), and the running maximum;
    2. scores become weights 2^(score - maximum), one row a lane, so neither maximum nor sum crosses lanes;
    3. out[e][row] = out[e][row] * correction + sum_t value[t][e] * weight[t][row], again a register tile, values read as they lie.

    At the end the result is transposed back. Up to 16 rows make a panel of half the width; up to 3 rows (decoding) are done one by one, with keys in
    the lanes of the scores and features in the lanes of the result.

    The rows of `heads` are done that way all at once: each block of keys is transposed, and each value read, once for all of them.

    Every sum, over d, t and the weights, runs in increasing order in all variants, and blocks start at the first key that the mask [T]
    shows. So a row's bits depend on the keys it sees alone: not on other rows, S, hidden or later keys, or padding on either side. (With a mask
    [S, T], blocks start at key 0, and padding on the left of more than one block's keys may move a rounding.) Blocks in which no row of
    the panel sees a key, by mask, causal border or window, are skipped. A row without a visible key gives 0.

    With `bf16` a product takes two neighbours at once, features of the scores, keys of the result (vdpbf16ps; so it needs 16 lanes). Queries are rounded
    as they are packed, a block's keys and then its values into words on the stack, weights in the place of the scores; the sum of the weights is of what they were
    before. Rows alone pair the same neighbours.

    Scratch: at most 64 KiB of stack for D + E <= 256, moved to the start of the function by `sesame-hoist-allocas`. Operands: f32 and a mask of any
    integer type, unit stride along the last axis, any other stride. The `math.tanh` of a softcap is for `sesame-expand-math`.

    Source: Milakov, Gimelshein 2018 (online softmax); Dao et al. 2022 (tiles).
  }];
  let options = [Option<"vectorLanes", "vector-lanes", "int64_t", /*default=*/"16", "f32 lanes of a vector register: 16 (AVX-512), 8 (AVX2) or 4">,
                 Option<"keyBlock", "key-block", "int64_t", /*default=*/"0", "Keys of a block (0: 256 with 16 lanes, else 192); half of it where the scratch would be too large">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def LowerCopyPass : Pass<"sesame-lower-copy", "::mlir::func::FuncOp"> {
  let summary = "Turn copies between strided buffers into loops";
  let description = [{
    `memref.copy` of two contiguous buffers stays and becomes a memcpy. Any other becomes a nest of `scf.for` over the outer axes and, where the last
    axes are contiguous on both sides, a memcpy for each of their blocks; upstream would call a runtime function.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def LowerEmbeddingTilePass : Pass<"sesame-lower-embedding-tile", "::mlir::func::FuncOp"> {
  let summary = "Lower sesame.embedding_tile on memrefs to vector loops";
  let description = [{
    For each row the indices are read once; then the picked rows are summed vector by vector in operand order, the last vector under a mask.
    Operands: f32, unit stride along the last axis, any other stride.
  }];
  let options = [Option<"vectorLanes", "vector-lanes", "int64_t", /*default=*/"16", "f32 lanes of a vector register: 16 (AVX-512), 8 (AVX2) or 4">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def LowerEntryPass : Pass<"sesame-lower-entry", "::mlir::ModuleOp"> {
  let summary = "Give entries and workspace functions their C interface";
  let description = [{
    `@E` becomes `@sesame_entry_E(context, buffers, dims)`, its buffers descriptors made of base pointers and symbol values; `@E__workspace` becomes
    `@sesame_entry_E_workspace(dims)`; and `sesame.get_weight` an address in the weights' data (`offset` + index * `stride`).
    See `runtime/include/sesame/abi.h`.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect"];
}

def LowerExpandShapePass : Pass<"sesame-lower-expand-shape", "::mlir::func::FuncOp"> {
  let summary = "Turn memref.expand_shape into reinterpret casts";
  let description = [{
    The strides of the new axes follow from the sizes that the op is given. Upstream's `expand-strided-metadata` (22.1) crashes where one
    axis becomes two or more of dynamic extent, such as [M, C] to [B, S, C].

    ```mlir
    %1 = memref.expand_shape %0 [[0, 1], [2]] output_shape [%b, %s, 36] : memref<?x36xf32> into memref<?x?x36xf32>
    // becomes
    %base, %offset, %sizes:2, %strides:2 = memref.extract_strided_metadata %0 : ...
    %stride = arith.muli %s, %c36
    %1 = memref.reinterpret_cast %base to offset: [0], sizes: [%b, %s, 36], strides: [%stride, 36, 1] : memref<f32> to memref<?x?x36xf32>
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::memref::MemRefDialect"];
}

def LowerMatmulTilePass : Pass<"sesame-lower-matmul-tile", "::mlir::func::FuncOp"> {
  let summary = "Lower sesame.matmul_tile on memrefs to register tiles";
  let description = [{
    The rows are cut into blocks of `rows`; the last block gets a kernel of exactly its height, chosen by `scf.index_switch`. A kernel holds its whole
    block of the result in 1-D vectors while k runs:

    ```mlir
    %sums:16 = scf.for %k = %c0 to %K step %c1 iter_args(%a0 = %zero, ...) -> (vector<16xf32>, ...) {
      %b0 = vector.load %panel[%k, %c0]
      %b1 = vector.load %panel[%k, %c16]
      %s = memref.load %lhs[%m, %k]
      %x = vector.broadcast %s
      %f0 = vector.fma %x, %b0, %a0 ...
    ```

    so each element is one chain of fused multiply-adds in increasing k, whatever M is. A cheap activation (identity, relu, relu_squared,
    leaky_relu) is applied to the registers; for the others the block goes to a stack buffer of rows x R floats, and one loop over its
    rows adds the bias, applies the activation, combines and stores. Only a panel with N < R, which the padding of `panel`
    completes, uses masks, in a branch of its own. Where there are several full blocks, each asks for the lines of its results first (`memref.prefetch`), so that its
    stores do not wait, and the next block's loads not for them.

    Vectors of 16 (AVX-512) take the tail of gelu from a table of polynomials (vpermi2ps); a vector with an element below -6.5 takes the way by exp as well.

    The activations' math operations are for `sesame-expand-math`. Operands: f32, unit stride along the last axis, any other stride; R a multiple of
    `vector-lanes` (32 for 16 lanes and 16 for 8 keep the registers full).
  }];
  let options = [Option<"vectorLanes", "vector-lanes", "int64_t", /*default=*/"16", "f32 lanes of a vector register: 16 (AVX-512), 8 (AVX2) or 4">,
                 Option<"rows", "rows", "int64_t", /*default=*/"0", "Rows of a block (0: 8 with 16 lanes, 6 with 8 lanes, fewer for wide panels)">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def LowerNormTilePass : Pass<"sesame-lower-norm-tile", "::mlir::func::FuncOp"> {
  let summary = "Lower sesame.norm_tile on memrefs to vector loops";
  let description = [{
    Row by row: the mean (layer only), the mean square of the deviations, then scale and store; each pass over vectors, the last one under a mask. A sum has
    four vector accumulators, which are added pairwise at the end, and then the lanes by halves: an order that depends on C and
    `vector-lanes` alone. `out` may be `input`.
    Operands: f32, unit stride along the last axis, any other stride.
  }];
  let options = [Option<"vectorLanes", "vector-lanes", "int64_t", /*default=*/"16", "f32 lanes of a vector register: 16 (AVX-512), 8 (AVX2) or 4">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def LowerToLinalgPass : Pass<"sesame-lower-to-linalg"> {
  let summary = "Lower every tensor-level sesame op to plain linalg: the reference";
  let description = [{
    Each tensor-level op becomes the loops its documentation states, in `linalg.generic`, `tensor`, `scf.for`, `arith` and `math`. Nothing is fused,
    tiled or reordered: attention makes all its scores, a recurrence is an `scf.for` over time steps that carries its
    states as tensors. This is the meaning of the ops, the oracle of the fast path, and what that path falls back to.
    Sums of f16 and bf16 are kept in f32.

    ```mlir
    %y = sesame.linear %x, %w activation = relu : tensor<?x36xf32>, tensor<97x36xf32> -> tensor<?x97xf32>
    // becomes a linalg.fill with 0, a linalg.generic for the product, and a linalg.generic for the activation
    ```

    Weights (`sesame.weight`, `sesame.get_weight`) and kernel ops stay as they are.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def LowerWordTilesPass : Pass<"sesame-lower-word-tiles", "::mlir::func::FuncOp"> {
  let summary = "Lower sesame.pack_words_tile and sesame.word_matmul_tile on memrefs to vectors";
  let description = [{
    A word_matmul_tile has the blocks and the epilogue of `sesame-lower-matmul-tile`; a step of its loop over k multiplies one word, two bf16 or four int8:

    ```mlir
    %b0 = vector.load %panel[%k, %c0] : memref<194x32xi32>, vector<16xi32>
    %s = memref.load %lhs[%m, %k] : memref<?x194xi32>
    %x = vector.broadcast %s : i32 to vector<16xi32>
    %d0 = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%a0, %x as bytes, %b0 as bytes)
    ```

    With ui4 and ui8 the loop is over groups, for blocks of 4 rows: the words of a group's codes are loaded, cut in two with ui4, and multiplied with the rows' words; the
    sums, which start from the row's start, become floats and are added, times both scales, to the block's products.

    With i8, after the loop the integer sums less zero point times column sum become floats and are multiplied by the scales. Without the instruction (options `vnni` and
    `bf16`, with 16 lanes) the products of a word are made in pairs of 16 bits (option `avx2`), or one by one in i32 or f32: the same sums of int8, other roundings of bf16.

    A pack_words_tile walks each row twice with i8 (largest and smallest element, then codes), once with the others, those in groups holding a group in registers.
  }];
  let options = [Option<"vectorLanes", "vector-lanes", "int64_t", /*default=*/"16", "f32 lanes of a vector register: 16 (AVX-512), 8 (AVX2) or 4">,
                 Option<"rows", "rows", "int64_t", /*default=*/"0", "Rows of a block (0: as sesame-lower-matmul-tile)">,
                 Option<"vnni", "vnni", "bool", /*default=*/"false", "The CPU has AVX512_VNNI (vpdpbusd)">,
                 Option<"avx2", "avx2", "bool", /*default=*/"false", "The CPU has AVX2, with 16 lanes AVX512BW (vpmaddwd)">,
                 Option<"bf16", "bf16", "bool", /*default=*/"false", "The CPU has AVX512_BF16 (vdpbf16ps)">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def MergeSiblingLinearsPass : Pass<"sesame-merge-sibling-linears", "::mlir::ModuleOp"> {
  let summary = "Make linears over one input a single linear";
  let description = [{
    The query, key and value products of an attention block read the same input: one product over the weights side by side reads it
    once and has more columns to share among cores. The weights and biases become one weight each, whose recipe concatenates; a
    missing bias becomes zeros. Results are slices, of which `sesame-tile-attention` makes nothing but addresses.

    ```mlir
    sesame.weight @q count = 2 : tensor<36x36xf32> { ... }
    sesame.weight @k count = 2 : tensor<12x36xf32> { ... }
    %q = sesame.linear %x, %wq : tensor<?x?x36xf32>, tensor<36x36xf32> -> tensor<?x?x36xf32>
    %k = sesame.linear %x, %wk : tensor<?x?x36xf32>, tensor<12x36xf32> -> tensor<?x?x12xf32>
    // becomes
    sesame.weight @q.merged count = 2 : tensor<48x36xf32> {
      %0 = sesame.checkpoint_tensor ["q.", ""] : tensor<36x36xf32>
      %1 = sesame.checkpoint_tensor ["k.", ""] : tensor<12x36xf32>
      %2 = tensor.concat dim(0) %0, %1 : (tensor<36x36xf32>, tensor<12x36xf32>) -> tensor<48x36xf32>
      sesame.yield %2 : tensor<48x36xf32>
    }
    %qk = sesame.linear %x, %w : tensor<?x?x36xf32>, tensor<48x36xf32> -> tensor<?x?x48xf32>
    %q = tensor.extract_slice %qk[0, 0, 0] [%B, %S, 36] [1, 1, 1] : tensor<?x?x48xf32> to tensor<?x?x36xf32>
    %k = tensor.extract_slice %qk[0, 0, 36] [%B, %S, 12] [1, 1, 1] : tensor<?x?x48xf32> to tensor<?x?x12xf32>
    ```

    Merged are linears of one block with equal layout, activation, layer index and number of layers. Left alone: a linear with a
    residual, with a weight that is computed at run time or packed, or with a weight that an operation other than a linear reads.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::sesame::SesameDialect", "::mlir::tensor::TensorDialect"];
}

def OneShotBufferizeCodePass : Pass<"sesame-one-shot-bufferize-code", "::mlir::ModuleOp"> {
  let summary = "One-shot bufferization of the functions, but not of the weights' recipes";
  let description = [{
    Upstream's `one-shot-bufferize` over function boundaries, with contiguous row-major memrefs there, applied to everything but the bodies of
    `sesame.weight`: recipes are not code, and stay tensors.

    ```mlir
    sesame.weight @w : tensor<4x36xf32> { %0 = sesame.checkpoint_tensor ["w"] : tensor<4x36xf32> ... }   // stays
    func.func @f(%x: tensor<?x36xf32>) -> tensor<?x36xf32> {...}                                      // memref<?x36xf32>
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::memref::MemRefDialect"];
}

def OutlineParallelPass : Pass<"sesame-outline-parallel", "::mlir::ModuleOp"> {
  let summary = "Outline parallel loops and hand them to the context's parallel_for";
  let description = [{
    Each `scf.forall` on memrefs becomes one range [0, count) of flattened iterations. Its body becomes a function
    `(data, begin, end)` that finds what it uses in the struct `data` points to; the struct lies on the caller's stack. A range of one
    iteration is run by calling the body. An `scf.forall` inside another becomes plain loops. Loops with equal bodies, such as those of a layer
    in each of a model's entries, share one function. Kernel ops of different bodies that agree but for the strides of their memrefs
    become calls of one function, whose arguments have dynamic strides where theirs differ.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def PackWeightsPass : Pass<"sesame-pack-weights", "::mlir::ModuleOp"> {
  let summary = "Give every linear's weight the layout of register-tile panels";
  let description = [{
    A `sesame.linear` or `sesame.gated_linear` whose weight is read by `sesame.get_weight` in layout nk or kn gets layout `panels`, and
    reads another weight, whose recipe is the old one followed by `sesame.pack_panels`. There is one such weight for each source and layout. Reads
    and weights that nobody uses any more are erased; an embedding that reads such a weight too takes its rows from the panels
    (`sesame.unpack_panels`), if nothing else reads the weight itself. Where weights are narrow, a table that only embeddings read is stored in narrow panels of one row
    each; beside groups of int4 in groups of int8.

    ```mlir
    sesame.weight @w : tensor<97x36xf32> { %0 = ... sesame.yield %0 : tensor<97x36xf32> }
    %w = sesame.get_weight @w : tensor<97x36xf32>
    %y = sesame.linear %x, %w : tensor<?x36xf32>, tensor<97x36xf32> -> tensor<?x97xf32>
    ```
    becomes
    ```mlir
    sesame.weight @w.panels : tensor<4x36x32xf32> {
      %0 = ...
      %1 = sesame.pack_panels %0 layout = nk : tensor<97x36xf32> -> tensor<4x36x32xf32>
      sesame.yield %1 : tensor<4x36x32xf32>
    }
    %w = sesame.get_weight @w.panels : tensor<4x36x32xf32>
    %y = sesame.linear %x, %w layout = panels : tensor<?x36xf32>, tensor<4x36x32xf32> -> tensor<?x97xf32>
    ```

    A weight that is computed at run time is left alone: packing it would cost what it saves. With `weight-type` the panels are stored in a
    narrower type, to which the recipe rounds (to nearest even): half the bytes to stream, the products stay in f32.

    With `weight-type=int8`, or with `weight-type=bf16 bf16-words`, the linear becomes a `sesame.word_linear` over panels in words, whose products are made by the
    dot-product instructions of the CPU; a `sesame.gated_linear` becomes two of them:

    ```mlir
    sesame.weight @w.panels : tensor<4x11x32xi32> {
      %0 = ...
      %1 = sesame.pack_word_panels %0 of i8 layout = nk : tensor<97x36xf32> -> tensor<4x11x32xi32>
      sesame.yield %1 : tensor<4x11x32xi32>
    }
    %y = sesame.word_linear %x, %w of i8 : tensor<?x36xf32>, tensor<4x11x32xi32> -> tensor<?x97xf32>
    ```

    With `groups=int4` or `groups=int8` these words are of ui4 or ui8, with a scale for every 32 numbers along K:

    ```mlir
    sesame.weight @w.panels : tensor<4x9x32xi32> {
      %0 = ...
      %1 = sesame.pack_word_panels %0 of ui4 layout = nk : tensor<97x36xf32> -> tensor<4x9x32xi32>
      sesame.yield %1 : tensor<4x9x32xi32>
    }
    %y = sesame.word_linear %x, %w of ui4 : tensor<?x36xf32>, tensor<4x9x32xi32> -> tensor<?x97xf32>
    ```

    With `bf16-words` and `weight-type` bf16 or int8 attention rounds its keys and values to bf16 (`sesame-tile-attention`): entries' states that attention alone reads,
    and `sesame.cache_append` alone writes, become tensors of bf16. What is appended is rounded, what is read widened, by `linalg.generic`s that the tile passes
    see through.

    Left in panels of their own type then: linears over inputs of another type than f32, weights of f16 with bf16, and int8 without groups with K beyond 65536. `weight-type`
    is for what `groups` leaves.
  }];
  let options = [Option<"panelWidth", "panel-width", "int64_t", /*default=*/"32",
                        "R, columns of a panel: the width of the register tile">,
                 Option<"weightType", "weight-type", "std::string", /*default=*/"\"f32\"",
                        "Type of the panels' numbers: f32, bf16, f16 or int8">,
                 Option<"groups", "groups", "std::string", /*default=*/"\"\"",
                        "Quantise the weights in groups of 32 along K: int8 or int4; empty: don't">,
                 Option<"bf16Words", "bf16-words", "bool", /*default=*/"false",
                        "With bf16: multiply pairs of bf16, which rounds the inputs too, instead of widening the weights">];
  let dependentDialects = ["::mlir::sesame::SesameDialect"];
}

def PlanArenaPass : Pass<"sesame-plan-arena", "::mlir::ModuleOp"> {
  let summary = "Place all temporary buffers of an entry in one arena";
  let description = [{
    Every `memref.alloc` becomes a `memref.view` of an arena argument, at an offset computed from the entry's symbols; buffers that are not alive
    together share their bytes. `@E__workspace` beside entry `@E` computes the size of the arena from the symbols. Temporary buffers
    inside parallel bodies become stack buffers if they are small and of static size, otherwise they are an error.
  }];
  let options = [Option<"maxScratchBytes", "max-scratch-bytes", "int64_t", /*default=*/"16384",
                        "Largest temporary buffer of a parallel body, in bytes">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def PlanWeightsPass : Pass<"sesame-plan-weights", "::mlir::ModuleOp"> {
  let summary = "Give every weight its place in the weight file";
  let description = [{
    Sets `offset` and `stride`, in bytes, of each `sesame.weight`: in module order, one after the other, each of the `count` tensors on a
    64-byte boundary.

    ```mlir
    sesame.weight @a count = 2 : tensor<5xf32> {...}     // becomes: count = 2 offset = 0 stride = 64
    sesame.weight @b : tensor<3xf32> {...}               // becomes: offset = 128 stride = 64
    ```
  }];
}

def TileAttentionPass : Pass<"sesame-tile-attention", "::mlir::func::FuncOp"> {
  let summary = "Cut attention into heads and blocks of queries for several cores";
  let description = [{
    `sesame.attention` becomes an `scf.forall` over batch rows, query heads and blocks of queries, with one `sesame.attention_tile` in it. Query, key and
    value tiles are taken from the tensors behind the views that a model makes of them: the transpose of heads and positions, the splitting of heads from the model
    width, the third of a merged query-key-value product, a layer of the cache. If a transpose back to [B, S, H, E] is the only reader
    of the result, the tiles are stored in that order at once. So none of these views is ever made.

    ```mlir
    %q = tensor.expand_shape %x [[0], [1], [2, 3]] ... : tensor<?x?x768xf32> into tensor<?x?x12x64xf32>
    %t = linalg.transpose ins(%q) outs(...) permutation = [0, 2, 1, 3]
    %o = sesame.attention %t, %k, %v causal scale = 0.125 : ...
    %r = linalg.transpose ins(%o) outs(...) permutation = [0, 2, 1, 3]
    ```
    becomes
    ```mlir
    %r = scf.forall (%b, %h, %i) in (B, 12, ceil(S / 64)) shared_outs(%o = %e) -> (tensor<?x?x12x64xf32>) {
      %q = tensor.extract_slice %x[%b, 64 * %i, 64 * %h] [1, min(64, S - 64 * %i), 64] [1, 1, 1]
      ...
      %t = sesame.attention_tile query(%q) key(%k) value(%v) first(64 * %i + T - S) causal scale = 0.125 out(%c)
      scf.forall.in_parallel { tensor.parallel_insert_slice %t into %o[%b, 64 * %i, %h, 0] ... }
    }
    ```

    Where query heads share keys and values, a step of one query takes a loop over groups of them, so that a task reads its keys and values once
    (`sesame.attention_tile heads`). Of a group's H / G heads a task takes the most, up to `heads-per-task`, that divide them and leave at least two tasks a batch row. If
    the number of queries is not static, an `scf.if` chooses between the two loops.

    Masks and biases are broadcast along axes whose extent is 1 in their type; an axis of unknown extent is taken as whole. Left for the
    reference lowering: heads whose number or size is not static.
  }];
  let options = [Option<"queryBlock", "query-block", "int64_t", /*default=*/"64",
                        "Queries of one task: packing the keys for the kernel is shared by that many rows">,
                 Option<"bf16", "bf16", "bool", /*default=*/"false",
                        "Round the factors of both products to bf16, for vdpbf16ps">,
                 Option<"headsPerTask", "heads-per-task", "int64_t", /*default=*/"8",
                        "Most query heads of one step that read their keys and values together">];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::mlir::sesame::SesameDialect", "::mlir::tensor::TensorDialect"];
}

def TileCacheAppendPass : Pass<"sesame-tile-cache-append", "::mlir::func::FuncOp"> {
  let summary = "Write new keys and values into the cache on several cores";
  let description = [{
    `sesame.cache_append` becomes an `scf.forall` over batch rows and key/value heads, with the cache as its shared output, so that bufferization writes
    in place. The source is looked through as in `sesame-tile-attention`: keys go from the merged product to the cache without a transpose between.

    ```mlir
    %0 = sesame.cache_append %k into %cache[%l] at %p : tensor<?x12x?x64xf32> into tensor<12x?x12x?x64xf32>
    ```
    becomes
    ```mlir
    %0 = scf.forall (%b, %g) in (B, 12) shared_outs(%o = %cache) -> (tensor<12x?x12x?x64xf32>) {
      %t = tensor.extract_slice %k[%b, %g, 0, 0] [1, 1, S, 64] [1, 1, 1, 1]
      scf.forall.in_parallel { tensor.parallel_insert_slice %t into %o[%l, %b, %g, %p, 0] [1, 1, 1, S, 64] ... }
    }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def TileElementwisePass : Pass<"sesame-tile-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Fuse elementwise linalg operations and cut them into vectors for several cores";
  let description = [{
    First, sums of products over one axis become `sesame.matmul_tile`s: the input that has the result's last axis is packed into panels, and each block
    of rows meets each panel. Then elementwise linalg operations of which one is the only reader of the other become one. Then each operation becomes
    an `scf.forall` over the result's axes and blocks of the last one, with a loop over whole vectors in it; elements that do not fill a vector are
    done last, under a mask. Inside an `scf.forall` that is there already the loops are sequential.

    ```mlir
    %y = linalg.generic ... ins(%x, %g : tensor<?x?xf32>, tensor<?xf32>) { one row of %x, all of %g } (%a, %b) {
      %0 = arith.mulf %a, %b
      linalg.yield %0
    }
    ```
    becomes, with N = tensor.dim %x, 1,
    ```mlir
    %y = scf.forall (%i, %j) in (M, ceil(N / 4096)) shared_outs(%o = %e) -> (tensor<?x?xf32>) {
      %c, %a, %b = slices [n] of %o, %x, %g from (%i, 4096 * %j)
      %v = scf.for %k = 0 to n - n % 16 step 16 iter_args(%d = %c) {
        %0 = vector.transfer_read %a[%k] : tensor<?xf32>, vector<16xf32>
        %1 = vector.transfer_read %b[%k] : tensor<?xf32>, vector<16xf32>
        %2 = arith.mulf %0, %1 : vector<16xf32>
        scf.yield vector.transfer_write %2, %d[%k]
      }
      ... the same with a mask for the last n % 16 ...
    ```

    A reduction keeps its order for each element where the vectors lie along the result's last axis. Where the inputs lie along the axis that is reduced
    over, and one operation combines the values, the vectors do too: each lane reduces every sixteenth element, then the lanes are combined in
    order. What is read by place (`linalg.index`, `tensor.extract`) is a vector if it lies so, forwards or backwards, and else read element by
    element, then without masks. Bodies with regions of their own run element by element.
  }];
  let options = [Option<"vectorLanes", "vector-lanes", "int64_t", /*default=*/"16", "f32 lanes of a vector register: 16, 8 or 4">,
                 Option<"elementsPerTask", "elements-per-task", "int64_t", /*default=*/"4096",
                        "Elements of one task along the last axis: some microseconds of work">];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect", "::mlir::vector::VectorDialect"];
}

def TileLinearPass : Pass<"sesame-tile-linear", "::mlir::func::FuncOp"> {
  let summary = "Cut linears over packed weights into matmul tiles for several cores";
  let description = [{
    A `sesame.linear` in layout `panels` becomes an `scf.forall` over blocks of rows and panels, with one `sesame.matmul_tile` in it. A residual is
    the loop's shared output, to which the tiles add, so bufferization can make the sum in place; an input of the function is copied first. A `sesame.gated_linear` makes two tiles
    one after the other on the same output: first the up product, then the gate's, which multiplies.

    ```mlir
    %y = sesame.linear %x, %w residual(%h : tensor<?x768xf32>) layout = panels
       : tensor<?x3072xf32>, tensor<24x3072x32xf32> -> tensor<?x768xf32>
    ```
    becomes, with M = tensor.dim %x, 0,
    ```mlir
    %y = scf.forall (%i, %p) in (ceil(M / 32), 24) shared_outs(%o = %h) -> (tensor<?x768xf32>) {
      %a = tensor.extract_slice %x[32 * %i, 0] [min(32, M - 32 * %i), 3072] [1, 1]
      %b = tensor.extract_slice %w[%p, 0, 0] [1, 3072, 32] [1, 1, 1]
      %c = tensor.extract_slice %o[32 * %i, 32 * %p] [min(32, M - 32 * %i), 32] [1, 1]
      %t = sesame.matmul_tile lhs(%a) panel(%b) combine = add out(%c)
      scf.forall.in_parallel { tensor.parallel_insert_slice %t into %o[...] }
    }
    ```

    Panels are the fast dimension: neighbouring tasks share the block of rows, which stays in the L2 cache while the weight streams by once for
    each block. Linears in another layout are left for the reference lowering.

    A `sesame.word_linear` first packs the rows of its input, in an `scf.forall` of its own with `sesame.pack_words_tile`, once for all of a block's linears over that
    input; its tiles are `sesame.word_matmul_tile`. Where all readers of a linear of bf16 are linears of bf16, its tiles store the words that these would pack.
  }];
  let options = [Option<"rowBlockBytes", "row-block-bytes", "int64_t", /*default=*/"384 * 1024",
                        "Bytes of input that the rows of one task may take (a part of the L2 cache; at least 32 and at most 128 rows)">];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect", "::mlir::sesame::SesameDialect",
                           "::mlir::tensor::TensorDialect"];
}

def TileRecurrentPass : Pass<"sesame-tile-recurrent", "::mlir::ModuleOp"> {
  let summary = "Recurrences as one product over all steps and a loop of tiles over time";
  let description = [{
    A `sesame.rnn`, `sesame.lstm` or `sesame.gru` becomes one `sesame.linear` that projects the inputs of all steps and directions at once, and a
    loop over time that carries the states of all directions. A step is an `scf.forall` over directions, blocks of rows and blocks of units: a task multiplies its rows of the hidden
    state by the panels of its units and applies the cell to the sums in vectors at once, so no sum leaves the core. A panel has the columns of
    all gates of 16 units (half of R), so that a task reads one stream; its product is one `sesame.matmul_tile`. An LSTM's projection and a GRU that
    resets before the product take a second `scf.forall` a step. Products read a copy of the hidden state, so that tasks update their part of the state in place.
    While a product runs, its input's part is prefetched. In every other step tasks and panels run from the last to the first (`sesame.alternates`), since what
    was read last is still in the core's own cache.

    ```mlir
    %y, %h, %c = sesame.lstm %x, %w, %u direction = forward : tensor<?x?x12xf32>, tensor<1x80x12xf32>, tensor<1x80x20xf32> -> ...
    ```
    becomes
    ```mlir
    %g = sesame.linear %x, %w.rows : tensor<?x?x12xf32>, tensor<80x12xf32> -> tensor<?x?x80xf32>
    %y, %h, %c = scf.for %t = 0 to T iter_args(%y, %h, %c) {
      %x = tensor.insert_slice %h into alloc_tensor(B)
      %c1, %h1, %y1 = scf.forall (%q, %i, %j) in (1, ceil(B / 32), 2) shared_outs(%c, %h, %y) {
        %0 = sesame.matmul_tile lhs(%x[%q, 32 * %i, 0]) panel(%u.gates[%j]) out(...)           // i, f, g and o: [32 or fewer, 4 * 16]
        scf.for %b, scf.for %v: i, f, g, o of row %b from %g[%b, %t, ...] and %0; vectors of c', h' and the output
      }
      scf.yield %y1, %h1, %c1
    }
    ```

    The panels `%u.gates` are a weight of their own, those of the second direction behind those of the first, each gate's columns padded to whole blocks of units. Panels of fewer gates hold more units. Where R is below
    32, registers are too few for that: there a panel has R columns of one gate, those of gate 0 come first, then those of gate 1, and so on.

    With `weight-type` the panels are of a narrower type. With int8, or with bf16 and `bf16-words`, or as the op's attribute `sesame.words` (bf16 or i8) says, they are of
    words (`sesame.pack_word_panels`): a step packs the rows of the hidden state first, and the products are `sesame.word_matmul_tile`s, with the numerics of
    `sesame.word_linear`. The states themselves stay in f32.

    Sums do not depend on how rows and units are cut, so neither do the bits of a result on the batch, the threads, or the steps of one call. Left for the
    reference lowering: element types other than f32, and weights that are computed at run time.
  }];
  let options = [Option<"panelWidth", "panel-width", "int64_t", /*default=*/"32",
                        "R, columns of a panel: two vector registers of f32">,
                 Option<"weightType", "weight-type", "std::string", /*default=*/"\"f32\"",
                        "type of the panels' numbers: f32, bf16, f16 or int8">,
                 Option<"bf16Words", "bf16-words", "bool", /*default=*/"false",
                        "with bf16: round the hidden states to it too, in products only">,
                 Option<"taskBytes", "task-bytes", "int64_t", /*default=*/"64 * 1024",
                        "Panels of one task, in bytes: reading them takes much longer than handing the task to a core">];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::math::MathDialect", "::mlir::scf::SCFDialect", "::mlir::sesame::SesameDialect", "::mlir::tensor::TensorDialect", "::mlir::vector::VectorDialect"];
}

def TileRowsPass : Pass<"sesame-tile-rows", "::mlir::func::FuncOp"> {
  let summary = "Cut normalisations and embeddings into blocks of rows for several cores";
  let description = [{
    `sesame.layer_norm` and `sesame.rms_norm` become an `scf.forall` over blocks of rows with one `sesame.norm_tile` in it. If the
    normalisation is the only reader of its input, the input is the shared output, and rows are normalised where they lie.
    `sesame.embedding` becomes an `scf.forall` over all but the last index axis and blocks of the last one, with one `sesame.embedding_tile` in it;
    indices of extent 1 are read at 0 along that axis.

    ```mlir
    %y = sesame.rms_norm %x weight(%w : tensor<36xf32>) epsilon = 1.0e-6 : tensor<?x36xf32>
    ```
    becomes, with M = tensor.dim %x, 0,
    ```mlir
    %e = tensor.empty(M) : tensor<?x36xf32>
    %y = scf.forall (%i) in (ceil(M / 16)) shared_outs(%o = %e) -> (tensor<?x36xf32>) {
      %a = tensor.extract_slice %x[16 * %i, 0] [min(16, M - 16 * %i), 36] [1, 1]
      %c = tensor.extract_slice %o[16 * %i, 0] [min(16, M - 16 * %i), 36] [1, 1]
      %t = sesame.norm_tile rms input(%a) weight(%w) epsilon = 1.0e-6 out(%c)
      scf.forall.in_parallel { tensor.parallel_insert_slice %t into %o[...] }
    }
    ```

    Left for the reference lowering: rows of dynamic width, and an index tensor that is broadcast along the last index axis.
  }];
  let options = [Option<"rowsPerTask", "rows-per-task", "int64_t", /*default=*/"16",
                        "Rows of one task: enough that handing it to a core costs little beside it">];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::scf::SCFDialect", "::mlir::sesame::SesameDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // SESAME_PASSES_TD
