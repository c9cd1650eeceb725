//===- Search.h - What the search algorithms share --------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_GENERATE_SEARCH_H
#define SESAME_GENERATE_SEARCH_H

#include "generate/Generate.h"
#include "generate/LogitsProcessors.h"

#include <chrono>

namespace sesame {

/// A checked request: what `generate` has worked out before it starts one of the searches below.
struct SearchRequest {
  StepModel &model;
  const GenerationConfig &config;
  const GenerationInput &input;
  const GenerationHooks &hooks;
  ProcessorInputs processors;
  int64_t maxLength;                              ///< Prompt and new tokens.
  std::vector<int64_t> leftPadding;               ///< [input.rows]
  std::chrono::steady_clock::time_point deadline; ///< time_point::max(): none.

  bool isEos(int64_t token) const {
    for (int64_t eos : config.eosTokenId)
      if (eos == token)
        return true;
    return false;
  }
  bool isLate() const {
    return deadline != std::chrono::steady_clock::time_point::max() &&
           std::chrono::steady_clock::now() > deadline;
  }
};

/// One row an input (times num_return_sequences): the best token, or a drawn one. (GreedySearch.cpp)
GenerationResult searchGreedily(const SearchRequest &request);

/// Beam search as in transformers 5.x (`_beam_search`), with or without sampling, or with `gnmt_alpha` as in
/// Vaswani et al. 2017. (BeamSearch.cpp)
GenerationResult searchBeams(const SearchRequest &request);

} // namespace sesame

#endif // SESAME_GENERATE_SEARCH_H
