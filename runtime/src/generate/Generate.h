//===- Generate.h - From a prompt to token ids ------------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_GENERATE_GENERATE_H
#define SESAME_GENERATE_GENERATE_H

#include "generate/GenerationConfig.h"
#include "generate/StepModel.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace sesame {

/// What to continue. For an encoder-decoder model `ids` is the decoder's prompt (as a rule one
/// decoder_start_token_id a row, see `decoderPrompt`) and `sourceIds` what the encoder read; a decoder-only
/// model leaves `sourceIds` empty.
struct GenerationInput {
  int64_t rows = 0;
  int64_t length = 0;
  std::vector<int64_t> ids;  ///< [rows, length], padded on the left.
  std::vector<int64_t> mask; ///< [rows, length], 0 at padding; empty: no padding.
  int64_t sourceLength = 0;
  std::vector<int64_t> sourceIds; ///< [rows, sourceLength]; only the encoder_* processors read it.
};

/// The prompt of a decoder of which nothing is known but its first token. Throws Error if there is no such
/// token.
GenerationInput decoderPrompt(const GenerationConfig &config, int64_t rows);

/// Pads prompts of several lengths on the left. `padId` fills the gap; its mask is 0.
GenerationInput padLeft(const std::vector<std::vector<int64_t>> &prompts, int64_t padId);

/// Calls into the caller's code, all optional.
struct GenerationHooks {
  /// Called for each new token of each row as it is chosen (beam search: once the search is over, row by
  /// row); false ends the generation after this step.
  std::function<bool(int64_t row, int64_t token)> onToken;
  /// Called with each new sequence, prompt included; true ends it here. This is where stop strings are found
  /// (StopStrings.h).
  std::function<bool(const int64_t *ids, int64_t length)> shouldStop;
};

/// rows = inputs * num_return_sequences, the sequences of an input next to each other, best first for beams.
struct GenerationResult {
  int64_t rows = 0;
  int64_t length = 0;
  int64_t promptLength = 0;
  std::vector<int64_t> sequences; ///< [rows, length]: prompt, new tokens, padding.
  std::vector<int64_t> newTokens; ///< [rows]: how many new tokens a row has, its end token included.
  std::vector<float>
      sequenceScores; ///< [rows]: of beams, log-probability / length ** length_penalty; else empty.
};

/// Generates as transformers' `generate` does: greedy or beam search or sampling, whatever `config` says.
/// Apart from hooks, no memory is taken after the first step. Throws Error if the configuration, the input
/// and the model do not fit, or if the model's logits are NaN.
GenerationResult generate(StepModel &model, const GenerationConfig &config, const GenerationInput &input,
                          const GenerationHooks &hooks = {});

} // namespace sesame

#endif // SESAME_GENERATE_GENERATE_H
