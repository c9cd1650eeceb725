//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Registry.h"

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
      &bertFamily(),
      &bloomFamily(),
      &camembertFamily(),
      &clipFamily(),
      &ctrlFamily(),
      &debertaFamily(),
      &debertaV2Family(),
      &deitFamily(),
      &distilBertFamily(),
      &dprFamily(),
      &electraFamily(),
      &flaubertFamily(),
      &fnetFamily(),
      &gemma2Family(),
      &gemmaFamily(),
      &gpt2Family(),
      &gptBigCodeFamily(),
      &gptJFamily(),
      &gptNeoFamily(),
      &gptNeoXFamily(),
      &gptJFamily(),
      &awdLstmLmFamily(),
      &bilstmCrfFamily(),
      &bilstmTaggerFamily(),
      &coveFamily(),
      &elmoFamily(),
      &tagLmFamily(),
      &gruLmFamily(),
      &layoutLmFamily(),
      &llamaFamily(),
      &longformerFamily(),
      &lstmLmFamily(),
      &mistralFamily(),
      &lxmertFamily(),
      &mmbtFamily(),
      &mobileBertFamily(),
      &mpnetFamily(),
      &openAIGptFamily(),
      &optFamily(),
      &phiFamily(),
      &qwen2Family(),
      &qwen3Family(),
      &rnnLmFamily(),
      &robertaFamily(),
      &squeezeBertFamily(),
      &vitFamily(),
      &xlmFamily(),
      &xlmRobertaFamily(),
      &xlmRobertaXlFamily(),
      &mt5Family(),
      &t5Family(),
  };
  return all;
}

} // namespace sesame::importer
