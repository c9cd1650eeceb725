//===- GenerationConfig.h - How to turn logits into token ids ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_GENERATE_GENERATIONCONFIG_H
#define SESAME_GENERATE_GENERATIONCONFIG_H

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sesame {

/// When a beam search with enough finished hypotheses may end (`early_stopping` of transformers).
enum class EarlyStopping {
  No,    ///< `false`: when the best running beam, at its present length, cannot beat the worst finished one.
  Yes,   ///< `true`: as soon as there are `num_beams` finished hypotheses.
  Never, ///< `"never"`: as No, but with the length that would help the running beam most.
};

/// One entry of `sequence_bias` (or of `bad_words_ids`, whose bias is minus infinity): `bias` is added to the
/// score of the last token of `tokens` where the sequence so far ends in the others.
struct SequenceBias {
  std::vector<int64_t> tokens;
  float bias;
};

/// The fields of transformers' GenerationConfig (5.x) that decide which ids come out; same names (in
/// lowerCamel), same meaning, same defaults. Lengths are in tokens. What is not set is off.
struct GenerationConfig {
  // Lengths. `maxNewTokens` goes before `maxLength`, which counts the prompt (or the decoder's start token)
  // too. With neither, 20 new tokens are made, or fewer where the model has no more positions.
  std::optional<int64_t> maxNewTokens;
  std::optional<int64_t> maxLength;
  int64_t minLength = 0;
  std::optional<int64_t> minNewTokens;
  std::optional<double> maxTime; ///< Seconds.
  std::vector<std::string> stopStrings;

  // Strategy.
  bool doSample = false;
  int64_t numBeams = 1;
  int64_t numReturnSequences = 1;
  EarlyStopping earlyStopping = EarlyStopping::No;
  double lengthPenalty = 1.0;
  /// Set: hypotheses are scored by logp / ((5 + length) / 6) ** gnmtAlpha (Wu et al. 2016, eq. 14, without
  /// coverage) and the search of Vaswani et al. 2017 is used instead of transformers'. Not a field of
  /// transformers.
  std::optional<double> gnmtAlpha;

  // Logit processors.
  double repetitionPenalty = 1.0;
  double encoderRepetitionPenalty = 1.0;
  int64_t noRepeatNgramSize = 0;
  int64_t encoderNoRepeatNgramSize = 0;
  std::vector<std::vector<int64_t>> badWordsIds;
  std::vector<SequenceBias> sequenceBias;
  std::optional<int64_t> forcedBosTokenId;
  std::vector<int64_t> forcedEosTokenId;
  std::vector<int64_t> suppressTokens;
  std::vector<int64_t> beginSuppressTokens;
  /// Whisper's: the tokens behind `noTimestampsTokenId` are times, and come out as its paper has them.
  bool returnTimestamps = false;
  std::optional<int64_t> noTimestampsTokenId;
  std::optional<int64_t> maxInitialTimestampIndex; ///< Of the first time.
  std::optional<std::pair<int64_t, double>> exponentialDecayLengthPenalty; ///< (start, factor)
  bool removeInvalidValues = false;
  bool renormalizeLogits = false;

  // Sampling.
  double temperature = 1.0;
  int64_t topK = 50; ///< 0: off.
  double topP = 1.0;
  std::optional<double> minP;
  std::optional<double> topH;
  double typicalP = 1.0;
  double epsilonCutoff = 0.0;
  double etaCutoff = 0.0;
  /// Key of the random generator: the same seed, prompt and settings give the same ids. Not a field of
  /// transformers.
  uint64_t seed = 0;

  // Special tokens.
  std::optional<int64_t> padTokenId;
  std::optional<int64_t> bosTokenId;
  std::vector<int64_t> eosTokenId; ///< Any of these ends a sequence; empty: none does.
  std::optional<int64_t> decoderStartTokenId;

  /// Sets the fields that `object` (a generation_config.json, or the `params` of a golden call) has. `null`
  /// puts a field back to its default; unknown fields are ignored. Throws Error if a field has the wrong
  /// type, is out of its range, or asks for a strategy that Sesame lacks (contrastive search, constraints,
  /// ...); the message starts with `origin`.
  void update(const nlohmann::json &object, std::string_view origin);

  /// Sets one field from text, as a command line gives it: `none`, or a JSON value (`12`, `true`, `[1, 2]`,
  /// `never`). A list of ids may leave its brackets out. `origin` names the option in errors. Throws Error if
  /// there is no such field, or as `update` does.
  void set(std::string_view name, std::string_view text, std::string_view origin);

  /// Checks what concerns several fields at once, as transformers does. Throws Error.
  void validate() const;

  /// The name (as in JSON) and the type, in words, of every field that `update` knows.
  static std::vector<std::pair<std::string_view, std::string_view>> fields();
};

} // namespace sesame

#endif // SESAME_GENERATE_GENERATIONCONFIG_H
