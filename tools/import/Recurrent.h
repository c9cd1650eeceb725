//===- Recurrent.h - Stacks of recurrent layers -----------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What models made of torch.nn.RNN, LSTM and GRU are composed of. Axes: L layers, Q directions (forward
// first), B batch, S steps, I input width, H cell width, P output width (H without a projection), X gates.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_RECURRENT_H
#define SESAME_IMPORT_RECURRENT_H

#include "Builder.h"
#include "TensorOps.h"

namespace sesame::importer {

enum class RecurrentCell { rnn, lstm, gru };

struct RecurrentOptions {
  RecurrentCell cell = RecurrentCell::lstm;
  int64_t hidden = 0; // H
  /// P of an LSTM with a projection, 0 without one.
  int64_t projection = 0;
  mlir::sesame::Direction direction = mlir::sesame::Direction::forward;
  /// Of the cell `rnn`.
  mlir::sesame::Activation activation = mlir::sesame::Activation::tanh;
  std::optional<double> cellClip, projectionClip;
  /// [B] of i64, the steps of each row; null if all rows are as long as the input.
  mlir::Value lengths;

  int64_t directions() const { return direction == mlir::sesame::Direction::bidirectional ? 2 : 1; }
  /// P.
  int64_t width() const { return projection ? projection : hidden; }
  /// Q * P, the width of a layer's output.
  int64_t outputWidth() const { return directions() * width(); }
};

/// `cell` of config.json: "rnn", "lstm" or "gru".
RecurrentCell readCell(const Config &config, std::optional<std::string> fallback = {});

/// The states of all layers, as torch has them: row `layer * Q + direction` of hidden [L * Q, B, P] and, of
/// LSTMs, cell [L * Q, B, H].
struct RecurrentStates {
  mlir::Value hidden, cell;
  /// Whether they hold the states before the first step; otherwise those are zero.
  bool areGiven = false;
};

/// States of `layers` layers for a batch as large as that of `x`, to be filled by a stack that starts from
/// zeros.
RecurrentStates emptyStates(ModelBuilder &b, int64_t layers, mlir::Value x, const RecurrentOptions &options);
/// Their extents for `ModelBuilder::input` and `output`.
ModelBuilder::Dims hiddenDims(int64_t layers, const RecurrentOptions &options);
ModelBuilder::Dims cellDims(int64_t layers, const RecurrentOptions &options);
/// Inputs "h_0" and, of LSTMs, "c_0" that may be absent, or the session's states of those names. `prefix`
/// stands before the names.
RecurrentStates stateInputs(ModelBuilder &b, int64_t layers, const RecurrentOptions &options,
                            bool areSessionStates, const std::string &prefix = "");
/// Outputs "h_n" and "c_n", or the session's states again.
void stateOutputs(ModelBuilder &b, int64_t layers, const RecurrentOptions &options,
                  const RecurrentStates &states, bool areSessionStates, const std::string &prefix = "");

/// One layer: x [B, S, I] -> [B, S, Q * P]. Its parameters are `module`.weight_ih`suffix` and so on, and
/// those of the second direction have "_reverse" at the end, as in torch. Reads and writes the states from
/// row `firstRow` on.
mlir::Value recurrentLayer(ModelBuilder &b, const NamePattern &module, const std::string &suffix,
                           mlir::Value x, const RecurrentOptions &options, RecurrentStates &states,
                           mlir::OpFoldResult firstRow);

/// Layers whose parameters differ by a number in their names only.
struct LayerRange {
  int64_t first = 0, count = 1;
};

/// The equal layers `range`, of which the parameters of one have names like `module` + ".weight_ih" +
/// `suffix`, as one loop; the first one's states are at row `firstRow`.
mlir::Value recurrentLoop(ModelBuilder &b, const std::string &function, const NamePattern &module,
                          const std::string &suffix, LayerRange range, mlir::Value x,
                          const RecurrentOptions &options, RecurrentStates &states, int64_t firstRow);

/// All layers of a torch module: x [B, S, I] -> [B, S, Q * P] of the last one. Layers from the second on are
/// equal, and are one loop.
mlir::Value recurrentStack(ModelBuilder &b, const std::string &module, int64_t layers, mlir::Value x,
                           const RecurrentOptions &options, RecurrentStates &states);

/// The input "lengths" [B], 1 to the extent of the sequence.
mlir::Value lengthsInput(ModelBuilder &b);
/// Gives every input "lengths" of the entries built so far its bounds, of which the upper one is the symbol
/// `atMost`. Call it after the last `endEntry`.
void boundLengths(ModelBuilder &b, llvm::StringRef atMost = "S");

/// [B, S] of i64: 1 where position s is below `lengths` [B]; `like` [B, S, ...] gives the extents.
mlir::Value lengthMask(ModelBuilder &b, mlir::Value lengths, mlir::Value like);
/// x [B, S, C] with 0 where s is not below `lengths` [B].
mlir::Value zeroPadding(ModelBuilder &b, mlir::Value x, mlir::Value lengths);

} // namespace sesame::importer

#endif // SESAME_IMPORT_RECURRENT_H
