//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Families.h"

namespace sesame::importer {

const Architecture *Family::find(const std::string &name) const {
  for (const Architecture &architecture : architectures)
    if (name == architecture.name)
      return &architecture;
  return nullptr;
}

const std::vector<const Family *> &families() {
  static const std::vector<const Family *> all = {
      &albertFamily(),
      &awdLstmLmFamily(),
      &bartFamily(),
      &bertFamily(),
      &bilstmCrfFamily(),
      &bilstmTaggerFamily(),
      &blenderbotFamily(),
      &blenderbotSmallFamily(),
      &bloomFamily(),
      &camembertFamily(),
      &clipFamily(),
      &clipTextFamily(),
      &clipVisionFamily(),
      &coveFamily(),
      &ctrlFamily(),
      &debertaFamily(),
      &debertaV2Family(),
      &deitFamily(),
      &distilBertFamily(),
      &dprFamily(),
      &electraFamily(),
      &elmoFamily(),
      &encoderDecoderFamily(),
      &flaubertFamily(),
      &fnetFamily(),
      &funnelFamily(),
      &fsmtFamily(),
      &gemma2Family(),
      &gemmaFamily(),
      &gpt2Family(),
      &gptBigCodeFamily(),
      &gptJFamily(),
      &gptNeoFamily(),
      &gptNeoXFamily(),
      &gruLmFamily(),
      &gruSeq2SeqFamily(),
      &layoutLmFamily(),
      &ledFamily(),
      &llamaFamily(),
      &longformerFamily(),
      &lstmLmFamily(),
      &lstmSeq2SeqFamily(),
      &lxmertFamily(),
      &m2m100Family(),
      &mambaFamily(),
      &marianFamily(),
      &mbartFamily(),
      &megatronBertFamily(),
      &mistralFamily(),
      &mmbtFamily(),
      &mobileBertFamily(),
      &mpnetFamily(),
      &mt5Family(),
      &openAIGptFamily(),
      &optFamily(),
      &pegasusFamily(),
      &phiFamily(),
      &prophetNetFamily(),
      &qwen2Family(),
      &qwen3Family(),
      &reformerFamily(),
      &rnnLmFamily(),
      &robertaFamily(),
      &squeezeBertFamily(),
      &t5Family(),
      &tagLmFamily(),
      &timesformerFamily(),
      &transformerFamily(),
      &transfoXlFamily(),
      &umt5Family(),
      &vitFamily(),
      &whisperFamily(),
      &xlmFamily(),
      &xlmRobertaFamily(),
      &xlmRobertaXlFamily(),
      &xlnetFamily(),
  };
  return all;
}

} // namespace sesame::importer
