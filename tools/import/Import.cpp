//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Import.h"

#include "FinishModule.h"
#include "Registry.h"

#include "support/DType.h"
#include "support/Error.h"

#include <nlohmann/json.hpp>

using namespace mlir;

namespace sesame::importer {

namespace {

/// The family of `model_type`, or, where old files do not have one, that of the first architecture.
const Family &findFamily(const Config &config, const std::string &architecture) {
  std::string modelType = config.text("model_type", "");
  std::string known;
  for (const Family *family : families()) {
    if (modelType.empty() ? family->find(architecture) != nullptr : modelType == family->modelType)
      return *family;
    known += (known.empty() ? "" : ", ") + std::string(family->modelType);
  }
  config.fail("model_type", message("expected one of ", known, ", got ",
                                    modelType.empty() ? std::string("nothing") : inQuotes(modelType)));
}

/// What every family's config.json has in common.
void readCommonFields(const Config &config, ModelInfo &info) {
  auto first = [&](const char *key) -> std::optional<int64_t> {
    std::vector<int64_t> ids = config.tokenIds(key);
    return ids.empty() ? std::nullopt : std::optional<int64_t>(ids.front());
  };
  info.padTokenId = first("pad_token_id");
  info.bosTokenId = first("bos_token_id");
  info.decoderStartTokenId = first("decoder_start_token_id");
  info.eosTokenIds = config.tokenIds("eos_token_id");
}

/// transformers leaves id2label out where it is LABEL_0, LABEL_1, ...
void fillLabels(const Config &config, ModelInfo &info) {
  if (info.task != "text-classification" && info.task != "token-classification")
    return;
  info.labels = config.labels();
  for (int64_t i = info.labels.size(), count = config.numLabels(); i < count; ++i)
    info.labels.push_back("LABEL_" + std::to_string(i));
}

} // namespace

nlohmann::json toJson(const ModelInfo &info) {
  nlohmann::json json = {
      {"vocab_size", info.vocabSize}, {"hidden_size", info.hiddenSize}, {"num_layers", info.numLayers}};
  if (info.maxLength)
    json["max_length"] = info.maxLength;
  if (info.padTokenId)
    json["pad_token_id"] = *info.padTokenId;
  if (info.bosTokenId)
    json["bos_token_id"] = *info.bosTokenId;
  if (info.decoderStartTokenId)
    json["decoder_start_token_id"] = *info.decoderStartTokenId;
  if (!info.eosTokenIds.empty())
    json["eos_token_id"] = info.eosTokenIds;
  if (info.endsInSpecialTokens)
    json["ends_in_special_tokens"] = true;
  if (!info.labels.empty())
    json["id2label"] = info.labels;
  return json;
}

OwningOpRef<ModuleOp> importCheckpoint(const std::string &directory, MLIRContext &context,
                                       const ImportOptions &options, ModelInfo *infoOut) {
  Config config = Config::load(directory);
  std::vector<std::string> named = config.texts("architectures");
  std::string wanted = !options.architecture.empty() ? options.architecture
                       : named.empty()               ? ""
                                                     : named.front();
  const Family &family = findFamily(config, wanted);
  Checkpoint checkpoint(directory);
  if (wanted.empty())
    wanted = family.infer ? family.infer(WeightSource(checkpoint, family.basePrefix, family.modelType,
                                                      family.otherPrefixes))
                          : family.architectures.front().name;
  const Architecture *architecture = family.find(wanted);
  if (!architecture) {
    std::string known;
    for (const Architecture &each : family.architectures)
      known += (known.empty() ? "" : ", ") + std::string(each.name);
    config.fail("architectures", message("expected one of ", known, ", got ", inQuotes(wanted)));
  }

  ModelInfo info;
  info.modelType = family.modelType;
  info.architecture = architecture->name;
  info.task = architecture->task;
  readCommonFields(config, info);
  fillLabels(config, info);

  WeightSource weights(checkpoint, architecture->basePrefix ? architecture->basePrefix : family.basePrefix,
                       architecture->name, family.otherPrefixes);
  ModelBuilder model(context, config, weights, info);
  architecture->build(model);
  weights.check();
  for (const char *suffix : family.ignoredSuffixes)
    weights.ignoreSuffix(suffix);
  if (std::string unused = weights.describeUnused(); !unused.empty())
    info.notes.push_back(unused);

  OwningOpRef<ModuleOp> module = model.takeModule();
  finishModule(*module, info, config.getPath());
  if (infoOut)
    *infoOut = std::move(info);
  return module;
}

} // namespace sesame::importer
