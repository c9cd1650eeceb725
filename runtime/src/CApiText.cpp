//===- CApiText.cpp - Generation and tokens in sesame.h -------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CApiSupport.h"

#include "generate/Generate.h"
#include "generate/SessionStepModel.h"
#include "generate/StopStrings.h"
#include "io/Manifest.h"
#include "support/Json.h"
#include "tokenizer/Tokenizer.h"

#include <cstdlib>
#include <limits>

using namespace sesame;
using namespace sesame::capi;

namespace {

std::shared_ptr<const Tokenizer> loadTokenizer(const std::string &bundle) {
  try {
    return std::make_shared<const Tokenizer>(Tokenizer::fromDirectory(bundle));
  } catch (const Error &error) {
    throw StatusError(SESAME_INVALID_BUNDLE, error.what());
  }
}

std::shared_ptr<const Tokenizer> tokenizerOf(const SesameModel &model) {
  std::lock_guard<std::mutex> lock(model.tokenizerMutex);
  if (!model.tokenizer)
    model.tokenizer = loadTokenizer(model.model->directory());
  return model.tokenizer;
}

/// The bundle's settings with the caller's over them.
GenerationConfig configure(const Model &model, const char *configJson) {
  const Manifest &manifest = model.manifest();
  GenerationConfig config;
  nlohmann::json tokens = nlohmann::json::object();
  for (const char *key : {"pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"})
    if (manifest.config.contains(key))
      tokens[key] = manifest.config[key];
  config.update(tokens, model.directory() + ": config");
  config.update(manifest.generation, model.directory() + ": generation");
  if (configJson) {
    nlohmann::json object = parseJson("config_json", configJson);
    if (!object.is_object())
      throw Error(message("config_json: expected an object, found ", object.type_name()));
    config.update(object, "config_json");
  }
  config.validate();
  return config;
}

template <typename T> T *copyArray(const std::vector<T> &values) {
  auto *copy = static_cast<T *>(allocate(values.size() * sizeof(T)));
  if (!values.empty())
    std::memcpy(copy, values.data(), values.size() * sizeof(T));
  return copy;
}

} // namespace

SesameStatus sesame_session_generate(SesameSession *session, const int64_t *ids, const int64_t *mask,
                                     int64_t rows, int64_t length, const SesameGenerateOptions *options,
                                     SesameGeneration **generation) {
  return guarded(SESAME_INVALID_ARGUMENT, [&] {
    requirePointer(session, "session");
    requirePointer(ids, "ids");
    requirePointer(generation, "generation");
    *generation = nullptr;
    SesameGenerateOptions chosen = {};
    if (options)
      chosen = readSized(*options, "SesameGenerateOptions");
    int64_t count;
    if (rows < 1 || length < 1 || __builtin_mul_overflow(rows, length, &count))
      throw Error(message("expected at least one row of at least one id, found ", rows, " of ", length));
    const Model &model = session->session.model();
    if (!model.hasEntry("decode"))
      throw StatusError(SESAME_NOT_FOUND,
                        message(model.directory(), ": no entry 'decode', so it cannot generate"));
    GenerationConfig config = configure(model, chosen.config_json);

    // An encoder reads the ids; the decoder starts from nothing.
    const bool hasEncoder = model.hasEntry("encode");
    GenerationInput input;
    if (hasEncoder) {
      input = decoderPrompt(config, rows);
      input.sourceLength = length;
      input.sourceIds.assign(ids, ids + count);
    } else {
      input.rows = rows;
      input.length = length;
      input.ids.assign(ids, ids + count);
      if (mask)
        input.mask.assign(mask, mask + count);
    }
    GenerationHooks hooks;
    if (chosen.on_token)
      hooks.onToken = [&](int64_t row, int64_t token) {
        return chosen.on_token(chosen.user_data, row, token) == 0;
      };
    std::shared_ptr<const Tokenizer> tokenizer;
    if (!config.stopStrings.empty()) {
      tokenizer = loadTokenizer(model.directory());
      hooks.shouldStop = StopStrings(config.stopStrings, [&](const int64_t *sequence, int64_t size) {
        return tokenizer->decode(std::vector<TokenId>(sequence, sequence + size));
      });
    }
    SessionStepModel steps(session->session);
    if (hasEncoder) {
      std::vector<InputTensor> source = {{"input_ids", DType::i64, {rows, length}, ids}};
      if (mask)
        source.push_back({"attention_mask", DType::i64, {rows, length}, mask});
      steps.encode(source);
    }
    GenerationResult result = generate(steps, config, input, hooks);

    auto *made = static_cast<SesameGeneration *>(allocate(sizeof(SesameGeneration)));
    *made = {result.rows, result.length, result.promptLength, nullptr, nullptr, nullptr};
    *generation = made; // from here on the caller's, complete or not
    made->ids = copyArray(result.sequences);
    made->new_tokens = copyArray(result.newTokens);
    if (!result.sequenceScores.empty())
      made->scores = copyArray(result.sequenceScores);
  });
}

void sesame_generation_free(SesameGeneration *generation) {
  if (!generation)
    return;
  std::free(generation->ids);
  std::free(generation->new_tokens);
  std::free(generation->scores);
  std::free(generation);
}

SesameStatus sesame_model_encode(const SesameModel *model, const char *text, int32_t add_special_tokens,
                                 int64_t **ids, size_t *num_ids) {
  return guarded(SESAME_INVALID_ARGUMENT, [&] {
    requirePointer(model, "model");
    requirePointer(text, "text");
    requirePointer(ids, "ids");
    requirePointer(num_ids, "num_ids");
    std::vector<TokenId> tokens = tokenizerOf(*model)->encodeIds(text, add_special_tokens != 0);
    *ids = copyArray(std::vector<int64_t>(tokens.begin(), tokens.end()));
    *num_ids = tokens.size();
  });
}

SesameStatus sesame_model_decode(const SesameModel *model, const int64_t *ids, size_t num_ids,
                                 int32_t skip_special_tokens, char **text) {
  return guarded(SESAME_INVALID_ARGUMENT, [&] {
    requirePointer(model, "model");
    if (num_ids)
      requirePointer(ids, "ids");
    requirePointer(text, "text");
    std::vector<TokenId> tokens;
    for (size_t i = 0; i < num_ids; ++i) {
      if (ids[i] < 0 || ids[i] > std::numeric_limits<TokenId>::max())
        throw Error(message("ids[", i, "] = ", ids[i], ": expected a token id"));
      tokens.push_back(static_cast<TokenId>(ids[i]));
    }
    *text = copyText(tokenizerOf(*model)->decode(tokens, skip_special_tokens != 0));
  });
}
