//===- tokenize.cpp - sesame tokenize ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"

#include "support/Error.h"
#include "tokenizer/Tokenizer.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <memory>

namespace sesame {

namespace {
struct TokenizeOptions {
  std::string source, text, pair;
  bool json = false, withoutSpecial = false;
};
} // namespace

static void tokenize(const TokenizeOptions &options, bool isPair) {
  std::error_code ignored;
  const Tokenizer tokenizer = std::filesystem::is_regular_file(options.source, ignored)
                                  ? Tokenizer::fromFile(options.source)
                                  : Tokenizer::fromDirectory(options.source);
  const bool special = !options.withoutSpecial;
  const Encoding encoding = isPair ? tokenizer.encode(options.text, options.pair, special)
                                   : tokenizer.encode(options.text, special);
  if (options.json) {
    nlohmann::json json = {{"ids", encoding.ids},
                           {"tokens", encoding.tokens},
                           {"offsets", encoding.offsets},
                           {"type_ids", encoding.typeIds},
                           {"special_mask", encoding.specialMask}};
    std::printf("%s\n", json.dump().c_str());
    return;
  }
  for (size_t i = 0; i < encoding.size(); ++i)
    std::printf("%8d  %-24s [%u, %u)\n", encoding.ids[i], encoding.tokens[i].c_str(),
                encoding.offsets[i].first, encoding.offsets[i].second);
}

void addTokenizeCommand(CLI::App &app) {
  CLI::App *command = app.add_subcommand("tokenize", "Show how a text is cut into tokens");
  auto options = std::make_shared<TokenizeOptions>();
  command->add_option("SRC", options->source, "Bundle or checkpoint directory, or a tokenizer.json")
      ->required();
  command->add_option("TEXT", options->text, "Text, UTF-8")->required();
  CLI::Option *pair = command->add_option("--pair", options->pair, "Second text of a pair");
  command->add_flag("--no-special-tokens", options->withoutSpecial,
                    "Leave out the tokens that the tokenizer adds");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, pair] { tokenize(*options, pair->count() > 0); });
}

} // namespace sesame
