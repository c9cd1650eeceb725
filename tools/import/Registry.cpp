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
      &bertFamily(),
      &gemmaFamily(),
      &gemma2Family(),
      &gpt2Family(),
      &gruLmFamily(),
      &lstmLmFamily(),
      &rnnLmFamily(),
      &albertFamily(), &bertFamily(),    &camembertFamily(),  &distilBertFamily(),   &electraFamily(),
      &gpt2Family(),   &robertaFamily(), &xlmRobertaFamily(), &xlmRobertaXlFamily(),
      &llamaFamily(),
      &mistralFamily(),
      &qwen2Family(),
      &qwen3Family(),
      &debertaFamily(),
      &debertaV2Family(),
      &flaubertFamily(),
      &fnetFamily(),
      &gpt2Family(),
      &xlmFamily(),
  };
  return all;
}

} // namespace sesame::importer
