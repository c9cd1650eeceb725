//===- Generate.cpp - From a prompt to token ids -------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "generate/Generate.h"
#include "generate/Search.h"
#include "support/Error.h"

#include <algorithm>
#include <limits>

using namespace sesame;

namespace {

/// Rows times tokens that one call may hold: keeps every product below inside int64_t and a mistyped option
/// from taking all memory.
constexpr int64_t maxCells = int64_t(1) << 32;
constexpr int64_t defaultNewTokens = 20; // transformers' default max_length

void checkInput(const GenerationInput &input, int64_t vocabSize) {
  if (input.rows < 1 || input.length < 1)
    throw Error(message("prompt: expected at least one row with at least one token, found [", input.rows,
                        ", ", input.length, "]"));
  if (input.length > maxCells / input.rows || int64_t(input.ids.size()) != input.rows * input.length)
    throw Error(
        message("prompt: expected ", input.rows, " x ", input.length, " ids, found ", input.ids.size()));
  for (int64_t id : input.ids)
    if (id < 0 || id >= vocabSize)
      throw Error(message("prompt: expected token ids in [0, ", vocabSize, "), found ", id));
  if (!input.sourceIds.empty() && (input.sourceLength < 1 || input.sourceLength > maxCells / input.rows ||
                                   int64_t(input.sourceIds.size()) != input.rows * input.sourceLength))
    throw Error(message("source: expected ", input.rows, " x ", input.sourceLength, " ids, found ",
                        input.sourceIds.size()));
  if (input.mask.empty())
    return;
  if (input.mask.size() != input.ids.size())
    throw Error(message("attention mask: expected ", input.ids.size(), " values, found ", input.mask.size()));
  for (int64_t row = 0; row < input.rows; ++row) {
    const int64_t *mask = input.mask.data() + row * input.length;
    if (mask[input.length - 1] == 0)
      throw Error(
          message("attention mask, row ", row, ": expected padding on the left, found it at the right end"));
    if (!std::is_sorted(mask, mask + input.length) || mask[0] < 0 || mask[input.length - 1] != 1)
      throw Error(message("attention mask, row ", row, ": expected zeros, then ones"));
  }
}

} // namespace

GenerationInput sesame::decoderPrompt(const GenerationConfig &config, int64_t rows) {
  std::optional<int64_t> start = config.decoderStartTokenId ? config.decoderStartTokenId : config.bosTokenId;
  if (!start)
    throw Error(
        "decoder_start_token_id: expected this or bos_token_id to be set for an encoder-decoder model, "
        "found neither");
  GenerationInput input;
  input.rows = rows;
  input.length = 1;
  input.ids.assign(size_t(rows), *start);
  return input;
}

GenerationInput sesame::padLeft(const std::vector<std::vector<int64_t>> &prompts, int64_t padId) {
  GenerationInput input;
  input.rows = int64_t(prompts.size());
  bool isRagged = false;
  for (const std::vector<int64_t> &prompt : prompts) {
    isRagged |= prompt.size() != prompts[0].size();
    input.length = std::max(input.length, int64_t(prompt.size()));
  }
  for (const std::vector<int64_t> &prompt : prompts) {
    size_t gap = size_t(input.length) - prompt.size();
    input.ids.insert(input.ids.end(), gap, padId);
    input.ids.insert(input.ids.end(), prompt.begin(), prompt.end());
    if (isRagged) {
      input.mask.insert(input.mask.end(), gap, 0);
      input.mask.insert(input.mask.end(), prompt.size(), 1);
    }
  }
  return input;
}

GenerationResult sesame::generate(StepModel &model, const GenerationConfig &config,
                                  const GenerationInput &input, const GenerationHooks &hooks) {
  config.validate();
  checkInput(input, model.vocabSize());

  // The last token is chosen but never fed back, so a row of n positions can hold n + 1 tokens.
  int64_t modelLimit = model.maxLength() > 0 ? model.maxLength() : std::numeric_limits<int64_t>::max() - 1;
  int64_t maxLength;
  if (config.maxNewTokens)
    maxLength = input.length + *config.maxNewTokens;
  else if (config.maxLength)
    maxLength = *config.maxLength;
  else
    maxLength = std::min(input.length + defaultNewTokens, modelLimit);
  if (input.length > modelLimit)
    throw Error(message("prompt: expected at most ", modelLimit, " tokens, the model's positions, found ",
                        input.length));
  if (maxLength <= input.length)
    throw Error(message("max_length: expected more than the ", input.length,
                        " tokens of the prompt, which it counts, found ", maxLength));
  if (maxLength > modelLimit + 1)
    throw Error(message(config.maxNewTokens ? "max_new_tokens" : "max_length", ": expected at most ",
                        config.maxNewTokens ? modelLimit + 1 - input.length : modelLimit + 1,
                        " (the model has ", modelLimit, " positions, the prompt ", input.length,
                        " tokens), found ", config.maxNewTokens ? *config.maxNewTokens : maxLength));
  int64_t rowsPerInput = std::max(config.numBeams, config.numReturnSequences);
  if (rowsPerInput > maxCells / input.rows || maxLength > maxCells / (input.rows * rowsPerInput))
    throw Error(message("generation: expected rows x beams x tokens of at most 2^32, found ", input.rows,
                        " x ", rowsPerInput, " x ", maxLength));
  if (!config.stopStrings.empty() && !hooks.shouldStop)
    throw Error("stop_strings: expected a tokenizer to look for them, found none");

  SearchRequest request{model, config,    input, hooks,
                        {},    maxLength, {},    std::chrono::steady_clock::time_point::max()};
  request.leftPadding.resize(size_t(input.rows));
  if (!input.mask.empty())
    for (int64_t row = 0; row < input.rows; ++row) {
      const int64_t *mask = input.mask.data() + row * input.length;
      request.leftPadding[size_t(row)] = std::find(mask, mask + input.length, 1) - mask;
    }
  request.processors.vocabSize = model.vocabSize();
  request.processors.promptLength = input.length;
  request.processors.maxLength = maxLength;
  request.processors.minLength = config.minNewTokens ? input.length + *config.minNewTokens : config.minLength;
  request.processors.numInputs = input.rows;
  bool hasSource = !input.sourceIds.empty();
  request.processors.sourceIds = hasSource ? input.sourceIds.data() : input.ids.data();
  request.processors.sourceLength = hasSource ? input.sourceLength : input.length;
  request.processors.leftPadding = request.leftPadding.data();
  if (config.maxTime)
    request.deadline =
        std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                               std::chrono::duration<double>(std::min(*config.maxTime, 1e9)));

  if (config.numBeams == 1)
    return searchGreedily(request);
  GenerationResult result = searchBeams(request);
  for (int64_t row = 0; hooks.onToken && row < result.rows; ++row)
    for (int64_t i = 0; i < result.newTokens[size_t(row)]; ++i)
      if (!hooks.onToken(row, result.sequences[size_t(row * result.length + result.promptLength + i)]))
        return result;
  return result;
}
