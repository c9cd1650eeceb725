//===- LogitsProcessors.h - What is done to logits before a choice *- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_GENERATE_LOGITSPROCESSORS_H
#define SESAME_GENERATE_LOGITSPROCESSORS_H

#include "generate/GenerationConfig.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace sesame {

/// What the processors need to know of the inputs; the pointers must outlive the pipeline.
struct ProcessorInputs {
  int64_t vocabSize = 0;
  int64_t promptLength = 0; ///< Of the decoder, padding included.
  int64_t maxLength = 0;    ///< Of prompt and new tokens together.
  int64_t minLength = 0;    ///< Likewise.
  int64_t numInputs = 0;
  /// The ids that the encoder (or, in a decoder-only model, the prompt) is made of: [numInputs,
  /// sourceLength].
  const int64_t *sourceIds = nullptr;
  int64_t sourceLength = 0;
  /// Of each input, how many positions at the left of the decoder's prompt are padding; null: none.
  const int64_t *leftPadding = nullptr;
};

/// The sequence that a row of scores continues.
struct RowHistory {
  const int64_t *ids; ///< Prompt, padding included, and what has been generated.
  int64_t length;
  int64_t input; ///< Which of the inputs it continues.
};

/// Room that processors share, so that none allocates in a step.
struct ProcessorScratch {
  explicit ProcessorScratch(int64_t vocabSize);

  /// Token ids that still have a score above -inf, ascending; listed by the first warper that needs them.
  std::vector<int32_t> candidates;
  int64_t numCandidates = 0;
  bool hasCandidates = false;
  std::vector<float> values;
  /// A candidate's place in the list and what it is ordered by.
  struct Ordered {
    float key;
    int32_t place;
  };
  std::vector<Ordered> order;
  /// seen[token] == mark: met in this row.
  std::vector<uint32_t> seen;
  uint32_t mark = 0;
};

/// One processor or warper; works in place on a row of V scores.
class LogitsProcessor {
public:
  virtual ~LogitsProcessor();
  virtual void apply(float *scores, int64_t vocabSize, const RowHistory &history,
                     ProcessorScratch &scratch) = 0;
};

/// The processors that a configuration asks for, in the order of transformers 5.x (`_get_logits_processor`):
/// sequence bias, encoder repetition, repetition, no-repeat n-grams, encoder n-grams, bad words, minimum
/// length, forced bos and eos, invalid values, length decay, suppressed tokens, timestamps, then, when
/// sampling, temperature, top-h, top-k, top-p, min-p, typical, epsilon, eta, and last the normalisation.
/// Scores that a processor forbids become -inf.
class LogitsPipeline {
public:
  /// Throws Error if a token id of the configuration lies outside of the vocabulary where that makes no
  /// sense.
  LogitsPipeline(const GenerationConfig &config, const ProcessorInputs &inputs);
  ~LogitsPipeline();

  bool empty() const { return processors.empty(); }

  void apply(float *scores, const RowHistory &history);

  /// The ids whose score is above -inf, ascending, if the last `apply` listed them; else null.
  const int32_t *candidates() const { return scratch.hasCandidates ? scratch.candidates.data() : nullptr; }
  int64_t numCandidates() const { return scratch.numCandidates; }

private:
  int64_t vocabSize;
  std::vector<std::unique_ptr<LogitsProcessor>> processors;
  ProcessorScratch scratch;
};

/// Appends the processors that apply to greedy, beam and sampled search alike. (LogitsProcessors.cpp)
void appendProcessors(std::vector<std::unique_ptr<LogitsProcessor>> &list, const GenerationConfig &config,
                      const ProcessorInputs &inputs);
/// Appends those that only sampling uses. (LogitsWarpers.cpp)
void appendWarpers(std::vector<std::unique_ptr<LogitsProcessor>> &list, const GenerationConfig &config);

} // namespace sesame

#endif // SESAME_GENERATE_LOGITSPROCESSORS_H
