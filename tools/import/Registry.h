//===- Registry.h - The model families that can be imported -----*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_REGISTRY_H
#define SESAME_IMPORT_REGISTRY_H

#include "Builder.h"

#include <string>
#include <vector>

namespace sesame::importer {

/// A class of transformers ("GPT2LMHeadModel").
struct Architecture {
  const char *name;
  const char *task;
  /// Builds the entries.
  void (*build)(ModelBuilder &);
};

/// All classes that share a `model_type`.
struct Family {
  const char *modelType;
  /// transformers' base_model_prefix with a dot.
  const char *basePrefix;
  std::vector<Architecture> architectures;
  /// The architecture of a checkpoint whose config.json names none, guessed from its tensors.
  const char *(*infer)(const WeightSource &);
  /// Ends of names of tensors that old checkpoints hold and nobody needs: mask buffers, position_ids.
  std::vector<const char *> ignoredSuffixes;

  const Architecture *find(const std::string &name) const;
};

/// Every family, ordered by model type.
const std::vector<const Family *> &families();

// families/*.cpp
const Family &albertFamily();
const Family &awdLstmLmFamily();
const Family &bartFamily();
const Family &bertFamily();
const Family &bilstmCrfFamily();
const Family &bilstmTaggerFamily();
const Family &blenderbotFamily();
const Family &blenderbotSmallFamily();
const Family &bloomFamily();
const Family &camembertFamily();
const Family &clipFamily();
const Family &coveFamily();
const Family &ctrlFamily();
const Family &debertaFamily();
const Family &debertaV2Family();
const Family &deitFamily();
const Family &distilBertFamily();
const Family &dprFamily();
const Family &electraFamily();
const Family &elmoFamily();
const Family &encoderDecoderFamily();
const Family &flaubertFamily();
const Family &fnetFamily();
const Family &gemma2Family();
const Family &gemmaFamily();
const Family &gpt2Family();
const Family &gptBigCodeFamily();
const Family &gptJFamily();
const Family &gptNeoFamily();
const Family &gptNeoXFamily();
const Family &gruLmFamily();
const Family &layoutLmFamily();
const Family &llamaFamily();
const Family &longformerFamily();
const Family &lstmLmFamily();
const Family &lxmertFamily();
const Family &marianFamily();
const Family &mbartFamily();
const Family &mistralFamily();
const Family &mmbtFamily();
const Family &mobileBertFamily();
const Family &mpnetFamily();
const Family &mt5Family();
const Family &openAIGptFamily();
const Family &optFamily();
const Family &pegasusFamily();
const Family &phiFamily();
const Family &qwen2Family();
const Family &qwen3Family();
const Family &rnnLmFamily();
const Family &robertaFamily();
const Family &squeezeBertFamily();
const Family &t5Family();
const Family &tagLmFamily();
const Family &vitFamily();
const Family &xlmFamily();
const Family &xlmRobertaFamily();
const Family &xlmRobertaXlFamily();

} // namespace sesame::importer

#endif // SESAME_IMPORT_REGISTRY_H
