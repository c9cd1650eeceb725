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
      &ctrlFamily(),
      &debertaFamily(),
      &debertaV2Family(),
      &distilBertFamily(),
      &electraFamily(),
      &flaubertFamily(),
      &fnetFamily(),
      &gemmaFamily(),
      &gemma2Family(),
      &gpt2Family(),
      &gptBigCodeFamily(),
      &gptNeoFamily(),
      &gptNeoXFamily(),
      &gptJFamily(),
      &gruLmFamily(),
      &llamaFamily(),
      &lstmLmFamily(),
      &mistralFamily(),
      &openAIGptFamily(),
      &optFamily(),
      &phiFamily(),
      &qwen2Family(),
      &qwen3Family(),
      &rnnLmFamily(),
      &robertaFamily(),
      &xlmFamily(),
      &xlmRobertaFamily(),
      &xlmRobertaXlFamily(),
      &mt5Family(),
      &t5Family(),
  };
  return all;
}

} // namespace sesame::importer
